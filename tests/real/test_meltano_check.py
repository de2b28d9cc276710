"""The plugin's definition in Meltano: settings arrive, commands use them, `meltano test` works."""

import ast
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from meltano_project import LOADER
from plugin_project import GIVEN, PROGRAMS, SECRETS, PluginProject, as_text

from given import record, schema
from shopper import visit
from target_pinterest_capi.cli.definition import installed_requirement, plugin_definition
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import Settings, load

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(plugin_project: PluginProject) -> Run:
    """Return the function that runs `meltano` in the project."""
    return plugin_project.run


def passed_on(run: Run, **variables: str) -> Settings:
    """Return the settings that Meltano passes to the target, except secrets, which it hides."""
    done = run("config", "print", LOADER, **variables)
    assert done.returncode == 0, done.stderr
    return load({**json.loads(done.stdout), **SECRETS})


def test_what_meltano_adds_changes_nothing(run: Run, sandbox: Sandbox):
    """The definition's defaults, which Meltano passes on, do not change the settings."""
    assert passed_on(run).model_dump() == load({**GIVEN, "api_url": sandbox.url}).model_dump()


def test_meltano_shows_the_defaults(run: Run):
    """`meltano config list` names each setting's default."""
    shown = run("config", "list", LOADER, "--all").stdout
    row = re.compile(r"^(\w+) \[env: \w+\] current value: (.*) \(default\)$", re.MULTILINE)
    found = {name: ast.literal_eval(text) for name, text in row.findall(shown)}
    entries = [
        entry
        for entry in plugin_definition("target-pinterest-capi")["settings"]
        if "value" in entry
    ]
    expected = {entry["name"]: entry["value"] for entry in entries if entry["name"] != "api_url"}
    assert {name: found[name] for name in expected} == expected  # api_url is configured here


@pytest.mark.parametrize(
    "command", [("test", LOADER), ("invoke", f"{LOADER}:check")], ids=["test", "invoke"]
)
def test_the_check_has_meltanos_settings(run: Run, sandbox: Sandbox, command: tuple[str, ...]):
    """`meltano test` and `meltano invoke ...:check` accept a valid project, mappings included."""
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 mapping;" in done.stdout
    assert "No errors" in done.stdout
    assert [request.test for request in sandbox.store.requests()] == [True]


@pytest.mark.parametrize(
    "command", [("test", LOADER), ("invoke", f"{LOADER}:check")], ids=["test", "invoke"]
)
def test_a_failed_check_fails_meltanos_command(run: Run, command: tuple[str, ...]):
    """With a wrong token the command fails, names the page that creates one, and hides it."""
    done = run(*command, conversion_token="of-somebody-else")
    assert done.returncode == 1
    assert "Generate new" in done.stdout
    assert "of-somebody-else" not in done.stdout + done.stderr


def test_a_sample_is_found_from_the_project(run: Run, tmp_path: Path):
    """`--sample` takes a path from the project's directory."""
    (tmp_path / "visits.singer").write_bytes(
        schema("visits", *visit()) + b"\n" + record("visits", **visit())
    )
    done = run("invoke", f"{LOADER}:check", "--sample", "visits.singer")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 record of the sample: 1 event" in done.stdout


@pytest.mark.parametrize("declared", [[], ["api_url", "ad_account_id"]], ids=["new", "declared"])
def test_the_definition_works_in_a_project(
    run: Run, sandbox: Sandbox, tmp_path: Path, declared: list[str]
):
    """Meltano adds and runs what `pinterest-capi definition` prints, and keeps `config`."""
    config = {**GIVEN, "api_url": sandbox.url}
    loader = {
        "name": LOADER,
        "namespace": LOADER.replace("-", "_"),
        "pip_url": "an-older-one",
        "settings": [{"name": name} for name in declared],
        "config": {name: config.pop(name) for name in declared},
    }
    path = tmp_path / "meltano.yml"
    project = {
        **yaml.safe_load(path.read_text()),
        "plugins": {"loaders": [loader] * bool(declared)},
    }
    path.write_text(yaml.safe_dump(project))
    with (tmp_path / "definition.yml").open("w") as file:
        subprocess.run([PROGRAMS / "pinterest-capi", "definition"], stdout=file, check=True)

    added = run("add", LOADER, "--from-ref", "definition.yml")
    if added.returncode:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(added.stderr[-2000:], pytrace=False)
        pytest.skip(f"Meltano could not install the target: {added.stderr[-2000:]}")

    (found,) = yaml.safe_load(path.read_text())["plugins"]["loaders"]
    expected = plugin_definition(installed_requirement())
    assert {name: found[name] for name in expected} == expected
    assert found.get("config", {}) == loader["config"]
    checked = run("test", LOADER, **{name: as_text(value) for name, value in config.items()})
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert [request.test for request in sandbox.store.requests()] == [True]


def add_tap(directory: Path, *lines: bytes) -> None:
    """Add a tap `tap-visits` that sends these lines to the project."""
    (directory / "visits.singer").write_bytes(b"\n".join(lines) + b"\n")
    tap = directory / "tap.sh"
    tap.write_text(f"#!/bin/sh\ncat {directory}/visits.singer\n")
    tap.chmod(0o755)
    path = directory / "meltano.yml"
    project = yaml.safe_load(path.read_text())
    extractor = {"name": "tap-visits", "namespace": "tap_visits", "executable": str(tap)}
    project["plugins"]["extractors"] = [{**extractor, "capabilities": []}]
    project |= {"environments": [{"name": "dev"}], "default_environment": "dev"}
    path.write_text(yaml.safe_dump(project, sort_keys=False))


def test_levels_in_meltanos_log(run: Run, tmp_path: Path):
    """A dropped value, a lost record and a variable without effect are warnings in that log."""
    add_tap(
        tmp_path,
        schema("visits", *visit(), key_properties=("event_id",)),
        record("visits", **visit(1)),
        record("visits", **{**visit(2), "event_time": "soon"}),
    )
    done = run("run", "tap-visits", LOADER, time_zone="Europe/Paris")
    rows = (done.stdout + done.stderr).splitlines()
    misspelt = "TARGET_PINTEREST_CAPI_TIME_ZONE: is not a setting"
    for words in ("invalid bad_field: event_time 1", misspelt):
        found = [row for row in rows if words in row]
        assert found, "\n".join(rows)
        assert "[warning" in found[0]


FEW = ["ad_account_id", "conversion_token", "mappings"]
EVERY = [entry["name"] for entry in plugin_definition(LOADER)["settings"]]


@pytest.mark.parametrize(
    ("declared", "loader", "variables", "code", "words"),
    [
        (EVERY, LOADER, {"mode": "dry_run"}, 0, "dry_run"),
        (FEW, LOADER, {"mode": "dry_run"}, 0, "MODE: is used"),
        (FEW, LOADER, {"mode": "dryrun"}, 1, "MODE: must be live, test or dry_run"),
        (FEW, LOADER, {"mod": "dry_run"}, 1, "MOD: is not a setting, and may have been meant"),
        (FEW, LOADER, {"dry_run": "true"}, 1, "DRY_RUN: is not a setting, and may have been"),
        (FEW, f"{LOADER}--day", {"_day_mode": "dry_run"}, 0, "DAY_MODE: is used"),
        ([], LOADER, {"api_url": "http://127.0.0.1:9"}, 1, "API_URL: is set and has no effect"),
    ],
)
def test_what_is_meant_as_a_dry_run_sends_nothing(
    run: Run,
    sandbox: Sandbox,
    tmp_path: Path,
    declared: list[str],
    loader: str,
    variables: dict[str, str],
    code: int,
    words: str,
):
    """A mode in a variable is used even if the loader declares none; an unclear one is an error."""
    add_tap(tmp_path, schema("visits", *visit()), record("visits", **visit(1)))
    path = tmp_path / "meltano.yml"
    project = yaml.safe_load(path.read_text())
    (ours,) = project["plugins"]["loaders"]
    ours["settings"] = [entry for entry in ours["settings"] if entry["name"] in declared]
    if not declared:
        del ours["config"]["api_url"]
    project["plugins"]["loaders"].append({"name": f"{LOADER}--day", "inherit_from": LOADER})
    path.write_text(yaml.safe_dump(project, sort_keys=False))
    done = run("run", "tap-visits", loader, **variables)
    assert (done.returncode, sandbox.store.events()) == (code, []), done.stdout + done.stderr
    assert words in done.stdout + done.stderr

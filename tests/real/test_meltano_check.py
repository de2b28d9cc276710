"""The plugin's definition in Meltano: settings arrive, commands use them, `meltano test` works."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from meltano_project import FOREIGN, LOADER, NOWHERE, InstallationError, meltano_executable

from given import ACCOUNT, TOKEN, record, schema
from shopper import visit
from target_pinterest_capi.cli.definition import installed_requirement, plugin_definition
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import Settings, load

# A value of each setting that has a default, other than the default.
CHOSEN: dict[str, Any] = {
    "api_url": "https://proxy.example.com/v5",
    "mode": "test",
    "customer_lists": [{"stream": "vip", "list_name": "VIPs", "member": "email"}],
    "defaults": {"action_source": "web"},
    "timezone": "Europe/Paris",
    "postal_code": "digits",
    "null_values": ["void", "n/a"],
    "external_id": "lower",
    "url_query": "drop",
    "dead_letter_keys": "plain",
    "max_event_age_days": 3,
    "on_invalid": "fail",
    "max_rejected_ratio": 0.25,
    "dead_letter_path": "rejected.jsonl",
    "ledger_retention_days": 90,
    "on_uncertain": "reject",
    "batch_size_rows": 10,
    "batch_max_bytes": 3_000_000,
    "batch_wait_seconds": 2.5,
    "max_in_flight": 3,
    "max_requests_per_minute": 100,
    "request_timeout_seconds": 12.5,
    "max_retry_seconds": 0.5,
    "shutdown_grace_seconds": 1.5,
    "list_batch_size": 100,
    "list_wait_seconds": 0.5,
    "validate_records": True,
}
# The word for null, which Meltano drops.
NEVER = {"max_event_age_days": "never", "max_rejected_ratio": "never"}

SECRETS = {"ad_account_id": ACCOUNT, "conversion_token": TOKEN}
MAPPINGS = [{"stream": "visits", "preset": "pinterest", "defaults": {"action_source": "web"}}]
GIVEN: dict[str, Any] = {**SECRETS, "mappings": MAPPINGS}
PROGRAMS = Path(sys.executable).parent

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def unavailable(reason: str) -> NoReturn:
    """Skip where something cannot be installed; fail where CI promised that it can."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def meltano() -> Path:
    try:
        return meltano_executable()
    except InstallationError as error:
        unavailable(f"Meltano could not be installed: {error}")


@pytest.fixture
def run(meltano: Path, sandbox: Sandbox, tmp_path: Path) -> Run:
    """Return a function that runs `meltano` in a project with the plugin's own definition."""
    definition = plugin_definition("target-pinterest-capi")
    del definition["pip_url"]
    definition["executable"] = str(PROGRAMS / definition["executable"])
    for command in definition["commands"].values():
        command["executable"] = str(PROGRAMS / command["executable"])
    definition["config"] = {**GIVEN, "api_url": sandbox.url}
    project = {
        "project_id": "check",
        "send_anonymous_usage_stats": False,
        "plugins": {"loaders": [definition]},
    }
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment = {
        **kept,
        "NO_COLOR": "1",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_HUB_API_ROOT": NOWHERE,
    }

    def meltano_run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        changed = {
            f"TARGET_PINTEREST_CAPI_{name.upper()}": value for name, value in settings.items()
        }
        return subprocess.run(
            [str(meltano), *arguments],
            cwd=tmp_path,
            env={**environment, **changed},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return meltano_run


def configure(directory: Path, **config: Any) -> None:
    """Add to the loader's `config` in the project's meltano.yml."""
    path = directory / "meltano.yml"
    project = yaml.safe_load(path.read_text())
    project["plugins"]["loaders"][0]["config"] |= config
    path.write_text(yaml.safe_dump(project, sort_keys=False))


def as_text(value: Any) -> str:
    """Return a setting's value as a variable of the environment has it."""
    return value if isinstance(value, str) else json.dumps(value)


def passed_on(run: Run, **variables: str) -> Settings:
    """Return the settings that Meltano passes to the target, except secrets, which it hides."""
    done = run("config", "print", LOADER, **variables)
    assert done.returncode == 0, done.stderr
    return load({**json.loads(done.stdout), **SECRETS})


def test_every_setting_with_a_default_is_chosen_here():
    """The table of other values has all settings with a default, none with its default."""
    fields = {name: info for name, info in Settings.model_fields.items() if not info.is_required()}
    defaults = {name: info.default for name, info in fields.items() if info.default is not None}
    assert set(CHOSEN) == set(defaults)
    assert [name for name, value in CHOSEN.items() if value == defaults[name]] == []


@pytest.mark.parametrize("values", [CHOSEN, {**CHOSEN, **NEVER}], ids=["values", "never"])
@pytest.mark.parametrize("place", ["meltano.yml", ".env", "environment", "config set"])
def test_every_setting_comes_through(run: Run, tmp_path: Path, place: str, values: dict[str, Any]):
    """The target gets what each of Meltano's ways says, fractions and `never` included."""
    variables = {}
    texts = {name: as_text(value) for name, value in values.items()}
    if place == "meltano.yml":
        configure(tmp_path, **values)
    elif place == ".env":
        rows = [f"TARGET_PINTEREST_CAPI_{name.upper()}='{text}'" for name, text in texts.items()]
        (tmp_path / ".env").write_text("\n".join(rows))
    elif place == "environment":
        variables = texts
    else:
        for name, text in texts.items():
            done = run("config", "set", LOADER, name, text)
            assert done.returncode == 0, done.stderr
    assert passed_on(run, **variables).model_dump() == load({**GIVEN, **values}).model_dump()


def test_what_meltano_adds_changes_nothing(run: Run, sandbox: Sandbox):
    """The defaults of the definition, which Meltano passes on, leave the settings as they are."""
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
    assert "All is well" in done.stdout
    assert [request.test for request in sandbox.store.requests()] == [True]


@pytest.mark.parametrize(
    "command", [("test", LOADER), ("invoke", f"{LOADER}:check")], ids=["test", "invoke"]
)
def test_a_failed_check_fails_meltanos_command(run: Run, command: tuple[str, ...]):
    """A wrong token fails the command, which names the page that makes one and hides the token."""
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
        unavailable(f"Meltano could not install the target: {added.stderr[-2000:]}")

    (found,) = yaml.safe_load(path.read_text())["plugins"]["loaders"]
    expected = plugin_definition(installed_requirement())
    assert {name: found[name] for name in expected} == expected
    assert found.get("config", {}) == loader["config"]
    checked = run("test", LOADER, **{name: as_text(value) for name, value in config.items()})
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert [request.test for request in sandbox.store.requests()] == [True]


def add_tap(directory: Path, *lines: bytes) -> None:
    """Have the project a tap `tap-visits` that sends these lines."""
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
    """A value that was dropped, a lost record and a variable without effect are warnings there."""
    add_tap(
        tmp_path,
        schema("visits", *visit(), key_properties=("event_id",)),
        record("visits", **visit(1)),
        record("visits", **{**visit(2), "event_time": "soon"}),
    )
    done = run("run", "tap-visits", LOADER, time_zone="Europe/Paris")
    rows = (done.stdout + done.stderr).splitlines()
    misspelt = "TARGET_PINTEREST_CAPI_TIME_ZONE: names no setting"
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
        (FEW, LOADER, {"mode": "dry_run"}, 0, "MODE: is honoured"),
        (FEW, LOADER, {"mode": "dryrun"}, 1, "MODE: must be live, test or dry_run"),
        (FEW, LOADER, {"mod": "dry_run"}, 1, "MOD: names no setting, and may have been meant"),
        (FEW, LOADER, {"dry_run": "true"}, 1, "DRY_RUN: names no setting, and may have been"),
        (FEW, f"{LOADER}--day", {"_day_mode": "dry_run"}, 0, "DAY_MODE: is honoured"),
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
    """A mode by variable holds even where the loader declares none; what is unclear stops."""
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

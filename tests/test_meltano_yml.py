"""The repository's meltano.yml is up to date, and the examples of the start pages work."""

import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from given import ACCOUNT, TOKEN, record, schema
from target_pinterest_capi.cli.main import COMMANDS
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import (
    ConfigurationError,
    Settings,
    load,
    meltano_settings,
    settings_table,
)
from target_pinterest_capi.settings.json_schema import properties
from tools import demo_project

ROOT = Path(__file__).parent.parent
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/start-meltano.md", "docs/start-pipe.md")
}
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
(LOADER,) = PROJECT["plugins"]["loaders"]
PROGRAMS = Path(sys.executable).parent
ADDING = "pinterest-capi definition | meltano add target-pinterest-capi --from-ref /dev/stdin"
SANDBOX_URL = "http://127.0.0.1:8085/v5"  # where the examples look for it


def fenced(language: str, text: str = "\n".join(PAGES.values())) -> list[str]:
    """Return the fenced blocks of a language, from the start pages or the given text."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def example(language: str, part: str) -> str:
    """Return the only block of a language that contains a string."""
    (found,) = [block for block in fenced(language) if part in block]
    return found


# ---- meltano.yml ----


def test_meltano_yml_is_what_is_generated():
    """The repository's project is the generated one: `make docs`."""
    assert (ROOT / "meltano.yml").read_text(encoding="utf-8") == demo_project.text()


@pytest.mark.parametrize("name", [entry["name"] for entry in meltano_settings()])
def test_every_setting_is_declared(name):
    """Each setting is in the loader once, with label, kind, description and options."""
    (entry,) = [entry for entry in LOADER["settings"] if entry["name"] == name]
    assert {"label", "kind", "description"} <= set(entry)
    assert entry == next(entry for entry in meltano_settings() if entry["name"] == name)


def test_no_setting_is_left_out():
    """The settings of a configuration and those that the loader declares are the same."""
    assert {entry["name"].partition(".")[0] for entry in LOADER["settings"]} == set(
        properties(Settings)
    )


def test_the_capabilities_are_the_targets():
    """The plugin's settings are those of `target-pinterest-capi --about`."""
    from target_pinterest_capi.target import TargetPinterestCapi

    assert sorted(LOADER["capabilities"]) == sorted(
        str(one.value) for one in TargetPinterestCapi.capabilities
    )


def test_every_tool_is_a_command():
    """`meltano invoke target-pinterest-capi:NAME` runs that tool; `meltano test` runs the check."""
    commands = {
        name: (made["executable"], made["args"]) for name, made in LOADER["commands"].items()
    }
    assert commands == {name: ("pinterest-capi", name) for name in COMMANDS} | {
        "test": ("pinterest-capi", "check")
    }
    assert [name for name in commands if name.startswith("test")] == [
        "test"
    ]  # Meltano runs each one that is named so


@pytest.mark.parametrize("group", LOADER["settings_group_validation"], ids=" and ".join)
def test_a_settings_group_is_enough(group, tmp_path):
    """A configuration that Meltano accepts as complete is complete, and a smaller one is not."""
    (tmp_path / "token").write_text("a-token")
    given = {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "conversion_token_file": str(tmp_path / "token"),
    }
    load({name: given[name] for name in group})
    for name in group:
        with pytest.raises(ConfigurationError, match=name.removesuffix("_file")):
            load({other: given[other] for other in group if other != name})


def test_the_projects_configuration_is_one():
    """The loader's `config` passes the checks of the settings, and its URL is the sandbox's."""
    assert load(LOADER["config"]).api_url == SANDBOX_URL


def test_the_job_runs_what_is_declared():
    """The project's job names its plugins."""
    (job,) = PROJECT["jobs"]
    names = [entry["name"] for entries in PROJECT["plugins"].values() for entry in entries]
    assert [name for task in job["tasks"] for name in task.split()] == names


# ---- The pages to start with ----


def test_the_readme_names_the_required_settings():
    """The README names the required settings, and the reference has all of them."""
    required = re.findall(r"^\| `(\w+)`<br>`\w+` \| required", settings_table(), re.MULTILINE)
    assert required == ["ad_account_id"]
    for name in (*required, "conversion_token"):
        assert f"`{name}`" in PAGES["README.md"]


@pytest.mark.parametrize("block", fenced("json"), ids=range(len(fenced("json"))))
def test_a_json_example_is_a_configuration(block):
    """Every JSON block is a valid configuration."""
    load(json.loads(block))


ROW = re.compile(r"\((100\d), '(\w+)', .*?'(\{.*?\})',\s*'(\[.*?\])', ([\d.]+), '(\w+)'", re.DOTALL)


def test_the_mapping_example_makes_events(run_target, sandbox):
    """The mapping of the orders table accepts the example's paid order, and skips the other."""
    entries = yaml.safe_load(example("yaml", "mappings:\n"))["mappings"]
    rows = [order(*row) for row in ROW.findall(example("sql", "INSERT"))]
    lines = [
        schema("shop-orders", *rows[0], key_properties=("id",)),
        *(record("shop-orders", **row) for row in rows),
    ]
    ran = run_target(lines, mappings=entries)
    assert (ran.code, ran.outcomes, ran.reasons) == (0, {"delivered": 1, "skipped": 1}, {"when": 1})
    (row,) = sandbox.store.events()
    assert row.event["event_id"] == "order-1001"
    assert row.event["custom_data"]["contents"] == [
        {"id": "MUG-1", "item_name": "Mug", "item_price": "19.99", "quantity": 2}
    ]
    assert set(row.event["user_data"]) == {"em", "ph", "country"}


def order(
    number: str, status: str, customer: str, lines: str, total: str, currency: str
) -> dict[str, Any]:
    """Return a row of the SQL example as a tap sends it."""
    nested = {"customer": json.loads(customer), "lines": json.loads(lines)}
    return {
        "id": int(number),
        "status": status,
        "paid_at": int(time.time()),
        **nested,
        "total": float(total),
        "currency": currency,
    }


# ---- The pipe ----


@pytest.fixture
def folder(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A folder with the pipe example's tap output and config.json, for this test's sandbox."""
    (tmp_path / "config.json").write_text(
        example("json", "ledger_url").replace(SANDBOX_URL, sandbox.url)
    )
    return tmp_path


def shell(script: str, folder: Path, program: str = "sh") -> subprocess.CompletedProcess[str]:
    """Run an example as if it had been copied into a file."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TARGET_PINTEREST_CAPI_")
    }
    environment = {**kept, "PATH": f"{folder}/bin:{PROGRAMS}:{os.environ['PATH']}"}
    return subprocess.run(
        [program, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_the_pipe_example_delivers_once(folder, sandbox):
    """As printed: both orders are delivered, STATE is on stdout, and a rerun sends nothing."""
    script = example("sh", "tap-output.singer")
    first = shell("set -e\n" + script, folder)
    assert first.returncode == 0, first.stderr
    assert "null_value" in first.stdout
    assert json.loads((folder / "states.jsonl").read_text()) == {"bookmarks": {"orders": {"id": 2}}}
    second = shell(script.splitlines()[-1], folder)
    assert second.returncode == 0, second.stderr
    assert "in_ledger 2" in second.stderr
    assert sandbox.store.event_ids() == {"order-1": 1, "order-2": 1}
    assert [set(row.event["user_data"]) for row in sandbox.store.events()] == [
        {"em", "ph"},
        {"client_ip_address", "client_user_agent"},
    ]


@pytest.mark.slow
def test_the_state_script_keeps_the_newest_state(folder):
    """The script passes its state to the tap and keeps the newest one, or the old one."""
    script = example("bash", "newest.json")
    (folder / "bin").mkdir()
    tap = folder / "bin" / "tap-shop"
    tap.write_text('#!/bin/sh\ncat "$4" >> given.jsonl; cat tap-output.singer\n')
    tap.chmod(tap.stat().st_mode | stat.S_IXUSR)
    shell(example("sh", "tap-output.singer").partition("pinterest-capi preview")[0], folder)

    assert shell(script, folder, "bash").returncode == 0
    assert json.loads((folder / "state.json").read_text()) == {"bookmarks": {"orders": {"id": 2}}}

    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "conversion_token": "of-somebody-else", "ledger_url": None})
    )
    assert shell(script, folder, "bash").returncode == 1
    assert json.loads((folder / "state.json").read_text()) == {"bookmarks": {"orders": {"id": 2}}}
    assert [json.loads(line) for line in (folder / "given.jsonl").read_text().splitlines()] == [
        {},
        {"bookmarks": {"orders": {"id": 2}}},
    ]


# ---- Meltano ----


def unavailable(service: str) -> NoReturn:
    """Skip with the reason if a machine lacks a service; fail if CI declared it present."""
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"{service} is missing, and REQUIRE_SERVICES is set")
    pytest.skip(f"{service} is not on this machine")


def shown_project() -> dict[str, Any]:
    """Return the README's meltano.yml."""
    project: dict[str, Any] = yaml.safe_load(example("yaml", "extractors:"))
    return project


def test_the_meltano_example_is_a_configuration_in_each_environment():
    """Both environments have the necessary settings, with different accounts and ledgers."""
    loaded = []
    for environment in shown_project()["environments"]:
        (loader,) = environment["config"]["plugins"]["loaders"]
        given = {
            name: {"$PINTEREST_AD_ACCOUNT": ACCOUNT, "$PINTEREST_TOKEN": TOKEN}.get(value, value)
            for name, value in loader["config"].items()
        }
        loaded.append(load(given))
    assert [settings.api_url == SANDBOX_URL for settings in loaded] == [True, False]
    assert len({settings.ledger_url.get_secret_value() for settings in loaded}) == 2


def projects() -> dict[str, dict[str, Any]]:
    """Return every Meltano project in the repository and its documentation, by its place."""
    files = sorted([ROOT / "meltano.yml", *ROOT.glob("docs/**/meltano.yml")])
    found = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}
    for path in sorted(ROOT.glob("docs/**/*.md")):
        blocks = fenced("yaml[^\n]*", path.read_text(encoding="utf-8"))
        whole = [block for block in blocks if re.search("^plugins:$", block, re.MULTILINE)]
        place = str(path.relative_to(ROOT))
        found |= {f"{place} {number}": block for number, block in enumerate(whole)}
    return {place: yaml.safe_load(text) for place, text in found.items()}


PROJECTS = projects()
DECLARED = {
    (place, plugin["name"]): plugin["settings"]
    for place, shown in PROJECTS.items()
    for kind in ("loaders", "utilities")
    for plugin in shown["plugins"].get(kind, ())
    if "inherit_from" not in plugin
}
AS_TEXT = {"string", "options", "file"}  # kinds that Meltano passes on as they are


def test_all_projects_are_looked_at():
    """The repository's own project, and those of the cookbook and other pages, are among them."""
    assert {"meltano.yml", "docs/start-meltano.md 0", "docs/customer-lists.md 0"} <= PROJECTS.keys()
    assert len(PROJECTS) >= 11
    assert len(DECLARED) >= 12


@pytest.mark.parametrize(("place", "plugin"), DECLARED)
def test_every_project_declares_every_setting(place: str, plugin: str):
    """Each of our plugins passes on all settings with matching kinds, so that none is ignored."""
    expected = {entry["name"]: _kind(entry) for entry in meltano_settings()}
    assert {entry["name"]: _kind(entry) for entry in DECLARED[place, plugin]} == expected


def _kind(entry: dict[str, Any]) -> tuple[str, bool]:
    """Return how Meltano passes a setting on, and whether it hides the value."""
    kind = entry.get("kind", "string")
    return "string" if kind in AS_TEXT else kind, entry.get("sensitive", False)


def test_the_first_project_has_the_loader_by_its_command():
    """The page's project declares no loader: its first command adds it, like the README's."""
    assert "loaders" not in shown_project()["plugins"]
    first, *_ = example("sh", "meltano install").splitlines()
    assert first == ADDING
    assert f"\n{ADDING}\n" in PAGES["README.md"]


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A PostgreSQL server for this test, with the README's tables."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "real"))
    from postgres_cluster import PostgresCluster, PostgresUnavailableError, find_binaries

    try:
        cluster = PostgresCluster(find_binaries())
    except PostgresUnavailableError as error:
        unavailable(f"PostgreSQL ({error})")
    with cluster:
        cluster.query("".join(fenced("sql")))
        yield cluster


@pytest.fixture
def shell_with_meltano(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a line of a page in the test's folder, with a real Meltano."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "real"))
    from meltano_project import FOREIGN, InstallationError, locked_program

    try:
        meltano = locked_program("meltano")
    except InstallationError as error:
        unavailable(f"Meltano ({error})")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "NO_COLOR": "1",
        "PATH": os.pathsep.join(map(str, (meltano.parent, PROGRAMS, os.environ["PATH"]))),
    }

    def run(line: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line],
            cwd=tmp_path,
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def test_the_meltano_example_delivers_the_paid_order(
    postgres, sandbox, tmp_path, shell_with_meltano
):
    """The page's project, run by Meltano, delivers one order; a second run sends nothing."""
    run = shell_with_meltano
    text = example("yaml", "extractors:").replace(SANDBOX_URL, sandbox.url)
    project = yaml.safe_load(text)
    locks = ROOT / "tests" / "real" / "project" / "locks"
    (tap,) = project["plugins"]["extractors"]
    tap["pip_url"] = (
        f"--requirement {locks / 'tap-postgres.txt'}"  # what the page names, with digests
    )
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    settings = {
        name: getattr(postgres, name) for name in ("host", "port", "user", "password", "database")
    }
    (tmp_path / ".env").write_text(
        "".join(f"TAP_POSTGRES_{name.upper()}={value}\n" for name, value in settings.items())
    )
    adding, installing, running, _ = example("sh", "meltano install").splitlines()
    for line in (adding, installing):
        done = run(line)
        if done.returncode:
            unavailable(f"{line} ({done.stderr[-300:]})")
    rehearsed = run(running, TARGET_PINTEREST_CAPI_MODE="dry_run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert sandbox.store.events() == []
    for _ in range(2):
        done = run(running)
        assert done.returncode == 0, done.stderr
    (row,) = sandbox.store.events()
    assert row.event["event_id"] == "order-1001"
    assert row.event["custom_data"] | {"contents": None} == {
        "currency": "USD", "value": "39.98", "order_id": "1001", "content_ids": ["MUG-1"],
        "num_items": 2, "contents": None,
    }  # fmt: skip
    assert "in_ledger 1" in done.stderr


@pytest.mark.slow
def test_the_readmes_commands_work_in_a_project_with_a_tap(sandbox, tmp_path, shell_with_meltano):
    """As printed: the loader is added, installed and configured, and delivers an event."""
    row = {
        "event_id": "order-1",
        "event_name": "checkout",
        "action_source": "web",
        "event_time": int(time.time()),
        "em": "jane@example.com",
    }
    lines = [schema("orders", *row, key_properties=("event_id",)), record("orders", **row)]
    (tmp_path / "tap-output.singer").write_bytes(b"\n".join(lines) + b"\n")
    tap = tmp_path / "tap-shop"
    tap.write_text(f"#!/bin/sh\ncat {tmp_path}/tap-output.singer\n")
    tap.chmod(tap.stat().st_mode | stat.S_IXUSR)
    extractor = {"name": "tap-shop", "namespace": "tap_shop", "executable": str(tap)}
    project = {
        "default_environment": "dev",
        "environments": [{"name": "dev"}],
        "plugins": {"extractors": [extractor]},
    }
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    adding, *following = example("sh", "meltano config set").splitlines()
    added = shell_with_meltano(adding)
    if added.returncode:
        unavailable(f"{adding} ({added.stderr[-300:]})")
    for line in following:
        done = shell_with_meltano(line, TARGET_PINTEREST_CAPI_API_URL=sandbox.url)
        assert done.returncode == 0, done.stderr
    assert sandbox.store.event_ids() == {"order-1": 1}
    assert "sandbox-token" not in (tmp_path / "meltano.yml").read_text()


def test_a_tap_that_crashes_fails_the_readmes_script(tmp_path: Path):
    """The script for cron ends with the tap's exit code, and keeps the earlier STATE."""
    (script,) = fenced("bash")
    programs = {"tap-shop": "echo some; exit 3", "target-pinterest-capi": "cat > seen; echo '{}'"}
    for name, body in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )
    assert (done.returncode, (tmp_path / "state.json").read_text()) == (3, "{}\n")
    assert (tmp_path / "seen").read_text() == "some\n"

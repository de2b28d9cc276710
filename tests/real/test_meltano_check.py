"""The plugin's definition in Meltano: its commands run with Meltano's settings, and `meltano test` is the check."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from meltano_project import FOREIGN, LOADER, NOWHERE, InstallationError, meltano_executable

from given import ACCOUNT, TOKEN, record, schema
from shopper import visit
from target_pinterest_capi import plugin
from target_pinterest_capi.sandbox.server import Sandbox

PROGRAMS = Path(sys.executable).parent

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def meltano() -> Path:
    try:
        return meltano_executable()
    except InstallationError as error:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(f"Meltano could not be installed: {error}")


@pytest.fixture
def run(meltano: Path, sandbox: Sandbox, tmp_path: Path) -> Run:
    """Give a function that runs `meltano` in a project with the plugin's own definition, its programs those under test."""
    definition: dict[str, Any] = plugin.meltano_plugin()
    del definition["pip_url"]
    definition["executable"] = str(PROGRAMS / definition["executable"])
    for command in definition["commands"].values():
        command["executable"] = str(PROGRAMS / command["executable"])
    definition["config"] = {
        "ad_account_id": ACCOUNT, "conversion_token": TOKEN, "api_url": sandbox.url,
        "mappings": [{"stream": "visits", "preset": "pinterest", "defaults": {"action_source": "web"}}],
    }  # fmt: skip
    project = {"project_id": "check", "send_anonymous_usage_stats": False, "plugins": {"loaders": [definition]}}
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment = {**kept, "NO_COLOR": "1", "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", "MELTANO_HUB_API_ROOT": NOWHERE}

    def meltano_run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        changed = {f"TARGET_PINTEREST_CAPI_{name.upper()}": value for name, value in settings.items()}
        return subprocess.run(
            [str(meltano), *arguments], cwd=tmp_path, env={**environment, **changed}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    return meltano_run


@pytest.mark.parametrize("command", [("test", LOADER), ("invoke", f"{LOADER}:check")], ids=["test", "invoke"])
def test_the_check_has_meltanos_settings(run: Run, sandbox: Sandbox, command: tuple[str, ...]):
    """`meltano test` and `meltano invoke ...:check` check what the project configures, mappings included; all is well."""
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 mapping;" in done.stdout
    assert "All is well" in done.stdout
    assert [request.test for request in sandbox.store.requests()] == [True]


@pytest.mark.parametrize("command", [("test", LOADER), ("invoke", f"{LOADER}:check")], ids=["test", "invoke"])
def test_a_failed_check_fails_meltanos_command(run: Run, command: tuple[str, ...]):
    """A wrong token is told with the page that makes one, is not shown, and the command fails."""
    done = run(*command, conversion_token="of-somebody-else")
    assert done.returncode == 1
    assert "Generate new" in done.stdout
    assert "of-somebody-else" not in done.stdout + done.stderr


def test_a_sample_is_found_from_the_project(run: Run, tmp_path: Path):
    """`--sample` takes a path from the project's directory."""
    (tmp_path / "visits.singer").write_bytes(schema("visits", *visit()) + b"\n" + record("visits", **visit()))
    done = run("invoke", f"{LOADER}:check", "--sample", "visits.singer")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 record of the sample: 1 event" in done.stdout

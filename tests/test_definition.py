"""`pinterest-capi definition`: the Meltano plugin, which installs what is installed here."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from packaging.requirements import Requirement

from target_pinterest_capi.cli.definition import (
    installed_requirement,
    plugin_definition,
    requirement,
)
from target_pinterest_capi.cli.main import main

PROGRAM = Path(sys.executable).with_name("pinterest-capi")
ARCHIVE = "file:///srv/target_pinterest_capi-0.2.0-py3-none-any.whl"
COMMIT = "4f1c0de5a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5"


def printed(*arguments: str) -> str:
    """Return what the command prints."""
    ran = CliRunner().invoke(main, ["definition", *arguments])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.mark.parametrize(
    ("direct_url", "arguments"),
    [
        (None, ["target-pinterest-capi[sandbox]==0.2.0"]),
        (
            {"url": "file:///srv/checkout", "dir_info": {"editable": True}},
            ["-e", "/srv/checkout[sandbox]"],
        ),
        ({"url": "file:///srv/checkout", "dir_info": {}}, ["/srv/checkout[sandbox]"]),
        (
            {"url": "file:///srv/a%20checkout", "dir_info": {"editable": True}},
            ["-e", "/srv/a checkout[sandbox]"],
        ),
        (
            {"url": "file:///srv/it%27s", "dir_info": {"editable": False}},
            ["/srv/it's[sandbox]"],
        ),
        ({"url": ARCHIVE, "archive_info": {}}, [f"target-pinterest-capi[sandbox]@{ARCHIVE}"]),
        (
            {
                "url": "https://git.example.com/capi.git",
                "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": COMMIT},
            },
            [f"target-pinterest-capi[sandbox]@git+https://git.example.com/capi.git@{COMMIT}"],
        ),
    ],
    ids=["release", "clone", "folder", "space", "quote", "archive", "git"],
)
def test_what_is_installed_here_is_what_meltano_installs(direct_url, arguments: list[str]):
    """A release is named with its version, anything else by where it was installed from."""
    record = None if direct_url is None else json.dumps(direct_url)
    found = shlex.split(requirement("0.2.0", record))
    assert found == arguments
    if not arguments[-1].startswith("/"):
        assert Requirement(found[-1]).extras == {"sandbox"}


def test_definition_is_the_plugins_with_what_is_installed_here():
    """Without an option, `pip_url` is this package; the rest is every setting and command."""
    assert yaml.safe_load(printed()) == plugin_definition(installed_requirement())


def test_definition_installs_what_is_asked_for():
    """`--pip-url` is written as it is given."""
    url = "target-pinterest-capi[postgres]~=0.2"
    assert yaml.safe_load(printed("--pip-url", url)) == plugin_definition(url)


def test_definition_imports_no_singer_sdk():
    """The command starts at once: it does not import the SDK, which takes most of a second."""
    command = [sys.executable, "-X", "importtime", str(PROGRAM), "definition"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert yaml.safe_load(done.stdout)["name"] == "target-pinterest-capi"
    assert "singer_sdk" not in done.stderr


def test_unknown_option_is_a_usage_error():
    """Any other argument exits with 2 and nothing on stdout."""
    ran = CliRunner().invoke(main, ["definition", "--projekt"])
    assert (ran.exit_code, ran.stdout) == (2, "")

"""Lock files: complete, in agreement with each other, and checked without the package index."""

import sys
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tools import locks


class Installed(Distribution):
    """A package of an environment: its name, version and requirements."""

    def __init__(self, name: str, version: str, *needs: str):
        self._metadata = Message()
        self._metadata["Name"] = name
        self._metadata["Version"] = version
        for need in needs:
            self._metadata["Requires-Dist"] = need

    @property
    def metadata(self):
        return self._metadata

    def read_text(self, filename: str) -> str | None:
        return self._metadata.as_string() if filename == "METADATA" else None

    def locate_file(self, path: str) -> Path:
        return Path(path)


def installed(*packages: Installed) -> dict[str, Distribution]:
    return {package.metadata["Name"]: package for package in packages}


PLUGIN = Installed("plugin", "7.1", 'measure[toml]>=7.10; extra == "never"', "measure[toml]>=7.10")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("plugin==7.1\nmeasure[toml]==7.17", None),
        ("plugin==7.1\nmeasure[toml, other]==7.17", None),
        (
            (
                "plugin==7.1\nMeasure[toml]==7.17 ; python_version >= '3' \\\n"
                "    --hash=sha256:00\n    # via plugin"
            ),
            None,
        ),
        ("plugin==7.1\nmeasure==7.17", "the line that pins it leaves out [toml]"),
        ("plugin==7.1\nmeasure[toml]==7.9", "7.9 is pinned"),
        ("plugin==7.1", "no line pins it"),
        ("plugin==7.1\nmeasure[toml]==7.17 ; python_version < '3'", "no line pins it"),
    ],
)
def test_every_need_of_a_locked_package_is_pinned_with_its_extras(text, problem):
    """A requirement of a locked package is met by a matching line, or is a problem."""
    found = locks.check(
        "a.lock",
        text,
        ["plugin"],
        installed(PLUGIN, Installed("measure", "7.17"), Installed("measure", "7.9")),
    )
    expected = (
        []
        if problem is None
        else [f"a.lock: plugin 7.1 needs measure[toml]>=7.10, and {problem}: make lock"]
    )
    assert found.problems == expected


def test_what_an_extra_brings_is_needed_only_where_the_lock_asks_for_it():
    """A package locked with an extra needs the extra's packages; without it, it does not."""
    packages = installed(
        Installed("server", "1.0", "parser>=2", 'fast>=3; extra == "speed"'),
        Installed("parser", "2.0"),
    )
    assert locks.check("a.lock", "server==1.0\nparser==2.0", [], packages).problems == []
    assert locks.check("a.lock", "server[speed]==1.0\nparser==2.0", [], packages).problems == [
        'a.lock: server 1.0 needs fast>=3; extra == "speed", and no line pins it: make lock',
    ]


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("server>=1", None),
        ("server>=1  # why it is here", None),
        ("server>=2", "1.0 is pinned"),
        ("server[speed]", "the line that pins it leaves out [speed]"),
        ("another", "no line pins it"),
    ],
)
def test_a_lock_is_held_against_the_project(wanted, problem):
    """What pyproject.toml requires must be what its lock file pins."""
    found = locks.check("a.lock", "server==1.0", [wanted], {})
    asked = wanted.partition("  #")[0]
    assert found.problems == (
        []
        if problem is None
        else [f"a.lock: pyproject.toml asks for {asked}, and {problem}: make lock"]
    )


def test_a_package_that_is_not_installed_is_named_as_not_checked():
    """A package that is absent, or installed in another version, is listed as unseen."""
    packages = installed(Installed("server", "0.9", "never-pinned"))
    assert locks.check(
        "a.lock", "server==1.0\nparser==2.0\nother==1 ; sys_platform == 'never'", [], packages
    ).unseen == [
        "server",
        "parser",
    ]


def test_lock_files_that_disagree_are_reported():
    """A package has one version in all lock files."""
    files = {"a.lock": "server==1.0\nparser==2.0", "b.lock": "Server==1.0\nparser==2.1"}
    assert list(locks.disagreements(files)) == ["b.lock: parser 2.1, but 2.0 in a.lock: make lock"]


def test_there_is_a_lock_file_for_each_extra_and_group():
    """requirements/ has a file for the project, each extra and each group but `dev`, no others."""
    import tomllib

    project = tomllib.loads((locks.ROOT / "pyproject.toml").read_text())
    expected = {
        "runtime",
        *project["project"]["optional-dependencies"],
        *project["dependency-groups"],
    } - {"dev"}
    assert set(locks.NAMES) == expected
    assert {path.name for path in locks.FOLDER.iterdir()} == {f"{name}.lock" for name in expected}


def test_the_lock_files_are_in_order_for_what_is_installed_here(capsys):
    """Every locked package in this environment has all its requirements in its lock file."""
    assert locks.main(["check"]) == 0, capsys.readouterr().err


def test_another_environment_is_read_by_its_path():
    """The packages of an environment are found through the folders it imports from."""
    assert "pytest" in locks.installed_packages(sys.path)
    assert locks.installed_packages([]) == {}

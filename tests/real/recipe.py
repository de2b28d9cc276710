"""A recipe of docs/cookbook, copied, with its commands run as its page shows them.

Owns the copy, and knows which of the page's commands were run. No file of the recipe is changed:
only environment variables differ from a reader's machine, and the programs of the plugins are
installed already. It does not know what a recipe is for.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from meltano_project import FOREIGN, NOWHERE, REPOSITORY, locked_program

COOKBOOK: Final = REPOSITORY / "docs" / "cookbook"
RECIPES: Final = tuple(sorted(path.parent.name for path in COOKBOOK.glob("*/meltano.yml")))
PROGRAMS: Final = Path(sys.executable).parent
TIMEOUT_SECONDS: Final = 120
ELSEWHERE: Final = re.compile(r"meltano install$|export ")  # done by this module or by a test


def project(name: str) -> dict[str, Any]:
    """Return the recipe's meltano.yml."""
    loaded: dict[str, Any] = yaml.safe_load(
        (COOKBOOK / name / "meltano.yml").read_text(encoding="utf-8")
    )
    return loaded


def page(name: str) -> str:
    """Return the recipe's README."""
    return (COOKBOOK / name / "README.md").read_text(encoding="utf-8")


def commands(name: str) -> list[str]:
    """Return the shell commands of the recipe's page, one a line, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    lines = [
        re.sub(r"\s+# .*", "", line)
        for block in blocks
        for line in block.splitlines()
        if not line.startswith("#")
    ]
    return [line for line in lines if line and not ELSEWHERE.match(line)]


def _stand_in(home: Path, plugin: Mapping[str, Any], programs: Path) -> None:
    """Create a directory that Meltano accepts as the plugin's environment, with links to programs.

    Meltano installs again unless the fingerprint fits: the SHA-256 of the arguments that `pip_url`
    is for pip. The directory must be real and hold links, and never be a link to an environment:
    if the fingerprint does not fit, Meltano follows such a link and empties what is there.
    """
    (home / "bin").mkdir(parents=True)
    for program in {"python", plugin["executable"]}:
        (home / "bin" / program).symlink_to(programs / program)
    arguments = " ".join(sorted(set(shlex.split(plugin["pip_url"]))))
    (home / ".meltano_plugin_fingerprint").write_text(
        hashlib.sha256(arguments.encode()).hexdigest(), encoding="ascii"
    )


class Recipe:
    """One recipe, copied, with its plugins' programs; `environment` overrides the .env file."""

    def __init__(
        self,
        name: str,
        directory: Path,
        programs: Sequence[Path],
        installed: Mapping[str, Path],
        environment: Mapping[str, str],
    ) -> None:
        self.directory = directory / name
        self._waiting = commands(name)
        self._shown = frozenset(self._waiting)
        shutil.copytree(COOKBOOK / name, self.directory)
        for settings in COOKBOOK.glob("*.env"):
            shutil.copy(settings, directory)
        for kind, entries in project(name)["plugins"].items():
            for entry in entries:
                if "pip_url" in entry:
                    home = self.directory / ".meltano" / kind / entry["name"] / "venv"
                    _stand_in(home, entry, installed.get(entry["name"], PROGRAMS))
        path = (locked_program("meltano").parent, PROGRAMS, *programs, os.environ["PATH"])
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
            **environment,
            "PATH": os.pathsep.join(map(str, path)),
            "NO_COLOR": "1",
            "MELTANO_HUB_API_ROOT": NOWHERE,
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        }

    def try_out(self, command: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command that the page shows, with environment variables for this run only."""
        assert command in self._shown, f"the page does not show: {command}"
        if command in self._waiting:
            self._waiting.remove(command)
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.directory,
            env=self._environment | changed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )

    def run(self, command: str, **changed: str) -> str:
        """Like `try_out`, for a command that must succeed; return its output."""
        done = self.try_out(command, **changed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def state(self, command: str) -> dict[str, Any]:
        """Return what a `meltano state get` of the page prints: the tap's STATE."""
        done = self.try_out(command)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout).get("singer_state", {})
        return found

    def dead_letters(self) -> list[dict[str, Any]]:
        """Return the lines of the dead letters' file, which has the same name in all recipes."""
        path = self.directory / "pinterest-rejected.jsonl"
        return (
            [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            if path.exists()
            else []
        )

    @property
    def untried(self) -> list[str]:
        """Return the page's commands that were not run."""
        return list(self._waiting)

    @property
    def as_copied(self) -> bool:
        """Return whether meltano.yml is unchanged: without a `project_id` Meltano rewrites it."""
        return (self.directory / "meltano.yml").read_bytes() == (
            COOKBOOK / self.directory.name / "meltano.yml"
        ).read_bytes()

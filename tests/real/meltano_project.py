"""A Meltano project for the tests, with public taps from PyPI and our target as the loader.

Owns `.venv-meltano` (and `.venv-dbt`) at the root of the repository, which are created once per
lock file and Python and kept between runs, and the project directory it is given. Meltano installs
the taps itself, from lock files with hashes. Nothing is looked up on Meltano Hub and no usage
statistics are sent.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from target_pinterest_capi.settings import meltano_settings

REPOSITORY: Final = Path(__file__).parents[2]
SOURCE: Final = Path(__file__).with_name("project")
LOADER: Final = "target-pinterest-capi"
TIMEOUT_SECONDS: Final = 300
FOREIGN: Final = ("MELTANO_", "TAP_", "PIPELINEWISE_", "TARGET_", "PYTHON", "VIRTUAL_ENV")
NOWHERE: Final = (
    "http://127.0.0.1:9"  # nothing listens on port 9: a look-up on Meltano Hub would fail
)


class InstallationError(Exception):
    """Meltano or a plugin could not be installed; the text carries the installer's last lines."""


def _install(command: list[str], **options: Any) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
        **options,
    )
    if done.returncode:
        raise InstallationError(
            f"{Path(command[0]).name} exited {done.returncode}: "
            f"{(done.stderr or done.stdout)[-2000:]}"
        )


def locked_program(name: str) -> Path:
    """Return the path of `meltano` or `dbt`, installed anew if its lock file or Python changed."""
    home, lock = REPOSITORY / f".venv-{name}", SOURCE / "locks" / f"{name}.txt"
    home.mkdir(exist_ok=True)
    environment = home / "environment"
    stamp = environment / "installed-for"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    with (home / "lock").open(
        "w"
    ) as guard:  # tests in several processes: one installs, the others wait
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
            _install([sys.executable, "-m", "venv", "--clear", str(environment)])
            python = str(environment / "bin" / "python")
            _install(
                [
                    python,
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--require-hashes",
                    "--requirement",
                    str(lock),
                ]
            )
            stamp.write_text(wanted, encoding="ascii")
    return environment / "bin" / name


class MeltanoProject:
    """A project directory that declares our loader as users do, with every setting of our model."""

    def __init__(self, meltano: Path, directory: Path) -> None:
        self._meltano = meltano
        self._directory = directory
        self._installed: set[str] = set()
        shutil.copytree(SOURCE, directory, dirs_exist_ok=True)
        definition = yaml.safe_load((directory / "meltano.yml").read_text(encoding="utf-8"))
        loader = {
            "name": LOADER,
            "namespace": LOADER.replace("-", "_"),
            "executable": str(Path(sys.executable).with_name(LOADER)),
            "settings": meltano_settings(),
        }
        definition["plugins"]["loaders"].insert(0, loader)
        (directory / "meltano.yml").write_text(
            yaml.safe_dump(definition, sort_keys=False), encoding="utf-8"
        )

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """The developer's own environment, without what configures other projects or Pythons."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return {
            **kept,
            "NO_COLOR": "1",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_HUB_API_ROOT": NOWHERE,
            **more,
        }

    def install(self, extractor: str) -> None:
        """Let Meltano install a tap from its lock file, once."""
        if extractor not in self._installed:
            command = [str(self._meltano), "install", "extractor", extractor]
            _install(command, cwd=self._directory, env=self._environment({}))
            self._installed.add(extractor)

    def add_extractor(self, name: str, script: Path, settings: list[str]) -> None:
        """Declare a tap for the tests, a script that this Python runs."""
        launcher = self._directory / name
        launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
        launcher.chmod(0o755)
        extractor = {
            "name": name,
            "namespace": name.replace("-", "_"),
            "executable": str(launcher),
            "capabilities": ["catalog", "discover", "state"],
            "settings": [{"name": setting, "kind": "object"} for setting in settings],
        }
        path = self._directory / "meltano.yml"
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        definition["plugins"]["extractors"].append(extractor)
        path.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")

    def programs(self, extractor: str) -> Path:
        """Return the folder of the programs that Meltano installed for a tap."""
        return self._directory / ".meltano" / "extractors" / extractor / "venv" / "bin"

    def command(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `meltano` with these arguments in the project; return its output and exit code."""
        return subprocess.run(
            [str(self._meltano), *arguments],
            cwd=self._directory,
            env=self._environment(environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )


def _variables(plugin: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as Meltano's environment variables: text as it is, anything else as JSON."""
    prefix = plugin.replace("-", "_").upper()
    return {
        f"{prefix}_{name}".upper(): value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }


class Pipeline(NamedTuple):
    """One tap into our target, with STATE of its own under `name`.

    `loader` may be an entry that inherits from our target's.
    """

    project: MeltanoProject
    extractor: str
    name: str
    tap_settings: Mapping[str, Any]
    target_settings: Mapping[str, Any]
    loader: str = LOADER

    def run(self, **changed: Any) -> subprocess.CompletedProcess[str]:
        """Run `meltano run`, with target settings changed for this run."""
        environment = {
            **_variables(self.extractor, self.tap_settings),
            **_variables(LOADER, {**self.target_settings, **changed}),
        }
        return self.project.command(
            "run",
            self.extractor,
            self.loader,
            "--state-id-suffix",
            self.name,
            environment=environment,
        )

    def tap_output(self) -> str:
        """Return all messages that the tap writes without a target: `meltano invoke`."""
        done = self.project.command(
            "invoke", self.extractor, environment=_variables(self.extractor, self.tap_settings)
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def state(self) -> Any:
        """Return what Meltano stored as the tap's STATE, or None."""
        identifier = f"test:{self.extractor}-to-{self.loader}:{self.name}"
        done = self.project.command("--no-environment", "state", "get", identifier)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout).get("singer_state")

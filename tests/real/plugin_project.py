"""A Meltano project whose loader is the plugin that `pinterest-capi definition` prints.

Owns the project's directory, which the caller names. Only the programs are those under test, and
not what `pip_url` would install.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from meltano_project import FOREIGN, LOADER, NOWHERE

from given import ACCOUNT, TOKEN
from target_pinterest_capi.cli.definition import plugin_definition

PROGRAMS: Final = Path(sys.executable).parent
SECRETS: Final = {"ad_account_id": ACCOUNT, "conversion_token": TOKEN}
MAPPINGS: Final = [
    {"stream": "visits", "preset": "pinterest", "defaults": {"action_source": "web"}}
]
GIVEN: Final[dict[str, Any]] = {**SECRETS, "mappings": MAPPINGS}


def as_text(value: Any) -> str:
    """Return a setting's value as the text of an environment variable."""
    return value if isinstance(value, str) else json.dumps(value)


class PluginProject:
    """A project with one loader; `meltano` is the program, or Python with a separate script."""

    def __init__(self, meltano: Path, directory: Path, config: Mapping[str, Any]) -> None:
        self._meltano = meltano
        self.directory = directory
        definition = plugin_definition(LOADER)
        del definition["pip_url"]
        definition["executable"] = str(PROGRAMS / definition["executable"])
        for command in definition["commands"].values():
            command["executable"] = str(PROGRAMS / command["executable"])
        definition["config"] = dict(config)
        project = {
            "project_id": "check",
            "send_anonymous_usage_stats": False,
            "plugins": {"loaders": [definition]},
        }
        self.write(project)

    def read(self) -> dict[str, Any]:
        """Return the contents of meltano.yml."""
        project: dict[str, Any] = yaml.safe_load((self.directory / "meltano.yml").read_text())
        return project

    def write(self, project: Mapping[str, Any]) -> None:
        """Write meltano.yml as JSON, which is YAML and quotes text that looks like a number."""
        (self.directory / "meltano.yml").write_text(json.dumps(project, indent=1))

    def run(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run `meltano` here, with settings as variables."""
        return self._execute([str(self._meltano), *arguments], settings)

    def run_python(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a script with the Python that has Meltano installed."""
        return self._execute([str(self._meltano.with_name("python")), "-c", script, *arguments], {})

    def _execute(
        self, command: list[str], settings: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        given = {f"TARGET_PINTEREST_CAPI_{name.upper()}": value for name, value in settings.items()}
        environment = {
            **kept,
            "NO_COLOR": "1",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_HUB_API_ROOT": NOWHERE,
            **given,
        }
        return subprocess.run(
            command,
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

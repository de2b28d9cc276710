"""`pinterest-capi definition`: this package as a Meltano plugin, with all settings and commands.

The definition is generated from the model of the settings and the list of commands. No
configuration is read, and only standard output is written.
"""

import json
import shlex
from importlib import metadata
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click
import yaml

from target_pinterest_capi.cli.main import COMMANDS
from target_pinterest_capi.settings import meltano_settings

NAME: Final = "target-pinterest-capi"
EXTRA: Final = "sandbox"  # what the commands demo and sandbox also need
PACKAGE: Final = f"{NAME}[{EXTRA}]"
# What singer-sdk shows for --about. Repeated here, because importing the target takes most of a
# second.
CAPABILITIES: Final = (
    "about",
    "stream-maps",
    "schema-flattening",
    "structured-logging",
    "batch",
    "activate-version",
    "validate-records",
)
TEST_COMMAND: Final = "test"  # what `meltano test target-pinterest-capi` runs
CHECK: Final = "check"
# Each group is sufficient: Meltano's settings_group_validation.
GROUPS: Final = (("ad_account_id", "conversion_token"), ("ad_account_id", "conversion_token_file"))
HEAD: Final = f"""\
# The Meltano plugin {NAME}, written by `pinterest-capi definition`. To use it in a project:
#
#   meltano add {NAME} --from-ref THIS_FILE
"""


@click.command()
@click.option(
    "--pip-url",
    metavar="REQUIREMENT",
    help="What Meltano installs.  [default: what is installed here, a checkout or a version]",
)
def definition(pip_url: str | None) -> None:
    """Print the definition of this package as a Meltano plugin.

    Meltano adds it to a project, or updates it there.

    \b
    pinterest-capi definition | meltano add target-pinterest-capi --from-ref /dev/stdin
    """  # noqa: D301 - click reads \b as "keep these lines"
    click.echo(HEAD + as_yaml(plugin_definition(pip_url or installed_requirement())), nl=False)


def plugin_definition(pip_url: str) -> dict[str, Any]:
    """Return the plugin's definition in Meltano Hub's format: all settings, all commands."""
    commands = {name: _command(name, about) for name, (_, about) in COMMANDS.items()}
    return {
        "name": NAME,
        "namespace": NAME.replace("-", "_"),
        "label": "Pinterest Conversions API",
        "description": "Loads records of any tap into Pinterest's Conversions API.",
        "pip_url": pip_url,
        "executable": NAME,
        "capabilities": list(CAPABILITIES),
        "settings_group_validation": [list(group) for group in GROUPS],
        "settings": meltano_settings(),
        "commands": {**commands, TEST_COMMAND: _command(CHECK, COMMANDS[CHECK][1])},
    }


def installed_requirement() -> str:
    """Return the pip requirement for the package as it is installed here."""
    package = metadata.distribution(NAME)
    return requirement(package.version, package.read_text("direct_url.json"))


def requirement(version: str, direct_url: str | None) -> str:
    """Return the pip requirement for this package, as arguments for Meltano's `pip_url`.

    `direct_url` is the JSON that installers store for a package that is not from an index:
    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    if direct_url is None:
        return f"{PACKAGE}=={version}"
    origin = json.loads(direct_url)
    url = origin["url"]
    if "dir_info" in origin:
        folder = f"{shlex.quote(url2pathname(urlsplit(url).path))}[{EXTRA}]"
        return f"-e {folder}" if origin["dir_info"].get("editable") else folder
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    return f"{PACKAGE}@{shlex.quote(url)}"


class _Dumper(yaml.SafeDumper):
    """Writes strings with several lines as blocks, so that they are readable."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def as_yaml(value: Any, *, sort_keys: bool = False) -> str:
    """Return a value as readable YAML."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True, width=130)


def _command(name: str, about: str) -> dict[str, str]:
    return {"args": name, "executable": "pinterest-capi", "description": about}

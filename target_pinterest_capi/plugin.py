"""The target as Meltano's plugin: its definition, and the project in this repository's `meltano.yml`.

Both are made from the model of the settings and from the list of commands. Reads no user's
configuration, and writes nothing but its own standard output:

    python -m target_pinterest_capi.plugin             the definition, for `meltano add target-pinterest-capi --from-ref FILE`
    python -m target_pinterest_capi.plugin --project   the repository's meltano.yml
    python -m target_pinterest_capi.plugin --hub       its entry for Meltano Hub: hub/target-pinterest-capi.yml
"""

import sys
from collections.abc import Sequence
from importlib import metadata, resources
from typing import Any, Final

import click
import yaml

from target_pinterest_capi import hub
from target_pinterest_capi.cli.main import COMMANDS
from target_pinterest_capi.settings import meltano_settings

NAME: Final = "target-pinterest-capi"
COMMAND: Final = "python -m target_pinterest_capi.plugin"
EXTRA: Final = "sandbox"  # what the commands demo and sandbox need besides
# What singer-sdk answers to --about. Said again here since importing the target takes most of a second.
CAPABILITIES: Final = (
    "about",
    "stream-maps",
    "schema-flattening",
    "structured-logging",
    "batch",
    "activate-version",
    "validate-records",
)
TEST_COMMAND: Final = (
    "test"  # Meltano runs what is named so by `meltano test target-pinterest-capi`
)
TEST: Final = "check"
# Each group is enough to start with: Meltano's settings_group_validation.
GROUPS: Final = (("ad_account_id", "conversion_token"), ("ad_account_id", "conversion_token_file"))

DEMO_FOLDER: Final = "build/demo"  # ignored by git, and removed by `make clean`
TAP: Final = "tap-singer-jsonl"
# Besides the entry, Hub's checks want a default variant, and its publisher among the maintainers.
_HUB_HEAD: Final = f"""\
# The entry for Meltano Hub, written by `{COMMAND} --hub`: change what it is made from.
# `repo` and `variant` are those of PUBLISHER in target_pinterest_capi/hub.py.
#
# It goes to _data/meltano/loaders/{NAME}/{hub.PUBLISHER.variant}.yml of github.com/meltano/hub,
# this to its _data/default_variants.yml, below `loaders`:
#
#   {NAME}: {hub.PUBLISHER.variant}
#
# and this to its _data/maintainers.yml, in the order of the alphabet, unless it is there:
#
#   {hub.PUBLISHER.variant}:
#     label: {hub.PUBLISHER.label}
#     name: {hub.PUBLISHER.variant}
#     url: {hub.PUBLISHER.repository.rpartition("/")[0]}

"""
_DEFINITION_HEAD: Final = f"# The Meltano plugin {NAME}, written by `{COMMAND}`.\n"
_PROJECT_HEAD: Final = f"""\
# A Meltano project to try this target in: a made-up shop's records, replayed from a file into the sandbox on this machine.
#
#   make demo                                             # once: makes .venv
#   .venv/bin/pinterest-capi demo --keep {DEMO_FOLDER}       # writes the shop's records of this week there
#   .venv/bin/pinterest-capi sandbox                      # in a second terminal: where they will go
#   meltano install                                       # {TAP} needs Python 3.10 or 3.11
#   meltano run demo
#
# README.md has a project of your own, with a database in the file's place.
#
# Written by `{COMMAND} --project`, every setting of the loader included: change what it is made from.
"""


def meltano_plugin() -> dict[str, Any]:
    """Give the plugin's definition in the form of Meltano Hub: every setting, every command."""
    return {
        "name": NAME,
        "namespace": NAME.replace("-", "_"),
        "label": "Pinterest Conversions API",
        "description": "Loads records of any tap into Pinterest's Conversions API.",
        "pip_url": f"{NAME}[{EXTRA}]",
        "executable": NAME,
        "capabilities": list(CAPABILITIES),
        "settings_group_validation": [list(group) for group in GROUPS],
        "settings": meltano_settings(),
        "commands": {
            **{name: _command(name, about) for name, (_, about) in COMMANDS.items()},
            TEST_COMMAND: _command(TEST, COMMANDS[TEST][1]),
        },
    }


def hub_definition() -> dict[str, Any]:
    """Give the entry for Meltano Hub: the plugin's definition, and what Hub's page shows of it."""
    return {
        **meltano_plugin(),
        "variant": hub.PUBLISHER.variant,
        "repo": hub.PUBLISHER.repository,
        "docs": f"{hub.PUBLISHER.repository}#readme",
        "domain_url": hub.DOMAIN_URL,
        "maintenance_status": hub.MAINTENANCE_STATUS,
        "quality": hub.QUALITY,
        "keywords": list(hub.KEYWORDS),
        "supported_python_versions": supported_python_versions(),
        "definition": hub.DEFINITION,
        "prereq": hub.PREREQ,
        "next_steps": hub.NEXT_STEPS,
        "settings_preamble": hub.SETTINGS_PREAMBLE,
        "usage": hub.USAGE,
    }


def supported_python_versions() -> list[str]:
    """Give the versions of Python that the installed package says it is tested on."""
    prefix = "Programming Language :: Python :: "
    classifiers = metadata.metadata(NAME).get_all("Classifier") or ()
    return [text.removeprefix(prefix) for text in classifiers if text.startswith(prefix + "3.")]


def _command(name: str, about: str) -> dict[str, str]:
    return {"args": name, "executable": "pinterest-capi", "description": about}


def meltano_project() -> dict[str, Any]:
    """Give the repository's project: the plugin, installed from here, configured as the demo is, and a tap for its sample."""
    sample = (
        resources.files("target_pinterest_capi.sandbox.demo")
        .joinpath("samples", "demo.yaml")
        .read_text(encoding="utf-8")
    )
    own = {
        "dead_letter_path": f"{DEMO_FOLDER}/meltano-rejected.jsonl",
        "ledger_url": f"sqlite:///{DEMO_FOLDER}/meltano-ledger.db",
        "report_path": f"{DEMO_FOLDER}/meltano-report.json",
    }
    config = {**yaml.safe_load(sample), **own}
    tap = {
        "name": TAP,
        "namespace": TAP.replace("-", "_"),
        "pip_url": f"{TAP} setuptools<81",  # it imports pkg_resources, which later ones no longer have
        "executable": TAP,
        "capabilities": ["catalog", "discover"],
        "settings": [
            {"name": "local.folders", "kind": "array"},
            {"name": "add_record_metadata", "kind": "boolean"},
        ],
        "config": {"local.folders": [DEMO_FOLDER], "add_record_metadata": False},
    }
    return {
        "default_environment": "sandbox",
        "project_id": "c2b3a9ce-6f3b-4d0e-8a86-6a3f8f3c6d57",
        "send_anonymous_usage_stats": False,
        "environments": [{"name": "sandbox"}],
        "plugins": {
            "extractors": [tap],
            "loaders": [{**meltano_plugin(), "pip_url": f"-e .[{EXTRA}]", "config": config}],
        },
        "jobs": [{"name": "demo", "tasks": [f"{TAP} {NAME}"]}],
    }


def definition_text() -> str:
    """Give the definition as YAML."""
    return _DEFINITION_HEAD + _yaml(meltano_plugin())


def project_text() -> str:
    """Give the repository's `meltano.yml`."""
    return _PROJECT_HEAD + _yaml(meltano_project())


def hub_text() -> str:
    """Return the entry for Meltano Hub as YAML, its keys sorted as Hub's linter wants them."""
    return _HUB_HEAD + _yaml(hub_definition(), sort_keys=True)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that they can be read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Dumper.add_representer(str, _text)


def _yaml(value: Any, *, sort_keys: bool = False) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True, width=130)


def main(arguments: Sequence[str]) -> int:
    """Print the definition, with `--project` the repository's project, with `--hub` the entry for the Hub; 2 for anything else."""
    texts = {(): definition_text, ("--project",): project_text, ("--hub",): hub_text}
    text = texts.get(tuple(arguments))
    if text is None:
        click.echo(f"Usage: {COMMAND} [--project | --hub]", err=True)
        return 2
    click.echo(text(), nl=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The repository's `meltano.yml`: a project that replays the demo's records into the sandbox."""

from importlib import resources
from typing import Any, Final

import yaml

from target_pinterest_capi.cli.definition import EXTRA, NAME, as_yaml, plugin_definition

DEMO_FOLDER: Final = "build/demo"  # ignored by git, and removed by `make clean`
TAP: Final = "tap-singer-jsonl"
HEAD: Final = f"""\
# A Meltano project for trying this target: an imaginary shop's records, replayed from a file to the
# sandbox on this machine.
#
#   make demo                                             # once: creates .venv
#   .venv/bin/pinterest-capi demo --keep {DEMO_FOLDER}       # writes this week's records there
#   .venv/bin/pinterest-capi sandbox                      # in a second terminal: receives them
#   meltano install                                       # {TAP} needs Python 3.10 or 3.11
#   meltano run demo
#
# README.md shows your own project, with a database instead of the file.
#
# Written by `make docs`, including every setting of the loader: change what it is made from.
"""


def project() -> dict[str, Any]:
    """Return the project: the plugin, installed from this folder, and a tap for the sample."""
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
        # It imports pkg_resources, which later versions of setuptools do not have.
        "pip_url": f"{TAP} setuptools<81",
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
            "loaders": [{**plugin_definition(f"-e .[{EXTRA}]"), "config": config}],
        },
        "jobs": [{"name": "demo", "tasks": [f"{TAP} {NAME}"]}],
    }


def text() -> str:
    """Return the repository's `meltano.yml`."""
    return HEAD + as_yaml(project())

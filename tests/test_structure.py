"""The import rules: which module may import which, read from the sources, as in CONTRIBUTING.md."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final, NamedTuple

import pytest

import target_pinterest_capi

PACKAGE: Final = Path(target_pinterest_capi.__file__).parent
CONTRIBUTING: Final = Path(__file__).parent.parent / "CONTRIBUTING.md"
NAME: Final = "target_pinterest_capi"
ROOT: Final = "__init__"  # the package's own module, which has nothing but the version


class Layer(NamedTuple):
    """Modules and packages that belong together, and the others that they may import."""

    modules: tuple[str, ...]
    imports: tuple[str, ...]


INSIDE: Final = (
    "checks",
    "customer_lists",
    "delivery",
    "events",
    "expressions",
    "files",
    "mapping",
    "pinterest",
    "pipeline",
    "reporting",
    "settings",
    "singer",
    "startup",
    "suggestions",
)
LAYERS: Final = {
    "target": Layer(("target", "target_command", "sinks", "__main__"), INSIDE),
    "spark": Layer(("spark",), INSIDE),
    "cli": Layer(("cli",), (*INSIDE, "sandbox")),
    "singer": Layer(("singer",), ("delivery", "events")),
    "pipeline": Layer(
        ("pipeline",),
        (
            "customer_lists",
            "delivery",
            "events",
            "expressions",
            "mapping",
            "reporting",
            "settings",
            "singer",
        ),
    ),
    "checks": Layer(
        ("checks",),
        (
            "customer_lists",
            "delivery",
            "events",
            "files",
            "mapping",
            "pinterest",
            "pipeline",
            "settings",
        ),
    ),
    "suggestions": Layer(
        ("suggestions",),
        ("events", "expressions", "mapping", "pipeline", "settings", "singer"),
    ),
    "customer_lists": Layer(
        ("customer_lists",),
        ("delivery", "events", "expressions", "pinterest", "reporting", "settings"),
    ),
    "delivery": Layer(("delivery",), ("events", "files", "pinterest", "reporting", "settings")),
    "mapping": Layer(("mapping",), ("events", "expressions", "settings")),
    "reporting": Layer(("reporting",), ("events", "files", "settings")),
    "pinterest": Layer(("pinterest",), ("events", "files", "settings")),
    "settings": Layer(("settings",), ("events", "expressions")),
    "expressions": Layer(("expressions",), ("events",)),
    "events": Layer(("events",), ()),
    "files": Layer(("files",), ()),
    "startup": Layer(("startup",), ()),
    "sandbox": Layer(("sandbox",), ()),
}

# Imports against the direction of the table, each with what is to be done about it.
EXCEPTIONS: Final = {}

# Libraries, some of Python's own, that have one place, and the modules that may import them.
LIBRARIES: Final = {
    "click": ("cli", "target", "target_command"),
    "dateutil": ("events.written_days",),
    "dotenv": ("settings.variables",),
    "fsspec": (
        "singer.batch_files",
        "cli.forget.letters",
        "cli.inputs",
        "files.objects",
    ),
    # The sandbox states Pinterest's rules by itself.
    "hashlib": ("events.hashing", "sandbox.identifiers"),
    "httpx": ("pinterest.client", "delivery.webhook"),
    "iso3166": ("events.codes", "settings.values"),
    "jinja2": ("reporting.html.page",),
    "jmespath": ("expressions",),
    "jsonschema": ("singer.schemas",),
    "jsonschema_rs": ("singer.schemas", "sandbox.request_bodies"),
    "msgspec": ("*",),
    "opentelemetry": ("delivery.telemetry",),
    "phonenumbers": ("events.phones",),
    "prometheus_client": ("reporting.metrics_file",),
    "pyarrow": ("singer.arrow",),
    "pydantic": ("pinterest.oauth", "settings", "spark.job"),
    "pydantic_core": ("settings",),
    "pyspark": ("spark.task", "spark.source"),
    "rich": ("cli",),
    "singer_sdk": ("singer.reader", "sinks", "target", "target_command"),
    "socket": ("checks.connectivity", "cli.login.redirect", "sandbox.server"),
    "sqlalchemy": (
        "customer_lists.full_refreshes",
        "delivery.bulk_insert",
        "delivery.database",
        "delivery.event_history",
        "delivery.event_ledger",
        "delivery.results_database",
        "delivery.results_tables",
        "delivery.run_history",
    ),
    "starlette": ("sandbox",),
    "threading": (
        "delivery.worker_pool",
        "sandbox.fault_plans",
        "sandbox.server",
        "sandbox.store",
    ),
    "uvicorn": ("sandbox.server",),
    "yaml": ("cli", "mapping.presets", "sandbox.demo", "settings.yaml_text"),
}

OUR_MODULE: Final = re.compile(
    rf"({NAME}(?:\.\w+)+)(?::\w+)?"
)  # as text: for import_module, or to read a file of it


def imports(module: str, source: str, *, is_package: bool = False) -> set[str]:
    """Return the full name of every import of a source, including names in text."""
    home = [NAME, *module.split(".")][: None if is_package else -1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = home[: len(home) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{start}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {match[1] for match in [OUR_MODULE.fullmatch(node.value)] if match}
    return found


def within(module: str, places: tuple[str, ...]) -> bool:
    """Return whether a module is one of the places or below one."""
    return any(place in ("*", module) or module.startswith(f"{place}.") for place in places)


def layer_of(module: str) -> str | None:
    """Return the group of a module or of a name in it; None if the table has none."""
    return next((layer for layer, row in LAYERS.items() if within(module, row.modules)), None)


def violations(module: str, source: str, *, is_package: bool = False) -> Iterator[str]:
    """Yield a module's imports that the tables do not allow, as messages."""
    layer = layer_of(module)
    if layer is None:
        yield f"{module} is in no layer"
        return
    for name in sorted(imports(module, source, is_package=is_package)):
        top, _, ours = name.partition(".")
        if top == NAME:
            if not _may_import(module, layer, ours):
                yield f"{module} imports {ours or NAME}, which is in layer {layer_of(ours)}"
        elif top in LIBRARIES:
            if not within(module, LIBRARIES[top]):
                yield f"{module} imports {top}"
        elif top not in sys.stdlib_module_names:
            yield f"{module} imports {top}, which no row lists"


def _may_import(module: str, layer: str, ours: str) -> bool:
    target = layer_of(ours)
    return (
        ours == "__version__"
        or target == layer
        or target in LAYERS[layer].imports
        or any(module == one and within(ours, (other,)) for one, other in EXCEPTIONS)
    )


def dotted(path: Path) -> str:
    """Return a module's name below the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES: Final = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("module", [module for module in MODULES if module != ROOT])
def test_module_imports_only_what_its_layer_may(module: str):
    """Data flows one way: mapping and events do not import delivery or the entry points."""
    path = MODULES[module]
    assert list(violations(module, path.read_text(), is_package=path.stem == "__init__")) == []


def test_package_itself_imports_nothing():
    """Importing the package itself imports no other module: its own has only the version."""
    assert imports(ROOT, MODULES[ROOT].read_text()) == {"importlib.metadata"}


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        (
            "reporting.summary",
            "from target_pinterest_capi.cli import report",
            "reporting.summary imports cli.report, which is in layer cli",
        ),
        (
            "reporting.summary",
            "import target_pinterest_capi.cli.report",
            "reporting.summary imports cli.report, which is in layer cli",
        ),
        (
            "reporting.summary",
            "from ..cli.report import report",
            "reporting.summary imports cli.report.report, which is in layer cli",
        ),
        (
            "singer.messages",
            "from target_pinterest_capi import settings",
            "singer.messages imports settings, which is in layer settings",
        ),
        (
            "events.event",
            "def f():\n    from target_pinterest_capi.delivery import run",
            "events.event imports delivery.run",
        ),
        (
            "events.event",
            "if TYPE_CHECKING:\n    from target_pinterest_capi.mapping.entries import Stream",
            "events.event imports mapping.entries.Stream",
        ),
        ("events.event", "from ..delivery.run import Run", "events.event imports delivery.run.Run"),
        ("events.event", "from .. import sinks", "events.event imports sinks"),
        (
            "events.event",
            "import_module('target_pinterest_capi.sandbox.demo.run:show')",
            "events.event imports sandbox.demo",
        ),
        (
            "sandbox.rules",
            "from target_pinterest_capi.events import fields",
            "sandbox.rules imports events.fields",
        ),
        (
            "sandbox.page.site",
            "from target_pinterest_capi.reporting import html",
            "sandbox.page.site imports reporting",
        ),
        (
            "delivery.run",
            "from target_pinterest_capi.sinks import RecordSink",
            "delivery.run imports sinks.RecordSink",
        ),
        (
            "reporting.html",
            "from target_pinterest_capi.delivery.batches import Batch",
            "reporting.html imports delivery",
        ),
        (
            "reporting.counters",
            "from target_pinterest_capi.delivery.run import Run",
            "reporting.counters imports delivery.run",
        ),
        (
            "spark.job",
            "from target_pinterest_capi.target import main",
            "spark.job imports target.main",
        ),
        (
            "cli.check",
            "from target_pinterest_capi.target import main",
            "cli.check imports target.main",
        ),
        (
            "events.event",
            "import target_pinterest_capi",
            "events.event imports target_pinterest_capi",
        ),
        (
            "events.event",
            "from target_pinterest_capi import *",
            "events.event imports *, which is in layer None",
        ),
        (
            "events.event",
            "from target_pinterest_capi import attic",
            "events.event imports attic, which is in layer None",
        ),
        ("attic", "", "attic is in no layer"),
        ("attic.box", "", "attic.box is in no layer"),
        ("cli.check", "import singer_sdk.typing", "cli.check imports singer_sdk"),
        ("pinterest.calls", "from httpx import Client", "pinterest.calls imports httpx"),
        ("delivery.run", "from hashlib import sha256", "delivery.run imports hashlib"),
        ("delivery.run", "import requests", "delivery.run imports requests, which no row lists"),
    ],
)
def test_planted_import_is_found(module: str, source: str, expected: str):
    """A forbidden import is found anywhere and in any form."""
    found = list(violations(module, source))
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sinks", "import json\nfrom target_pinterest_capi import __version__"),
        ("sinks", "from target_pinterest_capi.delivery.run import Run"),
        ("reporting.counters", "from target_pinterest_capi.events.outcomes import Outcome"),
        ("events.event", "from .keys import read_key"),
        ("cli.check", "from target_pinterest_capi import singer, sandbox\nimport click"),
    ],
)
def test_import_that_the_layer_may_have_is_no_violation(module: str, source: str):
    """Allowed imports are not reported."""
    assert list(violations(module, source)) == []


def test_layers_have_a_direction():
    """Without the exceptions, there is no import cycle between groups."""
    order = tuple(
        TopologicalSorter({layer: row.imports for layer, row in LAYERS.items()}).static_order()
    )
    assert set(order) == set(LAYERS)


def test_rows_are_needed():
    """Every module and library of the tables exists, and every exception is in use."""
    named = {module for row in LAYERS.values() for module in row.modules}
    assert named == {module.partition(".")[0] for module in MODULES} - {ROOT}
    used = {
        module: imports(module, path.read_text(), is_package=path.stem == "__init__")
        for module, path in MODULES.items()
    }
    assert set(LIBRARIES) <= {name.partition(".")[0] for names in used.values() for name in names}
    assert [
        one
        for one in EXCEPTIONS
        if not any(within(name, (f"{NAME}.{one[1]}",)) for name in used[one[0]])
    ] == []


def test_contributing_names_the_same_modules():
    """The table in CONTRIBUTING.md has the modules and packages of this one."""
    table = CONTRIBUTING.read_text().partition("\n## Layers\n")[2].partition("\n## ")[0]
    first = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    named = {name.removesuffix(".py").rstrip("/") for name in re.findall(r"`([^`]+)`", first)}
    assert named - {"sandbox/page", "style.css"} == {
        module for row in LAYERS.values() for module in row.modules
    }


def test_no_layer_for_leftovers():
    """No module has a misleading name."""
    assert not {path.stem for path in MODULES.values()} & {
        "utils",
        "helpers",
        "core",
        "common",
        "manager",
        "misc",
    }


def test_no_module_is_hidden_from_git():
    """No rule of .gitignore matches a module, so that a clone and a wheel have all of them."""
    root = CONTRIBUTING.parent
    if shutil.which("git") is None or not (root / ".git").exists():
        pytest.skip("this copy of the tree is not a git repository")
    paths = "\0".join(str(path) for path in MODULES.values())
    command = ["git", "check-ignore", "--no-index", "--stdin", "-z"]
    done = subprocess.run(
        command, cwd=root, input=paths, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""

"""The rooms: which module may import what, held by reading the sources."""

import ast
from pathlib import Path

import pytest

import target_pinterest_capi

PACKAGE = Path(target_pinterest_capi.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAME = "target_pinterest_capi"

# A room: what it may import of the others. A door may import anything inside.
INSIDE = {
    "events": {"events"},
    "mapping": {"mapping", "events", "settings"},
    "settings": {"settings", "mapping.expressions", "mapping.functions", "events"},
    "delivery": {"delivery", "events", "reporting", "settings"},
    "audiences": {"audiences", "delivery", "events", "mapping", "reporting", "settings"},
    "reporting": {"reporting", "delivery.outcomes", "events"},
    "sandbox": {"sandbox"},
}
ONLY = {
    "singer_sdk": {"target", "reader", "sinks"},
    "httpx": {"delivery.client"},
    "hashlib": {"events.hashing", "sandbox.identifiers"},  # the sandbox states Pinterest's rules by itself
    "threading": {"delivery.dispatcher", "sandbox.server", "sandbox.faults", "sandbox.store"},
    "jmespath": {"mapping.expressions", "mapping.functions"},
    "pyspark": {"spark.source", "spark.attempt"},
    "pyarrow": {"spark.rows"},
}


def imports(path: Path) -> set[str]:
    """Give every module that a source imports, wherever in it; a name that is imported from a package counts as its member."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_room_imports_only_what_it_may(path: Path):
    """Data flows one way: mapping and events know nothing of delivery, nothing inside knows the doors, the sandbox knows nobody."""
    room = dotted(path).partition(".")[0]
    if room not in INSIDE:
        return
    ours = {name.removeprefix(f"{NAME}.") for name in imports(path) if name.startswith(f"{NAME}.")} - {"__version__"}
    allowed = INSIDE[room]
    assert {name for name in ours if not any(name == one or name.startswith(f"{one}.") for one in allowed)} == set()


@pytest.mark.parametrize("library", ONLY)
def test_one_door_each(library: str):
    """One module talks to the SDK's classes (and its sinks), one to the network, one hashes, one owns threads, two know Spark."""
    users = {dotted(path) for path in MODULES if any(name.split(".")[0] == library for name in imports(path))}
    assert users <= ONLY[library]


def test_no_room_for_leftovers():
    """No module is named for what it is not."""
    assert not {path.stem for path in MODULES} & {"utils", "helpers", "core", "common", "manager", "misc"}

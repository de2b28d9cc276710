"""docs/architecture.md: every layer and every name on the page exists."""

import ast
import re
from pathlib import Path

import pytest

import target_pinterest_capi

PACKAGE = Path(target_pinterest_capi.__file__).parent
PAGE = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title):
    """Return the text below a heading of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title):
    """Return the cells of the table below a heading, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


TRACE = [
    (module.strip("`"), name)
    for _, module, names in rows("A record, from stdin to the wire and back")
    for name in re.findall(r"`([^`]+)`", names)
]


def defined(module):
    """Return the names of a module's functions and classes, and of methods with their class."""
    found = set()
    for node in ast.parse((PACKAGE / module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef))
            found |= {f"{node.name}.{method.name}" for method in methods}
    return found


@pytest.mark.parametrize(("module", "name"), TRACE)
def test_record_can_be_followed(module, name):
    """Each step of a record names a function, method or class of the module next to it."""
    assert name in defined(module)


def test_every_folder_is_a_layer():
    """The table of layers has every folder of the package, and each first file is in its layer."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    named = {
        name.rstrip("/") for row in rows("Layers") for name in re.findall(r"`([^`]+/)`", row[0])
    }
    assert named == folders
    for layer, _, first in rows("Layers"):
        folder = next(iter(re.findall(r"`([^`]+/)`", layer)), "")
        for module in re.findall(r"`([^`]+)`", first):
            assert (PACKAGE / folder / module).is_file(), (layer, module)


def test_modules_elsewhere_on_the_page_are_there():
    """A module that the page names by its layer and file exists."""
    assert [
        module
        for module in re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", PAGE)
        if not module.startswith("tests/") and not (PACKAGE / module).is_file()
    ] == []

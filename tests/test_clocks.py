"""No test uses the time of its import, because a suite may take longer than a test allows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CLOCKS = {"time", "time_ns", "monotonic", "perf_counter", "now", "today"}
OURS = {"seconds_ago"}


def calls_at_import(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that an import makes; those in bodies of functions are made later."""
    if isinstance(node, ast.Call):
        yield node
    for name, value in ast.iter_fields(node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and name == "body":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from calls_at_import(child)


def clocks_read(source: str) -> list[int]:
    """Return the lines that read a clock when the source is imported."""
    names = ((call.lineno, call.func) for call in calls_at_import(ast.parse(source)))
    return [
        line
        for line, function in names
        if (isinstance(function, ast.Attribute) and function.attr in CLOCKS)
        or (isinstance(function, ast.Name) and function.id in OURS)
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("NOW = time.time()", [1]),
        ("NOW = int(datetime.now(UTC).timestamp()) - 5", [1]),
        ("@mark(\n    at=[seconds_ago(5)])\ndef test(): ...", [2]),
        ("def test(at=time.time()): ...", [1]),
        ("class Row:\n    at = datetime.now(UTC)", [2]),
        ("def test():\n    return time.time()", []),
        ("clock = lambda: time.time()", []),
        ("CLOCK = time.time", []),
        ("AT = time(10, 30)", []),
        ("NOW = datetime(2026, 3, 2, tzinfo=UTC)", []),
    ],
)
def test_clocks_read_at_import_are_found(source: str, lines: list[int]):
    """Values of a module, class, default or decorator are computed at import, and are found."""
    assert clocks_read(source) == lines


@pytest.mark.parametrize(
    "path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.relative_to(TESTS).as_posix()
)
def test_no_clock_is_read_at_import(path: Path):
    """Time is read within tests and fixtures."""
    assert clocks_read(path.read_text(encoding="utf-8")) == []

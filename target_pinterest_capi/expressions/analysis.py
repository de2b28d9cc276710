"""What an expression reads, and whether it can fail: known from its tree, before any record."""

from collections.abc import Iterator
from typing import Final

from target_pinterest_capi.expressions.syntax import Node, children, parse

# The next child reads what the one before returns.
IN_TURN: Final = frozenset({"subexpression", "index_expression", "pipe"})
_PROJECTIONS: Final = frozenset({"projection", "filter_projection", "value_projection"})
_FALLIBLE: Final = frozenset({"function_expression", "comparator"})  # the latter by nesting alone
_ANY: Final = None


def roots(*sources: str) -> frozenset[str] | None:
    """Return the top-level columns that the expressions read; None if they may read any (`@`, `*`).

    Raises ExpressionError.
    """
    columns = frozenset(column for source in sources for column in _columns(parse(source)))
    if _ANY in columns:
        return None
    return frozenset(column for column in columns if column is not None)


def plain_path(source: str) -> str | None:
    """Return the name of the one top-level column that the expression is; None for any other.

    `email` and `"a.b"` are such expressions. Raises ExpressionError.
    """
    tree = parse(source)
    return tree["value"] if tree["type"] == "field" else None


def literals(*sources: str) -> frozenset[str]:
    """Return the texts that stand in the expressions themselves. Raises ExpressionError."""
    return frozenset(text for source in sources for text in _texts(parse(source)))


def can_fail(node: Node) -> bool:
    """Return whether evaluating the node can fail on a record."""
    return node["type"] in _FALLIBLE or any(map(can_fail, children(node)))


def _columns(node: Node) -> Iterator[str | None]:
    """Yield the columns that a node reads of the record; _ANY where it may be any of them."""
    kind = node["type"]
    if kind == "field":
        yield node["value"]
    elif kind in ("current", "identity"):
        yield _ANY
    elif kind in IN_TURN or kind in _PROJECTIONS:
        # All but the first child read what is inside the columns.
        yield from _columns(node["children"][0])
    elif kind != "expref":  # that reads elements
        for child in children(node):
            yield from _columns(child)


def _texts(node: Node) -> Iterator[str]:
    if node["type"] == "literal" and isinstance(node["value"], str):
        yield node["value"]
    for child in children(node):
        yield from _texts(child)

"""Conditions: expressions that select records, read as people mean them.

Whoever writes `when: consent` for a table without booleans, whose column has `no`, does not mean to
send those who refused. So a part of a condition that is neither a comparison nor another test holds
where its value means true (`truth.means_true`).
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from target_pinterest_capi.expressions.syntax import Node, children, parse
from target_pinterest_capi.expressions.truth import means_true

_MEANS_TRUE: Final = "is_true"  # the function of the mapping language
_JOINED: Final = frozenset({"or_expression", "and_expression", "not_expression"})
_TESTS: Final = frozenset({"contains", "starts_with", "ends_with", _MEANS_TRUE})


def as_condition(node: Node) -> Node:
    """Return the tree of an expression as a condition."""
    kind = node["type"]
    if kind in _JOINED:
        return {**node, "children": [as_condition(one) for one in children(node)]}
    if kind == "comparator" or (kind == "function_expression" and node["value"] in _TESTS):
        return node
    return {"type": "function_expression", "value": _MEANS_TRUE, "children": [node]}


class LoneText(NamedTuple):
    """A text that is a part of a condition and compared with nothing.

    `position` is where it starts, counted from 0; `holds` is whether it means true.
    """

    position: int
    holds: bool


def lone_text(source: str) -> LoneText | None:
    """Return the first text alone beside `||`, `&&` or `!`: `status == 'refunded' || 'paid'`.

    Raises ExpressionError.
    """
    tree = parse(source)
    return next(_lone_texts(tree), None) if tree["type"] in _JOINED else None


def _lone_texts(node: Node) -> Iterator[LoneText]:
    if node["type"] in _JOINED:
        for child in children(node):
            yield from _lone_texts(child)
    elif node["type"] == "literal" and isinstance(node["value"], str):
        yield LoneText(node["position"], means_true(node["value"]))

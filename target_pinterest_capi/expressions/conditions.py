"""Conditions: expressions that select records, read as people mean them.

Whoever writes `when: consent` for a table without booleans, whose column has `no`, does not mean to
send those who refused. So a part of a condition that is neither a comparison nor another test holds
where its value means true (`truth.means_true`).
"""

from typing import Final

from target_pinterest_capi.expressions.syntax import Node, children

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

"""Removes what a stream's records cannot have from an expression: undeclared columns.

The rest returns the same for every record without those columns. Presets are written for several
spellings of a source, and a stream has one of them.
"""

from collections.abc import Collection
from typing import Any, Final

from target_pinterest_capi.expressions.analysis import IN_TURN, PROJECTIONS
from target_pinterest_capi.expressions.interpreter import BUILT_INS
from target_pinterest_capi.expressions.syntax import Node, children
from target_pinterest_capi.expressions.values import COMPARISONS, EvaluationError, is_false

_STEPS: Final = ("field", "index", "slice", "current", "identity")
_SELECTIONS: Final = ("multi_select_dict", "multi_select_list")
_UNTOUCHED: Final = ("expref", "current", "identity", "literal")


def pruned(node: Node, columns: Collection[str]) -> Node:
    """Return the node without reading other columns than those; a null if nothing is left."""
    kind = node["type"]
    if kind == "field":
        return node if node["value"] in columns else _constant(None)
    if kind in _UNTOUCHED:
        return node
    if kind in IN_TURN or kind in PROJECTIONS:
        return _inside(node, columns)
    return _simplified({**node, "children": [pruned(one, columns) for one in children(node)]})


def is_null(node: Node) -> bool:
    """Return whether the node is a null."""
    return node["type"] == "literal" and node["value"] is None


def _inside(node: Node, columns: Collection[str]) -> Node:
    """Prune what is read from the record: the first child; the others read inside it."""
    first, *rest = node["children"]
    kept = pruned(first, columns)
    passes_null = node["type"] in PROJECTIONS or all(map(_is_null_of_null, rest))
    if is_null(kept) and passes_null:
        return kept
    return {**node, "children": [kept, *rest]}


def _simplified(node: Node) -> Node:
    """Return the node without what the constants below it decide."""
    kind, below = node["type"], node["children"]
    if kind in ("or_expression", "and_expression"):
        return _either(node, on_false=kind == "or_expression")
    if kind == "flatten" and is_null(below[0]):
        return _constant(None)
    return _evaluated(node) if all(child["type"] == "literal" for child in below) else node


def _is_null_of_null(node: Node) -> bool:
    """Return whether the node returns null if it is applied to null."""
    kind = node["type"]
    if kind in _STEPS or kind in _SELECTIONS:
        return True
    if kind in IN_TURN:
        return all(map(_is_null_of_null, node["children"]))
    return (kind in PROJECTIONS or kind == "flatten") and _is_null_of_null(node["children"][0])


def _either(node: Node, *, on_false: bool) -> Node:
    first: Node
    second: Node
    first, second = node["children"]
    if first["type"] != "literal":
        return node
    return second if is_false(first["value"]) is on_false else first


def _evaluated(node: Node) -> Node:
    """Return the constant for a node of constants; otherwise the node."""
    values = [child["value"] for child in node["children"]]
    kind = node["type"]
    if kind == "not_expression":
        return _constant(is_false(values[0]))
    if kind == "comparator":
        return _constant(COMPARISONS[node["value"]](*values))
    if kind == "function_expression" and values:  # without arguments it may depend on the time
        try:
            return _constant(BUILT_INS.call_function(node["value"], values))
        except (EvaluationError, ArithmeticError, RecursionError):
            pass
    return node


def _constant(value: Any) -> Node:
    return {"type": "literal", "value": value, "children": []}

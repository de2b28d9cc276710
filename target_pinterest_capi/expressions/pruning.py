"""Removes what a stream's records cannot have from an expression: undeclared columns and members.

The rest returns the same for every record without those. Presets are written for several spellings
of a source, and a stream has one of them.
"""

from collections.abc import Callable
from typing import Any, Final

from target_pinterest_capi.expressions.analysis import (
    IN_TURN,
    PROJECTIONS,
    can_fail,
    items_read,
    leading_steps,
    steps_of,
)
from target_pinterest_capi.expressions.interpreter import BUILT_INS
from target_pinterest_capi.expressions.syntax import Node, children
from target_pinterest_capi.expressions.values import COMPARISONS, EvaluationError, is_false

_STEPS: Final = ("field", "index", "slice", "current", "identity")
_SELECTIONS: Final = ("multi_select_dict", "multi_select_list")
_UNTOUCHED: Final = ("expref", "current", "identity", "literal")


# Returns whether a record can have anything where steps lead to, by their names and numbers.
Has = Callable[[tuple[str | int, ...]], bool]


def pruned(node: Node, has: Has) -> Node:
    """Return the node without reading what records do not have; a null if nothing is left."""
    kind = node["type"]
    if kind == "field":
        return node if has((node["value"],)) else _constant(None)
    if kind in _UNTOUCHED:
        return node
    if (items := items_read(node)) is not None:
        price = (*items.steps, *(() if items.is_only else (0,)), items.members[0])
        return node if has(price) else _constant(None)
    if kind in IN_TURN or kind in PROJECTIONS:
        return _inside(node, has)
    return _simplified({**node, "children": [pruned(one, has) for one in children(node)]})


def is_null(node: Node) -> bool:
    """Return whether the node is a null."""
    return node["type"] == "literal" and node["value"] is None


def _inside(node: Node, has: Has) -> Node:
    """Prune what is read from the record: the first child; the others read inside it."""
    steps = list(steps_of(node)) if node["type"] in IN_TURN else []
    if names := leading_steps(steps):
        if has(names):
            return node
        kept, rest = _constant(None), steps[len(names) :]
        node = {**node, "type": "subexpression"}
    else:
        first, *rest = node["children"]
        kept = pruned(first, has)
    passes_null = node["type"] in PROJECTIONS or all(map(_is_null_of_null, rest))
    if is_null(kept) and passes_null:
        return kept
    made = {**node, "children": [kept, *rest]}
    is_now_path = not names and leading_steps(list(steps_of(made)))
    return _inside(made, has) if is_now_path else made


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
    if on_false and first["type"] == "or_expression" and is_null(first["children"][1]):
        first = first["children"][0]  # a || null || b
        node = {**node, "children": [first, second]}
    if on_false and first["type"] == "and_expression" and is_null(first["children"][1]):
        return node if can_fail(first) else second  # a && null || b
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

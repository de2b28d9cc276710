"""From an expression's text to a function of a record.

There are two ways to evaluate: closures for what mappings consist of (`a.b[0].c`, `xs[].{k: p}`,
filters, fallbacks, functions), and the interpreter for the rest (slices, `*` over an object). Both
agree, a path that steps into text reads it as JSON if it is an array or object, and a record raises
nothing but EvaluationError.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from target_pinterest_capi.expressions import interpreter
from target_pinterest_capi.expressions.analysis import IN_TURN, can_fail, steps_of
from target_pinterest_capi.expressions.built_ins import whole_sum
from target_pinterest_capi.expressions.conditions import as_condition
from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.syntax import ExpressionError, Node, parse
from target_pinterest_capi.expressions.values import (
    COMPARISONS,
    EvaluationError,
    flattened,
    is_false,
    listed,
    opened,
    parsed_number,
    step_into,
    text,
)

__all__ = [
    "CURRENT",
    "DIRECT",
    "EvaluationError",
    "ExpressionError",
    "ListSelection",
    "bound",
    "compile_expression",
    "compile_node",
    "compile_tree",
    "interpret",
    "prepared",
    "selection_of",
]

Evaluate = Callable[[Any], Any]
CURRENT: Final[Node] = {"type": "current", "children": []}


class ListSelection(NamedTuple):
    """A list of objects made from those of another list: `base[].{key: expression, ...}`.

    `base` is the tree of the other list; `members` has the tree of each key's expression. Objects
    for which `left_out` is true are not among them: `base[?test].{...}`.
    """

    base: Node
    members: dict[str, Node]
    left_out: Node | None = None


def compile_expression(
    source: str, stream: str | None = None, began_at: datetime | None = None
) -> Evaluate:
    """Return the function that returns the expression's value for a record (decoded JSON).

    `stream` is the name of the records' stream, for `stream()`; `began_at` is when the run began,
    for `run_time()` and `today()`. Without them these are null. Raises ExpressionError. The
    function raises EvaluationError, and only if the expression does more than follow paths.
    """
    return compile_tree(bound(parse(source), stream, began_at))


def compile_condition(
    source: str, stream: str | None = None, began_at: datetime | None = None
) -> Evaluate:
    """Return the function of a record that returns whether a condition holds."""
    return compile_tree(as_condition(bound(parse(source), stream, began_at)))


def compile_tree(tree: Node) -> Evaluate:
    """Return the same function for an expression's tree."""
    if tree["type"] == "field":
        name = tree["value"]
        return lambda record: record.get(name)
    evaluate = _compiled(tree)
    return _guarded(evaluate) if can_fail(tree) else evaluate


def interpret(
    source: str, record: Any, stream: str | None = None, began_at: datetime | None = None
) -> Any:
    """Return the same value with the interpreter only: the reference for the closures in tests."""
    tree = bound(parse(source), stream, began_at)
    return _guarded(partial(interpreter.evaluate, tree))(record)


def selection_of(tree: Node) -> ListSelection | None:
    """Return the parts of `base[].{...}` or `base[?test].{...}`.

    None for any other node, or one that can fail.
    """
    if tree["type"] not in ("projection", "filter_projection") or can_fail(tree):
        return None
    source, each, *tests = tree["children"]
    if each["type"] != "multi_select_dict" or not (tests or source["type"] == "flatten"):
        return None
    members = {member["value"]: member["children"][0] for member in each["children"]}
    if not tests:
        return ListSelection(source["children"][0], members)
    return ListSelection(source, members, {"type": "not_expression", "children": tests})


def compile_node(node: Node) -> Evaluate:
    """Return a node's function of the value it is applied to; it may raise ArithmeticError."""
    return _compiled(node)


def bound(tree: Node, stream: str | None, began_at: datetime | None = None) -> Node:
    """Return the tree with the values that are the same for all records of a stream in a run.

    They replace `stream()`, `run_time()` and `today()`.
    """
    now = None if began_at is None else began_at.astimezone(UTC).isoformat(timespec="seconds")
    today = None if now is None else now[:10]
    return _with_constants(tree, {"stream": stream, "run_time": now, "today": today})


def _with_constants(node: Node, constants: Mapping[str, str | None]) -> Node:
    if node["type"] == "slice":
        return node  # whose children are numbers
    if node["type"] == "function_expression" and node["value"] in constants:
        return {"type": "literal", "value": constants[node["value"]], "children": []}
    return {**node, "children": [_with_constants(child, constants) for child in node["children"]]}


def _guarded(evaluate: Evaluate) -> Evaluate:
    def guarded(record: Any) -> Any:
        try:
            return evaluate(record)
        except ArithmeticError:
            raise EvaluationError("a number has too many digits to calculate with") from None
        except RecursionError:
            raise EvaluationError("the value is nested too deep") from None

    return guarded


# Closures: every shape except slices and `*` over an object


def _compiled(node: Node) -> Evaluate:
    make = _CLOSURES.get(node["type"])
    return make(node) if make else partial(interpreter.evaluate, node)


def _member(node: Node) -> Evaluate:
    step = node["value"]
    return lambda value: value.get(step) if type(value) is dict else step_into(value, step)


def _path(*steps: str | int) -> Evaluate:
    def path(value: Any) -> Any:
        for step in steps:
            if type(value) is dict:
                value = value.get(step)  # an index finds nothing, because keys are text
            elif value is None:
                return None
            else:
                value = step_into(value, step)
        return value

    return path


def _in_turn(node: Node) -> Evaluate:
    steps = list(steps_of(node))
    if all(step["type"] in ("field", "index") for step in steps):
        return _path(*(step["value"] for step in steps))
    evaluates = [_compiled(step) for step in steps]

    def in_turn(value: Any) -> Any:
        for evaluate in evaluates:
            value = evaluate(value)
        return value

    return in_turn


def _projection(node: Node) -> Evaluate:
    source, each, *test = node["children"]
    flat = source["type"] == "flatten"
    base_of, result_of = _compiled(source["children"][0] if flat else source), _compiled(each)
    wanted = _compiled(test[0]) if test else None
    name = each["value"] if each["type"] == "field" else None
    if name is not None and flat and wanted is None:
        return _members_of_each(base_of, name)
    columns = _selected_columns(each)

    def projection(value: Any) -> list[Any] | None:
        base = base_of(value)
        if type(base) is not list:
            base = listed(base)
            if base is None:
                return None
        if flat:
            base = flattened(base)
        if wanted is not None:
            base = [element for element in base if not is_false(wanted(element))]
        return [result for element in base if (result := result_of(element)) is not None]

    if wanted is not None or not flat or columns is None:
        return projection
    return _objects_of_each(base_of, columns, projection)


def _members_of_each(base_of: Evaluate, name: str) -> Evaluate:
    """`base[].name`, the most common projection: in most lists all objects have the member."""

    def members(value: Any) -> list[Any] | None:
        base = base_of(value)
        if type(base) is list:
            try:
                found = [element[name] for element in base]
            except (KeyError, TypeError):  # one does not have it, or is not an object
                pass
            else:
                if None not in found:
                    return found
        else:
            base = listed(base)
            if base is None:
                return None
        stepped = (step_into(element, name) for element in flattened(base))
        return [member for member in stepped if member is not None]

    return members


def _objects_of_each(
    base_of: Evaluate, columns: Sequence[tuple[str, str]], otherwise: Evaluate
) -> Evaluate:
    """`base[].{key: name, ...}`, where every element is an object."""

    def objects(value: Any) -> Any:
        base = base_of(value)
        if type(base) is not list:
            return otherwise(value)
        made = []
        for element in base:
            if type(element) is not dict:
                return otherwise(value)
            selected = {}
            # A loop is faster than a comprehension before Python 3.12, and `in` is faster than
            # get().
            for key, name in columns:
                selected[key] = element[name] if name in element else None  # noqa: SIM401
            made.append(selected)
        return made

    return objects


def _selected_columns(node: Node) -> tuple[tuple[str, str], ...] | None:
    """Return key and member of each part of `{key: member, ...}`; None for any other node."""
    if node["type"] != "multi_select_dict" or any(
        child["children"][0]["type"] != "field" for child in node["children"]
    ):
        return None
    return tuple((child["value"], child["children"][0]["value"]) for child in node["children"])


def _flatten(node: Node) -> Evaluate:
    base_of = _compiled(node["children"][0])

    def flatten(value: Any) -> list[Any] | None:
        base = listed(base_of(value))
        return None if base is None else flattened(base)

    return flatten


def _multi_select_dict(node: Node) -> Evaluate:
    evaluates = [(child["value"], _compiled(child["children"][0])) for child in node["children"]]

    def select(value: Any) -> dict[str, Any] | None:
        value = opened(value)
        return None if value is None else {key: evaluate(value) for key, evaluate in evaluates}

    return select


def _multi_select_list(node: Node) -> Evaluate:
    evaluates = [_compiled(child) for child in node["children"]]

    def select(value: Any) -> list[Any] | None:
        value = opened(value)
        return None if value is None else [evaluate(value) for evaluate in evaluates]

    return select


def _either(node: Node) -> Evaluate:
    first, second = map(_compiled, node["children"])
    on_false = node["type"] == "or_expression"

    def either(value: Any) -> Any:
        result = first(value)
        return second(value) if is_false(result) is on_false else result

    return either


def _not(node: Node) -> Evaluate:
    negated = _compiled(node["children"][0])
    return lambda value: is_false(negated(value))


def _comparator(node: Node) -> Evaluate:
    left, right = map(_compiled, node["children"])
    compare = COMPARISONS[node["value"]]
    return lambda value: compare(left(value), right(value))


def _call(node: Node) -> Evaluate:
    name, arguments = node["value"], [_compiled(child) for child in node["children"]]
    if (of_first := prepared(node)) is not None:
        return lambda value: of_first(arguments[0](value))
    function = FUNCTIONS[name].implementation if name in FUNCTIONS else DIRECT.get(name)
    if function is None:
        return lambda value: interpreter.BUILT_INS.call_function(
            name, [argument(value) for argument in arguments]
        )
    if len(arguments) == 1:
        (only,) = arguments
        return lambda value: function(only(value))
    if [child["type"] for child in node["children"][1:]] == ["literal"]:  # query_param(url, 'epik')
        first, constant = arguments[0], node["children"][1]["value"]
        return lambda value: function(first(value), constant)
    return lambda value: function(*[argument(value) for argument in arguments])


def prepared(node: Node) -> Callable[[Any], Any] | None:
    """Return the function of a call's first argument only; None if there is none."""
    function = FUNCTIONS.get(node["value"])
    if function is None or function.prepare is None or node["children"][1]["type"] != "literal":
        return None
    return function.prepare(node["children"][1]["value"])


def _sum(values: Any) -> Any:
    whole = whole_sum(values)
    return interpreter.BUILT_INS.call_function("sum", [values]) if whole is None else whole


def _to_string(value: Any) -> Any:
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return text(value)
    return interpreter.BUILT_INS.call_function("to_string", [value])


def _contains(subject: Any, search: Any) -> Any:
    return interpreter.BUILT_INS.call_function("contains", [subject, search])


# The built-ins that mappings call most, for their most common arguments.
DIRECT: Final[dict[str, Callable[..., Any]]] = {
    "sum": _sum, "to_string": _to_string, "contains": _contains, "to_number": parsed_number,
}  # fmt: skip


def _reference(node: Node) -> Evaluate:
    body = _compiled(node["children"][0])
    return lambda _: body


def _literal(node: Node) -> Evaluate:
    constant = node["value"]
    return lambda _: constant


_CLOSURES: Final[dict[str, Callable[[Node], Evaluate]]] = {
    "field": _member, "index": _member,
    **dict.fromkeys(IN_TURN, _in_turn),
    "projection": _projection, "filter_projection": _projection, "flatten": _flatten,
    "multi_select_dict": _multi_select_dict, "multi_select_list": _multi_select_list,
    "or_expression": _either, "and_expression": _either, "not_expression": _not,
    "comparator": _comparator, "function_expression": _call,
    "expref": _reference, "literal": _literal,
    "current": lambda _: lambda value: value, "identity": lambda _: lambda value: value,
}  # fmt: skip

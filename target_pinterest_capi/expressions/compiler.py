"""Mapping expressions: from JMESPath text to a function of a record.

Owns the grammar's few tightenings, the checks made before the first record, and two ways to evaluate: closures for all that
mappings are made of (`a.b[0].c`, `xs[].{k: p}`, filters, fallbacks, functions), and jmespath's interpreter for the rest
(slices, `*` over an object). Promises that both agree, that numbers stay exact, that a path which steps into text reads it
as JSON where it is an array or object, that a wrong expression raises ExpressionError with its position, and that a record
raises nothing but EvaluationError. Never runs code: there is only JMESPath's grammar.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import Any, Final

from jmespath.exceptions import IncompleteExpressionError, LexerError, ParseError
from jmespath.lexer import Lexer
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter

from target_pinterest_capi.events.build.plan import Selection
from target_pinterest_capi.expressions.functions import (
    COMPARISONS,
    FUNCTIONS,
    NAMES,
    BuiltIns,
    EvaluationError,
    arity,
    opened,
    takes_reference,
    whole_sum,
)

__all__ = [
    "EvaluationError",
    "ExpressionError",
    "compile_expression",
    "interpret",
    "plain_path",
    "roots",
    "selection",
]

DEEPEST: Final = (
    100  # levels of an expression: evaluated, they stay far below Python's recursion limit
)

_Node = dict[str, Any]
_Evaluate = Callable[[Any], Any]


class ExpressionError(ValueError):
    """A wrong expression: `message` says what is wrong, `position` is the column it is at, counted from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message, position)
        self.message = message
        self.position = position

    def __str__(self) -> str:
        return f"{self.message} (at character {self.position + 1})"


def compile_expression(source: str) -> _Evaluate:
    """A function from a record (decoded JSON, numbers int or Decimal) to the expression's value, None for null.

    Raises ExpressionError. The function raises EvaluationError, and only where the expression does more than follow paths.
    """
    tree = _tree(source)
    if tree["type"] == "field":
        name = tree["value"]
        return lambda record: record.get(name)
    evaluate = _compiled(tree)
    return evaluate if _types(tree) <= _NEVER_FAIL else _guarded(evaluate)


def interpret(source: str, record: Any) -> Any:
    """The same value by the interpreter alone: slow, and the measure that the closures are tested against."""
    return _guarded(partial(_INTERPRETER.visit, _tree(source)))(record)


def roots(*sources: str) -> frozenset[str] | None:
    """The top-level columns that the expressions read; None where one may read any (`@`, `*`). Raises ExpressionError."""
    columns = frozenset(column for source in sources for column in _columns(_tree(source)))
    return (
        None if _ANY in columns else frozenset(column for column in columns if column is not None)
    )


def plain_path(source: str) -> str | None:
    """The column's name where the expression is one top-level column (`email`, `"a.b"`), else None. Raises ExpressionError."""
    tree = _tree(source)
    return tree["value"] if tree["type"] == "field" else None


def selection(source: str) -> Selection | None:
    """`base[].{key: member, ...}` taken apart; None for any other expression, or one that can fail. Raises ExpressionError."""
    tree = _tree(source)
    if (
        tree["type"] != "projection"
        or tree["children"][0]["type"] != "flatten"
        or not _types(tree) <= _NEVER_FAIL
    ):
        return None
    columns = _selected_columns(tree["children"][1])
    return (
        None
        if columns is None
        else Selection(_compiled(tree["children"][0]["children"][0]), columns)
    )


# ---- text to tree ----

_HINTS: Final = {
    "=": "'=' is no operator: compare with ==",
    "$": "'$' is no part of JMESPath: a path starts with a column's name",
    "and": "'and' is written &&", "or": "'or' is written ||", "not": "'not' is written !",
}  # fmt: skip


class _Lexer(Lexer):
    """jmespath's, but literals are strict JSON with exact numbers: its own are floats, and texts where they are no JSON."""

    def _consume_literal(self: Any) -> _Node:
        start = self._position
        written = self._consume_until("`").replace("\\`", "`")
        try:
            value = json.loads(written, parse_float=Decimal, parse_constant=_refused)
        except (ValueError, ArithmeticError, RecursionError):
            raise ExpressionError(
                "between backticks stands JSON (`1.5`, `true`, `[]`); a text is written 'text'",
                start,
            ) from None
        return {"type": "literal", "value": value, "start": start, "end": self._position}


def _refused(constant: str) -> Any:  # NaN and the infinities, which are no JSON
    raise ValueError(constant)


class _Parser(Parser):
    """jmespath's, with positions on the nodes that are checked, and strict where it lets slips pass."""

    def tree(self: Any, source: str) -> _Node:
        self._tokens = list(_Lexer().tokenize(source))
        self._index = 0
        node: _Node = self._expression()
        if self._current_token() != "eof":
            self._raise_parse_error_for_token(self._lookahead_token(0), "")
        return node

    def _token_nud_literal(self, token: _Node) -> _Node:
        return {
            "type": "literal",
            "value": token["value"],
            "children": [],
            "position": token["start"],
        }

    def _token_nud_quoted_identifier(self: Any, token: _Node) -> _Node:
        if self._current_token() == "lparen":
            raise ExpressionError("a function's name stands without quotes", token["start"])
        return {"type": "field", "value": token["value"], "children": []}

    def _token_nud_expref(self: Any, token: _Node) -> _Node:
        body = self._expression(self.BINDING_POWER["expref"])
        return {"type": "expref", "children": [body], "position": token["start"]}

    def _token_led_lparen(self: Any, left: _Node) -> _Node:
        name = self._lookahead_token(-2)
        if left["type"] != "field":
            raise ExpressionError("no function's name stands before '('", name["start"])
        arguments: list[_Node] = []
        while self._current_token() != "rparen":
            if arguments:
                self._match("comma")  # jmespath takes `f(a b)` for two arguments
            arguments.append(self._expression())
        self._match("rparen")
        return {
            "type": "function_expression",
            "value": left["value"],
            "children": arguments,
            "position": name["start"],
        }

    def _parse_slice_expression(self: Any) -> _Node:
        start = self._lookahead_token(0)["start"]
        node: _Node = Parser._parse_slice_expression(self)  # type: ignore[attr-defined]  # noqa: SLF001
        if node["children"][2] == 0:
            raise ExpressionError("the step of a slice cannot be 0", start)
        return node


@lru_cache(maxsize=512)
def _tree(source: str) -> _Node:
    """The checked tree of an expression; shared, so never changed."""
    if not source.strip():
        raise ExpressionError("the expression is empty", 0)
    try:
        tree: _Node = _Parser().tree(source)
    except ExpressionError:
        raise
    except IncompleteExpressionError:
        raise ExpressionError("the expression ends too early", len(source)) from None
    except ParseError as error:
        raise ExpressionError(_message(error), min(error.lex_position, len(source))) from None
    except RecursionError:
        raise ExpressionError(
            f"the expression is nested more than {DEEPEST} levels deep", 0
        ) from None
    except ValueError:  # int() refuses over 4,300 digits
        raise ExpressionError("a number is too long", 0) from None
    _check({"type": "whole", "children": [tree]}, DEEPEST)
    return tree


def _message(error: ParseError) -> str:
    found = str(error.token_value)
    if not found:
        return "the expression ends too early"
    if found in _HINTS:
        return _HINTS[found]
    if isinstance(error, LexerError) and error.message.startswith("Unclosed"):
        return f"the {found[0]} is never closed"
    if isinstance(error, LexerError) and found.startswith('"'):
        return "the name between double quotes has a wrong escape; a text is written 'text'"
    if error.token_type == "NUMBER":  # noqa: S105 - a kind of token, no secret
        return "a number is written between backticks (`5`), an index between brackets ([0])"
    return f"unexpected {found!r}"


def _check(node: _Node, levels: int) -> None:
    """Refuse what could only fail on every record: functions that are unknown or called wrongly, and misplaced `&`."""
    if levels == 0:
        raise ExpressionError(f"the expression is nested more than {DEEPEST} levels deep", 0)
    called = node["value"] if node["type"] == "function_expression" else None
    if called is not None:
        _check_call(called, node["children"], node["position"])
    for place, child in enumerate(_children(node)):
        if child["type"] == "expref" and (called is None or not takes_reference(called, place)):
            raise ExpressionError(
                "'&' stands only in the functions that take an expression, such as sort_by",
                child["position"],
            )
        _check(child, levels - 1)


def _check_call(name: str, arguments: list[_Node], position: int) -> None:
    if name not in NAMES:
        near = get_close_matches(name.lower(), NAMES, n=1, cutoff=0.5)
        raise ExpressionError(
            f"unknown function {name}()" + (f": did you mean {near[0]}()?" if near else ""),
            position,
        )
    least, most = arity(name)
    if len(arguments) < least or (most is not None and len(arguments) > most):
        wanted = f"{least} argument{'s' * (least != 1)}"
        raise ExpressionError(
            f"{name}() takes {'at least ' * (most is None)}{wanted}, not {len(arguments)}", position
        )
    for place, argument in enumerate(arguments):
        if takes_reference(name, place) and argument["type"] != "expref":
            raise ExpressionError(
                f"{name}() takes an expression after '&' as argument {place + 1}", position
            )
        check = FUNCTIONS[name].constants.get(place) if name in FUNCTIONS else None
        problem = check(argument["value"]) if check and argument["type"] == "literal" else None
        if problem is not None:
            raise ExpressionError(problem, argument["position"])


def _children(node: _Node) -> list[_Node]:
    return [] if node["type"] == "slice" else node["children"]  # a slice's are numbers


def _types(node: _Node) -> set[str]:
    return {node["type"]}.union(*map(_types, _children(node)))


_ANY: Final = None
_IN_TURN: Final = frozenset(
    {"subexpression", "index_expression", "pipe"}
)  # the next child reads what the one before gives
_PROJECTIONS: Final = frozenset({"projection", "filter_projection", "value_projection"})


def _columns(node: _Node) -> Iterator[str | None]:
    """Columns read by a node that is applied to the record itself; _ANY where it may be any of them."""
    kind = node["type"]
    if kind == "field":
        yield node["value"]
    elif kind in ("current", "identity"):
        yield _ANY
    elif (
        kind in _IN_TURN or kind in _PROJECTIONS
    ):  # all but the first child read what is inside the columns
        yield from _columns(node["children"][0])
    elif kind != "expref":  # which reads elements
        for child in _children(node):
            yield from _columns(child)


# ---- values ----


def _step(value: Any, step: str | int) -> Any:
    """A member of an object or an element of an array, also of one that is JSON text; None where there is none."""
    value = opened(value)
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None


def _listed(value: Any) -> list[Any] | None:
    value = opened(value)
    return value if isinstance(value, list) else None


def _flattened(elements: list[Any]) -> list[Any]:
    """One level of lists within the list laid open. Elements that are JSON text are not: nothing steps into them yet."""
    if list not in map(type, elements):
        return elements
    flat: list[Any] = []
    for element in elements:
        if isinstance(element, list):
            flat.extend(element)
        else:
            flat.append(element)
    return flat


def _is_false(value: Any) -> bool:
    """JMESPath's falsehood: null, false, and empty texts, arrays and objects; 0 is true."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def _guarded(evaluate: _Evaluate) -> _Evaluate:
    def guarded(record: Any) -> Any:
        try:
            return evaluate(record)
        except ArithmeticError:
            raise EvaluationError("a number has too many digits to calculate with") from None
        except RecursionError:
            raise EvaluationError("the value is nested too deep") from None

    return guarded


# ---- the interpreter: every shape ----


class _Interpreter(TreeInterpreter):
    """jmespath's, with paths that step into JSON text, exact numbers and dates, and our functions."""

    def visit_field(self, node: Any, value: Any) -> Any:
        return _step(value, node["value"])

    def visit_index(self, node: Any, value: Any) -> Any:
        return _step(value, node["value"])

    def visit_slice(self, node: Any, value: Any) -> Any:
        return super().visit_slice(node, opened(value))

    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = _listed(self.visit(node["children"][0], value))
        return None if base is None else _flattened(base)

    def visit_projection(self, node: Any, value: Any) -> list[Any] | None:
        return self._projected(_listed(self.visit(node["children"][0], value)), node)

    def visit_value_projection(self, node: Any, value: Any) -> list[Any] | None:
        base = opened(self.visit(node["children"][0], value))
        return self._projected(list(base.values()) if isinstance(base, dict) else None, node)

    def visit_filter_projection(self, node: Any, value: Any) -> list[Any] | None:
        base = _listed(self.visit(node["children"][0], value))
        test = node["children"][2]
        return self._projected(
            base and [element for element in base if not _is_false(self.visit(test, element))], node
        )

    def _projected(self, elements: list[Any] | None, node: Any) -> list[Any] | None:
        if elements is None:
            return None
        results = [self.visit(node["children"][1], element) for element in elements]
        return [result for result in results if result is not None]

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:
        return super().visit_multi_select_dict(node, opened(value))

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:
        return super().visit_multi_select_list(node, opened(value))

    def visit_comparator(self, node: Any, value: Any) -> Any:
        left, right = (self.visit(child, value) for child in node["children"])
        return COMPARISONS[node["value"]](left, right)

    def visit_not_expression(self, node: Any, value: Any) -> bool:
        return _is_false(self.visit(node["children"][0], value))

    def visit_expref(self, node: Any, value: Any) -> Any:  # noqa: ARG002 - it is applied to elements, later
        return partial(self.visit, node["children"][0])

    def _is_false(self, value: Any) -> bool:
        return _is_false(value)


_BUILT_INS: Final = BuiltIns()
_INTERPRETER: Final[Any] = _Interpreter(Options(custom_functions=_BUILT_INS))


# ---- closures: every shape but slices and `*` over an object ----


def _compiled(node: _Node) -> _Evaluate:
    make = _CLOSURES.get(node["type"])
    return make(node) if make else partial(_INTERPRETER.visit, node)


def _member(node: _Node) -> _Evaluate:
    step = node["value"]
    return lambda value: value.get(step) if type(value) is dict else _step(value, step)


def _path(*steps: str | int) -> _Evaluate:
    def path(value: Any) -> Any:
        for step in steps:
            if type(value) is dict:
                value = value.get(step)  # an index finds nothing: keys are text
            elif value is None:
                return None
            else:
                value = _step(value, step)
        return value

    return path


def _in_turn(node: _Node) -> _Evaluate:
    steps = list(_steps(node))
    if all(step["type"] in ("field", "index") for step in steps):
        return _path(*(step["value"] for step in steps))
    evaluates = [_compiled(step) for step in steps]

    def in_turn(value: Any) -> Any:
        for evaluate in evaluates:
            value = evaluate(value)
        return value

    return in_turn


def _steps(node: _Node) -> Iterator[_Node]:
    if node["type"] in _IN_TURN:
        for child in node["children"]:
            yield from _steps(child)
    elif node["type"] not in ("current", "identity"):
        yield node


def _projection(node: _Node) -> _Evaluate:
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
            base = _listed(base)
            if base is None:
                return None
        if flat:
            base = _flattened(base)
        if wanted is not None:
            base = [element for element in base if not _is_false(wanted(element))]
        return [result for element in base if (result := result_of(element)) is not None]

    return (
        projection
        if wanted is not None or not flat or columns is None
        else _objects_of_each(base_of, columns, projection)
    )


def _members_of_each(base_of: _Evaluate, name: str) -> _Evaluate:
    """`base[].name`, the commonest projection: most lists hold objects that all have the member."""

    def members(value: Any) -> list[Any] | None:
        base = base_of(value)
        if type(base) is list:
            try:
                found = [element[name] for element in base]
            except (KeyError, TypeError):  # one lacks it, or is no object
                pass
            else:
                if None not in found:
                    return found
        else:
            base = _listed(base)
            if base is None:
                return None
        return [
            member for element in _flattened(base) if (member := _step(element, name)) is not None
        ]

    return members


def _objects_of_each(
    base_of: _Evaluate, columns: Sequence[tuple[str, str]], otherwise: _Evaluate
) -> _Evaluate:
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
            for (
                key,
                name,
            ) in columns:  # faster than a comprehension before Python 3.12, and `in` than get()
                selected[key] = element[name] if name in element else None  # noqa: SIM401
            made.append(selected)
        return made

    return objects


def _selected_columns(node: _Node) -> tuple[tuple[str, str], ...] | None:
    """The key and the member of each part of `{key: member, ...}`; None for any other expression."""
    if node["type"] != "multi_select_dict" or any(
        child["children"][0]["type"] != "field" for child in node["children"]
    ):
        return None
    return tuple((child["value"], child["children"][0]["value"]) for child in node["children"])


def _flatten(node: _Node) -> _Evaluate:
    base_of = _compiled(node["children"][0])

    def flatten(value: Any) -> list[Any] | None:
        base = _listed(base_of(value))
        return None if base is None else _flattened(base)

    return flatten


def _multi_select_dict(node: _Node) -> _Evaluate:
    evaluates = [(child["value"], _compiled(child["children"][0])) for child in node["children"]]

    def select(value: Any) -> dict[str, Any] | None:
        value = opened(value)
        return None if value is None else {key: evaluate(value) for key, evaluate in evaluates}

    return select


def _multi_select_list(node: _Node) -> _Evaluate:
    evaluates = [_compiled(child) for child in node["children"]]

    def select(value: Any) -> list[Any] | None:
        value = opened(value)
        return None if value is None else [evaluate(value) for evaluate in evaluates]

    return select


def _either(node: _Node) -> _Evaluate:
    first, second = map(_compiled, node["children"])
    on_false = node["type"] == "or_expression"

    def either(value: Any) -> Any:
        result = first(value)
        return second(value) if _is_false(result) is on_false else result

    return either


def _not(node: _Node) -> _Evaluate:
    negated = _compiled(node["children"][0])
    return lambda value: _is_false(negated(value))


def _comparator(node: _Node) -> _Evaluate:
    left, right = map(_compiled, node["children"])
    compare = COMPARISONS[node["value"]]
    return lambda value: compare(left(value), right(value))


def _call(node: _Node) -> _Evaluate:
    name, arguments = node["value"], [_compiled(child) for child in node["children"]]
    if name == "sum":
        return _sum(arguments[0])
    if name not in FUNCTIONS:
        return lambda value: _BUILT_INS.call_function(
            name, [argument(value) for argument in arguments]
        )
    function = FUNCTIONS[name].implementation
    if len(arguments) == 1:
        (only,) = arguments
        return lambda value: function(only(value))
    if len(arguments) == 2 and node["children"][1]["type"] == "literal":  # noqa: PLR2004 - such as query_param(url, 'epik')
        first, constant = arguments[0], node["children"][1]["value"]
        return lambda value: function(first(value), constant)
    return lambda value: function(*[argument(value) for argument in arguments])


def _sum(argument: _Evaluate) -> _Evaluate:
    """The sum of whole numbers is made here, any other where every number is looked at closely."""

    def total(value: Any) -> Any:
        values = argument(value)
        whole = whole_sum(values)
        return _BUILT_INS.call_function("sum", [values]) if whole is None else whole

    return total


def _reference(node: _Node) -> _Evaluate:
    body = _compiled(node["children"][0])
    return lambda _: body


def _literal(node: _Node) -> _Evaluate:
    constant = node["value"]
    return lambda _: constant


_CLOSURES: Final[dict[str, Callable[[_Node], _Evaluate]]] = {
    "field": _member, "index": _member,
    **dict.fromkeys(_IN_TURN, _in_turn),
    "projection": _projection, "filter_projection": _projection, "flatten": _flatten,
    "multi_select_dict": _multi_select_dict, "multi_select_list": _multi_select_list,
    "or_expression": _either, "and_expression": _either, "not_expression": _not,
    "comparator": _comparator, "function_expression": _call, "expref": _reference, "literal": _literal,
    "current": lambda _: lambda value: value, "identity": lambda _: lambda value: value,
}  # fmt: skip

# only functions, and comparisons of values nested without end, can fail
_NEVER_FAIL: Final = frozenset(
    {*_CLOSURES, "key_val_pair", "slice", "value_projection"}
    - {"function_expression", "comparator"}
)

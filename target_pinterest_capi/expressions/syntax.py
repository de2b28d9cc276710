"""The grammar: from an expression's text to its checked tree.

JMESPath's grammar, slightly stricter, with a check for everything that would fail on every record.
A wrong expression raises ExpressionError with its position. Never runs code.
"""

import json
import re
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from jmespath.exceptions import IncompleteExpressionError, LexerError, ParseError
from jmespath.lexer import Lexer
from jmespath.parser import Parser

from target_pinterest_capi.expressions.built_ins import NAMES, arity, takes_reference
from target_pinterest_capi.expressions.functions import FUNCTIONS

DEEPEST: Final = 100  # levels: evaluated, they stay far below Python's recursion limit

Node = dict[str, Any]


class ExpressionError(ValueError):
    """A wrong expression: `message` says what is wrong, `position` where, counted from 0.

    `column` is the whole expression, if it may have been meant as a column's name.
    """

    def __init__(self, message: str, position: int, column: str = "") -> None:
        super().__init__(message, position)
        self.message = message
        self.position = position
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (at character {self.position + 1})"


_WORDS: Final = {
    "and": "'and' is written &&",
    "or": "'or' is written ||",
    "not": "'not' is written !",
}
_HINTS: Final = {
    "=": "'=' is not an operator: compare with ==",
    "$": "'$' is not part of JMESPath: a path starts with a column's name",
    **_WORDS,
}
_IS_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


# A whole expression that may be a column's name as people write it: `Order ID`, `E-Mail`, `$price`,
# but not JSONPath (`$.price`), and without an operator or a dot at its start or end.
_ODD_NAME: Final = re.compile(
    r"(?!\$\.)(?=[\w@$#€%])[@]?[^\"'`|=<>!\[\]{}(),&@\\\x00-\x1f]{0,59}(?<=[\w#?%$€°])"
)
# The same with a unit, which looks like a call: `Price (EUR)`.
_NAME_WITH_UNIT: Final = re.compile(r"\w[\w #/%$€°:-]{0,60} \([\w %$€]{1,20}\)")
_ARITHMETIC: Final = re.compile(r" [-/](?: |$)|[+*]|\w/10+(?!\w)")  # but `Land/Region`, `E-Mail`
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")


class _Lexer(Lexer):
    """jmespath's lexer, but literals are strict JSON with exact numbers.

    Its own are floats, or strings if they are not JSON.
    """

    def _consume_literal(self: Any) -> Node:
        start = self._position
        written = self._consume_until("`").replace("\\`", "`")
        try:
            value = json.loads(written, parse_float=Decimal, parse_constant=_refused)
        except (ValueError, ArithmeticError, RecursionError):
            raise ExpressionError(
                "backticks enclose JSON (`1.5`, `true`, `[]`); a string is written 'text'",
                start,
            ) from None
        return {"type": "literal", "value": value, "start": start, "end": self._position}


def _refused(constant: str) -> Any:  # NaN and the infinities, which are not JSON
    raise ValueError(constant)


class _Parser(Parser):
    """jmespath's parser, with positions on the nodes that are checked, and stricter."""

    def tree(self: Any, source: str) -> Node:
        self._tokens = list(_Lexer().tokenize(source))
        self._index = 0
        node: Node = self._expression()
        if self._current_token() != "eof":
            self._raise_parse_error_for_token(self._lookahead_token(0), "")
        return node

    def _token_nud_literal(self, token: Node) -> Node:
        return {
            "type": "literal",
            "value": token["value"],
            "children": [],
            "position": token["start"],
        }

    def _token_nud_quoted_identifier(self: Any, token: Node) -> Node:
        if self._current_token() == "lparen":
            raise ExpressionError("a function's name is written without quotes", token["start"])
        return {"type": "field", "value": token["value"], "children": []}

    def _token_nud_expref(self: Any, token: Node) -> Node:
        body = self._expression(self.BINDING_POWER["expref"])
        return {"type": "expref", "children": [body], "position": token["start"]}

    def _token_led_lparen(self: Any, left: Node) -> Node:
        name = self._lookahead_token(-2)
        if left["type"] != "field":
            raise ExpressionError("there is no function's name before '('", name["start"])
        arguments: list[Node] = []
        while self._current_token() != "rparen":
            if arguments:
                self._match("comma")  # jmespath reads `f(a b)` as two arguments
            arguments.append(self._expression())
        self._match("rparen")
        return {
            "type": "function_expression",
            "value": left["value"],
            "children": arguments,
            "position": name["start"],
        }

    def _parse_slice_expression(self: Any) -> Node:
        start = self._lookahead_token(0)["start"]
        parse_slice = Parser._parse_slice_expression  # type: ignore[attr-defined]  # noqa: SLF001
        node: Node = parse_slice(self)
        if node["children"][2] == 0:
            raise ExpressionError("the step of a slice cannot be 0", start)
        return node


@lru_cache(maxsize=512)
def parse(source: str) -> Node:
    """Return the checked tree of an expression; it is shared, so never change it."""
    if not source.strip():
        raise ExpressionError("the expression is empty", 0)
    try:
        tree: Node = _Parser().tree(source)
    except ExpressionError:
        raise
    except IncompleteExpressionError:
        raise ExpressionError("the expression ends too early", len(source)) from None
    except ParseError as error:
        position = min(error.lex_position, len(source))
        raise _with_hint(_message(error), position, source, error) from None
    except RecursionError:
        raise ExpressionError(
            f"the expression is nested more than {DEEPEST} levels deep", 0
        ) from None
    except ValueError:  # int() refuses over 4,300 digits
        raise ExpressionError("a number is too long", 0) from None
    try:
        _check({"type": "whole", "children": [tree]}, DEEPEST)
    except ExpressionError as error:
        if _NAME_WITH_UNIT.fullmatch(source.strip()):
            name = source.strip()
            message = f"there is no such function{_as_column(name)}"
            raise ExpressionError(message, error.position, name) from None
        raise
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
        return "the name between double quotes has a wrong escape; a string is written 'text'"
    if error.token_type == "NUMBER":  # noqa: S105 - a kind of token, no secret
        return "a number is written between backticks (`5`), an index between brackets ([0])"
    return f"unexpected {found!r}"


def _with_hint(message: str, position: int, source: str, error: ParseError) -> ExpressionError:
    """Return the error, with the spelling of what was probably meant: a column, or a sum."""
    name = source.strip()
    if error.token_value not in _HINTS and _ARITHMETIC.search(_QUOTED.sub("", name)):
        hint = ": arithmetic is written add(a, b), subtract(a, b), multiply(a, b) or divide(a, b)"
        return ExpressionError(message + hint, position)
    if _ODD_NAME.fullmatch(name) and error.token_value not in _WORDS:
        return ExpressionError(message + _as_column(name), position, name)
    if error.token_type == "UNQUOTED_IDENTIFIER":  # noqa: S105 - a kind of token, no secret
        message += ": a name with a space is written in double quotes"
    return ExpressionError(message, position)


def _as_column(name: str) -> str:
    """Return how to write a column's name that has more than letters and digits."""
    steps = [step if _IS_NAME.fullmatch(step) else f'"{step}"' for step in name.split(".")]
    written = f'"{name}"'
    hint = f": a column of this name is written {written}, and in YAML '{written}'"
    path = ".".join(steps)
    return f"{hint}; the member of an object is {path}" if "." in name and all(steps) else hint


def _check(node: Node, levels: int) -> None:
    """Refuse what would fail on every record: unknown functions, wrong calls, a misplaced `&`."""
    if levels == 0:
        raise ExpressionError(f"the expression is nested more than {DEEPEST} levels deep", 0)
    called = node["value"] if node["type"] == "function_expression" else None
    if called is not None:
        _check_call(called, node["children"], node["position"])
    for place, child in enumerate(children(node)):
        if child["type"] == "expref" and (called is None or not takes_reference(called, place)):
            raise ExpressionError(
                "'&' is allowed only in functions that take an expression, such as sort_by",
                child["position"],
            )
        _check(child, levels - 1)


def _check_call(name: str, arguments: list[Node], position: int) -> None:
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


def children(node: Node) -> list[Node]:
    """Return the nodes below a node; those of a slice are numbers and not nodes."""
    return [] if node["type"] == "slice" else node["children"]

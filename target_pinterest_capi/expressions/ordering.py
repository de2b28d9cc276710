"""Comparisons by order that no record makes true, found in the text of an expression alone.

Numbers are ordered with numbers, and texts with texts; anything else is null, which is not true. A
column can have either, so only what an expression says itself counts: its constants, and what its
functions return.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from target_pinterest_capi.expressions.syntax import Node, children, parse


class Order(StrEnum):
    """What a value can be compared with by order, in the words of a message."""

    NUMBER = "a number"
    TEXT = "a text"
    NOTHING = "null, true, false, an array or an object"


class Unordered(NamedTuple):
    """A `<`, `<=`, `>` or `>=` that is never true.

    `sides` are what its sides are; None if that depends on the record. `position` is where a
    constant or a call among them starts, counted from 0.
    """

    sides: tuple[Order | None, Order | None]
    position: int | None

    @property
    def has_nothing(self) -> bool:
        """Whether a side has no order at all."""
        return Order.NOTHING in self.sides


_ORDERED: Final = frozenset({"lt", "lte", "gt", "gte"})
_OF_NUMBERS: Final = (
    "abs", "add", "avg", "ceil", "divide", "floor", "items_value", "length", "multiply", "round",
    "subtract", "sum", "to_number",
)  # fmt: skip
_OF_TEXTS: Final = (
    "concat", "cookie", "join", "lower", "query_param", "regex_extract", "replace", "run_time",
    "stream", "to_date", "to_string", "today", "trim", "type", "upper",
)  # fmt: skip
_OF_NEITHER: Final = (
    "consented", "contains", "ends_with", "is_true", "keys", "map", "merge", "sort", "sort_by",
    "split", "starts_with", "to_array", "us_opt_out", "values",
)  # fmt: skip
# What a function returns if it does not return null. The others return what they are given.
RETURNED: Final[Mapping[str, Order]] = {
    **dict.fromkeys(_OF_NUMBERS, Order.NUMBER),
    **dict.fromkeys(_OF_TEXTS, Order.TEXT),
    **dict.fromkeys(_OF_NEITHER, Order.NOTHING),
}
_WITHOUT_ORDER: Final = frozenset(
    {
        "comparator",
        "not_expression",
        "multi_select_dict",
        "multi_select_list",
        "projection",
        "filter_projection",
        "value_projection",
    }
)


def unordered(source: str) -> Unordered | None:
    """Return the first comparison by order that is never true. Raises ExpressionError."""
    return next(_unordered(parse(source)), None)


def order_of(value: Any) -> Order:
    """Return what a value can be compared with."""
    if isinstance(value, str):
        return Order.TEXT
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return Order.NUMBER if is_number else Order.NOTHING


def _unordered(node: Node) -> Iterator[Unordered]:
    if node["type"] == "comparator" and node["value"] in _ORDERED:
        left, right = map(_order_of_node, node["children"])
        are_alike = left is None or right is None or left is right
        if not are_alike or Order.NOTHING in (left, right):
            places = [one["position"] for one in node["children"] if "position" in one]
            yield Unordered((left, right), min(places, default=None))
    for child in children(node):
        yield from _unordered(child)


def _order_of_node(node: Node) -> Order | None:
    if node["type"] == "literal":
        return order_of(node["value"])
    if node["type"] == "function_expression":
        return RETURNED.get(node["value"])
    return Order.NOTHING if node["type"] in _WITHOUT_ORDER else None

"""Writes an expression as the text of a Python expression, for a function that is generated.

A closure for each node costs more than what the nodes do. Objects that several expressions step
into are read once for all, and opened where they are JSON text. What is rare (projections, filters,
slices, selections) stays a closure, called with the value that it is applied to. The text holds
names that are made here and operators, and nothing that a user wrote.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, Protocol

from target_pinterest_capi.expressions.analysis import (
    IN_TURN,
    PROJECTIONS,
    ItemsRead,
    alternatives,
    can_fail,
    items_read,
    leading_steps,
    member_of_each,
    steps_of,
    steps_to,
    texts_searched,
)
from target_pinterest_capi.expressions.compiler import (
    CURRENT,
    DIRECT,
    compile_node,
    prepared,
)
from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.interpreter import BUILT_INS
from target_pinterest_capi.expressions.syntax import Node, children
from target_pinterest_capi.expressions.values import (
    COMPARISONS,
    equal,
    indexed,
    is_false,
    listed,
    look_up,
    object_of,
    step_into,
)

Steps = Sequence[str | int]


class ReadingWriter(Protocol):
    """How the generated function reads its record, and what it has read already."""

    def bind(self, name: str, value: Any) -> str:
        """Return the name by which the function finds a value."""

    def column(self, name: str) -> str:
        """Return the expression of a column's value."""

    def has(self, steps: Steps) -> bool:
        """Return whether there can be a value where steps lead to."""

    def is_in_parts(self, steps: Steps) -> bool:
        """Return whether steps lead to structs, of which only members are read."""

    def place(self, steps: Steps) -> str | None:
        """Return the expression of what steps lead to; None where they go on below structs."""

    def test(self, steps: Steps) -> str | None:
        """Return the test of whether an object is true; None where it is not a struct."""

    def attribute(self, steps: Steps, member: str) -> str | None:
        """Return the attribute of a member of the structs at some steps; None without one."""

    def record(self) -> str:
        """Return the expression of the whole record."""

    def once(self, key: Hashable, expression: Callable[[], str], template: str) -> str:
        """Return the variable of what is read once, by what tells it from all else.

        `template` has the lines that set `{variable}`, to the `{value}` of the expression.
        """

    def shared(self, key: Hashable, expression: Callable[[], str]) -> str:
        """Return the variable of what is read once, or an expression that only rare values need."""

    def rarely(self, expression: Callable[[], str]) -> str:
        """Return an expression that only rare values need: nothing is shared by its parts."""

    def variable(self) -> str:
        """Return the name of a variable that nothing else has."""


def write_expression(node: Node, readings: ReadingWriter) -> str:
    """Return the text of an expression with the node's value of a record."""
    writer = _Writer(readings)
    try:
        return writer.value(node)
    except _InPartsError:  # the record of a row has all that the node reads
        return writer.closure(node)


class _InPartsError(Exception):
    """A value is needed that rows have as a struct, which only members are read of."""


def write_list(node: Node, readings: ReadingWriter) -> str:
    """Return the text of an expression with the list that the value is, or holds as JSON text."""
    part, name = readings.variable(), readings.bind("listed_of", listed)
    value = write_expression(node, readings)
    return f"({part} if type({part} := {value}) is list else {name}({part}))"


_OBJECT: Final = """
    {variable} = {value}
    if type({variable}) is not dict:
        {variable} = object_of({variable})
    """


class _Writer:
    def __init__(self, readings: ReadingWriter) -> None:
        self._readings = readings

    def value(self, node: Node) -> str:
        kind = node["type"]
        if kind == "field" or kind in IN_TURN:
            steps = list(steps_of(node))
            return self._steps(steps) if steps else self._readings.record()
        write = _WRITERS.get(kind)
        return write(self, node) if write else self.closure(node)

    def _bind(self, value: Callable[..., Any]) -> str:
        return self._readings.bind(value.__name__.strip("_"), value)

    # Paths

    def _steps(self, steps: list[Node]) -> str:
        names = leading_steps(steps)
        if len(names) == len(steps) and (place := self._place(names)) is not None:
            return place
        *before, last = steps
        if not before:
            return self.value(last)
        if not names and (text := self._of_first(steps)) is not None:
            return text
        if last["type"] == "field":
            return f"{self._object(before)}.get({self._readings.bind('member', last['value'])})"
        value = self._steps(before)
        if last["type"] == "index":
            return f"{self._bind(step_into)}({value}, {last['value']})"
        return f"{self._readings.bind('evaluate', compile_node(last))}({value})"

    def _place(self, names: Steps) -> str | None:
        """Return the expression of a member of structs; None where it is one of dictionaries."""
        if not self._readings.has(names):
            return "None"
        if self._readings.is_in_parts(names):
            raise _InPartsError
        return self._readings.place(names)

    def _of_first(self, steps: list[Node]) -> str | None:
        """Write `(a || b).c` for objects that are structs; None for any other steps."""
        first, *then = steps
        *before, last = alternatives(first)
        if not before or len(leading_steps(then)) != len(then):
            return None
        text = self._steps([*steps_of(last), *then])
        for alternative in reversed(before):
            names = steps_to(alternative)
            if names is None or (test := self._readings.test(names)) is None:
                return None
            text = f"{self._steps([*steps_of(alternative), *then])} if {test} else {text}"
        return f"({text})"

    def _object(self, steps: list[Node]) -> str:
        """Return the expression of the object that steps lead to: an empty one for any other."""
        if any(map(can_fail, steps)):
            return f"{self._bind(object_of)}({self._steps(steps)})"
        self._bind(object_of)
        key = tuple(map(_identity, steps))
        return self._readings.once(key, lambda: self._steps(steps), _OBJECT)

    # What combines values

    def either(self, node: Node) -> str:
        if can_fail(node):
            return self._either(node)
        return self._readings.shared(("either", _identity(node)), lambda: self._either(node))

    def _either(self, node: Node) -> str:
        first, second = node["children"]
        names = steps_to(first)
        if names and node["type"] == "or_expression" and self._readings.is_in_parts(names):
            raise _InPartsError
        test, part = self._truth(first)
        other = self._readings.rarely(lambda: self.value(second))
        if node["type"] == "or_expression":
            return f"({part} if {test} else {other})"
        return f"({other} if {test} else {part})"

    def _truth(self, node: Node) -> tuple[str, str]:
        """Return the test of whether a value is not false, and the variable that it sets to it."""
        names = steps_to(node)
        if names is not None and self._readings.is_in_parts(names):
            if (test := self._readings.test(names)) is not None:
                return test, "None"
            part = self._readings.variable()
            return f"({part} := {self._readings.place(names)})", part
        part = self._readings.variable()
        if _is_truth_value(node):
            return f"({part} := {self.value(node)})", part
        is_false_text = f"{self._bind(is_false)}({part})"
        is_rare = f"{part} is not None and {part} is not False and not {is_false_text}"
        return f"({part} := {self.value(node)}) or {is_rare}", part

    def negation(self, node: Node) -> str:
        test, _ = self._truth(node["children"][0])
        return f"(not ({test}))"

    def comparator(self, node: Node) -> str:
        left, right = node["children"]
        operator = _OF_TEXTS.get(node["value"])
        if operator and right["type"] == "literal" and type(right["value"]) is str:
            part, text = self._readings.variable(), self.literal(right)
            is_text = f"type({part} := {self.value(left)}) is str"
            other = f"{'not ' * (operator == '!=')}{self._bind(equal)}({part}, {text})"
            return f"({part} {operator} {text} if {is_text} else {other})"
        compare = COMPARISONS[node["value"]]
        name = self._readings.bind(f"compare_{node['value']}", compare)
        return f"{name}({self.value(left)}, {self.value(right)})"

    def call(self, node: Node) -> str:
        name = node["value"]
        if (items := items_read(node)) and self._readings.is_in_parts(items.steps):
            return self._items_value(items)
        if name == "lower" or texts_searched(node) is not None:
            write = self._lower if name == "lower" else self._is_among
            return self._once(node, lambda: write(node))
        if (prepared_call := prepared(node)) is not None:
            of_first = self._readings.bind(f"call_{name}", prepared_call)
            return f"{of_first}({self.value(node['children'][0])})"
        arguments = [
            self._readings.bind("reference", compile_node(child["children"][0]))
            if child["type"] == "expref"
            else self.value(child)
            for child in node["children"]
        ]
        if name in DIRECT:
            return f"{self._readings.bind(f'call_{name}', DIRECT[name])}({', '.join(arguments)})"
        if name in FUNCTIONS:
            function = self._readings.bind(f"call_{name}", FUNCTIONS[name].implementation)
            return f"{function}({', '.join(arguments)})"
        function = self._readings.bind("call_built_in", BUILT_INS.call_function)
        return f"{function}({name!r}, [{', '.join(arguments)}])"

    def _once(self, node: Node, write: Callable[[], str]) -> str:
        """Write a call that mappings repeat: once for all, where it cannot fail."""
        if can_fail(node):
            return write()
        return self._readings.once(("call", _identity(node)), write, "{variable} = {value}")

    def _items_value(self, items: ItemsRead) -> str:
        """Write `items_value` of structs, as objects with the members that it reads."""
        given = self._readings.place(items.steps)
        if items.is_only:
            given = f"[{given}]"
        elements = items.steps if items.is_only else (*items.steps, 0)
        if not self._readings.has((*elements, items.members[0])):
            return "None"
        attributes = {name: self._readings.attribute(elements, name) for name in items.members}
        objects = self._readings.bind("objects_of", objects_of(attributes))
        names = ", ".join(map(self._literal_of, items.members))
        function = self._readings.bind("call_items_value", FUNCTIONS["items_value"].implementation)
        return f"{function}({objects}({given}), {names})"

    def _lower(self, call: Node) -> str:
        """Write `lower(value)`."""
        (node,) = call["children"]
        part, function = self._readings.variable(), FUNCTIONS["lower"].implementation
        other = f"{self._readings.bind('call_lower', function)}({part})"
        return (
            f"({part}.lower() if type({part} := {self.value(node)}) is str"
            f" else None if {part} is None else {other})"
        )

    def _is_among(self, call: Node) -> str:
        """Write `contains([texts], value)`."""
        among, node = call["children"]
        texts = among["value"]
        part, value = self._readings.variable(), self.value(node)
        few, all_of_them = self._readings.bind("texts", frozenset(texts)), self._literal_of(texts)
        otherwise = f"{self._readings.bind('call_contains', DIRECT['contains'])}"
        return (
            f"({part} in {few} if type({part} := {value}) is str"
            f" else {part} is not None and {otherwise}({all_of_them}, {part}))"
        )

    def literal(self, node: Node) -> str:
        return self._literal_of(node["value"])

    def _literal_of(self, value: Any) -> str:
        return repr(value) if value is None else self._readings.bind("constant", value)

    def selection(self, node: Node) -> str:
        """Write `{key: value, ...}` of the record, which is never null."""
        members = (
            f"{self._readings.bind('selected', child['value'])}: {self.value(child['children'][0])}"
            for child in node["children"]
        )
        return "{" + ", ".join(members) + "}"

    def listing(self, node: Node) -> str:
        return "[" + ", ".join(map(self.value, node["children"])) + "]"

    # What stays a closure

    def projection(self, node: Node) -> str:
        """Call the projection with the list that it is of."""
        source, *rest = node["children"]
        if (read := member_of_each(node)) is not None:
            steps, member = read
            if self._readings.is_in_parts(steps):
                evaluate = of_each(self._readings.attribute((*steps, 0), member))
                return f"{self._readings.bind('of_each', evaluate)}({self._readings.place(steps)})"
        if source["type"] == "flatten":
            base = source["children"][0]
            source = {**source, "children": [CURRENT]}
        else:
            base, source = source, CURRENT
        closure = compile_node({**node, "children": [source, *rest]})
        return f"{self._readings.bind('evaluate', closure)}({self.value(base)})"

    def filtered(self, node: Node) -> str:
        """Write `base[?key == 'text'].rest` as a look-up: several such filters share one pass."""
        key, text = _key_and_text(node["children"][2])
        base, rest, _ = node["children"]
        if key is None or can_fail(base):
            return self.projection(node)
        index = self._readings.once(
            ("index", key, _identity(base)),
            lambda: f"{self._bind(indexed)}({self.value(base)}, {self._literal_of(key)})",
            "{variable} = {value}",
        )
        found = f"{self._bind(look_up)}({index}, {self._literal_of(text)})"
        if rest["type"] == "identity":
            return found
        closure = compile_node({"type": "projection", "children": [CURRENT, rest]})
        return f"{self._readings.bind('evaluate', closure)}({found})"

    def flatten(self, node: Node) -> str:
        closure = compile_node({**node, "children": [CURRENT]})
        return f"{self._readings.bind('evaluate', closure)}({self.value(node['children'][0])})"

    def closure(self, node: Node) -> str:
        return f"{self._readings.bind('evaluate', compile_node(node))}({self._readings.record()})"

    def whole_record(self, _: Node) -> str:
        return self._readings.record()


_OF_TEXTS: Final = {"eq": "==", "ne": "!="}
_WRITERS: Final[dict[str, Callable[[_Writer, Node], str]]] = {
    **dict.fromkeys(PROJECTIONS, _Writer.projection),
    "filter_projection": _Writer.filtered,
    **dict.fromkeys(("or_expression", "and_expression"), _Writer.either),
    **dict.fromkeys(("current", "identity"), _Writer.whole_record),
    "not_expression": _Writer.negation,
    "comparator": _Writer.comparator,
    "function_expression": _Writer.call,
    "literal": _Writer.literal,
    "flatten": _Writer.flatten,
    "multi_select_dict": _Writer.selection,
    "multi_select_list": _Writer.listing,
}


def _is_truth_value(node: Node) -> bool:
    """Return whether the node returns true, false or null, and nothing else."""
    kind = node["type"]
    called = node["value"] if kind == "function_expression" else ""
    return kind in ("comparator", "not_expression") or called in ("contains", "starts_with")


def of_each(attribute: str | None) -> Callable[[list[Any] | None], list[Any] | None]:
    """Return the function of a list of structs that returns their attributes but for null.

    Without an attribute there is nothing in them.
    """
    if attribute is None:
        return lambda structs: None if structs is None else []
    get = attrgetter(attribute)

    def members(structs: list[Any] | None) -> list[Any] | None:
        if structs is None:
            return None
        try:
            found = [*map(get, structs)]
        except AttributeError:  # null among them
            found = [get(struct) for struct in structs if struct is not None]
        return found if None not in found else [member for member in found if member is not None]

    return members


def objects_of(attributes: Mapping[str, str | None]) -> Callable[[list[Any] | None], list[Any]]:
    """Return the function of a list of structs that returns objects of their attributes."""
    getters = [(name, attrgetter(attribute)) for name, attribute in attributes.items() if attribute]

    def objects(structs: list[Any] | None) -> list[Any]:
        given = [struct for struct in structs or () if struct is not None]
        return [{name: get(struct) for name, get in getters} for struct in given]

    return objects


def _key_and_text(test: Node) -> tuple[str | None, str | None]:
    """Return the member and the text that a test compares; None where it is another test."""
    if test["type"] != "comparator" or test["value"] != "eq":
        return None, None
    left, right = test["children"]
    if left["type"] == "literal":
        left, right = right, left
    if left["type"] != "field" or right["type"] != "literal" or type(right["value"]) is not str:
        return None, None
    return left["value"], right["value"]


def _identity(node: Node) -> Hashable:
    """Return what two nodes have in common that read the same."""
    return node["type"], repr(node.get("value")), tuple(map(_identity, children(node)))

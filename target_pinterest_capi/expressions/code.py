"""Writes an expression as the text of a Python expression, for a function that is generated.

A closure for each node costs more than what the nodes do. Objects that several expressions step
into are read once for all, and opened where they are JSON text. What is rare (projections, filters,
slices, selections) stays a closure, called with the value that it is applied to. The text holds
names that are made here and operators, and nothing that a user wrote.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
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
from target_pinterest_capi.expressions.ordering import RETURNED, Order
from target_pinterest_capi.expressions.pruning import is_null
from target_pinterest_capi.expressions.syntax import Node, children
from target_pinterest_capi.expressions.values import (
    COMPARISONS,
    NOTHING,
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

    def is_text(self, steps: Steps) -> bool:
        """Return whether steps lead to texts alone, or to nothing."""

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
    if {variable} is None:
        {variable} = nothing
    elif type({variable}) is not dict:
        {variable} = object_of({variable})
    """


class _Writer:
    def __init__(self, readings: ReadingWriter) -> None:
        self._readings = readings

    def _is_text(self, node: Node) -> bool:
        return is_text(node, self._readings)

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
        if not names and (text := self._of_first(steps) or self._of_filter(steps)) is not None:
            return text
        return self._last_of(before, last)

    def _last_of(self, before: list[Node], last: Node) -> str:
        """Write the last of some steps, applied to the result of those before."""
        if last["type"] == "field":
            return f"{self._object(before)}.get({self._readings.bind('member', last['value'])})"
        if (composed := _composed(before, last)) is not None:
            return self.call(composed)
        value = self._steps(before)
        if last["type"] == "index":
            return f"{self._bind(step_into)}({value}, {last['value']})"
        evaluate = self._readings.bind("evaluate", compile_node(last))
        members = [node["value"] for node in alternatives(last) if node["type"] == "field"]
        if len(members) == len(alternatives(last)):
            return self._first_member(value, members, evaluate)
        return f"{evaluate}({value})"

    def _first_member(self, value: str, members: list[str], evaluate: str) -> str:
        """Write `a || b` of an object; `evaluate` is for any other value."""
        part = self._readings.variable()
        *before, text = [f"{part}.get({self._readings.bind('member', name)})" for name in members]
        for member in reversed(before):
            test, variable = self._truth_of(member)
            text = f"({variable} if {test} else {text})"
        other = f"None if {part} is None else {evaluate}({part})"
        return f"({text} if type({part} := {value}) is dict else {other})"

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
        text = "None" if is_null(last) else self._steps([*steps_of(last), *then])
        for alternative in reversed(before):
            names = steps_to(alternative)
            if names is not None and not self._readings.has(names):
                continue
            if names is None or (test := self._readings.test(names)) is None:
                return None
            text = f"{self._steps([*steps_of(alternative), *then])} if {test} else {text}"
        return f"({text})"

    def _object(self, steps: list[Node]) -> str:
        """Return the expression of the object that steps lead to: an empty one for any other."""
        if any(map(can_fail, steps)):
            return f"{self._bind(object_of)}({self._steps(steps)})"
        self._bind(object_of)
        self._readings.bind("nothing", NOTHING)
        key = tuple(map(_identity, steps))
        return self._readings.once(key, lambda: self._steps(steps), _OBJECT)

    # What combines values

    def either(self, node: Node) -> str:
        if can_fail(node):
            return self._either(node)
        return self._readings.shared(("either", _identity(node)), lambda: self._either(node))

    def _either(self, node: Node) -> str:
        first, second = node["children"]
        is_or = node["type"] == "or_expression"
        names = steps_to(first)
        if names and self._readings.is_in_parts(names):
            if is_or:
                raise _InPartsError
            test, part = self._truth(first)
            return f"({self._rarely(second)} if {test} else {part})"
        # What several fields have in common is the condition before `&&`, not a longer beginning.
        value = self._either(first) if is_or and first["type"] in _EITHER else self.value(first)
        if self._is_like_python(first):
            return f"({value} {'or' if is_or else 'and'} {self._rarely(second)})"
        test, part = self._truth_of(value)
        other = self._rarely(second)
        return f"({part} if {test} else {other})" if is_or else f"({other} if {test} else {part})"

    def _rarely(self, node: Node) -> str:
        return self._readings.rarely(lambda: self.value(node))

    def _is_like_python(self, node: Node) -> bool:
        """Return whether the node's value is true in Python where it is in JMESPath.

        A number is always true in JMESPath, and so is a struct in Python.
        """
        kind = node["type"]
        if kind == "or_expression":
            return all(map(self._is_like_python, node["children"]))
        if kind == "and_expression":  # the first is the value only if it is false
            return self._is_like_python(node["children"][1])
        if kind == "literal":
            value = node["value"]
            return type(value) is bool or not isinstance(value, int | float | Decimal)
        called = node["value"] if kind == "function_expression" else ""
        return kind in _WITHOUT_NUMBERS or called in _TESTS or self._is_text(node)

    def _truth(self, node: Node) -> tuple[str, str]:
        """Return the test of whether a value is not false, and the variable that it sets to it."""
        names = steps_to(node)
        if names is None or not self._readings.is_in_parts(names):
            return self._truth_of(self.value(node))
        if (test := self._readings.test(names)) is not None:
            return test, "None"
        part = self._readings.variable()
        return f"({part} := {self._readings.place(names)})", part

    def _truth_of(self, value: str) -> tuple[str, str]:
        part = self._readings.variable()
        is_false_text = f"{self._bind(is_false)}({part})"
        is_rare = f"{part} is not None and {part} is not False and not {is_false_text}"
        return f"({part} := {value}) or {is_rare}", part

    def negation(self, node: Node) -> str:
        (negated,) = node["children"]
        if self._is_like_python(negated):
            return f"(not {self.value(negated)})"
        test, _ = self._truth(negated)
        return f"(not ({test}))"

    def comparator(self, node: Node) -> str:
        left, right = node["children"]
        constant = right["value"] if right["type"] == "literal" else None
        operator = _EQUALITY.get(node["value"])
        if operator and type(constant) is str:
            text = self.literal(right)
            if self._is_text(left):
                return f"({self.value(left)} {operator} {text})"
            part = self._readings.variable()
            is_usual = f"type({part} := {self.value(left)}) is str"
            other = f"{'not ' * (operator == '!=')}{self._bind(equal)}({part}, {text})"
            return f"({part} {operator} {text} if {is_usual} else {other})"
        compare = self._readings.bind(f"compare_{node['value']}", COMPARISONS[node["value"]])
        if type(constant) is not int:
            return f"{compare}({self.value(left)}, {self.value(right)})"
        operator, of_null = _OF_NUMBERS[node["value"]], str(COMPARISONS[node["value"]](None, 0))
        part, number = self._readings.variable(), self.literal(right)
        is_usual = f"type({part} := {self.value(left)}) is int"
        other = f"{of_null} if {part} is None else {compare}({part}, {number})"
        return f"({part} {operator} {number} if {is_usual} else {other})"

    def call(self, node: Node) -> str:
        name = node["value"]
        if (items := items_read(node)) and self._readings.is_in_parts(items.steps):
            return self._items_value(items)
        if name == "concat" and all(map(self._is_text, node["children"])):
            return self._concat(node["children"])
        if name in _TEXT_METHODS or texts_searched(node) is not None:
            write = self._changed if name in _TEXT_METHODS else self._is_among
            return self._once(node, lambda: write(node))
        if (prepared_call := prepared(node)) is not None:
            return self._shared(node, lambda: self._prepared(node, prepared_call))
        arguments = [
            self._readings.bind("reference", compile_node(child["children"][0]))
            if child["type"] == "expref"
            else self.value(child)
            for child in node["children"]
        ]
        if name in DIRECT or name in FUNCTIONS:
            given = DIRECT[name] if name in DIRECT else FUNCTIONS[name].implementation
            return f"{self._readings.bind(f'call_{name}', given)}({', '.join(arguments)})"
        function = self._readings.bind("call_built_in", BUILT_INS.call_function)
        return f"{function}({name!r}, [{', '.join(arguments)}])"

    def _prepared(self, node: Node, of_first: Callable[[Any], Any]) -> str:
        """Write a call of which all arguments but the first are constants."""
        name = self._readings.bind(f"call_{node['value']}", of_first)
        return f"{name}({self.value(node['children'][0])})"

    def _concat(self, nodes: list[Node]) -> str:
        """Write `concat(text, ...)`, which is null if a part is null or empty."""
        parts, tests = [], []
        for node in nodes:
            if node["type"] == "literal" and node["value"]:
                parts.append(self.literal(node))
                continue
            parts.append(self._readings.variable())
            tests.append(f"({parts[-1]} := {self.value(node)})")
        return f"({' + '.join(parts)} if {' and '.join(tests) or 'True'} else None)"

    def _shared(self, node: Node, write: Callable[[], str]) -> str:
        """Write a call that mappings repeat, of which some need the value only rarely."""
        return (
            write() if can_fail(node) else self._readings.shared(("call", _identity(node)), write)
        )

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

    def _changed(self, call: Node) -> str:
        """Write `lower(value)`, or another function that is a method of texts."""
        (node,) = call["children"]
        name, part = call["value"], self._readings.variable()
        changed, value = f"{part}.{_TEXT_METHODS[name]}()", self.value(node)
        if self._is_text(node):
            return f"(None if ({part} := {value}) is None else {changed})"
        other = f"{self._readings.bind(f'call_{name}', FUNCTIONS[name].implementation)}({part})"
        return (
            f"({changed} if type({part} := {value}) is str"
            f" else None if {part} is None else {other})"
        )

    def _is_among(self, call: Node) -> str:
        """Write `contains([texts], value)`."""
        among, node = call["children"]
        texts = among["value"]
        few, value = self._readings.bind("texts", frozenset(texts)), self.value(node)
        if self._is_text(node):
            return f"({value} in {few})"
        part, all_of_them = self._readings.variable(), self._literal_of(texts)
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
        if (found := self._found(node)) is None:
            return self.projection(node)
        index, text = found
        elements = f"{self._bind(look_up)}({index}, {text})"
        rest = node["children"][1]
        if rest["type"] == "identity":
            return elements
        closure = compile_node({"type": "projection", "children": [CURRENT, rest]})
        return f"{self._readings.bind('evaluate', closure)}({elements})"

    def _of_filter(self, steps: list[Node]) -> str | None:
        """Write `base[?key == 'text'].rest | [0]`; None for any other steps."""
        first, *then = steps
        if first["type"] != "filter_projection" or leading_steps(then) != (0,) or len(then) > 1:
            return None
        if (found := self._found(first)) is None:
            return None
        index, text = found
        part = self._readings.variable()
        evaluate = self._readings.bind("first", first_of(compile_node(first["children"][1])))
        return f"({evaluate}({part}) if ({part} := {index}.get({text})) else None)"

    def _found(self, node: Node) -> tuple[str, str] | None:
        """Return the index of `base[?key == 'text']` and the text; None for another filter."""
        key, text = _key_and_text(node["children"][2])
        base = node["children"][0]
        if key is None or can_fail(base):
            return None
        index = self._readings.once(
            ("index", key, _identity(base)),
            lambda: f"{self._bind(indexed)}({self.value(base)}, {self._literal_of(key)})",
            "{variable} = {value}",
        )
        return index, self._literal_of(text)

    def flatten(self, node: Node) -> str:
        closure = compile_node({**node, "children": [CURRENT]})
        return f"{self._readings.bind('evaluate', closure)}({self.value(node['children'][0])})"

    def closure(self, node: Node) -> str:
        return f"{self._readings.bind('evaluate', compile_node(node))}({self._readings.record()})"

    def whole_record(self, _: Node) -> str:
        return self._readings.record()


_EQUALITY: Final = {"eq": "==", "ne": "!="}
_EITHER: Final = ("or_expression", "and_expression")
_OF_NUMBERS: Final = {**_EQUALITY, "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
# Whose values are neither numbers nor structs.
_WITHOUT_NUMBERS: Final = PROJECTIONS | {
    "comparator", "not_expression", "flatten", "multi_select_dict", "multi_select_list",
}  # fmt: skip
_TESTS: Final = frozenset(
    {"contains", "starts_with", "ends_with", "is_true", "us_opt_out", "consented"}
)
# Functions of a text, or of one in another form, that are methods of Python's.
_TEXT_METHODS: Final = {"lower": "lower", "upper": "upper", "trim": "strip"}
_WRITERS: Final[dict[str, Callable[[_Writer, Node], str]]] = {
    **dict.fromkeys(PROJECTIONS, _Writer.projection),
    "filter_projection": _Writer.filtered,
    **dict.fromkeys(_EITHER, _Writer.either),
    **dict.fromkeys(("current", "identity"), _Writer.whole_record),
    "not_expression": _Writer.negation,
    "comparator": _Writer.comparator,
    "function_expression": _Writer.call,
    "literal": _Writer.literal,
    "flatten": _Writer.flatten,
    "multi_select_dict": _Writer.selection,
    "multi_select_list": _Writer.listing,
}


def _composed(before: list[Node], last: Node) -> Node | None:
    """Return `call(value, 'text')` for `value | call(@, 'text')`; None for any other last step."""
    if last["type"] != "function_expression":
        return None
    given = [child["type"] for child in last["children"]]
    if given.count("current") != 1 or given.count("literal") != len(given) - 1:
        return None
    only = len(before) == 1
    value = before[0] if only else {"type": "subexpression", "children": before}
    arguments = [value if child["type"] == "current" else child for child in last["children"]]
    return {**last, "children": arguments}


def is_text(node: Node, readings: ReadingWriter) -> bool:
    """Return whether a node's value is sure to be a text or null."""
    kind = node["type"]
    if kind in _EITHER:
        first, second = node["children"]
        is_first = _is_text_if_true if kind == "or_expression" else is_text
        return is_first(first, readings) and is_text(second, readings)
    if kind == "literal":
        return node["value"] is None or type(node["value"]) is str
    if kind == "function_expression":
        return RETURNED.get(node["value"]) is Order.TEXT
    steps = list(steps_of(node))
    return bool(steps) and _lead_to_text(steps, readings)


def _lead_to_text(steps: list[Node], readings: ReadingWriter) -> bool:
    first, *others = steps
    if others and (composed := _composed(steps[:-1], steps[-1])) is not None:
        return is_text(composed, readings)
    then = leading_steps(others)
    places = [steps_to(part) for part in alternatives(first) if not is_null(part)]
    return len(then) == len(others) and all(
        place and readings.is_text((*place, *then)) for place in places
    )


def _is_text_if_true(node: Node, readings: ReadingWriter) -> bool:
    if node["type"] == "and_expression":
        return _is_text_if_true(node["children"][1], readings)
    if node["type"] == "or_expression":
        return all(_is_text_if_true(child, readings) for child in node["children"])
    return is_text(node, readings)


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


def first_of(evaluate: Callable[[Any], Any]) -> Callable[[Sequence[Any]], Any]:
    """Return the function of elements that returns their first value that is not null.

    `evaluate` returns the value of one.
    """

    def first(elements: Sequence[Any]) -> Any:
        for element in elements:
            if (value := evaluate(element)) is not None:
                return value
        return None

    return first


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

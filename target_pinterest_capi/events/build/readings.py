"""What a generated function reads from its record or row: the lines, each value once if possible.

Expressions write themselves, with `plan.Code`, and ask here for columns and names.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final

from target_pinterest_capi.events.build.columns import ItemColumns, Values
from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.events.build.members import CompiledField, Steps
from target_pinterest_capi.events.build.plan import Code
from target_pinterest_capi.events.build.shapes import Kind


class Readings:
    """The readings of one function; lines are written before those that need them."""

    def __init__(self, source: FunctionSource, values: Values, depth: int = 1) -> None:
        self._source = source
        self._values = values
        self._depth = depth
        self._known: dict[Hashable, str] = {}
        self._is_rare = False  # what is being written

    # What expressions ask for

    def bind(self, name: str, value: Any) -> str:
        """Return the name by which the function finds a value."""
        return self._source.bind(name, value)

    def column(self, name: str, path: str = "") -> str:
        """Return the expression of a column's value, read for a field."""
        return self._values.value(self._source, name, path)

    def has(self, steps: Steps) -> bool:
        """Return whether there can be a value where steps lead to."""
        return self._values.at(steps) is not None

    def is_in_parts(self, steps: Steps) -> bool:
        """Return whether steps lead to structs, of which only members are read."""
        return self._kind_at(steps) in (Kind.OBJECT, Kind.OBJECTS)

    def is_text(self, steps: Steps) -> bool:
        """Return whether steps lead to texts alone, or to nothing."""
        return self._kind_at(steps) in (Kind.TEXT, None)

    def place(self, steps: Steps) -> str | None:
        """Return the expression of what steps lead to; None where they go on below structs."""
        *before, last = steps
        if not before:
            return self.column(str(last))
        found = self._values.at(before)
        if found is None:
            return "None"
        if found.kind is Kind.OBJECT:
            member = found.members.get(str(last))
            return "None" if member is None else f"{self._struct(before)}.{member.attribute}"
        if found.kind is not Kind.OBJECTS:
            return None
        part, number = self.variable(), int(last)
        least = -number if number < 0 else number + 1
        is_long = f" and len({part}) >= {least}" if least > 1 else ""
        return f"({part}[{number}] if ({part} := {self.place(before)}){is_long} else None)"

    def test(self, steps: Steps) -> str | None:
        """Return the test of whether an object is true; None where it is not a struct."""
        if self._kind_at(steps) is not Kind.OBJECT:
            return None
        return f"{self._struct(steps)} is not {self._empty(steps)}"

    def attribute(self, steps: Steps, member: str) -> str | None:
        """Return the attribute of a member of the structs at some steps; None without one."""
        found = self._values.at((*steps, member))
        return None if found is None else found.attribute

    def record(self) -> str:
        """Return the expression of the record, or of what a row has of it."""
        return self._values.record(self._source)

    def once(self, key: Hashable, expression: Callable[[], str], template: str) -> str:
        """Return the variable of what is read once; its lines are written if it is new."""
        if key not in self._known:
            value = expression()
            self._known[key] = variable = self.variable()
            self._lines(template, variable=variable, value=value)
        return self._known[key]

    def shared(self, key: Hashable, expression: Callable[[], str]) -> str:
        """Return the variable of what is read once, or an expression that only rare values need."""
        if self._is_rare and key not in self._known:
            return expression()
        return self.once(key, expression, "{variable} = {value}")

    def rarely(self, expression: Callable[[], str]) -> str:
        """Return an expression that only rare values need: nothing is shared by its parts."""
        was_rare, self._is_rare = self._is_rare, True
        try:
            return expression()
        finally:
            self._is_rare = was_rare

    def variable(self) -> str:
        """Return the name of a new variable."""
        return self._source.variable()

    # What fields ask for

    def again(self, field: CompiledField) -> str:
        """Return the expression that reads a field's value by all its rules."""
        return f"{self.bind(f'read_{field.path}', field.get)}({self.record()})"

    def write(self, field: CompiledField, variable: str) -> bool:
        """Write the lines that set a variable to a field's value; return whether that is final.

        Otherwise it is the first value that is not missing. If its field does not accept it,
        `again` decides.
        """
        if field.get is None:
            value = self.column(field.column, field.path)
        elif not field.codes and field.constant is not None:
            value = self.bind(f"constant_{field.path}", field.constant)
        elif not field.codes:
            value = self.again(field)
        elif not field.is_first_of_several:
            (code,) = field.codes
            self._write_one(code, code.write(self), variable, field)
            return True
        else:
            self._write_first(field, variable)
            return False
        self._lines("{variable} = {value}", variable=variable, value=value)
        return True

    def write_each(self, field: CompiledField) -> list[tuple[str, bool]]:
        """Write the lines that read all values of a field; return the expressions of them.

        Each with whether it is sure to be a text or None.
        """
        values = []
        for code in field.codes:
            value = code.write(self)
            if code.failures or not value.replace(".", "").isidentifier():
                given, value = value, self.variable()
                self._write_one(code, given, value, field)
            values.append((value, self._kind_of(code) is Kind.TEXT))
        return values

    def kind(self, field: CompiledField) -> Kind | None:
        """Return what is read for a field; None where that is known to be nothing."""
        if field.get is None:
            return self._kind_at((field.column,))
        kinds = {self._kind_of(code) for code in field.codes}
        is_text = field.constant is None or isinstance(field.constant, str)
        if kinds == {Kind.TEXT} and is_text:
            return Kind.TEXT
        return Kind.NUMBER if kinds == {Kind.NUMBER} else Kind.ANY

    def structs(self, steps: Steps | None) -> str | None:
        """Return the expression of a list of structs; None where steps lead to other values."""
        if steps is None or self._kind_at(steps) is not Kind.OBJECTS:
            return None
        return self.place(steps)

    def of_items(self, steps: Steps | None, depth: int) -> "Readings":
        """Return the readings of the objects of a list, in a loop."""
        values = ItemColumns() if steps is None else self._values.objects(steps)
        return Readings(self._source, values, depth)

    def value_of(self, code: Code) -> str:
        """Return the expression of a value that cannot fail."""
        return code.write(self)

    def inner(self) -> "Readings":
        """Return the readings of lines in a branch: what they read first is known only there."""
        inner = Readings(self._source, self._values, self._depth + 1)
        inner._known = dict(self._known)
        return inner

    def _kind_of(self, code: Code) -> Kind | None:
        if code.steps is not None:
            return self._kind_at(code.steps)
        return Kind.TEXT if code.is_text(self) and not code.failures else Kind.ANY

    def _kind_at(self, steps: Steps) -> Kind | None:
        found = self._values.at(steps)
        return None if found is None else found.kind

    def _struct(self, steps: Steps) -> str:
        """Return the variable of a struct, which is the empty one where there is none."""
        template = f"{_STRUCT}{self._empty(steps)}"
        return self.once(("struct", *steps), lambda: str(self.place(steps)), template)

    def _empty(self, steps: Steps) -> str:
        found = self._values.at(steps)
        return self.bind("empty", None if found is None else found.empty)

    def _lines(self, template: str, deeper: int = 0, **parts: str) -> None:
        self._source.write(template, self._depth + deeper, **parts)

    def _write_one(self, code: Code, value: str, variable: str, field: CompiledField) -> None:
        if not code.failures:
            self._lines("{variable} = {value}", variable=variable, value=value)
            return
        self._lines(
            _FALLIBLE,
            variable=variable,
            value=value,
            failures=self.bind("failures", code.failures),
            failed=self.bind(f"failed_{field.path}", field.failed),
        )

    def _write_first(self, field: CompiledField, variable: str) -> None:
        first, *others = field.codes
        values = [first.write(self)]
        values += [self.rarely(partial(code.write, self)) for code in others]
        if field.constant is not None:
            values.append(self.bind(f"constant_{field.path}", field.constant))
        lines = f"{variable} = {values[0]}"
        if len(values) > 1:
            *between, last = values[1:]
            tests = [f"{variable} is None"]
            tests += [f"({variable} := {value}) is None" for value in between]
            lines += f"\nif {' and '.join(tests)}:\n    {variable} = {last}"
        failures = next((code.failures for code in field.codes if code.failures), ())
        if failures:
            self._lines("try:")
        self._lines("{lines}", 1 if failures else 0, lines=lines)
        if failures:
            self._lines(
                "except {failures}:\n    {variable} = {unusable}",
                variable=variable,
                failures=self.bind("failures", failures),
                unusable=self.bind("unusable", UNUSABLE),
            )


_STRUCT: Final = "{variable} = {value}\nif {variable} is None:\n    {variable} = "
UNUSABLE: Final = object()  # not a value that a field accepts
_FALLIBLE: Final = """
    try:
        {variable} = {value}
    except {failures}:
        {variable} = {failed}()  # notes it, and is None
    """

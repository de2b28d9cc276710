"""How a generated function reads columns: of records, or of rows.

A row is a struct with a stream's columns as attributes, None if the record has none; it is decoded
in half the time of a record. What a row does not contain is read from the record of its line.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Final, Protocol

from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.events.build.shapes import (
    ANY_COLUMN,
    Kind,
    RowColumn,
    column_at,
    number_of,
)


class Values(Protocol):
    """The code by which a function reads named values: columns, or members of an object."""

    def record(self, source: FunctionSource) -> str:
        """Return the expression of the record, with at least the columns that expressions read."""

    def value(self, source: FunctionSource, column: str, path: str) -> str:
        """Return the expression of a column's value, read for a field."""

    def at(self, steps: Sequence[str | int]) -> RowColumn | None:
        """Return what is held where steps lead to; None where that is known to be nothing."""

    def objects(self, steps: Sequence[str | int]) -> "Values":
        """Return how the members are read of `item`, an object of the list at some steps."""


class Columns(Values, Protocol):
    """The code by which a function reads columns."""

    @property
    def parameters(self) -> str:
        """The function's parameters."""

    def open(self, source: FunctionSource) -> None:
        """Write the first lines of the function."""

    def key(self, source: FunctionSource, key_properties: Collection[str]) -> str:
        """Return the expression of a mapping with the key properties that exist."""

    def whole(self, source: FunctionSource, key_properties: Collection[str]) -> str:
        """Return the expression of what an `event_id` is derived from: a record, or its key."""


class ItemColumns:
    """Members of a dictionary, `owner`, by its `get`: here of `item`, an object in a list."""

    owner: ClassVar[str] = "item"

    def record(self, source: FunctionSource) -> str:  # noqa: ARG002 - rows need it
        """Return the dictionary."""
        return self.owner

    def value(self, source: FunctionSource, column: str, path: str) -> str:
        """Return the call of the dictionary's `get`."""
        return f"get_{self.owner}({source.bind(f'column_{path}' if path else 'column', column)})"

    def at(self, steps: Sequence[str | int]) -> RowColumn | None:  # noqa: ARG002 - rows need it
        """Return that it may be anything."""
        return ANY_COLUMN

    def objects(self, steps: Sequence[str | int]) -> "ItemColumns":  # noqa: ARG002 - rows need it
        """Return the columns of objects, which are dictionaries too."""
        return ItemColumns()


class RecordColumns(ItemColumns):
    """Columns of records: dictionaries by column."""

    owner: ClassVar[str] = "record"
    parameters: Final = "account, record"

    def open(self, source: FunctionSource) -> None:
        """Write the line that reads the method once."""
        source.write("get_record = record.get")

    def key(self, source: FunctionSource, key_properties: Collection[str]) -> str:  # noqa: ARG002
        """Return the record: it has the key properties."""
        return "record"

    def whole(self, source: FunctionSource, key_properties: Collection[str]) -> str:  # noqa: ARG002
        """Return the record."""
        return "record"


class AttributeColumns:
    """Columns as attributes of the struct `owner`: of a row, or of an object in one.

    `reads` are the columns that expressions read.
    """

    def __init__(
        self, owner: str, columns: Mapping[str, RowColumn], reads: Iterable[str] = ()
    ) -> None:
        self._owner = owner
        self._columns = columns
        self._record_of = compile_record(
            {column: columns[column] for column in reads if column in columns}
        )

    def record(self, source: FunctionSource) -> str:
        """Return the call that makes a dictionary of the columns that expressions read."""
        return f"{source.bind('record_of', self._record_of)}({self._owner})"

    def value(self, source: FunctionSource, column: str, path: str) -> str:  # noqa: ARG002
        """Return the attribute."""
        found = self._columns.get(column)
        return "None" if found is None else f"{self._owner}.{found.attribute}"

    def at(self, steps: Sequence[str | int]) -> RowColumn | None:
        """Return what structs hold where steps lead to; None where there is nothing."""
        return column_at(self._columns, steps)

    def objects(self, steps: Sequence[str | int]) -> Values:
        """Return the members of the objects in a list."""
        found = self.at(steps)
        if found is None or found.kind is not Kind.OBJECTS:
            return ItemColumns()
        return AttributeColumns("item", found.members, found.members)


class RowColumns(AttributeColumns):
    """Columns of rows.

    `reads` are the columns that expressions read; `as_record` returns the record of a line, and
    `build_record` is the function of records.
    """

    parameters: Final = "account, row, line"

    def __init__(
        self,
        columns: Mapping[str, RowColumn],
        as_record: Callable[[bytes], Any],
        build_record: Callable[..., Any],
        reads: Collection[str],
    ) -> None:
        super().__init__("row", columns, reads)
        self._as_record = as_record
        self._build_record = build_record

    def open(self, source: FunctionSource) -> None:
        """Write the lines for rows that do not say whether an object is true.

        Objects with nothing in them and with nothing but null are the same struct.
        """
        for place, column in _tested("row", self._columns):
            source.write(
                _UNCLEAR,
                place=place,
                empty=source.bind("empty", column.empty),
                build_record=source.bind("build_record", self._build_record),
                as_record=source.bind("as_record", self._as_record),
            )

    def key(self, source: FunctionSource, key_properties: Collection[str]) -> str:
        """Return a dictionary of the columns."""
        members = [
            f"{source.bind('column', column)}: {self.value(source, column, '')}"
            for column in key_properties
        ]
        return "{" + ", ".join(members) + "}"

    def whole(self, source: FunctionSource, key_properties: Collection[str]) -> str:
        """Return the record of the line, or the row's key if no key property is None.

        A record without a column and one with null in it are the same row.
        """
        record = f"{source.bind('as_record', self._as_record)}(line)"
        if not key_properties:
            return record
        key = self.key(source, key_properties)
        return f"key if None not in (key := {key}).values() else {record}"


def _tested(
    owner: str, columns: Mapping[str, RowColumn], guard: str = ""
) -> Iterator[tuple[str, RowColumn]]:
    """Yield the objects that are tested, each after the expression of it."""
    for column in columns.values():
        if column.kind is Kind.OBJECT:
            place = f"{owner}.{column.attribute}"
            if column.is_tested:
                yield guard + place, column
            yield from _tested(place, column.members, f"{guard}{place} is not None and ")


_UNCLEAR: Final = """
    if {place} == {empty}:
        return {build_record}(account, {as_record}(line))
    """


def compile_record(columns: Mapping[str, RowColumn]) -> Callable[[Any], dict[str, Any]]:
    """Return the function that makes a record, or an object of one, from a struct of columns."""
    values = [(name, attrgetter(column.attribute)) for name, column in columns.items()]
    restored = [
        (name, restore)
        for name, column in columns.items()
        if (restore := _restored(column)) is not None
    ]

    def record_of(struct: Any) -> dict[str, Any]:
        record = {name: get(struct) for name, get in values}
        for name, restore in restored:
            record[name] = restore(record[name])
        return record

    return record_of


def _restored(column: RowColumn) -> Callable[[Any], Any] | None:
    """Return what makes a record's value from a row's; None where they are the same."""
    if column.kind is Kind.NUMBER:
        return number_of
    if column.kind not in (Kind.OBJECT, Kind.OBJECTS):
        return None
    object_of = compile_record(column.members)
    if column.kind is Kind.OBJECT:
        return lambda struct: None if struct is None else object_of(struct)

    def objects_of(structs: Any) -> Any:
        if structs is None:
            return None
        return [None if struct is None else object_of(struct) for struct in structs]

    return objects_of

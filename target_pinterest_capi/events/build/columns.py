"""How a generated function reads columns: of records, or of rows.

A row is a struct with a stream's columns as attributes, None if the record has none; it is decoded
in half the time of a record. What a row does not contain is read from the record of its line.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from typing import Any, ClassVar, Final, Protocol

from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.events.build.shapes import Kind, RowColumn, number_of


class Values(Protocol):
    """The code by which a function reads named values: columns, or members of an object."""

    def record(self, source: FunctionSource) -> str:
        """Return the expression of the record, with at least the columns that expressions read."""

    def value(self, source: FunctionSource, column: str, path: str) -> str:
        """Return the expression of a column's value, read for a field."""

    def kind(self, column: str) -> Kind | None:
        """Return what a column holds; None where it is known to hold nothing."""

    def objects(self, column: str) -> "Values":
        """Return how the members are read of `item`, an object of a column's list."""

    def attribute(self, column: str, member: str) -> str | None:
        """Return the attribute of a member of a column's structs; None where it has none."""


class Columns(Values, Protocol):
    """The code by which a function reads columns."""

    @property
    def parameters(self) -> str:
        """The function's parameters."""

    @property
    def opening(self) -> str:
        """The first line of the function; may be empty."""

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

    def kind(self, column: str) -> Kind | None:  # noqa: ARG002 - rows need it
        """Return that it may hold anything."""
        return Kind.ANY

    def objects(self, column: str) -> "ItemColumns":  # noqa: ARG002 - rows need it
        """Return the columns of objects, which are dictionaries too."""
        return ItemColumns()

    def attribute(self, column: str, member: str) -> str | None:  # noqa: ARG002 - rows have them
        """Return that objects are dictionaries."""
        return None


class RecordColumns(ItemColumns):
    """Columns of records: dictionaries by column."""

    owner: ClassVar[str] = "record"
    parameters: Final = "account, record"
    opening: Final = "get_record = record.get"

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

    def kind(self, column: str) -> Kind | None:
        """Return what the column holds; None where there is none."""
        found = self._columns.get(column)
        return None if found is None else found.kind

    def objects(self, column: str) -> Values:
        """Return the members of the objects in the column's lists."""
        found = self._columns.get(column)
        if found is None or found.kind is not Kind.OBJECTS:
            return ItemColumns()
        return AttributeColumns("item", found.members, found.members)

    def attribute(self, column: str, member: str) -> str | None:
        """Return the attribute of a member of the objects in a column's lists."""
        found = self._columns.get(column)
        if found is None or found.kind is not Kind.OBJECTS:
            return None
        return found.members[member].attribute


class RowColumns(AttributeColumns):
    """Columns of rows.

    `reads` are the columns that expressions read; `as_record` returns the record of a line.
    """

    parameters: Final = "account, row, line"
    opening: Final = ""

    def __init__(
        self,
        columns: Mapping[str, RowColumn],
        as_record: Callable[[bytes], Any],
        reads: Collection[str],
    ) -> None:
        super().__init__("row", columns, reads)
        self._as_record = as_record

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
    if column.kind is not Kind.OBJECTS:
        return None
    object_of = compile_record(column.members)

    def objects_of(structs: Any) -> Any:
        if structs is None:
            return None
        return [None if struct is None else object_of(struct) for struct in structs]

    return objects_of

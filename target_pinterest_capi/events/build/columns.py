"""How a generated function reads columns: of records, or of rows.

A row is a struct with a stream's columns as attributes, None if the record has none; it is decoded
in half the time of a record. What a row does not contain is read from the record of its line.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Protocol

from target_pinterest_capi.events.build.function_source import FunctionSource


class Values(Protocol):
    """The code by which a function reads named values: columns, or members of an object."""

    def record(self, source: FunctionSource) -> str:
        """Return the expression of the record, with at least the columns that expressions read."""

    def value(self, source: FunctionSource, column: str, path: str) -> str:
        """Return the expression of a column's value, read for a field."""


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


class RecordColumns:
    """Columns of records: dictionaries by column."""

    parameters: Final = "account, record"

    opening: Final = "get_record = record.get"

    def record(self, source: FunctionSource) -> str:  # noqa: ARG002 - rows need it
        """Return the record."""
        return "record"

    def value(self, source: FunctionSource, column: str, path: str) -> str:
        """Return the call of the record's `get`."""
        return f"get_record({source.bind(f'column_{path}' if path else 'column', column)})"

    def key(self, source: FunctionSource, key_properties: Collection[str]) -> str:  # noqa: ARG002
        """Return the record: it has the key properties."""
        return "record"

    def whole(self, source: FunctionSource, key_properties: Collection[str]) -> str:  # noqa: ARG002
        """Return the record."""
        return "record"


class ItemColumns:
    """Members of an object in a list: of the dictionary `item`, by its `get_item`."""

    def record(self, source: FunctionSource) -> str:  # noqa: ARG002 - rows need it
        """Return the object."""
        return "item"

    def value(self, source: FunctionSource, column: str, path: str) -> str:
        """Return the call of the object's `get`."""
        return f"get_item({source.bind(f'column_{path}' if path else 'column', column)})"


class RowColumns:
    """Columns of rows: `attributes` by column.

    `reads` are the columns that expressions read; `as_record` returns the record of a line.
    """

    parameters: Final = "account, row, line"
    opening: Final = ""

    def __init__(
        self,
        attributes: Mapping[str, str],
        as_record: Callable[[bytes], Any],
        reads: Collection[str],
    ) -> None:
        self._attributes = attributes
        self._as_record = as_record
        read = {column: attributes[column] for column in reads if column in attributes}

        def record_of(row: Any) -> dict[str, Any]:
            return {column: getattr(row, attribute) for column, attribute in read.items()}

        self._record_of = record_of

    def record(self, source: FunctionSource) -> str:
        """Return the call that makes a record from the columns that expressions read."""
        return f"{source.bind('record_of', self._record_of)}(row)"

    def value(self, source: FunctionSource, column: str, path: str) -> str:  # noqa: ARG002
        """Return the row's attribute."""
        attribute = self._attributes.get(column)
        return "None" if attribute is None else f"row.{attribute}"

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

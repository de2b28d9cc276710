"""Rows: RECORD lines of one stream, read into structs in half the time of a record.

Recognizes a stream's lines by their beginning, and decodes them. A line that is not a row is not an
error here: the reader decodes it as any message.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

from target_pinterest_capi.events.build.shapes import UNREAD, Kind, RowColumn, Shape
from target_pinterest_capi.singer import messages

_NOT_READ: Final = msgspec.Raw(b"")
_MEMBERS: Final[Mapping[Kind, tuple[Any, Any]]] = {  # type and default
    Kind.ANY: (Any, None),
    Kind.TEXT: (str | None, None),
    Kind.TEXTS: (list[str] | None, None),
    Kind.NUMBER: (msgspec.Raw, msgspec.Raw(b"null")),
}
_is_no_member: Final = re.compile(r'["\\\x00-\x1f\ud800-\udfff]').search  # as msgspec says


class Rows(NamedTuple):
    """How a stream's RECORD lines are read into rows.

    A row is a struct with an attribute for each column, None where a record has none. `decode`
    returns a line's message, whose `record` is the row; it raises ValueError on any line that is
    not a RECORD of the stream with no other columns, and no value of another shape. `decode_record`
    does the same with a line that is only the record, as in the files of a BATCH. `columns` are
    those that are read.
    """

    decode: Callable[[bytes], Any]
    decode_record: Callable[[bytes], Any]
    columns: Mapping[str, RowColumn]


class RowHandler(NamedTuple):
    """How a stream's rows are read, by a function of `Rows`, and handled, each with its line.

    `count_misfit` is called for a line that begins like a row and is not one.
    """

    decode: Callable[[bytes], Any]
    handle_row: Callable[[Any, bytes], None]
    count_misfit: Callable[[], None] = lambda: None


class RecordHandler(Protocol):
    """Gets the records of a stream."""

    @property
    def rows(self) -> RowHandler | None:
        """How lines can be read as rows from now on; None if they cannot."""

    @property
    def batch_rows(self) -> RowHandler | None:
        """The same for the lines of a BATCH's files, which are only the record."""

    def handle_record(self, record: dict[str, Any]) -> None:
        """Handle one record. Raises `RunStopped` if the run must stop."""


def compile_rows(stream: str, columns: Iterable[str], read: Mapping[str, Shape]) -> Rows | None:
    """Compile the reading of a stream's rows: `read` has the shapes of the columns that are read.

    The others are skipped. A member is found at once where lines have `columns` in their order, and
    is searched where they do not. None where a column has a name that a struct's member cannot
    have.
    """
    columns = list(columns)
    if any(map(_is_no_member, columns)) or any(map(_is_no_member, _members_in(read))):
        return None
    attributes = {column: f"column_{number}" for number, column in enumerate(columns)}
    row, of_row = _compile_struct("Row", attributes, read)
    message = msgspec.defstruct(
        "RowMessage",
        [("type", Literal["RECORD"]), ("stream", Literal[stream]), ("record", row)],
        gc=False,
    )
    return Rows(
        msgspec.json.Decoder(message, float_hook=Decimal).decode,
        msgspec.json.Decoder(row, float_hook=Decimal).decode,
        of_row,
    )


def _members_in(shapes: Mapping[str, Shape]) -> Iterator[str]:
    """Yield the names of the members of objects, at any depth."""
    for shape in shapes.values():
        yield from shape.members
        yield from _members_in(shape.members)


def _compile_struct(
    name: str, attributes: Mapping[str, str], read: Mapping[str, Shape]
) -> tuple[Any, dict[str, RowColumn]]:
    """Return the struct of an object's members, and those of them that are read."""
    members: list[tuple[str, Any, Any]] = []
    columns: dict[str, RowColumn] = {}
    for column, attribute in attributes.items():
        shape = read.get(column, UNREAD)
        if shape.kind is Kind.UNREAD:
            members.append((attribute, msgspec.Raw, _NOT_READ))
            continue
        columns[column] = RowColumn(attribute, shape.kind)
        if shape.kind not in (Kind.OBJECT, Kind.OBJECTS):
            members.append((attribute, *_MEMBERS[shape.kind]))
            continue
        names = {name: f"{attribute}_{number}" for number, name in enumerate(shape.members)}
        item, of_objects = _compile_struct("Item", names, shape.members)
        found = item | None if shape.kind is Kind.OBJECT else list[item | None] | None  # type: ignore[valid-type]
        members.append((attribute, found, None))
        columns[column] = RowColumn(attribute, shape.kind, of_objects, item(), shape.is_tested)
    struct = msgspec.defstruct(
        name,
        members,
        rename={attribute: column for column, attribute in attributes.items()},
        forbid_unknown_fields=True,
        gc=False,
    )
    return struct, columns


def record_head(line: bytes, stream: str) -> bytes | None:
    """Return how a stream's RECORD lines begin, up to the record, from one of them.

    None if the stream is not named there.
    """
    head, found, _ = line.partition(b'"record"')
    if not found or msgspec.json.encode(stream) not in head:
        return None
    return head + found


def record_of(line: bytes) -> dict[str, Any]:
    """Return the record of a RECORD line that was read as a row."""
    return messages.decode(line).record or {}

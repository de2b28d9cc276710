"""Rows: RECORD lines of one stream, read into structs in half the time of a record.

Recognizes a stream's lines by their beginning, and decodes them. A line that is not a row is not an
error here: the reader decodes it as any message.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

from target_pinterest_capi.singer import messages

_NOT_READ: Final = msgspec.Raw(b"")
_is_no_member: Final = re.compile(r'["\\\x00-\x1f\ud800-\udfff]').search  # msgspec's message


class Rows(NamedTuple):
    """How a stream's RECORD lines are read into rows.

    A row is a struct with an attribute for each column, None if a record has none. `decode` returns
    a line's message, whose `record` is the row; it raises ValueError on any line that is not a
    RECORD of the stream with only these columns. `attributes` has the attribute of each column.
    """

    decode: Callable[[bytes], Any]
    attributes: Mapping[str, str]


class RowHandler(NamedTuple):
    """How a stream's rows are read, by `Rows.decode`, and handled, each with its line."""

    decode: Callable[[bytes], Any]
    handle_row: Callable[[Any, bytes], None]


class RecordHandler(Protocol):
    """Gets the records of a stream."""

    @property
    def rows(self) -> RowHandler | None:
        """How lines can be read as rows from now on; None if they cannot."""

    def handle_record(self, record: dict[str, Any]) -> None:
        """Handle one record. Raises `RunStopped` if the run must stop."""


def compile_rows(stream: str, columns: Iterable[str], read: Collection[str]) -> Rows | None:
    """Compile the reading of a stream's rows; columns that are not in `read` are skipped.

    None if a column has a name that a struct's member cannot have.
    """
    attributes = {column: f"column_{number}" for number, column in enumerate(sorted(columns))}
    if any(_is_no_member(column) for column in attributes):
        return None
    read_member = (Any, None)
    skipped_member = (msgspec.Raw, _NOT_READ)
    members = [
        (attribute, *(read_member if column in read else skipped_member))
        for column, attribute in attributes.items()
    ]
    row = msgspec.defstruct(
        "Row",
        members,
        rename={attribute: column for column, attribute in attributes.items()},
        forbid_unknown_fields=True,
        gc=False,
    )
    message = msgspec.defstruct(
        "RowMessage",
        [("type", Literal["RECORD"]), ("stream", Literal[stream]), ("record", row)],
        gc=False,
    )
    decoder = msgspec.json.Decoder(message, float_hook=Decimal)
    return Rows(decoder.decode, attributes)


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

"""Reads Singer messages as bytes, and hands each to its stream's handler or to a callback.

The most common line, a record of the current stream, is read directly into a row. Every other line
is decoded as a general message, and checked: errors say where and why, never with the content.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import IO, Any, Final

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.lines import Lines, UnreadableInputError, open_lines
from target_pinterest_capi.singer.rows import RecordHandler, RowHandler, record_head

Callbacks = dict[str, Callable[[dict[str, Any]], None]]
PacedLines = Callable[[Lines], Iterator[bytes]]

# The required member of a message, by its type.
NEEDED_MEMBERS: Final = {
    "SCHEMA": "schema",
    "RECORD": "record",
    "STATE": "value",
    "BATCH": "manifest",
    "ACTIVATE_VERSION": "stream",
}
NO_ROWS: Final = (b"\n\n", RowHandler(lambda line: line, lambda *_: None))  # no line begins so
_KEPT_SCHEMAS: Final = 64  # decoded: a tap may send the same ones again and again
_MOST_TYPE_LETTERS: Final = 30  # of a message type that is quoted


class InputError(InvalidInputLine):
    """The tap sent something unreadable; says where and why, without the content."""


class BytesReader(GenericSingerReader[bytes]):
    """Reads lines as bytes, as `paced` yields them; `wake` ends the wait for a line."""

    def __init__(self, wake: Wakeup, paced: PacedLines) -> None:
        super().__init__()
        self._wake = wake
        self._paced = paced
        self._handlers: dict[
            str, RecordHandler
        ] = {}  # of streams whose records do not need the SDK
        self._rows = NO_ROWS  # for the stream of the last record: how its lines begin, and are read
        self.line_number = 0

    def add_handler(self, stream: str, handler: RecordHandler) -> None:
        """Hand a stream's records to `handler` from now on, and not to the callbacks."""
        self._handlers[stream] = handler
        self._rows = NO_ROWS

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input, looked up when it is read."""
        if sys.stdin is None:
            raise InputError(
                "stdin is closed: pipe a tap's output to it, or name a file by --input"
            )
        return sys.stdin.buffer

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Decode one line; the SDK's interface, which the target itself does not need."""
        message: dict[str, Any] = json.loads(line)
        return message

    def process_lines(self, file_input: IO[bytes] | None, callbacks: Callbacks) -> "Counter[str]":
        """Read every line that `paced` yields, and return the number of messages of each type.

        Raises `InputError`, or `RunStopped` if the run must stop.
        """
        file = file_input if file_input is not None else self.default_input
        lines = open_lines(file, self._wake)
        try:
            return self._process(self._paced(lines), callbacks)
        except UnreadableInputError as error:
            raise InputError(f"line {self.line_number + 1}: {error}") from None

    def _process(self, lines: Iterable[bytes], callbacks: Callbacks) -> "Counter[str]":
        """Hand each line's message to its stream's handler, or to its callback."""
        counts: Counter[str] = Counter()
        head, (decode_row, handle_row, count_misfit) = self._rows
        handlers = self._handlers
        first = number = self.line_number
        others = 0  # than records
        try:
            for number, line in enumerate(lines, first + 1):
                if line.startswith(head):
                    try:
                        row = decode_row(line).record
                    except (ValueError, ArithmeticError, RecursionError):  # more than a row has
                        count_misfit()
                    else:
                        handle_row(row, line)
                        continue
                self.line_number = number
                message = _decode(line, number)
                if message is None:
                    others += 1
                    continue
                handler = handlers.get(message.stream or "")
                if message.type == "RECORD" and handler and message.record is not None:
                    handler.handle_record(message.record)
                    self._rows = _rows_of(handler, message.stream or "", line)
                else:
                    self._call_back(message, callbacks)
                    counts[message.type] += 1
                    others += 1
                head, (decode_row, handle_row, count_misfit) = self._rows
        finally:
            self.line_number = number
        counts["RECORD"] += number - first - others
        return counts

    def _call_back(self, message: messages.Message, callbacks: Callbacks) -> None:
        callback = callbacks.get(message.type)
        if callback is None:
            raise InputError(
                f"line {self.line_number}: {_quoted(message.type)} is not a message type: use "
                "SCHEMA, RECORD, STATE, BATCH or ACTIVATE_VERSION",
            )
        callback(self._members(message))

    def _members(self, message: messages.Message) -> dict[str, Any]:
        """Return a message's members as the SDK's callbacks expect them.

        Raises `InputError` if a required one is missing.
        """
        kind = message.type
        stream = message.stream
        needed = NEEDED_MEMBERS[kind]
        value = getattr(message, needed)
        if isinstance(value, msgspec.Raw):
            value = bytes(value) or None
        lacks_stream = stream is None and kind != "STATE"
        if value is None or lacks_stream:
            of_stream = f" of stream {shown_name(stream)!r}" if stream else ""
            missing = "stream" if lacks_stream else needed
            raise InputError(
                f"line {self.line_number}: the {kind} message{of_stream} has no `{missing}`"
            )
        members: dict[str, Any] = {"type": kind, "stream": stream, needed: value}
        if kind == "SCHEMA":
            members["schema"] = self._schema(stream, value)
            members["schema_json"] = value
            members["key_properties"] = message.key_properties
        elif kind == "BATCH":
            members["encoding"] = message.encoding or {}
        elif kind == "ACTIVATE_VERSION":
            members["version"] = message.version
        return members

    def _schema(self, stream: str | None, text: bytes) -> Any:
        try:
            return _load_schema(text)
        except (RecursionError, ValueError) as error:
            why = "nested too deeply" if isinstance(error, RecursionError) else "no JSON"
            name = shown_name(stream or "")
            raise InputError(
                f"line {self.line_number}: SCHEMA of stream {name!r}: it is {why}"
            ) from None


@lru_cache(_KEPT_SCHEMAS)
def _load_schema(text: bytes) -> Any:
    return json.loads(text)


def _decode(line: bytes, number: int) -> messages.Message | None:
    """Return a line's message; None for a blank line. Raises `InputError`."""
    if len(line) < 2 and not line.strip():  # noqa: PLR2004 - longer blank ones are rare: see below
        return None
    try:
        return messages.decode(line)
    except messages.MessageError as error:
        if not line.removeprefix(messages.BYTE_ORDER_MARK).strip():
            return None
        raise InputError(f"line {number}: {error}") from None


def _rows_of(handler: RecordHandler, stream: str, line: bytes) -> tuple[bytes, RowHandler]:
    """Return how a stream's next lines begin and are read as rows, from one of its lines."""
    rows = handler.rows
    if rows is None:
        return NO_ROWS
    head = record_head(line, stream)
    return NO_ROWS if head is None else (head, rows)


def _quoted(kind: str) -> str:
    """Quote a message type if it looks like one; anything else may be content."""
    reads_like_one = kind.isidentifier() and kind.isascii() and kind.isupper()
    return repr(kind) if reads_like_one and len(kind) <= _MOST_TYPE_LETTERS else "its type"

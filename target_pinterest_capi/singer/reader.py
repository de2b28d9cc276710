"""Reads Singer messages as bytes, in chunks, and takes each to its stream's sink or to the target's callbacks.

The commonest line, a record of the stream that came last, is read straight into a row. Every other line is decoded as any message,
and judged: errors say where and why, never with the content.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import IO, Any, Final

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.lines import LineTooLongError, open_lines
from target_pinterest_capi.sinks import RecordSink, RowReading

Callbacks = dict[str, Callable[[dict[str, Any]], None]]


class InputError(InvalidInputLine):
    """The tap sent what cannot be read; says where and why, without the content."""


NO_ROWS: Final = (b"\n", RowReading(lambda line: line, lambda *_: None))  # no line begins so


class BytesReader(GenericSingerReader[bytes]):
    """Reads lines as bytes while the run goes on: answers are read and batches leave also while no input comes."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self.sinks: dict[str, RecordSink] = {}  # of streams whose records need nothing of the SDK
        self._rows = (
            NO_ROWS  # how the lines of the stream whose record came last begin, and are read
        )
        self.line_number = 0

    def add(self, stream: str, sink: RecordSink) -> None:
        """Take a stream's records to a sink from now on."""
        self.sinks[stream] = sink
        self._rows = NO_ROWS

    @property
    def default_input(self) -> IO[bytes]:
        """Give standard input, looked up when it is read."""
        return sys.stdin.buffer

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Decode one line; the SDK's interface, which the target itself does not need."""
        message: dict[str, Any] = json.loads(line)
        return message

    def process_lines(self, file_input: IO[bytes] | None, callbacks: Callbacks) -> "Counter[str]":
        """Read every line, or as many as come before the run is interrupted.

        Raises `InputError`, or `RunStopped` where the run has to stop.
        """
        counts: Counter[str] = Counter()
        source = open_lines(
            file_input if file_input is not None else self.default_input, self._run.wake
        )
        while not self._run.is_interrupted:
            self._run.poll()
            if not self._run.has_room:
                self._run.wait()
                continue
            try:
                lines = source.read(self._run.seconds_until_due())
            except LineTooLongError as error:
                raise InputError(f"line {self.line_number + 1}: {error}") from None
            if lines is None:
                break
            self._process(lines, callbacks, counts)
        return counts

    def _process(self, lines: list[bytes], callbacks: Callbacks, counts: "Counter[str]") -> None:
        """Take each line's message to its sink, or to its callback; none after an interruption."""
        head, (decode_row, take_row) = self._rows
        run = self._run
        sinks, records, first = self.sinks, 0, self.line_number + 1
        for number, line in enumerate(lines, first):
            if run.is_interrupted:
                break
            if line.startswith(head):
                try:
                    row = decode_row(line).record
                except ValueError:  # it is more than a row holds
                    pass
                else:
                    records += 1
                    take_row(row, line)
                    continue
            self.line_number = number
            if len(line) < 2 and not line.strip():  # noqa: PLR2004 - a blank line; longer ones are found out below
                continue
            try:
                message = messages.decode(line)
            except messages.MessageError as error:
                if line.isspace():
                    continue
                raise InputError(f"line {number}: {error}") from None
            if message.type == "RECORD" and message.stream in sinks and message.record is not None:
                records += 1
                sink = sinks[message.stream]
                sink.take(message.record)
                head, (decode_row, take_row) = self._rows = _rows_of(sink, line)
            else:
                self._call_back(message, callbacks)
                counts[message.type] += 1
                head, (decode_row, take_row) = self._rows
        self.line_number = first + len(lines) - 1
        counts["RECORD"] += records

    def _call_back(self, message: messages.Message, callbacks: Callbacks) -> None:
        callback = callbacks.get(message.type)
        if callback is None:
            raise InputError(
                f"line {self.line_number}: {_name(message.type)} is no message type: "
                "SCHEMA, RECORD, STATE, BATCH and ACTIVATE_VERSION are",
            )
        callback(self._members(message))

    def _members(self, message: messages.Message) -> dict[str, Any]:
        """Give a message's members as the SDK's callbacks take them; raise where its type needs one that is not there."""
        kind, stream = message.type, message.stream
        needed = {
            "SCHEMA": "schema",
            "RECORD": "record",
            "STATE": "value",
            "BATCH": "manifest",
            "ACTIVATE_VERSION": "stream",
        }[kind]
        value = getattr(message, needed)
        if isinstance(value, msgspec.Raw):
            value = bytes(value) or None
        of_stream = f" of stream {stream!r}" if stream else ""
        if value is None or (stream is None and kind != "STATE"):
            missing = "stream" if stream is None and kind != "STATE" else needed
            raise InputError(
                f"line {self.line_number}: the {kind} message{of_stream} has no `{missing}`"
            )
        members: dict[str, Any] = {"type": kind, "stream": stream, needed: value}
        if kind == "SCHEMA":
            members["schema"] = json.loads(value)
            members["key_properties"] = message.key_properties
        elif kind == "BATCH":
            members["encoding"] = message.encoding or {}
        elif kind == "ACTIVATE_VERSION":
            members["version"] = message.version
        return members


def _rows_of(sink: RecordSink, line: bytes) -> tuple[bytes, RowReading]:
    """Give how a sink's next lines begin and are read into rows, from one of its lines."""
    head = None if sink.rows is None else messages.record_head(line, sink.stream_name)
    return NO_ROWS if sink.rows is None or head is None else (head, sink.rows)


def _name(kind: str) -> str:
    """Quote a message type where it reads like one; anything else may be content."""
    return (
        repr(kind)
        if kind.isidentifier() and kind.isascii() and len(kind) <= 30 and kind.isupper()  # noqa: PLR2004
        else "its type"
    )

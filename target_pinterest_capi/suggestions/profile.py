"""What a tap sent, as columns: names, declared types, and the shapes of values.

Reads messages and keeps no value of a record, except words in `vocabulary` (names of events and
states of orders that everybody uses), and the first lines of each stream, to try a mapping.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.column_names import is_metadata
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.mapping.flat_columns import quoted
from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.schemas import SchemaError, check_schema
from target_pinterest_capi.suggestions.shapes import shapes
from target_pinterest_capi.suggestions.vocabulary import is_known_word

MOST_RECORDS: Final = 500  # of a stream that are looked at
TRIED_RECORDS: Final = 20  # of a stream whose lines are kept
MOST_COLUMNS: Final = 2000  # of a stream
DEPTH: Final = 4  # of objects in objects
MONGO_TIME: Final = "$date"  # the only member of a time from MongoDB, which event_time reads
_ALTERNATIVES: Final = ("anyOf", "oneOf", "allOf")


class ProfiledColumn:
    """A column, or a member of an object at the end of a path."""

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
        self.types: set[str] = set()
        self.filled = 0  # values seen, except null and empty ones
        self.shapes: Counter[str] = Counter()
        self.known_words: Counter[str] = Counter()
        self.members: dict[tuple[str, ...], ProfiledColumn] = {}  # of the objects in a list

    @property
    def expression(self) -> str:
        """The column as an expression."""
        return ".".join(quoted(name) for name in self.path)

    @property
    def label(self) -> str:
        """The column as a comment may show it."""
        return shown_name(".".join(self.path))

    def share(self, *names: str) -> float:
        """Return the share of the values with the most frequent of these shapes."""
        most = max((self.shapes[name] for name in names), default=0)
        return most / self.filled if self.filled else 0.0

    def look_at(self, value: Any) -> None:
        """Count one value that is not empty."""
        self.filled += 1
        self.shapes.update(shapes(value))
        if isinstance(value, str) and is_known_word(value):
            self.known_words[value.strip()] += 1


class StreamProfile:
    """A stream: its columns by path, its key, and how many of its records were looked at."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: tuple[str, ...] = ()
        self.records = 0
        self.columns: dict[tuple[str, ...], ProfiledColumn] = {}
        self.lines: list[bytes] = []

    @property
    def roots(self) -> set[str]:
        """The names of the top-level columns."""
        return {path[0] for path in self.columns}

    def declare(self, schema: Mapping[str, Any], keys: Iterable[str]) -> None:
        """Add what a SCHEMA declares."""
        names = tuple(keys)
        self.keys = names if all(shown_name(name) == name for name in names) else ()
        _declare(self.columns, schema.get("properties"), ())

    def look_at(self, record: Mapping[str, Any]) -> None:
        """Add one record."""
        self.records += 1
        _look_at(self.columns, record, ())

    def keep(self, line: bytes) -> None:
        """Keep a line to try a mapping, if it is one of the first."""
        if self.records <= TRIED_RECORDS and len(self.lines) < 2 * TRIED_RECORDS:
            self.lines.append(line)


def read(lines: Iterable[bytes]) -> dict[str, StreamProfile]:
    """Return the profile of each stream, in the order of the messages.

    Raises `MessageError` with the number of a line that cannot be read.
    """
    streams: dict[str, StreamProfile] = {}
    for number, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        try:
            _take(streams, messages.decode(line), line)
        except (messages.MessageError, SchemaError) as error:
            raise messages.MessageError(f"line {number}: {error}") from None
    return streams


def _take(streams: dict[str, StreamProfile], message: messages.Message, line: bytes) -> None:
    if message.stream is None or message.type not in {"SCHEMA", "RECORD"}:
        return
    if message.type == "SCHEMA":
        stream = streams.setdefault(message.stream, StreamProfile(message.stream))
        try:
            schema = check_schema(json.loads(bytes(message.schema)))
        except ValueError as error:
            why = str(error) if isinstance(error, SchemaError) else "the schema cannot be read"
            raise SchemaError(why) from None
        stream.declare(schema, message.key_properties or ())
        stream.keep(line)
    elif message.stream not in streams:
        raise messages.MessageError("a RECORD came before the SCHEMA of its stream")
    elif message.record is not None and streams[message.stream].records < MOST_RECORDS:
        streams[message.stream].look_at(message.record)
        streams[message.stream].keep(line)


def _column(
    columns: dict[tuple[str, ...], ProfiledColumn], path: tuple[str, ...]
) -> ProfiledColumn | None:
    """Return the column of a path; None if there are too many, or if its name may be a value."""
    found = columns.get(path)
    if found is None and len(columns) < MOST_COLUMNS and shown_name(path[-1]) == path[-1]:
        found = columns[path] = ProfiledColumn(path)
    return found


def _declare(
    columns: dict[tuple[str, ...], ProfiledColumn], properties: Any, parent: tuple[str, ...]
) -> None:
    if not isinstance(properties, Mapping) or len(parent) == DEPTH:
        return
    for name, schema in properties.items():
        if not parent and is_metadata(name):
            continue
        column = _column(columns, (*parent, name))
        if column is None:
            continue
        for one in _alternatives(schema):
            declared = one.get("type", ())
            column.types.update([declared] if isinstance(declared, str) else declared)
            if "format" in one and str(one["format"]).startswith("date"):
                column.types.add("time")
            _declare(columns, one.get("properties"), column.path)
            for item in _alternatives(one.get("items")):
                _declare(column.members, item.get("properties"), ())


def _alternatives(schema: Any) -> list[Mapping[str, Any]]:
    if not isinstance(schema, Mapping):
        return []
    others = [one for name in _ALTERNATIVES for one in schema.get(name, ())]
    return [schema, *(one for one in others if isinstance(one, Mapping))]


def _look_at(
    columns: dict[tuple[str, ...], ProfiledColumn],
    members: Mapping[str, Any],
    parent: tuple[str, ...],
) -> None:
    for name, given in members.items():
        if not parent and is_metadata(name):
            continue
        value = _opened(given)
        column = _column(columns, (*parent, name))
        if column is None or coerce.is_nothing(value):
            continue
        if isinstance(value, Mapping) and set(value) == {MONGO_TIME}:
            column.look_at(value[MONGO_TIME])
        elif isinstance(value, Mapping):
            column.types.add("object")
            if len(column.path) < DEPTH:
                _look_at(columns, value, column.path)
        elif isinstance(value, list):
            column.types.add("array")
            column.filled += 1
            _look_at_items(column, value)
        else:
            column.look_at(value)


def _look_at_items(column: ProfiledColumn, values: list[Any]) -> None:
    for value in values:
        item = _opened(value)
        if isinstance(item, Mapping):
            _look_at(column.members, item, ())
        elif not coerce.is_nothing(item):
            column.shapes.update(shapes(item))


def _opened(value: Any) -> Any:
    """Return the object or array in a JSON text; otherwise the value."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    return value

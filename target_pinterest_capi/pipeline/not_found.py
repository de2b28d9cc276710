"""Columns and streams that the configuration names but the input does not have.

Judged by the SCHEMA messages of a run and by its records: a column in a record exists, whatever the
schema says. Only names that a user wrote count; a preset reads the columns that exist. Has names,
but no value of a record.
"""

import fnmatch
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events.column_names import is_metadata
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES, FIELDS
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.expressions.analysis import EACH, Path, compared_columns, paths
from target_pinterest_capi.expressions.values import opened
from target_pinterest_capi.mapping.entries import ALWAYS, properties_of
from target_pinterest_capi.mapping.flat_columns import entry_fields
from target_pinterest_capi.reporting.report import NotFound
from target_pinterest_capi.settings import CustomerListEntry, MappingEntry, Settings
from target_pinterest_capi.settings.problems import nearest

MAX_STREAMS: Final = 1_000  # whose names are kept, for suggestions
MAX_SHOWN: Final = 20  # columns that are reported in a run
_CODES: Final = ("currency", "country", "language")  # forms whose values are short
_MOST_CODE_LETTERS: Final = 3
_OPERATIONS: Final = ("add", "remove")
_WILDCARDS: Final = re.compile(r"[*?\[\]!]")


class Written(NamedTuple):
    """An expression of the configuration, and the path of its setting."""

    setting: str
    source: str


class UnmappedStream(NamedTuple):
    """The columns of a stream that preset pinterest selects, because there are no mappings.

    Those declared in its SCHEMA can be shown; others are from records, and may be data.
    """

    columns: Collection[str]
    declared: Collection[str]


class NamesNotFound:
    """Names in a configuration's entries, until the input of a run has them."""

    def __init__(self, settings: Settings) -> None:
        self._entries = list(_entries(settings))
        self._streams: dict[str, None] = {}  # that came, in their order
        self._takes_all = settings.mappings is None  # by preset pinterest
        self._defaults = frozenset(settings.defaults)
        self._unmapped: dict[str, UnmappedStream] = {}

    def of_stream(
        self, stream: str, schema: Mapping[str, Any], columns: Collection[str]
    ) -> "StreamNames":
        """Return the names that the entries of a stream read, once its SCHEMA has arrived."""
        if len(self._streams) < MAX_STREAMS:
            self._streams[stream] = None
        if self._takes_all and not any(entry.takes(stream) for entry in self._entries):
            return StreamNames((), stream, schema, columns, self._unmapped)
        taking = [entry for entry in self._entries if entry.takes(stream)]
        return StreamNames(taking, stream, schema, columns)

    @property
    def has_unmet_entries(self) -> bool:
        """Whether an entry or a customer list matched no stream, although there were streams."""
        return bool(self._streams) and any(not entry.streams for entry in self._entries)

    def streams(self) -> list[NotFound]:
        """Return the streams that entries name but the input did not have."""
        if not self._streams:
            return []
        return [_no_stream(entry, self._streams) for entry in self._entries if not entry.streams]

    def columns(self) -> list[NotFound]:
        """Return the columns that entries read but neither SCHEMA nor any record had."""
        found = {row.message: row for entry in self._entries for row in entry.columns_not_found()}
        for stream, unmapped in self._unmapped.items():
            fields = required_fields_without(unmapped.columns, self._defaults)
            if fields:
                row = _no_fields(stream, unmapped.declared, fields)
                found[row.message] = row
        return list(found.values())[:MAX_SHOWN]


class NamingEntry:
    """A mapping entry or a customer list: the stream that it names, and the paths that it reads."""

    def __init__(self, setting: str, pattern: str, expressions: Sequence[Written]) -> None:
        self.setting = setting
        self.pattern = pattern
        self.streams: list[str] = []  # the first that it matched
        self.unseen: dict[Path, Written] = {}
        self.known: dict[Path, Collection[str]] = {}  # the members next to a missing one
        for written in expressions:
            for path in paths(written.source):
                if not is_metadata(path[0] or ""):
                    self.unseen.setdefault(path, written)

    def takes(self, stream: str) -> bool:
        """Return whether it selects records of the stream."""
        return fnmatch.fnmatchcase(stream, self.pattern)

    def columns_not_found(self) -> Iterator[NotFound]:
        """Yield what it reads and no stream that it took has; of a path, the first step."""
        for path, written in self.unseen.items():
            is_judged = path in self.known
            inside_unseen = any(path[:length] in self.unseen for length in range(1, len(path)))
            if is_judged and not inside_unseen:
                yield _no_column(self, path, written)


class StreamNames:
    """The names that the entries of one stream read, looked up in its schema and its records."""

    def __init__(
        self,
        entries: Sequence[NamingEntry],
        stream: str,
        schema: Mapping[str, Any],
        columns: Collection[str],
        unmapped: "dict[str, UnmappedStream] | None" = None,
    ) -> None:
        self._entries = entries
        self._stream = stream
        self._unmapped = unmapped  # if only preset pinterest selects the stream
        self._declared = columns
        for entry in entries:
            if len(entry.streams) < 2 and stream not in entry.streams:  # noqa: PLR2004 - one, or several
                entry.streams.append(stream)
        self.columns = frozenset(path[0] for entry in entries for path in entry.unseen)
        self.see_columns(columns)
        for entry in entries:
            _see_members(entry, schema)
        self.are_members_unseen = self._has_unseen_members()

    def see_columns(self, columns: Collection[str]) -> None:
        """Note the columns that the stream is now known to have."""
        if not columns:
            return  # they are in records
        unmapped = self._unmapped
        if unmapped is not None and (self._stream in unmapped or len(unmapped) < MAX_SHOWN):
            unmapped[self._stream] = UnmappedStream(columns, self._declared)
        for entry in self._entries:
            for path in [path for path in entry.unseen if len(path) == 1]:
                if path[0] in columns:
                    del entry.unseen[path]
                else:
                    entry.known[path] = columns

    def see_record(self, record: Mapping[str, Any]) -> None:
        """Look in a record for members that the schema does not declare."""
        for entry in self._entries:
            for path in [path for path in entry.unseen if len(path) > 1]:
                if _has(record, path):
                    del entry.unseen[path]
        self.are_members_unseen = self._has_unseen_members()

    def _has_unseen_members(self) -> bool:
        return any(len(path) > 1 for entry in self._entries for path in entry.unseen)


def _entries(settings: Settings) -> Iterator[NamingEntry]:
    for number, entry in enumerate(settings.mappings or ()):
        where = f"mappings[{number}]"
        yield NamingEntry(where, entry.stream, list(_mapping_sources(entry, where)))
    for number, configured in enumerate(settings.customer_lists):
        where = f"customer_lists[{number}]"
        yield NamingEntry(where, configured.stream, list(_list_sources(configured, where)))


def _mapping_sources(entry: MappingEntry, where: str) -> Iterator[Written]:
    if entry.when is not None and entry.when != ALWAYS:
        yield Written(f"{where}.when", entry.when)
    if entry.ad_account_id is not None and not entry.ad_account_id.isdigit():
        yield Written(f"{where}.ad_account_id", entry.ad_account_id)
    for path, sources in entry.fields.items():
        for source in sources or ():
            yield Written(f"{where}.fields.{path}", source)


def _list_sources(entry: CustomerListEntry, where: str) -> Iterator[Written]:
    for path, source in entry.expressions():
        yield Written(f"{where}.{path}", source)


def _see_members(entry: NamingEntry, schema: Mapping[str, Any]) -> None:
    """Note the members of objects in a schema; one without declared members may have any."""
    for path in [path for path in entry.unseen if len(path) > 1]:
        beside = _members_beside(schema, path)
        if not beside or path[-1] in beside:
            del entry.unseen[path]
        else:
            entry.known[path] = beside


def _members_beside(schema: Any, path: Path) -> Collection[str]:
    """Return the members declared next to a path's last step; none if nothing is declared."""
    for step in path[:-1]:
        schema = _items_of(schema) if step is EACH else properties_of(schema).get(step)
    return () if path[-1] is EACH else properties_of(schema)


def _items_of(schema: Any) -> Any:
    return schema.get("items") if isinstance(schema, Mapping) else None


def _has(value: Any, path: Path) -> bool:
    """Return whether a value has a path's last member, even if it is null; text is read as JSON."""
    for number, step in enumerate(path):
        value = opened(value)
        if step is EACH:
            elements = value if isinstance(value, list) else []
            return any(_has(element, path[number + 1 :]) for element in elements)
        if not isinstance(value, Mapping) or step not in value:
            return False
        value = value[step]
    return True


def _no_stream(entry: NamingEntry, came: Collection[str]) -> NotFound:
    near = nearest(_WILDCARDS.sub("", entry.pattern), came, cutoff=0.5)
    hint = f"; did you mean {shown_name(near)!r}?" if near else "."
    return NotFound(
        setting=f"{entry.setting}.stream",
        message=f"No stream {shown_name(entry.pattern)!r} came{hint}",
    )


def _no_column(entry: NamingEntry, path: Path, written: Written) -> NotFound:
    name = ".".join(step for step in path if step is not EACH)
    is_one = len(entry.streams) == 1
    stream = shown_name(entry.streams[0] if is_one else entry.pattern)
    where = f"in stream {stream}" if is_one else f"in any of the streams {stream}"
    what = "Column" if len(path) == 1 else "Member"
    hint = (
        _text_hint(path, written)
        or _dotted_hint(entry.known[path], path, written)
        or _nearest_hint(entry, path)
    )
    return NotFound(
        setting=written.setting, message=f"{what} {shown_name(name)!r} is not {where}{hint}"
    )


def _nearest_hint(entry: NamingEntry, path: Path) -> str:
    near = nearest(str(path[-1]), entry.known[path])
    return f"; did you mean {shown_name(near)!r}?" if near else "."


def _dotted_hint(known: Collection[str], path: Path, written: Written) -> str:
    """Return how to write a column with a dot in its name, which was read as a path."""
    for longer in paths(written.source):
        name = ".".join(step for step in longer if step is not EACH)
        if longer[: len(path)] == path and name != path[-1] and name in known:
            return f'; the column of that name is written "{shown_name(name)}".'
    return ""


def required_fields_without(columns: Collection[str], defaults: Collection[str]) -> list[str]:
    """Return the required fields that have neither a column with their name nor a constant."""
    there = {*entry_fields(columns), *defaults}
    there.add("event_id")  # which is derived
    missing = [field.path for field in FIELDS if field.required and field.path not in there]
    identifiers = ("user_data.em", "user_data.hashed_maids", "user_data.client_ip_address")
    return missing if there.intersection(identifiers) else [*missing, identifiers[0]]


def _no_fields(stream: str, columns: Collection[str], fields: Collection[str]) -> NotFound:
    shown = [shown_name(column) for column in sorted(columns) if not is_metadata(column)]
    more = f" and {len(shown) - MAX_SHOWN} more" if len(shown) > MAX_SHOWN else ""
    has = f"It has {', '.join(shown[:MAX_SHOWN])}{more}. " if shown else ""
    return NotFound(
        setting="mappings",
        message=(
            f"No mappings are set, and stream {shown_name(stream)} has no column named like "
            f"{', '.join(fields)}. {has}Say in mappings which column is which field: "
            "`pinterest-capi suggest` writes them from a sample, `pinterest-capi presets list` "
            "names those that are built in"
        ),
    )


def _constant_hint(written: Written) -> str:
    """Return how to write a constant that was taken for a column: `action_source: web`."""
    setting, text = written
    if setting.endswith(".operation") and text in _OPERATIONS:
        return f". If it is the same for every record, write \"'{shown_name(text)}'\", a string."
    field = BY_PATH.get(setting.partition(".fields.")[2])
    if field is None:
        return ""
    words = EVENT_NAMES if field.path == "event_name" else field.choices
    is_code = field.form in _CODES and len(text) <= _MOST_CODE_LETTERS and text.isupper()
    if text not in words and not is_code:
        return ""
    return f". If it is the same for every record, write it in defaults: {field.path}: {text}."


def _text_hint(path: Path, written: Written) -> str:
    """Return what to write if quotes, or missing ones, turn a string into a column."""
    name = path[-1]
    if written.source == name:
        hint = _constant_hint(written)
        if hint:
            return hint
    if len(path) > 1 or name not in compared_columns(written.source):
        return ""
    quoted = f'"{name}"'
    if quoted not in written.source:
        return f". If it is a string, write '{shown_name(name)}', in single quotes."
    meant = shown_name(written.source.replace(quoted, f"'{name}'"))
    return f". Double quotes enclose a column's name; a string is in single quotes: {meant}"

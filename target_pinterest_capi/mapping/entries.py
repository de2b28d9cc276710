"""Compiles the mapping entries that match a stream: `when`, account, plan and builder.

This happens once for a stream's columns; for a record, each entry is only called.
"""

import fnmatch
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_args

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.build.builder import (
    AsRecord,
    Builder,
    Result,
    compile_builder,
)
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.customer_cache import CustomerCache
from target_pinterest_capi.events.build.plan import EventPlan, Get
from target_pinterest_capi.events.build.shapes import ANY_USE, RowColumn, Uses, all_uses
from target_pinterest_capi.events.column_names import clean_name
from target_pinterest_capi.events.deletions import deletion_columns, is_deleted, says_deleted
from target_pinterest_capi.events.event import (
    Account,
    InvalidRecord,
    Mode,
    Origin,
    SkippedRecord,
)
from target_pinterest_capi.events.keys import read_key
from target_pinterest_capi.events.reasons import Invalid, Skipped
from target_pinterest_capi.expressions.analysis import literals, named_columns
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.mapping.field_plans import (
    Levels,
    Note,
    compile_condition,
    compile_guarded,
    condition_plan,
    field_plans,
)
from target_pinterest_capi.mapping.flat_columns import SameField, names_a_field, same_fields
from target_pinterest_capi.settings import MappingEntry, Settings
from target_pinterest_capi.settings.values import MAX_ACCOUNT_DIGITS

OriginNote = Callable[[Origin, str, str], None]
Record = Mapping[str, Any]
MapRecord = Callable[[Record], Result]
MapRow = Callable[[Any, bytes], Result]

KEPT_STREAMS: Final = 64  # or schemas of one stream: for each its compiled functions, some 40 KiB
_ALTERNATIVES: Final = ("anyOf", "oneOf", "allOf")
ALWAYS: Final = "always"  # as a `when`: every record, whatever the preset's condition
_MODES: Final[tuple[Mode, ...]] = get_args(Mode)
_EVERY_STREAM: Final = MappingEntry(stream="*", preset=presets.PINTEREST)


class Accounts:
    """The accounts of a run, one object each, so that events of one account share batches."""

    def __init__(self, settings: Settings) -> None:
        token = settings.conversion_token
        self._ad_account_id = settings.ad_account_id
        self._token = token.get_secret_value() if token is not None else ""
        self._mode: Mode = settings.mode
        self._known: dict[tuple[str, str, Mode], Account] = {}

    def get(
        self, ad_account_id: str | None = None, token: str | None = None, mode: Mode = "live"
    ) -> Account:
        """Return the account of an id and a token; the settings' own if they are None.

        Of a mode and the settings' own, the one that sends less is used.
        """
        careful = max(mode, self._mode, key=_MODES.index)
        key = (ad_account_id or self._ad_account_id, token or self._token, careful)
        account = self._known.get(key)
        if account is None:
            account = self._known[key] = Account(*key)
        return account


class StreamSchema(NamedTuple):
    """What a SCHEMA message says about a stream; `columns` also has those seen in records.

    `members` has the declared members of objects, by column. If it `is_complete`, records are
    assumed to have no other columns, and expressions for other columns are removed from the
    mapping.
    """

    name: str
    columns: frozenset[str]
    key_properties: tuple[str, ...] = ()
    members: Mapping[str, frozenset[str]] = MappingProxyType({})
    is_complete: bool = False


class EntryRows(NamedTuple):
    """How an entry maps rows: the columns that it reads, for what, and its function's compiler.

    `compile` takes these columns of rows and the reader of a line's record; the function takes a
    row and its line.
    """

    reads: Mapping[str, Uses]
    compile: Callable[[Mapping[str, RowColumn], AsRecord], MapRow]


class CompiledEntry(NamedTuple):
    """One mapping entry for one stream; `origin` names it in counts.

    `map_record` returns a record's event, or the result that it has instead. `rows` is None if the
    entry needs more from a record than a row has. `unread` are the columns that it names but does
    not read, because the stream is assumed not to have them.
    """

    origin: Origin
    map_record: MapRecord
    rows: EntryRows | None = None
    unread: frozenset[str] = frozenset()


def names_a_stream(settings: Settings, stream: str) -> bool:
    """Return whether any entry selects records of the stream."""
    return any(True for _ in matching(settings, stream))


def matching(settings: Settings, stream: str) -> Iterable[tuple[str, MappingEntry]]:
    """Yield the entries that select a stream's records, each with its name for reports.

    Without `mappings` every stream has one with preset `pinterest`, unless it feeds a customer
    list.
    """
    if settings.mappings is None:
        if not any(fnmatch.fnmatchcase(stream, entry.stream) for entry in settings.customer_lists):
            yield presets.PINTEREST, _EVERY_STREAM
        return
    for number, entry in enumerate(settings.mappings):
        if fnmatch.fnmatchcase(stream, entry.stream):
            yield entry.name or entry.preset or f"mappings[{number}]", entry


def load_preset(entry: MappingEntry, stream: StreamSchema) -> MappingEntry | None:
    """Return the preset of an entry for a stream's columns; None if it has none."""
    if entry.preset is None:
        return None
    return presets.load(entry.preset, stream.columns, stream.members)


def columns_of_one_field(settings: Settings, stream: StreamSchema) -> list[SameField]:
    """Return columns that preset `pinterest` does not read: other spellings of its columns."""
    entries = [entry for _, entry in matching(settings, stream.name)]
    if not any(entry.preset == presets.PINTEREST for entry in entries):
        return []
    return list(same_fields(stream.columns, stream.members))


def conditions(entry: MappingEntry, preset: MappingEntry | None) -> list[str]:
    """Return the conditions for a record: the preset's, unless lifted, and the entry's."""
    is_lifted = entry.preset_when == "ignore" or entry.when == ALWAYS
    from_preset = [] if preset is None or is_lifted else [preset.when]
    own = [] if entry.when == ALWAYS else [entry.when]
    return [condition for condition in (*from_preset, *own) if condition]


CompileEntries = Callable[[StreamSchema], tuple[CompiledEntry, ...]]


def entry_compiler(
    settings: Settings,
    accounts: Accounts,
    note: OriginNote,
    now: Callable[[], float] = time.time,
    *,
    began_at: datetime,
    in_plain: bool = False,
) -> CompileEntries:
    """Return the compiler of a stream's entries, which caches its last results.

    `began_at` is when the run began, for expressions that use it.

    If a schema changes only in columns that are not used, the functions stay the same, at almost no
    cost.
    """
    customers = None if in_plain else CustomerCache()

    @lru_cache(KEPT_STREAMS)
    def named_by_entries(name: str) -> frozenset[str]:
        stream = StreamSchema(name, frozenset())
        return frozenset[str]().union(
            *(
                _named_columns(entry, load_preset(entry, stream))
                for _, entry in matching(settings, name)
            )
        )

    @lru_cache(KEPT_STREAMS)
    def compile_fields(
        name: str,
        columns: frozenset[str],
        key_properties: tuple[str, ...],
        members: frozenset[tuple[str, frozenset[str]]],
        is_complete: bool,
    ) -> tuple[CompiledEntry, ...]:
        stream = StreamSchema(name, columns, key_properties, dict(members), is_complete)
        return compile_stream(
            settings, stream, accounts, note, now, customers, began_at=began_at, in_plain=in_plain
        )

    def compile_entries(stream: StreamSchema) -> tuple[CompiledEntry, ...]:
        columns = frozenset(filter(names_a_field, stream.columns)).union(
            deletion_columns(stream.columns), named_by_entries(stream.name) & stream.columns
        )
        members = [(column, declared) for column, declared in stream.members.items()]
        of_fields = frozenset(pair for pair in members if pair[0] in columns)
        return compile_fields(
            stream.name, columns, stream.key_properties, of_fields, stream.is_complete
        )

    return compile_entries


def compile_stream(
    settings: Settings,
    stream: StreamSchema,
    accounts: Accounts,
    note: OriginNote,
    now: Callable[[], float] = time.time,
    customers: CustomerCache | None = None,
    *,
    began_at: datetime,
    in_plain: bool = False,
) -> tuple[CompiledEntry, ...]:
    """Compile every entry that selects the stream's records, in the configuration's order.

    With `in_plain` nothing is hashed: only for a preview, which sends nothing.
    """
    options = settings.options._replace(in_plain=in_plain)
    return tuple(
        _compile(
            Levels(entry, load_preset(entry, stream), settings, stream.name, began_at),
            options,
            Origin(stream.name, name),
            stream,
            accounts,
            note,
            now,
            customers,
        )
        for name, entry in matching(settings, stream.name)
    )


def _compile(
    levels: Levels,
    options: Options,
    origin: Origin,
    stream: StreamSchema,
    accounts: Accounts,
    note: OriginNote,
    now: Callable[[], float],
    customers: CustomerCache | None,
) -> CompiledEntry:
    def note_value(field: str, reason: str) -> None:
        note(origin, field, reason)

    entry_note = note_value if customers is None else customers.counting(note_value)
    entry, preset = levels.entry, levels.preset
    if entry.null_values is not None:
        options = options._replace(null_values=entry.null_values)
    named = _named_columns(entry, preset) if stream.is_complete else frozenset[str]()
    unread = named - stream.columns
    deletions = deletion_columns(sorted(stream.columns)) if entry.deleted == "skip" else ()
    token = entry.conversion_token.get_secret_value() if entry.conversion_token else None
    source = entry.ad_account_id
    is_fixed = source is None or source.isdigit()
    when = conditions(entry, preset)
    plan = event_plan(levels, when if is_fixed else (), origin, stream, entry_note)
    builder = compile_builder(plan, options, entry_note, now, customers)
    if source is not None and not is_fixed:
        predicates = [compile_condition(one, levels, entry_note) for one in when]
        read = compile_guarded(source, levels, "ad_account_id", entry_note)
        read_account = _account_reader(read, partial(accounts.get, token=token, mode=entry.mode))
        map_record = _to_its_account(builder, read_account, plan, options)
        map_record = _where(predicates, map_record, origin)
        return CompiledEntry(origin, _unless_deleted(deletions, map_record, origin), None, unread)
    account = accounts.get(source, token, entry.mode)
    map_record = partial(builder.of_record, account)
    rows = _rows(builder, account, deletions, origin)
    return CompiledEntry(origin, _unless_deleted(deletions, map_record, origin), rows, unread)


def event_plan(
    levels: Levels, when: Iterable[str], origin: Origin, stream: StreamSchema, note: Note
) -> EventPlan:
    """Return the plan of a stream's events, for records that meet the conditions."""
    columns = stream.columns if stream.is_complete else None
    names = levels.event_names()
    unmapped = (path for path, sources in levels.entry.fields.items() if sources is None)
    return EventPlan(
        origin,
        fields=field_plans(levels, note, columns, names_are_listed=bool(names)),
        key_properties=stream.key_properties,
        underived=frozenset(unmapped),
        event_names=names or None,
        known_names=frozenset(names) | _literals(levels.expressions("event_name")),
        fallback_name=levels.fallback_name() if names else None,
        sends_unlisted=levels.entry.unlisted_names == "send",
        conditions=tuple(condition_plan(source, levels, note, columns) for source in when),
    )


def _named_columns(entry: MappingEntry, preset: MappingEntry | None) -> frozenset[str]:
    """Return the columns that the expressions for an event name."""
    named = frozenset(named_columns(*conditions(entry, preset)))
    for level in (entry, preset) if preset is not None else (entry,):
        for sources in level.fields.values():
            named |= named_columns(*(sources or ()))
    return named


def _literals(levels: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """Return the names in literals of the expressions for an event's name."""
    return literals(*(source for expressions in levels for source in expressions))


def _rows(
    builder: Builder, account: Account, deletions: Collection[str], origin: Origin
) -> EntryRows | None:
    if builder.reads is None:
        return None

    def compile_rows(columns: Mapping[str, RowColumn], as_record: AsRecord) -> MapRow:
        map_row = partial(builder.compile_rows(columns, as_record), account)
        read = [attrgetter(columns[column].attribute) for column in deletions]
        return _unless_deleted_row(read, map_row, origin)

    reads = all_uses((builder.reads, dict.fromkeys(deletions, ANY_USE)))
    return EntryRows(reads, compile_rows)


def _unless_deleted(columns: Collection[str], map_record: MapRecord, origin: Origin) -> MapRecord:
    """Return the mapping for records that none of the columns marks as deleted."""
    if not columns:
        return map_record
    skipped = SkippedRecord(origin, Skipped.DELETED)
    return lambda record: skipped if is_deleted(record, columns) else map_record(record)


def _unless_deleted_row(
    read: Collection[Callable[[Any], Any]], map_row: MapRow, origin: Origin
) -> MapRow:
    """Return the same mapping for rows."""
    if not read:
        return map_row
    skipped = SkippedRecord(origin, Skipped.DELETED)

    def map_if_there(row: Any, line: bytes) -> Result:
        for get in read:
            if says_deleted(get(row)):
                return skipped
        return map_row(row, line)

    return map_if_there


def _where(predicates: list[Get], map_record: MapRecord, origin: Origin) -> MapRecord:
    """Return the mapping of records for which every predicate is true."""
    if not predicates:
        return map_record

    def map_where(record: Record) -> Result:
        for predicate in predicates:
            if not predicate(record):
                return SkippedRecord(origin, Skipped.WHEN)
        return map_record(record)

    return map_where


def _to_its_account(
    builder: Builder,
    read_account: Callable[[Record], Account | None],
    plan: EventPlan,
    options: Options,
) -> MapRecord:
    """Return the mapping of a record to the account that it names."""

    def map_record(record: Record) -> Result:
        account = read_account(record)
        if account is None:
            key = read_key(record, plan.key_properties, plain=options.plain_keys)
            return InvalidRecord(plan.origin, Invalid.BAD_ACCOUNT, "ad_account_id", key=key)
        return builder.of_record(account, record)

    return map_record


def _account_reader(
    get: Get, account_of: Callable[[str], Account]
) -> Callable[[Record], Account | None]:
    """Return the reader of the account that an expression names; None without an expression."""

    def read(record: Record) -> Account | None:
        text = coerce.text(get(record))
        if type(text) is not str or len(text) > MAX_ACCOUNT_DIGITS:
            return None
        if not (text.isascii() and text.isdigit()):
            return None
        return account_of(text)

    return read


def stream_columns(schema: Mapping[str, Any], seen: Iterable[str] = ()) -> frozenset[str]:
    """Return the columns that a stream's schema declares, and others seen in records."""
    return frozenset(map(clean_name, (*properties_of(schema), *seen)))


def stream_members(schema: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the members of objects that a stream's schema declares, by column."""
    declared = {
        clean_name(column): frozenset(properties_of(column_schema))
        for column, column_schema in properties_of(schema).items()
    }
    return {column: members for column, members in declared.items() if members}


def properties_of(schema: Any) -> Mapping[str, Any]:
    """Return the properties of an object's schema, also if null is an alternative."""
    if not isinstance(schema, Mapping):
        return {}
    found: dict[str, Any] = {}
    for keyword in _ALTERNATIVES:
        alternatives = schema.get(keyword)
        for alternative in alternatives if isinstance(alternatives, list) else ():
            if isinstance(alternative, Mapping) and keyword not in alternative:
                found.update(properties_of(alternative))
    properties = schema.get("properties")
    return {**found, **properties} if isinstance(properties, Mapping) else found

"""Compiles the mapping entries that a stream's records match: expressions, `when`, precedence, account and builder.

Done once for a stream's columns; what is left for a record is to call each entry. Where a value comes from, first to last:
the entry's fields, the preset's fields, the entry's defaults, the preset's defaults, the setting `defaults`.
"""

import fnmatch
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.build.builder import Builder, Result, compile_builder
from target_pinterest_capi.events.build.plan import NOW, EventPlan, FieldPlan, Get
from target_pinterest_capi.events.event import Account, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.fields import BY_PATH
from target_pinterest_capi.events.keys import read_key
from target_pinterest_capi.events.reasons import Invalid, LeftOut, Skipped
from target_pinterest_capi.expressions.compiler import (
    EvaluationError,
    compile_expression,
    plain_path,
    roots,
    selection,
)
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.settings import MappingEntry, Settings
from target_pinterest_capi.settings.values import MAX_ACCOUNT_DIGITS

OriginNote = Callable[[Origin, str, str], None]
Record = Mapping[str, Any]

_EVERY_STREAM: Final = MappingEntry(stream="*", preset=presets.PINTEREST)


class Accounts:
    """The accounts of a run, one object each, so that events of one account share batches."""

    def __init__(self, settings: Settings) -> None:
        token = settings.conversion_token
        self._ad_account_id = settings.ad_account_id
        self._token = token.get_secret_value() if token is not None else ""
        self._known: dict[tuple[str, str], Account] = {}

    def get(self, ad_account_id: str | None = None, token: str | None = None) -> Account:
        """Give the account of an id and token; the settings' own where they are None."""
        key = (ad_account_id or self._ad_account_id, token or self._token)
        account = self._known.get(key)
        if account is None:
            account = self._known[key] = Account(*key)
        return account


class StreamSchema(NamedTuple):
    """What a SCHEMA message says of a stream; `columns` also holds those seen on records and not declared."""

    name: str
    columns: frozenset[str]
    key_properties: tuple[str, ...] = ()


class EntryRows(NamedTuple):
    """How an entry takes rows: the columns that it reads, and what compiles the function of a row and its line.

    See `common_case.compile_rows`.
    """

    reads: frozenset[str]
    compile: Callable[[Mapping[str, str], Callable[[bytes], Any]], Callable[[Any, bytes], Result]]


class CompiledEntry(NamedTuple):
    """One mapping entry for one stream: `take` gives a record's event, or why there is none; `origin` names it in counts.

    `rows` is None where the entry needs more of a record than a row holds.
    """

    origin: Origin
    take: Callable[[Record], Result]
    rows: EntryRows | None = None


def names_a_stream(settings: Settings, stream: str) -> bool:
    """Tell whether any entry takes records of the stream."""
    return any(True for _ in matching(settings, stream))


def matching(settings: Settings, stream: str) -> Iterable[tuple[str, MappingEntry]]:
    """Give the entries that take a stream's records, each with its name for reports.

    Without `mappings` every stream has one, preset `pinterest`, unless it feeds a customer list.
    """
    if settings.mappings is None:
        if not any(fnmatch.fnmatchcase(stream, entry.stream) for entry in settings.customer_lists):
            yield presets.PINTEREST, _EVERY_STREAM
        return
    for number, entry in enumerate(settings.mappings):
        if fnmatch.fnmatchcase(stream, entry.stream):
            yield entry.name or entry.preset or f"mappings[{number}]", entry


def compile_stream(
    settings: Settings,
    stream: StreamSchema,
    accounts: Accounts,
    note: OriginNote,
    now: Callable[[], float] = time.time,
) -> tuple[CompiledEntry, ...]:
    """Compile every entry that takes the stream's records, in the configuration's order."""
    return tuple(
        _compile(settings, entry, Origin(stream.name, name), stream, accounts, note, now)
        for name, entry in matching(settings, stream.name)
    )


def _compile(
    settings: Settings,
    entry: MappingEntry,
    origin: Origin,
    stream: StreamSchema,
    accounts: Accounts,
    note: OriginNote,
    now: Callable[[], float],
) -> CompiledEntry:
    preset = presets.load(entry.preset, stream.columns) if entry.preset else None

    def entry_note(field: str, reason: str) -> None:
        note(origin, field, reason)

    event_names = {**(preset.event_names if preset else {}), **entry.event_names} or None
    fallback = _first_default("event_name", entry, preset, settings) if event_names else None
    plan = EventPlan(
        origin,
        {
            path: plan
            for path in BY_PATH
            if (
                plan := _field_plan(
                    path,
                    entry,
                    preset,
                    settings,
                    entry_note,
                    with_default=not (event_names and path == "event_name"),
                )
            )
        },
        key_properties=stream.key_properties,
        underived=frozenset(
            path for path, expressions in entry.fields.items() if expressions is None
        ),
        event_names=event_names,
        fallback_name=fallback,
    )
    options = settings.options
    predicates = tuple(
        _guarded(source, "when", entry_note)
        for source in (preset.when if preset else None, entry.when)
        if source
    )
    token = (
        entry.conversion_token.get_secret_value() if entry.conversion_token is not None else None
    )
    build = compile_builder(plan, options, entry_note, now)
    source = entry.ad_account_id
    if source is not None and not source.isdigit():
        read_account = _account_reader(
            _guarded(source, "ad_account_id", entry_note), token, accounts
        )
        take = _to_its_account(build, read_account, origin, stream, plain_keys=options.plain_keys)
        return CompiledEntry(origin, _where(predicates, take, origin) if predicates else take)
    account = accounts.get(source, token)
    take = _to_account(build, account)
    if predicates:
        return CompiledEntry(origin, _where(predicates, take, origin))
    if build.reads is None:
        return CompiledEntry(origin, take)
    return CompiledEntry(
        origin,
        take,
        EntryRows(
            build.reads,
            lambda attributes, as_record: partial(
                build.compile_rows(attributes, as_record), account
            ),
        ),
    )


def _to_account(build: Builder, account: Account) -> Callable[[Record], Result]:
    return partial(build.of_record, account)


def _where(
    predicates: tuple[Get, ...], take: Callable[[Record], Result], origin: Origin
) -> Callable[[Record], Result]:
    """Take a record only where every predicate holds, by JMESPath's truth."""

    def taken(record: Record) -> Result:
        for predicate in predicates:
            if not _is_true(predicate(record)):
                return SkippedRecord(origin, Skipped.WHEN)
        return take(record)

    return taken


def _to_its_account(
    build: Builder,
    read_account: Callable[[Record], Account | None],
    origin: Origin,
    stream: StreamSchema,
    *,
    plain_keys: bool,
) -> Callable[[Record], Result]:
    """Take a record to the account that it names."""

    def taken(record: Record) -> Result:
        account = read_account(record)
        if account is None:
            key = read_key(record, stream.key_properties, plain=plain_keys)
            return InvalidRecord(origin, Invalid.BAD_ACCOUNT, "ad_account_id", key=key)
        return build.of_record(account, record)

    return taken


def _account_reader(
    get: Get, token: str | None, accounts: Accounts
) -> Callable[[Record], Account | None]:
    """Give the reader of an account that an expression names."""

    def read(record: Record) -> Account | None:
        text = coerce.text(get(record))
        if (
            type(text) is not str
            or not (text.isascii() and text.isdigit())
            or len(text) > MAX_ACCOUNT_DIGITS
        ):
            return None
        return accounts.get(text, token)

    return read


# Where a field's value comes from


def _field_plan(
    path: str,
    entry: MappingEntry,
    preset: MappingEntry | None,
    settings: Settings,
    note: Callable[[str, str], None],
    *,
    with_default: bool,
) -> FieldPlan | None:
    """Give the plan of one field; None where nothing gives it a value. A null in the entry's fields takes the preset's away."""
    unmapped = path in entry.fields and entry.fields[path] is None
    given = (
        []
        if unmapped
        else [
            expressions
            for level in (entry, preset)
            if level is not None and (expressions := level.fields.get(path))
        ]
    )
    default = (
        _first_default(path, entry, None if unmapped else preset, settings)
        if with_default
        else None
    )
    if path == "event_time" and default == "now":
        default = NOW
    if len(given) == 1 and len(given[0]) == 1 and default is None:
        column = plain_path(given[0][0])
        return FieldPlan(
            _guarded(given[0][0], path, note), column, roots(given[0][0]), selection(given[0][0])
        )
    many = BY_PATH[path].many and path != "custom_data.contents"
    levels = [
        _level([_guarded(source, path, note) for source in expressions], many=many)
        for expressions in given
    ]
    if default is not None:
        levels.append(lambda _: default)
    if not levels:
        return None
    return FieldPlan(
        _first(levels), reads=roots(*(source for expressions in given for source in expressions))
    )


def _first_default(
    path: str, entry: MappingEntry, preset: MappingEntry | None, settings: Settings
) -> Any:
    return next(
        (
            level[path]
            for level in (entry.defaults, preset.defaults if preset else {}, settings.defaults)
            if level.get(path) is not None
        ),
        None,
    )


def _level(getters: list[Get], *, many: bool) -> Get:
    """Give one level's reader: every value for an array field, the first that is something for a scalar."""
    if len(getters) == 1:
        return getters[0]
    return _collect(getters) if many else _first(getters)


def _first(getters: list[Get]) -> Get:
    if len(getters) == 1:
        return getters[0]

    def first(record: Any) -> Any:
        for get in getters:
            value = get(record)
            if value is not None and not coerce.is_nothing(value):
                return value
        return None

    return first


def _collect(getters: list[Get]) -> Get:
    def collect(record: Any) -> list[Any] | None:
        values: list[Any] = []
        for get in getters:
            value = get(record)
            if value is not None:
                values.extend(coerce.array(value) or ())
        return values or None

    return collect


def _guarded(source: str, path: str, note: Callable[[str, str], None]) -> Get:
    """Compile an expression; one that fails on a record gives nothing, and is counted. Plain paths cannot fail."""
    get = compile_expression(source)
    if plain_path(source) is not None:
        return get

    def guarded(record: Any) -> Any:
        try:
            return get(record)
        except EvaluationError:
            note(path, LeftOut.EXPRESSION_ERROR)
            return None

    return guarded


def _is_true(value: Any) -> bool:
    """Tell JMESPath's truth: null, false, and empty texts, lists and objects are false; every number is true."""
    return value is not None and value is not False and value not in ("", [], {})


def stream_columns(schema: Mapping[str, Any], seen: Collection[str] = ()) -> frozenset[str]:
    """Give the columns that a stream's schema declares, and those seen besides."""
    return frozenset(schema.get("properties") or ()) | frozenset(seen)

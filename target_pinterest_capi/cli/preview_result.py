"""From Singer messages to what each record comes to, without delivering anything.

Promises the target's own answer for every record: the same entries, checks and order. Stream maps, flattening and the ledger are
the target's alone, and are left out. Holds no value of a record but an event's, as it would be sent.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from target_pinterest_capi import messages
from target_pinterest_capi.delivery.batches import FRAME_BYTES
from target_pinterest_capi.delivery.outcomes import Outcome
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, LeftOut, Skipped, Warned
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.mapping.expressions import roots
from target_pinterest_capi.mapping.mappings import Accounts, CompiledEntry, Stream, compile_stream, matching, stream_columns
from target_pinterest_capi.reporting.tally import Tally
from target_pinterest_capi.settings import MappingEntry, Settings
from target_pinterest_capi.validation import SchemaError, check_schema, compile_validator

EVENT: Final = "event"  # the outcome that a run would send
IGNORED: Final = ("STATE", "BATCH", "ACTIVATE_VERSION")
LIST_ADVICE: Final = "The stream feeds a customer list: preview shows events, no list members."
_ADVICE: Final = {str(reason): reason.advice for reasons in (LeftOut, Warned, Invalid, Skipped) for reason in reasons}
_WARNED: Final = frozenset(map(str, Warned))


class InputError(ValueError):
    """A line that the target could not read either; says which and why, without its content."""


@dataclass(frozen=True, slots=True)
class Note:
    """A value that is left out of an event, or sent with a warning: its field, why, and how many there were."""

    field: str
    reason: str
    count: int

    @property
    def advice(self) -> str:
        """What a person does about it."""
        return advice_of(self.reason)


class Result(NamedTuple):
    """What a record comes to by one mapping entry. `event` is as it would be sent; `mapping` is empty where none takes it."""

    line: int
    stream: str
    mapping: str
    outcome: str
    notes: tuple[Note, ...] = ()
    ad_account_id: str | None = None
    event: Any = None
    reason: str | None = None
    field: str | None = None
    detail: str | None = None
    name: str | None = None
    advice: str | None = None

    def members(self) -> dict[str, Any]:
        """Give it for programs, with the names that dead letters have; what is absent is left out."""
        given = {name: value for name, value in self._asdict().items() if name != "notes" and value is not None}
        for member, warned in (("left_out", False), ("warnings", True)):
            notes = [{**asdict(note), "advice": note.advice} for note in self.notes if is_warning(note.reason) is warned]
            if notes:
                given[member] = notes
        return given


class Preview:
    """Reads the messages of a tap, and keeps the counts of what they come to. `now` gives Unix seconds."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self.tally = Tally()
        self.ignored: Counter[str] = Counter()
        self.line = 0
        self._settings = settings
        self._now = now
        self._accounts = Accounts(settings)
        self._streams: dict[str, _StreamPreview] = {}

    def read(self, lines: Iterable[bytes]) -> Iterator[list[Result]]:
        """Give for each record what its entries make of it; one result where none takes it. Raises `InputError`."""
        for line in lines:
            self.line += 1
            if not line or line.isspace():
                continue
            try:
                results = self._take(messages.decode(line))
            except (messages.MessageError, SchemaError, InputError) as error:
                raise InputError(f"line {self.line}: {error}") from None
            if results is not None:
                yield results

    def unread_columns(self) -> dict[str, list[str]]:
        """Give by stream the columns that no expression reads; a stream whose expressions may read any column has none."""
        found = {name: stream.unread_columns(self._settings) for name, stream in self._streams.items()}
        return {name: columns for name, columns in found.items() if columns}

    def _take(self, message: messages.Message) -> list[Result] | None:
        """Give a record's results; None for other messages."""
        if message.type == "RECORD":
            return self._record(message)
        if message.type == "SCHEMA":
            self._schema(message)
        elif message.type in IGNORED:
            self.ignored[message.type] += 1
        else:
            raise InputError("its type is no message type: expected SCHEMA, RECORD, STATE, BATCH or ACTIVATE_VERSION")
        return None

    def _schema(self, message: messages.Message) -> None:
        if message.stream is None or not bytes(message.schema):
            raise InputError("the SCHEMA message lacks `stream` or `schema`")
        try:
            schema = json.loads(bytes(message.schema))
        except (ValueError, RecursionError):
            raise InputError("the schema cannot be read") from None
        check_schema(schema)
        self._streams[message.stream] = _StreamPreview(self, message.stream, schema, tuple(message.key_properties or ()))

    def _record(self, message: messages.Message) -> list[Result]:
        if message.stream is None or message.record is None:
            raise InputError("the RECORD message lacks `stream` or `record`")
        stream = self._streams.get(message.stream)
        if stream is None:
            raise InputError("a RECORD came before the SCHEMA of its stream")
        self.tally.records += 1
        return stream.results(message.record)

    def compile(self, stream: Stream, note: Callable[[Origin, str, str], None]) -> tuple[CompiledEntry, ...]:
        """Compile the entries that take a stream."""
        return compile_stream(self._settings, stream, self._accounts, note, self._now)

    @property
    def settings(self) -> Settings:
        """The settings it maps by."""
        return self._settings


class _StreamPreview:
    """One stream since its last SCHEMA: its compiled entries, made again when a record brings an undeclared column."""

    def __init__(self, preview: Preview, name: str, schema: dict[str, Any], key_properties: tuple[str, ...]) -> None:
        self._preview = preview
        self._stream = Stream(name, stream_columns(schema), key_properties)
        self._noted: Counter[tuple[str, str]] = Counter()
        self._entries = preview.compile(self._stream, self._note)
        self._validate = compile_validator(schema) if preview.settings.validate_records else None

    def results(self, record: dict[str, Any]) -> list[Result]:
        """Give what each entry makes of the record."""
        name = self._stream.name
        if self._validate is not None and (violation := self._validate(record)) is not None:
            origin = self._entries[0].origin if self._entries else Origin(name, "")
            return [self._result(InvalidRecord(origin, Invalid.SCHEMA_VIOLATION, violation.field, violation.keyword))]
        if not self._stream.columns.issuperset(record):
            self._stream = self._stream._replace(columns=self._stream.columns.union(record))
            self._entries = self._preview.compile(self._stream, self._note)
        if not self._entries:
            return [self._result(SkippedRecord(Origin(name, ""), Skipped.NO_MAPPING))]
        return [self._result(entry.take(record)) for entry in self._entries]

    def unread_columns(self, settings: Settings) -> list[str]:
        """Give the columns that no expression of the entries reads, sorted."""
        entries = [entry for _, entry in matching(settings, self._stream.name)]
        sources = [source for entry in entries for source in _sources(entry, self._stream)]
        columns = [roots(source) for source in sources]
        if not entries or None in columns:
            return []
        read = frozenset(self._stream.key_properties).union(*(names for names in columns if names is not None))
        return sorted(name for name in self._stream.columns - read if not name.startswith("_sdc_"))

    def _note(self, _: Origin, field: str, reason: str) -> None:
        self._noted[field, str(reason)] += 1

    def _result(self, made: Event | InvalidRecord | SkippedRecord) -> Result:
        """Give one entry's answer with what was noted meanwhile, and count both."""
        noted, self._noted = self._noted, Counter()
        notes = tuple(Note(field, reason, count) for (field, reason), count in noted.items())
        tally, line = self._preview.tally, self._preview.line
        for note in notes:
            tally.note(made.origin, note.field, note.reason, note.count)
        if isinstance(made, Event) and len(made.body) + FRAME_BYTES > self._preview.settings.batch_max_bytes:
            made = InvalidRecord(made.origin, Invalid.EVENT_TOO_LARGE, detail="batch_max_bytes")
        if isinstance(made, Event):
            tally.count(made.origin, Outcome.SKIPPED, Skipped.DRY_RUN)
            return Result(line, *made.origin, EVENT, notes, made.account.ad_account_id, json.loads(made.body))
        reason = str(made.reason)
        if isinstance(made, InvalidRecord):
            tally.count(made.origin, Outcome.INVALID, reason)
            advice = _ADVICE.get(made.detail or "", made.reason.advice)
            return Result(
                line, *made.origin, str(Outcome.INVALID), notes, reason=reason, field=made.field, detail=made.detail, advice=advice
            )
        name = None if made.name is None else tally.name(made.name)
        tally.count(made.origin, Outcome.SKIPPED, reason if name is None else f"{reason}: {name}")
        advice = LIST_ADVICE if made.reason is Skipped.NO_MAPPING and self._feeds_a_list() else made.reason.advice
        return Result(line, *made.origin, str(Outcome.SKIPPED), notes, reason=reason, name=name, advice=advice)

    def _feeds_a_list(self) -> bool:
        return any(fnmatchcase(self._stream.name, entry.stream) for entry in self._preview.settings.customer_lists)


def advice_of(reason: str) -> str:
    """Give what a person does about a reason; empty where there is nothing to say."""
    return _ADVICE.get(reason.partition(":")[0], "")


def is_warning(reason: str) -> bool:
    """Tell whether the value is sent all the same."""
    return reason in _WARNED


def _sources(entry: MappingEntry, stream: Stream) -> Iterator[str]:
    """Give the expressions of an entry and of its preset, but for those of fields that the entry unmaps."""
    preset = presets.load(entry.preset, stream.columns) if entry.preset else None
    for level in (entry, preset):
        if level is not None:
            yield from (source for source in (level.when,) if source)
            for path, expressions in level.fields.items():
                if level is entry or path not in entry.fields or entry.fields[path] is not None:
                    yield from expressions or ()
    if entry.ad_account_id is not None and not entry.ad_account_id.isdigit():
        yield entry.ad_account_id

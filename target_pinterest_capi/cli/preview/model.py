"""From Singer messages to what each record comes to, without delivering anything.

Promises the target's own answer for every record: the same entries, checks and order. Stream maps, flattening and the ledger are
the target's alone, and are left out. Holds no value of a record but an event's and a member's, as they would be sent.
"""

import json  # noqa: I001
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from target_pinterest_capi.cli.preview.customer_lists import (
    ADVICE,
    OUTCOMES,
    PreviewedList,
    compile_lists,
    list_sources,
)
from target_pinterest_capi.customer_lists.members import Action, MemberOperation
from target_pinterest_capi.delivery.batches import max_event_bytes
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, LeftOut, Skipped, Warned
from target_pinterest_capi.expressions.compiler import roots
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.mapping.entries import (
    Accounts,
    CompiledEntry,
    StreamSchema,
    compile_stream,
    matching,
    stream_columns,
)
from target_pinterest_capi.reporting.counters import Counters, OutcomeCount
from target_pinterest_capi.settings import MappingEntry, Settings
from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.schemas import SchemaError, check_schema, compile_validator

EVENT: Final = "event"  # the outcome that a run would send
IGNORED: Final = ("STATE", "BATCH", "ACTIVATE_VERSION")
# How a preview counts what a run would send, by the reason that the tally has it under.
SENT: Final = {str(Skipped.DRY_RUN): EVENT, **{outcome: outcome for outcome in OUTCOMES.values()}}
_ADVICE: Final = {
    str(reason): reason.advice
    for reasons in (LeftOut, Warned, Invalid, Skipped)
    for reason in reasons
}
_WARNED: Final = frozenset(map(str, Warned))


class UnreadableLineError(ValueError):
    """A line that the target could not read either; says which and why, without its content."""


@dataclass(frozen=True, slots=True)
class Note:
    """A value that is left out of an event or a list, or sent with a warning: its field, why, and how many there were."""

    field: str
    reason: str
    count: int

    @property
    def advice(self) -> str:
        """What a person does about it."""
        return advice_of(self.reason)


class PreviewedRecord(NamedTuple):
    """What a record comes to by one mapping entry, or one customer list. `mapping` is empty where none takes it.

    `event` is as it would be sent. `customer_list` has the list's id or name and its type, and `members`, digests as they would be
    sent, where the record adds or removes any; `mapping` is its id or name then.
    """

    line: int
    stream: str
    mapping: str
    outcome: str
    notes: tuple[Note, ...] = ()
    ad_account_id: str | None = None
    event: Any = None
    customer_list: dict[str, Any] | None = None
    reason: str | None = None
    field: str | None = None
    detail: str | None = None
    name: str | None = None
    advice: str | None = None

    @property
    def would_be_sent(self) -> bool:
        """Tell whether a run would send it."""
        return self.outcome in SENT.values()

    def members(self) -> dict[str, Any]:
        """Give it for programs, with the names that dead letters have; what is absent is left out."""
        given = {
            name: value
            for name, value in self._asdict().items()
            if name != "notes" and value is not None
        }
        for member, warned in (("left_out", False), ("warnings", True)):
            notes = [
                {**asdict(note), "advice": note.advice}
                for note in self.notes
                if is_warning(note.reason) is warned
            ]
            if notes:
                given[member] = notes
        return given


class Preview:
    """Reads the messages of a tap, and keeps the counts of what they come to. `now` gives Unix seconds."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self.tally = Counters()
        self.ignored: Counter[str] = Counter()
        self.line = 0
        self.lists: set[Origin] = (
            set()
        )  # origins that are customer lists, where the others are mapping entries
        self._settings = settings
        self._now = now
        self._accounts = Accounts(settings)
        self._streams: dict[str, _StreamPreview] = {}

    def read(self, lines: Iterable[bytes]) -> Iterator[list[PreviewedRecord]]:
        """Give for each record what its entries make of it; one result where none takes it. Raises `UnreadableLineError`."""
        for line in lines:
            self.line += 1
            if not line or line.isspace():
                continue
            try:
                results = self._take(messages.decode(line))
            except (messages.MessageError, SchemaError, UnreadableLineError) as error:
                raise UnreadableLineError(f"line {self.line}: {error}") from None
            if results is not None:
                yield results

    def sent(self) -> Counter[str]:
        """Give how many events, additions and removals a run would send, by outcome."""
        counts = Counter[str]()
        for row in self.tally.outcomes():
            if row.reason in SENT:
                counts[SENT[row.reason]] += row.number
        return counts

    def advice(self, row: OutcomeCount) -> str:
        """Give what a person does about a row of the outcome table; empty where there is nothing to say."""
        return (
            ADVICE[row.reason]
            if row.origin in self.lists and row.reason in ADVICE
            else advice_of(row.reason)
        )

    def unread_columns(self) -> dict[str, list[str]]:
        """Give by stream the columns that no expression reads; a stream whose expressions may read any column has none."""
        found = {
            name: stream.unread_columns(self._settings) for name, stream in self._streams.items()
        }
        return {name: columns for name, columns in found.items() if columns}

    def _take(self, message: messages.Message) -> list[PreviewedRecord] | None:
        """Give a record's results; None for other messages."""
        if message.type == "RECORD":
            return self._record(message)
        if message.type == "SCHEMA":
            self._schema(message)
        elif message.type in IGNORED:
            self.ignored[message.type] += 1
        else:
            raise UnreadableLineError(
                "its type is no message type: expected SCHEMA, RECORD, STATE, BATCH or ACTIVATE_VERSION"
            )
        return None

    def _schema(self, message: messages.Message) -> None:
        if message.stream is None or not bytes(message.schema):
            raise UnreadableLineError("the SCHEMA message lacks `stream` or `schema`")
        try:
            schema = json.loads(bytes(message.schema))
        except (ValueError, RecursionError):
            raise UnreadableLineError("the schema cannot be read") from None
        check_schema(schema)
        self._streams[message.stream] = _StreamPreview(
            self, message.stream, schema, tuple(message.key_properties or ())
        )

    def _record(self, message: messages.Message) -> list[PreviewedRecord]:
        if message.stream is None or message.record is None:
            raise UnreadableLineError("the RECORD message lacks `stream` or `record`")
        stream = self._streams.get(message.stream)
        if stream is None:
            raise UnreadableLineError("a RECORD came before the SCHEMA of its stream")
        self.tally.records += 1
        return stream.results(message.record)

    def compile(
        self, stream: StreamSchema, note: Callable[[Origin, str, str], None]
    ) -> tuple[CompiledEntry, ...]:
        """Compile the entries that take a stream."""
        return compile_stream(self._settings, stream, self._accounts, note, self._now)

    @property
    def settings(self) -> Settings:
        """The settings it maps by."""
        return self._settings


class _StreamPreview:
    """One stream since its last SCHEMA: its compiled entries, made again when a record brings an undeclared column."""

    def __init__(
        self, preview: Preview, name: str, schema: dict[str, Any], key_properties: tuple[str, ...]
    ) -> None:
        self._preview = preview
        self._stream = StreamSchema(name, stream_columns(schema), key_properties)
        self._noted: Counter[tuple[str, str]] = Counter()
        self._entries = preview.compile(self._stream, self._note)
        self._lists = compile_lists(preview.settings, self._stream, self._note)
        preview.lists.update(entry.origin for entry in self._lists)
        self._validate = compile_validator(schema) if preview.settings.validate_records else None

    def results(self, record: dict[str, Any]) -> list[PreviewedRecord]:
        """Give what each entry makes of the record, and then each customer list."""
        nowhere = Origin(self._stream.name, "")
        if self._validate is not None and (violation := self._validate(record)) is not None:
            origin = (
                *(entry.origin for entry in self._entries),
                *(entry.origin for entry in self._lists),
                nowhere,
            )[0]
            made = InvalidRecord(
                origin, Invalid.SCHEMA_VIOLATION, violation.field, violation.keyword
            )
            return [
                self._of_list(made, self._lists[0])
                if self._lists and not self._entries
                else self._result(made)
            ]
        if not self._stream.columns.issuperset(record):
            self._stream = self._stream._replace(columns=self._stream.columns.union(record))
            self._entries = self._preview.compile(self._stream, self._note)
        results = [self._result(entry.take(record)) for entry in self._entries]
        results += [self._of_list(entry.read(record), entry) for entry in self._lists]
        return results or [self._result(SkippedRecord(nowhere, Skipped.NO_MAPPING))]

    def unread_columns(self, settings: Settings) -> list[str]:
        """Give the columns that no expression of the entries reads, sorted."""
        entries = [entry for _, entry in matching(settings, self._stream.name)]
        sources = [source for entry in entries for source in _sources(entry, self._stream)]
        sources += list_sources(settings, self._stream.name)
        read = roots(*sources)
        if not (entries or self._lists) or read is None:
            return []
        return sorted(
            name
            for name in self._stream.columns - read.union(self._stream.key_properties)
            if not name.startswith("_sdc_")
        )

    def _note(self, _: Origin, field: str, reason: str) -> None:
        self._noted[field, str(reason)] += 1

    def _result(self, made: Event | InvalidRecord | SkippedRecord) -> PreviewedRecord:
        """Give one mapping entry's answer with what was noted meanwhile, and count both."""
        notes = self._take_notes(made.origin)
        if isinstance(made, Event) and len(made.body) > max_event_bytes(
            self._preview.settings.batch_max_bytes
        ):
            made = InvalidRecord(made.origin, Invalid.EVENT_TOO_LARGE, detail="batch_max_bytes")
        if isinstance(made, InvalidRecord):
            return self._invalid(made, notes)
        tally, line = self._preview.tally, self._preview.line
        if isinstance(made, Event):
            tally.count(made.origin, Outcome.SKIPPED, Skipped.DRY_RUN)
            return PreviewedRecord(
                line, *made.origin, EVENT, notes, made.account.ad_account_id, json.loads(made.body)
            )
        reason = str(made.reason)
        name = None if made.name is None else tally.name(made.name)
        tally.count(made.origin, Outcome.SKIPPED, reason if name is None else f"{reason}: {name}")
        return PreviewedRecord(
            line,
            *made.origin,
            str(Outcome.SKIPPED),
            notes,
            reason=reason,
            name=name,
            advice=made.reason.advice,
        )

    def _of_list(
        self, made: MemberOperation | InvalidRecord, entry: PreviewedList
    ) -> PreviewedRecord:
        """Give one customer list's answer likewise."""
        notes = self._take_notes(entry.origin)
        if isinstance(made, InvalidRecord):
            invalid = self._invalid(made, notes)._replace(
                ad_account_id=entry.ad_account_id, customer_list=entry.shown
            )
            return invalid._replace(advice=ADVICE.get(str(made.reason), invalid.advice))
        outcome = OUTCOMES[made.action]
        self._preview.tally.count(entry.origin, Outcome.SKIPPED, outcome)
        shown = {**entry.shown, "members": list(made.members)}
        return PreviewedRecord(
            self._preview.line,
            *entry.origin,
            outcome,
            notes,
            entry.ad_account_id,
            customer_list=shown,
        )

    def _invalid(self, made: InvalidRecord, notes: tuple[Note, ...]) -> PreviewedRecord:
        reason = str(made.reason)
        self._preview.tally.count(made.origin, Outcome.INVALID, reason)
        advice = _ADVICE.get(made.detail or "", made.reason.advice)
        line, outcome = self._preview.line, str(Outcome.INVALID)
        return PreviewedRecord(
            line,
            *made.origin,
            outcome,
            notes,
            reason=reason,
            field=made.field,
            detail=made.detail,
            advice=advice,
        )

    def _take_notes(self, origin: Origin) -> tuple[Note, ...]:
        """Give what was noted since the last answer, and count it."""
        noted, self._noted = self._noted, Counter()
        notes = tuple(Note(field, reason, count) for (field, reason), count in noted.items())
        for note in notes:
            self._preview.tally.note(origin, note.field, note.reason, note.count)
        return notes


def sent_in_words(sent: Counter[str]) -> str:
    """Say how many events, additions to customer lists and removals there are; no events, where there is nothing else either."""
    added, removed = (sent[OUTCOMES[action]] for action in (Action.ADD, Action.REMOVE))
    words = [number_of(sent[EVENT], "event")] if sent[EVENT] or not (added or removed) else []
    words += [number_of(added, "list addition")] if added else []
    words += [number_of(removed, "list removal")] if removed else []
    return ", ".join(words)


def number_of(count: int, noun: str) -> str:
    """Give a number with its noun, in the plural where it has one."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def advice_of(reason: str) -> str:
    """Give what a person does about a reason; empty where there is nothing to say."""
    return _ADVICE.get(reason.partition(":")[0], "")


def is_warning(reason: str) -> bool:
    """Tell whether the value is sent all the same."""
    return reason in _WARNED


def _sources(entry: MappingEntry, stream: StreamSchema) -> Iterator[str]:
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

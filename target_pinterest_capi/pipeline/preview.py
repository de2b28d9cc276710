"""From Singer messages to the result of each record, without delivering anything.

For `preview` and for the sample of `check`. Every record gets the target's own result, from the
target's own pipeline. Stream maps, flattening and the ledger are only in the target. Has no value
of a record except those of an event or a member, as they would be sent.
"""

import fnmatch
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from target_pinterest_capi.customer_lists.members import MemberOperation, MemberResult
from target_pinterest_capi.delivery.batches import max_event_bytes
from target_pinterest_capi.delivery.old_event_rows import OldEventRows
from target_pinterest_capi.events.build.builder import Result
from target_pinterest_capi.events.column_names import is_metadata
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.outcomes import (
    Outcome,
    advice_about,
    counted_invalid,
    counted_reason,
)
from target_pinterest_capi.events.reasons import Invalid, Skipped
from target_pinterest_capi.events.redaction import shown_event_name, shown_name
from target_pinterest_capi.expressions.analysis import roots
from target_pinterest_capi.mapping.entries import (
    Accounts,
    Record,
    StreamSchema,
    conditions,
    entry_compiler,
    load_preset,
    matching,
)
from target_pinterest_capi.pipeline.not_found import NamesNotFound
from target_pinterest_capi.pipeline.previewed import (
    EVENT,
    SENT,
    Note,
    PreviewedRecord,
    number_of,
)
from target_pinterest_capi.pipeline.previewed_lists import (
    ADVICE,
    OUTCOMES,
    PreviewedListEntry,
    compile_lists,
    list_sources,
)
from target_pinterest_capi.pipeline.stream import StreamPipeline
from target_pinterest_capi.reporting import summary
from target_pinterest_capi.reporting.counters import Counters, OutcomeCount
from target_pinterest_capi.reporting.event_times import HOUR
from target_pinterest_capi.reporting.report import NotFound
from target_pinterest_capi.settings import MappingEntry, Settings
from target_pinterest_capi.settings.event_names import known_event_names
from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.schemas import SchemaError, check_schema

MOST_NAMES: Final = 20  # of lists named by records, shown in messages
IGNORED: Final = ("STATE", "BATCH", "ACTIVATE_VERSION")


class UnreadableLineError(ValueError):
    """A line that the target could not read either; says which and why, without its content."""


class Preview:
    """Reads the messages of a tap, and counts the results.

    `now` returns Unix seconds. With `in_plain` values are shown before hashing.
    """

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float] = time.time,
        *,
        in_plain: bool = False,
    ) -> None:
        self.in_plain = in_plain
        self.ignored: Counter[str] = Counter()
        self.line = 0
        self.lists: set[Origin] = (
            set()
        )  # origins that are customer lists; the others are mapping entries
        # The names of lists in records, in their order, by the entry's label.
        self.named_lists: dict[str, dict[str, None]] = {}
        self.event_names = Counter[str]()
        self.late = 0  # web and app events that are over an hour old
        self._known_names = known_event_names(settings)
        self.tally = Counters(self._known_names)
        self._settings = settings
        self.now = now
        self.old_events = OldEventRows(settings)
        self.began_at = datetime.fromtimestamp(now(), UTC)
        self.accounts = Accounts(settings)
        self.names = NamesNotFound(settings)
        self._streams: dict[str, _StreamPreview] = {}
        self._records: Counter[str] = Counter()  # by stream

    def read(self, lines: Iterable[bytes]) -> Iterator[list[PreviewedRecord]]:
        """Yield for each record the results of its entries; one result if no entry selects it.

        Raises `UnreadableLineError`.
        """
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

    def shown_event(self, event: Event) -> Any:
        """Return an event as it would be sent; count its name, which may be a value, and its age.

        The name is shown if it is Pinterest's or in the settings, and with `in_plain`.
        """
        self.event_names[event.name] += 1
        self.late += event.deduplicable and self.now() - event.time > HOUR
        body = json.loads(event.body)
        if not self.in_plain:
            body["event_name"] = shown_event_name(event.name, self._known_names)
        return body

    def sent(self) -> Counter[str]:
        """Return how many events, additions and removals a run would send, by outcome."""
        counts = Counter[str]()
        for row in self.tally.outcomes():
            if row.reason in SENT:
                counts[SENT[row.reason]] += row.number
        return counts

    def not_sent(self) -> list[OutcomeCount]:
        """Return the rows of the outcome table that a run would not send, the largest first."""
        rows = [row for row in self.tally.outcomes() if row.reason not in SENT]
        return sorted(rows, key=lambda row: -row.number)

    def advice(self, row: OutcomeCount) -> str:
        """Return the advice for a row of the outcome table, which may be empty."""
        reason = row.reason.partition(":")[0]
        if row.origin in self.lists and reason in ADVICE:
            return ADVICE[reason]
        return advice_about(reason)

    def not_found(self) -> list[NotFound]:
        """Return the streams and columns that the settings name but the input does not have.

        None if the target changes names first, by stream maps or flattening.
        """
        if self._settings.stream_maps or self._settings.flattening_enabled:
            return []
        return [*self.names.streams(), *self.names.columns()]

    def about_ids(self) -> Iterator[str]:
        """Yield a line for each name whose events all have the same id."""
        return summary.about_ids(self.tally)

    def untried(self) -> Iterator[NotFound]:
        """Yield the entries of the configuration whose streams had no record."""
        patterns = {
            f"{kind}[{number}]": entry.stream
            for kind in ("mappings", "customer_lists")
            for number, entry in enumerate(getattr(self._settings, kind) or ())
        }
        for setting, pattern in patterns.items():
            streams = [name for name in self._streams if fnmatch.fnmatchcase(name, pattern)]
            if streams and not any(self._records[name] for name in streams):
                shown = shown_name(streams[0] if len(streams) == 1 else pattern)
                message = f"No record of stream {shown} came, so its entry was not tested"
                yield NotFound(setting=setting, message=message)

    def named_lists_in_words(self) -> Iterator[str]:
        """Yield a message about the lists that records name, for each entry with an expression."""
        for label, names in self.named_lists.items():
            shown = ", ".join(map(shown_name, list(names)[:MOST_NAMES]))
            more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
            yield (
                f"list_name {label} names {number_of(len(names), 'customer list')}: {shown}{more}. "
                "A run creates those that do not exist."
            )

    def unread_columns(self) -> dict[str, list[str]]:
        """Return by stream the columns that no expression reads.

        None for a stream whose expressions may read any column.
        """
        found = {
            name: stream.unread_columns(self._settings) for name, stream in self._streams.items()
        }
        return {
            shown_name(name): list(map(shown_name, columns))
            for name, columns in found.items()
            if columns
        }

    def _take(self, message: messages.Message) -> list[PreviewedRecord] | None:
        """Return a record's results; None for other messages."""
        if message.type == "RECORD":
            return self._record(message)
        if message.type == "SCHEMA":
            self._schema(message)
        elif message.type in IGNORED:
            self.ignored[message.type] += 1
        else:
            raise UnreadableLineError(
                "its type is not a message type: "
                "expected SCHEMA, RECORD, STATE, BATCH or ACTIVATE_VERSION"
            )
        return None

    def _schema(self, message: messages.Message) -> None:
        if message.stream is None or not bytes(message.schema):
            raise UnreadableLineError("the SCHEMA message has no `stream` or no `schema`")
        try:
            schema = json.loads(bytes(message.schema))
        except (ValueError, RecursionError):
            raise UnreadableLineError("the schema cannot be read") from None
        schema = check_schema(schema)
        self._streams[message.stream] = _StreamPreview(
            self, message.stream, schema, tuple(message.key_properties or ())
        )

    def _record(self, message: messages.Message) -> list[PreviewedRecord]:
        if message.stream is None or message.record is None:
            raise UnreadableLineError("the RECORD message has no `stream` or no `record`")
        stream = self._streams.get(message.stream)
        if stream is None:
            raise UnreadableLineError("a RECORD came before the SCHEMA of its stream")
        self.tally.records += 1
        self._records[message.stream] += 1
        return stream.results(message.record)

    @property
    def settings(self) -> Settings:
        """The settings for the mapping."""
        return self._settings


class _StreamPreview:
    """One stream since its last SCHEMA: collects a record's results, to show them."""

    def __init__(
        self, preview: Preview, name: str, schema: dict[str, Any], key_properties: tuple[str, ...]
    ) -> None:
        self.sequence = 0
        self._preview = preview
        self._noted: Counter[tuple[str, str]] = Counter()
        self._results: list[PreviewedRecord] = []
        self.collect_event = None  # each result is shown
        self._lists = compile_lists(
            preview.settings,
            name,
            key_properties,
            self._note,
            preview.began_at,
            in_plain=preview.in_plain,
        )
        preview.lists.update(entry.origin for entry in self._lists)
        self._pipeline = StreamPipeline(
            name,
            schema,
            key_properties,
            preview.settings,
            self,
            compile_entries=entry_compiler(
                preview.settings,
                preview.accounts,
                self._note,
                preview.now,
                began_at=preview.began_at,
                in_plain=preview.in_plain,
            ),
            not_found=preview.names,
            lists=[(entry.origin, partial(self._handle_for_list, entry)) for entry in self._lists],
        )

    def results(self, record: dict[str, Any]) -> list[PreviewedRecord]:
        """Return the result of each entry for the record, and then of each customer list."""
        self._results = []
        self._pipeline.handle_record(record)
        return self._results

    def handle(self, result: Result) -> None:
        """Collect the result of one mapping entry, or of the schema, for the current record."""
        if self._lists and not self._pipeline.has_entries and isinstance(result, InvalidRecord):
            self._results.append(self._of_list(result, self._lists[0]))
        else:
            self._results.append(self._result(result))

    def _handle_for_list(self, entry: PreviewedListEntry, record: Record) -> None:
        made = entry.read(record)
        if not isinstance(made, MemberOperation) or not made.lists:
            self._results.append(self._of_list(made, entry))
            return
        for name in made.lists:
            self._preview.named_lists.setdefault(entry.origin.mapping, {})[name] = None
            of_list = entry.of_list(name)
            self._preview.lists.add(of_list.origin)
            self._results.append(self._of_list(made, of_list))

    def unread_columns(self, settings: Settings) -> list[str]:
        """Return the columns that no expression of the entries reads, sorted."""
        stream = self._pipeline.stream
        entries = [entry for _, entry in matching(settings, stream.name)]
        sources = [source for entry in entries for source in _sources(entry, stream)]
        sources += list_sources(settings, stream.name)
        read = roots(*sources)
        if not self._pipeline.is_taken or read is None:
            return []
        unread = stream.columns - read.union(stream.key_properties)
        return sorted(name for name in unread if not is_metadata(name))

    def _note(self, _: Origin, field: str, reason: str) -> None:
        self._noted[field, str(reason)] += 1

    def _result(self, made: Result) -> PreviewedRecord:
        """Return one mapping entry's result with its notes, and count both."""
        notes = self._take_notes(made.origin)
        if isinstance(made, Event) and len(made.body) > max_event_bytes(
            self._preview.settings.batch_max_bytes
        ):
            made = InvalidRecord(made.origin, Invalid.EVENT_TOO_LARGE, detail="batch_max_bytes")
        if isinstance(made, Event):
            made = self._preview.old_events.result(made, self._preview.now())
        if isinstance(made, InvalidRecord):
            return self._invalid(made, notes)
        tally, line = self._preview.tally, self._preview.line
        if isinstance(made, Event):
            tally.count_outcome(made.origin, Outcome.SKIPPED, Skipped.DRY_RUN)
            tally.examine_events([made])
            account, event = made.account.ad_account_id, self._preview.shown_event(made)
            return PreviewedRecord(line, *made.origin.shown, EVENT, notes, account, event)
        return self._skipped(made, notes)

    def _of_list(self, made: MemberResult, entry: PreviewedListEntry) -> PreviewedRecord:
        """Return one customer list's result with its notes, and count both."""
        notes = self._take_notes(entry.origin)
        if isinstance(made, InvalidRecord):
            invalid = self._invalid(made, notes)._replace(
                ad_account_id=entry.ad_account_id, customer_list=entry.shown
            )
            return invalid._replace(advice=ADVICE.get(str(made.reason), invalid.advice))
        if isinstance(made, SkippedRecord):
            return self._skipped(made, notes)._replace(
                ad_account_id=entry.ad_account_id, customer_list=entry.shown
            )
        outcome = OUTCOMES[made.action]
        self._preview.tally.count_outcome(entry.origin, Outcome.SKIPPED, outcome)
        members = [one if isinstance(one, str) else one.given() for one in made.members]
        shown = {**entry.shown, "members": members}
        return PreviewedRecord(
            self._preview.line,
            *entry.origin.shown,
            outcome,
            notes,
            entry.ad_account_id,
            customer_list=shown,
        )

    def _skipped(self, made: SkippedRecord, notes: tuple[Note, ...]) -> PreviewedRecord:
        reason = str(made.reason)
        counted = counted_reason(reason, made.name)
        self._preview.tally.count_outcome(made.origin, Outcome.SKIPPED, counted)
        return PreviewedRecord(
            self._preview.line,
            *made.origin.shown,
            str(Outcome.SKIPPED),
            notes,
            reason=reason,
            name=made.name,
            advice=made.reason.advice,
        )

    def _invalid(self, made: InvalidRecord, notes: tuple[Note, ...]) -> PreviewedRecord:
        reason = str(made.reason)
        counted = counted_invalid(reason, made.field)
        self._preview.tally.count_outcome(made.origin, Outcome.INVALID, counted)
        advice = advice_about(made.detail or "") or made.reason.advice
        line, outcome = self._preview.line, str(Outcome.INVALID)
        return PreviewedRecord(
            line,
            *made.origin.shown,
            outcome,
            notes,
            reason=reason,
            field=made.field,
            detail=made.detail,
            advice=advice,
        )

    def _take_notes(self, origin: Origin) -> tuple[Note, ...]:
        """Return what was noted since the last result, and count it."""
        noted, self._noted = self._noted, Counter()
        notes = tuple(Note(field, reason, count) for (field, reason), count in noted.items())
        for note in notes:
            self._preview.tally.count_value(origin, note.field, note.reason, note.count)
        return notes


def _sources(entry: MappingEntry, stream: StreamSchema) -> Iterator[str]:
    """Yield the expressions of an entry and of its preset, without the fields that it unmaps."""
    preset = load_preset(entry, stream)
    yield from conditions(entry, preset)
    for level in (entry, preset):
        if level is not None:
            for path, expressions in level.fields.items():
                if level is entry or path not in entry.fields or entry.fields[path] is not None:
                    yield from expressions or ()
    if entry.ad_account_id is not None and not entry.ad_account_id.isdigit():
        yield entry.ad_account_id

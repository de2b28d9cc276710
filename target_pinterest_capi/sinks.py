"""One sink a stream: what the SDK makes when a SCHEMA comes. Holds the stream's compiled mapping, and no records.

Events go to the run at once, which batches them by account: nothing is ever drained here.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from singer_sdk import Sink

from target_pinterest_capi.checks.credentials import try_settings
from target_pinterest_capi.checks.result import CheckStatus
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.keys import read_key
from target_pinterest_capi.events.reasons import Invalid, Skipped
from target_pinterest_capi.mapping.entries import (
    CompiledEntry,
    StreamSchema,
    compile_stream,
    stream_columns,
)
from target_pinterest_capi.mapping.flat_columns import names_a_field
from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.schemas import compile_validator

if TYPE_CHECKING:
    from target_pinterest_capi.events.build.builder import Result
    from target_pinterest_capi.target import TargetPinterestCapi

NO_MAPPING: Final = ""
MOST_TIMES_NEW: Final = 20
MELTANO_TEST_STREAM: Final = (
    "meltano_test_stream"  # what `meltano config test` sends: seen with Meltano 4.4.1
)


class RowReading(NamedTuple):
    """`decode` reads a line into a message whose `record` is a row, or raises ValueError; `take` takes the row and its line."""

    decode: Callable[[bytes], Any]
    take: Callable[[Any, bytes], None]


class RecordSink(Sink):
    """What our sinks have in common: records are taken one by one, and handed to the run at once.

    `rows` is how lines are read into rows, and how one is taken with the line it was read from, instead of its record; None where
    there are no rows of the stream.
    """

    rows: RowReading | None = None

    def __init__(
        self,
        target: "TargetPinterestCapi",
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._run = target.run
        self._settings = target.settings

    @abstractmethod
    def take(self, record: dict[str, Any]) -> None:
        """Take one record. Raises `RunStopped` where the run has to stop."""

    def get_validator(self) -> None:
        """Give the SDK no validator: its own prints records. Ours is in `take`."""

    def process_record(self, record: dict[str, Any], context: Mapping[str, Any]) -> None:  # noqa: ARG002 - the SDK's signature
        """Take a record that the SDK hands over."""
        self.take(record)

    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Do nothing: no records wait here."""


class ConversionsSink(RecordSink):
    """Turns a stream's records into events for the run, and into members of the customer lists that the stream feeds."""

    def __init__(
        self,
        target: "TargetPinterestCapi",
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._accounts = target.accounts
        self._stream = StreamSchema(
            stream_name, stream_columns(schema), tuple(key_properties or ())
        )
        self._entries: tuple[CompiledEntry, ...] = self._compile()
        self._takes = [entry.take for entry in self._entries]
        self._row_takes: list[Callable[[Any, bytes], Result]] = []
        self._list_takes = target.lists.mappers(stream_name, self._stream.key_properties)
        self._columns: tuple[
            str, ...
        ] = ()  # of the last record: as a rule every record has the same
        self._times_new = 0  # that a record has brought new ones
        self._validate = compile_validator(schema) if target.settings.validate_records else None
        self.rows = self._compile_rows()
        self._nothing = SkippedRecord(Origin(stream_name, NO_MAPPING), Skipped.NO_MAPPING)
        if not self._entries and not self._list_takes:
            self.logger.warning(
                "No entry of mappings takes stream %r: its records are skipped.", stream_name
            )

    def take(self, record: dict[str, Any]) -> None:
        """Take one record to every entry that matches. Raises `RunStopped` where the run has to stop."""
        run = self._run
        run.sequence += 1
        if self._validate is not None and (violation := self._validate(record)) is not None:
            key = read_key(
                record,
                self._stream.key_properties,
                plain=self._settings.dead_letter_keys == "plain",
            )
            origin = (
                *(entry.origin for entry in self._entries),
                *(take.origin for take in self._list_takes),
                self._nothing.origin,
            )[0]
            run.handle_invalid(
                InvalidRecord(
                    origin, Invalid.SCHEMA_VIOLATION, violation.field, violation.keyword, key
                )
            )
            return
        if (columns := tuple(record)) != self._columns:
            self._look_at(columns)
        for take in self._takes:
            run.handle(take(record))
        if self._list_takes:
            for list_take in self._list_takes:
                list_take.map_record(record)
        elif not self._entries:
            run.skip_record(self._nothing)

    def _take_row(self, row: Any, line: bytes) -> None:
        run = self._run
        run.sequence += 1
        for take in self._row_takes:
            result = take(row, line)
            if type(result) is Event:  # nearly every one: a call less
                run.deliver_event(result)
            else:
                run.handle(result)

    def _look_at(self, columns: tuple[str, ...]) -> None:
        """Compile the mapping once more where a record has columns that the schema does not declare, and the rows to hold them.

        A stream that goes on to bring new names has data in them, and no columns: it gets no rows, and only fields are looked for.
        """
        self._columns = columns
        new = set(columns) - self._stream.columns
        fields = {column for column in new if names_a_field(column)}
        self._times_new += bool(new)
        if self._times_new > MOST_TIMES_NEW:
            self.rows, new = None, fields
        if not new:
            return
        self._stream = self._stream._replace(columns=self._stream.columns.union(new))
        if fields:
            self._entries = self._compile()
            self._takes = [entry.take for entry in self._entries]
        if self._times_new <= MOST_TIMES_NEW:
            self.rows = self._compile_rows()

    def _compile(self) -> tuple[CompiledEntry, ...]:
        return compile_stream(self._settings, self._stream, self._accounts, self._run.tally.note)

    def _compile_rows(self) -> RowReading | None:
        """Give how lines are read into rows; None where something reads more of a record than a row holds."""
        plans = [entry.rows for entry in self._entries if entry.rows is not None]
        if (
            not plans
            or len(plans) < len(self._entries)
            or self._list_takes
            or self._validate is not None
        ):
            return None
        rows = messages.compile_rows(
            self._stream.name,
            self._stream.columns,
            frozenset[str]().union(*(plan.reads for plan in plans)),
        )
        if rows is None:
            return None
        self._row_takes = [plan.compile(rows.attributes, messages.record_of) for plan in plans]
        return RowReading(rows.decode, self._take_row)


class MeltanoTestSink(RecordSink):
    """Takes the stream of `meltano config test`: tries token and ad account by test requests, and makes no event of its record.

    Meltano takes any line with the words that usually tell of a failure for one, so the log does without them where all is well.
    """

    def __init__(
        self,
        target: "TargetPinterestCapi",
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._is_tried = False

    def take(self, record: dict[str, Any]) -> None:  # noqa: ARG002 - what is in it is Meltano's
        """Try the settings with the first record. Raises `RunStopped` where they cannot deliver."""
        self._run.sequence += 1
        if not self._is_tried:
            self._is_tried = True
            self._try()
        self._run.skip_record(
            SkippedRecord(Origin(self.stream_name, NO_MAPPING), Skipped.MELTANO_TEST)
        )

    def _try(self) -> None:
        for finding in try_settings(self._settings):
            line = f"{finding.step}: {finding.message}"
            if finding.mark is CheckStatus.FAILED:
                self._run.stop(
                    ". ".join(
                        part.removesuffix(".")
                        for part in (line, finding.advice, finding.place)
                        if part
                    )
                    + "."
                )
            self.logger.info("%s", line)

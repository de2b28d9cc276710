"""What happens to a stream's records: validation, mapping entries, customer lists.

It compiles a stream's mapping, and again if a record has columns that the schema does not declare.
Keeps no record: results are handed on at once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from target_pinterest_capi.events.build.builder import Result
from target_pinterest_capi.events.build.shapes import usable_shapes
from target_pinterest_capi.events.column_names import clean_name
from target_pinterest_capi.events.deletions import deletion_columns
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.keys import read_key
from target_pinterest_capi.events.reasons import Invalid, Skipped
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.mapping.declared_shapes import declared_shapes
from target_pinterest_capi.mapping.entries import (
    CompiledEntry,
    CompileEntries,
    Record,
    StreamSchema,
    columns_of_one_field,
    stream_columns,
    stream_members,
)
from target_pinterest_capi.mapping.flat_columns import SameField, names_a_field
from target_pinterest_capi.pipeline.not_found import NamesNotFound
from target_pinterest_capi.settings import Settings
from target_pinterest_capi.singer.messages import decode_record
from target_pinterest_capi.singer.rows import RowHandler, compile_rows, record_of
from target_pinterest_capi.singer.schemas import compile_validator

NO_MAPPING: Final = ""  # the name of the entry if none selects a record
RECORDS_BEFORE_ROWS: Final = 10  # a schema may change before they have paid off
MOST_TIMES_NEW: Final = 20  # after which new columns of a stream are considered data

MOST_MISFITS: Final = 100  # records of a stream that are no rows, before its shapes are given up

ListMapping = tuple[Origin, Callable[[Record], None]]  # what handles a record for one customer list


class ResultHandler(Protocol):
    """Gets the results: a run, which delivers, or a preview, which shows them."""

    sequence: int  # records that have arrived; results belong to the last one

    def handle(self, result: Result) -> None:
        """Handle the result of one mapping entry for the current record."""

    @property
    def collect_event(self) -> Callable[[Event, int], bool] | None:
        """The short way to handle the event of a record with this number, if there is one.

        It returns whether it did; otherwise `handle` must.
        """


class StreamPipeline:
    """A stream from its SCHEMA on.

    Each record has one result for each mapping entry that selects the stream.

    A record that is not valid by the schema, or that neither an entry nor a customer list selects,
    has one result. `warn` logs warnings about the stream's columns, once; `not_found` notes which
    of the configuration's names the stream has.
    """

    def __init__(
        self,
        name: str,
        schema: Mapping[str, Any],
        key_properties: Sequence[str] | None,
        settings: Settings,
        results: ResultHandler,
        *,
        compile_entries: CompileEntries,
        lists: Sequence[ListMapping] = (),
        warn: Callable[[str], None] = lambda _: None,
        not_found: NamesNotFound | None = None,
    ) -> None:
        self.stream = StreamSchema(
            name,
            stream_columns(schema),
            tuple(map(clean_name, key_properties or ())),
            stream_members(schema),
        )
        self.stream = self.stream._replace(is_complete=bool(self.stream.columns))
        not_found = not_found or NamesNotFound(settings)
        self._names = not_found.of_stream(name, schema, self.stream.columns)
        self._clean_names: dict[str, str] = {}  # of columns with a byte order mark, or blanks
        self._settings = settings
        self._results = results
        self._compile_entries = compile_entries
        self._warn = warn
        self._warned_of: set[SameField] = set()
        self._lists = [handle for _, handle in lists]
        self._declared = declared_shapes(schema)  # empty once records have other values
        self._misfits = 0  # records that could not be read as rows
        self._validate = compile_validator(dict(schema)) if settings.validate_records else None
        self._entries: tuple[CompiledEntry, ...]
        self._mappers: list[Callable[[Record], Result]]
        self._compile()
        origins = (*(entry.origin for entry in self._entries), *(origin for origin, _ in lists))
        self.is_taken = bool(origins)
        self._unmapped = SkippedRecord(Origin(name, NO_MAPPING), Skipped.NO_MAPPING)
        self._first_origin = (*origins, self._unmapped.origin)[0]
        self._last_columns: tuple[str, ...] = ()  # usually the same for every record
        self._times_new = 0
        self._rows: dict[bool, RowHandler | None] = {}  # compiled when they are first needed
        self._rows_are_stale = True
        self._handled = 0  # records before rows are used

    @property
    def has_entries(self) -> bool:
        """Whether any mapping entry selects the stream, not only customer lists."""
        return bool(self._entries)

    def handle_record(self, record: Record) -> None:
        """Hand on a record's results. Raises `RunStopped` if the run must stop."""
        results = self._results
        results.sequence += 1
        self._handled += 1
        if self._validate is not None and (violation := self._validate(record)) is not None:
            results.handle(self._invalid(record, violation.field, violation.keyword))
            return
        if (columns := tuple(record)) != self._last_columns:
            self._look_for_new(columns)
        if self._clean_names:
            record = self._cleaned(record)
        if self._names.are_members_unseen:
            self._look_inside(record)
        for map_record in self._mappers:
            results.handle(map_record(record))
        for handle_for_list in self._lists:
            handle_for_list(record)
        if not self.is_taken:
            results.handle(self._unmapped)

    @property
    def rows(self) -> RowHandler | None:
        """How lines can be read as rows; None if complete records are needed."""
        return self._rows_of(of_batch=False)

    @property
    def batch_rows(self) -> RowHandler | None:
        """The same for the lines of a BATCH's files, which are only the record."""
        return self._rows_of(of_batch=True)

    def _invalid(self, record: Record, field: str, keyword: str) -> InvalidRecord:
        plain = self._settings.dead_letter_keys == "plain"
        key = read_key(record, self.stream.key_properties, plain=plain)
        return InvalidRecord(self._first_origin, Invalid.SCHEMA_VIOLATION, field, keyword, key)

    def _look_for_new(self, columns: tuple[str, ...]) -> None:
        """Compile the mapping again if a record has new columns.

        Once a record has a column that an entry names and the schema does not declare, the schema
        is no longer considered complete.

        If a stream continues to have new names, they are data and not columns: from then on it has
        no rows, and only names of fields are looked up.
        """
        self._last_columns = columns
        unknown = set(columns).difference(self.stream.columns, self._clean_names)
        if not unknown:
            return
        odd = {column: clean_name(column) for column in unknown if clean_name(column) != column}
        self._clean_names.update(odd)
        self._rows_are_stale = True
        new = {odd.get(column, column) for column in unknown} - self.stream.columns
        if not new:
            return
        unread = frozenset[str]().union(*(entry.unread for entry in self._entries)) & new
        fields = {column for column in new if names_a_field(column)}.union(deletion_columns(new))
        fields |= unread
        self._times_new += 1
        if self._times_new > MOST_TIMES_NEW:
            new = fields | (new & self._names.columns)
        self.stream = self.stream._replace(
            columns=self.stream.columns.union(new),
            is_complete=self.stream.is_complete and not unread,
        )
        self._names.see_columns(self.stream.columns)
        if fields:
            self._compile()

    def _look_inside(self, record: Record) -> None:
        """Look for members that the schema does not declare: no rows while there are any."""
        self._names.see_record(record)
        if not self._names.are_members_unseen:
            self._rows_are_stale = True

    def _count_misfit(self) -> None:
        """Stop trusting the schema's types once many records have others: first those in objects.

        Each costs an attempt to read it as a row.
        """
        self._misfits += 1
        if self._declared and self._misfits > MOST_MISFITS:
            flat = {name: shape for name, shape in self._declared.items() if not shape.members}
            self._declared = flat if len(flat) < len(self._declared) else {}
            self._misfits = 0
            self._rows_are_stale = True

    def _cleaned(self, record: Record) -> Record:
        """Return a record with clean names; a column that already has such a name is kept."""
        cleaned = {self._clean_names.get(name, name): value for name, value in record.items()}
        return cleaned if len(cleaned) == len(record) else {**cleaned, **record}

    def _compile(self) -> None:
        self._entries = self._compile_entries(self.stream)
        self._mappers = [entry.map_record for entry in self._entries]
        for same in columns_of_one_field(self._settings, self.stream):
            if same not in self._warned_of:
                self._warned_of.add(same)
                self._warn(_same_field_in_words(self.stream.name, same))

    def _rows_of(self, *, of_batch: bool) -> RowHandler | None:
        if self._rows_are_stale:
            if self._handled < RECORDS_BEFORE_ROWS:
                return None
            self._rows_are_stale = False
            self._rows = {}
        if of_batch not in self._rows:
            self._rows[of_batch] = self._compile_rows(of_batch=of_batch)
        return self._rows[of_batch]

    def _compile_rows(self, *, of_batch: bool) -> RowHandler | None:
        plans = [entry.rows for entry in self._entries if entry.rows is not None]
        reads_records = self._lists or self._validate is not None or len(plans) < len(self._entries)
        reads_records = reads_records or self._names.are_members_unseen
        if not plans or reads_records or self._clean_names or self._times_new > MOST_TIMES_NEW:
            return None
        shapes = usable_shapes(self._declared, [plan.reads for plan in plans])
        columns = self.stream.columns
        in_order = [column for column in self._last_columns if column in columns]
        in_order += sorted(columns.difference(in_order))
        rows = compile_rows(self.stream.name, in_order, shapes)
        if rows is None:
            return None
        as_record = decode_record if of_batch else record_of
        mappers = [plan.compile(rows.columns, as_record) for plan in plans]
        decode = rows.decode_record if of_batch else rows.decode
        return RowHandler(decode, _row_handler(mappers, self._results), self._count_misfit)


def _same_field_in_words(stream: str, same: SameField) -> str:
    unread = ", ".join(repr(shown_name(column)) for column in same.unread)
    return (
        f"Stream {shown_name(stream)!r} has several columns for the field "
        f"{shown_name(same.field)}: {shown_name(same.read)!r} is read, {unread} not. "
        "Rename one, or drop it."
    )


def _row_handler(
    mappers: Sequence[Callable[[Any, bytes], Result]], results: ResultHandler
) -> Callable[[Any, bytes], None]:
    """Return the function that hands on a row's results.

    Only for the rows for which `mappers` were compiled.
    """

    def handle_row(row: Any, line: bytes) -> None:
        results.sequence += 1
        for map_row in mappers:
            results.handle(map_row(row, line))

    collect_event = results.collect_event
    if collect_event is None or len(mappers) > 1:
        return handle_row
    (map_one,) = mappers

    def collect_row(row: Any, line: bytes) -> None:
        results.sequence = sequence = results.sequence + 1
        result = map_one(row, line)
        if type(result) is not Event or not collect_event(result, sequence):
            results.handle(result)

    return collect_row

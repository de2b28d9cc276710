"""A stream's records: their results, and when the mapping is compiled again."""

import cProfile
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from click.testing import CliRunner

from given import ACCOUNT, record, schema, settings_of
from shopper import visit
from target_pinterest_capi.checks import mappings
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.mapping.entries import Accounts, Record, compile_stream, entry_compiler
from target_pinterest_capi.pipeline.stream import (
    MOST_TIMES_NEW,
    RECORDS_BEFORE_ROWS,
    StreamPipeline,
)
from target_pinterest_capi.singer.batch_files import RecordLines, handle_lines
from target_pinterest_capi.singer.rows import RowHandler, compile_rows, record_head

NAMES = 8000
SCHEMA = {"properties": {name: {} for name in (*visit(), "currency")}}


class Results:
    """A handler that keeps the results, each with the number of its record."""

    collect_event = None

    def __init__(self) -> None:
        self.sequence = 0
        self.kept: list[tuple[int, Any]] = []

    def handle(self, result: Any) -> None:
        self.kept.append((self.sequence, result))


def pipeline_of(results: Results, lists: Any = (), **settings: Any) -> StreamPipeline:
    loaded = settings_of(**settings)
    return StreamPipeline(
        "visits",
        SCHEMA,
        ["event_id"],
        loaded,
        results,
        compile_entries=entry_compiler(
            loaded, Accounts(loaded), lambda *_: None, began_at=datetime.now(UTC)
        ),
        lists=lists,
    )


ENTRIES = [
    {"stream": "visits", "name": "all", "preset": "pinterest"},
    {"stream": "visits", "name": "paid", "preset": "pinterest", "when": "currency"},
    {"stream": "carts", "name": "other", "preset": "pinterest"},
]


@pytest.mark.parametrize(
    ("mappings", "given", "expected"),
    [
        (None, visit(), [("pinterest", Event)]),
        (ENTRIES, visit(), [("all", Event), ("paid", SkippedRecord)]),
        (ENTRIES, visit(currency="EUR"), [("all", Event), ("paid", Event)]),
        (ENTRIES, {}, [("all", InvalidRecord), ("paid", SkippedRecord)]),
        (ENTRIES[2:], visit(), [("", SkippedRecord)]),
    ],
)
def test_each_entry_that_takes_the_stream_has_one_result(
    mappings: Any, given: Record, expected: list[tuple[str, type]]
):
    """A record has a result for each entry of its stream, in order, and one if there is none."""
    results = Results()
    pipeline = pipeline_of(results, mappings=mappings)
    assert pipeline.is_taken is pipeline.has_entries is (expected[0][0] != "")
    for _ in range(2):
        pipeline.handle_record(given)
    kinds = [(result.origin.mapping, type(result)) for _, result in results.kept]
    assert kinds == 2 * expected
    assert [number for number, _ in results.kept] == [1] * len(expected) + [2] * len(expected)


@pytest.mark.parametrize("mappings", [None, ENTRIES[2:]], ids=["entries", "lists alone"])
def test_customer_lists_have_every_valid_record(mappings: Any):
    """A list gets each record; a stream that is only for lists has no result of its own."""
    results, handled = Results(), list[Record]()
    lists = [(Origin("visits", "vips"), handled.append)]
    pipeline = pipeline_of(results, lists, mappings=mappings)
    given = visit(1)
    pipeline.handle_record(given)
    assert pipeline.is_taken
    assert handled == [given]
    assert len(results.kept) == (1 if mappings is None else 0)
    assert pipeline.rows is None


@pytest.mark.parametrize(
    ("mappings", "lists", "expected"),
    [
        (ENTRIES, ["vips"], "all"),
        (ENTRIES[2:], ["vips"], "vips"),
        (ENTRIES[2:], [], ""),
    ],
)
def test_record_that_breaks_the_schema_goes_no_further(
    mappings: Any, lists: list[str], expected: str
):
    """It has one result, for the first entry or list of its stream, and reaches no list."""
    results, handled = Results(), list[Record]()
    loaded = settings_of(mappings=mappings, validate_records=True, dead_letter_keys="plain")
    pipeline = StreamPipeline(
        "visits",
        {"properties": {"event_id": {"type": "string"}, "value": {"type": "number"}}},
        ["event_id"],
        loaded,
        results,
        compile_entries=entry_compiler(
            loaded, Accounts(loaded), lambda *_: None, began_at=datetime.now(UTC)
        ),
        lists=[(Origin("visits", name), handled.append) for name in lists],
    )
    pipeline.handle_record({"event_id": "visit-1", "value": "much"})
    ((_, result),) = results.kept
    assert (result.origin.mapping, str(result.reason)) == (expected, "schema_violation")
    assert (result.field, result.detail, result.key) == ("value", "type", {"event_id": "visit-1"})
    assert handled == []


def test_rows_come_to_what_records_come_to():
    """A row and its record have the same result, however old the row handler is."""
    results = Results()
    pipeline = pipeline_of(results)
    for _ in range(RECORDS_BEFORE_ROWS):
        assert pipeline.rows is None
        pipeline.handle_record(visit(0))
    rows = pipeline.rows
    assert rows is not None
    results.kept.clear()
    results.sequence = 0
    same = visit(1)  # once: another second would make another event
    before = record("visits", **same)
    rows.handle_row(rows.decode(before).record, before)
    pipeline.handle_record(visit(2, client_ip_address="192.0.2.1"))
    assert pipeline.rows is not rows
    rows.handle_row(rows.decode(before).record, before)
    pipeline.handle_record(same)
    (_, first), (_, second), (_, third), (_, fourth) = results.kept
    assert first.body == third.body == fourth.body != second.body
    assert [number for number, _ in results.kept] == [1, 2, 3, 4]
    assert record_head(before, "visits") is not None


# Names that are data


def preview(lines: list[bytes], tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ad_account_id": ACCOUNT}))
    words = ["preview", "--config", str(config), "--summary", "--json"]
    ran = CliRunner().invoke(main, words, input=b"\n".join(lines))
    assert json.loads(ran.stdout)["outcomes"][0]["count"] == NAMES


def sample(lines: list[bytes], tmp_path: Path) -> None:
    result, _ = mappings.sample(settings_of(), lines)
    assert result.message == f"{NAMES:,} records of the sample: {NAMES:,} events"


@pytest.mark.parametrize("door", ["target", "preview", "check"])
def test_new_names_are_compiled_for_a_bounded_number_of_times(
    door: str, run_target: Callable[..., Any], tmp_path: Path
):
    """8,000 records with a new name each compile the mapping once, at every entry point."""
    lines = [schema("visits", *visit(), key_properties=("event_id",))]
    lines += [record("visits", **visit(number), **{f"id-{number}": 1}) for number in range(NAMES)]

    def target(lines: list[bytes], tmp_path: Path) -> None:
        assert run_target(lines).outcomes == {"delivered": NAMES}

    calls = calls_within(
        lambda: {"target": target, "preview": preview, "check": sample}[door](lines, tmp_path)
    )
    assert calls[compile_stream.__code__] == 1
    assert calls[compile_rows.__code__] <= MOST_TIMES_NEW + 1


def calls_within(work: Callable[[], None]) -> Counter[CodeType]:
    """Return how often each function was called in this thread while `work` ran."""
    profiler = cProfile.Profile()
    profiler.runcall(work)
    calls = Counter[CodeType]()
    for entry in profiler.getstats():
        if isinstance(entry.code, CodeType):
            calls[entry.code] += entry.callcount
    return calls


ORDERS = {
    "stream": "visits",
    "fields": {
        "event_name": "event_name || kind",
        "event_time": "event_time",
        "user_data.em": ["em", "buyer.email || visitor.email"],
        "custom_data.order_id": "order_ref",
    },
    "defaults": {"action_source": "web"},
}


def emails(result: Any) -> int:
    """Return how many addresses an event has."""
    return len(json.loads(result.body)["user_data"].get("em", ()))


@pytest.mark.parametrize("declared", [("event_id", "event_name", "event_time", "em"), ()])
def test_columns_that_the_schema_lacks_are_read_where_records_have_them(declared: tuple[str, ...]):
    """A SCHEMA is trusted until a record has more columns; then the mapping reads all it names."""
    loaded, made, results = settings_of(mappings=[ORDERS]), list[Any](), Results()
    compile_entries = entry_compiler(
        loaded, Accounts(loaded), lambda *_: None, began_at=datetime.now(UTC)
    )

    def counting(stream: Any) -> Any:
        made.append(stream)
        return compile_entries(stream)

    pipeline = StreamPipeline(
        "visits",
        {"properties": {column: {} for column in declared}},
        ["event_id"],
        loaded,
        results,
        compile_entries=counting,
    )
    buyer, visitor = {"email": "b@example.com"}, {"email": "v@example.com"}
    known = {column: visit()[column] for column in ("event_id", "event_name", "event_time", "em")}
    for more in (
        {},
        {"buyer": buyer},
        {},
        {"visitor": visitor},
        {"buyer": {"email": ""}, "visitor": visitor, "order_ref": "o-1"},
        {"event_name": None, "kind": "signup"},
    ):
        pipeline.handle_record({**known, **more})
    assert [emails(result) for _, result in results.kept] == [1, 2, 1, 2, 2, 1]
    assert json.loads(results.kept[4][1].body)["custom_data"] == {"order_id": "o-1"}
    assert results.kept[5][1].name == "signup"
    assert [stream.is_complete for stream in made] == [bool(declared), False]


@pytest.mark.parametrize("mark", ["\ufeff", " ", "\ufeff ", "\t", "\u00a0"])
@pytest.mark.parametrize("is_declared", [True, False])
def test_marks_and_blanks_around_a_name_are_no_part_of_it(mark: str, is_declared: bool):
    """The first column of an exported file has its byte order mark: an expression finds it."""
    results = Results()
    settings = settings_of(mappings=[{"stream": "s", "fields": {**FIELDS, "event_id": "order"}}])
    odd = {f"{mark}{name}" if name == "order" else name: None for name in (*FIELDS, "order")}
    pipeline = StreamPipeline(
        "s",
        {"properties": odd if is_declared else {}},
        [f"{mark}order"],
        settings,
        results,
        compile_entries=entry_compiler(
            settings, Accounts(settings), lambda *_: None, began_at=datetime.now(UTC)
        ),
    )
    for number in range(2):
        plain = visit(number)
        pipeline.handle_record({f"{mark}order": plain.pop("event_id"), **plain})
    assert [kept.id for _, kept in results.kept] == [
        visit(number)["event_id"] for number in range(2)
    ]
    assert pipeline.rows is None


FIELDS = {name: name for name in ("event_name", "action_source", "event_time")} | {
    "user_data.em": "em"
}


def test_column_that_has_the_clean_name_itself_wins():
    """If `order` and its marked twin are both there, the exact column is read."""
    results = Results()
    pipeline = pipeline_of(results)
    pipeline.handle_record({"\ufeffevent_id": "marked"} | visit())
    pipeline.handle_record(visit() | {"\ufeffevent_id": "marked"})
    assert {kept.id for _, kept in results.kept} == {visit()["event_id"]}


def test_columns_of_one_field_are_warned_of_once():
    """A stream has one warning, from its schema or from a record, however many come."""
    warnings: list[str] = []
    settings = settings_of()
    pipeline = StreamPipeline(
        "visits",
        {"properties": {name: {} for name in (*visit(), "EM")}},
        ["event_id"],
        settings,
        Results(),
        compile_entries=entry_compiler(
            settings, Accounts(settings), lambda *_: None, began_at=datetime.now(UTC)
        ),
        warn=warnings.append,
    )
    assert len(warnings) == 1
    for number in range(3):
        pipeline.handle_record(visit(number) | {"EM": "x", "eventId": "y"})
    assert [warning.partition(":")[2] for warning in warnings] == [
        " 'em' is read, 'EM' not. Rename one, or drop it.",
        " 'event_id' is read, 'eventId' not. Rename one, or drop it.",
    ]


def test_a_deletion_column_that_is_seen_first_on_a_record():
    """An undeclared column also leads to a warning, at the first record that has it."""
    results = Results()
    pipeline = pipeline_of(results)
    pipeline.handle_record(visit())
    pipeline.handle_record({**visit(), "_SDC_DELETED_AT": "2026-11-25T10:00:00Z"})
    pipeline.handle_record({**visit(), "_SDC_DELETED_AT": ""})
    kinds = [type(result) for _, result in results.kept]
    assert kinds == [Event, SkippedRecord, Event]
    assert results.kept[1][1].reason is Skipped.DELETED


class Counting:
    """Counts the records that a pipeline gets complete, and not as rows."""

    rows = None

    def __init__(self, pipeline: StreamPipeline) -> None:
        self._pipeline = pipeline
        self.complete = 0

    @property
    def batch_rows(self) -> RowHandler | None:
        return self._pipeline.batch_rows

    def handle_record(self, given: Record) -> None:
        self.complete += 1
        self._pipeline.handle_record(given)


@pytest.mark.parametrize(
    ("others", "complete"),
    [
        ([], RECORDS_BEFORE_ROWS),
        ([b"\n", b" \n"], RECORDS_BEFORE_ROWS),
        ([json.dumps({"new_column": 1}).encode()], RECORDS_BEFORE_ROWS + 1),
    ],
    ids=["same columns", "blank lines", "a new column"],
)
def test_lines_of_a_batch_are_read_as_rows(others: list[bytes], complete: int):
    """Only the first lines cost complete records, and those that are no rows."""
    results = Results()
    counting = Counting(pipeline_of(results))
    lines = [json.dumps(visit(number)).encode() for number in range(500)]
    lines[300:300] = others
    handle_lines(RecordLines("file 1 of 1", 1, lines), lines, counting)
    assert counting.complete == complete
    assert results.sequence == 500 + len([line for line in others if line.strip()])
    ids = [result.id for _, result in results.kept if isinstance(result, Event)]
    assert ids == [f"visit-{number}" for number in range(500)]

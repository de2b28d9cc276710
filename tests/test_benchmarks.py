"""The benchmarks measure what they claim: equal work, every record, and correct arithmetic."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import cases, children, documents, floor, plots, records, results, shops, stages
from benchmarks.server import Counts, Server
from benchmarks.yardstick import Slice, Turns, Yardstick
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.reasons import Warned
from target_pinterest_capi.mapping.entries import (
    Accounts,
    StreamSchema,
    compile_stream,
    stream_columns,
)
from target_pinterest_capi.settings import load
from target_pinterest_capi.singer import messages

pytestmark = pytest.mark.slow  # each starts programs

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINES = [json.dumps(message).encode() for message in records.messages(500, NOW)]


def events_of(**settings: Any) -> list[dict[str, Any]]:
    """Return the target's events of the generated records, decoded."""
    given = load(cases.config("http://127.0.0.1:1/v5", Path("unused"), settings))
    stream = StreamSchema(records.STREAM, stream_columns(records.SCHEMA), ("event_id",))
    notes: list[tuple[str, str]] = []
    (entry,) = compile_stream(
        given,
        stream,
        Accounts(given),
        lambda _, field, reason: notes.append((field, reason)),
        NOW.timestamp,
        began_at=NOW,
    )
    made = [
        entry.map_record(message.record)
        for message in map(messages.decode, LINES)
        if message.record is not None
    ]
    assert notes == []
    assert all(isinstance(event, Event) for event in made)
    return [json.loads(event.body) for event in made]


@pytest.fixture(scope="module")
def floor_events() -> list[dict[str, Any]]:
    return [event for body in floor.bodies(LINES) for event in json.loads(body)["data"]]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mappings": [{"stream": records.STREAM, "fields": cases.EXPRESSIONS}]},
        {"mappings": [{"stream": records.STREAM, "fields": cases.fallbacks()}]},
    ],
    ids=["preset", "mapping", "fallbacks"],
)
def test_floor_makes_the_events_that_the_target_makes(
    floor_events: list[dict[str, Any]], settings: dict[str, Any]
):
    """A ratio to the floor compares equal work: the same events, member by member."""
    assert events_of(**settings) == floor_events


def test_mapping_has_an_expression_for_each_filled_column():
    """The case of 27 expressions has 27, contents included."""
    filled = set(records.SCHEMA["properties"]) - {"hashed_maids", "updated_at"}
    assert len(cases.EXPRESSIONS) == len(filled) == 27
    assert {path.rpartition(".")[2] for path in cases.EXPRESSIONS} == filled


def test_generated_records_have_the_columns_of_their_schema():
    """Every record fills the columns that its schema declares, and is about 1.1 kB as a line."""
    lines = [line for line in LINES if b'"RECORD"' in line]
    assert all(
        set(json.loads(line)["record"]) == set(records.SCHEMA["properties"]) for line in lines
    )
    assert 1000 < sum(map(len, lines)) / len(lines) < 1200


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[cases.Bench]:
    with cases.Bench(tmp_path, 40) as running:
        yield running


def test_a_run_of_the_target_delivers_every_record(bench: cases.Bench):
    """A sample reports what the server received: all of the input, once."""
    target = next(case for case in cases.CASES if case.name == cases.TARGET)
    sample = bench.run_long(target, 2)
    assert (sample.records, sample.counts.events, sample.counts.requests) == (80, 80, 1)
    assert 0 < sample.counts.first_request_at - sample.took.started_at < sample.took.wall_seconds
    assert sample.took.peak_bytes > results.MIB


@pytest.mark.parametrize("name", ["batch", "lists", "preview", "check"])
def test_other_doors_take_every_record(bench: cases.Bench, name: str):
    """A BATCH, a list, a preview and a check of the input read all of it; a part is an error."""
    case = next(case for case in cases.CASES if case.name == name)
    assert (bench.run(case).records, bench.run_one(case).records) == (40, 1)
    if case.says:
        with pytest.raises(children.ChildError, match="did not take 40"):
            bench.run(case._replace(says="{records} unread"))


def test_stages_take_every_record_through_the_package(
    bench: cases.Bench, capsys: pytest.CaptureFixture[str]
):
    """Each stage has a cost of its own, and a profile orders functions by their own time."""
    costs = stages.measure(bench, 1)
    assert set(costs) == {stage.name for stage in stages.STAGES} | {"whole"}
    assert all(costs[stage.name] > 0 for stage in stages.STAGES)
    assert len(stages.stages_table(costs).splitlines()) == 2 + len(stages.STAGES) + 2
    stages.profile(bench)
    assert "Ordered by: internal time" in capsys.readouterr().out


def test_halves_are_the_whole(bench: cases.Bench):
    """Two processes on two halves send each record once."""
    halves = [half.read_bytes().splitlines()[1:] for half in bench.files.halves]
    assert halves[0] + halves[1] == bench.files.every.read_bytes().splitlines()[1:]


def test_a_run_that_fails_is_no_measurement(bench: cases.Bench):
    """A target that stops, or one whose setting has no effect, is an error with its last words."""
    target = next(case for case in cases.CASES if case.name == cases.TARGET)
    with pytest.raises(children.ChildError, match="exited with 2"):
        bench.run(target._replace(settings={"no_such_setting": 1}))
    with pytest.raises(children.ChildError, match="no effect"):
        bench.run(target._replace(makes="nothing.db"))


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="turns need Linux")
def test_a_program_in_turns_is_stopped_while_the_floor_runs(bench: cases.Bench, tmp_path: Path):
    """Its slices do not overlap, and its CPU time and its time are those of the slices."""
    words = [sys.executable, "-c", "for number in range(10_000_000): pass"]
    command = children.Command(words, [bench.files.one], tmp_path / "busy", tmp_path)
    with Yardstick(bench.files.every, tmp_path) as floor_runs:
        took = children.run_in_turns(command, floor_runs)
        with pytest.raises(children.ChildError, match="exited with 1"):
            children.run_in_turns(
                command._replace(words=[sys.executable, "-c", "exit(1)"]), floor_runs
            )
    slices = took.turns.slices
    assert len(slices) > 1
    assert all(one.ended_at < other.began_at for one, other in pairwise(slices))
    assert 0 < took.cpu_seconds == sum(one.cpu_seconds * one.speed for one in slices)
    assert took.wall_seconds == took.seconds_until(slices[-1].ended_at)


def test_the_time_of_a_run_in_turns_is_without_its_pauses():
    """Each slice counts with the machine's speed meanwhile, up to the moment that is asked for."""
    turns = Turns((Slice(10.0, 11.0, 0.5, 1.0), Slice(12.0, 14.0, 1.5, 0.5)), 0)
    assert turns.cpu_seconds == 0.5 * 1.0 + 1.5 * 0.5
    asked = (9.0, 10.5, 11.5, 13.0, 14.0)
    assert [turns.seconds_until(at) for at in asked] == [0.0, 0.5, 1.0, 1.5, 2.0]
    plain = children.Took(10.0, 4.0, 2.0, 0)
    assert plain.seconds_until(13.0) == 3.0


def test_server_counts_since_it_was_last_asked():
    """Counts are reset: the next run begins at zero."""
    import http.client

    with Server() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        for _ in range(2):
            connection.request(
                "POST",
                "/v5/ad_accounts/1/events",
                b'{"data":[{"event_name":"lead"},{"event_name":"lead"}]}',
            )
            answer = json.loads(connection.getresponse().read())
            assert [event["status"] for event in answer["events"]] == ["processed"] * 2
        connection.close()
        assert server.take()[:2] == (4, 2)
        assert server.take() == Counts(marks={})


def sample(seconds: float, count: int) -> cases.Sample:
    return cases.Sample(count, children.Took(0.0, seconds, seconds / 2, 64 * results.MIB), Counts())


def test_start_up_is_taken_off_a_rate():
    """A rate is the records divided by the time beyond that of a run with one record.

    All are medians, and the spread is a share of one.
    """
    rate = results.rate_of(
        "target",
        "",
        [sample(seconds, 100) for seconds in (3.0, 5.0, 11.0)],
        [sample(seconds, 1) for seconds in (1.0, 0.5, 9.0)],
    )
    assert rate.rates == (50.0, 25.0, 10.0)
    assert (rate.rate, rate.spread, rate.start_seconds) == (25.0, 1.6, 1.0)
    assert (rate.cpu_us, rate.peak_mib) == (20_000.0, 64.0)


def test_cost_of_a_decade_is_what_lies_between_its_marks():
    """Microseconds per record from one power of ten to the next, from ten thousand on."""
    marks = {"1000": 1.0, "10000": 2.0, "100000": 11.0, "1000000": 29.0}
    assert results.decades(marks) == {"10,000 to 100,000": 100.0, "100,000 to 1,000,000": 20.0}


@pytest.mark.parametrize(
    ("value", "at_least", "holds"),
    [
        (0.6, True, True),
        (0.59, True, False),
        (0.6, False, True),
        (0.61, False, False),
        (None, True, None),
    ],
)
def test_what_is_asked_is_reached_or_not_or_unknown(
    value: float | None, at_least: bool, holds: bool | None
):
    """A row is reached at its limit, on its side; what was not measured is neither."""
    assert results.Reach("", 0.6, value, at_least=at_least).holds is holds


def test_a_case_that_was_skipped_reaches_nothing():
    """Ratios need both of their cases."""
    rates = {
        "target": results.Rate("target", "", (50.0,), cpu_us=20.0),
        "floor": results.Rate("floor", "", (100.0,), cpu_us=12.0),
        "ledger": results.Rate("ledger", "", skipped="no reason"),
    }
    given = results.reach(rates, 80.0, 0.2, 1.05)
    rows = {row.what: row.value for row in given}
    assert [row.by_cpu for row in given if row.by_cpu] == [0.6]
    assert rows["the target vs. the floor"] == 0.5
    assert rows["CPU per record, long vs. short run"] == 1.05
    assert rows["peak memory"] == 80.0
    assert [what for what, value in rows.items() if value is None] == [
        "the target vs. the SDK's default path",
        "the target vs. target-jsonl",
        "a mapping of 27 expressions vs. the floor",
        "the same with fallbacks vs. the floor",
        "the slowest stream of events vs. flat records, per byte",
        "the slowest shop vs. flat records",
        "200 ms per request vs. no latency",
        "with vs. without an SQLite ledger",
        "with vs. without results of failures",
        "with vs. without results of all events",
        "a BATCH vs. lines",
        "members of a list vs. events",
        "a preview vs. a run",
        "check --sample vs. a run",
        "with vs. without validate_records",
        "two processes, half each, vs. one",
        "--about, without the SDK's import",
    ]


def test_tables_of_the_documentation_are_replaced_where_they_are_named(tmp_path: Path):
    """A table replaces the previous one and nothing else; a missing place is an error."""
    path = tmp_path / "page.md"
    path.write_text(
        "before\n<!-- measured: a -->\n| old |\n<!-- end -->\n<!-- measured: b -->\n<!-- end -->\n"
    )
    documents.replace(path, "a", "| new |")
    documents.replace(path, "a", "| newer |")
    assert path.read_text() == (
        "before\n<!-- measured: a -->\n| newer |\n<!-- end -->\n"
        "<!-- measured: b -->\n<!-- end -->\n"
    )
    with pytest.raises(ValueError, match="measured: c"):
        documents.replace(path, "c", "")


def test_a_source_is_held_against_its_floor_and_against_flat_records():
    """Its ratios are of CPU time, per record and per byte read."""
    rates = {
        "target": results.Rate("target", "", (50.0,), cpu_us=20.0),
        "floor of shopify": results.Rate("floor of shopify", "", (90.0,), cpu_us=16.0),
        "shopify": results.Rate("shopify", "", (25.0,), cpu_us=40.0),
        "segment": results.Rate("segment", "", skipped="no reason"),
    }
    (row,) = results.shop_rows(rates, {"target": 1000.0, "shopify": 3000.0, "segment": 1.0})
    assert (row.to_floor, row.to_flat, row.to_flat_by_bytes) == (0.4, 0.5, 1.5)
    rows = {row.what: row.value for row in results.reach(rates, None, None, None, [row])}
    assert rows["the slowest shop vs. flat records"] == 0.5
    assert "| shopify | 3,000 | 25        |" in results.shops_table([row])


def events_of_source(name: str, count: int, notes: set[tuple[str, str]]) -> list[Any]:
    """Return what the records of a source become; its dropped values are added to `notes`."""
    schema, *made = shops.messages(name, count, datetime.now(UTC))
    configured = load({"ad_account_id": "1", "mode": "dry_run", "mappings": [shops.mapping(name)]})
    stream = StreamSchema(name, stream_columns(schema["schema"]), is_complete=True)
    (entry,) = compile_stream(
        configured,
        stream,
        Accounts(configured),
        lambda _, field, reason: notes.add((field, reason)),
        began_at=datetime.now(UTC),
    )
    decoded = (messages.decode(json.dumps(message).encode()).record for message in made)
    return [entry.map_record(record) for record in decoded if record is not None]


@pytest.mark.parametrize("name", shops.SHOPS)
def test_every_record_of_a_source_is_an_event(name: str):
    """A source's generated records are all mapped, and none of their values is dropped."""
    notes: set[tuple[str, str]] = set()
    events = events_of_source(name, 30, notes)
    assert [type(event) for event in events] == [Event] * 30
    assert len({event.id for event in events}) == 30
    assert {reason for _, reason in notes} <= {Warned.REPEATED_IDENTIFIER}


@pytest.mark.parametrize("name", shops.SHOPS)
def test_the_people_of_a_source_come_again(name: str):
    """A person's events have the same identifiers, which no other person has, but their own id."""
    events = events_of_source(name, 60, set())
    customers: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        customer = json.loads(event.body)["user_data"]
        customer.pop("click_id", None)  # of one visit
        customers.setdefault(customer["em"][0], []).append(customer)
    assert 10 <= len(customers) <= 15
    firsts = [first for first, *others in customers.values() if others.count(first) == len(others)]
    assert len(firsts) == len(customers)
    ids = [customer["external_id"][0] for customer in firsts if "external_id" in customer]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", ["cases", "presets", "reach", "decades", "stages"])
def test_documentation_shows_what_was_measured(name: str):
    """Every table has its place in the page on performance, and numbers in it."""
    page = (ROOT / "docs" / "performance.md").read_text()
    assert "|---" in page.partition(f"<!-- measured: {name} -->\n")[2].partition("<!-- end -->")[0]


def test_a_plot_places_its_points_between_axes_that_begin_at_zero():
    """Half of the largest value is drawn at half of the height."""
    drawn = ET.fromstring(plots.svg(plots.Plot("Title", "x", [(0, 4000), (100, 2000)])))
    circles = [
        (float(dot.get("cx")), float(dot.get("cy")))
        for dot in drawn.iter("{http://www.w3.org/2000/svg}circle")
    ]
    lines = [float(line.get("y1")) for line in drawn.iter("{http://www.w3.org/2000/svg}line")]
    assert circles[0][1] == min(lines)
    assert circles[1][1] == (min(lines) + max(lines)) / 2
    assert circles[0][0] < circles[1][0]

"""SCHEMA messages as taps send them: without columns, thousands of times, and in odd shapes."""

import cProfile
import gc
from collections.abc import Iterable
from typing import Any

import pytest

from given import ACCOUNT, TOKEN, line, record, schema, state
from shopper import visit
from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.mapping.entries import KEPT_STREAMS
from target_pinterest_capi.pipeline.stream import RECORDS_BEFORE_ROWS, StreamPipeline
from target_pinterest_capi.target import TargetPinterestCapi

BARE: dict[str, Any] = {
    "without properties": {"type": "object"},
    "empty": {},
    "true": True,
    "reference within": {"$ref": "#/definitions/x", "definitions": {"x": {"type": "object"}}},
    "alternatives": {"anyOf": [{"type": "object"}, {"type": "null"}]},
    "list of types": {"type": ["null", "object"]},
    "unknown keywords": {"type": "object", "x-of-the-tap": {"replication": [1]}, "selected": True},
    "booleans": {"properties": {"event_id": True, "em": True, "other": False}},
    "draft 4": {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {"value": {"type": "number", "maximum": 99, "exclusiveMaximum": True}},
    },
}


@pytest.mark.parametrize("declared", BARE.values(), ids=BARE)
@pytest.mark.parametrize(
    "settings",
    [{}, {"validate_records": True}, {"flattening_enabled": True, "flattening_max_depth": 1}],
)
def test_columns_are_seen_on_records(run_target, declared: Any, settings: dict[str, Any]):
    """A schema may have no columns, as from taps of document stores; records have them."""
    message = line(type="SCHEMA", stream="visits", schema=declared, key_properties=["event_id"])
    records = [record("visits", **visit(number)) for number in range(15)]
    ran = run_target([message, *records, state({"n": 1})], **settings)
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 15}, ['{"n": 1}'])


def test_schema_that_nothing_meets_is_taken(run_target):
    """`false` is a schema too: its records are invalid only if they are validated."""
    message = line(type="SCHEMA", stream="visits", schema=False, key_properties=[])
    lines = [message, record("visits", **visit(1))]
    assert run_target(lines).outcomes == {"delivered": 1}
    assert run_target(lines, validate_records=True).outcomes == {"invalid": 1}


def declared(number: int, *columns: str) -> bytes:
    return schema("visits", *visit(), *columns, f"column_{number}", key_properties=("event_id",))


def read(target: TargetPinterestCapi, lines: Iterable[bytes]) -> None:
    target.listen(IteratedLinesFile(lines))


class IteratedLinesFile:
    """The target's input; it has no file descriptor."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines

    def __iter__(self):
        return iter(self._lines)


@pytest.fixture
def target() -> TargetPinterestCapi:
    """Return a target that sends nothing."""
    return TargetPinterestCapi(
        config={"ad_account_id": ACCOUNT, "conversion_token": TOKEN, "mode": "dry_run"}
    )


def pipelines() -> int:
    gc.collect()
    return sum(type(one) is StreamPipeline for one in gc.get_objects())


@pytest.mark.parametrize("different", [2, KEPT_STREAMS, 400])
def test_schemas_that_change_do_not_pile_up(target, different: int):
    """However many SCHEMA messages come, only a limited number of pipelines is kept."""
    before = pipelines()
    lines = [
        made
        for number in range(400)
        for made in (declared(number % different), record("visits", **visit(number)))
    ]
    read(target, lines)
    assert pipelines() - before <= min(different, KEPT_STREAMS)
    assert target._sinks_to_clear == []
    assert sum(row.number for row in target.run.tally.outcomes()) == 400


def compiled(target: TargetPinterestCapi, lines: Iterable[bytes]) -> int:
    """Return how many functions were compiled while the lines were read."""
    profiler = cProfile.Profile()
    profiler.runcall(read, target, lines)
    codes = {entry.code: entry.callcount for entry in profiler.getstats()}
    return codes.get(FunctionSource.compile.__code__, 0)


def test_schema_seen_before_compiles_nothing(target):
    """Two alternating schemas are compiled once each, and so are the rows of both."""
    lines = [
        made
        for number in range(300)
        for made in (declared(number % 2), record("visits", **visit(number)))
    ]
    first = compiled(target, lines[: 8 * RECORDS_BEFORE_ROWS])
    assert first > 0
    assert compiled(target, lines[8 * RECORDS_BEFORE_ROWS :]) == 0


def test_column_of_no_field_compiles_nothing(target):
    """A schema that grows by unread columns reuses the compiled functions."""
    assert compiled(target, [declared(0), record("visits", **visit(0))]) > 0
    lines = [
        made
        for number in range(1, 300)
        for made in (declared(number), record("visits", **visit(number)))
    ]
    assert compiled(target, lines) == 0


def test_schema_that_comes_back_maps_by_its_own_columns(run_target, sandbox):
    """A record is mapped by the latest schema, even if that was seen before."""
    plain = schema("visits", *visit(), key_properties=("event_id",))
    priced = schema("visits", *visit(), "value", "currency", key_properties=("event_id",))
    lines = []
    for number in range(6):
        columns = {"value": number, "currency": "EUR"} if number % 2 else {}
        lines += [priced if number % 2 else plain, record("visits", **visit(number, **columns))]
    assert run_target(lines).outcomes == {"delivered": 6}
    custom = {
        kept.event["event_id"]: kept.event.get("custom_data") for kept in sandbox.store.events()
    }
    assert custom == {
        f"visit-{number}": {"currency": "EUR", "value": str(number)} if number % 2 else None
        for number in range(6)
    }


def test_stream_is_warned_about_once(run_target, caplog):
    """A stream without an entry has one warning, however often its schema changes."""
    lines = [schema("other", f"column_{number}") for number in range(5)]
    run_target(lines, mappings=[{"stream": "visits", "preset": "pinterest"}])
    assert caplog.text.count("No entry of mappings selects stream 'other'") == 1
    assert "Initializing a new" not in caplog.text


def test_stream_maps_follow_the_schema_that_comes_back(run_target):
    """With stream maps a schema seen before restores its maps and its aliases."""
    lines = []
    for number in range(6):
        lines += [declared(number % 2), record("visits", **visit(number))]
    maps = {"visits": {"__alias__": "renamed"}}
    mappings = [{"stream": "renamed", "preset": "pinterest"}]
    ran = run_target(lines, stream_maps=maps, mappings=mappings)
    assert ran.outcomes == {"delivered": 6}

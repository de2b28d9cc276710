"""Values as in lakehouses, with Spark: the same events and counts as with the target."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from given import schema
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.spark

MOMENT = 1_772_445_600  # 2026-03-02T10:00:00Z, the sandbox's current time
DIGEST = hashlib.sha256(b"jane@example.com").digest()
GOOD = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": "2026-03-02T10:00:00Z",
    "em": "jane@example.com",
}
# One column of each row differs from a valid event's.
TEXTS = [
    *({"event_time": text} for text in (
        "Mon, 02 Mar 2026 10:00:00 GMT", "02-MAR-2026 10.00.00 AM", "02MAR2026:10:00:00",
        "20260302100000", "1.7724456e9", "2026-03-02 02:00:00 America/Los_Angeles",
        "03/04/2026 10:00", "26-03-02", "2026-061", "2026-03-01 24:00", "null", "",
    )),
    *({"em": text} for text in (
        "\u202ajane@example.com\u202c", "'jane@example.com'", "a@example.com, b@example.com",
        "['a@example.com']", hashlib.sha256(b"").hexdigest(), "n/a", "jane", " ",
        "jane@exa\u00admple.com", "Jane <jane@example.com>", DIGEST.hex().upper(),
    )),
    *({"ph": text} for text in (
        "14155550132.0", "1.4155550132E10", "+44 (0) 20 7946 0958", "555-CALL", "1.4E10",
    )),
    *({"db": text} for text in ("-36979200000", "03/04/1990", "0000-00-00", "April 23, 1990")),
    *({"fn": text} for text in ("Jane\u0000", r"\N", "NULL", "Jose\u0301")),
    *({"country": text} for text in ("United States (US)", "Elbonia", "usa")),
    *({"zp": text, "country": "US"} for text in ("2116.0", "123456", "02116-1234")),
    *({"value": text} for text in ("59.980000000000004", "19,99", "1e2", "-5", "(not set)")),
    *({"client_ip_address": text} for text in ("10.0.0.5, 203.0.113.9", "unknown", "fe80::1%1")),
    *({"contents": text} for text in ("[{'id': 'a'}]", "{", '[{"id": "a", "item_price": 9.5}]')),
    *({"content_ids": text} for text in ("{a,b}", "('a', 'b')", "{a, b}", '["a", "b"]', "[a]")),
    *({"external_id": text} for text in ("{C-1,c2}", '{"id": 1}', "(c)")),
    *({"click_id": text} for text in ("undefined", "['c1']", "dj0y")),
    *({"_sdc_deleted_at": text} for text in ("2026-03-02", "", r"\N")),
    *({"hashed_maids": text} for text in (
        "(not set)", "00000000-0000-0000-0000-000000000000",
        "2F3A1C9E-0B7D-4F6A-9C55-1E2D3C4B5A69",
    )),
]  # fmt: skip
COLUMNS = (*GOOD, "event_id", *sorted({name for row in TEXTS for name in row} - {*GOOD}))
# Columns of other types, each with its SQL and its value in a tap's JSON.
TYPED = {
    "value": ("cast(59.98 AS decimal(38, 18))", Decimal("59.980000000000000000")),
    "predicted_ltv": ("cast(0.1 AS double) + cast(0.2 AS double)", Decimal("0.30000000000000004")),
    "event_time": ("timestamp_ntz '2026-03-02 10:00:00'", "2026-03-02T10:00:00"),
    "db": ("date '1990-04-23'", "1990-04-23"),
    "em": (f"unhex('{DIGEST.hex()}')", DIGEST.hex()),
    "num_items": ("cast(2 AS tinyint)", 2),
    "opt_out": ("false", False),
    "user_data": (
        "map('click_id', 'dj0y', 'client_user_agent', 'n/a')",
        {"click_id": "dj0y", "client_user_agent": "n/a"},
    ),
    "contents": (
        "array(named_struct('id', 7L, 'item_price', cast(9.5 AS float)), null)",
        [{"id": 7, "item_price": 9.5}, None],
    ),
    "ph": ("array('+1 212 555 0100', 'null', null)", ["+1 212 555 0100", "null", None]),
    "fn": ("cast('NaN' AS double)", None),
    "ln": ("array(named_struct('a', 1))", [{"a": 1}]),
}
KEPT = {"stream": "orders", "preset": "pinterest"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Yield a sandbox with the clock of that day, which stores the request bodies."""
    config = SandboxConfig(clock=lambda: MOMENT + 60, record_bodies=tmp_path / "bodies.jsonl")
    with Sandbox(config) as running:
        yield running


@pytest.mark.parametrize("null_values", [None, ["jane", "dj0y"], []], ids=str)
def test_text_results_in_the_same_events_as_the_target(
    session: Any,
    configure: Callable[..., str],
    report: Callable[[], Any],
    run_target: Callable[..., Any],
    tmp_path: Path,
    null_values: list[str] | None,
):
    """For any text in a column, both programs send the same bytes and count the same reasons."""
    rows = [{**GOOD, "event_id": f"order-{place}", **row} for place, row in enumerate(TEXTS)]
    given: dict[str, Any] = {"mappings": [KEPT], "max_event_age_days": None}
    if null_values is not None:
        given["null_values"] = null_values
    frame = session.createDataFrame(
        [tuple(row.get(name) for name in COLUMNS) for row in rows],
        ", ".join(f"{name} string" for name in COLUMNS),
    )
    write(frame.repartition(3), configure(**given))
    through_spark = events(tmp_path / "bodies.jsonl")
    counted = report()
    records = [message({name: row.get(name) for name in COLUMNS}) for row in rows]
    ran = run_target([schema("orders", *COLUMNS, key_properties=("event_id",)), *records], **given)
    assert len(through_spark) > len(TEXTS) / 2
    assert sorted(through_spark) == sorted(events(tmp_path / "bodies.jsonl")[len(through_spark) :])
    assert {name: count for name, count in counted["totals"].items() if count} == ran.outcomes
    assert reasons_of(counted) == Counter(
        {(row.field, row.reason): row.number for row in ran.target.run.tally.notes()}
    )


def test_types_result_in_the_same_events_as_the_target(
    session: Any,
    configure: Callable[..., str],
    run_target: Callable[..., Any],
    tmp_path: Path,
):
    """Decimals, local times, dates, bytes, maps, structs and arrays are the same as from JSON."""
    given: dict[str, Any] = {"mappings": [KEPT], "max_event_age_days": None}
    constants = {name: f"'{value}'" for name, value in GOOD.items() if name not in TYPED}
    sources = {**constants, **{name: sql for name, (sql, _) in TYPED.items()}}
    selected = ", ".join(f"{sql} AS {name}" for name, sql in sources.items())
    write(session.sql(f"SELECT 'order-1' AS event_id, {selected}"), configure(**given))
    through_spark = events(tmp_path / "bodies.jsonl")
    plain = {name: value for name, (_, value) in TYPED.items()}
    record = message({**GOOD, **plain, "event_id": "order-1"})
    columns = ("event_id", *sources)
    run_target([schema("orders", *columns, key_properties=("event_id",)), record], **given)
    assert through_spark == events(tmp_path / "bodies.jsonl")[1:]
    event = json.loads(through_spark[0])
    assert event["user_data"]["em"] == [DIGEST.hex()]
    assert event["custom_data"]["value"] == "59.98"
    assert event["custom_data"]["predicted_ltv"] == "0.3"
    assert event["event_time"] == MOMENT


def write(frame: Any, config: str) -> None:
    given = {"config": config, "stream": "orders", "key_properties": "event_id"}
    frame.write.format("pinterest_capi").options(**given).mode("append").save()


def events(path: Path) -> list[bytes]:
    """Return every event of a file of bodies, as its bytes."""
    bodies = [
        msgspec.json.decode(line, type=dict[str, list[msgspec.Raw]])
        for line in path.read_bytes().splitlines()
    ]
    return [bytes(event) for body in bodies for event in body["data"]]


def message(record: dict[str, Any]) -> bytes:
    """Return a RECORD line, in which decimals are numbers of the same digits."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    return encoder.encode({"type": "RECORD", "stream": "orders", "record": record})


def reasons_of(report: dict[str, Any]) -> Counter[tuple[str, str]]:
    """Return how many values of each field were dropped or counted, by reason."""
    found: Counter[tuple[str, str]] = Counter()
    for row in report["values"]:
        found[row["field"], row["reason"]] += row["values"]
    return found

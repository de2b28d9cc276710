"""Rows: lines read into structs of a stream's columns; any other line is read as a message."""

import json
from typing import Any

import msgspec
import pytest

from given import line, record, schema, state
from shopper import visit
from target_pinterest_capi.events.build.shapes import ANY
from target_pinterest_capi.pipeline.stream import MOST_TIMES_NEW
from target_pinterest_capi.singer.rows import compile_rows, record_head, record_of

COLUMNS = ("id", "price", "note")


def rows(*read: str) -> Any:
    """Return the reading of a stream's rows of three columns."""
    compiled = compile_rows("orders", COLUMNS, dict.fromkeys(read or COLUMNS, ANY))
    assert compiled is not None
    return compiled


def test_row_holds_its_columns():
    """A column is an attribute, numbers are exact, and a missing column is None."""
    compiled = rows()
    row = compiled.decode(
        b'{"type": "RECORD", "stream": "orders", '
        b'"record": {"price": 19.90, "id": "o-1"}, "version": 3}'
    ).record
    assert [str(getattr(row, compiled.columns[column].attribute)) for column in COLUMNS] == [
        "o-1",
        "19.90",
        "None",
    ]


def test_columns_that_nobody_reads_are_skipped():
    """Only the columns that mappings read become values; the others stay bytes."""
    compiled = rows("id")
    row = compiled.decode(
        b'{"type": "RECORD", "stream": "orders", "record": {"id": 1, "note": {"deep": [1.5]}}}'
    ).record
    assert list(compiled.columns) == ["id"]
    assert getattr(row, compiled.columns["id"].attribute) == 1
    skipped = [value for value in msgspec.structs.astuple(row) if type(value) is msgspec.Raw]
    assert list(map(bytes, skipped)) == [b"", b'{"deep": [1.5]}']


def test_members_are_in_the_order_of_the_columns():
    """Members are searched from where the last was found: lines in this order cost the least."""
    compiled = compile_rows("orders", ("note", "id", "price"), {"id": ANY})
    assert compiled is not None
    row = compiled.decode(b'{"type": "RECORD", "stream": "orders", "record": {"id": 1}}').record
    names = [field.encode_name for field in msgspec.structs.fields(row)]
    assert names == ["note", "id", "price"]


@pytest.mark.parametrize(
    "other",
    [
        b'{"type": "RECORD", "stream": "orders", "record": {"id": 1, "new": 2}}',
        b'{"type": "RECORD", "stream": "carts", "record": {"id": 1}}',
        b'{"type": "STATE", "stream": "orders", "record": {"id": 1}}',
        b'{"type": "RECORD", "stream": "orders", "record": null}',
        b'{"type": "RECORD", "stream": "orders"}',
        b'{"type": "RECORD", "stream": "orders", "record": {"price": NaN}}',
        b'{"type": "RECORD", "stream": "orders", "record": {"id": "\xff"}}',
        b'{"type": "RECORD", "stream": "orders", "record": {"id": 1}',
    ],
    ids=[
        "new-column",
        "other-stream",
        "other-type",
        "null",
        "no-record",
        "nan",
        "not-utf-8",
        "cut",
    ],
)
def test_line_of_anything_else_is_no_row(other: bytes):
    """Anything other than a record of the stream with its columns is a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        rows().decode(other)


@pytest.mark.parametrize("column", ['a"b', "a\\b", "a\nb", "a\ud800"])
def test_odd_columns_have_no_rows(column: str):
    """A column whose name no struct takes leaves the stream to the reader of any message."""
    assert compile_rows("orders", ["id", column], {"id": ANY}) is None


@pytest.mark.parametrize(
    ("written", "head"),
    [
        (
            b'{"type": "RECORD", "stream": "orders", "record": {}}',
            b'{"type": "RECORD", "stream": "orders", "record"',
        ),
        (b'{"stream":"orders","record":{},"type":"RECORD"}', b'{"stream":"orders","record"'),
        (b'{"record": {}, "stream": "orders", "type": "RECORD"}', None),
        (b'{"type": "RECORD", "stream": "carts", "record": {"a": "orders"}}', None),
        (b"{}", None),
    ],
)
def test_head_of_records(written: bytes, head: bytes | None):
    """A head is the part before the record, and names the stream."""
    assert record_head(written, "orders") == head


def test_record_is_read_again():
    """The record of a row's line is complete, including nulls."""
    assert record_of(
        b'{"type": "RECORD", "stream": "orders", "record": {"id": null, "new": 1}}'
    ) == {"id": None, "new": 1}


STREAMS = ("visits", "calls", "orders")


def other_order(stream: str, **columns: Any) -> bytes:
    """Return a RECORD with its record first."""
    return json.dumps({"record": columns, "stream": stream, "type": "RECORD"}).encode()


def test_streams_in_turn_with_every_kind_of_line(run_target, sandbox):
    """Alternating streams, new columns, members in another order, NaN: records are complete."""
    lines = [schema(stream, *visit(), key_properties=("event_id",)) for stream in STREAMS]
    for number in range(60):
        stream = STREAMS[number // 7 % 3] if number < 30 else STREAMS[number % 3]
        columns: dict[str, Any] = visit(number) | (
            {"em_1": "second@example.com"} if number % 10 == 9 else {}
        )
        write = other_order if number % 11 == 10 else record
        lines.append(write(stream, **columns))
        if number % 13 == 12:
            lines[-1] = lines[-1].replace(b'"event_id"', b'"quantity": NaN, "event_id"', 1)
        if number % 20 == 19:
            lines.append(
                schema(STREAMS[number % 3], *visit(), "extra", key_properties=("event_id",))
            )
    ran = run_target([*lines, state({"n": 60})])
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 60}, ['{"n": 60}'])
    emails = {
        row.event["event_id"]: len(row.event["user_data"]["em"]) for row in sandbox.store.events()
    }
    assert emails == {f"visit-{number}": 2 if number % 10 == 9 else 1 for number in range(60)}


def test_names_that_are_data_are_no_columns(run_target, sandbox):
    """A stream with ever new column names is read fully, with any field."""
    lines = [
        record("visits", **visit(number, **{f"id-{number}": number}))
        for number in range(3 * MOST_TIMES_NEW)
    ]
    lines.append(record("visits", **visit(1000, em_1="second@example.com")))
    ran = run_target([schema("visits", *visit(), key_properties=("event_id",)), *lines])
    assert ran.outcomes == {"delivered": 3 * MOST_TIMES_NEW + 1}
    assert [len(row.event["user_data"]["em"]) for row in sandbox.store.events()] == [
        *[1] * 3 * MOST_TIMES_NEW,
        2,
    ]


def test_missing_key_differs_from_a_null_one(run_target):
    """An id is derived from key properties of which some are null, but not if one is missing."""
    some = {name: value for name, value in visit(1).items() if name != "event_id"}
    lines = [
        schema("visits", *some, "a", "b", key_properties=("a", "b")),
        record("visits", **some, a="1", b="2"),
        record("visits", **some, a="1", b=None),
        record("visits", **some, a="1"),
    ]
    ran = run_target(lines, max_rejected_ratio=1)
    assert ran.outcomes == {"delivered": 2, "invalid": 1}


def test_line_of_an_error_is_counted_through_rows(run_target):
    """The line number of an error counts all lines of the input, including rows."""
    good = [record("visits", **visit(number)) for number in range(40)]
    ran = run_target(
        [
            schema("visits", *visit(), key_properties=("event_id",)),
            *good,
            b"{oops",
            line(type="STATE", value={}),
        ]
    )
    assert ran.code == 1
    assert "line 42: it is not JSON" in ran.log

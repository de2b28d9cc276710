"""BATCH files: JSON lines, parquet and arrow become the same events as RECORD messages."""

import gzip
import io
import json
import os
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from given import line, record, schema, state
from shopper import seconds_ago, visit
from target_pinterest_capi import singer
from target_pinterest_capi.singer import lines as line_module
from target_pinterest_capi.singer.batch_files import (
    BatchFileError,
    RecordLines,
    batch_chunks,
    handle_lines,
)
from target_pinterest_capi.singer.lines import LineTooLongError, chunks_of_lines
from target_pinterest_capi.singer.messages import BYTE_ORDER_MARK

VISITS = schema("visits", *visit(), key_properties=("event_id",))
MOMENT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
JSON_LINES = {"format": "jsonl", "compression": "none"}


def batch(path: Path, **encoding: Any) -> bytes:
    """Return a BATCH line of one file."""
    return line(type="BATCH", stream="visits", encoding=encoding, manifest=[path.as_uri()])


class Records(list[dict[str, Any]]):
    """Keeps the records that it is handed."""

    rows = None
    batch_rows = None

    def handle_record(self, record: dict[str, Any]) -> None:
        self.append(record)


def read_all(path: Path, **encoding: Any) -> list[dict[str, Any]]:
    return read_into(Records(), path, **encoding)


def read_into(records: Records, path: Path, **encoding: Any) -> Records:
    for chunk in batch_chunks([str(path)], encoding):
        if isinstance(chunk, RecordLines):
            handle_lines(chunk, chunk.lines, records)
        else:
            records += chunk
    return records


# JSON lines


def test_byte_order_mark_is_skipped(tmp_path):
    """A byte order mark at the start of a file is skipped."""
    path = tmp_path / "visits.jsonl"
    path.write_bytes(BYTE_ORDER_MARK + b'{"a": 1}\n{"a": 2}\n')
    assert read_all(path, **JSON_LINES) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused_in_words(tmp_path, encoding: str):
    """UTF-16 is an error that says so, and where."""
    path = tmp_path / "visits.jsonl"
    path.write_bytes('{"a": 1}\n'.encode(encoding))
    with pytest.raises(BatchFileError, match=r"file 1 of 1, line 1: it is UTF-16 or UTF-32"):
        read_all(path, **JSON_LINES)


def test_what_came_before_an_error_is_read(tmp_path):
    """Records before an unreadable line are handed on, and the error names that line."""
    path = tmp_path / "visits.jsonl"
    path.write_text('{"a": 1}\n\n{"a": 2}\nno json\n')
    records = Records()
    with pytest.raises(BatchFileError, match="file 1 of 1, line 4: it is not JSON"):
        read_into(records, path, **JSON_LINES)
    assert records == [{"a": 1}, {"a": 2}]


def test_large_lines_come_one_by_one(tmp_path):
    """Few large records are in memory at once: the run makes progress after each."""
    path = tmp_path / "visits.jsonl"
    path.write_text("".join(json.dumps({"a": "x" * 300_000}) + "\n" for _ in range(5)))
    assert lines_at_once(path) == [1, 1, 1, 1, 1]
    path.write_text("".join(f'{{"a": {number}}}\n' for number in range(250)))
    assert lines_at_once(path) == [100, 100, 50]


def lines_at_once(path: Path) -> list[int]:
    chunks = batch_chunks([str(path)], JSON_LINES)
    return [len(chunk.lines) for chunk in chunks if isinstance(chunk, RecordLines)]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda packed: packed[:-4], r"line 3000: it cannot be read \(EOFError\)"),
        (
            lambda packed: packed[:-8] + b"\xff\xff\xff\xff" + packed[-4:],
            r"line 3000: it cannot be read \(BadGzipFile\)",
        ),
        (
            lambda packed: packed + gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 20,
            r"line 3000: it cannot be read \(damaged gzip data\)",
        ),
    ],
    ids=["cut", "other checksum", "damaged"],
)
def test_what_came_before_damaged_gzip_is_read(tmp_path, damage: Any, words: str):
    """The complete lines before the damage are handed on, and the error says after which line."""
    path = tmp_path / "visits.jsonl.gz"
    written = [{"a": number, "b": "x" * 100} for number in range(3000)]
    plain = "".join(json.dumps(one) + "\n" for one in written)
    path.write_bytes(damage(gzip.compress(plain.encode(), mtime=0)))
    records = Records()
    with pytest.raises(BatchFileError, match=f"file 1 of 1, after {words}"):
        read_into(records, path, format="jsonl", compression="gzip")
    assert records == written


def test_parts_of_a_gzip_file_are_read_as_one(tmp_path):
    """Files that were appended to each other are read to the end, whatever their lines' ends."""
    path = tmp_path / "visits.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a"') + gzip.compress(b': 2}\n\n \n{"a": 3}'))
    read = read_all(path, format="jsonl", compression="gzip")
    assert read == [{"a": 1}, {"a": 2}, {"a": 3}]


UNUSUAL = [
    visit(20, value="much"),  # another type than its schema declares
    visit(21, em=None, value=None),
    visit(22, client_ip_address="192.0.2.1"),  # a column that the schema does not declare
    visit(23, num_items=2**70),
    {},
    {"event_id": "visit-25"},
    visit(26, user_data={"click_id": "dj0y"}, contents=[{"id": "a", "item_price": 9.5}]),
    visit(27, search_string=[{"a": {"b": None}}]),
]


def test_lines_of_a_file_come_to_the_events_of_records(run_target, sandbox, tmp_path):
    """The same records as RECORD messages and in a file are the same events, or end for the same reasons."""
    records = [visit(number) for number in range(20)]
    records += [*UNUSUAL, *(visit(number) for number in range(30, 150)), *UNUSUAL[:3]]
    path = tmp_path / "visits.jsonl"
    path.write_bytes(b"\n \n\n".join(json.dumps(one).encode() for one in records))
    of_messages = run_target([VISITS, *(record("visits", **one) for one in records)])
    expected = [kept.event for kept in sandbox.store.events()]
    sandbox.store.reset()
    of_file = run_target([VISITS, batch(path, **JSON_LINES)])
    assert (of_file.outcomes, of_file.reasons) == (of_messages.outcomes, of_messages.reasons)
    assert [kept.event for kept in sandbox.store.events()] == expected


@pytest.mark.parametrize("number", [1, 10, 100, 101, 250])
def test_line_of_an_error_is_its_number_in_the_file(run_target, tmp_path, number: int):
    """Blank lines count, in whatever way the lines before it were read."""
    lines = [json.dumps(visit(one)).encode() if one % 2 else b"" for one in range(number - 1)]
    path = tmp_path / "visits.jsonl"
    path.write_bytes(b"\n".join([*lines, b'{"em": "shopper@example.com"', b"{}"]))
    ran = run_target([VISITS, batch(path, **JSON_LINES)])
    assert ran.code == 1
    assert f"file 1 of 1, line {number}: it is not JSON" in ran.log
    assert "shopper@example" not in ran.log
    assert ran.outcomes.get("delivered", 0) == (number - 1) // 2


class Endless(io.RawIOBase):
    """A line without an end is refused, with the number of lines that were read."""

    given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"x" * len(buffer)
        self.given += len(buffer)
        return len(buffer)


def test_line_without_an_end_is_refused():
    """A file has the limit of plain input: not much more of a line is read."""
    endless = Endless()
    with pytest.raises(LineTooLongError, match="longer than 64 MiB"):
        list(chunks_of_lines(io.BufferedReader(endless)))
    assert endless.given <= 1.1 * line_module.MAX_LINE_BYTES


def test_line_that_is_too_long_ends_the_run_in_words(run_target, tmp_path):
    """The error names the line of the input, the file and its line; what came before is acknowledged."""
    path = tmp_path / "visits.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(json.dumps(visit(1)).encode() + b"\n")
        for _ in range(70):
            file.write(b" " * 1024**2)
    ran = run_target([VISITS, batch(path, format="jsonl", compression="gzip"), state({"n": 1})])
    assert (ran.code, ran.outcomes, ran.states) == (1, {"delivered": 1}, [])
    assert (
        "line 2: BATCH of stream 'visits', file 1 of 1, line 2: the line is longer than 64 MiB"
        in ran.log
    )


# Parquet and arrow

COLUMNAR = ["parquet", "parquet packed by the SDK", "arrow", "arrow stream", "arrow in gzip"]


def written(kind: str, rows: list[dict[str, Any]], path: Path, columns: Any = None) -> bytes:
    """Write rows to a file and return the BATCH line of it."""
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.Table.from_pylist(rows, schema=columns)
    if kind.startswith("parquet"):
        packed = "gzip" if "packed" in kind else "snappy"
        parquet.write_table(table, path, compression=packed)
        return batch(
            path, format="parquet", **({"compression": "gzip"} if "packed" in kind else {})
        )
    new = pa.ipc.new_stream if kind == "arrow stream" else pa.ipc.new_file
    with new(path, table.schema) as writer:
        writer.write_table(table)
    if kind == "arrow in gzip":
        path.write_bytes(gzip.compress(path.read_bytes()))
        return batch(path, format="arrow", compression="gzip")
    return batch(path, format="arrow")


@pytest.mark.parametrize("kind", COLUMNAR)
def test_columns_come_to_the_events_of_records(run_target, sandbox, tmp_path, kind: str):
    """The same rows as RECORD messages and as a file are the same events, byte for byte."""
    rows = [
        visit(
            number,
            event_time=seconds_ago(60),
            value=Decimal("19.90"),
            currency="EUR",
            user_data={"click_id": "dj0y", "em": ["a@example.com", "b@example.com"]},
            contents=[{"id": "a", "item_price": 9.5, "quantity": 2}, {"id": "b"}],
            opt_out=False,
        )
        for number in range(1200)
    ]
    ran = run_target([VISITS, written(kind, rows, tmp_path / "visits"), state({"n": 1})])
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 1200}, ['{"n": 1}'])
    of_columns = [kept.event for kept in sandbox.store.events()]
    assert run_target([VISITS, *(as_record(row) for row in rows)]).outcomes == {"delivered": 1200}
    both = [kept.event for kept in sandbox.store.events()]
    assert by_id(of_columns) == by_id(both[len(of_columns) :])


def by_id(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["event_id"]: event for event in events}


def as_record(row: dict[str, Any]) -> bytes:
    return record("visits", **{**row, "value": 19.9}).replace(b"19.9,", b"19.90,")


def types() -> list[tuple[Any, Any, Any]]:
    """Return Arrow types, each with a value and its value in a record's JSON."""
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    local = MOMENT.replace(tzinfo=None)
    return [
        (pa.bool_(), True, True),
        (pa.int64(), 2**62, 2**62),
        (pa.uint8(), 5, 5),
        (pa.float64(), 19.99, Decimal("19.99")),
        (pa.float32(), 19.99, Decimal("19.99")),
        (pa.decimal128(38, 2), Decimal("7.50"), Decimal("7.50")),
        (pa.decimal256(50, 1), Decimal("7.5"), Decimal("7.5")),
        (pa.string(), "a", "a"),
        (pa.large_string(), "a", "a"),
        (pa.dictionary(pa.int32(), pa.string()), "a", "a"),
        (pa.timestamp("ns", "UTC"), MOMENT, "2026-11-21T10:00:00+00:00"),
        (pa.timestamp("s", "America/New_York"), MOMENT, "2026-11-21T10:00:00+00:00"),
        (pa.timestamp("ms"), local, "2026-11-21T10:00:00"),
        (pa.date32(), date(1988, 2, 29), "1988-02-29"),
        (pa.date64(), date(1988, 2, 29), "1988-02-29"),
        (pa.time64("us"), time(10, 30), "10:30:00"),
        (pa.binary(), b"\x00\xff", "00ff"),
        (pa.binary(2), b"\x00\xff", "00ff"),
        (pa.struct({"a": pa.struct({"b": pa.int8()})}), {"a": {"b": 1}}, {"a": {"b": 1}}),
        (pa.list_(pa.struct({"a": pa.float64()})), [{"a": 1.5}], [{"a": Decimal("1.5")}]),
        (pa.list_(pa.int8(), 2), [1, 2], [1, 2]),
        (pa.large_list(pa.int8()), [1, 2], [1, 2]),
        (pa.map_(pa.string(), pa.int8()), [("a", 1)], {"a": 1}),
    ]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_each_type_is_what_json_has(tmp_path, kind: str):
    """Amounts are exact, times and dates ISO 8601, bytes hexadecimal; null is null everywhere."""
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    for number, (arrow_type, value, expected) in enumerate(types()):
        if kind == "parquet" and pa.types.is_decimal256(arrow_type):
            continue
        path = tmp_path / str(number)
        columns = pa.schema({"column": arrow_type})
        written(kind, [{"column": value}, {"column": None}], path, columns)
        assert read_all(path, format=kind) == [{"column": expected}, {"column": None}], arrow_type


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"no parquet of shopper@example.com", "parquet", "it is not a readable parquet file"),
        (b"", "parquet", "it is not a readable parquet file"),
        (b"no arrow of shopper@example.com", "arrow", "it is not a readable arrow file"),
        (b"ARROW1", "arrow", "it is not a readable arrow file"),
        (
            b"{}",
            "avro",
            "its encoding is not supported: use jsonl, with or without gzip, parquet or arrow",
        ),
    ],
)
def test_file_that_cannot_be_read_is_an_error_in_words(
    run_target, tmp_path, content: bytes, kind: str, words: str
):
    """A file of another kind ends the run with its line and without its content."""
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    path = tmp_path / "visits"
    path.write_bytes(content)
    ran = run_target([VISITS, batch(path, format=kind), state({"n": 1})])
    assert (ran.code, ran.states) == (1, [])
    assert words in ran.log
    assert "unexpected" not in ran.log
    assert "shopper" not in ran.log


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_pipe_that_nobody_writes_to_is_not_waited_for(run_target, tmp_path, compression: str):
    """Only files are read: a name in a tap's input must not block the run."""
    os.mkfifo(tmp_path / "pipe")
    given = batch(tmp_path / "pipe", format="jsonl", compression=compression)
    ran = run_target([VISITS, given, state({"n": 1})])
    assert (ran.code, ran.states) == (1, [])
    assert "line 2: BATCH of stream 'visits', file 1 of 1: it is not a regular file" in ran.log


def test_missing_package_is_named(monkeypatch, tmp_path):
    """Without pyarrow the error says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "target_pinterest_capi.singer.arrow", raising=False)
    monkeypatch.delattr(singer, "arrow", raising=False)
    (tmp_path / "visits").write_bytes(b"")
    with pytest.raises(BatchFileError, match=r"install target-pinterest-capi\[parquet\]"):
        read_all(tmp_path / "visits", format="parquet")


def test_addresses_are_refused_for_every_format(tmp_path):
    """Files on this machine and in configured object stores are read, in each format."""
    for kind in ("jsonl", "parquet", "arrow"):
        with pytest.raises(BatchFileError, match="http:// is not supported"):
            list(batch_chunks(["http://192.0.2.1/visits"], {"format": kind}))

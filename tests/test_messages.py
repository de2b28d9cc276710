"""Messages are decoded once, exactly; errors do not show the content of the line."""

import bz2
import gzip
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.messages import (
    BYTE_ORDER_MARK,
    MAX_DEPTH,
    MessageError,
    decode,
    decode_record,
)


def test_numbers_keep_every_digit():
    """Fractions are decimals, and whole numbers are integers of any size."""
    record = decode(
        b'{"type":"RECORD","stream":"s","record":'
        b'{"a":19.99,"b":1e3,"c":123456789012345678901234567890,"d":[0.1]}}'
    ).record
    assert record == {
        "a": Decimal("19.99"),
        "b": Decimal("1E+3"),
        "c": 123456789012345678901234567890,
        "d": [Decimal("0.1")],
    }


def test_state_is_left_as_bytes():
    """A STATE's value is the text of the line, byte for byte."""
    assert (
        bytes(decode(b'{"type":"STATE","value":{ "a":1.50, "b" : [ ] }}').value)
        == b'{ "a":1.50, "b" : [ ] }'
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"id,secret", "it looks like CSV"),
        (b"\xef\xbb\xbfid;secret\r", "it looks like CSV"),
        (b'"id","secret"\r', "it looks like CSV"),
        (b"id\tsecret", "it looks like CSV"),
        (b"1,2,3", "it looks like CSV"),
        (
            gzip.compress(b"id,secret", mtime=0),
            "it is compressed with gzip: unpack it with `gzip -dc`",
        ),
        (bz2.compress(b"id,secret"), "it is compressed with bzip2"),
        (b"\x28\xb5\x2f\xfdsecret", "it is compressed with zstd"),
        (b"PK\x03\x04secret", "it is a ZIP archive"),
        (b"PAR1\x15\x04", "it is a Parquet file"),
        (b"Obj\x01\x04", "it is an Avro file"),
        (b"<!DOCTYPE html><p>secret, 502", "it is HTML or XML, such as an error page"),
        (b"  <html>", "it is HTML or XML"),
        (b'[{"secret": 1}]', "it is a list"),
        (b"INFO secret, starting", "it looks like a line of a log, which belongs on stderr"),
        (b"2026-11-26 09:13:39,706 [ERROR] secret", "it looks like a line of a log"),
        (b"Traceback (most recent call last):", "it is an error message of a program"),
        ('{"type": "STATE"}'.encode("utf-16"), "it is UTF-16 or UTF-32 instead of UTF-8"),
    ],
)
def test_other_kind_of_file_is_named(line: bytes, words: str):
    """Typical wrong inputs are named in the error, with what to do."""
    with pytest.raises(MessageError, match=re.escape(words)) as raised:
        decode(line)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"not json", "it is not JSON"),
        (b'{"type":"RECORD","stream":"s","record":{"a":1', "it is not JSON"),
        (b"[1,2]", "it is not a Singer message"),
        (b"17", "it is not a Singer message"),
        (b'{"type":5}', "it is not a Singer message"),
        (b'{"type":"RECORD","stream":"s","record":[1]}', "it is not a Singer message"),
        (b'{"type":"RECORD","stream":"s","record":{"secret":"\xff"}}', "it is not UTF-8"),
        (b'{"type":"RECORD","record":' + b"[" * 100_000 + b"}", "it is"),
    ],
)
def test_broken_line_is_refused_in_words(line: bytes, words: str):
    """The error says what is wrong, and shows nothing of the line."""
    with pytest.raises(MessageError, match=words) as raised:
        decode(line)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("line", "record"),
    [
        (rb'{"type":"RECORD","stream":"s","record":{"a":"cut \ud83d"}}', {"a": "cut \ufffd"}),
        (
            rb'{"type":"RECORD","stream":"s","record":{"\udc00k":["\ud800"]}}',
            {"\ufffdk": ["\ufffd"]},
        ),
        (
            b'{"type":"RECORD","stream":"s","record":{"a":1.10,"b":Infinity}}',
            {"a": Decimal("1.10"), "b": float("inf")},
        ),
    ],
)
def test_what_taps_send_besides_strict_json(line: bytes, record):
    """Lone surrogates are replaced, NaN and infinities are read, and other values stay exact."""
    assert decode(line).record == record


def test_lenient_state_is_strict_json_again():
    """The STATE of a line that only a lenient reader accepts can still be written."""
    assert bytes(decode(rb'{"type":"STATE","value":{"a":"\ud83d"}}').value) == b'{"a":"\\ufffd"}'


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(line: bytes):
    """No line raises anything but a MessageError."""
    for read in (decode, decode_record):
        try:
            read(line)
        except MessageError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


def test_record_of_a_batch_file():
    """A line of a BATCH file is the record itself, and an object."""
    assert decode_record(b'{"a":1.5}') == {"a": Decimal("1.5")}
    with pytest.raises(MessageError, match="not a JSON object"):
        decode_record(b"[1]")


def test_members_that_are_not_needed_cost_nothing():
    """A time_extracted is not kept at all."""
    assert not hasattr(messages.Message(), "time_extracted")


# Values that are nested deep, numbers beyond every decimal, and marks before the first line

DEPTHS = [MAX_DEPTH * 11, 5_000, 100_000]


def deep(depth: int) -> list[str]:
    return ["[" * depth + "]" * depth, '{"]}":' * depth + "1" + "}" * depth]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("shape", [0, 1], ids=["lists", "objects"])
def test_deep_column_is_read_past(depth: int, shape: int):
    """Extreme nesting is null from some level on; the other columns are unchanged."""
    value = deep(depth)[shape]
    text = f'{{"type":"RECORD","stream":"s","record":{{"a":"[]}}\\"{{[","x":{value},"b":1.50}}}}'
    for record in (
        decode(text.encode()).record,
        decode_record(f'{{"a":"[]}}\\"{{[","x":{value},"b":1.50}}'.encode()),
    ):
        assert record is not None
        assert (record["a"], record["b"]) == ('[]}"{[', Decimal("1.50"))
        levels = 0
        inner = record["x"]
        while inner:
            inner = inner[0] if isinstance(inner, list) else inner["]}"]
            levels += 1
        assert 0 < levels <= MAX_DEPTH


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "message", ['{"type":"STATE","value":DEEP}', '{"type":"SCHEMA","stream":"s","schema":DEEP}']
)
def test_deep_state_and_schema_are_refused(depth: int, message: str):
    """A STATE and a schema must not be changed: such a line is an error with a message."""
    for value in deep(depth):
        with pytest.raises(MessageError, match="nested too deeply"):
            decode(message.replace("DEEP", value).encode())


@pytest.mark.parametrize("depth", DEPTHS)
def test_deep_line_that_is_cut_is_no_json(depth: int):
    """A line that ends inside its nesting is refused like any truncated line."""
    with pytest.raises(MessageError):
        decode(b'{"type":"RECORD","stream":"s","record":{"a":' + b"[" * depth)


@pytest.mark.parametrize(
    ("number", "read"),
    [
        ("1e99999999999999999999", float("inf")),
        ("-1e99999999999999999999", float("-inf")),
        ("1e-99999999999999999999", 0.0),
    ],
)
def test_number_that_no_decimal_holds(number: str, read: float):
    """It is infinite, or 0, and the rest of the record stays exact."""
    text = f'{{"type":"RECORD","stream":"s","record":{{"a":{number},"b":1.50}}}}'
    assert decode(text.encode()).record == {"a": read, "b": Decimal("1.50")}
    assert decode_record(f'{{"a":{number}}}'.encode()) == {"a": read}


@pytest.mark.parametrize("digits", [5000, 100_000])
def test_integer_longer_than_python_reads(digits: int):
    """In a record it is a decimal with all its digits; a STATE and a schema are unchanged."""
    number = "9" * digits
    text = f'{{"type":"RECORD","stream":"s","record":{{"a":{number},"b":[1.50]}}}}'
    assert decode(text.encode()).record == {"a": Decimal(number), "b": [Decimal("1.50")]}
    assert decode_record(f'{{"a":[{number}]}}'.encode()) == {"a": [Decimal(number)]}
    for member in ("value", "schema"):
        whole = f'{{"type":"STATE","{member}":{{"a":{number}}}}}'
        assert bytes(getattr(decode(whole.encode()), member)) == f'{{"a":{number}}}'.encode()


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"RECORD","stream":LONG,"record":{}}',
        '{"type":"STATE","value":{"a":LONG,"b":NaN}}',
        '{"type":"RECORD","stream":"s","record":{"a":LONG}',
    ],
)
def test_long_integer_in_a_line_that_is_wrong_otherwise(line: str):
    """It does not hide other errors, or values that cannot be kept unchanged."""
    with pytest.raises(MessageError):
        decode(line.replace("LONG", "9" * 5000).encode())


@pytest.mark.parametrize("odd", ["NaN", "1e99999999999999999999", '"\\ud800"', "9" * 5000])
@pytest.mark.parametrize("column", ["value", "schema", "record", "type"])
def test_columns_of_a_batch_line_are_named_as_they_like(column: str, odd: str):
    """A record in a BATCH file keeps its `value` next to what only a lenient reader accepts."""
    read = decode_record(f'{{"{column}":19.90,"odd":{odd}}}'.encode())
    assert read[column] == Decimal("19.90")


def test_numbers_of_a_lenient_state_stay_numbers():
    """A STATE with a fraction stays a number next to NaN."""
    value = bytes(decode(b'{"type":"STATE","value":{"a":NaN,"b":1.5}}').value)
    assert value == b'{"a":NaN,"b":1.5}'


def test_member_of_a_wrong_type_beside_nan_is_refused():
    """A line that only a lenient reader accepts is validated like any other."""
    with pytest.raises(MessageError, match="it is not a Singer message"):
        decode(b'{"type":5,"record":{"a":NaN}}')


def test_byte_order_mark_is_no_part_of_a_line():
    """A line may begin with the byte order mark of its file."""
    assert decode(BYTE_ORDER_MARK + b'{"type":"STATE","value":1}').type == "STATE"
    assert decode_record(BYTE_ORDER_MARK + b'{"a":1}') == {"a": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused_in_words(encoding: str):
    """The error names the kind of line and what can be read."""
    with pytest.raises(MessageError, match="UTF-16 or UTF-32 instead of UTF-8"):
        decode('{"type":"STATE","value":1}'.encode(encoding))

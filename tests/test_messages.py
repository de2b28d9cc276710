"""Messages are decoded once, exactly; what is no message is refused without showing it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.singer import messages
from target_pinterest_capi.singer.messages import MessageError, decode, decode_record


def test_numbers_keep_every_digit():
    """Fractions are decimals and whole numbers integers of any size."""
    record = decode(
        b'{"type":"RECORD","stream":"s","record":{"a":19.99,"b":1e3,"c":123456789012345678901234567890,"d":[0.1]}}'
    ).record
    assert record == {
        "a": Decimal("19.99"),
        "b": Decimal("1E+3"),
        "c": 123456789012345678901234567890,
        "d": [Decimal("0.1")],
    }


def test_state_is_left_as_bytes():
    """A STATE's value is what stood in the line, byte for byte."""
    assert (
        bytes(decode(b'{"type":"STATE","value":{ "a":1.50, "b" : [ ] }}').value)
        == b'{ "a":1.50, "b" : [ ] }'
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"not json", "it is no JSON"),
        (b'{"type":"RECORD","stream":"s","record":{"a":1', "it is no JSON"),
        (b"[1,2]", "it is no Singer message"),
        (b"17", "it is no Singer message"),
        (b'{"type":5}', "it is no Singer message"),
        (b'{"type":"RECORD","stream":"s","record":[1]}', "it is no Singer message"),
        (b'{"type":"RECORD","stream":"s","record":{"secret":"\xff"}}', "it is not UTF-8"),
        (b'{"type":"RECORD","record":' + b"[" * 100_000 + b"}", "it is"),
    ],
)
def test_broken_line_is_refused_in_words(line: bytes, words: str):
    """What is wrong is said, and nothing of the line."""
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
    """Halves of surrogate pairs are replaced, NaN and infinities are read, and the rest of the record stays exact."""
    assert decode(line).record == record


def test_lenient_state_is_strict_json_again():
    """A STATE in a line that only a lenient reader takes is still a value that can be written."""
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
    with pytest.raises(MessageError, match="no JSON object"):
        decode_record(b"[1]")


def test_members_that_are_not_needed_cost_nothing():
    """A time_extracted is not even kept."""
    assert not hasattr(messages.Message(), "time_extracted")

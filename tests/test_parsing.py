"""For any body of Pinterest's responses, reading it returns what is known and never raises."""

import pytest

from target_pinterest_capi.events.redaction import plain_values
from target_pinterest_capi.pinterest.parsing import parse_statuses

UNREADABLE = [
    b"",
    b"\x80",
    b'{"message": "\x80"}',
    b'{"events": [{"status": "\xff\xfe"}]}',
    b'{"\xc3": 1}',
    b"[" * 100_000,
    b'{"x": ' + b'{"a":' * 100_000,
    b'{"events": NaN}',
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_body_that_cannot_be_read_says_nothing(body: bytes):
    """Other encodings, endless nesting and other mistakes result in nothing known."""
    assert parse_statuses(body) == (None, None)
    assert plain_values([body]) == set()


def test_message_is_read_where_the_statuses_are_not():
    """A message counts even next to something other than a list of statuses."""
    assert parse_statuses(b'{"message": "no", "events": 5}') == (None, "no")

"""Messages from outside keep their sentence and Pinterest's field names.

They lose everything that may be a value.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.pinterest.redaction import MAX_LENGTH, redact


@pytest.mark.parametrize(
    ("message", "redacted"),
    [
        ("Authentication failed.", "Authentication failed."),
        ("Invalid request: Additional properties are not allowed ('em' was unexpected)", None),
        ("'jane' is not of type 'array'", "'…' is not of type '…'"),
        ('"custom_data.value" is not a number', None),
        ("user shopper@example.com is unknown", "user … is unknown"),
        ("seen from 192.0.2.7 and 2001:db8::1", "seen from … and …"),
        ("call +1 (202) 555-0134 now", "call … now"),
        ("see https://shop.example.com/a?email=x now", "see … now"),
        (
            "digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 bad",
            "digest … bad",
        ),
        ("two\nlines\tof  text", "two lines of text"),
        ("num_events_received and external_measurement_vendor_id", None),
    ],
)
def test_values_are_cut(message, redacted):
    """Quotes, addresses, numbers and long words go; a row without a second text stays as it is."""
    assert redact(message) == (message if redacted is None else redacted)


def test_secret_is_cut_wherever_it_stands():
    """A token that the server echoes is gone, also inside another word."""
    assert "s3cret" not in redact("token=s3cret, Bearer s3cret.", ["s3cret"])


@given(st.text(max_size=2000))
def test_redaction_never_fails_and_is_bounded(message):
    """Any text gives one line of bounded length."""
    redacted = redact(message)
    assert len(redacted) <= MAX_LENGTH
    assert "\n" not in redacted


@given(st.emails(), st.sampled_from(["user {} is bad", "'{}'", "x={}!", "{}"]))
def test_no_email_survives(address, sentence):
    """An e-mail address in any place of a sentence is cut."""
    assert address not in redact(sentence.format(address))

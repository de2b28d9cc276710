"""Outside messages keep their sentence and Pinterest's field names.

Everything that may be a value is removed.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.events.redaction import (
    MAX_LENGTH,
    MAX_NAME_LENGTH,
    MAX_READ,
    plain_values,
    redact,
    shown_name,
    shown_path,
)


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
        ("'Jane O'Brien' is not a name", "'…' is not a name"),
        ("user jane%40example.com is unknown", "user … is unknown"),
        ("user jane%2540example.com is unknown", "user … is unknown"),
        (r"see https:\/\/shop.example.com\/a now", "see … now"),
        (r"user jane\u0040example.com is unknown", "user … is unknown"),
        ("red \x1b[31m and\x00 nothing", r"red \x1b[31m and\x00 nothing"),
        ("left\u202eright", r"left\u202eright"),
    ],
)
def test_values_are_cut(message, redacted):
    """Quotes, addresses, numbers and long words are removed; a row without a second text stays."""
    assert redact(message) == (message if redacted is None else redacted)


def test_secret_is_cut_wherever_it_stands():
    """A token that the server echoes is removed, even inside another word."""
    assert "s3cret" not in redact("token=s3cret, Bearer s3cret.", ["s3cret"])


@pytest.mark.parametrize("written", ["pina_A/b+c=", "pina_A%2Fb%2Bc%3D", "pina_A%2fb%2bc%3d"])
def test_secret_is_cut_also_as_part_of_a_url(written):
    """A percent-encoded token is removed too."""
    redacted = redact(f"the token x{written}x is wrong", ["pina_A/b+c="])
    assert redacted == "the token x…x is wrong"


@pytest.mark.parametrize(
    ("message", "redacted"),
    [
        ("Blue Shirt is not a product", "… is not a product"),
        ("blue shirt, order A-17: refused", "…, order …: refused"),
        ("order A-171 and xA-17", "order A-171 and xA-17"),
        ("checkout with web is refused", "checkout with web is refused"),
        ("shops are full of Blue Shirts", "shops are full of Blue Shirts"),
    ],
)
def test_values_of_the_event_at_hand_are_cut_without_quotes(message, redacted):
    """Its strings are removed as whole words, in any case; Pinterest's own names stay."""
    body = (
        b'{"event_name": "checkout", "action_source": "web", "custom_data": '
        b'{"order_id": "A-17", "contents": [{"item_name": "Blue Shirt", "quantity": 1}]}}'
    )
    assert redact(message, values=plain_values([body])) == redacted


def test_message_without_end_keeps_no_half_word():
    """The text that is read ends with a complete word; a single word of 100 kB is removed."""
    assert redact("x" * 100_000) == "…"
    assert "jane" not in redact("a " * (MAX_READ // 2 - 2) + "jane.of.example@example.com" * 9)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("orders", "orders"),
        ("public-shopify_orders_with_line_items_v2", "public-shopify_orders_with_line_items_v2"),
        ("orders of jane@example.com", "orders of …"),
        ("9f86d081884c7d659a2feaa0c55ad015", "…"),
        ("+1 202 555 0134", "…"),
        ("a\nERROR forged", r"a\nERROR forged"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("line\u2028separator", r"line\u2028separator"),
        ("half \ud800 pair", r"half \ud800 pair"),
        ("x" * 2_000_000, "x" * (MAX_NAME_LENGTH - 1) + "…"),
    ],
)
def test_name_from_a_tap_is_short_and_on_one_line(name, shown):
    """Control characters are escaped; personal data is cut, and so is the rest."""
    assert shown_name(name) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("letters.jsonl", "letters.jsonl"),
        ("/var/a@b/letters.jsonl", "/var/a@b/letters.jsonl"),
        ("s3://bucket/letters", "s3://bucket/letters"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("sftp://user:secret@host/letters", "sftp://…@host/letters"),
        ("sftp://user@host", "sftp://…@host"),
        ("sftp://user:a@secret@host/letters", "sftp://…@host/letters"),
        ("abfs://bucket/letters?sig=secret", "abfs://bucket/letters"),
    ],
)
def test_url_is_shown_without_user_and_key(path, shown):
    """A path is unchanged, and a URL is shown without credentials."""
    assert shown_path(path) == shown


@given(st.text(max_size=2000))
def test_redaction_never_fails_and_is_bounded(message):
    """Any text becomes one line of limited length."""
    redacted = redact(message)
    assert len(redacted) <= MAX_LENGTH
    assert redacted.isprintable()


@given(st.emails(), st.sampled_from(["user {} is bad", "'{}'", "x={}!", "{}"]))
def test_no_email_survives(address, sentence):
    """An e-mail address anywhere in a sentence is removed."""
    assert address not in redact(sentence.format(address))

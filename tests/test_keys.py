"""Event ids are derived in the same way in every run and on every machine.

Keys of dead letters are hashed unless plain keys are configured.
"""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shopper import digest, event
from target_pinterest_capi.events import keys


def derived(
    record, key_properties=("id",), account="549755885175", name="checkout", stream="orders"
):
    return keys.derive_event_id(record, key_properties, account, name, stream)


def test_recipe():
    """The id is the SHA-256 of this JSON, compact, members sorted, decimals as text."""
    recipe = (
        '{"ad_account_id":"549755885175","event_name":"checkout",'
        '"key":{"id":7,"line":"1.50"},"stream":"orders"}'
    )
    assert (
        derived({"line": Decimal("1.50"), "id": 7, "other": "x"}, ("id", "line"))
        == hashlib.sha256(recipe.encode()).hexdigest()
    )


def test_stream_without_keys_takes_the_whole_record():
    """Without key properties every column counts except the tap's own `_sdc_*`, in any order."""
    first = derived({"a": 1, "b": {"y": 1, "x": Decimal("2.0")}, "_sdc_extracted_at": "now"}, ())
    assert first == derived(
        {"b": {"x": Decimal("2.0"), "y": 1}, "a": 1, "_sdc_extracted_at": "later"}, ()
    )
    assert first == derived(
        {"a": 1, "b": {"x": Decimal("2.0"), "y": 1}, "_SDC_BATCHED_AT": "x"}, ()
    )
    assert first != derived({"a": 1, "b": {"y": 2, "x": Decimal("2.0")}}, ())


@pytest.mark.parametrize(
    "change", [{"account": "1"}, {"name": "lead"}, {"stream": "carts"}, {"record": {"id": 8}}]
)
def test_everything_in_the_recipe_counts(change):
    """Another account, event name, stream or key has another id."""
    given = {"record": {"id": 7}, **change}
    assert derived(**given) != derived({"id": 7})


@pytest.mark.parametrize(
    ("record", "key_properties"),
    [
        ({}, ("id",)),
        ({"id": None}, ("id",)),
        ({"id": 1}, ("id", "line")),
        ({"id": None, "line": None}, ("id", "line")),
    ],
)
def test_record_without_its_key_has_no_id(record, key_properties):
    """If a key property is missing, or all are null, ids would be shared, so there is no id."""
    assert derived(record, key_properties) is None


def test_part_of_a_key_may_be_null():
    """One null among several key properties is part of the key."""
    assert derived({"id": 1, "line": None}, ("id", "line")) is not None


def test_times_and_floats_of_spark_are_text():
    """Values that a Singer tap never sends have a form too, the same as their text."""
    assert derived({"id": 1.5}) == derived({"id": Decimal("1.5")})
    assert derived({"id": datetime(2026, 11, 21, tzinfo=UTC)}) == derived(
        {"id": "2026-11-21T00:00:00+00:00"}
    )


@pytest.mark.parametrize(("text", "same"), [("\ud83d\ude00", "\U0001f600"), ("\udcff", "\ufffd")])
def test_texts_that_no_json_holds_have_an_id(text, same):
    """Halves of characters, which a stream map can make, are joined or replaced, and never fail."""
    assert derived({"id": text, text: 1}, ()) == derived({"id": same, same: 1}, ())


def test_key_is_hashed_unless_plain():
    """Each key property is the SHA-256 of its text, so that it can be joined in SQL.

    `plain` shows the text; nulls are dropped.
    """
    record = {"id": 7, "email": "shopper@example.com", "gone": None}
    assert keys.read_key(record, ("id", "email", "gone"), plain=False) == {
        "id": digest("7"),
        "email": digest("shopper@example.com"),
    }
    assert keys.read_key(record, ("id",), plain=True) == {"id": "7"}
    assert keys.read_key({}, ("id",), plain=False) is None


def test_key_that_is_the_event_id_is_hashed_when_needed():
    """If the key property's value is the event id, the event has its name instead."""
    read = keys.compile_key(("event_id",), plain=False)
    assert keys.key_of(event(3)) == {"event_id": digest("visit-3")} == read({"event_id": "visit-3"})

"""From a record's values to the whole event.

Normal forms are hashed, derivable values derived, invalid ones dropped and noted.
"""

import hashlib
import json
from base64 import b64encode
from collections import Counter
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from shopper import ACCOUNT, digest
from target_pinterest_capi.events.build.builder import compile_builder
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.plan import NOW, EventPlan, FieldPlan
from target_pinterest_capi.events.event import Event, InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.fields import BY_PATH, FIELDS, FieldKind
from target_pinterest_capi.events.reasons import Dropped, Invalid, Skipped, Warned

UNPADDED_MD5 = "ZWZnaGlqa2xtbm9wcXJzdA"

AT = 1_790_000_000
ORIGIN = Origin("orders", "paid")
NEEDED = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": AT,
    "event_id": "o-1",
    "user_data.em": "shopper@example.com",
}


class Bench:
    """Builds records whose columns are named by field path; collects notes."""

    def __init__(self, *paths: str, options: Options | None = None, **plan: Any) -> None:
        self.notes: Counter[tuple[str, str]] = Counter()
        fields = {
            path: FieldPlan(lambda record, path=path: record.get(path), path)
            for path in (*NEEDED, *paths)
        }
        for path, value in plan.pop("constants", {}).items():
            fields[path] = FieldPlan(lambda _, value=value: value)
        for path in plan.pop("without", ()):
            fields.pop(path, None)
        self.build = compile_builder(
            EventPlan(ORIGIN, fields, **plan),
            options or Options(zone=UTC),
            lambda field, reason: self.notes.update([(field, str(reason))]),
            lambda: AT,
        ).of_record

    def result(self, **columns: Any) -> Any:
        record = {name.replace("__", "."): value for name, value in columns.items()}
        return self.build(ACCOUNT, {**NEEDED, **record})

    def event(self, **columns: Any) -> dict[str, Any]:
        result = self.result(**columns)
        assert isinstance(result, Event), result
        return json.loads(result.body, parse_float=Decimal)


def build(path: str, value: Any, **options: Any) -> tuple[Any, dict[tuple[str, str], int]]:
    """Return one field's value in the event, and its notes."""
    bench = Bench(path, options=Options(zone=UTC, **options))
    event = bench.event(**{path.replace(".", "__"): value})
    parent, _, leaf = path.rpartition(".")
    notes = {note: count for note, count in bench.notes.items() if note[0] == path}
    return (event.get(parent, {}) if parent else event).get(leaf), notes


def test_whole_event():
    """An order with everything in it becomes exactly this event, members in the table's order."""
    paths = [
        field.path for field in FIELDS if not field.path.startswith(("app_info", "device_info"))
    ]
    bench = Bench(*paths)
    result = bench.result(
        event_source_url="https://shop.example.com/thanks?epik=dj0yJnU9",
        opt_out=False,
        language="en-US",
        user_data__ph="+1 (202) 555-0134",
        user_data__ge="Female",
        user_data__db="1990-03-04",
        user_data__ln="O'Brien",
        user_data__fn=" Émile ",
        user_data__ct="São Paulo",
        user_data__st="US-CA",
        user_data__zp="94110-1234",
        user_data__country="USA",
        user_data__external_id="Cust-7",
        user_data__hashed_maids="6D92078A-8246-4BA4-AE5B-76104861E7DC",
        user_data__client_ip_address="192.0.2.7",
        user_data__client_user_agent="Mozilla/5.0",
        custom_data__currency="usd",
        custom_data__value=Decimal("19.99"),
        custom_data__contents=[
            {"id": 17, "item_price": Decimal("9.995"), "quantity": "2"},
            {"id": "b", "item_name": "Hat"},
            {"id": "17"},
        ],
        custom_data__order_id=123456789012345678901,
        custom_data__opt_out_type="LDP",
    )
    assert json.loads(result.body) == {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": AT,
        "event_id": "o-1",
        "event_source_url": "https://shop.example.com/thanks?epik=dj0yJnU9",
        "opt_out": False,
        "language": "en",
        "user_data": {
            "em": [digest("shopper@example.com")],
            "ph": [digest("12025550134")],
            "ge": [digest("f")],
            "db": [digest("19900304")],
            "ln": [digest("o'brien")],
            "fn": [digest("émile")],
            "ct": [digest("sãopaulo")],
            "st": [digest("ca")],
            "zp": [digest("94110")],
            "country": [digest("us")],
            "external_id": [digest("Cust-7")],
            "hashed_maids": [digest("6d92078a-8246-4ba4-ae5b-76104861e7dc")],
            "client_ip_address": "192.0.2.7",
            "client_user_agent": "Mozilla/5.0",
            "click_id": "dj0yJnU9",
        },
        "custom_data": {
            "currency": "USD",
            "value": "19.99",
            "contents": [
                {"id": "17", "item_price": "9.995", "quantity": 2},
                {"id": "b", "item_name": "Hat"},
                {"id": "17"},
            ],
            "order_id": "123456789012345678901",
            "opt_out_type": "LDP",
            "content_ids": ["17", "b"],
            "num_items": 4,
        },
    }
    assert (result.name, result.id, result.deduplicable, result.time) == (
        "checkout",
        "o-1",
        True,
        AT,
    )
    assert not bench.notes


SAMPLES: dict[str, tuple[Any, Any]] = {
    "string": (" some text ", "some text"),
    "decimal as a string": ("7.50", "7.50"),
    "integer": ("3", 3),
    "boolean": ("true", True),
}


@pytest.mark.parametrize(
    "path",
    [
        field.path
        for field in FIELDS
        if field.kind.value in SAMPLES
        and not field.many
        and field.form is None
        and field.path not in NEEDED
    ],
)
def test_every_plain_field_reaches_the_wire(path: str):
    """Each field of a plain type is coerced, and is under its own object and name."""
    given, wire = SAMPLES[BY_PATH[path].kind.value]
    given, wire = (
        (given[: BY_PATH[path].max_length], wire[: (BY_PATH[path].max_length or 99) - 1].strip())
        if BY_PATH[path].max_length == 5
        else (given, wire)
    )
    value, notes = build(path, given)
    assert value == wire
    assert {reason for _, reason in notes} <= set(Warned)  # nothing is dropped


@pytest.mark.parametrize(
    "path", [field.path for field in FIELDS if field.choices and field.path != "action_source"]
)
def test_every_choice_is_taken_in_any_case(path: str):
    """A value that Pinterest lists is sent as listed, any other is dropped."""
    for choice in BY_PATH[path].choices:
        assert build(path, f" {choice.upper()} ")[0] == choice
    assert build(path, "fridge") == (None, {(path, Dropped.UNKNOWN_CHOICE): 1})


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("user_data.ph", "none given", Dropped.NOT_A_PHONE),
        ("user_data.ge", "?", Dropped.UNKNOWN_GENDER),
        ("user_data.db", "03/04/1990", Dropped.AMBIGUOUS_DATE),
        ("user_data.db", "1990-02-30", Dropped.NOT_A_DATE),
        ("user_data.country", "Atlantis", Dropped.UNKNOWN_COUNTRY),
        ("user_data.zp", "---", Dropped.NOT_A_POSTAL_CODE),
        ("user_data.hashed_maids", "00000000-0000-0000-0000-000000000000", Dropped.TRACKING_OFF),
        ("user_data.fn", "5d41402abc4b2a76b9719d911017c592", Dropped.UNMATCHABLE_DIGEST),
        ("user_data.client_ip_address", "localhost", Dropped.NOT_AN_IP_ADDRESS),
        ("custom_data.currency", "XXY", Dropped.UNKNOWN_CURRENCY),
        ("language", "1", Dropped.UNKNOWN_LANGUAGE),
        ("custom_data.value", "1.234,50 €", Dropped.NOT_AN_AMOUNT),
        ("custom_data.value", "1" * 19, Dropped.AMOUNT_OUT_OF_RANGE),
        ("custom_data.num_items", "2.5", Dropped.NOT_AN_INTEGER),
        ("custom_data.num_items", -1, Dropped.OUT_OF_RANGE),
        ("device_info.battery_level", 101, Dropped.OUT_OF_RANGE),
        ("opt_out", "perhaps", Dropped.NOT_A_BOOLEAN),
        ("app_info.install_time", "soon", Dropped.NOT_A_TIME),
        ("app_info.app_id", "x" * 201, Dropped.TOO_LONG),
        ("custom_data.order_id", {"a": 1}, Dropped.NOT_TEXT),
        ("custom_data.contents", "no json", Dropped.UNREADABLE_JSON),
        ("custom_data.contents", [1], Dropped.NOT_AN_ITEM),
        ("custom_data.content_ids", "[1 , , 3]", Dropped.UNREADABLE_JSON),
        ("custom_data.content_ids", "{a, b}", Dropped.UNREADABLE_JSON),
        ("custom_data.content_ids", '{"id": 1}', Dropped.UNREADABLE_JSON),
        ("user_data.external_id", '{"id": 1}', Dropped.UNREADABLE_JSON),
        ("user_data.fn", UNPADDED_MD5, Dropped.UNMATCHABLE_DIGEST),
        ("user_data.hashed_maids", UNPADDED_MD5, Dropped.NOT_A_MAID),
        ("user_data.hashed_maids", UNPADDED_MD5 + "==", Dropped.UNMATCHABLE_DIGEST),
        ("user_data.fn", "[removed]", Dropped.UNREADABLE_JSON),
        ("user_data.hashed_maids", "(no id)", Dropped.NOT_A_MAID),
        ("user_data.hashed_maids", "jane@example.com", Dropped.NOT_A_MAID),
        ("user_data.external_id", "d41d8cd98f00b204e9800998ecf8427e", Dropped.EMPTY_DIGEST),
        ("user_data.fn", hashlib.sha256(b"").hexdigest(), Dropped.EMPTY_DIGEST),
        ("user_data.fn", "1B2M2Y8AsgTpgAmY7PhCfg==", Dropped.EMPTY_DIGEST),
        ("user_data.ph", "1.41556E+10", Dropped.DIGITS_LOST),
        ("user_data.client_ip_address", "0.0.0.0", Dropped.NOT_AN_IP_ADDRESS),
        ("custom_data.value", "33.333333333333336", Dropped.AMOUNT_OUT_OF_RANGE),
    ],
)
def test_bad_value_is_left_out_and_the_event_goes_on(path: str, value: Any, reason: Dropped):
    """A value that cannot be used is counted by field and reason; the event is built without it."""
    assert build(path, value) == (None, {(path, str(reason)): 1})


@pytest.mark.parametrize("path", [field.path for field in FIELDS if not field.required])
@pytest.mark.parametrize("nothing", [None, "", "  ", []])
def test_nothing_is_left_out_silently(path: str, nothing: Any):
    """Null, empty text and the empty list are missing values: not sent, not noted."""
    if path == "user_data.em":
        return
    assert build(path, nothing) == (None, {})


@pytest.mark.parametrize(
    ("value", "hashed"),
    [
        (["a@example.com", "B@example.com"], ["a@example.com", "b@example.com"]),
        ('["a@example.com", "b@example.com"]', ["a@example.com", "b@example.com"]),
        (["a@example.com", None, "", "A@EXAMPLE.COM"], ["a@example.com"]),
    ],
)
def test_several_values_of_one_identifier(value: Any, hashed: list[str]):
    """Lists, also as JSON text, become several digests, each once, in order."""
    assert build("user_data.em", value)[0] == [digest(text) for text in hashed]


SHA256_OF_JANE = hashlib.sha256(b"jane").digest()


@pytest.mark.parametrize(
    ("path", "value", "sent"),
    [
        ("custom_data.value", Decimal("59.980000000000004"), "59.98"),
        ("custom_data.value", "0.30000000000000004", "0.3"),
        ("custom_data.predicted_ltv", 0.1 + 0.2, "0.3"),
        ("custom_data.value", Decimal("1000000.1200000001"), "1000000.12"),
        ("custom_data.value", Decimal("12345678.123456789"), "12345678.123456789"),
        ("custom_data.contents", [{"item_price": 19.990000000000002}], [{"item_price": "19.99"}]),
        ("custom_data.num_items", "2.9999999999999996", 3),
        ("user_data.click_id", ["c1"], "c1"),
        ("custom_data.value", ["9.5"], "9.5"),
        ("custom_data.value", '["9.5"]', "9.5"),
        ("custom_data.num_items", [None, 3], 3),
        ("opt_out", ["true"], True),
        ("language", '["de"]', "de"),
        ("device_info.network_type", ["WIFI"], "wifi"),
        ("custom_data.search_string", '["shoes"]', '["shoes"]'),
        ("user_data.client_ip_address", ["10.0.0.5", "203.0.113.9"], "203.0.113.9"),
        ("custom_data.content_ids", "['a', 'b']", ["a", "b"]),
        ("custom_data.content_ids", "('a', 'b')", ["a", "b"]),
        ("custom_data.content_ids", '{a,"b c",NULL}', ["a", "b c"]),
        ("custom_data.content_ids", ["{a,b}", "c"], ["a", "b", "c"]),
        ("custom_data.value", "{9.50}", "9.50"),
        ("custom_data.contents", "[{'id': 'a', 'quantity': 2}]", [{"id": "a", "quantity": 2}]),
        ("custom_data.content_name", "Sho\u00ades\x00 and\tmore\u200b", "Shoes and more"),
        ("custom_data.order_id", "\ufeffA-1\x7f", "A-1"),
        ("custom_data.content_name", "Jos\udc81", "Jos\ufffd"),
    ],
)
def test_value_that_is_nearly_right_is_read(path: str, value: Any, sent: Any):
    """Unambiguous values are accepted: floating-point noise, lists of one, odd characters."""
    assert build(path, value) == (sent, {})


@pytest.mark.parametrize(
    ("path", "value", "normal"),
    [
        ("user_data.em", "a@example.com; B@example.com", ["a@example.com", "b@example.com"]),
        ("user_data.em", "[a@example.com, b@example.com]", ["a@example.com", "b@example.com"]),
        ("user_data.em", "{a@example.com,b@example.com}", ["a@example.com", "b@example.com"]),
        ("user_data.ph", "{+12025550134,+12025550135}", ["12025550134", "12025550135"]),
        ("user_data.external_id", "{C-1,c2}", ["C-1", "c2"]),
        ("user_data.external_id", "('C-1', 'c2')", ["C-1", "c2"]),
        ("user_data.fn", "{Jane,Joan}", ["jane", "joan"]),
        ("user_data.zp", "{94110}", ["94110"]),
        ("user_data.em", ["a@example.com,b@example.com"], ["a@example.com", "b@example.com"]),
        ("user_data.ph", "+12025550134 / +12025550135", ["12025550134", "12025550135"]),
        ("user_data.ph", "['+12025550134', '+12025550135']", ["12025550134", "12025550135"]),
        ("user_data.fn", "Jane\x00", ["jane"]),
        ("user_data.fn", "Jos\udc81", ["jos\ufffd"]),
        ("user_data.external_id", "C\u200b-1\x00", ["C-1"]),
        ("user_data.ln", "Na", ["na"]),
        ("user_data.country", "NA", ["na"]),
        ("user_data.st", "na", ["na"]),
    ],
)
def test_identifier_that_is_nearly_right_is_read(path: str, value: Any, normal: list[str]):
    """Several identifiers in a string are separate, and invisible characters are removed."""
    assert build(path, value) == ([digest(text) for text in normal], {})


@pytest.mark.parametrize("path", ["user_data.em", "user_data.fn", "user_data.external_id"])
@pytest.mark.parametrize(
    "written", [b64encode(SHA256_OF_JANE).decode(), "\\x" + SHA256_OF_JANE.hex().upper()]
)
def test_digest_in_another_writing_is_not_hashed_again(path: str, written: str):
    """Base64, and the text of bytes, are recognized as the SHA-256 that they are."""
    assert build(path, written) == ([SHA256_OF_JANE.hex()], {})


@pytest.mark.parametrize(
    "path",
    [field.path for field in FIELDS if not field.required and field.kind is not FieldKind.ITEMS],
)
@pytest.mark.parametrize("word", ["null", " NULL ", "N/A", "undefined", "\\N", "(not set)", "NaN"])
def test_word_for_a_missing_value_is_left_out(path: str, word: str):
    """In every field such a string is a missing value: counted, and neither hashed nor sent."""
    if path == "user_data.em":
        assert Bench().result(user_data__em=word).reason is Invalid.NO_IDENTIFIER
        return
    for value in (word, [word]):
        bench = Bench(path)
        event = bench.event(**{path.replace(".", "__"): value})
        assert word.strip().lower() not in json.dumps(event).lower()
        assert dict(bench.notes) == {(path, "null_value"): 1}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("user_data.fn", "Nobody"),
        ("user_data.ph", "+10000000000"),
        ("user_data.zp", "00000"),
        ("user_data.client_ip_address", "192.0.2.1"),
        ("user_data.hashed_maids", "6d92078a-8246-4ba4-ae5b-76104861e7dc"),
        ("custom_data.value", "-1"),
        ("custom_data.content_ids", ["00000"]),
        ("device_info.network_type", "unknown"),
    ],
)
def test_words_of_ones_own_stand_for_missing_values(path: str, value: Any):
    """Any text can be such a word, even one that a field would accept."""
    words = tuple(map(str, value)) if isinstance(value, list) else (value,)
    assert build(path, value, null_values=words) == (None, {(path, "null_value"): 1})
    assert build(path, value, null_values=())[0] is not None


def test_required_field_may_hold_a_word_for_a_missing_value():
    """An id that is such a word is replaced by a derived one; such a name or time is unusable."""
    bench = Bench(key_properties=("key",))
    assert bench.event(event_id="undefined", key=7)["event_id"] not in ("undefined", "7")
    assert bench.notes == {("event_id", "null_value"): 1}
    for path in ("event_name", "event_time", "action_source"):
        result = bench.result(**{path: "null"})
        assert (result.reason, result.detail) == (Invalid.BAD_FIELD, "null_value")
    own = Bench(options=Options(zone=UTC, null_values=("1970-01-01T00:00:00Z",)))
    result = own.result(event_time="1970-01-01T00:00:00Z")
    assert result.reason is Invalid.MISSING_FIELD


@pytest.mark.parametrize(
    ("path", "value", "sent", "warned"),
    [
        ("user_data.click_id", ["c1", "c2"], "c1", "several_values"),
        ("custom_data.value", '["9.5", "10"]', "9.5", "several_values"),
        ("user_data.client_ip_address", "10.0.0.5", "10.0.0.5", "private_address"),
        ("user_data.client_ip_address", "10.0.0.5, fe80::1", "10.0.0.5", "private_address"),
    ],
)
def test_value_that_is_sent_with_a_warning(path: str, value: Any, sent: str, warned: str):
    """The first of several values, and an address of a private network, are sent and counted."""
    assert build(path, value) == (sent, {(path, warned): 1})


def test_digest_is_not_hashed_again():
    """A SHA-256 in any case is sent as it is, in lower case."""
    assert build("user_data.ph", digest("12025550134").upper())[0] == [digest("12025550134")]


@pytest.mark.parametrize(
    "path", [f.path for f in FIELDS if f.kind is FieldKind.HASHED], ids=lambda path: path[10:]
)
@pytest.mark.parametrize("form", ["{0},", "{0}, {1}", "{0};{1};", "{0} {1}", "{0}|{1}\n"])
def test_several_digests_in_a_string_are_not_hashed_again(path: str, form: str):
    """Each is sent as it is, also with separators around it."""
    one, other = digest("one"), digest("other")
    sent, notes = build(path, form.format(one, other.upper()))
    assert (sent, notes) == ([one, other] if "{1}" in form else [one], {})


@pytest.mark.parametrize("path", ["user_data.fn", "user_data.ln", "user_data.ct", "user_data.st"])
@pytest.mark.parametrize("value", [".", "--", "?", "\U0001f642", ["."]])
def test_value_of_which_nothing_is_left_is_counted(path: str, value: Any):
    """Punctuation that people enter for a required value is no value, and not silent."""
    assert build(path, value) == (None, {(path, "empty"): 1})


@pytest.mark.parametrize("value", [3405803785, True, 1.5, [3405803785], "3405803785", {"a": "b"}])
def test_address_that_is_none_is_dropped(value: Any):
    """Whatever its type is: a number or a boolean is no address either."""
    sent, notes = build("user_data.client_ip_address", value)
    assert (sent, sum(notes.values())) == (None, 1)


def test_external_id_may_look_like_any_digest():
    """An id of 32 hex digits can be a UUID without dashes, and is hashed."""
    plain = "0123456789abcdef0123456789abcdef"
    assert build("user_data.external_id", plain) == ([digest(plain)], {})


@pytest.mark.parametrize(
    ("record", "default_country", "phone", "postal_code"),
    [
        ({"user_data__country": "GB"}, None, "442079460123", "sw1a1aa"),
        ({"user_data__country": "United Kingdom"}, "us", "442079460123", "sw1a1aa"),
        ({}, "gb", "442079460123", "sw1a1aa"),
    ],
)
def test_country_of_the_record_reads_phones_and_postal_codes(
    record, default_country, phone, postal_code
):
    """Numbers and postal codes are read by the record's country, otherwise by default_country."""
    bench = Bench(
        "user_data.ph",
        "user_data.zp",
        "user_data.country",
        options=Options(default_country=default_country),
    )
    customer = bench.event(user_data__ph="020 7946 0123", user_data__zp="SW1A 1AA", **record)[
        "user_data"
    ]
    assert (customer["ph"], customer["zp"]) == ([digest(phone)], [digest(postal_code)])


def test_phone_without_a_country_is_sent_and_counted():
    """Short national numbers are sent as they are, and counted with a warning."""
    value, notes = build("user_data.ph", "555-0134")
    assert value == [digest("5550134")]
    assert notes == {("user_data.ph", "phone_without_country"): 1}


@pytest.mark.parametrize(
    ("customer", "identifies"),
    [
        ({}, False),
        ({"user_data__em": "shopper@example.com"}, True),
        ({"user_data__hashed_maids": "6d92078a-8246-4ba4-ae5b-76104861e7dc"}, True),
        ({"user_data__client_ip_address": "192.0.2.7"}, False),
        ({"user_data__client_user_agent": "Mozilla/5.0"}, False),
        (
            {
                "user_data__client_ip_address": "192.0.2.7",
                "user_data__client_user_agent": "Mozilla/5.0",
            },
            True,
        ),
        (
            {
                "user_data__ph": "+12025550134",
                "user_data__external_id": "7",
                "user_data__click_id": "x",
            },
            False,
        ),
        ({"user_data__em": "not an address"}, False),
    ],
)
def test_identity_rule(customer, identifies):
    """Pinterest needs em, hashed_maids, or address and user agent together.

    A phone alone is not enough.
    """
    bench = Bench(
        *[
            f"user_data.{leaf}"
            for leaf in (
                "hashed_maids",
                "client_ip_address",
                "client_user_agent",
                "ph",
                "external_id",
                "click_id",
            )
        ]
    )
    result = bench.result(**{"user_data__em": None, **customer})
    assert isinstance(result, Event) == identifies
    if not identifies:
        assert (result.reason, result.field) == (Invalid.NO_IDENTIFIER, "user_data")


@pytest.mark.parametrize("path", ["event_name", "action_source", "event_time"])
def test_required_field_without_a_value(path: str):
    """A record without a required field does not become an event, and the field is named."""
    for bench in (Bench(), Bench(without=[path])):
        result = bench.result(**{path: None})
        assert (result.reason, result.field) == (Invalid.MISSING_FIELD, path)


@pytest.mark.parametrize(
    ("path", "value", "detail"),
    [
        ("action_source", "shop", "unknown_choice"),
        ("event_time", "soon", "not_a_time"),
        ("event_name", {"a": 1}, "not_text"),
    ],
)
def test_required_field_with_a_bad_value(path: str, value: Any, detail: str):
    """A required field that cannot be used makes the record invalid; the detail says why."""
    result = Bench().result(**{path: value})
    assert (result.reason, result.field, result.detail) == (Invalid.BAD_FIELD, path, detail)


@pytest.mark.parametrize(
    ("age_seconds", "limit_days", "reason"),
    [
        (7 * 86400, 7, None),
        (7 * 86400 + 1, 7, Invalid.EVENT_TOO_OLD),
        (400 * 86400, None, None),
        (86401, 1, Invalid.EVENT_TOO_OLD),
        (-3600, 7, None),
        (-3601, 7, Invalid.EVENT_IN_FUTURE),
        (-3601, None, Invalid.EVENT_IN_FUTURE),
    ],
)
def test_age_of_events(age_seconds, limit_days, reason):
    """An event older than max_event_age_days, or over an hour ahead, is invalid."""
    result = Bench(options=Options(max_event_age_days=limit_days)).result(
        event_time=AT - age_seconds
    )
    assert getattr(result, "reason", None) is reason


def test_now_is_the_constant_and_never_a_records_text():
    """`event_time: now` is the time of building; the same word in a record is a wrong time."""
    assert Bench(constants={"event_time": NOW}).event()["event_time"] == AT
    assert Bench().result(event_time="now").reason is Invalid.BAD_FIELD


def test_offline_events_cannot_be_deduplicated():
    """Pinterest does not deduplicate offline events; the receipt says so."""
    assert Bench().result(action_source="offline").deduplicable is False


def test_event_names_translate_and_select():
    """A listed name is translated, another is skipped by its name, or replaced by the default.

    A missing name is a missing field.
    """
    names = {"Order Completed": "checkout"}
    assert Bench(event_names=names).event(event_name="Order Completed")["event_name"] == "checkout"
    for given, shown in (("lead", "lead"), ("Cart Viewed", None), ("jane@example.com", None)):
        assert Bench(event_names=names).result(event_name=given) == SkippedRecord(
            ORIGIN, Skipped.NOT_LISTED, shown
        )
    assert (
        Bench(event_names=names, fallback_name="custom").event(event_name="Cart Viewed")[
            "event_name"
        ]
        == "custom"
    )
    assert (
        Bench(event_names=names, fallback_name="custom").event(event_name=None)["event_name"]
        == "custom"
    )
    assert Bench(event_names=names).result(event_name=None).reason is Invalid.MISSING_FIELD


@pytest.mark.parametrize(
    "underived", ["custom_data.content_ids", "custom_data.num_items", "user_data.click_id"]
)
def test_null_stops_a_derivation(underived: str):
    """What the entry unmaps is not derived."""
    bench = Bench("custom_data.contents", "event_source_url", underived=frozenset({underived}))
    event = bench.event(
        custom_data__contents=[{"id": "a"}], event_source_url="https://example.com/?epik=x"
    )
    derived = {
        f"{parent}.{leaf}" for parent in ("user_data", "custom_data") for leaf in event[parent]
    }
    assert {"custom_data.content_ids", "custom_data.num_items", "user_data.click_id"} - derived == {
        underived
    }


def test_given_values_are_not_derived():
    """A value in the record takes precedence over a derived one."""
    bench = Bench(
        "custom_data.contents",
        "custom_data.num_items",
        "custom_data.content_ids",
        "user_data.click_id",
        "event_source_url",
    )
    event = bench.event(
        custom_data__contents=[{"id": "a"}],
        custom_data__num_items=9,
        custom_data__content_ids=["z"],
        user_data__click_id="own",
        event_source_url="https://example.com/?epik=x",
    )
    assert (
        event["custom_data"]["num_items"],
        event["custom_data"]["content_ids"],
        event["user_data"]["click_id"],
    ) == (
        9,
        ["z"],
        "own",
    )


@pytest.mark.parametrize(
    ("query", "click_id"),
    [
        ("?epik=dj0y", "dj0y"),
        ("?a=1&epik=dj0y&b=2", "dj0y"),
        ("?epik=&epik=&epik=dj0y", "dj0y"),
        ("?epik=first&epik=second", "first"),
        ("?xepik=no&epik=dj0y", "dj0y"),
        ("?xepik=no", None),
        ("?epik=", None),
        ("?epik=&epik=", None),
        ("?a=epik=no", None),
        ("?a=1#epik=no", None),
        ("?epik=dj0y#epik=no", "dj0y"),
        ("?epik=dj%200y&a=%20", "dj 0y"),
        ("?%65pik=no&epik=dj0y&%65pik=no", "no"),
        ("&epik=dj0y", "dj0y"),
        ("epik=no", None),
        ("?" + "a=1&" * 2000 + "epik=dj0y", "dj0y"),
    ],
)
def test_click_id_is_derived_from_the_url(query, click_id):
    """It is the first `epik` with a value in the query, also where no `?` begins it."""
    event = Bench("event_source_url", "user_data.em").event(
        event_source_url=f"https://example.com/{query}", user_data__em="jane@example.com"
    )
    assert event["user_data"].get("click_id") == click_id


def test_url_query_is_cut_after_click_id_is_derived():
    """`url_query: drop` removes query and fragment of the page, after click_id is read from it."""
    bench = Bench("event_source_url", options=Options(drop_url_query=True))
    event = bench.event(
        event_source_url="https://example.com/a?email=x%40example.com&epik=dj%3D1#top"
    )
    assert event["event_source_url"] == "https://example.com/a"
    assert event["user_data"]["click_id"] == "dj=1"


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        ({}, True),
        ({"user_data__st": "CA", "user_data__country": "US"}, False),
        ({"user_data__st": "CA"}, True),
    ],
)
def test_limited_data_processing_needs_state_and_country(given, warned):
    """LDP is sent, and counted without st or country, because then it has no effect."""
    bench = Bench("custom_data.opt_out_type", "user_data.st", "user_data.country")
    assert (
        bench.event(custom_data__opt_out_type="LDP", **given)["custom_data"]["opt_out_type"]
        == "LDP"
    )
    assert bool(bench.notes) == warned


def test_unknown_members_of_items_are_dropped():
    """The items of contents are closed objects.

    An unknown member would make Pinterest refuse the whole request. One without others is counted.
    """
    value, notes = build(
        "custom_data.contents", [{"id": "a", "sku": "x", "item_price": "1"}, {"sku": "y"}]
    )
    assert value == [{"id": "a", "item_price": "1"}]
    assert notes == {("custom_data.contents", "not_an_item"): 1}


@pytest.mark.parametrize(
    "value", ['[{"id": "a", "item_price": 19.90}]', {"id": "a", "item_price": Decimal("19.90")}]
)
def test_contents_as_text_or_single_object(value: Any):
    """JSON text of a list and a single object are items too, with exact amounts."""
    assert build("custom_data.contents", value)[0] == [{"id": "a", "item_price": "19.90"}]


@pytest.mark.parametrize(
    ("item", "noted"),
    [
        ({"foo": "a", "bar": 1}, True),
        ({"id": None, "name": "a"}, True),
        ({"id": None, "quantity": None}, False),
        ({"id": "", "foo": None}, False),
        ({}, False),
    ],
    ids=repr,
)
@pytest.mark.parametrize("as_text", [False, True])
def test_object_that_comes_to_no_item_is_counted(item: Any, as_text: bool, noted: bool):
    """An object with values, and none that an item has, is dropped and counted; an empty one not."""
    given: Any = [{"id": "a"}, item]
    made, notes = build("custom_data.contents", json.dumps(given) if as_text else given)
    assert made == [{"id": "a"}]
    assert notes == ({("custom_data.contents", "not_an_item"): 1} if noted else {})


def test_item_whose_only_value_is_dropped_counts_by_that():
    """A member that cannot be used is counted, and its object not once more."""
    bench = Bench("custom_data.contents")
    event = bench.event(custom_data__contents=[{"id": "a"}, {"item_name": "null"}])
    assert event["custom_data"]["contents"] == [{"id": "a"}]
    assert bench.notes == {("custom_data.contents.item_name", "null_value"): 1}


def test_reprs_show_no_personal_data():
    """Neither an event nor its account shows a value in its repr."""
    text = repr(Bench().result()) + repr(ACCOUNT)
    assert "shopper" not in text
    assert digest("shopper@example.com") not in text
    assert ACCOUNT.token not in text


def test_invalid_record_carries_hashed_keys():
    """The key of a record without event is the digest of each key property's text."""
    result = Bench(key_properties=("event_id",)).result(action_source=None)
    assert isinstance(result, InvalidRecord)
    assert result.key == {"event_id": digest("o-1")}

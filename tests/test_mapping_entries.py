"""Mapping entries: which streams they apply to, where values come from, and their accounts."""

import json
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from given import settings_of
from shopper import digest, visit
from target_pinterest_capi.events.build.shapes import RowColumn
from target_pinterest_capi.events.event import Event, InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped
from target_pinterest_capi.mapping.entries import Accounts, StreamSchema, compile_stream, matching

NOW = 1_780_000_000  # 2026-05-28T20:26:40Z; what is tested goes by the clock that it is given
ORDER = {
    "id": 7,
    "mail": "shopper@example.com",
    "at": NOW - 5,
    "total": "9.90",
    "paid": True,
    "site": "eu",
}
FIELDS = {
    "event_id": "id",
    "event_time": "at",
    "user_data.em": "mail",
    "custom_data.value": "total",
}
DEFAULTS = {"event_name": "checkout", "action_source": "web"}
IN_EUROS = {"defaults": {**DEFAULTS, "custom_data.currency": "EUR"}}


class Stand:
    """Compiles mappings for a stream and records its notes."""

    def __init__(
        self,
        *entries: dict[str, Any],
        stream: str = "orders",
        columns: Any = ORDER,
        **settings: Any,
    ) -> None:
        self.notes: Counter[tuple[str, str, str]] = Counter()
        self.settings = settings_of(
            mappings=[
                {"stream": "orders", "fields": FIELDS, "defaults": DEFAULTS, **entry}
                for entry in entries
            ],
            **settings,
        )
        self.entries = compile_stream(
            self.settings,
            StreamSchema(stream, frozenset(columns), ("id",)),
            Accounts(self.settings),
            lambda origin, field, reason: self.notes.update([(origin.mapping, field, str(reason))]),
            lambda: NOW,
            began_at=datetime.fromtimestamp(NOW, UTC),
        )

    def results(self, **record: Any) -> list[Any]:
        return [entry.map_record({**ORDER, **record}) for entry in self.entries]

    def events(self, **record: Any) -> list[dict[str, Any]]:
        return [
            json.loads(result.body)
            for result in self.results(**record)
            if isinstance(result, Event)
        ]


@pytest.mark.parametrize(
    ("streams", "stream", "names"),
    [
        (["orders"], "orders", ["mappings[0]"]),
        (["orders"], "Orders", []),
        (["orders*"], "orders_eu", ["mappings[0]"]),
        (["*", "orders", "carts"], "orders", ["mappings[0]", "mappings[1]"]),
        (["shop-orders"], "shop-orders", ["mappings[0]"]),
        (["a.b"], "a.b", ["mappings[0]"]),
        (["o[rx]ders"], "oxders", ["mappings[0]"]),
    ],
)
def test_streams_match_by_name_or_pattern(streams, stream, names):
    """An entry applies to streams that match its pattern; a record may match several entries."""
    settings = settings_of(
        mappings=[{"stream": name, "preset": None, "fields": FIELDS} for name in streams]
    )
    assert [name for name, _ in matching(settings, stream)] == names


def test_without_mappings_every_stream_has_the_preset():
    """Unset: preset `pinterest` for every stream; `[]`: no events.

    The stream of a customer list becomes no events.
    """
    members = {"stream": "vips", "list_name": "VIPs", "member": "email"}
    oauth = {"oauth": {"access_token": "token"}}
    assert [name for name, _ in matching(settings_of(), "anything")] == ["pinterest"]
    assert (
        list(matching(settings_of(mappings=[], customer_lists=[members], **oauth), "anything"))
        == []
    )
    assert list(matching(settings_of(customer_lists=[members], **oauth), "vips")) == []
    assert [
        name for name, _ in matching(settings_of(customer_lists=[members], **oauth), "orders")
    ] == ["pinterest"]


def test_entry_is_named_for_reports():
    """Its own name, otherwise its preset's, otherwise its position."""
    entries = [
        {"stream": "*", "name": "paid"},
        {"stream": "*", "preset": "pinterest"},
        {"stream": "*"},
    ]
    assert [name for name, _ in matching(settings_of(mappings=entries), "orders")] == [
        "paid",
        "pinterest",
        "mappings[2]",
    ]


def test_fields_and_defaults_make_the_event():
    """Expressions read the record; constants apply if they have no value."""
    (event,) = Stand({}).events()
    assert event == {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": ORDER["at"],
        "event_id": "7",
        "user_data": {"em": [digest("shopper@example.com")]},
        "custom_data": {"value": "9.90"},
    }


def test_fan_out_makes_an_event_for_each_entry():
    """Two entries of one stream make two events from one record; derived ids differ."""
    unmapped = {"fields": {**FIELDS, "event_id": "nothing"}}
    first, second = Stand(
        {**unmapped}, {**unmapped, "defaults": {**DEFAULTS, "event_name": "lead"}}
    ).events()
    assert (first["event_name"], second["event_name"]) == ("checkout", "lead")
    assert first["event_id"] != second["event_id"]


@pytest.mark.parametrize(
    ("stream", "name"),
    [("order_completed", "checkout"), ("product_added", "add_to_cart"), ("users", None)],
)
def test_streams_name_the_event(stream: str, name: str | None):
    """One entry serves the tables of a warehouse, each named after its events."""
    entry = {
        "stream": "*",
        "event_names": {"order_completed": "checkout", "product_added": "add_to_cart"},
        "fields": {**FIELDS, "event_name": "stream()"},
        "defaults": {"action_source": "web"},
        "when": "stream() != 'users'",
    }
    (result,) = Stand(entry, stream=stream).results()
    assert (result.name if isinstance(result, Event) else None) == name


@pytest.mark.parametrize(
    ("when", "taken"),
    [
        ("paid", True),
        ("!paid", False),
        ("site == 'eu'", True),
        ("nothing", False),
        ("total", True),
        ("''", False),
        ("`[]`", False),
        ("`0`", False),
        ("`1`", True),
    ],
)
def test_when_selects_records(when: str, taken: bool):
    """A record for which `when` does not hold is skipped."""
    (result,) = Stand({"when": when}).results()
    assert isinstance(result, Event) == taken
    if not taken:
        assert result == SkippedRecord(result.origin, Skipped.WHEN)


@pytest.mark.parametrize(
    ("fields", "defaults", "setting", "currency"),
    [
        (
            {"custom_data.currency": "cur"},
            {"custom_data.currency": "EUR"},
            {"custom_data.currency": "GBP"},
            "CHF",
        ),
        (
            {"custom_data.currency": "nothing"},
            {"custom_data.currency": "EUR"},
            {"custom_data.currency": "GBP"},
            "EUR",
        ),
        ({"custom_data.currency": ["nothing", "empty", "cur"]}, {}, {}, "CHF"),
        ({}, {}, {"custom_data.currency": "GBP"}, "GBP"),
        ({"custom_data.currency": "'USD'"}, {"custom_data.currency": "EUR"}, {}, "USD"),
        ({"custom_data.currency": None}, {}, {"custom_data.currency": "GBP"}, "GBP"),
        ({}, {}, {}, None),
    ],
)
def test_precedence_of_values(fields, defaults, setting, currency):
    """The entry's expressions, then its defaults, then the setting `defaults`.

    The first one with a value is used.
    """
    stand = Stand(
        {"fields": {**FIELDS, **fields}, "defaults": {**DEFAULTS, **defaults}}, defaults=setting
    )
    (event,) = stand.events(cur="chf", empty="")
    assert event["custom_data"].get("currency") == currency


def test_entry_wins_over_its_preset_field_by_field():
    """A preset's expressions come after the entry's, and null removes them."""
    record = visit(1, event_time=NOW, alt="alt@example.com", currency="EUR", value="5")
    entry = {
        "preset": "pinterest",
        "fields": {"user_data.em": "alt", "custom_data.value": None},
        "defaults": {},
    }
    (event,) = Stand(entry, columns=record).events(**record)
    assert event["user_data"]["em"] == [digest("alt@example.com")]
    assert event["custom_data"] == {"currency": "EUR"}
    (event,) = Stand(entry, columns=record).events(**{**record, "alt": None})
    assert event["user_data"]["em"] == [digest("shopper1@example.com")]


def test_list_of_expressions_collects_for_an_array():
    """An array field has the values of all its expressions, lists and scalars alike."""
    stand = Stand({"fields": {**FIELDS, "user_data.em": ["mail", "others", "nothing"]}})
    (event,) = stand.events(others=["b@example.com", "SHOPPER@example.com"])
    assert event["user_data"]["em"] == [digest("shopper@example.com"), digest("b@example.com")]


def test_expression_that_fails_gives_nothing_and_is_counted():
    """An expression that cannot be evaluated on a record drops its value, not the event."""
    stand = Stand({"fields": {**FIELDS, "custom_data.value": "sum(total)"}})
    (event,) = stand.events()
    assert "custom_data" not in event
    assert stand.notes == {("mappings[0]", "custom_data.value", "expression_error"): 1}


@pytest.mark.parametrize(
    ("source", "account"),
    [(None, "549755885175"), ("1234", "1234"), ("account", "42"), ("concat('9', account)", "942")],
)
def test_account_is_a_constant_or_an_expression(source, account):
    """Digits are the account; anything else is read from the record.

    Otherwise the setting's account is used.
    """
    (result,) = Stand({"ad_account_id": source}).results(account=42)
    assert result.account.ad_account_id == account


@pytest.mark.parametrize("given", [None, "", "abc", "1" * 19, -5, [1]])
def test_record_without_its_account_is_invalid(given):
    """If the expression does not result in digits, the record is a dead letter, with its key."""
    (result,) = Stand({"ad_account_id": "account"}).results(account=given)
    assert isinstance(result, InvalidRecord)
    assert (result.reason, result.field, result.key) == (
        Invalid.BAD_ACCOUNT,
        "ad_account_id",
        {"id": digest("7")},
    )


def test_entries_token_goes_with_its_account(tmp_path):
    """Events of an entry with its own token file are sent with that token.

    One account and token are one object, so that batches are shared.
    """
    token = tmp_path / "eu.token"
    token.write_text("eu-token\n")
    own, again, other = (
        result.account
        for result in Stand(
            {"conversion_token_file": str(token)}, {"conversion_token_file": str(token)}, {}
        ).results()
    )
    assert own is again
    assert (own.token, other.token) == ("eu-token", "sandbox-token")


def test_event_names_of_an_entry():
    """Names are translated; an unlisted one is skipped by name, unless defaults have a name."""
    names = {
        "event_names": {"Order Completed": "checkout"},
        "fields": {**FIELDS, "event_name": "event"},
        "defaults": {"action_source": "web"},
    }
    stand = Stand(names)
    assert stand.events(event="Order Completed")[0]["event_name"] == "checkout"
    assert stand.results(event="Other")[0].reason is Skipped.NOT_LISTED
    assert (
        Stand({**names, "defaults": DEFAULTS}).events(event="Other")[0]["event_name"] == "checkout"
    )


@pytest.mark.parametrize("defaults", [{"action_source": "web"}, DEFAULTS])
@pytest.mark.parametrize("preset", [None, "segment"])
def test_event_name_of_null_is_not_sent(preset: str | None, defaults: dict[str, str]):
    """A name mapped to null is skipped by its name, regardless of the preset and the defaults."""
    entry = {
        "event_names": {"Order Completed": None, "Quiz Finished": None, "a": "lead"},
        "fields": {**FIELDS, "event_name": "event"},
        "defaults": defaults,
    }
    stand = Stand(entry if preset is None else {**entry, "preset": preset})
    for name in ("Order Completed", "Quiz Finished"):
        (skipped,) = stand.results(event=name, type="track")
        assert (skipped.reason, skipped.name) == (Skipped.NOT_LISTED, name)


NAMED = {
    "event_names": {"Order Completed": "checkout", "Quiz": None, "LEAD": "lead", "lead": "signup"},
    "fields": {**FIELDS, "event_name": "event"},
    "defaults": {"action_source": "web"},
}


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("Order Completed", "checkout"),
        ("order completed", "checkout"),
        (" ORDER  Completed\n", "checkout"),
        ("LEAD", "lead"),
        ("lead", "signup"),
        ("Lead", "lead"),
    ],
)
def test_names_match_in_any_case(event: str, name: str):
    """Case and spaces are ignored in names; the exact name has priority over similar ones."""
    assert Stand(NAMED).events(event=event)[0]["event_name"] == name


@pytest.mark.parametrize("event", ["Quiz", "quiz", " QUIZ "])
def test_name_of_null_is_not_sent_in_any_case(event: str):
    """It is skipped under the listed name."""
    (skipped,) = Stand(NAMED).results(event=event)
    assert (skipped.reason, skipped.name) == (Skipped.NOT_LISTED, "Quiz")


@pytest.mark.parametrize("event", ["Order Completed", "order completed"])
def test_own_name_replaces_every_spelling_of_the_preset(event: str):
    """An entry's name equals its preset's name in any case: only one of the two applies."""
    entry = {"preset": "segment", **NAMED, "event_names": {"order completed": "lead"}}
    assert Stand(entry).events(event=event)[0]["event_name"] == "lead"


@pytest.mark.parametrize(
    ("event", "name"),
    [("Quiz Finished", "Quiz Finished"), ("order completed", "checkout"), ("Quiz", None)],
)
def test_unlisted_names_are_sent_on_demand(event: str, name: str | None):
    """`unlisted_names: send` sends unlisted names unchanged, but never one mapped to null."""
    (result,) = Stand({**NAMED, "unlisted_names": "send"}).results(event=event)
    assert (result.name if isinstance(result, Event) else None) == name


@pytest.mark.parametrize(
    ("when", "taken"),
    [
        ({}, False),
        ({"when": "test"}, False),
        ({"when": "always"}, True),
        ({"preset_when": "ignore"}, True),
        ({"preset_when": "ignore", "when": "test"}, True),
        ({"preset_when": "ignore", "when": "!test"}, False),
        ({"preset_when": "ignore", "when": "always"}, True),
        ({"preset_when": "join", "when": "test"}, False),
        ({"preset_when": "join", "when": "always"}, True),
    ],
)
def test_condition_of_the_preset(when: dict[str, str], taken: bool):
    """It is combined with the entry's own, unless that is `always`, or the preset's is ignored."""
    entry = {"preset": "shopify", "fields": {**FIELDS, "event_name": "'checkout'"}, **when}
    (result,) = Stand({**entry, "unlisted_names": "send"}).results(test=True)
    assert isinstance(result, Event) is taken


CONSTANTS = {
    "action_source": "offline",
    "event_time": "now",
    "custom_data.currency": "EUR",
    "custom_data.num_items": 1,
}


@pytest.mark.parametrize(
    ("value", "sent", "reasons"),
    [
        (None, ["us"], []),
        ("", ["us"], []),
        ([], ["us"], []),
        ("Nowhereland", ["us"], ["unknown_country"]),
        (["Nowhereland", "Elsewhere"], ["us"], ["unknown_country"]),
        ({"iso": "DE"}, ["us"], ["not_text"]),
        ("Germany", ["de"], []),
        (["Nowhereland", "Germany"], ["de"], ["unknown_country"]),
    ],
)
def test_constant_for_values_of_a_list_that_are_unusable(value: Any, sent: Any, reasons: Any):
    """A constant replaces a list without any usable value; its values are counted."""
    constants = {**DEFAULTS, "user_data.country": "US"}
    stand = Stand({"fields": {**FIELDS, "user_data.country": "given"}, "defaults": constants})
    (event,) = stand.events(given=value)
    assert event["user_data"]["country"] == [digest(country) for country in sent]
    noted = {reason for _, field, reason in stand.notes if field == "user_data.country"}
    assert sorted(noted) == reasons


# Of each kind of field, and of each form: what it cannot hold, and a constant that it can.
UNUSABLE = {
    "event_id": ({"a": 1}, "c-1", "c-1"),
    "event_source_url": ({"a": 1}, "https://example.com/", "https://example.com/"),
    "opt_out": ("perhaps", True, True),
    "language": ("klingon", "en", "en"),
    "user_data.em": ("nobody", "a@example.com", [digest("a@example.com")]),
    "user_data.ph": ("abc", "+14155550132", [digest("14155550132")]),
    "user_data.ge": ("blue", "f", [digest("f")]),
    "user_data.db": ("03/04/1990", "1990-04-03", [digest("19900403")]),
    "user_data.ct": ("!!!", "Paris", [digest("paris")]),
    "user_data.zp": ("!!", "SW1A 1AA", [digest("sw1a1aa")]),
    "user_data.fn": ({"a": 1}, "Ana", [digest("ana")]),
    "user_data.external_id": ({"a": 1}, "u-1", [digest("u-1")]),
    "user_data.hashed_maids": ("none of them", "a" * 64, ["a" * 64]),
    "user_data.client_ip_address": ("localhost", "192.0.2.9", "192.0.2.9"),
    "custom_data.value": ("free", "5.00", "5.00"),
    "custom_data.content_ids": ({"a": 1}, ["7"], ["7"]),
    "custom_data.contents": ("2 shirts", [{"id": "7"}], [{"id": "7"}]),
    "app_info.install_time": ("lately", "2026-05-28T20:26:40Z", NOW),
    "device_info.languages": ("klingon", ["en"], ["en"]),
    "device_info.network_type": ("smoke", "wifi", "wifi"),
}


@pytest.mark.parametrize("path", UNUSABLE)
def test_constant_for_what_any_kind_of_field_cannot_hold(path: str):
    """Whatever a field gets, its constant replaces an unusable value."""
    given, constant, sent = UNUSABLE[path]
    fields = {**FIELDS, "user_data.client_user_agent": "'curl/8'", path: "given"}
    stand = Stand({"fields": fields, "defaults": {**DEFAULTS, path: constant}})
    (event,) = stand.events(given=given)
    for member in path.split("."):
        event = event[member]
    assert event == sent


@pytest.mark.parametrize(
    ("path", "value", "sent", "reason"),
    [
        ("action_source", "web", "web", None),
        ("action_source", "website", "offline", "unknown_choice"),
        ("action_source", None, "offline", None),
        ("event_time", "yesterday", NOW, "not_a_time"),
        ("custom_data.currency", "EURO", "EUR", "unknown_currency"),
        ("custom_data.currency", "USD", "USD", None),
        ("custom_data.num_items", "many", 1, "not_an_integer"),
        ("custom_data.num_items", 3, 3, None),
    ],
)
def test_constant_for_a_value_that_is_unusable(path: str, value: Any, sent: Any, reason: Any):
    """A constant replaces an unusable value, which is counted."""
    defaults = {**DEFAULTS, **CONSTANTS}
    stand = Stand({"fields": {**FIELDS, path: "given"}, "defaults": defaults})
    (event,) = stand.events(given=value)
    for member in path.split("."):
        event = event[member]
    assert event == sent
    assert [noted for _, field, noted in stand.notes if field == path] == [reason] * bool(reason)


PERSON = {"em": "jane@example.com", "externalId": "c-7", "zp": 94103, "shoe_size": 38}
DETAILS = {"value": 19.9, "currency": "EUR", "contents": [{"id": 71, "quantity": "2"}]}
IN_OBJECTS = {
    "fields": {
        "event_id": "id",
        "event_time": "at",
        "user_data": "person",
        "custom_data": ["details", "more"],
    }
}


@pytest.mark.parametrize("encode", [dict, json.dumps])
def test_object_mapped_whole(encode: Any):
    """A column with an object of Pinterest's fields, in any spelling, is mapped as one object."""
    columns = {"person": encode(PERSON), "details": encode(DETAILS), "more": {"order_id": 7}}
    (event,) = Stand(IN_OBJECTS).events(**columns)
    assert event["user_data"] == {
        "em": [digest("jane@example.com")],
        "zp": [digest("94103")],
        "external_id": [digest("c-7")],
    }
    assert event["custom_data"] == {
        "currency": "EUR",
        "value": "19.9",
        "content_ids": ["71"],
        "contents": [{"id": "71", "quantity": 2}],
        "num_items": 2,
        "order_id": "7",
    }


@pytest.mark.parametrize(
    ("beside", "value"),
    [({"custom_data.value": "total"}, "9.90"), ({"custom_data.value": None}, None)],
)
def test_field_beside_a_whole_object_wins(beside: dict[str, Any], value: str | None):
    """A field with its own mapping has that value, and nothing from the object."""
    entry = {"fields": {**IN_OBJECTS["fields"], **beside}}
    (event,) = Stand(entry).events(person=PERSON, details=DETAILS)
    assert event["custom_data"].get("value") == value


def test_object_of_null_takes_a_preset_s_fields_away():
    """No field of the object is read, except those that are mapped separately."""
    fields = {**FIELDS, "user_data": None, "user_data.em": "mail", "event_name": "event"}
    entry = {"preset": "segment", "fields": fields}
    (event,) = Stand(entry).events(event="Order Completed", userId="u-1")
    assert event["user_data"].keys() == {"em"}


def test_skipped_name_is_shown_where_the_entry_has_it():
    """Names that are only in the entry's own expressions are not data; any other may be."""
    fields = {**FIELDS, "event_name": ["event", "kind == 'x' && 'of kind x' || 'other kind'"]}
    stand = Stand(
        {"event_names": {"a": "lead"}, "fields": fields, "defaults": {"action_source": "web"}}
    )
    assert stand.results(kind="x")[0].name == "of kind x"
    assert stand.results(kind="y")[0].name == "other kind"
    assert stand.results(event="Jane")[0].name is None


def test_event_time_now():
    """`now` in defaults is the time at which the event is built."""
    (event,) = Stand(
        {
            "fields": {"event_id": "id", "user_data.em": "mail"},
            "defaults": {**DEFAULTS, "event_time": "now"},
        }
    ).events()
    assert event["event_time"] == NOW


@pytest.mark.parametrize(
    ("column", "value", "deleted"),
    [
        ("_sdc_deleted_at", "2026-05-28T20:00:00Z", True),
        ("_SDC_DELETED_AT", "2026-05-28 20:00:00", True),
        ("_Sdc_Deleted_At", NOW, True),
        ("_sdc_deleted_at", None, False),
        ("_sdc_deleted_at", "", False),
        ("_sdc_deleted_at", "\\N", False),
        ("_SDC_DELETED_AT", " NULL ", False),
        ("_sdc_deleted_at", "n/a", False),
        ("_SDC_DELETED_AT", "  ", False),
        ("sdc_deleted_at", "2026-05-28T20:00:00Z", False),
    ],
)
@pytest.mark.parametrize(
    "entry", [{}, {"when": "paid"}, {"ad_account_id": "missing"}, {"deleted": "send"}], ids=str
)
def test_deleted_rows_are_skipped(column, value, deleted, entry):
    """A record that marks its row as deleted is not an event, unless its entry accepts those."""
    stand = Stand(entry, columns=[*ORDER, column])
    (result,) = stand.results(**{column: value})
    if deleted and entry.get("deleted") != "send":
        assert isinstance(result, SkippedRecord)
        assert result.reason is Skipped.DELETED
    else:
        assert isinstance(result, InvalidRecord if "ad_account_id" in entry else Event)


def test_deleted_rows_are_skipped_as_rows_too():
    """A record that is read as a row is skipped like any other."""
    (entry,) = Stand({}, columns=[*ORDER, "_SDC_DELETED_AT"]).entries
    assert "_SDC_DELETED_AT" in entry.rows.reads
    columns = sorted(entry.rows.reads)
    build = entry.rows.compile({column: RowColumn(column) for column in columns}, lambda _: ORDER)
    row = dict.fromkeys(columns) | {name: ORDER[name] for name in ("id", "mail", "at", "total")}
    assert isinstance(build(SimpleNamespace(**row), b""), Event)
    deleted = build(SimpleNamespace(**row | {"_SDC_DELETED_AT": "2026-05-28"}), b"")
    assert deleted.reason is Skipped.DELETED


@pytest.mark.parametrize(
    ("path", "first", "second", "made", "noted"),
    [
        ("event_time", "soon", NOW - 5, NOW - 5, "not_a_time"),
        ("event_time", "n/a", NOW - 5, NOW - 5, "null_value"),
        ("event_time", "03/04/2026", str(NOW - 5), NOW - 5, "ambiguous_date"),
        ("event_time", "", NOW - 5, NOW - 5, None),
        ("event_time", NOW - 9, NOW - 5, NOW - 9, None),
        ("custom_data.value", "free", "9.90", "9.90", "not_an_amount"),
        ("custom_data.value", "9.90", "8.80", "9.90", None),
        ("custom_data.currency", "EURO", "eur", "EUR", "unknown_currency"),
        ("custom_data.num_items", "2.5", 3, 3, "not_an_integer"),
        ("custom_data.num_items", -1, 3, 3, "out_of_range"),
        ("custom_data.order_id", {"a": 1}, "a-1", "a-1", "not_text"),
        ("opt_out", "maybe", "no", False, "not_a_boolean"),
        ("language", "123", "de-DE", "de", "unknown_language"),
        ("user_data.client_ip_address", "unknown", "192.0.2.7", "192.0.2.7", "not_an_ip_address"),
        ("app_info.install_time", "soon", NOW - 5, NOW - 5, "not_a_time"),
        ("device_info.os_family", "palm", "iOS", "ios", "unknown_choice"),
        ("device_info.locale", "x" * 36, "de-DE", "de-DE", "too_long"),
        ("custom_data.contents", "sku-1", [{"id": "2"}], [{"id": "2"}], "unreadable_json"),
        ("custom_data.contents", 7, '[{"id": "2"}]', [{"id": "2"}], "not_an_item"),
    ],
)
def test_the_first_usable_value(path, first, second, made, noted):
    """A list of expressions keeps its usable values; an unusable one is counted once."""
    stand = Stand({**IN_EUROS, "fields": {**FIELDS, path: ["a", "b"]}}, columns=[*ORDER, "a", "b"])
    (event,) = stand.events(a=first, b=second)
    for name in path.split("."):
        event = event[name]
    assert event == made
    assert stand.notes == ({("mappings[0]", path, noted): 1} if noted else {})


def test_without_a_usable_value_the_first_is_what_is_wrong():
    """If none is usable, the first non-empty one is dropped, or fails a required field."""
    columns = [*ORDER, "a", "b"]
    fields = {**FIELDS, "custom_data.value": ["a", "b"]}
    stand = Stand({**IN_EUROS, "fields": fields}, columns=columns)
    (event,) = stand.events(a="free", b={"x": 1})
    assert event["custom_data"] == {"currency": "EUR"}
    assert stand.notes == {("mappings[0]", "custom_data.value", "not_an_amount"): 1}
    (result,) = Stand({"fields": {**FIELDS, "event_time": ["a", "b"]}}, columns=columns).results(
        a="03/04/2026", b="n/a"
    )
    assert (result.reason, result.detail) == (Invalid.BAD_FIELD, "ambiguous_date")


def test_a_doubtful_time_of_several_is_counted_once():
    """A warning about the value that is used comes only from the event."""
    stand = Stand(
        {**IN_EUROS, "fields": {**FIELDS, "event_time": ["a", "b"]}},
        columns=[*ORDER, "a", "b"],
        timezone="Europe/Berlin",
        max_event_age_days="never",
    )
    assert len(stand.events(a="2025-10-26T02:30:00", b=NOW)) == 1
    assert stand.notes == {("mappings[0]", "event_time", "repeated_local_hour"): 1}

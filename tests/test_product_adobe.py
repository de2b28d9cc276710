"""Adobe's event forwarding extension "Pinterest Conversions API", feature by feature.

A rule of event forwarding is a mapping entry here: its condition is `when`, its data elements are
expressions over the event, which has `xdm` and `data`. User data and custom data are given as raw
JSON or in pairs of keys and values.
"""

import json

import pytest

from given import record, schema, state
from preset_events import NOW, events_of, sha256
from shopper import seconds_ago
from target_pinterest_capi.events.reasons import Skipped

EVENT = {
    "xdm": {
        "_id": "f9e1a3c2-0000-0000-0000-000000000001",
        "timestamp": "2026-11-17T09:08:31.000Z",
        "eventType": "commerce.purchases",
        "web": {"webPageDetails": {"URL": "https://shop.example.com/thanks"}},
        "commerce": {"order": {"purchaseID": "1001", "priceTotal": 39.8, "currencyCode": "USD"}},
    },
    "data": {
        "user": {
            "em": "Maria.Rivera@example.com",
            "ph": ["+1 415 555 0132"],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0",
        },
        "custom": {
            "currency": "USD",
            "value": 39.8,
            "content_ids": ["71", "72"],
            "contents": [{"item_price": 19.9, "quantity": 2}],
            "num_items": 2,
            "order_id": "1001",
            "search_string": "vases",
            "opt_out_type": "LDP",
        },
    },
}
RULE = {
    "when": "xdm.eventType == 'commerce.purchases'",
    "fields": {
        "event_id": "xdm._id",
        "event_time": "xdm.timestamp",
        "event_source_url": "xdm.web.webPageDetails.URL",
        "user_data": "data.user",
        "custom_data": "data.custom",
    },
    "defaults": {"event_name": "checkout", "action_source": "web", "opt_out": False},
}


def rule(**changes):
    """Return the rule with other fields or defaults."""
    fields = {**RULE["fields"], **changes.pop("fields", {})}
    return {**RULE, **changes, "fields": fields}


@pytest.mark.parametrize("encode", [dict, json.dumps], ids=["objects", "raw JSON"])
def test_send_event(encode):
    """The whole event of a rule, user and custom data given as objects or as raw JSON."""
    record = {**EVENT, "data": {name: encode(value) for name, value in EVENT["data"].items()}}
    assert events_of(None, [record], **RULE) == [
        {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": 1794906511,
            "event_id": "f9e1a3c2-0000-0000-0000-000000000001",
            "event_source_url": "https://shop.example.com/thanks",
            "opt_out": False,
            "user_data": {
                "em": [sha256("maria.rivera@example.com")],
                "ph": [sha256("14155550132")],
                "client_ip_address": "203.0.113.7",
                "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0",
            },
            "custom_data": {
                "currency": "USD",
                "value": "39.8",
                "content_ids": ["71", "72"],
                "contents": [{"item_price": "19.9", "quantity": 2}],
                "num_items": 2,
                "order_id": "1001",
                "search_string": "vases",
                "opt_out_type": "LDP",
            },
        }
    ]


def test_conditions():
    """An event for which the rule's condition is false is not sent."""
    other = {**EVENT, "xdm": {**EVENT["xdm"], "eventType": "web.webpagedetails.pageViews"}}
    assert events_of(None, [other], **RULE)[0].reason is Skipped.WHEN


@pytest.mark.parametrize(
    "name",
    [
        "add_to_cart",
        "checkout",
        "custom",
        "lead",
        "page_visit",
        "search",
        "signup",
        "view_category",
        "watch_video",
        "my_own_event",
    ],
)
def test_event_names(name):
    """Each name of the extension's list can be used, and a custom one."""
    (event,) = events_of(None, [EVENT], **rule(defaults={**RULE["defaults"], "event_name": name}))
    assert event["event_name"] == name


@pytest.mark.parametrize("source", ["app_android", "app_ios", "web", "offline"])
def test_action_sources(source):
    """Each source of the extension's list can be used, or read from the event."""
    defaults = {**RULE["defaults"], "action_source": source}
    assert events_of(None, [EVENT], **rule(defaults=defaults))[0]["action_source"] == source
    record = {**EVENT, "data": {**EVENT["data"], "source": source}}
    (event,) = events_of(None, [record], **rule(fields={"action_source": "data.source"}))
    assert event["action_source"] == source


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (1794906511, 1794906511),
        (1794906511.905, 1794906511),
        ("1794906511.905", 1794906511),
        ("2026-11-17T09:08:31+00:00", 1794906511),
        ("2026-11-17T10:08:31+01:00", 1794906511),
    ],
)
def test_event_time(given, seconds):
    """Seconds, with or without a fraction of milliseconds, and ISO 8601 are event times."""
    record = {**EVENT, "xdm": {**EVENT["xdm"], "timestamp": given}}
    assert events_of(None, [record], **RULE)[0]["event_time"] == seconds


def test_event_time_by_default():
    """The time of sending is used if there is none."""
    record = {**EVENT, "xdm": {**EVENT["xdm"], "timestamp": None}}
    (event,) = events_of(None, [record], **rule(defaults={**RULE["defaults"], "event_time": "now"}))
    assert event["event_time"] == NOW


@pytest.mark.parametrize("encode", [dict, json.dumps], ids=["object", "raw JSON"])
@pytest.mark.parametrize(
    ("key", "value", "hashed"),
    [
        ("ph", "+1 415 555 0132", "14155550132"),
        ("ge", "Female", "f"),
        ("db", "1990-03-14", "19900314"),
        ("ln", "Rivera", "rivera"),
        ("fn", "Maria", "maria"),
        ("ct", "San Francisco", "sanfrancisco"),
        ("st", "CA", "ca"),
        ("zp", "94103", "94103"),
        ("country", "US", "us"),
        ("external_id", "v-1", "v-1"),
        ("hashed_maids", "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB", None),
        ("click_id", "dj0yJnU9", None),
    ],
)
def test_customer_information(encode, key, value, hashed):
    """Each personal property is read from the object; those that identify a person are hashed."""
    user = encode({"em": "maria@example.com", key: value})
    (event,) = events_of(None, [{**EVENT, "data": {**EVENT["data"], "user": user}}], **RULE)
    expected = {"hashed_maids": [sha256(value.lower())], "click_id": value}
    assert event["user_data"][key] == expected.get(key, [sha256(hashed or "")])


PROPERTIES = {
    "event_source_url": "https://shop.example.com/a",
    "app_id": "429047995",
    "app_name": "Shop",
    "app_version": "5.4",
    "device_brand": "Acme",
    "device_carrier": "Example Mobile",
    "device_model": "A1",
    "device_type": "mobile",
    "os_version": "26.1",
    "language": "en",
}


@pytest.mark.parametrize("encode", [dict, json.dumps], ids=["object", "raw JSON"])
def test_event_properties(encode):
    """Properties of the event come as one object, too: a line for each that is wanted."""
    record = {**EVENT, "data": {**EVENT["data"], "properties": encode(PROPERTIES)}}
    fields = {name: f"data.properties.{name}" for name in PROPERTIES}
    (event,) = events_of(None, [record], **rule(fields=fields))
    assert {name: event[name] for name in PROPERTIES} == PROPERTIES


def test_value_without_a_currency():
    """The advertiser's own id is optional at Pinterest: the event is sent as it is."""
    custom = {"value": 39.8}
    (event,) = events_of(None, [{**EVENT, "data": {**EVENT["data"], "custom": custom}}], **RULE)
    assert event["custom_data"] == {"value": "39.8"}


def test_keys_and_values():
    """User and custom data can be given key by key, and next to the raw object."""
    fields = {
        "user_data.external_id": "'v-1'",
        "custom_data.value": "xdm.commerce.order.priceTotal",
    }
    (event,) = events_of(None, [EVENT], **rule(fields=fields))
    assert event["user_data"]["external_id"] == [sha256("v-1")]
    assert event["custom_data"]["value"] == "39.8"


@pytest.mark.parametrize(
    ("option", "given", "sent"),
    [
        ("opt_out", "true", True),
        ("partner_name", "ss-adobe", "ss-adobe"),
        ("app_id", 429047995, "429047995"),
        ("app_name", "Shop", "Shop"),
        ("app_version", 5.4, "5.4"),
        ("device_brand", "Apple", "Apple"),
        ("device_carrier", "Example Mobile", "Example Mobile"),
        ("device_model", "iPhone17,2", "iPhone17,2"),
        ("device_type", "mobile", "mobile"),
        ("os_version", "26.1", "26.1"),
        ("language", "en-US", "en"),
        ("advertiser_tracking_enabled", 0, False),
        ("wifi", 1, True),
    ],
)
def test_options_of_the_event(option, given, sent):
    """Each option of the event can be a data element."""
    record = {**EVENT, "data": {**EVENT["data"], "option": given}}
    (event,) = events_of(None, [record], **rule(fields={option: "data.option"}))
    assert event[option] == sent


def test_hashed_before():
    """Hashed values are sent unchanged."""
    record = {**EVENT, "data": {"user": {"em": sha256("maria.rivera@example.com").upper()}}}
    (event,) = events_of(None, [record], **RULE)
    assert event["user_data"] == {"em": [sha256("maria.rivera@example.com")]}


def test_test_event(run_target, sandbox):
    """A rule's "test event" is sent as a test: Pinterest checks it, and records only the others."""
    columns = schema("events", "xdm", "data")
    lines = [columns, record("events", **now(EVENT)), state({"n": 1})]
    trial = {**RULE, "stream": "events", "name": "trial", "mode": "test"}
    rules = [trial, {**RULE, "stream": "events", "name": "rule"}]
    ran = run_target(lines, mappings=rules)
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 1, "skipped": 1}, ['{"n": 1}'])
    assert sorted(row.test for row in sandbox.store.requests()) == [False, True]
    assert len(sandbox.store.events()) == 1


def now(event):
    """Return the event as one of a minute ago, which a real run does not refuse as too old."""
    xdm = {**event["xdm"], "timestamp": seconds_ago(60)}
    return {**event, "xdm": xdm}

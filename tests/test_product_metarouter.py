"""MetaRouter's integration "Pinterest CAPI": its seven events, and what it requires of each.

Its tables of parameters are preset `metarouter`; its global parameters are defaults of the preset.
"""

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid

VASE = {"product_id": "71", "name": "Vase", "price": 18.99, "quantity": 2}
ITEM = {"id": "71", "item_name": "Vase", "item_price": "18.99", "quantity": 2}
CALL = {
    "type": "track",
    "messageId": "ajs-1",
    "timestamp": "2026-11-17T09:08:31.000Z",
    "anonymousId": "a-1",
    "context": {
        "ip": "203.0.113.7",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0",
        "page": {"url": "https://shop.example.com/vases"},
        "providers": {"pinterestCAPI": {"epik": "dj0y"}},
        "traits": {"address": {"state": "CA", "country": "US"}},
    },
}
EVENTS = [
    ({"type": "page"}, {}, "page_visit", {}),
    ({"event": "products_searched"}, {"query": "vase"}, "search", {"search_string": "vase"}),
    ({"event": "product_list_viewed"}, {"category": "Home"}, "view_category", {}),
    ({"event": "product_viewed"}, VASE, "page_visit", {"value": "37.98"}),
    ({"event": "product_added"}, VASE, "add_to_cart", {"value": "37.98"}),
    ({"event": "cart_viewed"}, {"products": [VASE]}, "page_visit", {"value": "37.98"}),
    (
        {"event": "order_completed"},
        {"order_id": "1001", "total": 40, "products": [VASE]},
        "checkout",
        {"value": "40", "order_id": "1001"},
    ),
]


def sent(properties, **members):
    """Return the event of a call, with preset metarouter."""
    (event,) = events_of(
        "metarouter", [{**CALL, "properties": {"currency": "USD", **properties}, **members}]
    )
    return event


@pytest.mark.parametrize(("members", "properties", "name", "custom"), EVENTS)
def test_events(members, properties, name, custom):
    """Each of the seven events has every parameter that is marked as required."""
    event = sent(properties, **members)
    assert event["event_name"] == name
    assert event["action_source"] == "web"
    assert event["event_time"] == 1794906511
    assert event["event_id"] == "ajs-1"
    assert event["event_source_url"] == "https://shop.example.com/vases"
    assert event["user_data"]["client_ip_address"] == "203.0.113.7"
    assert event["user_data"]["client_user_agent"] == CALL["context"]["userAgent"]
    assert event["custom_data"]["currency"] == "USD"
    assert custom.items() <= event["custom_data"].items()


@pytest.mark.parametrize("event", ["product_viewed", "product_added"])
def test_parameters_of_a_product(event):
    """A product's event has the contents, their ids and their number."""
    custom = sent(VASE, event=event)["custom_data"]
    assert custom["contents"] == [ITEM]
    assert (custom["content_ids"], custom["num_items"]) == (["71"], 2)


def test_click_id():
    """The click id that the integration's script keeps is sent."""
    assert sent(VASE, event="product_added")["user_data"]["click_id"] == "dj0y"


def test_global_parameters():
    """partner_name and opt_out_type can be set for every event, as in the integration."""
    event = sent(VASE, event="product_added")
    assert event["partner_name"] == "ss-metarouter"
    assert event["custom_data"]["opt_out_type"] == "LDP"


NOT_OPTED_OUT = "!is_true(context.consent.optOut.C0004)"


@pytest.mark.parametrize(
    ("consent", "is_sent"),
    [
        ({"explicit": "true", "optOut": {"C0004": "false"}}, True),
        ({"optOut": {"C0004": False, "C0002": True}}, True),
        ({"optOut": {}}, True),
        (None, True),
        ({"explicit": "true", "optOut": {"C0004": "true"}}, False),
        ({"optOut": {"C0004": True}}, False),
    ],
)
def test_consent_categories(consent, is_sent):
    """Events of people who opted out of the category of ads are dropped, as in its platform."""
    context = {**CALL["context"], "consent": consent}
    record = {**CALL, "event": "product_added", "context": context}
    (result,) = events_of("metarouter", [record], when=NOT_OPTED_OUT)
    assert isinstance(result, SkippedRecord) is not is_sent


@pytest.mark.parametrize(
    ("signal", "sent_with"), [(True, "LDP"), (False, None), ("true", "LDP"), (None, None)]
)
def test_global_privacy_control(signal, sent_with):
    """Two entries send LDP only for people whose browser has Global Privacy Control."""
    context = {**CALL["context"], "globalPrivacyControl": signal}
    record = {**CALL, "event": "product_added", "context": context, "properties": VASE}
    limited = events_of("metarouter", [record], when="context.globalPrivacyControl")
    full = events_of(
        "metarouter",
        [record],
        when="!is_true(context.globalPrivacyControl)",
        fields={"custom_data.opt_out_type": None},
    )
    (event,) = [result for result in limited + full if not isinstance(result, SkippedRecord)]
    assert event["custom_data"].get("opt_out_type") == sent_with


def test_hashed_identifiers():
    """Traits that identify a person are hashed; the anonymous id is an external id."""
    traits = {"email": "Maria.Rivera@example.com", "phone": "+1 415 555 0132"}
    user = sent(VASE, event="product_added", userId="u-1", traits=traits)["user_data"]
    assert user["em"] == [sha256("maria.rivera@example.com")]
    assert user["ph"] == [sha256("14155550132")]
    assert user["external_id"] == [sha256("u-1"), sha256("a-1")]


ADVERTISING_ID = "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"
IDENTIFIERS = [
    ("em", {"traits": {"email": "m@example.com"}}, True),
    ("hashed_maids", {"device": {"type": "ios", "advertisingId": ADVERTISING_ID}}, True),
    ("client_ip_address and client_user_agent", {"ip": "203.0.113.7", "userAgent": "x"}, True),
    ("client_ip_address", {"ip": "203.0.113.7"}, False),
    ("client_user_agent", {"userAgent": "x"}, False),
    ("epik", {"providers": {"pinterestCAPI": {"epik": "dj0y"}}}, False),
    ("none", {}, False),
]


@pytest.mark.parametrize(
    ("context", "is_sent"), [row[1:] for row in IDENTIFIERS], ids=[row[0] for row in IDENTIFIERS]
)
def test_identifiers(context, is_sent):
    """One identifier is enough; IP address and user agent only together; epik alone is not one."""
    result = sent(VASE, event="product_added", context=context)
    if is_sent:
        assert result["event_name"] == "add_to_cart"
    else:
        assert isinstance(result, InvalidRecord)
        assert result.reason is Invalid.NO_IDENTIFIER

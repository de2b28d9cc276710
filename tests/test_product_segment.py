"""Segment's destination "Pinterest Conversions API", trigger by trigger and default by default.

Its subscriptions are the names of preset `segment`; the preset reads the same fields as its
defaults.
"""

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import SkippedRecord

CALL = {
    "type": "track",
    "event": "Checkout",
    "messageId": "m-1",
    "timestamp": "2026-11-17T09:08:31.000Z",
    "context": {
        "ip": "203.0.113.7",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0",
        "page": {"url": "https://shop.example.com/cart"},
    },
    "properties": {},
}
SENT = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794906511,
    "event_id": "m-1",
    "event_source_url": "https://shop.example.com/cart",
    "user_data": {
        "client_ip_address": "203.0.113.7",
        "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0",
    },
}
PHONE = {
    **CALL["context"],
    "app": {"name": "Shop", "namespace": "com.example.shop", "version": "5.4"},
    "device": {"manufacturer": "Apple", "model": "iPhone17,2", "type": "ios"},
    "network": {"carrier": "Example Mobile", "wifi": True},
    "os": {"name": "iOS", "version": "26.1"},
    "locale": "en-US",
    "timezone": "Europe/Berlin",
}


def sent(**changes):
    """Return the event of a call with other members."""
    (event,) = events_of("segment", [{**CALL, **changes}])
    return event


def test_defaults():
    """Time, id, address and identifiers are from the same places as the destination's defaults."""
    assert sent() == SENT


@pytest.mark.parametrize(
    ("trigger", "name"),
    [
        ({"event": "Product Added"}, "add_to_cart"),
        ({"event": "Checkout"}, "checkout"),
        ({"event": "Generate Lead"}, "lead"),
        ({"type": "page", "event": None}, "page_visit"),
        ({"event": "Products Searched"}, "search"),
        ({"event": "Signed Up"}, "signup"),
        ({"event": "Product Category Viewed"}, "view_category"),
        ({"event": "Product Video Watched"}, "watch_video"),
    ],
)
def test_subscriptions(trigger, name):
    """Each of the destination's subscriptions sends its event."""
    assert sent(**trigger)["event_name"] == name


@pytest.mark.parametrize(
    ("members", "emails"),
    [
        ({"properties": {"email": "a@example.com"}}, ["a@example.com"]),
        ({"traits": {"email": "b@example.com"}}, ["b@example.com"]),
        ({"context": {"traits": {"email": "c@example.com"}}}, ["c@example.com"]),
        (
            {"properties": {"email": "a@example.com"}, "traits": {"email": "b@example.com"}},
            ["b@example.com", "a@example.com"],
        ),
    ],
)
def test_email(members, emails):
    """The e-mail address is from the properties or the traits; two different ones are both sent."""
    assert sent(**members)["user_data"]["em"] == [sha256(email) for email in emails]


@pytest.mark.parametrize("event", ["Order Refunded", "Quiz Finished"])
def test_other_events(event):
    """An event without a subscription is not sent, until the user adds one."""
    (skipped,) = events_of("segment", [{**CALL, "event": event}])
    assert isinstance(skipped, SkippedRecord)
    (added,) = events_of("segment", [{**CALL, "event": event}], event_names={event: "custom"})
    assert added["event_name"] == "custom"


def test_app():
    """App, device and network fill app_info and device_info, the user agent among them."""
    event = sent(event="Application Opened", context=PHONE)
    assert (event["event_name"], event["action_source"]) == ("app_open", "app_ios")
    assert event["app_info"] == {
        "app_name": "Shop",
        "app_package_name": "com.example.shop",
        "app_version": "5.4",
        "user_agent": CALL["context"]["userAgent"],
    }
    assert event["device_info"] == {
        "brand": "Apple",
        "carrier": "Example Mobile",
        "locale": "en-US",
        "model": "iPhone17,2",
        "os_name": "iOS",
        "os_version": "26.1",
        "timezone": "Europe/Berlin",
        "type": "ios",
    }
    assert (event["wifi"], event["language"]) == (True, "en")


@pytest.mark.parametrize(
    ("enabled", "expected"), [(True, (True, None)), (False, (False, True)), (None, (None, None))]
)
def test_tracking_of_a_device(enabled, expected):
    """The device's setting is sent; off is an opt-out, and an absent one is not guessed."""
    device = {**PHONE["device"], "adTrackingEnabled": enabled}
    event = sent(event="Application Opened", context={**PHONE, "device": device})
    assert (event.get("advertiser_tracking_enabled"), event.get("opt_out")) == expected


def test_products():
    """Products are contents, ids and a number; the value is their sum if there is no amount."""
    products = [
        {"product_id": "71", "name": "Vase", "price": 19.9, "quantity": 2, "brand": "Rivera"},
        {"sku": "72", "price": "0.2"},
    ]
    assert sent(properties={"products": products, "currency": "usd"})["custom_data"] == {
        "currency": "USD",
        "value": "40.0",
        "content_ids": ["71", "72"],
        "contents": [
            {
                "id": "71",
                "item_name": "Vase",
                "item_price": "19.9",
                "quantity": 2,
                "item_brand": "Rivera",
            },
            {"id": "72", "item_price": "0.2"},
        ],
        "num_items": 3,
    }


def test_names_in_any_case():
    """A trigger in another case is the same trigger."""
    (event,) = events_of("segment", [{**CALL, "event": "product added"}])
    assert event["event_name"] == "add_to_cart"

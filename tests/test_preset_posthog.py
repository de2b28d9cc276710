"""Preset `posthog`: rows of PostHog's batch exports, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
VASE = {
    "product_id": "P-71",
    "sku": "S-71",
    "name": "Blue Vase",
    "price": 19.9,
    "quantity": 2,
    "category": "Home",
    "brand": "Rivera",
}
VASE_ITEM = {
    "id": "S-71",
    "item_name": "Blue Vase",
    "item_price": "19.9",
    "quantity": 2,
    "item_category": "Home",
    "item_brand": "Rivera",
}
ITEMS = {"content_ids": ["S-71"], "contents": [VASE_ITEM], "num_items": 2}
ONE = {
    **ITEMS,
    "currency": "EUR",
    "value": "39.8",
    "content_name": "Blue Vase",
    "content_category": "Home",
    "content_brand": "Rivera",
}


def row(event, properties=None, **columns):
    """Return a row of the events model; the objects are JSON text, as Parquet has them."""
    return {
        "uuid": "01938a5e-0000-7000-8000-000000000001",
        "event": event,
        "distinct_id": "d-1",
        "person_id": "0193-person",
        "properties": json.dumps(
            {
                "$ip": "203.0.113.7",
                "$raw_user_agent": BROWSER,
                "$current_url": "https://shop.example.com/vases",
                "$lib": "web",
                "$browser_language": "de-DE",
                "$timezone": "Europe/Berlin",
                "$geoip_country_code": "DE",
                "$geoip_subdivision_1_code": "BE",
                "$geoip_city_name": "Berlin",
                "epik": None,
                **(properties or {}),
            }
        ),
        "person_properties": json.dumps(
            {"email": "Maria.Rivera@example.com", "$initial_epik": "dj0yFirst"}
        ),
        "team_id": 1,
        "timestamp": "2026-11-17T09:08:31.000000+00:00",
        **columns,
    }


def expected(name, custom_data=None):
    """Return the event of such a row."""
    event = {
        "event_name": name,
        "action_source": "web",
        "event_time": 1794906511,
        "event_id": "01938a5e-0000-7000-8000-000000000001",
        "event_source_url": "https://shop.example.com/vases",
        "language": "de",
        "user_data": {
            "em": [sha256("maria.rivera@example.com")],
            "st": [sha256("be")],
            "country": [sha256("de")],
            "external_id": [sha256("0193-person"), sha256("d-1")],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": BROWSER,
            "click_id": "dj0yFirst",
        },
        "device_info": {"timezone": "Europe/Berlin"},
    }
    return event if custom_data is None else {**event, "custom_data": custom_data}


EUR = {"currency": "EUR"}
ROWS = [
    ("$pageview", {}, "page_visit", None),
    ("Product Viewed", {**EUR, **VASE}, "view_content", ONE),
    (
        "Product List Viewed",
        {"category": "Home", "products": [VASE]},
        "view_category",
        {**ITEMS, "content_category": "Home"},
    ),
    ("Products Searched", {"query": "vases"}, "search", {"search_string": "vases"}),
    ("Product Added", {**EUR, **VASE}, "add_to_cart", ONE),
    ("Product Added to Wishlist", {**EUR, **VASE}, "add_to_wishlist", ONE),
    (
        "Checkout Started",
        {**EUR, "products": [VASE]},
        "initiate_checkout",
        {**EUR, **ITEMS, "value": "39.8"},
    ),
    (
        "Payment Info Entered",
        {**EUR, "value": "40", "products": [VASE]},
        "add_payment_info",
        {**EUR, **ITEMS, "value": "40"},
    ),
    (
        "Order Completed",
        {**EUR, "revenue": 41.5, "orderId": 1001, "products": [VASE]},
        "checkout",
        {**EUR, **ITEMS, "value": "41.5", "order_id": "1001"},
    ),
    ("Signed Up", {}, "signup", None),
    ("Lead Generated", {**EUR, "value": 5}, "lead", {**EUR, "value": "5"}),
]


@pytest.mark.parametrize(("event", "properties", "name", "custom"), ROWS, ids=[r[0] for r in ROWS])
def test_events_of_the_template(event, properties, name, custom):
    """Each event of PostHog's own template is the same here, and nothing is dropped."""
    notes = []
    assert events_of("posthog", [row(event, properties)], notes=notes) == [expected(name, custom)]
    assert notes == []


def test_objects():
    """In Snowflake and Postgres objects are not JSON text as in Parquet."""
    record = row("Order Completed", {**EUR, "revenue": 41.5, "products": [VASE]})
    objects = {name: json.loads(record[name]) for name in ("properties", "person_properties")}
    assert events_of("posthog", [{**record, **objects}]) == events_of("posthog", [record])


@pytest.mark.parametrize(
    ("library", "system", "source"),
    [
        ("web", {"$os": "iOS"}, "web"),
        ("posthog-node", {}, "web"),
        ("posthog-ios", {"$os_name": "iOS"}, "app_ios"),
        ("posthog-android", {"$os_name": "Android"}, "app_android"),
        ("posthog-react-native", {"$os": "iOS"}, "app_ios"),
        ("posthog-flutter", {"$os_name": "Android"}, "app_android"),
    ],
)
def test_action_source(library, system, source):
    """Events of PostHog's mobile libraries are app events."""
    (event,) = events_of("posthog", [row("Application Opened", {"$lib": library, **system})])
    assert (event["event_name"], event["action_source"]) == ("app_open", source)


def test_click_id():
    """The event's click id has priority over the person's first one."""
    (event,) = events_of("posthog", [row("$pageview", {"epik": "dj0yNow"})])
    assert event["user_data"]["click_id"] == "dj0yNow"


def test_other_events():
    """PostHog's own other events are skipped by name; yours are counted, or sent if you say so."""
    (own, other) = events_of("posthog", [row("$autocapture"), row("Quiz Finished")])
    assert isinstance(own, SkippedRecord)
    assert (own.name, other.name) == ("$autocapture", None)
    (sent,) = events_of("posthog", [row("Quiz Finished")], unlisted_names="send")
    assert sent["event_name"] == "Quiz Finished"


@pytest.mark.parametrize("properties", [None, "", "{", "[1]", "null"])
def test_properties_that_cannot_be_read(properties):
    """A row whose properties are not an object keeps the values of its other columns."""
    (event,) = events_of("posthog", [row("Signed Up") | {"properties": properties}])
    assert event["user_data"]["em"] == [sha256("maria.rivera@example.com")]
    bare = row("Signed Up") | {"properties": properties, "person_properties": None}
    (result,) = events_of("posthog", [bare])
    assert isinstance(result, InvalidRecord)
    assert result.reason is Invalid.NO_IDENTIFIER

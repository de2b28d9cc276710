"""Preset `metarouter`: events of MetaRouter's pipelines, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
ADDRESS = {"city": "Sacramento", "state": "CA", "postalCode": "95814", "country": "US"}
VASE = {
    "product_id": "P-71",
    "sku": "G-32",
    "name": "Blue Vase",
    "brand": "Rivera",
    "category": "Home",
    "price": 18.99,
    "quantity": 2,
}
CANDLE = {"product_id": "P-72", "name": "Candle", "price": 3}
VASE_ITEM = {
    "id": "P-71",
    "item_name": "Blue Vase",
    "item_price": "18.99",
    "quantity": 2,
    "item_category": "Home",
    "item_brand": "Rivera",
}
CANDLE_ITEM = {"id": "P-72", "item_name": "Candle", "item_price": "3"}
ONE = {
    "content_ids": ["P-71"],
    "contents": [VASE_ITEM],
    "num_items": 2,
    "content_name": "Blue Vase",
    "content_category": "Home",
    "content_brand": "Rivera",
}
PAID = {"currency": "USD", "value": "37.98", **ONE}
TWO = {"content_ids": ["P-71", "P-72"], "contents": [VASE_ITEM, CANDLE_ITEM], "num_items": 3}


def call(event, properties, **changes):
    """Return a call of MetaRouter's Analytics.js."""
    return {
        "anonymousId": "456e4567-e89b-12d3-a456-426614174000",
        "context": {
            "ip": "203.0.113.7",
            "library": {"name": "analytics.js", "version": "4.1.0"},
            "page": {
                "path": "/vases",
                "referrer": "",
                "search": "",
                "title": "Vases",
                "url": "https://shop.example.com/vases?epik=abc",
            },
            "providers": {"pinterest": {}},
            "traits": {
                "email": "maria.rivera@example.com",
                "phone": "+1 916 555 0132",
                "firstName": "Maria",
                "lastName": "Rivera",
                "gender": "female",
                "birthday": "1990-03-14",
                "address": ADDRESS,
            },
            "userAgent": BROWSER,
        },
        "event": event,
        "messageId": "ajs-123e4567-e89b-12d3-a456-426614174000",
        "properties": properties,
        "sentAt": "2026-11-17T09:08:31.581Z",
        "timestamp": "2026-11-17T09:08:31.905Z",
        "type": "track",
        "userId": "98765",
        "writeKey": "abc123",
        **changes,
    }


def expected(name, custom_data):
    """Return the event of such a call."""
    return {
        "event_name": name,
        "action_source": "web",
        "event_time": 1794906511,
        "event_id": "ajs-123e4567-e89b-12d3-a456-426614174000",
        "event_source_url": "https://shop.example.com/vases?epik=abc",
        "partner_name": "ss-metarouter",
        "user_data": {
            "em": [sha256("maria.rivera@example.com")],
            "ph": [sha256("19165550132")],
            "ge": [sha256("f")],
            "db": [sha256("19900314")],
            "ln": [sha256("rivera")],
            "fn": [sha256("maria")],
            "ct": [sha256("sacramento")],
            "st": [sha256("ca")],
            "zp": [sha256("95814")],
            "country": [sha256("us")],
            "external_id": [sha256("98765"), sha256("456e4567-e89b-12d3-a456-426614174000")],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": BROWSER,
            "click_id": "abc",
        },
        "custom_data": {"opt_out_type": "LDP", **custom_data},
    }


CALLS = [
    ("products_searched", {"query": "blue roses"}, "search", {"search_string": "blue roses"}),
    (
        "product_list_viewed",
        {"list_id": "hot", "category": "Deals", "products": [VASE, CANDLE]},
        "view_category",
        {**TWO, "content_category": "Deals"},
    ),
    (
        "product_viewed",
        {**VASE, "currency": "usd", "value": 37.98},
        "page_visit",
        {**ONE, "currency": "USD", "value": "37.98"},
    ),
    ("product_added", {"currency": "USD", **VASE}, "add_to_cart", PAID),
    (
        "cart_viewed",
        {"currency": "USD", "products": [VASE, CANDLE]},
        "page_visit",
        {**TWO, "currency": "USD", "value": "40.98"},
    ),
    (
        "order_completed",
        {
            "order_id": "o-1001",
            "total": "45.00",
            "revenue": 40.98,
            "currency": "USD",
            "products": [VASE, CANDLE],
        },
        "checkout",
        {**TWO, "currency": "USD", "value": "45.00", "order_id": "o-1001"},
    ),
]


@pytest.mark.parametrize(
    ("event", "properties", "name", "custom_data"), CALLS, ids=[row[0] for row in CALLS]
)
def test_track(event, properties, name, custom_data):
    """A track call becomes the event of MetaRouter's own integration, and nothing is dropped."""
    notes = []
    assert events_of("metarouter", [call(event, properties)], notes=notes) == [
        expected(name, custom_data)
    ]
    assert notes == []


@pytest.mark.parametrize(
    ("event", "properties", "name", "custom_data"), CALLS, ids=[row[0] for row in CALLS]
)
def test_json_text(event, properties, name, custom_data):
    """The columns properties and context may be JSON text."""
    record = call(event, properties)
    record = {
        **record,
        "properties": json.dumps(record["properties"]),
        "context": json.dumps(record["context"]),
    }
    assert events_of("metarouter", [record]) == [expected(name, custom_data)]


@pytest.mark.parametrize("has_page", [True, False])
def test_page(has_page):
    """A page call is a page visit, with the page's name, category and address."""
    properties = {
        "path": "/vases",
        "title": "Vases",
        "url": "https://shop.example.com/vases?epik=abc",
    }
    record = call(None, properties, type="page", name="Vases", category="Shop")
    del record["event"]
    if not has_page:
        del record["context"]["page"]
    assert events_of("metarouter", [record]) == [
        expected("page_visit", {"content_name": "Vases", "content_category": "Shop"})
    ]


@pytest.mark.parametrize(
    ("amounts", "value"),
    [
        ({"value": 1, "total": 2, "revenue": 3}, "1"),
        ({"total": 2, "revenue": 3}, "2"),
        ({"revenue": 3}, "3"),
        ({"price": 18.99, "quantity": 2}, "37.98"),
        ({"price": 4}, "4"),
        ({"products": [VASE, CANDLE]}, "40.98"),
    ],
)
def test_value(amounts, value):
    """The value is properties.value, else total, else revenue; a price alone is not a value."""
    (event,) = events_of("metarouter", [call("order_completed", amounts)])
    assert event["custom_data"].get("value") == value


def test_app():
    """A call of the app SDK has its source, its advertising id, and what is known of the device."""
    context = {
        "app": {"name": "Shop", "version": "5.4.5", "build": "12", "namespace": "com.example.shop"},
        "device": {
            "manufacturer": "Apple",
            "model": "iPhone17,2",
            "name": "maria's phone",
            "type": "ios",
            "advertisingId": "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB",
            "adTrackingEnabled": True,
        },
        "network": {"carrier": "Example Mobile", "wifi": True},
        "library": {"name": "metarouter-react-native-sdk", "version": "1.5.0"},
        "locale": "en-US",
        "os": {"name": "iOS", "version": "26.1"},
        "screen": {"density": 3, "width": 440, "height": 956},
        "timezone": "America/Los_Angeles",
    }
    notes = []
    assert events_of(
        "metarouter",
        [call("product_added", {"currency": "USD", **VASE}, context=context)],
        notes=notes,
    ) == [
        {
            "event_name": "add_to_cart",
            "action_source": "app_ios",
            "event_time": 1794906511,
            "event_id": "ajs-123e4567-e89b-12d3-a456-426614174000",
            "advertiser_tracking_enabled": True,
            "partner_name": "ss-metarouter",
            "wifi": True,
            "language": "en",
            "user_data": {
                "external_id": [sha256("98765"), sha256("456e4567-e89b-12d3-a456-426614174000")],
                "hashed_maids": [sha256("7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db")],
            },
            "custom_data": {"opt_out_type": "LDP", **PAID},
            "app_info": {
                "app_name": "Shop",
                "app_package_name": "com.example.shop",
                "app_version": "5.4.5",
            },
            "device_info": {
                "brand": "Apple",
                "carrier": "Example Mobile",
                "locale": "en-US",
                "model": "iPhone17,2",
                "os_name": "iOS",
                "os_version": "26.1",
                "timezone": "America/Los_Angeles",
                "type": "ios",
            },
        }
    ]
    assert notes == [("custom_data.opt_out_type", "ldp_incomplete")]


def test_limited_data_processing_off():
    """A null in `fields` removes the global LDP, and nothing else."""
    (event,) = events_of(
        "metarouter",
        [call("product_added", {"currency": "USD", **VASE})],
        fields={"custom_data.opt_out_type": None},
    )
    assert event == {**expected("add_to_cart", {}), "custom_data": PAID}


def test_other_partner():
    """A user's default has priority over the preset's."""
    (event,) = events_of(
        "metarouter",
        [call("product_added", {"currency": "USD", **VASE})],
        defaults={"partner_name": "ss-example"},
    )
    assert event == {**expected("add_to_cart", PAID), "partner_name": "ss-example"}


@pytest.mark.parametrize(
    ("properties", "contents"),
    [
        ({"sku": "G-32"}, [{"id": "G-32"}]),
        ({"products": [], "product_id": "P1"}, [{"id": "P1"}]),
        (
            {"products": [{"sku": "G-32"}, None, {"product_id": "P1"}]},
            [{"id": "G-32"}, {"id": "P1"}],
        ),
        ({"products": '[{"product_id": "P1", "quantity": 2}]'}, [{"id": "P1", "quantity": 2}]),
        ({"price": 1, "name": "x"}, None),
    ],
)
def test_contents(properties, contents):
    """Products are from the list, otherwise one product's properties, by product_id, then sku."""
    (event,) = events_of("metarouter", [call("product_viewed", properties)])
    assert event["custom_data"].get("contents") == contents


def test_nulls():
    """Nulls everywhere remove their fields, and nothing else."""
    nothing = dict.fromkeys(
        (
            "value",
            "total",
            "revenue",
            "products",
            "product_id",
            "sku",
            "name",
            "category",
            "brand",
            "query",
        )
    )
    missing = dict.fromkeys(
        ("page", "traits", "device", "app", "network", "os", "locale", "timezone")
    )
    record = call(
        "cart_viewed",
        nothing,
        context={**missing, "ip": "203.0.113.7", "userAgent": BROWSER},
        userId=None,
    )
    assert events_of("metarouter", [record]) == [
        {
            "event_name": "page_visit",
            "action_source": "web",
            "event_time": 1794906511,
            "event_id": "ajs-123e4567-e89b-12d3-a456-426614174000",
            "partner_name": "ss-metarouter",
            "user_data": {
                "external_id": [sha256("456e4567-e89b-12d3-a456-426614174000")],
                "client_ip_address": "203.0.113.7",
                "client_user_agent": BROWSER,
            },
            "custom_data": {"opt_out_type": "LDP"},
        }
    ]


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ("checkout_started", "checkout_started"),
        ("product_removed", "product_removed"),
        ("Order Completed", None),
    ],
)
def test_unlisted(event, shown):
    """Events that MetaRouter's integration does not map are skipped; its own by name."""
    (result,) = events_of("metarouter", [call(event, {})])
    assert isinstance(result, SkippedRecord)
    assert (result.reason, result.name) == (Skipped.NOT_LISTED, shown)


def test_identify():
    """Calls other than track and page are skipped by their type."""
    (result,) = events_of("metarouter", [call(None, None, type="identify")])
    assert isinstance(result, SkippedRecord)
    assert result.name == "identify"


def test_nobody():
    """A call that identifies nobody is invalid."""
    (result,) = events_of("metarouter", [call("order_completed", {}, context={})])
    assert isinstance(result, InvalidRecord)
    assert result.reason is Invalid.NO_IDENTIFIER


def test_event_time():
    """The time is timestamp, then originalTimestamp."""
    record = call("order_completed", {})
    assert (
        events_of(
            "metarouter",
            [{**record, "timestamp": None, "originalTimestamp": "2026-11-17T08:00:00Z"}],
        )[0]["event_time"]
        == 1794902400
    )


def test_click_id():
    """The click id is also found if the page's URL has no query."""
    record = call("order_completed", {})
    page = {"url": "https://shop.example.com/", "search": "?utm_source=x&epik=dj0y"}
    (event,) = events_of("metarouter", [{**record, "context": {**record["context"], "page": page}}])
    assert event["user_data"]["click_id"] == "dj0y"


@pytest.mark.parametrize(
    ("traits", "properties"),
    [
        (
            {
                "first_name": "Maria",
                "last_name": "Rivera",
                "email": "m@example.com",
                "phone": "+1 415 555 0132",
            },
            {},
        ),
        (
            {},
            {
                "first_name": "Maria",
                "last_name": "Rivera",
                "email": "m@example.com",
                "phone": "+1 415 555 0132",
            },
        ),
    ],
    ids=["traits", "properties"],
)
def test_other_spellings(traits, properties):
    """Names in snake_case, and personal data in the properties, are used like traits."""
    record = call("product_added", properties)
    (event,) = events_of("metarouter", [{**record, "context": {"traits": traits}}])
    assert event["user_data"] == {
        "em": [sha256("m@example.com")],
        "ph": [sha256("14155550132")],
        "ln": [sha256("rivera")],
        "fn": [sha256("maria")],
        "external_id": [sha256("98765"), sha256("456e4567-e89b-12d3-a456-426614174000")],
    }


def test_tracking_off():
    """A user who turned tracking off on the device has opted out, and the id is not sent."""
    record = call("order_completed", {})
    device = {
        "type": "android",
        "advertisingId": "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB",
        "adTrackingEnabled": False,
    }
    (event,) = events_of(
        "metarouter", [{**record, "context": {**record["context"], "device": device}}]
    )
    assert event["action_source"] == "app_android"
    assert "hashed_maids" not in event["user_data"]
    assert event["opt_out"] is True


def test_limited_data_processing_for_some():
    """Two entries with opposite conditions send LDP only for those who opted out.

    Each record matches one of them.
    """
    opted, other = (
        call("order_completed", {"do_not_sell": True}),
        call("order_completed", {"do_not_sell": False}),
    )
    limited = events_of("metarouter", [opted, other], when="properties.do_not_sell")
    full = events_of(
        "metarouter",
        [opted, other],
        when="!(properties.do_not_sell)",
        fields={"custom_data.opt_out_type": None},
    )
    assert [limited[0]["custom_data"], limited[1].reason] == [{"opt_out_type": "LDP"}, Skipped.WHEN]
    assert full[0].reason is Skipped.WHEN
    assert "custom_data" not in full[1]


def test_click_id_of_the_provider():
    """The click id that MetaRouter's own script stores for the integration is read."""
    record = call("product_added", {})
    context = {**record["context"], "providers": {"pinterestCAPI": {"epik": "dj0yProvider"}}}
    (event,) = events_of("metarouter", [{**record, "context": context}])
    assert event["user_data"]["click_id"] == "dj0yProvider"

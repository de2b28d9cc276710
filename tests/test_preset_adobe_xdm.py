"""Preset `adobe_xdm`: ExperienceEvents of Adobe Experience Platform with commerce details."""

import json
from typing import Any

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
)
IDFA = "6D92078A-8246-4BA4-AE5B-76104861E7DC"

BOOTS = {
    "SKU": "B-42",
    "name": "Hiking Boots",
    "quantity": 1,
    "priceTotal": 129.95,
    "currencyCode": "USD",
    "productCategories": [
        {"categoryID": "7", "categoryName": "Shoes", "categoryPath": "outdoor/shoes"}
    ],
}
SOCKS = {
    "SKU": "S-1",
    "name": "Wool Socks",
    "quantity": 3,
    "priceTotal": 29.85,
    "currencyCode": "USD",
}

EVENT: dict[str, Any] = {
    "_id": "4d2f1c0a-7b1e-4c7d-9f0a-2e5b8c6d1a34",
    "timestamp": "2026-11-18T10:15:30.250Z",
    "eventMergeId": None,
    "identityMap": {
        "ECID": [
            {"id": "38407483948340934308509834", "authenticatedState": "ambiguous", "primary": True}
        ],
        "Email": [
            {"id": "Kim.Lee@Example.com", "authenticatedState": "authenticated", "primary": False}
        ],
        "Email_LC_SHA256": [
            {
                "id": sha256("kim.lee@example.com"),
                "authenticatedState": "authenticated",
                "primary": False,
            }
        ],
        "Phone": [{"id": "+1 (415) 555-0134"}],
    },
    "environment": {
        "type": "browser",
        "ipV4": "198.51.100.20",
        "browserDetails": {
            "userAgent": AGENT,
            "acceptLanguage": "en-US",
            "viewportHeight": 900,
            "viewportWidth": 1680,
        },
        "operatingSystem": "Windows",
        "operatingSystemVersion": "10.0",
    },
    "device": {"type": "desktop", "screenHeight": 1080, "screenWidth": 1920},
    "placeContext": {
        "geo": {
            "countryCode": "US",
            "stateProvince": "US-CA",
            "city": "San Francisco",
            "postalCode": "94105",
        }
    },
    "web": {
        "webPageDetails": {
            "URL": "https://shop.example.com/p/b-42?epik=dj0yJnU9ghi",
            "name": "Hiking Boots",
            "pageViews": {"value": 1},
        },
        "webReferrer": {"URL": "https://www.pinterest.com/"},
    },
}
# What each event of this file has
SHARED: dict[str, Any] = {
    "action_source": "web",
    "event_time": 1794996930,
    "event_id": "4d2f1c0a-7b1e-4c7d-9f0a-2e5b8c6d1a34",
    "event_source_url": "https://shop.example.com/p/b-42?epik=dj0yJnU9ghi",
    "language": "en",
    "user_data": {
        "em": [sha256("kim.lee@example.com")],
        "ph": [sha256("14155550134")],
        "st": [sha256("ca")],
        "country": [sha256("us")],
        "client_ip_address": "198.51.100.20",
        "client_user_agent": AGENT,
        "click_id": "dj0yJnU9ghi",
    },
    "device_info": {"os_name": "Windows", "os_version": "10.0", "type": "desktop"},
}
BOOTS_ITEM = {
    "id": "B-42",
    "item_name": "Hiking Boots",
    "item_price": "129.95",
    "quantity": 1,
    "item_category": "Shoes",
}
ONE_PRODUCT = {
    "currency": "USD",
    "value": "129.95",
    "content_ids": ["B-42"],
    "contents": [BOOTS_ITEM],
    "num_items": 1,
    "content_name": "Hiking Boots",
}
# Three pairs of socks have a line's total only: XDM gives no price of one
TWO_PRODUCTS = {
    "currency": "USD",
    "value": "159.80",
    "content_ids": ["B-42", "S-1"],
    "contents": [BOOTS_ITEM, {"id": "S-1", "item_name": "Wool Socks", "quantity": 3}],
    "num_items": 4,
    "content_name": "Hiking Boots",
}
PURCHASE = TWO_PRODUCTS | {"currency": "CAD", "value": "171.2", "order_id": "PO-10077"}
ORDER = {
    "purchaseID": "PO-10077",
    "purchaseOrderNumber": "MAX12345",
    "currencyCode": "CAD",
    "priceTotal": 171.2,
}


def _commerce(measure: str, *items: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return the columns of a commerce event as the Web SDK sends it.

    The measure, and the products.
    """
    return {"commerce": {measure: {"value": 1}, **members}, "productListItems": list(items)}


CASES = [
    ("commerce.purchases", "checkout", (BOOTS, SOCKS), {"order": ORDER}, PURCHASE),
    (
        "commerce.checkouts",
        "initiate_checkout",
        (BOOTS, SOCKS),
        {"cart": {"cartID": "c-1"}},
        TWO_PRODUCTS,
    ),
    ("commerce.productListAdds", "add_to_cart", (BOOTS,), {"cart": {"cartID": "c-1"}}, ONE_PRODUCT),
    ("commerce.saveForLaters", "add_to_wishlist", (BOOTS,), {}, ONE_PRODUCT),
    ("commerce.productViews", "view_content", (BOOTS,), {}, ONE_PRODUCT),
    ("commerce.productListViews", "page_visit", (BOOTS, SOCKS), {}, TWO_PRODUCTS),
]


@pytest.mark.parametrize(("event_type", "name", "items", "members", "custom"), CASES)
def test_commerce_event_becomes_its_event(event_type, name, items, members, custom):
    """Each event type of commerce has its name, and its products and order."""
    notes: list[tuple[str, str]] = []
    record = {
        **EVENT,
        "eventType": event_type,
        **_commerce(event_type.removeprefix("commerce."), *items, **members),
    }
    assert events_of("adobe_xdm", [record], notes=notes) == [
        {"event_name": name, **SHARED, "custom_data": custom}
    ]
    assert notes == []


@pytest.mark.parametrize(("event_type", "name", "items", "members", "custom"), CASES)
@pytest.mark.parametrize("page_view", ["web.webpagedetails.pageViews", None])
def test_measure_of_commerce_decides_over_a_page_view(
    page_view, event_type, name, items, members, custom
):
    """A hit without an eventType, or with the page view's, is what its commerce measure counts."""
    record = {
        **EVENT,
        "eventType": page_view,
        **_commerce(event_type.removeprefix("commerce."), *items, **members),
    }
    assert events_of("adobe_xdm", [record]) == [
        {"event_name": name, **SHARED, "custom_data": custom}
    ]


@pytest.mark.parametrize(("event_type", "name", "items", "members", "custom"), CASES)
def test_json_text_of_warehouse_columns_is_read(event_type, name, items, members, custom):
    """Nested columns may be JSON text."""
    record = {
        **EVENT,
        "eventType": event_type,
        **_commerce(event_type.removeprefix("commerce."), *items, **members),
    }
    text = {
        column: json.dumps(value) if isinstance(value, dict | list) else value
        for column, value in record.items()
    }
    assert events_of("adobe_xdm", [text]) == [{"event_name": name, **SHARED, "custom_data": custom}]


@pytest.mark.parametrize(
    "event_type", ["web.webpagedetails.pageViews", "web.webPageDetails.pageViews", None]
)
def test_page_view_is_a_page_visit(event_type):
    """A view of a page, by its event type in either spelling or by its measure."""
    made = events_of(
        "adobe_xdm",
        [{**EVENT, "eventType": event_type, "commerce": None, "productListItems": None}],
    )
    assert made == [
        {"event_name": "page_visit", **SHARED, "custom_data": {"content_name": "Hiking Boots"}}
    ]


@pytest.mark.parametrize(
    ("event_type", "commerce"),
    [
        ("commerce.productListOpens", {"productListOpens": {"value": 1}}),
        ("commerce.productListRemovals", {"productListRemovals": {"value": 1}}),
        ("commerce.backofficeOrderPlaced", {"order": ORDER}),
        ("web.webinteraction.linkClicks", None),
        ("userAccount.createProfile", None),
        ("decisioning.propositionDisplay", {"purchases": {"value": 0}}),
    ],
)
def test_other_event_types_are_skipped(event_type, commerce):
    """Unlisted event types are skipped and counted by name.

    A measure of 0 counts nothing.
    """
    (skipped,) = events_of("adobe_xdm", [{**EVENT, "eventType": event_type, "commerce": commerce}])
    assert isinstance(skipped, SkippedRecord)
    assert (skipped.reason, skipped.name) == (Skipped.NOT_LISTED, event_type)


def test_event_type_of_commerce_decides_over_measures():
    """An eventType of commerce decides, whatever else the hit counts."""
    hit = {**EVENT, **_commerce("productListViews", BOOTS, productViews={"value": 1})}
    removal, added = events_of(
        "adobe_xdm",
        [{**hit, "eventType": f"commerce.productList{what}"} for what in ("Removals", "Adds")],
    )
    assert (removal.reason, removal.name) == (Skipped.NOT_LISTED, "commerce.productListRemovals")
    assert added == {"event_name": "add_to_cart", **SHARED, "custom_data": ONE_PRODUCT}


def test_view_of_the_cart_is_a_page_visit_by_its_measure_alone():
    """Nothing but the measure is needed."""
    (event,) = events_of(
        "adobe_xdm", [{**EVENT, "web": None, **_commerce("productListViews", BOOTS)}]
    )
    assert event["event_name"] == "page_visit"


def test_event_without_type_or_measure_is_skipped():
    """An event without a type is skipped, and counted as that."""
    (skipped,) = events_of("adobe_xdm", [{**EVENT, "web": None}])
    assert (skipped.reason, skipped.name) == (Skipped.NOT_LISTED, "no eventType")


def test_nulls_leave_fields_out():
    """Nulls are dropped without a note."""
    nulls = {
        **dict.fromkeys(EVENT),
        "commerce": {"purchases": {"value": 1}, "order": None, "billing": None},
        "productListItems": None,
    }
    record = {
        **nulls,
        "_id": "e-1",
        "timestamp": EVENT["timestamp"],
        "eventType": "commerce.purchases",
        "identityMap": {"Email": [{"id": "kim.lee@example.com"}], "ECID": None},
    }
    notes: list[tuple[str, str]] = []
    assert events_of("adobe_xdm", [record], notes=notes) == [
        {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": 1794996930,
            "event_id": "e-1",
            "user_data": {"em": [sha256("kim.lee@example.com")]},
        },
    ]
    assert notes == []


def test_every_identity_of_a_namespace_is_taken():
    """A namespace may hold several identities: each is a match key, once, plain or hashed."""
    identities = {
        "Email": [{"id": "kim@example.com"}, {"id": "lee@example.com"}],
        "Email_LC_SHA256": [
            {"id": sha256("lee@example.com").upper()},
            {"id": sha256("kl@example.com")},
        ],
        "Phone": [{"id": "+14155550134"}],
        "Phone_E.164": [{"id": "+14155550135"}],
        "IDFA": [{"id": IDFA}, {"id": "00000000-0000-0000-0000-000000000000"}],
        "GAID": [{"id": "38400000-8cf0-11bd-b23e-10b96e40000d"}],
    }
    (event,) = events_of(
        "adobe_xdm",
        [{**EVENT, "eventType": "web.webpagedetails.pageViews", "identityMap": identities}],
    )
    assert event["user_data"] == {
        **SHARED["user_data"],
        "em": [sha256("kim@example.com"), sha256("lee@example.com"), sha256("kl@example.com")],
        "ph": [sha256("14155550134"), sha256("14155550135")],
        "hashed_maids": [sha256(IDFA.lower()), sha256("38400000-8cf0-11bd-b23e-10b96e40000d")],
    }


def test_billing_address_comes_before_the_ip_addresss_place():
    """City, state, postal code and country are from the billing address.

    State and country can also come from the place of the IP address.
    """
    address = {
        "city": "Reno",
        "stateProvince": "NV",
        "postalCode": "89501",
        "countryCode": "US",
        "street1": "1 Main Street",
    }
    record = {
        **EVENT,
        "eventType": "commerce.purchases",
        **_commerce("purchases", BOOTS, billing={"address": address}),
    }
    (event,) = events_of("adobe_xdm", [record])
    assert event["user_data"] == {
        **SHARED["user_data"],
        "ct": [sha256("reno")],
        "st": [sha256("nv")],
        "zp": [sha256("89501")],
        "country": [sha256("us")],
    }


@pytest.mark.parametrize(
    ("environment", "source"),
    [
        ({"type": "application", "operatingSystem": "iOS"}, "app_ios"),
        ({"type": "application", "operatingSystem": "iPadOS"}, "app_ios"),
        ({"type": "application", "operatingSystem": "Android"}, "app_android"),
        ({"type": "application", "operatingSystem": "tvOS"}, "web"),
        ({"type": "application", "operatingSystem": None}, "web"),
        ({"type": "browser", "operatingSystem": "iOS"}, "web"),
        (None, "web"),
    ],
)
def test_applications_are_recognized_by_their_system(environment, source):
    """An application on iOS or Android is an app event; a browser there is not."""
    (event,) = events_of(
        "adobe_xdm", [{**EVENT, "eventType": "commerce.productViews", "environment": environment}]
    )
    assert event["action_source"] == source


NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("changes", "opt_out", "has_id"),
    [
        ({"consents": {"adID": {"idType": "IDFA", "val": "n"}}}, True, False),
        ({"consents": '{"adID": {"val": "dn"}}'}, True, False),
        ({"consents": {"adID": {"val": "y"}}}, None, True),
        ({"consents": {"adID": {"val": "p"}}}, None, True),
        ({"consents": {"adID": None}}, None, True),
        ({"consents": None}, None, True),
        ({}, None, True),
        ({"identityMap": {"IDFA": [{"id": NO_ID}]}}, True, False),
        ({"identityMap": {"GAID": [{"id": NO_ID}]}}, True, False),
        ({"identityMap": None}, None, False),
    ],
)
@pytest.mark.parametrize("kind", ["application", "browser"])
def test_device_that_limits_tracking(changes, opt_out, has_id, kind):
    """A denied advertising id is an opt-out in Pinterest's sense for apps, not for the web."""
    record = {
        **EVENT,
        "identityMap": {"IDFA": [{"id": IDFA}]},
        "environment": {
            "type": kind,
            "operatingSystem": "iOS",
            "ipV4": "203.0.113.7",
            "browserDetails": {"userAgent": "Shop/1.0 (iPhone)"},
        },
        **changes,
    }
    notes: list[tuple[str, str]] = []
    (event,) = events_of("adobe_xdm", [record], notes=notes)
    assert event.get("opt_out") is (opt_out if kind == "application" else None)
    assert ("hashed_maids" in event["user_data"]) is has_id
    assert [note for note in notes if note[1] == "expression_error"] == []


def test_application_event():
    """An app's event has the device's advertising id and the known facts of the device."""
    record = {
        "_id": "app-1",
        "timestamp": "2026-11-18T10:15:30Z",
        "eventType": "commerce.productListAdds",
        "identityMap": {"ECID": [{"id": "1"}], "IDFA": [{"id": IDFA}]},
        "environment": {
            "type": "application",
            "operatingSystem": "iOS",
            "operatingSystemVersion": "18.1",
            "carrier": "Example Mobile",
            "ipV6": "2001:DB8::20",
            "_dc": {"language": "en-US"},
        },
        "device": {"type": "mobile", "manufacturer": "Apple", "model": "iPhone 16"},
        **_commerce("productListAdds", BOOTS),
    }
    assert events_of("adobe_xdm", [record]) == [
        {
            "event_name": "add_to_cart",
            "action_source": "app_ios",
            "event_time": 1794996930,
            "event_id": "app-1",
            "language": "en",
            "user_data": {
                "hashed_maids": [sha256(IDFA.lower())],
                "client_ip_address": "2001:db8::20",
            },
            "custom_data": {
                key: value for key, value in ONE_PRODUCT.items() if key != "content_name"
            },
            "device_info": {
                "brand": "Apple",
                "carrier": "Example Mobile",
                "model": "iPhone 16",
                "os_name": "iOS",
                "os_version": "18.1",
                "type": "mobile",
            },
        },
    ]


@pytest.mark.parametrize(
    ("quantity", "price"),
    [(1, "20.5"), ("1", "20.5"), (None, "20.5"), (2, None), (0, None)],
)
def test_price_of_one_is_the_total_of_a_single_unit(quantity, price):
    """A line's total is for all units.

    An item has a price only if that of one unit is known. The value is the sum of the totals.
    """
    item = {"SKU": "X", "quantity": quantity, "priceTotal": 20.5}
    (event,) = events_of(
        "adobe_xdm",
        [{**EVENT, "eventType": "commerce.productListAdds", **_commerce("productListAdds", item)}],
    )
    assert event["custom_data"]["contents"][0].get("item_price") == price
    assert event["custom_data"]["value"] == "20.5"


def test_a_sum_with_a_missing_total_is_no_value():
    """If an item has no total, the sum would be too small: there is no value."""
    record = {
        **EVENT,
        "eventType": "commerce.checkouts",
        **_commerce("checkouts", BOOTS, {"SKU": "X", "quantity": 1}),
    }
    (event,) = events_of("adobe_xdm", [record])
    assert "value" not in event["custom_data"]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-18T10:15:30.250Z",
        "2026-11-18 10:15:30.25",
        "2026-11-18T10:15:30",
        "2026-11-18T11:15:30+01:00",
    ],
)
def test_times_without_offset_are_utc(written):
    """Query Service writes UTC without an offset: the setting timezone does not change it."""
    record = {**EVENT, "eventType": "web.webpagedetails.pageViews", "timestamp": written}
    (event,) = events_of("adobe_xdm", [record], settings={"timezone": "Asia/Tokyo"})
    assert event["event_time"] == SHARED["event_time"]


def test_event_id_can_be_the_orders():
    """The documented override gives purchases the browser tag's id, and other events their own."""
    purchase = {
        **EVENT,
        "eventType": "commerce.purchases",
        **_commerce("purchases", BOOTS, order=ORDER),
    }
    view = {**EVENT, "eventType": "commerce.productViews", **_commerce("productViews", BOOTS)}
    made = events_of(
        "adobe_xdm", [purchase, view], fields={"event_id": "commerce.order.purchaseID || _id"}
    )
    assert [event["event_id"] for event in made] == ["PO-10077", EVENT["_id"]]


def test_event_of_nobody_is_invalid():
    """An ECID alone identifies nobody to Pinterest."""
    record = {
        **EVENT,
        "eventType": "commerce.productViews",
        "environment": None,
        "identityMap": {"ECID": [{"id": "1"}]},
    }
    (invalid,) = events_of("adobe_xdm", [record])
    assert isinstance(invalid, InvalidRecord)
    assert invalid.reason is Invalid.NO_IDENTIFIER

"""Preset `snowplow`.

Rows of the atomic events table with the e-commerce action and its entities.
"""

import json
from typing import Any

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
    " Version/18.1 Mobile/15E148 Safari/604.1"
)
IDFA = "6D92078A-8246-4BA4-AE5B-76104861E7DC"

ACTION = "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1"
ADD_TO_CART = "unstruct_event_com_snowplowanalytics_snowplow_add_to_cart_1"
SITE_SEARCH = "unstruct_event_com_snowplowanalytics_snowplow_site_search_1"
MOBILE = "contexts_com_snowplowanalytics_snowplow_mobile_context_1"
NO_ID = "00000000-0000-0000-0000-000000000000"


def _entity(name: str) -> str:
    return f"contexts_com_snowplowanalytics_snowplow_ecommerce_{name}_1"


ROW: dict[str, Any] = {
    "app_id": "shop",
    "platform": "web",
    "etl_tstamp": "2026-11-18T10:15:33.120000",
    "collector_tstamp": "2026-11-18T10:15:32.500000",
    "dvce_created_tstamp": "2026-11-18T10:15:29.001000",
    "derived_tstamp": "2026-11-18T10:15:30.250000",
    "event": "unstruct",
    "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
    "event_name": "snowplow_ecommerce_action",
    "event_vendor": "com.snowplowanalytics.snowplow.ecommerce",
    "user_id": "customer-81",
    "user_ipaddress": "203.0.113.44",
    "domain_userid": "bc2e92ec6c204a14",
    "network_userid": "ecdff4d0-9175-40ac-a8bb-325c49733607",
    "geo_country": "US",
    "geo_region": "CA",
    "geo_city": "San Francisco",
    "geo_zipcode": "94105",
    "page_url": "https://shop.example.com/p/mug?utm_source=pinterest&epik=dj0yJnU9jkl",
    "page_title": "Mug | Shop",
    "page_referrer": "https://www.pinterest.com/",
    "useragent": AGENT,
    "br_lang": "en-GB",
    "tr_orderid": None,
    "tr_total": None,
    _entity("user"): [
        {
            "_schema_version": "1-0-0",
            "id": "customer-81",
            "is_guest": False,
            "email": "Sam@Example.com",
        }
    ],
    MOBILE: None,
}
# What each event of this file has
SHARED: dict[str, Any] = {
    "action_source": "web",
    "event_time": 1794996930,
    "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
    "event_source_url": "https://shop.example.com/p/mug?utm_source=pinterest&epik=dj0yJnU9jkl",
    "language": "en",
    "user_data": {
        "em": [sha256("sam@example.com")],
        "st": [sha256("ca")],
        "country": [sha256("us")],
        "external_id": [sha256("customer-81")],
        "client_ip_address": "203.0.113.44",
        "client_user_agent": AGENT,
        "click_id": "dj0yJnU9jkl",
    },
}
MUG = {
    "_schema_version": "1-0-0",
    "id": "P-1",
    "name": "Mug",
    "category": "Kitchen/Mugs",
    "price": 12.5,
    "list_price": 15,
    "quantity": 2,
    "brand": "Acme",
    "currency": "GBP",
}
TRAY = {
    "_schema_version": "1-0-0",
    "id": "P-2",
    "category": "Kitchen",
    "price": 30.1,
    "quantity": None,
    "currency": "GBP",
}
MUG_ITEM = {
    "id": "P-1",
    "item_name": "Mug",
    "item_price": "12.5",
    "quantity": 2,
    "item_category": "Kitchen/Mugs",
    "item_brand": "Acme",
}
TRAY_ITEM = {"id": "P-2", "item_price": "30.1", "item_category": "Kitchen"}
PRODUCTS = {"content_ids": ["P-1", "P-2"], "contents": [MUG_ITEM, TRAY_ITEM]}
TRANSACTION = {
    "_schema_version": "1-0-0",
    "transaction_id": "T-77",
    "revenue": 52.95,
    "currency": "EUR",
    "payment_method": "card",
    "total_quantity": 4,
    "tax": 8.85,
    "shipping": 4.95,
}
TITLE = {"content_name": "Mug | Shop"}

CASES = [
    pytest.param(
        "transaction",
        "checkout",
        {_entity("transaction"): [TRANSACTION], _entity("product"): [MUG, TRAY]},
        {"currency": "EUR", "value": "52.95", **PRODUCTS, "num_items": 4, "order_id": "T-77"},
        id="transaction",
    ),
    pytest.param(
        "add_to_cart",
        "add_to_cart",
        {
            _entity("product"): [MUG, TRAY],
            _entity("cart"): [{"cart_id": "C-5", "total_value": 99, "currency": "GBP"}],
        },
        {"currency": "GBP", "value": "55.1", **PRODUCTS, "num_items": 3},
        id="add_to_cart",
    ),
    pytest.param(
        "product_view",
        "view_content",
        {_entity("product"): [TRAY]},
        {
            "currency": "GBP",
            "value": "30.1",
            "content_ids": ["P-2"],
            "contents": [TRAY_ITEM],
            "num_items": 1,
        },
        id="product_view",
    ),
    pytest.param(
        "list_view",
        "view_category",
        {_entity("product"): [MUG, TRAY]},
        {"currency": "GBP", **PRODUCTS, "num_items": 3},
        id="list_view",
    ),
    pytest.param(
        "checkout_step",
        "initiate_checkout",
        {_entity("checkout_step"): [{"step": 1}]},
        {},
        id="checkout_step 1",
    ),
    pytest.param(
        "checkout_step",
        "initiate_checkout",
        {_entity("checkout_step"): None},
        {},
        id="checkout_step without a number",
    ),
]


@pytest.mark.parametrize(("action", "name", "columns", "custom"), CASES)
def test_ecommerce_action_becomes_its_event(action, name, columns, custom):
    """Each type of the e-commerce action has its name, and its products and amounts."""
    notes: list[tuple[str, str]] = []
    row = {**ROW, ACTION: {"_schema_version": "1-0-2", "type": action, "name": None}, **columns}
    assert events_of("snowplow", [row], notes=notes) == [
        {"event_name": name, **SHARED, "custom_data": {**custom, **TITLE}}
    ]
    assert notes == []


@pytest.mark.parametrize(("action", "name", "columns", "custom"), CASES)
def test_json_text_of_warehouse_columns_is_read(action, name, columns, custom):
    """The columns of events and entities may be JSON text, as taps send variants."""
    row = {**ROW, ACTION: {"type": action}, **columns}
    text = {
        column: json.dumps(value) if isinstance(value, dict | list) else value
        for column, value in row.items()
    }
    assert events_of("snowplow", [text]) == [
        {"event_name": name, **SHARED, "custom_data": {**custom, **TITLE}}
    ]


def test_page_view_is_a_page_visit():
    """A row without an e-commerce action is mapped by its event_name."""
    row = {**ROW, "event": "page_view", "event_name": "page_view", ACTION: None}
    assert events_of("snowplow", [row]) == [
        {"event_name": "page_visit", **SHARED, "custom_data": TITLE}
    ]


@pytest.mark.parametrize("terms", [["blue", "mug"], ["blue mug"]])
@pytest.mark.parametrize("written", [dict, json.dumps])
def test_site_search_is_a_search(terms, written):
    """The terms of a site search are the search string."""
    row = {
        **ROW,
        "event_name": "site_search",
        SITE_SEARCH: written({"terms": terms, "totalResults": 7}),
    }
    assert events_of("snowplow", [row]) == [
        {"event_name": "search", **SHARED, "custom_data": {"search_string": "blue mug", **TITLE}}
    ]


def test_transaction_of_the_original_plugin_is_a_checkout():
    """The tr_ columns of the superseded plugin have order, amounts and billing place.

    Its items are separate rows.
    """
    row = {
        **ROW,
        "event": "transaction",
        "event_name": "transaction",
        "tr_orderid": "O-9",
        "tr_total": 20.25,
        "tr_currency": "USD",
        "tr_city": "Reno",
        "tr_state": "Nevada",
        "tr_country": "USA",
    }
    customer = {**SHARED["user_data"], "ct": [sha256("reno")], "st": [sha256("nv")]}
    custom = {"currency": "USD", "value": "20.25", "order_id": "O-9", **TITLE}
    assert events_of("snowplow", [row]) == [
        {"event_name": "checkout", **SHARED, "user_data": customer, "custom_data": custom}
    ]
    (item,) = events_of(
        "snowplow", [{**row, "event": "transaction_item", "event_name": "transaction_item"}]
    )
    assert (item.reason, item.name) == (Skipped.NOT_LISTED, "transaction_item")


@pytest.mark.parametrize("price", ["unitPrice", "unit_price"])
def test_add_to_cart_of_the_original_plugin(price):
    """The superseded plugin's product is the event itself, in the spelling of either warehouse."""
    added = {
        "sku": "P-1",
        "name": "Mug",
        "category": "Kitchen/Mugs",
        price: 12.5,
        "quantity": 2,
        "currency": "GBP",
    }
    custom = {
        "currency": "GBP",
        "value": "25.0",
        "content_ids": ["P-1"],
        "contents": [{key: value for key, value in MUG_ITEM.items() if key != "item_brand"}],
        "num_items": 2,
        **TITLE,
    }
    rows = [
        {**ROW, "event_name": "add_to_cart", ADD_TO_CART: written}
        for written in (added, json.dumps(added))
    ]
    assert (
        events_of("snowplow", rows)
        == [{"event_name": "add_to_cart", **SHARED, "custom_data": custom}] * 2
    )


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"event_name": "page_ping", ACTION: None}, "page_ping"),
        ({"event_name": "link_click"}, "link_click"),
        ({ACTION: {"type": "remove_from_cart"}}, "remove_from_cart"),
        ({ACTION: {"type": "list_click"}}, "list_click"),
        ({ACTION: {"type": "promo_view"}}, "promo_view"),
        ({ACTION: {"type": "refund"}}, "refund"),
        ({ACTION: {"type": "trns_error"}}, "trns_error"),
        (
            {ACTION: {"type": "checkout_step"}, _entity("checkout_step"): [{"step": 2}]},
            "checkout_step 2",
        ),
        (
            {ACTION: '{"type": "checkout_step"}', _entity("checkout_step"): '[{"step": 3}]'},
            "checkout_step 3",
        ),
    ],
)
def test_other_events_are_skipped(columns, name):
    """Unlisted events, actions and later steps are skipped and counted by name."""
    (skipped,) = events_of("snowplow", [{**ROW, **columns}])
    assert isinstance(skipped, SkippedRecord)
    assert (skipped.reason, skipped.name) == (Skipped.NOT_LISTED, name)


def test_a_step_of_the_entry_is_added():
    """Another step of the checkout can be given a name, such as the payment."""
    row = {
        **ROW,
        ACTION: {"type": "checkout_step"},
        _entity("checkout_step"): [{"step": 3, "billing_postcode": "94105-1804"}],
    }
    customer = {**SHARED["user_data"], "zp": [sha256("94105")]}
    assert events_of("snowplow", [row], event_names={"checkout_step 3": "add_payment_info"}) == [
        {"event_name": "add_payment_info", **SHARED, "user_data": customer, "custom_data": TITLE},
    ]


def test_nulls_leave_fields_out():
    """Nulls are dropped without a note."""
    kept = {
        "event_id": "e-1",
        "event_name": "snowplow_ecommerce_action",
        "collector_tstamp": "2026-11-18T10:15:30.999000",
        "user_ipaddress": "203.0.113.44",
        "useragent": AGENT,
        ACTION: {"type": "transaction", "name": None},
        _entity("transaction"): [
            {"transaction_id": None, "revenue": None, "currency": None, "total_quantity": None}
        ],
        _entity("product"): None,
        ADD_TO_CART: None,
        SITE_SEARCH: None,
    }
    notes: list[tuple[str, str]] = []
    assert events_of("snowplow", [{**dict.fromkeys(ROW), **kept}], notes=notes) == [
        {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": 1794996930,
            "event_id": "e-1",
            "user_data": {"client_ip_address": "203.0.113.44", "client_user_agent": AGENT},
        },
    ]
    assert notes == []


CAMEL_DEVICE = {
    "osType": "ios",
    "osVersion": "18.1",
    "deviceManufacturer": "Apple Inc.",
    "deviceModel": "iPhone17,1",
    "carrier": "Example Mobile",
    "appleIdfa": IDFA,
    "language": "en-US",
}
SNAKE_DEVICE = {
    "os_type": "ios",
    "os_version": "18.1",
    "device_manufacturer": "Apple Inc.",
    "device_model": "iPhone17,1",
    "carrier": "Example Mobile",
    "apple_idfa": IDFA,
    "language": "en-US",
}


@pytest.mark.parametrize("device", [CAMEL_DEVICE, SNAKE_DEVICE], ids=["Snowflake", "BigQuery"])
def test_app_event_has_its_device(device):
    """The mobile entity has the system and the advertising id, in either warehouse's spelling."""
    row = {
        **ROW,
        "platform": "mob",
        "br_lang": None,
        "page_url": None,
        "page_title": None,
        "useragent": None,
        "geo_region": None,
        _entity("user"): None,
        ACTION: {"type": "product_view"},
        _entity("product"): [TRAY],
        MOBILE: [device],
    }
    assert events_of("snowplow", [row]) == [
        {
            "event_name": "view_content",
            "action_source": "app_ios",
            "event_time": 1794996930,
            "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
            "language": "en",
            "user_data": {
                "country": [sha256("us")],
                "external_id": [sha256("customer-81")],
                "hashed_maids": [sha256(IDFA.lower())],
                "client_ip_address": "203.0.113.44",
            },
            "custom_data": {
                "currency": "GBP",
                "value": "30.1",
                "content_ids": ["P-2"],
                "contents": [TRAY_ITEM],
                "num_items": 1,
            },
            "device_info": {
                "brand": "Apple Inc.",
                "carrier": "Example Mobile",
                "model": "iPhone17,1",
                "os_version": "18.1",
            },
        },
    ]


@pytest.mark.parametrize(
    ("system", "source"),
    [
        ("ios", "app_ios"),
        ("iOS", "app_ios"),
        ("android", "app_android"),
        ("Android", "app_android"),
        ("windows", "web"),
        (None, "web"),
    ],
)
@pytest.mark.parametrize("spelling", ["osType", "os_type"])
def test_apps_are_recognized_by_their_system(spelling, system, source):
    """An app on iOS or Android is an app event, in any case; everything else is web."""
    (event,) = events_of(
        "snowplow", [{**ROW, "event_name": "page_view", MOBILE: [{spelling: system}]}]
    )
    assert event["action_source"] == source


@pytest.mark.parametrize(
    ("device", "opt_out"),
    [
        ({"appleIdfa": NO_ID}, True),
        ({"androidIdfa": NO_ID}, True),
        ({"apple_idfa": NO_ID, "android_idfa": None}, True),
        ({"apple_idfa": NO_ID, "android_idfa": ""}, True),
        ({"appleIdfa": NO_ID, "androidIdfa": IDFA}, None),
        ({"appleIdfa": IDFA}, None),
        ({"appleIdfa": None}, None),
        ({"appleIdfa": ""}, None),
        ({}, None),
        (None, None),
    ],
)
@pytest.mark.parametrize("encode", [list, json.dumps])
def test_device_that_limits_tracking(encode, device, opt_out):
    """Systems give an all-zero advertising id to apps that may not track."""
    mobile = encode([{"osType": "ios", **device}] if device is not None else [])
    notes: list[tuple[str, str]] = []
    row = {**ROW, "event_name": "page_view", MOBILE: mobile}
    (event,) = events_of("snowplow", [row], notes=notes)
    assert event.get("opt_out") is opt_out
    assert [note for note in notes if note[0] == "opt_out"] == []


@pytest.mark.parametrize("android", ["androidIdfa", "android_idfa"])
def test_advertising_ids_of_users_who_turned_tracking_off_are_left_out(android):
    """An all-zero id identifies nobody; the Android id of the same row stays."""
    device = {"appleIdfa": NO_ID, android: IDFA}
    (event,) = events_of("snowplow", [{**ROW, "event_name": "page_view", MOBILE: [device]}])
    assert event["user_data"]["hashed_maids"] == [sha256(IDFA.lower())]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-18T10:15:30.250000",
        "2026-11-18 10:15:30.25",
        "2026-11-18T10:15:30",
        "2026-11-18T10:15:30Z",
        "2026-11-18T11:15:30+01:00",
    ],
)
@pytest.mark.parametrize("column", ["derived_tstamp", "collector_tstamp"])
def test_times_without_offset_are_utc(column, written):
    """Snowplow's timestamps are UTC: the setting timezone does not change them."""
    row = {
        **ROW,
        "event_name": "page_view",
        "derived_tstamp": None,
        "collector_tstamp": None,
        column: written,
    }
    (event,) = events_of("snowplow", [row], settings={"timezone": "America/New_York"})
    assert event["event_time"] == SHARED["event_time"]


def test_both_user_ids_are_taken():
    """The tracker's user id and the user entity's are match keys, once if they are equal."""
    users = [{"id": "shop-5", "email": None}]
    (event,) = events_of("snowplow", [{**ROW, "event_name": "page_view", _entity("user"): users}])
    assert event["user_data"]["external_id"] == [sha256("customer-81"), sha256("shop-5")]


def test_state_is_of_the_same_place_as_the_country():
    """A billing country is never combined with the IP address's state."""
    (event,) = events_of(
        "snowplow", [{**ROW, "event_name": "transaction", "tr_country": "DE", "tr_state": None}]
    )
    assert event["user_data"]["country"] == [sha256("de")]
    assert "st" not in event["user_data"]


def test_event_of_an_anonymised_visitor_is_invalid():
    """If the IP address is truncated and the user unknown, nothing identifies the user."""
    row = {**ROW, "event_name": "page_view", "user_ipaddress": "203.0.113.x", _entity("user"): None}
    notes: list[tuple[str, str]] = []
    (invalid,) = events_of("snowplow", [row], notes=notes)
    assert isinstance(invalid, InvalidRecord)
    assert invalid.reason is Invalid.NO_IDENTIFIER
    assert notes == [("user_data.client_ip_address", "not_an_ip_address")]

"""Preset `rudderstack`: rows of RudderStack's warehouse tables, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
VASE = {
    "product_id": "622c6f5d5cf86a4c77358033",
    "sku": "8472-998-0112",
    "category": "Home",
    "name": "Blue Vase",
    "brand": "Rivera",
}
VASE_PRICED = {**VASE, "price": 19.90, "quantity": 1}
CANDLE = {"product_id": "577c6f5d5cf86a4c7735ba03", "name": "Candle", "price": 3, "quantity": 2}
VASE_ITEM = {
    "id": "622c6f5d5cf86a4c77358033",
    "item_name": "Blue Vase",
    "item_price": "19.9",
    "quantity": 1,
    "item_category": "Home",
    "item_brand": "Rivera",
}
CANDLE_ITEM = {
    "id": "577c6f5d5cf86a4c7735ba03",
    "item_name": "Candle",
    "item_price": "3",
    "quantity": 2,
}
ONE = {
    "content_ids": [VASE_ITEM["id"]],
    "contents": [VASE_ITEM],
    "num_items": 1,
    "content_name": "Blue Vase",
    "content_category": "Home",
    "content_brand": "Rivera",
}
PAID = {"currency": "GBP", "value": "19.9", **ONE}
TWO = {
    "content_ids": [VASE_ITEM["id"], CANDLE_ITEM["id"]],
    "contents": [VASE_ITEM, CANDLE_ITEM],
    "num_items": 3,
}
PRODUCTS = json.dumps([VASE_PRICED, CANDLE])


def row(event, **columns):
    """Return a row of an event's table, from a browser."""
    return {
        "id": "a6a0ad5a-bd26-4f19-8f75-38484e580fc7",
        "anonymous_id": "e6ab2c5e-2cda-44a9-a962-e2f67df78bca",
        "user_id": "9bb5d4c2-a7aa-4a36-9efb-dd2b1aec5d33",
        "event": event,
        "event_text": event and event.replace("_", " ").title(),
        "channel": "web",
        "context_app_build": "1.0.0",
        "context_app_name": "RudderLabs JavaScript SDK",
        "context_app_namespace": "com.rudderlabs.javascript",
        "context_app_version": "3.7.0",
        "context_ip": "203.0.113.7",
        "context_request_ip": "[2001:db8::1]:53708",
        "context_passed_ip": "203.0.113.7",
        "context_library_name": "RudderLabs JavaScript SDK",
        "context_locale": "en-GB",
        "context_os_name": "",
        "context_os_version": "",
        "context_page_url": "https://shop.example.com/vases?epik=dj0yJnU9YWJj",
        "context_page_path": "/vases",
        "context_page_search": "?epik=dj0yJnU9YWJj",
        "context_screen_density": 2,
        "context_timezone": "GMT+0000",
        "context_traits_email": "Maria.Rivera@example.com",
        "context_traits_phone": "+44 20 7946 0018",
        "context_traits_first_name": "Maria",
        "context_traits_last_name": "Rivera",
        "context_traits_gender": "F",
        "context_traits_birthday": "1990-03-14",
        "context_traits_address_city": "London",
        "context_traits_address_state": "England",
        "context_traits_address_zip": "SW1A 1AA",
        "context_traits_address_country": "UK",
        "context_user_agent": BROWSER,
        "sent_at": "2026-11-17T09:08:31.364000+00:00",
        "original_timestamp": "2026-11-17T09:08:31.362000+00:00",
        "timestamp": "2026-11-17T09:08:31.403000+00:00",
        "received_at": "2026-11-17T09:08:31.405000+00:00",
        "uuid_ts": "2026-11-17T09:09:02.000000+00:00",
        **columns,
    }


def expected(name, custom_data):
    """Return the event of such a row."""
    event = {
        "event_name": name,
        "action_source": "web",
        "event_time": 1794906511,
        "event_id": "a6a0ad5a-bd26-4f19-8f75-38484e580fc7",
        "event_source_url": "https://shop.example.com/vases?epik=dj0yJnU9YWJj",
        "language": "en",
        "user_data": {
            "em": [sha256("maria.rivera@example.com")],
            "ph": [sha256("442079460018")],
            "ge": [sha256("f")],
            "db": [sha256("19900314")],
            "ln": [sha256("rivera")],
            "fn": [sha256("maria")],
            "ct": [sha256("london")],
            "st": [sha256("england")],
            "zp": [sha256("sw1a1aa")],
            "country": [sha256("gb")],
            "external_id": [
                sha256("9bb5d4c2-a7aa-4a36-9efb-dd2b1aec5d33"),
                sha256("e6ab2c5e-2cda-44a9-a962-e2f67df78bca"),
            ],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": BROWSER,
            "click_id": "dj0yJnU9YWJj",
        },
        "device_info": {"locale": "en-GB", "timezone": "GMT+0000"},
    }
    return event if custom_data is None else {**event, "custom_data": custom_data}


ROWS = [
    (
        "payment_info_entered",
        {"checkout_id": "c-1", "order_id": "o-1001"},
        "add_payment_info",
        {"order_id": "o-1001"},
    ),
    ("product_added", {"currency": "GBP", **VASE_PRICED}, "add_to_cart", PAID),
    ("product_added_to_wishlist", {"currency": "GBP", **VASE_PRICED}, "add_to_wishlist", PAID),
    ("application_installed", {"version": "1.2.3", "build": 123}, "app_install", None),
    ("application_opened", {"from_background": False}, "app_open", None),
    (
        "order_completed",
        {
            "order_id": "o-1001",
            "total": 27.50,
            "revenue": 25.00,
            "currency": "GBP",
            "products": PRODUCTS,
        },
        "checkout",
        {"currency": "GBP", "value": "27.5", **TWO, "order_id": "o-1001"},
    ),
    (
        "checkout_started",
        {
            "order_id": "o-1001",
            "value": "30.00",
            "revenue": 25.00,
            "currency": "gbp",
            "products": PRODUCTS,
        },
        "initiate_checkout",
        {"currency": "GBP", "value": "30.00", **TWO, "order_id": "o-1001"},
    ),
    (
        "generate_lead",
        {"value": 5, "currency": "EUR", "name": "Maria Rivera"},
        "lead",
        {"currency": "EUR", "value": "5"},
    ),
    ("products_searched", {"query": "blue roses"}, "search", {"search_string": "blue roses"}),
    ("signed_up", {"email": "maria.rivera@example.com"}, "signup", None),
    ("trial_started", {"trial_plan_name": "Business"}, "start_trial", None),
    (
        "subscription_created",
        {"revenue": 9.99, "currency": "GBP"},
        "subscribe",
        {"currency": "GBP", "value": "9.99"},
    ),
    (
        "product_category_viewed",
        {"category": "Deals"},
        "view_category",
        {"content_category": "Deals"},
    ),
    (
        "product_list_viewed",
        {"list_id": "hot", "category": "Deals", "products": PRODUCTS},
        "view_category",
        {**TWO, "content_category": "Deals"},
    ),
    (
        "product_viewed",
        {**VASE_PRICED, "currency": "gbp"},
        "view_content",
        PAID,
    ),
    (
        "product_video_watched",
        {"sku": "S1"},
        "watch_video",
        {"content_ids": ["S1"], "contents": [{"id": "S1"}], "num_items": 1},
    ),
]


@pytest.mark.parametrize(
    ("event", "columns", "name", "custom_data"), ROWS, ids=[row[0] for row in ROWS]
)
def test_event_tables(event, columns, name, custom_data):
    """A row of an event's own table becomes the event of that meaning, and nothing is dropped."""
    notes = []
    assert events_of("rudderstack", [row(event, **columns)], notes=notes) == [
        expected(name, custom_data)
    ]
    assert notes == []


def test_pages():
    """A row of `pages` has no event, but a path.

    It is a category view if it has a category, as in RudderStack's own destination, otherwise a
    page visit.
    """
    page = {
        "name": "Vases",
        "category": "Shop",
        "path": "/vases",
        "url": "https://shop.example.com/vases?epik=dj0yJnU9YWJj",
        "search": "?epik=dj0yJnU9YWJj",
        "title": "Vases | Shop",
        "referrer": "$direct",
    }
    record = row(None, **page)
    for column in (
        "event",
        "event_text",
        "context_page_url",
        "context_page_path",
        "context_page_search",
    ):
        del record[column]
    named = {"content_name": "Vases", "content_category": "Shop"}
    uncategorized = {**record, "category": None}
    assert events_of("rudderstack", [record, uncategorized]) == [
        expected("view_category", named),
        expected("page_visit", {"content_name": "Vases"}),
    ]


def test_page_without_a_path():
    """`when: always` accepts rows that the preset's own condition skips."""
    record = {**row(None, name="Vases"), "event": None}
    (skipped,) = events_of("rudderstack", [record])
    assert skipped.reason is Skipped.WHEN
    events = events_of(
        "rudderstack", [record], when="always", fields={"event_name": "event || 'page'"}
    )
    assert [event["event_name"] for event in events] == ["page_visit"]


def test_tracks():
    """A row of `tracks` is an event too, with the same id, but without properties."""
    assert events_of("rudderstack", [row("order_completed")]) == [expected("checkout", None)]


def test_segment_warehouse():
    """Segment's warehouse tables have the same columns; its addresses have a postal code."""
    record = row(
        "order_completed", total=27.50, currency="GBP", products=PRODUCTS, order_id="o-1001"
    )
    record = {
        **record,
        "context_traits_address_zip": None,
        "context_traits_address_postal_code": "SW1A 1AA",
    }
    whole = expected("checkout", {"currency": "GBP", "value": "27.5", **TWO, "order_id": "o-1001"})
    assert events_of("rudderstack", [record]) == [whole]


APP = {
    "channel": "mobile",
    "context_app_name": "Shop",
    "context_app_namespace": "com.example.shop",
    "context_app_version": "5.4.5",
    "context_device_ad_tracking_enabled": True,
    "context_device_advertising_id": "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB",
    "context_device_id": "5094f5704b9cf2b3",
    "context_device_manufacturer": "Example",
    "context_device_model": "Phone 9",
    "context_device_name": "maria",
    "context_device_type": "Android",
    "context_ip": "203.0.113.7",
    "context_locale": "de-DE",
    "context_network_carrier": "Example Mobile",
    "context_network_wifi": True,
    "context_os_name": "Android",
    "context_os_version": "16",
    "context_timezone": "Europe/Berlin",
    "context_user_agent": "Dalvik/2.1.0 (Linux; U; Android 16; Phone 9)",
}


def app_row(event, **columns):
    """Return a row that an app's SDK sent."""
    base = {
        "id": "m-1",
        "anonymous_id": "a-1",
        "user_id": None,
        "event": event,
        "timestamp": "2026-11-17T09:08:31.403Z",
    }
    return {**base, **APP, **columns}


def test_app():
    """A row from an app has its source, its advertising id, and the known facts of the device."""
    assert events_of("rudderstack", [app_row("application_installed")]) == [
        {
            "event_name": "app_install",
            "action_source": "app_android",
            "event_time": 1794906511,
            "event_id": "m-1",
            "advertiser_tracking_enabled": True,
            "wifi": True,
            "language": "de",
            "user_data": {
                "external_id": [sha256("a-1")],
                "hashed_maids": [sha256("7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db")],
                "client_ip_address": "203.0.113.7",
                "client_user_agent": "Dalvik/2.1.0 (Linux; U; Android 16; Phone 9)",
            },
            "app_info": {
                "app_name": "Shop",
                "app_package_name": "com.example.shop",
                "app_version": "5.4.5",
                "user_agent": "Dalvik/2.1.0 (Linux; U; Android 16; Phone 9)",
            },
            "device_info": {
                "brand": "Example",
                "carrier": "Example Mobile",
                "locale": "de-DE",
                "model": "Phone 9",
                "os_name": "Android",
                "os_version": "16",
                "timezone": "Europe/Berlin",
                "type": "Android",
            },
        }
    ]


@pytest.mark.parametrize("enabled", [False, "false", "False", 0, "0"])
def test_tracking_off(enabled):
    """A user who turned tracking off on the device has opted out, and the id is not sent."""
    (event,) = events_of(
        "rudderstack", [app_row("application_opened", context_device_ad_tracking_enabled=enabled)]
    )
    assert "hashed_maids" not in event["user_data"]
    assert event["advertiser_tracking_enabled"] is False
    assert event["opt_out"] is True


@pytest.mark.parametrize(
    ("columns", "source"),
    [
        ({"context_traits_action_source": "offline", "action_source": "web"}, "offline"),
        ({"action_source": "APP_IOS"}, "app_ios"),
        ({"context_device_type": "iOS"}, "app_ios"),
        ({"context_device_type": "tvOS"}, "web"),
        ({"context_device_type": None, "channel": "server"}, "web"),
    ],
)
def test_action_source(columns, source):
    """The source is the row's own by RudderStack's documentation, then its device's, then web."""
    (event,) = events_of("rudderstack", [row("order_completed", **columns)])
    assert event["action_source"] == source


@pytest.mark.parametrize(
    ("amounts", "value"),
    [
        ({"value": 1.10, "total": 2, "revenue": 3}, "1.1"),
        ({"value": None, "total": "2.00", "revenue": 3}, "2.00"),
        ({"revenue": 3}, "3"),
        ({"price": 18.99, "quantity": 2}, "37.98"),
        ({"price": 4}, "4"),
        ({"products": [{"price": 2.5, "quantity": 3}, {"price": "1"}]}, "8.5"),
    ],
)
def test_value(amounts, value):
    """The value is value, then total, then revenue; a price alone is not a value."""
    (event,) = events_of("rudderstack", [row("order_completed", order_id="o-1", **amounts)])
    assert event["custom_data"].get("value") == value


@pytest.mark.parametrize(
    ("columns", "contents"),
    [
        (
            {"products": [{"sku": "S1"}, {"id": "I1"}, {"product_id": "P1"}]},
            [{"id": "S1"}, {"id": "I1"}, {"id": "P1"}],
        ),
        (
            {"products": '[{"product_id": "P1", "price": 7.50}]'},
            [{"id": "P1", "item_price": "7.50"}],
        ),
        ({"products": "[]", "product_id": "P1"}, [{"id": "P1"}]),
        ({"products": None, "sku": 4711}, [{"id": "4711"}]),
        ({"name": "x", "price": 1}, None),
    ],
)
def test_contents(columns, contents):
    """Products are from the column products, otherwise one product's row; never the row's id."""
    (event,) = events_of("rudderstack", [row("order_completed", **columns)])
    assert event.get("custom_data", {}).get("contents") == contents


def test_documented_properties():
    """The properties documented for Pinterest, numOfItems and optOutType, are used."""
    notes = []
    (event,) = events_of(
        "rudderstack",
        [
            row(
                "order_completed",
                num_of_items=7,
                opt_out_type="LDP",
                products=PRODUCTS,
                value=0.5,
                currency="GBP",
            )
        ],
        notes=notes,
    )
    assert event["custom_data"] == {
        **TWO,
        "value": "0.5",
        "currency": "GBP",
        "num_items": 7,
        "opt_out_type": "LDP",
    }
    assert notes == [("custom_data.opt_out_type", "ldp_without_effect")]  # it is the UK


def test_names_of_people_stay_out():
    """A column `name` may be a person's, except of a product or a page.

    It is not sent in plain text.
    """
    (event,) = events_of("rudderstack", [row("generate_lead", name="Maria Rivera")])
    assert "Rivera" not in json.dumps(event)


def test_nulls():
    """Nulls in all columns except the necessary ones remove their fields, and nothing else."""
    needed = {"id", "event", "timestamp", "context_ip", "context_user_agent"}
    full = {
        **row(
            "product_viewed", **VASE_PRICED, products=None, value=None, currency=None, query=None
        ),
        **dict.fromkeys(APP),
    }
    full = {**full, "context_ip": "203.0.113.7", "context_user_agent": BROWSER}
    record = {column: value if column in needed else None for column, value in full.items()}
    assert events_of("rudderstack", [record]) == [
        {
            "event_name": "view_content",
            "action_source": "web",
            "event_time": 1794906511,
            "event_id": "a6a0ad5a-bd26-4f19-8f75-38484e580fc7",
            "user_data": {"client_ip_address": "203.0.113.7", "client_user_agent": BROWSER},
        }
    ]


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ("product_removed", "product_removed"),
        ("order_refunded", "order_refunded"),
        ("Order Completed", None),
        ("button_clicked", None),
    ],
)
def test_unlisted(event, shown):
    """Other events are skipped: those of RudderStack's specification by name, others counted."""
    (result,) = events_of("rudderstack", [row(event)])
    assert isinstance(result, SkippedRecord)
    assert (result.reason, result.name) == (Skipped.NOT_LISTED, shown)


def test_neither_event_nor_page():
    """Rows of identifies, users and screens are skipped, not invalid."""
    identify = {
        "id": "m-1",
        "user_id": "u-1",
        "email": "maria.rivera@example.com",
        "timestamp": "2026-11-17T09:08:31Z",
    }
    (result,) = events_of("rudderstack", [identify])
    assert isinstance(result, SkippedRecord)
    assert result.reason is Skipped.WHEN


def test_own_condition():
    """A user's `when` is combined with the preset's."""
    records = [row("order_completed", consent=True), row("order_completed", consent=False)]
    event, skipped = events_of("rudderstack", records, when="consent == `true`")
    assert event == expected("checkout", None)
    assert skipped.reason is Skipped.WHEN


def test_nobody():
    """A row that identifies nobody is invalid."""
    (result,) = events_of(
        "rudderstack",
        [{"id": "m-1", "event": "order_completed", "timestamp": "2026-11-17T09:08:31Z"}],
    )
    assert isinstance(result, InvalidRecord)
    assert result.reason is Invalid.NO_IDENTIFIER


@pytest.mark.parametrize("column", ["timestamp", "_timestamp", "original_timestamp"])
def test_event_time(column):
    """The time is timestamp, in data lakes _timestamp, then original_timestamp."""
    record = {
        **row("order_completed", timestamp=None, original_timestamp=None),
        column: "2026-11-17T08:00:00Z",
    }
    assert events_of("rudderstack", [record])[0]["event_time"] == 1794902400


def test_click_id():
    """The click id is also found if the page's URL has no query."""
    (event,) = events_of(
        "rudderstack", [row("order_completed", context_page_url="https://shop.example.com/")]
    )
    assert event["user_data"]["click_id"] == "dj0yJnU9YWJj"


@pytest.mark.parametrize("prefix", ["context_traits_", "context_traits_address_"])
@pytest.mark.parametrize(
    "names",
    [
        {
            "first_name": "Maria",
            "last_name": "Rivera",
            "email": "m@example.com",
            "phone": "+44 20 7946 0018",
        },
        {
            "context_traits_firstname": "Maria",
            "context_traits_lastname": "Rivera",
            "context_traits_email": "m@example.com",
            "context_traits_phone": "+44 20 7946 0018",
        },
    ],
    ids=["properties", "traits"],
)
def test_other_spellings(prefix, names):
    """Traits without an underscore, and personal data in the properties, are used as well."""
    address = {
        f"{prefix}city": "London",
        f"{prefix}state": "England",
        f"{prefix}zip": "SW1A 1AA",
        f"{prefix}country": "UK",
    }
    record = {
        "id": "m-1",
        "event": "signed_up",
        "timestamp": "2026-11-17T09:08:31Z",
        **names,
        **address,
    }
    (event,) = events_of("rudderstack", [record])
    assert event["user_data"] == {
        "em": [sha256("m@example.com")],
        "ph": [sha256("442079460018")],
        "ln": [sha256("rivera")],
        "fn": [sha256("maria")],
        "ct": [sha256("london")],
        "st": [sha256("england")],
        "zp": [sha256("sw1a1aa")],
        "country": [sha256("gb")],
    }


@pytest.mark.parametrize("event", ["Order_Completed", " order_completed ", "ORDER_COMPLETED"])
def test_names_in_any_case(event):
    """Case and surrounding spaces of a name make no difference."""
    (made,) = events_of("rudderstack", [row(event)])
    assert made["event_name"] == "checkout"


BIRTHDAY = sha256("19900314")


@pytest.mark.parametrize(
    ("columns", "path", "value"),
    [
        ({"click_id": "dj0y"}, "user_data.click_id", "dj0y"),
        ({"partner_id": "p-1"}, "user_data.partner_id", "p-1"),
        ({"content_name": "Sale"}, "custom_data.content_name", "Sale"),
        ({"content_brand": "Rivera"}, "custom_data.content_brand", "Rivera"),
        ({"channel": "offline"}, "action_source", "offline"),
        *[
            ({"context_traits_birthday": None, name: "1990-03-14"}, "user_data.db", [BIRTHDAY])
            for name in ("context_traits_date_of_birth", "context_traits_dateofbirth")
        ],
        (
            {"context_traits_birthday": "", "context_traits_dob": "1990-03-14"},
            "user_data.db",
            [BIRTHDAY],
        ),
        *[
            (
                {"user_id": None, "anonymous_id": None, name: "u-1"},
                "user_data.external_id",
                [sha256("u-1")],
            )
            for name in ("context_traits_user_id", "context_traits_id")
        ],
        ({"channel": "mobile"}, "action_source", "web"),
        ({"context_traits_action_source": "offline", "channel": "web"}, "action_source", "offline"),
    ],
)
def test_names_of_the_destination(columns, path, value):
    """What RudderStack's destination reads is read from the columns of its warehouse tables."""
    (event,) = events_of("rudderstack", [row("order_completed", **columns)])
    for member in path.split("."):
        event = event[member]
    assert event == value


@pytest.mark.parametrize(
    ("when", "column", "sent"),
    [
        (
            "contains(context_consent_management_allowed_consent_ids, 'Advertising')",
            "context_consent_management_allowed_consent_ids",
            {'["Analytics", "Advertising"]': True, '["Analytics"]': False, None: False},
        ),
        (
            "context_consent_category_preferences_advertising",
            "context_consent_category_preferences_advertising",
            {True: True, "true": True, False: False, "false": False, None: False},
        ),
    ],
    ids=["RudderStack", "Segment"],
)
def test_consent(when, column, sent):
    """The columns of consent categories can decide which rows are sent."""
    rows = [row("order_completed", **{column: value}) for value in sent]
    results = events_of("rudderstack", rows, when=when)
    assert [not isinstance(result, SkippedRecord) for result in results] == list(sent.values())

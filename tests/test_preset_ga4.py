"""Preset `ga4`: rows of the BigQuery export of Google Analytics 4, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

UNSET = "(not set)"
JOINED = {"fields": {"user_data.em": "email"}}  # web rows identify nobody: what a user adds
TIMED_ID = ".1794906511905123.1905123.1794906511900.3.2"


def params(**given):
    """Return event_params, each value in the member for its type, like the export."""
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    empty = {"string_value": None, "int_value": None, "float_value": None, "double_value": None}
    return [
        {"key": key, "value": {**empty, kinds[type(value)]: value}} for key, value in given.items()
    ]


def item(**given):
    """Return an item of the export, including unset members."""
    texts = (
        "item_id",
        "item_name",
        "item_brand",
        "item_variant",
        "item_category",
        "item_category2",
        "coupon",
        "affiliation",
    )
    numbers = ("price_in_usd", "price", "quantity", "item_revenue")
    return {**dict.fromkeys(texts, UNSET), **dict.fromkeys(numbers), **given}


VASE = item(
    item_id="SKU_71",
    item_name="Blue Vase",
    item_brand="Rivera",
    item_category="Home",
    price=19.9,
    price_in_usd=21.3,
    quantity=1,
)
CANDLE = item(item_id="SKU_72", item_name="Candle", price=3.0, quantity=2)
VASE_ITEM = {
    "id": "SKU_71",
    "item_name": "Blue Vase",
    "item_price": "19.9",
    "quantity": 1,
    "item_category": "Home",
    "item_brand": "Rivera",
}
CANDLE_ITEM = {"id": "SKU_72", "item_name": "Candle", "item_price": "3.0", "quantity": 2}
ONE = {"content_ids": ["SKU_71"], "contents": [VASE_ITEM], "num_items": 1}
PAID = {"currency": "EUR", "value": "19.9", **ONE}
TWO = {"content_ids": ["SKU_71", "SKU_72"], "contents": [VASE_ITEM, CANDLE_ITEM], "num_items": 3}
PAGE = {
    "page_location": "https://shop.example.com/vases?epik=abc",
    "page_title": "Vases",
    "ga_session_id": 1794906400,
    "engagement_time_msec": 12,
}


def row(event_name, event_params=None, items=(), **columns):
    """Return a row of a web stream, with an e-mail address joined by its owner."""
    return {
        "event_date": "20261117",
        "event_timestamp": 1794906511905123,
        "event_name": event_name,
        "event_params": params(**PAGE, **(event_params or {})),
        "event_previous_timestamp": None,
        "event_value_in_usd": None,
        "event_bundle_sequence_id": 1905123,
        "event_server_timestamp_offset": None,
        "user_id": "98765",
        "user_pseudo_id": "1234567890.1794900000",
        "privacy_info": {
            "analytics_storage": "Yes",
            "ads_storage": "Yes",
            "uses_transient_token": "No",
        },
        "user_properties": [],
        "user_first_touch_timestamp": 1794900000000000,
        "user_ltv": {"revenue": 0.0, "currency": "EUR"},
        "device": {
            "category": "desktop",
            "mobile_brand_name": "Google",
            "mobile_model_name": "Chrome",
            "mobile_marketing_name": None,
            "mobile_os_hardware_model": None,
            "operating_system": "Linux",
            "operating_system_version": "Linux 6.1",
            "vendor_id": None,
            "advertising_id": None,
            "language": "de-de",
            "is_limited_ad_tracking": "No",
            "time_zone_offset_seconds": None,
            "browser": None,
            "browser_version": None,
            "web_info": {
                "browser": "Chrome",
                "browser_version": "142.0",
                "hostname": "shop.example.com",
            },
        },
        "geo": {
            "city": "Berlin",
            "country": "Germany",
            "continent": "Europe",
            "region": "Berlin",
            "sub_continent": "Western Europe",
            "metro": UNSET,
        },
        "app_info": None,
        "traffic_source": {"medium": "cpc", "name": UNSET, "source": "pinterest"},
        "stream_id": "1234567890",
        "platform": "WEB",
        "event_dimensions": None,
        "ecommerce": None,
        "items": list(items),
        "is_active_user": True,
        "batch_event_index": 2,
        "batch_page_id": 1794906511900,
        "batch_ordering_id": 3,
        "email": "maria.rivera@example.com",
        **columns,
    }


def expected(name, event_id, custom_data):
    """Return the event of such a row."""
    event = {
        "event_name": name,
        "action_source": "web",
        "event_time": 1794906511,
        "event_id": event_id,
        "event_source_url": "https://shop.example.com/vases?epik=abc",
        "language": "de",
        "user_data": {
            "em": [sha256("maria.rivera@example.com")],
            "ct": [sha256("berlin")],
            "st": [sha256("berlin")],
            "country": [sha256("de")],
            "external_id": [sha256("98765"), sha256("1234567890.1794900000")],
            "click_id": "abc",
        },
        "device_info": {"form_factor": "desktop", "os_name": "Linux", "os_version": "Linux 6.1"},
    }
    return event if custom_data is None else {**event, "custom_data": custom_data}


EUR = {"currency": "EUR"}
ECOMMERCE = {
    "total_item_quantity": 3,
    "purchase_revenue_in_usd": 27.7,
    "purchase_revenue": 25.9,
    "shipping_value": 3.0,
    "tax_value": None,
    "unique_items": 2,
    "transaction_id": "T-1001",
}
ROWS = [
    (
        row(
            "purchase",
            {**EUR, "value": 25.9, "transaction_id": "T-1001"},
            [VASE, CANDLE],
            ecommerce=ECOMMERCE,
        ),
        "checkout",
        "T-1001",
        {"currency": "EUR", "value": "25.9", **TWO, "order_id": "T-1001"},
    ),
    (row("page_view"), "page_visit", None, {"content_name": "Vases"}),
    (row("generate_lead", {**EUR, "value": 5}), "lead", None, {"currency": "EUR", "value": "5"}),
    (row("sign_up", {"method": "email"}), "signup", None, None),
    (
        row("view_item_list", {"item_list_name": "Related"}, [VASE, CANDLE]),
        "view_category",
        None,
        TWO,
    ),
    (
        row("view_item", {**EUR, "value": 19.9}, [VASE]),
        "view_content",
        None,
        {"currency": "EUR", "value": "19.9", **ONE},
    ),
    (
        row("begin_checkout", {**EUR, "value": 25.9}, [VASE, CANDLE]),
        "initiate_checkout",
        None,
        {"currency": "EUR", "value": "25.9", **TWO},
    ),
    (
        row("add_to_cart", {**EUR, "value": 19.9}, [VASE]),
        "add_to_cart",
        None,
        {"currency": "EUR", "value": "19.9", **ONE},
    ),
    (
        row("add_to_wishlist", {**EUR, "value": 19.9}, [VASE]),
        "add_to_wishlist",
        None,
        {"currency": "EUR", "value": "19.9", **ONE},
    ),
    (row("add_payment_info", {**EUR}, [VASE]), "add_payment_info", None, PAID),
    (row("search", {"search_term": "blue roses"}), "search", None, {"search_string": "blue roses"}),
]
NAMES = [record["event_name"] for record, *_ in ROWS]


@pytest.mark.parametrize(("record", "name", "event_id", "custom_data"), ROWS, ids=NAMES)
def test_web(record, name, event_id, custom_data):
    """A recommended event becomes the Pinterest event with that meaning, and nothing is dropped."""
    notes = []
    whole = expected(name, event_id or record["event_name"] + TIMED_ID, custom_data)
    assert events_of("ga4", [record], notes=notes, **JOINED) == [whole]
    assert notes == []


@pytest.mark.parametrize(("record", "name", "event_id", "custom_data"), ROWS, ids=NAMES)
def test_json_text(record, name, event_id, custom_data):
    """Records and arrays of the export may be JSON text, numbers may be text."""
    text = {
        column: json.dumps(value)
        if isinstance(value, dict | list)
        else value
        if value is None
        else str(value)
        for column, value in record.items()
    }
    assert events_of("ga4", [text], **JOINED) == [
        expected(name, event_id or record["event_name"] + TIMED_ID, custom_data)
    ]


APP = {
    "platform": "IOS",
    "app_info": {
        "id": "com.example.shop",
        "firebase_app_id": "1:234:ios:abc",
        "install_source": "iTunes",
        "version": "5.4.5",
        "install_store": None,
    },
    "device": {
        "category": "mobile",
        "mobile_brand_name": "Apple",
        "mobile_model_name": "iPhone",
        "operating_system": "iOS",
        "operating_system_version": "iOS 26.1",
        "vendor_id": None,
        "advertising_id": "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB",
        "language": "en-us",
        "is_limited_ad_tracking": "No",
        "time_zone_offset_seconds": -28800,
    },
    "geo": {"city": "Sacramento", "country": "United States", "region": "California"},
}


def app_row(**columns):
    """Return a row of an app's stream: its first start, before anyone signed in."""
    record = row(
        "first_open",
        user_id=None,
        batch_event_index=None,
        batch_page_id=None,
        batch_ordering_id=None,
        **{**APP, **columns},
    )
    record["event_params"] = params(previous_first_open_count=0, ga_session_id=1794906400)
    del record["email"]
    return record


def test_app():
    """A first start is an installation; an app identifies by its advertising id."""
    notes = []
    assert events_of("ga4", [app_row()], notes=notes) == [
        {
            "event_name": "app_install",
            "action_source": "app_ios",
            "event_time": 1794906511,
            "event_id": "first_open.1794906511905123.1905123.0.0.0",
            "language": "en",
            "user_data": {
                "ct": [sha256("sacramento")],
                "st": [sha256("ca")],
                "country": [sha256("us")],
                "external_id": [sha256("1234567890.1794900000")],
                "hashed_maids": [sha256("7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db")],
            },
            "app_info": {
                "app_package_name": "com.example.shop",
                "app_store": "iTunes",
                "app_version": "5.4.5",
            },
            "device_info": {
                "brand": "Apple",
                "form_factor": "cellphone",
                "model": "iPhone",
                "os_name": "iOS",
                "os_version": "iOS 26.1",
            },
        }
    ]
    assert notes == []


def test_tracking_off():
    """A user who limited ad tracking on the device has opted out, and the id is not sent."""
    device = {**APP["device"], "is_limited_ad_tracking": "Yes"}
    (result,) = events_of("ga4", [app_row(device=device)])
    assert isinstance(result, InvalidRecord)
    (event,) = events_of(
        "ga4", [{**app_row(device=device), "email": "maria.rivera@example.com"}], **JOINED
    )
    assert "hashed_maids" not in event["user_data"]
    assert event["opt_out"] is True


@pytest.mark.parametrize(
    ("platform", "source"),
    [("WEB", "web"), ("IOS", "app_ios"), ("ANDROID", "app_android"), ("Android", "app_android")],
)
def test_action_source(platform, source):
    """The row's platform is the source."""
    (event,) = events_of("ga4", [row("search", platform=platform)], **JOINED)
    assert event["action_source"] == source


@pytest.mark.parametrize("platform", [None, "TV"])
def test_no_platform(platform):
    """The source is not guessed if the platform is missing; a default of the user sets it."""
    (result,) = events_of("ga4", [row("search", platform=platform)], **JOINED)
    assert (result.reason, result.field) == (Invalid.MISSING_FIELD, "action_source")
    (event,) = events_of(
        "ga4", [row("search", platform=platform)], defaults={"action_source": "web"}, **JOINED
    )
    assert event["action_source"] == "web"


@pytest.mark.parametrize(
    ("name", "event_params", "ecommerce", "event_id", "order_id"),
    [
        (
            "purchase",
            {"event_id": "e-1", "transaction_id": "T-1"},
            {"transaction_id": "T-1"},
            "e-1",
            "T-1",
        ),
        ("purchase", {"event_id": 77}, {"transaction_id": "T-1"}, "77", "T-1"),
        ("purchase", {}, {"transaction_id": "T-3"}, "T-3", "T-3"),
        ("purchase", {"transaction_id": "T-2"}, {"transaction_id": UNSET}, "T-2", "T-2"),
        ("purchase", {"transaction_id": 1002}, None, "1002", "1002"),
        ("purchase", {}, {"transaction_id": UNSET}, "purchase" + TIMED_ID, None),
        ("add_to_cart", {"event_id": "e-2"}, None, "e-2", None),
        (
            "begin_checkout",
            {"transaction_id": "T-1"},
            {"transaction_id": "T-1"},
            "begin_checkout" + TIMED_ID,
            None,
        ),
    ],
)
def test_event_id(name, event_params, ecommerce, event_id, order_id):
    """The id is event_id, then a purchase's transaction id, then time, bundle and position."""
    (event,) = events_of("ga4", [row(name, event_params, [VASE], ecommerce=ecommerce)], **JOINED)
    assert event["event_id"] == event_id
    assert event["custom_data"].get("order_id") == order_id


@pytest.mark.parametrize(
    ("event_params", "ecommerce", "value"),
    [
        ({"value": 19.9}, {"purchase_revenue": 5.0}, "19.9"),
        ({"value": 20}, None, "20"),
        ({"value": 0}, {"purchase_revenue": 5.0}, "0"),
        ({"value": "20.50"}, None, "20.50"),
        ({}, {"purchase_revenue": 5.5}, "5.5"),
        ({}, None, "19.9"),
    ],
)
def test_value(event_params, ecommerce, value):
    """The value is the parameter of that name, then the purchase's revenue, then the items' sum."""
    (event,) = events_of(
        "ga4", [row("purchase", event_params, [VASE], ecommerce=ecommerce)], **JOINED
    )
    assert event["custom_data"].get("value") == value


@pytest.mark.parametrize(
    ("items", "contents"),
    [
        ([], None),
        (None, None),
        ([item(item_id="SKU_1")], [{"id": "SKU_1"}]),
        (
            [item(item_name="Vase", price=0.0)],
            [{"id": "Vase", "item_name": "Vase", "item_price": "0.0"}],
        ),
        ([item()], None),
        ([item(item_id=None), None, VASE], [VASE_ITEM]),
    ],
)
def test_contents(items, contents):
    """Items are the products; unset members are dropped."""
    (event,) = events_of(
        "ga4", [{**row("view_item", {"currency": "EUR"}), "items": items}], **JOINED
    )
    assert event["custom_data"].get("contents") == contents


def test_unset_place():
    """A place that Google did not find is dropped."""
    geo = {"city": UNSET, "country": UNSET, "region": ""}
    (event,) = events_of("ga4", [row("sign_up", geo=geo)], **JOINED)
    assert event["user_data"].keys() == {"em", "external_id", "click_id"}


@pytest.mark.parametrize(
    ("category", "form_factor"),
    [
        ("mobile", "cellphone"),
        ("tablet", "tablet"),
        ("desktop", "desktop"),
        ("smart tv", "tv"),
        (UNSET, None),
    ],
)
def test_form_factor(category, form_factor):
    """Google's device categories in Pinterest's words.

    An unknown one is dropped without a note.
    """
    notes = []
    record = row("sign_up")
    (event,) = events_of(
        "ga4",
        [{**record, "device": {**record["device"], "category": category}}],
        notes=notes,
        **JOINED,
    )
    assert event["device_info"].get("form_factor") == form_factor
    assert notes == []


def test_nulls():
    """Nulls in all columns except the necessary ones remove their fields, and nothing else."""
    needed = {"event_name", "event_timestamp", "platform", "email"}
    record = {
        column: value if column in needed else None for column, value in row("purchase").items()
    }
    assert events_of("ga4", [record], **JOINED) == [
        {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": 1794906511,
            "event_id": "purchase.1794906511905123.0.0.0.0",
            "user_data": {"em": [sha256("maria.rivera@example.com")]},
        }
    ]


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("add_shipping_info", "initiate_checkout"),
        ("select_item", "view_content"),
        ("select_promotion", "view_content"),
        ("view_promotion", "view_content"),
        ("refund", "custom"),
        ("remove_from_cart", "custom"),
        ("view_cart", "custom"),
        ("Purchase", "checkout"),
        ("buy", "checkout"),
        ("watchvideo", "watch_video"),
        ("startTrial", "start_trial"),
        ("completeRegistration", "signup"),
    ],
)
def test_names_are_those_of_pinterests_own_tag(event: str, name: str):
    """The tag for server-side Tag Manager translates each in this way, in any case."""
    (result,) = events_of("ga4", [row(event)], **JOINED)
    assert result["event_name"] == name


def test_parameters_that_the_tag_reads():
    """Parameters for Pinterest's own tag are read here too: above all an opt-out."""
    parameters = {
        "opt_out_type": "LDP",
        "content_category": "Shoes",
        "content_brand": "Acme",
        "predicted_ltv": 99.5,
        "order_id": "A-7",
    }
    (result,) = events_of("ga4", [row("sign_up", parameters)], **JOINED)
    assert parameters | {"predicted_ltv": "99.5"} == {
        name: result["custom_data"][name] for name in parameters
    }


@pytest.mark.parametrize("event", ["session_start", "user_engagement", "first_visit"])
def test_unlisted(event):
    """Events that the preset does not list are skipped by their name."""
    (result,) = events_of("ga4", [row(event)], **JOINED)
    assert isinstance(result, SkippedRecord)
    assert (result.reason, result.name) == (Skipped.NOT_LISTED, event)


def test_nobody():
    """A web row alone identifies nobody.

    The export has neither e-mail nor IP address and user agent.
    """
    (result,) = events_of("ga4", [row("purchase", {"value": 5})])
    assert isinstance(result, InvalidRecord)
    assert result.reason is Invalid.NO_IDENTIFIER


def test_consent():
    """The recipe for consent skips people who did not consent."""
    denied = row("sign_up", privacy_info={"ads_storage": "No"})
    event, skipped = events_of(
        "ga4", [row("sign_up"), denied], when="privacy_info.ads_storage == 'Yes'", **JOINED
    )
    assert event["event_name"] == "signup"
    assert skipped.reason is Skipped.WHEN


@pytest.mark.parametrize(
    "name",
    [
        "app_open",
        "app_install",
        "subscribe",
        "start_trial",
        "schedule",
        "contact",
        "find_location",
        "customize_product",
        "submit_application",
    ],
)
def test_names_that_pinterest_has_too(name):
    """Events with Pinterest's names are sent."""
    (event,) = events_of("ga4", [row(name)], **JOINED)
    assert event["event_name"] == name


@pytest.mark.parametrize("name", ["Purchase", " purchase "])
def test_names_in_any_case(name):
    """Case and surrounding spaces of a name make no difference, nor for its order."""
    (event,) = events_of("ga4", [row(name, {"transaction_id": "T-1"})], **JOINED)
    assert (event["event_name"], event["event_id"]) == ("checkout", "T-1")


def test_lists_have_no_value():
    """The products of a list view are not an amount."""
    (event,) = events_of("ga4", [row("view_item_list", {}, [VASE])], **JOINED)
    assert "value" not in event["custom_data"]

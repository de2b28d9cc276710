"""Preset `segment`: track and page calls of Segment's specification, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
VASE = {
    "product_id": "507f1f77bcf86cd799439011",
    "sku": "45790-32",
    "name": "Blue Vase",
    "price": 19.90,
    "quantity": 1,
    "category": "Home",
    "brand": "Rivera",
    "variant": "large",
    "url": "https://shop.example.com/p/blue-vase",
    "image_url": "https://shop.example.com/p/blue-vase.jpg",
}
CANDLE = {
    "product_id": "505bd76785ebb509fc183733",
    "sku": "46493-32",
    "name": "Candle",
    "price": 3,
    "quantity": 2,
    "category": "Home",
}
VASE_ITEM = {
    "id": "507f1f77bcf86cd799439011",
    "item_name": "Blue Vase",
    "item_price": "19.9",
    "quantity": 1,
    "item_category": "Home",
    "item_brand": "Rivera",
}
CANDLE_ITEM = {
    "id": "505bd76785ebb509fc183733",
    "item_name": "Candle",
    "item_price": "3",
    "quantity": 2,
    "item_category": "Home",
}
ONE = {
    "content_ids": [VASE_ITEM["id"]],
    "contents": [VASE_ITEM],
    "num_items": 1,
    "content_name": "Blue Vase",
    "content_category": "Home",
    "content_brand": "Rivera",
}
PAID = {"currency": "USD", "value": "19.9", **ONE}
TWO = {
    "content_ids": [VASE_ITEM["id"], CANDLE_ITEM["id"]],
    "contents": [VASE_ITEM, CANDLE_ITEM],
    "num_items": 3,
}


def track(event, properties, **changes):
    """Return a track call as analytics.js sends it and Segment stores it."""
    return {
        "anonymousId": "507f191e810c19729de860ea",
        "channel": "client",
        "context": {
            "ip": "203.0.113.7",
            "library": {"name": "analytics.js", "version": "next-1.70.0"},
            "locale": "en-US",
            "page": {
                "path": "/shop",
                "referrer": "",
                "search": "?epik=dj0yJnU9YWJj",
                "title": "Shop",
                "url": "https://shop.example.com/shop?epik=dj0yJnU9YWJj",
            },
            "timezone": "America/Los_Angeles",
            "traits": {
                "email": "Maria.Rivera@Example.com ",
                "phone": "+1 (415) 555-0132",
                "firstName": "Maria",
                "lastName": "Rivera",
                "gender": "female",
                "birthday": "1990-03-14",
                "address": {
                    "city": "San Francisco",
                    "state": "California",
                    "postalCode": "94103",
                    "country": "USA",
                    "street": "1 Main St",
                },
            },
            "userAgent": BROWSER,
        },
        "event": event,
        "integrations": {},
        "messageId": "022bb90c-bbac-11e4-8dfc-aa07a5b093db",
        "originalTimestamp": "2026-11-17T09:08:31.901Z",
        "properties": properties,
        "receivedAt": "2026-11-17T09:08:31.909Z",
        "sentAt": "2026-11-17T09:08:31.581Z",
        "timestamp": "2026-11-17T09:08:31.905Z",
        "type": "track",
        "userId": "97980cfea0067",
        "version": 2,
        **changes,
    }


def expected(name, custom_data, **changes):
    """Return the event of such a call."""
    event = {
        "event_name": name,
        "action_source": "web",
        "event_time": 1794906511,
        "event_id": "022bb90c-bbac-11e4-8dfc-aa07a5b093db",
        "event_source_url": "https://shop.example.com/shop?epik=dj0yJnU9YWJj",
        "language": "en",
        "user_data": {
            "em": [sha256("maria.rivera@example.com")],
            "ph": [sha256("14155550132")],
            "ge": [sha256("f")],
            "db": [sha256("19900314")],
            "ln": [sha256("rivera")],
            "fn": [sha256("maria")],
            "ct": [sha256("sanfrancisco")],
            "st": [sha256("ca")],
            "zp": [sha256("94103")],
            "country": [sha256("us")],
            "external_id": [sha256("97980cfea0067"), sha256("507f191e810c19729de860ea")],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": BROWSER,
            "click_id": "dj0yJnU9YWJj",
        },
        "custom_data": custom_data,
        "device_info": {"locale": "en-US", "timezone": "America/Los_Angeles"},
        **changes,
    }
    return {member: value for member, value in event.items() if value is not None}


CALLS = [
    (
        "Payment Info Entered",
        {"checkout_id": "c-1", "order_id": "o-1001", "payment_method": "Visa"},
        "add_payment_info",
        {"order_id": "o-1001"},
    ),
    ("Product Added", {"currency": "USD", **VASE}, "add_to_cart", PAID),
    ("Product Added to Wishlist", {"currency": "USD", **VASE}, "add_to_wishlist", PAID),
    ("Application Installed", {"version": "1.2.3", "build": "123"}, "app_install", None),
    ("Application Opened", {"from_background": False, "url": "shopapp://open"}, "app_open", None),
    (
        "Order Completed",
        {
            "checkout_id": "c-1",
            "order_id": "o-1001",
            "total": 27.50,
            "subtotal": 22.50,
            "revenue": 25.00,
            "shipping": 3,
            "tax": 2,
            "discount": 2.5,
            "coupon": "hello",
            "currency": "USD",
            "products": [VASE, CANDLE],
        },
        "checkout",
        {"currency": "USD", "value": "27.5", **TWO, "order_id": "o-1001"},
    ),
    (
        "Checkout Started",
        {
            "order_id": "o-1001",
            "value": 30,
            "revenue": 25.00,
            "currency": "usd",
            "products": [VASE, CANDLE],
        },
        "initiate_checkout",
        {"currency": "USD", "value": "30", **TWO, "order_id": "o-1001"},
    ),
    (
        "Generate Lead",
        {"value": 5, "currency": "EUR", "name": "Maria Rivera"},
        "lead",
        {"currency": "EUR", "value": "5"},
    ),
    ("Products Searched", {"query": "blue roses"}, "search", {"search_string": "blue roses"}),
    (
        "Signed Up",
        {"type": "organic", "title": "Mr", "email": "maria.rivera@example.com"},
        "signup",
        None,
    ),
    (
        "Trial Started",
        {"trial_start_date": "2026-11-17T00:00:00Z", "trial_plan_name": "Business"},
        "start_trial",
        None,
    ),
    (
        "Subscription Created",
        {"revenue": "9.99", "currency": "GBP"},
        "subscribe",
        {"currency": "GBP", "value": "9.99"},
    ),
    (
        "Product Category Viewed",
        {"category": "Deals"},
        "view_category",
        {"content_category": "Deals"},
    ),
    (
        "Product List Viewed",
        {"list_id": "hot_deals_1", "category": "Deals", "products": [VASE, CANDLE]},
        "view_category",
        {**TWO, "content_category": "Deals"},
    ),
    (
        "Product Viewed",
        {**VASE, "value": 19.90, "currency": "usd"},
        "view_content",
        {"currency": "USD", "value": "19.9", **ONE},
    ),
    (
        "Product Video Watched",
        {"product_id": "P1"},
        "watch_video",
        {"content_ids": ["P1"], "contents": [{"id": "P1"}], "num_items": 1},
    ),
]


@pytest.mark.parametrize(
    ("event", "properties", "name", "custom_data"), CALLS, ids=[call[0] for call in CALLS]
)
def test_track(event, properties, name, custom_data):
    """A track call of the specifications becomes the matching event, and nothing is dropped."""
    notes = []
    assert events_of("segment", [track(event, properties)], notes=notes) == [
        expected(name, custom_data)
    ]
    assert notes == []


@pytest.mark.parametrize(
    ("event", "properties", "name", "custom_data"), CALLS, ids=[call[0] for call in CALLS]
)
def test_json_text(event, properties, name, custom_data):
    """The columns properties and context may be JSON text."""
    record = track(event, properties)
    record = {
        **record,
        "properties": json.dumps(record["properties"]),
        "context": json.dumps(record["context"]),
    }
    assert events_of("segment", [record]) == [expected(name, custom_data)]


def test_page():
    """A page call is a page visit, with the page's name and category."""
    properties = {"name": "Vases", "title": "Vases | Shop", "url": "https://shop.example.com/v"}
    record = track(None, properties, type="page", name="Vases", category="Shop")
    del record["event"]
    assert events_of("segment", [record]) == [
        expected("page_visit", {"content_name": "Vases", "content_category": "Shop"})
    ]


def test_page_without_page_context():
    """A page call from a server has its URL, with the click id, in its properties."""
    record = {
        "type": "page",
        "messageId": "m-1",
        "timestamp": "2026-11-17T09:08:31Z",
        "anonymousId": "a-1",
        "properties": {"url": "https://shop.example.com/?epik=abc"},
        "context": {"ip": "2001:db8::17", "userAgent": BROWSER},
    }
    assert events_of("segment", [record]) == [
        {
            "event_name": "page_visit",
            "action_source": "web",
            "event_time": 1794906511,
            "event_id": "m-1",
            "event_source_url": "https://shop.example.com/?epik=abc",
            "user_data": {
                "external_id": [sha256("a-1")],
                "client_ip_address": "2001:db8::17",
                "client_user_agent": BROWSER,
                "click_id": "abc",
            },
        }
    ]


PHONE = {
    "app": {
        "name": "Shop",
        "version": "5.4.5",
        "build": "3.0.1.545",
        "namespace": "com.example.shop",
    },
    "device": {
        "id": "B5372DB0-C21E-11E4-8DFC-AA07A5B093DB",
        "advertisingId": "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB",
        "adTrackingEnabled": True,
        "manufacturer": "Apple",
        "model": "iPhone17,2",
        "name": "maguro",
        "type": "ios",
    },
    "ip": "203.0.113.7",
    "locale": "de-DE",
    "network": {"bluetooth": False, "carrier": "Example Mobile", "cellular": True, "wifi": False},
    "os": {"name": "iOS", "version": "26.1"},
    "screen": {"width": 320, "height": 568, "density": 2},
    "timezone": "Europe/Berlin",
}
PHONE_EVENT = {
    "event_name": "app_open",
    "action_source": "app_ios",
    "event_time": 1794906511,
    "event_id": "022bb90c-bbac-11e4-8dfc-aa07a5b093db",
    "advertiser_tracking_enabled": True,
    "wifi": False,
    "language": "de",
    "user_data": {
        "external_id": [sha256("507f191e810c19729de860ea")],
        "hashed_maids": [sha256("7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db")],
        "client_ip_address": "203.0.113.7",
    },
    "app_info": {
        "app_name": "Shop",
        "app_package_name": "com.example.shop",
        "app_version": "5.4.5",
    },
    "device_info": {
        "brand": "Apple",
        "carrier": "Example Mobile",
        "locale": "de-DE",
        "model": "iPhone17,2",
        "os_name": "iOS",
        "os_version": "26.1",
        "timezone": "Europe/Berlin",
        "type": "ios",
    },
}


def test_app():
    """A call from an app has its source, its advertising id, and the known facts of the device."""
    record = track("Application Opened", {}, context=PHONE, userId=None)
    assert events_of("segment", [record]) == [PHONE_EVENT]


def test_android():
    """The device's type decides the source, in any spelling."""
    context = {**PHONE, "device": {**PHONE["device"], "type": "Android"}}
    (event,) = events_of("segment", [track("Application Opened", {}, context=context)])
    assert event["action_source"] == "app_android"


def test_tracking_off():
    """A user who turned tracking off on the device has opted out, and the id is not sent."""
    context = {
        **PHONE,
        "device": {**PHONE["device"], "adTrackingEnabled": False},
        "traits": {"email": "maria.rivera@example.com"},
    }
    (event,) = events_of("segment", [track("Application Opened", {}, context=context)])
    assert "hashed_maids" not in event["user_data"]
    assert event["advertiser_tracking_enabled"] is False
    assert event["opt_out"] is True


@pytest.mark.parametrize(
    ("amounts", "value"),
    [
        ({"value": 1.10, "total": 2, "revenue": 3}, "1.1"),
        ({"value": None, "total": 2, "revenue": 3}, "2"),
        ({"value": "", "revenue": "3.00"}, "3.00"),
        ({"value": 0, "total": 2}, "0"),
        ({"price": 18.99, "quantity": 2}, "37.98"),
        ({"price": 4}, "4"),
        ({"products": [VASE, CANDLE]}, "25.9"),
        ({"products": [VASE, {"product_id": "P2"}]}, None),
    ],
)
def test_value(amounts, value):
    """The value is properties.value, then total, revenue, the sum of prices times quantities."""
    (event,) = events_of("segment", [track("Order Completed", {"order_id": "o-1", **amounts})])
    assert event["custom_data"].get("value") == value


@pytest.mark.parametrize(
    ("properties", "contents"),
    [
        ({"sku": "G-32"}, [{"id": "G-32"}]),
        (
            {"product_id": "P1", "sku": "G-32", "price": "18.99"},
            [{"id": "P1", "item_price": "18.99"}],
        ),
        ({"products": [], "product_id": "P1"}, [{"id": "P1"}]),
        ({"products": None, "product_id": 71}, [{"id": "71"}]),
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
    (event,) = events_of("segment", [track("Product Viewed", properties)])
    assert event.get("custom_data", {}).get("contents") == contents


def test_names_of_people_stay_out():
    """A name in the properties may be a person's, except of a product or a page.

    It is not sent in plain text.
    """
    (event,) = events_of("segment", [track("Generate Lead", {"name": "Maria Rivera", "value": 1})])
    assert "Rivera" not in json.dumps(event)


def test_signed_up_properties():
    """Personal data in a sign-up's properties is used as well as the traits, once."""
    properties = {
        "first_name": "Maria",
        "last_name": "Rivera",
        "email": "m.rivera@example.com",
        "phone": "+1 415 555 0132",
    }
    (event,) = events_of("segment", [track("Signed Up", properties)])
    whole = expected("signup", None)
    whole["user_data"]["em"] = [sha256("maria.rivera@example.com"), sha256("m.rivera@example.com")]
    assert event == whole


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
            "currency",
            "email",
        )
    )
    context = {
        **dict.fromkeys(("page", "traits", "device", "app", "network", "os", "locale", "timezone")),
        "ip": "203.0.113.7",
        "userAgent": BROWSER,
    }
    record = track("Product Viewed", nothing, context=context, userId=None, originalTimestamp=None)
    assert events_of("segment", [record]) == [
        {
            "event_name": "view_content",
            "action_source": "web",
            "event_time": 1794906511,
            "event_id": "022bb90c-bbac-11e4-8dfc-aa07a5b093db",
            "user_data": {
                "external_id": [sha256("507f191e810c19729de860ea")],
                "client_ip_address": "203.0.113.7",
                "client_user_agent": BROWSER,
            },
        }
    ]


@pytest.mark.parametrize("kind", ["identify", "group", "screen", "alias"])
def test_other_calls(kind):
    """Calls other than track and page are skipped by their type."""
    record = track(None, None, type=kind, traits={"email": "maria.rivera@example.com"})
    (result,) = events_of("segment", [record])
    assert isinstance(result, SkippedRecord)
    assert (result.reason, result.name) == (Skipped.NOT_LISTED, kind)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ("Product Removed", "Product Removed"),
        ("Order Refunded", "Order Refunded"),
        ("product removed", "Product Removed"),
        ("Button Clicked", None),
    ],
)
def test_unlisted(event, shown):
    """Other track calls are skipped: those of Segment's specification by name, others counted."""
    (result,) = events_of("segment", [track(event, {})])
    assert isinstance(result, SkippedRecord)
    assert (result.reason, result.name) == (Skipped.NOT_LISTED, shown)


def test_added_event():
    """A user's event_names are added to the preset's."""
    records = [track("Quiz Finished", {}), track("Products Searched", {"query": "x"})]
    events = events_of("segment", records, event_names={"Quiz Finished": "lead"})
    assert [event["event_name"] for event in events] == ["lead", "search"]


def test_offline_store():
    """A user's default has priority over the preset's, not over the record's value."""
    records = [track("Order Completed", {}), track("Order Completed", {}, context=PHONE)]
    events = events_of("segment", records, defaults={"action_source": "offline"})
    assert [event["action_source"] for event in events] == ["offline", "app_ios"]


def test_nobody():
    """A call that identifies nobody is invalid."""
    (result,) = events_of("segment", [track("Order Completed", {}, context={"ip": "203.0.113.7"})])
    assert isinstance(result, InvalidRecord)
    assert result.reason is Invalid.NO_IDENTIFIER


def test_event_time():
    """The time is timestamp, then originalTimestamp."""
    record = track("Order Completed", {})
    assert (
        events_of(
            "segment", [{**record, "timestamp": None, "originalTimestamp": "2026-11-17T08:00:00Z"}]
        )[0]["event_time"]
        == 1794902400
    )


def test_click_id():
    """The click id is also found if the page's URL has no query."""
    record = track("Order Completed", {})
    page = {"url": "https://shop.example.com/", "search": "?utm_source=x&epik=dj0y"}
    (event,) = events_of("segment", [{**record, "context": {**record["context"], "page": page}}])
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
    record = track("Signed Up", properties)
    (event,) = events_of("segment", [{**record, "context": {"traits": traits}}])
    assert event["user_data"] == {
        "em": [sha256("m@example.com")],
        "ph": [sha256("14155550132")],
        "ln": [sha256("rivera")],
        "fn": [sha256("maria")],
        "external_id": [sha256("97980cfea0067"), sha256("507f191e810c19729de860ea")],
    }


def test_checkout():
    """`Checkout` is the trigger that Segment's destination names; `Order Completed` is one too."""
    made = events_of("segment", [track("Checkout", {}), track("Order Completed", {})])
    assert [event["event_name"] for event in made] == ["checkout", "checkout"]


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("order completed", "checkout"),
        (" Product Added ", "add_to_cart"),
        ("PRODUCTS SEARCHED", "search"),
        ("Product List Filtered", "search"),
    ],
)
def test_names_in_any_case(event, name):
    """Case and surrounding spaces of a name make no difference."""
    (made,) = events_of("segment", [track(event, {})])
    assert made["event_name"] == name


@pytest.mark.parametrize("preset", ["segment", "metarouter"])
@pytest.mark.parametrize("kind", ["identify", "group", "alias", "screen", "Identify"])
def test_other_calls_with_an_event(preset, kind):
    """A call that is not a track call is skipped by its type, even with an event's name."""
    for event in ("Order Completed", "order_completed"):
        (result,) = events_of(preset, [track(event, {}, type=kind)])
        assert (result.reason, result.name) == (Skipped.NOT_LISTED, kind.lower())


@pytest.mark.parametrize("preset", ["segment", "metarouter"])
def test_traits_of_the_call(preset):
    """Traits at the top of a call are read like those of its context."""
    traits = {
        "email": "m@example.com",
        "phone": "+1 415 555 0132",
        "gender": "f",
        "birthday": "1990-03-14",
        "firstName": "Maria",
        "lastName": "Rivera",
        "address": {"city": "Oakland", "state": "CA", "zip": "94601", "country": "US"},
    }
    record = track("Order Completed", {}, traits=traits, context={"traits": None})
    (event,) = events_of(preset, [{**record, "event": "order_completed"}], **ORDER)
    assert event["user_data"] == {
        "em": [sha256("m@example.com")],
        "ph": [sha256("14155550132")],
        "ge": [sha256("f")],
        "db": [sha256("19900314")],
        "ln": [sha256("rivera")],
        "fn": [sha256("maria")],
        "ct": [sha256("oakland")],
        "st": [sha256("ca")],
        "zp": [sha256("94601")],
        "country": [sha256("us")],
        "external_id": [sha256("97980cfea0067"), sha256("507f191e810c19729de860ea")],
    }


ORDER = {"event_names": {"order_completed": "checkout"}}


def test_user_agent_of_an_app():
    """In an app's calls the user agent can also be in app_info."""
    context = {**PHONE, "userAgent": "Shop/5.4.5 (iPhone17,2; iOS 26.1)"}
    (event,) = events_of("segment", [track("Application Opened", {}, context=context)])
    assert event["app_info"]["user_agent"] == "Shop/5.4.5 (iPhone17,2; iOS 26.1)"
    (event,) = events_of("segment", [track("Order Completed", {})])
    assert "app_info" not in event


def in_context(traits):
    """Return a call's member with these traits next to an address."""
    return {"context": {"traits": {"email": "m@example.com", **traits}}}


# What RudderStack's destination "Pinterest Tag" reads of a track call, in camelCase.
RUDDERSTACK = [
    ({"properties": {"optOutType": "LDP"}}, "custom_data.opt_out_type", "LDP"),
    ({"properties": {"numOfItems": "7"}}, "custom_data.num_items", 7),
    ({"properties": {"contentName": "Sale"}}, "custom_data.content_name", "Sale"),
    ({"properties": {"contentBrand": "Rivera"}}, "custom_data.content_brand", "Rivera"),
    ({"properties": {"clickId": "dj0y"}}, "user_data.click_id", "dj0y"),
    ({"properties": {"partnerId": "p-1"}}, "user_data.partner_id", "p-1"),
    ({"properties": {"language": "fr"}}, "language", "fr"),
    ({"properties": {"appName": "Shop"}}, "app_info.app_name", "Shop"),
    ({"properties": {"appVersion": "5.4"}}, "app_info.app_version", "5.4"),
    ({"properties": {"deviceModel": "iPhone17,2"}}, "device_info.model", "iPhone17,2"),
    ({"properties": {"deviceType": "ios"}}, "device_info.type", "ios"),
    ({"traits": {"lastname": "Rivera"}}, "user_data.ln", [sha256("rivera")]),
    ({"traits": {"firstname": "Maria"}}, "user_data.fn", [sha256("maria")]),
    ({"traits": {"address": {"zip": "SW1A 1AA"}}}, "user_data.zp", [sha256("sw1a1aa")]),
    *[
        (members, "user_data.db", [sha256("19900314")])
        for name in ("birthday", "dateOfBirth", "dateofbirth", "dob", "DOB")
        for members in ({"traits": {name: "1990-03-14"}}, in_context({name: "1990-03-14"}))
    ],
    *[
        (members, "user_data.external_id", [sha256("u-1")])
        for name in ("userId", "id")
        for members in ({"traits": {name: "u-1"}}, in_context({name: "u-1"}))
    ],
    ({"userId": "u-2", "traits": {"id": "u-1"}}, "user_data.external_id", [sha256("u-2")]),
    ({"request_ip": "203.0.113.8"}, "user_data.client_ip_address", "203.0.113.8"),
    ({"traits": {"action_source": "offline"}}, "action_source", "offline"),
    ({"traits": {"actionSource": "offline"}}, "action_source", "offline"),
    ({"properties": {"actionSource": "app_ios"}}, "action_source", "app_ios"),
    ({"properties": {"action_source": "offline"}, "channel": "web"}, "action_source", "offline"),
    ({"channel": "offline"}, "action_source", "offline"),
    ({"channel": "server"}, "action_source", "web"),
    ({"properties": {"products": [{"id": "P1"}]}}, "custom_data.content_ids", ["P1"]),
]


@pytest.mark.parametrize(
    ("members", "path", "value"), RUDDERSTACK, ids=[str(row[0]) for row in RUDDERSTACK]
)
def test_calls_of_rudderstack(members, path, value):
    """Each name that RudderStack's destination reads is read, in calls of its form."""
    record = {
        "type": "track",
        "event": "order completed",
        "messageId": "m-1",
        "originalTimestamp": "2026-11-17T09:08:31Z",
        "context": {"traits": {"email": "m@example.com"}},
        **members,
    }
    (event,) = events_of("segment", [record])
    assert event["event_name"] == "checkout"
    for member in path.split("."):
        event = event[member]
    assert event == value

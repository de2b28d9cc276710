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
IDFA = "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"
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
        ({"event": "Payment Info Entered"}, "add_payment_info"),
        ({"event": "Product Added"}, "add_to_cart"),
        ({"event": "Product Added to Wishlist"}, "add_to_wishlist"),
        ({"event": "Application Installed"}, "app_install"),
        ({"event": "Application Opened"}, "app_open"),
        ({"event": "Checkout"}, "checkout"),
        ({"event": "Checkout Started"}, "initiate_checkout"),
        ({"event": "Generate Lead"}, "lead"),
        ({"type": "page", "event": None}, "page_visit"),
        ({"event": "Products Searched"}, "search"),
        ({"event": "Signed Up"}, "signup"),
        ({"event": "Trial Started"}, "start_trial"),
        ({"event": "Subscription Created"}, "subscribe"),
        ({"event": "Product Category Viewed"}, "view_category"),
        ({"event": "Product Viewed"}, "view_content"),
        ({"event": "Product Video Watched"}, "watch_video"),
    ],
)
def test_subscriptions(trigger, name):
    """Each of the destination's sixteen subscriptions sends its event."""
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


@pytest.mark.parametrize(
    ("field", "given", "hashed"),
    [
        ("em", "Maria.Rivera@example.com ", "maria.rivera@example.com"),
        ("hashed_maids", IDFA, IDFA.lower()),
        ("ph", "+1 (415) 555-0132", "14155550132"),
        ("fn", "Maria", "maria"),
        ("ln", "Rivera", "rivera"),
        ("external_id", "u-1", "u-1"),
        ("ge", "Non-binary", "n"),
        ("db", "1990-03-14", "19900314"),
        ("ct", "San Francisco", "sanfrancisco"),
        ("st", "CA", "ca"),
        ("zp", "94103", "94103"),
        ("country", "US", "us"),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_user_data(field, given, hashed, several):
    """Each field of the person is hashed in its normal form, one value or an array of them."""
    call = {**CALL, "properties": {"given": [given, given] if several else given}}
    (event,) = events_of("segment", [call], fields={f"user_data.{field}": "properties.given"})
    assert event["user_data"][field] == [sha256(hashed)]


@pytest.mark.parametrize(
    ("field", "given"), [("click_id", "dj0yJnU9"), ("partner_id", "p-1"), ("click_id", None)]
)
def test_user_data_that_is_not_hashed(field, given):
    """A click id and a partner's id are sent as they are, and may be null."""
    call = {**CALL, "properties": {"given": given}}
    (event,) = events_of("segment", [call], fields={f"user_data.{field}": "properties.given"})
    assert event["user_data"].get(field) == given


@pytest.mark.parametrize(
    ("properties", "custom_data"),
    [
        ({"currency": "USD", "price": 19.9}, {"currency": "USD", "value": "19.9"}),
        ({"currency": "USD", "value": "30"}, {"currency": "USD", "value": "30"}),
        ({"order_id": 1001}, {"order_id": "1001"}),
        ({"query": "blue vases"}, {"search_string": "blue vases"}),
    ],
)
def test_custom_data(properties, custom_data):
    """Currency, value, order and query come from where the defaults read them."""
    quantity = {"quantity": 1} if "price" in properties else {}
    assert sent(properties={**properties, **quantity})["custom_data"] == custom_data


def test_limited_data_processing():
    """Limited data processing goes with the state and the country that it needs."""
    address = {"state": "CA", "country": "US"}
    event = sent(properties={"optOutType": "LDP"}, traits={"address": address})
    assert event["custom_data"] == {"opt_out_type": "LDP"}
    assert (event["user_data"]["st"], event["user_data"]["country"]) == (
        [sha256("ca")],
        [sha256("us")],
    )


SEGMENTS = "context.consent.categoryPreferences.Advertising"
RUDDERSTACKS = "contains(context.consentManagement.allowedConsentIds, 'Advertising')"


@pytest.mark.parametrize(
    ("when", "consent", "is_sent"),
    [
        (SEGMENTS, {"consent": {"categoryPreferences": {"Advertising": True}}}, True),
        (SEGMENTS, {"consent": {"categoryPreferences": {"Advertising": False}}}, False),
        (SEGMENTS, {"consent": {"categoryPreferences": {"Analytics": True}}}, False),
        (SEGMENTS, {"consent": {}}, False),
        (SEGMENTS, {}, False),
        (RUDDERSTACKS, {"consentManagement": {"allowedConsentIds": ["Advertising"]}}, True),
        (RUDDERSTACKS, {"consentManagement": {"allowedConsentIds": ["Analytics"]}}, False),
        (RUDDERSTACKS, {"consentManagement": {"deniedConsentIds": ["Advertising"]}}, False),
        (RUDDERSTACKS, {"consentManagement": None}, False),
    ],
)
def test_consent(when, consent, is_sent):
    """Consent is enforced by category: events go only to destinations that people agreed to."""
    context = {**CALL["context"], **consent}
    (result,) = events_of("segment", [{**CALL, "context": context}], when=when)
    assert isinstance(result, SkippedRecord) is not is_sent


def test_deduplication():
    """The message's id is the event's, so that Pinterest's tag can send the same one."""
    assert sent(messageId="shared-1")["event_id"] == "shared-1"


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

"""Preset `salesforce_commerce`: orders of Salesforce B2C Commerce, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.column_names import snake_case
from target_pinterest_capi.events.event import SkippedRecord

ORDER = {
    "orderNo": "00000071",
    "creationDate": "2026-11-17T09:08:31.000Z",
    "currency": "USD",
    "orderTotal": 52.6,
    "productSubTotal": 39.8,
    "taxTotal": 8.4,
    "shippingTotal": 4.4,
    "status": "new",
    "paymentStatus": "paid",
    "confirmationStatus": "confirmed",
    "channelType": "storefront",
    "siteId": "Example",
    "customerName": "Maria Rivera",
    "customerInfo": {
        "customerId": "abmes2mbk3lXkRlHFJwGYYkuxJ",
        "customerNo": "D00012",
        "email": "Maria.Rivera@example.com",
    },
    "billingAddress": {
        "firstName": "Maria",
        "lastName": "Rivera",
        "fullName": "Maria Rivera",
        "city": "San Francisco",
        "stateCode": "CA",
        "postalCode": "94103",
        "countryCode": "US",
        "phone": "4155550132",
    },
    "productItems": [
        {
            "itemId": "i-1",
            "productId": "71M",
            "productName": "Vase",
            "basePrice": 19.9,
            "price": 39.8,
            "quantity": 2,
        }
    ],
}
EVENT = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794906511,
    "event_id": "00000071",
    "user_data": {
        "em": [sha256("maria.rivera@example.com")],
        "ph": [sha256("14155550132")],
        "ln": [sha256("rivera")],
        "fn": [sha256("maria")],
        "ct": [sha256("sanfrancisco")],
        "st": [sha256("ca")],
        "zp": [sha256("94103")],
        "country": [sha256("us")],
        "external_id": [sha256("D00012")],
    },
    "custom_data": {
        "currency": "USD",
        "value": "52.6",
        "content_ids": ["71M"],
        "contents": [{"id": "71M", "item_name": "Vase", "item_price": "19.9", "quantity": 2}],
        "num_items": 2,
        "order_id": "00000071",
    },
}


def snake(value):
    """Return the order as OCAPI spells it."""
    if isinstance(value, list):
        return [snake(one) for one in value]
    if isinstance(value, dict):
        return {snake_case(name): snake(member) for name, member in value.items()}
    return value


def texts(order):
    """Return the order with its objects as JSON text."""
    return {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in order.items()
    }


@pytest.mark.parametrize("order", [ORDER, snake(ORDER), texts(ORDER), texts(snake(ORDER))])
def test_order(order):
    """An order of either API is the same checkout, and nothing is dropped."""
    notes = []
    assert events_of("salesforce_commerce", [order], notes=notes) == [EVENT]
    assert notes == []


@pytest.mark.parametrize(
    ("status", "is_sent"),
    [
        ("open", True),
        ("completed", True),
        ("created", False),
        ("failed", False),
        ("cancelled", False),
        ("replaced", False),
    ],
)
def test_statuses(status, is_sent):
    """Orders that are not placed, or were cancelled, are skipped by their status."""
    (result,) = events_of("salesforce_commerce", [{**ORDER, "status": status}])
    assert isinstance(result, SkippedRecord) is not is_sent
    assert is_sent or result.name == status


@pytest.mark.parametrize(
    ("channel", "source"),
    [
        ("storefront", "web"),
        ("store", "offline"),
        ("callcenter", "offline"),
        ("customerservicecenter", "offline"),
        (None, "web"),
    ],
)
def test_channels(channel, source):
    """Orders that staff entered are offline."""
    (event,) = events_of("salesforce_commerce", [{**ORDER, "channelType": channel}])
    assert event["action_source"] == source


@pytest.mark.parametrize("spell", [dict, snake])
def test_time_of_placing(spell):
    """An order's time is when it was placed, not when its basket was created."""
    order = {
        **ORDER,
        "creationDate": "2026-11-17T08:00:00.000Z",
        "placeDate": "2026-11-17T09:08:31Z",
    }
    (event,) = events_of("salesforce_commerce", [spell(order)])
    assert event["event_time"] == EVENT["event_time"]


@pytest.mark.parametrize("spell", [dict, snake])
def test_brand(spell):
    """Orders of the Orders API have the brand of an item."""
    items = [{**ORDER["productItems"][0], "brand": "Rivera"}]
    (event,) = events_of("salesforce_commerce", [spell({**ORDER, "productItems": items})])
    assert event["custom_data"]["contents"][0]["item_brand"] == "Rivera"

"""Preset `magento`: orders of Magento's REST API, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import SkippedRecord

ORDER = {
    "entity_id": 71,
    "increment_id": "000000071",
    "state": "processing",
    "status": "processing",
    "created_at": "2026-11-17 09:08:31",
    "updated_at": "2026-11-17 09:10:00",
    "store_currency_code": "EUR",
    "order_currency_code": "EUR",
    "base_grand_total": 52.6,
    "grand_total": 52.6,
    "subtotal": 39.8,
    "tax_amount": 8.4,
    "shipping_amount": 4.4,
    "customer_id": 12,
    "customer_is_guest": 0,
    "customer_email": "Maria.Rivera@example.com",
    "customer_firstname": "Maria",
    "customer_lastname": "Rivera",
    "customer_gender": 2,
    "customer_dob": "1990-03-14 00:00:00",
    "remote_ip": "203.0.113.7",
    "billing_address": {
        "address_type": "billing",
        "firstname": "Maria",
        "lastname": "Rivera",
        "city": "San Francisco",
        "region": "California",
        "region_code": "CA",
        "postcode": "94103",
        "country_id": "US",
        "telephone": "(415) 555-0132",
        "email": "maria.rivera@example.com",
    },
    "items": [
        {
            "item_id": 1,
            "product_type": "configurable",
            "sku": "VASE-BLUE",
            "name": "Vase",
            "price": 19.9,
            "qty_ordered": 2,
            "parent_item_id": None,
        },
        {
            "item_id": 2,
            "product_type": "simple",
            "sku": "VASE-BLUE",
            "name": "Vase, blue",
            "price": 0,
            "qty_ordered": 2,
            "parent_item_id": 1,
        },
    ],
}
EVENT = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794906511,
    "event_id": "000000071",
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
        "external_id": [sha256("12")],
        "client_ip_address": "203.0.113.7",
    },
    "custom_data": {
        "currency": "EUR",
        "value": "39.8",
        "content_ids": ["VASE-BLUE"],
        "contents": [{"id": "VASE-BLUE", "item_name": "Vase", "item_price": "19.9", "quantity": 2}],
        "num_items": 2,
        "order_id": "000000071",
    },
}


@pytest.mark.parametrize("encode", [dict, json.dumps])
def test_order(encode):
    """An order is a checkout with its configurable products once, and nothing is dropped."""
    notes = []
    items = ORDER["items"] if encode is dict else json.dumps(ORDER["items"])
    record = {**ORDER, "billing_address": encode(ORDER["billing_address"]), "items": items}
    assert events_of("magento", [record], notes=notes) == [EVENT]
    assert notes == []


@pytest.mark.parametrize(
    ("state", "is_sent"),
    [("new", True), ("complete", True), ("Complete", True), ("pending_payment", False)]
    + [(state, False) for state in ("payment_review", "holded", "closed", "canceled")],
)
def test_states(state, is_sent):
    """Orders that were placed are sent; unpaid and cancelled ones are not."""
    (result,) = events_of("magento", [{**ORDER, "state": state}])
    assert isinstance(result, SkippedRecord) is not is_sent
    assert is_sent or result.name == state


def test_guest():
    """A guest has no id, and the name may be only in the billing address."""
    names = ("customer_firstname", "customer_lastname", "customer_gender", "customer_dob")
    guest = {**ORDER, **dict.fromkeys(names), "customer_id": None, "customer_is_guest": 1}
    (event,) = events_of("magento", [guest])
    left = {name: value for name, value in EVENT["user_data"].items() if name not in GUEST_LACKS}
    assert event["user_data"] == left


GUEST_LACKS = ("ge", "db", "external_id")


def test_value_with_tax_and_shipping():
    """One line changes the value to the amount with tax and shipping."""
    (event,) = events_of("magento", [ORDER], fields={"custom_data.value": "grand_total"})
    assert event["custom_data"]["value"] == "52.6"

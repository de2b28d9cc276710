"""Preset `bigcommerce`: orders of BigCommerce's API, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import SkippedRecord
from target_pinterest_capi.events.reasons import Skipped

ORDER = {
    "id": 118,
    "customer_id": 11,
    "date_created": "2026-11-17T09:08:31.000000Z",
    "date_modified": "2026-11-17T09:10:00.000000Z",
    "status_id": 11,
    "status": "Awaiting Fulfillment",
    "custom_status": "Awaiting Fulfillment",
    "subtotal_ex_tax": 39.8,
    "total_ex_tax": 44.2,
    "shipping_cost_ex_tax": "4.4000",
    "total_inc_tax": "52.6000",
    "currency_code": "USD",
    "default_currency_code": "USD",
    "ip_address": "203.0.113.7",
    "is_deleted": False,
    "is_email_opt_in": False,
    "order_source": "www",
    "billing_address": {
        "first_name": "Maria",
        "last_name": "Rivera",
        "company": "",
        "street_1": "1 Example St",
        "city": "San Francisco",
        "state": "California",
        "zip": "94103",
        "country": "United States",
        "country_iso2": "US",
        "phone": "4155550132",
        "email": "Maria.Rivera@example.com",
    },
    "products": [
        {
            "id": 1,
            "product_id": 71,
            "name": "Vase",
            "sku": "VASE",
            "price_ex_tax": 19.9,
            "price_inc_tax": "24.0000",
            "quantity": 2,
            "brand": "Rivera",
        }
    ],
}
EVENT = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794906511,
    "event_id": "118",
    "user_data": {
        "em": [sha256("maria.rivera@example.com")],
        "ph": [sha256("14155550132")],
        "ln": [sha256("rivera")],
        "fn": [sha256("maria")],
        "ct": [sha256("sanfrancisco")],
        "st": [sha256("ca")],
        "zp": [sha256("94103")],
        "country": [sha256("us")],
        "external_id": [sha256("11")],
        "client_ip_address": "203.0.113.7",
    },
    "custom_data": {
        "currency": "USD",
        "value": "39.8000",
        "content_ids": ["71"],
        "contents": [
            {
                "id": "71",
                "item_name": "Vase",
                "item_price": "19.9",
                "quantity": 2,
                "item_brand": "Rivera",
            }
        ],
        "num_items": 2,
        "order_id": "118",
    },
}


@pytest.mark.parametrize("encode", [lambda value: value, json.dumps], ids=["objects", "text"])
@pytest.mark.parametrize(
    "created", ["2026-11-17T09:08:31.000000Z", "Tue, 17 Nov 2026 09:08:31 +0000"]
)
def test_order(encode, created):
    """An order that is paid is a checkout; its time can be in the tap's or the API's format."""
    notes = []
    nested = {name: encode(ORDER[name]) for name in ("billing_address", "products")}
    record = {**ORDER, **nested, "date_created": created}
    assert events_of("bigcommerce", [record], notes=notes) == [EVENT]
    assert notes == []


@pytest.mark.parametrize(
    ("status", "is_sent"),
    [(status, True) for status in ("Completed", "shipped", "Awaiting Shipment", "Awaiting Pickup")]
    + [
        (status, False) for status in ("Pending", "Incomplete", "Cancelled", "Refunded", "Declined")
    ],
)
def test_statuses(status, is_sent):
    """Other orders are skipped by their status."""
    (result,) = events_of("bigcommerce", [{**ORDER, "status": status}])
    assert isinstance(result, SkippedRecord) is not is_sent
    assert is_sent or result.name == status


@pytest.mark.parametrize("deleted", [True, "true", 1])
def test_deleted_orders(deleted):
    """An order that was deleted in the shop is skipped."""
    (result,) = events_of("bigcommerce", [{**ORDER, "is_deleted": deleted}])
    assert result.reason is Skipped.WHEN


def test_guest_at_the_point_of_sale():
    """A guest has the customer id 0; an order of the point of sale is offline."""
    (event,) = events_of("bigcommerce", [{**ORDER, "customer_id": 0, "order_source": "POS"}])
    assert "external_id" not in event["user_data"]
    assert event["action_source"] == "offline"


@pytest.mark.parametrize(
    ("shown", "paid", "currency"),
    [("USD", "EUR", "EUR"), ("USD", None, "USD"), (None, "EUR", "EUR")],
)
def test_currency_is_the_one_that_was_paid_in(shown, paid, currency):
    """A storefront may show prices in a currency other than that of the order's amounts."""
    changed = {"currency_code": shown, "default_currency_code": paid}
    (event,) = events_of("bigcommerce", [{**ORDER, **changed}])
    assert event["custom_data"]["currency"] == currency


def test_shopper_with_an_address_of_version_6():
    """An IPv6 address has its own column; the other one is empty then."""
    address = {"ip_address": "", "ip_address_v6": "2001:db8::7"}
    (event,) = events_of("bigcommerce", [{**ORDER, **address}])
    assert event["user_data"]["client_ip_address"] == "2001:db8::7"


def test_order_that_a_point_of_sale_wrote():
    """A system in a store that creates orders through the API says so in external_source."""
    (event,) = events_of(
        "bigcommerce", [{**ORDER, "order_source": "external", "external_source": "POS"}]
    )
    assert event["action_source"] == "offline"


def test_language():
    """The shopper's locale is the language."""
    (event,) = events_of("bigcommerce", [{**ORDER, "customer_locale": "en"}])
    assert event["language"] == "en"


def test_order_without_its_products():
    """The API has a URL in place of products: the event has none."""
    products = {
        "url": "https://api.example.com/v2/orders/118/products",
        "resource": "/orders/118/products",
    }
    (event,) = events_of("bigcommerce", [{**ORDER, "products": products}])
    assert "contents" not in event["custom_data"]

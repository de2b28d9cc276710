"""Preset `woocommerce`: orders of WooCommerce's REST API."""

import json
from typing import Any

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

ORDER: dict[str, Any] = {
    "id": 727,
    "parent_id": 0,
    "number": "727",
    "order_key": "wc_order_58d2d042d1d",
    "created_via": "checkout",
    "version": "10.3.5",
    "status": "processing",
    "currency": "EUR",
    "date_created": "2026-11-18T09:00:00",
    "date_created_gmt": "2026-11-18T08:00:00",
    "date_modified": "2026-11-18T09:01:12",
    "date_modified_gmt": "2026-11-18T08:01:12",
    "discount_total": "0.00",
    "shipping_total": "4.90",
    "cart_tax": "9.19",
    "total": "63.23",
    "total_tax": "9.97",
    "prices_include_tax": True,
    "customer_id": 25,
    "customer_ip_address": "2001:db8::7",
    "customer_user_agent": AGENT,
    "customer_note": "",
    "billing": {
        "first_name": "Jürgen",
        "last_name": "Müller",
        "company": "",
        "address_1": "Hauptstraße 1",
        "address_2": "",
        "city": "Bad Homburg",
        "state": "HE",
        "postcode": "61348",
        "country": "DE",
        "email": "Juergen.Mueller@example.com",
        "phone": "06172 555012",
    },
    "shipping": {
        "first_name": "Erika",
        "last_name": "Muster",
        "company": "",
        "address_1": "Nebenstraße 2",
        "address_2": "",
        "city": "Kassel",
        "state": "HE",
        "postcode": "34117",
        "country": "DE",
        "phone": "",
    },
    "payment_method": "stripe",
    "transaction_id": "",
    "date_paid": "2026-11-18T09:00:03",
    "date_paid_gmt": "2026-11-18T08:00:03",
    "date_completed": None,
    "cart_hash": "0123456789abcdef0123456789abcdef",
    "meta_data": [
        {"id": 13106, "key": "_wc_order_attribution_source_type", "value": "utm"},
        {
            "id": 13107,
            "key": "_wc_order_attribution_session_entry",
            "value": "https://shop.example.com/lampen/?utm_source=pinterest&epik=dj0yJnU9def",
        },
        {"id": 13108, "key": "is_vat_exempt", "value": "no"},
    ],
    "line_items": [
        {
            "id": 315,
            "name": "Lampe",
            "product_id": 93,
            "variation_id": 0,
            "quantity": 1,
            "subtotal": "20.17",
            "total": "20.17",
            "sku": "L-1",
            "price": 20.17,
        },
        {
            "id": 316,
            "name": "Schirm - Rot",
            "product_id": 22,
            "variation_id": 23,
            "quantity": 2,
            "subtotal": "28.19",
            "total": "28.19",
            "sku": "",
            "price": 14.095,
        },
    ],
    "refunds": [],
    "currency_symbol": "€",
}
CHECKOUT: dict[str, Any] = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794988800,
    "event_id": "727",
    "user_data": {
        "em": [sha256("juergen.mueller@example.com")],
        "ph": [sha256("496172555012")],
        "ln": [sha256("müller")],
        "fn": [sha256("jürgen")],
        "ct": [sha256("badhomburg")],
        "st": [sha256("he")],
        "zp": [sha256("61348")],
        "country": [sha256("de")],
        "external_id": [sha256("25")],
        "client_ip_address": "2001:db8::7",
        "client_user_agent": AGENT,
        "click_id": "dj0yJnU9def",
    },
    "custom_data": {
        "currency": "EUR",
        "value": "48.36",
        "content_ids": ["93", "23"],
        "contents": [
            {"id": "93", "item_name": "Lampe", "item_price": "20.17", "quantity": 1},
            {"id": "23", "item_name": "Schirm - Rot", "item_price": "14.095", "quantity": 2},
        ],
        "num_items": 3,
        "order_id": "727",
    },
}


@pytest.mark.parametrize("status", ["processing", "completed"])
def test_paid_order_is_a_checkout(status):
    """An order that WooCommerce counts as paid is a checkout, and nothing is dropped."""
    notes: list[tuple[str, str]] = []
    assert events_of("woocommerce", [{**ORDER, "status": status}], notes=notes) == [CHECKOUT]
    assert notes == []


@pytest.mark.parametrize(
    "status", ["pending", "on-hold", "cancelled", "refunded", "failed", "trash", "checkout-draft"]
)
def test_other_statuses_are_skipped(status):
    """An order that is unpaid or was cancelled is skipped and counted by its status."""
    (skipped,) = events_of("woocommerce", [{**ORDER, "status": status}])
    assert isinstance(skipped, SkippedRecord)
    assert (skipped.reason, skipped.name) == (Skipped.NOT_LISTED, status)


def test_statuses_of_the_entry_are_added():
    """A shop's own statuses are added to the preset's."""
    orders = [{**ORDER, "status": "shipped"}, {**ORDER, "status": "processing"}]
    assert events_of("woocommerce", orders, event_names={"shipped": "checkout"}) == [
        CHECKOUT,
        CHECKOUT,
    ]


def test_json_text_of_warehouse_columns_is_read():
    """Billing, line items and meta data may be JSON text."""
    text = {
        column: json.dumps(value) if isinstance(value, dict | list) else value
        for column, value in ORDER.items()
    }
    assert events_of("woocommerce", [text]) == [CHECKOUT]


def test_values_as_text_are_read():
    """All values of a CSV file are text: ids, amounts and quantities are the same."""
    items = [{key: str(value) for key, value in item.items()} for item in ORDER["line_items"]]
    order = {**ORDER, "id": "727", "customer_id": "25", "line_items": json.dumps(items)}
    assert events_of("woocommerce", [order]) == [CHECKOUT]


def test_nulls_and_empty_texts_leave_fields_out():
    """Nulls, and the empty text that WooCommerce writes for them, are dropped."""
    kept = {"id": 727, "status": "completed", "date_created_gmt": "2026-11-18T08:00:00"}
    blank = dict.fromkeys(ORDER["billing"], "")
    empty = {"meta_data": [], "line_items": []}
    notes: list[tuple[str, str]] = []
    made = events_of(
        "woocommerce",
        [
            {
                **dict.fromkeys(ORDER),
                **kept,
                **empty,
                "billing": {**blank, "email": "guest@example.com"},
            },
            {
                **dict.fromkeys(ORDER),
                **kept,
                "billing": {**dict.fromkeys(blank), "email": "guest@example.com"},
            },
        ],
        notes=notes,
    )
    event = {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": 1794988800,
        "event_id": "727",
        "user_data": {"em": [sha256("guest@example.com")]},
        "custom_data": {"order_id": "727"},
    }
    assert (made, notes) == ([event, event], [])


@pytest.mark.parametrize("guest", [0, "0"])
def test_guests_have_no_external_id(guest):
    """Customer 0 is every guest, not an id."""
    (event,) = events_of("woocommerce", [{**ORDER, "customer_id": guest}])
    assert event == {
        **CHECKOUT,
        "user_data": {
            key: value for key, value in CHECKOUT["user_data"].items() if key != "external_id"
        },
    }


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-18T08:00:00",
        "2026-11-18 08:00:00",
        "2026-11-18T08:00:00.000",
        "2026-11-18T08:00:00Z",
        "2026-11-18T08:00:00+00:00",
        "2026-11-18T10:00:00.000000+02:00",
    ],
)
def test_gmt_is_utc_in_any_time_zone(written):
    """date_created_gmt is UTC with or without an offset, for any setting timezone."""
    order = {**ORDER, "date_created": None, "date_created_gmt": written}
    assert events_of("woocommerce", [order], settings={"timezone": "Europe/Berlin"}) == [CHECKOUT]


def test_local_time_stands_in():
    """Without date_created_gmt the shop's local time is read in the setting timezone."""
    order = {**ORDER, "date_created_gmt": None}
    assert events_of("woocommerce", [order], settings={"timezone": "Europe/Berlin"}) == [CHECKOUT]


@pytest.mark.parametrize(
    ("created_via", "source"),
    [
        ("checkout", "web"),
        ("store-api", "web"),
        ("admin", "web"),
        (None, "web"),
        ("pos-rest-api", "offline"),
    ],
)
def test_point_of_sale_is_offline(created_via, source):
    """An order from WooCommerce's point of sale happened offline, every other on the web."""
    (event,) = events_of("woocommerce", [{**ORDER, "created_via": created_via}])
    assert event["action_source"] == source


def test_order_without_identifier_is_invalid():
    """An order without a customer, such as one entered at the counter, is a dead letter."""
    (invalid,) = events_of(
        "woocommerce", [{**ORDER, "billing": {"email": ""}, "customer_ip_address": ""}]
    )
    assert isinstance(invalid, InvalidRecord)
    assert invalid.reason is Invalid.NO_IDENTIFIER


def test_renewals_can_be_left_out():
    """The documented `when` accepts only orders placed by customers themselves."""
    renewal = {**ORDER, "created_via": "subscription"}
    (skipped, event) = events_of(
        "woocommerce", [renewal, ORDER], when="created_via != 'subscription'"
    )
    assert (skipped.reason, event) == (Skipped.WHEN, CHECKOUT)

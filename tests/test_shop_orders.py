"""Orders of any shop: one rule for the value, and for which orders count.

The value is the one that Pinterest recommends: the final amount after discounts, before tax and
shipping, when the order was placed. It is exact, in its currency.
"""

import json
from decimal import Decimal
from typing import Any

import pytest
from test_preset_bigcommerce import ORDER as BIGCOMMERCE
from test_preset_magento import ORDER as MAGENTO
from test_preset_salesforce_commerce import ORDER as SALESFORCE
from test_preset_salesforce_commerce import snake
from test_preset_shopify import GRAPHQL_ORDER, REST_ORDER
from test_preset_stripe import SESSION
from test_preset_woocommerce import ORDER as WOOCOMMERCE

from preset_events import events_of
from target_pinterest_capi.cli import presets
from target_pinterest_capi.events.event import SkippedRecord


def money(shop: Any, presentment: Any = "9999.99") -> dict[str, Any]:
    """Return an amount of Shopify's GraphQL, in the shop's currency and the buyer's."""
    return {
        "shopMoney": {"amount": shop, "currencyCode": "EUR"},
        "presentmentMoney": {"amount": presentment, "currencyCode": "SEK"},
    }


def rest(**changes: Any) -> dict[str, Any]:
    """Return an order of Shopify's REST API, paid in a currency other than the shop's."""
    return {**REST_ORDER, "currency": "EUR", "presentment_currency": "SEK", **changes}


def taxed(*taxes: str) -> list[dict[str, Any]]:
    """Return a line item of Shopify's for each amount of tax, and one that is not taxed."""
    lines = [{"product_id": 1, "price": "10.00", "tax_lines": [{"price": tax}]} for tax in taxes]
    return [*lines, {"product_id": 2, "price": "0.01", "tax_lines": []}]


def graphql(**changes: Any) -> dict[str, Any]:
    """Return an order of Shopify's GraphQL API, paid in a currency other than the shop's."""
    return {**GRAPHQL_ORDER, "totalPriceSet": money(119.0), "subtotalPriceSet": None, **changes}


def graphql_lines(*taxes: str) -> list[dict[str, Any]]:
    """Return line items of Shopify's GraphQL API with such taxes."""
    return [{"title": "Vase", "taxLines": [{"priceSet": money(tax)}]} for tax in taxes]


INCLUDED = {"taxes_included": True, "subtotal_price": "107.10"}
GRAPHQL_INCLUDED = {"taxesIncluded": True, "subtotalPriceSet": money(107.1)}


@pytest.mark.parametrize(
    ("preset", "order", "value"),
    [
        ("shopify", rest(subtotal_price="90.00", total_tax="19.00"), "90.00"),
        ("shopify", rest(**INCLUDED, line_items=taxed("15.97", "1.13")), "90.00"),
        ("shopify", rest(**INCLUDED, line_items=json.dumps(taxed("15.97", "1.13"))), "90.00"),
        ("shopify", rest(**INCLUDED, line_items=[], total_tax="17.10"), "90.00"),
        ("shopify", rest(**{**INCLUDED, "taxes_included": "true"}, total_tax="17.10"), "90.00"),
        ("shopify", rest(**INCLUDED, line_items=None, total_tax=None), "107.10"),
        ("shopify", rest(subtotal_price="90.00", current_subtotal_price="0.00"), "90.00"),
        ("shopify", rest(subtotal_price=None), "69.80"),
        ("shopify", graphql(subtotalPriceSet=money(90.0)), "90"),
        ("shopify", graphql(**GRAPHQL_INCLUDED, lineItems=graphql_lines("15.97", "1.13")), "90"),
        ("shopify", graphql(**GRAPHQL_INCLUDED, totalTaxSet=money("17.10")), "90"),
        ("shopify", graphql(), "119"),
        ("woocommerce", {}, "48.36"),
        ("woocommerce", {"total": "100.00", "total_tax": "15.97", "shipping_total": "0"}, "84.03"),
        ("woocommerce", {"refunds": [{"id": 1, "total": "-20.17"}]}, "48.36"),
        ("woocommerce", {"total_tax": None}, "63.23"),
        ("bigcommerce", {"shipping_cost_ex_tax": "4.4000"}, "39.8"),
        (
            "bigcommerce",
            {"total_ex_tax": "46.20", "shipping_cost_ex_tax": 4.4, "handling_cost_ex_tax": "2"},
            "39.8",
        ),
        ("bigcommerce", {"status": "Partially Refunded", "refunded_amount": "20.0000"}, "39.8"),
        ("bigcommerce", {"total_ex_tax": None}, "52.6"),
        ("magento", {}, "39.8"),
        ("magento", {"discount_amount": -5, "shipping_discount_amount": 1.5}, "36.3"),
        (
            "magento",
            {"subtotal": 100, "discount_amount": "-12", "discount_tax_compensation_amount": 2},
            "90",
        ),
        ("magento", {"total_refunded": 52.6, "gift_cards_amount": 30, "grand_total": 22.6}, "39.8"),
        ("magento", {"subtotal": None}, "52.6"),
        ("salesforce_commerce", {"productTotal": 35.8, "taxation": "net"}, "35.8"),
        (
            "salesforce_commerce",
            {"productTotal": 42.6, "taxation": "gross", "adjustedMerchandizeTotalTax": 6.8},
            "35.8",
        ),
        ("salesforce_commerce", {}, "52.6"),
        (
            "stripe",
            {"amount_total": 5260, "total_details": {"amount_tax": 840, "amount_shipping": 440}},
            "39.8",
        ),
        ("stripe", {"total_details": {"amount_tax": 0, "amount_shipping": None}}, "52.6"),
    ],
)
def test_value(preset, order, value):
    """Discounts, tax and shipping are excluded; refunds and JSON text change nothing."""
    base = {
        "woocommerce": WOOCOMMERCE,
        "bigcommerce": BIGCOMMERCE,
        "magento": MAGENTO,
        "salesforce_commerce": SALESFORCE,
        "stripe": SESSION,
    }.get(preset, {})
    notes: list[tuple[str, str]] = []
    orders = [{**base, **order}]
    if preset == "salesforce_commerce":
        orders.append(snake(orders[0]))
    for event in events_of(preset, orders, notes=notes):
        assert Decimal(event["custom_data"]["value"]) == Decimal(value)
    assert notes == []


@pytest.mark.parametrize("order", [rest(), graphql(), graphql(subtotalPriceSet=money(90))])
def test_currency_is_that_of_the_value(order):
    """If the buyer pays in another currency, amount and currency are both the shop's."""
    (event,) = events_of("shopify", [order])
    assert event["custom_data"]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("preset", "order"),
    [
        ("shopify", rest(test=True)),
        ("shopify", graphql(test="true")),
        ("shopify", rest(cancelled_at="2026-11-18T10:00:00Z")),
        ("shopify", graphql(cancelledAt="2026-11-18T10:00:00Z")),
        ("shopify", {"id": 1, "name": "#D1", "status": "open", "invoice_url": "https://a.example"}),
        ("woocommerce", {**WOOCOMMERCE, "status": "checkout-draft"}),
        ("woocommerce", {**WOOCOMMERCE, "status": "cancelled"}),
        ("bigcommerce", {**BIGCOMMERCE, "status": "Incomplete"}),
        ("bigcommerce", {**BIGCOMMERCE, "status": "Cancelled"}),
        ("bigcommerce", {**BIGCOMMERCE, "is_deleted": True}),
        ("magento", {**MAGENTO, "state": "canceled"}),
        ("salesforce_commerce", {**SALESFORCE, "status": "cancelled"}),
        ("stripe", {**SESSION, "livemode": False}),
    ],
)
def test_orders_that_do_not_count(preset, order):
    """Tests, drafts and cancelled orders are not conversions, in any shop."""
    (result,) = events_of(preset, [order])
    assert isinstance(result, SkippedRecord)


@pytest.mark.parametrize(
    ("preset", "order"),
    [
        ("shopify", rest(source_name="pos")),
        ("shopify", graphql(sourceName="pos")),
        ("woocommerce", {**WOOCOMMERCE, "created_via": "pos-rest-api"}),
        ("bigcommerce", {**BIGCOMMERCE, "order_source": "pos"}),
        ("salesforce_commerce", {**SALESFORCE, "channelType": "store"}),
    ],
)
def test_orders_at_the_counter_are_offline(preset, order):
    """A sale at a point of sale is not a web event."""
    assert events_of(preset, [order])[0]["action_source"] == "offline"


AMOUNTS = {"total": 107.1, "revenue": "90.00", "currency": "EUR"}
CALL = {
    "type": "track",
    "timestamp": "2026-11-17T09:08:31Z",
    "context": {"traits": {"email": "m@example.com"}},
    "person_properties": {"email": "m@example.com"},
    "email": "m@example.com",
    "id": "1",
    "uuid": "1",
    "messageId": "1",
    "properties": AMOUNTS,
    **AMOUNTS,
}


@pytest.mark.parametrize(
    ("preset", "event", "path"),
    [
        ("segment", "Order Completed", "properties."),
        ("metarouter", "order_completed", "properties."),
        ("posthog", "Order Completed", "properties."),
        ("rudderstack", "order_completed", ""),
    ],
)
def test_orders_of_trackers(preset, event, path):
    """Their total includes tax and shipping; the line on their pages subtracts them."""
    record = {**CALL, "event": event}
    (sent,) = events_of(preset, [record])
    assert sent["custom_data"]["value"] == "107.1"
    value = [f"{path}value", f"{path}revenue", f"{path}total"]
    (sent,) = events_of(preset, [record], fields={"custom_data.value": value})
    assert sent["custom_data"]["value"] == "90.00"
    assert f"{{custom_data.value: [{', '.join(value)}]}}" in " ".join(
        words for label, words in presets.load(preset).notes if label == "Maps"
    )

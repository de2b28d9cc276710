"""Preset `stripe`: charges and Checkout Sessions, whole events compared."""

import json

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import SkippedRecord
from target_pinterest_capi.events.reasons import Skipped

ADDRESS = {
    "city": "San Francisco",
    "country": "US",
    "line1": "1 Example St",
    "line2": None,
    "postal_code": "94103",
    "state": "CA",
}
CHARGE = {
    "id": "ch_71",
    "object": "charge",
    "amount": 5260,
    "amount_refunded": 0,
    "billing_details": {
        "address": ADDRESS,
        "email": "Maria.Rivera@example.com",
        "name": "Maria Rivera",
        "phone": "+14155550132",
    },
    "captured": True,
    "created": 1794906511,
    "currency": "usd",
    "customer": "cus_12",
    "invoice": None,
    "livemode": True,
    "metadata": {"order_id": "1001", "epik": "dj0y"},
    "paid": True,
    "payment_intent": "pi_71",
    "payment_method_details": {"card": {"brand": "visa"}, "type": "card"},
    "receipt_email": None,
    "refunded": False,
    "status": "succeeded",
}
PERSON = {
    "em": [sha256("maria.rivera@example.com")],
    "ph": [sha256("14155550132")],
    "ct": [sha256("sanfrancisco")],
    "st": [sha256("ca")],
    "zp": [sha256("94103")],
    "country": [sha256("us")],
    "external_id": [sha256("cus_12")],
    "click_id": "dj0y",
}
EVENT = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794906511,
    "event_id": "pi_71",
    "user_data": PERSON,
    "custom_data": {"currency": "USD", "value": "52.6", "order_id": "1001"},
}
SESSION = {
    "id": "cs_71",
    "object": "checkout.session",
    "amount_subtotal": 3980,
    "amount_total": 5260,
    "client_reference_id": "u-9",
    "created": 1794906511,
    "currency": "usd",
    "customer": "cus_12",
    "customer_details": {
        "address": ADDRESS,
        "email": "Maria.Rivera@example.com",
        "name": "Maria Rivera",
        "phone": "+14155550132",
    },
    "livemode": True,
    "locale": "en",
    "metadata": {"order_id": "1001", "epik": "dj0y"},
    "payment_intent": "pi_71",
    "payment_status": "paid",
    "status": "complete",
    "line_items": {
        "object": "list",
        "data": [
            {
                "id": "li_1",
                "description": "Vase",
                "quantity": 2,
                "amount_total": 3980,
                "price": {
                    "id": "price_1",
                    "currency": "usd",
                    "unit_amount": 1990,
                    "product": "prod_71",
                },
            }
        ],
    },
}


def texts(record):
    """Return the record with its objects as JSON text."""
    return {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in record.items()
    }


@pytest.mark.parametrize("record", [CHARGE, texts(CHARGE)], ids=["objects", "text"])
def test_charge(record):
    """A charge that succeeded is a checkout of its amount, and nothing is dropped."""
    notes = []
    assert events_of("stripe", [record], notes=notes) == [EVENT]
    assert notes == []


@pytest.mark.parametrize("record", [SESSION, texts(SESSION)], ids=["objects", "text"])
def test_session(record):
    """A session that was paid is the same event as its charge, with its line items."""
    contents = [{"id": "prod_71", "item_name": "Vase", "item_price": "19.9", "quantity": 2}]
    assert events_of("stripe", [record]) == [
        {
            **EVENT,
            "language": "en",
            "user_data": {**PERSON, "external_id": [sha256("cus_12"), sha256("u-9")]},
            "custom_data": {
                **EVENT["custom_data"],
                "content_ids": ["prod_71"],
                "contents": contents,
                "num_items": 2,
            },
        }
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "value"),
    [
        (1999, "usd", "19.99"),
        (2000, "EUR", "20"),
        (5, "usd", "0.05"),
        (1999, "jpy", "1999"),
        (1999, "KRW", "1999"),
        (500, "ugx", "5"),
        (500, "isk", "5"),
        (1999, "kwd", "1.999"),
        ("1999", "usd", "19.99"),
    ],
)
def test_amounts(amount, currency, value):
    """Amounts are in units of the currency, which have a hundred, a thousand, or one minor unit."""
    (event,) = events_of("stripe", [{**CHARGE, "amount": amount, "currency": currency}])
    assert event["custom_data"]["value"] == value


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({**CHARGE, "status": "failed"}, "charge failed"),
        ({**CHARGE, "status": "pending"}, "charge pending"),
        ({**SESSION, "payment_status": "unpaid"}, "session unpaid"),
        ({"id": "in_1", "object": "invoice", "livemode": True}, "neither charge nor session"),
    ],
)
def test_other_objects(record, name):
    """Unpaid objects are skipped, and so are all other kinds."""
    (result,) = events_of("stripe", [record])
    assert isinstance(result, SkippedRecord)
    assert result.name == name


@pytest.mark.parametrize("live", [False, "false"])
def test_test_mode(live):
    """An object of Stripe's test mode is not a sale."""
    (result,) = events_of("stripe", [{**CHARGE, "livemode": live}])
    assert result.reason is Skipped.WHEN


@pytest.mark.parametrize("method", ["card_present", "interac_present"])
def test_card_present(method):
    """A payment with the card present is one in a store."""
    details = {method: {"brand": "visa"}, "type": method}
    (event,) = events_of("stripe", [{**CHARGE, "payment_method_details": details}])
    assert event["action_source"] == "offline"


def test_charge_without_a_payment_intent():
    """Older charges have no payment intent: the event's id is their own."""
    (event,) = events_of("stripe", [{**CHARGE, "payment_intent": None, "metadata": {}}])
    assert (event["event_id"], event["custom_data"]["order_id"]) == ("ch_71", "ch_71")


@pytest.mark.parametrize("record", [CHARGE, SESSION], ids=["charge", "session"])
def test_customer_account(record):
    """If a customer is an account of Stripe's newer kind, that is the external id."""
    (event,) = events_of("stripe", [{**record, "customer": None, "customer_account": "acct_12"}])
    assert event["user_data"]["external_id"][0] == sha256("acct_12")


def test_price_of_a_fraction_of_a_cent():
    """A price that is not a whole number of cents keeps its decimals."""
    price = {"currency": "usd", "unit_amount": None, "unit_amount_decimal": "12.5"}
    line = {**SESSION["line_items"]["data"][0], "price": price}
    (event,) = events_of("stripe", [{**SESSION, "line_items": {"data": [line]}}])
    assert event["custom_data"]["contents"][0]["item_price"] == "0.125"

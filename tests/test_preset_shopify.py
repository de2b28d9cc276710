"""Preset `shopify`.

Orders and customers, in REST's snake_case and in the camelCase that tap-shopify 3.x sends.
"""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import PurePosixPath
from typing import Any

import pytest

from preset_events import events_of, sha256
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped

AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"
    " Version/18.1 Safari/605.1.15"
)

REST_ADDRESS = {
    "first_name": "Ana",
    "last_name": "de Souza",
    "address1": "12 Main Street",
    "address2": None,
    "city": "New York",
    "province": "New York",
    "province_code": "NY",
    "country": "United States",
    "country_code": "US",
    "zip": "10001-2345",
    "phone": "(212) 555-0123",
    "company": None,
    "name": "Ana de Souza",
}
REST_ORDER: dict[str, Any] = {
    "id": 5678901234567,
    "admin_graphql_api_id": "gid://shopify/Order/5678901234567",
    "app_id": 580111,
    "browser_ip": "192.0.2.7",
    "cancelled_at": None,
    "client_details": {
        "accept_language": "en-US,en;q=0.9",
        "browser_height": None,
        "browser_ip": "192.0.2.7",
        "browser_width": None,
        "session_hash": None,
        "user_agent": AGENT,
    },
    "confirmed": True,
    "contact_email": "ana@example.com",
    "created_at": "2026-11-18T01:59:58-05:00",
    "currency": "USD",
    "customer_locale": "en-US",
    "email": "Ana@Example.com",
    "financial_status": "paid",
    "landing_site": "/products/linen-shirt?utm_source=pinterest&epik=dj0yJnU9abc",
    "name": "#1001",
    "note_attributes": [],
    "order_number": 1001,
    "order_status_url": "https://shop.example.com/1/orders/abc/authenticate?key=def",
    "phone": None,
    "presentment_currency": "USD",
    "processed_at": "2026-11-18T01:59:57-05:00",
    "referring_site": "https://www.pinterest.com/",
    "source_name": "web",
    "subtotal_price": "59.85",
    "test": False,
    "total_price": "69.80",
    "total_tax": "4.95",
    "billing_address": REST_ADDRESS,
    "shipping_address": {
        **REST_ADDRESS,
        "first_name": "Bo",
        "last_name": "Li",
        "city": "Boston",
        "province_code": "MA",
        "zip": "02108",
    },
    "customer": {
        "id": 7654321098765,
        "email": "ana@example.com",
        "first_name": "Ana Maria",
        "last_name": "de Souza",
        "phone": "+12125550199",
        "default_address": {**REST_ADDRESS, "city": "Albany", "zip": "12207"},
    },
    "line_items": [
        {
            "id": 111,
            "product_id": 8001,
            "variant_id": 9001,
            "title": "Linen Shirt",
            "name": "Linen Shirt - M",
            "price": "19.95",
            "quantity": 2,
            "sku": "LS-M",
            "vendor": "Acme",
        },
        {
            "id": 112,
            "product_id": None,
            "variant_id": None,
            "title": "Gift wrap",
            "price": "19.95",
            "quantity": 1,
            "vendor": None,
        },
    ],
}
CUSTOMER_DATA = {
    "em": [sha256("ana@example.com")],
    "ph": [sha256("12125550199"), sha256("12125550123")],
    "ln": [sha256("de souza")],
    "fn": [sha256("ana maria"), sha256("ana")],
    "ct": [sha256("newyork")],
    "st": [sha256("ny")],
    "zp": [sha256("10001")],
    "country": [sha256("us")],
    "external_id": [sha256("7654321098765")],
}
CHECKOUT = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794985197,
    "event_id": "5678901234567",
    "language": "en",
    "user_data": {
        **CUSTOMER_DATA,
        "client_ip_address": "192.0.2.7",
        "client_user_agent": AGENT,
        "click_id": "dj0yJnU9abc",
    },
    "custom_data": {
        "currency": "USD",
        "value": "59.85",
        "content_ids": ["8001"],
        "contents": [
            {
                "id": "8001",
                "item_name": "Linen Shirt",
                "item_price": "19.95",
                "quantity": 2,
                "item_brand": "Acme",
            },
            {"item_name": "Gift wrap", "item_price": "19.95", "quantity": 1},
        ],
        "num_items": 3,
        "order_id": "5678901234567",
    },
}


def _money(amount: float) -> dict[str, Any]:
    """Return a MoneyBag of a shop in New York and a buyer who paid in Canadian dollars."""
    return {
        "shopMoney": {"amount": amount, "currencyCode": "USD"},
        "presentmentMoney": {"amount": round(amount * 1.4, 2), "currencyCode": "CAD"},
    }


GRAPHQL_ADDRESS = {
    "firstName": "Ana",
    "lastName": "de Souza",
    "address1": "12 Main Street",
    "city": "New York",
    "province": "New York",
    "provinceCode": "NY",
    "country": "United States",
    "countryCodeV2": "US",
    "zip": "10001-2345",
    "phone": "(212) 555-0123",
    "name": "Ana de Souza",
}
GRAPHQL_ORDER: dict[str, Any] = {
    "id": "gid://shopify/Order/5678901234567",
    "legacyResourceId": "5678901234567",
    "name": "#1001",
    "email": "Ana@Example.com",
    "phone": None,
    "clientIp": "192.0.2.7",
    "createdAt": "2026-11-18T06:59:58Z",
    "processedAt": "2026-11-18T06:59:57.000000Z",
    "cancelledAt": None,
    "currencyCode": "USD",
    "customerLocale": "en-US",
    "displayFinancialStatus": "PAID",
    "sourceName": "web",
    "test": False,
    "totalPriceSet": _money(69.8),
    "subtotalPriceSet": _money(59.85),
    "taxesIncluded": False,
    "customerJourneySummary": {
        "lastVisit": {
            "landingPage": "https://shop.example.com/products/linen-shirt"
            "?utm_source=pinterest&epik=dj0yJnU9abc",
            "referrerUrl": "https://www.pinterest.com/",
        },
    },
    "billingAddress": GRAPHQL_ADDRESS,
    "customer": {
        "id": "gid://shopify/Customer/7654321098765",
        "email": "ana@example.com",
        "firstName": "Ana Maria",
        "lastName": "de Souza",
        "defaultAddress": {"city": "Albany", "zip": "12207", "countryCodeV2": "US"},
    },
    "lineItems": [
        {
            "id": "gid://shopify/LineItem/111",
            "title": "Linen Shirt",
            "name": "Linen Shirt - M",
            "quantity": 2,
            "sku": "LS-M",
            "vendor": "Acme",
            "originalUnitPriceSet": _money(19.95),
            "discountedUnitPriceSet": _money(15.5),
            "product": {"id": "gid://shopify/Product/8001"},
            "variant": {"id": "gid://shopify/ProductVariant/9001"},
        },
        {
            "id": "gid://shopify/LineItem/112",
            "title": "Gift wrap",
            "quantity": 1,
            "originalUnitPriceSet": _money(19.95),
            "product": None,
        },
    ],
}
# GraphQL has no user agent, and tap-shopify asks for no phone of the order's customer
GRAPHQL_CHECKOUT = {
    **CHECKOUT,
    "user_data": {
        **CUSTOMER_DATA,
        "ph": [sha256("12125550123")],
        "client_ip_address": "192.0.2.7",
        "click_id": "dj0yJnU9abc",
    },
}

REST_CUSTOMER: dict[str, Any] = {
    "id": 7654321098765,
    "email": "ana@example.com",
    "created_at": "2026-11-18T01:00:00-05:00",
    "updated_at": "2026-11-18T01:00:01-05:00",
    "first_name": "Ana Maria",
    "last_name": "de Souza",
    "orders_count": 0,
    "state": "enabled",
    "total_spent": "0.00",
    "verified_email": True,
    "phone": "+12125550199",
    "currency": "USD",
    "default_address": REST_ADDRESS,
    "addresses": [REST_ADDRESS],
}
GRAPHQL_CUSTOMER: dict[str, Any] = {
    "id": "gid://shopify/Customer/7654321098765",
    "email": "ana@example.com",
    "createdAt": "2026-11-18T06:00:00Z",
    "updatedAt": "2026-11-18T06:00:01Z",
    "firstName": "Ana Maria",
    "lastName": "de Souza",
    "numberOfOrders": "0",
    "state": "ENABLED",
    "verifiedEmail": True,
    "phone": "+12125550199",
    "dataSaleOptOut": False,
    "locale": "en-US",
    "amountSpent": {"amount": "0.0", "currencyCode": "USD"},
    "defaultAddress": GRAPHQL_ADDRESS,
}
SIGNUP = {
    "event_name": "signup",
    "action_source": "web",
    "event_time": 1794981600,
    "event_id": "7654321098765",
    "user_data": {**CUSTOMER_DATA, "fn": [sha256("ana maria")]},
}


@pytest.mark.parametrize(
    ("record", "event"),
    [
        pytest.param(REST_ORDER, CHECKOUT, id="REST order"),
        pytest.param(GRAPHQL_ORDER, GRAPHQL_CHECKOUT, id="GraphQL order"),
        pytest.param(REST_CUSTOMER, SIGNUP, id="REST customer"),
        pytest.param(GRAPHQL_CUSTOMER, {**SIGNUP, "language": "en"}, id="GraphQL customer"),
    ],
)
def test_record_becomes_its_event(record, event):
    """In either spelling, an order is a checkout and a customer a signup, with the same id."""
    notes: list[tuple[str, str]] = []
    made = events_of("shopify", [record], notes=notes)
    assert (made, notes) == ([event], [])


@pytest.mark.parametrize(
    ("record", "event"),
    [(REST_ORDER, CHECKOUT), (GRAPHQL_ORDER, GRAPHQL_CHECKOUT), (REST_CUSTOMER, SIGNUP)],
)
def test_json_text_of_warehouse_columns_is_read(record, event):
    """Nested columns may be JSON text, whole or one for each line item."""
    text = {
        column: json.dumps(value) if isinstance(value, dict | list) else value
        for column, value in record.items()
    }
    items = {
        column: [json.dumps(item) for item in value] if "tems" in column else value
        for column, value in record.items()
    }
    assert events_of("shopify", [text, items]) == [event, event]


@pytest.mark.parametrize(
    "wrap",
    [lambda items: {"edges": [{"node": item} for item in items]}, lambda items: {"nodes": items}],
)
def test_line_items_of_a_graphql_connection_are_read(wrap):
    """Line items in GraphQL's connections are the same items."""
    assert events_of(
        "shopify", [{**GRAPHQL_ORDER, "lineItems": wrap(GRAPHQL_ORDER["lineItems"])}]
    ) == [GRAPHQL_CHECKOUT]


@pytest.mark.parametrize("order", [REST_ORDER, GRAPHQL_ORDER])
def test_nulls_leave_fields_out(order):
    """Nulls are dropped.

    The event needs only what identifies an order, its time, and an e-mail address.
    """
    kept = {
        "id",
        "financial_status",
        "processed_at",
        "email",
        "displayFinancialStatus",
        "processedAt",
    }
    notes: list[tuple[str, str]] = []
    record = {column: value if column in kept else None for column, value in order.items()}
    assert events_of("shopify", [record], notes=notes) == [
        {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": 1794985197,
            "event_id": "5678901234567",
            "user_data": {"em": [sha256("ana@example.com")]},
            "custom_data": {"order_id": "5678901234567"},
        },
    ]
    assert notes == []


@pytest.mark.parametrize(
    ("changes", "city", "postal_code"),
    [
        ({}, ["newyork"], ["10001"]),
        ({"billing_address": None}, ["albany"], ["12207"]),
        ({"billing_address": None, "customer": None}, None, None),
    ],
)
def test_address_is_the_billing_address_else_the_customers(changes, city, postal_code):
    """City, state, postal code and country are from one address, never the shipping address."""
    (event,) = events_of("shopify", [{**REST_ORDER, **changes}])
    customer = event["user_data"]
    assert customer.get("ct") == (city and [*map(sha256, city)])
    assert customer.get("zp") == (postal_code and [*map(sha256, postal_code)])


@pytest.mark.parametrize(
    ("order", "people"),
    [
        (
            REST_ORDER,
            {
                "customer": ("customer", "first_name", "last_name"),
                "billing": ("billing_address", "first_name", "last_name"),
            },
        ),
        (
            GRAPHQL_ORDER,
            {
                "customer": ("customer", "firstName", "lastName"),
                "billing": ("billingAddress", "firstName", "lastName"),
            },
        ),
    ],
)
def test_every_identifier_of_the_buyer_is_taken(order, people):
    """Names and addresses of the customer, the order and its billing address are match keys."""
    named = {
        place: {
            **order[place],
            first: f"First {role}",
            last: f"Last {role}",
            "email": f"{role}@example.com",
        }
        for role, (place, first, last) in people.items()
    }
    (event,) = events_of(
        "shopify",
        [{**order, "email": "order@example.com", "contact_email": "contact@example.com", **named}],
    )
    customer = event["user_data"]
    assert customer["fn"] == [sha256("first customer"), sha256("first billing")]
    assert customer["ln"] == [sha256("last customer"), sha256("last billing")]
    assert customer["em"] == [
        sha256("order@example.com"),
        sha256("contact@example.com"),
        sha256("customer@example.com"),
    ]


@pytest.mark.parametrize(
    ("order", "changes", "language"),
    [
        (REST_ORDER, {"customer_locale": "fr-CA"}, "fr"),
        (
            REST_ORDER,
            {"customer_locale": None, "client_details": {"accept_language": "de-DE,de;q=0.9"}},
            "de",
        ),
        (REST_ORDER, {"customer_locale": None, "client_details": None}, None),
        (GRAPHQL_ORDER, {"customerLocale": "pt-BR"}, "pt"),
        (GRAPHQL_CUSTOMER, {"locale": "nl"}, "nl"),
    ],
)
def test_language_is_the_buyers(order, changes, language):
    """The order's locale, otherwise the browser's; for a customer the account's locale."""
    (event,) = events_of("shopify", [{**order, **changes}])
    assert event.get("language") == language


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({"browser_ip": "192.0.2.8"}, "192.0.2.7"),
        ({"browser_ip": "192.0.2.8", "client_details": {"user_agent": AGENT}}, "192.0.2.8"),
        ({"browser_ip": None, "client_details": {"user_agent": AGENT}}, None),
    ],
)
def test_ip_address_is_the_browsers(changes, address):
    """The client details' IP address, from the user agent's browser, otherwise the order's."""
    (event,) = events_of("shopify", [{**REST_ORDER, **changes}])
    assert event["user_data"].get("client_ip_address") == address


@pytest.mark.parametrize(
    ("column", "order"), [("source_name", REST_ORDER), ("sourceName", GRAPHQL_ORDER)]
)
@pytest.mark.parametrize(
    ("channel", "source"),
    [("web", "web"), ("pos", "offline"), ("shopify_draft_order", "web"), (None, "web")],
)
def test_point_of_sale_is_offline(column, order, channel, source):
    """An order from Shopify's point of sale happened offline, every other on the web."""
    (event,) = events_of("shopify", [{**order, column: channel}])
    assert event["action_source"] == source


@pytest.mark.parametrize(
    ("order", "missing", "event"),
    [
        (REST_ORDER, "financial_status", CHECKOUT),
        (REST_ORDER, "order_number", CHECKOUT),
        (GRAPHQL_ORDER, "displayFinancialStatus", GRAPHQL_CHECKOUT),
        (REST_CUSTOMER, "orders_count", SIGNUP),
        (REST_CUSTOMER, "state", SIGNUP),
    ],
)
def test_columns_that_a_tap_leaves_out_may_be_missing(order, missing, event):
    """The identifiers of an order or a customer are there in both spellings."""
    assert events_of(
        "shopify", [{column: value for column, value in order.items() if column != missing}]
    ) == [event]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(
            {
                "id": "gid://shopify/AbandonedCheckout/1",
                "totalPriceSet": _money(5),
                "createdAt": "2026-11-18T06:00:00Z",
            },
            id="cart",
        ),
        pytest.param(
            {
                "id": "gid://shopify/OrderTransaction/1",
                "processedAt": "2026-11-18T06:00:00Z",
                "status": "SUCCESS",
            },
            id="transaction",
        ),
        pytest.param(
            {
                "id": 8001,
                "title": "Linen Shirt",
                "vendor": "Acme",
                "created_at": "2026-11-18T06:00:00Z",
            },
            id="product",
        ),
    ],
)
def test_other_records_are_skipped(record):
    """Records of other streams are not dead letters.

    They are skipped and counted.
    """
    (skipped,) = events_of("shopify", [record])
    assert isinstance(skipped, SkippedRecord)
    assert (skipped.reason, skipped.name) == (Skipped.NOT_LISTED, "neither order nor customer")


@pytest.mark.parametrize("test", [True, "true"])
def test_test_orders_are_skipped(test):
    """An order of Shopify's test mode is not a conversion."""
    (skipped,) = events_of("shopify", [{**REST_ORDER, "test": test}])
    assert isinstance(skipped, SkippedRecord)
    assert skipped.reason is Skipped.WHEN


def test_when_of_the_entry_is_joined():
    """The documented `when` takes paid orders only; the preset's own still holds."""
    pending = {**REST_ORDER, "financial_status": "pending"}
    tried = {**REST_ORDER, "test": True}
    made = events_of("shopify", [pending, tried, REST_ORDER], when="financial_status == 'paid'")
    assert [getattr(result, "reason", None) for result in made] == [
        Skipped.WHEN,
        Skipped.WHEN,
        None,
    ]


def test_event_names_of_the_entry_rename_a_kind():
    """`order` and `customer` can be mapped to other names of Pinterest's."""
    (event,) = events_of("shopify", [REST_CUSTOMER], event_names={"customer": "lead"})
    assert event == {**SIGNUP, "event_name": "lead"}


def test_old_customers_are_too_old_and_anonymous_orders_have_no_identifier():
    """A customer who was only updated is not a signup; an IP address alone identifies nobody."""
    old = {**REST_CUSTOMER, "created_at": "2024-01-02T03:04:05Z"}
    anonymous = {**GRAPHQL_ORDER, "email": None, "customer": None}
    results = events_of("shopify", [old, anonymous])
    assert all(isinstance(result, InvalidRecord) for result in results)
    assert [result.reason for result in results] == [Invalid.EVENT_TOO_OLD, Invalid.NO_IDENTIFIER]


# The schema files inside tap-shopify 3.x

# Columns of the tap's schemas that the records above have, as of tap-shopify 3.13: the spelling is
# checked without the package
SCHEMAS_3_13 = {
    "orders": (
        "id legacyResourceId displayFinancialStatus processedAt createdAt totalPriceSet sourceName"
        " test email phone clientIp customerLocale customerJourneySummary billingAddress customer"
        " lineItems name cancelledAt currencyCode subtotalPriceSet taxesIncluded"
    ),
    "customers": (
        "id email createdAt updatedAt firstName lastName numberOfOrders state verifiedEmail phone"
        " dataSaleOptOut locale amountSpent defaultAddress"
    ),
}
RECORDS = {"orders": GRAPHQL_ORDER, "customers": GRAPHQL_CUSTOMER}
EVENTS = {"orders": GRAPHQL_CHECKOUT, "customers": {**SIGNUP, "language": "en"}}


@pytest.mark.parametrize("stream", RECORDS)
def test_records_have_the_columns_of_the_captured_schema(stream):
    """The records here have the tap's columns, and its SCHEMA leads to the same event."""
    columns = SCHEMAS_3_13[stream].split()
    assert set(RECORDS[stream]) == set(columns)
    assert events_of(
        "shopify", [RECORDS[stream]], schema={"properties": {name: {} for name in columns}}
    ) == [EVENTS[stream]]


TAP = "tap-shopify==3.13.0"


@pytest.fixture(scope="module")
def tap_schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the schemas inside the tap's package, by stream.

    Only its source is read; the tap is neither installed nor run.
    """
    folder = tmp_path_factory.mktemp("tap")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--dest",
        folder,
        TAP,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archive = next(folder.glob("*.tar.gz"), None)
    if archive is None:
        reason = f"{TAP} cannot be downloaded: {done.stderr[-300:]}"
        pytest.fail(reason) if os.environ.get("REQUIRE_SERVICES") else pytest.skip(reason)
    with tarfile.open(archive) as files:
        members = {
            PurePosixPath(name): files.extractfile(name)
            for name in files.getnames()
            if name.endswith(".json")
        }
        return {
            path.stem: json.load(file)
            for path, file in members.items()
            if path.parent.name == "schemas" and file is not None
        }


@pytest.mark.parametrize("stream", RECORDS)
def test_records_fit_the_taps_own_schema(stream, tap_schemas):
    """Every path of the records here is declared by the package's schema, with that type."""
    assert list(_undeclared(RECORDS[stream], tap_schemas[stream], stream)) == []
    assert set(SCHEMAS_3_13[stream].split()) <= set(tap_schemas[stream]["properties"])
    assert events_of("shopify", [RECORDS[stream]], schema=tap_schemas[stream]) == [EVENTS[stream]]


TAKEN = {"test": False, "cancelledAt": None}  # else no order counts


def test_only_orders_and_customers_of_the_tap_become_events(tap_schemas):
    """A record of another of the tap's streams is skipped, so one entry can have all streams."""
    full = {stream: _filled(schema) for stream, schema in tap_schemas.items()}
    results = dict(
        zip(
            full,
            events_of("shopify", [{**record, **TAKEN} for record in full.values()]),
            strict=True,
        )
    )
    taken = {stream for stream, result in results.items() if not isinstance(result, SkippedRecord)}
    assert taken == {"orders", "customers"}
    assert {result.reason for result in results.values() if isinstance(result, SkippedRecord)} == {
        Skipped.NOT_LISTED
    }


_TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def _undeclared(value: Any, schema: dict[str, Any], path: str):
    """Yield the paths of a record that a schema does not declare, or declares with another type."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if value is not None and not any(
        isinstance(value, _TYPES[name]) for name in types if name != "null"
    ):
        yield path
    if isinstance(value, dict):
        for key, member in value.items():
            if key in schema.get("properties", {}):
                yield from _undeclared(member, schema["properties"][key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    if isinstance(value, list):
        for item in value:
            yield from _undeclared(item, schema["items"], f"{path}[]")


def _filled(schema: dict[str, Any]) -> Any:
    """Return a value with every member that a schema declares, none of them null."""
    types = schema.get("type", "object")
    name = next(name for name in ([types] if isinstance(types, str) else types) if name != "null")
    if name == "object":
        return {key: _filled(member) for key, member in schema.get("properties", {}).items()}
    if name == "array":
        return [_filled(schema["items"])] if "items" in schema else []
    if schema.get("format") == "date-time":
        return "2026-11-18T06:00:00Z"
    return {"string": "ana@example.com", "integer": 1, "number": 1.5, "boolean": True}[name]

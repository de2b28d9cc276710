"""Samples for `pinterest-capi suggest`: tables as taps send them, and the mapping for each.

Columns and types of Shopify, Stripe, WooCommerce, BigCommerce and GA4 are those of their taps and
exports; the people are invented.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36"
)


def ago(minutes: int = 5) -> str:
    """Return a time as most taps write it."""
    return f"{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def unix(minutes: int = 5) -> int:
    """Return a Unix time."""
    return int((datetime.now(UTC) - timedelta(minutes=minutes)).timestamp())


class Sample(NamedTuple):
    """A stream and its expected mapping; `events` of the records become events."""

    stream: str
    rows: list[dict[str, Any]] | Callable[[], list[dict[str, Any]]]  # of the minutes before a call
    fields: dict[str, Any]
    defaults: dict[str, Any]
    events: int
    key: str | None = None
    preset: str | None = None
    when: str | None = None
    event_names: dict[str, str] | None = None
    schema: dict[str, Any] | None = None

    @property
    def records(self) -> list[dict[str, Any]]:
        """Its records, relative to now."""
        return self.rows() if callable(self.rows) else self.rows


NUMBER: dict[str, Any] = {"type": ["null", "number"]}
INTEGER: dict[str, Any] = {"type": ["null", "integer"]}

SAMPLES = {
    "German shop": Sample(
        "bestellungen",
        lambda: [
            {
                "Bestellnummer": number,
                "Bestellt am": ago(number),
                "E-Mail-Adresse": f"kunde{number}@example.com",
                "Vorname": "Ute",
                "Nachname": "Meyer",
                "Geschlecht": "weiblich",
                "Geburtsdatum": "1980-02-03",
                "PLZ": "10115",
                "Ort": "Berlin",
                "Land": "DE",
                "Telefon": "+49 30 23125 100",
                "Gesamtbetrag": "19.90",
                "Währung": "EUR",
                "Bestellstatus": status,
                "Lieferort": "Bonn",
                "Positionen": [
                    {"Artikelnummer": "A1", "Bezeichnung": "Tasse", "Preis": 9.95, "Menge": 2}
                ],
            }
            for number, status in ((17, "bezahlt"), (18, "storniert"))
        ],
        {
            "event_time": '"Bestellt am"',
            "event_id": "Bestellnummer",
            "user_data.em": '"E-Mail-Adresse"',
            "user_data.ph": "Telefon",
            "user_data.ge": "Geschlecht",
            "user_data.db": "Geburtsdatum",
            "user_data.fn": "Vorname",
            "user_data.ln": "Nachname",
            "user_data.zp": "PLZ",
            "user_data.ct": "Ort",
            "user_data.country": "Land",
            "custom_data.value": "Gesamtbetrag",
            "custom_data.currency": '"Währung"',
            "custom_data.order_id": "Bestellnummer",
            "custom_data.contents": (
                "Positionen[].{id: Artikelnummer, item_name: Bezeichnung, item_price: Preis,"
                " quantity: Menge}"
            ),
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
        key="Bestellnummer",
        when="Bestellstatus == 'bezahlt'",
    ),
    "Spanish CRM": Sample(
        "clientes",
        lambda: [
            {
                "id_cliente": 7,
                "fecha_alta": ago(),
                "nombre": "Ana",
                "apellidos": "García",
                "correo_electronico": "ana@example.com",
                "telefono": "+34 911 23 45 67",
                "ciudad": "Madrid",
                "codigo_postal": "28001",
                "provincia": "Madrid",
                "pais": "ES",
            }
        ],
        {
            "event_time": "fecha_alta",
            "event_id": "id_cliente",
            "user_data.em": "correo_electronico",
            "user_data.ph": "telefono",
            "user_data.fn": "nombre",
            "user_data.ln": "apellidos",
            "user_data.ct": "ciudad",
            "user_data.st": "provincia",
            "user_data.zp": "codigo_postal",
            "user_data.country": "pais",
            "user_data.external_id": "id_cliente",
        },
        {"event_name": "signup", "action_source": "web"},
        1,
        key="id_cliente",
    ),
    "French orders": Sample(
        "commandes",
        lambda: [
            {
                "numero_commande": "C-9",
                "date_commande": ago(),
                "courriel": "luc@example.com",
                "prenom": "Luc",
                "nom": "Moreau",
                "ville": "Lyon",
                "code_postal": "69002",
                "pays": "FR",
                "montant_total": 42.5,
                "devise": "EUR",
            }
        ],
        {
            "event_time": "date_commande",
            "event_id": "numero_commande",
            "user_data.em": "courriel",
            "user_data.fn": "prenom",
            "user_data.ln": "nom",
            "user_data.ct": "ville",
            "user_data.zp": "code_postal",
            "user_data.country": "pays",
            "custom_data.value": "montant_total",
            "custom_data.currency": "devise",
            "custom_data.order_id": "numero_commande",
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
    ),
    "Snowflake": Sample(
        "ANALYTICS-FCT_ORDERS",
        lambda: [
            {
                "ORDER_ID": "o-1",
                "ORDERED_AT": ago(),
                "CUSTOMER_EMAIL": "jane@example.com",
                "CUSTOMER_ID": 12,
                "IP_ADDRESS": "192.0.2.7",
                "USER_AGENT": AGENT,
                "GRAND_TOTAL": "12.00",
                "CURRENCY_CODE": "USD",
                "SHIPPING_CITY": "Bristol",
                "_SDC_BATCHED_AT": ago(),
            }
        ],
        {
            "event_time": "ORDERED_AT",
            "event_id": "ORDER_ID",
            "user_data.em": "CUSTOMER_EMAIL",
            "user_data.external_id": "CUSTOMER_ID",
            "user_data.client_ip_address": "IP_ADDRESS",
            "user_data.client_user_agent": "USER_AGENT",
            "custom_data.value": "GRAND_TOTAL",
            "custom_data.currency": "CURRENCY_CODE",
            "custom_data.order_id": "ORDER_ID",
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
        key="ORDER_ID",
    ),
    "app events in camelCase": Sample(
        "appEvents",
        lambda: [
            {
                "eventId": "e-1",
                "eventName": "Order Completed",
                "occurredAt": unix() * 1000,
                "userId": "u-1",
                "advertisingId": "6d92078a-8246-4ba4-ae5b-76104861e7dc",
                "totalPrice": 5.5,
            },
            {
                "eventId": "e-2",
                "eventName": "a name of their own",
                "occurredAt": unix() * 1000,
                "userId": "u-1",
                "advertisingId": "6d92078a-8246-4ba4-ae5b-76104861e7dc",
            },
        ],
        {
            "event_name": "eventName",
            "event_time": "occurredAt",
            "event_id": "eventId",
            "user_data.external_id": "userId",
            "user_data.hashed_maids": "advertisingId",
            "custom_data.value": "totalPrice",
        },
        {"action_source": "web"},
        1,
        event_names={"Order Completed": "checkout"},
    ),
    "CSV of strings": Sample(
        "orders_export",
        lambda: [
            {
                "Order Number": "1001",
                "Order Date": ago(),
                "Email": "joe@example.com",
                "First Name": "Joe",
                "Last Name": "Doe",
                "City": "Austin",
                "State": "TX",
                "Zip": "73301",
                "Country": "US",
                "Phone": "(512) 555-0100",
                "Total": "30.00",
                "Currency": "USD",
                "SKU": "MUG-1",
                "Product Name": "Mug",
                "Quantity": "2",
            }
        ],
        {
            "event_time": '"Order Date"',
            "event_id": '"Order Number"',
            "user_data.em": "Email",
            "user_data.st": "State",
            "user_data.ph": "Phone",
            "custom_data.value": "Total",
            "custom_data.contents": '[{id: SKU, item_name: "Product Name", quantity: Quantity}]',
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
    ),
    "Segment tracks": Sample(
        "tracks",
        lambda: [
            {
                "messageId": "m-1",
                "type": "track",
                "event": "Order Completed",
                "timestamp": ago(),
                "context": {"traits": {"email": "jane@example.com"}},
                "properties": {"total": 5, "currency": "EUR"},
            }
        ],
        {},
        {},
        1,
        preset="segment",
    ),
    "GA4 export joined with e-mail addresses": Sample(
        "events_20261101",
        lambda: [
            {
                "event_name": "purchase",
                "event_timestamp": unix() * 1_000_000,
                "event_params": [{"key": "value", "value": {"double_value": 5.0}}],
                "platform": "WEB",
                "customer_email": "jane@example.com",
            }
        ],
        {"user_data.em": "customer_email"},
        {},
        1,
        preset="ga4",
    ),
    "WooCommerce orders": Sample(
        "orders",
        lambda: [
            {
                "id": 5,
                "status": "processing",
                "date_created_gmt": ago().removesuffix("Z"),
                "billing": {"email": "jane@example.com"},
                "line_items": [{"product_id": 1, "name": "Mug", "price": 5, "quantity": 1}],
                "total": "5.00",
                "currency": "EUR",
            }
        ],
        {},
        {},
        1,
        preset="woocommerce",
    ),
    "BigCommerce orders": Sample(
        "orders",
        lambda: [
            {
                "id": 100,
                "customer_id": 11,
                "date_created": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} +0000",
                "date_modified": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} +0000",
                "subtotal_inc_tax": "10.00",
                "total_inc_tax": "12.00",
                "total_tax": "2.00",
                "currency_code": "USD",
                "ip_address": "192.0.2.7",
                "status": "Completed",
                "billing_address": {
                    "first_name": "Jane",
                    "last_name": "Doe",
                    "city": "Austin",
                    "state": "Texas",
                    "zip": "73301",
                    "country": "United States",
                    "country_iso2": "US",
                    "phone": "+1 512 555 0100",
                    "email": "jane@example.com",
                },
            }
        ],
        {},
        {},
        1,
        key="id",
        preset="bigcommerce",
    ),
    "sales in a store": Sample(
        "pos_sales",
        lambda: [
            {
                "receipt_no": "R-1",
                "sold_at": ago(),
                "loyalty_card": "K-1",
                "customer_email": "jane@example.com",
                "amount_eur": 12.5,
                "items": '[{"sku": "A", "price": 12.5, "qty": 1}]',
            }
        ],
        {
            "event_time": "sold_at",
            "event_id": "receipt_no",
            "user_data.em": "customer_email",
            "custom_data.value": "amount_eur",
            "custom_data.order_id": "receipt_no",
            "custom_data.contents": "items[].{id: sku, item_price: price, quantity: qty}",
        },
        {"event_name": "checkout", "action_source": "offline", "custom_data.currency": "EUR"},
        1,
    ),
    "lead form": Sample(
        "form_submissions",
        lambda: [
            {
                "submission": "s-1",
                "submitted_at": ago(),
                "work_mail": "jane@example.com",
                "full_name": "Jane Doe",
                "page_url": "https://shop.example.com/offer",
                "landing_page": "/offer?epik=dj0abc",
                "marketing_consent": True,
            }
        ],
        {
            "event_time": "submitted_at",
            "event_id": "submission",
            "event_source_url": "page_url",
            "user_data.em": "work_mail",
            "user_data.click_id": "query_param(landing_page, 'epik')",
        },
        {"event_name": "lead", "action_source": "web"},
        1,
        key="submission",
    ),
    "flat names of Pinterest's": Sample(
        "conversions",
        lambda: [
            {
                "event_id": "order-1",
                "event_name": "checkout",
                "action_source": "web",
                "event_time": ago(),
                "em": "jane@example.com",
                "value": 5.0,
                "currency": "EUR",
            }
        ],
        {},
        {},
        1,
        preset="pinterest",
    ),
    "flat names, no event": Sample(
        "store_sales",
        lambda: [
            {
                "receipt_no": 1,
                "event_time": ago(),
                "em": "jane@example.com",
                "value": 5,
                "currency": "EUR",
            }
        ],
        {"custom_data.order_id": "receipt_no"},
        {"event_name": "checkout", "action_source": "offline"},
        1,
        key="receipt_no",
        preset="pinterest",
    ),
    "tap-shopify orders, GraphQL": Sample(
        "orders",
        lambda: [
            {
                "id": "gid://shopify/Order/1",
                "processedAt": ago(),
                "createdAt": ago(),
                "displayFinancialStatus": "PAID",
                "email": "jane@example.com",
                "clientIp": "192.0.2.7",
                "currencyCode": "USD",
                "totalPriceSet": {"shopMoney": {"amount": 5, "currencyCode": "USD"}},
                "customer": {"id": "gid://shopify/Customer/2", "email": "jane@example.com"},
            }
        ],
        {},
        {},
        1,
        key="id",
        preset="shopify",
    ),
    "tap-shopify customers, REST": Sample(
        "customers",
        lambda: [
            {
                "id": 2,
                "email": "jane@example.com",
                "created_at": ago(),
                "orders_count": 1,
                "state": "enabled",
            }
        ],
        {},
        {},
        1,
        key="id",
        preset="shopify",
    ),
    "tap-stripe charges": Sample(
        "charges",
        lambda: [
            {
                "id": "ch_1",
                "object": "charge",
                "amount": 1999,
                "amount_refunded": 0,
                "currency": "usd",
                "created": ago(),
                "updated": ago(),
                "customer": "cus_1",
                "receipt_email": "jane@example.com",
                "receipt_number": None,
                "livemode": True,
                "paid": True,
                "captured": True,
                "refunded": False,
                "status": "succeeded",
                "invoice": None,
                "payment_intent": None,
                "balance_transaction": "txn_1",
                "card": {
                    "address_city": "Austin",
                    "brand": "Visa",
                    "last4": "4242",
                    "country": "US",
                },
                "outcome": {"type": "authorized", "risk_score": 5},
            }
        ],
        {},
        {},
        1,
        key="id",
        preset="stripe",
    ),
    "tap-stripe customers": Sample(
        "customers",
        lambda: [
            {
                "id": "cus_1",
                "object": "customer",
                "created": ago(),
                "updated": ago(),
                "email": "jane@example.com",
                "currency": "usd",
                "livemode": True,
                "delinquent": False,
                "account_balance": 0,
                "shipping": {
                    "address": {"city": "Bristol", "country": "GB"},
                    "phone": "+44 117 496 0000",
                },
            }
        ],
        {
            "event_time": "created",
            "event_id": "id",
            "user_data.em": "email",
            "user_data.external_id": "id",
            "custom_data.currency": "currency",
        },
        {"event_name": "signup", "action_source": "web"},
        1,
        key="id",
    ),
    "cookbook: consent": Sample(
        "shop-orders",
        lambda: [
            {
                "id": 4001,
                "paid_at": ago(),
                "customer": '{"email": "jane@example.com", "name": "Jane Doe", "state": "CA", "country": "US"}',
                "total": 39.98,
                "currency": "USD",
                "note": "call first",
                "updated_at": ago(),
            }
        ],
        {
            "event_time": "paid_at",
            "event_id": "id",
            "user_data.em": "customer.email",
            "user_data.country": "customer.country",
            "custom_data.value": "total",
            "custom_data.currency": "currency",
            "custom_data.order_id": "id",
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
        key="id",
    ),
    "cookbook: counter sales": Sample(
        "shop-counter_sales",
        lambda: [
            {
                "receipt": "r-1",
                "store": "Berlin",
                "sold_at": ago(),
                "email": "jane@example.com",
                "card": "C-1",
                "total": 12.0,
                "currency": "EUR",
                "loaded_at": ago(),
            }
        ],
        {
            "event_time": "sold_at",
            "event_id": "receipt",
            "user_data.em": "email",
            "custom_data.value": "total",
            "custom_data.currency": "currency",
            "custom_data.order_id": "receipt",
        },
        {"event_name": "checkout", "action_source": "offline"},
        1,
        key="receipt",
    ),
    "cookbook: warehouse orders": Sample(
        "shop-orders",
        lambda: [
            {
                "id": 1001,
                "status": status,
                "paid_at": ago(),
                "email": "jane@example.com",
                "phone": "+1 212 555 0100",
                "country": "US",
                "total": 39.98,
                "currency": "USD",
                "lines": '[{"sku": "MUG-1", "title": "Mug", "price": 19.99, "qty": 2}]',
            }
            for status in ("paid", "open")
        ],
        {
            "event_time": "paid_at",
            "event_id": "id",
            "custom_data.value": "total",
            "custom_data.contents": (
                "lines[].{id: sku, item_name: title, item_price: price, quantity: qty}"
            ),
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
        key="id",
        when="status == 'paid'",
    ),
    "demo: workshop bookings": Sample(
        "workshop_bookings",
        lambda: [
            {
                "booking_ref": "booking-1",
                "booked_at": str(unix() * 1000),
                "action": action,
                "state": "paid",
                "landing_page": "/workshops?epik=dj0abc",
                "customer": {
                    "given_name": "Mia",
                    "family_name": "Weber",
                    "mail": "mia@example.com",
                    "mobile": "+49 30 23125 100",
                    "address": {"town": "Berlin", "postcode": "10115", "country": "DE"},
                },
                "billing_mail": None,
                "lines": [{"workshop": "WS-1", "title": "Throwing", "fee": 79, "seats": 2}],
            }
            for action in ("Booking Confirmed", "Brochure Opened")
        ],
        {
            "event_name": "action",
            "event_id": "booking_ref",
            "event_time": "booked_at",
            "user_data.fn": "customer.given_name",
            "user_data.ln": "customer.family_name",
            "user_data.ct": "customer.address.town",
            "user_data.zp": "customer.address.postcode",
            "user_data.country": "customer.address.country",
            "user_data.ph": "customer.mobile",
            "custom_data.order_id": "booking_ref",
        },
        {"action_source": "web"},
        1,
        key="booking_ref",
        event_names={"Booking Confirmed": "checkout"},
    ),
    "Magento orders": Sample(
        "orders",
        lambda: [
            {
                "entity_id": 1,
                "state": "complete",
                "increment_id": "000001",
                "created_at": ago(),
                "updated_at": ago(),
                "customer_email": "jane@example.com",
                "customer_firstname": "Jane",
                "customer_lastname": "Doe",
                "grand_total": "12.0000",
                "base_grand_total": "12.0000",
                "order_currency_code": "EUR",
                "remote_ip": "192.0.2.7",
                "store_id": 1,
                "items": [
                    {"product_id": 5, "sku": "A", "name": "Mug", "price": "6", "qty_ordered": "2"}
                ],
                "billing_address": {"city": "Bonn", "country_id": "DE", "postcode": "53111"},
            }
        ],
        {},
        {},
        1,
        key="entity_id",
        preset="magento",
    ),
    "Square payments": Sample(
        "payments",
        lambda: [
            {
                "id": "p-1",
                "created_at": ago(),
                "amount_money": {"amount": 1999, "currency": "USD"},
                "buyer_email_address": "jane@example.com",
                "customer_id": "C-1",
                "order_id": "o-1",
                "receipt_number": "r-1",
            }
        ],
        {
            "event_time": "created_at",
            "event_id": "order_id",
            "user_data.em": "buyer_email_address",
            "custom_data.value": "divide(amount_money.amount, `100`)",
            "custom_data.currency": "amount_money.currency",
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
        key="id",
    ),
    "Italian orders, amounts with a comma": Sample(
        "ordini",
        lambda: [
            {
                "id_ordine": 4,
                "data_ordine": ago(),
                "indirizzo_email": "anna@example.com",
                "nome": "Anna",
                "cognome": "Rossi",
                "citta": "Roma",
                "cap": "00100",
                "paese": "IT",
                "importo_totale": "1.012,50",
                "valuta": "EUR",
            }
        ],
        {
            "event_time": "data_ordine",
            "event_id": "id_ordine",
            "user_data.em": "indirizzo_email",
            "user_data.fn": "nome",
            "user_data.ln": "cognome",
            "user_data.zp": "cap",
            "custom_data.value": "replace(replace(importo_totale, '.', ''), ',', '.')",
            "custom_data.currency": "valuta",
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
        key="id_ordine",
    ),
    "MongoDB orders": Sample(
        "orders",
        lambda: [
            {
                "_id": "65f0",
                "createdAt": {"$date": ago()},
                "user": {"email": "jane@example.com", "phoneNumber": "+12025550134"},
                "totals": {"grandTotal": {"amount": 12.5, "currency": "USD"}},
                "items": [{"sku": "A", "price": {"amount": 12.5}, "quantity": 1}],
            }
        ],
        {
            "event_time": "createdAt",
            "user_data.em": "user.email",
            "user_data.ph": "user.phoneNumber",
            "custom_data.value": "totals.grandTotal.amount",
            "custom_data.currency": "totals.grandTotal.currency",
            "custom_data.contents": "items[].{id: sku, item_price: price.amount, quantity: quantity}",
        },
        {"event_name": "checkout", "action_source": "web"},
        1,
        key="_id",
    ),
}

"""The orders of a synthetic shop, as a table whose columns are named like Pinterest's fields.

Owns the table and its rows; of Pinterest it knows only the columns' names. The people are
imaginary: every e-mail address is at example.com, every IP address is reserved for documentation.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

Row = dict[str, Any]

TABLE: Final = """
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    order_id bigint PRIMARY KEY,
    event_id text NOT NULL UNIQUE,
    event_name text NOT NULL,
    event_time timestamptz NOT NULL,
    action_source text NOT NULL,
    event_source_url text,
    opt_out boolean,
    em text,
    ph text,
    fn text,
    ln text,
    db date,
    ct text,
    st text,
    zp text,
    country char(2),
    external_id text,
    client_ip_address inet,
    client_user_agent text,
    value numeric(10, 2),
    currency char(3),
    num_items integer,
    contents jsonb,
    internal_margin double precision,
    updated_at timestamptz NOT NULL
);
"""

# (first name, last name, city, state, postal code, country, phone), spelled as people spell them
PEOPLE: Final = (
    ("Jane", "Doe", "New York", "NY", "10001-1234", "US", "+1 (212) 555-0100"),
    ("José", "Núñez", "San José", "CA", "95112", "US", "+1 408 555 0123"),
    ("Zoë", "O'Neil", "St. Louis", "MO", "63101", "US", "001 314 555 0144"),
    ("Anne Marie", "de la Cruz", "Los Angeles", "CA", "90001", "US", "+1-213-555-0177"),
    ("Søren", "Ångström", "Winston-Salem", "NC", "27101", "US", "+1.336.555.0188"),
)
PRODUCTS: Final = (
    ("sku-1", "Mug", 19.99),
    ("sku-2", "Poster, A2", 7.5),
    ("sku-3", "Lamp", 129),
    ("sku-4", "Pin", 0.1),
)
USER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def now() -> datetime:
    """Return the current time, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def orders(numbers: Sequence[int], newest: datetime) -> Iterator[Row]:
    """Yield rows with these order numbers, a minute apart, the last one updated at `newest`.

    The same arguments give the same rows. Amounts and prices are decimals, times are aware, and
    members of `contents` are as the shop would store them in jsonb.
    """
    for position, number in enumerate(numbers):
        first, last, city, state, postal_code, country, phone = PEOPLE[number % len(PEOPLE)]
        updated_at = newest - timedelta(minutes=len(numbers) - 1 - position)
        bought = [
            (PRODUCTS[(number + line) % len(PRODUCTS)], 1 + number * (line + 1) % 3)
            for line in range(1 + number % 3)
        ]
        yield {
            "order_id": 9_007_199_254_740_000
            + number,  # near 2**53: a conversion to float would be visible
            "event_id": f"order-{number}",
            "event_name": "checkout",
            "event_time": updated_at - timedelta(minutes=5, microseconds=-123456),
            "action_source": "web",
            "event_source_url": f"https://shop.example.com/thanks?order={number}",
            "opt_out": False,
            "em": f" Buyer.{number}@Example.com",
            "ph": phone,
            "fn": first,
            "ln": last,
            "db": f"19{60 + number % 40}-0{1 + number % 9}-1{number % 10}",
            "ct": city,
            "st": state,
            "zp": postal_code,
            "country": country,
            "external_id": f"Customer-{number}",
            "client_ip_address": f"192.0.2.{number % 254 + 1}"
            if number % 2
            else f"2001:db8::{number:x}",
            "client_user_agent": USER_AGENT,
            "value": sum(
                (Decimal(str(price)) * quantity for (_, _, price), quantity in bought), Decimal()
            ),
            "currency": "USD",
            "num_items": sum(quantity for _, quantity in bought),
            "contents": [
                {"id": identifier, "item_name": name, "item_price": price, "quantity": quantity}
                for (identifier, name, price), quantity in bought
            ],
            "internal_margin": number / 7,
            "updated_at": updated_at,
        }


def insertion(rows: Sequence[Row]) -> str:
    """Return SQL that inserts these rows, each value cast by PostgreSQL to its column's type."""
    return f"""
INSERT INTO shop.orders SELECT *
FROM jsonb_populate_recordset(NULL::shop.orders, $rows${json.dumps(rows, default=str)}$rows$);
"""

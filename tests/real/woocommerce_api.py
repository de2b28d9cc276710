"""A web shop that responds like WooCommerce's REST API, as far as its recipe needs it.

It follows WooCommerce's documentation of `GET /wp-json/wc/v3/orders`: basic authentication
by consumer key and secret (else 401), `modified_after` in GMT, `offset` and `per_page`, orders by
modification. It stores the queries that it received, and implements nothing else of WooCommerce.
"""

import base64
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from json_api import JsonApi

CONSUMER_KEY: Final = "ck_example"
CONSUMER_SECRET: Final = "cs_example"
CREDENTIALS: Final = (
    "Basic " + base64.b64encode(f"{CONSUMER_KEY}:{CONSUMER_SECRET}".encode()).decode()
)


class WooCommerceApi(JsonApi):
    """The API for the duration of the `with` block; `orders` may be changed between requests."""

    def __init__(self, orders: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self.orders = list(orders)
        self.queries: list[dict[str, str]] = []

    def answer(self, target: str, authorization: str | None) -> tuple[int, object]:
        """Return a page of the orders, or an error."""
        asked = urlsplit(target)
        if asked.path != "/wp-json/wc/v3/orders":
            return 404, {"code": "rest_no_route"}
        if authorization != CREDENTIALS:
            return 401, {"code": "woocommerce_rest_cannot_view"}
        given = dict(parse_qsl(asked.query))
        self.queries.append(given)
        changed = [
            order
            for order in self.orders
            if order["date_modified_gmt"] > given.get("modified_after", "")
        ]
        changed.sort(key=lambda order: order["date_modified_gmt"])
        first = int(given.get("offset", 0))
        return 200, changed[first : first + int(given.get("per_page", 10))]

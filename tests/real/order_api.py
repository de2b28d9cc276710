"""A small web API that answers `/orders` with nested JSON, as shops' own APIs do.

Promises to answer every GET of `/orders` with the orders it was given, anything
else with 404. It keeps nothing between requests.
"""

from collections.abc import Sequence
from typing import Any

from json_api import JsonApi


class OrderApi(JsonApi):
    """The API for the duration of the `with` block; `orders` may be set between requests."""

    def __init__(self, orders: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self.orders = list(orders)

    def answer(self, target: str, authorization: str | None) -> tuple[int, object]:  # noqa: ARG002
        """Return the orders, or 404."""
        return (
            (200, {"orders": self.orders})
            if target.partition("?")[0] == "/orders"
            else (404, {"error": "no such path"})
        )

"""A web shop that answers as WooCommerce's REST API does, as far as the recipe of its orders needs it.

Owns a socket on loopback and one thread. It promises what WooCommerce's documentation says of `GET /wp-json/wc/v3/orders`: basic
authentication by consumer key and secret (else 401), `modified_after` in GMT, `offset` and `per_page`, orders by modification.
It keeps the queries that it was asked, and knows nothing else of WooCommerce.
"""

import base64
import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

CONSUMER_KEY: Final = "ck_example"
CONSUMER_SECRET: Final = "cs_example"
CREDENTIALS: Final = "Basic " + base64.b64encode(f"{CONSUMER_KEY}:{CONSUMER_SECRET}".encode()).decode()


class WooCommerceApi:
    """The API as long as the `with` block lasts; `orders` is what the shop has and may be changed between requests."""

    def __init__(self, orders: Sequence[dict[str, Any]]) -> None:
        self.orders = list(orders)
        self.queries: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def _answer(self, target: str, authorization: str | None) -> tuple[int, object]:
        asked = urlsplit(target)
        if asked.path != "/wp-json/wc/v3/orders":
            return 404, {"code": "rest_no_route"}
        if authorization != CREDENTIALS:
            return 401, {"code": "woocommerce_rest_cannot_view"}
        given = dict(parse_qsl(asked.query))
        self.queries.append(given)
        changed = [order for order in self.orders if order["date_modified_gmt"] > given.get("modified_after", "")]
        changed.sort(key=lambda order: order["date_modified_gmt"])
        first = int(given.get("offset", 0))
        return 200, changed[first : first + int(given.get("per_page", 10))]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Send orders, or what is wrong."""
                status, answer = api._answer(self.path, self.headers["Authorization"])
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 (the name is the base class's)
                """Say nothing: the test's output is the test's."""

        return Handler

    @property
    def url(self) -> str:
        """Where it answers, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start answering."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop answering and close the socket."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

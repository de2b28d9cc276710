"""A small web API that answers `/orders` with nested JSON, as shops' own APIs do.

Owns a socket on loopback and one thread; promises to answer every GET of `/orders` with the orders it was given, anything
else with 404. It keeps nothing between requests.
"""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class OrderApi:
    """The API as long as the `with` block lasts; `orders` is what it answers and may be set between requests."""

    def __init__(self, orders: Sequence[dict[str, Any]]) -> None:
        self.orders = list(orders)
        api = self

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Send the orders, or 404."""
                found = self.path.partition("?")[0] == "/orders"
                body = json.dumps({"orders": api.orders} if found else {"error": "no such path"}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 (the name is the base class's)
                """Say nothing: the test's output is the test's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

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

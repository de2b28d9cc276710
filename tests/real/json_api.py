"""A web API on loopback that answers each GET with JSON: the base of the taps' sources.

Owns a socket and one thread, for the length of a `with` block. The API's subclasses decide what it
responds.
"""

import json
import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class JsonApi(ABC):
    """An API that runs for the duration of the `with` block."""

    def __init__(self) -> None:
        api = self

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Send what the API answers."""
                status, answer = api.answer(self.path, self.headers["Authorization"])
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 (the base class's)
                """Log nothing, to keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )

    @abstractmethod
    def answer(self, target: str, authorization: str | None) -> tuple[int, object]:
        """Return status and JSON for a GET of path and query, with its Authorization header."""

    @property
    def url(self) -> str:
        """Return the API's URL, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start the server."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop the server and close the socket."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

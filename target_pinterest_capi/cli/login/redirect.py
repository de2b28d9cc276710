"""The loopback address to which Pinterest redirects a user's browser after the consent.

Owns the small server that waits there, and the meaning of the address's query. Never shows or logs
the code, and responds only with its own pages.
"""

import secrets
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from target_pinterest_capi.events.redaction import redact
from target_pinterest_capi.settings.values import is_loopback

# A browser may open a connection that it does not use; the one with the redirect comes later.
IDLE_SECONDS: Final = 2.0
DENIED: Final = "access_denied"
PAGE: Final = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>pinterest-capi login</title>
<p>The response has arrived: the terminal says how the sign-in went. This page can be closed.</p>
</html>
"""
HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Connection": "close",
}


class SignInError(Exception):
    """A sign-in that failed; its text says why, and what to do."""


def read_code(query: str, state: str) -> str:
    """Return the code in the query of the redirect's address.

    Raises `SignInError` if it belongs to another sign-in, is a refusal, or has no code.
    """
    given = parse_qs(query)
    if not secrets.compare_digest(_first(given, "state").encode(), state.encode()):
        raise SignInError(
            "the response belongs to another sign-in: its state is not the one of this address. "
            "Start again, and open the address that is then printed"
        )
    error = _first(given, "error")
    if error == DENIED:
        raise SignInError(
            "access was denied on Pinterest's page, and nothing was changed. Start again and allow "
            "it, as a user with a role in the ad account"
        )
    if error:
        raise SignInError(f"Pinterest's page returned the error {redact(error)}")
    code = _first(given, "code")
    if not code:
        raise SignInError("the address has no code: copy the complete address, to its end")
    return code


def read_pasted(text: str, state: str) -> str:
    """Return the code in an address that a user has copied. Raises as `read_code` does."""
    try:
        query = urlsplit(text.strip()).query
    except ValueError:
        query = ""
    if not query:
        raise SignInError(
            "that is not an address of the redirect: copy what the browser's address bar shows "
            "after the consent, from http to the end"
        )
    return read_code(query, state)


class RedirectServer:
    """Waits on loopback for the one request with Pinterest's response. Close it at the end.

    Raises `OSError` if it cannot listen there.
    """

    def __init__(self, redirect_uri: str, clock: Callable[[], float] = time.monotonic) -> None:
        place = urlsplit(redirect_uri)
        self._clock = clock
        self._query: str | None = None
        self._path = place.path or "/"
        server = _IPv6Server if ":" in (place.hostname or "") else HTTPServer
        host = place.hostname if place.hostname != "localhost" else "127.0.0.1"
        self._server = server((host or "", place.port or 80), self._handler())

    def wait(self, seconds: float) -> str:
        """Return the query of the answer. Raises `SignInError` if none arrives in time."""
        deadline = self._clock() + seconds
        while self._query is None:
            left = deadline - self._clock()
            if left <= 0:
                raise SignInError(
                    f"no response came within {seconds:g} seconds. Start again; if the browser is "
                    "on another machine, use --manual"
                )
            self._server.timeout = left
            self._server.handle_request()
        return self._query

    def close(self) -> None:
        """Stop listening."""
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        waiting = self

        class Handler(BaseHTTPRequestHandler):
            timeout = IDLE_SECONDS

            def do_GET(self) -> None:
                place = urlsplit(self.path)
                if place.path != waiting._path or not place.query:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                waiting._query = place.query
                self.send_response(HTTPStatus.OK)
                for name, value in HEADERS.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(PAGE)

            def log_message(self, *_: Any) -> None:
                """Log nothing: the address has the code."""

        return Handler


class _IPv6Server(HTTPServer):
    address_family = socket.AF_INET6


def can_listen(redirect_uri: str) -> bool:
    """Return whether this machine can listen on an address: http, on loopback."""
    place = _parts(redirect_uri)
    return place is not None and place.scheme == "http" and is_loopback(place.hostname or "")


def is_address(redirect_uri: str) -> bool:
    """Return whether a string is an address that an app can register."""
    place = _parts(redirect_uri)
    return place is not None and place.scheme in {"http", "https"} and bool(place.hostname)


def _parts(address: str) -> SplitResult | None:
    try:
        place = urlsplit(address)
        place.port  # noqa: B018 - raises where it is not a number
    except ValueError:
        return None
    return place


def _first(given: dict[str, list[str]], name: str) -> str:
    return given.get(name, [""])[0]

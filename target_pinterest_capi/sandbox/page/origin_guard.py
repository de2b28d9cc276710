"""Who may read and change the sandbox: programs on this machine, and its own page only.

A browser lets any page send requests to loopback addresses, and a name that its owner points at one
makes their answers readable too; so an address must be one that no stranger can own, and a
browser's requests must come from the sandbox's page. Pinterest's paths are not guarded: they need a
token.
"""

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from target_pinterest_capi.sandbox.fault_responses import json_response

Endpoint = Callable[[Request], Awaitable[Response]]

READING: Final = ("GET", "HEAD")
FORBIDDEN: Final = 403
# RFC 6761, RFC 6762, RFC 8375 and ICANN's .internal: last labels that nobody can register
PRIVATE: Final = frozenset({"localhost", "local", "internal", "test", "home.arpa"})

_HOST: Final = (
    "Open the sandbox by its IP address or as localhost. Another name could belong to anybody; "
    "--host sets its own name."
)
_ORIGIN: Final = "Only the sandbox's own page may do that from a browser."
_TYPE: Final = "From a browser this takes Content-Type: application/json or text/csv."
_MEDIA: Final = ("application/json", "text/csv")  # none that a form of another page could send


def refusal(method: str, headers: Mapping[str, str], own_host: str) -> str:
    """Return why a request to `/_sandbox/` or the page is refused, or an empty string.

    It is judged by its method and its headers, whose names are in lower case.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _is_private(_name(f"//{host}"), own_host):
        return _HOST
    is_foreign = (
        headers.get("sec-fetch-site") in ("cross-site", "same-site")
        and headers.get("sec-fetch-mode") != "navigate"
    )
    if is_foreign or (origin is not None and urlsplit(origin).netloc.lower() != host.lower()):
        return _ORIGIN
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    by_browser = origin is not None or "sec-fetch-site" in headers
    return _TYPE if by_browser and method not in READING and media not in _MEDIA else ""


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _is_private(name: str, own_host: str) -> bool:
    """Return whether nobody else can own a host name.

    True for an IP address, a name without a dot, one below a private label, and the sandbox's own.
    """
    if name == own_host.lower() != "" or (name and "." not in name and ":" not in name):
        return True
    if any(name.endswith(f".{label}") for label in PRIVATE):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def guarded(endpoint: Endpoint, own_host: str) -> Endpoint:
    """Return the endpoint with this check before it."""

    async def respond(request: Request) -> Response:
        why = refusal(request.method, request.headers, own_host)
        return (
            json_response({"code": FORBIDDEN, "message": why}, FORBIDDEN)
            if why
            else await endpoint(request)
        )

    return respond

"""HTTP responses: complete ones, and those that a fault makes incomplete or wrong.

Owns what is sent over the connection: bodies, headers, and connections that end too early. A client
sees real failures: a connection that is dropped is closed. Has none of Pinterest's rules, and does
not decide which request a fault applies to (that is in `faults`).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from target_pinterest_capi.sandbox.answers import CODES, Answer
from target_pinterest_capi.sandbox.faults import Fault

PAGE: Final = b"<!doctype html><html><body><h1>Something is in the way</h1></body></html>"
STATUS_MESSAGE: Final = "The sandbox returns this status on purpose."
BODILESS: Final = (204, 205, 304)  # RFC 9110: these have no body


class CutResponse(Response):
    """A response that is never complete: `sent` bytes of its body, then the connection ends.

    If `sent` is None, not even the head is sent. ASGI does not support this, so the server puts two
    functions into the request's state: `drop` ends the connection at once, `hang_up` after what was
    written.
    """

    def __init__(self, complete: Response, sent: int | None) -> None:
        super().__init__(complete.body, complete.status_code)
        self.raw_headers = complete.raw_headers
        self.sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what should be sent, and end the connection."""
        if self.sent is None:
            scope["state"]["drop"]()
        else:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            await send(
                {"type": "http.response.body", "body": self.body[: self.sent], "more_body": True}
            )
            scope["state"]["hang_up"]()
        while (await receive())["type"] != "http.disconnect":
            continue


class DrippingResponse(Response):
    """A response sent byte by byte, with `seconds` between two.

    It ends early if the client or the sandbox stops.
    """

    def __init__(self, complete: Response, seconds: float, stopping: asyncio.Event) -> None:
        super().__init__(complete.body, complete.status_code)
        self.raw_headers = complete.raw_headers
        self.seconds = seconds
        self.stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the bytes one by one."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        disconnected = asyncio.ensure_future(receive())
        for position in range(len(self.body)):
            await send(
                {
                    "type": "http.response.body",
                    "body": self.body[position : position + 1],
                    "more_body": True,
                }
            )
            if disconnected.done() or not await pause(self.seconds, self.stopping):
                scope["state"]["drop"]()
                break
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        await disconnected


async def pause(seconds: float, stopping: asyncio.Event) -> bool:
    """Wait, and return whether the time passed; False if the sandbox stopped."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return True
    return False


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response of JSON."""
    return Response(msgspec.json.encode(content), status, dict(headers or {}), "application/json")


def faulty_response(
    complete: Response, answer: Answer, fault: Fault, stopping: asyncio.Event
) -> Response:
    """Return the response as an `after` fault changes it."""
    headers = {name: value for name, value in complete.headers.items() if name.startswith("x-")}
    made: dict[str, Callable[[], Response]] = {
        "drop_after": lambda: CutResponse(complete, None),
        "truncated": lambda: CutResponse(complete, len(complete.body) // 2),
        "wrong_count": lambda: json_response(_one_less(answer.body), answer.status, headers),
        "empty_body": lambda: Response(b"", answer.status, headers, "application/json"),
        "not_json": lambda: Response(PAGE, answer.status, headers, "text/html"),
        "drip": lambda: DrippingResponse(complete, fault.seconds, stopping),
    }
    return made[fault.fault]()


def _one_less(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with one event fewer in its list; without a list, the body itself."""
    if "details" in body:
        return {**body, "details": _one_less(body["details"])}
    return {**body, "events": body["events"][:-1]} if "events" in body else dict(body)


def response_instead(fault: Fault, request: Request) -> Response:
    """Return the response of a `before` fault."""
    if fault.fault == "drop_before":
        return CutResponse(Response(), None)
    if fault.fault == "redirect":
        return Response(
            b"",
            307,
            {
                "Location": fault.location
                or str(request.base_url.replace(path="/_sandbox/redirected"))
            },
        )
    status = fault.status or 500
    if status in BODILESS:
        return Response(b"", status, fault.headers)
    if fault.html:
        return Response(PAGE, status, fault.headers, "text/html")
    return json_response(
        {"code": CODES.get(status, status), "message": fault.message or STATUS_MESSAGE},
        status,
        fault.headers,
    )

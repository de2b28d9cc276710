"""Parses Pinterest's responses: statuses and message in the body, waits in the headers.

Gets bytes and headers as received, and never raises for malformed ones.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from target_pinterest_capi.pinterest.responses import EventStatus

_MAX_HEADER_DIGITS: Final = 9
# What reading JSON raises: wrong types, wrong bytes, and too deep nesting.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Events(msgspec.Struct, gc=False):
    events: list[EventStatus] | None = None


class _ErrorBody(msgspec.Struct, gc=False):
    """Both shapes: the list at the top level (200), or under `details` (422, seen)."""

    events: list[EventStatus] | None = None
    details: _Events | None = None
    message: str | None = None


class _Message(msgspec.Struct, gc=False):
    message: str | None = None


_decode_body: Final = msgspec.json.Decoder(_ErrorBody).decode
_decode_message: Final = msgspec.json.Decoder(_Message).decode


def parse_statuses(raw: bytes) -> tuple[list[EventStatus] | None, str | None]:
    """Return the list of event statuses, wherever it is, and the message; None if missing."""
    try:
        body = _decode_body(raw)
    except UNREADABLE:
        return None, _message(raw)
    if body.events is None and body.details is not None:
        return body.details.events, body.message
    return body.events, body.message


def _message(raw: bytes) -> str | None:
    try:
        return _decode_message(raw).message
    except UNREADABLE:
        return None


def wait_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the longest wait in the headers: Retry-After, or the reset of a used-up limit."""
    waits = [_number(headers.get("Retry-After"))]
    if not remaining_calls(headers):
        waits.append(_number(headers.get("X-RateLimit-Reset")))
    known = [float(wait) for wait in waits if wait is not None]
    return max(known, default=None)


def remaining_calls(headers: Mapping[str, str]) -> int | None:
    """Return how many requests the limit leaves; None if Pinterest does not say."""
    return _number(headers.get("X-RateLimit-Remaining"))


def _number(text: str | None) -> int | None:
    """Read the first number of a header such as `120000, 120000;w=60`; anything else is None."""
    if text is None:
        return None
    first, *_ = text.split(",")
    digits, *_ = first.split(";")
    digits = digits.strip()
    is_number = digits.isascii() and digits.isdigit()
    if not is_number or len(digits) > _MAX_HEADER_DIGITS:
        return None
    return int(digits)

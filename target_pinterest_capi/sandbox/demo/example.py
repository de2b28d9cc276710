"""The demo's one record and the event that Pinterest received of it, and JSON laid out for people.

It is the one place of the demo that shows values: those of a made-up person.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.sandbox.demo.sample import encode

STREAM: Final = "workshop_bookings"
# An amount is shown as it is in the record.
_decode: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_digest: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


class Example(NamedTuple):
    """A record, and the event that arrived for it."""

    stream: str
    record: Mapping[str, Any]
    event: Mapping[str, Any]


def find_example(sample: bytes, received: Iterable[Mapping[str, Any]]) -> Example | None:
    """Find a booking of two workshops after a click on an ad, and the event that arrived for it."""
    events = {event["event_id"]: event for event in received}
    for line in sample.splitlines():
        if b'"booking-' not in line or b"epik" not in line or not line.isascii():
            continue
        record = _decode(line).get("record", {})
        event = events.get(record.get("booking_ref"))
        if event and isinstance(record["lines"], list) and len(record["lines"]) > 1:
            return Example(STREAM, record, event)
    return None


def shorten_digests(text: str) -> str:
    """Return a text with every SHA-256 digest cut short."""
    return _digest.sub(r"\1...", text)


def layout(value: Any, width: int, indent: int = 0, used: int = 0) -> str:
    """Return JSON in which whatever fits the width is on one line; `used` is taken of the first."""
    line = msgspec.json.format(encode(value), indent=0).decode()
    if not isinstance(value, dict | list) or not value or indent + used + len(line) < width:
        return line
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    members = value.items() if isinstance(value, dict) else ((None, member) for member in value)
    inner = " " * (indent + 2)
    lines = []
    for name, member in members:
        head = "" if name is None else f'"{name}": '
        lines.append(inner + head + layout(member, width, indent + 2, len(head)))
    return opening + "\n" + ",\n".join(lines) + "\n" + " " * indent + closing

"""The demo's one record and the event that Pinterest received of it: found in the sample, and laid out as JSON for people.

Owns the choice and the layout. It is the one place of the demo that shows values: those of a made-up person.
"""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from target_pinterest_capi.sandbox.demo.rows import encode

STREAM: Final = "workshop_bookings"
_decode: Final = msgspec.json.Decoder(
    dict[str, Any], float_hook=Decimal
).decode  # an amount is shown as it stands
_digest: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


class Example(NamedTuple):
    """A record, and the event that arrived for it."""

    stream: str
    record: Mapping[str, Any]
    event: Mapping[str, Any]

    def show(self, out: Console) -> None:
        """Print both."""
        out.print(f"[bold]A record of {self.stream}[/]\n")
        out.print(Padding(Text(layout(self.record, out.width - 2)), (0, 0, 0, 2)))
        shortened = json.loads(_digest.sub(r"\1...", json.dumps(self.event)))
        out.print(
            "\n[bold]What Pinterest received of it[/] (hashed with SHA-256; digests are cut short here)\n"
        )
        out.print(Padding(Text(layout(shortened, out.width - 2)), (0, 0, 0, 2)))
        out.print()


def find_example(sample: bytes, received: Iterable[Mapping[str, Any]]) -> Example | None:
    """Find a booking of two workshops after a click on an ad, in the shop's own words, and the event that arrived for it."""
    events = {event["event_id"]: event for event in received}
    for line in sample.splitlines():
        if b'"booking-' not in line or b"epik" not in line or not line.isascii():
            continue
        record = _decode(line).get("record", {})
        event = events.get(record.get("booking_ref"), {})
        if (
            isinstance(record.get("lines"), list)
            and len(event.get("custom_data", {}).get("contents", ())) > 1
        ):
            return Example(STREAM, record, event)
    return None


def layout(value: Any, width: int, indent: int = 0, used: int = 0) -> str:
    """Give JSON in which what fits the width stands on one line; `used` is how much of the first line is taken."""
    line = msgspec.json.format(encode(value), indent=0).decode()
    if not isinstance(value, dict | list) or not value or indent + used + len(line) + 1 <= width:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        names = {name: f'"{name}": ' for name in value}
        members = [
            names[name] + layout(member, width, indent + 2, len(names[name]))
            for name, member in value.items()
        ]
    else:
        members = [layout(member, width, indent + 2) for member in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return (
        opening
        + "\n"
        + ",\n".join(inner + member for member in members)
        + "\n"
        + " " * indent
        + closing
    )

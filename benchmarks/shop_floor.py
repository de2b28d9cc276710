"""The floor of a source: decode its lines, and encode an event that is already built.

`python -m benchmarks.shop_floor NAME < LINES`. The difference to the target is the mapping:
reading, normalizing and hashing, which a hand-written loop for each source would also do.
"""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

import msgspec

from benchmarks.floor import EVENTS_PER_BODY, collect_garbage_rarely
from benchmarks.shops import mapping
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.mapping.entries import (
    Accounts,
    StreamSchema,
    compile_stream,
    stream_columns,
)
from target_pinterest_capi.settings import load


def main(name: str) -> None:
    """Read standard input and print how many bytes the bodies have."""
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    encode = msgspec.json.Encoder().encode
    settings = load({"ad_account_id": "1", "mode": "dry_run", "mappings": [mapping(name)]})
    schema, first = (decode(line) for line in islice(sys.stdin.buffer, 2))
    stream = StreamSchema(name, stream_columns(schema["schema"]))
    began_at = datetime.now(UTC)
    (entry,) = compile_stream(
        settings, stream, Accounts(settings), lambda *_: None, began_at=began_at
    )
    made = entry.map_record(first["record"])
    if not isinstance(made, Event):
        raise SystemExit(f"the sample of {name} is not a valid event")
    event = json.loads(made.body)
    collect_garbage_rarely()
    size, bodies = 0, []
    for line in sys.stdin.buffer:
        decode(line)
        bodies.append(encode(event))
        if len(bodies) == EVENTS_PER_BODY:
            size += len(b",".join(bodies))
            bodies.clear()
    print(size + len(b",".join(bodies)))  # noqa: T201 - its result


if __name__ == "__main__":
    main(sys.argv[1])

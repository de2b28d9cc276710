"""The events that a preset makes of a tap's records, as Pinterest gets them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from api_description import problems
from given import settings_of
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.mapping.entries import (
    Accounts,
    StreamSchema,
    compile_stream,
    stream_columns,
)

NOW = 1_795_000_000  # 2026-11-18T11:06:40Z
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def events_of(
    preset: str | None,
    records: Iterable[Mapping[str, Any]],
    schema: Mapping[str, Any] | None = None,
    notes: list[tuple[str, str]] | None = None,
    settings: Mapping[str, Any] | None = None,
    **entry: Any,
) -> list[Any]:
    """Return each record's event, decoded, or its InvalidRecord or SkippedRecord.

    Every event must be valid by Pinterest's description, or the test fails.

    `entry` is what a user writes in addition to the preset, `settings` in addition to mappings;
    `notes` gets the field and the reason of what is dropped.
    """
    rows = [_decode(json.dumps(record)) for record in records]
    configured = settings_of(
        mappings=[{"stream": "*", "preset": preset, **entry}], **(settings or {})
    )
    columns = stream_columns(schema or {}, {column for row in rows for column in row})
    (compiled,) = compile_stream(
        configured,
        StreamSchema("records", columns),
        Accounts(configured),
        lambda _, field, reason: None if notes is None else notes.append((field, str(reason))),
        now=lambda: NOW,
        began_at=datetime.fromtimestamp(NOW, UTC),
    )
    results = [compiled.map_record(row) for row in rows]
    events = [
        json.loads(result.body) if isinstance(result, Event) else result for result in results
    ]
    made = [event for event in events if isinstance(event, dict)]
    assert [problem for event in made for problem in problems({"data": [event]})] == []
    return events


def sha256(text: str) -> str:
    """Return the digest of a normal form."""
    return hashlib.sha256(text.encode()).hexdigest()

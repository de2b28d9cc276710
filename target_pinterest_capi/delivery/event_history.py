"""What the databases of results and ledger know about one event. Read-only.

Raises `UnusableError` if a database fails; one without a file or tables has no rows.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from target_pinterest_capi.delivery import results_tables as tables
from target_pinterest_capi.delivery.database import read
from target_pinterest_capi.delivery.event_ledger import batches, delivered, delivered_events

_MAX_FOUND: Final = 1_000


class ResultRow(NamedTuple):
    """What a run recorded about an event."""

    at: datetime
    run_id: str
    program: str | None
    stream: str
    mapping: str
    ad_account_id: str | None
    event_name: str | None
    event_id: str | None
    outcome: str
    reason: str | None
    field: str | None
    detail: str | None
    http_status: int | None
    key: str | None


def find_results(
    url: str, event_ids: Collection[str], key_parts: Collection[str]
) -> list[ResultRow]:
    """Return the rows of event ids, or of keys that contain one of the parts, oldest first.

    A part is a member of a key's JSON: `"id":"..."`, or only its value.
    """
    events, runs = tables.event_results, tables.runs
    conditions = [events.c.key.contains(part, autoescape=True) for part in key_parts]
    conditions.append(events.c.event_id.in_(event_ids))
    columns = [
        runs.c.program if name == "program" else events.c[name] for name in ResultRow._fields
    ]
    query = (
        sa.select(*columns)
        .select_from(events.outerjoin(runs, runs.c.run_id == events.c.run_id))
        .where(sa.or_(*conditions))
        .order_by(events.c.id)
        .limit(_MAX_FOUND)
    )
    rows = [ResultRow(*row) for row in read(url, events.name, query)]
    return [row._replace(at=row.at.replace(tzinfo=row.at.tzinfo or UTC)) for row in rows]


def find_delivered(url: str, keys: Collection[int]) -> Mapping[int, datetime]:
    """Return when the ledger's keys among these were delivered."""
    query = delivered.where(delivered_events.c.key.in_(sorted(keys)))
    found: list[Any] = read(url, batches.name, query)
    return {row.key: datetime.fromtimestamp(row.at, UTC) for row in found}

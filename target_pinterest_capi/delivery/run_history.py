"""What the results know about earlier runs. Read-only.

Raises `UnusableError` if the database fails; one without a file or tables has no rows.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from target_pinterest_capi.delivery import results_tables as tables
from target_pinterest_capi.delivery.database import read
from target_pinterest_capi.reporting.report import RunSection
from target_pinterest_capi.reporting.trend import MAX_RUNS, RunKind, RunNumbers


def find_earlier_runs(url: str, run: RunSection) -> list[RunNumbers]:
    """Return the numbers of the last runs before one: those that have ended, of its kind."""
    runs, coverage = tables.runs, tables.run_coverage
    kind = RunKind(run.ad_account_id, run.mode, run.api)
    covered = (
        sa.select(
            coverage.c.run_id,
            sa.func.sum(coverage.c.events).label("events"),
            sa.func.sum(coverage.c.carrying).label("carrying"),
        )
        .where(coverage.c.component == "hashed_email")
        .group_by(coverage.c.run_id)
        .subquery()
    )
    query = (
        sa.select(runs, covered.c.events, covered.c.carrying)
        .select_from(runs.outerjoin(covered, covered.c.run_id == runs.c.run_id))
        .where(
            *(runs.c[name] == value for name, value in kind._asdict().items()),
            runs.c.program != "replay",
            runs.c.status == "ended",
            runs.c.ended_at < run.ended_at,
        )
        .order_by(runs.c.ended_at.desc())
        .limit(MAX_RUNS)
    )
    rows = read(url, runs.name, query)
    amounts = _amounts(url, [row.run_id for row in rows])
    return [
        RunNumbers(
            run_id=row.run_id,
            kind=kind,
            ended_at=_in_utc(row.ended_at),
            events=int(row.events or 0),
            failed_events=row.failed_events,
            with_email=int(row.carrying or 0),
            within_an_hour=row.within_an_hour,
            amounts=amounts[row.run_id],
        )
        for row in rows
    ]


def _amounts(url: str, run_ids: Sequence[str]) -> defaultdict[str, defaultdict[str | None, float]]:
    """Return the values that runs delivered, by run and currency."""
    amounts = tables.run_amounts
    found: defaultdict[str, defaultdict[str | None, float]] = defaultdict(
        lambda: defaultdict(float)
    )
    for row in read(url, amounts.name, sa.select(amounts).where(amounts.c.run_id.in_(run_ids))):
        found[row.run_id][row.currency] += float(row.delivered)
    return found


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)

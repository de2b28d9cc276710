"""The results in a database: rows of runs, of their numbers and of the outcomes of events.

A run's row is `running` from its start. If a run was killed, the next run finds that its process
has ended, or has not reported for as long as claims in the ledger are valid, and marks it. Several
runs can share the tables.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from target_pinterest_capi import __version__
from target_pinterest_capi.delivery import results_tables as tables
from target_pinterest_capi.delivery.bulk_insert import insert_rows
from target_pinterest_capi.delivery.database import Database, Transaction
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.delivery.ledger import LEASE_SECONDS
from target_pinterest_capi.delivery.processes import has_ended, identify_process
from target_pinterest_capi.delivery.results import Program, ResultsError
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.characters import well_formed
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.hashing import digest, digests
from target_pinterest_capi.events.keys import Key, key_of
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.redaction import shown_event_name, shown_name
from target_pinterest_capi.reporting.ending import events_of
from target_pinterest_capi.reporting.report import Report
from target_pinterest_capi.settings.event_names import known_event_names
from target_pinterest_capi.settings.values import ALL_EVENTS

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

USUAL_RUNS: Final = 30  # as many as a trend shows
MIN_USUAL_RUNS: Final = 5  # fewer do not show what is usual
ROWS_AT_ONCE: Final = 10_000  # that are deleted in a transaction, so that none takes long
_FAILED: Final = (
    "run_id", "stream", "mapping", "ad_account_id", "key", "event_name", "event_id", "outcome",
    "http_status", "at", "reason", "field", "detail",
)  # fmt: skip
_encode_key: Final = msgspec.json.Encoder(order="sorted").encode

Row = tuple[Any, ...]


class _Receipt(msgspec.Struct):
    """The part of an event's JSON that a row has."""

    event_name: str
    event_id: str


_decode_receipt: Final = msgspec.json.Decoder(_Receipt).decode


class ResultsDatabase(Database):
    """The `Results` of one run. `now` is the time of day in UTC.

    Results of runs that ended longer ago than `results_retention_days` are deleted.
    """

    error = ResultsError
    bring_up_to_date = staticmethod(tables.bring_up_to_date)
    pragmas = (
        # Rows of events are appended, and larger pages are changed less often: with SQLite's
        # default of 4,096 bytes a row costs a tenth more. This affects only new files.
        "PRAGMA page_size=8192",
        "PRAGMA wal_autocheckpoint=2000",  # 16 MB, which are then used again
    )

    def __init__(
        self,
        url: str,
        settings: "Settings",
        run_id: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        process: str | None = None,
        seconds_left: Callable[[], float | None] = lambda: None,
        wake: Wakeup | None = None,
    ) -> None:
        super().__init__(url, tables.metadata, seconds_left=seconds_left, wake=wake)
        self._settings = settings
        self._known_names = known_event_names(settings)
        self._run_id = run_id
        self._now = now
        self._process = process or identify_process()
        markers = ", ".join([self.kind.marker] * len(_FAILED))
        self._insert_failed = (
            f"INSERT INTO {tables.event_results.name} ({', '.join(_FAILED)}) VALUES ({markers})"  # noqa: S608 - names of ours
        )

    # What a run does

    def begin_run(self, program: Program) -> None:
        """Add the run's row, mark runs that are dead, and delete what is too old."""
        now = self._now()
        row = {
            **_identity(self._settings, self._run_id, program),
            "status": "running",
            "started_at": now,
            "seen_at": now,
            "process": self._process,
        }
        self.run(lambda connection: self._mark_crashed(connection, now))
        self.run(lambda connection: connection.execute(tables.runs.insert(), row))
        self._forget(now - timedelta(days=self._settings.results_retention_days))

    def has_failed_before(self, program: Program) -> bool | None:
        """Return whether the last run of this program, account and mode failed or crashed."""
        query = self._last_runs(program, tables.runs.c.exit_code).limit(1)
        last = self.run(lambda connection: connection.execute(query).first())
        return None if last is None else last.exit_code != 0

    def usual_events(self, program: Program) -> dict[str, float]:
        """Return the median number of events of the last successful runs, by name, and of all.

        Empty if there are fewer than `MIN_USUAL_RUNS`.
        """
        coverage = tables.run_coverage
        runs = self._last_runs(program, tables.runs.c.run_id).where(tables.runs.c.exit_code == 0)

        def read(connection: sa.Connection) -> tuple[list[str], Sequence[Any]]:
            ids = list(connection.scalars(runs.limit(USUAL_RUNS)))
            rows = sa.select(coverage.c.run_id, coverage.c.event_name, coverage.c.events).where(
                coverage.c.run_id.in_(ids), coverage.c.component == COMPONENTS[0].name
            )
            return ids, connection.execute(rows).all()

        ids, rows = self.run(read)
        if len(ids) < MIN_USUAL_RUNS:
            return {}
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            for name in (row.event_name, ALL_EVENTS):
                counts[name][row.run_id] += row.events
        return {name: median(of_runs[one] for one in ids) for name, of_runs in counts.items()}

    def _last_runs(self, program: Program, column: sa.Column[Any]) -> sa.Select[Any]:
        """Return the query of a column of the runs of a program, account and mode, latest first."""
        runs, settings = tables.runs, self._settings
        return (
            sa.select(column)
            .where(
                runs.c.program == program,
                runs.c.ad_account_id == settings.ad_account_id,
                runs.c.mode == settings.mode,
                runs.c.status != "running",
            )
            .order_by(runs.c.started_at.desc())
        )

    def record_delivered(self, events: Sequence[Event], http_status: int) -> Transaction[None]:
        """Start to add a row for each event of a request that Pinterest accepted."""
        now = self._now()

        def insert(connection: sa.Connection) -> None:
            for origin, group in _by_origin(events).items():
                stream, mapping = map(_storable, origin.shown)
                same = {
                    "run_id": self._run_id,
                    "stream": stream,
                    "mapping": mapping,
                    "ad_account_id": events[0].account.ad_account_id,
                    "outcome": str(Outcome.DELIVERED),
                    "http_status": http_status,
                    "at": now,
                }
                ids = [event.id for event in group]
                own = {
                    "key": _event_keys(group, ids),
                    "event_name": self._shown([event.name for event in group]),
                    "event_id": _storable_ids(ids),
                }
                insert_rows(connection, tables.event_results, same, own)

        return self.start(insert)

    def record_failed(self, letters: Sequence[DeadLetter]) -> None:
        """Add a row for each event or record that was invalid or rejected."""
        at = self.kind.bind_time(self._now())
        rows = [tuple(map(_storable, self._failed(letter, at))) for letter in letters]
        self.run(lambda connection: connection.exec_driver_sql(self._insert_failed, rows))

    def show_alive(self) -> None:
        """Record that this run is alive now."""
        seen = self._is_this_run.values(seen_at=self._now())
        self.run(lambda connection: connection.execute(seen))

    def end_run(self, report: Report) -> None:
        """Complete the run's row, and add its numbers."""
        ended = self._is_this_run.values(**_numbers(report))

        def end(connection: sa.Connection) -> None:
            connection.execute(ended)
            _add_parts(connection, self._run_id, report)

        self.run(end)

    def add_run(self, program: Program, report: Report) -> None:
        """Add the row and the numbers of a run that ran elsewhere, in parts.

        An existing row is from another part, and its numbers are kept.
        """
        row = {**_identity(self._settings, self._run_id, program), **_numbers(report)}
        row["started_at"] = report.run.started_at
        insert = self.kind.insert(tables.runs).values(**row)
        sums = {
            column.name: column + insert.excluded[column.name]
            for column in tables.runs.c
            if isinstance(column.type, sa.BigInteger)
        }
        last = {name: insert.excluded[name] for name in ("ended_at", "exit_code", "stopped")}
        upsert = insert.on_conflict_do_update(
            index_elements=[tables.runs.c.run_id], set_={**sums, **last}
        )

        def add(connection: sa.Connection) -> None:
            connection.execute(upsert)
            _add_parts(connection, self._run_id, report)

        self.run(add)

    # Rows

    @property
    def _is_this_run(self) -> Any:
        return tables.runs.update().where(tables.runs.c.run_id == self._run_id)

    def _shown(self, names: Sequence[str]) -> Sequence[str]:
        """Return the names of events as they may be shown: many events have the same."""
        shown = {name: _storable(shown_event_name(name, self._known_names)) for name in set(names)}
        if all(name == one for name, one in shown.items()):  # as in nearly all batches
            return names
        return list(map(shown.__getitem__, names))

    def _failed(self, letter: DeadLetter, at: Any) -> Row:
        receipt = None if letter.event is None else _decode_receipt(letter.event)
        return (
            self._run_id,
            *letter.origin.shown,
            letter.ad_account_id,
            _key_text(letter.key),
            None if receipt is None else shown_event_name(receipt.event_name, self._known_names),
            None if receipt is None else receipt.event_id,
            str(letter.outcome),
            letter.http_status,
            at,
            str(letter.reason),
            letter.field,
            letter.detail,
        )

    # What is out of date

    def _mark_crashed(self, connection: sa.Connection, now: datetime) -> None:
        runs = tables.runs
        is_old = runs.c.seen_at < now - timedelta(seconds=LEASE_SECONDS)
        running = sa.select(runs.c.run_id, runs.c.process, is_old.label("is_old")).where(
            runs.c.status == "running"
        )
        dead = [
            row.run_id
            for row in connection.execute(running)
            if row.is_old or has_ended(row.process or "")
        ]
        if dead:
            mark = runs.update().where(runs.c.run_id.in_(dead)).values(status="crashed")
            connection.execute(mark)

    def _forget(self, before: datetime) -> None:
        """Delete what is older: rows of events in parts, then the runs and their numbers."""
        events, runs = tables.event_results, tables.runs
        oldest, end = self.run(lambda connection: _old_rows(connection, before))
        while oldest < end:
            upper = min(oldest + ROWS_AT_ONCE, end)
            some = events.delete().where(events.c.id >= oldest, events.c.id < upper)
            self.run(lambda connection, some=some: connection.execute(some))  # type: ignore[misc]
            oldest = upper

        def forget(connection: sa.Connection) -> None:
            connection.execute(runs.delete().where(runs.c.started_at < before))
            for part in tables.PARTS:
                kept = sa.select(runs.c.run_id)
                connection.execute(part.delete().where(part.c.run_id.not_in(kept)))

        self.run(forget)


def _old_rows(connection: sa.Connection, before: datetime) -> tuple[int, int]:
    """Return the first row of an event, and the first one to keep."""
    events = tables.event_results
    first, last = connection.execute(
        sa.select(sa.func.min(events.c.id), sa.func.max(events.c.id))
    ).one()
    if first is None:
        return 0, 0
    kept = connection.scalar(
        sa.select(events.c.id).where(events.c.at >= before).order_by(events.c.id).limit(1)
    )
    return first, last + 1 if kept is None else kept


def _identity(settings: "Settings", run_id: str, program: Program) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "program": program,
        "mode": settings.mode,
        "ad_account_id": settings.ad_account_id,
        "api": urlsplit(settings.api_url).hostname,
        "settings_digest": digest(settings.model_dump_json()),
        "version": __version__,
    }


def _numbers(report: Report) -> dict[str, Any]:
    """Return the columns of a run's row that are known at its end."""
    run, totals, requests = report.run, report.totals, report.requests
    events = events_of(report)
    return {
        "status": "ended",
        "ended_at": run.ended_at,
        "process": None,
        "exit_code": run.exit_code,
        "stopped": run.stopped,
        "records": run.records,
        **msgspec.structs.asdict(totals),
        "without_outcome": run.without_outcome,
        "requests": requests.sent,
        "requests_repeated": requests.repeated,
        "requests_bisecting": requests.bisecting,
        "states_written": run.states_written,
        "dead_letters_written": run.dead_letters_written,
        "failed_events": events.invalid + events.rejected,
        "within_an_hour": report.delivered.delays.within_an_hour,
        "singer_sdk": run.versions.get("singer-sdk"),
        "python": run.versions.get("python"),
    }


def _add_parts(connection: sa.Connection, run_id: str, report: Report) -> None:
    """Add the numbers of a run beside its row."""
    coverage = [
        {
            "event_name": name.event_name,
            "component": component,
            "events": name.events,
            "carrying": covered.events,
        }
        for name in report.delivered.by_event_name
        for component, covered in name.components.items()
    ]
    parts: tuple[tuple[sa.Table, Sequence[Mapping[str, Any]]], ...] = (
        (tables.run_reasons, [msgspec.structs.asdict(row) for row in report.reasons]),
        (
            tables.run_values,
            [{**msgspec.structs.asdict(row), "number": row.values} for row in report.values],
        ),
        (tables.run_coverage, coverage),
        (
            tables.run_amounts,
            [
                {
                    **msgspec.structs.asdict(row),
                    "delivered": str(row.delivered),
                    "rejected": str(row.rejected),
                }
                for row in report.amounts
            ],
        ),
        (tables.run_lists, [msgspec.structs.asdict(row) for row in report.customer_lists]),
    )
    for table, rows in parts:
        names = [name for name in table.c.keys() if name != "run_id"]  # noqa: SIM118 - a collection of columns, no dict
        if rows:
            stored = [
                {"run_id": run_id, **{name: _storable(row[name]) for name in names}} for row in rows
            ]
            connection.execute(table.insert(), stored)


def _by_origin(events: Sequence[Event]) -> Mapping[Origin, Sequence[Event]]:
    """Return the events of each origin, in their order."""
    origins = [event.origin for event in events]
    if origins.count(origins[0]) == len(origins):  # as in nearly all batches
        return {origins[0]: events}
    groups: defaultdict[Origin, list[Event]] = defaultdict(list)
    for event in events:
        groups[event.origin].append(event)
    return groups


def _event_keys(events: Sequence[Event], ids: Sequence[str]) -> Sequence[str | None]:
    """Return the text of each event's key; mostly its id under the name of one column."""
    keys = [event.key for event in events]
    column = keys[0]
    if not isinstance(column, str) or keys.count(column) < len(keys):
        return [_key_text(key_of(event)) for event in events]
    start = str(_key_text({column: ""})).removesuffix('"}')
    return [f'{start}{one}"}}' for one in digests(ids)]


def _storable_ids(ids: Sequence[str]) -> Sequence[str]:
    """Return the ids of events, as databases take them."""
    together = "".join(ids)
    if together.isascii() and "\0" not in together:  # as nearly all are
        return ids
    return [_storable(one) for one in ids]


def _key_text(key: Key | None) -> str | None:
    if key is None:
        return None
    return _encode_key({shown_name(name): value for name, value in key.items()}).decode()


def _storable(value: Any) -> Any:
    """Return a string that databases accept: PostgreSQL has no U+0000, and none has surrogates."""
    if type(value) is str and not value.isprintable():  # as nearly all are
        return well_formed(value).replace("\0", "\ufffd")
    return value

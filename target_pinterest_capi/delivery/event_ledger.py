"""The ledger in a database: keys of delivered events, and claims of those about to be sent.

Keys are claimed in batches: one row per key, with the number of its batch, and one row per batch,
with the number of its run. When a batch is delivered, only its own row changes: keys are random, so
nearly each one is on another page. A claim is valid as long as its run is in the table of runs. A
run leaves that table at its end, and is removed by another run that finds its claims and that it is
dead.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import POSTGRESQL_ONLY, Database, Transaction
from target_pinterest_capi.delivery.ledger import (
    DAY_SECONDS,
    LEASE_SECONDS,
    Claims,
    LedgerError,
    PendingClaims,
)
from target_pinterest_capi.delivery.processes import has_ended, identify_process
from target_pinterest_capi.delivery.wakeup import Wakeup

_metadata: Final = sa.MetaData()
# In SQLite an INTEGER primary key is the row number itself, which halves the cost of a look-up.
_number: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
delivered_events: Final = sa.Table(
    "pinterest_delivered_events",
    _metadata,
    sa.Column("key", _number, primary_key=True, autoincrement=False),
    # Unix time, or the number of the key's batch, negated.
    sa.Column("delivered_at", sa.BigInteger, nullable=False),
)
# In SQLite an index on the time would add half to the cost of a key: deleting old keys scans the
# whole table there, 0.04 s for a million keys.
sa.Index(
    "ix_pinterest_delivered_events_delivered_at",
    delivered_events.c.delivered_at,
    info={POSTGRESQL_ONLY: True},
)
# Without an index: creating one locks its table, even if it exists, and a run that opens the ledger
# would lock this table and that of the keys in the opposite order of a claim.
batches: Final = sa.Table(
    "pinterest_ledger_batches",
    _metadata,
    sa.Column("number", _number, primary_key=True, autoincrement=True),
    sa.Column("claimed_by", _number),  # a run's number; null: delivered
    sa.Column("delivered_at", sa.BigInteger),  # Unix time
    sqlite_autoincrement=True,  # numbers are not used again
)
_runs: Final = sa.Table(
    "pinterest_ledger_runs",
    _metadata,
    sa.Column("number", _number, primary_key=True, autoincrement=True),
    sa.Column("process", sa.Text, nullable=False),
    sa.Column("renewed_at", sa.BigInteger, nullable=False),  # Unix time
    sqlite_autoincrement=True,  # numbers are not used again
)
_live_runs: Final = sa.select(_runs.c.number)
_of_batch: Final = batches.c.number == -delivered_events.c.delivered_at
# NULL is not in an empty table either.
_are_of_the_dead: Final = sa.and_(
    batches.c.claimed_by.is_not(None), batches.c.claimed_by.not_in(_live_runs)
)


def _are_in(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition for keys of some batches."""
    numbers = sa.select(-batches.c.number).where(*conditions)
    return delivered_events.c.delivered_at.in_(numbers)


# When keys were delivered; claims have no row.
delivered: Final = (
    sa.select(
        delivered_events.c.key,
        sa.func.coalesce(batches.c.delivered_at, delivered_events.c.delivered_at).label("at"),
    )
    .outerjoin_from(delivered_events, batches, _of_batch)
    .where(batches.c.claimed_by.is_(None))
)


class _PendingClaims:
    """A transaction of claims; `remember` gets the number of their batch, and its keys."""

    def __init__(
        self,
        transaction: Transaction[tuple[Claims, int, set[int]]],
        remember: Callable[[int, set[int]], None],
    ) -> None:
        self._transaction = transaction
        self._remember = remember

    @property
    def has_ended(self) -> bool:
        return self._transaction.has_ended

    def result(self) -> Claims:
        claims, batch, of_batch = self._transaction.result()
        if of_batch:
            self._remember(batch, of_batch)
        return claims


class EventLedger(Database):
    """A `Ledger` in a database, as one run sees it. `now` is Unix time, the database's if None.

    Keys that were delivered longer ago than the retention are deleted. `process` is the result of
    `identify_process`.
    """

    error = LedgerError
    pragmas = (
        # Each changed page is written as a whole, and random keys each change another one: with
        # SQLite's default of 4,096 bytes a key costs an eighth more. This affects only new files.
        "PRAGMA page_size=2048",
        # Batches change the same pages again and again: 64 MB of them are collected before they are
        # written to the file, and 16 MB are kept in memory. With SQLite's defaults of 4 and 2 MB a
        # key costs a third more.
        "PRAGMA wal_autocheckpoint=32000",
        "PRAGMA cache_size=-16000",
    )

    def __init__(
        self,
        url: str,
        retention_days: int,
        *,
        now: Callable[[], float] | None = None,
        process: str | None = None,
        seconds_left: Callable[[], float | None] = lambda: None,
        wake: Wakeup | None = None,
    ) -> None:
        super().__init__(url, _metadata, seconds_left=seconds_left, wake=wake)
        self._now = now or self.clock()
        self._batches: dict[int, set[int]] = {}  # of this run, with the keys that are only claimed
        self._run = self._register(retention_days, process or identify_process())
        numbers = self.kind.numbers
        key = numbers.c.value
        mine = sa.literal(self._run, _number)
        at = sa.bindparam("now", type_=sa.BigInteger)
        columns = [delivered_events.c.key, delivered_events.c.delivered_at]
        claim = self.kind.insert_missing(delivered_events).from_select(
            columns, sa.select(key, -sa.bindparam("batch", type_=sa.BigInteger))
        )
        self._claim = claim.execution_options(preserve_rowcount=True)
        self._find = (
            sa.select(key, batches.c.number, batches.c.claimed_by)
            .join_from(numbers, delivered_events, delivered_events.c.key == key)
            .outerjoin(batches, _of_batch)
        )
        self._known = self._find.where(batches.c.claimed_by.is_(None))
        self._release = delivered_events.delete().where(
            delivered_events.c.key.in_(sa.select(key)), _are_in(batches.c.claimed_by == mine)
        )
        self._deliver_batch = (
            batches.update()
            .where(batches.c.number == sa.bindparam("batch"), batches.c.claimed_by == mine)
            .values(claimed_by=None, delivered_at=at)
        )
        # SQLite cannot parse it without a WHERE.
        rows = sa.select(key, at).where(sa.true())
        deliver = self.kind.insert(delivered_events).from_select(columns, rows)
        self._deliver = deliver.on_conflict_do_update(
            index_elements=[delivered_events.c.key], set_={"delivered_at": at}
        )
        is_this = _runs.c.number == mine
        self._renew = _runs.update().where(is_this).values(renewed_at=at)
        # Changes nothing, but nobody can remove the run before the transaction ends.
        self._stay = _runs.update().where(is_this).values(renewed_at=_runs.c.renewed_at)

    # What a run does

    def claim(self, keys: Collection[int]) -> Claims:
        """Claim keys, including those of runs that have ended."""
        return self.start_claim(keys).result() if keys else Claims((), (), ())

    def start_claim(self, keys: Collection[int]) -> PendingClaims:
        """Start to claim keys."""
        numbers = self._numbers(keys)

        def claim(connection: sa.Connection) -> tuple[Claims, int, set[int]]:
            _require_run(connection.execute(self._stay))
            insert = connection.execute(batches.insert(), {"claimed_by": self._run})
            batch = int(insert.inserted_primary_key[0])  # type: ignore[index]
            numbers["batch"] = batch
            if connection.execute(self._claim, numbers).rowcount == len(keys):
                return Claims(keys, (), ()), batch, set(keys)
            found = connection.execute(self._find, numbers).all()
            if any(row.claimed_by is not None and row.number != batch for row in found):
                self._show_alive(connection)
                self._remove_dead_runs(connection)
                connection.execute(self._claim, numbers)
                found = connection.execute(self._find, numbers).all()
            of_batch = {row.value for row in found if row.number == batch}
            if not of_batch:
                connection.execute(batches.delete().where(batches.c.number == batch))
            new = {row.value for row in found if row.claimed_by == self._run}
            done = {row.value for row in found if row.claimed_by is None}
            return Claims(new, done, set(keys) - new - done), batch, of_batch

        return _PendingClaims(self.start(claim), self._batches.__setitem__)

    def record_delivered(self, keys: Collection[int]) -> None:
        """Record keys as delivered, whoever has claimed them in the meantime."""
        if not keys:
            return
        wanted = set(keys)
        batch = next((one for one, claimed in self._batches.items() if claimed == wanted), None)
        now = int(self._now())

        def record(connection: sa.Connection) -> None:
            is_recorded = batch is not None and connection.execute(self._stay).rowcount
            if is_recorded:
                row = {"batch": batch, "now": now}
                is_recorded = connection.execute(self._deliver_batch, row).rowcount
            if not is_recorded:
                connection.execute(self._deliver, {**self._numbers(wanted), "now": now})

        self.run(record)
        if batch is None:
            self._forget_claims(wanted)
        else:
            del self._batches[batch]

    def release(self, keys: Collection[int]) -> None:
        """Release claims of this run."""
        if keys:
            self.run(lambda connection: connection.execute(self._release, self._numbers(keys)))
            self._forget_claims(set(keys))

    def known(self, keys: Collection[int]) -> set[int]:
        """Return those of the keys that were delivered."""
        if not keys:
            return set()
        numbers = self._numbers(keys)
        return self.run(lambda connection: set(connection.scalars(self._known, numbers)))

    def renew(self) -> None:
        """Show that this run is alive."""
        self.run(self._show_alive)

    def close(self) -> None:
        """Leave the table of runs, and close the connection."""
        with suppress(LedgerError):
            self.run(lambda connection: self._remove_runs(connection, [self._run]))
        super().close()

    # Runs

    def _register(self, retention_days: int, process: str) -> int:
        """Delete what is out of date, and return the number of a new run."""
        now = int(self._now())
        oldest = now - retention_days * DAY_SECONDS
        are_old = batches.c.delivered_at < oldest
        at = delivered_events.c.delivered_at
        forget = delivered_events.delete().where(at.between(0, oldest - 1) | _are_in(are_old))
        row = {"process": process, "renewed_at": now}

        def register(connection: sa.Connection) -> int:
            number: Any = connection.execute(_runs.insert(), row).inserted_primary_key
            self._remove_dead_runs(connection)
            connection.execute(forget)
            connection.execute(batches.delete().where(are_old))
            return int(number[0])

        return self.run(register)

    def _show_alive(self, connection: sa.Connection) -> None:
        _require_run(connection.execute(self._renew, {"now": int(self._now())}))

    def _remove_dead_runs(self, connection: sa.Connection) -> None:
        """Remove the runs whose process has ended, or that have not renewed in time."""
        oldest = int(self._now()) - LEASE_SECONDS
        dead = [
            row.number
            for row in connection.execute(sa.select(_runs))
            if row.renewed_at < oldest or has_ended(row.process)
        ]
        self._remove_runs(connection, dead)

    def _remove_runs(self, connection: sa.Connection, numbers: list[int]) -> None:
        if numbers:
            connection.execute(_runs.delete().where(_runs.c.number.in_(numbers)))
        if connection.scalar(sa.select(sa.exists().where(_are_of_the_dead))):
            connection.execute(delivered_events.delete().where(_are_in(_are_of_the_dead)))
            connection.execute(batches.delete().where(_are_of_the_dead))

    def _forget_claims(self, keys: set[int]) -> None:
        """Remove keys from this run's batches, and the batches that are done."""
        for claimed in self._batches.values():
            claimed.difference_update(keys)
        self._batches = {batch: claimed for batch, claimed in self._batches.items() if claimed}

    def _numbers(self, keys: Collection[int]) -> dict[str, object]:
        """Return keys as a parameter.

        They are sorted, so that two processes cannot deadlock, and that neighbours in a file are
        written together.
        """
        return {"numbers": self.kind.bind_numbers(sorted(keys))}


def _require_run(update: sa.CursorResult[Any]) -> None:
    """Raise `LedgerError` if an update of the run's row found none: it was removed."""
    if not update.rowcount:
        raise LedgerError(
            f"this run stood still for more than {LEASE_SECONDS} seconds, so another one may "
            "have taken over the events that it was about to send"
        )

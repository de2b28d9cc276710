"""The ledger in a database: keys of delivered events, and claims of those about to be sent.

A claim is a row in a small table of its own, with the number of its run. It is valid as long as
that run is in the table of runs. A run leaves that table at its end, and is removed by another run
that finds its claims and that it is dead.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import POSTGRESQL_ONLY, Database
from target_pinterest_capi.delivery.ledger import DAY_SECONDS, LEASE_SECONDS, Claims, LedgerError
from target_pinterest_capi.delivery.processes import has_ended, identify_process

_metadata: Final = sa.MetaData()
# In SQLite an INTEGER primary key is the row number itself, which halves the cost of a look-up.
_number: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
delivered_events: Final = sa.Table(
    "pinterest_delivered_events",
    _metadata,
    sa.Column("key", _number, primary_key=True, autoincrement=False),
    sa.Column("delivered_at", sa.BigInteger, nullable=False),  # Unix time
)
# In SQLite an index on the time would add half to the cost of a key: deleting old keys scans the
# whole table there, 0.04 s for a million keys.
sa.Index(
    "ix_pinterest_delivered_events_delivered_at",
    delivered_events.c.delivered_at,
    info={POSTGRESQL_ONLY: True},
)
# In a separate table: keys are random, and claims among millions of delivered keys would change as
# many pages again.
_claims: Final = sa.Table(
    "pinterest_claimed_events",
    _metadata,
    sa.Column("key", _number, primary_key=True, autoincrement=False),
    sa.Column("claimed_by", _number, nullable=False),  # a run's number
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
_drop_claims_of_the_dead: Final = _claims.delete().where(_claims.c.claimed_by.not_in(_live_runs))


class EventLedger(Database):
    """A `Ledger` in a database, as one run sees it. `now` is Unix time, the database's if None.

    Keys that were delivered longer ago than the retention are deleted. `process` is the result of
    `identify_process`.
    """

    error = LedgerError

    def __init__(
        self,
        url: str,
        retention_days: int,
        *,
        now: Callable[[], float] | None = None,
        process: str | None = None,
        seconds_left: Callable[[], float | None] = lambda: None,
    ) -> None:
        super().__init__(url, _metadata, seconds_left=seconds_left)
        self._now = now or self.clock()
        self._run = self._register(retention_days, process or identify_process())
        numbers = self.kind.numbers
        key = numbers.c.value
        mine = sa.literal(self._run, _number)
        at = sa.bindparam("now", type_=sa.BigInteger)
        # Nothing is claimed for a run that was removed.
        rows = sa.select(key, mine).where(mine.in_(_live_runs))
        claim = self.kind.insert_missing(_claims).from_select([_claims.c.key, "claimed_by"], rows)
        self._claim = claim.execution_options(preserve_rowcount=True)
        self._mine = (
            sa.select(key)
            .join_from(numbers, _claims, _claims.c.key == key)
            .where(_claims.c.claimed_by == mine)
        )
        self._release = _claims.delete().where(
            _claims.c.key.in_(sa.select(key)), _claims.c.claimed_by == mine
        )
        self._known = sa.select(key).join_from(
            numbers, delivered_events, delivered_events.c.key == key
        )
        self._deliver = self.kind.insert_missing(delivered_events).from_select(
            [delivered_events.c.key, "delivered_at"], sa.select(key, at)
        )
        self._renew = _runs.update().where(_runs.c.number == mine).values(renewed_at=at)

    # What a run does

    def claim(self, keys: Collection[int]) -> Claims:
        """Claim keys, including those of runs that have ended."""
        if not keys:
            return Claims((), (), ())
        numbers = self._numbers(keys)

        def claim(connection: sa.Connection) -> Claims:
            are_new = connection.execute(self._claim, numbers).rowcount == len(keys)
            if not are_new:
                self._show_alive(connection)
                self._remove_dead_runs(connection)
                connection.execute(self._claim, numbers)
            # After the claims: from now on nobody else can deliver these keys.
            delivered = set(connection.scalars(self._known, numbers))
            if delivered:
                connection.execute(self._release, self._numbers(delivered))
            if are_new and not delivered:
                return Claims(keys, (), ())
            mine = set(connection.scalars(self._mine, numbers))
            return Claims(mine, delivered, set(keys) - mine - delivered)

        return self.run(claim)

    def record_delivered(self, keys: Collection[int]) -> None:
        """Record keys as delivered, whoever has claimed them in the meantime."""
        if not keys:
            return
        numbers = self._numbers(keys)
        now = int(self._now())

        def record(connection: sa.Connection) -> None:
            connection.execute(self._deliver, {**numbers, "now": now})
            connection.execute(self._release, numbers)

        self.run(record)

    def release(self, keys: Collection[int]) -> None:
        """Release claims of this run."""
        if keys:
            self.run(lambda connection: connection.execute(self._release, self._numbers(keys)))

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
        forget = delivered_events.delete().where(delivered_events.c.delivered_at < oldest)
        row = {"process": process, "renewed_at": now}

        def register(connection: sa.Connection) -> int:
            number: Any = connection.execute(_runs.insert(), row).inserted_primary_key
            self._remove_dead_runs(connection)
            connection.execute(forget)
            return int(number[0])

        return self.run(register)

    def _show_alive(self, connection: sa.Connection) -> None:
        if not connection.execute(self._renew, {"now": int(self._now())}).rowcount:
            raise LedgerError(
                f"this run stood still for more than {LEASE_SECONDS} seconds, so another one may "
                "have taken over the events that it was about to send"
            )

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
        connection.execute(_drop_claims_of_the_dead)

    def _numbers(self, keys: Collection[int]) -> dict[str, object]:
        """Return keys as a parameter.

        They are sorted, so that two processes cannot deadlock, and that neighbours in a file are
        written together.
        """
        return {"numbers": self.kind.bind_numbers(sorted(keys))}

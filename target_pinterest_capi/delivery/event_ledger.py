"""The ledger: keys of delivered events, so that what was delivered is not sent again."""

from collections.abc import Callable, Collection
from time import time
from typing import Final

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import POSTGRESQL_ONLY, Database
from target_pinterest_capi.delivery.ledger import DAY_SECONDS

# In SQLite an INTEGER primary key is the row's own number, which is found at half the cost.
_delivered: Final = sa.Table(
    "pinterest_delivered_events",
    sa.MetaData(),
    sa.Column(
        "key",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("delivered_at", sa.BigInteger, nullable=False),
)
# In SQLite an index on the time makes a key dearer by half: forgetting reads the whole table there,
# 0.04 s for a million keys.
sa.Index(
    "ix_pinterest_delivered_events_delivered_at",
    _delivered.c.delivered_at,
    info={POSTGRESQL_ONLY: True},
)


class EventLedger(Database):
    """Keys of delivered events; those older than the retention are forgotten. `now` is Unix time.

    Raises `LedgerError` where the database fails.
    """

    def __init__(self, url: str, retention_days: int, *, now: Callable[[], float] = time) -> None:
        super().__init__(url, _delivered.metadata)
        self._now = now
        key = _delivered.c.key
        numbers = self.kind.numbers
        self._known = sa.select(key).join_from(numbers, _delivered, key == numbers.c.value)
        rows = sa.select(numbers.c.value, sa.bindparam("now", type_=sa.BigInteger))
        self._record = self.kind.insert_missing(_delivered).from_select(
            [key, _delivered.c.delivered_at], rows
        )
        oldest = int(now()) - retention_days * DAY_SECONDS
        forget = _delivered.delete().where(_delivered.c.delivered_at < oldest)
        self.run(lambda connection: connection.execute(forget))

    def known(self, keys: Collection[int]) -> set[int]:
        """Return those of the keys that were delivered."""
        if not keys:
            return set()
        numbers = {"numbers": self.kind.bind_numbers(list(keys))}
        return self.run(lambda connection: set(connection.scalars(self._known, numbers)))

    def record(self, keys: Collection[int]) -> None:
        """Record delivered keys: durable against the end of this process when it returns."""
        if not keys:
            return
        # Sorted, so that two processes never wait for each other's rows in a circle, and that
        # neighbours in a file are written together.
        numbers = {"numbers": self.kind.bind_numbers(sorted(keys)), "now": int(self._now())}
        self.run(lambda connection: connection.execute(self._record, numbers))

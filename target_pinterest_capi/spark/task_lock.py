"""Turns: of the attempts at one task, only one at a time sends.

A lock in the ledger's PostgreSQL, for as long as its holder lives.

Spark runs a task again while the first attempt may still be at work: by speculation, or where an
executor only seemed lost. Asking the ledger and writing to it are two steps, so that both attempts
could send what neither has recorded yet; with turns the later one begins when the earlier one has
ended, and finds all of its events in the ledger. Never used with SQLite, whose one machine ends an
attempt before it starts the next.
"""

from typing import Final

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import Database
from target_pinterest_capi.events.hashing import digest_key

LOCK_BYTES: Final = 8  # PostgreSQL's advisory locks are numbers of 64 bits


class TaskLock(Database):
    """The turn of one attempt at a piece of work, until this is closed or the process ends.

    Waits for it, for as long as another attempt at `work` has it. Raises `LedgerError` where the
    database fails.
    """

    def __init__(self, url: str, work: str) -> None:
        super().__init__(url, sa.MetaData())
        lock = int.from_bytes(digest_key(work, LOCK_BYTES), signed=True)
        self.run(
            lambda connection: connection.execute(
                sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": lock}
            )
        )

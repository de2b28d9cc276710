"""The ledger in a SQLite file, through Python's own driver: importing SQLAlchemy costs a run as much as some 40,000 keys.

Promises that several processes on this machine may share a file, and that what is recorded outlives this process at any moment.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from time import time
from typing import Any, Final

from target_pinterest_capi.delivery.ledger import DAY_SECONDS, TABLE, LedgerError

BUSY_SECONDS: Final = 30
SET_UP: Final = (
    # WAL: readers and a writer do not wait for each other, and a commit survives the process without a sync a batch.
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    # Keys are random, so that batches change the same pages again and again: 64 MB of them are gathered before they go into the
    # file, and 16 MB are kept at hand; SQLite's own 4 and 2 make a key a third dearer.
    "PRAGMA wal_autocheckpoint=16000",
    "PRAGMA cache_size=-16000",
)
KEYS_AT_ONCE: Final = 500  # before 3.32 a statement has at most 999 variables

# No index on the time, which made a key dearer by half: forgetting reads the whole table instead, 0.04 s for a million keys.
_CREATE: Final = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (key INTEGER PRIMARY KEY, delivered_at INTEGER NOT NULL)"
)
_FORGET: Final = f"DELETE FROM {TABLE} WHERE delivered_at < ?"  # noqa: S608 - a constant
_plain_url: Final = re.compile(r"sqlite(?:\+pysqlite)?://(?:/([^?%]*))?").fullmatch


class SqliteLedger:
    """Keys of delivered events. `now` gives Unix seconds. Raises `LedgerError` where the database fails."""

    def __init__(self, url: str, retention_days: int, *, now: Callable[[], float] = time) -> None:
        self._now = now
        with _in_words():
            self._connection = _connect(url)
            for statement in (*SET_UP, _CREATE):
                self._connection.execute(statement)
            self._connection.execute(_FORGET, (int(now()) - retention_days * DAY_SECONDS,))

    def known(self, keys: Collection[int]) -> set[int]:
        """Give those of the keys that were delivered."""
        found: set[int] = set()
        with _in_words():
            for some in _parts(list(keys)):
                found.update([row[0] for row in self._connection.execute(_known(len(some)), some)])
        return found

    def record(self, keys: Collection[int]) -> None:
        """Remember delivered keys: durable against the end of this process when it returns."""
        if not keys:
            return
        now = int(self._now())
        with _in_words(), self._connection:  # which ends the transaction, one way or the other
            self._connection.execute("BEGIN IMMEDIATE")
            for some in _parts(
                sorted(keys)
            ):  # sorted, so that neighbours in the file are written together
                self._connection.execute(_record(len(some)), (now, *some))

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _connect(url: str) -> sqlite3.Connection:
    """Open the file of an SQLAlchemy URL; SQLAlchemy itself reads those that are more than a path."""
    options: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    if plain := _plain_url(url):
        path = plain[1] or ":memory:"
    else:
        path, more = _connect_arguments(url)
        options |= more
    create_private(path)
    connection: sqlite3.Connection = sqlite3.connect(
        path, **{**options, "isolation_level": None}
    )  # transactions begin by our word
    return connection


def create_private(path: str) -> None:
    """Make a database's file for its owner alone, where it is not there yet; SQLite gives the files beside it the same mode."""
    if path != ":memory:" and not path.startswith("file:"):
        with suppress(OSError):  # SQLite says what is wrong with it
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _connect_arguments(url: str) -> tuple[str, dict[str, Any]]:
    from sqlalchemy import make_url  # noqa: PLC0415 - see above
    from sqlalchemy.dialects.sqlite.pysqlite import dialect  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        (path,), options = dialect().create_connect_args(make_url(url))
    except (SQLAlchemyError, ValueError):
        raise LedgerError("its URL cannot be read; sqlite:///ledger.db is one that can") from None
    return path, dict(options)


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + KEYS_AT_ONCE] for start in range(0, len(keys), KEYS_AT_ONCE))


# One statement for many keys costs half of one for each, and the driver keeps those that come again: of full batches.
@lru_cache(maxsize=16)
def _known(count: int) -> str:
    marks = ",".join(["(?)"] * count)
    return f"SELECT key FROM (VALUES {marks}) AS asked CROSS JOIN {TABLE} ON key = asked.column1"  # noqa: S608 - a constant and marks


@lru_cache(maxsize=16)
def _record(count: int) -> str:
    marks = ",".join(["(?)"] * count)
    return f"INSERT OR IGNORE INTO {TABLE} SELECT column1, ? FROM (VALUES {marks})"  # noqa: S608 - likewise


@contextmanager
def _in_words() -> Iterator[None]:
    """Raise what SQLite says as `LedgerError`; it names no file."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(str(error)) from None

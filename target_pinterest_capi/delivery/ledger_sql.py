"""The ledger's database: SQLite or PostgreSQL through SQLAlchemy Core. Imported only where a ledger is kept."""

from collections.abc import Callable, Collection, Sequence
from time import time
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from target_pinterest_capi.delivery.ledger import KEY_BYTES, LedgerError
from target_pinterest_capi.delivery.redaction import redact

TABLE: Final = "pinterest_delivered_events"
BUSY_SECONDS: Final = 30
DAY_SECONDS: Final = 86400

_table: Final = sa.Table(
    TABLE,
    sa.MetaData(),
    sa.Column("key", sa.LargeBinary(KEY_BYTES), primary_key=True),
    sa.Column("delivered_at", sa.BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)


class _Dialect(NamedTuple):
    """How a database takes many keys at once: in one statement where it can, for they come a thousand at a time."""

    known: Callable[[sa.Connection, Sequence[bytes]], set[bytes]]
    record: Callable[[sa.Connection, Sequence[bytes], int], None]


def _sqlite_known(connection: sa.Connection, keys: Sequence[bytes]) -> set[bytes]:
    statement = f"SELECT key FROM {TABLE} WHERE key IN ({','.join('?' * len(keys))})"  # noqa: S608 - a constant and marks
    rows = connection.exec_driver_sql(statement, tuple(keys))
    return {row[0] for row in rows}


def _sqlite_record(connection: sa.Connection, keys: Sequence[bytes], now: int) -> None:
    connection.exec_driver_sql(f"INSERT OR IGNORE INTO {TABLE} VALUES (?, ?)", [(key, now) for key in keys])  # noqa: S608


def _postgresql_known(connection: sa.Connection, keys: Sequence[bytes]) -> set[bytes]:
    rows = connection.exec_driver_sql(f"SELECT key FROM {TABLE} WHERE key = ANY(%s)", (list(keys),))  # noqa: S608 - a constant
    return {bytes(row[0]) for row in rows}


def _postgresql_record(connection: sa.Connection, keys: Sequence[bytes], now: int) -> None:
    # Sorted, so that two processes never wait for each other's rows in a circle.
    statement = f"INSERT INTO {TABLE} SELECT unnest(%s::bytea[]), %s ON CONFLICT DO NOTHING"
    connection.exec_driver_sql(statement, (sorted(keys), now))


_DIALECTS: Final = {
    "sqlite": _Dialect(_sqlite_known, _sqlite_record),
    "postgresql": _Dialect(_postgresql_known, _postgresql_record),
}


class Database:
    """A connection to the ledger's database, with its tables made. Raises `LedgerError` where the database fails.

    Not to be shared between threads.
    """

    def __init__(self, url: str, tables: sa.MetaData) -> None:
        try:
            self._engine = _engine(url)
            tables.create_all(self._engine)
            self._connection = self._engine.connect()
        except (SQLAlchemyError, ImportError) as error:
            raise LedgerError(_in_words(error)) from None

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
        self._engine.dispose()

    def _run(self, work: Callable[[sa.Connection], Any]) -> Any:
        """Do work in a transaction of its own."""
        try:
            with self._connection.begin():
                return work(self._connection)
        except SQLAlchemyError as error:
            raise LedgerError(_in_words(error)) from None


class SqlLedger(Database):
    """Keys of delivered events. `now` gives Unix seconds."""

    def __init__(self, url: str, retention_days: int, *, now: Callable[[], float] = time) -> None:
        super().__init__(url, _table.metadata)
        self._now = now
        self._dialect = _DIALECTS[self._engine.dialect.name]
        self.forget(retention_days)

    def known(self, keys: Collection[bytes]) -> set[bytes]:
        """Give those of the keys that were delivered."""
        return self._run(lambda connection: self._dialect.known(connection, list(keys))) if keys else set()

    def record(self, keys: Collection[bytes]) -> None:
        """Remember delivered keys: durable against the end of this process when it returns."""
        if keys:
            self._run(lambda connection: self._dialect.record(connection, list(keys), int(self._now())))

    def forget(self, retention_days: int) -> None:
        """Let go of what is older than the retention."""
        oldest = int(self._now()) - retention_days * DAY_SECONDS
        self._run(lambda connection: connection.execute(_table.delete().where(_table.c.delivered_at < oldest)))


def _engine(url: str) -> sa.Engine:
    """Give the engine of a ledger URL: SQLite set up for several processes, PostgreSQL with connections tried before use."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        # WAL: readers and a writer do not wait for each other, and a commit survives the process without a sync a batch.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _in_words(error: BaseException) -> str:
    """Say what happened in the driver's words, without the address and the user that they may hold."""
    if isinstance(error, ImportError):
        return f"its driver is not installed ({error.name}): pip install 'target-pinterest-capi[postgres]'"
    original = getattr(error, "orig", None)
    return redact(str(original)) if original is not None else type(error).__name__

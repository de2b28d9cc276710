"""The database at ledger_url, through SQLAlchemy, and the ledger in PostgreSQL. Imported only where they are needed."""

from collections.abc import Callable, Collection
from time import time
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from target_pinterest_capi.delivery.ledger import DAY_SECONDS, TABLE, LedgerError
from target_pinterest_capi.delivery.ledger_sqlite import BUSY_SECONDS, SET_UP, create_private
from target_pinterest_capi.pinterest.redaction import redact

_table: Final = sa.Table(
    TABLE,
    sa.MetaData(),
    sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("delivered_at", sa.BigInteger, nullable=False, index=True),
)
# A thousand keys come at a time: one statement takes them all. Sorted, so that two processes never wait for each other's rows in a
# circle.
_KNOWN: Final = f"SELECT key FROM {TABLE} WHERE key = ANY(%s::bigint[])"  # noqa: S608 - a constant
_RECORD: Final = f"INSERT INTO {TABLE} SELECT unnest(%s::bigint[]), %s ON CONFLICT DO NOTHING"


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
    """Keys of delivered events in PostgreSQL. `now` gives Unix seconds."""

    def __init__(self, url: str, retention_days: int, *, now: Callable[[], float] = time) -> None:
        super().__init__(url, _table.metadata)
        self._now = now
        oldest = int(now()) - retention_days * DAY_SECONDS
        self._run(
            lambda connection: connection.execute(
                _table.delete().where(_table.c.delivered_at < oldest)
            )
        )

    def known(self, keys: Collection[int]) -> set[int]:
        """Give those of the keys that were delivered."""
        if not keys:
            return set()
        known: set[int] = self._run(
            lambda connection: {row[0] for row in connection.exec_driver_sql(_KNOWN, (list(keys),))}
        )
        return known

    def record(self, keys: Collection[int]) -> None:
        """Remember delivered keys: durable against the end of this process when it returns."""
        if keys:
            self._run(
                lambda connection: connection.exec_driver_sql(
                    _RECORD, (sorted(keys), int(self._now()))
                )
            )


def _engine(url: str) -> sa.Engine:
    """Give the engine of a ledger URL: SQLite set up for several processes, PostgreSQL with connections tried before use."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    create_private(engine.url.database or ":memory:")

    @sa.event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        for statement in SET_UP:
            connection.execute(statement)

    return engine


def _in_words(error: BaseException) -> str:
    """Say what happened in the driver's words, without the address and the user that they may hold."""
    if isinstance(error, ImportError):
        return f"its driver is not installed ({error.name}): pip install 'target-pinterest-capi[postgres]'"
    original = getattr(error, "orig", None)
    return redact(str(original)) if original is not None else type(error).__name__

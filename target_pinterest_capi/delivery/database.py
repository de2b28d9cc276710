"""The database at `ledger_url`, SQLite or PostgreSQL, through SQLAlchemy.

Imported only where a ledger is configured: SQLAlchemy takes 0.1 s to import. Several processes may
share a database, and what is recorded outlives this process at any moment.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.events.redaction import redact

BUSY_SECONDS: Final = 30
POSTGRESQL_ONLY: Final = "postgresql_only"  # in an index's `info`
_PRIVATE: Final = 0o600

Result = TypeVar("Result")


class DatabaseKind(NamedTuple):
    """What differs between SQLite and PostgreSQL.

    `numbers` is a table of one column, `value`, from the parameter `numbers`: one statement takes
    as many of them as there are.
    """

    insert: Callable[[sa.Table], Any]  # with `on_conflict_do_update`
    insert_missing: Callable[[sa.Table], Any]  # leaves rows alone that are there
    numbers: sa.TableValuedAlias
    bind_numbers: Callable[[Sequence[int]], Any]
    set_up: tuple[str, ...] = ()  # for each new connection


_text: Final = sa.bindparam("numbers", type_=sa.Text)
_array: Final = sa.bindparam("numbers", type_=postgresql.ARRAY(sa.BigInteger, dimensions=1))
KINDS: Final = {
    "sqlite": DatabaseKind(
        sqlite.insert,
        # ON CONFLICT DO NOTHING costs twice as much here.
        lambda table: sa.insert(table).prefix_with("OR IGNORE"),
        sa.func.json_each(_text).table_valued(sa.column("value", sa.Integer)),
        lambda numbers: msgspec.json.encode(numbers).decode(),
        (
            # WAL: readers and a writer do not wait for each other, and a commit survives the
            # process without a sync for each.
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            # Keys are random, so that batches change the same pages again and again: 64 MB of them
            # are gathered before they go into the file, and 16 MB are kept in memory. With SQLite's
            # own 4 and 2 a key costs a third more.
            "PRAGMA wal_autocheckpoint=16000",
            "PRAGMA cache_size=-16000",
        ),
    ),
    "postgresql": DatabaseKind(
        postgresql.insert,
        lambda table: postgresql.insert(table).on_conflict_do_nothing(),
        sa.func.unnest(_array).table_valued(sa.column("value", sa.BigInteger)).render_derived(),
        list,
    ),
}


class Database:
    """A connection to the ledger's database, with its tables made.

    Raises `LedgerError` where the database fails. Not to be shared between threads.
    """

    def __init__(self, url: str, tables: sa.MetaData) -> None:
        try:
            self._engine = _create_engine(url)
            self._connection = self._engine.connect()
            self.kind = KINDS[self._engine.dialect.name]
        except (ArgumentError, ValueError):
            raise LedgerError(
                "its URL cannot be read; sqlite:///ledger.db is one that can"
            ) from None
        except (SQLAlchemyError, ImportError) as error:
            raise LedgerError(_describe(error)) from None
        self.run(lambda connection: self._create(connection, tables))

    def run(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Do work in a transaction of its own, and return its result."""
        try:
            with self._connection.begin():
                return work(self._connection)
        except SQLAlchemyError as error:
            raise LedgerError(_describe(error)) from None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._engine.dispose()

    def _create(self, connection: sa.Connection, tables: sa.MetaData) -> None:
        """Make what is missing; another process may be making it too."""
        for table in tables.sorted_tables:
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                if connection.dialect.name == "postgresql" or POSTGRESQL_ONLY not in index.info:
                    connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


def _create_engine(url: str) -> sa.Engine:
    """Return the engine of a ledger URL; its connections are set up as the database needs it."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        if "timeout" not in address.query:
            address = address.update_query_dict({"timeout": str(BUSY_SECONDS)})
        _create_private(address.database or ":memory:")
    engine = sa.create_engine(address, pool_pre_ping=True)
    statements = KINDS[engine.dialect.name].set_up

    @sa.event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        for statement in statements:
            connection.execute(statement)

    return engine


def _create_private(path: str) -> None:
    """Make a SQLite file for its owner alone, where it is not there yet.

    SQLite gives the files beside it the same mode, and says what is wrong with the path.
    """
    if path != ":memory:" and not path.startswith("file:"):
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, _PRIVATE))


def _describe(error: BaseException) -> str:
    """Return what happened in the driver's words, without address and user that they may hold."""
    if isinstance(error, ImportError):
        return (
            f"its driver is not installed ({error.name}): "
            "pip install 'target-pinterest-capi[postgres]'"
        )
    original = getattr(error, "orig", None)
    return type(error).__name__ if original is None else redact(str(original))

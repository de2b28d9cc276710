"""A database that a setting names, SQLite or PostgreSQL, through SQLAlchemy.

Imported only if one is configured, because importing SQLAlchemy takes 0.1 s. Several processes can
share a database, and what is recorded survives the end of this process. A separate thread waits for
the database, so that a locked or silent one cannot block a run beyond its grace time.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from target_pinterest_capi.delivery.bounded_calls import BoundedCalls, NoAnswerError, StartedCall
from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.redaction import redact
from target_pinterest_capi.files.durable import find_obstacle

# None of SQLAlchemy's 45,000 objects is garbage, and to look at them takes 0.07 s: a search would
# begin soon, because there are that many new ones (`startup`).
gc.freeze()

PATIENCE_SECONDS: Final = 30.0  # per transaction
BUSY_SECONDS: Final = 25  # SQLite and the connection report the error before patience ends
_BUSY_PAUSE_SECONDS: Final = 0.02
_SILENT: Final = "it is locked or does not respond, and there was no time left to wait for it"
_SCHEMA_LOCK: Final = 7_024_318_206  # any number, but the same for every version
_DEADLOCK: Final = "40P01"  # SQLSTATE of the transaction that PostgreSQL ends so that others go on
POSTGRESQL_ONLY: Final = "postgresql_only"  # in an index's `info`
_PRIVATE: Final = 0o600

Result = TypeVar("Result")


class DatabaseKind(NamedTuple):
    """What differs between SQLite and PostgreSQL.

    `numbers` is a table with one column, `value`, from the parameter `numbers`: one statement
    accepts any number of them.
    """

    insert: Callable[[sa.Table], Any]  # with `on_conflict_do_update`
    insert_missing: Callable[[sa.Table], Any]  # skips existing rows
    numbers: sa.TableValuedAlias
    bind_numbers: Callable[[Sequence[int]], Any]
    timeout: str  # the URL's parameter, in seconds
    lock_schema: str  # until the transaction ends
    clock: str  # Unix time
    marker: str  # marker of a parameter in a driver's statement
    bind_time: Callable[[datetime], Any]  # such a parameter, in UTC
    set_up: tuple[str, ...] = ()  # for each new connection
    engine_options: Mapping[str, Any] = {}


_text: Final = sa.bindparam("numbers", type_=sa.Text)
_array: Final = sa.cast(_text, postgresql.ARRAY(sa.BigInteger, dimensions=1))
KINDS: Final = {
    "sqlite": DatabaseKind(
        sqlite.insert,
        # ON CONFLICT DO NOTHING costs twice as much here.
        lambda table: sa.insert(table).prefix_with("OR IGNORE"),
        sa.func.json_each(_text).table_valued(sa.column("value", sa.Integer)),
        lambda numbers: msgspec.json.encode(numbers).decode(),
        "timeout",
        "BEGIN IMMEDIATE",
        "SELECT strftime('%s', 'now')",
        "?",
        lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f"),  # as SQLAlchemy writes it
        # WAL: readers and a writer do not block each other, and a commit survives the process
        # without a sync for each.
        ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"),
    ),
    "postgresql": DatabaseKind(
        postgresql.insert,
        lambda table: postgresql.insert(table).on_conflict_do_nothing(),
        sa.func.unnest(_array).table_valued(sa.column("value", sa.BigInteger)).render_derived(),
        # An array as text: psycopg would look at each element of a list in Python.
        lambda numbers: f"{{{msgspec.json.encode(numbers)[1:-1].decode()}}}",
        "connect_timeout",
        f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})",
        "SELECT extract(epoch FROM clock_timestamp())",
        "%s",
        lambda at: at,
        # Regardless of the server's default: a statement sees what was committed before it.
        engine_options={"isolation_level": "READ COMMITTED"},
    ),
}


class UnusableError(Exception):
    """A database cannot be used; the message says why, without its URL."""


class Transaction(Generic[Result]):
    """A transaction that was started. Raises as the `Database` that it belongs to."""

    def __init__(self, call: StartedCall[Result], error: type[DatabaseError]) -> None:
        self._call = call
        self._error = error

    @property
    def has_ended(self) -> bool:
        """Whether `result` does not wait."""
        return self._call.has_ended

    def result(self) -> Result:
        """Return the function's result, once the transaction is committed."""
        with _raised_as(self._error):
            return self._call.result()


class Database:
    """A connection to a database with its tables created.

    `seconds_left` returns how long the caller can wait, at most `PATIENCE_SECONDS`. Raises the
    subclass of `DatabaseError` of its kind if the database fails or takes longer. `wake` is set
    when a transaction ends. Not thread-safe.
    """

    error: ClassVar[type[DatabaseError]] = DatabaseError
    pragmas: ClassVar[Sequence[str]] = ()  # for SQLite, by what is written

    def __init__(
        self,
        url: str,
        tables: sa.MetaData,
        *,
        seconds_left: Callable[[], float | None] = lambda: None,
        wake: Wakeup | None = None,
    ) -> None:
        self._calls = BoundedCalls(_SILENT, PATIENCE_SECONDS, seconds_left, wake)
        try:
            self._wait_for(lambda: self._open(url, tables))
        except DatabaseError:
            self._calls.close()
            raise

    @staticmethod
    def bring_up_to_date(connection: sa.Connection) -> None:
        """Change tables of an older version, while the schema is locked. Here there is none."""

    def run(self, work: Callable[[sa.Connection], Result]) -> Result:
        """Run a function in its own transaction, and return its result."""
        return self.start(work).result()

    def start(self, work: Callable[[sa.Connection], Result]) -> Transaction[Result]:
        """Start a function in its own transaction, after those that were started before it.

        It is called again if the database undid the transaction because of a deadlock.
        """

        def transact() -> Result:
            self._file.check()
            return self._transact(work)

        with _raised_as(self.error):
            return Transaction(self._calls.start(transact), self.error)

    def clock(self) -> Callable[[], float]:
        """Return the database's Unix time, which is the same for all who share it."""
        asked = sa.text(self.kind.clock)
        ahead = float(self.run(lambda connection: connection.scalar(asked))) - time.time()
        return lambda: time.time() + ahead

    def close(self) -> None:
        """Close the connection, except to a silent database: that one ends with the process."""
        with suppress(DatabaseError):
            self._wait_for(self._disconnect)
        self._calls.close()

    def _wait_for(self, work: Callable[[], Result]) -> Result:
        """Run a function on the database's thread; raise `DatabaseError` if it fails or is slow.

        A database that was silent once is not asked again.
        """
        with _raised_as(self.error):
            return self._calls.call(work)

    # On the database's thread

    def _open(self, url: str, tables: sa.MetaData) -> None:
        self._engine = _engine_of(url, self.pragmas)
        self.kind = KINDS[self._engine.dialect.name]
        self._connection = self._engine.connect()

        def prepare(connection: sa.Connection) -> None:
            connection.exec_driver_sql(self.kind.lock_schema)
            _create_tables(connection, tables)
            self.bring_up_to_date(connection)

        try:
            self._transact(prepare)
            self._file = _File(self._connection)
        except BaseException:
            self._disconnect()
            raise

    def _transact(self, work: Callable[[sa.Connection], Result]) -> Result:
        while True:  # each deadlock lets another transaction go on, so there is an end
            try:
                with self._connection.begin():
                    return work(self._connection)
            except DBAPIError as error:
                if not _was_undone(error):
                    raise

    def _disconnect(self) -> None:
        self._connection.close()
        self._engine.dispose()


@contextmanager
def _raised_as(kind: type[DatabaseError]) -> Iterator[None]:
    try:
        yield
    except (NoAnswerError, UnusableError) as error:
        raise kind(str(error)) from None
    except SQLAlchemyError as error:
        raise kind(_describe(error)) from None


def _was_undone(error: DBAPIError) -> bool:
    """Return whether a transaction was undone because it and others waited for each other."""
    return getattr(error.orig, "sqlstate", None) == _DEADLOCK


def try_to_write(url: str) -> None:
    """Test that a database can be written, without changing it.

    Raises `UnusableError`, and creates no file.
    """
    path = _file_of(url)
    if path is not None:
        obstacle = find_obstacle(path, makes_folders=False)
        if obstacle is not None:
            raise UnusableError(obstacle)
        if not path.exists():
            return
    engine = _engine_of(url)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(KINDS[engine.dialect.name].lock_schema)
            connection.rollback()
    except SQLAlchemyError as error:
        raise UnusableError(_describe(error)) from None
    finally:
        engine.dispose()


def read(url: str, table: str, query: sa.Select[Any]) -> list[Any]:
    """Return the rows of a query; none if the database or the table does not exist."""
    path = _file_of(url)
    if path is not None and not path.exists():
        return []
    engine = _engine_of(url)
    try:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table(table):
                return []
            return list(connection.execute(query))
    except SQLAlchemyError as error:
        raise UnusableError(_describe(error)) from None
    finally:
        engine.dispose()


def _engine_of(url: str, pragmas: Sequence[str] = ()) -> sa.Engine:
    """Return the engine of a URL. Raises `UnusableError` with what to do about it."""
    try:
        return _create_engine(url, pragmas)
    except (ArgumentError, ValueError):
        raise UnusableError("its URL cannot be read; an example is sqlite:///ledger.db") from None
    except ImportError as error:
        raise UnusableError(_describe(error)) from None


def _file_of(url: str) -> Path | None:
    """Return the file of a SQLite database; None for any other, and for one in memory."""
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        return None
    name = address.database or ":memory:"
    is_file = address.get_backend_name() == "sqlite" and not name.startswith((":memory:", "file:"))
    return Path(name) if is_file else None


class _File:
    """The file of a SQLite database, which loses data if it is moved while it is open."""

    def __init__(self, connection: sa.Connection) -> None:
        self._path: Path | None = None
        if connection.dialect.name == "sqlite":
            name = connection.exec_driver_sql("PRAGMA database_list").one()[2]
            self._path = Path(name) if name else None  # else it is in memory
            connection.rollback()
        self._identity = self._look()

    def check(self) -> None:
        """Raise `UnusableError` if it is no longer in its place."""
        if self._look() != self._identity:
            raise UnusableError("its file was moved or removed while this run was using it")

    def _look(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except OSError:  # it was removed, or we may no longer read a folder above it
            return (0, 0)
        return status.st_dev, status.st_ino


def _create_tables(connection: sa.Connection, tables: sa.MetaData) -> None:
    """Create the missing tables and indexes."""
    for table in tables.sorted_tables:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            if connection.dialect.name == "postgresql" or POSTGRESQL_ONLY not in index.info:
                connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


def _create_engine(url: str, pragmas: Sequence[str]) -> sa.Engine:
    """Return the engine of a URL; its connections are configured for the database."""
    address = sa.make_url(url)
    kind = KINDS[address.get_backend_name()]  # the settings allow no other
    if kind.timeout not in address.query:
        address = address.update_query_dict({kind.timeout: str(BUSY_SECONDS)})
    set_up = kind.set_up
    if address.get_backend_name() == "sqlite":
        _create_private(address.database or ":memory:")
        set_up = (*pragmas, *set_up)  # a new file's pages have their size before it has its mode
    engine = sa.create_engine(address, pool_pre_ping=True, **kind.engine_options)

    @sa.event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        until = time.monotonic() + BUSY_SECONDS
        for statement in set_up:
            while not _execute(connection, statement, engine.dialect, until=until):
                time.sleep(_BUSY_PAUSE_SECONDS)

    return engine


def _execute(connection: Any, statement: str, dialect: sa.Dialect, *, until: float) -> bool:
    """Execute a statement; return whether it is done, or has to be tried again.

    SQLite waits for a locked file, but not to switch it to WAL while another process does that.
    """
    try:
        connection.execute(statement)
    except dialect.loaded_dbapi.OperationalError as error:
        if "locked" not in str(error) or time.monotonic() >= until:
            raise
        return False
    return True


def _create_private(path: str) -> None:
    """Create a SQLite file that only its owner can read, if it does not exist.

    SQLite gives the files next to it the same mode, and reports problems with the path.
    """
    if path != ":memory:" and not path.startswith("file:"):
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, _PRIVATE))


def _describe(error: BaseException) -> str:
    """Return the driver's message, without the address and user that it may contain."""
    if isinstance(error, ImportError):
        return (
            f"its driver is not installed ({error.name}): "
            "pip install 'target-pinterest-capi[postgres]'"
        )
    original = getattr(error, "orig", None)
    return type(error).__name__ if original is None else redact(str(original))

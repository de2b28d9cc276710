"""Rows that are alike in most columns, inserted with few statements."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from target_pinterest_capi.delivery.bulk_insert import insert_rows

NOW = datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
ROWS = sa.Table(
    "some_rows",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("name", sa.Text),
    sa.Column("number", sa.Text),
)
SAME = {"run": "first", "status": 200, "at": NOW}


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        ROWS.create(connection)
        yield connection
    engine.dispose()


def limit(connection: sa.Connection, parameters: int) -> None:
    """Let a statement have so many parameters, as an older SQLite does."""
    driver = connection.connection.driver_connection
    driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, parameters)


def insert(connection: sa.Connection, number: int) -> list[tuple[str, str | None]]:
    rows = [(f"event {one}", None if one % 7 == 0 else str(one)) for one in range(number)]
    names, numbers = [name for name, _ in rows], [number for _, number in rows]
    insert_rows(connection, ROWS, SAME, {"name": names, "number": numbers})
    return rows


@pytest.mark.parametrize("parameters", [250_000, 999])
@pytest.mark.parametrize("number", [1, 2, 3, 63, 64, 497, 498, 499, 1000, 2500])
def test_rows_are_inserted_in_their_order(connection: sa.Connection, number: int, parameters: int):
    """Each row has its own values beside the common ones, however few fit in a statement."""
    limit(connection, parameters)
    rows = insert(connection, number)
    found = connection.execute(sa.select(ROWS).order_by(ROWS.c.id)).all()
    assert [(row.name, row.number) for row in found] == rows
    assert {(row.run, row.status, row.at.replace(tzinfo=UTC)) for row in found} == {
        ("first", 200, NOW)
    }


def statements_of(connection: sa.Connection) -> list[str]:
    """Return the list to which each statement of a connection is added."""
    statements: list[str] = []

    @sa.event.listens_for(connection, "before_cursor_execute")
    def _note(*arguments: Any) -> None:
        statements.append(arguments[2])

    return statements


@pytest.mark.parametrize("parameters", [250_000, 999])
def test_few_statements_differ(connection: sa.Connection, parameters: int):
    """Batches of any size need a dozen statements, so none has to be prepared for each."""
    limit(connection, parameters)
    statements = statements_of(connection)
    for number in range(1, 1001, 7):
        insert(connection, number)
    assert len(set(statements)) <= 12


def test_a_full_request_is_one_statement(connection: sa.Connection):
    """A thousand rows are inserted at once where SQLite can do so."""
    statements = statements_of(connection)
    insert(connection, 1000)
    assert len(statements) == 1

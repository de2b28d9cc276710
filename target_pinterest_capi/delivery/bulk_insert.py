"""Insert many rows into a table of SQLite or PostgreSQL that are alike in most columns.

It uses the driver directly and binds common values once. Knows no table by name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from sqlite3 import SQLITE_LIMIT_VARIABLE_NUMBER
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from target_pinterest_capi.delivery.database import KINDS

Columns = Mapping[str, Sequence[str | None]]  # all of the same length

_MAX_ROWS: Final = 1_000  # of a statement: as many as a full request has events


def insert_rows(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    own: Columns,
) -> None:
    """Insert rows of strings from the columns of `own`, with the values of `same` in each row."""
    insert = _insert_json if connection.dialect.name == "postgresql" else _insert_values
    insert(connection, table, same, own)


def _insert_values(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    own: Columns,
) -> None:
    bind_time = KINDS["sqlite"].bind_time
    bound = [bind_time(one) if isinstance(one, datetime) else one for one in same.values()]
    number = len(next(iter(own.values())))
    driver: Any = connection.connection.driver_connection
    parameters = driver.getlimit(SQLITE_LIMIT_VARIABLE_NUMBER)
    largest = min(_MAX_ROWS, (parameters - len(same)) // len(own))
    start = 0
    for size in _sizes(number, largest):
        some = [column[start : start + size] for column in own.values()]
        statement = _values_statement(table.name, tuple(same), tuple(own), size)
        connection.exec_driver_sql(statement, (*bound, *chain.from_iterable(some)))
        start += size


def _sizes(number: int, largest: int) -> list[int]:
    """Split a number of rows: as many of the largest size as there are, then powers of two.

    So few statements differ, and SQLite has each of them ready: to prepare one takes several times
    as long as to execute it.
    """
    rest = number % largest
    powers = [1 << bit for bit in reversed(range(rest.bit_length())) if rest >> bit & 1]
    return [largest] * (number // largest) + powers


@lru_cache(maxsize=32)  # the driver finds a statement faster if it is the same object
def _values_statement(table: str, same: tuple[str, ...], own: tuple[str, ...], number: int) -> str:
    """Return the statement of a number of rows.

    Its parameters are numbered: the common values, which each row uses, then the columns.
    """
    names = ", ".join([*same, *own])
    common = [f"?{one + 1}" for one in range(len(same))]
    end = len(same) + 1 + number * len(own)
    rows = [
        [*common, *(f"?{one}" for one in range(first, end, number))]
        for first in range(len(same) + 1, len(same) + 1 + number)
    ]
    values = ", ".join([f"({', '.join(row)})" for row in rows])
    return f"INSERT INTO {table} ({names}) VALUES {values}"  # noqa: S608 - names of ours


def _insert_json(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    own: Columns,
) -> None:
    """Insert rows from one JSON array per column.

    Of a list psycopg makes an array by looking at each element in Python, which takes half as long
    as everything else that is done with an event.
    """
    names = ", ".join([*same, *own])
    kinds = [table.c[name].type.compile(connection.dialect) for name in same]
    values = ", ".join(f"%s::{kind}" for kind in kinds)
    columns = ", ".join(["json_array_elements_text(%s::json)"] * len(own))
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names})"  # noqa: S608 - names of ours
        f" SELECT {values}, own.* FROM ROWS FROM ({columns}) AS own",
        (*same.values(), *(msgspec.json.encode(column).decode() for column in own.values())),
    )

"""Insert many rows into a table of SQLite or PostgreSQL that are alike in most columns.

It uses the driver directly and binds common values once. Knows no table by name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import KINDS

Columns = Mapping[str, Sequence[str | None]]  # all of the same length

_MAX_PARAMETERS: Final = 999  # of a statement, in SQLite before 3.32


def insert_rows(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    own: Columns,
) -> None:
    """Insert rows of strings from the columns of `own`, with the values of `same` in each row."""
    insert = _insert_arrays if connection.dialect.name == "postgresql" else _insert_values
    insert(connection, table, same, own)


def _insert_values(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    own: Columns,
) -> None:
    names = ", ".join([*same, *own])
    kind = KINDS["sqlite"]
    bound = [kind.bind_time(one) if isinstance(one, datetime) else one for one in same.values()]
    at_once = (_MAX_PARAMETERS - len(same)) // len(own)
    number = len(next(iter(own.values())))
    for start in range(0, number, at_once):
        some = [column[start : start + at_once] for column in own.values()]
        values = _values(len(same), len(own), len(some[0]))
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({names}) VALUES {values}",  # noqa: S608 - names of ours
            (*bound, *chain.from_iterable(zip(*some, strict=True))),
        )


@lru_cache(maxsize=8)
def _values(common: int, own: int, rows: int) -> str:
    """Return numbered markers of parameters: common values are bound once, and used in each row."""
    same = _markers(1, common)
    firsts = range(common + 1, common + 1 + rows * own, own)
    return ", ".join([f"({same}, {_markers(first, own)})" for first in firsts])


def _markers(first: int, number: int) -> str:
    return ", ".join([f"?{one}" for one in range(first, first + number)])


def _insert_arrays(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    own: Columns,
) -> None:
    names = ", ".join([*same, *own])
    kinds = [table.c[name].type.compile(connection.dialect) for name in same]
    values = ", ".join(f"%s::{kind}" for kind in kinds)
    arrays = ", ".join(["%s::text[]"] * len(own))
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {values}, own.* FROM unnest({arrays}) AS own",  # noqa: S608 - names of ours
        (*same.values(), *map(list, own.values())),
    )

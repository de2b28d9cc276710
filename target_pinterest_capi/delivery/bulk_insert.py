"""Insert many rows into a table of SQLite or PostgreSQL that are alike in most columns.

It uses the driver directly and binds common values once. Knows no table by name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import KINDS

_ROWS_OF_A_STATEMENT: Final = 100  # SQLite before 3.32 accepts 999 parameters


def insert_rows(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    columns: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
) -> None:
    """Insert rows of strings in `columns`, each with the values of `same` beside them."""
    insert = _insert_arrays if connection.dialect.name == "postgresql" else _insert_values
    insert(connection, table, same, columns, rows)


def _insert_values(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    columns: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
) -> None:
    names = ", ".join([*same, *columns])
    kind = KINDS["sqlite"]
    bound = [kind.bind_time(one) if isinstance(one, datetime) else one for one in same.values()]
    head = f"WITH same AS (SELECT {_markers(len(same))}) INSERT INTO {table.name} ({names})"
    row = f"({_markers(len(columns))})"
    for start in range(0, len(rows), _ROWS_OF_A_STATEMENT):
        some = rows[start : start + _ROWS_OF_A_STATEMENT]
        values = ", ".join([row] * len(some))
        connection.exec_driver_sql(
            f"{head} SELECT same.*, own.* FROM same, (VALUES {values}) AS own",  # noqa: S608 - names of ours
            (*bound, *chain.from_iterable(some)),
        )


def _markers(number: int) -> str:
    return ", ".join(["?"] * number)


def _insert_arrays(
    connection: sa.Connection,
    table: sa.Table,
    same: Mapping[str, Any],
    columns: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
) -> None:
    names = ", ".join([*same, *columns])
    kinds = [table.c[name].type.compile(connection.dialect) for name in same]
    values = ", ".join(f"%s::{kind}" for kind in kinds)
    arrays = ", ".join(["%s::text[]"] * len(columns))
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {values}, own.* FROM unnest({arrays}) AS own",  # noqa: S608 - names of ours
        (*same.values(), *map(list, zip(*rows, strict=True))),
    )

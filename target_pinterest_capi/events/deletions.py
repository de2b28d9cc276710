"""Deleted rows: records by which a tap says that its source has deleted a row.

Owns how Singer writes that: a column `_sdc_deleted_at`, in whatever case the database has it, with
a value in it. Taps of CSV files send it empty for all other rows.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from target_pinterest_capi.events import coerce

DELETED_AT: Final = "_sdc_deleted_at"


def deletion_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Return those of the columns that say when a row was deleted."""
    return tuple(
        column
        for column in columns
        if len(column) == len(DELETED_AT) and column.lower() == DELETED_AT
    )


def is_deleted(record: Mapping[str, Any], columns: Collection[str]) -> bool:
    """Return whether one of the columns has a value."""
    return any(not coerce.is_nothing(record.get(column)) for column in columns)

"""Deleted rows: records with which a tap says that its source has deleted a row.

Owns how Singer marks them: a column `_sdc_deleted_at`, in the database's case, with a value in it.
Taps of CSV files send it empty, or as a word for a missing value, for all other rows. No such word
is a time, so the default list applies here regardless of `null_values`.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES, spellings_of

DELETED_AT: Final = "_sdc_deleted_at"
_NULL_WORDS: Final = spellings_of(DEFAULT_NULL_VALUES)


def deletion_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that say when a row was deleted."""
    return tuple(
        column
        for column in columns
        if len(column) == len(DELETED_AT) and column.lower() == DELETED_AT
    )


def is_deleted(record: Mapping[str, Any], columns: Collection[str]) -> bool:
    """Return whether one of the columns has a value."""
    return any(says_deleted(record.get(column)) for column in columns)


def says_deleted(value: Any) -> bool:
    """Return whether a value of such a column marks a deleted row."""
    if isinstance(value, str) and value.strip() in _NULL_WORDS:
        return False
    return not coerce.is_nothing(value)

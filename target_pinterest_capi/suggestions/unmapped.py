"""The columns that no rule found a field for, as a note with what their values look like."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from target_pinterest_capi.suggestions.candidates import MOST_OF
from target_pinterest_capi.suggestions.profile import ProfiledColumn, StreamProfile
from target_pinterest_capi.suggestions.shapes import WORDS

MOST_LISTED: Final = 24  # columns of a stream
SHAPE_FIELDS: Final = {
    "email": "user_data.em",
    "phone": "user_data.ph",
    "ip_address": "user_data.client_ip_address",
    "user_agent": "user_data.client_user_agent",
    "digest": "a hashed identifier, such as user_data.em",
    "uuid": "event_id, or user_data.hashed_maids",
    "url": "event_source_url",
    "currency": "custom_data.currency",
    "time": "event_time",
}


def notes(stream: StreamProfile, used: Iterable[str], maps: Callable[[str], bool]) -> Iterator[str]:
    """Yield a line of the columns that no expression uses, if there are any.

    Those come first that could be a field that no other column is, and then those with values.
    """
    rest = [column for column in stream.columns.values() if _is_left(column, used)]
    rest.sort(key=lambda one: (not _is_wanted(one, maps), not one.filled, len(one.path)))
    if rest:
        more = f" and {len(rest) - MOST_LISTED:,} more" if len(rest) > MOST_LISTED else ""
        yield "No rule found a field for: " + ", ".join(map(_described, rest[:MOST_LISTED])) + more


def _is_wanted(column: ProfiledColumn, maps: Callable[[str], bool]) -> bool:
    shape = _field(column)
    return shape is not None and not maps(SHAPE_FIELDS[shape])


def _is_left(column: ProfiledColumn, used: Iterable[str]) -> bool:
    is_parent = "object" in column.types and not column.shapes and not column.members
    return not is_parent and not any(_is_within(column.expression, one) for one in used)


def _is_within(column: str, expression: str) -> bool:
    """Return whether an expression reads a column: `divide(id, x)` reads `id`, `order_id` not."""
    start = expression.find(column)
    while start >= 0:
        around = expression[:start][-1:] + expression[start + len(column) :][:1]
        if not any(char.isalnum() or char in "._" for char in around):
            return True
        start = expression.find(column, start + 1)
    return False


def _described(column: ProfiledColumn) -> str:
    shape = _field(column)
    if shape is not None:
        return f"{column.label} ({WORDS[shape]}: {SHAPE_FIELDS[shape]}?)"
    return f"{column.label} (a list)" if "array" in column.types else column.label


def _field(column: ProfiledColumn) -> str | None:
    """Return the shape of a column's values that a field has; None without one."""
    shapes = (shape for shape in SHAPE_FIELDS if column.share(shape) >= MOST_OF)
    return next(shapes, None) if column.filled else None

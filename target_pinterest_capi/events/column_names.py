"""Names of columns and members, as taps and warehouses write them.

Snowflake sends EVENT_ID and a GraphQL tap eventId for Pinterest's event_id; the first column of a
CSV file may begin with a byte order mark. Uses only names, never a value.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

METADATA_PREFIX: Final = "_sdc_"  # Singer: columns of the tap or the SDK
# what a spreadsheet's header may have around a name
_EDGES: Final = "\ufeff\u200b \t\r\n\f\v\u00a0"
_WORD_ENDS: Final = (
    re.compile(r"([a-z0-9])([A-Z])"),  # eventId
    re.compile(r"([A-Z])([A-Z][a-z])"),  # clientIPAddress
)
_KNOWN_SHAPES: Final = 256


def clean_name(column: str) -> str:
    """Return a column's name without byte order marks and blanks around it."""
    return column.strip(_EDGES)


def snake_case(name: str) -> str:
    """Return a name as Pinterest writes it: EVENT_ID, eventId and EventID are event_id."""
    for word_end in _WORD_ENDS:
        name = word_end.sub(r"\1_\2", name)
    return name.lower()


def is_metadata(column: str) -> bool:
    """Return whether a column is Singer's own (`_sdc_extracted_at`), in any case."""
    return column[: len(METADATA_PREFIX)].lower() == METADATA_PREFIX


def by_field_name(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names for each name in snake case, the one to read first.

    That is the exact name if it exists, otherwise the first in order.
    """
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        field_name = snake_case(clean_name(name))
        same = found.setdefault(field_name, [])
        same.insert(0 if name == field_name else len(same), name)
    return found


def find_member(members: dict[str, Any], name: str) -> Any:
    """Return an object's member by its name, or by another spelling of it, or None."""
    found = members.get(name)
    if found is not None:
        return found
    spelling = _spellings(tuple(members)).get(name)
    return None if spelling is None else members[spelling]


def respelled(members: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return an object in which members with other spellings of `names` have those names.

    The object itself if there are none.
    """
    spellings = _spellings(tuple(members))
    others = {name: members[spellings[name]] for name in names.intersection(spellings)}
    missing = {name: value for name, value in others.items() if members.get(name) is None}
    return {**members, **missing} if missing else members


@lru_cache(_KNOWN_SHAPES)
def _spellings(names: tuple[str, ...]) -> dict[str, str]:
    """Return the name to read by each name in snake case, for those with other spellings."""
    return {
        field_name: spelling
        for field_name, same in by_field_name(name for name in names if type(name) is str).items()
        for spelling in [next((name for name in same if name != field_name), None)]
        if spelling is not None
    }

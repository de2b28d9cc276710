"""Preset `pinterest`: columns named like Pinterest's fields, nested or flat, in any spelling.

`entry_fields` uses only column names: it returns the `fields` of the mapping entry that a person
would write for the existing columns. EVENT_ID and eventId are event_id; if several columns are one
field, the exact name is read. The names of Pinterest's browser tag are accepted too. Numbered
columns (`em_1`, `item_price_2`) are further values of lists, or members of further items.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from target_pinterest_capi.events.column_names import by_field_name, clean_name, snake_case
from target_pinterest_capi.events.fields import FIELDS, ITEM_FIELDS, OBJECTS, Field

Expressions = tuple[str, ...]
Members = Mapping[str, Collection[str]]  # those that a schema declares, by the object's column

_NUMBERED: Final = re.compile(r"(.+?)_([1-9]\d{0,2})")
# how taps and flattening join the name of an object and its member
_JOINTS: Final = (".", "__", "_")
# Members of the other objects are too common as names of columns: brand, model, type.
_BARE_OBJECTS: Final = ("", "user_data", "custom_data")
_KNOWN_NAMES: Final = 4096
_CONTENTS: Final = "custom_data.contents"
# The names in Pinterest's browser tag (its event data: line_items and others).
_TAG_NAMES: Final = {
    "custom_data.num_items": "order_quantity",
    "custom_data.search_string": "search_query",
}
_TAG_ITEMS: Final = "line_items"
_TAG_ITEM_MEMBERS: Final = (
    "id: product_id, item_name: product_name, item_price: product_price, "
    "quantity: product_quantity, item_category: product_category, item_brand: product_brand"
)


def _item_columns(leaf: str) -> tuple[str, ...]:
    """Return the names of an item's member in flat columns: `item_quantity`, `quantity`."""
    name = leaf if leaf.startswith("item_") else f"item_{leaf}"
    return (name, leaf) if leaf == "quantity" else (name,)


_ITEM_COLUMNS: Final = {member.leaf: _item_columns(member.leaf) for member in ITEM_FIELDS}


class SameField(NamedTuple):
    """Columns of the same field: one is `read`, the others are not."""

    field: str
    read: str
    unread: tuple[str, ...]


def entry_fields(
    columns: Collection[str], members: Members | None = None
) -> dict[str, Expressions]:
    """Return the expressions of every field that the columns have, by path in the table's order.

    `members` has those that objects are known to have; for other objects they are found in records.
    """
    found = _Columns(columns, members or {})
    fields = {}
    for field in FIELDS:
        expressions = tuple(_expressions(field, found))
        if expressions:
            fields[field.path] = expressions
    return fields


@lru_cache(_KNOWN_NAMES)
def names_a_field(column: str) -> bool:
    """Return whether a column is read if it exists.

    Any other column does not change the result of `entry_fields`.
    """
    name = snake_case(clean_name(column))
    numbered = _NUMBERED.fullmatch(name)
    return name in _COLUMNS or (numbered is not None and numbered[1] in _COLUMNS)


def same_fields(columns: Collection[str], members: Members | None = None) -> Iterator[SameField]:
    """Yield the fields for which there are several columns, or several members of an object."""
    named = [column for column in columns if names_a_field(column)]
    for name, (read, *unread) in by_field_name(named).items():
        if unread:
            yield SameField(name, read, tuple(unread))
    for column, declared in (members or {}).items():
        parent = snake_case(clean_name(column))
        known = {field.leaf for field in FIELDS if field.parent == parent}
        for name, (read, *unread) in by_field_name(declared).items():
            if unread and name in known:
                yield SameField(f"{parent}.{name}", read, tuple(unread))


def base_columns() -> dict[str, Expressions]:
    """Return the preset as it is shown: every field with its unnumbered columns."""
    bare = {field.leaf for field in FIELDS if field.parent in _BARE_OBJECTS}
    items = (names[0] for names in _ITEM_COLUMNS.values())
    columns = bare.union(OBJECTS, items, _TAG_NAMES.values(), (_TAG_ITEMS,))
    members = {
        parent: {field.leaf for field in FIELDS if field.parent == parent} for parent in OBJECTS
    }
    return entry_fields(columns, members)


class _Columns:
    """A stream's columns, by the names of fields."""

    def __init__(self, columns: Collection[str], members: Members) -> None:
        self._members = members
        self._columns = {name: same[0] for name, same in by_field_name(columns).items()}
        self._numbered: dict[str, list[tuple[int, str]]] = {}
        for name, column in self._columns.items():
            match = _NUMBERED.fullmatch(name)
            if match:
                self._numbered.setdefault(match[1], []).append((int(match[2]), column))

    def named(self, name: str) -> str | None:
        """Return the column with a name, or None."""
        return self._columns.get(name)

    def numbered(self, name: str) -> list[tuple[int, str]]:
        """Return the numbered columns of a base name, in order of their numbers."""
        return sorted(self._numbered.get(name, ()))

    def member(self, column: str, leaf: str) -> str:
        """Return the expression of an object's member."""
        declared = self._members.get(column)
        if not declared:
            return f"member({quoted(column)}, '{leaf}')"
        spelling = by_field_name(declared).get(leaf, [leaf])[0]
        return f"{quoted(column)}.{quoted(spelling)}"


def _expressions(field: Field, columns: _Columns) -> Iterator[str]:
    if field.parent and (parent := columns.named(field.parent)) is not None:
        yield columns.member(parent, field.leaf)
    for name in _names(field):
        if (column := columns.named(name)) is not None:
            yield quoted(column)
        if field.many and field.path != _CONTENTS:
            yield from (quoted(column) for _, column in columns.numbered(name))
    if field.path == _CONTENTS:
        if (column := columns.named(_TAG_ITEMS)) is not None:
            yield f"{quoted(column)}[].{{{_TAG_ITEM_MEMBERS}}}"
        yield from _flat_items(columns)


def _names(field: Field) -> Iterator[str]:
    """Yield the flat names of a field: `em`, `user_data.em`, `user_data__em`, `user_data_em`."""
    if field.parent in _BARE_OBJECTS:
        yield field.leaf
    if field.parent:
        yield from (f"{field.parent}{joint}{field.leaf}" for joint in _JOINTS)
    if field.path in _TAG_NAMES:
        yield _TAG_NAMES[field.path]


_COLUMNS: Final = frozenset(name for field in FIELDS for name in _names(field)).union(
    OBJECTS, *_ITEM_COLUMNS.values(), (_TAG_ITEMS,)
)


def _flat_items(columns: _Columns) -> Iterator[str]:
    """Yield the expression that makes items from flat columns, if there are any.

    `[{id: item_id, ...}, {id: item_id_1, ...}]`
    """
    items: dict[int, dict[str, str]] = {}
    for leaf, names in _ITEM_COLUMNS.items():
        for name in names:
            if (column := columns.named(name)) is not None:
                items.setdefault(0, {}).setdefault(leaf, column)
            for number, column in columns.numbered(name):
                items.setdefault(number, {}).setdefault(leaf, column)
    if items:
        members = (
            ", ".join(f"{leaf}: {quoted(column)}" for leaf, column in items[number].items())
            for number in sorted(items)
        )
        yield "[" + ", ".join(f"{{{item}}}" for item in members) + "]"


def quoted(column: str) -> str:
    """Return a column's name as an expression: quoted unless JMESPath accepts it as it is."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column):
        return column
    return '"' + column.replace("\\", "\\\\").replace('"', '\\"') + '"'

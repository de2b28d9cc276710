"""Preset `pinterest`: columns named like Pinterest's fields, nested or flat.

`entry_fields` reads column names alone: it returns the `fields` of the mapping entry that a person
would write for them, of just the columns that are there. Numbered columns (`em_1`, `item_price_2`)
hold further values of lists, or the members of further items.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from target_pinterest_capi.events.fields import FIELDS, ITEM_FIELDS, OBJECTS, Field

Expressions = tuple[str, ...]

_NUMBERED: Final = re.compile(r"(.+?)_([1-9]\d{0,2})")
_JOINTS: Final = (".", "__", "_")  # how taps and flattening join an object's name and its member's
# Members of the other objects are too common as names of columns: brand, model, type.
_BARE_OBJECTS: Final = ("", "user_data", "custom_data")
_CONTENTS: Final = "custom_data.contents"


def _item_columns(leaf: str) -> tuple[str, ...]:
    """Return the names of an item's member in flat columns: `item_quantity`, `quantity`."""
    name = leaf if leaf.startswith("item_") else f"item_{leaf}"
    return (name, leaf) if leaf == "quantity" else (name,)


_ITEM_COLUMNS: Final = {member.leaf: _item_columns(member.leaf) for member in ITEM_FIELDS}


def entry_fields(columns: Collection[str]) -> dict[str, Expressions]:
    """Return the expressions of every field that the columns hold, by path in the table's order."""
    numbered = _numbered(columns)
    fields = {}
    for field in FIELDS:
        expressions = tuple(_expressions(field, columns, numbered))
        if expressions:
            fields[field.path] = expressions
    return fields


def names_a_field(column: str) -> bool:
    """Return whether a column is read where it is there.

    Any other column changes nothing of what `entry_fields` returns.
    """
    numbered = _NUMBERED.fullmatch(column)
    return column in _COLUMNS or (numbered is not None and numbered[1] in _COLUMNS)


def base_columns() -> dict[str, Expressions]:
    """Return the preset as it is shown: every field with its unnumbered columns."""
    bare = {field.leaf for field in FIELDS if field.parent in _BARE_OBJECTS}
    return entry_fields(bare.union(OBJECTS, (names[0] for names in _ITEM_COLUMNS.values())))


def _expressions(
    field: Field, columns: Collection[str], numbered: dict[str, list[tuple[int, str]]]
) -> Iterator[str]:
    if field.parent and field.parent in columns:
        yield f"{field.parent}.{field.leaf}"
    for name in _names(field):
        if name in columns:
            yield _quoted(name)
        if field.many and field.path != _CONTENTS:
            yield from (_quoted(column) for _, column in numbered.get(name, ()))
    if field.path == _CONTENTS:
        yield from _flat_items(columns, numbered)


def _names(field: Field) -> Iterator[str]:
    """Yield the flat names of a field: `em`, `user_data.em`, `user_data__em`, `user_data_em`."""
    if field.parent in _BARE_OBJECTS:
        yield field.leaf
    if field.parent:
        yield from (f"{field.parent}{joint}{field.leaf}" for joint in _JOINTS)


_COLUMNS: Final = frozenset(name for field in FIELDS for name in _names(field)).union(
    OBJECTS, *_ITEM_COLUMNS.values()
)


def _numbered(columns: Collection[str]) -> dict[str, list[tuple[int, str]]]:
    """Return the numbered columns of each base name, in order of their numbers."""
    found: dict[str, list[tuple[int, str]]] = {}
    for column in columns:
        match = _NUMBERED.fullmatch(column)
        if match:
            found.setdefault(match[1], []).append((int(match[2]), column))
    return {base: sorted(members) for base, members in found.items()}


def _flat_items(
    columns: Collection[str], numbered: dict[str, list[tuple[int, str]]]
) -> Iterator[str]:
    """Yield the expression that makes items of flat columns, if there are any.

    `[{id: item_id, ...}, {id: item_id_1, ...}]`
    """
    items: dict[int, dict[str, str]] = {}
    for leaf, names in _ITEM_COLUMNS.items():
        for name in names:
            if name in columns:
                items.setdefault(0, {}).setdefault(leaf, name)
            for number, column in numbered.get(name, ()):
                items.setdefault(number, {}).setdefault(leaf, column)
    if items:
        members = (
            ", ".join(f"{leaf}: {_quoted(column)}" for leaf, column in items[number].items())
            for number in sorted(items)
        )
        yield "[" + ", ".join(f"{{{item}}}" for item in members) + "]"


def _quoted(column: str) -> str:
    """Return a column's name as an expression: in quotes unless JMESPath takes it as it is."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column):
        return column
    return '"' + column.replace("\\", "\\\\").replace('"', '\\"') + '"'

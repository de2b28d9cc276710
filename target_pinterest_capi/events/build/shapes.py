"""Shapes: what the columns of rows hold, so that what is sure by itself is not asked of each value.

Where a SCHEMA says that a column has texts, a row has nothing else there: a record with another
value is no row, and is read as a record. Owns which of the declared shapes the events' fields can
use; a column that anything else reads too has any value.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from target_pinterest_capi.events.fields import ITEM_FIELDS, ITEM_MEMBERS, FieldKind


class Kind(Enum):
    """What a column of rows holds, beside None for null and for a column that is not there."""

    ANY = "any value"
    TEXT = "texts"
    NUMBER = "numbers, as the JSON that they came in"
    OBJECTS = "lists of objects, as structs; an entry may be None"
    UNREAD = "nothing, because nobody reads it"


class Shape(NamedTuple):
    """The kind of a column, with the members of its objects in their declared order."""

    kind: Kind = Kind.ANY
    members: Mapping[str, "Shape"] = MappingProxyType({})


class RowColumn(NamedTuple):
    """A column of rows, or a member of their objects: its attribute, and what it holds."""

    attribute: str
    kind: Kind = Kind.ANY
    members: Mapping[str, "RowColumn"] = MappingProxyType({})


class Uses(NamedTuple):
    """What a column is used for.

    `kinds` are those of the fields that the whole column is, None for any other use. `members` has
    the uses of members of the objects in it, where an expression reads them and no more.
    """

    kinds: frozenset[FieldKind | None] = frozenset()
    members: Mapping[str, "Uses"] = MappingProxyType({})


ANY: Final = Shape()
UNREAD: Final = Shape(Kind.UNREAD)
ANY_USE: Final = Uses(frozenset((None,)))
# Of the members of an item, for the fields that they are.
ITEM_USES: Final = {field.leaf: Uses(frozenset((field.kind,))) for field in ITEM_FIELDS}

# Returns the value of a number as the JSON that it came in.
number_of: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def all_uses(reads: Iterable[Mapping[str, Uses]]) -> dict[str, Uses]:
    """Return the uses of each column by all readers."""
    found: dict[str, Uses] = {}
    for read in reads:
        for column, uses in read.items():
            known = found.get(column, Uses())
            members = all_uses((known.members, uses.members))
            found[column] = Uses(known.kinds | uses.kinds, members)
    return found


def usable_shapes(
    declared: Mapping[str, Shape], reads: Iterable[Mapping[str, Uses]]
) -> dict[str, Shape]:
    """Return the shapes in which columns are read: the declared ones that all their uses take.

    `reads` has the columns that each reader of the same rows reads, with its uses.
    """
    uses = all_uses(reads)
    return {column: _usable(declared.get(column, ANY), uses[column]) for column in uses}


def _usable(declared: Shape, uses: Uses) -> Shape:
    match declared.kind:
        case Kind.TEXT:
            return declared
        case Kind.NUMBER if uses.kinds == {FieldKind.AMOUNT} and not uses.members:
            return declared
        case Kind.OBJECTS if uses.kinds <= {FieldKind.ITEMS}:
            return _usable_objects(declared, uses)
    return ANY


def _usable_objects(declared: Shape, uses: Uses) -> Shape:
    names = declared.members.keys()
    read = uses.members
    if uses.kinds:
        if not names <= ITEM_MEMBERS:  # the names are to be looked at
            return ANY
        read = all_uses((read, {name: ITEM_USES[name] for name in names}))
    if not read.keys() <= names:
        return ANY
    members = {
        name: _usable(shape, read[name]) if name in read else UNREAD
        for name, shape in declared.members.items()
    }
    return Shape(Kind.OBJECTS, members)

"""Shapes: what the columns of rows hold, so that what is sure by itself is not asked of each value.

Where a SCHEMA says that a column has texts, a row has nothing else there: a record with another
value is no row, and is read as a record. Owns which of the declared shapes the events' fields can
use; a column that anything else reads too has any value.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from target_pinterest_capi.events.fields import ITEM_FIELDS, ITEM_MEMBERS, FieldKind


class Kind(Enum):
    """What a column of rows holds, beside None for null and for a column that is not there."""

    ANY = "any value"
    TEXT = "texts"
    NUMBER = "numbers, as the JSON that they came in"
    OBJECTS = "lists of objects, as structs; an entry may be None"


class Shape(NamedTuple):
    """The kind of a column, with the members of its objects."""

    kind: Kind = Kind.ANY
    members: Mapping[str, "Shape"] = MappingProxyType({})


class RowColumn(NamedTuple):
    """A column of rows, or a member of their objects: its attribute, and what it holds."""

    attribute: str
    kind: Kind = Kind.ANY
    members: Mapping[str, "RowColumn"] = MappingProxyType({})


ANY: Final = Shape()
Uses = Collection[FieldKind | None]  # of a column: kinds of the fields it is; None for other uses
_KINDS_OF_MEMBERS: Final = {field.leaf: field.kind for field in ITEM_FIELDS}


def usable_shapes(
    declared: Mapping[str, Shape], reads: Iterable[Mapping[str, Uses]]
) -> dict[str, Shape]:
    """Return the shapes in which columns are read: the declared ones that all their uses take.

    `reads` has the columns that each reader of the same rows reads, with its uses.
    """
    uses: dict[str, set[FieldKind | None]] = {}
    for read in reads:
        for column, of_one in read.items():
            uses.setdefault(column, set()).update(of_one)
    return {column: _usable(declared.get(column, ANY), of_all) for column, of_all in uses.items()}


def _usable(declared: Shape, uses: Uses) -> Shape:
    match declared.kind:
        case Kind.TEXT:
            return declared
        case Kind.NUMBER if all(use is FieldKind.AMOUNT for use in uses):
            return declared
        case Kind.OBJECTS if all(use is FieldKind.ITEMS for use in uses):
            if declared.members.keys() <= ITEM_MEMBERS:  # else names are to be looked at
                members = {
                    name: _usable(shape, (_KINDS_OF_MEMBERS[name],))
                    for name, shape in declared.members.items()
                }
                return Shape(Kind.OBJECTS, members)
    return ANY

"""Shapes: what the columns of rows hold, so that what is sure by itself is not asked of each value.

Where a SCHEMA says that a column has texts, a row has nothing else there: a record with another
value is no row, and is read as a record. Owns which of the declared shapes the events' fields can
use; a column that anything else reads too has any value.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.events.fields import ITEM_FIELDS, ITEM_MEMBERS, FieldKind


class Kind(Enum):
    """What a column of rows holds, beside None for null and for a column that is not there."""

    ANY = "any value"
    TEXT = "texts"
    TEXTS = "lists of texts"
    NUMBER = "numbers, as the JSON that they came in"
    OBJECT = "objects, as structs"
    OBJECTS = "lists of objects, as structs; an entry may be None"
    UNREAD = "nothing, because nobody reads it"


class Shape(NamedTuple):
    """The kind of a column, with the members of its objects in their declared order.

    `is_tested`: somebody asks whether an object has any members.
    """

    kind: Kind = Kind.ANY
    members: Mapping[str, "Shape"] = MappingProxyType({})
    is_tested: bool = False


class RowColumn(NamedTuple):
    """A column of rows, or a member of their objects: its attribute, and what it holds.

    `empty` is the struct of an object without members, where it holds objects.
    """

    attribute: str
    kind: Kind = Kind.ANY
    members: Mapping[str, "RowColumn"] = MappingProxyType({})
    empty: Any = None
    is_tested: bool = False


class Uses(NamedTuple):
    """What a column is used for.

    `kinds` are those of the fields that the whole column is, None for any other use. `members` has
    the uses of members of the object in it, where an expression reads them and no more; those of
    elements are under `EACH`. `is_tested`: somebody asks whether the column is true.
    """

    kinds: frozenset[FieldKind | None] = frozenset()
    members: Mapping[str | None, "Uses"] = MappingProxyType({})
    is_tested: bool = False


EACH: Final = None
Position = tuple[str | None, ...]  # names of members, and EACH for elements
ANY: Final = Shape()
ANY_COLUMN: Final = RowColumn("")
UNREAD: Final = Shape(Kind.UNREAD)
ANY_USE: Final = Uses(frozenset((None,)))
AMOUNT_USE: Final = Uses(frozenset((FieldKind.AMOUNT,)))
TEST: Final = Uses(is_tested=True)
# Of the members of an item, for the fields that they are.
ITEM_USES: Final = {field.leaf: Uses(frozenset((field.kind,))) for field in ITEM_FIELDS}

# Returns the value of a number as the JSON that it came in.
number_of: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def all_uses(reads: Iterable[Mapping[Any, Uses]]) -> dict[Any, Uses]:
    """Return the uses of each column by all readers."""
    found: dict[Any, Uses] = {}
    for read in reads:
        for column, uses in read.items():
            known = found.get(column, Uses())
            members = all_uses((known.members, uses.members))
            is_tested = known.is_tested or uses.is_tested
            found[column] = Uses(known.kinds | uses.kinds, members, is_tested)
    return found


def uses_at(position: Sequence[str | None], uses: Uses) -> Uses:
    """Return the uses of a value of which alone what is at a position below it is used."""
    for name in reversed(position):
        uses = Uses(members={name: uses})
    return uses


def column_at(columns: Mapping[str, RowColumn], steps: Sequence[str | int]) -> RowColumn | None:
    """Return what rows hold where steps lead to; None where that is known to be nothing."""
    first, *others = steps
    found = columns.get(first) if isinstance(first, str) else None
    for step in others:
        if found is None:
            return None
        match found.kind:
            case Kind.OBJECT:
                found = None if isinstance(step, int) else found.members.get(step)
            case Kind.OBJECTS:
                found = found._replace(kind=Kind.OBJECT) if isinstance(step, int) else None
            case _:
                return ANY_COLUMN  # which may be JSON text too
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
        case Kind.TEXT | Kind.TEXTS:
            return declared
        case Kind.NUMBER if uses == AMOUNT_USE:
            return declared
        case Kind.OBJECT if not uses.kinds:
            return _in_parts(declared, uses.members)._replace(is_tested=uses.is_tested)
        case Kind.OBJECTS if uses.kinds <= {FieldKind.ITEMS}:
            return _usable_objects(declared, uses)
    return ANY


def _usable_objects(declared: Shape, uses: Uses) -> Shape:
    names = declared.members.keys()
    element = uses.members.get(EACH, Uses())
    if element.kinds or element.is_tested:  # somebody takes all of it
        return ANY
    read = element.members
    if uses.kinds:
        if not names <= ITEM_MEMBERS:  # the names are to be looked at
            return ANY
        read = all_uses((read, {name: ITEM_USES[name] for name in names}))
    shape = _in_parts(declared, read)
    return ANY if _is_tested(shape) else shape


def _is_tested(shape: Shape) -> bool:
    """Return whether an object in those of a list is tested, which is not known of a struct."""
    return any(member.is_tested or _is_tested(member) for member in shape.members.values())


def _in_parts(declared: Shape, read: Mapping[str | None, Uses]) -> Shape:
    """Return the shape of objects of which some members are read; others than declared are None."""
    members = {
        name: _usable(shape, read[name]) if name in read else UNREAD
        for name, shape in declared.members.items()
    }
    return Shape(declared.kind, members)

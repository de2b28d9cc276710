"""Lists of products: which list of objects is `contents`, and what its members are."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from target_pinterest_capi.suggestions.candidates import MOST_OF
from target_pinterest_capi.suggestions.profile import ProfiledColumn
from target_pinterest_capi.suggestions.synonyms import NAMES
from target_pinterest_capi.suggestions.words import joined, key, words

CONTENTS: Final = "custom_data.contents"
MEMBERS: Final = ("id", "item_name", "item_price", "quantity", "item_category", "item_brand")
_AMOUNTS: Final = frozenset({"item_price", "quantity"})
_ID: Final = "id"


class ItemList(NamedTuple):
    """A list of products: the expression of `contents`, its parts, and the reason."""

    column: ProfiledColumn
    expression: str
    members: dict[str, str]
    reason: str
    is_sure: bool

    @property
    def sum(self) -> str | None:
        """The expression of the sum of all prices; None if that needs more than members."""
        price = self.members.get("item_price", "")
        quantity = self.members.get("quantity", "-")
        if not price.isidentifier() or not (quantity.isidentifier() or quantity == "-"):
            return None
        return f"items_value({self.column.expression}, '{price}', '{quantity}')"


def find_items(columns: Iterable[ProfiledColumn]) -> ItemList | None:
    """Return the list that looks most like products, or None."""
    found = [items for column in columns if column.members and (items := _items(column))]
    known = {key(name) for name in NAMES[CONTENTS].certain.split()}
    best = sorted(
        found,
        key=lambda one: (
            not one.is_sure,
            not known.intersection(map(key, one.column.path)),
            -len(one.members),
        ),
    )
    return best[0] if best else None


def flat_item(columns: Iterable[ProfiledColumn]) -> dict[str, ProfiledColumn]:
    """Return the columns of a row's only product, by the member of an item."""
    names = {key(name) for name in NAMES["custom_data.content_ids"].certain.split()}
    own = [column for column in columns if len(column.path) == 1 and not column.members]
    found: dict[str, ProfiledColumn] = {}
    for column in own:
        name = key(column.path[0])
        if name in names:
            found.setdefault(_ID, column)
        elif name in _keys("item_name") and name != "name":
            found.setdefault("item_name", column)
        elif name in _keys("quantity"):
            found.setdefault("quantity", column)
    return found if _ID in found else {}


def _keys(member: str) -> list[str]:
    names = NAMES[f"{CONTENTS}[].{member}"]
    return [key(name) for name in (*names.certain.split(), *names.possible.split())]


def _items(column: ProfiledColumn) -> ItemList | None:
    members = {member: found.expression for member in MEMBERS if (found := _member(column, member))}
    if len(members) < 2 or not ({"id", "item_name"} & set(members)):  # noqa: PLR2004 - a product
        return None
    shown = ", ".join(f"{member}: {expression}" for member, expression in members.items())
    is_sure = _ID in members and bool(_AMOUNTS & set(members))
    known = ", ".join(members)
    reason = f"a list of objects with {known}"
    expression = f"{column.expression}[].{{{shown}}}"
    return ItemList(column, expression, members, reason, is_sure)


def _member(column: ProfiledColumn, member: str) -> ProfiledColumn | None:
    """Return the member of a list's objects for a member of an item, in the order of names."""
    others = column.members.values()
    for name in _keys(member):
        for other in others:
            if name in _names(other) and _looks_right(other, member):
                return other
    return None


def _names(column: ProfiledColumn) -> Iterator[str]:
    """Yield the names of a member; `price.amount` is the price too."""
    yield joined(tuple(part for name in column.path for part in words(name)))
    if len(column.path) > 1 and column.path[-1] in {"amount", "value"}:
        yield key(column.path[-2])


def _looks_right(column: ProfiledColumn, member: str) -> bool:
    types = column.types - {"null"}
    if types & {"object", "array"}:
        return False
    if member not in _AMOUNTS or not column.filled:
        return True
    return column.share("amount") >= MOST_OF

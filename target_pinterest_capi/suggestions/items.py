"""Lists of products: which list of objects is `contents`, and what its members are."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from target_pinterest_capi.suggestions.candidates import FOREIGN, MOST_OF
from target_pinterest_capi.suggestions.meaning import CENTS, is_in_cents
from target_pinterest_capi.suggestions.profile import ProfiledColumn, StreamProfile
from target_pinterest_capi.suggestions.synonyms import NAMES
from target_pinterest_capi.suggestions.words import joined, key, listed, words

CONTENTS: Final = "custom_data.contents"
MEMBERS: Final = ("id", "item_name", "item_price", "quantity", "item_category", "item_brand")
_AMOUNTS: Final = frozenset({"item_price", "quantity"})
_ID: Final = "id"
_PRICE: Final = "item_price"
_ANY_ID: Final = "id"  # the name of a member that anything has: products, cards and addresses
# Words in the name of a list of other things, which have ids, names and amounts as well.
_NO_ITEMS: Final = frozenset(
    map(
        key,
        FOREIGN.difference(listed("item line product store shop count")).union(
            listed("""
            source card payment transaction address account phone rate option attachment variant
            plan coupon promotion promo surcharge adjustment fulfillment shipment note attribute
            metafield image tag category answer device component zahlung zahlungen
            adresse adressen paiement pago
            pagamento
            """)
        ),
    )
)


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


def find_items(stream: StreamProfile) -> ItemList | None:
    """Return the list that looks most like products, or None."""
    lists = [column for column in stream.columns.values() if column.members]
    found = [items for column in lists if (items := _items(stream, column))]
    best = sorted(
        found, key=lambda one: (not one.is_sure, not _is_named(one.column), -len(one.members))
    )
    return best[0] if best else None


def _is_named(column: ProfiledColumn) -> bool:
    """Return whether the name of a list says that it is of products."""
    known = {key(name) for name in NAMES[CONTENTS].certain.split()}
    return not known.isdisjoint(map(key, column.path))


def flat_item(stream: StreamProfile) -> dict[str, ProfiledColumn]:
    """Return the columns of a row's only product, by the member of an item.

    A row's `name` is the customer's or the order's, and its `amount` money.
    """
    own = [one for path, one in stream.columns.items() if len(path) == 1 and not one.members]
    known = {
        _ID: [key(name) for name in NAMES["custom_data.content_ids"].certain.split()],
        "item_name": [name for name in _keys("item_name") if name != "name"],
        "quantity": [name for name in _keys("quantity") if name != "amount"],
    }
    found = {
        member: column
        for member, names in known.items()
        if (column := _first_named(own, names)) is not None
    }
    return found if _ID in found else {}


def _first_named(columns: list[ProfiledColumn], names: list[str]) -> ProfiledColumn | None:
    named = ((name, column) for name in names for column in columns)
    return next((column for name, column in named if key(column.path[0]) == name), None)


def amount(stream: StreamProfile, column: ProfiledColumn) -> str:
    """Return the expression of an amount of money as a number in units of its currency."""
    if is_in_cents(stream, column):
        return f"divide({column.expression}, `100`)"
    return comma_as_point(column.expression) if column.shapes["comma_amount"] else column.expression


def comma_as_point(expression: str) -> str:
    """Return the expression of an amount such as 1.234,50 as a number."""
    return f"replace(replace({expression}, '.', ''), ',', '.')"


def _keys(member: str) -> list[str]:
    names = NAMES[f"{CONTENTS}[].{member}"]
    return [key(name) for name in (*names.certain.split(), *names.possible.split())]


def _items(stream: StreamProfile, column: ProfiledColumn) -> ItemList | None:
    """Return a list as products: its name says so, or its objects have what products have.

    That is a price beside a name or a product's id, or a product's id beside a quantity. An `id`, a
    `name` and an `amount` is what cards, taxes and refunds have, too.
    """
    parts = {key(part) for name in column.path for part in words(name)}
    if not parts.isdisjoint(_NO_ITEMS):
        return None
    found = _members(column)
    is_product = _ID in found and key(found[_ID].path[-1]) != _ANY_ID
    has_amount = not _AMOUNTS.isdisjoint(found)
    is_sure = has_amount and (is_product or (_ID in found and _is_named(column)))
    is_priced = "item_price" in found and ("item_name" in found or _ID in found)
    is_known = _is_named(column) and len(found) > 1 and ("item_name" in found or _ID in found)
    if not (is_sure or is_priced or is_known):
        return None
    members = {member: other.expression for member, other in found.items()}
    if _PRICE in found:
        members[_PRICE] = amount(stream, found[_PRICE])
    shown = ", ".join(f"{member}: {expression}" for member, expression in members.items())
    reason = f"a list of objects with {', '.join(members)}"
    return ItemList(column, f"{column.expression}[].{{{shown}}}", members, reason, is_sure)


def _members(column: ProfiledColumn) -> dict[str, ProfiledColumn]:
    """Return the members of an item that a list's objects have, each from another column."""
    found: dict[str, ProfiledColumn] = {}
    for member in MEMBERS:
        others = [other for other in column.members.values() if other not in found.values()]
        best = _member(others, member)
        if best:
            found[member] = best
    return found


def _member(others: list[ProfiledColumn], member: str) -> ProfiledColumn | None:
    """Return the column that is a member of an item, by the order of names."""
    for name in _keys(member):
        for other in others:
            if name in _names(other) and _looks_right(other, member):
                return other
    return None


def _names(column: ProfiledColumn) -> Iterator[str]:
    """Yield the names of a member; `price.amount` and `price_cents` are the price too."""
    parts = [part for name in column.path for part in words(name)]
    yield joined(tuple(parts))
    yield joined(tuple(part for part in parts if part not in CENTS))
    if len(column.path) > 1 and column.path[-1] in {"amount", "value"}:
        yield key(column.path[-2])


def _looks_right(column: ProfiledColumn, member: str) -> bool:
    types = column.types - {"null"}
    if types & {"object", "array"}:
        return False
    if member not in _AMOUNTS or not column.filled:
        return True
    return column.share("amount", "comma_amount") >= MOST_OF

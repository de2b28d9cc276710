"""The demo's shop: people who do not exist, and what they buy.

People live at example.com, and their phones are in ranges kept free for fiction, so that nothing of the sample can reach anybody.
"""

from decimal import Decimal
from typing import Final, NamedTuple
from unicodedata import normalize


class Person(NamedTuple):
    """A customer who does not exist."""

    id: str
    first: str
    last: str
    mail: str
    phone: str
    country: str
    city: str
    state: str | None
    postcode: str
    born: str
    gender: str


_FIRST: Final = (
    "Mia",
    "Jonas",
    "Zoë",
    "Liam",
    "Ines",
    "Noah",
    "Björn",
    "Ava",
    "Marta",
    "Théo",
    "Grace",
    "Omar",
    "Nina",
    "Ravi",
)
_LAST: Final = (
    "Carter",
    "Weber",
    "O'Neill",
    "Dubois",
    "Silva",
    "Novak",
    "Haddad",
    "Lindqvist",
    "Park",
    "Moreau",
    "van Dijk",
)
_PLACES: Final = (
    # country, city, state, postal code, phone: of numbers that are never given out
    ("US", "New York", "NY", "10013", "(212) 555-01{:02}"),
    ("US", "Saint Louis", "Missouri", "63101-1204", "+1 314 555 01{:02}"),
    ("GB", "Bristol", None, "BS1 4ST", "07700 9001{:02}"),
    ("CA", "Montréal", "QC", "H2Y 1C6", "514-555-01{:02}"),
    ("DE", "Berlin", None, "10115", "+49 30 23125 1{:02}"),
    ("FR", "Lyon", None, "69002", "+33 1 99 00 01 {:02}"),
)
_GENDERS: Final = ("female", "Male", "f", "m", "non-binary")


def _person(number: int) -> Person:
    first, last = _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
    country, city, state, postcode, phone = _PLACES[number % len(_PLACES)]
    plain = (
        normalize("NFKD", f"{first}.{last}".replace(" ", "").replace("'", ""))
        .encode("ascii", "ignore")
        .decode()
    )
    return Person(
        f"C-{20000 + number}",
        first,
        last,
        f"{plain.lower()}.{number}@example.com",
        phone.format(number % 100),
        country,
        city,
        state,
        postcode,
        f"{1955 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}",
        _GENDERS[number % len(_GENDERS)],
    )


PEOPLE: Final = tuple(_person(number) for number in range(300))


class Product(NamedTuple):
    """Something that the shop sells."""

    id: str
    name: str
    category: str
    price: Decimal


PRODUCTS: Final = tuple(
    Product(id_, name, category, Decimal(price))
    for id_, name, category, price in (
        ("MUG-01", "Speckled mug", "Kitchen", "14.90"),
        ("BOWL-02", "Ramen bowl", "Kitchen", "22.50"),
        ("PLATE-07", "Dinner plate", "Kitchen", "18.00"),
        ("JUG-03", "Milk jug", "Kitchen", "27.90"),
        ("LAMP-20", "Paper floor lamp", "Lighting", "129.00"),
        ("LAMP-24", "Clip lamp, brass", "Lighting", "59.95"),
        ("VASE-11", "Bud vase", "Living", "19.99"),
        ("RUG-30", "Wool rug, 120 x 180", "Living", "249.00"),
        ("CUSH-15", "Linen cushion", "Living", "34.90"),
        ("PRINT-40", "Botanical print", "Walls", "42.00"),
        ("FRAME-41", "Oak frame, A3", "Walls", "38.50"),
        ("HOOK-44", "Coat hooks, set of 4", "Walls", "24.00"),
    )
)

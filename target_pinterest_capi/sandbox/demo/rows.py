"""The rows of the demo's shop, one function a stream: as its shop system, its browser library and its tables give them.

Owns what a record of each stream looks like. The same random source gives the same row; no clock is looked at. The people are
those of `demo_shop`, their machines have addresses that are kept for documentation.
"""

import random
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from target_pinterest_capi.sandbox.demo.shop import PEOPLE, PRODUCTS, Person, Product

Row = dict[str, Any]
FIRST_ORDER: Final = 5_500_000_000
EARLIER_MEMBERS: Final = PEOPLE[200:]  # on the newsletter's list before the sample begins
# By place in PEOPLE: new ones, some of whom leave at once, and earlier ones who leave.
_CHANGES: Final = (
    *((place, "subscribe") for place in range(190)),
    *((place, "unsubscribe") for place in range(170, 180)),
    *((place, "unsubscribe") for place in range(200, 240)),
)

encode: Final = msgspec.json.Encoder(decimal_format="number").encode

_SEARCHES: Final = (
    "bud vase",
    "floor lamp",
    "gift under 30",
    "linen",
    "wall art",
    "ramen bowl",
    "rug 120x180",
)
_AGENTS: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
)
_VISITS: Final = {
    "page_visit": 46,
    "view_category": 18,
    "add_to_cart": 15,
    "search": 10,
    "add_to_wishlist": 8,
    "gift_finder": 1,
}
_CALLS: Final = {
    "Product Viewed": 40,
    "Product Added": 18,
    "Checkout Started": 9,
    "Signed Up": 14,
    "Products Searched": 12,
    "Coupon Entered": 7,
}


def iso(at: datetime, timespec: str = "seconds") -> str:
    """Give a time as taps write it."""
    return at.isoformat(timespec=timespec).replace("+00:00", "Z")


def _json(value: Any) -> str:
    """A list or an object in a text column, as taps of warehouses and spreadsheets send it."""
    return encode(value).decode()


def _address(rng: random.Random) -> str:
    """An address of those kept for documentation (RFC 5737, RFC 3849)."""
    if rng.random() < 0.2:  # noqa: PLR2004
        return f"2001:db8:{rng.randrange(65536):x}::{rng.randrange(1, 65536):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def _basket(rng: random.Random, most: int = 3) -> list[tuple[Product, int]]:
    return [
        (product, rng.choice((1, 1, 1, 2, 4)))
        for product in rng.sample(PRODUCTS, rng.randint(1, most))
    ]


def _contents(basket: list[tuple[Product, int]]) -> list[Row]:
    return [
        {
            "id": product.id,
            "item_name": product.name,
            "item_price": product.price,
            "quantity": quantity,
            "item_category": product.category,
        }
        for product, quantity in basket
    ]


def _total(basket: list[tuple[Product, int]]) -> Decimal:
    return sum((product.price * quantity for product, quantity in basket), Decimal(0))


def web_event(rng: random.Random, number: int, at: datetime) -> Row:
    """A visit with a column for each of Pinterest's fields."""
    name = rng.choices(tuple(_VISITS), tuple(_VISITS.values()))[0]
    product, person = rng.choice(PRODUCTS), rng.choice(PEOPLE) if rng.random() < 0.3 else None  # noqa: PLR2004
    click = f"?epik=dj0{rng.randrange(16**8):08x}" if rng.random() < 0.25 else ""  # noqa: PLR2004
    picked = name in ("add_to_cart", "add_to_wishlist")
    return {
        "event_id": f"web-{number:06}",
        "event_name": name,
        "event_time": iso(at, "milliseconds"),
        "action_source": "web",
        "event_source_url": f"https://shop.example.com/{product.category.lower()}/{product.id.lower()}{click}",
        "client_ip_address": _address(rng),
        "client_user_agent": rng.choice(_AGENTS),
        "em": rng.choice((f" {person.mail.upper()} ", person.mail)) if person else None,
        "external_id": person.id if person else None,
        "language": rng.choice(("en-US", "en-GB", "de-DE", "fr-FR")),
        "content_name": product.name,
        "content_category": product.category,
        "contents": _contents([(product, 1)]) if picked else None,
        "value": product.price if picked else None,
        "currency": "usd" if picked else None,
        "search_string": rng.choice(_SEARCHES) if name == "search" else None,
    }


def order(rng: random.Random, number: int, at: datetime) -> Row:
    """An order as Shopify's REST Admin API has it, with the few of its many columns that matter here."""
    person, basket = rng.choice(PEOPLE), _basket(rng)
    click = f"?epik=dj0{rng.randrange(16**8):08x}" if rng.random() < 0.3 else ""  # noqa: PLR2004
    is_browser = rng.random() < 0.95  # noqa: PLR2004
    return {
        "id": FIRST_ORDER + number,
        "name": f"#{1000 + number}",
        "order_number": 1000 + number,
        "processed_at": iso(at),
        "updated_at": iso(at),
        "test": number % 97 == 0,
        "financial_status": rng.choice(("paid", "paid", "paid", "authorized")),
        "source_name": "web",
        "landing_site": f"/{basket[0][0].category.lower()}/{basket[0][0].id.lower()}{click}",
        "email": person.mail,
        "phone": person.phone if rng.random() < 0.4 else None,  # noqa: PLR2004
        "customer_locale": rng.choice(("en-US", "en-GB", "de-DE", "fr")),
        "currency": "USD",
        "total_price": str(_total(basket)),
        "client_details": {"browser_ip": _address(rng), "user_agent": rng.choice(_AGENTS)}
        if is_browser
        else None,
        "customer": {
            "id": _customer_id(person),
            "email": person.mail,
            "first_name": person.first,
            "last_name": person.last,
        },
        "billing_address": {
            "first_name": person.first,
            "last_name": person.last,
            "phone": person.phone,
            "city": person.city,
            "province_code": person.state if person.state and len(person.state) == 2 else None,  # noqa: PLR2004
            "zip": person.postcode,
            "country_code": person.country,
        },
        "line_items": [
            {
                "product_id": product.id,
                "title": product.name,
                "price": str(product.price),
                "quantity": quantity,
                "vendor": "Paper & Clay",
            }
            for product, quantity in basket
        ],
    }


def track(rng: random.Random, number: int, at: datetime) -> Row:
    """A track call as Segment stores it; what a person does after signing in comes with their traits."""
    name = rng.choices(tuple(_CALLS), tuple(_CALLS.values()))[0]
    product, person = rng.choice(PRODUCTS), PEOPLE[number % len(PEOPLE)]
    is_known = name == "Signed Up" or rng.random() < 0.6  # noqa: PLR2004
    click = f"epik=dj0{rng.randrange(16**8):08x}" if rng.random() < 0.25 else ""  # noqa: PLR2004
    path = f"/{product.category.lower()}/{product.id.lower()}"
    return {
        "messageId": f"ajs-next-{number:06}",
        "type": "track",
        "event": name,
        "timestamp": iso(at, "milliseconds"),
        "anonymousId": f"anon-{rng.randrange(16**12):012x}",
        "userId": person.id if is_known else None,
        "context": {
            "ip": _address(rng),
            "userAgent": rng.choice(_AGENTS),
            "locale": rng.choice(("en-US", "en-GB", "de-DE", "fr-FR")),
            "page": {
                "url": f"https://shop.example.com{path}",
                "search": f"?{click}" if click else "",
            },
            "traits": _traits(person) if is_known else {},
        },
        "properties": _properties(rng, name, product),
    }


def _traits(person: Person) -> Row:
    return {
        "email": person.mail,
        "firstName": person.first,
        "lastName": person.last,
        "gender": person.gender,
        "birthday": person.born,
        "address": {"city": person.city, "postalCode": person.postcode, "country": person.country},
    }


def _properties(rng: random.Random, name: str, product: Product) -> Row:
    if name == "Products Searched":
        return {"query": rng.choice(_SEARCHES)}
    if not name.startswith(("Product ", "Checkout")):
        return {}
    item = {
        "product_id": product.id,
        "name": product.name,
        "price": product.price,
        "category": product.category,
    }
    quantity = rng.choice((1, 1, 2))
    if name == "Checkout Started":
        return {
            "value": product.price * quantity,
            "currency": "USD",
            "products": [item | {"quantity": quantity}],
        }
    return {**item, "currency": "USD", "value": product.price}


def _customer_id(person: Person) -> int:
    return 7_700_000_000 + int(person.id.removeprefix("C-"))


def newsletter_change(rng: random.Random, number: int, at: datetime) -> Row:  # noqa: ARG001 - as every stream's
    """Somebody joins the newsletter, or leaves it."""
    place, action = _CHANGES[number - 1]
    mail = PEOPLE[place].mail
    return {
        "change_no": 90_000 + number,
        "email": mail.upper() if number % 7 == 0 else mail,
        "action": action,
        "changed_at": iso(at),
    }


def store_sale(rng: random.Random, number: int, at: datetime) -> Row:
    """A sale at the till: products in flat columns, amounts as text."""
    person, basket = rng.choice(PEOPLE), _basket(rng)
    row: Row = {
        "receipt_no": 7_000_000 + number,
        "event_time": at.strftime("%Y-%m-%d %H:%M:%S"),
        "em": person.mail,
        "ph": person.phone,
        "country": person.country,
        "value": str(_total(basket)),
        "currency": "USD",
    }
    for position in range(3):
        product, quantity = basket[position] if position < len(basket) else (None, None)
        end = f"_{position}" if position else ""
        row |= {
            f"item_id{end}": product.id if product else None,
            f"item_price{end}": str(product.price) if product else None,
            f"quantity{end}": str(quantity) if product else None,
        }
    return row


def workshop_booking(rng: random.Random, number: int, at: datetime) -> Row:
    """A booking in the shop's own words."""
    person = rng.choice(PEOPLE)
    lines = [
        {
            "workshop": "WS-THROW",
            "title": "Throwing on the wheel",
            "fee": Decimal("79.00"),
            "seats": rng.randint(1, 3),
        }
    ]
    if rng.random() < 0.3:  # noqa: PLR2004
        lines.append(
            {"workshop": "WS-GLAZE", "title": "Glazing", "fee": Decimal("35.50"), "seats": 1}
        )
    return {
        "booking_ref": f"booking-{4000 + number}",
        "booked_at": str(int(at.timestamp() * 1000)),
        "action": rng.choices(
            ("Booking Confirmed", "Trial Lesson Booked", "Brochure Opened"), (5, 2, 2)
        )[0],
        "state": rng.choices(("paid", "open", "cancelled"), (6, 3, 1))[0],
        "landing_page": f"/workshops?epik=dj0{rng.randrange(16**8):08x}"
        if rng.random() < 0.5  # noqa: PLR2004
        else "/workshops",
        "customer": {
            "given_name": person.first,
            "family_name": person.last,
            "mail": person.mail,
            "mobile": person.phone,
            "address": {
                "town": person.city,
                "postcode": person.postcode,
                "country": person.country,
            },
        },
        "billing_mail": f"office.{person.mail}" if rng.random() < 0.2 else None,  # noqa: PLR2004
        "lines": rng.choice((lines, _json(lines))),
    }


def stock(rng: random.Random, number: int, at: datetime) -> Row:
    """What lies in a warehouse: nobody's event."""
    product = PRODUCTS[number % len(PRODUCTS)]
    return {
        "sku": product.id,
        "warehouse": f"W{number % 4 + 1}",
        "on_hand": rng.randrange(400),
        "counted_at": iso(at),
    }

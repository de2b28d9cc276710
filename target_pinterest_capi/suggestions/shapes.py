"""The shapes of values: what a value could be, by the rules for events.

Returns names of shapes and never a value.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from target_pinterest_capi.events import coerce, normalize
from target_pinterest_capi.events.hashing import hex_digest
from target_pinterest_capi.events.reasons import Dropped

# The name of each in a reason.
WORDS: Final = {
    "amount": "numbers",
    "boolean": "true or false",
    "comma_amount": "numbers with a comma",
    "country": "countries",
    "currency": "currency codes",
    "digest": "SHA-256 digests",
    "email": "e-mail addresses",
    "gender": "words for gender",
    "ip_address": "IP addresses",
    "path": "paths of pages",
    "phone": "phone numbers",
    "text": "strings",
    "time": "times",
    "url": "URLs",
    "user_agent": "user agents",
    "uuid": "UUIDs",
    "whole": "whole numbers",
}
_AGENTS: Final = ("Mozilla/", "Opera/", "Dalvik/", "okhttp/", "CFNetwork/")
_IN_PHONES: Final = frozenset("+-()./ 0123456789")
_PHONE_DIGITS: Final = range(7, 16)
_FEWEST_TIME: Final = 8  # characters of a written time
_CENTS: Final = 2  # digits after a comma
_UUID_LENGTH: Final = 36
_LONGEST_CODE: Final = 40  # characters of a country's or a currency's name
_EARLIEST: Final = 10**8  # Unix seconds: a smaller number is just a number


def shapes(value: Any) -> frozenset[str]:
    """Return the shapes of a value; none for null, blanks, objects and lists."""
    if isinstance(value, bool):
        return frozenset({"boolean"})
    if isinstance(value, int | float | Decimal):
        return frozenset(_of_number(value))
    if isinstance(value, datetime | date):
        return frozenset({"time"})
    if isinstance(value, str) and not coerce.is_nothing(value):
        return frozenset(_of_text(value.strip()))
    return frozenset()


def _of_number(value: float | Decimal) -> set[str]:
    found = {"amount"} if _is_read(coerce.amount(value)) else set()
    if isinstance(value, int):
        found.add("whole")
    if value >= _EARLIEST and _is_read(coerce.unix_time(value, UTC)):
        found.add("time")
    return found


def _of_text(text: str) -> set[str]:
    found = {name for name, holds in _TESTS.items() if holds(text)}
    return found or {"text"}


def _is_read(value: Any) -> bool:
    return value is not None and not isinstance(value, Dropped)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_comma_amount(text: str) -> bool:
    """Return whether it is a number like 1.234,50, but not 1,234, which could be a thousand."""
    whole, comma, cents = text.partition(",")
    return bool(comma) and len(cents) == _CENTS and _is_whole(whole.replace(".", "") + cents)


def _is_time(text: str) -> bool:
    if len(text) < _FEWEST_TIME or (_is_whole(text) and int(text[:18]) < _EARLIEST):
        return False
    return _is_read(coerce.unix_time(text, UTC, "dmy"))


def _is_phone(text: str) -> bool:
    text = text.removeprefix("p:")  # as lead forms of Meta have it
    digits = sum(char.isdigit() for char in text)
    if digits not in _PHONE_DIGITS or not _IN_PHONES.issuperset(text) or _is_time(text):
        return False
    return text[0] in "+(0" or " " in text or text.count("-") > 1


def _is_uuid(text: str) -> bool:
    try:
        return len(text) == _UUID_LENGTH and bool(UUID(text))
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    return ("." in text or ":" in text) and _is_read(normalize.ip_address(text))


def _is_code(text: str) -> bool:
    return len(text) <= _LONGEST_CODE and text[0].isalpha()


_TESTS: Final = {
    "amount": lambda text: _is_read(coerce.amount(text)),
    "boolean": lambda text: text.lower() in {"true", "false"},
    "comma_amount": _is_comma_amount,
    "country": lambda text: _is_code(text) and _is_read(normalize.country(text)),
    "currency": lambda text: _is_code(text) and _is_read(normalize.currency(text)),
    "digest": lambda text: hex_digest(text) is not None,
    "email": lambda text: "@" in text and _is_read(normalize.email(text)),
    "gender": lambda text: _is_code(text) and _is_read(normalize.gender(text)),
    "ip_address": _is_address,
    "path": lambda text: text.startswith("/"),
    "phone": _is_phone,
    "time": _is_time,
    "url": lambda text: text.startswith(("http://", "https://")),
    "user_agent": lambda text: text.startswith(_AGENTS),
    "uuid": _is_uuid,
    "whole": _is_whole,
}

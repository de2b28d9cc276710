"""Normal forms: one pure function a field, from text as it came to the text that Pinterest hashes.

Owns what a value looks like before it is hashed or sent. Every function takes any text, lone
surrogates included, returns a non-empty text in Unicode NFC or a `LeftOut`, and never raises;
equivalent input (NFC, NFD) has equal forms. Never hashes, never recognizes digests (`hashing` does,
before), never reads a setting or a clock. `LeftOut` is a `str`: test for it first.

The rules are those of docs/pinterest-api.md: Normal forms. Each function decides its commonest case
first: all of them run once or more for every event.
"""

import re
from datetime import date, timedelta
from ipaddress import IPv6Address
from typing import Final
from unicodedata import category, normalize

from target_pinterest_capi.events import codes, dates
from target_pinterest_capi.events.characters import (
    ascii_digits,
    letters_and_digits,
    lower_case,
    nfc,
)
from target_pinterest_capi.events.phones import phone
from target_pinterest_capi.events.reasons import LeftOut

__all__ = [
    "birth_date", "city", "country", "currency", "email", "external_id", "gender", "ip_address",
    "language", "maid", "name", "phone", "postal_code", "state",
]  # fmt: skip

_NOT_DIGITS: Final = re.compile("[^0-9]+")

_ZERO_WIDTH: Final = "\u200b\u2060\ufeff"  # spaces that come with pasted text
_NO_ZERO_WIDTH: Final = dict.fromkeys(map(ord, _ZERO_WIDTH))
# Neither part of an address holds white space, controls, or what only quoting, display names and
# lists of addresses bring.
_NEVER: Final = r"\s\x00-\x20\x7f@<>()\[\],;:\\" + '"' + _ZERO_WIDTH
_is_email: Final = re.compile(rf"[^{_NEVER}]+@[^.{_NEVER}]+(?:\.[^.{_NEVER}]+)+").fullmatch
# Nearly all addresses: once in lower case, such a one is in its normal form. Kept plain, since it
# runs for every event.
is_plain_email: Final = re.compile(
    r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
).fullmatch


def email(text: str) -> str | LeftOut:
    """Return the address in lower case without white space; dots and plus-tags stay."""
    lower = lower_case(text)
    if _is_email(lower):
        return lower
    # joined again in NFC, since white space may have stood before a mark
    lower = nfc("".join(lower.translate(_NO_ZERO_WIDTH).split()))
    if _is_email(lower):
        return lower
    return LeftOut.NOT_AN_EMAIL if lower else LeftOut.EMPTY


_GENDERS: Final = {
    letters_and_digits(word): code for code, words in codes.GENDERS.items() for word in words
}


def gender(text: str) -> str | LeftOut:
    """Return `f`, `m` or `n` of the usual words.

    Numbers are codes that differ from system to system, and stay unknown.
    """
    return (
        _GENDERS.get(text)
        or _GENDERS.get(letters_and_digits(text))
        or (LeftOut.UNKNOWN_GENDER if text.strip() else LeftOut.EMPTY)
    )


# Before it are placeholders (0001-01-01) and dates put together wrongly, no living users.
_FIRST_YEAR: Final = 1850
_LAST_YEAR: Final = 2099
# Eight digits are a calendar date, and so many more are no time of anybody's birth.
_is_unix_time: Final = re.compile(r"(-[0-9]{1,14}|[0-9]{9,13})(?:\.0*)?").fullmatch
_DAY_UNITS: Final = (86_400, 86_400_000)  # seconds and milliseconds of a day
_FIRST_DAY: Final = (date(_FIRST_YEAR, 1, 1) - date(1970, 1, 1)).days
_LAST_DAY: Final = (date(_LAST_YEAR, 12, 31) - date(1970, 1, 1)).days


def birth_date(text: str, date_format: str | None) -> str | LeftOut:
    """Return YYYYMMDD as written, without shifting time zones.

    `date_format` (`dmy`, `mdy`) decides what could be read both ways. A Unix time is a day where it
    is midnight UTC and a day of somebody's birth in one unit only, seconds or milliseconds.
    """
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return _written_date(text.strip(), date_format)
    if _FIRST_YEAR <= born.year <= _LAST_YEAR and "W" not in text:
        return text.replace("-", "")
    return LeftOut.NOT_A_DATE


def _written_date(text: str, date_format: str | None) -> str | LeftOut:
    if not text:
        return LeftOut.EMPTY
    if found := _is_unix_time(text):
        born = _day_of_unix_time(int(found[1]))
    else:
        written = dates.read(text, date_format)
        if isinstance(written, LeftOut):
            return written
        born = written.day if written else None
    if born is None or not _FIRST_YEAR <= born.year <= _LAST_YEAR:
        return LeftOut.NOT_A_DATE
    return born.isoformat().replace("-", "")


def _day_of_unix_time(number: int) -> date | None:
    days = [
        number // unit
        for unit in _DAY_UNITS
        if number % unit == 0 and _FIRST_DAY <= number // unit <= _LAST_DAY
    ]
    return date(1970, 1, 1) + timedelta(days=days[0]) if len(days) == 1 else None


def name(text: str) -> str | LeftOut:
    """Return the name in lower case, inner white space as one space; punctuation stays."""
    return " ".join(lower_case(text).split()) or LeftOut.EMPTY


def city(text: str) -> str | LeftOut:
    """Return the letters, marks and digits of any script in lower case, and nothing else."""
    return letters_and_digits(text) or LeftOut.EMPTY


_STATES: Final = {letters_and_digits(written): code for written, code in codes.STATE_NAMES.items()}
_subdivision: Final = re.compile(r"([a-z]{2})-([a-z0-9]{1,3})").fullmatch  # ISO 3166-2


def state(text: str) -> str | LeftOut:
    """Return the two-letter code of a US state or Canadian province, in lower case.

    Any other text is in lower case, without white space.
    """
    if len(text) == 2 and text.isascii() and text.isalpha():  # noqa: PLR2004 - a code already
        return text.lower()
    lower = nfc("".join(lower_case(text).split()))
    if (found := _subdivision(lower)) and found[1] in codes.ALPHA_2:
        return found[2]
    letters = letters_and_digits(lower)
    if len(letters) == 2 and letters.isascii():  # noqa: PLR2004 - "N.Y."
        return letters
    return _STATES.get(letters) or lower or LeftOut.EMPTY


_zip_plus_4: Final = re.compile(r"(\d{5})\s?[-\u2010-\u2014\u2212]\s?\d{4}").fullmatch
_zip_in_text: Final = re.compile(r"(?<!\d)(\d{5})(?:\d{4})?(?!\d)").search
_ZIP: Final = 5  # digits
_ZIP_PLUS_4: Final = 9
_ZIP_PLUS_4_WITHOUT_ZEROS: Final = (7, 8)


def postal_code(text: str, region: str | None, digits_only: bool) -> str | LeftOut:
    """Return a US code as five digits; any other as lower-case letters and digits.

    `digits_only` drops the letters. `region` is the alpha-2 country of the record: in the US and
    its territories integers get their zeros back.
    """
    if len(text) == _ZIP and text.isascii() and text.isdigit():
        return text
    text = ascii_digits(nfc(text)).strip()
    if found := _zip_plus_4(text):
        return found[1]
    code = letters_and_digits(text)
    if digits_only:
        code = _NOT_DIGITS.sub("", code)
    if not code:
        return LeftOut.NOT_A_POSTAL_CODE if text else LeftOut.EMPTY
    if region is None or region.lower() not in codes.US_POSTAL:
        return code
    if code.isdecimal():
        return code.zfill(_ZIP_PLUS_4 if len(code) in _ZIP_PLUS_4_WITHOUT_ZEROS else _ZIP)[:_ZIP]
    found = _zip_in_text(code)  # "CA 90210"; without one it is another country's code after all
    return found[1] if found else code


_FILLERS: Final = frozenset({"the", "of", "and"})
_WORDS: Final = re.compile(r"[^\W_]+")


def _country_key(text: str) -> str:
    """Return the words, sorted, without accents and fillers.

    "Korea, Republic of" and "the Republic of Korea" are one.
    """
    plain = "".join(
        [char for char in normalize("NFD", lower_case(text)) if category(char)[0] != "M"]
    )
    return " ".join(
        sorted(
            "saint" if word == "st" else word
            for word in _WORDS.findall(plain)
            if word not in _FILLERS
        )
    )


_COUNTRY_CODES: Final = (
    {code: code for code in codes.ALPHA_2}
    | {code.upper(): code for code in codes.ALPHA_2}
    | codes.ALPHA_3
    | {"uk": "gb"}
)
_COUNTRY_NAMES: Final = {
    _country_key(written): code for written, code in codes.COUNTRY_NAMES.items()
}


def country(text: str) -> str | LeftOut:
    """Return ISO 3166 alpha-2 in lower case, of alpha-2, alpha-3 or an English name."""
    return (
        _COUNTRY_CODES.get(text)
        or _COUNTRY_CODES.get(letters_and_digits(text))
        or _COUNTRY_NAMES.get(_country_key(text))
        or (LeftOut.UNKNOWN_COUNTRY if text.strip() else LeftOut.EMPTY)
    )


def external_id(text: str, lower: bool) -> str | LeftOut:
    """Return the id trimmed, its case kept unless `lower`: as the browser tag hashes it."""
    return (lower_case(text) if lower else nfc(text)).strip() or LeftOut.EMPTY


def maid(text: str) -> str | LeftOut:
    """Return the id in lower case; one of zeros says that its user has turned tracking off."""
    lower = lower_case(text).strip()
    if lower[:1] == "0" and not lower.strip("0-"):
        return LeftOut.TRACKING_OFF
    return lower or LeftOut.EMPTY


_CURRENCIES: Final = {code: code for code in codes.CURRENCIES} | {
    code.lower(): code for code in codes.CURRENCIES
}


def currency(text: str) -> str | LeftOut:
    """Return the ISO 4217 code in upper case."""
    return (
        _CURRENCIES.get(text)
        or _CURRENCIES.get(lower_case(text).strip())
        or (LeftOut.UNKNOWN_CURRENCY if text.strip() else LeftOut.EMPTY)
    )


_LANGUAGES: Final = {code: code for code in codes.LANGUAGES} | codes.WITHDRAWN_LANGUAGES


def language(text: str) -> str | LeftOut:
    """Return the ISO 639-1 code in lower case, also of a locale or an Accept-Language header."""
    lower = lower_case(text).strip()
    if not lower:
        return LeftOut.EMPTY
    if lower[2:3].isalnum():
        return LeftOut.UNKNOWN_LANGUAGE
    return _LANGUAGES.get(lower[:2], LeftOut.UNKNOWN_LANGUAGE)


_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
is_ipv4: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}").fullmatch
_GROUPS: Final = "[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*"
_is_short_ipv6: Final = re.compile(rf"(?:{_GROUPS})?::(?:{_GROUPS})?").fullmatch
_is_full_ipv6: Final = re.compile("[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}").fullmatch


def ip_address(text: str) -> str | LeftOut:
    """Return the IP address that a forwarded list begins with, without port, brackets or zone.

    IPv6 is in lower case.
    """
    if not is_ipv4(text):
        text = text.partition(",")[0].strip()
        if text[:1] == "[":
            text = text[1:].partition("]")[0]
        elif text.count(":") == 1:
            text = text.partition(":")[0]
        if not is_ipv4(text):
            return _ipv6(text.partition("%")[0].lower()) if text else LeftOut.EMPTY
    return text if text.strip("0.") else LeftOut.NOT_AN_IP_ADDRESS


def _ipv6(text: str) -> str | LeftOut:
    # The common forms first, since the library takes 7 us. With at most seven colons `::` stands
    # for one group or more.
    is_short = _is_short_ipv6(text) and text.count(":") <= 7  # noqa: PLR2004
    if (is_short or _is_full_ipv6(text)) and ":ffff:" not in text:
        return text if text.strip("0:") else LeftOut.NOT_AN_IP_ADDRESS
    try:
        address = IPv6Address(text)
    except ValueError:
        return LeftOut.NOT_AN_IP_ADDRESS
    mapped = address.ipv4_mapped  # a dual-stack server writes IPv4 as ::ffff:192.0.2.1
    if (mapped or address).is_unspecified:
        return LeftOut.NOT_AN_IP_ADDRESS
    return str(mapped) if mapped else text

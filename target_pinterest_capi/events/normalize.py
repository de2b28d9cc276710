"""Normal forms: one pure function for each field, from any string to what Pinterest hashes.

Decides what a value looks like before it is hashed or sent. Every function accepts any string,
including lone surrogates, returns a non-empty string in Unicode NFC or a `Dropped`, and never
raises; equivalent input (NFC, NFD) has equal forms. Never hashes, never recognizes digests
(`hashing` does, before), never reads a setting or a clock. `Dropped` is a `str`: test for it first.

The rules are those of docs/pinterest-api.md: Normal forms. Each function handles its most common
case first, because all of them run for every event.
"""

import re
from datetime import date, timedelta
from ipaddress import IPv6Address
from typing import Final
from unicodedata import category, normalize
from urllib.parse import unquote

from target_pinterest_capi.events import codes, dates
from target_pinterest_capi.events.characters import (
    ascii_digits,
    letters_and_digits,
    lower_case,
    narrow,
    nfc,
    visible,
)
from target_pinterest_capi.events.hashing import SHORTEST_DIGEST, hex_digest
from target_pinterest_capi.events.phones import phone, split_phones
from target_pinterest_capi.events.reasons import Dropped

__all__ = [
    "birth_date", "city", "country", "currency", "customer_type", "email", "external_id", "gender",
    "ip_address", "language", "maid", "name", "phone", "postal_code", "split_emails", "split_maids",
    "split_phones", "state",
]  # fmt: skip

_NOT_DIGITS: Final = re.compile("[^0-9]+")

# No part of an address has white space, controls, or characters that only quoting, display names
# and lists of addresses have; nor does it begin with a quote, or have a domain with characters that
# no host has.
_NEVER: Final = r"\s\x00-\x20\x7f@<>()\[\]{},;:\\|\u2018\u201c\u201d\xab\xbb" + '"'
_QUOTES: Final = r"'\u2019`"
_LABEL: Final = rf"[^.{_NEVER}{_QUOTES}/?=&%#!*+]+"
_is_email: Final = re.compile(
    rf"[^{_QUOTES}{_NEVER}][^{_NEVER}]*@{_LABEL}(?:\.{_LABEL})+"
).fullmatch
# Nearly all addresses: once in lower case, such a one is in its normal form. Kept plain, since it
# runs for every event: a group that repeats costs as much as all the rest.
is_plain_email: Final = re.compile(
    r"[A-Za-z0-9._%+-][A-Za-z0-9._%+'-]*@[A-Za-z0-9-]+\.[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+|)"
).fullmatch
_in_angles: Final = re.compile(r"[^<>]*<([^<>]*)>[^<>]*").fullmatch  # Jane <jane@example.com>
_COMMENT: Final = re.compile(r"\([^()]*\)$")
_AROUND: Final = "\"'`\u2018\u2019\u201c\u201d\xab\xbb<>()[]{},;:./\\|"
_LINKS: Final = ("mailto:", "smtp:", "email:", "e-mail:")
_BETWEEN_EMAILS: Final = (re.compile(r"[,;|]"), re.compile(r"[\s,;|]"))


def email(text: str) -> str | Dropped:
    """Return the address in lower case without white space; dots and plus-tags stay.

    Quotes, brackets, a name, `mailto:` and punctuation around it are removed. For a string with
    several addresses use `split_emails`.
    """
    lower = lower_case(narrow(visible(text)))
    if _is_email(lower):
        return lower
    # joined again in NFC, because white space may have been before a mark
    lower = nfc("".join(lower.split()))
    if _is_email(lower):
        return lower
    bare = _bare_email(lower)
    if _is_email(bare):
        return bare
    return Dropped.NOT_AN_EMAIL if lower else Dropped.EMPTY


def _bare_email(lower: str) -> str:
    """Return the text without what people and programs write around an address."""
    if "@" not in lower and "%40" in lower:
        lower = nfc(unquote(lower).lower())
    if found := _in_angles(lower):
        lower = found[1]
    lower = _COMMENT.sub("", lower).strip(_AROUND)
    for link in _LINKS:
        if lower.startswith(link):
            lower = lower.removeprefix(link).partition("?")[0]
    return nfc(lower.strip(_AROUND))


def split_emails(text: str) -> list[str]:
    """Return the addresses in a string such as `a@example.com; b@example.com`; else the text."""
    if text.count("@") < 2:  # noqa: PLR2004 - one address
        return [text]
    for separator in _BETWEEN_EMAILS:
        parts = [part for part in separator.split(text) if "@" in part]
        if len(parts) > 1 and all(part.count("@") == 1 for part in parts):
            return parts
    return [text]


_GENDERS: Final = {
    letters_and_digits(word): code for code, words in codes.GENDERS.items() for word in words
}


def gender(text: str) -> str | Dropped:
    """Return `f`, `m` or `n` for the usual words.

    Numbers differ from system to system, and stay unknown.
    """
    return (
        _GENDERS.get(text)
        or _GENDERS.get(letters_and_digits(text))
        or (Dropped.UNKNOWN_GENDER if text.strip() else Dropped.EMPTY)
    )


_CUSTOMER_TYPES: Final = {
    letters_and_digits(word): code for code, words in codes.CUSTOMER_TYPES.items() for word in words
}


def customer_type(text: str) -> str | Dropped:
    """Return `new` or `returning` for the words that shops use; numbers are not guessed."""
    return (
        _CUSTOMER_TYPES.get(text)
        or _CUSTOMER_TYPES.get(letters_and_digits(text))
        or (Dropped.UNKNOWN_CHOICE if text.strip() else Dropped.EMPTY)
    )


# Earlier dates are placeholders (0001-01-01) or wrong, not those of living users.
_FIRST_YEAR: Final = 1850
_LAST_YEAR: Final = 2099
_is_day: Final = re.compile("[0-9]{4}(?:[0-9]{4}|-[0-9]{2}-[0-9]{2})").fullmatch
# Eight digits are a calendar date, and so many more are not the time of a birth.
_is_unix_time: Final = re.compile(r"(-[0-9]{1,14}|[0-9]{9,13})(?:\.0*)?").fullmatch
_DAY_UNITS: Final = (86_400, 86_400_000)  # seconds and milliseconds of a day
_FIRST_DAY: Final = (date(_FIRST_YEAR, 1, 1) - date(1970, 1, 1)).days
_LAST_DAY: Final = (date(_LAST_YEAR, 12, 31) - date(1970, 1, 1)).days


def birth_date(text: str, date_format: str | None) -> str | Dropped:
    """Return YYYYMMDD as written, without shifting time zones.

    `date_format` (`dmy`, `mdy`) decides ambiguous days and months. A Unix time is a day if it is
    midnight UTC and a possible birth date in only one unit, seconds or milliseconds.
    """
    if not _is_day(text):
        return _written_date(text.strip(), date_format)
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return _written_date(text, date_format)
    return text.replace("-", "") if _FIRST_YEAR <= born.year <= _LAST_YEAR else Dropped.NOT_A_DATE


def _written_date(text: str, date_format: str | None) -> str | Dropped:
    if not text:
        return Dropped.EMPTY
    if found := _is_unix_time(text):
        born = _day_of_unix_time(int(found[1]))
    else:
        written = dates.read(text, date_format)
        if isinstance(written, Dropped):
            return written
        born = written.day if written else None
    if born is None or not _FIRST_YEAR <= born.year <= _LAST_YEAR:
        return Dropped.NOT_A_DATE
    return born.isoformat().replace("-", "")


def _day_of_unix_time(number: int) -> date | None:
    days = [
        number // unit
        for unit in _DAY_UNITS
        if number % unit == 0 and _FIRST_DAY <= number // unit <= _LAST_DAY
    ]
    return date(1970, 1, 1) + timedelta(days=days[0]) if len(days) == 1 else None


def name(text: str) -> str | Dropped:
    """Return the name in lower case, inner white space as one space; punctuation stays.

    Punctuation alone, which people enter for a required name, is EMPTY.
    """
    form = " ".join(lower_case(text).split())
    return form if any(map(str.isalnum, form)) else Dropped.EMPTY


def city(text: str) -> str | Dropped:
    """Return only the letters, marks and digits of any script, in lower case."""
    return letters_and_digits(text) or Dropped.EMPTY


_between_names: Final = re.compile(
    r"(?<!\s)(?:\s+[-\u2010-\u2014]\s*|\s*[-\u2010-\u2014]\s+|\s*[:/|,(\[]\s*)"
).split
_after_name: Final = re.compile(r"(.*\S)\s*[(\[]\s*([A-Z]{2,3})\s*[)\]]").fullmatch


def _named_twice(text: str) -> list[tuple[str, str]]:
    """Return the two names in `California (CA)`, `CA - California` or `CA-USA`, in both orders."""
    bare = text.strip().rstrip(")] ")
    for names in (_between_names(bare), bare.split("-")):
        if len(names) == 2:  # noqa: PLR2004 - a name and its code
            return [(names[0], names[1]), (names[1], names[0])]
    return []


_STATES: Final = {letters_and_digits(written): code for written, code in codes.STATE_NAMES.items()}
_subdivision: Final = re.compile(r"([a-z]{2})[-_]([a-z0-9]{1,3})").fullmatch  # ISO 3166-2


def state(text: str) -> str | Dropped:
    """Return the two-letter code of a US state or Canadian province, in lower case.

    Any other text is returned in lower case, without white space.
    """
    if len(text) == 2 and text.isascii() and text.isalpha():  # noqa: PLR2004 - a code already
        return text.lower()
    lower = nfc("".join(lower_case(text).split()))
    if (found := _subdivision(lower)) and found[1] in codes.ALPHA_2:
        return _state_named_twice(text) or found[2]  # in CA-USA the country is second
    letters = letters_and_digits(lower)
    if len(letters) == 2 and letters.isascii():  # noqa: PLR2004 - "N.Y."
        return letters
    if not letters:
        return Dropped.EMPTY
    return _STATES.get(letters) or _state_named_twice(text) or lower


def _state_named_twice(text: str) -> str | None:
    """Return the code in a string with a state and its code or its country."""
    for name, other in _named_twice(text):
        letters = letters_and_digits(name)
        code = _STATES.get(letters, letters)
        if code == letters_and_digits(other) and letters in _STATES:
            return code
        is_country = letters_and_digits(other) not in _STATES.values()  # CA is California, too
        if is_country and code in _STATES.values() and _is_in(code, other):
            return code
    return None


def _is_in(state: str, country: str) -> bool:
    return _known_country(country) == codes.country_of_state(state)


_zip_plus_4: Final = re.compile(r"(\d{5})\s?[-\u2010-\u2014\u2212]\s?\d{4}").fullmatch
_zip_in_text: Final = re.compile(r"(?<!\d)(\d{5})(?:\d{4})?(?!\d)").search
_ZIP: Final = 5  # digits
_ZIP_PLUS_4: Final = 9
_SHORTEST_ZIP: Final = 3  # 00501 without its zeros
_as_fraction: Final = re.compile(r"([0-9]+)\.0+").fullmatch  # 94110.0, from a column of fractions
_DIGITS: Final = re.compile("[0-9]+")
# D-10115, FR 75001: a country, or a state, before a code of digits.
_after_prefix: Final = re.compile(r"([A-Za-z]{1,3})(?:\s?-\s?|\s)([0-9][0-9 ]{2,5}[0-9])").fullmatch


def postal_code(text: str, region: str | None, digits_only: bool) -> str | Dropped:
    """Return a US code as five digits; any other as lower-case letters and digits.

    Every country's codes have digits; US codes have five, or nine with ZIP+4. `digits_only` drops
    the letters. `region` is the alpha-2 country of the record: for the US and its territories
    integers get their leading zeros back.
    """
    if len(text) == _ZIP and text.isascii() and text.isdigit():
        return text
    text = ascii_digits(nfc(text)).strip()
    if found := _zip_plus_4(text):
        return found[1]
    if found := _as_fraction(text):
        text = found[1]
    if (found := _after_prefix(text)) and found[1].lower() in codes.POSTAL_PREFIXES:
        text = found[2]
    code = letters_and_digits(text)
    if digits_only:
        code = _NOT_DIGITS.sub("", code)
    if not any(map(str.isdigit, code)):
        return Dropped.NOT_A_POSTAL_CODE if text else Dropped.EMPTY
    if region is None or region.lower() not in codes.US_POSTAL:
        return code
    if code.isdecimal():
        return _us_code(*_DIGITS.findall(text))
    found = _zip_in_text(code)  # "CA 90210"; if no US code follows, it is another country's
    return found[1] if found else code


def _us_code(first: str, *others: str) -> str | Dropped:
    """Return the five digits of a code, from its runs of digits; integers have lost their zeros."""
    if [len(digits) for digits in others] in ([], [_ZIP_PLUS_4 - _ZIP]):
        if _SHORTEST_ZIP <= len(first) <= _ZIP:
            return first.zfill(_ZIP)
        if not others and _SHORTEST_ZIP <= len(first) - (_ZIP_PLUS_4 - _ZIP) <= _ZIP:
            return first.zfill(_ZIP_PLUS_4)[:_ZIP]
    return Dropped.NOT_A_POSTAL_CODE


_FILLERS: Final = frozenset({"the", "of", "and"})
_WORDS: Final = re.compile(r"[^\W_]+")


def _country_key(text: str) -> str:
    """Return the words, sorted, without accents and fillers.

    "Korea, Republic of" and "the Republic of Korea" become equal.
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
    | {"uk": "gb", "el": "gr"}  # as written in the United Kingdom and the European Union
)
_COUNTRY_NAMES: Final = {
    _country_key(written): code for written, code in codes.COUNTRY_NAMES.items()
}


def country(text: str) -> str | Dropped:
    """Return ISO 3166 alpha-2 in lower case, from alpha-2, alpha-3 or a name, English or local.

    A string may have a name and its code: `United States (US)`, `US - United States`.
    """
    return (
        _COUNTRY_CODES.get(text)
        or _known_country(text)
        or _country_named_twice(text)
        or (Dropped.UNKNOWN_COUNTRY if text.strip() else Dropped.EMPTY)
    )


def _known_country(text: str) -> str | None:
    return _COUNTRY_CODES.get(letters_and_digits(text)) or _COUNTRY_NAMES.get(_country_key(text))


def _country_named_twice(text: str) -> str | None:
    """Return the country of two names, or a name and a code; None if they are of two countries.

    An unknown name, as in another language, is accepted before a code in parentheses.
    """
    for name, other in _named_twice(text):
        code = _known_country(other)
        if code and code == _known_country(name):
            return code
    if (found := _after_name(text.strip())) and _known_country(found[1]) is None:
        return _COUNTRY_CODES.get(found[2])
    return None


def external_id(text: str, lower: bool) -> str | Dropped:
    """Return the id trimmed, its case kept unless `lower`, as the browser tag hashes it."""
    return (lower_case(text) if lower else nfc(text)).strip() or Dropped.EMPTY


_is_maid: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
# Without its dashes an id looks like an MD5, except for the version and variant of RFC 9562 that
# advertising ids of Android and iOS have.
_is_bare_maid: Final = re.compile("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}").fullmatch
_between_maids: Final = re.compile(r"[\s,;|\[\](){}\"']+").split


def maid(text: str) -> str | Dropped:
    """Return the id in lower case; all zeros mean that its user has turned tracking off.

    A string like an MD5 or a SHA-1 is UNMATCHABLE_DIGEST.
    """
    lower = lower_case(text).strip()
    if _is_maid(lower) and lower[:8] != "00000000":
        return lower
    if lower[:1] == "0" and not lower.strip("0-"):
        return Dropped.TRACKING_OFF
    if _is_maid(lower) or _is_bare_maid(lower):
        return lower
    if not lower:
        return Dropped.EMPTY
    return Dropped.UNMATCHABLE_DIGEST if hex_digest(text, is_id=True) else Dropped.NOT_A_MAID


def split_maids(text: str) -> list[str]:
    """Return the ids in a string with commas or brackets; else the text."""
    parts = [part for part in _between_maids(text) if part]
    return parts if parts and all(len(part) >= SHORTEST_DIGEST for part in parts) else [text]


_CURRENCIES: Final = (
    {code: code for code in codes.CURRENCIES}
    | {code.lower(): code for code in codes.CURRENCIES}
    | codes.CURRENCY_SYMBOLS
)


def currency(text: str) -> str | Dropped:
    """Return the ISO 4217 code in upper case, also from a sign that only one currency has."""
    return (
        _CURRENCIES.get(text)
        or _CURRENCIES.get(lower_case(text).strip())
        or (Dropped.UNKNOWN_CURRENCY if text.strip() else Dropped.EMPTY)
    )


_LANGUAGES: Final = {code: code for code in codes.LANGUAGES} | codes.WITHDRAWN_LANGUAGES


def language(text: str) -> str | Dropped:
    """Return the ISO 639-1 code in lower case, also from a locale or an Accept-Language header."""
    lower = lower_case(text).strip()
    if not lower:
        return Dropped.EMPTY
    if lower[2:3].isalnum():
        return Dropped.UNKNOWN_LANGUAGE
    return _LANGUAGES.get(lower[:2], Dropped.UNKNOWN_LANGUAGE)


_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
is_ipv4: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}").fullmatch
# Of private networks (RFC 1918, RFC 6598, link-local), of this machine, unspecified, or multicast.
_NOT_PUBLIC: Final = (
    r"0\.|2(?:2[4-9]|[345][0-9])\.|10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\."
    r"|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\."
)
is_public_ipv4: Final = re.compile(rf"(?!{_NOT_PUBLIC}){_OCTET}(?:\.{_OCTET}){{3}}").fullmatch
# Of the internet (2000::/3), as nearly all machines write them: in full, or with one `::`.
is_global_ipv6: Final = re.compile(
    r"[23][0-9a-f]{3}(?::[0-9a-f]{1,4}){7}|(?=(?:[^:]{0,4}:){2,7}[^:]{0,4}$)"
    r"[23][0-9a-f]{3}(?::[0-9a-f]{1,4}){0,5}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?"
).fullmatch
_is_nobodys_ipv4: Final = re.compile(r"0\.|2(?:2[4-9]|[345][0-9])\.").match  # or many machines'
_GROUPS: Final = "[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*"
_is_short_ipv6: Final = re.compile(rf"(?:{_GROUPS})?::(?:{_GROUPS})?").fullmatch
_is_full_ipv6: Final = re.compile("[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}").fullmatch
_is_private_ipv6: Final = re.compile("f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1$").match
_between_addresses: Final = re.compile(r"[\s,;]+").split
_FORWARDED: Final = "for="  # RFC 7239


def ip_address(text: str) -> str | Dropped:
    """Return the IP address of a user, without port, brackets or zone; IPv6 in lower case.

    It is the first public one in a forwarded list, or the first private one if there is none. An
    address that no single machine has, such as 0.0.0.0 or a multicast, is dropped.
    """
    if is_public_ipv4(text) or is_global_ipv6(text):
        return text
    addresses = [
        address
        for written in _between_addresses(text)
        if (address := _one_address(written)) is not None
    ]
    for address in addresses:
        if not is_private(address):
            return address
    if addresses:
        return addresses[0]
    return Dropped.NOT_AN_IP_ADDRESS if text.strip() else Dropped.EMPTY


def is_private(address: str) -> bool:
    """Return whether an address in its normal form belongs to a private network or this machine."""
    return not is_public_ipv4(address) if "." in address else bool(_is_private_ipv6(address))


def _one_address(written: str) -> str | None:
    """Return the address in an entry of a list; None if no user can have it."""
    text = written.lower().removeprefix(_FORWARDED).strip("\"'")
    text = text.removesuffix("/32").removesuffix("/128")  # of a column for networks
    if text[:1] == "[":
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if is_ipv4(text):
        return None if _is_nobodys_ipv4(text) else text
    return _ipv6(text.partition("%")[0])


def _ipv6(text: str) -> str | None:
    # The common forms first, because the library takes 7 us. With at most seven colons `::` stands
    # for one or more groups.
    is_short = _is_short_ipv6(text) and text.count(":") <= 7  # noqa: PLR2004
    if text[:2] == "ff" and text.find(":") == 4:  # noqa: PLR2004 (a multicast, unlike ff::)
        return None
    if (is_short or _is_full_ipv6(text)) and ":ffff:" not in text and text.strip("01:"):
        return text
    try:
        address = IPv6Address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped  # a dual-stack server writes IPv4 as ::ffff:192.0.2.1
    if mapped:
        return None if _is_nobodys_ipv4(str(mapped)) else str(mapped)
    if address.is_unspecified:
        return None
    return str(address) if address.is_loopback else text

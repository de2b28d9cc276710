"""The normal form of phone numbers: the digits to dial from abroad, country code first.

The library with the numbering plans of all countries is used only for national numbers, with the
country to read them in, and only if a short form for that country does not decide.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from target_pinterest_capi.events.characters import ascii_digits, nfc
from target_pinterest_capi.events.reasons import Dropped, Warned

BETWEEN_DIGITS: Final = b" \t()-.+"
MOST_DIGITS: Final = 15  # ITU-T E.164, country code included
_TRUNK_ZERO: Final = re.compile(r"[(\uff08]0[)\uff09]")
_EXTENSION: Final = re.compile(
    r"(?:;ext=|(?<![^\W\d_])(?:extension|extn|ext|poste|x)(?![^\W\d_])|#)"
    r"[\s.:=#-]{0,4}\d{1,7}\W{0,4}$",
    re.IGNORECASE,
)
# Labels before or after a number: `tel:`, `p:`, `(mobile)`.
_KIND: Final = "(?:tel|telephone|phone|mobile|mob|cell|home|work|office|whatsapp|sms|[ptmhwc])"
_LABEL: Final = re.compile(rf"^{_KIND}\.? ?:\s*|\({_KIND}\.?\)$", re.IGNORECASE)
_NOT_DIGITS: Final = re.compile("[^0-9]+")
# A slash alone may be part of a number, so it is tried after separators that are not.
_BETWEEN_NUMBERS: Final = (
    re.compile(r"(?<!\s)\s+/\s*|/\s+|[,;|\n]|(?<!\s)\s+(?:or|and|&)\s+", re.IGNORECASE),
    re.compile("/"),
)
FEWEST_DIGITS: Final = 7  # of a number with its country code, and of each in a string with several
# A whole number as columns of fractions and spreadsheets write it.
_as_fraction: Final = re.compile(r"(\+?[0-9]{7,})\.00?").fullmatch
_as_power: Final = re.compile(r"\+?([0-9])[.,]([0-9]+)[eE]\+?([0-9]{1,2})").fullmatch
# A country code (ITU-T E.164) and a zero after it: a trunk prefix, or a digit of the number. No
# number of +1 or +7 has one.
zero_after_code: Final = re.compile(
    r"(?:2(?:0|7|[1-689][0-9])|3(?:[0-469]|[578][0-9])|4(?:[013-9]|2[0-9])|5(?:[1-8]|[09][0-9])"
    r"|6(?:[0-6]|[7-9][0-9])|8(?:[1246]|[03578][0-9])|9(?:[0-58]|[679][0-9]))0"
).match
_has_plus: Final = re.compile(r"[^\d+\uff0b]*[+\uff0b]").match
_WITH_COUNTRY_CODE: Final = 11  # digits; shorter numbers are counted: reference, ph


def phone(text: str, region: str | None) -> tuple[str | Dropped, Warned | None]:
    """Return the digits with country code, and the warning to count, if any.

    `region` is the alpha-2 country of a national number; one written with `+` or `00` is accepted
    as it is, except for a zero between country code and number. Idempotent only without a region,
    because the result has no `+`. For a string with several numbers use `split_phones`.
    """
    digits: str | Dropped = ""
    if text.isascii() and "(0)" not in text and "." not in text[-3:]:
        digits = text.encode().translate(None, BETWEEN_DIGITS).decode()
    if not digits.isdigit():
        digits = _digits_of_odd_text(text)
        if isinstance(digits, Dropped):
            return digits, None
    bare = digits.lstrip("0")
    if not bare:
        return Dropped.NOT_A_PHONE if text.strip() else Dropped.EMPTY, None
    is_international = text[0] == "+" or digits[:2] == "00" or _has_plus(text)
    if is_international:
        bare = _without_trunk_zero(bare)
    elif region and (complete := _with_country_code(digits, region.upper())):
        return complete, None
    if len(bare) > MOST_DIGITS or (is_international and len(bare) < FEWEST_DIGITS):
        return Dropped.NOT_A_PHONE, None
    if is_international or len(bare) >= _WITH_COUNTRY_CODE:
        return bare, None
    return bare, Warned.PHONE_WITHOUT_COUNTRY


def split_phones(text: str) -> list[str]:
    """Return the numbers in a string such as `+1 202 555 0134 / +1 202 555 0135`; else the text."""
    for separator in _BETWEEN_NUMBERS:
        parts = [part for part in separator.split(text) if part.strip()]
        if len(parts) > 1 and all(len(_phone_digits(part)) >= FEWEST_DIGITS for part in parts):
            return parts
    return [text]


def _digits_of_odd_text(text: str) -> str | Dropped:
    """Return the digits of a string that has more than digits and separators.

    It may be a number from a column of fractions, or a power of ten from a spreadsheet.
    """
    trimmed = text.strip()
    if found := _as_fraction(trimmed):
        return found[1].lstrip("+")
    if found := _as_power(trimmed):
        whole, fraction, power = found.groups()
        return whole + fraction if len(fraction) == int(power) else Dropped.DIGITS_LOST
    return Dropped.NOT_A_PHONE if len(split_phones(text)) > 1 else _phone_digits(text)


def _without_trunk_zero(digits: str) -> str:
    """Return an international number without the zero that is only dialled within its country.

    The library knows where a zero after the country code is such a prefix, and where it is part of
    the number, as in Italy.
    """
    if not zero_after_code(digits):
        return digits
    import phonenumbers  # noqa: PLC0415 - costs 60 ms, and most pipelines never come here

    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return digits
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).lstrip("+")


def _phone_digits(text: str) -> str:
    """Return the ASCII digits without extension and `(0)`; `""` if letters are left."""
    number = _LABEL.sub("", ascii_digits(nfc(text)).strip()).strip()
    number = _TRUNK_ZERO.sub("", _EXTENSION.sub("", number))
    return "" if any(map(str.isalpha, number)) else _NOT_DIGITS.sub("", number)


# Country code and national numbers of countries with many people: those that the library completes
# in the same way, whether it knows them or not. The group is what follows the country code.
NATIONAL: Final = {
    "AR": ("54", "(11[0-9]{8})"),
    "AT": ("43", "0([1-9][0-9]{9,10})"),
    "AU": ("61", "0([1-9][0-9]{8})"),
    "BE": ("32", "0([1-9][0-9]{7,8})"),
    "BR": ("55", "0?((?:[1-46-9][1-9]|5[134])9[0-9]{8})"),
    "CH": ("41", "0([1-9][0-9]{8})"),
    "CO": ("57", "(3[01][0-9]{8})"),
    "DE": ("49", "0([1-9][0-9]{8,10})"),
    "ES": ("34", "([67][0-9]{8}|[89][1-8][0-9]{7})"),
    "FI": ("358", "0([45][0-9]{8})"),
    "FR": ("33", "0([1-9][0-9]{8})"),
    "GB": ("44", "0([1-9][0-9]{9})"),
    "GR": ("30", "(69[0-9]{8})"),
    "IE": ("353", "0([1-9][0-9]{7,8})"),
    "IN": ("91", "(?:0(?=[1-9]))?([6-8][0-9]{9}|9[2-9][0-9]{8})"),
    "IT": ("39", "(3[0-8][0-9]{8}|0[1-9][0-9]{7,9})"),
    "JP": ("81", "0([2-9][0-9]{8,9})"),
    "KR": ("82", "0(1[0-9]{9})"),
    "MX": ("52", "((?:33|55|56|81|7[1-9])[0-9]{8})"),
    "NL": ("31", "0([1-9][0-9]{8})"),
    "NZ": ("64", "0([2-9][0-9]{7,9})"),
    "PL": ("48", "([5-8][0-9]{8}|45[0-9]{7})"),
    "PT": ("351", "((?:9[1236]|2[123])[0-9]{7})"),
    "RO": ("40", "0([2-7][0-9]{8})"),
    "SE": ("46", "0([1-9][0-9]{7,8})"),
    "TR": ("90", "0([2-5][0-9]{9})"),
    "ZA": ("27", "0([1-8][0-9]{8})"),
}


@cache
def _national_form(region: str) -> tuple[str, Callable[[str], re.Match[str] | None]]:
    """Return a country's code, and a pattern for its known numbers."""
    code, form = NATIONAL[region]
    return code, re.compile(form).fullmatch


def _with_country_code(digits: str, region: str) -> str | None:
    """Return the digits with their country code, which they may already have.

    None if the region has no such numbers.
    """
    if region in ("US", "CA"):
        if len(digits) == 10 and digits[0] > "1" < digits[3]:  # noqa: PLR2004
            return "1" + digits  # as in 212 555 0100
    elif region in NATIONAL:
        code, is_national = _national_form(region)
        if found := is_national(digits):
            return code + str(found[1])
    return completed_by_library(digits, region)


def completed_by_library(digits: str, region: str) -> str | None:
    """Return the same, 50 times slower, for any country and any digits."""
    import phonenumbers  # noqa: PLC0415 - costs 60 ms, and most pipelines never come here

    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    national = phonenumbers.is_valid_number(number)
    # no country code begins with 0
    if digits[0] != "0" and _is_international(digits, number.country_code if national else None):
        return _without_trunk_zero(digits)
    if not national:
        reason = phonenumbers.is_possible_number_with_reason(number)
        if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
            return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).lstrip("+")


def _is_international(digits: str, country_code: int | None) -> bool:
    """Return whether the digits are a number with its country code, without the plus.

    `country_code` None means any.
    """
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return False
    return country_code in (None, number.country_code) and phonenumbers.is_valid_number(number)

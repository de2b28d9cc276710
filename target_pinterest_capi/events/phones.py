"""The normal form of phones: the digits that a caller from abroad dials, country code first.

The library of the world's numbering plans is asked for national numbers only, with the country to
read them in.
"""

import re
from typing import Final

from target_pinterest_capi.events.characters import ascii_digits, nfc
from target_pinterest_capi.events.reasons import LeftOut, Warned

BETWEEN_DIGITS: Final = b" \t()-./+"
_TRUNK_ZERO: Final = re.compile(r"[(\uff08]0[)\uff09]")
_EXTENSION: Final = re.compile(
    r"(?:;ext=|(?<![^\W\d_])(?:extension|extn|ext|poste|x)(?![^\W\d_])|#)"
    r"[\s.:=#-]{0,4}\d{1,7}\W{0,4}$",
    re.IGNORECASE,
)
_NOT_DIGITS: Final = re.compile("[^0-9]+")
_has_plus: Final = re.compile(r"[^\d+\uff0b]*[+\uff0b]").match
_WITH_COUNTRY_CODE: Final = 11  # digits; fewer are counted: reference, ph


def phone(text: str, region: str | None) -> tuple[str | LeftOut, Warned | None]:
    """Return the digits with country code, and the warning to count, if any.

    `region` is the alpha-2 country in which a national number is read; one written with `+` or `00`
    is taken as it is. Idempotent without a region only: the result has lost its `+`.
    """
    digits = ""
    if text.isascii() and "(0)" not in text:
        digits = text.encode().translate(None, BETWEEN_DIGITS).decode()
    if not digits.isdigit():
        digits = _phone_digits(text)
    bare = digits.lstrip("0")
    if not bare:
        return LeftOut.NOT_A_PHONE if text.strip() else LeftOut.EMPTY, None
    if text[0] == "+" or digits[:2] == "00" or _has_plus(text):
        return bare, None
    if region and (complete := _with_country_code(digits, region.upper())):
        return complete, None
    return bare, None if len(bare) >= _WITH_COUNTRY_CODE else Warned.PHONE_WITHOUT_COUNTRY


def _phone_digits(text: str) -> str:
    """Return the ASCII digits without extension and `(0)`; `""` where letters are left."""
    number = _TRUNK_ZERO.sub("", _EXTENSION.sub("", ascii_digits(nfc(text))))
    return "" if any(map(str.isalpha, number)) else _NOT_DIGITS.sub("", number)


def _with_country_code(digits: str, region: str) -> str | None:
    """Return the digits with their country code, which may be there already.

    None where the region has no such numbers.
    """
    if region in ("US", "CA") and len(digits) == 10 and digits[0] > "1" < digits[3]:  # noqa: PLR2004
        return "1" + digits  # as in 212 555 0100: what the library returns, 50 times faster
    import phonenumbers  # noqa: PLC0415 - costs 60 ms, and most pipelines never come here

    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    national = phonenumbers.is_valid_number(number)
    # no country code begins with 0
    if digits[0] != "0" and _is_international(digits, number.country_code if national else None):
        return digits
    reason = phonenumbers.is_possible_number_with_reason(number)
    if not national and reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).lstrip("+")


def _is_international(digits: str, country_code: int | None) -> bool:
    """Return whether the digits are a number with its country code, written without the plus.

    `country_code` None stands for any.
    """
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return False
    return country_code in (None, number.country_code) and phonenumbers.is_valid_number(number)

"""People's consent, read from the strings and objects in which consent tools store it.

Owns the formats: the US Privacy, GPP and TC strings of the IAB, and Google's consent mode. Each
returns true, false, or None if a string does not answer the question. What an answer means for an
event is decided by the mapping.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from target_pinterest_capi.expressions.values import opened, parsed_number, text

_ALPHABET: Final = {
    character: index
    for index, character in enumerate(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )
}
_LONGEST: Final = 20_000  # characters of a string; with all vendors they have some 5,000
_US_PRIVACY: Final = re.compile(r"1[YN-]([YN-])[YN-]", re.IGNORECASE)
_US_PRIVACY_SECTION: Final = 6
_TCF_SECTION: Final = 2

# For each US section of a GPP string, the position of its opt-outs after the version, two bits
# each: from sale, from sharing and from targeted advertising (IAB Global Privacy Platform,
# Sections, as of December 2025; later versions of a section add fields after these, not before).
_OPT_OUTS: Final[Mapping[int, tuple[int, ...]]] = {
    7: (6, 7, 8),  # national
    8: (3, 4),  # California
    9: (3, 4),  # Virginia
    10: (3, 4),  # Colorado
    11: (4, 5),  # Utah
    12: (3, 4),  # Connecticut
    13: (3, 4),  # Florida
    14: (3, 4),  # Montana
    15: (3, 4),  # Oregon
    16: (3, 4),  # Texas
    17: (3, 4),  # Delaware
    18: (4, 5),  # Iowa
    19: (3, 4),  # Nebraska
    20: (3, 4),  # New Hampshire
    21: (3, 4),  # New Jersey
    22: (3, 4),  # Tennessee
    23: (3, 4),  # Minnesota
    # The core of these begins with the agreement's version, whether it covers, and its mode.
    24: (5, 6),  # Maryland
    25: (5, 6),  # Indiana
    26: (5, 6),  # Kentucky
    27: (5, 6),  # Rhode Island
}
_HIGHEST_SECTION: Final = 100  # some thirty are registered
_VERSION_BITS: Final = 6
_OPTED_OUT: Final = 1
_GPC_SUBSECTION: Final = 1
# Sections whose subsection is about sensitive data instead, and has no type in front.
_WITHOUT_GPC: Final = frozenset({25, 26, 27})

_TCF_VERSION: Final = 2
_PURPOSES_AT: Final = 152  # the bit of purpose 1 in the core of a TC string (TCF v2, 24 of them)
_PURPOSES: Final = 24

_GRANTED: Final = frozenset({"granted", "yes", "true", "1"})
_DENIED: Final = frozenset({"denied", "no", "false", "0"})
_GOOGLE_SIGNAL: Final = re.compile(r"G1([01-])([01-])", re.IGNORECASE)  # the parameter gcs
_IN_SIGNAL: Final = {"ad_storage": 1, "ads_storage": 1, "analytics_storage": 2}


def us_opt_out(value: Any) -> bool | None:
    """Return whether a US Privacy or GPP string says that somebody opted out, by any law in it."""
    given = _string(value)
    if given is None:
        return None
    if found := _US_PRIVACY.fullmatch(given):
        return found[1].upper() == "Y"
    answers = [
        answer
        for number, section in _sections(given)
        if (answer := _section_opt_out(number, section)) is not None
    ]
    return any(answers) if answers else None


def consented(state: Any, purpose: Any) -> bool | None:
    """Return whether a purpose is allowed: a TCF purpose's number, or a consent mode's name."""
    number = parsed_number(purpose)
    if number is not None:
        return _tcf_consent(_string(state), number)
    if not isinstance(purpose, str):
        return None
    members = opened(state)
    if isinstance(members, dict):
        return _granted(members.get(purpose))
    signal = _GOOGLE_SIGNAL.fullmatch(_string(state) or "")
    if signal is None or purpose not in _IN_SIGNAL:
        return None
    return _granted(signal[_IN_SIGNAL[purpose]])


def _string(value: Any) -> str | None:
    given = text(value)
    return given.strip() if given is not None and len(given) <= _LONGEST else None


def _granted(value: Any) -> bool | None:
    word = str(text(value)).strip().lower() if not isinstance(value, bool) else str(value).lower()
    if word in _GRANTED:
        return True
    return False if word in _DENIED else None


def _section_opt_out(number: int, section: str) -> bool | None:
    if number == _US_PRIVACY_SECTION:
        return us_opt_out(section) if _US_PRIVACY.fullmatch(section) else None
    if number not in _OPT_OUTS:
        return None
    core, *subsections = section.split(".")
    bits = _bits(core)
    places = [_VERSION_BITS + 2 * place for place in _OPT_OUTS[number]]
    if bits is None or len(bits) < places[-1] + 2:
        return None
    has_opted_out = any(int(bits[place : place + 2], 2) == _OPTED_OUT for place in places)
    if number in _WITHOUT_GPC:
        return has_opted_out
    return has_opted_out or any(map(_is_global_opt_out, subsections))


def _is_global_opt_out(subsection: str) -> bool:
    """Return whether a subsection is the browser's Global Privacy Control, switched on."""
    bits = _bits(subsection)
    return bits is not None and bits[:3] == f"{_GPC_SUBSECTION:02b}1"


def _tcf_consent(given: str | None, purpose: Any) -> bool | None:
    if given is None or purpose not in range(1, _PURPOSES + 1):
        return None
    cores = [section for number, section in _sections(given) if number == _TCF_SECTION] or [given]
    bits = _bits(cores[0].partition(".")[0])
    if bits is None or len(bits) < _PURPOSES_AT + _PURPOSES:
        return None
    if int(bits[:_VERSION_BITS], 2) != _TCF_VERSION:
        return None
    return bits[_PURPOSES_AT + int(purpose) - 1] == "1"


def _bits(encoded: str) -> str | None:
    """Return the bits of a string in URL-safe Base64; None for any other text."""
    try:
        return "".join(f"{_ALPHABET[character]:06b}" for character in encoded.rstrip("="))
    except KeyError:
        return None


def _sections(given: str) -> list[tuple[int, str]]:
    """Return the sections of a GPP string, each with its number; none for any other text."""
    header, *sections = given.split("~")
    bits = _bits(header)
    if bits is None or not bits.startswith("000011000001"):  # type 3, version 1
        return []
    numbers = list(_fibonacci_range(bits[12:]))
    return list(zip(numbers, sections, strict=True)) if len(numbers) == len(sections) else []


def _fibonacci_range(bits: str) -> Iterator[int]:
    """Yield the integers of a range in Fibonacci coding, each as the distance from the last."""
    amount, bits = int(bits[:12] or "0", 2), bits[12:]
    last = 0
    for _ in range(amount):
        is_group, bits = bits[:1] == "1", bits[1:]
        first, bits = _fibonacci(bits)
        end = 0
        if is_group:
            end, bits = _fibonacci(bits)
        if not first or (is_group and not end) or end > _HIGHEST_SECTION:
            return
        yield from range(last + first, last + first + end + 1)
        last += first + end


def _fibonacci(bits: str) -> tuple[int, str]:
    """Return the first number in Fibonacci coding, 0 without one, and the bits after it."""
    code, found, rest = bits.partition("11")
    if not found:
        return 0, ""
    number, one, two = 0, 1, 2
    for bit in code + "1":
        number += one if bit == "1" else 0
        one, two = two, one + two
    return number, rest

"""Text in Unicode: visible characters, NFC, lower case, decimal digits, letters.

All normal forms use these. A function accepts any text, including lone surrogates, never raises,
and returns plain ASCII by the shortest path.
"""

import re
from itertools import groupby
from typing import Final
from unicodedata import category, combining, decimal, normalize

_INVISIBLE: Final = ("Cc", "Cf")
_SHORT: Final = 256  # characters whose marks are sorted quickly in any order
_LOWER: Final = bytes(range(256)).lower()
_NOT_ALNUM: Final = bytes(byte for byte in range(128) if not chr(byte).isalnum())


def well_formed(text: str) -> str:
    """Return text that UTF-8 can encode: surrogate pairs joined, lone surrogates as U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def visible(text: str) -> str:
    """Return the text without invisible characters: controls, and marks (Unicode Cf).

    Such marks are soft hyphens, byte order marks and direction marks. Tabs and line ends become
    spaces; lone surrogates become U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, well_formed(text)))


def _visible(char: str) -> str:
    if char.isprintable() or category(char) not in _INVISIBLE:
        return char
    return " " if char.isspace() else ""


def nfc(text: str) -> str:
    """Return the text composed (Unicode NFC), so that equal letters are equal bytes."""
    return text if text.isascii() else normalize("NFC", _ordered(well_formed(text)))


def lower_case(text: str) -> str:
    """Return the text in lower case and NFC.

    NFC is applied first, so that equivalent strings become equal, and again, because lower case can
    undo it.
    """
    return text.lower() if text.isascii() else normalize("NFC", _ordered(nfc(text).lower()))


def _ordered(text: str) -> str:
    """Return a string with the same normal forms, whose marks are already in order.

    The library compares every mark of a letter with every other: 80,000 marks take minutes.
    """
    if len(text) <= _SHORT:
        return text
    apart = "".join([normalize("NFD", char) for char in text])
    runs = groupby(apart, key=lambda char: combining(char) > 0)
    return "".join(
        ["".join(sorted(run, key=combining) if are_marks else run) for are_marks, run in runs]
    )


def ascii_digits(text: str) -> str:
    """Return the text with the decimal digits of any script as 0 to 9."""
    return (
        text
        if text.isascii()
        else "".join([str(decimal(char)) if char.isdecimal() else char for char in text])
    )


# Forms of East Asian width (U+FF01 to U+FF5E) are those of ASCII, further up.
_has_wide: Final = re.compile("[\uff01-\uff5e\u3000\u3002]").search
_NARROW: Final = {code + 0xFEE0: code for code in range(0x21, 0x7F)} | {0x3000: " ", 0x3002: "."}


def narrow(text: str) -> str:
    """Return the text with full-width letters, digits and signs as the usual ones."""
    return text.translate(_NARROW) if not text.isascii() and _has_wide(text) else text


def letters_and_digits(text: str) -> str:
    """Return only the letters, their marks and the digits, in lower case and NFC."""
    if text.isascii():
        return text.encode().translate(_LOWER, _NOT_ALNUM).decode()
    lower = lower_case(text)
    if lower.isalnum():
        return lower
    # once more, because what was between a letter and its mark is gone
    return nfc("".join([char for char in lower if char.isalnum() or category(char)[0] == "M"]))

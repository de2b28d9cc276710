"""Text as Unicode sees it: NFC, lower case, decimal digits, letters; what every normal form is made of.

Every function takes any text, lone surrogates included, never raises, and leaves plain ASCII by the shortest way.
"""

from typing import Final
from unicodedata import category, decimal, normalize

_LOWER: Final = bytes(range(256)).lower()
_NOT_ALNUM: Final = bytes(byte for byte in range(128) if not chr(byte).isalnum())


def well_formed(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates as U+FFFD: what UTF-8 can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def nfc(text: str) -> str:
    """The text composed (Unicode NFC), so that equal letters are equal bytes."""
    return text if text.isascii() else normalize("NFC", well_formed(text))


def lower_case(text: str) -> str:
    """Lower case and NFC, both kept by the other: NFC first makes equivalent texts equal, lower case can undo it."""
    return text.lower() if text.isascii() else normalize("NFC", nfc(text).lower())


def ascii_digits(text: str) -> str:
    """Decimal digits of any script as 0 to 9; all else as it was."""
    return (
        text
        if text.isascii()
        else "".join([str(decimal(char)) if char.isdecimal() else char for char in text])
    )


def letters_and_digits(text: str) -> str:
    """Letters, their marks and digits of any script in lower case, NFC, without all else; may be empty."""
    if text.isascii():
        return text.encode().translate(_LOWER, _NOT_ALNUM).decode()
    lower = lower_case(text)
    if lower.isalnum():
        return lower
    # once more, since what stood between a letter and its mark is gone
    return normalize(
        "NFC", "".join([char for char in lower if char.isalnum() or category(char)[0] == "M"])
    )

"""Names as words, without case, separators, accents and a plural s."""

from functools import lru_cache
from typing import Final
from unicodedata import combining, normalize

from target_pinterest_capi.events.column_names import clean_name, snake_case

_KNOWN_NAMES: Final = 8192


@lru_cache(_KNOWN_NAMES)
def words(name: str) -> tuple[str, ...]:
    """Return a name's words: `e-Mail_Kunde` and `eMailKunde` are `e`, `mail`, `kunde`."""
    letters = list(normalize("NFKD", snake_case(clean_name(name))))
    spaced = "".join(char if char.isalnum() else " " for char in letters if not combining(char))
    return tuple(spaced.casefold().split())


def key(name: str) -> str:
    """Return what two spellings of a name have in common, for comparison."""
    return joined(words(name))


def joined(parts: tuple[str, ...]) -> str:
    """Return words as one, without a plural s."""
    return "".join(parts).removesuffix("s")


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a table's row."""
    return tuple(text.split())

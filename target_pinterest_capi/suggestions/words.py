"""Names as words, without case, separators, accents and a plural s."""

from functools import lru_cache
from typing import Final
from unicodedata import combining, normalize

from target_pinterest_capi.events.column_names import clean_name, snake_case

_KNOWN_NAMES: Final = 8192
# Letters that Unicode does not take apart.
_PLAIN_LETTERS: Final = str.maketrans("łŁøØæÆœŒđĐıİ", "lLoOaAoOdDiI")


@lru_cache(_KNOWN_NAMES)
def words(name: str) -> tuple[str, ...]:
    """Return a name's words: `e-Mail_Kunde` and `eMailKunde` are `e`, `mail`, `kunde`."""
    letters = without_accents(snake_case(clean_name(name)))
    spaced = "".join(char if char.isalnum() else " " for char in letters)
    return tuple(spaced.casefold().split())


def without_accents(text: str) -> str:
    """Return the text with plain letters: `prénom` is `prenom`, `opłacone` is `oplacone`."""
    letters = normalize("NFKD", text.translate(_PLAIN_LETTERS))
    return "".join(char for char in letters if not combining(char))


def key(name: str) -> str:
    """Return what two spellings of a name have in common, for comparison."""
    return joined(words(name))


def bare_key(name: str) -> str:
    """Return the key without letters that say a type or a table: `cStatus` is `status`."""
    return joined(tuple(word for word in words(name) if len(word) > 1))


def joined(parts: tuple[str, ...]) -> str:
    """Return words as one, without a plural s."""
    return "".join(parts).removesuffix("s")


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a table's row."""
    return tuple(text.split())

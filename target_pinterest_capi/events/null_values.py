"""Words for a missing value: `null`, `n/a`, `(not set)`.

Owns the default of the setting `null_values`, and which of its words are real values of some
fields. A word is compared without surrounding white space and in any case. Only strings can be such
words, never a number, a boolean or a list. The look-up is fast, because it is done for every text.
"""

from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

# What databases, languages, spreadsheets and analytics write for a missing value.
DEFAULT_NULL_VALUES: Final = (
    "null", "(null)", "<null>", r"\N",
    "none", "(none)", "nil", "undefined", "(undefined)", "[object Object]",
    "nan", "<na>", "na", "n/a", "n.a.", "#n/a",
    "(not set)", "(not provided)", "-",
)  # fmt: skip

# Words of the default list that are values of fields with a normal form: Namibia, Naples and
# Nauruan (ISO 3166, ISO 3166-2:IT, ISO 639-1), and names that people have.
_REAL: Final = {
    "country": frozenset({"na"}),
    "state": frozenset({"na"}),
    "language": frozenset({"na"}),
    "name": frozenset({"na", "nil"}),
}
_MOST_LETTERS: Final = 6  # of a word that is recognized in any mixture of upper and lower case


class NullWords(NamedTuple):
    """The words of one configuration, with their `spellings`.

    `in_any_form` says that a word has digits or an `@`, so that a phone, an address or a time may
    be one.
    """

    spellings: frozenset[str]
    in_any_form: bool


def spellings_of(null_values: tuple[str, ...], form: str | None = None) -> frozenset[str]:
    """Return the strings that mean a missing value in fields of a normal form.

    A list other than the default applies to every field.
    """
    spellings = null_words(null_values).spellings
    if null_values == DEFAULT_NULL_VALUES and form in _REAL:
        return spellings - _spellings(_REAL[form])
    return spellings


@lru_cache(maxsize=64)
def null_words(null_values: tuple[str, ...]) -> NullWords:
    """Return the words of a configuration."""
    words = frozenset(filter(None, map(str.strip, null_values)))
    return NullWords(
        _spellings(words),
        any(char.isdigit() or char == "@" for word in words for char in word),
    )


def _spellings(words: frozenset[str]) -> frozenset[str]:
    """Return the words in every case, so that one look-up is enough for a value.

    Longer words have too many mixtures, so only the common ones are included.
    """
    found: set[str] = set()
    for word in words:
        if sum(map(str.isalpha, word)) <= _MOST_LETTERS:
            choices = [{char.lower(), char.upper()} for char in word]
            found.update(map("".join, product(*choices)))
        found |= {word, word.lower(), word.upper(), word.capitalize(), word.title()}
    return frozenset(found)

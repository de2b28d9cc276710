"""What means true: JMESPath takes each text and each number as true, people do not."""

from typing import Any, Final

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES, spellings_of
from target_pinterest_capi.expressions.values import is_false

_NULL_WORDS: Final = spellings_of(DEFAULT_NULL_VALUES)
_LONGEST_WORD: Final = 24  # characters: a longer text is none of these words


def means_true(value: Any) -> bool:
    """Return whether a value means true: not false, not 0, not empty, no word for false or null."""
    if value is True or is_false(value):
        return value is True
    if isinstance(value, str):
        word = value.strip()
        if not word or word in _NULL_WORDS:
            return False
        if len(word) > _LONGEST_WORD or (
            len(word) > coerce.LONGEST_BOOLEAN and _has_letters_alone(word)
        ):
            return True
    return coerce.boolean(value) is not False


def _has_letters_alone(word: str) -> bool:
    return word.isascii() and word.replace("_", "").replace(" ", "").isalpha()

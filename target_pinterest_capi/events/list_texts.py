"""Strings that are lists, as JSON, Python and PostgreSQL write them.

A string is read if it is certainly a list, and refused if it may be a list or a value; any other
is a value. No string makes it raise.
"""

import ast
import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from target_pinterest_capi.events.characters import well_formed
from target_pinterest_capi.events.reasons import Dropped

_read_json: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def read_json(text: str) -> Any:
    """Return the value in JSON text, with exact numbers; UNREADABLE_JSON if it is not JSON.

    A string may also be Python's repr of a value, in single quotes.
    """
    try:
        return _read_json(well_formed(text))
    except (ValueError, ArithmeticError, RecursionError):
        # not JSON; an exponent that decimals do not support; nested too deeply
        return _python_literal(text) if "'" in text else Dropped.UNREADABLE_JSON


_LONGEST: Final = 100_000  # characters of what is not JSON: reading more takes much memory


def _python_literal(text: str) -> Any:
    if len(text) > _LONGEST:
        return Dropped.UNREADABLE_JSON
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd escapes in text that is not ours
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return Dropped.UNREADABLE_JSON


def is_list_text(text: str) -> bool:
    """Return whether a string begins like a list."""
    return text.lstrip()[:1] in _READERS


def read_list(text: str) -> list[Any] | Dropped | None:
    """Return the list in a string; None if it is a value.

    A string that may be a list but cannot be read is UNREADABLE_JSON.
    """
    trimmed = text.strip()
    read = _READERS.get(trimmed[:1])
    return read(trimmed) if read else None


def _in_brackets(text: str) -> list[Any] | Dropped | None:
    """Read JSON, or Python's repr of a list."""
    values = read_json(text)
    if type(values) is list:
        return values
    return Dropped.UNREADABLE_JSON if text[-1] == "]" else None


# An element as PostgreSQL writes it: quoted if it is empty or has blanks or special characters. One
# with a colon or an equals sign could be the member of an object.
_ELEMENT: Final = r'"(?:[^"\\]|\\.)*"|[^\s"\\{},:=]+(?:://[^\s"\\{},:=]+)?=*'
_ELEMENTS: Final = f"(?:{_ELEMENT})(?:,(?:{_ELEMENT}))*"
_is_array: Final = re.compile(rf"\{{(?:{_ELEMENTS})?\}}", re.DOTALL).fullmatch
_elements: Final = re.compile(_ELEMENT, re.DOTALL).findall
_unescaped: Final = re.compile(r"\\(.)", re.DOTALL)
_is_guid: Final = re.compile(r"\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}").fullmatch


def _in_braces(text: str) -> list[Any] | Dropped | None:
    """Read an array of PostgreSQL, or Python's repr of a set, in the order of the text.

    A GUID in braces, as Windows writes it, is a value.
    """
    if text[-1] != "}" or _is_guid(text):
        return None
    if "'" in text:
        values = _python_literal(f"[{text[1:-1]}]")
        if type(values) is list:
            return values
    if len(text) > _LONGEST or not _is_array(text):
        return Dropped.UNREADABLE_JSON
    return [_postgres_value(element) for element in _elements(text, 1)]


def _postgres_value(element: str) -> str | None:
    if element[0] == '"':
        return _unescaped.sub(r"\1", element[1:-1])
    return None if element == "NULL" else element


_is_tuple: Final = re.compile(r"\(\s*['\"].*,\s*(?:['\"].*['\"]\s*)?\)", re.DOTALL).fullmatch


def _in_parentheses(text: str) -> list[Any] | None:
    """Read Python's repr of a tuple of strings; anything else in parentheses is a value."""
    values = _python_literal(text) if _is_tuple(text) else None
    return list(values) if type(values) is tuple else None


_READERS: Final[dict[str, Callable[[str], list[Any] | Dropped | None]]] = {
    "[": _in_brackets,
    "{": _in_braces,
    "(": _in_parentheses,
}

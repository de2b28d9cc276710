"""The address of a page, and the click id of an ad: what people map in their place.

Pure functions of a string. A click id is Base64 without `=`, or with it at the end; in a cookie or
a query it has a name before it.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, unquote_plus

from target_pinterest_capi.events.reasons import Dropped

# docs/pinterest-api.md: The event, click_id
COOKIE: Final = "_epik"
PARAMETER: Final = "epik"
_IN_SCHEMES: Final = str.maketrans("", "", "+-.")
_between_pairs: Final = re.compile(r"[?&#;,\s]").split


def is_full_address(text: str) -> bool:
    """Return whether an address has a scheme and a host, unlike `/p/1` and `example.com/p/1`."""
    scheme, _, rest = text.partition("://")
    return bool(rest) and scheme.translate(_IN_SCHEMES).isalnum()


def query_values(address: str, name: str) -> Iterator[str]:
    """Yield each decoded value of a query parameter; an empty text for one without a value.

    The address is full or partial, or only its query, but not one of a fragment.
    """
    is_encoded = "%" in address or "+" in address
    path, mark, query = address.partition("#")[0].partition("?")
    for pair in (query if mark else path).split("&"):
        key, equals, value = pair.partition("=")
        if (mark or equals) and (unquote_plus(key) if is_encoded else key) == name:
            yield unquote_plus(value) if is_encoded else value


def click_id(text: str) -> str | Dropped:
    """Return a click id, also from a cookie header, a query or an address that has exactly one."""
    if _is_click_id(text):
        return text
    pairs = [part.partition("=") for part in _between_pairs(text)]
    found = {
        unquote(value) if name == PARAMETER else value.strip('"')
        for name, _, value in pairs
        if value and name in {COOKIE, PARAMETER}
    }
    one = found.pop() if len(found) == 1 else ""
    return one if one and _is_click_id(one) else Dropped.NOT_A_CLICK_ID


def _is_click_id(text: str) -> bool:
    return "=" not in text.rstrip("=")

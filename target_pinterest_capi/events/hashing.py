"""SHA-256 as Pinterest takes it, and digests that come already made.

The only module that imports hashlib. Never normalizes: it hashes what it is given. Never keeps or
shows what was hashed.
"""

import re
from hashlib import sha256 as sha256  # noqa: PLC0414 - compiled members take it from here
from typing import Final

from target_pinterest_capi.events.characters import well_formed
from target_pinterest_capi.events.reasons import LeftOut

SHORTEST_DIGEST: Final = 32  # hex digits of an MD5
_SHA256: Final = 64
_OTHERS: Final = (SHORTEST_DIGEST, 40)  # MD5, SHA-1
_is_hex: Final = re.compile("[0-9a-fA-F]+").fullmatch


def digest(text: str) -> str:
    """Return the lower-case hex SHA-256 of the text as UTF-8.

    The text is to be in NFC. What UTF-8 cannot carry is hashed as U+FFFD.
    """
    try:
        return sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        return sha256(well_formed(text).encode()).hexdigest()


def digest_key(text: str, size: int) -> bytes:
    """Return the first bytes of the text's SHA-256: a short key that does not tell the text."""
    return sha256(text.encode("utf-8", "replace")).digest()[:size]


def digest_bytes(data: bytes) -> str:
    """Return the lower-case hex SHA-256 of the bytes."""
    return sha256(data).hexdigest()


def recognize(text: str, *, refuse_others: bool = True) -> str | LeftOut | None:
    """Return the SHA-256 digest that the text is, in lower case; None for any other text.

    A text like an MD5 or SHA-1 digest is UNMATCHABLE_DIGEST, unless `refuse_others` is off: an id
    may look like one (a UUID without its dashes does). Surrounding white space is ignored.
    `LeftOut` is a `str`: test for it first.
    """
    if len(text) < SHORTEST_DIGEST:
        return None
    trimmed = text.strip()
    if len(trimmed) == _SHA256:
        return trimmed.lower() if _is_hex(trimmed) else None
    if refuse_others and len(trimmed) in _OTHERS and _is_hex(trimmed):
        return LeftOut.UNMATCHABLE_DIGEST
    return None

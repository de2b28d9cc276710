"""SHA-256 as Pinterest requires it, and recognition of existing digests.

The only module that imports hashlib. Never normalizes: it hashes what it is given. Never keeps or
shows what was hashed.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import new as new_hash
from hashlib import sha256 as sha256  # noqa: PLC0414 - compiled members take it from here
from typing import Final

from target_pinterest_capi.events.characters import well_formed
from target_pinterest_capi.events.reasons import Dropped

SHORTEST_DIGEST: Final = 22  # characters of an MD5 in Base64 without its padding
SHA256_DIGITS: Final = 64  # in hex
LIST_DIGITS: Final = (32, 40, SHA256_DIGITS)  # MD5, SHA-1 and SHA-256, which lists accept
_DIGITS: Final = (*LIST_DIGITS, 56, 96, 128)  # and SHA-224, SHA-384 and SHA-512
# The lengths of ids that cannot be digests: not in hex, in hex after 0x or \\x, nor in Base64,
# whose padding, a `=` at the end, is checked.
NO_DIGEST_LENGTHS: Final = frozenset(range(1, SHA256_DIGITS)) - {
    *(32, 34, 35),
    *(40, 42, 43),
    *(56, 58, 59),
}
_ALGORITHMS: Final = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_OF_EMPTY: Final = frozenset(
    new_hash(name, b"", usedforsecurity=False).hexdigest() for name in _ALGORITHMS
)
# What programs hash if they do not check for a missing value, and an empty one hashed twice.
_OF_NOTHING: Final = _OF_EMPTY.union(
    (sha256(text.encode()).hexdigest() for text in (" ", "null", "undefined", *_OF_EMPTY)),
    (digit * 64 for digit in "0f"),  # no digest of anything
)
# Bytes as written by PostgreSQL (bytea) and SQL Server (varbinary), or plain hex.
_hex_digits: Final = re.compile(r"(?:\\{1,2}x|0[xX])?([0-9a-fA-F]{32,128})").fullmatch
# A SHA-256 in quotes or brackets, or with its name.
_named_digits: Final = re.compile(
    r"\[?b?[\"'(]?(?:sha-?256[:=$-])?([0-9a-f]{64})[\"')]?\]?", re.IGNORECASE
).fullmatch
# MD5, SHA-1 and SHA-256 in hex, of which one may have a separator behind it.
_ONE: Final = "(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})"
_are_digests: Final = re.compile(rf"{_ONE}[\s,;|]+(?:{_ONE}(?:[\s,;|]+|$))*").fullmatch
_between_digests: Final = re.compile(r"[\s,;|]+").split
# MD5, SHA-1 and SHA-256 with their padding, by either alphabet.
_is_base64: Final = re.compile(r"[A-Za-z0-9+/_-]{22}==|[A-Za-z0-9+/_-]{27}=|[A-Za-z0-9+/_-]{43}=")
# Those without it: no word or name has capitals, small letters and digits in so many characters. A
# phone number after a word has no capital behind a digit.
_is_unpadded: Final = re.compile(
    r"(?=[^a-z]*[a-z])(?=[^0-9]*[0-9])(?=[^A-Z]*[A-Z])"
    r"(?:[A-Za-z0-9+/_-]{43}|(?=[^0-9]*[0-9][^A-Z]*[A-Z])[A-Za-z0-9+/_-]{22}(?:[A-Za-z0-9+/_-]{5})?)"
)
_SHA256_UNPADDED: Final = 43  # characters
_new: Final = sha256().copy  # a copy costs a fifth less than another one
_STANDARD: Final = str.maketrans("-_", "+/")


def digest(text: str) -> str:
    """Return the lower-case hex SHA-256 of the text as UTF-8.

    The text must be in NFC. What UTF-8 cannot encode is hashed as U+FFFD.
    """
    try:
        (hashed := _new()).update(text.encode())
    except UnicodeEncodeError:
        hashed.update(well_formed(text).encode())
    return hashed.hexdigest()


def digests(texts: Sequence[str]) -> list[str]:
    """Return the `digest` of each text."""
    made = []
    try:
        for text in texts:
            (hashed := _new()).update(text.encode())
            made.append(hashed.hexdigest())
    except UnicodeEncodeError:
        return list(map(digest, texts))
    return made


def digest_key(text: str, size: int) -> bytes:
    """Return the first bytes of the text's SHA-256: a short key that does not reveal the text."""
    return sha256(well_formed(text).encode()).digest()[:size]


def digest_bytes(data: bytes) -> str:
    """Return the lower-case hex SHA-256 of the bytes."""
    return sha256(data).hexdigest()


def split_digests(text: str) -> list[str]:
    """Return the digests in hex in a string such as `d1, d2;`; none in any other string."""
    if len(text) <= LIST_DIGITS[0] or not _are_digests(text):
        return []
    return [part for part in _between_digests(text) if part]


def recognize(
    text: str, *, refuse_others: bool = True, is_token: bool = False
) -> str | Dropped | None:
    r"""Return the SHA-256 digest that the text is, in lower-case hex; None for any other string.

    It may be written in hex, also after `\x` or `0x`, or in Base64. A string like a digest of
    another kind is UNMATCHABLE_DIGEST, unless `refuse_others` is off: an id may look like one (a
    UUID without its dashes does). If the text may be any token (`is_token`), Base64 without padding
    may be one too. The digest of an empty string, of whatever kind, is EMPTY_DIGEST.
    Surrounding white space is ignored. `Dropped` is a `str`: test for it first.
    """
    known = hex_digest(text, is_id=not refuse_others, is_token=is_token)
    if known is None:
        return None
    if known in _OF_NOTHING:
        return Dropped.EMPTY_DIGEST
    if len(known) == SHA256_DIGITS:
        return known
    return Dropped.UNMATCHABLE_DIGEST if refuse_others else None


def hex_digest(text: str, *, is_id: bool = False, is_token: bool = False) -> str | None:
    """Return the lower-case hex of a string that looks like a digest; None for any other string.

    In Base64 without padding, an MD5 could as well be a UUID if the text may be an id (`is_id`),
    and any digest a random token if it may be one (`is_token`).
    """
    if len(text) < SHORTEST_DIGEST:
        return None
    trimmed = text.strip()
    if found := _hex_digits(trimmed):
        digits = found[1].lower()
        return digits if len(digits) in _DIGITS else None
    if len(trimmed) > SHA256_DIGITS and (found := _named_digits(trimmed)):
        return found[1].lower()
    if _is_base64.fullmatch(trimmed):
        return _hex_of_base64(trimmed)
    if is_token or (is_id and len(trimmed) != _SHA256_UNPADDED):
        return None
    return (
        _hex_of_base64(trimmed + "=" * (-len(trimmed) % 4))
        if _is_unpadded.fullmatch(trimmed)
        else None
    )


def _hex_of_base64(text: str) -> str | None:
    standard = text.translate(_STANDARD)
    data = b64decode(standard)
    # Unused bits at the end that are not zero belong to another text.
    return data.hex() if b64encode(data).decode() == standard else None

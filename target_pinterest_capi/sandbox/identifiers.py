"""Members of a customer list: which records are identifiers, and the form in which they are kept.

Owns the reading of `records`, and what an e-mail address looks like. Promises that a plain
identifier does not outlive the request: what is kept is its SHA-256 digest. The only module of the
sandbox that hashes; it does so by itself, so that a wrong digest of the target cannot agree with
itself.
"""

import hashlib
import re
from typing import Final, NamedTuple

# docs/pinterest-api.md: Customer lists (UserListType)
LIST_TYPES: Final = ("EMAIL", "IDFA", "MAID", "LR_ID", "DLX_ID", "HASHED_PINNER_ID")
# Ids of partners: the description says nothing of their form
OPAQUE: Final = frozenset({"LR_ID", "DLX_ID", "HASHED_PINNER_ID"})

# SHA-256, SHA-1 or MD5
_DIGEST: Final = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}").fullmatch
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+").fullmatch


def digest(text: str) -> str:
    """Return the SHA-256 of a text, as it is kept in the place of it."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_email(text: str) -> bool:
    """Return whether a text is a plain e-mail address, in lower case."""
    return text == text.lower() and _EMAIL(text) is not None


class Records(NamedTuple):
    """The records of one request.

    How many came, how many of them are no identifiers, and whom the others name.
    """

    received: int
    invalid: int
    members: frozenset[str]


def member(record: str, list_type: str) -> str | None:
    """Return the digest of a record; None where Pinterest's description does not take it.

    docs/pinterest-api.md: Customer lists. Any combination of e-mails, MAIDs and IDFAs; e-mails in
    lower case, plain or hashed, the others hashed. A digest is kept as it is: the SHA-1 and the
    SHA-256 of one address are two members here.
    """
    if _DIGEST(record):
        return record
    return digest(record) if is_email(record) or list_type in OPAQUE else None


def parse_records(records: str, list_type: str) -> Records:
    """Read a comma-separated text.

    Empty records do not count: the description's own example ends with a comma.
    """
    given = [record for part in records.split(",") if (record := part.strip())]
    found = [member(record, list_type) for record in given]
    return Records(
        len(given), found.count(None), frozenset(one for one in found if one is not None)
    )

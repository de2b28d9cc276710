"""Members of a customer list: which records are identifiers, and how they are stored.

Owns the reading of `records` and `records_v2`, what an e-mail address is, and whom a removal
matches. A plain identifier is not kept after the request, only its SHA-256 digest. The only module
of the sandbox that hashes; it has its own code for that, so that it cannot agree with a wrong
digest of the target.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Final, Literal, NamedTuple

# docs/pinterest-api.md: Customer lists (UserListType)
LIST_TYPES: Final = ("EMAIL", "IDFA", "MAID", "LR_ID", "DLX_ID", "HASHED_PINNER_ID")
# Ids of partners: the description does not define their form
OPAQUE: Final = frozenset({"LR_ID", "DLX_ID", "HASHED_PINNER_ID"})

# SHA-256, SHA-1 or MD5
_DIGEST: Final = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}").fullmatch
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+").fullmatch
_DEVICE_ID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

# A row: the digest of each of its identifiers, with the identifier's name, in order
Row = tuple[tuple[str, str], ...]
Member = str | Row
Matching = Literal["every", "any"]


def digest(text: str) -> str:
    """Return the SHA-256 of a string, which is stored instead of it."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_email(text: str) -> bool:
    """Return whether a string is a plain e-mail address, in lower case."""
    return text == text.lower() and _EMAIL(text) is not None


class Records(NamedTuple):
    """The records of one request.

    How many there are, how many of them are not identifiers, and the members that the others name.
    """

    received: int
    invalid: int
    members: frozenset[Member]


def member(record: str, list_type: str) -> str | None:
    """Return the digest of a record; None if Pinterest's description does not accept it.

    docs/pinterest-api.md: Customer lists. Any combination of e-mails, MAIDs and IDFAs; e-mails in
    lower case, plain or hashed, the others hashed. A digest is stored as it is: the SHA-1 and the
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


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


# docs/pinterest-api.md: Customer lists: records_v2. What is an identifier of each name: a digest,
# a plain e-mail or device id in lower case, an address, and of the others any text
_IS: Final[Mapping[str, Callable[[str], object]]] = {
    "email": lambda text: member(text, "EMAIL"),
    "maid": lambda text: _DIGEST(text) or _DEVICE_ID(text),
    "hashed_phone_number": _DIGEST,
    "hashed_pinner_id": _DIGEST,
    "external_id": str.strip,
    "liveramp_envelope": str.strip,
    "ip_address": _is_address,
    "user_agent": str.strip,
}
ROW_FIELDS: Final = tuple(_IS)
_HASHED: Final = frozenset({"email", "maid", "hashed_phone_number", "hashed_pinner_id"})
_PAIR: Final = frozenset({"ip_address", "user_agent"})  # they identify only together


def row(given: Mapping[str, str]) -> Row | None:
    """Return a row's digests; None if one is not an identifier, or they identify nobody."""
    if not all(_IS[name](text) for name, text in given.items()):
        return None
    if not (given.keys() - _PAIR or given.keys() >= _PAIR):
        return None
    return tuple((name, _digest(name, given[name])) for name in ROW_FIELDS if name in given)


def parse_rows(rows: Sequence[Mapping[str, str]]) -> Records:
    """Read an array of rows."""
    found = [row(given) for given in rows]
    return Records(len(rows), found.count(None), frozenset(one for one in found if one is not None))


def without(
    held: frozenset[Member], removed: frozenset[Member], matching: Matching
) -> frozenset[Member]:
    """Return the members that are left after a removal.

    It is not known which identifiers of a row a removal must name: `every` hashed one (all of them
    if none is hashed), or `any` of these.
    """
    named_with: dict[str, list[frozenset[str]]] = {}
    for one in removed:
        digests = frozenset(_digests(one))
        for digest in digests:
            named_with.setdefault(digest, []).append(digests)

    def is_found(one: Member) -> bool:
        wanted = frozenset(_digests(one, _HASHED)) or frozenset(_digests(one))
        found = [digests for digest in wanted for digests in named_with.get(digest, ())]
        return bool(found) if matching == "any" else any(wanted <= digests for digests in found)

    return frozenset(one for one in held if not is_found(one))


def shown(members: Iterable[Member]) -> list[str | dict[str, str]]:
    """Return members for JSON, sorted: a digest, or the digests of a row by name."""
    return [dict(one) if isinstance(one, tuple) else one for one in sorted(members, key=repr)]


def count_names(members: Iterable[Member]) -> list[tuple[str, int]]:
    """Return how many of the rows have each identifier, in the order of `ROW_FIELDS`."""
    counts = Counter(name for one in members if isinstance(one, tuple) for name, _ in one)
    return [(name, counts[name]) for name in ROW_FIELDS if counts[name]]


def _digests(one: Member, names: frozenset[str] = frozenset(ROW_FIELDS)) -> list[str]:
    if isinstance(one, str):
        return [one]
    return [digest for name, digest in one if name in names]


def _digest(name: str, text: str) -> str:
    """Return the digest to store; a digest is stored as it is only if the field accepts digests."""
    if name in _HASHED and _DIGEST(text):
        return text
    return digest(text)

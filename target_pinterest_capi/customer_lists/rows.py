"""Rows of several identifiers: how a person's identifiers form rows, and whose a row is.

Pure functions. Hashes nothing but the key of a record.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from target_pinterest_capi.events import hashing
from target_pinterest_capi.pinterest.list_records import ListRow

# In a row, by Pinterest's names. docs/pinterest-api.md: Customer lists
HASHED_FIELDS: Final = ("email", "maid", "hashed_phone_number")
PLAIN_FIELDS: Final = ("external_id", "ip_address", "user_agent")
NAMING_FIELDS: Final = (*HASHED_FIELDS, "external_id")  # each identifies a person by itself
KEY: Final = "key"  # the name of an identity that is a record's key

Identity = tuple[str, str]  # a name and a value: two rows that share one are of one person
RecordedIdentity = tuple[str, bytes]  # with the digest of the value, for a database


def rows_of(found: Mapping[str, Sequence[str]], *, needs_hashed: bool) -> tuple[ListRow, ...]:
    """Return the rows for a person's identifiers, which are keyed by the fields of a row.

    The first row has one of each; further hashed identifiers make further rows. The same
    identifiers make the same rows in any order. There is no row if they identify nobody, or if a
    hashed one is required and missing.
    """
    columns = {
        **{name: sorted(found.get(name, ())) for name in HASHED_FIELDS},
        **{name: found.get(name, ())[:1] for name in PLAIN_FIELDS},
    }
    rows = tuple(
        ListRow(**dict(zip(columns, values, strict=True)))
        for values in zip_longest(*columns.values())
    )
    is_known = any(columns[name] for name in HASHED_FIELDS)
    if needs_hashed and not is_known:
        return ()
    return rows if is_known or list(identities_of(rows)) else ()


def identities_of(rows: Sequence[ListRow]) -> Iterator[Identity]:
    """Yield what identifies the rows' person; an address with a user agent only if alone."""
    for row in rows:
        given = row.given()
        named = [(name, given[name]) for name in NAMING_FIELDS if name in given]
        yield from named
        if not named and row.ip_address is not None and row.user_agent is not None:
            yield "pair", f"{row.ip_address}\0{row.user_agent}"


def recorded_identities(row: ListRow, key: Identity | None) -> Iterator[RecordedIdentity]:
    """Yield what a database records of a row and of its record's key."""
    for name, value in (*identities_of([row]), *([key] if key else [])):
        digest = value if name in HASHED_FIELDS or name == KEY else hashing.digest(value)
        yield name, bytes.fromhex(digest)


def key_identity(stream: str, key: Mapping[str, str]) -> Identity:
    """Return the identity that is the key of a stream's record, as a digest."""
    parts = [stream, *(part for pair in sorted(key.items()) for part in pair)]
    return KEY, hashing.digest("\0".join(parts))

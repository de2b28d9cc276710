"""What the sandbox remembers, as rows: a request, a change of a list, an event."""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec

from target_pinterest_capi.sandbox.identifiers import Member

Row = TypeVar("Row")


class RequestRow(NamedTuple):
    """One request: its number in order of arrival (from 1), and how it ended.

    `status` is None where no whole answer was given. `events` is how many events were read,
    `processed` and `failed` how many of them ended so. `refused` says why the whole request failed,
    `faults` which faults acted on it. `bytes` is the body's size. `list_id`, `operation` (CREATE,
    ADD, REMOVE) and `records` are there where it changed a customer list.
    """

    number: int
    endpoint: str
    ad_account_id: str
    at: float
    bytes: int
    status: int | None
    test: bool = False
    events: int = 0
    processed: int = 0
    failed: int = 0
    refused: str = ""
    faults: tuple[str, ...] = ()
    method: str = "POST"
    list_id: str = ""
    operation: str = ""
    records: int = 0


class UpdateRow(NamedTuple):
    """One change of a customer list: CREATE, ADD or REMOVE.

    `records` came with it, of which `invalid` were not identifiers; `members` are the digests of
    the others, each once; `changed` is how many members came, or left, by it.
    """

    request: int
    list_id: str
    ad_account_id: str
    at: float
    operation: str
    records: int
    invalid: int
    changed: int
    members: frozenset[Member]


class Extent(NamedTuple):
    """How much a store has received: a reader compares it to see whether there is anything new.

    `requests` and `events` count since the last of the `resets`; the rows in memory are the last
    ones. `in_flight` is how many requests have not ended.
    """

    resets: int
    requests: int
    events: int
    in_flight: int


class EventRow(NamedTuple):
    """One event of a live request, as received.

    `duplicate` if Pinterest would have removed it as one.
    """

    request: int
    position: int
    ad_account_id: str
    status: str
    error: str
    warning: str
    duplicate: bool
    event: Mapping[str, Any]


class KeptEvent(NamedTuple):
    """An EventRow whose event is still encoded."""

    request: int
    position: int
    ad_account_id: str
    status: str
    error: str
    warning: str
    duplicate: bool
    encoded: bytes

    def decoded(self) -> EventRow:
        """Return the row with its event as received."""
        return EventRow(*self[:-1], msgspec.json.decode(self.encoded))


# The members of a KeptEvent. Encoded, an event takes a third of the memory, and the garbage
# collector leaves plain tuples alone
Kept = tuple[int, int, str, str, str, str, bool, bytes]


def newest(
    rows: deque[Row], taken: int, after: int, before: int | None, most: int | None
) -> list[tuple[int, Row]]:
    """Return the rows between two places, counted from the end of `rows`.

    The place of the last row is `taken`.
    """
    skipped = 0 if before is None else max(0, taken - before + 1)
    wanted = max(0, min(len(rows), taken - after) - skipped)
    count = wanted if most is None else min(wanted, most)
    return list(
        zip(
            range(taken - skipped, 0, -1),
            islice(reversed(rows), skipped, skipped + count),
            strict=False,
        )
    )

"""What the sandbox remembers: requests, events, lists, audiences, grants, counters, rate windows.

Promises that events and requests come back in the order of their answers and the updates of lists
in the order of their effect, that counters go on when the oldest rows are let go, and that any
thread may read while the server writes. Never judges anything, and never keeps a token or a plain
identifier of a list's member.
"""

import os
import threading
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from target_pinterest_capi.sandbox.answers import Answer, Change
from target_pinterest_capi.sandbox.audiences import Audience
from target_pinterest_capi.sandbox.customer_lists import StoredList
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.rates import FRESH, Window

DEDUPLICATION_SECONDS: Final = 24 * 3600  # sources say 24 to 48 hours: the shorter one
# Outside of strings these are the only line ends that JSON may hold
LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")

_Row = TypeVar("_Row")


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

    `records` came with it, of which `invalid` were no identifiers; `members` are the digests of the
    others, each once; `changed` is how many of these were not members before, or were until now.
    """

    request: int
    list_id: str
    ad_account_id: str
    at: float
    operation: str
    records: int
    invalid: int
    changed: int
    members: frozenset[str]


class Extent(NamedTuple):
    """How much a store has taken: what a reader compares to know whether there is anything new.

    `requests` and `events` count since the last of the `resets`; the rows that are remembered are
    the last ones of them. `in_flight` is how many requests have not ended.
    """

    resets: int
    requests: int
    events: int
    in_flight: int


class EventRow(NamedTuple):
    """One event of a live request, as it came.

    `duplicate` where Pinterest would have removed it as one.
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
        """Return the row with its event as it came."""
        return EventRow(*self[:-1], msgspec.json.decode(self.encoded))


# The members of a KeptEvent. Encoded, an event takes a third of the memory, and the garbage
# collector leaves plain tuples alone
_Kept = tuple[int, int, str, str, str, str, bool, bytes]


class Store:
    """The memory of one sandbox.

    Args:
        keep: how many events, how many requests, how many keys for deduplication and how many
            members of updates are remembered, the latest ones. Counters count all of them. Lists,
            audiences and grants are remembered whole.
        record_bodies: a file to which the body of each accepted request is appended, one line each.
    """

    def __init__(self, keep: int = 100_000, record_bodies: Path | None = None) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._in_flight = 0
        self._resets = -1
        self._bodies = None
        if record_bodies is not None:
            private = os.open(record_bodies, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self._bodies = os.fdopen(private, "ab", buffering=0)
        self.reset()

    def reset(self) -> None:
        """Forget everything but the file of bodies."""
        with self._lock:
            self._resets += 1
            self._numbers = 0
            self._requests: deque[RequestRow] = deque(maxlen=self._keep)
            self._events: deque[_Kept] = deque(maxlen=self._keep)
            self._keys: dict[tuple[str, str, str], float] = {}
            self._windows: dict[tuple[str, str], Window] = {}
            self._lists: dict[str, StoredList] = {}
            self._updates: deque[UpdateRow] = deque()
            self._updates_size = 0
            self._audiences: dict[str, Audience] = {}
            self._grants = NONE_YET
            self._counters: Counter[str] = Counter()

    def close(self) -> None:
        """Close the file of bodies."""
        if self._bodies is not None:
            self._bodies.close()

    def number_request(self) -> int:
        """Count a request that was received in full, and return its number."""
        with self._lock:
            self._numbers += 1
            self._in_flight += 1
            self._counters["most_in_flight"] = max(
                self._counters["most_in_flight"], self._in_flight
            )
            return self._numbers

    def window(self, counted: str, ad_account_id: str = "") -> Window:
        """Return the calls of a rate category so far, of an ad account where each has its own."""
        return self._windows.get((counted, ad_account_id), FRESH)

    def keep_window(self, window: Window, counted: str, ad_account_id: str = "") -> None:
        """Keep the next window of a rate category."""
        with self._lock:
            if window.calls:
                self._windows[counted, ad_account_id] = window

    def keep_answer(
        self, number: int, ad_account_id: str, answer: Answer, now: float, body: bytes
    ) -> None:
        """Keep what one answer leaves: a list, an audience, grants, or a live request's events."""
        with self._lock:
            self._keep_state(number, answer, now)
            if not answer.verdicts:
                return
            if self._bodies is not None:
                self._bodies.write(body.translate(LINE_ENDS) + b"\n")
            if not answer.test:
                self._keep_events(number, ad_account_id, answer, now)

    def _keep_state(self, number: int, answer: Answer, now: float) -> None:
        kept = answer.kept
        if isinstance(kept, StoredList) and answer.change is not None:
            before = self._lists.get(kept.id)
            self._lists[kept.id] = kept
            changed = len(kept.members ^ before.members) if before else len(kept.members)
            self._keep_update(
                UpdateRow(
                    number,
                    kept.id,
                    kept.ad_account_id,
                    now,
                    *_counted(answer.change),
                    changed,
                    answer.change.members,
                )
            )
        elif isinstance(kept, Audience):
            self._audiences[kept.id] = kept
            self._counters["audiences_created"] += 1
        elif isinstance(kept, Grants):
            self._counters["tokens_issued"] += len(kept.issued) - len(self._grants.issued)
            self._counters["refresh_tokens_replaced"] += kept.rotations - self._grants.rotations
            self._grants = kept

    def _keep_update(self, row: UpdateRow) -> None:
        self._counters["lists_created"] += row.operation == "CREATE"
        self._counters["list_updates"] += row.operation != "CREATE"
        self._counters["list_records"] += row.records
        self._counters["list_records_invalid"] += row.invalid
        self._counters["members_removed" if row.operation == "REMOVE" else "members_added"] += (
            row.changed
        )
        self._updates.append(row)
        self._updates_size += len(row.members)
        while self._updates_size > self._keep:
            self._updates_size -= len(self._updates.popleft().members)

    def _keep_events(self, number: int, ad_account_id: str, answer: Answer, now: float) -> None:
        failed = warnings = duplicates = 0
        for position, (event, verdict) in enumerate(
            zip(answer.events, answer.verdicts, strict=True)
        ):
            duplicate = not verdict.error and self._repeats(ad_account_id, event, now)
            failed += bool(verdict.error)
            warnings += bool(verdict.warning)
            duplicates += duplicate
            if self._keep:
                status = "failed" if verdict.error else "processed"
                encoded = msgspec.json.encode(event)
                self._events.append(
                    (
                        number,
                        position,
                        ad_account_id,
                        status,
                        verdict.error,
                        verdict.warning,
                        duplicate,
                        encoded,
                    )
                )
        counts = {
            "events_received": len(answer.events),
            "events_processed": len(answer.events) - failed,
            "events_failed": failed,
            "events_with_warning": warnings,
            "duplicates": duplicates,
        }
        self._counters.update({name: count for name, count in counts.items() if count})

    def _repeats(self, ad_account_id: str, event: Mapping[str, Any], now: float) -> bool:
        """Return whether Pinterest would remove the event as a duplicate.

        Offline ones are never removed (docs/pinterest-api.md: The event).
        """
        if event["action_source"] == "offline" or not self._keep:
            return False
        key = (ad_account_id, event["event_name"], event["event_id"])
        first = self._keys.get(key)
        if first is not None and now - first < DEDUPLICATION_SECONDS:
            return True
        self._keys.pop(key, None)  # an old one moves to the end, so that the oldest stands first
        self._keys[key] = now
        if len(self._keys) > self._keep:
            del self._keys[next(iter(self._keys))]
        return False

    def finish_request(self, row: RequestRow) -> None:
        """Remember how a numbered request ended."""
        with self._lock:
            self._in_flight -= 1
            self._requests.append(row)
            self._counters["requests"] += 1
            self._counters["test_requests"] += row.test
            self._counters[f"status_{row.status or 'none'}"] += 1
            self._counters.update(f"fault_{name}" for name in row.faults)

    def count_occurrence(self, name: str) -> None:
        """Count something that is neither a request nor an event."""
        with self._lock:
            self._counters[name] += 1

    def requests(self) -> list[RequestRow]:
        """Return the requests that are remembered, in the order of their ends."""
        with self._lock:
            return list(self._requests)

    def events(self, status: str | None = "processed") -> list[EventRow]:
        """Return the events of live requests that are remembered, in the order they were received.

        Those of one status; all of them for None.
        """
        with self._lock:
            rows = [row for row in self._events if status in (None, row[3])]
        return [KeptEvent(*row).decoded() for row in rows]

    def extent(self) -> Extent:
        """Return how much there is, without any of it."""
        with self._lock:
            return Extent(
                self._resets,
                self._counters["requests"],
                self._counters["events_received"],
                self._in_flight,
            )

    def newest_events(
        self, after: int = 0, before: int | None = None, most: int | None = None
    ) -> Iterator[tuple[int, KeptEvent]]:
        """Return the remembered events, newest first, each with its place.

        Place 1 is the first event since the last reset.

        Args:
            after: only those that came after this place.
            before: only those that came before this place.
            most: how many at most.
        """
        with self._lock:
            rows = _newest(self._events, self._counters["events_received"], after, before, most)
        return ((place, KeptEvent(*row)) for place, row in rows)

    def newest_requests(
        self, after: int = 0, before: int | None = None
    ) -> list[tuple[int, RequestRow]]:
        """Return the remembered requests, the last to end first, each with its place.

        `after` and `before` are as for events.
        """
        with self._lock:
            return _newest(self._requests, self._counters["requests"], after, before, None)

    def requests_of(self, numbers: Collection[int]) -> dict[int, RequestRow]:
        """Return the requests of these numbers that have ended and are remembered."""
        wanted, found = set(numbers), {}
        with self._lock:
            for row in reversed(self._requests):
                if not wanted:
                    break
                if row.number in wanted:
                    wanted.remove(row.number)
                    found[row.number] = row
        return found

    def lists(self) -> list[StoredList]:
        """Return the customer lists as they are, in the order they were made."""
        with self._lock:
            return list(self._lists.values())

    def members(self, list_id: str) -> frozenset[str]:
        """Return the digests of a list's members.

        Raises:
            KeyError: there is no such list.
        """
        return self._lists[list_id].members

    def updates(self, list_id: str | None = None) -> list[UpdateRow]:
        """Return the changes of lists that are remembered, in the order they took effect.

        Those of one list, or of all.
        """
        with self._lock:
            return [row for row in self._updates if list_id in (None, row.list_id)]

    def audiences(self) -> list[Audience]:
        """Return the audiences, in the order they were made."""
        with self._lock:
            return list(self._audiences.values())

    def grants(self) -> Grants:
        """Return what OAuth has issued, without the tokens."""
        return self._grants

    def event_ids(self) -> Counter[str]:
        """Return how often each event id was processed, among the remembered events."""
        return Counter(row.event["event_id"] for row in self.events())

    def counters(self) -> dict[str, int]:
        """Return everything counted since the last reset, by name, without what never was."""
        with self._lock:
            return {name: count for name, count in sorted(self._counters.items()) if count}


def _newest(
    rows: deque[_Row], taken: int, after: int, before: int | None, most: int | None
) -> list[tuple[int, _Row]]:
    """Return the rows between two places, counted from the end of `rows`.

    The last of the `taken` rows stands there.
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


def _counted(change: Change) -> tuple[str, int, int]:
    return change.operation, change.records, change.invalid

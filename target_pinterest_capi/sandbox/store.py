"""What the sandbox remembers: requests, events, lists, grants and the like, counters, rate windows.

Events and requests are returned in the order of their answers, and updates of lists in the order of
their effect; counters continue when the oldest rows are dropped; and any thread may read while the
server writes. Never judges anything, and never stores a token or a plain identifier of a list's
member.
"""

import os
import threading
from collections import Counter, deque
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

from target_pinterest_capi.sandbox.answers import Answer, Change
from target_pinterest_capi.sandbox.audiences import Audience
from target_pinterest_capi.sandbox.customer_lists import StoredList
from target_pinterest_capi.sandbox.deduplication import SeenEvents
from target_pinterest_capi.sandbox.defined_events import Names, StoredEventNames
from target_pinterest_capi.sandbox.deletion_requests import StoredDeletion
from target_pinterest_capi.sandbox.identifiers import Member
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.rates import FRESH, Window
from target_pinterest_capi.sandbox.rows import (
    EventRow,
    Extent,
    Kept,
    KeptEvent,
    RequestRow,
    UpdateRow,
    newest,
)

# Outside of strings these are the only line ends that JSON can have
LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")


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
        """Forget everything except the file of bodies."""
        with self._lock:
            self._resets += 1
            self._numbers = 0
            self._requests: deque[RequestRow] = deque(maxlen=self._keep)
            self._events: deque[Kept] = deque(maxlen=self._keep)
            self._seen = SeenEvents(self._keep)
            self._windows: dict[tuple[str, str], Window] = {}
            self._lists: dict[str, StoredList] = {}
            self._updates: deque[UpdateRow] = deque()
            self._updates_size = 0
            self._audiences: dict[str, Audience] = {}
            self._deletions: dict[str, StoredDeletion] = {}
            self._defined_events: dict[str, StoredEventNames] = {}
            self._grants = NONE_YET
            self._counters: Counter[str] = Counter()

    def close(self) -> None:
        """Close the file of bodies."""
        if self._bodies is not None:
            self._bodies.close()

    def number_request(self) -> int:
        """Count a request that was received completely, and return its number."""
        with self._lock:
            self._numbers += 1
            self._in_flight += 1
            self._counters["most_in_flight"] = max(
                self._counters["most_in_flight"], self._in_flight
            )
            return self._numbers

    def window(self, counted: str, ad_account_id: str = "") -> Window:
        """Return the current window of a rate category, of an ad account if each has its own."""
        return self._windows.get((counted, ad_account_id), FRESH)

    def keep_window(self, window: Window, counted: str, ad_account_id: str = "") -> None:
        """Store the next window of a rate category."""
        with self._lock:
            if window.calls:
                self._windows[counted, ad_account_id] = window

    def keep_answer(
        self, number: int, ad_account_id: str, answer: Answer, now: float, body: bytes
    ) -> None:
        """Store the result of one answer: its `kept`, or a live request's events."""
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
        elif isinstance(kept, StoredDeletion):
            what = "cancelled" if kept.is_cancelled else "created"
            self._counters[f"deletion_requests_{what}"] += 1
            self._deletions[kept.id] = kept
        elif isinstance(kept, StoredEventNames):
            self._counters["defined_events_changed"] += kept.changed
            self._defined_events[kept.ad_account_id] = kept
        elif isinstance(kept, Grants):
            self._keep_grants(kept)

    def keep_grants(self, kept: Grants) -> None:
        """Store the grants after a user's consent."""
        with self._lock:
            self._keep_grants(kept)

    def _keep_grants(self, kept: Grants) -> None:
        before = self._grants
        self._counters["codes_issued"] += len(kept.codes) - len(before.codes)
        self._counters["tokens_issued"] += len(kept.issued) - len(before.issued)
        self._counters["refresh_tokens_replaced"] += kept.rotations - before.rotations
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
            duplicate = not verdict.error and self._seen.repeats(ad_account_id, event, now)
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
        """Return the requests in memory, in the order of their ends."""
        with self._lock:
            return list(self._requests)

    def events(self, status: str | None = "processed") -> list[EventRow]:
        """Return the events of live requests in memory, in the order they were received.

        Those with one status; all of them for None.
        """
        with self._lock:
            rows = [row for row in self._events if status in (None, row[3])]
        return [KeptEvent(*row).decoded() for row in rows]

    def extent(self) -> Extent:
        """Return how much there is, without the data."""
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
            rows = newest(self._events, self._counters["events_received"], after, before, most)
        return ((place, KeptEvent(*row)) for place, row in rows)

    def newest_requests(
        self, after: int = 0, before: int | None = None
    ) -> list[tuple[int, RequestRow]]:
        """Return the remembered requests, the last to end first, each with its place.

        `after` and `before` are as for events.
        """
        with self._lock:
            return newest(self._requests, self._counters["requests"], after, before, None)

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

    def members(self, list_id: str) -> frozenset[Member]:
        """Return a list's members: digests, or rows of them.

        Raises: KeyError: the list does not exist.
        """
        return self._lists[list_id].members

    def updates(self, list_id: str | None = None) -> list[UpdateRow]:
        """Return the changes of lists in memory, in the order of their effect.

        Those of one list, or of all.
        """
        with self._lock:
            return [row for row in self._updates if list_id in (None, row.list_id)]

    def audiences(self) -> list[Audience]:
        """Return the audiences, in the order they were made."""
        with self._lock:
            return list(self._audiences.values())

    def deletion_requests(self) -> list[StoredDeletion]:
        """Return the deletion requests, in the order they were made."""
        with self._lock:
            return list(self._deletions.values())

    def defined_events(self, ad_account_id: str) -> Names | None:
        """Return the event names of an ad account; None if none was changed."""
        held = self._defined_events.get(ad_account_id)
        return None if held is None else held.names

    def grants(self) -> Grants:
        """Return what OAuth has issued, without the tokens."""
        return self._grants

    def event_ids(self) -> Counter[str]:
        """Return how often each event id was processed, among the remembered events."""
        return Counter(row.event["event_id"] for row in self.events())

    def counters(self) -> dict[str, int]:
        """Return all counters since the last reset, by name, except those that are zero."""
        with self._lock:
            return {name: count for name, count in sorted(self._counters.items()) if count}


def _counted(change: Change) -> tuple[str, int, int]:
    return change.operation, change.records, change.invalid

"""Batches: events of one account for one request, limited by count, bytes and age.

A refused batch is bisected to find the bad event.
"""

from collections.abc import Callable, Iterable
from typing import Final

from target_pinterest_capi.events.event import Account, Event

_HEAD: Final = b'{"data":['
_TAIL: Final = b"]}"
FRAME_BYTES: Final = len(_HEAD) + len(_TAIL)
COMMA_BYTES: Final = 1
TEST_EVENTS: Final = 20  # docs/pinterest-api.md: a test request processes its first 20 events only


def max_event_bytes(max_request_bytes: int) -> int:
    """Return the maximum size of an event, which is sent alone if necessary."""
    return max_request_bytes - FRAME_BYTES


class Batch:
    """Events of one request with the sequence number of each, and the number of attempts so far.

    `events`, `sequences` and `keys` are parallel and in order of arrival, so the first sequence is
    the lowest. `keys` are the ledger's, once it is asked: empty without a ledger and for tests.
    `max_rows` is for one that is open.
    """

    __slots__ = (
        "account",
        "attempts",
        "depth",
        "events",
        "first_attempt_at",
        "keys",
        "max_rows",
        "opened_at",
        "sequences",
        "size_bytes",
    )

    def __init__(
        self, account: Account, opened_at: float, depth: int = 0, max_rows: int = 0
    ) -> None:
        self.account = account
        self.opened_at = opened_at
        self.depth = depth
        self.max_rows = max_rows
        self.events: list[Event] = []
        self.sequences: list[int] = []
        self.keys: list[int] = []
        self.size_bytes = FRAME_BYTES
        self.attempts = 0
        self.first_attempt_at: float | None = None

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        return f"Batch({len(self.events)} events, {self.size_bytes} bytes, {self.account!r})"

    def append(self, event: Event, sequence: int, key: int | None = None) -> None:
        """Append an event."""
        self.events.append(event)
        self.sequences.append(sequence)
        self.size_bytes += len(event.body) + COMMA_BYTES
        if key is not None:
            self.keys.append(key)

    def body(self) -> bytes:
        """Return the request's JSON, joined from the events' own bytes."""
        bodies = [event.body for event in self.events]
        bodies[0] = _HEAD + bodies[0]  # here and not below, where it copies the whole
        bodies[-1] += _TAIL
        return b",".join(bodies)

    def pick(self, positions: Iterable[int], *, deeper: bool = False) -> "Batch":
        """Return a batch of some of the events, with the same start of the retry time.

        `deeper` if it bisects this batch.
        """
        part = Batch(self.account, self.opened_at, self.depth + deeper)
        part.first_attempt_at = self.first_attempt_at
        for position in positions:
            key = self.keys[position] if self.keys else None
            part.append(self.events[position], self.sequences[position], key)
        return part

    def halves(self) -> tuple["Batch", "Batch"]:
        """Split in two: nothing lost, nothing duplicated, order kept."""
        middle = len(self.events) // 2
        first = self.pick(range(middle), deeper=True)
        second = self.pick(range(middle, len(self.events)), deeper=True)
        return first, second


class Batches:
    """The open batch of each account.

    A batch is sent when it has `max_rows`, before it exceeds `max_bytes`, or when it is due. A
    batch of tests has no more events than Pinterest processes.
    """

    def __init__(
        self, *, max_rows: int, max_bytes: int, wait_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._open: dict[Account, Batch] = {}

    def collect_event(self, event: Event, sequence: int) -> bool:
        """Add an event, if no batch must be opened or sent because of it; return whether it was."""
        batch = self._open.get(event.account)
        if batch is None:
            return False
        events = batch.events
        size_bytes = batch.size_bytes + len(event.body) + COMMA_BYTES
        if size_bytes > self._max_bytes or len(events) + 1 >= batch.max_rows:
            return False
        # `append` inlined, because this runs for every event.
        events.append(event)
        batch.sequences.append(sequence)
        batch.size_bytes = size_bytes
        return True

    def add_event(self, event: Event, sequence: int) -> Batch | None:
        """Add an event that fits; return the batch that must be sent because of it, if any."""
        account = event.account
        batch = self._open.get(account)
        full = None
        if batch is None or batch.size_bytes + len(event.body) + COMMA_BYTES > self._max_bytes:
            is_test = account.mode == "test"
            max_rows = min(self._max_rows, TEST_EVENTS) if is_test else self._max_rows
            full, batch = batch, Batch(account, self._clock(), max_rows=max_rows)
            self._open[account] = batch
        batch.append(event, sequence)
        if full is None and len(batch) >= batch.max_rows:
            full = self._open.pop(account)
        return full

    def pop_due(self, now: float) -> list[Batch]:
        """Remove and return the batches that have waited long enough."""
        due = [
            account
            for account, batch in self._open.items()
            if now >= batch.opened_at + self._wait_seconds  # exactly as in `next_due_at`
        ]
        return [self._open.pop(account) for account in due]

    def pop_all(self) -> list[Batch]:
        """Remove and return every open batch."""
        batches = list(self._open.values())
        self._open.clear()
        return batches

    def next_due_at(self) -> float | None:
        """Return when the oldest open batch is due, or None."""
        if not self._open:
            return None
        return min(batch.opened_at for batch in self._open.values()) + self._wait_seconds

    @property
    def undecided(self) -> int:
        """How many events are in open batches."""
        return sum(len(batch) for batch in self._open.values())

    def oldest_sequence(self) -> int | None:
        """Return the lowest sequence number of any open batch."""
        return min((batch.sequences[0] for batch in self._open.values()), default=None)

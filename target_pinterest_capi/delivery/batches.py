"""Batches: events of one account that go in one request, cut by count, bytes and age, and halved to isolate a culprit."""

from collections.abc import Callable, Iterable
from typing import Final

from target_pinterest_capi.events.event import Account, Event

_HEAD: Final = b'{"data":['
_TAIL: Final = b"]}"
FRAME_BYTES: Final = len(_HEAD) + len(_TAIL)


class Batch:
    """Events of one request with the sequence number of each, and what its attempts have come to.

    `events`, `sequences` and `keys` are parallel and in order of arrival, so that the first sequence is the lowest; keys are
    the ledger's, and there are none without one.
    """

    __slots__ = (
        "account",
        "attempts",
        "depth",
        "events",
        "first_attempt_at",
        "keys",
        "opened_at",
        "sequences",
        "size_bytes",
    )

    def __init__(self, account: Account, opened_at: float, depth: int = 0) -> None:
        self.account = account
        self.opened_at = opened_at
        self.depth = depth
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
        """Take one more event."""
        self.events.append(event)
        self.sequences.append(sequence)
        self.size_bytes += len(event.body) + 1
        if key is not None:
            self.keys.append(key)

    def body(self) -> bytes:
        """Give the request's JSON, joined from the events' own bytes."""
        return _HEAD + b",".join([event.body for event in self.events]) + _TAIL

    def pick(self, positions: Iterable[int], *, deeper: bool = False) -> "Batch":
        """Give a batch of some of the events, with the retry budget already begun; `deeper` where it isolates a culprit."""
        part = Batch(self.account, self.opened_at, self.depth + deeper)
        part.first_attempt_at = self.first_attempt_at
        for position in positions:
            part.append(
                self.events[position],
                self.sequences[position],
                self.keys[position] if self.keys else None,
            )
        return part

    def halves(self) -> tuple["Batch", "Batch"]:
        """Split in two: nothing lost, nothing doubled, order kept."""
        middle = len(self.events) // 2
        return self.pick(range(middle), deeper=True), self.pick(
            range(middle, len(self.events)), deeper=True
        )


class Batches:
    """The open batch of each account. A batch leaves when it has `max_rows`, before it passes `max_bytes`, or when it is due."""

    def __init__(
        self, *, max_rows: int, max_bytes: int, wait_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._open: dict[Account, Batch] = {}

    def add(self, event: Event, sequence: int, key: int | None = None) -> Batch | None:
        """Take an event that fits; give the batch that has to leave because of it, if any."""
        size = len(event.body) + 1
        batch = self._open.get(event.account)
        full = None
        if batch is None or batch.size_bytes + size > self._max_bytes:
            full, batch = batch, Batch(event.account, self._clock())
            self._open[event.account] = batch
        # what `append` does, in place: it is done for every event
        events = batch.events
        events.append(event)
        batch.sequences.append(sequence)
        batch.size_bytes += size
        if key is not None:
            batch.keys.append(key)
        if full is None and len(events) >= self._max_rows:
            full = self._open.pop(event.account)
        return full

    def take_due(self, now: float) -> list[Batch]:
        """Give the batches that have waited long enough."""
        due = [
            account
            for account, batch in self._open.items()
            if now - batch.opened_at >= self._wait_seconds
        ]
        return [self._open.pop(account) for account in due]

    def take_all(self) -> list[Batch]:
        """Give every open batch."""
        batches = list(self._open.values())
        self._open.clear()
        return batches

    def next_due_at(self) -> float | None:
        """Give the time at which the oldest open batch is due; None when none is open."""
        return (
            min((batch.opened_at for batch in self._open.values()), default=float("inf"))
            + self._wait_seconds
            if self._open
            else None
        )

    @property
    def undecided(self) -> int:
        """How many events are in open batches."""
        return sum(len(batch) for batch in self._open.values())

    def oldest_sequence(self) -> int | None:
        """Give the lowest sequence number of any open batch."""
        return min((batch.sequences[0] for batch in self._open.values()), default=None)

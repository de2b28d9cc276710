"""Batches whose events another run has claimed in the same ledger, until they are claimed again.

The ledger is asked at intervals whether the other run delivered or released them. Their records are
not acknowledged as long as they wait.
"""

import heapq
import itertools
from typing import Final

from target_pinterest_capi.delivery.batches import Batch

RETRY_SECONDS: Final = 1.0
# If more wait, reading waits.
MAX_HELD_BATCHES: Final = 500
MAX_HELD_BYTES: Final = 16_000_000


class HeldBatches:
    """Batches that wait, each with the time at which its keys are claimed again."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Batch]] = []
        self._number = itertools.count()
        self._size_bytes = 0
        self.undecided = 0  # events that wait

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether more may wait."""
        return len(self._waiting) < MAX_HELD_BATCHES and self._size_bytes < MAX_HELD_BYTES

    def push(self, batch: Batch, now: float) -> None:
        """Let a batch wait."""
        heapq.heappush(self._waiting, (now + RETRY_SECONDS, next(self._number), batch))
        self._count(batch, 1)

    def pop_due(self, now: float) -> list[Batch]:
        """Remove and return the batches that have waited long enough."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            batch = heapq.heappop(self._waiting)[2]
            self._count(batch, -1)
            due.append(batch)
        return due

    def next_due_at(self) -> float | None:
        """Return when the next batch is due, or None."""
        return self._waiting[0][0] if self._waiting else None

    def oldest_sequence(self) -> int | None:
        """Return the lowest sequence number of any event that waits."""
        return min((batch.sequences[0] for _, _, batch in self._waiting), default=None)

    def _count(self, batch: Batch, sign: int) -> None:
        self.undecided += sign * len(batch)
        self._size_bytes += sign * batch.size_bytes

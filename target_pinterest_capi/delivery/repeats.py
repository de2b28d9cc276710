"""Repeats within a run: an event whose key is open or in flight waits, and is decided when the first one is."""

from collections import deque
from typing import Final

from target_pinterest_capi.events.event import Event

MAX_WAITING: Final = 20_000  # reading waits beyond: a constant event_id must not fill the memory


class Repeats:
    """Keys that are under way, each with the repeats that wait for it."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, deque[tuple[Event, int]]] = {}
        self._sequences: set[int] = set()

    @property
    def has_room(self) -> bool:
        """Tell whether more repeats may wait."""
        return len(self._sequences) < MAX_WAITING

    def claim(self, key: bytes, event: Event, sequence: int) -> bool:
        """Begin a key, or let the event wait for it: tells whether the event is the first."""
        if key not in self._waiting:
            self._waiting[key] = deque()
            return True
        self._waiting[key].append((event, sequence))
        self._sequences.add(sequence)
        return False

    def delivered(self, key: bytes) -> list[tuple[Event, int]]:
        """End a key that was delivered; give its repeats, which need not be sent."""
        repeats = list(self._waiting.pop(key, ()))
        self._sequences.difference_update(sequence for _, sequence in repeats)
        return repeats

    def failed(self, key: bytes) -> tuple[Event, int] | None:
        """Give the next repeat of a key that was not delivered, to be sent in its place; None ends the key."""
        waiting = self._waiting.get(key)
        if not waiting:
            self._waiting.pop(key, None)
            return None
        repeat = waiting.popleft()
        self._sequences.discard(repeat[1])
        return repeat

    def oldest_sequence(self) -> int | None:
        """Give the lowest number of a record that waits."""
        return min(self._sequences, default=None)

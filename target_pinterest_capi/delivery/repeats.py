"""Repeats within a run: an event with a key in flight waits for the first one's outcome.

Which one is the first is decided when batches are sent, and two entries of an account have batches
of their own: it may have come after its repeats, and STATE stays before all of them.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from target_pinterest_capi.events.event import Event

_UNCERTAIN: Final[deque[tuple[Event, int]]] = deque()  # instead of a queue; stays empty
# If more wait, reading waits: a constant event_id must not fill the memory.
MAX_WAITING: Final = 20_000


class Repeats:
    """Keys in flight, each with the repeats that wait for it, if any."""

    def __init__(self) -> None:
        self._under_way: dict[int, deque[tuple[Event, int]] | None] = {}
        self.waiting = 0

    @property
    def has_room(self) -> bool:
        """Whether more repeats may wait."""
        return self.waiting < MAX_WAITING

    def register_new(self, keys: Sequence[int]) -> bool:
        """Register keys if they differ and none is in flight; return whether it is so."""
        new: dict[int, deque[tuple[Event, int]] | None] = dict.fromkeys(keys)
        if len(new) < len(keys) or not self._under_way.keys().isdisjoint(new):
            return False
        self._under_way.update(new)
        return True

    def register(self, key: int, event: Event, sequence: int) -> bool:
        """Return whether the event is the first of its key.

        Otherwise it waits as a repeat, unless the key `is_uncertain`.
        """
        if key not in self._under_way:
            self._under_way[key] = None
            return True
        waiting = self._under_way[key]
        if waiting is _UNCERTAIN:
            return False
        if waiting is None:
            waiting = self._under_way[key] = deque()
        waiting.append((event, sequence))
        self.waiting += 1
        return False

    def end_delivered(self, keys: Iterable[int]) -> list[Event]:
        """End keys that were delivered; return their repeats, which need not be sent."""
        end = self._under_way.pop
        waiting = [end(key, None) for key in keys]
        repeats = [event for queue in waiting if queue for event, _ in queue]
        self.waiting -= len(repeats)
        return repeats

    def end_uncertain(self, key: int) -> list[tuple[Event, int]]:
        """End a key whose event may have been counted; return its repeats. No more will wait."""
        waiting = self._under_way.get(key) or _UNCERTAIN
        self._under_way[key] = _UNCERTAIN
        self.waiting -= len(waiting)
        return list(waiting)

    def is_uncertain(self, key: int) -> bool:
        """Return whether an event of the key may have been counted, so that no other is sent."""
        return self._under_way.get(key) is _UNCERTAIN

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record whose event waits."""
        if not self.waiting:
            return None
        queues = [queue for queue in self._under_way.values() if queue]
        return min(sequence for queue in queues for _, sequence in queue)

    def next_repeat(self, key: int) -> tuple[Event, int] | None:
        """Return the next repeat of a key that was not delivered, to be sent in its place.

        None ends the key.
        """
        waiting = self._under_way.get(key)
        if not waiting:
            self._under_way.pop(key, None)
            return None
        self.waiting -= 1
        return waiting.popleft()

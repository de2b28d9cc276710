"""Delivered events that repeat an id, and event names with one id for all. Holds hashes, no id.

Pinterest takes two events of an account with one name and one id for the same event. Up to
`MAX_HELD` ids the count is exact; a longer run keeps every second, fourth ... id, chosen by its
hash, so that memory is bounded, and says that its counts are estimates.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from target_pinterest_capi.events.event import Event

MAX_HELD: Final = 50_000  # about 5 MB
MIN_CONSTANT: Final = 10  # one id for fewer events of a name is not called constant


class EventIds:
    """Counts repeats by event name. The caller bounds the number of names."""

    def __init__(self, max_held: int = MAX_HELD) -> None:
        self._max_held = max_held
        self._seen: set[int] = set()
        self._mask = 0  # an id is kept where these bits of its hash are 0
        self._repeats: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        # The one id that a name has so far; None once there is another.
        self._only: dict[str, int | None] = {}
        self._parts = 1  # of a run: each has seen its own events alone

    @property
    def is_exact(self) -> bool:
        """Whether every id was kept, so that `repeated` is no estimate."""
        return not self._mask and self._parts == 1

    def count_ids(self, name: str, events: Sequence[Event]) -> None:
        """Count the ids of events under a name."""
        seen = self._seen
        mask = self._mask
        repeats = 0
        for event in events:
            key = hash((event.name, event.id, event.account.ad_account_id))
            if not key & mask:
                if key in seen:
                    repeats += 1
                else:
                    seen.add(key)
        self._repeats[name] += repeats * (mask + 1)
        self._events[name] += len(events)
        self._compare_ids(name, events)
        while len(self._seen) > self._max_held:
            self._mask = self._mask * 2 + 1
            self._seen = {key for key in self._seen if not key & self._mask}

    def _compare_ids(self, name: str, events: Sequence[Event]) -> None:
        """Keep whether all events of a name have one id so far."""
        is_first = name not in self._only
        only = self._only.get(name)
        if only is None and not is_first:
            return
        ids = {hash(event.id) for event in events}
        if only is not None:
            ids.add(only)
        self._only[name] = ids.pop() if len(ids) == 1 else None

    def merge(self, other: "EventIds", names: Collection[str]) -> None:
        """Add what another part of the same run counted of the names.

        An id in both is no repeat, since neither part saw it twice: counts are exact no longer.
        """
        self._parts += bool(self._events) and bool(names)
        self._mask |= other._mask  # noqa: SLF001 - its own kind
        for name in names:
            only = other._only[name]  # noqa: SLF001 - its own kind
            self._only[name] = only if self._only.get(name, only) == only else None
            self._repeats[name] += other._repeats[name]  # noqa: SLF001 - its own kind
            self._events[name] += other._events[name]  # noqa: SLF001 - its own kind

    def repeated(self, name: str) -> int:
        """Return how many events of a name repeat the id of an earlier one."""
        return min(self._repeats[name], max(0, self._events[name] - 1))

    def is_constant(self, name: str) -> bool:
        """Return whether all events of a name, `MIN_CONSTANT` at least, have one id."""
        return self._events[name] >= MIN_CONSTANT and self._only[name] is not None

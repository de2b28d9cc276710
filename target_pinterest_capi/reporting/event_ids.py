"""Delivered events that repeat an id or have none of their own, and names with one id for all.

Has hashes and no ids. To Pinterest, two events of an account with the same name and id are the same
event. Up to `MAX_HELD` ids the count is exact; a longer run keeps every second, fourth ... id,
chosen by its hash, so that memory is bounded, and marks its counts as estimates.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.redaction import shown_name

MAX_HELD: Final = 50_000  # about 5 MB
MIN_CONSTANT: Final = 10  # for fewer events of a name, one id is not called constant
_NO_EVENT: Final = (0, 0)


class ConstantIds:
    """Finds event names with the same id for all events. The caller bounds the number of names."""

    def __init__(self) -> None:
        # The only id of a name so far, as its hash, with the number of events; None: there are two.
        self._only: dict[str, tuple[int, int] | None] = {}

    def may_be_constant(self, name: str) -> bool:
        """Return whether no two ids of a name have come so far."""
        return self._only.get(name, _NO_EVENT) is not None

    def compare_ids(self, events: Iterable[Event]) -> None:
        """Compare the ids of events of each name."""
        only = self._only
        for event in events:
            found = only.get(event.name, _NO_EVENT)
            if found is not None:
                one, number = found
                given = hash(event.id)
                only[event.name] = (given, number + 1) if not number or one == given else None

    def merge(self, other: "ConstantIds") -> None:
        """Add the comparisons of another part of the same run."""
        for name, theirs in other._only.items():  # noqa: SLF001 - its own kind
            ours = self._only.get(name, _NO_EVENT)
            if ours is None or theirs is None or (ours[1] and ours[0] != theirs[0]):
                self._only[name] = None
            else:
                self._only[name] = (theirs[0], ours[1] + theirs[1])

    def names(self) -> dict[str, int]:
        """Return each name with the same id for all its events, at least `MIN_CONSTANT`."""
        found = {name: only[1] for name, only in self._only.items() if only is not None}
        return {name: number for name, number in found.items() if number >= MIN_CONSTANT}


def about_constant_id(name: str, events: str) -> str:
    """Return the sentence about a name whose events, of that number, all have the same id."""
    return (
        f"All {events} events of {shown_name(name)} have the same event_id, and Pinterest counts "
        "only one: map event_id to a column that differs from event to event."
    )


class EventIds:
    """Counts repeats by event name. The caller bounds the number of names."""

    def __init__(self, max_held: int = MAX_HELD) -> None:
        self._max_held = max_held
        self._seen: defaultdict[tuple[str, str], set[int]] = defaultdict(set)  # by account and name
        self._held = 0
        self._mask = 0  # an id is kept where these bits of its hash are 0
        self._repeats: Counter[str] = Counter()
        self._derived: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._parts = 1  # of a run, each of which has seen only its own events

    @property
    def is_exact(self) -> bool:
        """Whether every id was kept, so `repeated` is not an estimate."""
        return not self._mask and self._parts == 1

    def count_ids(self, name: str, events: Sequence[Event]) -> None:
        """Count the ids of events, which are of one name and one account, under a name."""
        mask, own_name = self._mask, events[0].name
        hashes = list(map(hash, [event.id for event in events]))
        if own_name != name:  # one of several names that are counted together
            same = hash(own_name)
            hashes = [one ^ same for one in hashes]
        if mask:
            hashes = [one for one in hashes if not one & mask]
        seen = self._seen[events[0].account.ad_account_id, name]
        held = len(seen)
        seen.update(hashes)
        new = len(seen) - held
        self._held += new
        self._repeats[name] += (len(hashes) - new) * (mask + 1)
        self._events[name] += len(events)
        while self._held > self._max_held:
            self._mask = self._mask * 2 + 1
            for seen in self._seen.values():
                seen -= {one for one in seen if one & self._mask}
            self._held = sum(map(len, self._seen.values()))

    def count_derived(self, name: str, number: int) -> None:
        """Count ids that were derived from their record."""
        self._derived[name] += number

    def merge(self, other: "EventIds", names: Collection[str]) -> None:
        """Add the counts of another part of the same run.

        An id in both is not counted as a repeat, because neither part saw it twice, so counts are
        no longer exact.
        """
        self._parts += bool(self._events) and bool(names)
        self._mask |= other._mask  # noqa: SLF001 - its own kind
        for name in names:
            self._repeats[name] += other._repeats[name]  # noqa: SLF001 - its own kind
            self._derived[name] += other._derived[name]  # noqa: SLF001 - its own kind
            self._events[name] += other._events[name]  # noqa: SLF001 - its own kind

    def repeated(self, name: str) -> int:
        """Return how many events of a name repeat the id of an earlier one."""
        return min(self._repeats[name], max(0, self._events[name] - 1))

    def derived(self, name: str) -> int:
        """Return how many events of a name have an id that was derived from their record."""
        return self._derived[name]

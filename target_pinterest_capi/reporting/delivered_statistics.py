"""Delivered events in a run's report: coverage, value, times and ids by event name.

Only numbers, in bounded memory. Counts by batch, and only for a run with a report.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.events.redaction import shown_event_name
from target_pinterest_capi.events.traits import Traits
from target_pinterest_capi.reporting.amounts import Amounts
from target_pinterest_capi.reporting.bodies import examined
from target_pinterest_capi.reporting.counters import MAX_WARNINGS
from target_pinterest_capi.reporting.coverage import Coverage
from target_pinterest_capi.reporting.event_ids import EventIds
from target_pinterest_capi.reporting.event_times import EventTimes


class DeliveredStatistics:
    """Counts delivered events. `now` returns Unix seconds.

    `known` has the event names that may be shown; all others are counted together.
    """

    def __init__(
        self, known: Collection[str] = EVENT_NAMES, now: Callable[[], float] = time.time
    ) -> None:
        self._known = known
        self._now = now
        self.started_at = now()
        self.events: Counter[str] = Counter()
        self.sources: Counter[tuple[str, str]] = Counter()
        self.coverage = Coverage()
        self.amounts = Amounts()
        self.rejected_amounts = Amounts()
        self.warnings: Counter[tuple[str, str]] = Counter()
        self.times = EventTimes()
        self.ids = EventIds()

    def count_events(self, events: Sequence[Event]) -> int:
        """Count events of one account that Pinterest has just processed.

        Return how many of them are late, see `count_late`.
        """
        groups: defaultdict[str, list[Event]] = defaultdict(list)
        for event in events:
            groups[event.name].append(event)
        for name, group in groups.items():
            self._count_group(self._label(name), group)
        return self.times.count_times(events, self._now())

    def _count_group(self, label: str, events: Sequence[Event]) -> None:
        alike: Counter[Any] = Counter([event.traits for event in events])
        if None in alike:  # they were not built in this run
            self._count_group(label, list(map(examined, events)))
            return
        self.events[label] += len(events)
        for traits, number in alike.items():
            self.sources[label, traits.action_source] += number
            if traits.has_derived_id:
                self.ids.count_derived(label, number)
        self.coverage.count_components(label, alike)
        for currency, values in _by_currency(events, alike).items():
            self.amounts.add_values(label, currency, values)
        self.ids.count_ids(label, events)

    def count_rejected(self, event: Event) -> None:
        """Count the value of an event that Pinterest refused."""
        counted = examined(event)
        currency = counted.traits.currency if counted.traits is not None else None
        self.rejected_amounts.add_values(self._label(event.name), currency, [counted.value])

    def count_warning(self, message: str, event: Event) -> None:
        """Count the events of a warning of Pinterest; the message has no values."""
        if len(self.warnings) < MAX_WARNINGS or (message, self._label(event.name)) in self.warnings:
            self.warnings[message, self._label(event.name)] += 1

    def _label(self, name: str) -> str:
        return shown_event_name(name, self._known)

    def merge(self, other: "DeliveredStatistics") -> None:
        """Add the counts of another part of the same run."""
        self.started_at = min(self.started_at, other.started_at)
        self.events.update(other.events)
        self.sources.update(other.sources)
        self.warnings.update(other.warnings)
        self.amounts.merge(other.amounts)
        self.rejected_amounts.merge(other.rejected_amounts)
        self.coverage.merge(other.coverage, other.events)
        self.ids.merge(other.ids, other.events)
        self.times.merge(other.times)


def _by_currency(
    events: Sequence[Event], alike: Iterable[Traits]
) -> Mapping[str | None, Sequence[str | None]]:
    """Return the values of events in each currency; `alike` are the traits that they have."""
    currencies = {traits.currency for traits in alike}
    if len(currencies) == 1:  # as in nearly all batches
        return {currencies.pop(): [event.value for event in events]}
    groups: defaultdict[str | None, list[str | None]] = defaultdict(list)
    for event in events:
        if event.traits is not None:
            groups[event.traits.currency].append(event.value)
    return groups

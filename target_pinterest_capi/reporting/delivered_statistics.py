"""Delivered events in a run's report: coverage, value, times and ids by event name.

Only numbers, in bounded memory. Counts by batch, and only for a run with a report.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.events.presence import Presence
from target_pinterest_capi.events.redaction import shown_event_name
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

    def count_events(self, events: Sequence[Event]) -> None:
        """Count events of one account that Pinterest has just processed."""
        groups: defaultdict[str, list[Event]] = defaultdict(list)
        for event in events:
            groups[event.name].append(event)
        for name, of_name in groups.items():
            label = self._label(name)
            group, alike = _alike(of_name)
            self.events[label] += len(group)
            for presence, number in alike.items():
                self.sources[label, presence.action_source] += number
            self.coverage.count_components(label, alike)
            self.amounts.add_values(label, group)
            self.ids.count_ids(label, group)
        self.times.count_times(events, self._now())

    def count_rejected(self, event: Event) -> None:
        """Count the value of an event that Pinterest refused."""
        self.rejected_amounts.add_values(self._label(event.name), [examined(event)])

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


def _alike(events: Sequence[Event]) -> tuple[Sequence[Event], Mapping[Presence, int]]:
    """Return the events with their `presence`, and how many have the same."""
    alike: Counter[Any] = Counter([event.presence for event in events])
    if None in alike:  # they were not built in this run
        return _alike(list(map(examined, events)))
    return events, alike

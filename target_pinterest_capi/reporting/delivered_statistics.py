"""What a run's report says of delivered events: coverage, times and ids by event name.

Numbers only, in bounded memory. Counts batch by batch, so that a run without a report pays nothing.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.reporting.counters import OTHER_NAMES
from target_pinterest_capi.reporting.coverage import Coverage
from target_pinterest_capi.reporting.event_ids import EventIds
from target_pinterest_capi.reporting.event_times import EventTimes

# What reads like a name. A column mapped by mistake has addresses, numbers and texts: they are
# counted under `OTHER_NAMES`.
_name_like: Final = re.compile(r"(?!.*\d{5})[^\W\d_][\w .:/-]{0,49}")


class DeliveredStatistics:
    """Counts delivered events. `now` returns Unix seconds.

    `name` returns the name to count under, and bounds how many there are: `Counters.bounded_name`.
    """

    def __init__(self, name: Callable[[str], str], now: Callable[[], float] = time.time) -> None:
        self._name = name
        self._now = now
        self.started_at = now()
        self.events: Counter[str] = Counter()
        self.coverage = Coverage()
        self.times = EventTimes()
        self.ids = EventIds()

    def count_events(self, events: Sequence[Event]) -> None:
        """Count events that Pinterest has just processed."""
        if not events:
            return
        groups: dict[str, list[Event]] = {}
        for event in events:
            groups.setdefault(event.name, []).append(event)
        for name, group in groups.items():
            label = name if name in EVENT_NAMES else self._name(shown_name(name))
            self.events[label] += len(group)
            self.coverage.count_components(label, group)
            self.ids.count_ids(label, group)
        self.times.count_times(
            [event.time for event in events], [event.deduplicable for event in events], self._now()
        )

    def merge(self, other: "DeliveredStatistics") -> None:
        """Add what another part of the same run counted. The number of names stays bounded."""
        self.started_at = min(self.started_at, other.started_at)
        labels = {
            name: name if name in EVENT_NAMES or name == OTHER_NAMES else self._name(name)
            for name in other.events
        }
        for name, label in labels.items():
            self.events[label] += other.events[name]
        self.coverage.merge(other.coverage, labels)
        self.ids.merge(other.ids, labels)
        self.times.merge(other.times)


def shown_name(text: str) -> str:
    """Return a name that came from a record if it reads like one, else `OTHER_NAMES`."""
    return text if _name_like.fullmatch(text) else OTHER_NAMES

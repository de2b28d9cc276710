"""Quality gates: whether the delivered events of a run have what the settings require."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from target_pinterest_capi.settings.values import (
    ALL_EVENTS,
    EVENTS,
    EVENTS_OF_USUAL,
    WITHIN_AN_HOUR,
)

if TYPE_CHECKING:
    from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics

LOW_QUALITY: Final = (
    "The delivered events do not meet the setting quality, and on_low_quality is fail. STATE is "
    "written, so they are not sent again. Fix the mapping or the source for the next ones."
)


class Shortfall(NamedTuple):
    """A measure of an event name below its limit; shares are in per cent."""

    event_name: str
    measure: str
    measured: float
    asked: float
    events: int

    @property
    def words(self) -> str:
        """What is too low, and what is required."""
        events = "events" if self.event_name == ALL_EVENTS else f"{self.event_name} events"
        events = f"{self.events} {events}"
        if self.measure == EVENTS:
            return f"{events} were delivered; quality requires {self.asked:g}"
        if self.measure == EVENTS_OF_USUAL:
            what = f"{events} were delivered, {self.measured:.1f} % of what is usual"
        elif self.measure == WITHIN_AN_HOUR:
            what = f"{self.measured:.1f} % of {events} reached Pinterest within an hour"
        else:
            what = f"{self.measure} is on {self.measured:.1f} % of {events}"
        return f"{what}; quality requires {self.asked:g} %"


def find_shortfalls(
    gates: Mapping[str, Mapping[str, float]],
    statistics: "DeliveredStatistics",
    usual_events: Mapping[str, float],
) -> Iterator[Shortfall]:
    """Yield each gate that a run fails.

    For a name without events only the number is checked. `usual_events` are those of earlier runs
    by name; without them that gate is not checked.
    """
    for name, asked in gates.items():
        names = list(statistics.events) if name == ALL_EVENTS else [name]
        events = sum(statistics.events[one] for one in names)
        for measure, least in asked.items():
            if measure == EVENTS:
                measured = float(events)
            elif measure == EVENTS_OF_USUAL:
                usual = usual_events.get(name, 0)
                measured = 100 * events / usual if usual else least
            elif not events:
                continue
            else:
                measured = 100 * _carrying(statistics, names, measure) / events
            if measured < least:
                yield Shortfall(name, measure, measured, least, events)


def _carrying(statistics: "DeliveredStatistics", names: list[str], measure: str) -> int:
    if measure == WITHIN_AN_HOUR:
        return statistics.times.within_an_hour
    return sum(statistics.coverage.carrying(name)[measure] for name in names)

"""Quality gates: whether the delivered events of a run have what the settings require."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from target_pinterest_capi.settings import Settings
from target_pinterest_capi.settings.event_names import sendable_event_names
from target_pinterest_capi.settings.problems import did_you_mean, joined
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

    For a name without events only the number is checked, see `find_unused_gates`. `usual_events`
    are those of earlier runs by name; without them that gate is not checked.
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


class UnusedGate(NamedTuple):
    """The gates of an event name that a run delivered no event of, so that none was judged.

    The name is `is_known` if it is Pinterest's or one that the settings send; another may be
    misspelt.
    """

    event_name: str
    is_known: bool
    similar: str

    @property
    def words(self) -> str:
        """What was not judged, and the name that may have been meant."""
        which = "" if self.event_name == ALL_EVENTS else " of this name"
        advice = f"no event{which} was delivered, so nothing was judged{self.similar}"
        return f"{joined('quality', self.event_name)}: {advice}"


def find_unused_gates(
    gates: Mapping[str, Mapping[str, float]],
    statistics: "DeliveredStatistics",
    shortfalls: Iterable[Shortfall],
    sendable: frozenset[str],
) -> Iterator[UnusedGate]:
    """Yield the gates of each name without events, except those that fell short nevertheless.

    `sendable` has the names of Pinterest, and those in `mappings` and `defaults`.
    """
    short = {one.event_name for one in shortfalls}
    for name in gates:
        delivered = statistics.events.total() if name == ALL_EVENTS else statistics.events[name]
        if delivered or name in short:
            continue
        is_known = name in sendable or name == ALL_EVENTS
        yield UnusedGate(name, is_known, "" if is_known else did_you_mean(name, sendable))


def log_quality(
    logger: logging.Logger,
    settings: Settings,
    statistics: "DeliveredStatistics",
    usual_events: Mapping[str, float],
) -> list[Shortfall]:
    """Log what fell short of `quality`, and what was not judged; return the former."""
    short = list(find_shortfalls(settings.quality, statistics, usual_events))
    for one in short:
        logger.warning("Low quality: %s.", one.words, extra=one._asdict())
    sendable = sendable_event_names(settings)
    for unused in find_unused_gates(settings.quality, statistics, short, sendable):
        level = logging.INFO if unused.is_known else logging.WARNING
        logger.log(level, "%s", unused.words)
    return short


def _carrying(statistics: "DeliveredStatistics", names: list[str], measure: str) -> int:
    if measure == WITHIN_AN_HOUR:
        return statistics.times.within_an_hour
    return sum(statistics.coverage.carrying(name)[measure] for name in names)

"""A comparison of the last runs: volume, value, delivered share, coverage and delay of each run.

Reads reports and changes nothing. Runs of one account and mode are compared, the current one last.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from target_pinterest_capi.reporting import numbers
from target_pinterest_capi.reporting.ending import events_of
from target_pinterest_capi.reporting.report import Report

MAX_RUNS: Final = 30
WEEK: Final = timedelta(days=7)
TO_ONE: Final = 0.005  # smaller changes are ignored


class Measured(NamedTuple):
    """A number of one run, or with a `whole` a share of it."""

    part: float
    whole: float | None = None

    @property
    def value(self) -> float:
        """The number, or the share in per cent."""
        return self.part if self.whole is None else 100 * self.part / (self.whole or 1)


class Measure(NamedTuple):
    """A measure over the runs: one value each, the sum or share of the last week, and its change.

    `week_before` is None if no run is that old; then there is no change.
    """

    title: str
    is_share: bool
    by_run: Sequence[float]
    week: float
    week_before: float | None

    @property
    def change(self) -> str:
        """The change since the week before, as text; empty if there is nothing to compare."""
        before = self.week_before
        if before is None:
            return ""
        if self.is_share:
            points = self.week - before
            return "as before" if abs(points) < 0.05 else f"{points:+.1f} points"  # noqa: PLR2004
        if not before:
            return "none before" if self.week else "as before"
        ratio = self.week / before - 1
        return "as before" if abs(ratio) < TO_ONE else f"{ratio:+.0%}"

    def shown(self, value: float) -> str:
        """Return a value as text."""
        return f"{value:.1f}%" if self.is_share else numbers.number(round(value))


class Trend(NamedTuple):
    """The runs, the oldest first, and their measures."""

    runs: Sequence[Report]
    measures: Sequence[Measure]


def find_trend(shown: Report, others: Iterable[Report]) -> Trend | None:
    """Return the trend of a run and earlier ones of its account and mode; None without any."""
    earlier = {
        one.run.id: one
        for one in others
        if _kind(one) == _kind(shown) and one.run.ended_at < shown.run.ended_at
    }
    earlier.pop(shown.run.id, None)
    runs = [*sorted(earlier.values(), key=lambda one: one.run.ended_at), shown][-MAX_RUNS:]
    if len(runs) == 1:
        return None
    currency = next((row.currency for row in shown.amounts), None)
    value = f"Value delivered{f', {currency}' if currency else ''}"
    measures = [
        _measure("Events delivered", runs, lambda one: Measured(one.delivered.events)),
        _measure(value, runs, lambda one: Measured(_value(one, currency))),
        _measure("Delivered of those tried", runs, _delivered_share, is_share=True),
        _measure("With e-mail", runs, _email_share, is_share=True),
        _measure("At Pinterest within the hour", runs, _in_time_share, is_share=True),
    ]
    return Trend(runs, measures)


def _kind(report: Report) -> tuple[str, str, bool]:
    return report.run.ad_account_id, report.run.mode, report.run.is_sandbox


def _measure(
    title: str, runs: Sequence[Report], of: Callable[[Report], Measured], *, is_share: bool = False
) -> Measure:
    end = runs[-1].run.ended_at
    week = [of(one) for one in runs if one.run.ended_at > end - WEEK]
    before = [of(one) for one in runs if end - 2 * WEEK < one.run.ended_at <= end - WEEK]
    return Measure(
        title,
        is_share,
        [of(one).value for one in runs],
        _together(week, is_share=is_share),
        _together(before, is_share=is_share) if before else None,
    )


def _together(measured: Sequence[Measured], *, is_share: bool) -> float:
    whole = sum(one.whole or 0 for one in measured) if is_share else None
    return Measured(sum(one.part for one in measured), whole).value


def _value(report: Report, currency: str | None) -> float:
    return float(sum(row.delivered for row in report.amounts if row.currency == currency))


def _delivered_share(report: Report) -> Measured:
    events = events_of(report)
    return Measured(events.delivered, events.delivered + events.invalid + events.rejected)


def _email_share(report: Report) -> Measured:
    carrying = [name.components["hashed_email"].events for name in report.delivered.by_event_name]
    return Measured(sum(carrying), report.delivered.events)


def _in_time_share(report: Report) -> Measured:
    return Measured(report.delivered.delays.within_an_hour, report.delivered.events)

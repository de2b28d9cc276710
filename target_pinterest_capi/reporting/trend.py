"""A comparison of the last runs: volume, value, delivered share, coverage and delay of each run.

The numbers of earlier runs are from their reports or from the results; what one of them does not
know is None. Runs of one account, mode and host are compared, the current one last.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from target_pinterest_capi.reporting import numbers
from target_pinterest_capi.reporting.ending import events_of
from target_pinterest_capi.reporting.report import Report

MAX_RUNS: Final = 30
WEEK: Final = timedelta(days=7)
TO_ONE: Final = 0.005  # smaller changes are ignored


class RunKind(NamedTuple):
    """What compared runs have in common."""

    ad_account_id: str
    mode: str
    api: str


class RunNumbers(NamedTuple):
    """The numbers of one run; `amounts` are the values delivered, by currency."""

    run_id: str
    kind: RunKind
    ended_at: datetime
    events: int
    failed_events: int | None
    with_email: int
    within_an_hour: int | None
    amounts: Mapping[str | None, float]


class Measured(NamedTuple):
    """A number of one run, or with a `whole` a share of it."""

    part: float | None
    whole: float | None = None

    @property
    def value(self) -> float | None:
        """The number, or the share in per cent; None if it is not known, or a share of nothing."""
        if self.part is None or self.whole is None:
            return self.part
        return 100 * self.part / self.whole if self.whole else None


class Measure(NamedTuple):
    """A measure over the runs: one value each, the sum or share of the last week, and its change.

    `week_before` is None if no run is that old; then there is no change.
    """

    title: str
    is_share: bool
    by_run: Sequence[float | None]
    week: float | None
    week_before: float | None

    @property
    def change(self) -> str:
        """The change since the week before, as text; empty if there is nothing to compare."""
        week, before = self.week, self.week_before
        if week is None or before is None:
            return ""
        if self.is_share:
            points = week - before
            return "as before" if abs(points) < 0.05 else f"{points:+.1f} points"  # noqa: PLR2004
        if not before:
            return "none before" if week else "as before"
        ratio = week / before - 1
        return "as before" if abs(ratio) < TO_ONE else f"{ratio:+.0%}"

    @property
    def highest(self) -> float:
        """The number of a full column."""
        return 100 if self.is_share else max(filter(None, self.by_run), default=0)

    def shown(self, value: float | None) -> str:
        """Return a value as text."""
        if value is None:
            return "not applicable"
        return f"{value:.1f}%" if self.is_share else numbers.number(round(value))


class Trend(NamedTuple):
    """The runs, the oldest first, and their measures."""

    runs: Sequence[RunNumbers]
    measures: Sequence[Measure]


def numbers_of(report: Report) -> RunNumbers:
    """Return the numbers of a run that has a report."""
    run, events, delivered = report.run, events_of(report), report.delivered
    amounts: defaultdict[str | None, float] = defaultdict(float)
    for row in report.amounts:
        amounts[row.currency] += float(row.delivered)
    return RunNumbers(
        run_id=run.id,
        kind=RunKind(run.ad_account_id, run.mode, run.api),
        ended_at=run.ended_at,
        events=delivered.events,
        failed_events=events.invalid + events.rejected,
        with_email=sum(name.components["hashed_email"].events for name in delivered.by_event_name),
        within_an_hour=delivered.delays.within_an_hour,
        amounts=amounts,
    )


def find_trend(report: Report, others: Iterable[RunNumbers]) -> Trend | None:
    """Return the trend of a run and earlier ones of its kind; None without any."""
    shown = numbers_of(report)
    earlier = {
        one.run_id: one
        for one in others
        if one.kind == shown.kind and one.ended_at < shown.ended_at
    }
    earlier.pop(shown.run_id, None)
    runs = [*sorted(earlier.values(), key=lambda one: one.ended_at), shown][-MAX_RUNS:]
    if len(runs) == 1:
        return None
    currency = next((row.currency for row in report.amounts), None)
    value = f"Value delivered{f', {currency}' if currency else ''}"
    measures = [
        _measure("Events delivered", runs, lambda one: Measured(one.events)),
        _measure(value, runs, lambda one: Measured(one.amounts.get(currency, 0))),
        _measure("Delivered of those tried", runs, _delivered_share, is_share=True),
        _measure("With e-mail", runs, _email_share, is_share=True),
        _measure("At Pinterest within the hour", runs, _in_time_share, is_share=True),
    ]
    return Trend(runs, measures)


def _measure(
    title: str,
    runs: Sequence[RunNumbers],
    of: Callable[[RunNumbers], Measured],
    *,
    is_share: bool = False,
) -> Measure:
    end = runs[-1].ended_at
    week = [of(one) for one in runs if one.ended_at > end - WEEK]
    before = [of(one) for one in runs if end - 2 * WEEK < one.ended_at <= end - WEEK]
    return Measure(
        title,
        is_share,
        [of(one).value for one in runs],
        _together(week, is_share=is_share),
        _together(before, is_share=is_share),
    )


def _together(measured: Sequence[Measured], *, is_share: bool) -> float | None:
    """Return the sum of several runs, or their share of all events; None if none of them has it."""
    known = [one for one in measured if one.part is not None]
    if not known:
        return None
    whole = sum(one.whole or 0 for one in known) if is_share else None
    return Measured(sum(one.part or 0 for one in known), whole).value


def _delivered_share(run: RunNumbers) -> Measured:
    if run.failed_events is None:
        return Measured(None)
    return Measured(run.events, run.events + run.failed_events)


def _email_share(run: RunNumbers) -> Measured:
    return Measured(run.with_email, run.events)


def _in_time_share(run: RunNumbers) -> Measured:
    return Measured(run.within_an_hour, run.events)

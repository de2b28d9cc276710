"""The run report as one HTML file.

It loads nothing and runs no scripts, and works on phones, in dark mode and with screen readers. The
templates next to this module have markup and wording; this module provides the report, the
sections, and computed values. Everything that a template inserts is escaped, and an undefined
name is an error.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.reporting import numbers
from target_pinterest_capi.reporting.causes import Causes, find_causes, urgent_causes
from target_pinterest_capi.reporting.composition import component_coverage
from target_pinterest_capi.reporting.duplicates import about_ids, repeated_names
from target_pinterest_capi.reporting.ending import ending, events_of, headline, waiting_events
from target_pinterest_capi.reporting.expectations import PLATFORMS, is_expected
from target_pinterest_capi.reporting.html import chart
from target_pinterest_capi.reporting.report import (
    Delivered,
    NameCoverage,
    Report,
)
from target_pinterest_capi.reporting.trend import RunNumbers, Trend, find_trend

if TYPE_CHECKING:
    from jinja2 import Environment

FILTERS: Final = (
    numbers.counted,
    numbers.duration,
    numbers.longest_delay,
    numbers.money,
    numbers.moment,
    numbers.number,
    numbers.percent,
    numbers.period,
    numbers.sentence,
)

# What happened to the events of a run, by its mode.
VERBS: Final = {"live": "delivered", "test": "accepted", "dry_run": "would be sent"}


class Section(NamedTuple):
    """A section of the page: the template renders what is below its title."""

    title: str
    template: str

    @property
    def anchor(self) -> str:
        """The section's id, for links."""
        return self.title.lower().replace(" ", "-")


def page(report: Report, earlier: Iterable[RunNumbers] = ()) -> str:
    """Return the page of a report, compared with earlier runs if there are."""
    seen = report.delivered
    events = events_of(report)
    counts = (*msgspec.structs.astuple(events), seen.events, waiting_events(report))
    is_about_events = any(counts)
    causes = find_causes(report)
    trend = find_trend(report, earlier)
    over_time = None
    if seen.over_time:
        over_time = chart.lay_out(seen.over_time, seen.bucket_seconds)
    template = environment().get_template("page.html")
    return template.render(
        report=report,
        run=report.run,
        seen=seen,
        headline=headline(report),
        ending=ending(report),
        sections=list(_sections(report, causes, trend, is_about_events=is_about_events)),
        trend=trend,
        causes=causes,
        components=COMPONENTS,
        coverage=_coverage(seen),
        is_asked_of=is_asked_of,
        events=events,
        is_about_events=is_about_events,
        verb=VERBS[report.run.mode],
        about_ids=list(about_ids(report)),
        urgent=urgent_causes(causes),
        chart=over_time,
        repeated=repeated_names(report),
    )


@cache
def environment() -> "Environment":
    """Return the environment of the templates. Only runs with a page need the import."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader(__package__, ""), PackageLoader("target_pinterest_capi", "")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({function.__name__: function for function in FILTERS})
    return made


def _sections(
    report: Report, causes: Causes, trend: Trend | None, *, is_about_events: bool
) -> Iterator[Section]:
    """Yield the sections that are not empty, in order."""
    if urgent_causes(causes):
        yield Section("What to do", "urgent.html")
    if report.amounts:
        yield Section("What the events were worth", "amounts.html")
    if trend:
        yield Section("Trend", "trend.html")
    if is_about_events:
        yield Section("Outcomes of the events", "outcomes.html")
    if report.not_found:
        yield Section("Names not found", "not_found.html")
    if report.delivered.events:
        yield Section("Match keys", "match_keys.html")
        yield Section("When they happened", "over_time.html")
        if report.delivered.basis == "delivered":
            yield Section("How soon Pinterest got them", "delays.html")
        yield Section("Duplicates", "event_ids.html")
    if report.customer_lists:
        yield Section("Customer lists", "customer_lists.html")
    if any(causes):
        yield Section("Every reason", "causes.html")
    yield Section("The run", "run.html")


def is_asked_of(entry: NameCoverage, component: str) -> bool:
    """Return whether events of a name, from these sources, can be expected to have a component.

    One that some of them have is always shown.
    """
    sources = entry.action_sources or dict.fromkeys(PLATFORMS, 1)
    return bool(entry.components[component].events) or any(
        is_expected(component, PLATFORMS.get(source, source), entry.event_name)
        for source in sources
    )


def _coverage(seen: Delivered) -> Sequence[NameCoverage]:
    """Return the coverage of each event name; with several names, first that of all together."""
    names = seen.by_event_name
    if len(names) < 2:  # noqa: PLR2004
        return names
    carrying = {
        component.name: sum(
            entry.components[component.name].events
            for entry in names
            if component.name in entry.components
        )
        for component in COMPONENTS
    }
    together = NameCoverage(
        event_name="All events",
        events=seen.events,
        components=component_coverage(carrying, seen.events),
        repeated_ids=0,
        action_sources={},
    )
    return [together, *names]

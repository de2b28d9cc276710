"""Pinterest's event quality score and our own coverage, component by component.

Figures, their differences, and which fields to map.

Decides what a pair of figures means. Pure: scores and reports are arguments. Has names and
percentages, and nothing of an event.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events.components import COMPONENTS, Component
from target_pinterest_capi.pinterest.responses import ComponentQuality, QualityIssue, QualityScore
from target_pinterest_capi.pipeline.previewed import number_of
from target_pinterest_capi.reporting.expectations import EXPECTED, Expected, is_expected
from target_pinterest_capi.reporting.report import Report

# if ours is so far below Pinterest's figure, we have probably lost a column
LOST_POINTS: Final = 20.0
_BY_NAME: Final = {component.name: component for component in COMPONENTS}


class ComponentRow(NamedTuple):
    """One component of one event name: percentages of its events, None if that side has none.

    `expected` says whether such an event can be expected to have it.
    """

    component: str
    pinterest: float | None
    ours: float | None
    issues: tuple[QualityIssue, ...] = ()
    overlap: float | None = None
    expected: bool = True

    @property
    def difference(self) -> float | None:
        """Ours less Pinterest's, in points."""
        return (
            None
            if self.pinterest is None or self.ours is None
            else round(self.ours - self.pinterest, 2)
        )

    @property
    def title(self) -> str:
        """Return the component's name for people."""
        known = _BY_NAME.get(self.component)
        return known.title if known is not None else self.component


class NameRows(NamedTuple):
    """One event name: how many events our reports count (None: no report), and its components."""

    event_name: str
    events: int | None
    rows: tuple[ComponentRow, ...]


class Platform(NamedTuple):
    """One score of Pinterest's."""

    source_platform: str
    ingestion_source: str
    status: str
    names: tuple[NameRows, ...]


class WeakComponent(NamedTuple):
    """An event name of a platform whose figures for a component are weak."""

    source_platform: str
    event_name: str
    pinterest: float | None
    ours: float | None


class Advice(NamedTuple):
    """Advice for one component: the fields to map, where it is weak, and the words."""

    component: str
    title: str
    fields: tuple[str, ...]
    words: str
    places: tuple[WeakComponent, ...]


class Ours(NamedTuple):
    """Our side: events by name, and those that have a component by (name, component).

    `dropped` has values by (field, reason, advice).
    """

    reports: tuple[Report, ...]
    events: Counter[str]
    carrying: Counter[tuple[str, str]]
    dropped: Counter[tuple[str, str, str]]

    def percent(self, event_name: str, component: str) -> float | None:
        """Return the coverage of a component; None without events."""
        events = self.events[event_name]
        return (
            round(100 * self.carrying[event_name, component] / events, 2)
            if events and component in _BY_NAME
            else None
        )


class Comparison(NamedTuple):
    """Both sides by platform, and what to do, the most important component first."""

    platforms: tuple[Platform, ...]
    advice: tuple[Advice, ...]


def ours(reports: Sequence[Report]) -> Ours:
    """Combine the coverage of several runs."""
    made = Ours(tuple(reports), Counter(), Counter(), Counter())
    for report in reports:
        for entry in report.delivered.by_event_name:
            made.events[entry.event_name] += entry.events
            for name, carried in entry.components.items():
                made.carrying[entry.event_name, name] += carried.events
        for value in report.values:
            if not value.sent:
                made.dropped[value.field, value.reason, value.advice] += value.values
    return made


def event_names(scores: Iterable[QualityScore]) -> list[str]:
    """Return the event names of the scores, in alphabetical order."""
    return sorted(
        {
            name
            for score in scores
            for held in score.quality_components.values()
            for name in held or ()
        }
    )


def compare(scores: Sequence[QualityScore], own: Ours, only: Sequence[str] = ()) -> Comparison:
    """Compare both sides, for these event names or for all.

    Names with most events in our reports come first.
    """
    names = [name for name in event_names(scores) if not only or name in only]
    names.sort(key=lambda name: -own.events[name])
    platforms = []
    for score in scores:
        of_score = [
            name
            for name in names
            if any(name in (held or ()) for held in score.quality_components.values())
        ]
        rows = [
            NameRows(
                name, own.events[name] if own.reports else None, tuple(_rows(score, name, own))
            )
            for name in of_score
        ]
        if rows:
            platforms.append(
                Platform(
                    score.source_platform, score.ingestion_source, score.overall_status, tuple(rows)
                )
            )
    return Comparison(tuple(platforms), tuple(_advice(platforms, own)))


def _rows(score: QualityScore, event_name: str, own: Ours) -> Iterator[ComponentRow]:
    """Yield the components in Pinterest's order, and then those that are unknown here."""
    for component in (
        *_BY_NAME,
        *(name for name in score.quality_components if name not in _BY_NAME),
    ):
        held = (score.quality_components.get(component) or {}).get(event_name) or ComponentQuality()
        expected = is_expected(component, score.source_platform, event_name)
        yield ComponentRow(
            component,
            held.coverage,
            own.percent(event_name, component),
            tuple(held.issues or ()),
            held.overlap,
            expected,
        )


def shared_names(platforms: Sequence[Platform]) -> set[str]:
    """Return the event names that several platforms have, which a report does not distinguish."""
    counts = Counter(name.event_name for platform in platforms for name in platform.names)
    return {name for name, number in counts.items() if number > 1}


def _advice(platforms: Sequence[Platform], own: Ours) -> Iterator[Advice]:
    shared = shared_names(platforms)
    for component in COMPONENTS:
        places: dict[str, list[WeakComponent]] = {}
        for platform in platforms:
            for name in platform.names:
                row = next(row for row in name.rows if row.component == component.name)
                comparable = row._replace(ours=None) if name.event_name in shared else row
                words = _words(component, comparable) if row.expected else ""
                if words:
                    place = WeakComponent(
                        platform.source_platform, name.event_name, row.pinterest, row.ours
                    )
                    places.setdefault(words, []).append(place)
        dropped = _dropped(component, own)
        for words, held in places.items():
            yield Advice(
                component.name,
                component.title,
                component.fields,
                f"{words} {dropped}".rstrip(),
                tuple(held),
            )
            dropped = ""  # once is enough


def _words(component: Component, row: ComponentRow) -> str:
    """Return the advice for a pair of figures; empty if both are good."""
    expected, fields = EXPECTED[component.name], " or ".join(component.fields)
    if row.pinterest is None:
        return ""
    if row.pinterest >= expected.enough:
        return _odd(row, row.pinterest, expected, fields)
    if row.ours is not None and row.ours >= expected.enough:
        return (
            "It is sent: Pinterest's figure also counts earlier runs and other senders. See how "
            "it changes in a day or two."
        )
    return f"Map {fields}{' for more of the events' if row.ours else ''}: {expected.how}."


def _odd(row: ComponentRow, pinterest: float, expected: Expected, fields: str) -> str:
    """Return what is odd about a component that Pinterest has in enough events, if anything."""
    if row.issues:
        return (
            f"Look at {fields}. Pinterest says:"
            f" {' '.join(issue.reason or issue.name for issue in row.issues)}"
        )
    if row.ours is not None and row.ours < expected.enough and pinterest - row.ours >= LOST_POINTS:
        return f"Check {fields}: at Pinterest, more events have it than in the newest runs."
    return ""


def _dropped(component: Component, own: Ours) -> str:
    """Return which values of the component's fields were dropped."""
    found = [
        f"{number_of(values, 'value')} of {field} dropped as {reason}: {advice}"
        for (field, reason, advice), values in own.dropped.most_common()
        if any(field == one or field.startswith(f"{one}.") for one in component.fields)
    ]
    return " ".join(found)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return both sides for programs."""
    return {
        "scores": [
            {
                "source_platform": platform.source_platform,
                "ingestion_source": platform.ingestion_source,
                "overall_status": platform.status,
                "event_names": [
                    {
                        "event_name": name.event_name,
                        "events": name.events,
                        "components": list(map(_row_json, name.rows)),
                    }
                    for name in platform.names
                ],
            }
            for platform in comparison.platforms
        ],
        "advice": [
            {**one._asdict(), "places": [place._asdict() for place in one.places]}
            for one in comparison.advice
        ],
    }


def _row_json(row: ComponentRow) -> dict[str, Any]:
    known = _BY_NAME.get(row.component)
    return {
        "component": row.component,
        "fields": list(known.fields) if known is not None else [],
        "pinterest": row.pinterest,
        "ours": row.ours,
        "difference": row.difference,
        "overlap": row.overlap,
        "issues": [
            {"id": issue.id, "name": issue.name, "reason": issue.reason} for issue in row.issues
        ],
    }

"""From a run's counters to its report. Reads counters and statistics, and changes neither."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.outcomes import Outcome, advice_about, find_reason
from target_pinterest_capi.events.reasons import Warned
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.reporting.amounts import Amount
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.customer_lists import CustomerListReport
from target_pinterest_capi.reporting.delivered_statistics import DeliveredStatistics
from target_pinterest_capi.reporting.event_times import DELAY_EDGES, EventTimes
from target_pinterest_capi.reporting.quality import Shortfall
from target_pinterest_capi.reporting.report import (
    FORMAT,
    AmountCount,
    ComponentCoverage,
    ConstantId,
    DelayBucket,
    Delays,
    Delivered,
    LowQuality,
    NameCoverage,
    NotFound,
    OriginOutcomes,
    ReasonCount,
    Report,
    Requests,
    RunSection,
    TimeBucket,
    Totals,
    ValueCount,
    WarningCount,
)

if TYPE_CHECKING:
    from target_pinterest_capi.events.event import Origin


class RunFacts(NamedTuple):
    """What only the run knows: `requests` are those sent, retried and bisecting."""

    run: RunSection
    requests: tuple[int, int, int]
    customer_lists: Sequence[CustomerListReport] = ()
    not_found: Sequence[NotFound] = ()
    shortfalls: Sequence[Shortfall] = ()


def compose(facts: RunFacts, counters: Counters, statistics: DeliveredStatistics) -> Report:
    """Return the report of a run."""
    return Report(
        format=FORMAT,
        run=facts.run,
        totals=Totals(**counters.by_outcome()),
        outcomes=_outcomes(counters),
        reasons=list(_reasons(counters)),
        values=list(_values(counters)),
        warnings=list(_warnings(counters, statistics)),
        delivered=_delivered(
            statistics, "would_be_sent" if facts.run.mode == "dry_run" else "delivered"
        ),
        requests=_requests(facts, counters.total(Outcome.DELIVERED)),
        customer_lists=list(facts.customer_lists),
        not_found=list(facts.not_found),
        members=_members(counters),
        amounts=list(_amounts(statistics)),
        constant_ids=[
            ConstantId(event_name=name, events=events)
            for name, events in counters.constant_ids().items()
        ],
        low_quality=[
            LowQuality(**one._asdict(), message=f"{one.words}.") for one in facts.shortfalls
        ],
    )


def _outcomes(counters: Counters) -> list[OriginOutcomes]:
    counts: defaultdict[Origin, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(map(str, Outcome), 0)
    )
    for row in counters.outcomes():
        counts[row.origin][str(row.outcome)] += row.number
    return [
        OriginOutcomes(
            stream=origin.shown.stream,
            mapping=origin.shown.mapping,
            counts="members" if origin in counters.list_origins else "events",
            **numbers,
        )
        for origin, numbers in counts.items()
    ]


def _members(counters: Counters) -> Totals:
    counts = dict.fromkeys(map(str, Outcome), 0)
    for row in counters.outcomes():
        if row.origin in counters.list_origins:
            counts[str(row.outcome)] += row.number
    return Totals(**counts)


def _warnings(counters: Counters, statistics: DeliveredStatistics) -> Iterator[WarningCount]:
    for message, number in counters.warnings().items():
        names = {
            name: events
            for (words, name), events in statistics.warnings.most_common()
            if words == message
        }
        yield WarningCount(message=message, events=number, event_names=names)


def _amounts(statistics: DeliveredStatistics) -> Iterator[AmountCount]:
    delivered = {row[:2]: row for row in statistics.amounts.rows()}
    rejected = {row[:2]: row for row in statistics.rejected_amounts.rows()}
    for name, currency in dict.fromkeys((*delivered, *rejected)):
        taken = delivered.get((name, currency), Amount(name, currency, 0, Decimal()))
        refused = rejected.get((name, currency), Amount(name, currency, 0, Decimal()))
        yield AmountCount(
            event_name=name,
            currency=currency or None,
            delivered=taken.value,
            delivered_events=taken.events,
            rejected=refused.value,
            rejected_events=refused.events,
        )


def _reasons(counters: Counters) -> Iterator[ReasonCount]:
    for row in counters.outcomes():
        if row.outcome is Outcome.DELIVERED:
            continue
        reason, _, name = row.reason.partition(": ")
        is_invalid = row.outcome is Outcome.INVALID
        yield ReasonCount(
            **row.origin.shown._asdict(),
            outcome=str(row.outcome),  # type: ignore[arg-type]
            reason=reason,
            event_name=name if name and not is_invalid else None,
            field=name if name and is_invalid else None,
            events=row.number,
            advice=advice_about(row.reason),
        )


def _values(counters: Counters) -> Iterator[ValueCount]:
    for row in counters.notes():
        yield ValueCount(
            **row.origin.shown._asdict(),
            field=shown_name(row.field),
            reason=row.reason,
            sent=isinstance(find_reason(row.reason), Warned),
            values=row.number,
            advice=advice_about(row.reason),
        )


def _requests(facts: RunFacts, delivered: int) -> Requests:
    sent, repeated, bisecting = facts.requests
    seconds = facts.run.seconds
    return Requests(
        sent=sent,
        repeated=repeated,
        bisecting=bisecting,
        events_per_second=round(delivered / seconds, 1) if seconds else 0.0,
    )


def _delivered(
    statistics: DeliveredStatistics, basis: Literal["delivered", "would_be_sent"]
) -> Delivered:
    bucket_seconds, buckets = statistics.times.over_time()
    return Delivered(
        basis=basis,
        events=statistics.events.total(),
        event_ids_exact=statistics.ids.is_exact,
        by_event_name=[
            NameCoverage(
                event_name=name,
                events=events,
                components=component_coverage(statistics.coverage.carrying(name), events),
                repeated_ids=statistics.ids.repeated(name),
                derived_ids=statistics.ids.derived(name),
                action_sources={
                    source: number
                    for (label, source), number in statistics.sources.most_common()
                    if label == name
                },
            )
            for name, events in statistics.events.most_common()
        ],
        bucket_seconds=bucket_seconds,
        over_time=[
            TimeBucket(start=datetime.fromtimestamp(bucket.start, UTC), events=bucket.events)
            for bucket in buckets
        ],
        delays=_delays(statistics.times),
    )


def _delays(times: EventTimes) -> Delays:
    return Delays(
        within_an_hour=times.within_an_hour,
        late_online=times.late_online,
        buckets=[
            DelayBucket(up_to_seconds=edge, events=events)
            for edge, events in zip((*DELAY_EDGES, None), times.delays(), strict=True)
        ],
    )


def component_coverage(carrying: Mapping[str, int], events: int) -> dict[str, ComponentCoverage]:
    """Return the coverage of each component, from the number of events that have it."""
    return {
        component.name: ComponentCoverage(
            events=carrying[component.name],
            coverage=round(100 * carrying[component.name] / events, 2),
        )
        for component in COMPONENTS
    }

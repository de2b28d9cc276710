"""What became of the demo's sample, put together from what a user has (report, dead letters, STATE) and from what arrived.

Owns the sum: every record in exactly one outcome, the report in agreement with what Pinterest received, and a second run that sends
nothing twice. A record's values stay where they are: counts, names, reasons and the sandbox's own words are all that is taken.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.reporting.report import ReasonCount, Report

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.store import EventRow, UpdateRow

DELIVERED: Final = "delivered"
DEAD: Final = ("invalid", "rejected")  # those with a dead letter each
SKIPPED: Final = "skipped"
OUTCOMES: Final = (DELIVERED, *DEAD, SKIPPED)
ADDED: Final = "members added"
REMOVED: Final = "members removed"


class OutcomeRow(NamedTuple):
    """How many events or members of a stream ended so.

    `reason` is the event's name where it was delivered; `field` is the one at fault, `detail` in what sense.
    """

    stream: str
    mapping: str
    outcome: str
    reason: str
    events: int
    field: str = ""
    detail: str = ""
    advice: str = ""


class ValueRow(NamedTuple):
    """How often a field's value was left out of its event, or sent with a warning."""

    stream: str
    field: str
    reason: str
    times: int
    advice: str


class Sample(NamedTuple):
    """What is known of the input beforehand.

    `records` has each stream's number, `reasons` how often which reason has to be counted for it, `stream_of` gives the stream
    that an event id is of, `list_stream` is the one that changes a customer list, `last_state` the value of the last STATE.
    """

    records: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    stream_of: Callable[[str], str]
    list_stream: str
    last_state: Any


class Evidence(NamedTuple):
    """All that is there after a run: what it wrote, and what the sandbox took of it. `report` is None where there is none."""

    exit_code: int
    report: Report | None
    dead_letters: str
    states: str
    received: "Sequence[EventRow]"
    updates: "Sequence[UpdateRow]"


class DemoResult(NamedTuple):
    """What became of every record. `problems` says what is not as it should be; empty when all is well."""

    records: Mapping[str, int]
    outcomes: tuple[OutcomeRow, ...]
    values: tuple[ValueRow, ...]
    report: Report | None
    states: tuple[str, ...]
    problems: tuple[str, ...]

    def total(self, outcome: str, stream: str | None = None) -> int:
        """Give how many events ended so, of one stream or of all."""
        return sum(
            row.events
            for row in self.outcomes
            if row.outcome == outcome and stream in (None, row.stream)
        )

    @property
    def requests(self) -> int:
        """Requests of events."""
        return self.report.requests.sent if self.report is not None else 0

    @property
    def repeats(self) -> int:
        """Those that sent a batch again."""
        return self.report.requests.repeated if self.report is not None else 0

    @property
    def warnings(self) -> dict[str, int]:
        """Pinterest's warnings about events that it took, and how many."""
        return (
            {one.message: one.events for one in self.report.warnings}
            if self.report is not None
            else {}
        )


class Repeat(NamedTuple):
    """What the same input came to once more: events in the ledger, those delivered after all, and members that changed."""

    in_ledger: int
    delivered: int
    members_changed: int
    problems: tuple[str, ...]


def read_dead_letters(text: str, advice: Mapping[str, str]) -> list[OutcomeRow]:
    """Count dead letters by stream, mapping, outcome, reason and field; Pinterest's words are the advice of rejected ones."""
    counts: Counter[OutcomeRow] = Counter()
    for line in text.splitlines():
        letter = json.loads(line)
        reason, detail = letter["reason"], letter.get("detail", "")
        words = advice.get(reason) or "See the dead letter."
        if letter["outcome"] == "rejected" and detail:
            words = f"Pinterest's answer: {detail}"
        row = OutcomeRow(
            letter["stream"],
            letter["mapping"],
            letter["outcome"],
            reason,
            0,
            letter.get("field", ""),
            detail,
            words,
        )
        counts[row] += 1
    return [row._replace(events=events) for row, events in counts.items()]


def collect(sample: Sample, evidence: Evidence) -> DemoResult:
    """Put the outcomes of a run together and check that they add up."""
    report = evidence.report
    reasons = report.reasons if report is not None else []
    letters = read_dead_letters(evidence.dead_letters, {row.reason: row.advice for row in reasons})
    skipped = [
        OutcomeRow(row.stream, row.mapping, SKIPPED, _with_name(row), row.events, advice=row.advice)
        for row in reasons
        if row.outcome == SKIPPED
    ]
    mappings = {row.stream: row.mapping for row in report.outcomes} if report is not None else {}
    order = list(sample.records)
    outcomes = sorted(
        [*_delivered(sample, evidence, mappings), *letters, *skipped],
        key=lambda row: (order.index(row.stream), OUTCOMES.index(row.outcome)),
    )
    values = [
        ValueRow(row.stream, row.field, row.reason, row.values, row.advice)
        for row in (report.values if report is not None else ())
    ]
    return DemoResult(
        sample.records,
        tuple(outcomes),
        tuple(sorted(values, key=lambda row: order.index(row.stream))),
        report,
        tuple(evidence.states.splitlines()),
        tuple(_problems(sample, evidence, outcomes, values)),
    )


def collect_repeat(first: DemoResult, before: Evidence, after: Evidence) -> Repeat:
    """Check that the second run sent what the first could not deliver, and nothing else."""
    in_ledger = sum(row.events for row in _reasons(after.report) if row.reason == Skipped.IN_LEDGER)
    changed = sum(update.changed for update in after.updates)
    return Repeat(
        in_ledger,
        len(after.received),
        changed,
        tuple(_repeat_problems(first, before, after, in_ledger, changed)),
    )


def _repeat_problems(
    first: DemoResult, before: Evidence, after: Evidence, in_ledger: int, changed: int
) -> Iterator[str]:
    if after.exit_code or after.report is None:
        yield f"The second run ended with exit code {after.exit_code}{'' if after.report else ', and left no report'}."
    twice = {row.event["event_id"] for row in before.received} & {
        row.event["event_id"] for row in after.received
    }
    if twice:
        yield f"{len(twice):,} events were delivered by both runs."
    if in_ledger != len(before.received):
        yield f"The first run delivered {len(before.received):,} events, and the second found {in_ledger:,} in the ledger."
    if len(after.received) != first.total("rejected"):
        yield f"The first run left {first.total('rejected'):,} rejected events, and the second delivered {len(after.received):,}."
    if changed:
        yield f"The second run changed {changed:,} members of the customer list."


def _reasons(report: Report | None) -> Sequence[ReasonCount]:
    return report.reasons if report is not None else ()


def _with_name(row: ReasonCount) -> str:
    return f"{row.reason}: {row.event_name}" if row.event_name else row.reason


def _delivered(
    sample: Sample, evidence: Evidence, mappings: Mapping[str, str]
) -> Iterator[OutcomeRow]:
    """Give what Pinterest received, by stream and event name; of the list by what became of the members."""
    names = Counter(
        (sample.stream_of(row.event["event_id"]), row.event["event_name"])
        for row in evidence.received
    )
    for update in evidence.updates:
        names[sample.list_stream, REMOVED if update.operation == "REMOVE" else ADDED] += len(
            update.members
        )
    for (stream, name), count in names.most_common():
        yield OutcomeRow(stream, mappings.get(stream, ""), DELIVERED, name, count)


def _problems(
    sample: Sample, evidence: Evidence, outcomes: Iterable[OutcomeRow], values: Iterable[ValueRow]
) -> Iterator[str]:
    """Say what does not add up."""
    report = evidence.report
    if evidence.exit_code:
        stopped = report.run.stopped if report is not None else None
        yield f"The target ended with exit code {evidence.exit_code}. {stopped or ''}".strip()
    if report is None:
        yield "The target left no report."
    yield from _missing_records(sample, report, outcomes)
    dead = _by_reason(
        (row.stream, row.reason, row.events) for row in outcomes if row.outcome in DEAD
    )
    if dead != _by_reason(
        (row.stream, row.reason, row.events) for row in _reasons(report) if row.outcome in DEAD
    ):
        yield "The dead letters are not those that the report counts."
    counted = dead + _by_reason((row.stream, row.reason, row.times) for row in values)
    for stream, reason in sorted(counted.keys() | sample.reasons.keys()):
        times, expected = counted[stream, reason], sample.reasons.get((stream, reason), 0)
        if times != expected:
            yield f"Stream {stream} has {expected:,} of reason {reason}, and {times:,} were counted."
    twice = sum(
        times > 1 for times in Counter(row.event["event_id"] for row in evidence.received).values()
    )
    if twice:
        yield f"{twice:,} events were delivered more than once."
    last = evidence.states.splitlines()[-1:]
    if not last or json.loads(last[0]) != sample.last_state:
        yield "The last STATE is not the one that the sample ends with."


def _missing_records(
    sample: Sample, report: Report | None, outcomes: Iterable[OutcomeRow]
) -> Iterator[str]:
    settled: Counter[str] = Counter()
    delivered: Counter[str] = Counter()
    for row in outcomes:
        settled[row.stream] += row.events
        delivered[row.stream] += row.events * (row.outcome == DELIVERED)
    for stream, records in sample.records.items():
        if settled[stream] != records:
            yield f"Stream {stream} has {records:,} records, and {settled[stream]:,} outcomes."
    if report is None:
        return
    counted: Counter[str] = Counter()
    for origin in report.outcomes:
        counted[origin.stream] += origin.delivered
    if +counted != +delivered:
        yield "What Pinterest received is not what the report counts as delivered."
    records = sum(sample.records.values())
    if report.run.records != records:
        yield f"The sample has {records:,} records, and the report counts {report.run.records:,}."


def _by_reason(rows: Iterable[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for stream, reason, times in rows:
        counts[stream, reason] += times
    return counts

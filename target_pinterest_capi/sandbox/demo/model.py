"""What became of the demo's sample, by report, dead letters and STATE, and by what arrived.

Owns the sum: every record has exactly one outcome, the report agrees with what Pinterest received,
and a second run sends nothing twice. Holds counts, names, reasons and the sandbox's own words, and
no value of a record.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.store import EventRow, UpdateRow

DELIVERED: Final = "delivered"
REJECTED: Final = "rejected"
SKIPPED: Final = "skipped"
DEAD: Final = ("invalid", REJECTED)  # those with a dead letter each
OUTCOMES: Final = (DELIVERED, *DEAD, SKIPPED)
ADDED: Final = "members added"
REMOVED: Final = "members removed"
IN_LEDGER: Final = "in_ledger"
NO_REPORT: Final = SimpleNamespace(
    outcomes=[],
    reasons=[],
    values=[],
    warnings=[],
    customer_lists=[],
    run=SimpleNamespace(records=0, stopped=None),
    requests=SimpleNamespace(sent=0, repeated=0),
    delivered=SimpleNamespace(by_event_name=[]),
)


class OutcomeRow(NamedTuple):
    """How many events or members of a stream have an outcome.

    `reason` is the event's name where it was delivered; `field` is the one at fault, `detail` why.
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

    `records` has each stream's number, `reasons` how often each reason has to be counted for it,
    `stream_of` returns the stream of an event id, `list_stream` is the one of the customer list.
    """

    records: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    stream_of: Callable[[str], str]
    list_stream: str
    last_state: Any


class Evidence(NamedTuple):
    """All that is there after a run: what it wrote, and what the sandbox received of it.

    `report` has the members of the JSON report as attributes; None where there is no report.
    """

    exit_code: int
    report: Any
    dead_letters: str
    states: str
    received: "Sequence[EventRow]"
    updates: "Sequence[UpdateRow]"


class DemoResult(NamedTuple):
    """What became of every record. `problems` says what is not as it should be."""

    records: Mapping[str, int]
    outcomes: tuple[OutcomeRow, ...]
    values: tuple[ValueRow, ...]
    report: Any
    states: tuple[str, ...]
    problems: tuple[str, ...]

    def total(self, outcome: str, stream: str | None = None) -> int:
        """Return how many events have an outcome, of one stream or of all."""
        rows = [row for row in self.outcomes if stream in (None, row.stream)]
        return sum(row.events for row in rows if row.outcome == outcome)


class Repeat(NamedTuple):
    """What a second run of the same input came to."""

    in_ledger: int
    delivered: int
    members_changed: int
    problems: tuple[str, ...]


def collect(sample: Sample, evidence: Evidence) -> DemoResult:
    """Return the outcomes of a run, and what does not add up in them."""
    report = evidence.report or NO_REPORT
    order = list(sample.records)
    outcomes = sorted(
        [
            *_delivered(sample, evidence, report),
            *_dead(evidence.dead_letters, {row.reason: row.advice for row in report.reasons}),
            *_skipped(report),
        ],
        key=lambda row: (order.index(row.stream), OUTCOMES.index(row.outcome)),
    )
    values = [
        ValueRow(row.stream, row.field, row.reason, row.values, row.advice)
        for row in sorted(report.values, key=lambda row: order.index(row.stream))
    ]
    result = DemoResult(
        sample.records,
        tuple(outcomes),
        tuple(values),
        report,
        tuple(evidence.states.splitlines()),
        (),
    )
    return result._replace(problems=tuple(_problems(sample, evidence, result)))


def collect_repeat(first: DemoResult, before: Evidence, after: Evidence) -> Repeat:
    """Return what the second run sent: what the first could not deliver, or else a problem."""
    report = after.report or NO_REPORT
    in_ledger = sum(row.events for row in report.reasons if row.reason == IN_LEDGER)
    changed = sum(update.changed for update in after.updates)
    earlier, later = len(before.received), len(after.received)
    rejected = first.total(REJECTED)
    twice = len(_ids(before).keys() & _ids(after).keys())
    no_report = "" if after.report else ", and left no report"
    problems = {
        f"The second run ended with exit code {after.exit_code}{no_report}.": after.exit_code
        or no_report,
        f"{twice:,} events were delivered by both runs.": twice,
        f"The first run delivered {earlier:,} events, and the second found {in_ledger:,} "
        "in the ledger.": in_ledger != earlier,
        f"The first run left {rejected:,} rejected events, and the second delivered "
        f"{later:,}.": later != rejected,
        f"The second run changed {changed:,} members of the customer list.": changed,
    }
    return Repeat(in_ledger, later, changed, _true_ones(problems))


def _true_ones(problems: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(words for words, is_so in problems.items() if is_so)


def _ids(evidence: Evidence) -> Counter[str]:
    return Counter(row.event["event_id"] for row in evidence.received)


def _delivered(sample: Sample, evidence: Evidence, report: Any) -> Iterator[OutcomeRow]:
    """Yield what Pinterest received, by stream and event name, or by what became of members."""
    mappings = {row.stream: row.mapping for row in report.outcomes}
    names = Counter(
        (sample.stream_of(row.event["event_id"]), row.event["event_name"])
        for row in evidence.received
    )
    for update in evidence.updates:
        change = REMOVED if update.operation == "REMOVE" else ADDED
        names[sample.list_stream, change] += len(update.members)
    for (stream, name), count in names.most_common():
        yield OutcomeRow(stream, mappings.get(stream, ""), DELIVERED, name, count)


def _dead(letters: str, advice: Mapping[str, str]) -> Iterator[OutcomeRow]:
    """Yield the dead letters of each kind; advice on rejected ones is Pinterest's own words."""
    counts: Counter[OutcomeRow] = Counter()
    for letter in map(json.loads, letters.splitlines()):
        reason, detail = letter["reason"], letter.get("detail", "")
        words = advice.get(reason) or "See the dead letter."
        if letter["outcome"] == REJECTED and detail:
            words = f"Pinterest's answer: {detail}"
        origin = (letter["stream"], letter["mapping"], letter["outcome"])
        counts[OutcomeRow(*origin, reason, 0, letter.get("field", ""), detail, words)] += 1
    for row, events in counts.items():
        yield row._replace(events=events)


def _skipped(report: Any) -> Iterator[OutcomeRow]:
    for row in report.reasons:
        if row.outcome == SKIPPED:
            reason = f"{row.reason}: {row.event_name}" if row.event_name else row.reason
            yield OutcomeRow(
                row.stream, row.mapping, SKIPPED, reason, row.events, advice=row.advice
            )


def _problems(sample: Sample, evidence: Evidence, result: DemoResult) -> Iterator[str]:
    """Yield what does not add up."""
    report, records = result.report, sum(sample.records.values())
    stopped = f" {report.run.stopped}" if report.run.stopped else ""
    dead = [row for row in result.outcomes if row.outcome in DEAD]
    counted_dead = _by_reason(row for row in report.reasons if row.outcome in DEAD)
    received = Counter({name: result.total(DELIVERED, name) for name in sample.records})
    counted: Counter[str] = Counter()
    for row in report.outcomes:
        counted[row.stream] += row.delivered
    twice = sum(times > 1 for times in _ids(evidence).values())
    has_report = evidence.report is not None
    yield from _true_ones(
        {
            f"The target ended with exit code {evidence.exit_code}.{stopped}": evidence.exit_code,
            "The target left no report.": not has_report,
            "The dead letters are not those that the report counts.": _by_reason(dead)
            != counted_dead,
            "What Pinterest received is not what the report counts as delivered.": has_report
            and +counted != +received,
            f"The sample has {records:,} records, and the report counts "
            f"{report.run.records:,}.": has_report and report.run.records != records,
            f"{twice:,} events were delivered more than once.": twice,
            "The last STATE is not the one that the sample ends with.": not result.states
            or json.loads(result.states[-1]) != sample.last_state,
        }
    )
    for stream, number in sample.records.items():
        ended = sum(result.total(outcome, stream) for outcome in OUTCOMES)
        if ended != number:
            yield f"Stream {stream} has {number:,} records, and {ended:,} outcomes."
    times = _by_reason(dead)
    for value in result.values:
        times[value.stream, value.reason] += value.times
    for stream, reason in sorted(times.keys() | sample.reasons.keys()):
        found, expected = times[stream, reason], sample.reasons.get((stream, reason), 0)
        if found != expected:
            yield (
                f"Stream {stream} has {expected:,} of reason {reason}, and {found:,} were counted."
            )


def _by_reason(rows: Iterable[Any]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[row.stream, row.reason] += row.events
    return counts

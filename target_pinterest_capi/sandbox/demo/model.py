"""What became of the demo's sample, by report, dead letters and STATE, and by what arrived.

Owns the sum: every record has exactly one outcome, the report agrees with what Pinterest received,
and a second run sends nothing twice. Holds counts, names, reasons and the sandbox's own words, and
no value of a record but those of the example.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.rows import EventRow, UpdateRow

DELIVERED: Final = "delivered"
REJECTED: Final = "rejected"
SKIPPED: Final = "skipped"
DEAD: Final = ("invalid", REJECTED)  # those with a dead letter each
OUTCOMES: Final = (DELIVERED, *DEAD, SKIPPED)
ADDED: Final = "members added"
REMOVED: Final = "members removed"
IN_LEDGER: Final = "in_ledger"


def read_json(text: str) -> Any:
    """Return a JSON text's value, with the members of its objects as attributes."""
    return json.loads(text, object_hook=lambda members: SimpleNamespace(**members))


NO_REPORT: Final = read_json(
    '{"outcomes": [], "reasons": [], "values": [], "warnings": [], "customer_lists": [], '
    '"run": {"records": 0, "stopped": null}, "requests": {"sent": 0, "repeated": 0}, '
    '"delivered": {"by_event_name": []}}'
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


class Example(NamedTuple):
    """A record of a stream, and the event that arrived for it."""

    stream: str
    record: Mapping[str, Any]
    event: Mapping[str, Any]


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

    def event_ids(self) -> Counter[str]:
        """Return how often each event was received."""
        return Counter(row.event["event_id"] for row in self.received)


class DemoResult(NamedTuple):
    """What became of every record. `problems` says what is not as it should be."""

    records: Mapping[str, int]
    outcomes: tuple[OutcomeRow, ...]
    values: tuple[ValueRow, ...]
    report: Any
    states: tuple[str, ...]
    problems: tuple[str, ...] = ()

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
    outcomes = [
        *_delivered(sample, evidence, report),
        *_dead(evidence.dead_letters, {row.reason: row.advice for row in report.reasons}),
        *_skipped(report),
    ]
    outcomes.sort(key=lambda row: (order.index(row.stream), OUTCOMES.index(row.outcome)))
    values = [
        ValueRow(row.stream, row.field, row.reason, row.values, row.advice)
        for row in sorted(report.values, key=lambda row: order.index(row.stream))
    ]
    states = tuple(evidence.states.splitlines())
    result = DemoResult(sample.records, tuple(outcomes), tuple(values), report, states)
    sums = (*_problems(sample, evidence, result), *_wrong_counts(sample, result))
    return result._replace(problems=sums)


def collect_repeat(first: DemoResult, before: Evidence, after: Evidence) -> Repeat:
    """Return what the second run sent: what the first could not deliver, or else a problem."""
    report = after.report or NO_REPORT
    in_ledger = sum(row.events for row in report.reasons if row.reason == IN_LEDGER)
    changed = sum(update.changed for update in after.updates)
    earlier, later = len(before.received), len(after.received)
    rejected = first.total(REJECTED)
    twice = len(before.event_ids().keys() & after.event_ids().keys())
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


def _delivered(sample: Sample, evidence: Evidence, report: Any) -> Iterator[OutcomeRow]:
    """Yield what Pinterest received, by stream and event name, or by what became of members."""
    mappings = {row.stream: row.mapping for row in report.outcomes}
    events = [row.event for row in evidence.received]
    names = Counter((sample.stream_of(one["event_id"]), one["event_name"]) for one in events)
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
            found = OutcomeRow(row.stream, row.mapping, SKIPPED, reason, row.events)
            yield found._replace(advice=row.advice)


def _problems(sample: Sample, evidence: Evidence, result: DemoResult) -> tuple[str, ...]:
    """Return what the parts of the evidence contradict each other in."""
    report, records = result.report, sum(sample.records.values())
    stopped = f" {report.run.stopped}" if report.run.stopped else ""
    counted: Counter[str] = Counter()
    for row in report.outcomes:
        counted[row.stream] += row.delivered
    received = Counter({name: result.total(DELIVERED, name) for name in sample.records})
    twice = sum(times > 1 for times in evidence.event_ids().values())
    has_report = evidence.report is not None
    return _true_ones(
        {
            f"The target ended with exit code {evidence.exit_code}.{stopped}": evidence.exit_code,
            "The target left no report.": not has_report,
            "The dead letters are not those that the report counts.": _dead_counts(result.outcomes)
            != _dead_counts(report.reasons),
            "What Pinterest received is not what the report counts as delivered.": has_report
            and +counted != +received,
            f"The sample has {records:,} records, and the report counts "
            f"{report.run.records:,}.": has_report and report.run.records != records,
            f"{twice:,} events were delivered more than once.": twice,
            "The last STATE is not the one that the sample ends with.": not result.states
            or json.loads(result.states[-1]) != sample.last_state,
        }
    )


def _wrong_counts(sample: Sample, result: DemoResult) -> Iterator[str]:
    """Yield where records and outcomes, or reasons and what was put wrong, differ in number."""
    for stream, number in sample.records.items():
        ended = sum(result.total(outcome, stream) for outcome in OUTCOMES)
        if ended != number:
            yield f"Stream {stream} has {number:,} records, and {ended:,} outcomes."
    times = _dead_counts(result.outcomes)
    for value in result.values:
        times[value.stream, value.reason] += value.times
    for stream, reason in sorted(times.keys() | sample.reasons.keys()):
        found, expected = times[stream, reason], sample.reasons.get((stream, reason), 0)
        if found != expected:
            yield (
                f"Stream {stream} has {expected:,} of reason {reason}, and {found:,} were counted."
            )


def _dead_counts(rows: Iterable[Any]) -> Counter[tuple[str, str]]:
    """Return how many dead letters there have to be for each stream and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.outcome in DEAD:
            counts[row.stream, row.reason] += row.events
    return counts

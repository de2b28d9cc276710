"""Whether the demo's runs are consistent: the target's reports, and what the sandbox received.

Every record has exactly one outcome, the report agrees with what Pinterest received, and a second
run sends nothing twice. Has counts, names and reasons, and no value of a record except the
example's.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.rows import EventRow, UpdateRow

DEAD: Final = ("invalid", "rejected")  # each of them has a dead letter


class Example(NamedTuple):
    """A record of a stream, and the event that arrived for it."""

    stream: str
    record: Mapping[str, Any]
    event: Mapping[str, Any]


class Sample(NamedTuple):
    """What is known about the input beforehand.

    `records` has each stream's number, `stream_of` returns the stream of an event id, `list_stream`
    is the one for the customer list.
    """

    records: Mapping[str, int]
    stream_of: Callable[[str], str]
    list_stream: str
    last_state: Any


class Evidence(NamedTuple):
    """Everything after a run: what it wrote, and what the sandbox received.

    `report` is None if the run left none.
    """

    exit_code: int
    report: Any
    dead_letters: str
    states: Sequence[str]
    received: "Sequence[EventRow]"
    updates: "Sequence[UpdateRow]"

    def event_ids(self) -> Counter[str]:
        """Return how often each event was received."""
        return Counter(row.event["event_id"] for row in self.received)


class Repeat(NamedTuple):
    """The result of a second run with the same input."""

    in_ledger: int
    delivered: int
    members_changed: int
    problems: Sequence[str]


def find_problems(sample: Sample, evidence: Evidence) -> list[str]:
    """Return what is not as expected after the first run."""
    report = evidence.report
    stopped = f" {report.run.stopped}" if report and report.run.stopped else ""
    twice = sum(times > 1 for times in evidence.event_ids().values())
    states = evidence.states
    return _true_ones(
        {
            f"The target ended with exit code {evidence.exit_code}.{stopped}": evidence.exit_code,
            "The target left no report.": report is None,
            f"{twice:,} events were delivered more than once.": twice,
            "The last STATE is not the last one in the sample.": (
                not states or json.loads(states[-1]) != sample.last_state
            ),
            **(_contradictions(sample, evidence) if report else {}),
        }
    )


def compare(first: Evidence, second: Evidence) -> Repeat:
    """Return what the second run sent: what the first could not deliver; or a problem."""
    reasons = second.report.reasons if second.report else ()
    known = sum(row.events for row in reasons if row.reason == "in_ledger")
    changed = sum(update.changed for update in second.updates)
    earlier, later = len(first.received), len(second.received)
    rejected = first.report.totals.rejected if first.report else 0
    twice = len(first.event_ids().keys() & second.event_ids().keys())
    problems = {
        f"The second run ended with exit code {second.exit_code}.": second.exit_code,
        "The second run left no report.": second.report is None,
        f"{twice:,} events were delivered by both runs.": twice,
        f"The first run delivered {earlier:,} events, and the second found {known:,} in the "
        "ledger.": known != earlier,
        f"The first run left {rejected:,} rejected events, and the second delivered "
        f"{later:,}.": later != rejected,
        f"The second run changed {changed:,} members of the customer list.": changed,
    }
    return Repeat(known, later, changed, _true_ones(problems))


def _true_ones(problems: Mapping[str, object]) -> list[str]:
    return [words for words, is_so in problems.items() if is_so]


def _contradictions(sample: Sample, evidence: Evidence) -> dict[str, bool]:
    """Return contradictions between report, dead letters, sample and sandbox."""
    report, records = evidence.report, sum(sample.records.values())
    delivered: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for row in report.outcomes:
        delivered[row.stream] += row.delivered
        ended[row.stream] += row.delivered + row.invalid + row.rejected + row.skipped
    letters = map(json.loads, evidence.dead_letters.splitlines())
    in_letters = Counter((letter["stream"], letter["reason"]) for letter in letters)
    dead: Counter[tuple[str, str]] = Counter()
    for row in report.reasons:
        if row.outcome in DEAD:
            dead[row.stream, row.reason] += row.events
    return {
        f"The sample has {records:,} records, and the report counts {report.run.records:,}.": (
            report.run.records != records
        ),
        "What Pinterest received differs from what the report counts as delivered.": (
            +delivered != _received(sample, evidence)
        ),
        "The dead letters differ from those that the report counts.": in_letters != dead,
        **{
            f"Stream {stream} has {number:,} records, and {ended[stream]:,} outcomes.": (
                ended[stream] != number
            )
            for stream, number in sample.records.items()
        },
    }


def _received(sample: Sample, evidence: Evidence) -> Counter[str]:
    """Return how many events or members of each stream Pinterest received."""
    received = Counter(sample.stream_of(row.event["event_id"]) for row in evidence.received)
    received[sample.list_stream] += sum(len(update.members) for update in evidence.updates)
    return +received

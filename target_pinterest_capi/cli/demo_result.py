"""What became of the demo's sample, put together from what a user has: the target's log, dead letters and STATE, and what arrived.

Owns the reading of these and the sum: every record in exactly one outcome. Promises that a record's values stay where they are:
counts, names, reasons and the sandbox's own words are all that is taken.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from target_pinterest_capi.events.reasons import Invalid, LeftOut, Skipped, Warned

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.store import EventRow

ADVICE: Final = {str(reason): reason.advice for reasons in (LeftOut, Warned, Invalid, Skipped) for reason in reasons}
DELIVERED: Final = "delivered"
DEAD: Final = ("invalid", "rejected")  # those with a dead letter each
OUTCOMES: Final = (DELIVERED, *DEAD, "skipped")

_message: Final = re.compile(r"\d{4}-\d{2}-\d{2} [\d:,.]+ \| (\w+) +\| (\S+) +\| (.*)").fullmatch
_outcome: Final = re.compile(r"(\S+)(?: \((.+?)\))?: (invalid|rejected|skipped) (.+?) (\d+)(?: \(.*\))?").fullmatch
_note: Final = re.compile(r"(\S+)(?: \(.+?\))?: ([a-z0-9_.]+) (\w+) (\d+)(?: \(.*\))?").fullmatch
_end: Final = re.compile(
    r"(?:Done|Stopped) after (\d+) records: .*?(\d+) requests, (\d+) of them repeats, \d+ to isolate refused events; "
    r"(\d+) STATE written; .*"
).fullmatch


class OutcomeRow(NamedTuple):
    """How many events of a stream ended so.

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


class Log(NamedTuple):
    """What the target's log says: outcomes other than delivered, values left out, and the numbers of the last line, if it came."""

    outcomes: tuple[OutcomeRow, ...]
    values: tuple[ValueRow, ...]
    records: int | None
    requests: int
    repeats: int
    errors: tuple[str, ...]


class Evidence(NamedTuple):
    """All that is there after a run: texts as they were written, and what the sandbox remembers.

    `records`, `reasons` and `stream_of` are the sample's: how many records each stream has, how often which reason has to be
    counted for it, and the stream that an event id is of.
    """

    records: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    stream_of: Callable[[str], str]
    exit_code: int
    log: str
    dead_letters: str
    states: str
    last_state: Any
    received: "Iterable[EventRow]"


class Result(NamedTuple):
    """What became of every record. `problems` says what is not as it should be; empty when all is well."""

    records: Mapping[str, int]
    outcomes: tuple[OutcomeRow, ...]
    values: tuple[ValueRow, ...]
    warnings: Mapping[str, int]
    states: tuple[str, ...]
    requests: int
    repeats: int
    problems: tuple[str, ...]

    def total(self, outcome: str, stream: str | None = None) -> int:
        """Give how many events ended so, of one stream or of all."""
        return sum(row.events for row in self.outcomes if row.outcome == outcome and stream in (None, row.stream))


def read_log(text: str) -> Log:
    """Read the target's log as it goes to stderr."""
    outcomes, values, errors = [], [], []
    records, requests, repeats = None, 0, 0
    for line in text.splitlines():
        found = _message(line)
        if found is None:
            continue
        level, message = found[1], found[3]
        if level in ("ERROR", "CRITICAL"):
            errors.append(message)
        elif outcome := _outcome(message):
            reason = outcome[4]
            advice = ADVICE.get(reason.partition(":")[0], "")
            outcomes.append(OutcomeRow(outcome[1], outcome[2] or "", outcome[3], reason, int(outcome[5]), advice=advice))
        elif note := _note(message):
            values.append(ValueRow(note[1], note[2], note[3], int(note[4]), ADVICE.get(note[3], "")))
        elif end := _end(message):
            records, requests, repeats = int(end[1]), int(end[2]), int(end[3])
    return Log(tuple(outcomes), tuple(values), records, requests, repeats, tuple(errors))


def read_dead_letters(text: str) -> list[OutcomeRow]:
    """Count dead letters by stream, mapping, outcome, reason and field; Pinterest's words are the advice of rejected ones."""
    counts: Counter[OutcomeRow] = Counter()
    for line in text.splitlines():
        letter = json.loads(line)
        reason, detail = letter["reason"], letter.get("detail", "")
        advice = ADVICE.get(reason) or (f"Pinterest's answer: {detail}" if detail else "See the dead letter.")
        row = OutcomeRow(letter["stream"], letter["mapping"], letter["outcome"], reason, 0, letter.get("field", ""), detail, advice)
        counts[row] += 1
    return [row._replace(events=events) for row, events in counts.items()]


def collect(evidence: Evidence) -> Result:
    """Put the outcomes of a run together and check that they add up."""
    log = read_log(evidence.log)
    letters = read_dead_letters(evidence.dead_letters)
    received = list(evidence.received)
    mappings = {row.stream: row.mapping for row in (*log.outcomes, *letters)}
    names = Counter((evidence.stream_of(row.event["event_id"]), row.event["event_name"]) for row in received)
    delivered = [
        OutcomeRow(stream, mappings.get(stream, ""), DELIVERED, name, count) for (stream, name), count in names.most_common()
    ]
    skipped = [row for row in log.outcomes if row.outcome == "skipped"]
    order = list(evidence.records)
    outcomes = sorted([*delivered, *letters, *skipped], key=lambda row: (order.index(row.stream), OUTCOMES.index(row.outcome)))
    return Result(
        evidence.records,
        tuple(outcomes),
        tuple(sorted(log.values, key=lambda row: order.index(row.stream))),
        dict(Counter(row.warning for row in received if row.warning)),
        tuple(evidence.states.splitlines()),
        log.requests,
        log.repeats,
        tuple(_problems(evidence, log, outcomes, received)),
    )


def _problems(evidence: Evidence, log: Log, outcomes: Iterable[OutcomeRow], received: Iterable["EventRow"]) -> Iterator[str]:
    """Say what does not add up."""
    if evidence.exit_code:
        yield f"The target ended with exit code {evidence.exit_code}. {' '.join(log.errors)}".strip()
    yield from _missing_records(evidence, log, outcomes)
    dead = _by_reason((row.stream, row.reason, row.events) for row in outcomes if row.outcome in DEAD)
    if dead != _by_reason((row.stream, row.reason, row.events) for row in log.outcomes if row.outcome in DEAD):
        yield "The dead letters are not those that the target's log counts."
    counted = dead + _by_reason((row.stream, row.reason, row.times) for row in log.values)
    for stream, reason in sorted(counted.keys() | evidence.reasons.keys()):
        times, expected = counted[stream, reason], evidence.reasons.get((stream, reason), 0)
        if times != expected:
            yield f"Stream {stream} has {expected:,} of reason {reason}, and {times:,} were counted."
    twice = sum(times > 1 for times in Counter(row.event["event_id"] for row in received).values())
    if twice:
        yield f"{twice:,} events were delivered more than once."
    last = evidence.states.splitlines()[-1:]
    if not last or json.loads(last[0]) != evidence.last_state:
        yield "The last STATE is not the one that the sample ends with."


def _missing_records(evidence: Evidence, log: Log, outcomes: Iterable[OutcomeRow]) -> Iterator[str]:
    settled: Counter[str] = Counter()
    for row in outcomes:
        settled[row.stream] += row.events
    for stream, records in evidence.records.items():
        if settled[stream] != records:
            yield f"Stream {stream} has {records:,} records, and {settled[stream]:,} outcomes."
    records = sum(evidence.records.values())
    if log.records != records:
        yield f"The sample has {records:,} records, and the target's log counts {log.records or 0:,}."


def _by_reason(rows: Iterable[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for stream, reason, times in rows:
        counts[stream, reason] += times
    return counts

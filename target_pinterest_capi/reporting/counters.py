"""What a run counts: outcomes by stream, mapping entry and reason, dropped values, warnings.

Only numbers and names.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.redaction import OTHER_NAMES
from target_pinterest_capi.reporting.event_ids import ConstantIds

MAX_WARNINGS: Final = 50  # of Pinterest's are kept by their text, the rest as one
_OUTCOMES: Final = list(Outcome)


class OutcomeCount(NamedTuple):
    """One row of the outcome table."""

    origin: Origin
    outcome: Outcome
    reason: str
    number: int


class NoteCount(NamedTuple):
    """How often a value of a field was dropped, or sent with a warning, and why."""

    origin: Origin
    field: str
    reason: str
    number: int


@dataclass(slots=True)
class RequestCounts:
    """How many requests were sent, how many were retries, and how many bisected a refused one."""

    sent: int = 0
    repeated: int = 0
    bisecting: int = 0


def sum_of_requests(counts: Iterable[RequestCounts]) -> RequestCounts:
    """Return the sum of several counts."""
    total = RequestCounts()
    for one in counts:
        total.sent += one.sent
        total.repeated += one.repeated
        total.bisecting += one.bisecting
    return total


class Counters:
    """Counters of one run; `known_names` are the names of events that may be shown."""

    def __init__(self, known_names: Collection[str] = EVENT_NAMES) -> None:
        self._known_names = frozenset(known_names)
        self._outcomes: Counter[tuple[Origin, Outcome, str]] = Counter()
        self._totals: Counter[Outcome] = Counter()
        self._notes: Counter[tuple[Origin, str, str]] = Counter()
        self._too_old = 0
        self.unsent = 0
        self.tested = 0
        self.late_online = 0
        self.unnamed: Counter[str] = Counter()  # old events by the field without a name in the file
        self.unknown_names = 0
        self._constant_ids = ConstantIds()
        self._warnings: Counter[str] = Counter()
        self.records = 0
        self.list_origins: set[Origin] = set()  # those whose outcomes are of members, not events

    def count_outcome(
        self, origin: Origin, outcome: Outcome, reason: str = "", number: int = 1
    ) -> None:
        """Count events that ended with one outcome and reason."""
        self._outcomes[origin, outcome, str(reason)] += number
        self._totals[outcome] += number

    def count_outside_ratio(self, number: int = 1) -> None:
        """Exclude events that were counted as invalid from the share of failures.

        These are rows that taps repeat until they are too old.
        """
        self._too_old += number

    def count_unsent(self, number: int = 1) -> None:
        """Count what was skipped only because the mode is not live; it counts as delivered."""
        self.unsent += number

    def count_tested(self, number: int) -> None:
        """Count events of a live run that were sent as tests, because of their entry's mode."""
        self.tested += number

    def count_late_online(self, number: int) -> None:
        """Count delivered online events that happened over an hour earlier."""
        self.late_online += number

    def examine_events(self, events: Sequence[Event]) -> None:
        """Compare the ids of events, and count those with a name that is not known."""
        names = {event.name for event in events}
        if not names <= self._known_names:
            self.unknown_names += sum([event.name not in self._known_names for event in events])
        self.compare_ids(events)

    def compare_ids(self, events: Sequence[Event]) -> None:
        """Compare the ids of events, because one for all of a name is a mistake.

        Only of known names: another may be a value.
        """
        known = {event.name for event in events} & self._known_names
        undecided = {name for name in known if self._constant_ids.may_be_constant(name)}
        if undecided:
            self._constant_ids.compare_ids([event for event in events if event.name in undecided])

    def constant_ids(self) -> dict[str, int]:
        """Return the number of events for each name whose events all had the same id."""
        return self._constant_ids.names()

    def count_value(self, origin: Origin, field: str, reason: str, number: int = 1) -> None:
        """Count values dropped or warned about."""
        self._notes[origin, field, str(reason)] += number

    def count_warning(self, message: str, number: int = 1) -> None:
        """Count a warning of Pinterest for accepted events; the message has no values."""
        if message not in self._warnings and len(self._warnings) >= MAX_WARNINGS:
            message = OTHER_NAMES
        self._warnings[message] += number

    def merge(self, other: "Counters") -> None:
        """Add the counts of another part of the same run."""
        for row in other.outcomes():
            self.count_outcome(*row)
        for note in other.notes():
            self.count_value(*note)
        for message, number in other.warnings().items():
            self.count_warning(message, number)
        self.count_outside_ratio(
            other.total(Outcome.INVALID) + other.total(Outcome.REJECTED) - other.failed
        )
        self.list_origins |= other.list_origins
        self.count_unsent(other.unsent)
        self.count_tested(other.tested)
        self.count_late_online(other.late_online)
        self.unnamed += other.unnamed
        self.unknown_names += other.unknown_names
        self._constant_ids.merge(other._constant_ids)  # noqa: SLF001 - its own kind

    def total(self, outcome: Outcome) -> int:
        """Return how many events had an outcome."""
        return self._totals[outcome]

    @property
    def attempted(self) -> int:
        """Events that were or would have been delivered, and those invalid or rejected.

        The share of failures is of these.
        """
        return self.total(Outcome.DELIVERED) + self.unsent + self.failed

    @property
    def failed(self) -> int:
        """Invalid and rejected events, except those that were too old."""
        return self.total(Outcome.INVALID) + self.total(Outcome.REJECTED) - self._too_old

    def outcomes(self) -> list[OutcomeCount]:
        """Return the outcome table, by stream, entry, outcome and size."""
        rows = [OutcomeCount(*key, count) for key, count in self._outcomes.items()]
        return sorted(rows, key=_outcome_order)

    def notes(self) -> list[NoteCount]:
        """Return what was dropped or warned about, by stream, entry, field and number."""
        rows = [NoteCount(*key, count) for key, count in self._notes.items()]
        return sorted(rows, key=_note_order)

    def warnings(self) -> dict[str, int]:
        """Return Pinterest's warnings, the most frequent first."""
        return dict(self._warnings.most_common())

    def by_outcome(self, reasons: Iterable[Outcome] = Outcome) -> dict[str, int]:
        """Return the totals by the outcomes' names."""
        return {str(outcome): self.total(outcome) for outcome in reasons}


def _outcome_order(row: OutcomeCount) -> tuple[Origin, int, int, str]:
    return row.origin, _OUTCOMES.index(row.outcome), -row.number, row.reason


def _note_order(row: NoteCount) -> tuple[Origin, str, int, str]:
    return row.origin, row.field, -row.number, row.reason

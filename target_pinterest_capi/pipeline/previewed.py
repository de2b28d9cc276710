"""A record's results in a preview, and the text for them.

Has no value of a record except those of an event or a member, as they would be sent.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.events.outcomes import advice_about, find_reason
from target_pinterest_capi.events.reasons import Skipped, Warned
from target_pinterest_capi.pipeline.previewed_lists import OUTCOMES

EVENT: Final = "event"  # the outcome that a run would send
# How a preview counts what a run would send, by the reason in the tally.
SENT: Final = {str(Skipped.DRY_RUN): EVENT, **{outcome: outcome for outcome in OUTCOMES.values()}}


@dataclass(frozen=True, slots=True)
class Note:
    """A field's values that are dropped, or sent with a warning: why, and how many."""

    field: str
    reason: str
    count: int

    @property
    def advice(self) -> str:
        """What to do about it."""
        return advice_about(self.reason)


class PreviewedRecord(NamedTuple):
    """The result of a record for one mapping entry, or one customer list.

    `mapping` is empty if no entry selects it. `event` is as it would be sent. `customer_list` has
    the list's id or name and its type, and `members` the digests as they would be sent, if the
    record adds or removes any; then `mapping` is its id or name.
    """

    line: int
    stream: str
    mapping: str
    outcome: str
    notes: tuple[Note, ...] = ()
    ad_account_id: str | None = None
    event: Any = None
    customer_list: dict[str, Any] | None = None
    reason: str | None = None
    field: str | None = None
    detail: str | None = None
    name: str | None = None
    advice: str | None = None

    @property
    def would_be_sent(self) -> bool:
        """Whether a run would send it."""
        return self.outcome in SENT.values()

    def members(self) -> dict[str, Any]:
        """Return it for programs, with the names used in dead letters, without absent members."""
        given = {
            name: value
            for name, value in self._asdict().items()
            if name != "notes" and value is not None
        }
        for member, warned in (("dropped", False), ("warnings", True)):
            notes = [
                {**asdict(note), "advice": note.advice}
                for note in self.notes
                if is_warning(note.reason) is warned
            ]
            if notes:
                given[member] = notes
        return given


def sent_in_words(sent: Counter[str]) -> str:
    """Return the number of events, additions to customer lists and removals."""
    added, removed = (sent[OUTCOMES[action]] for action in (Action.ADD, Action.REMOVE))
    words = [number_of(sent[EVENT], "event")] if sent[EVENT] or not (added or removed) else []
    words += [number_of(added, "list addition")] if added else []
    words += [number_of(removed, "list removal")] if removed else []
    return ", ".join(words)


def number_of(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural if necessary."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def is_warning(reason: str) -> bool:
    """Return whether a value with this reason is sent nevertheless."""
    return isinstance(find_reason(reason), Warned)

"""What a record comes to, as a preview shows it, and the words for it.

Holds no value of a record but an event's and a member's, as they would be sent.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.events.outcomes import advice_about, find_reason
from target_pinterest_capi.events.reasons import Skipped, Warned
from target_pinterest_capi.pipeline.previewed_lists import OUTCOMES

EVENT: Final = "event"  # the outcome that a run would send
# How a preview counts what a run would send, by the reason that the tally has it under.
SENT: Final = {str(Skipped.DRY_RUN): EVENT, **{outcome: outcome for outcome in OUTCOMES.values()}}


@dataclass(frozen=True, slots=True)
class Note:
    """A field's values that are dropped, or sent with a warning: why, and how many."""

    field: str
    reason: str
    count: int

    @property
    def advice(self) -> str:
        """What a person does about it."""
        return advice_about(self.reason)


class PreviewedRecord(NamedTuple):
    """What a record comes to by one mapping entry, or one customer list.

    `mapping` is empty where none takes it. `event` is as it would be sent. `customer_list` has the
    list's id or name and its type, and `members`, digests as they would be sent, where the record
    adds or removes any; `mapping` is its id or name then.
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
        """Return it for programs, with the names of dead letters, and nothing that is absent."""
        given = {
            name: value
            for name, value in self._asdict().items()
            if name != "notes" and value is not None
        }
        for member, warned in (("left_out", False), ("warnings", True)):
            notes = [
                {**asdict(note), "advice": note.advice}
                for note in self.notes
                if is_warning(note.reason) is warned
            ]
            if notes:
                given[member] = notes
        return given


def sent_in_words(sent: Counter[str]) -> str:
    """Return how many events, additions to customer lists and removals there are, in words."""
    added, removed = (sent[OUTCOMES[action]] for action in (Action.ADD, Action.REMOVE))
    words = [number_of(sent[EVENT], "event")] if sent[EVENT] or not (added or removed) else []
    words += [number_of(added, "list addition")] if added else []
    words += [number_of(removed, "list removal")] if removed else []
    return ", ".join(words)


def number_of(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it has one."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def is_warning(reason: str) -> bool:
    """Return whether a value with this reason is sent all the same."""
    return isinstance(find_reason(reason), Warned)

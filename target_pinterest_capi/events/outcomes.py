"""How an event ends: the four outcomes, why Pinterest did not accept it, and what to do."""

from enum import StrEnum
from typing import Final

from target_pinterest_capi.events.reasons import (
    Dropped,
    Invalid,
    NotWritten,
    Reason,
    Skipped,
    Warned,
)


class Outcome(StrEnum):
    """Every event ends in exactly one of these."""

    DELIVERED = "delivered"
    INVALID = "invalid"
    REJECTED = "rejected"
    SKIPPED = "skipped"


class NotSent(Reason):
    """Why an operation of a customer list was not sent, and need not be: it counts as skipped."""

    SUPERSEDED = (
        "superseded",
        "A later record for the same members replaced it before it was sent. Nothing to do.",
    )
    NO_LIST = (
        "no_list",
        "The customer list does not exist yet, so nobody had to be removed from it. Nothing to do.",
    )
    NOT_LIVE = (
        "not_live",
        "Pinterest has no test for customer lists, so in mode test nothing is sent to them.",
    )


class Rejected(Reason):
    """Why Pinterest did not accept an event."""

    REFUSED_EVENT = (
        "refused_event",
        "Pinterest failed this event: its dead letter has Pinterest's message.",
    )
    REFUSED_REQUEST = (
        "refused_request",
        "Pinterest refused the request with only this event: see its dead letter.",
    )
    UNCERTAIN = (
        "uncertain",
        "Pinterest may have counted it, and on_uncertain is reject, so it is not sent twice.",
    )


_REASONS: Final[dict[str, Reason]] = {
    str(reason): reason
    for reasons in (Dropped, Warned, Invalid, NotWritten, Skipped, Rejected, NotSent)
    for reason in reasons
}


_ABOUT_A_FIELD: Final = frozenset({str(Invalid.MISSING_FIELD), str(Invalid.BAD_FIELD)})


def find_reason(text: str) -> Reason | None:
    """Return the reason with a name in a counter or a report, or None.

    What follows a colon, as in `missing_field: event_time`, is not part of the reason's name.
    """
    return _REASONS.get(text.partition(":")[0])


def counted_reason(reason: str, name: str | None) -> str:
    """Return a reason as it is counted: with the name of a field or an event, if it has one."""
    return f"{reason}: {name}" if name else str(reason)


def counted_invalid(reason: str, field: str | None) -> str:
    """Return why a record is invalid, for counting: with the name of a required field."""
    return counted_reason(reason, field if reason in _ABOUT_A_FIELD else None)


def advice_about(text: str) -> str:
    """Return the advice for a reason by its name, or an empty string."""
    reason = find_reason(text)
    return reason.advice if reason is not None else ""

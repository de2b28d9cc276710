"""How an event ends: the four outcomes, and why Pinterest's side did not take one."""

from enum import StrEnum

from target_pinterest_capi.events.reasons import Reason


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
        "A later record about the same members took its place before it was sent. Nothing to do.",
    )
    NO_LIST = (
        "no_list",
        "There is no such customer list yet, so nobody had to be removed from it. Nothing to do.",
    )
    NOT_LIVE = (
        "not_live",
        "Pinterest has no test for customer lists: in mode test nothing is sent to them.",
    )


class Rejected(Reason):
    """Why Pinterest's side did not take an event."""

    REFUSED_EVENT = (
        "refused_event",
        "Pinterest failed the event itself: its dead letter has the reason in Pinterest's words.",
    )
    REFUSED_REQUEST = (
        "refused_request",
        "Alone in a request, the event had the request refused: see its dead letter.",
    )
    UNCERTAIN = (
        "uncertain",
        "It may have been counted, and on_uncertain is reject: it is not sent twice.",
    )

"""How an event ends: the four outcomes, and why Pinterest's side did not take one."""

from enum import StrEnum

from target_pinterest_capi.events.reasons import Reason


class Outcome(StrEnum):
    """Every event ends in exactly one of these."""

    DELIVERED = "delivered"
    INVALID = "invalid"
    REJECTED = "rejected"
    SKIPPED = "skipped"


class Rejected(Reason):
    """Why Pinterest's side did not take an event."""

    REFUSED_EVENT = "refused_event", "Pinterest failed the event itself: its dead letter has the reason in Pinterest's words."
    REFUSED_REQUEST = "refused_request", "Alone in a request, the event had the request refused: see its dead letter."
    UNCERTAIN = "uncertain", "It may have been counted, and on_uncertain is reject: it is not sent twice."

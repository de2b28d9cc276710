"""How an event ends: the four outcomes, and why Pinterest's side did not take one."""

from enum import StrEnum


class Outcome(StrEnum):
    """Every event ends in exactly one of these."""

    DELIVERED = "delivered"
    INVALID = "invalid"
    REJECTED = "rejected"
    SKIPPED = "skipped"


class Rejected(StrEnum):
    """Why Pinterest's side did not take an event."""

    REFUSED_EVENT = "refused_event"  # its own status in the answer was `failed`
    REFUSED_REQUEST = "refused_request"  # alone in a request, the request was refused
    UNCERTAIN = "uncertain"  # it may have been counted, and `on_uncertain: reject` forbids to send it again

"""Calls to Pinterest that depend on each other: lookups, creations, updates, token refreshes.

A flow is a generator that yields a call and gets its response, so steps that must happen in order
are written in order. A flow decides what a refusal means. It sends nothing itself: its runner makes
the attempts, and decides about retries, waits and stops.
"""

from collections.abc import Callable, Collection, Generator
from enum import StrEnum
from typing import Protocol

from target_pinterest_capi.pinterest.responses import CallResponse


class CallPurpose(StrEnum):
    """What a call is about, as messages name it."""

    LISTS = "customer lists"
    AUDIENCES = "audiences"
    DELETIONS = "deletion requests"
    TOKEN = "an OAuth access token"  # noqa: S105 - words


class FlowStopped(Exception):  # noqa: N818 - not an error of the program: the run is to stop
    """Raised in a flow to send nothing more; the message says why and what to do."""


class Call:
    """One call, and how many attempts it has had. `send` makes one, on any thread, with a token.

    Args:
        send: makes one attempt.
        repeatable: whether it may be repeated after an uncertain attempt; else the flow gets the
            uncertain response.
        expected_refusals: statuses that the flow decides about itself.
        needs_token: whether it waits for an access token; a call that does not is one for it.
        about: what messages say that it was about, where it waits for a token.
    """

    __slots__ = (
        "about",
        "attempts",
        "expected_refusals",
        "first_attempt_at",
        "needs_token",
        "refused_tokens",
        "repeatable",
        "send",
    )

    def __init__(
        self,
        send: Callable[[str], CallResponse],
        *,
        repeatable: bool = True,
        expected_refusals: Collection[int] = (),
        needs_token: bool = True,
        about: CallPurpose = CallPurpose.LISTS,
    ) -> None:
        self.send = send
        self.repeatable = repeatable
        self.expected_refusals = expected_refusals
        self.needs_token = needs_token
        self.about = about if needs_token else CallPurpose.TOKEN
        self.attempts = 0
        self.first_attempt_at: float | None = None
        self.refused_tokens = 0


Flow = Generator[Call, CallResponse, None]


class AccessTokens(Protocol):
    """Where the access token comes from."""

    access_token: str | None

    def refresh(self) -> Flow | None:
        """Return the flow that gets a new access token; None if there is no way to get one."""

    def remedy(self) -> str:
        """Return which setting to check if Pinterest does not accept the access token."""

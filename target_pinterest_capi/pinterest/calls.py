"""Calls to Pinterest that follow from one another: lookups, creations, updates, refreshed tokens. Nothing sleeps.

A flow is a generator that yields a call and gets its answer, so that what must happen in order is written in order. Each flow
has one call at a time, and several flows go side by side. Retries, waits and stops are decided here; what a refusal means is
the flow's. Runs on the one thread that polls; attempts are made by the dispatcher's senders.
"""

import logging
import random
from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from target_pinterest_capi.delivery.dispatcher import RequestCounts, StopReason, WorkerPool
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.pinterest.client import NoResponse
from target_pinterest_capi.pinterest.responses import ApiReply
from target_pinterest_capi.pinterest.retries import (
    Decision,
    advice,
    decide_call,
    delay_seconds,
    in_words,
)

_log: Final = logging.getLogger("target-pinterest-capi.audiences")
_UNAUTHORIZED: Final = 401
OVERDUE_FACTOR: Final = 4  # times the attempt's own timeouts, which are for each read and write


class CallPurpose(StrEnum):
    """What a call is about, in the words of messages."""

    LISTS = "customer lists"
    AUDIENCES = "audiences"
    TOKEN = "an OAuth access token"  # noqa: S105 - words


class FlowStopped(Exception):  # noqa: N818 - not an error of the program: the run is told to stop
    """Raised in a flow: nothing more is to be sent; the message says why and what to do."""


class Call:
    """One call and what its attempts have come to. `send` makes an attempt with an access token, on any thread.

    Args:
        send: makes one attempt.
        repeatable: whether repeating it after an uncertain attempt is harmless; else the flow gets the uncertain answer.
        takes: statuses that the flow decides about itself.
        needs_token: whether it waits for an access token; a call that does not is one for it.
        about: what messages say that it was about, where it waits for a token.
    """

    __slots__ = (
        "about",
        "attempts",
        "first_attempt_at",
        "needs_token",
        "refused_tokens",
        "repeatable",
        "send",
        "takes",
    )

    def __init__(
        self,
        send: Callable[[str], ApiReply | NoResponse],
        *,
        repeatable: bool = True,
        takes: Collection[int] = (),
        needs_token: bool = True,
        about: CallPurpose = CallPurpose.LISTS,
    ) -> None:
        self.send = send
        self.repeatable = repeatable
        self.takes = takes
        self.needs_token = needs_token
        self.about = about if needs_token else CallPurpose.TOKEN
        self.attempts = 0
        self.first_attempt_at: float | None = None
        self.refused_tokens = 0


Flow = Generator[Call, ApiReply | NoResponse, None]


class Tokens(Protocol):
    """Where the access token comes from."""

    access_token: str | None

    def refresh(self) -> Flow | None:
        """Give the flow that brings a new access token; None where there is no way to one."""

    def advice(self) -> str:
        """Say which setting to look at where Pinterest does not know the access token."""


@dataclass(slots=True, eq=False)
class _Running:
    """A flow, the call it waits for, and the time from which that may be sent; the token that it went with, while it is out."""

    flow: Flow
    call: Call
    due_at: float
    is_out: bool = False
    token: str = ""


class Calls:
    """Carries flows to their ends. `clock` gives monotonic seconds."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        max_in_flight: int,
        max_retry_seconds: float,
        attempt_seconds: float,
        clock: Callable[[], float],
        wake: Wakeup,
        rng: random.Random | None = None,
    ) -> None:
        self._tokens = tokens
        self._max_in_flight = max_in_flight
        self._max_retry_seconds = max_retry_seconds
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._overdue_seconds = attempt_seconds * OVERDUE_FACTOR
        self._senders: WorkerPool[_Running, ApiReply | NoResponse] = WorkerPool(
            _attempt, wake, attempt_seconds=self._overdue_seconds, clock=clock
        )
        self._running: list[_Running] = []
        self._refreshing = False
        self._blocked_until = float("-inf")
        self._allowed = float(max_in_flight)
        self.stopped: StopReason | None = None
        self.requests = RequestCounts()

    @property
    def in_flight(self) -> int:
        """How many calls are under way."""
        return self._senders.in_flight

    @property
    def is_idle(self) -> bool:
        """Tell whether every flow has ended."""
        return not self._running

    def start(self, flow: Flow) -> None:
        """Begin a flow; its first call is sent by the next `poll`."""
        self._advance(_Running(flow, _NO_CALL, self._clock()), None)

    def poll(self) -> None:
        """Read the answers that have come, and start what is due. Never waits."""
        for running, answer in self._senders.results():
            running.is_out = False
            self._conclude(running, answer)
        for running in self._senders.overdue():
            # The sender may still come through, and what it sends late could undo what was sent after it.
            self.stop(
                f"a request about {running.call.about} was not over within {self._overdue_seconds:g} seconds. Run again: STATE "
                "stays before what was not delivered."
            )
        self._start_due()

    def next_due_at(self) -> float | None:
        """Give the time at which something can be started, or an attempt is overdue; None when nothing waits or is under way."""
        due_at = self._senders.overdue_at()
        if not self.stopped and self._senders.in_flight < int(self._allowed):
            waiting = [
                running.due_at
                for running in self._running
                if not running.is_out and self._may_start(running)
            ]
            due_at = min([due_at, *(max(at, self._blocked_until) for at in waiting)])
        return due_at if due_at < float("inf") else None

    def stop(self, message: str) -> None:
        """Start nothing more; what is under way may still be answered."""
        if self.stopped is None:
            self.stopped = StopReason(message)

    def close(self) -> None:
        """End the senders."""
        self._senders.close()

    # Starting

    def _may_start(self, running: _Running) -> bool:
        return not running.call.needs_token or self._tokens.access_token is not None

    def _start_due(self) -> None:
        now = self._clock()
        if self.stopped:
            return
        if self._running and self._tokens.access_token is None and not self._refreshing:
            self._refresh()
        for running in self._running:
            if self._senders.in_flight >= int(self._allowed):
                return
            if (
                not running.is_out
                and max(running.due_at, self._blocked_until) <= now
                and self._may_start(running)
            ):
                call = running.call
                call.attempts += 1
                if call.first_attempt_at is None:
                    call.first_attempt_at = now
                self.requests.sent += 1
                self.requests.repeated += call.attempts > 1
                running.token = self._tokens.access_token or ""
                running.is_out = True
                self._senders.start(running)

    def _refresh(self) -> None:
        flow = self._tokens.refresh()
        if flow is None:
            self.stop(self._tokens.advice())
            return
        self._refreshing = True
        self.start(self._refreshed(flow))

    def _refreshed(self, flow: Flow) -> Flow:
        yield from flow
        self._refreshing = False

    # Concluding

    def _conclude(self, running: _Running, answer: ApiReply | NoResponse) -> None:
        if isinstance(answer, ApiReply):
            if answer.status == _UNAUTHORIZED and running.call.needs_token:
                self._unauthorized(running, answer)
                return
            if answer.status in running.call.takes:
                self._advance(running, answer)
                return
        decision = decide_call(answer)
        match decision:
            case Decision.SETTLE:
                self._allowed = min(float(self._max_in_flight), self._allowed + 1.0 / self._allowed)
                self._heed(answer)
                self._advance(running, answer)
            case Decision.ISOLATE:
                self._advance(running, answer)
            case Decision.RETRY | Decision.SLOW_DOWN | Decision.UNCERTAIN:
                self._retry(running, answer, decision)
            case Decision.STOP:
                self.stop(
                    f"{in_words(answer)} to a request about {running.call.about}: {advice(answer)}"
                )

    def _heed(self, answer: ApiReply | NoResponse) -> None:
        """Wait where the server says that a call more would be one too many."""
        if (
            isinstance(answer, ApiReply)
            and answer.remaining_calls == 0
            and answer.retry_after_seconds
        ):
            self._blocked_until = self._clock() + answer.retry_after_seconds

    def _unauthorized(self, running: _Running, answer: ApiReply) -> None:
        """Send a call again with a new token, once."""
        running.call.refused_tokens += 1
        if running.token != self._tokens.access_token:
            return  # another call has had it refreshed meanwhile
        if running.call.refused_tokens > 1 or self._tokens.refresh() is None:
            self.stop(
                f"{in_words(answer)} to a request about {running.call.about}: {self._tokens.advice()}"
            )
            return
        self._tokens.access_token = None

    def _retry(self, running: _Running, answer: ApiReply | NoResponse, decision: Decision) -> None:
        now, call = self._clock(), running.call
        wait = answer.retry_after_seconds if isinstance(answer, ApiReply) else None
        due_at = now + delay_seconds(max(1, call.attempts), wait, self._rng)
        if decision is Decision.SLOW_DOWN:
            self._allowed = max(1.0, self._allowed / 2)
            self._blocked_until = max(self._blocked_until, due_at)
        begun = call.first_attempt_at if call.first_attempt_at is not None else now
        if due_at - begun > self._max_retry_seconds:
            self.stop(
                f"gave up on a request about {call.about} after {now - begun:.0f} seconds and {call.attempts} attempts "
                f"(max_retry_seconds is {self._max_retry_seconds:g}); the last: {in_words(answer)}. Run again once Pinterest "
                "answers: STATE stays before what was not delivered."
            )
            return
        running.due_at = due_at
        if decision is Decision.UNCERTAIN and not call.repeatable:
            _log.info(
                "%s to a request about %s: looking in %.1f seconds whether it was done.",
                in_words(answer),
                call.about,
                due_at - now,
            )
            self._advance(running, answer)
            return
        _log.info(
            "%s to a request about %s: sent again in %.1f seconds, attempt %d.",
            in_words(answer),
            call.about,
            due_at - now,
            call.attempts + 1,
        )

    def _advance(self, running: _Running, answer: ApiReply | NoResponse | None) -> None:
        """Take a flow to its next call, or to its end."""
        try:
            running.call = next(running.flow) if answer is None else running.flow.send(answer)
        except StopIteration:
            if running in self._running:
                self._running.remove(running)
            return
        except FlowStopped as stop:
            self.stop(str(stop))
        if answer is None:
            self._running.append(running)


def _attempt(running: _Running) -> ApiReply | NoResponse:
    return running.call.send(running.token)


def _no_call(_: str) -> ApiReply:
    raise AssertionError("a flow begins with its own call")


_NO_CALL: Final = Call(_no_call)

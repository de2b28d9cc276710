"""Runs flows of calls (`pinterest.calls`) to their ends: attempts, retries, waits and stops.

Each flow makes one call at a time, and several flows run side by side, on the one thread that
polls. Workers make the attempts. Nothing sleeps.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from target_pinterest_capi.delivery.concurrency import ConcurrencyLimit
from target_pinterest_capi.delivery.dispatcher import StopReason
from target_pinterest_capi.delivery.retry_policy import RetryPolicy, count_attempt
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import NoThreadError, StartWorkers, WorkerPool
from target_pinterest_capi.pinterest.calls import AccessTokens, Call, Flow, FlowStopped
from target_pinterest_capi.pinterest.responses import ApiResponse, CallResponse
from target_pinterest_capi.pinterest.retries import (
    Decision,
    classify_call,
    describe,
    pause_seconds,
    remedy,
)
from target_pinterest_capi.reporting.counters import RequestCounts

OVERDUE_FACTOR: Final = 4  # times the attempt's own timeouts, which apply to each read and write

_log: Final = logging.getLogger("target-pinterest-capi.audiences")


@dataclass(slots=True, eq=False)
class _RunningFlow:
    """A flow, the call that it waits for, and the earliest time to send it.

    `token` is the one that the call was sent with, while it `is_out`.
    """

    flow: Flow
    call: Call
    due_at: float
    is_out: bool = False
    token: str = ""


class CallRunner:
    """Runs flows to their ends. `clock` is monotonic seconds."""

    def __init__(
        self,
        tokens: AccessTokens,
        *,
        max_in_flight: int,
        max_retry_seconds: float,
        attempt_seconds: float,
        clock: Callable[[], float],
        wake: Wakeup,
        rng: random.Random | None = None,
        start_workers: StartWorkers = WorkerPool,
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._overdue_seconds = attempt_seconds * OVERDUE_FACTOR
        self._workers = start_workers(
            _attempt, wake, attempt_seconds=self._overdue_seconds, clock=clock
        )
        self._running: list[_RunningFlow] = []
        self._is_refreshing = False
        self._blocked_until = float("-inf")
        self._retry_policy = RetryPolicy(max_retry_seconds, rng)
        self.concurrency_limit = ConcurrencyLimit(max_in_flight)
        self.stopped: StopReason | None = None
        self.requests = RequestCounts()

    @property
    def in_flight(self) -> int:
        """How many calls are in flight."""
        return self._workers.in_flight

    @property
    def is_idle(self) -> bool:
        """Whether every flow has ended."""
        return not self._running

    def start(self, flow: Flow) -> None:
        """Start a flow; its first call is sent by the next `poll`."""
        try:
            call = next(flow)
        except StopIteration:
            return
        except FlowStopped as stop:
            self.stop(str(stop))
            return
        self._running.append(_RunningFlow(flow, call, self._clock()))

    def poll(self) -> None:
        """Read the responses that have arrived, and start what is due. Never waits."""
        for running, response in self._workers.results():
            running.is_out = False
            self._conclude(running, response)
        for running in self._workers.overdue():
            # The worker may still succeed, and its late request could undo what was sent after it.
            self.stop(
                f"a request about {running.call.about} took longer than "
                f"{self._overdue_seconds:g} seconds. Run again: STATE stays before what was not "
                "delivered."
            )
        self._start_due()

    def next_due_at(self) -> float | None:
        """Return when a call can be started or is overdue, or None."""
        due_at = self._workers.overdue_at()
        if self._may_start_any():
            waiting = [self._due_at(running) for running in self._running if self._waits(running)]
            due_at = min([due_at, *waiting])
        return due_at if due_at < float("inf") else None

    def stop(self, message: str) -> None:
        """Start nothing more; calls in flight may still be answered."""
        if self.stopped is None:
            self.stopped = StopReason(message)

    def close(self) -> None:
        """End the workers."""
        self._workers.close()

    # Starting

    def _may_start_any(self) -> bool:
        return self.stopped is None and self.concurrency_limit.allows(self._workers.in_flight)

    def _waits(self, running: _RunningFlow) -> bool:
        has_token = self._tokens.access_token is not None
        return not running.is_out and (has_token or not running.call.needs_token)

    def _due_at(self, running: _RunningFlow) -> float:
        return max(running.due_at, self._blocked_until)

    def _start_due(self) -> None:
        now = self._clock()
        if self.stopped:
            return
        if self._running and self._tokens.access_token is None and not self._is_refreshing:
            self._refresh()
        for running in self._running:
            if not self._may_start_any():
                return
            if self._waits(running) and self._due_at(running) <= now:
                self._start_attempt(running, now)

    def _start_attempt(self, running: _RunningFlow, now: float) -> None:
        running.token = self._tokens.access_token or ""
        try:
            self._workers.start(running)
        except NoThreadError as error:
            self.stop(str(error))
            return
        running.is_out = True
        count_attempt(running.call, now, self.requests)

    def _refresh(self) -> None:
        flow = self._tokens.refresh()
        if flow is None:
            self.stop(self._tokens.remedy())
            return
        self._is_refreshing = True
        self.start(self._refreshed(flow))

    def _refreshed(self, flow: Flow) -> Flow:
        yield from flow
        self._is_refreshing = False

    # Concluding

    def _conclude(self, running: _RunningFlow, response: CallResponse) -> None:
        call = running.call
        if isinstance(response, ApiResponse):
            if response.status == HTTPStatus.UNAUTHORIZED and call.needs_token:
                self._replace_token(running, response)
                return
            if response.status in call.expected_refusals:
                self._advance(running, response)
                return
        decision = classify_call(response)
        match decision:
            case Decision.SETTLE:
                self.concurrency_limit.grow()
                pause = pause_seconds(response)
                if pause:
                    self._blocked_until = self._clock() + pause
                    _log.info(
                        "Pinterest accepts no more requests about %s now: the next is sent in "
                        "%.0f seconds.",
                        call.about,
                        pause,
                    )
                self._advance(running, response)
            case Decision.BISECT:
                self._advance(running, response)
            case Decision.RETRY | Decision.SLOW_DOWN | Decision.UNCERTAIN:
                self._retry(running, response, decision)
            case Decision.STOP:
                self._stop_for(running, response, remedy(response, uses_oauth=True))

    def _replace_token(self, running: _RunningFlow, response: CallResponse) -> None:
        """Send a call again with a new token, once."""
        running.call.refused_tokens += 1
        if running.token != self._tokens.access_token:
            return  # another call has already refreshed it
        if running.call.refused_tokens > 1 or self._tokens.refresh() is None:
            self._stop_for(running, response, self._tokens.remedy())
            return
        self._tokens.access_token = None

    def _stop_for(self, running: _RunningFlow, response: CallResponse, advice: str) -> None:
        self.stop(f"{describe(response)} to a request about {running.call.about}: {advice}")

    def _retry(self, running: _RunningFlow, response: CallResponse, decision: Decision) -> None:
        now = self._clock()
        call = running.call
        retry = self._retry_policy.schedule(call, response, now, f"about {call.about}")
        if decision is Decision.SLOW_DOWN:
            self.concurrency_limit.halve()
            self._blocked_until = max(self._blocked_until, retry.due_at)
        if retry.gave_up is not None:
            self.stop(retry.gave_up)
            return
        running.due_at = retry.due_at
        next_step = f"retry in {retry.due_at - now:.1f} seconds, attempt {call.attempts + 1}"
        is_unrepeatable = decision is Decision.UNCERTAIN and not call.repeatable
        if is_unrepeatable:
            next_step = f"in {retry.due_at - now:.1f} seconds it is looked up whether it was done"
        _log.info("%s to a request about %s: %s.", describe(response), call.about, next_step)
        if is_unrepeatable:
            self._advance(running, response)

    def _advance(self, running: _RunningFlow, response: CallResponse) -> None:
        """Advance a flow to its next call, or to its end."""
        try:
            running.call = running.flow.send(response)
        except StopIteration:
            self._running.remove(running)
        except FlowStopped as stop:
            self.stop(str(stop))
        except Exception:
            self._running.remove(running)  # its last call was answered: it is not sent again
            raise


def _attempt(running: _RunningFlow) -> CallResponse:
    return running.call.send(running.token)

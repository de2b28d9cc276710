"""When a request is retried, and when a run gives it up: for events and for other calls."""

import random
from typing import NamedTuple, Protocol

from target_pinterest_capi.pinterest.responses import ApiResponse, CallResponse, EventsResponse
from target_pinterest_capi.pinterest.retries import delay_seconds, describe
from target_pinterest_capi.reporting.counters import RequestCounts


class Attempted(Protocol):
    """A request that knows its attempts so far."""

    attempts: int
    first_attempt_at: float | None


class Retry(NamedTuple):
    """When the next attempt is due; `gave_up` says why there is none, if so."""

    due_at: float
    gave_up: str | None = None


def count_attempt(request: Attempted, now: float, counts: RequestCounts) -> None:
    """Count an attempt that starts now."""
    request.attempts += 1
    if request.first_attempt_at is None:
        request.first_attempt_at = now
    counts.sent += 1
    counts.repeated += request.attempts > 1


class RetryPolicy:
    """Random waits with an exponentially growing limit, for `max_retry_seconds` in all."""

    def __init__(self, max_retry_seconds: float, rng: random.Random | None = None) -> None:
        self._max_retry_seconds = max_retry_seconds
        self._rng = rng or random.Random()  # noqa: S311 - jitter

    def schedule(
        self, request: Attempted, response: CallResponse | EventsResponse, now: float, about: str
    ) -> Retry:
        """Return when a request is sent again; `about` describes it in messages."""
        server_wait = response.retry_after_seconds if isinstance(response, ApiResponse) else None
        due_at = now + delay_seconds(max(1, request.attempts), server_wait, self._rng)
        started_at = now if request.first_attempt_at is None else request.first_attempt_at
        if due_at - started_at <= self._max_retry_seconds:
            return Retry(due_at)
        return Retry(
            due_at,
            f"gave up on a request {about} after {now - started_at:.0f} seconds and "
            f"{request.attempts} attempts (max_retry_seconds is {self._max_retry_seconds:g}); "
            f"the last: {describe(response)}. Run again once Pinterest responds: "
            "STATE stays before what was not delivered.",
        )

"""Run one flow of calls to its end, for commands, with the retries and waits of a run."""

import time
from collections.abc import Callable

from target_pinterest_capi.delivery.call_runner import CallRunner
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.pinterest.calls import AccessTokens, Flow
from target_pinterest_capi.settings import Settings


def run_flow(
    flow: Flow,
    tokens: AccessTokens,
    settings: Settings,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """Run a flow until it is done; return why it stopped early, if it did."""
    wake = Wakeup()
    calls = CallRunner(
        tokens,
        max_in_flight=1,
        max_retry_seconds=settings.max_retry_seconds,
        attempt_seconds=settings.request_timeout_seconds,
        clock=clock,
        wake=wake,
    )
    try:
        calls.start(flow)
        while True:
            calls.poll()
            if calls.is_idle or (calls.stopped is not None and not calls.in_flight):
                break
            due_at = calls.next_due_at()
            wake.wait(None if due_at is None else max(0.0, due_at - clock()))
    finally:
        calls.close()
    return None if calls.stopped is None else calls.stopped.message

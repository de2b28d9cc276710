"""One POST to a webhook, tried a few times, within a given time whatever the server does.

Uses the proxies and certificates of requests to Pinterest, and follows no redirect.
"""

import time
from functools import partial
from http import HTTPStatus
from typing import Final, NamedTuple

import httpx

from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import NoThreadError, run_within
from target_pinterest_capi.pinterest.client import USER_AGENT, tls_context
from target_pinterest_capi.settings.network import proxy_of

ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 0.5  # after the first attempt, then twice as long
ATTEMPT_SECONDS: Final = 5.0
MIN_SECONDS: Final = 0.1
_HEADERS: Final = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}


def post(url: str, body: bytes, seconds: float, *, pause_seconds: float = PAUSE_SECONDS) -> str:
    """Post a body; return why it did not arrive, or an empty string. Never raises.

    The message has no part of the URL. A server that does not answer is given up after `seconds`.
    """
    deadline = time.monotonic() + seconds
    answer: _Answer | None = None
    for attempt in range(ATTEMPTS):
        left = deadline - time.monotonic()
        try:
            answer = run_within(left, partial(_try, url, body, min(ATTEMPT_SECONDS, left)))
        except NoThreadError as error:
            return str(error)
        if answer is None:
            return f"it did not respond within {seconds:g} seconds"
        pause = pause_seconds * 2**attempt
        if answer.is_final or time.monotonic() + pause >= deadline:
            break
        Wakeup().wait(pause)
    assert answer is not None  # noqa: S101 - there is one attempt at least
    return answer.problem


class _Answer(NamedTuple):
    """The result of an attempt; `is_final` if another attempt would end the same."""

    problem: str
    is_final: bool = True


def _try(url: str, body: bytes, seconds: float) -> _Answer:
    """Make one attempt."""
    proxy = proxy_of(url)
    try:
        with (
            httpx.Client(
                timeout=max(seconds, MIN_SECONDS),
                follow_redirects=False,
                trust_env=False,
                verify=tls_context(url),
                proxy=None if proxy is None else proxy.url,
            ) as client,
            client.stream("POST", url, content=body, headers=_HEADERS) as response,
        ):
            status = response.status_code
    except (httpx.HTTPError, OSError) as error:
        return _Answer(f"it cannot be reached ({type(error).__name__})", is_final=False)
    except Exception as error:  # noqa: BLE001 - its message could hold the URL
        return _Answer(f"it cannot be used ({type(error).__name__})")
    if status // 100 == 2:  # noqa: PLR2004
        return _Answer("")
    may_pass = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _Answer(f"it returned {status}", is_final=not may_pass)

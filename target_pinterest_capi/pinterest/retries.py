"""What a response means: a table from its status to a decision and a remedy.

Pure: the dispatcher and the call runner carry the decisions out. Source: docs/pinterest-api.md:
Responses.
"""

import random
from collections.abc import Sequence
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    EventsResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)

BACKOFF_BASE_SECONDS: Final = 0.5
BACKOFF_CEILING_SECONDS: Final = 15.0
_MAX_DOUBLINGS: Final = 16  # far past the ceiling
SERVER_WAIT_CEILING_SECONDS: Final = 60.0  # for a later reset, a request asks again after this


class Decision(Enum):
    """What to do with a request after an attempt."""

    SETTLE = "settle"  # every event has its own status: read them
    RETRY = "retry"  # nothing was processed: send the same body again
    SLOW_DOWN = "slow down"  # as RETRY, and the account waits, with fewer requests at once
    UNCERTAIN = "uncertain"  # it may have been processed: `on_uncertain` decides
    BISECT = "bisect"  # the whole request was refused: bisect it to find the bad event
    STOP = "stop"  # no request can succeed until a person changes something


class StatusRule(NamedTuple):
    """What a status means, and the remedy if it stops a run: the setting to check first.

    `oauth_remedy` is for lists, audiences, scores and OAuth, which do not use the conversion token.
    """

    decision: Decision
    remedy: str = ""
    oauth_remedy: str = ""


# docs/pinterest-api.md: Responses. Pinterest documents 200, 400, 401, 403, 422, 429, 503 and
# `default`; the others are from HTTP (RFC 9110).
STATUS_RULES: Final = {
    HTTPStatus.BAD_REQUEST: StatusRule(Decision.BISECT),
    HTTPStatus.UNAUTHORIZED: StatusRule(
        Decision.STOP,
        "Pinterest does not accept the token: check conversion_token (Ads Manager, Conversions, "
        "Conversion access token).",
        "Pinterest does not accept the OAuth access token: check oauth.",
    ),
    HTTPStatus.FORBIDDEN: StatusRule(
        Decision.STOP,
        "the token has no access to this ad account: check ad_account_id, and that "
        "conversion_token was created for it.",
        "the OAuth token has no access to this ad account: check ad_account_id, and that its "
        "user may manage its audiences.",
    ),
    HTTPStatus.NOT_FOUND: StatusRule(
        Decision.STOP,
        "Pinterest has no such ad account or address: check ad_account_id and api_url.",
        "the list or address does not exist: check list_id in customer_lists, ad_account_id and "
        "api_url.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: StatusRule(
        Decision.STOP, "the address does not exist: check api_url."
    ),
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: StatusRule(
        Decision.STOP,
        "the proxy requires a user and password: check the variables HTTPS_PROXY and NO_PROXY.",
    ),
    HTTPStatus.REQUEST_TIMEOUT: StatusRule(Decision.UNCERTAIN),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: StatusRule(Decision.BISECT),
    HTTPStatus.UNPROCESSABLE_ENTITY: StatusRule(Decision.BISECT),
    HTTPStatus.TOO_EARLY: StatusRule(Decision.RETRY),
    HTTPStatus.TOO_MANY_REQUESTS: StatusRule(Decision.SLOW_DOWN),
    HTTPStatus.SERVICE_UNAVAILABLE: StatusRule(Decision.RETRY),
}
# For a status that is not in the table, by its hundreds digit.
HUNDRED_RULES: Final = {
    1: StatusRule(Decision.UNCERTAIN),
    2: StatusRule(Decision.UNCERTAIN),
    3: StatusRule(
        Decision.STOP,
        "the server redirects, and the token is not sent to another address: set api_url to the "
        "final address.",
    ),
    4: StatusRule(Decision.BISECT),
    5: StatusRule(Decision.UNCERTAIN),
}
NO_RESPONSE_RULES: Final = {
    NoResponseKind.NOT_SENT: StatusRule(
        Decision.RETRY, "check the network between here and api_url."
    ),
    NoResponseKind.UNCERTAIN: StatusRule(
        Decision.UNCERTAIN, "check the network between here and api_url."
    ),
    NoResponseKind.UNTRUSTED: StatusRule(
        Decision.STOP, "check api_url, and this machine's certificates (SSL_CERT_FILE) and clock."
    ),
}
_UNKNOWN: Final = StatusRule(Decision.STOP)
_DEFAULT_REMEDY: Final = "see the message; nothing in this request was accepted."
_TEMPORARY: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_EVENT_STATUSES: Final = frozenset({"processed", "failed"})


def rule_of(response: CallResponse | EventsResponse) -> StatusRule:
    """Return the row of the tables for a response, regardless of its body."""
    if isinstance(response, NoResponse):
        return NO_RESPONSE_RULES[response.kind]
    status = response.status
    return STATUS_RULES.get(status) or HUNDRED_RULES.get(status // 100, _UNKNOWN)  # type: ignore[call-overload]


def classify(response: EventsResponse, sent: int) -> Decision:
    """Return what to do after the response to a request with `sent` events.

    A list with another length than was sent is never a success.
    """
    if isinstance(response, ApiResponse) and response.body is not None:
        is_refusal = response.status == HTTPStatus.UNPROCESSABLE_ENTITY
        if is_refusal or _is_success(response):
            is_complete = _is_complete(response.body, sent)
            return Decision.SETTLE if is_complete else Decision.UNCERTAIN
    return rule_of(response).decision


def _is_complete(statuses: Sequence[EventStatus], sent: int) -> bool:
    if len(statuses) != sent:
        return False
    # A list is faster than a generator here.
    return all([event.status in _EVENT_STATUSES for event in statuses])  # noqa: C419


def classify_call(response: CallResponse) -> Decision:
    """Return what to do after the response to a call about lists, audiences or OAuth.

    A success without the requested body is uncertain.
    """
    if isinstance(response, ApiResponse) and _is_success(response) and response.body is not None:
        return Decision.SETTLE
    return rule_of(response).decision


def describe(response: CallResponse | EventsResponse) -> str:
    """Return a response as text for a log: status and Pinterest's message, or why there is none.

    For a success that counts as a failure it says what is wrong with it.
    """
    if isinstance(response, NoResponse):
        return f"no response from Pinterest ({response.message})"
    words = f"Pinterest returned {response.status} {response.message}".rstrip(" .")
    return f"{words}, {_flaw(response)}" if _is_success(response) else words


def _flaw(response: ApiResponse[Any]) -> str:
    if response.body is None:
        return "with a body that is empty, cut or unexpected"
    return "with a list that does not have the status of each event that was sent"


def remedy(response: CallResponse | EventsResponse, *, uses_oauth: bool = False) -> str:
    """Return the remedy for a response that stops the run."""
    rule = rule_of(response)
    return (rule.oauth_remedy if uses_oauth else "") or rule.remedy or _DEFAULT_REMEDY


def remedy_by_waiting(response: CallResponse | EventsResponse, then: str) -> str | None:
    """Return advice for a response that does not depend on the settings: wait, `then` retry.

    None for any other response.
    """
    if isinstance(response, NoResponse):
        return None
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = response.retry_after_seconds
        wait = f"{seconds:g} seconds" if seconds else "a minute"
        return f"Too many requests for this ad account: wait {wait}, and {then}."
    if response.status // 100 == 5 or response.status in _TEMPORARY:  # noqa: PLR2004
        return f"This does not indicate wrong settings: {then} in a few minutes."
    return None


def pause_seconds(response: CallResponse | EventsResponse) -> float:
    """Return how long no further request is sent, by the server's own headers; usually 0.

    For a later reset, a request asks again after `SERVER_WAIT_CEILING_SECONDS`.
    """
    if isinstance(response, NoResponse) or response.remaining_calls != 0:
        return 0.0
    return min(response.retry_after_seconds or 0.0, SERVER_WAIT_CEILING_SECONDS)


def delay_seconds(attempts: int, server_wait_seconds: float | None, rng: random.Random) -> float:
    """Return the wait before the next attempt, after `attempts` of them.

    Full jitter with an exponentially growing limit, and never less than the server's own wait.
    """
    doublings = min(attempts - 1, _MAX_DOUBLINGS)
    ceiling = min(BACKOFF_BASE_SECONDS * 2**doublings, BACKOFF_CEILING_SECONDS)
    jittered = rng.uniform(0, ceiling)
    wait = min(server_wait_seconds or 0.0, SERVER_WAIT_CEILING_SECONDS)
    return max(jittered, wait)


def _is_success(response: ApiResponse[Any]) -> bool:
    return response.status // 100 == 2  # noqa: PLR2004

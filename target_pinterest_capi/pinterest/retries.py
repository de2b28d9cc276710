"""What an answer means: a table from status or failure to one of six decisions. Pure; the dispatcher carries them out.

Sources: docs/pinterest-api.md: Responses. What the
table does not list has an explicit default by its hundred.
"""

import random
from enum import Enum
from typing import Final

from target_pinterest_capi.pinterest.client import ApiResponse, NoResponse, NoResponseKind
from target_pinterest_capi.pinterest.responses import ApiReply

BACKOFF_BASE_SECONDS: Final = 0.5
BACKOFF_CEILING_SECONDS: Final = 15.0
SERVER_WAIT_CEILING_SECONDS: Final = 60.0  # a reset further away is asked again after this


class Decision(Enum):
    """What is done with a request after an attempt."""

    SETTLE = "settle"  # every event has its own status: read them
    RETRY = "retry"  # nothing was processed: send the same body again
    SLOW_DOWN = "slow down"  # as RETRY, and the account waits, with fewer requests at once
    UNCERTAIN = "uncertain"  # it may have been processed: `on_uncertain` says what is done
    ISOLATE = "isolate"  # the request as a whole was refused: find the culprit by halving
    STOP = "stop"  # no request can succeed until a person changes something


# docs/pinterest-api.md: Responses. Pinterest lists 200, 400, 401, 403, 422, 429, 503 and `default`;
# the others are HTTP's own (RFC 9110).
BY_STATUS: Final = {
    400: Decision.ISOLATE,
    401: Decision.STOP,
    403: Decision.STOP,
    404: Decision.STOP,
    405: Decision.STOP,
    407: Decision.STOP,
    408: Decision.UNCERTAIN,
    413: Decision.ISOLATE,
    422: Decision.ISOLATE,
    425: Decision.RETRY,
    429: Decision.SLOW_DOWN,
    503: Decision.RETRY,
}
BY_HUNDRED: Final = {
    1: Decision.UNCERTAIN,
    2: Decision.UNCERTAIN,
    3: Decision.STOP,
    4: Decision.ISOLATE,
    5: Decision.UNCERTAIN,
}
BY_FAILURE: Final = {
    NoResponseKind.NOT_SENT: Decision.RETRY,
    NoResponseKind.UNCERTAIN: Decision.UNCERTAIN,
    NoResponseKind.UNTRUSTED: Decision.STOP,
}
_MAY_LIST_EVENTS: Final = frozenset({2, 4})
_STATUSES: Final = frozenset({"processed", "failed"})

# What a person does when a run stops on a status: the setting first.
ADVICE: Final = {
    401: "Pinterest does not know the token: check conversion_token (Ads Manager, Conversions, Conversion access token).",
    403: "the token has no right to this ad account: check ad_account_id, and that conversion_token was made for it.",
    404: "there is no such address: check api_url and ad_account_id.",
    405: "there is no such address: check api_url.",
    407: "the proxy wants a user and password: check the variables HTTPS_PROXY and NO_PROXY.",
}
# The same for customer lists, audiences and OAuth, which take no conversion token.
LIST_ADVICE: Final = {
    **ADVICE,
    403: "the OAuth token has no right to this ad account: check ad_account_id, and that its user may manage its audiences.",
    404: "there is no such list or address: check list_id in customer_lists, ad_account_id and api_url.",
}
REDIRECT_ADVICE: Final = "the server redirects elsewhere, and the token is not sent along: set api_url to the final address."
UNTRUSTED_ADVICE: Final = "check api_url, the machine's certificates (SSL_CERT_FILE) and clock."


def decide(answer: ApiResponse | NoResponse, sent: int) -> Decision:
    """Decide on an answer to a request of `sent` events. A list of another length than was sent is never success."""
    if isinstance(answer, NoResponse):
        return BY_FAILURE[answer.kind]
    hundred = answer.status // 100
    if (
        hundred in _MAY_LIST_EVENTS
        and answer.events is not None
        and (hundred == 2 or answer.status == 422)  # noqa: PLR2004
    ):
        complete = len(answer.events) == sent and all(
            event.status in _STATUSES for event in answer.events
        )
        return Decision.SETTLE if complete else Decision.UNCERTAIN
    return BY_STATUS.get(answer.status) or BY_HUNDRED.get(hundred, Decision.STOP)


def decide_call(answer: ApiReply | NoResponse) -> Decision:
    """Decide on an answer to a call about lists, audiences or OAuth. A success whose body is none of a success is uncertain."""
    if isinstance(answer, NoResponse):
        return BY_FAILURE[answer.kind]
    if answer.status // 100 == 2:  # noqa: PLR2004
        return Decision.UNCERTAIN if answer.body is None else Decision.SETTLE
    return BY_STATUS.get(answer.status) or BY_HUNDRED.get(answer.status // 100, Decision.STOP)


def in_words(answer: ApiResponse | ApiReply | NoResponse) -> str:
    """Say what came back, for a log: status and Pinterest's message, or what happened to the connection."""
    if isinstance(answer, NoResponse):
        return f"no answer from Pinterest ({answer.message})"
    return f"Pinterest answered {answer.status} {answer.message}".rstrip(" .")


def advice(answer: ApiResponse | ApiReply | NoResponse) -> str:
    """Say what a person does about an answer that stops the run."""
    if isinstance(answer, NoResponse):
        return (
            UNTRUSTED_ADVICE
            if answer.kind is NoResponseKind.UNTRUSTED
            else "check the network between here and api_url."
        )
    if answer.status // 100 == 3:  # noqa: PLR2004
        return REDIRECT_ADVICE
    return (LIST_ADVICE if isinstance(answer, ApiReply) else ADVICE).get(
        answer.status, "see the message; nothing of this request was settled."
    )


def delay_seconds(attempts: int, server_wait_seconds: float | None, rng: random.Random) -> float:
    """Give the wait before the next attempt, `attempts` made: full jitter under a doubling ceiling, the server's wait as floor."""
    jittered = rng.uniform(
        0, min(BACKOFF_CEILING_SECONDS, BACKOFF_BASE_SECONDS * 2 ** min(attempts - 1, 16))
    )
    return max(jittered, min(server_wait_seconds or 0.0, SERVER_WAIT_CEILING_SECONDS))

"""Pinterest's side of `pinterest-capi eqs`: one request for the scores, and why there are none.

Needs OAuth; the conversion token is never sent. Writes nothing but a new refresh token, where
Pinterest gives one.
"""

from http import HTTPStatus
from typing import Final

import click

from target_pinterest_capi.checks.result import ACCOUNT_PLACE, APP_PLACE
from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import (
    FixedToken,
    RefreshedTokens,
    fetch_access_token,
    tokens_of,
)
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    QualityScore,
)
from target_pinterest_capi.pinterest.retries import (
    Decision,
    classify_call,
    describe,
    remedy,
    remedy_by_waiting,
)
from target_pinterest_capi.settings import Settings

TIMEOUT_SECONDS: Final = 15.0  # at most; a smaller request_timeout_seconds wins


def fetch_scores(settings: Settings, account: str, query: dict[str, str]) -> list[QualityScore]:
    """Get the scores, by one attempt.

    Raises:
        click.ClickException: Pinterest gave none; the message says what to do.
    """
    assert settings.oauth is not None  # noqa: S101 - the command asks for it
    client = Client(
        settings.api_url,
        max_connections=1,
        timeout_seconds=min(settings.request_timeout_seconds, TIMEOUT_SECONDS),
    )
    tokens = tokens_of(settings.oauth, client)
    try:
        token = fetch_access_token(tokens)
        if not isinstance(token, str):
            raise _refused(token, "no access token", _other_advice(token))
        reply = client.quality_scores(token, account, query)
    except FlowStopped as stop:
        raise click.ClickException(f"{stop}\n{APP_PLACE}") from None
    finally:
        client.close()
    if isinstance(reply, ApiResponse) and isinstance(reply.body, list):
        return reply.body
    raise _refused(reply, "no score", _advice(reply, tokens, account))


def _advice(reply: CallResponse, tokens: FixedToken | RefreshedTokens, account: str) -> str:
    match reply.status if isinstance(reply, ApiResponse) else None:
        case HTTPStatus.UNAUTHORIZED:
            return f"{tokens.remedy()}\n{APP_PLACE}"
        case HTTPStatus.FORBIDDEN:
            return (
                f"The OAuth token may not read ad account {account}: "
                "check ad_account_id, and that the user who let the app in, "
                f"with the scope ads:read, may see that account.\n{ACCOUNT_PLACE}"
            )
        case HTTPStatus.NOT_FOUND:
            return (
                "Pinterest has nothing at that address: "
                f"check ad_account_id ({account}) and api_url."
            )
        case status if status is not None and status // 100 == 2:  # noqa: PLR2004
            return "That is not an event quality score: check api_url."
        case _:
            return _other_advice(reply)


def _other_advice(reply: CallResponse) -> str:
    """Say what to do about an answer that tells nothing of token and account."""
    waiting = remedy_by_waiting(reply, "ask again")
    if waiting is not None:
        return waiting
    if classify_call(reply) is Decision.ISOLATE:
        return "Pinterest refuses the request itself: see its message, and try other filters."
    words = remedy(reply, uses_oauth=True)
    return words[:1].upper() + words[1:]


def _refused(reply: CallResponse, what: str, words: str) -> click.ClickException:
    return click.ClickException(f"{what}: {plain(describe(reply))}.\n{words}")

"""Calls with the access token of `oauth`: one attempt each, and the reason for a failure.

The conversion token is never sent. Writes nothing except a new refresh token, if Pinterest returns
one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final, TypeVar

import click

from target_pinterest_capi.checks.result import ACCOUNT_PLACE, APP_PLACE
from target_pinterest_capi.cli.configuration import refuse_settings
from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import (
    FixedToken,
    RefreshedTokens,
    fetch_access_token,
    tokens_of,
)
from target_pinterest_capi.pinterest.responses import ApiResponse, CallResponse
from target_pinterest_capi.pinterest.retries import (
    Decision,
    classify_call,
    describe,
    remedy,
    remedy_by_waiting,
)
from target_pinterest_capi.settings import OAuth, Settings

TIMEOUT_SECONDS: Final = 15.0  # at most; a smaller request_timeout_seconds is used instead

HOW_TO_SET_OAUTH: Final = (
    "set oauth.client_id, oauth.client_secret and oauth.token_path, and sign in with"
    " `pinterest-capi login`; or set oauth.access_token"
)

Body = TypeVar("Body")
Attempt = Callable[[Client, str], CallResponse]


class OAuthSession:
    """A client and an access token, for the length of a command."""

    def __init__(
        self, client: Client, tokens: FixedToken | RefreshedTokens, token: str, account: str
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._token = token
        self._account = account

    def attempt(self, make: Attempt) -> CallResponse:
        """Return the response to one attempt."""
        return make(self._client, self._token)

    def ask(self, make: Attempt, form: type[Body], failure: str, right: str) -> Body:
        """Return the body of the response to one attempt, as its type.

        Raises a `ClickException` for any other: `failure` says what is missing then, and `right`
        what a token without permission needs.
        """
        response = self.attempt(make)
        if isinstance(response, ApiResponse) and isinstance(response.body, form):
            return response.body
        raise self.refusal(response, failure, right)

    def refusal(self, response: CallResponse, failure: str, right: str) -> click.ClickException:
        """Return the error for a response that is not what was asked for, with what to do."""
        return _refused(response, failure, self._advice(response, right))

    def _advice(self, response: CallResponse, right: str) -> str:
        match response.status if isinstance(response, ApiResponse) else None:
            case HTTPStatus.UNAUTHORIZED:
                return f"{self._tokens.remedy()}\n{APP_PLACE}"
            case HTTPStatus.FORBIDDEN:
                return f"{right}\n{ACCOUNT_PLACE}"
            case HTTPStatus.NOT_FOUND:
                return (
                    "Pinterest has nothing at that address: check ad_account_id "
                    f"({self._account}) and api_url."
                )
            case status if status is not None and status // 100 == 2:  # noqa: PLR2004
                return "This is not a response of Pinterest: check api_url."
            case _:
                return _other_advice(response)


@contextmanager
def open_session(
    settings: Settings, paths: Sequence[str], account: str, needed_for: str
) -> Iterator[OAuthSession]:
    """Yield a session for an ad account.

    Exits with 2 if the settings have no `oauth`; raises a `ClickException` if there is no access
    token.
    """
    oauth = require_oauth(settings, paths, needed_for)
    client = Client(
        settings.api_url,
        max_connections=1,
        timeout_seconds=min(settings.request_timeout_seconds, TIMEOUT_SECONDS),
    )
    tokens = tokens_of(oauth, client)
    try:
        token = fetch_access_token(tokens)
        if not isinstance(token, str):
            raise _refused(token, "no access token", _other_advice(token))
        yield OAuthSession(client, tokens, token, account)
    except FlowStopped as stop:
        raise click.ClickException(f"{stop}\n{APP_PLACE}") from None
    finally:
        client.close()


def require_oauth(settings: Settings, paths: Sequence[str], needed_for: str) -> OAuth:
    """Return the OAuth settings, or exit with 2 if there are none."""
    if settings.oauth is None:
        refuse_settings([f"oauth: is required {needed_for}: {HOW_TO_SET_OAUTH}"], paths)
    return settings.oauth


def _other_advice(response: CallResponse) -> str:
    """Return advice for a response that shows nothing about token and account."""
    waiting = remedy_by_waiting(response, "ask again")
    if waiting is not None:
        return waiting
    if classify_call(response) is Decision.BISECT:
        return "Pinterest refused the request itself: see its message."
    words = remedy(response, uses_oauth=True)
    return words[:1].upper() + words[1:]


def _refused(response: CallResponse, failure: str, advice: str) -> click.ClickException:
    return click.ClickException(f"{failure}: {plain(describe(response))}.\n{advice}")

"""The access token for customer lists and quality scores: configured, or from an OAuth grant.

Pinterest replaces a refresh token when it is used, and `token_file` stores the newest one. Never
sends, reads or knows the conversion token; never shows a token in a message or a repr.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol

from pydantic import SecretStr

from target_pinterest_capi.pinterest.calls import Call, Flow, FlowStopped
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    Credentials,
    NoResponse,
    NoResponseKind,
    TokenGrant,
)
from target_pinterest_capi.pinterest.retries import Decision, classify_call, describe
from target_pinterest_capi.pinterest.token_file import LOGIN, TokenFile, no_place
from target_pinterest_capi.settings import OAuth

# seen: 401 with code 283 for a refresh token that was replaced
REFUSALS: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_SCOPES: Final = "with the scopes ads:read and ads:write"


class TokenEndpoint(Protocol):
    """What is needed from a client: one attempt to exchange a refresh token."""

    def refresh_token(self, credentials: Credentials) -> CallResponse:
        """Make one attempt."""


class FixedToken:
    """A configured access token, used as it is."""

    def __init__(self, token: SecretStr) -> None:
        self.access_token: str | None = token.get_secret_value()

    def refresh(self) -> Flow | None:
        """Return None, because it cannot be refreshed."""
        return None

    def remedy(self) -> str:
        """Return what to do if Pinterest does not accept the token."""
        return (
            "Pinterest does not know the access token, or it has expired: "
            f"set oauth.access_token to a new one, {_SCOPES}."
        )


class RefreshedTokens:
    """Access tokens from an app's refresh token.

    That is the newest one in the file if it is derived from the configured one, otherwise the
    configured one.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str | None,
        path: str,
        client: TokenEndpoint,
    ) -> None:
        self.access_token: str | None = None
        self._client_id = client_id
        self._client_secret = client_secret
        self._file = TokenFile(path, refresh_token)
        self._client = client
        self._exchanged = ""  # the refresh token of the last exchange

    def remedy(self) -> str:
        """Return what to do if Pinterest does not accept the token."""
        return (
            "Pinterest refuses the access token that it issued for oauth.refresh_token: check "
            f"that the app (oauth.client_id) was authorized {_SCOPES}, or {LOGIN}."
        )

    def refresh(self) -> Flow:
        """Exchange the refresh token; its replacement is durable before the new token is used."""
        while True:
            response = yield Call(self._exchange, expected_refusals=REFUSALS, needs_token=False)
            body = response.body if isinstance(response, ApiResponse) else None
            if isinstance(body, FlowStopped):
                raise body
            if isinstance(body, TokenGrant):
                self.access_token = body.access_token
                return
            if self._file.newest() == self._exchanged:
                raise FlowStopped(
                    f"{describe(response)}: no access token was returned. Check oauth.client_id "
                    "and oauth.client_secret; if they are right, the refresh token was used or "
                    f"has expired: {LOGIN}, or authorize the app again, {_SCOPES}, and set "
                    "oauth.refresh_token to the new one."
                )
            # Another process has refreshed it in the meantime, on a file system without locks.

    def _exchange(self, _: str) -> CallResponse:
        """Exchange the newest refresh token and store its replacement, one process at a time.

        The file is read and written under the lock: a process that waited uses the token that the
        previous one stored. Disk space for the new token is reserved before the old one is used.
        Runs on a worker's thread.
        """

        def exchange() -> CallResponse:
            self._exchanged = self._file.newest()
            response = self._client.refresh_token(
                Credentials(self._client_id, self._client_secret, self._exchanged)
            )
            grant = response.body if isinstance(response, ApiResponse) else None
            replaced = grant.refresh_token if isinstance(grant, TokenGrant) else None
            if replaced is not None and replaced != self._exchanged:
                self._file.keep_refreshed(replaced, self._exchanged)
            return response

        return exchange_locked(self._file, exchange)


def exchange_locked(file: TokenFile, exchange: Callable[[], CallResponse]) -> CallResponse:
    """Return the response to an exchange that is made while the file is locked.

    A response whose body is `FlowStopped` says that the token could not be read or stored.
    """
    try:
        with file.held():
            return exchange()
    except FlowStopped as stop:
        return ApiResponse(HTTPStatus.OK, body=stop)
    except TimeoutError:
        words = "another process is refreshing the token of oauth.token_path, and does not finish"
        return NoResponse(NoResponseKind.NOT_SENT, words)
    except OSError as error:
        return ApiResponse(HTTPStatus.OK, body=no_place(error))


def configured_refresh_token(oauth: OAuth) -> str | None:
    """Return the refresh token of the settings, if they have one."""
    return None if oauth.refresh_token is None else oauth.refresh_token.get_secret_value()


def tokens_of(oauth: OAuth, client: TokenEndpoint) -> FixedToken | RefreshedTokens:
    """Return the source of access tokens in the settings."""
    if oauth.access_token is not None:
        return FixedToken(oauth.access_token)
    # The settings guarantee these three if there is no access_token.
    assert oauth.client_id is not None  # noqa: S101
    assert oauth.client_secret is not None  # noqa: S101
    assert oauth.token_path is not None  # noqa: S101
    return RefreshedTokens(
        oauth.client_id,
        oauth.client_secret.get_secret_value(),
        configured_refresh_token(oauth),
        oauth.token_path,
        client,
    )


def sign_in(oauth: OAuth, exchange_code: Callable[[], CallResponse]) -> CallResponse:
    """Return the response to the exchange of a consent's code; its refresh token is stored.

    Raises `FlowStopped` if it cannot be stored, which is usually known before the exchange.
    """
    assert oauth.token_path is not None  # noqa: S101 - as for the refreshed ones
    file = TokenFile(oauth.token_path, configured_refresh_token(oauth))

    def exchange() -> CallResponse:
        response = exchange_code()
        grant = response.body if isinstance(response, ApiResponse) else None
        if isinstance(grant, TokenGrant) and grant.refresh_token:
            file.keep(grant.refresh_token)
        return response

    response = exchange_locked(file, exchange)
    if isinstance(response, ApiResponse) and isinstance(response.body, FlowStopped):
        raise response.body
    return response


def fetch_access_token(tokens: FixedToken | RefreshedTokens) -> str | CallResponse:
    """Return the access token, or the response to the one failed attempt to get one.

    Raises `FlowStopped`, with what to do about it, if Pinterest refuses the app or if the new
    refresh token cannot be stored.
    """
    flow = tokens.refresh() if tokens.access_token is None else None
    if flow is None:
        return tokens.access_token or ""
    call = next(flow)
    while True:
        response = call.send("")
        if isinstance(response, NoResponse):
            return response
        if (
            response.status not in call.expected_refusals
            and classify_call(response) is not Decision.SETTLE
        ):
            return response
        try:
            call = flow.send(response)
        except StopIteration:
            return tokens.access_token or ""

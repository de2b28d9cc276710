"""The access token of customer lists and quality scores, configured or for a refresh token.

Pinterest replaces a refresh token as it is used. Owns the file of `token_path`: private (0600),
written atomically, holding the newest refresh token and the digest of the configured one that it
descends from. A file that descends from another token is not used, so that a newly configured token
wins. Never sends, reads or knows the conversion token; never shows a token in a message or a repr.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import SecretStr

from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.files.durable import replacement
from target_pinterest_capi.files.locks import locked_beside
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
from target_pinterest_capi.settings import OAuth

# seen: 401 with code 283 for a refresh token that was replaced
REFUSALS: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
# An exchange takes one request; the processes of one host wait for each other's in turn.
LOCK_WAIT_SECONDS: Final = 60.0
_FILE_BYTES: Final = 4096  # more than the file of a token ever has
_SCOPES: Final = "with the scopes ads:read and ads:write"


class TokenEndpoint(Protocol):
    """What is needed of a client: one attempt to exchange a refresh token."""

    def refresh_token(self, credentials: Credentials) -> CallResponse:
        """Make one attempt."""


class FixedToken:
    """A configured access token, used as it is."""

    def __init__(self, token: SecretStr) -> None:
        self.access_token: str | None = token.get_secret_value()

    def refresh(self) -> Flow | None:
        """Return None: nothing refreshes it."""
        return None

    def remedy(self) -> str:
        """Return what to do where Pinterest does not know the token."""
        return (
            "Pinterest does not know the access token, or it has expired: "
            f"set oauth.access_token to a new one, {_SCOPES}."
        )


class RefreshedTokens:
    """Access tokens for an app's refresh token.

    That is the newest one in the file where it descends from the configured one, else that.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        path: str,
        client: TokenEndpoint,
    ) -> None:
        self.access_token: str | None = None
        self._client_id = client_id
        self._client_secret = client_secret
        self._configured = refresh_token
        self._path = Path(path).expanduser()
        self._client = client
        self._exchanged = ""  # the refresh token of the last exchange

    def remedy(self) -> str:
        """Return what to do where Pinterest does not know the token."""
        return (
            "Pinterest does not take the access token that it gave for oauth.refresh_token: "
            f"check that the app (oauth.client_id) was authorized {_SCOPES}."
        )

    def refresh(self) -> Flow:
        """Exchange the refresh token; what replaces it is durable before the token is used."""
        while True:
            response = yield Call(self._exchange, expected_refusals=REFUSALS, needs_token=False)
            body = response.body if isinstance(response, ApiResponse) else None
            if isinstance(body, FlowStopped):
                raise body
            if isinstance(body, TokenGrant):
                self.access_token = body.access_token
                return
            if self._newest() == self._exchanged:
                raise FlowStopped(
                    f"{describe(response)}: no access token was given. Check oauth.client_id and "
                    "oauth.client_secret; where they are right the refresh token was used up or "
                    f"has expired: authorize the app once more, {_SCOPES}, and set "
                    "oauth.refresh_token to the new one."
                )
            # Another process has refreshed it meanwhile, where files cannot be locked.

    def _exchange(self, _: str) -> CallResponse:
        """Exchange the newest refresh token and keep what replaces it, one process at a time.

        The file is read, and written, under the lock: a process that waited uses the token that the
        one before it has kept. Room for the new token is taken before the old one is used up. Runs
        on a worker's thread. A response whose body is `FlowStopped` says that the token could not
        be read or kept.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with (
                locked_beside(self._path, LOCK_WAIT_SECONDS),
                replacement(self._path, room=_FILE_BYTES, is_private=True) as put,
            ):
                self._exchanged = self._newest()
                response = self._client.refresh_token(
                    Credentials(self._client_id, self._client_secret, self._exchanged)
                )
                grant = response.body if isinstance(response, ApiResponse) else None
                new = grant.refresh_token if isinstance(grant, TokenGrant) else None
                if new is not None and new != self._exchanged:
                    self._keep(new, put)
                return response
        except FlowStopped as stop:
            return ApiResponse(HTTPStatus.OK, body=stop)
        except TimeoutError:
            words = "another process refreshes the token of oauth.token_path, and does not end"
            return NoResponse(NoResponseKind.NOT_SENT, words)
        except OSError as error:
            return ApiResponse(HTTPStatus.OK, body=_no_place(error))

    def _newest(self) -> str:
        """Return the refresh token to use.

        The configured one where there is no file, or one that descends from another token.
        """
        try:
            kept: Any = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return self._configured
        except (OSError, ValueError, RecursionError) as error:
            reason = (
                error.strerror
                if isinstance(error, OSError)
                else "it is not what this program wrote there"
            )
            raise FlowStopped(
                f"the file of oauth.token_path cannot be read: {reason}. Repair or remove it."
            ) from None
        if not isinstance(kept, dict) or kept.get("descends_from") != digest(self._configured):
            return self._configured
        token = kept.get("refresh_token")
        return token if isinstance(token, str) and token else self._configured

    def _keep(self, refresh_token: str, put: Callable[[bytes], None]) -> None:
        content = {
            "descends_from": digest(self._configured),
            "refresh_token": refresh_token,
            "refreshed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            put(json.dumps(content).encode() + b"\n")
        except OSError as error:
            raise FlowStopped(
                f"the new refresh token could not be kept in oauth.token_path: {error.strerror}. "
                "The old one is used up: authorize the app once more, and set "
                "oauth.refresh_token to the new one."
            ) from None


def _no_place(error: OSError) -> FlowStopped:
    """Return why nothing is refreshed where the new token could not be kept."""
    return FlowStopped(
        f"the folder of oauth.token_path cannot be written: {error.strerror}. Pinterest "
        "replaces a refresh token as it is used, and the new one must be kept: make it "
        "writable. Nothing was refreshed."
    )


def tokens_of(oauth: OAuth, client: TokenEndpoint) -> FixedToken | RefreshedTokens:
    """Return the source of access tokens that the settings describe."""
    if oauth.access_token is not None:
        return FixedToken(oauth.access_token)
    # The settings hold that without access_token all four are there.
    assert oauth.client_id is not None  # noqa: S101
    assert oauth.client_secret is not None  # noqa: S101
    assert oauth.refresh_token is not None  # noqa: S101
    assert oauth.token_path is not None  # noqa: S101
    return RefreshedTokens(
        oauth.client_id,
        oauth.client_secret.get_secret_value(),
        oauth.refresh_token.get_secret_value(),
        oauth.token_path,
        client,
    )


def fetch_access_token(tokens: FixedToken | RefreshedTokens) -> str | CallResponse:
    """Return the access token, or the response to the one attempt to get one that brought none.

    Raises `FlowStopped`, with what to do about it, where Pinterest refuses the app or what replaces
    its refresh token cannot be kept.
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

"""The access token of customer lists and quality scores, configured or for a refresh token.

Pinterest replaces a refresh token as it is used. Owns the file of `token_path`: private (0600),
written atomically, holding the newest refresh token and the digest of the configured one that it
descends from. A file that descends from another token is not used, so that a newly configured token
wins. Never sends, reads or knows the conversion token; never shows a token in a message or a repr.
"""

import json
import tempfile
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import SecretStr

from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.files.durable import replace_file
from target_pinterest_capi.pinterest.calls import Call, Flow, FlowStopped
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    Credentials,
    NoResponse,
    TokenGrant,
)
from target_pinterest_capi.pinterest.retries import Decision, classify_call, describe
from target_pinterest_capi.settings import OAuth

# seen: 401 with code 283 for a refresh token that was replaced
REFUSALS: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
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

    def remedy(self) -> str:
        """Return what to do where Pinterest does not know the token."""
        return (
            "Pinterest does not take the access token that it gave for oauth.refresh_token: "
            f"check that the app (oauth.client_id) was authorized {_SCOPES}."
        )

    def refresh(self) -> Flow:
        """Exchange the refresh token; what replaces it is durable before the token is used."""
        self._check_path()
        refresh_token = self._newest()
        while True:
            credentials = Credentials(self._client_id, self._client_secret, refresh_token)
            exchange = partial(self._exchange, credentials)
            response = yield Call(exchange, expected_refusals=REFUSALS, needs_token=False)
            if isinstance(response, ApiResponse) and isinstance(response.body, TokenGrant):
                grant = response.body
                if grant.refresh_token not in {None, refresh_token}:
                    self._keep(grant.refresh_token)
                self.access_token = grant.access_token
                return
            newest = self._newest()
            if newest == refresh_token:
                raise FlowStopped(
                    f"{describe(response)}: no access token was given. Check oauth.client_id and "
                    "oauth.client_secret; where they are right the refresh token was used up or "
                    f"has expired: authorize the app once more, {_SCOPES}, and set "
                    "oauth.refresh_token to the new one."
                )
            refresh_token = newest  # another process has refreshed it meanwhile

    def _exchange(self, credentials: Credentials, _: str) -> CallResponse:
        return self._client.refresh_token(credentials)

    def _newest(self) -> str:
        """Return the refresh token to use.

        The configured one where there is no file, or one that descends from another token.
        """
        try:
            kept: Any = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return self._configured
        except (OSError, ValueError) as error:
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

    def _check_path(self) -> None:
        """Find out before the old token is used up whether the new one can be kept."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._path.parent, prefix=f".{self._path.name}."):
                pass
        except OSError as error:
            raise FlowStopped(
                f"the folder of oauth.token_path cannot be written: {error.strerror}. Pinterest "
                "replaces a refresh token as it is used, and the new one must be kept: make it "
                "writable. Nothing was refreshed."
            ) from None

    def _keep(self, refresh_token: str) -> None:
        content = {
            "descends_from": digest(self._configured),
            "refresh_token": refresh_token,
            "refreshed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            replace_file(self._path, json.dumps(content).encode() + b"\n", is_private=True)
        except OSError as error:
            raise FlowStopped(
                f"the new refresh token could not be kept in oauth.token_path: {error.strerror}. "
                "The old one is used up: authorize the app once more, and set "
                "oauth.refresh_token to the new one."
            ) from None


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

"""Pinterest's endpoints over httpx: one attempt in, one typed answer out. Never raises for a status or a broken connection.

The only module that talks to the network. It keeps connections open, is safe to share between threads, follows no redirect
(the token would go along), and gives every attempt one deadline for the whole answer.
"""

import base64
import ipaddress
import ssl
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
import msgspec

from target_pinterest_capi import __version__
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.redaction import redact
from target_pinterest_capi.pinterest.responses import (
    ApiReply,
    AudiencePage,
    Credentials,
    ListPage,
    PinterestAudience,
    PinterestList,
    QualityScore,
    TokenGrant,
)

USER_AGENT: Final = f"target-pinterest-capi/{__version__}"
MAX_ANSWER_BYTES: Final = (
    16 * 1024 * 1024
)  # an answer to 1,000 events is well below 1 MB; more is no answer of Pinterest's
PAGE_SIZE: Final = 250  # docs/pinterest-api.md: Customer lists (query_page_size)
_CONNECT_SECONDS: Final = 10.0

Got = TypeVar("Got")


class EventStatus(msgspec.Struct, gc=False):
    """Pinterest's word on one event, in the order of the request.

    docs/pinterest-api.md: Responses.
    """

    status: str
    error_message: str | None = None
    warning_message: str | None = None


class ApiResponse(NamedTuple):
    """What came back whole. `events` is None where the body lists none; `message` is redacted; waits are seconds."""

    status: int
    events: list[EventStatus] | None = None
    message: str = ""
    retry_after_seconds: float | None = None
    remaining_calls: int | None = None


class NoResponseKind(Enum):
    """What is known of a request that got no whole answer."""

    NOT_SENT = "not sent"  # Pinterest cannot have seen it
    UNCERTAIN = "uncertain"  # it was written, wholly or in part: it may have been processed
    UNTRUSTED = "untrusted"  # the server's certificate does not hold


class NoResponse(NamedTuple):
    """An attempt without a whole answer; `message` says what happened in words, without values."""

    kind: NoResponseKind
    message: str


class _Events(msgspec.Struct, gc=False):
    events: list[EventStatus] | None = None


class _ErrorBody(msgspec.Struct, gc=False):
    """Both shapes: the list at the top (200), or under `details` (422, seen)."""

    events: list[EventStatus] | None = None
    details: _Events | None = None
    message: str | None = None


class _Message(msgspec.Struct, gc=False):
    message: str | None = None


_decode_body: Final = msgspec.json.Decoder(_ErrorBody).decode
_decode_message: Final = msgspec.json.Decoder(_Message).decode

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def is_loopback(url: str) -> bool:
    """Tell whether the URL's host is this machine: never proxied, and the only one that may be plain http."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_context(url: str) -> ssl.SSLContext:
    """Give what decides about a server's certificate: as the client's own requests to the URL have it."""
    return httpx.create_ssl_context(trust_env=not is_loopback(url))


class Client:
    """Sends request bodies to Pinterest. `clock` gives seconds of a monotonic clock."""

    def __init__(
        self,
        api_url: str,
        *,
        max_connections: int,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._http = httpx.Client(
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            timeout=httpx.Timeout(
                timeout_seconds,
                connect=min(timeout_seconds, _CONNECT_SECONDS),
                pool=timeout_seconds,
            ),
            limits=httpx.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=60,
            ),
            follow_redirects=False,
            trust_env=not is_loopback(api_url),
        )

    def send_events(self, account: Account, body: bytes, *, test: bool) -> ApiResponse | NoResponse:
        """Make one attempt to send a request of events.

        docs/pinterest-api.md: Conversion events.
        """
        token = account.token
        return self._attempt(
            "POST",
            f"/ad_accounts/{account.ad_account_id}/events",
            headers=_bearer(token),
            params={"test": "true"} if test else None,
            content=body,
            read=lambda response, raw: _answer(response, raw, token),
        )

    def customer_lists(
        self, token: str, ad_account_id: str, bookmark: str | None
    ) -> ApiReply | NoResponse:
        """Make one attempt to read a page of customer lists.

        docs/pinterest-api.md: Customer lists.
        """
        return self._page(token, f"/ad_accounts/{ad_account_id}/customer_lists", bookmark, ListPage)

    def create_list(
        self, token: str, ad_account_id: str, name: str, list_type: str, members: Sequence[str]
    ) -> ApiReply | NoResponse:
        """Make one attempt to make a customer list of its first members.

        docs/pinterest-api.md: Customer lists.
        """
        body = {"name": name, "list_type": list_type, "records": ",".join(members)}
        return self._write(
            token, "POST", f"/ad_accounts/{ad_account_id}/customer_lists", body, PinterestList
        )

    def update_list(
        self,
        token: str,
        ad_account_id: str,
        list_id: str,
        operation: Literal["ADD", "REMOVE"],
        members: Sequence[str],
    ) -> ApiReply | NoResponse:
        """Make one attempt to add members to a list, or remove them.

        docs/pinterest-api.md: Customer lists.
        """
        path = f"/ad_accounts/{ad_account_id}/customer_lists/{quote(list_id, safe='')}"
        return self._write(
            token,
            "PATCH",
            path,
            {"operation_type": operation, "records": ",".join(members)},
            PinterestList,
        )

    def audiences(
        self, token: str, ad_account_id: str, bookmark: str | None
    ) -> ApiReply | NoResponse:
        """Make one attempt to read a page of audiences. docs/pinterest-api.md: Audiences."""
        return self._page(token, f"/ad_accounts/{ad_account_id}/audiences", bookmark, AudiencePage)

    def create_audience(
        self, token: str, ad_account_id: str, name: str, list_id: str
    ) -> ApiReply | NoResponse:
        """Make one attempt to make an audience of a customer list.

        docs/pinterest-api.md: Audiences.
        """
        body = {
            "audience_type": "CUSTOMER_LIST",
            "name": name,
            "rule": {"customer_list_id": list_id},
        }
        return self._write(
            token, "POST", f"/ad_accounts/{ad_account_id}/audiences", body, PinterestAudience
        )

    def quality_scores(
        self, token: str, ad_account_id: str, query: dict[str, str]
    ) -> ApiReply | NoResponse:
        """Make one attempt to read the event quality score.

        docs/pinterest-api.md: Event quality score.
        """
        return self._read_with(
            token, f"/ad_accounts/{ad_account_id}/conversion_eqs", query, list[QualityScore]
        )

    def refresh_token(self, credentials: Credentials) -> ApiReply | NoResponse:
        """Make one attempt to exchange a refresh token for an access token.

        docs/pinterest-api.md: OAuth.
        """
        basic = base64.b64encode(
            f"{credentials.client_id}:{credentials.client_secret}".encode()
        ).decode()
        form = {"grant_type": "refresh_token", "refresh_token": credentials.refresh_token}
        return self._attempt(
            "POST",
            "/oauth/token",
            headers={
                "Authorization": f"Basic {basic}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=urlencode(form).encode(),
            read=lambda response, raw: _reply(
                response,
                raw,
                TokenGrant,
                (credentials.refresh_token, credentials.client_secret, basic),
            ),
        )

    def close(self) -> None:
        """Close every connection; attempts under way fail."""
        self._http.close()

    def _page(
        self, token: str, path: str, bookmark: str | None, form: type[Any]
    ) -> ApiReply | NoResponse:
        return self._read_with(
            token,
            path,
            {"page_size": str(PAGE_SIZE)} | ({} if bookmark is None else {"bookmark": bookmark}),
            form,
        )

    def _read_with(
        self, token: str, path: str, params: dict[str, str], form: type[Any]
    ) -> ApiReply | NoResponse:
        return self._attempt(
            "GET",
            path,
            headers=_bearer(token),
            params=params,
            read=lambda response, raw: _reply(response, raw, form, (token,)),
        )

    def _write(
        self, token: str, method: str, path: str, body: dict[str, Any], form: type[Any]
    ) -> ApiReply | NoResponse:
        return self._attempt(
            method,
            path,
            headers=_bearer(token),
            content=msgspec.json.encode(body),
            read=lambda response, raw: _reply(response, raw, form, (token,)),
        )

    def _attempt(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        read: Callable[[httpx.Response, bytes], Got],
        params: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Got | NoResponse:
        """Make one attempt; `read` gives the answer of a response and its whole body."""
        deadline = self._clock() + self._timeout_seconds
        try:
            with self._http.stream(
                method, f"{self._api_url}{path}", params=params, content=content, headers=headers
            ) as response:
                raw = self._read(response, deadline)
            # httpx ties a response and its stream in a circle, which would keep the request's body until the collector comes.
            response.stream = httpx.ByteStream(b"")
            if raw is None:
                return NoResponse(
                    NoResponseKind.UNCERTAIN,
                    f"the answer was not complete within {self._timeout_seconds:g} seconds",
                )
            return read(response, raw)
        except _NOT_SENT as error:
            if _is_certificate_error(error):
                return NoResponse(
                    NoResponseKind.UNTRUSTED, "the server's TLS certificate could not be verified"
                )
            return NoResponse(NoResponseKind.NOT_SENT, _in_words(error))
        except httpx.RequestError as error:
            return NoResponse(NoResponseKind.UNCERTAIN, _in_words(error))

    def _read(self, response: httpx.Response, deadline: float) -> bytes | None:
        """Read the whole body, or give None when time or size run out: a dripping body must not hold a sender."""
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if self._clock() > deadline or size > MAX_ANSWER_BYTES:
                return None
        return b"".join(chunks)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _reply(
    response: httpx.Response, raw: bytes, form: type[Any], secrets: tuple[str, ...]
) -> ApiReply:
    body = None
    if response.is_success:
        try:
            body = msgspec.json.decode(raw, type=form)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            body = None
    return ApiReply(
        status=response.status_code,
        body=body,
        message="" if body is not None else redact(_parse(raw)[1] or "", secrets),
        retry_after_seconds=_waits(response.headers),
        remaining_calls=_whole_number(response.headers.get("X-RateLimit-Remaining")),
    )


def _answer(response: httpx.Response, raw: bytes, token: str) -> ApiResponse:
    events, message = _parse(raw)
    return ApiResponse(
        status=response.status_code,
        events=events,
        message=redact(message or "", (token,)),
        retry_after_seconds=_waits(response.headers),
        remaining_calls=_whole_number(response.headers.get("X-RateLimit-Remaining")),
    )


def _parse(raw: bytes) -> tuple[list[EventStatus] | None, str | None]:
    """Give the list of event statuses wherever it is, and the message; an odd shape gives neither."""
    try:
        body = _decode_body(raw)
    except msgspec.MsgspecError:
        try:
            return None, _decode_message(raw).message
        except msgspec.MsgspecError:
            return None, None
    events = (
        body.events
        if body.events is not None
        else body.details.events
        if body.details is not None
        else None
    )
    return events, body.message


def _waits(headers: httpx.Headers) -> float | None:
    """Give the longest wait that the server names: Retry-After, or the reset of a used-up rate limit, in seconds."""
    waits = []
    retry_after = _whole_number(headers.get("Retry-After"))
    if retry_after is not None:
        waits.append(float(retry_after))
    reset = _whole_number(headers.get("X-RateLimit-Reset"))
    if reset is not None and _whole_number(headers.get("X-RateLimit-Remaining")) in {0, None}:
        waits.append(float(reset))
    return max(waits, default=None)


def _whole_number(text: str | None) -> int | None:
    """Read the first number of a header such as `120000, 120000;w=60`; anything else is None."""
    digits = (text or "").split(",", 1)[0].split(";", 1)[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None  # noqa: PLR2004


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _in_words(error: httpx.RequestError) -> str:
    """Name the kind of the failure; the message of the library itself may hold a URL or an address, so it is cut."""
    words = redact(str(error))
    return f"{type(error).__name__}: {words}" if words else type(error).__name__

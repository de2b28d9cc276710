"""Pinterest's endpoints over httpx: one attempt, one typed response.

Never raises for a status or a broken connection. The only module that talks to the network. It
keeps connections open, is thread-safe, follows no redirect (which would get the token), keeps no
cookies, and gives every attempt one deadline for the complete response.
"""

import base64
import ssl
import time
from collections.abc import Callable, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
import msgspec

from target_pinterest_capi import __version__
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.events.redaction import plain_values, redact
from target_pinterest_capi.pinterest.list_records import ListMember, request_records
from target_pinterest_capi.pinterest.parsing import (
    UNREADABLE,
    parse_statuses,
    remaining_calls,
    wait_seconds,
)
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    AudiencePage,
    CallResponse,
    Credentials,
    CustomerListBody,
    CustomerListPage,
    EventsResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
    PinterestAudience,
    QualityScore,
    TokenGrant,
)
from target_pinterest_capi.settings.network import proxy_of
from target_pinterest_capi.settings.values import is_loopback

USER_AGENT: Final = f"target-pinterest-capi/{__version__}"
# A response for 1,000 events is well below 1 MB; a longer one is not from Pinterest.
MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024
PAGE_SIZE: Final = 250  # docs/pinterest-api.md: Customer lists (query_page_size)
_SECRET_FIELDS: Final = ("refresh_token", "code")  # of a form
_CONNECT_SECONDS: Final = 10.0
_KEEP_ALIVE_SECONDS: Final = 60.0

Parsed = TypeVar("Parsed")

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Attempt(NamedTuple):
    """An attempt that has ended: its status, or the kind of failure."""

    method: str
    path: str
    body_bytes: int
    seconds: float
    status: int | None
    failure: str


def trusts_environment(url: str) -> bool:
    """Return whether the environment's proxies and certificates apply: not on loopback."""
    return not is_loopback(urlsplit(url).hostname or "")


def tls_context(url: str) -> ssl.SSLContext:
    """Return the TLS context of the client's own requests.

    Plain HTTP needs none: that context trusts nobody, and is created without reading all
    authorities.
    """
    if urlsplit(url).scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context(trust_env=trusts_environment(url))


class Client:
    """Sends requests to Pinterest. `clock` returns monotonic seconds.

    `observe` is called with each attempt that has ended, on the thread that made it.
    """

    def __init__(
        self,
        api_url: str,
        *,
        max_connections: int,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        observe: Callable[[Attempt], None] | None = None,
    ) -> None:
        self._observe = observe
        self._api_url = api_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        proxy = proxy_of(api_url)
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
                keepalive_expiry=_KEEP_ALIVE_SECONDS,
            ),
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            # httpx does not support IPv6 ranges in NO_PROXY, and fails on them.
            trust_env=False,
            verify=tls_context(api_url),
            proxy=None if proxy is None else proxy.url,
        )

    def send_events(self, account: Account, body: bytes, *, test: bool) -> EventsResponse:
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
            parse=lambda response, raw: _parse_events(response, raw, token, body),
        )

    def customer_lists(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        """Make one attempt to read a page of customer lists.

        docs/pinterest-api.md: Customer lists.
        """
        return self.get_page(
            token, f"/ad_accounts/{ad_account_id}/customer_lists", bookmark, CustomerListPage
        )

    def create_list(
        self,
        token: str,
        ad_account_id: str,
        name: str,
        members: Sequence[ListMember],
        *,
        list_type: str | None = None,
        is_nca: bool = False,
    ) -> CallResponse:
        """Make one attempt to create a customer list with its first members.

        `is_nca`: it is for finding new customers. docs/pinterest-api.md: Customer lists.
        """
        body = {"name": name, **request_records(members)}
        if list_type is not None:
            body["list_type"] = list_type
        if is_nca:
            body["is_nca"] = True
        return self.write(
            token, "POST", f"/ad_accounts/{ad_account_id}/customer_lists", body, CustomerListBody
        )

    def update_list(
        self,
        token: str,
        ad_account_id: str,
        list_id: str,
        operation: Literal["ADD", "REMOVE"],
        members: Sequence[ListMember],
    ) -> CallResponse:
        """Make one attempt to add members to a list, or remove them.

        docs/pinterest-api.md: Customer lists.
        """
        path = f"/ad_accounts/{ad_account_id}/customer_lists/{quote(list_id, safe='')}"
        return self.write(
            token,
            "PATCH",
            path,
            {"operation_type": operation, **request_records(members)},
            CustomerListBody,
        )

    def audiences(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        """Make one attempt to read a page of audiences. docs/pinterest-api.md: Audiences."""
        return self.get_page(
            token, f"/ad_accounts/{ad_account_id}/audiences", bookmark, AudiencePage
        )

    def create_audience(
        self, token: str, ad_account_id: str, name: str, list_id: str
    ) -> CallResponse:
        """Make one attempt to create an audience from a customer list.

        docs/pinterest-api.md: Audiences.
        """
        body = {
            "audience_type": "CUSTOMER_LIST",
            "name": name,
            "rule": {"customer_list_id": list_id},
        }
        return self.write(
            token, "POST", f"/ad_accounts/{ad_account_id}/audiences", body, PinterestAudience
        )

    def quality_scores(self, token: str, ad_account_id: str, query: dict[str, str]) -> CallResponse:
        """Make one attempt to read the event quality score.

        docs/pinterest-api.md: Event quality score.
        """
        return self.get(
            token, f"/ad_accounts/{ad_account_id}/conversion_eqs", query, list[QualityScore]
        )

    def refresh_token(self, credentials: Credentials) -> CallResponse:
        """Make one attempt to exchange a refresh token for an access token.

        docs/pinterest-api.md: OAuth.
        """
        form = {"grant_type": "refresh_token", "refresh_token": credentials.refresh_token}
        return self.request_token(credentials.client_id, credentials.client_secret, form)

    def request_token(self, client_id: str, secret: str, form: dict[str, str]) -> CallResponse:
        """Make one attempt to exchange a refresh token or a code, with the app's credentials.

        docs/pinterest-api.md: OAuth.
        """
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        secrets = (*(form.get(name, "") for name in _SECRET_FIELDS), secret, basic)
        return self._attempt(
            "POST",
            "/oauth/token",
            headers={
                "Authorization": f"Basic {basic}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=urlencode(form).encode(),
            parse=lambda response, raw: _parse_body(response, raw, TokenGrant, secrets),
        )

    def close(self) -> None:
        """Close every connection; attempts in flight fail."""
        self._http.close()

    def get(self, token: str, path: str, params: dict[str, str], form: type[Any]) -> CallResponse:
        """Make one attempt to read a path, as a type."""
        return self._attempt(
            "GET",
            path,
            headers=_bearer(token),
            params=params,
            parse=lambda response, raw: _parse_body(response, raw, form, (token,)),
        )

    def get_page(
        self,
        token: str,
        path: str,
        bookmark: str | None,
        form: type[Any],
        params: dict[str, str] | None = None,
    ) -> CallResponse:
        """Make one attempt to read a page of a path."""
        query = {"page_size": str(PAGE_SIZE), **(params or {})}
        if bookmark is not None:
            query["bookmark"] = bookmark
        return self.get(token, path, query, form)

    def write(
        self,
        token: str,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        form: type[Any],
        params: dict[str, str] | None = None,
    ) -> CallResponse:
        """Make one attempt to change a path.

        The response's message does not show the body's values.
        """
        content = b"" if body is None else msgspec.json.encode(body)
        return self._attempt(
            method,
            path,
            headers=_bearer(token),
            params=params,
            content=content or None,
            parse=lambda response, raw: _parse_body(response, raw, form, (token,), content),
        )

    def _attempt(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        parse: Callable[[httpx.Response, bytes], Parsed],
        params: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Parsed | NoResponse:
        """Make one attempt; `parse` gets the response and its complete body."""
        started = self._clock()
        answer = self._answer(method, path, headers, params, content, parse)
        if self._observe is not None:
            status = answer.status if isinstance(answer, ApiResponse) else None
            failure = answer.kind.value if isinstance(answer, NoResponse) else ""
            size, seconds = len(content or b""), self._clock() - started
            self._observe(Attempt(method, path, size, seconds, status, failure))
        return answer

    def _answer(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        params: dict[str, str] | None,
        content: bytes | None,
        parse: Callable[[httpx.Response, bytes], Parsed],
    ) -> Parsed | NoResponse:
        deadline = self._clock() + self._timeout_seconds
        try:
            with self._http.stream(
                method, f"{self._api_url}{path}", params=params, content=content, headers=headers
            ) as response:
                raw = self._read(response, deadline)
            # httpx has a reference cycle between a response and its stream, which would keep the
            # request's body in memory until the garbage collector runs.
            response.stream = httpx.ByteStream(b"")
            if raw is None:
                return NoResponse(
                    NoResponseKind.UNCERTAIN,
                    f"the response was not complete within {self._timeout_seconds:g} seconds",
                )
            return parse(response, raw)
        except _NOT_SENT as error:
            if _is_certificate_error(error):
                return NoResponse(
                    NoResponseKind.UNTRUSTED, "the server's TLS certificate could not be verified"
                )
            return NoResponse(NoResponseKind.NOT_SENT, _describe_error(error))
        except httpx.RequestError as error:
            return NoResponse(NoResponseKind.UNCERTAIN, _describe_error(error))

    def _read(self, response: httpx.Response, deadline: float) -> bytes | None:
        """Return the complete body; None if it takes too long or is too large.

        A body that arrives byte by byte must not block a worker.
        """
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if self._clock() > deadline or size > MAX_RESPONSE_BYTES:
                return None
        return b"".join(chunks)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _parse_events(
    response: httpx.Response, raw: bytes, token: str, body: bytes
) -> ApiResponse[list[EventStatus]]:
    """Return the response to a request with events, whose values its message does not show."""
    events, message = parse_statuses(raw)
    if message:
        message = redact(message, (token,), plain_values([body]))
    return _response(response, events, message, (token,))


def _parse_body(
    response: httpx.Response,
    raw: bytes,
    form: type[Any],
    secrets: tuple[str, ...],
    content: bytes = b"",
) -> ApiResponse[Any]:
    """Return the response to a request with `content`, whose values its message does not show."""
    if response.is_success:
        try:
            return _response(response, msgspec.json.decode(raw, type=form), None, secrets)
        except UNREADABLE:
            pass  # not the body of a success: only its message is left
    _, message = parse_statuses(raw)
    if message:
        message = redact(message, secrets, plain_values([content]))
    return _response(response, None, message, secrets)


def _response(
    response: httpx.Response, body: Any, message: str | None, secrets: tuple[str, ...]
) -> ApiResponse[Any]:
    return ApiResponse(
        status=response.status_code,
        body=body,
        message=redact(message or "", secrets),
        retry_after_seconds=wait_seconds(response.headers),
        remaining_calls=remaining_calls(response.headers),
    )


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _describe_error(error: httpx.RequestError) -> str:
    """Name the kind of a failure; values are removed from the library's message."""
    words = redact(str(error))
    return f"{type(error).__name__}: {words}" if words else type(error).__name__

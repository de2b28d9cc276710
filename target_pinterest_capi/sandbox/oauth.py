"""OAuth: the app, its grants, what a user consents to, and tokens for a code or a refresh token.

Owns `POST /v5/oauth/token`, and what a request for consent must contain (`consent` shows it). Pure:
the clock and the grants so far are arguments. The grants have no tokens: an issued token or code is
a configured one with a number after it, and the grants count these numbers.

Sources: docs/pinterest-api.md: OAuth. Code 283 for a refused refresh token was seen; 60 days and
the new refresh token of an answer are documented.
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from target_pinterest_capi.sandbox.answers import (
    OK,
    Answer,
    Request,
    bad_request,
    media_type,
    refusal,
)

# invented, of no use elsewhere
DEFAULT_CLIENT_ID: Final = "sandbox-client"
DEFAULT_CLIENT_SECRET: Final = "sandbox-client-secret"  # noqa: S105
DEFAULT_REFRESH_TOKEN: Final = "sandbox-refresh-token"  # noqa: S105
DEFAULT_ACCESS_TOKEN: Final = "sandbox-access-token"  # noqa: S105

ADS_READ: Final = "ads:read"
ADS_WRITE: Final = "ads:write"
DAY_SECONDS: Final = 24 * 3600
CODE: Final = "sandbox-code"
CODE_SECONDS: Final = 600  # RFC 6749, 4.1.2: the recommended maximum
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
REFUSED_GRANT: Final = 283  # seen: {"code":283,"message":"The authorization grant is invalid"}
GRANT_MESSAGE: Final = "The authorization grant is invalid"
# docs/pinterest-api.md: OAuth (OauthAccessTokenRequest)
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}").fullmatch


@dataclass(frozen=True, kw_only=True)
class App:
    """An app that a user has authorized, with its credentials.

    Args:
        client_id: the app's id, the name of its HTTP basic credentials.
        client_secret: the app's secret, the password of them.
        refresh_token: the first refresh token; those that replace it are this one with a number
            behind it.
        access_token: an access token that does not expire; those that are given out are this one
            with a number behind it.
        scopes: what the user has granted.
        rotate: whether each exchange gives a new refresh token, which replaces the old one.
        access_token_seconds: how long an access token lasts that was given out (documented: 30
            days).
        refresh_token_seconds: how long a refresh token lasts that was given out (documented: 60
            days). The first one lasts.
        redirect_uris: the addresses that the app registered for redirects; where there are none,
            any of a loopback host.
    """

    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str = field(default=DEFAULT_CLIENT_SECRET, repr=False)
    refresh_token: str = field(default=DEFAULT_REFRESH_TOKEN, repr=False)
    access_token: str = field(default=DEFAULT_ACCESS_TOKEN, repr=False)
    scopes: Collection[str] = (ADS_READ, ADS_WRITE)
    rotate: bool = True
    access_token_seconds: int = 30 * DAY_SECONDS
    refresh_token_seconds: int = 60 * DAY_SECONDS
    redirect_uris: Collection[str] = ()


class Consented(NamedTuple):
    """What a user is asked to consent to: the scopes, and where the answer goes."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str


class AuthorizationCode(NamedTuple):
    """A code that was issued for a consent, valid until `expires` (Unix seconds), once."""

    consented: Consented
    expires: float
    is_used: bool = False


class Grant(NamedTuple):
    """The scopes of one access token, and when it expires (Unix seconds)."""

    scopes: tuple[str, ...]
    expires: float


class Grants(NamedTuple):
    """What was issued: the access tokens by number from 1, and the state of the refresh token.

    `rotations` counts how often it was replaced; `refresh_expires` is when it expires. `codes` are
    those of consents, by number from 1, and `scopes` what the last of them allowed.
    """

    issued: tuple[Grant, ...] = ()
    rotations: int = 0
    refresh_expires: float | None = None
    codes: tuple[AuthorizationCode, ...] = ()
    scopes: tuple[str, ...] | None = None


NONE_YET: Final = Grants()


def scopes(token: str, app: App, grants: Grants, now: float) -> Collection[str] | None:
    """Return the scopes of an access token at `now`; None if it is unknown or has expired."""
    if token == app.access_token:
        return app.scopes
    number = _number(token, app.access_token)
    if not 0 < number <= len(grants.issued):
        return None
    grant = grants.issued[number - 1]
    return grant.scopes if now < grant.expires else None


def read_consent(query: Mapping[str, str], app: App) -> Consented | str:
    """Return what the consent page's address asks for, or why that is not valid.

    docs/pinterest-api.md: OAuth
    """
    if query.get("client_id") != app.client_id:
        return "client_id does not belong to an app of this sandbox"
    redirect_uri = query.get("redirect_uri", "")
    if not _is_registered(redirect_uri, app):
        return "redirect_uri is not registered with the app"
    if query.get("response_type") != "code":
        return "response_type is not code"
    wanted = _scopes(query.get("scope", ""))
    if not wanted or not set(wanted) <= set(app.scopes):
        return f"scope is not a selection of {', '.join(app.scopes)}"
    return Consented(redirect_uri, wanted, query.get("state", ""))


def _is_registered(redirect_uri: str, app: App) -> bool:
    if app.redirect_uris:
        return redirect_uri in app.redirect_uris
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in LOOPBACK and not parts.fragment


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(re.split(r"[ ,]+", text.strip())) if text.strip() else ()


def consent(consented: Consented, now: float, grants: Grants) -> tuple[str, Grants]:
    """Return the code for a user's consent, and the grants afterwards."""
    kept = grants._replace(codes=(*grants.codes, AuthorizationCode(consented, now + CODE_SECONDS)))
    return _numbered(CODE, len(kept.codes)), kept


def answer(request: Request, app: App, now: float, grants: Grants = NONE_YET) -> Answer:
    """Answer one request for a token at `now` (Unix seconds), with the grants afterwards."""
    return (
        _exchange(request, app, now, grants)
        if _is_client(request.authorization, app)
        else refusal(401)
    )


def _is_client(authorization: str, app: App) -> bool:
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        name, _, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    # RFC 6749, 2.3.1: both are form-encoded before they are joined, which most clients do not do
    return (name, password) == (app.client_id, app.client_secret) or (
        unquote(name),
        unquote(password),
    ) == (
        app.client_id,
        app.client_secret,
    )


def _exchange(request: Request, app: App, now: float, grants: Grants) -> Answer:
    form = _form(request)
    if isinstance(form, Answer):
        return form
    kind = form.get("grant_type", "")
    if kind == "authorization_code":
        return _exchange_code(form, app, now, grants)
    if kind == "refresh_token":
        return _refresh(form, app, now, grants)
    return bad_request(
        "the sandbox supports only the grant_type authorization_code and refresh_token"
        if kind in GRANT_TYPES
        else "grant_type is unknown"
    )


def _refresh(form: Mapping[str, str], app: App, now: float, grants: Grants) -> Answer:
    given = form.get("refresh_token", "")
    if not given:
        return bad_request("refresh_token is missing")
    if not _is_current(given, app, grants, now):
        # as a 401 repeats an access token, so that a client must redact it
        return _refused_grant(f"The refresh token '{given}' is not valid.")
    granted = tuple(app.scopes) if grants.scopes is None else grants.scopes
    wanted = _scopes(form.get("scope", "")) or granted
    if not set(wanted) <= set(granted):
        return bad_request("scope has more than was granted")
    return _granted(app, now, grants, wanted)


def _refused_grant(which: str) -> Answer:
    return refusal(401, GRANT_MESSAGE, f"{GRANT_MESSAGE}. {which}", REFUSED_GRANT)


def _exchange_code(form: Mapping[str, str], app: App, now: float, grants: Grants) -> Answer:
    """Answer with the first tokens for a code, which is used up; earlier tokens are replaced."""
    if form.get("continuous_refresh", "true") not in ("true", "false"):
        return bad_request("continuous_refresh is neither true nor false")
    given = form.get("code", "")
    number = _number(given, CODE)
    code = grants.codes[number - 1] if 0 < number <= len(grants.codes) else None
    if code is None or code.is_used or now >= code.expires:
        return _refused_grant(f"The code '{given}' is not valid.")
    if form.get("redirect_uri") != code.consented.redirect_uri:
        return bad_request("redirect_uri differs from that of the code")
    used = code._replace(is_used=True)
    codes = (*grants.codes[: number - 1], used, *grants.codes[number:])
    kept = grants._replace(codes=codes, scopes=code.consented.scopes)
    made = _granted(app, now, kept, code.consented.scopes)
    body = {
        **made.body,
        "response_type": "authorization_code",
        "refresh_token": made.body.get("refresh_token", app.refresh_token),
        "refresh_token_expires_in": app.refresh_token_seconds,
    }
    return made._replace(body=body)


def _form(request: Request) -> Mapping[str, str] | Answer:
    """Return the members of a form-encoded body, each once; otherwise the refusal."""
    if media_type(request) != "application/x-www-form-urlencoded":
        return bad_request("Content-Type is not application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(
            request.body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=20,
        )
    except ValueError:  # UnicodeDecodeError is one
        return bad_request("the body is not a form")
    members = dict(pairs)
    return (
        members if len(members) == len(pairs) else bad_request("a member of the form occurs twice")
    )


def _is_current(token: str, app: App, grants: Grants, now: float) -> bool:
    if token != _numbered(app.refresh_token, grants.rotations):
        return False
    return grants.refresh_expires is None or now < grants.refresh_expires


def _granted(app: App, now: float, grants: Grants, wanted: tuple[str, ...]) -> Answer:
    kept = grants._replace(issued=(*grants.issued, Grant(wanted, now + app.access_token_seconds)))
    # docs/pinterest-api.md: OAuth (OauthAccessTokenResponse)
    body: dict[str, str | int] = {
        "access_token": _numbered(app.access_token, len(kept.issued)),
        "token_type": "bearer",
        "expires_in": app.access_token_seconds,
        "scope": " ".join(wanted),
        "response_type": "refresh_token",
    }
    if app.rotate:
        kept = kept._replace(
            rotations=grants.rotations + 1, refresh_expires=now + app.refresh_token_seconds
        )
        body["refresh_token"] = _numbered(app.refresh_token, kept.rotations)
        body["refresh_token_expires_in"] = app.refresh_token_seconds
    return Answer(OK, body, kept=kept)


def _numbered(token: str, number: int) -> str:
    return f"{token}-{number}" if number else token


def _number(token: str, first: str) -> int:
    """Return the number after an issued token; 0 if there is none."""
    number = token.removeprefix(f"{first}-")
    return int(number) if number != token and _NUMBER(number) else 0

"""The page on which a user authorizes an app: Pinterest's `/oauth/`, for browsers.

Owns the page and its two answers, both of which redirect to the app. What may be requested is in
`oauth`. The page runs no scripts, no other page can show or answer it, and what an app says about
itself is shown as text.
"""

from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from target_pinterest_capi.sandbox import oauth
from target_pinterest_capi.sandbox.fault_responses import json_response
from target_pinterest_capi.sandbox.page.origin_guard import FORBIDDEN, refusal
from target_pinterest_capi.sandbox.rules import Rules
from target_pinterest_capi.sandbox.store import Store

PATH: Final = "/oauth/"
SEE_OTHER: Final = 303
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    # The address has the app's state, which is not passed on.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Pinterest sandbox: {title}</title>
<link rel="stylesheet" href="/_sandbox/page/style.css">
<link rel="stylesheet" href="/_sandbox/page/page.css">
</head>
<body>
<div class="wrap">
<main class="card">
<p class="eyebrow">Pinterest on this machine</p>
{content}
</main>
</div>
</body>
</html>
"""
QUESTION: Final = """<h1>Let {app} act for you?</h1>
<p>It asks for:</p>
<ul>
{scopes}
</ul>
<form method="post">
<p class="actions">
<button class="button strong" name="answer" value="allow">Allow</button>
<button class="button" name="answer" value="deny">Deny</button>
</p>
</form>"""
PROBLEM: Final = """<h1>This request is not valid</h1>
<p>Invalid request: {why}.</p>"""


class Consent:
    """The page of one sandbox."""

    def __init__(
        self, rules: Rules, clock: Callable[[], float], store: Store, own_host: str
    ) -> None:
        self.rules = rules
        self.own_host = own_host
        self.clock = clock
        self.store = store

    async def respond(self, request: Request) -> Response:
        """Ask, or redirect to the app with the answer."""
        # A form is not JSON, and the guard lets a browser post only JSON.
        why = refusal("GET", request.headers, self.own_host)
        if why:
            return json_response({"code": FORBIDDEN, "message": why}, FORBIDDEN)
        asked = oauth.read_consent(dict(request.query_params), self.rules.app)
        if isinstance(asked, str):
            return _page("a wrong address", PROBLEM.format(why=escape(asked)), 400)
        if request.method != "POST":
            return _question(asked, self.rules.app)
        answer = parse_qs((await request.body()).decode(errors="replace")).get("answer", [""])
        if answer == ["allow"]:
            return self._allow(asked)
        if answer == ["deny"]:
            return _lead_back(asked, error="access_denied")
        return _question(asked, self.rules.app)

    def _allow(self, asked: oauth.Consented) -> Response:
        code, grants = oauth.consent(asked, self.clock(), self.store.grants())
        self.store.keep_grants(grants)
        return _lead_back(asked, code=code)

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        return [Route(PATH, self.respond, methods=["GET", "POST"])]


def _question(asked: oauth.Consented, app: oauth.App) -> Response:
    scopes = "\n".join(f"<li><code>{escape(scope)}</code></li>" for scope in asked.scopes)
    return _page("sign-in", QUESTION.format(app=escape(app.client_id), scopes=scopes))


def _page(title: str, content: str, status: int = 200) -> Response:
    page = PAGE.format(title=escape(title), content=content)
    return Response(page, status, HEADERS, "text/html; charset=utf-8")


def _lead_back(asked: oauth.Consented, **answer: str) -> Response:
    """Redirect to the app's own address, with its state."""
    parts = urlsplit(asked.redirect_uri)
    more = urlencode({**answer, **({"state": asked.state} if asked.state else {})})
    query = f"{parts.query}&{more}" if parts.query else more
    return RedirectResponse(urlunsplit(parts._replace(query=query)), SEE_OTHER, HEADERS)

"""The page's addresses: `/` for a browser, its files, and the data for its scripts.

The page loads only from the sandbox, runs only its own scripts and never treats received data as
markup (enforced by its Content-Security-Policy), and nothing here has a token.
"""

from collections.abc import Callable
from importlib import resources
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.fault_responses import json_response
from target_pinterest_capi.sandbox.page import one_event
from target_pinterest_capi.sandbox.page.changes import ChangeFeed, event_rows, request_rows
from target_pinterest_capi.sandbox.rules import Rules
from target_pinterest_capi.sandbox.store import Store

TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
# style.css is shared with the run report
FILES: Final = ("page.css", "page.js", "dom.js", "history.js", "rows.js", "lists.js", "switches.js")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Site:
    """The page of one sandbox."""

    def __init__(
        self, rules: Rules, clock: Callable[[], float], store: Store, faults: Faults
    ) -> None:
        self.rules = rules
        self.clock = clock
        self.store = store
        self._feed = ChangeFeed(rules, store, faults)
        package = resources.files("target_pinterest_capi")
        here = package.joinpath("sandbox", "page")
        self._index = here.joinpath("index.html").read_bytes()
        self._files = {
            "style.css": package.joinpath("style.css").read_bytes(),
            **{name: here.joinpath(name).read_bytes() for name in FILES},
        }

    async def index(self, request: Request) -> Response:
        """Answer a browser with the page, and a program with 404, as Pinterest's host does."""
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404)
        return Response(self._index, 200, HEADERS, "text/html; charset=utf-8")

    async def file(self, request: Request) -> Response:
        """Answer with a stylesheet or a script."""
        name = request.path_params["name"]
        if name not in self._files:
            raise HTTPException(404)
        return Response(self._files[name], 200, HEADERS, TYPES[name.rpartition(".")[2]])

    async def changes(self, request: Request) -> Response:
        """Answer with what changed since the marks in the query; at first with the accounts."""
        accounts = (
            {}
            if request.query_params
            else {"accounts": sorted({one for held in self.rules.tokens.values() for one in held})}
        )
        return json_response(
            {**await self._feed.since(request.query_params, self.clock()), **accounts},
            headers=HEADERS,
        )

    async def events(self, request: Request) -> Response:
        """Answer with rows of events."""
        return json_response(await event_rows(self.store, request.query_params), headers=HEADERS)

    async def event(self, request: Request) -> Response:
        """Answer with one event in full."""
        place = request.path_params["place"]
        kept = next(self.store.newest_events(place - 1, place + 1), None) if place else None
        if kept is None:
            raise HTTPException(404, "This event is no longer in memory.")
        row = kept[1].decoded()
        return json_response(
            one_event.event_details(
                place, row, self.store.requests_of({row.request}).get(row.request)
            ),
            headers=HEADERS,
        )

    async def requests(self, request: Request) -> Response:
        """Answer with rows of requests."""
        return json_response(request_rows(self.store, request.query_params), headers=HEADERS)

    def routes(self) -> list[Route]:
        """Return the routes of the page."""
        return [
            Route("/", self.index),
            Route("/_sandbox/page/changes", self.changes),
            Route("/_sandbox/page/events", self.events),
            Route("/_sandbox/page/events/{place:int}", self.event),
            Route("/_sandbox/page/requests", self.requests),
            Route("/_sandbox/page/{name}", self.file),
        ]

"""The sandbox's web application: Pinterest's endpoints, its page, and `/_sandbox/`.

Owns what happens to a request between its arrival and its answer: faults, rules, memory. Each
request to one of Pinterest's endpoints leaves exactly one row in the store, however it ends. Has
none of Pinterest's rules (they are in `rules` and its neighbours) and opens no socket (`server`).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from target_pinterest_capi.sandbox import (
    access,
    answers,
    audiences,
    conversion_tokens,
    customer_lists,
    defined_events,
    deletion_requests,
    events,
    oauth,
    quality,
    rules,
)
from target_pinterest_capi.sandbox.admin_api import REDIRECTED, AdminApi
from target_pinterest_capi.sandbox.consent import Consent
from target_pinterest_capi.sandbox.fault_plans import FaultPlan, Faults
from target_pinterest_capi.sandbox.fault_responses import (
    CutResponse,
    faulty_response,
    json_response,
    pause,
    response_instead,
)
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.page.origin_guard import guarded
from target_pinterest_capi.sandbox.page.site import Site
from target_pinterest_capi.sandbox.rates import CONVERSIONS, TOKENS, Window, category
from target_pinterest_capi.sandbox.rows import RequestRow
from target_pinterest_capi.sandbox.store import Store

# docs/pinterest-api.md; each with the endpoint's name, as faults select it
ROUTES: Final = (
    ("/ad_accounts/{ad_account_id}/events", "events", ("POST",)),
    ("/ad_accounts/{ad_account_id}/customer_lists", "customer_lists", ("GET", "POST")),
    (
        "/ad_accounts/{ad_account_id}/customer_lists/{customer_list_id}",
        "customer_lists",
        ("GET", "PATCH"),
    ),
    ("/ad_accounts/{ad_account_id}/audiences", "audiences", ("GET", "POST")),
    ("/ad_accounts/{ad_account_id}/conversion_eqs", "conversion_eqs", ("GET",)),
    (
        "/ad_accounts/{ad_account_id}/advertiser_defined_events",
        defined_events.ENDPOINT,
        ("GET", "POST", "PATCH", "DELETE"),
    ),
    (
        "/ad_accounts/{ad_account_id}/conversion_deletion_requests",
        deletion_requests.ENDPOINT,
        ("GET", "POST"),
    ),
    (
        "/ad_accounts/{ad_account_id}/conversion_deletion_requests/{request_id}",
        deletion_requests.ENDPOINT,
        ("GET", "DELETE"),
    ),
    ("/oauth/conversion_token", conversion_tokens.ENDPOINT, ("POST",)),
    ("/oauth/token", "oauth", ("POST",)),
)


@dataclass(frozen=True, kw_only=True)
class SandboxConfig(rules.Rules):
    """Every option of a sandbox: the rules of its accounts, its address, faults and memory.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        faults: the faults from the start.
        seed: the seed of their draws.
        keep_events: how many events and requests are remembered, and how many members of updates of
            lists, the latest ones; counters count all.
        record_bodies: a file to which the body of each accepted request of events is appended, one
            line each.
        clock: Unix seconds; tests give their own.
    """

    host: str = "127.0.0.1"
    port: int = 0
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    keep_events: int = 100_000
    record_bodies: Path | None = None
    clock: Callable[[], float] = time.time


class Endpoints:
    """Pinterest's endpoints, answered from the store: one method for each."""

    def __init__(self, config: SandboxConfig, store: Store) -> None:
        self.config = config
        self.store = store

    def events(
        self, request: answers.Request, now: float, window: Window, plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request of conversion events."""
        config = self.config
        names = self.store.defined_events(request.ad_account_id)
        if names is not None:
            config = replace(config, defined_events=names)
        return events.answer(request, config, now, window, plan.actions, self.store.grants())

    def customer_lists(
        self, request: answers.Request, now: float, window: Window, _plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request of customer lists, all of them or one."""
        lists = {held.id: held for held in self.store.lists()}
        return customer_lists.answer(request, self.config, now, lists, window, self.store.grants())

    def audiences(
        self, request: answers.Request, now: float, window: Window, _plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request of audiences."""
        lists = {held.id: held for held in self.store.lists()}
        made = {audience.id: audience for audience in self.store.audiences()}
        return audiences.answer(request, self.config, now, made, lists, window, self.store.grants())

    def advertiser_defined_events(
        self, request: answers.Request, now: float, window: Window, _plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request of the advertiser's own event names."""
        names = self.store.defined_events(request.ad_account_id)
        if names is None:
            names = dict.fromkeys(self.config.defined_events)
        return defined_events.answer(request, self.config, now, names, window, self.store.grants())

    def conversion_deletion_requests(
        self, request: answers.Request, now: float, window: Window, _plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request of deletion requests, all of them or one."""
        held = {one.id: one for one in self.store.deletion_requests()}
        return deletion_requests.answer(
            request, self.config, now, held, window, self.store.grants()
        )

    def conversion_token(
        self, request: answers.Request, now: float, window: Window, _plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request of a conversion token."""
        return conversion_tokens.answer(request, self.config, now, window, self.store.grants())

    def oauth(
        self, request: answers.Request, now: float, window: Window, _plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request for an access token; refused ones are counted too."""

        def respond() -> answers.Answer:
            return oauth.answer(request, self.config.app, now, self.store.grants())

        return access.within_rate_limit(window, self.config, now, TOKENS, respond)

    def conversion_eqs(
        self, request: answers.Request, now: float, window: Window, _plan: FaultPlan
    ) -> answers.Answer:
        """Answer a request of the event quality score."""

        def received() -> Iterator[tuple[Mapping[str, Any], bool]]:
            rows = self.store.events()
            return (
                (row.event, row.duplicate)
                for row in rows
                if row.ad_account_id == request.ad_account_id
            )

        return quality.answer(request, self.config, now, received, window, self.store.grants())


class _Endpoint:
    """One endpoint over HTTP: faults before and after its answer, and what to remember."""

    def __init__(
        self, name: str, endpoints: Endpoints, faults: Faults, stopping: asyncio.Event
    ) -> None:
        self.name = name
        self.answer: Callable[[answers.Request, float, Window, FaultPlan], answers.Answer]
        self.answer = getattr(endpoints, name)
        self.config = endpoints.config
        self.store = endpoints.store
        self.faults = faults
        self.stopping = stopping

    async def respond(self, request: Request) -> Response:
        """Answer one request, including faults."""
        body = await request.body()
        method = "GET" if request.method == "HEAD" else request.method
        number, plan = self.store.number_request(), self.faults.plan(self.name, method)
        ad_account_id, now = request.path_params.get("ad_account_id", ""), self.config.clock()
        row = RequestRow(
            number,
            self.name,
            ad_account_id,
            now,
            len(body),
            None,
            faults=plan.struck,
            method=method,
        )
        try:
            if plan.delay_seconds and not await pause(plan.delay_seconds, self.stopping):
                return CutResponse(Response(), None)
            if plan.before is not None:
                response = response_instead(plan.before, request)
            else:
                row, response = self._process(row, plan, request, body)
            if not isinstance(response, CutResponse):
                row = row._replace(status=response.status_code)
            return response
        finally:
            self.store.finish_request(row)

    def _process(
        self, row: RequestRow, plan: FaultPlan, request: Request, body: bytes
    ) -> tuple[RequestRow, Response]:
        now = self.config.clock()
        given = answers.Request(
            row.ad_account_id,
            request.headers.get("authorization", ""),
            body,
            request.headers.get("content-type", ""),
            request.url.query,
            row.method,
            request.path_params.get("customer_list_id", ""),
            request.path_params.get("request_id", ""),
        )
        counted = category(self.name, row.method)
        owner = row.ad_account_id if counted == CONVERSIONS else ""
        answer = self.answer(given, now, self.store.window(counted, owner), plan)
        if row.method == "POST" and row.ad_account_id and answer.status == answers.OK:
            answer = answer._replace(status=self.config.created_status)
        self.store.keep_window(answer.window, counted, owner)
        self.store.keep_answer(row.number, row.ad_account_id, answer, now, body)
        row = _with_answer(row, answer)._replace(
            faults=(*row.faults, *self.faults.marked(plan, answer.marked))
        )
        response = json_response(answer.body, answer.status, {**answer.headers, **plan.headers})
        if plan.after is not None:
            response = faulty_response(response, answer, plan.after, self.stopping)
        return row, response


def _with_answer(row: RequestRow, answer: answers.Answer) -> RequestRow:
    """Return the row of a request with the contents of its answer."""
    failed = sum(bool(verdict.error) for verdict in answer.verdicts)
    row = row._replace(
        test=answer.test,
        events=len(answer.events),
        processed=len(answer.verdicts) - failed,
        failed=failed,
        refused=answer.refused,
    )
    change = answer.change
    if change is None:
        return row
    return row._replace(list_id=change.list_id, operation=change.operation, records=change.records)


async def _refused(_request: Request, problem: Exception) -> Response:
    """Answer an unknown address or method in Pinterest's format of errors (Error)."""
    status, detail = 500, "Unexpected error."
    if isinstance(problem, HTTPException):
        status, detail = problem.status_code, problem.detail
    return json_response({"code": status, "message": detail}, status)


async def _disconnected(_request: Request, _problem: Exception) -> Response:
    """Answer a client that has disconnected and gets no answer."""
    return Response(b"", 499)


def _guarded(routes: Iterable[Route], own_host: str) -> Iterator[Route]:
    """Yield the routes behind `origin_guard`, except the one for clients of Pinterest."""
    for route in routes:
        if route.path == REDIRECTED:
            yield route
        else:
            yield Route(
                route.path, guarded(route.endpoint, own_host), methods=list(route.methods or ())
            )


def create_app(config: SandboxConfig | None = None) -> Starlette:
    """Create the application.

    `state.store`, `state.faults` and `state.stopping` (set it to end all waits) give access to it.
    """
    config = config or SandboxConfig()
    store = Store(config.keep_events, config.record_bodies)
    faults, stopping = Faults(config.faults, config.seed), asyncio.Event()
    endpoints = Endpoints(config, store)
    app = Starlette(
        routes=[
            *(
                Route(
                    f"/v5{path}",
                    _Endpoint(name, endpoints, faults, stopping).respond,
                    methods=list(methods),
                )
                for path, name, methods in ROUTES
            ),
            *_guarded(AdminApi(config, config.clock, store, faults).routes(), config.host),
            *_guarded(Site(config, config.clock, store, faults).routes(), config.host),
            *Consent(config, config.clock, store, config.host).routes(),
        ],
        exception_handlers={HTTPException: _refused, ClientDisconnect: _disconnected},
    )
    app.state.store, app.state.faults, app.state.stopping = store, faults, stopping
    return app

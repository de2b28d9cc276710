"""The sandbox's web application: Pinterest's endpoints, and `/_sandbox/` to see and steer it.

Owns what happens to a request between its arrival and its answer: faults, rules, memory. Promises that each event request leaves
exactly one row in the store, however it ends. Holds no rule of Pinterest's (that is `rules`) and opens no socket (`server`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from target_pinterest_capi.sandbox import rules
from target_pinterest_capi.sandbox.faults import KINDS, Fault, Faults, Plan, Script
from target_pinterest_capi.sandbox.store import EventRow, RequestRow, Store

PAGE: Final = b"<!doctype html><html><body><h1>Something is in the way</h1></body></html>"
STATUS_MESSAGE: Final = "The sandbox answers this status on purpose."
BODILESS: Final = (204, 205, 304)  # HTTP: these have none

_Row = TypeVar("_Row", RequestRow, EventRow)


@dataclass(frozen=True, kw_only=True)
class SandboxConfig(rules.Rules):
    """Everything a sandbox can be told: the rules of its accounts, its address, its faults and its memory.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        faults: the faults from the start.
        seed: the seed of their draws.
        keep_events: how many events and requests are remembered, the latest ones; counters count all.
        record_bodies: a file to which the body of each accepted request is appended, one line each.
        clock: Unix seconds; tests give their own.
    """

    host: str = "127.0.0.1"
    port: int = 0
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    keep_events: int = 100_000
    record_bodies: Path | None = None
    clock: Callable[[], float] = time.time


class _Ended(Response):
    """An answer that never becomes whole: `sent` bytes of it (None: not even its head), then the connection is gone.

    ASGI knows no such thing, so the server puts two functions in the request's state: `drop` ends the connection at once, `hang_up`
    after what was written.
    """

    def __init__(self, whole: Response, sent: int | None) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers
        self.sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.sent is None:
            scope["state"]["drop"]()
        else:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body[: self.sent], "more_body": True})
            scope["state"]["hang_up"]()
        while (await receive())["type"] != "http.disconnect":
            continue


class _Dripping(Response):
    """An answer byte by byte with `seconds` between two, until it is whole, or the client or the sandbox stops."""

    def __init__(self, whole: Response, seconds: float, stopping: asyncio.Event) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers
        self.seconds = seconds
        self.stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        gone = asyncio.ensure_future(receive())
        for position in range(len(self.body)):
            await send({"type": "http.response.body", "body": self.body[position : position + 1], "more_body": True})
            if gone.done() or not await _pause(self.seconds, self.stopping):
                scope["state"]["drop"]()
                break
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        await gone


async def _pause(seconds: float, stopping: asyncio.Event) -> bool:
    """Wait; False where the sandbox stops meanwhile."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return True
    return False


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, dict(headers or {}), "application/json")


class _Events:
    """The endpoint of conversion events."""

    def __init__(self, config: SandboxConfig, store: Store, faults: Faults, stopping: asyncio.Event) -> None:
        self.config = config
        self.store = store
        self.faults = faults
        self.stopping = stopping

    async def __call__(self, request: Request) -> Response:
        """Answer one request, faults included."""
        ad_account_id = request.path_params["ad_account_id"]
        body = await request.body()
        number, plan = self.store.arrive(), self.faults.plan()
        row = RequestRow(number, "events", ad_account_id, self.config.clock(), len(body), None, faults=plan.struck)
        try:
            if plan.delay_seconds and not await _pause(plan.delay_seconds, self.stopping):
                return _Ended(Response(), None)
            if plan.before is not None:
                response = _instead(plan.before, request)
            else:
                row, response = self._process(row, plan, request, body)
            if not isinstance(response, _Ended):
                row = row._replace(status=response.status_code)
            return response
        finally:
            self.store.finish(row)

    def _process(self, row: RequestRow, plan: Plan, request: Request, body: bytes) -> tuple[RequestRow, Response]:
        now = self.config.clock()
        received = rules.Request(
            row.ad_account_id,
            request.headers.get("authorization", ""),
            body,
            request.headers.get("content-type", ""),
            request.url.query,
        )
        answer = rules.answer(received, self.config, now, self.store.window(row.ad_account_id), plan.actions)
        self.store.answered(row.number, row.ad_account_id, answer, now, body)
        failed = sum(bool(verdict.error) for verdict in answer.verdicts)
        row = row._replace(
            test=answer.test,
            events=len(answer.events),
            processed=len(answer.verdicts) - failed,
            failed=failed,
            refused=answer.refused,
            faults=(*row.faults, *self.faults.marked(plan, answer.marked)),
        )
        whole = _json(answer.body, answer.status, {**answer.headers, **plan.headers})
        return row, whole if plan.after is None else _spoiled(whole, answer, plan.after, self.stopping)


def _spoiled(whole: Response, answer: rules.Answer, fault: Fault, stopping: asyncio.Event) -> Response:
    """The answer as an `after` fault leaves it."""
    headers = {name: value for name, value in whole.headers.items() if name.startswith("x-")}
    spoil: dict[str, Callable[[], Response]] = {
        "drop_after": lambda: _Ended(whole, None),
        "truncated": lambda: _Ended(whole, len(whole.body) // 2),
        "wrong_count": lambda: _json(_one_less(answer.body), answer.status, headers),
        "empty_body": lambda: Response(b"", answer.status, headers, "application/json"),
        "not_json": lambda: Response(PAGE, answer.status, headers, "text/html"),
        "drip": lambda: _Dripping(whole, fault.seconds, stopping),
    }
    return spoil[fault.fault]()


def _one_less(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same answer with its list an event short; one without a list as it is."""
    if "details" in body:
        return {**body, "details": _one_less(body["details"])}
    return {**body, "events": body["events"][:-1]} if "events" in body else dict(body)


def _instead(fault: Fault, request: Request) -> Response:
    """The answer of a `before` fault."""
    if fault.fault == "drop_before":
        return _Ended(Response(), None)
    if fault.fault == "redirect":
        return Response(b"", 307, {"Location": fault.location or str(request.base_url.replace(path="/_sandbox/redirected"))})
    status = fault.status or 500
    if status in BODILESS:
        return Response(b"", status, fault.headers)
    if fault.html:
        return Response(PAGE, status, fault.headers, "text/html")
    return _json({"code": rules.CODES.get(status, status), "message": fault.message or STATUS_MESSAGE}, status, fault.headers)


class _Desk:
    """What people and tests see and steer under `/_sandbox/`."""

    def __init__(self, config: SandboxConfig, store: Store, faults: Faults) -> None:
        self.config = config
        self.store = store
        self.faults = faults

    async def index(self, _request: Request) -> Response:
        """What there is to see."""
        return _json({route.path: sorted(route.methods or ()) for route in self.routes() if isinstance(route, Route)})

    async def events(self, request: Request) -> Response:
        """The events received: `?status=failed` or `all` instead of the processed ones, `?limit=n` for the last n."""
        wanted = request.query_params.get("status", "processed")
        rows = self.store.events(None if wanted == "all" else wanted)
        return _json([row._asdict() for row in _last(rows, request)])

    async def requests(self, request: Request) -> Response:
        """The requests received, `?limit=n` for the last n."""
        return _json([row._asdict() for row in _last(self.store.requests(), request)])

    async def counters(self, _request: Request) -> Response:
        """Everything counted."""
        return _json(self.store.counters())

    async def reset(self, _request: Request) -> Response:
        """Forget requests, events and counters; the faults stay."""
        self.store.reset()
        return _json({})

    async def faults_(self, request: Request) -> Response:
        """Show the faults, replace them, or take them away."""
        if request.method == "PUT":
            try:
                script = msgspec.json.decode(await request.body(), type=Script)
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                return _json(
                    {"code": 400, "message": str(problem), "kinds": {name: kind.about for name, kind in KINDS.items()}}, 400
                )
            self.faults.set(script.faults, script.seed)
        elif request.method == "DELETE":
            self.faults.clear()
        script = self.faults.script()
        return _json({"faults": script.faults, "seed": script.seed, "struck": self.faults.struck()})

    async def redirected(self, _request: Request) -> Response:
        """Where the redirect fault points: a client that arrives here has carried its token elsewhere."""
        self.store.count("redirects_followed")
        return _json({"code": 404, "message": "A redirect was followed."}, 404)

    def routes(self) -> list[Route]:
        """The addresses of all that."""
        return [
            Route("/_sandbox/", self.index),
            Route("/_sandbox/events", self.events),
            Route("/_sandbox/requests", self.requests),
            Route("/_sandbox/counters", self.counters),
            Route("/_sandbox/reset", self.reset, methods=["POST"]),
            Route("/_sandbox/faults", self.faults_, methods=["GET", "PUT", "DELETE"]),
            Route("/_sandbox/redirected", self.redirected, methods=["GET", "POST"]),
        ]


def _last(rows: list[_Row], request: Request) -> list[_Row]:
    limit = request.query_params.get("limit", "")
    return rows[max(0, len(rows) - int(limit)) :] if limit.isdecimal() else rows


async def _refused(_request: Request, problem: Exception) -> Response:
    """Unknown addresses and methods, in Pinterest's form of an error (spec: Error)."""
    status, detail = (problem.status_code, problem.detail) if isinstance(problem, HTTPException) else (500, "Unexpected error.")
    return _json({"code": status, "message": detail}, status)


async def _gone(_request: Request, _problem: Exception) -> Response:
    """Nobody is left to answer to."""
    return Response(b"", 499)


def create_app(config: SandboxConfig | None = None) -> Starlette:
    """Make the application; `state.store`, `state.faults` and `state.stopping` (set it to end all waits) are its handles."""
    config = config or SandboxConfig()
    store = Store(config.keep_events, config.record_bodies)
    faults, stopping = Faults(config.faults, config.seed), asyncio.Event()
    events = _Events(config, store, faults, stopping)

    async def send_events(request: Request) -> Response:
        return await events(request)

    app = Starlette(
        routes=[
            Route("/v5/ad_accounts/{ad_account_id}/events", send_events, methods=["POST"]),
            *_Desk(config, store, faults).routes(),
        ],
        exception_handlers={HTTPException: _refused, ClientDisconnect: _gone},
    )
    app.state.store, app.state.faults, app.state.stopping = store, faults, stopping
    return app

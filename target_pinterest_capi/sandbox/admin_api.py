"""What people and tests see and change under `/_sandbox/`: requests, state, and the faults.

Never shows a token: nothing that it shows has one.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from target_pinterest_capi.sandbox import audiences, customer_lists, deletion_requests
from target_pinterest_capi.sandbox.conversion_files import judge
from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.fault_responses import json_response
from target_pinterest_capi.sandbox.faults import KINDS, FaultError, Script, read
from target_pinterest_capi.sandbox.identifiers import shown
from target_pinterest_capi.sandbox.rows import EventRow, RequestRow, UpdateRow
from target_pinterest_capi.sandbox.rules import Rules
from target_pinterest_capi.sandbox.store import Store

REDIRECTED: Final = "/_sandbox/redirected"  # clients of Pinterest use it too

_Row = TypeVar("_Row", RequestRow, EventRow, customer_lists.StoredList)


class AdminApi:
    """The endpoints under `/_sandbox/`."""

    def __init__(
        self, rules: Rules, clock: Callable[[], float], store: Store, faults: Faults
    ) -> None:
        self.rules = rules
        self.clock = clock
        self.store = store
        self.faults = faults

    async def index(self, _request: Request) -> Response:
        """Answer with the addresses and their methods."""
        return json_response(
            {
                route.path: sorted(route.methods or ())
                for route in self.routes()
                if isinstance(route, Route)
            }
        )

    async def events(self, request: Request) -> Response:
        """Answer with the processed events that were received.

        `?status=failed` or `all` chooses others, `?limit=n` the last n.
        """
        wanted = request.query_params.get("status", "processed")
        rows = self.store.events(None if wanted == "all" else wanted)
        return json_response([row._asdict() for row in _last(rows, request)])

    async def requests(self, request: Request) -> Response:
        """Answer with the requests that were received, `?limit=n` with the last n."""
        return json_response([row._asdict() for row in _last(self.store.requests(), request)])

    async def lists(self, request: Request) -> Response:
        """Answer with the customer lists: members as digests, and updates in order.

        `?limit=n` chooses the last n.
        """
        updates: dict[str, list[dict[str, Any]]] = {}
        for row in self.store.updates():
            updates.setdefault(row.list_id, []).append(_update(row))
        now = self.clock()
        return json_response(
            [
                {
                    **customer_lists.list_body(held, self.rules, now),
                    "list_type": held.list_type,
                    "size": len(held.members),
                    "members": shown(held.members),
                    "updates": updates.get(held.id, []),
                }
                for held in _last(self.store.lists(), request)
            ]
        )

    async def audiences(self, _request: Request) -> Response:
        """Answer with the audiences, as Pinterest shows them."""
        lists, now = {held.id: held for held in self.store.lists()}, self.clock()
        return json_response(
            [
                audiences.audience_body(audience, lists[audience.customer_list_id], self.rules, now)
                for audience in self.store.audiences()
            ]
        )

    async def deletion_requests(self, _request: Request) -> Response:
        """Answer with the deletion requests, with digests of the people they name."""
        now = self.clock()
        return json_response(
            [
                {
                    **deletion_requests.deletion_body(held, now),
                    "ad_account_id": held.ad_account_id,
                    "emails": sorted(held.emails),
                    "click_ids": sorted(held.click_ids),
                }
                for held in self.store.deletion_requests()
            ]
        )

    async def conversion_files(self, request: Request) -> Response:
        """Answer with the problems of the CSV file in the body; nothing is stored."""
        return json_response(judge(await request.body(), self.clock())._asdict())

    async def counters(self, _request: Request) -> Response:
        """Answer with everything that is counted."""
        return json_response(self.store.counters())

    async def reset(self, _request: Request) -> Response:
        """Forget everything that was received, including lists and grants; faults stay."""
        self.store.reset()
        return json_response({})

    async def all_faults(self, request: Request) -> Response:
        """Show the faults, replace them, or remove them."""
        if request.method == "PUT":
            try:
                script = msgspec.json.decode(await request.body(), type=Script)
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                return json_response(
                    {
                        "code": 400,
                        "message": str(problem),
                        "kinds": {name: kind.about for name, kind in KINDS.items()},
                    },
                    400,
                )
            self.faults.set(script.faults, script.seed)
        elif request.method == "DELETE":
            self.faults.clear()
        return self._faults()

    async def faults_of_kind(self, request: Request) -> Response:
        """Set one kind of fault, from its fields as JSON, or remove it; the others stay."""
        kind = request.path_params["kind"]
        if kind not in KINDS:
            return json_response(
                {"code": 404, "message": f"There is no such fault; there are: {', '.join(KINDS)}"},
                404,
            )
        if request.method == "PUT":
            try:
                fields = msgspec.json.decode(await request.body(), type=dict[str, Any])
                self.faults.put(read({**fields, "fault": kind}))
            except (msgspec.DecodeError, UnicodeDecodeError, FaultError) as problem:
                return json_response({"code": 400, "message": str(problem)}, 400)
        else:
            self.faults.remove(kind)
        return self._faults()

    def _faults(self) -> Response:
        script = self.faults.script()
        return json_response(
            {"faults": script.faults, "seed": script.seed, "struck": self.faults.struck()}
        )

    async def redirected(self, _request: Request) -> Response:
        """Count clients that follow the redirect fault, and so send their token elsewhere."""
        self.store.count_occurrence("redirects_followed")
        return json_response({"code": 404, "message": "A redirect was followed."}, 404)

    def routes(self) -> list[Route]:
        """Return the routes of all these addresses."""
        return [
            Route("/_sandbox/", self.index),
            Route("/_sandbox/events", self.events),
            Route("/_sandbox/requests", self.requests),
            Route("/_sandbox/lists", self.lists),
            Route("/_sandbox/audiences", self.audiences),
            Route("/_sandbox/deletion_requests", self.deletion_requests),
            Route("/_sandbox/conversion_files", self.conversion_files, methods=["POST"]),
            Route("/_sandbox/counters", self.counters),
            Route("/_sandbox/reset", self.reset, methods=["POST"]),
            Route("/_sandbox/faults", self.all_faults, methods=["GET", "PUT", "DELETE"]),
            Route("/_sandbox/faults/{kind}", self.faults_of_kind, methods=["PUT", "DELETE"]),
            Route(REDIRECTED, self.redirected, methods=["GET", "POST", "PATCH", "DELETE"]),
        ]


def _last(rows: list[_Row], request: Request) -> list[_Row]:
    limit = request.query_params.get("limit", "")
    return rows[max(0, len(rows) - int(limit)) :] if limit.isdecimal() else rows


def _update(row: UpdateRow) -> dict[str, Any]:
    """Return a change of a list without its members, which may be many."""
    wanted = ("request", "at", "operation", "records", "invalid", "changed")
    return {name: value for name, value in row._asdict().items() if name in wanted}

"""The other side: what Pinterest did with each event and member, and what it answered, or did not.

It outlives every process. Its answers are those of `pinterest.responses`: how bytes become answers
is the business of other tests.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from members import person

from simulation.scenario import FAULTS, PEOPLE, Scenario
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    AudiencePage,
    CallResponse,
    CustomerListBody,
    CustomerListPage,
    EventsResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)

if TYPE_CHECKING:
    from simulation.process import Process

PEOPLE_BY_DIGEST: Final = {person(number): number for number in range(PEOPLE)}
NO_FAULT: Final = ""

# Faults that keep a request from being processed, and those that spoil the answer to one that was.
BEFORE: Final[dict[str, ApiResponse[Any] | NoResponse]] = {
    "busy": ApiResponse(503, retry_after_seconds=2),
    "too many": ApiResponse(429, retry_after_seconds=3),
    "too early": ApiResponse(425),
    "not sent": NoResponse(NoResponseKind.NOT_SENT, "refused"),
    "lost before": NoResponse(NoResponseKind.UNCERTAIN, "dropped"),
    "hangs before": NoResponse(NoResponseKind.UNCERTAIN, "never heard"),
}
AFTER: Final[dict[str, ApiResponse[Any] | NoResponse]] = {
    "lost after": NoResponse(NoResponseKind.UNCERTAIN, "dropped"),
    "failed inside": ApiResponse(500),
    "empty": ApiResponse(200),
    "hangs after": NoResponse(NoResponseKind.UNCERTAIN, "never heard"),
}
HANGS: Final = frozenset({"hangs before", "hangs after"})


class Pinterest:
    """Memory: how often each event was processed, and who is on each list."""

    def __init__(self, scenario: Scenario, tell: Callable[..., None]) -> None:
        self.scenario = scenario
        self.tell = tell
        self.processed: Counter[tuple[str, str]] = Counter()  # by account and event id
        self.processed_records: Counter[int] = Counter()
        self.lists: dict[str, set[int]] = {}

    def process_events(self, account: Account, body: bytes) -> ApiResponse[list[EventStatus]]:
        """Process a request of events, or refuse it."""
        rows = json.loads(body)["data"]
        names = [row["event_id"] for row in rows]
        if any(name.startswith("refused") for name in names):
            return ApiResponse(400, message="Invalid request")
        statuses = []
        for row, name in zip(rows, names, strict=True):
            has_failed = name.startswith("failing")
            statuses.append(EventStatus("failed" if has_failed else "processed"))
            if not has_failed:
                self.processed[account.ad_account_id, name] += 1
                self.processed_records[int(row["language"])] += 1
        has_failed = any(status.status == "failed" for status in statuses)
        return ApiResponse(422 if has_failed else 200, body=statuses)

    def change_list(self, name: str, operation: str, members: Sequence[str]) -> CallResponse:
        """Add or remove members, or refuse the request."""
        people = {PEOPLE_BY_DIGEST[member] for member in members}
        if people & self.scenario.refused_people:
            return ApiResponse(400, message="Invalid records")
        held = self.lists.setdefault(name, set())
        self.tell("list %s: %s %s", name, operation, people)
        if operation == "ADD":
            held |= people
        else:
            held -= people
        return ApiResponse(200, body=CustomerListBody(name, name))


class Connection:
    """A process's client, for events and lists, with everything that can go wrong."""

    def __init__(self, pinterest: Pinterest, process: "Process", rng: random.Random) -> None:
        self._pinterest = pinterest
        self._process = process
        self._rng = rng
        self.requests = 0
        self.fault = NO_FAULT  # of the last request
        self.struck: defaultdict[str, int] = defaultdict(int)

    def send_events(self, account: Account, body: bytes, *, test: bool) -> EventsResponse:
        return self._answer(lambda: self._pinterest.process_events(account, body))

    def customer_lists(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        def page() -> CallResponse:
            return ApiResponse(
                200,
                body=CustomerListPage(
                    [CustomerListBody(name, name) for name in self._pinterest.lists]
                ),
            )

        return self._answer(page)

    def create_list(
        self, token: str, ad_account_id: str, name: str, members: Sequence[str], **_: object
    ) -> CallResponse:
        return self._answer(lambda: self._pinterest.change_list(name, "ADD", members))

    def update_list(
        self, token: str, ad_account_id: str, list_id: str, operation: str, members: Sequence[str]
    ) -> CallResponse:
        return self._answer(lambda: self._pinterest.change_list(list_id, operation, members))

    def audiences(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        return self._answer(lambda: ApiResponse(200, body=AudiencePage([])))

    def create_audience(
        self, token: str, ad_account_id: str, name: str, list_id: str
    ) -> CallResponse:
        raise NotImplementedError

    def refresh_token(self, credentials: object) -> CallResponse:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, process: Callable[[], Any]) -> Any:
        """Return what the process gets to hear; `fault` says what went wrong, if anything."""
        self.requests += 1
        fate = self._process.fate
        self.fault = NO_FAULT
        if self.requests == fate.refuses_token_at:
            self.fault = "no token"
            response: ApiResponse[Any] | NoResponse = ApiResponse(401)
        else:
            if self._rng.random() < fate.fault_rate:
                self.fault = self._rng.choice(FAULTS)
            response = BEFORE.get(self.fault) or self._spoiled(process())
        self.struck[self.fault] += 1
        return response

    def _spoiled(self, response: ApiResponse[Any]) -> ApiResponse[Any] | NoResponse:
        if response.status not in {200, 422}:
            return response  # refused: there is nothing to lose
        if self.fault == "one less" and isinstance(response.body, list):
            return response._replace(body=response.body[1:])
        if self.fault == "pauses":
            return response._replace(remaining_calls=0, retry_after_seconds=30)
        return AFTER.get(self.fault, response)

"""The simulated Pinterest: what it did with each event and member, and whether it responded.

It outlives every process. Its responses are those of `pinterest.responses`: other tests show how
bytes become responses.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from members import person

from simulation.scenario import FAULTS, FIRST_REFRESH_TOKEN, PEOPLE, Scenario
from simulation.world import BrokenPromiseError, Killed
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    AudiencePage,
    AudienceRule,
    CallResponse,
    Credentials,
    CustomerListBody,
    CustomerListPage,
    EventsResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
    PinterestAudience,
    TokenGrant,
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
    """Pinterest's memory: how often each event was processed, and who is on each list."""

    def __init__(self, scenario: Scenario, tell: Callable[..., None]) -> None:
        self.scenario = scenario
        self.tell = tell
        self.processed: Counter[tuple[str, str]] = Counter()  # by account and event id
        self.processed_records: Counter[int] = Counter()
        self.tested_records: Counter[int] = Counter()  # checked, and not recorded
        self.lists: dict[str, set[int]] = {}
        self.audiences: Counter[str] = Counter()  # by list
        self.is_repaired = False  # it now accepts what it refused before
        self.tokens = 0
        self.refresh_token = FIRST_REFRESH_TOKEN
        self.has_lost_token = False  # it was replaced, and the response got lost

    def process_events(
        self, account: Account, body: bytes, *, test: bool
    ) -> ApiResponse[list[EventStatus]]:
        """Process a request of events, or refuse it; nothing is recorded for a test."""
        rows = json.loads(body)["data"]
        names = [row["event_id"] for row in rows]
        if not self.is_repaired and any(name.startswith("refused") for name in names):
            return ApiResponse(400, message="Invalid request")
        if test:
            self.tested_records.update(int(row["language"]) for row in rows)
            return ApiResponse(200, body=[EventStatus("processed") for _ in rows])
        statuses = []
        for row, name in zip(rows, names, strict=True):
            has_failed = name.startswith("failing") and not self.is_repaired
            statuses.append(EventStatus("failed" if has_failed else "processed"))
            if not has_failed:
                self.processed[account.ad_account_id, name] += 1
                self.processed_records[int(row["language"])] += 1
        has_failed = any(status.status == "failed" for status in statuses)
        return ApiResponse(422 if has_failed else 200, body=statuses)

    def exchange(self, credentials: Credentials) -> CallResponse:
        """Replace a refresh token, even if the response gets lost."""
        if credentials.refresh_token != self.refresh_token:
            return ApiResponse(401, message="The refresh token was replaced")
        self.tokens += 1
        self.refresh_token = f"refresh-{self.tokens}"
        self.has_lost_token = True  # until its answer has arrived
        return ApiResponse(200, body=TokenGrant(f"access-{self.tokens}", self.refresh_token))

    def authorize(self) -> str:
        """Return a new refresh token, as after a sign-in."""
        self.tokens += 1
        self.refresh_token = f"refresh-{self.tokens}"
        self.has_lost_token = False
        return self.refresh_token

    def make_audience(self, list_id: str) -> CallResponse:
        """Create an audience; a list must have only one."""
        self.audiences[list_id] += 1
        if self.audiences[list_id] > 1:
            raise BrokenPromiseError(f"a second audience of list {list_id} is made")
        return ApiResponse(201, body=_audience(list_id))

    def show_lists(self) -> CallResponse:
        return ApiResponse(
            200, body=CustomerListPage([CustomerListBody(name, name) for name in self.lists])
        )

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


def _audience(list_id: str) -> PinterestAudience:
    return PinterestAudience(list_id, "CUSTOMER_LIST", AudienceRule(list_id))


class SoundConnection:
    """A client without faults."""

    def __init__(self, pinterest: Pinterest) -> None:
        self._pinterest = pinterest

    def customer_lists(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        return self._pinterest.show_lists()

    def update_list(
        self, token: str, ad_account_id: str, list_id: str, operation: str, members: Sequence[str]
    ) -> CallResponse:
        return self._pinterest.change_list(list_id, operation, members)


class Connection:
    """A process's client, for events and lists, with every fault."""

    def __init__(self, pinterest: Pinterest, process: "Process", rng: random.Random) -> None:
        self._pinterest = pinterest
        self._process = process
        self._rng = rng
        self.requests = 0
        self.fault = NO_FAULT  # of the last request
        self.struck: defaultdict[str, int] = defaultdict(int)

    def send_events(self, account: Account, body: bytes, *, test: bool) -> EventsResponse:
        return self._answer(lambda: self._pinterest.process_events(account, body, test=test))

    def customer_lists(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        return self._answer(self._pinterest.show_lists)

    def create_list(
        self, token: str, ad_account_id: str, name: str, members: Sequence[str], **_: object
    ) -> CallResponse:
        return self._answer(lambda: self._pinterest.change_list(name, "ADD", members))

    def update_list(
        self, token: str, ad_account_id: str, list_id: str, operation: str, members: Sequence[str]
    ) -> CallResponse:
        return self._answer(lambda: self._pinterest.change_list(list_id, operation, members))

    def audiences(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        made = self._pinterest.audiences
        return self._answer(
            lambda: ApiResponse(200, body=AudiencePage([_audience(one) for one in made]))
        )

    def create_audience(
        self, token: str, ad_account_id: str, name: str, list_id: str
    ) -> CallResponse:
        return self._answer(lambda: self._pinterest.make_audience(list_id))

    def refresh_token(self, credentials: Credentials) -> CallResponse:
        """Exchange a token; a process that has ended meanwhile does not get the response."""
        pinterest = self._pinterest
        was_lost = pinterest.has_lost_token
        response: CallResponse = self._answer(
            lambda: pinterest.exchange(credentials), needs_token=False
        )
        if isinstance(response, ApiResponse) and isinstance(response.body, TokenGrant):
            if self._process.is_dead:
                raise Killed
            if self.fault not in HANGS:
                pinterest.has_lost_token = False
        elif isinstance(response, ApiResponse) and response.status == 401:
            if not was_lost:
                raise BrokenPromiseError("a refresh token is used that was replaced by a kept one")
            self._process.troubles.add("token lost")
        return response

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def _answer(self, process: Callable[[], Any], *, needs_token: bool = True) -> Any:
        """Return what the process receives; `fault` is what went wrong, if anything."""
        self.requests += 1
        fate = self._process.fate
        self.fault = NO_FAULT
        if self.requests == fate.refuses_token_at and needs_token:
            self.fault = "no token"
            response: ApiResponse[Any] | NoResponse = ApiResponse(401)
        else:
            if self._rng.random() < fate.fault_rate:
                self.fault = self._rng.choice(FAULTS)
            response = BEFORE.get(self.fault) or self._spoiled(process())
        self.struck[self.fault] += 1
        return response

    def _spoiled(self, response: ApiResponse[Any]) -> ApiResponse[Any] | NoResponse:
        if response.status not in {200, 201, 422}:
            return response  # refused: there is nothing to lose
        if self.fault == "one less" and isinstance(response.body, list):
            return response._replace(body=response.body[1:])
        if self.fault == "pauses":
            return response._replace(remaining_calls=0, retry_after_seconds=30)
        return AFTER.get(self.fault, response)

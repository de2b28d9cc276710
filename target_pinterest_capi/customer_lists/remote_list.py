"""One of Pinterest's lists: found by name or made, changed, and made an audience of. Flows of calls, in the order they must have.

Adding and removing again is safe and is repeated; making a list or an audience is not, so that after an uncertain creation it is
looked for first. Promises that whatever a flow ends with was answered by Pinterest; never looks at a record.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.pinterest.calls import Call, CallPurpose, Flow, FlowStopped
from target_pinterest_capi.pinterest.client import Client, NoResponse
from target_pinterest_capi.pinterest.redaction import redact
from target_pinterest_capi.pinterest.responses import (
    ApiReply,
    AudiencePage,
    ListPage,
    PinterestAudience,
    PinterestList,
)
from target_pinterest_capi.pinterest.retries import Decision, decide_call, in_words

MAX_BODY_BYTES: Final = (
    1_000_000  # docs/pinterest-api.md: Customer lists. None is published; what others send
)
FRAME_BYTES: Final = 4_096  # a body without its members: operation, list type, and a name
MEMBER_BYTES: Final = 65  # a SHA-256 in hex, and the comma
MAX_MEMBERS: Final = (MAX_BODY_BYTES - FRAME_BYTES) // MEMBER_BYTES
CUSTOMER_LIST: Final = "CUSTOMER_LIST"  # docs/pinterest-api.md: Audiences (AudienceType)

Page = TypeVar("Page", ListPage, AudiencePage)


class ListAddress(NamedTuple):
    """Which list: its account, its id or its name, and the kind of its members."""

    ad_account_id: str
    list_id: str | None
    list_name: str | None
    list_type: str

    @property
    def name(self) -> str:
        """The name for counts and logs: as the configuration has it."""
        return self.list_name or self.list_id or ""


class ListOutcomes(Protocol):
    """Who is told what became of members."""

    def accepted(self, action: Action, members: Sequence[str]) -> None:
        """Pinterest took a request with these members."""

    def refused(self, member: str, message: str) -> None:
        """Pinterest refused a request with this member alone."""


class RemoteList:
    """A list of Pinterest's as this process knows it: its id once it is known, and what the last answers said of it."""

    def __init__(self, client: Client, address: ListAddress, max_members: int) -> None:
        self.address = address
        self.id = address.list_id
        self.is_looked_up = self.id is not None
        self.was_created = False
        self.audience: str | None = None  # "found" or "made", once it is sure that there is one
        self.last: PinterestList | None = None
        self.with_exceptions = 0  # answers that told of some
        self.changed: Counter[Action] = Counter()  # members of requests that were taken
        self._client = client
        self._max_members = min(max_members, MAX_MEMBERS)

    def find(self) -> Flow:
        """Look the list up by its name, through every page, unless its id is known. `id` is None after it where there is none."""
        if self.is_looked_up:
            return
        account = self.address.ad_account_id
        found: list[str] = []
        bookmark: str | None = None
        seen: set[str] = set()
        while True:
            reply = yield Call(
                partial(self._client.customer_lists, ad_account_id=account, bookmark=bookmark)
            )
            page = _body(reply, ListPage)
            found += [
                item.id
                for item in page.items
                if item.name == self.address.list_name and item.id not in found
            ]
            bookmark = page.bookmark
            if not bookmark:
                break
            _hold_new(bookmark, seen)
        if len(found) > 1:
            raise FlowStopped(
                f"there are {len(found)} customer lists of the list_name {self.address.name!r}, with the ids {', '.join(found)}: "
                "set list_id to the one that is meant in the place of list_name."
            )
        self.id = found[0] if found else None
        self.is_looked_up = True

    def send(self, action: Action, members: Sequence[str], settlement: ListOutcomes) -> Flow:
        """Add or remove members, as many a request as may go; where there is no list yet the first additions make it."""
        for start in range(0, len(members), self._max_members):
            yield from self._send_request(
                action, members[start : start + self._max_members], settlement
            )

    def ensure_audience(self, name: str) -> Flow:
        """Make sure, once a run, that an audience of the list is there."""
        if self.audience is None and self.id is not None:
            call = Call(
                partial(
                    self._client.create_audience,
                    ad_account_id=self.address.ad_account_id,
                    name=name,
                    list_id=self.id,
                ),
                repeatable=False,
                about=CallPurpose.AUDIENCES,
            )
            while not (yield from self._has_audience()):
                reply = yield call
                if isinstance(reply, ApiReply) and isinstance(reply.body, PinterestAudience):
                    self.audience = "made"
                    return
                if decide_call(reply) is Decision.ISOLATE:
                    raise FlowStopped(
                        f"{in_words(reply)} to the creation of an audience of the list {self.address.name!r}."
                    )
            self.audience = "found"

    def _send_request(
        self, action: Action, members: Sequence[str], settlement: ListOutcomes
    ) -> Flow:
        """Send one request; a refused one in halves, until the member that had it refused is alone."""
        if self.id is None:
            reply = yield from self._create(members)
        else:
            reply = yield self._update(action, members)
        if isinstance(reply, ApiReply) and isinstance(reply.body, PinterestList):
            self._learn(reply.body)
            self.changed[action] += len(members)
            settlement.accepted(action, members)
        elif len(members) == 1:
            settlement.refused(members[0], in_words(reply))
        else:
            middle = len(members) // 2
            yield from self._send_request(action, members[:middle], settlement)
            yield from self._send_request(action, members[middle:], settlement)

    def _update(self, action: Action, members: Sequence[str]) -> Call:
        account, list_id = self.address.ad_account_id, self.id
        assert list_id is not None  # noqa: S101 - asked before
        return Call(
            lambda token: self._client.update_list(token, account, list_id, action.value, members)
        )

    def _create(
        self, members: Sequence[str]
    ) -> Generator[Call, ApiReply | NoResponse, ApiReply | NoResponse]:
        """Make the list of its first members; give the answer that took them, or refused them."""
        account, name, list_type = (
            self.address.ad_account_id,
            self.address.list_name or "",
            self.address.list_type,
        )
        call = Call(
            lambda token: self._client.create_list(token, account, name, list_type, members),
            repeatable=False,
        )
        while True:
            reply = yield call
            if isinstance(reply, ApiReply) and isinstance(reply.body, PinterestList):
                self.id = reply.body.id
                self.was_created = True
                return reply
            if decide_call(reply) is Decision.ISOLATE:
                return reply
            self.is_looked_up = False
            yield from self.find()
            if (
                self.id is not None
            ):  # it was made after all; whether with its members nobody says, and adding again is safe
                self.was_created = True
                reply = yield self._update(Action.ADD, members)
                return reply

    def _has_audience(self) -> Generator[Call, ApiReply | NoResponse, bool]:
        bookmark: str | None = None
        seen: set[str] = set()
        while True:
            ask = partial(
                self._client.audiences, ad_account_id=self.address.ad_account_id, bookmark=bookmark
            )
            reply = yield Call(ask, about=CallPurpose.AUDIENCES)
            page = _body(reply, AudiencePage)
            if any(
                item.audience_type == CUSTOMER_LIST
                and item.rule is not None
                and item.rule.customer_list_id == self.id
                for item in page.items
            ):
                return True
            bookmark = page.bookmark
            if not bookmark:
                return False
            _hold_new(bookmark, seen)

    def _learn(self, shown: PinterestList) -> None:
        self.last = shown
        self.with_exceptions += bool(shown.exceptions)


def exceptions_of(shown: PinterestList) -> dict[str, str]:
    """Give what `exceptions` says, without values: numbers as they are, texts redacted, of anything else how many there are."""
    given = shown.exceptions
    members = given if isinstance(given, dict) else {"exceptions": given} if given else {}
    return {redact(str(name)): _without_values(value) for name, value in members.items()}


def _without_values(value: Any) -> str:
    if isinstance(value, int | float):
        return str(value)
    return (
        redact(value)
        if isinstance(value, str)
        else str(len(value))
        if isinstance(value, list | dict)
        else ""
    )


def _body(reply: ApiReply | NoResponse, form: type[Page]) -> Page:
    """Give the page of an answer. Raises where it was refused: the same request will not do better."""
    if isinstance(reply, ApiReply) and isinstance(reply.body, form):
        return reply.body
    raise FlowStopped(
        f"{in_words(reply)} to a request for a page of lists or audiences. Nothing was sent."
    )


def _hold_new(bookmark: str, seen: set[str]) -> None:
    if bookmark in seen:
        raise FlowStopped(
            "Pinterest's pages of lists or audiences lead in a circle. Name the list by its list_id."
        )
    seen.add(bookmark)

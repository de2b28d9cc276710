"""A customer list at Pinterest: found or created, changed, and used for an audience.

Flows of calls in their required order. Additions and removals are safe to repeat; creating a list
or an audience is not, so after an uncertain creation it is looked up first. Whatever a flow ends
with was answered by Pinterest. Never reads a record.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeVar

from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.events.redaction import redact, shown_name
from target_pinterest_capi.pinterest.calls import Call, CallPurpose, Flow, FlowStopped
from target_pinterest_capi.pinterest.list_records import ListMember, split_by_request
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    AudiencePage,
    CallResponse,
    Credentials,
    CustomerListBody,
    CustomerListPage,
    PinterestAudience,
)
from target_pinterest_capi.pinterest.retries import Decision, classify_call, describe

# docs/pinterest-api.md: Customer lists. No limit is published: this is what others send.
MAX_BODY_BYTES: Final = 1_000_000
FRAME_BYTES: Final = 4_096  # for everything except the members: operation, list type, and a name
CUSTOMER_LIST: Final = "CUSTOMER_LIST"  # docs/pinterest-api.md: Audiences (AudienceType)

Page = TypeVar("Page", CustomerListPage, AudiencePage)


class ConfiguredList(NamedTuple):
    """A list as the configuration names it: account, id or name, and the kind of its members.

    A list of rows has no `list_type`. `is_nca`: it is for finding new customers.
    """

    ad_account_id: str
    list_id: str | None
    list_name: str | None
    list_type: str | None
    is_nca: bool = False

    @property
    def name(self) -> str:
        """The list's name, or its id if only that is configured."""
        return self.list_name or self.list_id or ""

    @property
    def shown(self) -> str:
        """The name for counts and logs: a name may be from a record, an id is not."""
        return self.list_id or shown_name(self.list_name or "")


class ListClient(Protocol):
    """What lists need from a client: each method makes one attempt, on any thread."""

    def customer_lists(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        """Read a page of customer lists."""

    def create_list(
        self,
        token: str,
        ad_account_id: str,
        name: str,
        members: Sequence[ListMember],
        *,
        list_type: str | None,
        is_nca: bool,
    ) -> CallResponse:
        """Create a customer list with its first members."""

    def update_list(
        self,
        token: str,
        ad_account_id: str,
        list_id: str,
        operation: Literal["ADD", "REMOVE"],
        members: Sequence[ListMember],
    ) -> CallResponse:
        """Add members to a list, or remove them."""

    def audiences(self, token: str, ad_account_id: str, bookmark: str | None) -> CallResponse:
        """Read a page of audiences."""

    def create_audience(
        self, token: str, ad_account_id: str, name: str, list_id: str
    ) -> CallResponse:
        """Create an audience from a customer list."""

    def refresh_token(self, credentials: Credentials) -> CallResponse:
        """Exchange a refresh token for an access token."""

    def close(self) -> None:
        """Close every connection."""


class ListOutcomes(Protocol):
    """Gets the results for members."""

    def settle_accepted(self, action: Action, members: Sequence[ListMember]) -> None:
        """Pinterest accepted a request with these members."""

    def settle_refused(self, member: ListMember, message: str) -> None:
        """Pinterest refused a request with this member alone."""


class RemoteList:
    """A list at Pinterest as this process knows it: its id, and the last responses."""

    def __init__(self, client: ListClient, configured: ConfiguredList, max_members: int) -> None:
        self.configured = configured
        self.id = configured.list_id
        self.is_looked_up = self.id is not None
        self.was_created = False
        self.audience: str | None = None  # "found" or "made", once it is certain that one exists
        self.last: CustomerListBody | None = None
        self.with_exceptions = 0  # responses that reported some
        self.changed: Counter[Action] = Counter()  # members in accepted requests
        self._client = client
        self._max_members = max_members

    def find(self) -> Flow:
        """Look the list up by its name, on every page, unless its id is known.

        Afterwards `id` is None if there is no such list.
        """
        if self.is_looked_up:
            return
        account = self.configured.ad_account_id
        found: list[str] = []
        bookmark: str | None = None
        seen: set[str] = set()
        while True:
            response = yield Call(
                partial(self._client.customer_lists, ad_account_id=account, bookmark=bookmark)
            )
            page = _body(response, CustomerListPage)
            found += [
                item.id
                for item in page.items
                if item.name == self.configured.list_name and item.id not in found
            ]
            bookmark = page.bookmark
            if not bookmark:
                break
            _check_new(bookmark, seen)
        if len(found) > 1:
            raise FlowStopped(
                f"{len(found)} customer lists have the list_name {self.configured.shown!r}, with "
                f"the ids {', '.join(found)}: set list_id to the right one instead of list_name."
            )
        self.id = found[0] if found else None
        self.is_looked_up = True

    def send(self, action: Action, members: Sequence[ListMember], outcomes: ListOutcomes) -> Flow:
        """Add or remove members, in requests as large as possible.

        If there is no list yet, the first additions create it.
        """
        limit = MAX_BODY_BYTES - FRAME_BYTES
        for some in split_by_request(members, self._max_members, limit):
            yield from self._send_request(action, some, outcomes)

    def ensure_audience(self, name: str) -> Flow:
        """Ensure, once per run, that the list has an audience."""
        if self.audience is None and self.id is not None:
            call = Call(
                partial(
                    self._client.create_audience,
                    ad_account_id=self.configured.ad_account_id,
                    name=name,
                    list_id=self.id,
                ),
                repeatable=False,
                about=CallPurpose.AUDIENCES,
            )
            while not (yield from self._has_audience()):
                response = yield call
                if isinstance(response, ApiResponse) and isinstance(
                    response.body, PinterestAudience
                ):
                    self.audience = "made"
                    return
                if classify_call(response) is Decision.BISECT:
                    raise FlowStopped(
                        f"{describe(response)} to the creation of an audience for the list "
                        f"{self.configured.shown!r}."
                    )
            self.audience = "found"

    def _send_request(
        self, action: Action, members: Sequence[ListMember], outcomes: ListOutcomes
    ) -> Flow:
        """Send one request; bisect a refused one until the bad member is alone."""
        if self.id is None:
            response = yield from self._create(members)
        else:
            response = yield self._update(action, members)
        if isinstance(response, ApiResponse) and isinstance(response.body, CustomerListBody):
            self._remember(response.body)
            self.changed[action] += len(members)
            outcomes.settle_accepted(action, members)
        elif len(members) == 1:
            outcomes.settle_refused(members[0], describe(response))
        else:
            middle = len(members) // 2
            yield from self._send_request(action, members[:middle], outcomes)
            yield from self._send_request(action, members[middle:], outcomes)

    def _update(self, action: Action, members: Sequence[ListMember]) -> Call:
        account, list_id = self.configured.ad_account_id, self.id
        assert list_id is not None  # noqa: S101 - checked before
        update = self._client.update_list
        return Call(lambda token: update(token, account, list_id, action.value, members))

    def _create(self, members: Sequence[ListMember]) -> Generator[Call, CallResponse, CallResponse]:
        """Create the list with its first members; return the response about them."""
        account, _, name, list_type, is_nca = self.configured
        create = partial(
            self._client.create_list,
            ad_account_id=account,
            name=name or "",
            members=members,
            list_type=list_type,
            is_nca=is_nca,
        )
        call = Call(create, repeatable=False)
        while True:
            response = yield call
            if isinstance(response, ApiResponse) and isinstance(response.body, CustomerListBody):
                self.id = response.body.id
                self.was_created = True
                return response
            if classify_call(response) is Decision.BISECT:
                return response
            self.is_looked_up = False
            yield from self.find()
            if self.id is not None:
                # It was created after all. It may lack its members; adding them again is safe.
                self.was_created = True
                response = yield self._update(Action.ADD, members)
                return response

    def _has_audience(self) -> Generator[Call, CallResponse, bool]:
        bookmark: str | None = None
        seen: set[str] = set()
        while True:
            read_page = partial(
                self._client.audiences,
                ad_account_id=self.configured.ad_account_id,
                bookmark=bookmark,
            )
            response = yield Call(read_page, about=CallPurpose.AUDIENCES)
            page = _body(response, AudiencePage)
            if any(self._is_of_list(audience) for audience in page.items):
                return True
            bookmark = page.bookmark
            if not bookmark:
                return False
            _check_new(bookmark, seen)

    def _is_of_list(self, audience: PinterestAudience) -> bool:
        return (
            audience.audience_type == CUSTOMER_LIST
            and audience.rule is not None
            and audience.rule.customer_list_id == self.id
        )

    def _remember(self, shown: CustomerListBody) -> None:
        self.last = shown
        self.with_exceptions += bool(shown.exceptions)


def exceptions_of(shown: CustomerListBody) -> dict[str, str]:
    """Return what `exceptions` says, without values.

    Numbers are kept, strings are redacted, and of anything else only the number of members is kept.
    """
    members = shown.exceptions or {}
    if not isinstance(members, dict):
        members = {"exceptions": members}
    return {redact(str(name)): _without_values(value) for name, value in members.items()}


def _without_values(value: Any) -> str:
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | dict):
        return str(len(value))
    return ""


def _body(response: CallResponse, form: type[Page]) -> Page:
    """Return the page of a response.

    Raises `FlowStopped` if it was refused, because a retry would be refused too.
    """
    if isinstance(response, ApiResponse) and isinstance(response.body, form):
        return response.body
    raise FlowStopped(
        f"{describe(response)} to a request for a page of lists or audiences. Nothing was sent."
    )


def _check_new(bookmark: str, seen: set[str]) -> None:
    """Raise `FlowStopped` for a bookmark that was seen before."""
    if bookmark in seen:
        raise FlowStopped(
            "Pinterest's pages of lists or audiences repeat themselves. Name the list by its "
            "list_id."
        )
    seen.add(bookmark)

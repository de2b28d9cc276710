"""Deletion requests for people: batches, lost responses, and refusals.

Owns the flow of one ad account's requests. After a lost response the requests are looked up before
anything is repeated. Keeps ids and counts, and nothing about anybody.
"""

from collections.abc import Generator, Sequence
from functools import partial
from typing import Final, NamedTuple

from target_pinterest_capi.cli.forget.people import People
from target_pinterest_capi.pinterest import deletion_requests
from target_pinterest_capi.pinterest.calls import Call, CallPurpose, Flow, FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    DeletionRequest,
    DeletionRequestPage,
)
from target_pinterest_capi.pinterest.retries import Decision, classify_call, describe

TARGETS_PER_REQUEST: Final = 1_000  # no limit is published
FORBIDDEN: Final = 403
NO_BETA: Final = (
    "Pinterest returned 403: it has not enabled deletion requests, which are a beta, for this "
    "app, or the user who signed in has no access to the ad account. Ask Pinterest for access "
    "to conversion deletion requests; until then use Pinterest's own form for privacy requests"
)


class Target(NamedTuple):
    """One person in a request."""

    value: str
    is_email: bool

    def __repr__(self) -> str:
        return "Target(...)"


def targets_of(people: People) -> list[Target]:
    """Return a target for each address and each click id."""
    return [
        *(Target(email, is_email=True) for email in people.emails),
        *(Target(click_id, is_email=False) for click_id in people.click_ids),
    ]


class DeletionFlow:
    """The requests of one ad account: `made` were created, `refused` counts targets."""

    def __init__(self, client: Client, ad_account_id: str, targets: Sequence[Target]) -> None:
        self.made: list[DeletionRequest] = []
        self.refused = 0
        self.accepted = 0
        self._client = client
        self._account = ad_account_id
        self._targets = targets
        self._known: set[str] = set()  # ids of requests other than the current one

    def flow(self) -> Flow:
        """Create the requests, after reading the existing ones."""
        self._known = {one.request_id for one in (yield from self._latest())}
        for start in range(0, len(self._targets), TARGETS_PER_REQUEST):
            yield from self._ask(self._targets[start : start + TARGETS_PER_REQUEST])

    def _ask(self, targets: Sequence[Target]) -> Flow:
        """Send one request; bisect a refused one until the bad target is alone."""
        made = yield from self._make(targets)
        if made is not None:
            self._known.add(made.request_id)
            self.made.append(made)
            self.accepted += len(targets)
        elif len(targets) == 1:
            self.refused += 1
        else:
            middle = len(targets) // 2
            yield from self._ask(targets[:middle])
            yield from self._ask(targets[middle:])

    def _make(
        self, targets: Sequence[Target]
    ) -> Generator[Call, CallResponse, DeletionRequest | None]:
        """Return the created request; None if Pinterest refuses it."""
        create = partial(
            deletion_requests.create_request,
            self._client,
            ad_account_id=self._account,
            emails=[target.value for target in targets if target.is_email],
            click_ids=[target.value for target in targets if not target.is_email],
        )
        call = _call(create, repeatable=False)
        while True:
            response = yield call
            _check_open(response)
            if isinstance(response, ApiResponse) and isinstance(response.body, DeletionRequest):
                return response.body
            if classify_call(response) is Decision.BISECT:
                return None
            found = yield from self._find_lost()
            if found is not None:
                return found

    def _find_lost(self) -> Generator[Call, CallResponse, DeletionRequest | None]:
        """Return the request whose response was lost; None if it was not created."""
        new = [one for one in (yield from self._latest()) if one.request_id not in self._known]
        if len(new) > 1:
            ids = ", ".join(one.request_id for one in new)
            raise FlowStopped(
                "the response to a deletion request was lost, and others were made in the "
                f"meantime, so it is unknown whether one of these is ours: {ids}. Run it again "
                "for the people who were not asked for yet: asking twice does no harm"
            )
        return new[0] if new else None

    def _latest(self) -> Generator[Call, CallResponse, list[DeletionRequest]]:
        """Return a page of the latest requests."""
        read = partial(
            deletion_requests.read_requests,
            self._client,
            ad_account_id=self._account,
            bookmark=None,
        )
        response = yield _call(read)
        _check_open(response)
        if isinstance(response, ApiResponse) and isinstance(response.body, DeletionRequestPage):
            return response.body.items
        raise FlowStopped(f"{describe(response)} to a request for the deletion requests")


def _call(send: partial[CallResponse], *, repeatable: bool = True) -> Call:
    return Call(
        lambda token: send(token=token),
        repeatable=repeatable,
        expected_refusals=(FORBIDDEN,),
        about=CallPurpose.DELETIONS,
    )


def _check_open(response: CallResponse) -> None:
    if isinstance(response, ApiResponse) and response.status == FORBIDDEN:
        raise FlowStopped(NO_BETA)

"""Deletion requests: what Pinterest is asked to delete, and their status.

Owns the requests and their status, which depends on the time. Pure: the clock and the requests so
far are arguments. Addresses and click ids are stored as digests. Nothing is really deleted: the
sandbox's memory is not Pinterest's.

Sources: docs/pinterest-api.md: Deletion requests. docs/sandbox.md lists the choices where
Pinterest's behaviour is not known.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from target_pinterest_capi.sandbox.access import answer_permitted
from target_pinterest_capi.sandbox.answers import (
    OK,
    Answer,
    Request,
    bad_request,
    parse_json_body,
    refusal,
)
from target_pinterest_capi.sandbox.identifiers import digest, is_email
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.pages import page
from target_pinterest_capi.sandbox.rates import FRESH, Window
from target_pinterest_capi.sandbox.request_bodies import check_deletion
from target_pinterest_capi.sandbox.rules import Rules

ENDPOINT: Final = "conversion_deletion_requests"
CREATED: Final = 201
PENDING: Final = "PENDING"
SUBMITTED: Final = "SUBMITTED"
CANCELLED: Final = "CANCELLED"
PENDING_SECONDS: Final = 72 * 3600
FIRST_ID: Final = 549_755_885_175_900_001

_REQUEST_ID: Final = re.compile(r"[0-9]{1,18}").fullmatch


class StoredDeletion(NamedTuple):
    """One request; `created_time` in Unix seconds, the people it names as digests."""

    id: str
    ad_account_id: str
    created_time: float
    emails: frozenset[str]
    click_ids: frozenset[str]
    is_cancelled: bool = False


DeletionRequests = Mapping[str, StoredDeletion]


def answer(
    request: Request,
    rules: Rules,
    now: float,
    requests: DeletionRequests,
    window: Window = FRESH,
    grants: Grants = NONE_YET,
) -> Answer:
    """Answer one request to `/conversion_deletion_requests` or to one of them, at `now`.

    `window` and `grants` are as for customer lists.
    """

    def respond() -> Answer:
        if not rules.has_deletion:
            return refusal(403)
        act = _ACTIONS[request.method, bool(request.request_id)]
        return act(request, now, requests)

    return answer_permitted(request, rules, now, ENDPOINT, window, grants, respond)


def status(held: StoredDeletion, now: float) -> str:
    """Return PENDING, SUBMITTED once it can no longer be cancelled, or CANCELLED."""
    if held.is_cancelled:
        return CANCELLED
    return PENDING if now < held.created_time + PENDING_SECONDS else SUBMITTED


def deletion_body(held: StoredDeletion, now: float) -> dict[str, Any]:
    """Return a request as Pinterest shows it: without people, and with dates as times."""
    state = status(held, now)
    processed = held.created_time + PENDING_SECONDS if state == SUBMITTED else None
    return {
        "created_time": _date(held.created_time),
        "processed_time": None if processed is None else _date(processed),
        "request_id": held.id,
        "status": state,
    }


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).date().isoformat()


def _all(request: Request, now: float, requests: DeletionRequests) -> Answer:
    owned = (held for held in requests.values() if held.ad_account_id == request.ad_account_id)
    return page(owned, request.query, lambda held: deletion_body(held, now))


def _find(request: Request, requests: DeletionRequests) -> StoredDeletion | Answer:
    if not _REQUEST_ID(request.request_id):
        return bad_request("request_id is not 1 to 18 digits")
    held = requests.get(request.request_id)
    if held is None or held.ad_account_id != request.ad_account_id:
        return refusal(404, "The deletion request was not found.")
    return held


def _one(request: Request, now: float, requests: DeletionRequests) -> Answer:
    held = _find(request, requests)
    return held if isinstance(held, Answer) else Answer(OK, deletion_body(held, now))


def _create(request: Request, now: float, requests: DeletionRequests) -> Answer:
    body, why = parse_json_body(request)
    why = why or check_deletion(body)
    if why:
        return bad_request(why)
    targets = body["deletion_targets"]
    emails, click_ids = targets.get("user_emails", ()), targets.get("epiks", ())
    if not emails and not click_ids:
        return bad_request("deletion_targets has neither user_emails nor epiks")
    if not all(map(is_email, emails)):
        return bad_request("user_emails has a value that is not an e-mail address")
    if not all(click_id.strip() for click_id in click_ids):
        return bad_request("epiks has an empty value")
    made = StoredDeletion(
        str(FIRST_ID + len(requests)),
        request.ad_account_id,
        now,
        frozenset(map(digest, emails)),
        frozenset(map(digest, click_ids)),
    )
    return Answer(CREATED, deletion_body(made, now), kept=made)


def _cancel(request: Request, now: float, requests: DeletionRequests) -> Answer:
    held = _find(request, requests)
    if isinstance(held, Answer):
        return held
    if status(held, now) != PENDING:
        return bad_request(
            f"the request is {status(held, now)}, and only a PENDING one can be cancelled"
        )
    kept = held._replace(is_cancelled=True)
    return Answer(OK, deletion_body(kept, now), kept=kept)


_ACTIONS: Final[dict[tuple[str, bool], Callable[[Request, float, DeletionRequests], Answer]]] = {
    ("GET", False): _all,
    ("POST", False): _create,
    ("GET", True): _one,
    ("DELETE", True): _cancel,
}

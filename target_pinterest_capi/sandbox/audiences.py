"""Audiences of customer lists: Pinterest's answers, and the resulting state.

Owns the audiences and their status, which is that of their list. Pure: the clock, the audiences and
the lists are arguments. Only audiences of the type CUSTOMER_LIST.

Sources: docs/pinterest-api.md: Audiences.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from target_pinterest_capi.sandbox.access import answer_permitted
from target_pinterest_capi.sandbox.answers import (
    OK,
    Answer,
    Request,
    bad_request,
    parse_json_body,
)
from target_pinterest_capi.sandbox.customer_lists import Lists, StoredList, find_list
from target_pinterest_capi.sandbox.customer_lists import status as list_status
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.pages import page
from target_pinterest_capi.sandbox.rates import FRESH, Window
from target_pinterest_capi.sandbox.request_bodies import check_audience
from target_pinterest_capi.sandbox.rules import Rules

FIRST_ID: Final = 254_262_063_925_900_001
OWNERSHIP: Final = ("OWNED", "RECEIVED")  # docs/pinterest-api.md: Audiences

# docs/pinterest-api.md: Audiences
_WAITING: Final = {"UPLOADING": "INITIALIZING", "PROCESSING": "INITIALIZING"}


class Audience(NamedTuple):
    """One audience of a customer list; `created_time` in Unix seconds."""

    id: str
    ad_account_id: str
    name: str
    customer_list_id: str
    created_time: float
    description: str | None = None


Audiences = Mapping[str, Audience]


def answer(
    request: Request,
    rules: Rules,
    now: float,
    audiences: Audiences,
    lists: Lists,
    window: Window = FRESH,
    grants: Grants = NONE_YET,
) -> Answer:
    """Answer one request to `/audiences` at `now` (Unix seconds).

    `window` and `grants` are as for customer lists.
    """
    act = _all if request.method == "GET" else _create
    return answer_permitted(
        request,
        rules,
        now,
        "audiences",
        window,
        grants,
        lambda: act(request, rules, now, audiences, lists),
    )


def audience_body(audience: Audience, held: StoredList, rules: Rules, now: float) -> dict[str, Any]:
    """Return an audience as Pinterest shows it, with its size only once its list is processed."""
    state = list_status(held, rules, now)
    return {
        "ad_account_id": audience.ad_account_id,
        "audience_type": "CUSTOMER_LIST",
        "created_by_company_name": None,
        "created_timestamp": int(audience.created_time),
        "description": audience.description,
        "id": audience.id,
        "name": audience.name,
        "rule": {"customer_list_id": audience.customer_list_id},
        "size": None if state in _WAITING else len(held.members),
        "status": _WAITING.get(state, state),
        "type": "audience",
        "updated_timestamp": int(max(audience.created_time, held.updated_time)),
    }


def _all(request: Request, rules: Rules, now: float, audiences: Audiences, lists: Lists) -> Answer:
    ownership = parse_qs(request.query, keep_blank_values=True).get("ownership_type", ["OWNED"])[-1]
    if ownership not in OWNERSHIP:
        return bad_request(f"ownership_type is not one of {list(OWNERSHIP)}")
    owned = [
        audience
        for audience in audiences.values()
        if audience.ad_account_id == request.ad_account_id
    ]
    wanted = owned if ownership == "OWNED" else []  # an audience is never shared with a sandbox
    return page(
        wanted,
        request.query,
        lambda audience: audience_body(audience, lists[audience.customer_list_id], rules, now),
    )


def _unfit(body: Mapping[str, Any], ad_account_id: str) -> str:
    """Return why a well-formed body cannot create an audience, or an empty string."""
    if body["audience_type"] != "CUSTOMER_LIST":
        return "the sandbox creates only the audience_type CUSTOMER_LIST"
    if not body["name"].strip():
        return "name is empty"
    other = body.get("ad_account_id", ad_account_id) != ad_account_id
    return "ad_account_id differs from the one in the address" if other else ""


def _create(
    request: Request, rules: Rules, now: float, audiences: Audiences, lists: Lists
) -> Answer:
    body, why = parse_json_body(request)
    why = why or check_audience(body) or _unfit(body, request.ad_account_id)
    if why:
        return bad_request(why)
    held = find_list(body["rule"]["customer_list_id"], request.ad_account_id, lists)
    if isinstance(held, Answer):
        return bad_request("rule.customer_list_id is not a customer list of this ad account")
    made = Audience(
        str(FIRST_ID + len(audiences)),
        request.ad_account_id,
        body["name"],
        held.id,
        now,
        body.get("description"),
    )
    return Answer(OK, audience_body(made, held, rules, now), kept=made)

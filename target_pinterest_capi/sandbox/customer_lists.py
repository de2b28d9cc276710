"""Customer lists: Pinterest's answers, and the resulting state of a list.

Owns a list's membership, counters and status. Pure: the clock and the lists so far are arguments. A
member is on the list exactly if the last request that named it added it, whatever the counters say.
Plain identifiers are not stored (`identifiers`).

Sources: docs/pinterest-api.md: Customer lists. docs/sandbox.md lists the choices where Pinterest's
behaviour is not known.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from target_pinterest_capi.sandbox.access import answer_permitted
from target_pinterest_capi.sandbox.answers import (
    OK,
    Answer,
    Change,
    Request,
    bad_request,
    parse_json_body,
    refusal,
)
from target_pinterest_capi.sandbox.identifiers import (
    Member,
    Records,
    parse_records,
    parse_rows,
    without,
)
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.pages import page
from target_pinterest_capi.sandbox.rates import FRESH, Window
from target_pinterest_capi.sandbox.request_bodies import CheckBody, check_list, check_list_update
from target_pinterest_capi.sandbox.rules import Rules

SMALLEST: Final = 100  # docs/pinterest-api.md: Customer lists (TOO_SMALL)
# 18 digits, as the description allows: a client that reads it as a float loses some
FIRST_ID: Final = 549_755_885_175_000_001
TOO_LARGE: Final = 413

# docs/pinterest-api.md: Customer lists: exclude_nca
BOOLEANS: Final = {"false": False, "true": True}

# docs/pinterest-api.md: Customer lists (path_customer_list_id)
_LIST_ID: Final = re.compile(r"[0-9]{1,18}").fullmatch


class StoredList(NamedTuple):
    """One list.

    Times are Unix seconds; `invalid` counts the last request's records that were not identifiers. A
    list created from rows may have no `list_type`.
    """

    id: str
    ad_account_id: str
    name: str
    list_type: str
    created_time: float
    updated_time: float
    batches: int = 0
    uploaded: int = 0
    removed: int = 0
    invalid: int = 0
    members: frozenset[Member] = frozenset()
    is_nca: bool = False


Lists = Mapping[str, StoredList]


def answer(
    request: Request,
    rules: Rules,
    now: float,
    lists: Lists,
    window: Window = FRESH,
    grants: Grants = NONE_YET,
) -> Answer:
    """Answer one request to `/customer_lists` or to one of them, at `now`.

    Args:
        request: what the client sent.
        rules: the account's settings.
        now: the time of the answer, Unix seconds.
        lists: the lists so far, by id.
        window: the calls of the request's rate category so far; the answer carries the next one.
        grants: what OAuth has given out.
    """
    act = _ACTIONS[request.method, bool(request.list_id)]
    return answer_permitted(
        request,
        rules,
        now,
        "customer_lists",
        window,
        grants,
        lambda: act(request, rules, now, lists),
    )


def status(held: StoredList, rules: Rules, now: float) -> str:
    """Return UPLOADING, PROCESSING, READY or TOO_SMALL; every member counts as a Pinterest user."""
    waited = now - held.updated_time
    if waited < rules.list_processing_seconds:
        return (
            "UPLOADING"
            if held.batches == 1 and waited * 2 < rules.list_processing_seconds
            else "PROCESSING"
        )
    return "READY" if len(held.members) >= SMALLEST else "TOO_SMALL"


def list_body(held: StoredList, rules: Rules, now: float) -> dict[str, Any]:
    """Return a list as Pinterest shows it: neither its type nor its members."""
    return {
        "ad_account_id": held.ad_account_id,
        "created_time": int(held.created_time),
        "exceptions": {"invalid_records": held.invalid} if held.invalid else {},
        "id": held.id,
        "is_nca": held.is_nca,
        "name": held.name,
        "num_batches": held.batches,
        "num_removed_user_records": held.removed,
        "num_uploaded_user_records": held.uploaded,
        "status": status(held, rules, now),
        "type": "customerlist",
        "updated_time": int(held.updated_time),
    }


def _all(request: Request, rules: Rules, now: float, lists: Lists) -> Answer:
    excluded = parse_qs(request.query, keep_blank_values=True).get("exclude_nca", ["false"])[-1]
    if excluded not in BOOLEANS:
        return bad_request(f"exclude_nca is not one of {list(BOOLEANS)}")
    owned = (
        held
        for held in lists.values()
        if held.ad_account_id == request.ad_account_id and not (BOOLEANS[excluded] and held.is_nca)
    )
    return page(owned, request.query, lambda held: list_body(held, rules, now))


def find_list(list_id: str, ad_account_id: str, lists: Lists) -> StoredList | Answer:
    """Return the account's list, or the refusal: another account's counts as unknown."""
    if not _LIST_ID(list_id):
        return bad_request("customer_list_id is not 1 to 18 digits")
    held = lists.get(list_id)
    if held is None or held.ad_account_id != ad_account_id:
        return refusal(404, "The customer list was not found.")
    return held


def _one(request: Request, rules: Rules, now: float, lists: Lists) -> Answer:
    held = find_list(request.list_id, request.ad_account_id, lists)
    return held if isinstance(held, Answer) else Answer(OK, list_body(held, rules, now))


def _create(request: Request, rules: Rules, now: float, lists: Lists) -> Answer:
    """Create a list with its first records. Two lists can have the same name."""
    body = _body(request, rules, check_list)
    if isinstance(body, Answer):
        return body
    # docs/pinterest-api.md: Customer lists
    name, list_type = body["name"], body.get("list_type", "EMAIL" if "records" in body else "")
    if not name.strip():
        return bad_request("name is empty")
    records = _records(body, list_type, rules)
    if isinstance(records, Answer):
        return records
    made = StoredList(
        str(FIRST_ID + len(lists)),
        request.ad_account_id,
        name,
        list_type,
        now,
        now,
        is_nca=body.get("is_nca", False),
    )
    return _changed(made, "CREATE", records, rules, now)


def _update(request: Request, rules: Rules, now: float, lists: Lists) -> Answer:
    held = find_list(request.list_id, request.ad_account_id, lists)
    if isinstance(held, Answer):
        return held
    body = _body(request, rules, check_list_update)
    if isinstance(body, Answer):
        return body
    records = _records(body, held.list_type, rules)
    return (
        records
        if isinstance(records, Answer)
        else _changed(held, body["operation_type"], records, rules, now)
    )


def _body(request: Request, rules: Rules, check: CheckBody) -> Mapping[str, Any] | Answer:
    if len(request.body) > rules.max_list_bytes:
        return refusal(
            TOO_LARGE, f"Invalid request: the body is larger than {rules.max_list_bytes} bytes"
        )
    body, why = parse_json_body(request)
    why = why or check(body)
    return bad_request(why) if why else dict(body)


def _records(body: Mapping[str, Any], list_type: str, rules: Rules) -> Records | Answer:
    """Return the members in a body, which has exactly one of two forms."""
    given = [name for name in ("records", "records_v2") if name in body]
    if len(given) != 1:
        return bad_request("exactly one of records and records_v2 is required")
    (name,) = given
    value = body[name]
    records = parse_records(value, list_type) if name == "records" else parse_rows(value)
    if records.received > rules.max_list_records:
        return bad_request(f"{name} has more than {rules.max_list_records} records")
    return records if records.members else bad_request(f"{name} has no identifier")


def _changed(
    held: StoredList, operation: str, records: Records, rules: Rules, now: float
) -> Answer:
    """Return the list after an operation.

    Its counters rise for repeated and for absent members too.
    """
    removes = operation == "REMOVE"
    members = held.members | records.members
    if removes:
        members = without(held.members, records.members, rules.removal_matching)
    kept = held._replace(
        updated_time=now,
        batches=held.batches + 1,
        uploaded=held.uploaded + (0 if removes else records.received),
        removed=held.removed + (records.received if removes else 0),
        invalid=records.invalid,
        members=members,
    )
    change = Change(held.id, operation, records.received, records.invalid, records.members)
    return Answer(OK, list_body(kept, rules, now), kept=kept, change=change)


_ACTIONS: Final[dict[tuple[str, bool], Callable[[Request, Rules, float, Lists], Answer]]] = {
    ("GET", False): _all,
    ("POST", False): _create,
    ("GET", True): _one,
    ("PATCH", True): _update,
}

"""The advertiser's own event names: Pinterest's answers, and the resulting names.

Owns the names of an ad account and what each is mapped to. Pure: the names so far are an argument.

Sources: docs/pinterest-api.md: Advertiser-defined events. docs/sandbox.md lists the choices where
Pinterest's behaviour is not known.
"""

from collections.abc import Callable, Iterable, Mapping
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
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.rates import FRESH, Window
from target_pinterest_capi.sandbox.request_bodies import check_defined_events
from target_pinterest_capi.sandbox.rules import Rules

ENDPOINT: Final = "advertiser_defined_events"
MOST_NAMES: Final = 15  # docs/pinterest-api.md: The event

Names = Mapping[str, str | None]  # each with the type that it is mapped to


class StoredEventNames(NamedTuple):
    """The current names of one ad account, and how many of them were changed."""

    ad_account_id: str
    names: Names
    changed: int


def answer(
    request: Request,
    rules: Rules,
    now: float,
    names: Names,
    window: Window = FRESH,
    grants: Grants = NONE_YET,
) -> Answer:
    """Answer one request about the names at `now` (Unix seconds).

    `window` and `grants` are as for customer lists.
    """
    act = _ACTIONS[request.method]
    return answer_permitted(
        request, rules, now, ENDPOINT, window, grants, lambda: act(request, names)
    )


def _all(_request: Request, names: Names) -> Answer:
    items = [
        {"name": name, "mapped_conversion_type": mapped} for name, mapped in sorted(names.items())
    ]
    return Answer(OK, {"items": items})


def _define(request: Request, names: Names) -> Answer:
    return _written(request, names, _refuse_new)


def _update(request: Request, names: Names) -> Answer:
    return _written(request, names, _refuse_unknown)


def _refuse_new(name: str, names: Names) -> str:
    if name in names:
        return "This event is already defined."
    return f"There are already {MOST_NAMES} events." if len(names) >= MOST_NAMES else ""


def _refuse_unknown(name: str, names: Names) -> str:
    return "" if name in names else "This event is not defined."


def _written(request: Request, names: Names, refuse: Callable[[str, Names], str]) -> Answer:
    """Define or update each item for which `refuse` returns nothing; only the others fail."""
    body, why = parse_json_body(request)
    why = why or check_defined_events(body)
    if why:
        return bad_request(why)
    if not all(item["name"].strip() for item in body["items"]):
        return bad_request("a name is empty")
    kept = dict(names)
    records = []
    for item in body["items"]:
        problem = refuse(item["name"], kept)
        records.append(_record(item["name"], problem))
        if not problem:
            kept[item["name"]] = item["mapped_conversion_type"]
    return _processed(request, kept, records)


def _delete(request: Request, names: Names) -> Answer:
    given = parse_qs(request.query, keep_blank_values=True).get("event_names", [""])
    wanted = [name for name in given[-1].split(",") if name]
    if len(given) > 1 or not wanted:
        return bad_request("event_names is not a list of names, separated by commas")
    kept = dict(names)
    records = []
    for name in wanted:
        records.append(_record(name, _refuse_unknown(name, kept)))
        kept.pop(name, None)
    return _processed(request, kept, records)


def _record(name: str, problem: str) -> dict[str, Any]:
    return {
        "name": name,
        "status": "failure" if problem else "success",
        "exceptions": [problem] if problem else [],
    }


def _processed(request: Request, names: Names, records: Iterable[dict[str, Any]]) -> Answer:
    items = list(records)
    changed = sum(record["status"] == "success" for record in items)
    kept = StoredEventNames(request.ad_account_id, names, changed)
    return Answer(OK, {"items": items}, kept=kept)


_ACTIONS: Final[dict[str, Callable[[Request, Names], Answer]]] = {
    "GET": _all,
    "POST": _define,
    "PATCH": _update,
    "DELETE": _delete,
}

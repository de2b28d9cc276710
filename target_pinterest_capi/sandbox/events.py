"""Pinterest's response to events: from a request, a rate window and the time to status and body.

Owns the order of the checks, and the form of the answers. Every function is pure: the clock and the
state are arguments. It never records, waits or fails on purpose: that is in `store`, `faults` and
`app`.

Sources: docs/pinterest-api.md, with its marks: Pinterest's OpenAPI description 5.23.0 (spec),
bodies that public projects recorded from the live API (seen), documentation (docs). docs/sandbox.md
lists the choices where Pinterest's behaviour is not known.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from target_pinterest_capi.sandbox import oauth
from target_pinterest_capi.sandbox.access import access_refusal, within_rate_limit
from target_pinterest_capi.sandbox.answers import (
    CODES,
    MESSAGES,
    OK,
    Answer,
    Request,
    Verdict,
    parse_json_body,
    refusal,
)
from target_pinterest_capi.sandbox.rates import CONVERSIONS, FRESH, Window
from target_pinterest_capi.sandbox.request_bodies import check_events
from target_pinterest_capi.sandbox.rules import Rules
from target_pinterest_capi.sandbox.verdicts import judge

TEST_EVENTS: Final = 20  # docs: only the first 20 events of a test request are processed


def answer(
    request: Request,
    rules: Rules,
    now: float,
    window: Window = FRESH,
    marks: Mapping[str, str] | None = None,
    grants: oauth.Grants = oauth.NONE_YET,
) -> Answer:
    """Answer one request of events at `now` (Unix seconds).

    Args:
        request: what the client sent.
        rules: the account's settings.
        now: the time of the answer.
        window: the calls of this ad account so far; the answer carries the next one.
        marks: event ids that act on purpose: `poison` refuses their whole request, `fail` fails
            their event.
        grants: what OAuth has given out: an access token with ads:write works here as a conversion
            token does.
    """
    refused = access_refusal(request, rules, now, grants, oauth.ADS_WRITE, conversion_token=True)
    if refused is not None:
        return refused
    return within_rate_limit(
        window, rules, now, CONVERSIONS, lambda: _events(request, rules, now, marks or {})
    )


def _events(request: Request, rules: Rules, now: float, marks: Mapping[str, str]) -> Answer:
    test = _is_test(request.query)
    if test is None:
        return refusal(400, "Invalid request: test is neither true nor false")
    body, why = parse_json_body(request)
    why = why or check_events(body)
    if why:
        return refusal(400, f"Invalid request: {why}")._replace(test=test)
    events = body["data"]
    marked = frozenset(event["event_id"] for event in events) & marks.keys()
    poison = frozenset(event_id for event_id in marked if marks[event_id] == "poison")
    if poison:
        return refusal(400)._replace(test=test, events=events, marked=poison)
    verdicts = [
        Verdict("The event was failed by a fault.")
        if event["event_id"] in marked
        else judge(event, rules, now)
        for event in (events[:TEST_EVENTS] if test else events)
    ]
    status, content = _listed(verdicts, len(events), rules.mixed_status)
    return Answer(status, content, test=test, events=events, verdicts=verdicts, marked=marked)


def _is_test(query: str) -> bool | None:
    """Return whether the query asks for a test; None for a value that is not a boolean.

    docs/pinterest-api.md: Conversion events.
    """
    values = parse_qs(query, keep_blank_values=True).get("test", ["false"])
    return {"true": True, "false": False}.get(values[-1])


def _listed(
    verdicts: Sequence[Verdict], received: int, mixed_status: int
) -> tuple[int, dict[str, Any]]:
    processed = sum(not verdict.error for verdict in verdicts)
    content = {
        "num_events_received": received,
        "num_events_processed": processed,
        "events": [_entry(position, verdict) for position, verdict in enumerate(verdicts)],
    }
    if processed == len(verdicts) or (processed and mixed_status == OK):
        return OK, content
    return 422, {"code": CODES[422], "message": MESSAGES[422], "details": content}


def _entry(position: int, verdict: Verdict) -> dict[str, str | None]:
    """Return one entry of the list.

    seen: an empty message is null, empty or absent, so the position decides which.
    """
    entry: dict[str, str | None] = {"status": "failed" if verdict.error else "processed"}
    for name, message in (("error_message", verdict.error), ("warning_message", verdict.warning)):
        if message or position % 3 == 0:
            entry[name] = message or None
        elif position % 3 == 1:
            entry[name] = ""
    return entry

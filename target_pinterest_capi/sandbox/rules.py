"""Pinterest's answer to events: from a request, a rate window and the time to status and body.

Owns the settings of all rules, who may do what, the order of the checks, the meaning of an event's
values and the form of the answers. Every function is pure: the clock and the state are arguments.
It never records, waits or fails on purpose: that is `store`, `faults` and `app`.

Sources: docs/pinterest-api.md, with its marks: Pinterest's OpenAPI description 5.23.0 (spec),
bodies that public projects recorded from the live API (seen), documentation (docs). Where nobody
has shown what happens, the choice is said in docs/sandbox.md.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from target_pinterest_capi.sandbox import oauth
from target_pinterest_capi.sandbox.answers import (
    CODES,
    MESSAGES,
    OK,
    PROCESSED,
    Answer,
    Request,
    Verdict,
    parse_json_body,
    refusal,
)
from target_pinterest_capi.sandbox.rates import CONVERSIONS, FRESH, WRITE, Window, count_call
from target_pinterest_capi.sandbox.request_bodies import check_events

DEFAULT_TOKEN: Final = "sandbox-token"  # noqa: S105 - made up, opens nothing
DEFAULT_AD_ACCOUNT: Final = "549755885175"

TEST_EVENTS: Final = 20  # docs: only the first 20 events of a test request are processed

# seen: a 401 with this code where an access token lacks a scope
MISSING_SCOPE: Final = 3
MISSING_SCOPE_MESSAGE: Final = (
    "Your token does not have sufficient permissions to perform this operation."
)

# docs/pinterest-api.md: The event. Fifteen names are of 5.23, seven of 5.28
EVENT_NAMES: Final = frozenset({
    "add_payment_info", "add_to_cart", "add_to_wishlist", "app_install", "checkout", "custom",
    "initiate_checkout", "lead",
    "page_visit", "search", "signup", "subscribe", "view_category", "view_content", "watch_video",
    "app_open", "contact", "customize_product", "find_location", "schedule", "start_trial",
    "submit_application",
})  # fmt: skip

# docs/pinterest-api.md: user_data. What a hash hides is a digest in each of these
HASHED: Final = (
    "em", "ph", "ge", "db", "ln", "fn", "ct", "st", "zp", "country", "external_id", "hashed_maids",
)  # fmt: skip
DIGEST: Final = re.compile(r"[0-9a-f]{64}").fullmatch
_DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch
# docs/pinterest-api.md: Conversion events (path_ad_account_id)
_AD_ACCOUNT: Final = re.compile(r"[0-9]{1,18}").fullmatch


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What differs between accounts, and what nobody knows for sure.

    Args:
        tokens: the ad accounts that each conversion token may use. OAuth's tokens may use all of
            these.
        app: the OAuth app, its credentials and what it was granted.
        defined_events: the advertiser's own event names, which are processed without a warning.
        max_event_age_seconds: an older event fails (the 7 days that connectors state).
        max_ahead_seconds: an event further in the future fails.
        mixed_status: the answer when some events failed and some did not, 422 or 200: which one
            Pinterest gives is open.
        calls_per_minute: the limit of an ad account's events (5,000).
        reads_per_minute: the limit of ads_read and of org_read, a user and an app (docs: 1,000).
        writes_per_minute: the limit of ads_write, a user and an app: customer lists and audiences.
            Its number is open.
        max_list_bytes: a larger body of a customer list is refused. No limit is published.
        max_list_records: more records in a request are refused. No limit is published.
        list_processing_seconds: how long after an update a list is neither READY nor TOO_SMALL.
    """

    tokens: Mapping[str, Collection[str]] = field(
        default_factory=lambda: {DEFAULT_TOKEN: (DEFAULT_AD_ACCOUNT,)}
    )
    app: oauth.App = field(default_factory=oauth.App)
    defined_events: Collection[str] = ()
    max_event_age_seconds: int = 7 * 24 * 3600
    max_ahead_seconds: int = 3600
    mixed_status: Literal[200, 422] = 422
    calls_per_minute: int = 5000
    reads_per_minute: int = 1000
    writes_per_minute: int = 400
    max_list_bytes: int = 10_000_000
    max_list_records: int = 100_000
    list_processing_seconds: float = 10

    def limit(self, counted: str) -> int:
        """Return the calls a minute of a rate category."""
        return {CONVERSIONS: self.calls_per_minute, WRITE: self.writes_per_minute}.get(
            counted, self.reads_per_minute
        )


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


def access_refusal(
    request: Request,
    rules: Rules,
    now: float,
    grants: oauth.Grants,
    scope: str,
    *,
    conversion_token: bool = False,
) -> Answer | None:
    """Return the refusal of a token that may not do to the ad account what needs `scope`, or None.

    A conversion token is let in only where `conversion_token` says so (at the events endpoint and
    nowhere else).
    """
    scheme, _, token = request.authorization.partition(" ")
    scopes = oauth.scopes(token, rules.app, grants, now)
    if scheme.lower() != "bearer" or (scopes is None and token not in rules.tokens):
        # seen: a 401 body can repeat the token, which is what a client must be able to redact
        return refusal(
            401, why=MESSAGES[401], message=f"{MESSAGES[401]} The token '{token}' is not valid."
        )
    if not _AD_ACCOUNT(request.ad_account_id):
        return refusal(400, "Invalid request: ad_account_id is not 1 to 18 digits")
    accounts: set[str] = set()
    if conversion_token and token in rules.tokens:
        accounts.update(rules.tokens[token])
    elif scope not in (scopes or ()):
        return refusal(401, MISSING_SCOPE_MESSAGE, code=MISSING_SCOPE)
    else:
        accounts.update(*rules.tokens.values())
    return None if request.ad_account_id in accounts else refusal(403)


def within_rate_limit(
    window: Window, rules: Rules, now: float, counted: str, respond: Callable[[], Answer]
) -> Answer:
    """Return the answer that `respond` makes, or a 429 where the rate window is used up.

    Both have the headers of the category `counted`.
    """
    limit = rules.limit(counted)
    window, headers = count_call(window, limit, now, counted)
    made = refusal(429) if window.calls > limit else respond()
    return made._replace(window=window, headers=headers)


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
    """Return whether the query asks for a test; None for a value that is no boolean.

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

    seen: a message that says nothing is null, empty or absent, so the position decides which.
    """
    entry: dict[str, str | None] = {"status": "failed" if verdict.error else "processed"}
    for name, message in (("error_message", verdict.error), ("warning_message", verdict.warning)):
        if message or position % 3 == 0:
            entry[name] = message or None
        elif position % 3 == 1:
            entry[name] = ""
    return entry


def judge(event: Mapping[str, Any], rules: Rules, now: float) -> Verdict:
    """Return what becomes of an event of the right form at `now` (Unix seconds)."""
    warning = " ".join(filter(None, [rule(event, rules) for rule in _WARNINGS]))
    for rule in _ERRORS:
        error = rule(event, rules, now)
        if error:
            return Verdict(error, warning)
    return Verdict("", warning) if warning else PROCESSED


def _no_identity(event: Mapping[str, Any], _rules: Rules, _now: float) -> str:
    user = event["user_data"]
    if (
        user.get("em")
        or user.get("hashed_maids")
        or (user.get("client_ip_address") and user.get("client_user_agent"))
    ):
        return ""
    return (
        "user_data needs at least one of em, hashed_maids, "
        "or client_ip_address together with client_user_agent."
    )


def _unhashed(event: Mapping[str, Any], _rules: Rules, _now: float) -> str:
    user = event["user_data"]
    for name in HASHED:
        for digest in user.get(name, ()):
            if not DIGEST(digest):
                return f"user_data.{name} holds a value that is not a lower-case SHA-256 digest."
    return ""


def _untimely(event: Mapping[str, Any], rules: Rules, now: float) -> str:
    age = now - event["event_time"]
    if age > rules.max_event_age_seconds:
        return f"event_time is more than {rules.max_event_age_seconds} seconds in the past."
    if age < -rules.max_ahead_seconds:
        return (
            f"event_time is more than {rules.max_ahead_seconds} seconds in the future; "
            "it is in seconds, not milliseconds."
        )
    return ""


def _amounts(event: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    custom = event.get("custom_data", {})
    yield "value", custom.get("value")
    yield "predicted_ltv", custom.get("predicted_ltv")
    for item in custom.get("contents", ()):
        yield "contents.item_price", item.get("item_price")


def _no_amount(event: Mapping[str, Any], _rules: Rules, _now: float) -> str:
    for name, amount in _amounts(event):
        if amount is not None and not _DECIMAL(amount):
            return f"custom_data.{name} is not a decimal number."
    return ""


def _blank(event: Mapping[str, Any], _rules: Rules, _now: float) -> str:
    return next((f"{name} is empty." for name in ("event_id", "event_name") if not event[name]), "")


_ERRORS: Final[tuple[Callable[[Mapping[str, Any], Rules, float], str], ...]] = (
    _blank,
    _no_identity,
    _unhashed,
    _untimely,
    _no_amount,
)


def _own_name(event: Mapping[str, Any], rules: Rules) -> str:
    name = event["event_name"]
    if name in EVENT_NAMES or name in rules.defined_events:
        return ""
    return "event_name is neither known nor defined."


def _other_opt_out(event: Mapping[str, Any], _rules: Rules) -> str:
    text = event.get("custom_data", {}).get("opt_out_type")
    # docs/pinterest-api.md: custom_data
    is_other = text and any(part.strip() != "LDP" for part in text.split(","))
    return "custom_data.opt_out_type is not LDP." if is_other else ""


def _odd_code(event: Mapping[str, Any], _rules: Rules) -> str:
    language, currency = event.get("language"), event.get("custom_data", {}).get("currency")
    if language is not None and not re.fullmatch("[a-z]{2}", language):
        return "language is not a two-letter ISO 639-1 code."
    if currency is not None and not re.fullmatch("[A-Z]{3}", currency):
        return "custom_data.currency is not an ISO 4217 code."
    return ""


_WARNINGS: Final[tuple[Callable[[Mapping[str, Any], Rules], str], ...]] = (
    _own_name,
    _other_opt_out,
    _odd_code,
)

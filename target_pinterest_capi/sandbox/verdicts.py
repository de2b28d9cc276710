"""The rules for an event's values: which events fail, and which get a warning.

Owns the tables of event names, of hashed fields and of the rules. Pure: the clock is an argument.

Sources: docs/pinterest-api.md, with its marks: Pinterest's OpenAPI description 5.23.0 (spec),
bodies that public projects recorded from the live API (seen), documentation (docs). docs/sandbox.md
lists the choices where Pinterest's behaviour is not known.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from target_pinterest_capi.sandbox.answers import PROCESSED, Verdict
from target_pinterest_capi.sandbox.rules import Rules

# docs/pinterest-api.md: The event. Fifteen names are of 5.23, seven of 5.28
EVENT_NAMES: Final = frozenset({
    "add_payment_info", "add_to_cart", "add_to_wishlist", "app_install", "checkout", "custom",
    "initiate_checkout", "lead",
    "page_visit", "search", "signup", "subscribe", "view_category", "view_content", "watch_video",
    "app_open", "contact", "customize_product", "find_location", "schedule", "start_trial",
    "submit_application",
})  # fmt: skip

# docs/pinterest-api.md: user_data. Hashed values are digests in each of these
HASHED: Final = (
    "em", "ph", "ge", "db", "ln", "fn", "ct", "st", "zp", "country", "external_id", "hashed_maids",
)  # fmt: skip
DIGEST: Final = re.compile(r"[0-9a-f]{64}").fullmatch
_DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch


def judge(event: Mapping[str, Any], rules: Rules, now: float) -> Verdict:
    """Return the result of a well-formed event at `now` (Unix seconds)."""
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
                return f"user_data.{name} has a value that is not a lower-case SHA-256 digest."
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

"""The event quality score: how many of the received events have what Pinterest matches by.

Owns the eleven components and their places in an event. Pure: the clock and the events are
arguments. The coverage is counted from the events; the limits of GOOD and of an issue are the
sandbox's own.

Sources: docs/pinterest-api.md: Event quality score.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from target_pinterest_capi.sandbox.access import answer_permitted
from target_pinterest_capi.sandbox.answers import OK, Answer, Request, bad_request
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.rates import FRESH, Window
from target_pinterest_capi.sandbox.rules import Rules

# docs/pinterest-api.md: Event quality score (LookbackPeriodOptions, SourcePlatformOptions,
# IngestionSourceOptions)
LOOKBACK_SECONDS: Final = {"1d": 24 * 3600, "14d": 14 * 24 * 3600}
PLATFORMS: Final = (
    "WEB", "MOBILE", "MOBILE_ANDROID", "MOBILE_IOS", "OFFLINE", "PINTEREST_WEB",
    "PINTEREST_ANDROID", "PINTEREST_IOS", "POINT_OF_SALE",
)  # fmt: skip
SOURCES: Final = ("TAG", "MMP", "FILE_UPLOAD", "CONVERSIONS_API", "NATIVE")
OWN_SOURCE: Final = "CONVERSIONS_API"
PLATFORM_OF: Final = {
    "web": "WEB",
    "app_android": "MOBILE_ANDROID",
    "app_ios": "MOBILE_IOS",
    "offline": "OFFLINE",
}
LOW_PERCENT: Final = 50
STATUSES: Final = ((70, "GOOD"), (LOW_PERCENT, "FAIR"), (0, "NEEDS_IMPROVEMENT"))

Event = Mapping[str, Any]
Seen = tuple[Event, bool]  # an event, and whether Pinterest would have removed it as a duplicate


def _user(name: str) -> Callable[[Event], Any]:
    return lambda event: event["user_data"].get(name)


def _custom(name: str) -> Callable[[Event], Any]:
    return lambda event: event.get("custom_data", {}).get(name)


def _product(event: Event) -> Any:
    custom = event.get("custom_data", {})
    return custom.get("content_ids") or any(item.get("id") for item in custom.get("contents", ()))


# docs/pinterest-api.md: Event quality score (QualityComponents)
COMPONENTS: Final[Mapping[str, Callable[[Event], Any]]] = {
    "hashed_email": _user("em"),
    "hashed_maid": _user("hashed_maids"),
    "ip_address": _user("client_ip_address"),
    "user_agent": _user("client_user_agent"),
    "click_id_epik": _user("click_id"),
    "advertiser_external_id": _user("external_id"),
    "external_event_id": lambda event: event["event_id"],
    "order_id": _custom("order_id"),
    "order_value": _custom("value"),
    "product_id": _product,
    "source_url": lambda event: event.get("event_source_url"),
}


def answer(
    request: Request,
    rules: Rules,
    now: float,
    events: Callable[[], Iterable[Seen]],
    window: Window = FRESH,
    grants: Grants = NONE_YET,
) -> Answer:
    """Answer one request for the score at `now` (Unix seconds).

    `events` returns the account's processed events.
    """
    return answer_permitted(
        request,
        rules,
        now,
        "conversion_eqs",
        window,
        grants,
        lambda: _scores(request.query, now, events),
    )


def _scores(query: str, now: float, events: Callable[[], Iterable[Seen]]) -> Answer:
    values = {name: given[-1] for name, given in parse_qs(query, keep_blank_values=True).items()}
    wanted = {
        "lookback_period": tuple(LOOKBACK_SECONDS),
        "source_platform": PLATFORMS,
        "ingestion_source": SOURCES,
    }
    for name, choices in wanted.items():
        if values.get(name, choices[0] if name != "lookback_period" else "") not in choices:
            return bad_request(f"{name} is not one of {list(choices)}")
    lookback, platform = values["lookback_period"], values.get("source_platform")
    since = now - LOOKBACK_SECONDS[lookback]
    by_platform: defaultdict[str, list[Seen]] = defaultdict(list)
    if values.get("ingestion_source", OWN_SOURCE) == OWN_SOURCE:
        for seen in events():
            if seen[0]["event_time"] >= since:
                by_platform[PLATFORM_OF[seen[0]["action_source"]]].append(seen)
    return Answer(
        OK,
        [
            _score(name, by_platform[name], lookback)
            for name in sorted(by_platform)
            if platform in (None, name)
        ],
    )


def _score(platform: str, seen: Sequence[Seen], lookback: str) -> dict[str, Any]:
    """Return one platform's score (EventQualityScore).

    Its status is the coverage of the component that is most likely to match a person.
    """
    by_name: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        by_name[one[0]["event_name"]].append(one)
    components = {
        component: {name: _details(component, get, held) for name, held in sorted(by_name.items())}
        for component, get in COMPONENTS.items()
    }
    matched = _percent(
        sum(
            bool(event["user_data"].get("em") or event["user_data"].get("hashed_maids"))
            for event, _ in seen
        ),
        len(seen),
    )
    return {
        "ingestion_source": OWN_SOURCE,
        "lookback_period": lookback,
        "overall_status": next(word for least, word in STATUSES if matched >= least),
        "quality_components": components,
        "source_platform": platform,
    }


def _details(component: str, get: Callable[[Event], Any], seen: Sequence[Seen]) -> dict[str, Any]:
    """Return one component of one event name (QualityComponentDetails).

    Only external_event_id has an overlap.
    """
    coverage = _percent(sum(bool(get(event)) for event, _ in seen), len(seen))
    details: dict[str, Any] = {"coverage": coverage}
    if coverage < LOW_PERCENT:
        reason = f"Fewer than {LOW_PERCENT} % of these events have it."
        details["issues"] = [
            {"id": f"{component}_coverage", "name": "Low coverage", "reason": reason}
        ]
    if component == "external_event_id":
        details["overlap"] = _percent(sum(duplicate for _, duplicate in seen), len(seen))
    return details


def _percent(part: int, total: int) -> float:
    return round(100 * part / total, 2)

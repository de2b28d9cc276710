"""Requests per minute: Pinterest's rate categories, and the window of each.

Owns which endpoint belongs to which category, and the headers about what is left. Pure: the clock
and the windows are arguments. Never refuses anything (that is in `answers`).
"""

import math
from typing import Final, NamedTuple

RATE_WINDOW_SECONDS: Final = 60

# docs/pinterest-api.md: Rate limits. Events have a window for each ad account, the others one of
# the user and the app
CONVERSIONS: Final = "ads_conversions"
READ: Final = "ads_read"
WRITE: Final = "ads_write"
TOKENS: Final = "org_read"
CATEGORIES: Final = {"events": CONVERSIONS, "oauth": TOKENS, "conversion_token": "org_write"}

# seen for events; the names for a user and an app are ours
_NAMES: Final = {CONVERSIONS: "ads_conversions_ad_account_id"}


class Window(NamedTuple):
    """One minute of requests, from `start` (Unix seconds)."""

    start: float = -math.inf
    calls: int = 0


FRESH: Final = Window()


def category(endpoint: str, method: str) -> str:
    """Return the rate category of a request: by endpoint, otherwise by reading or writing."""
    return CATEGORIES.get(endpoint) or (READ if method == "GET" else WRITE)


def count_call(
    window: Window, limit: int, now: float, counted: str = CONVERSIONS
) -> tuple[Window, dict[str, str]]:
    """Count one request of a category, and return the next window with its headers (form: seen)."""
    if not 0 <= now - window.start < RATE_WINDOW_SECONDS:
        window = Window(now)
    window = window._replace(calls=window.calls + 1)
    name = _NAMES.get(counted, f"{counted}_user_id_app_id")
    return window, {
        "X-RateLimit-Limit": f'{limit}, {limit};w={RATE_WINDOW_SECONDS};name="{name}"',
        "X-RateLimit-Remaining": str(max(0, limit - window.calls)),
        "X-RateLimit-Reset": str(math.ceil(window.start + RATE_WINDOW_SECONDS - now)),
    }

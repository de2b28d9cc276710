"""The advertiser's own event names, as Pinterest lists them. Pure: the names are the rules'.

Sources: docs/pinterest-api.md: Advertiser-defined events.
"""

from typing import Final

from target_pinterest_capi.sandbox.access import answer_permitted
from target_pinterest_capi.sandbox.answers import OK, Answer, Request
from target_pinterest_capi.sandbox.oauth import NONE_YET, Grants
from target_pinterest_capi.sandbox.rates import FRESH, Window
from target_pinterest_capi.sandbox.rules import Rules

ENDPOINT: Final = "advertiser_defined_events"


def answer(
    request: Request, rules: Rules, now: float, window: Window = FRESH, grants: Grants = NONE_YET
) -> Answer:
    """Answer one request of the names at `now` (Unix seconds); none is mapped to another."""

    def respond() -> Answer:
        names = sorted(rules.defined_events)
        return Answer(
            OK, {"items": [{"name": name, "mapped_conversion_type": None} for name in names]}
        )

    return answer_permitted(request, rules, now, ENDPOINT, window, grants, respond)

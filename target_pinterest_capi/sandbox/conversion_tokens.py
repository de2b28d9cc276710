"""Conversion tokens, created with an access token. Pure: clock and grants are arguments.

The sandbox returns the first token that it knows, because its accounts are configured.

Sources: docs/pinterest-api.md: OAuth.
"""

from typing import Final

from target_pinterest_capi.sandbox.access import (
    missing_scope,
    token_scopes,
    unknown_token,
    within_rate_limit,
)
from target_pinterest_capi.sandbox.answers import OK, Answer, Request
from target_pinterest_capi.sandbox.oauth import ADS_WRITE, NONE_YET, Grants
from target_pinterest_capi.sandbox.rates import FRESH, Window, category
from target_pinterest_capi.sandbox.rules import Rules

ENDPOINT: Final = "conversion_token"


def answer(
    request: Request, rules: Rules, now: float, window: Window = FRESH, grants: Grants = NONE_YET
) -> Answer:
    """Answer one request for a conversion token at `now` (Unix seconds)."""
    scopes, token = token_scopes(request, rules, now, grants)
    if scopes is None:
        return missing_scope() if token in rules.tokens else unknown_token(token)
    if ADS_WRITE not in scopes:
        return missing_scope()

    def respond() -> Answer:
        body = {"access_token": next(iter(rules.tokens)), "token_type": "conversion"}
        return Answer(OK, body)

    return within_rate_limit(window, rules, now, category(ENDPOINT, "POST"), respond)

"""Permissions and rate limits: the checks before every endpoint's own.

Pure: the clock, the grants and the rate windows are arguments. Sources: docs/pinterest-api.md, with
its marks (seen: recorded from the live API).
"""

import re
from collections.abc import Callable, Collection
from typing import Final

from target_pinterest_capi.sandbox import oauth
from target_pinterest_capi.sandbox.answers import MESSAGES, Answer, Request, refusal
from target_pinterest_capi.sandbox.rates import Window, category, count_call
from target_pinterest_capi.sandbox.rules import Rules

# seen: a 401 with this code if an access token lacks a scope
MISSING_SCOPE: Final = 3
MISSING_SCOPE_MESSAGE: Final = (
    "Your token does not have sufficient permissions to perform this operation."
)
# docs/pinterest-api.md: Conversion events (path_ad_account_id)
_AD_ACCOUNT: Final = re.compile(r"[0-9]{1,18}").fullmatch


def answer_permitted(
    request: Request,
    rules: Rules,
    now: float,
    endpoint: str,
    window: Window,
    grants: oauth.Grants,
    respond: Callable[[], Answer],
) -> Answer:
    """Return the answer of `respond` if the token may read or change an endpoint.

    Otherwise a refusal; a 429 if the rate window of the request's category is used up.
    """
    scope = oauth.ADS_READ if request.method == "GET" else oauth.ADS_WRITE
    refused = access_refusal(request, rules, now, grants, scope)
    if refused is not None:
        return refused
    return within_rate_limit(window, rules, now, category(endpoint, request.method), respond)


def access_refusal(
    request: Request,
    rules: Rules,
    now: float,
    grants: oauth.Grants,
    scope: str,
    *,
    conversion_token: bool = False,
) -> Answer | None:
    """Return the refusal of a token without `scope` or without access to the ad account, or None.

    A conversion token is accepted only with `conversion_token`, at the events endpoint.
    """
    scopes, token = token_scopes(request, rules, now, grants)
    if scopes is None and token not in rules.tokens:
        return unknown_token(token)
    if not _AD_ACCOUNT(request.ad_account_id):
        return refusal(400, "Invalid request: ad_account_id is not 1 to 18 digits")
    accounts: set[str] = set()
    if conversion_token and token in rules.tokens:
        accounts.update(rules.tokens[token])
    elif scope not in (scopes or ()):
        return missing_scope()
    else:
        accounts.update(*rules.tokens.values())
    return None if request.ad_account_id in accounts else refusal(403)


def token_scopes(
    request: Request, rules: Rules, now: float, grants: oauth.Grants
) -> tuple[Collection[str] | None, str]:
    """Return the scopes of a request's access token, and the token; None if it is unknown."""
    scheme, _, token = request.authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None, ""
    return oauth.scopes(token, rules.app, grants, now), token


def unknown_token(token: str) -> Answer:
    """Return the 401 for an unknown token.

    seen: its message can repeat the token, which a client must be able to redact
    """
    return refusal(
        401, why=MESSAGES[401], message=f"{MESSAGES[401]} The token '{token}' is not valid."
    )


def missing_scope() -> Answer:
    """Return the 401 for a token without the scope."""
    return refusal(401, MISSING_SCOPE_MESSAGE, code=MISSING_SCOPE)


def within_rate_limit(
    window: Window, rules: Rules, now: float, counted: str, respond: Callable[[], Answer]
) -> Answer:
    """Return the answer of `respond`, or a 429 if the rate window is used up.

    Both have the headers of the category `counted`.
    """
    limit = rules.limit(counted)
    window, headers = count_call(window, limit, now, counted)
    made = refusal(429) if window.calls > limit else respond()
    return made._replace(window=window, headers=headers)

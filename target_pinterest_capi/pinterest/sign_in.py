"""A user's sign-in: the address for consent, tokens for its code, and a conversion token.

docs/pinterest-api.md: OAuth.
"""

from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import CallResponse, ConversionToken

SCOPES: Final = ("ads:read", "ads:write")
# The roles of a user in the ad account; each endpoint needs one of some of them
ROLES: Final = ("Owner", "Admin", "Analyst", "Audience", "Campaign")
CONSENT_HOSTS: Final = {"api.pinterest.com": "www.pinterest.com"}


def consent_url(api_url: str, client_id: str, redirect_uri: str, state: str) -> str:
    """Return the address at which a user authorizes the app.

    It is on Pinterest's own site; for another host in `api_url`, such as the sandbox, on that host.
    """
    parts = urlsplit(api_url)
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "state": state,
    }
    host = CONSENT_HOSTS.get(parts.hostname or "", parts.netloc)
    return urlunsplit((parts.scheme, host, "/oauth/", urlencode(query), ""))


def exchange_code(
    client: Client, client_id: str, client_secret: str, code: str, redirect_uri: str
) -> CallResponse:
    """Make one attempt to exchange the code of a consent, which is valid once, for tokens.

    Apps created before 2025-09-25 must ask for continuous refresh tokens; others ignore that.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "continuous_refresh": "true",
    }
    return client.request_token(client_id, client_secret, form)


def make_conversion_token(client: Client, token: str) -> CallResponse:
    """Make one attempt to create a conversion token, with an access token that has ads:write."""
    return client.write(token, "POST", "/oauth/conversion_token", None, ConversionToken)

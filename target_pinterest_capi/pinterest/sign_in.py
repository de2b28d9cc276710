"""A user's sign-in: the address of their consent, tokens for its code, and a conversion token.

docs/pinterest-api.md: OAuth.
"""

from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import CallResponse, ConversionToken

SCOPES: Final = ("ads:read", "ads:write")
# The roles of the user in the ad account, one of which each endpoint needs
ROLES: Final = ("Owner", "Admin", "Analyst", "Audience", "Campaign")
CONSENT_HOSTS: Final = {"api.pinterest.com": "www.pinterest.com"}


def consent_url(api_url: str, client_id: str, redirect_uri: str, state: str) -> str:
    """Return the address at which a user lets the app act for them.

    It is on Pinterest's own site, or where `api_url` is for any other host, as of the sandbox.
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
    """Make one attempt to exchange the code of a consent, which is good once, for tokens.

    Apps that were made before 2025-09-25 have to ask for a refresh token that is continued; others
    ignore that.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "continuous_refresh": "true",
    }
    return client.request_token(client_id, client_secret, form)


def make_conversion_token(client: Client, token: str) -> CallResponse:
    """Make one attempt to make a conversion token, with an access token that has ads:write."""
    return client.write(token, "POST", "/oauth/conversion_token", None, ConversionToken)

"""The advertiser's own event names at Pinterest: one attempt each to read and to change them.

docs/pinterest-api.md: Advertiser-defined events.
"""

from collections.abc import Sequence
from typing import Final, Literal

from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import CallResponse, ChangedEvents, DefinedEvents

MOST_NAMES: Final = 15  # docs/pinterest-api.md: The event
# What a name can be mapped to: Pinterest's own names in capitals, except three
UNMAPPABLE: Final = frozenset({"app_install", "app_open", "custom"})


def read_events(client: Client, token: str, ad_account_id: str) -> CallResponse:
    """Make one attempt to read the names of an ad account."""
    return client.get(token, _path(ad_account_id), {}, DefinedEvents)


def write_events(
    client: Client,
    token: str,
    ad_account_id: str,
    method: Literal["POST", "PATCH"],
    mapped: dict[str, str],
) -> CallResponse:
    """Make one attempt to define names (POST) or to map them to other types (PATCH)."""
    items = [
        {"name": name, "mapped_conversion_type": conversion_type}
        for name, conversion_type in mapped.items()
    ]
    return client.write(token, method, _path(ad_account_id), {"items": items}, ChangedEvents)


def delete_events(
    client: Client, token: str, ad_account_id: str, names: Sequence[str]
) -> CallResponse:
    """Make one attempt to delete names."""
    params = {"event_names": ",".join(names)}
    return client.write(token, "DELETE", _path(ad_account_id), None, ChangedEvents, params)


def _path(ad_account_id: str) -> str:
    return f"/ad_accounts/{ad_account_id}/advertiser_defined_events"

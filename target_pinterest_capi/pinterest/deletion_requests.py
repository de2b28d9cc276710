"""Requests to delete people's data: one attempt each to create, read and cancel them.

docs/pinterest-api.md: Deletion requests.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    DeletionRequest,
    DeletionRequestPage,
)

PENDING: Final = "PENDING"  # it can still be cancelled
CANCELLED: Final = "CANCELLED"


def create_request(
    client: Client,
    token: str,
    ad_account_id: str,
    emails: Sequence[str],
    click_ids: Sequence[str],
) -> CallResponse:
    """Make one attempt to request the deletion of people, by plain addresses and click ids."""
    targets = {"user_emails": list(emails), "epiks": list(click_ids)}
    body = {"deletion_targets": {name: held for name, held in targets.items() if held}}
    return client.write(token, "POST", _path(ad_account_id), body, DeletionRequest)


def read_requests(
    client: Client, token: str, ad_account_id: str, bookmark: str | None
) -> CallResponse:
    """Make one attempt to read a page of requests, the latest first."""
    newest = {"order": "DESCENDING"}
    return client.get_page(token, _path(ad_account_id), bookmark, DeletionRequestPage, newest)


def read_request(client: Client, token: str, ad_account_id: str, request_id: str) -> CallResponse:
    """Make one attempt to read one request."""
    return client.get(token, _path(ad_account_id, request_id), {}, DeletionRequest)


def cancel_request(client: Client, token: str, ad_account_id: str, request_id: str) -> CallResponse:
    """Make one attempt to cancel a request, which is possible while it is PENDING.

    The response may have no body.
    """
    path = _path(ad_account_id, request_id)
    response = client.write(token, "DELETE", path, None, DeletionRequest)
    if isinstance(response, ApiResponse) and response.status == HTTPStatus.NO_CONTENT:
        return response._replace(body=DeletionRequest(request_id, CANCELLED))
    return response


def _path(ad_account_id: str, request_id: str | None = None) -> str:
    one = "" if request_id is None else f"/{quote(request_id, safe='')}"
    return f"/ad_accounts/{ad_account_id}/conversion_deletion_requests{one}"

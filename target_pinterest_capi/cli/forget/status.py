"""Existing deletion requests: shown, and cancelled while that is possible."""

from collections.abc import Sequence
from typing import Any, Final

import click

from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.cli.forget.requests import FORBIDDEN, NO_BETA
from target_pinterest_capi.cli.oauth_session import OAuthSession, open_session
from target_pinterest_capi.pinterest import deletion_requests
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    DeletionRequest,
    DeletionRequestPage,
)
from target_pinterest_capi.settings import Settings

MOST_PAGES: Final = 100  # of 250 requests each
NEEDED_FOR: Final = "to read deletion requests"


def show_status(
    settings: Settings, paths: Sequence[str], accounts: Sequence[str], request_id: str
) -> None:
    """Print the requests of ad accounts, or the one with an id, the latest first."""
    for account in accounts:
        with open_session(settings, paths, account, NEEDED_FOR) as session:
            if request_id:
                found = [_ask(session, account, "read_request", request_id)]
            else:
                found = _all(session, account)
        if not found:
            click.echo(f"ad account {account}: there are no deletion requests.")
        for request in found:
            _print(account, request)


def cancel_request(
    settings: Settings, paths: Sequence[str], accounts: Sequence[str], request_id: str
) -> None:
    """Cancel the request with an id, in the one ad account that has it."""
    if len(accounts) > 1:
        raise click.UsageError("set the ad account of the request: --ad-account DIGITS")
    with open_session(settings, paths, accounts[0], NEEDED_FOR) as session:
        _print(accounts[0], _ask(session, accounts[0], "cancel_request", request_id))


def _all(session: OAuthSession, account: str) -> list[DeletionRequest]:
    found: list[DeletionRequest] = []
    bookmark: str | None = None
    for _ in range(MOST_PAGES):
        page: Any = _ask(session, account, "read_requests", bookmark, DeletionRequestPage)
        found += page.items
        bookmark = page.bookmark
        if not bookmark:
            break
    return found


def _ask(
    session: OAuthSession,
    account: str,
    call: str,
    argument: str | None,
    form: type[Any] = DeletionRequest,
) -> Any:
    make = getattr(deletion_requests, call)
    response = session.attempt(lambda client, token: make(client, token, account, argument))
    if isinstance(response, ApiResponse) and isinstance(response.body, form):
        return response.body
    if isinstance(response, ApiResponse) and response.status == FORBIDDEN:
        raise click.ClickException(f"ad account {account}: {NO_BETA}.")
    what = "the request was not cancelled" if call == "cancel_request" else "no deletion requests"
    raise session.refusal(response, f"ad account {account}: {what}", "")


def _print(account: str, request: DeletionRequest) -> None:
    words = f"ad account {account}: {plain(request.request_id)} is {plain(request.status)}"
    times = {"made": request.created_time, "processed": request.processed_time}
    said = [f"{name} {time}" for name, time in times.items() if time is not None]
    click.echo(", ".join([words, *said]) + ".")

"""OAuth and customer lists, before a run.

Is there an access token, does Pinterest accept it, and do the lists exist?

Reads lists and changes none, so `ads:write` is not tested. An app's refresh token is exchanged as
in a run, and its replacement is stored in oauth.token_path. One attempt for each call. Never shows
a token.
"""

from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Final

from target_pinterest_capi.checks.credentials import TIMEOUT_SECONDS
from target_pinterest_capi.checks.own_event_names import (
    check_own_event_names,
    skip_own_event_names,
)
from target_pinterest_capi.checks.result import ACCOUNT_PLACE, APP_PLACE, CheckResult, CheckStatus
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import (
    FixedToken,
    RefreshedTokens,
    fetch_access_token,
    tokens_of,
)
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    CustomerListBody,
    CustomerListPage,
    NoResponse,
)
from target_pinterest_capi.pinterest.retries import describe, remedy, remedy_by_waiting
from target_pinterest_capi.settings import CustomerListEntry, Settings

OAUTH: Final = "oauth"
LISTS: Final = "customer lists"
NO_NAMES: Final[Mapping[str, Collection[str]]] = {}
MAX_PAGES: Final = 100  # of 250 lists each: only a run looks through more

Tokens = FixedToken | RefreshedTokens


class _RefusedError(Exception):
    """No access token, or no lists: the results say why."""

    def __init__(self, *findings: CheckResult) -> None:
        super().__init__()
        self.findings = findings


def skip_customer_lists(settings: Settings, why: str) -> Iterator[CheckResult]:
    """Yield that OAuth and lists, if the settings have any, were not checked, and why."""
    yield from skip_own_event_names(settings, why)
    if settings.oauth is not None:
        yield CheckResult(OAUTH, CheckStatus.SKIPPED, f"not tried: {why}")
    if settings.customer_lists:
        yield CheckResult(LISTS, CheckStatus.SKIPPED, f"not looked up: {why}")


def check_customer_lists(
    settings: Settings, named_lists: Mapping[str, Collection[str]] = NO_NAMES
) -> Iterator[CheckResult]:
    """Get an access token as a run would, and look up the configured lists in each ad account.

    `named_lists` are those that a sample's records name, by the label of their entry.
    """
    if settings.oauth is None:
        yield from skip_customer_lists(settings, "there is no oauth in the settings")
        return
    client = Client(
        settings.api_url,
        max_connections=1,
        timeout_seconds=min(settings.request_timeout_seconds, TIMEOUT_SECONDS),
    )
    tokens = tokens_of(settings.oauth, client)
    name = "oauth.access_token" if isinstance(tokens, FixedToken) else "the token of oauth"
    by_account: dict[str, list[CustomerListEntry]] = {}
    for entry in settings.customer_lists:
        by_account.setdefault(entry.ad_account_id or settings.ad_account_id, []).append(entry)
    try:
        token = _access_token(tokens)
        yield from check_own_event_names(settings, client, token)
        for number, account in enumerate(by_account or {settings.ad_account_id: []}):
            found = list(_lists(client, tokens, token, account))
            if not number:
                yield CheckResult(
                    OAUTH, CheckStatus.OK, f"Pinterest accepts {name} for ad account {account}"
                )
            for entry in by_account.get(account, ()):
                yield from _in_account(entry, found, named_lists.get(entry.label))
    except _RefusedError as refused:
        yield from refused.findings
    finally:
        client.close()


def _access_token(tokens: Tokens) -> str:
    """Return the access token, if necessary in exchange for an app's refresh token."""
    try:
        given = fetch_access_token(tokens)
    except FlowStopped as stop:
        raise _RefusedError(
            CheckResult(OAUTH, CheckStatus.FAILED, str(stop), place=APP_PLACE)
        ) from None
    if isinstance(given, str):
        return given
    raise _RefusedError(
        CheckResult(
            OAUTH, CheckStatus.FAILED, f"no access token: {describe(given)}", _advice(given)
        )
    )


def _lists(client: Client, tokens: Tokens, token: str, account: str) -> Iterator[CustomerListBody]:
    """Yield the lists of an ad account, page by page."""
    bookmark = None
    for _ in range(MAX_PAGES):
        reply = client.customer_lists(token, account, bookmark)
        if isinstance(reply, NoResponse) or not isinstance(reply.body, CustomerListPage):
            raise _refusal(reply, tokens, account)
        yield from reply.body.items
        bookmark = reply.body.bookmark
        if not bookmark:
            return


def _refusal(reply: CallResponse, tokens: Tokens, account: str) -> _RefusedError:
    words = describe(reply)
    untold = CheckResult(
        LISTS, CheckStatus.SKIPPED, f"not looked up: lists of ad account {account}"
    )
    if isinstance(reply, ApiResponse) and reply.status == HTTPStatus.UNAUTHORIZED:
        return _RefusedError(
            CheckResult(OAUTH, CheckStatus.FAILED, words, tokens.remedy(), APP_PLACE), untold
        )
    if isinstance(reply, ApiResponse) and reply.status == HTTPStatus.FORBIDDEN:
        lists = CheckResult(
            LISTS,
            CheckStatus.FAILED,
            f"ad account {account}: {words}",
            _sentence(remedy(reply, uses_oauth=True)),
            ACCOUNT_PLACE,
        )
        return _RefusedError(
            CheckResult(OAUTH, CheckStatus.OK, "Pinterest accepts the access token"), lists
        )
    return _RefusedError(
        CheckResult(
            OAUTH,
            CheckStatus.FAILED,
            f"the response shows nothing about the access token: {words}",
            _advice(reply),
        ),
        untold,
    )


def _in_account(
    entry: CustomerListEntry, found: list[CustomerListBody], named: Collection[str] | None
) -> Iterator[CheckResult]:
    """Yield whether a configured list exists, or each of those that records name."""
    if entry.list_id is not None:
        yield _by_id(entry.list_id, found)
    elif entry.list_name is not None:
        yield _by_name(entry.list_name, found)
    elif named is None:
        yield CheckResult(
            LISTS,
            CheckStatus.SKIPPED,
            f"records name the lists, by {entry.label}: use --sample FILE to look them up",
        )
    elif len(named) > entry.max_lists:
        yield CheckResult(
            LISTS,
            CheckStatus.FAILED,
            f"records name {len(named):,} lists, by {entry.label}",
            f"Check list_name, or raise max_lists, which is {entry.max_lists}.",
        )
    else:
        yield from (_by_name(name, found) for name in named)


def _by_id(list_id: str, found: list[CustomerListBody]) -> CheckResult:
    if any(one.id == list_id for one in found):
        return CheckResult(LISTS, CheckStatus.OK, f"list {list_id} exists")
    return CheckResult(
        LISTS,
        CheckStatus.FAILED,
        f"there is no list {list_id} in the ad account",
        "Check list_id and ad_account_id, or name the list by list_name.",
    )


def _by_name(name: str, found: list[CustomerListBody]) -> CheckResult:
    ids, shown = [one.id for one in found if one.name == name], shown_name(name)
    if len(ids) > 1:
        several = f"{len(ids)} lists are named {shown}: {', '.join(ids)}"
        return CheckResult(LISTS, CheckStatus.FAILED, several, "Set list_id to the right one.")
    if ids:
        return CheckResult(LISTS, CheckStatus.OK, f"{shown} exists: list {ids[0]}")
    missing = f"{shown} does not exist yet; it is created with its first members"
    return CheckResult(LISTS, CheckStatus.OK, missing)


def _advice(reply: CallResponse) -> str:
    waiting = remedy_by_waiting(reply, "check again")
    return waiting or _sentence(remedy(reply, uses_oauth=True))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]

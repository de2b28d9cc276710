"""One test request for each ad account and token of a configuration.

It shows whether Pinterest responds, accepts the token, and lets it use the account.

A test request is checked like any other, but not recorded (docs/pinterest-api.md:
Conversion events). Its one event is an invented one, at example.com. Each is one attempt, without
retries. Never raises for a response, never shows a token.
"""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol

from target_pinterest_capi.checks.result import ACCOUNT_PLACE, TOKEN_PLACE, CheckResult, CheckStatus
from target_pinterest_capi.events.event import Account, encode
from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.events.redaction import redact
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    EventsResponse,
    EventStatus,
    NoResponse,
)
from target_pinterest_capi.pinterest.retries import (
    Decision,
    classify,
    remedy,
    remedy_by_waiting,
    rule_of,
)
from target_pinterest_capi.settings import MappingEntry, Settings

REQUEST: Final = "test request"
TOKEN: Final = "token"  # noqa: S105 - a step's name
ACCOUNT: Final = "ad account"
TIMEOUT_SECONDS: Final = 15.0  # at most; a smaller request_timeout_seconds is used instead
WHOSE: Final = "check@example.com"
TOKEN_ADVICE: Final = (
    "Copy the complete token, without 'Bearer'; if a newer one was generated, use that one."  # noqa: S105 - words
)
ACCOUNT_ADVICE: Final = (
    "Check ad_account_id, or have a user who may manage that account create the token."
)
NOT_PINTEREST_ADVICE: Final = "Check api_url: a response of Pinterest has a status for each event."
_REFUSALS: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
REFUSED_ADVICE: Final = (
    "Check ad_account_id and api_url: Pinterest is known to accept the event in this request."
)


class TestSender(Protocol):
    """What a check of credentials needs from a client."""

    def send_events(self, account: Account, body: bytes, *, test: bool) -> EventsResponse:
        """Make one attempt to send a request of events."""


class AccountToken(NamedTuple):
    """An account with the token for its events, and the settings of both."""

    account: Account
    account_setting: str
    token_setting: str


def check_credentials(
    settings: Settings, now: Callable[[], float] = time.time
) -> Iterator[CheckResult]:
    """Yield the response for every ad account in the settings, and what is not tested, and why."""
    reason = _needless(settings)
    if reason:
        yield CheckResult(REQUEST, CheckStatus.SKIPPED, reason)
        return
    client = Client(
        settings.api_url,
        max_connections=1,
        timeout_seconds=min(settings.request_timeout_seconds, TIMEOUT_SECONDS),
    )
    try:
        for subject in account_tokens(settings):
            yield from check_account_token(client, subject, now())
    finally:
        client.close()
    for number in _unnamed(settings):
        yield CheckResult(
            ACCOUNT,
            CheckStatus.SKIPPED,
            f"mappings[{number}].ad_account_id is an expression: its accounts are named by records",
        )


def check_account_token(client: TestSender, subject: AccountToken, now: float) -> list[CheckResult]:
    """Send one test request and return its results; `now` is Unix seconds."""
    answer = client.send_events(
        subject.account, b'{"data":[' + made_up_event(now) + b"]}", test=True
    )
    return findings_of(answer, subject)


def made_up_event(now: float) -> bytes:
    """Return the JSON of the test event: an invented visit to example.com, just now."""
    return encode(
        {
            "event_name": "page_visit",
            "action_source": "web",
            "event_time": int(now),
            "event_id": f"pinterest-capi-check-{int(now)}",
            "event_source_url": "https://example.com/",
            "user_data": {"em": [digest(WHOSE)]},
        }
    )


def account_tokens(settings: Settings) -> list[AccountToken]:
    """Return every pair of account and token once, in the configuration's order.

    Accounts that only records name are not included.
    """
    found: dict[tuple[str, str], AccountToken] = {}
    given = settings.mappings
    entries = (
        [("", None)]
        if given is None
        else [(f"mappings[{number}].", entry) for number, entry in enumerate(given)]
    )
    for where, entry in entries:
        own_account = entry.ad_account_id if entry is not None else None
        own_token = entry.conversion_token if entry is not None else None
        token = own_token or settings.conversion_token
        if token is None or (own_account is not None and not own_account.isdigit()):
            continue
        key = (own_account or settings.ad_account_id, token.get_secret_value())
        shared = "conversion_token_file" if settings.conversion_token_file else "conversion_token"
        found.setdefault(
            key,
            AccountToken(
                Account(*key),
                f"{where}ad_account_id" if own_account else "ad_account_id",
                f"{where}conversion_token_file" if own_token else shared,
            ),
        )
    return list(found.values())


def findings_of(answer: EventsResponse, subject: AccountToken) -> list[CheckResult]:
    """Return what a response to the test request shows about connection, token and account."""
    number, words = subject.account.ad_account_id, _in_words(answer)
    answered = CheckResult(REQUEST, CheckStatus.OK, "Pinterest responded")
    no_account = CheckResult(
        ACCOUNT, CheckStatus.SKIPPED, f"{number} not checked: the token comes first"
    )
    nothing = [
        CheckResult(
            TOKEN, CheckStatus.SKIPPED, "not checked: this needs a response to the test request"
        ),
        no_account,
    ]
    if isinstance(answer, NoResponse):
        return [
            CheckResult(
                REQUEST,
                CheckStatus.FAILED,
                f"no response from Pinterest: {words}",
                _sentence(remedy(answer)),
            ),
            *nothing,
        ]
    if answer.status == HTTPStatus.UNAUTHORIZED:
        refused = f"Pinterest does not accept {subject.token_setting}: it {words}"
        return [
            answered,
            CheckResult(TOKEN, CheckStatus.FAILED, refused, TOKEN_ADVICE, TOKEN_PLACE),
            no_account,
        ]
    if answer.status == HTTPStatus.FORBIDDEN:
        known = CheckResult(TOKEN, CheckStatus.OK, f"Pinterest knows {subject.token_setting}")
        refused = (
            f"{number} ({subject.account_setting}) is not accessible with the token: Pinterest "
            f"{words}"
        )
        return [
            answered,
            known,
            CheckResult(ACCOUNT, CheckStatus.FAILED, refused, ACCOUNT_ADVICE, ACCOUNT_PLACE),
        ]
    if classify(answer, 1) is Decision.SETTLE and answer.body:
        return [
            _settled(answer.body[0], subject.account.token),
            CheckResult(TOKEN, CheckStatus.OK, f"Pinterest accepts {subject.token_setting}"),
            CheckResult(ACCOUNT, CheckStatus.OK, f"{number} is accessible with it"),
        ]
    return [
        CheckResult(
            REQUEST,
            CheckStatus.FAILED,
            f"the response shows nothing about token and ad account: the server {words}",
            _status_advice(answer),
        ),
        *nothing,
    ]


def _settled(event: EventStatus, token: str) -> CheckResult:
    """Return Pinterest's result for the test event, which may have a warning."""
    message = redact(event.error_message or event.warning_message or "", (token,))
    if event.status != "processed":
        return CheckResult(
            REQUEST,
            CheckStatus.WARNING,
            f"Pinterest responded, but failed the test event: {message}".removesuffix(": "),
        )
    if message:
        return CheckResult(
            REQUEST,
            CheckStatus.WARNING,
            f"Pinterest responded, with a warning about the test event: {message}",
        )
    return CheckResult(REQUEST, CheckStatus.OK, "Pinterest responded; nothing was recorded")


def _status_advice(answer: ApiResponse[Any]) -> str:
    """Return advice for a response that shows nothing about token and account."""
    waiting = remedy_by_waiting(answer, "check again")
    if waiting is not None:
        return waiting
    if answer.status in _REFUSALS:
        return REFUSED_ADVICE
    if rule_of(answer).remedy:
        return _sentence(remedy(answer))
    return NOT_PINTEREST_ADVICE


def _needless(settings: Settings) -> str:
    """Return why there is nothing to test, or ""."""
    if settings.mode == "dry_run":
        return "not sent: mode is dry_run. Use mode test or live to check token and account"
    if settings.mappings == ():
        return "not sent: mappings is empty, so no events are sent"
    return ""


def _unnamed(settings: Settings) -> list[int]:
    """Return the numbers of the mapping entries whose account an expression names."""

    def is_named(entry: MappingEntry) -> bool:
        return entry.ad_account_id is None or entry.ad_account_id.isdigit()

    return [number for number, entry in enumerate(settings.mappings or ()) if not is_named(entry)]


def _in_words(answer: EventsResponse) -> str:
    if isinstance(answer, NoResponse):
        return answer.message
    return f"returned {answer.status}{f' ({answer.message})' if answer.message else ''}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]

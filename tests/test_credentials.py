"""The test request: what is sent for whom, and what each response shows of token and account."""

import json
from pathlib import Path

import pytest
from members import list_settings

from given import ACCOUNT, TOKEN, settings_of
from shopper import digest
from target_pinterest_capi.checks import credentials as trial
from target_pinterest_capi.checks.result import CheckStatus
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.events.fields import FIELDS
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.settings import load

NOW = 1_772_452_800
SUBJECT = trial.AccountToken(Account(ACCOUNT, TOKEN), "ad_account_id", "conversion_token")
OK, FAILED, SKIPPED, WARNING = (
    CheckStatus.OK,
    CheckStatus.FAILED,
    CheckStatus.SKIPPED,
    CheckStatus.WARNING,
)


def listed(code: int, status: str = "processed", **messages: str) -> ApiResponse:
    return ApiResponse(code, [EventStatus(status, **messages)])


@pytest.mark.parametrize(
    ("answer", "marks", "words"),
    [
        (listed(200), (OK, OK, OK), "nothing was recorded"),
        (
            listed(200, warning_message="An odd page"),
            (WARNING, OK, OK),
            "warning about the test event: An odd page",
        ),
        (
            listed(422, status="failed", error_message="No such day"),
            (WARNING, OK, OK),
            "failed the test event: No such day",
        ),
        (listed(422, status="failed"), (WARNING, OK, OK), "failed the test event"),
        (ApiResponse(401, message="Who?"), (OK, FAILED, SKIPPED), "it returned 401 (Who?)"),
        (
            ApiResponse(403),
            (OK, OK, FAILED),
            f"{ACCOUNT} (ad_account_id) is not accessible with the token: Pinterest returned 403",
        ),
        (
            ApiResponse(400, message="Invalid request"),
            (FAILED, SKIPPED, SKIPPED),
            "ad_account_id and api_url",
        ),
        (ApiResponse(404), (FAILED, SKIPPED, SKIPPED), "check ad_account_id and api_url"),
        (ApiResponse(407), (FAILED, SKIPPED, SKIPPED), "HTTPS_PROXY"),
        (ApiResponse(307), (FAILED, SKIPPED, SKIPPED), "set api_url to the final address"),
        (ApiResponse(429, retry_after_seconds=7.0), (FAILED, SKIPPED, SKIPPED), "wait 7 seconds"),
        (ApiResponse(429), (FAILED, SKIPPED, SKIPPED), "wait a minute"),
        (ApiResponse(500), (FAILED, SKIPPED, SKIPPED), "check again in a few minutes"),
        (ApiResponse(503), (FAILED, SKIPPED, SKIPPED), "check again in a few minutes"),
        (
            ApiResponse(200),
            (FAILED, SKIPPED, SKIPPED),
            "a response of Pinterest has a status for each event",
        ),
        (
            ApiResponse(200, []),
            (FAILED, SKIPPED, SKIPPED),
            "a response of Pinterest has a status for each event",
        ),
        (
            NoResponse(NoResponseKind.NOT_SENT, "ConnectError"),
            (FAILED, SKIPPED, SKIPPED),
            "no response from Pinterest: ConnectError",
        ),
        (
            NoResponse(NoResponseKind.UNCERTAIN, "ReadError"),
            (FAILED, SKIPPED, SKIPPED),
            "network between here and api_url",
        ),
        (
            NoResponse(NoResponseKind.UNTRUSTED, "no trust"),
            (FAILED, SKIPPED, SKIPPED),
            "SSL_CERT_FILE",
        ),
    ],
)
def test_what_an_answer_shows(answer, marks, words):
    """Each response marks test request, token and account; a failure says why and what to do."""
    found = trial.findings_of(answer, SUBJECT)
    assert [(finding.step, finding.status) for finding in found] == list(
        zip(("test request", "token", "ad account"), marks, strict=True)
    )
    assert words in " ".join(f"{finding.message} {finding.advice}" for finding in found)
    assert all(finding.advice for finding in found if finding.status is FAILED)


@pytest.mark.parametrize("status", [*range(100, 600, 7), 401, 403])
def test_every_status_says_something(status):
    """Every status has a result: a response without the event's own status is never OK."""
    found = trial.findings_of(ApiResponse(status), SUBJECT)
    assert [finding.step for finding in found] == ["test request", "token", "ad account"]
    assert any(finding.status is FAILED for finding in found)


@pytest.mark.parametrize(
    ("status", "place"), [(401, "Generate new token"), (403, "address of Ads Manager")]
)
def test_a_refusal_says_where_in_pinterest(status, place):
    """Token and account are corrected on Pinterest's pages, and the result says on which."""
    (failed,) = [
        finding
        for finding in trial.findings_of(ApiResponse(status), SUBJECT)
        if finding.status is FAILED
    ]
    assert place in failed.place


def test_the_made_up_event_is_nobodys():
    """It has the required fields, the digest of an address at example.com, and the current time."""
    event = json.loads(trial.made_up_event(NOW))
    assert event["user_data"] == {"em": [digest("check@example.com")]}
    assert event["event_time"] == NOW
    assert {field.path for field in FIELDS if field.required} <= set(event)


def test_a_trial_records_nothing(sandbox):
    """One request with `test=true` and one event; the sandbox accepts it and stores nothing."""
    found = list(trial.check_credentials(settings_of(api_url=sandbox.url)))
    assert [finding.status for finding in found] == [OK, OK, OK]
    (request,) = sandbox.store.requests()
    assert (request.test, request.events, request.status) == (True, 1, 200)
    assert sandbox.store.events() == []


def test_one_attempt_is_enough(sandbox):
    """A temporary failure is not retried: a person waits for the result."""
    sandbox.faults.set([Fault("status", status=503)])
    found = list(trial.check_credentials(settings_of(api_url=sandbox.url)))
    assert found[0].status is FAILED
    assert len(sandbox.store.requests()) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mode": "dry_run"}, "mode is dry_run"),
        (list_settings(), "mappings is empty"),
    ],
)
def test_where_nothing_would_be_sent_nothing_is(sandbox, given, words):
    """A dry run, and a configuration without events, send no test request, and say so."""
    (only,) = trial.check_credentials(settings_of(api_url=sandbox.url, **given))
    assert only.status is SKIPPED
    assert words in only.message
    assert sandbox.store.requests() == []


def test_each_account_and_token_is_tried_once(sandbox, tmp_path: Path):
    """Accounts of mapping entries are tested with their own token, equal pairs once."""
    (tmp_path / "eu.token").write_text("another-token\n")
    entries = [
        {"stream": "a"},
        {"stream": "b", "ad_account_id": "77"},
        {"stream": "c", "ad_account_id": "77"},
        {"stream": "d", "ad_account_id": "77", "conversion_token_file": str(tmp_path / "eu.token")},
        {"stream": "e", "ad_account_id": "account"},
    ]
    settings = settings_of(api_url=sandbox.url, mappings=entries)
    subjects = trial.account_tokens(settings)
    assert [(one.account.ad_account_id, one.account.token, *one[1:]) for one in subjects] == [
        (ACCOUNT, TOKEN, "ad_account_id", "conversion_token"),
        ("77", TOKEN, "mappings[1].ad_account_id", "conversion_token"),
        ("77", "another-token", "mappings[3].ad_account_id", "mappings[3].conversion_token_file"),
    ]
    found = list(trial.check_credentials(settings))
    assert [finding.status for finding in found] == [
        OK,
        OK,
        OK,
        OK,
        OK,
        FAILED,
        OK,
        FAILED,
        SKIPPED,
        SKIPPED,
    ]
    assert "mappings[3].conversion_token_file" in found[7].message
    assert "mappings[4].ad_account_id is an expression" in found[9].message
    assert "another-token" not in repr(found)


def test_a_token_of_a_file_is_named_by_its_setting(tmp_path: Path):
    """The advice names the setting that was given."""
    (tmp_path / "token").write_text(TOKEN)
    settings = load({"ad_account_id": ACCOUNT, "conversion_token_file": str(tmp_path / "token")})
    assert [one.token_setting for one in trial.account_tokens(settings)] == [
        "conversion_token_file"
    ]

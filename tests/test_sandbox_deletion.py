"""The sandbox's deletion requests: permissions, contents, their status and pages."""

from functools import partial

import httpx
import pytest

from given import ACCOUNT, Clock
from target_pinterest_capi.sandbox import oauth
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.identifiers import digest

NOW = 1_780_000_000.0
HOUR = 3600
JANE = "jane@example.com"
PATH = f"/ad_accounts/{ACCOUNT}/conversion_deletion_requests"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def sandbox(start):
    return start()


def call(sandbox, method="POST", path="", *, token="sandbox-access-token", **given):
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, f"{sandbox.url}{PATH}{path}", headers=headers, **given)


def ask(sandbox, *emails: str, epiks: tuple[str, ...] = (), **given):
    targets = {"user_emails": list(emails), "epiks": list(epiks)}
    wanted = {name: held for name, held in targets.items() if held}
    return call(sandbox, json={"deletion_targets": wanted}, **given)


def test_request_is_pending_then_submitted(sandbox, clock: Clock):
    """The response is 201 without personal data, and the request is submitted after 72 hours."""
    made = ask(sandbox, JANE, epiks=("dj0yJnU9",))
    assert made.status_code == 201
    shown = made.json()
    assert shown["status"] == "PENDING"
    assert set(shown) == {"created_time", "processed_time", "request_id", "status"}
    clock.advance(72 * HOUR - 1)
    path = f"/{shown['request_id']}"
    assert call(sandbox, "GET", path).json() == shown
    clock.advance(1)
    later = call(sandbox, "GET", path).json()
    assert (later["status"], later["processed_time"] is None) == ("SUBMITTED", False)
    (held,) = sandbox.store.deletion_requests()
    assert (held.emails, held.click_ids) == ({digest(JANE)}, {digest("dj0yJnU9")})


def test_only_a_pending_request_is_cancelled(sandbox, clock: Clock):
    """It can be cancelled once; a submitted one stays."""
    first, second = (ask(sandbox, JANE).json()["request_id"] for _ in range(2))
    assert call(sandbox, "DELETE", f"/{first}").json()["status"] == "CANCELLED"
    assert call(sandbox, "DELETE", f"/{first}").status_code == 400
    clock.advance(72 * HOUR)
    assert call(sandbox, "DELETE", f"/{second}").status_code == 400
    statuses = [call(sandbox, "GET", f"/{one}").json()["status"] for one in (first, second)]
    assert statuses == ["CANCELLED", "SUBMITTED"]


def test_requests_come_in_pages(sandbox):
    """Following the bookmarks returns each request once, the latest first on request."""
    made = [ask(sandbox, JANE).json()["request_id"] for _ in range(5)]
    found, bookmark = [], {}
    while bookmark is not None:
        query = {"page_size": 2, "order": "DESCENDING", **bookmark}
        page = call(sandbox, "GET", params=query).json()
        found += [item["request_id"] for item in page["items"]]
        bookmark = {"bookmark": page["bookmark"]} if page["bookmark"] else None
    assert found == made[::-1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"deletion_targets": {}},
        {"deletion_targets": {"user_emails": []}},
        {"deletion_targets": {"user_emails": [JANE], "epiks": []}},
        {"deletion_targets": {"user_emails": ["Jane@example.com"]}},
        {"deletion_targets": {"user_emails": [digest(JANE)]}},
        {"deletion_targets": {"user_emails": [7]}},
        {"deletion_targets": {"epiks": [" "]}},
        {"deletion_targets": {"user_emails": [JANE], "phones": ["1"]}},
        {"deletion_targets": {"user_emails": [JANE]}, "why": "asked"},
        [],
    ],
)
def test_wrong_bodies(sandbox, body):
    """An undescribed or empty body, or one without an address, is refused without repeating it."""
    answer = call(sandbox, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert "xample" not in answer.text
    assert sandbox.store.deletion_requests() == []


@pytest.mark.parametrize(
    ("token", "scopes", "status", "code"),
    [
        ("sandbox-access-token", ("ads:read", "ads:write"), 201, None),
        ("sandbox-access-token", ("ads:read",), 401, 3),
        ("sandbox-token", ("ads:read", "ads:write"), 401, 3),
        ("unknown", ("ads:read", "ads:write"), 401, 2),
    ],
)
def test_requests_need_an_access_token_that_may_write(start, token, scopes, status, code):
    """The conversion token is refused, and so is an access token without ads:write."""
    sandbox = start(app=oauth.App(scopes=scopes))
    answer = ask(sandbox, JANE, token=token)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_beta_that_is_not_open(start):
    """If the beta is not open to the app, every method is a 403."""
    sandbox = start(has_deletion=False)
    given = [("POST", ""), ("GET", ""), ("GET", "/1"), ("DELETE", "/1")]
    answers = [call(sandbox, method, path, json={}) for method, path in given]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(403, 29)] * 4


@pytest.mark.parametrize(("path", "status"), [("/12", 404), ("/abc", 400), (f"/{'1' * 19}", 400)])
def test_requests_that_are_not_there(sandbox, path: str, status: int):
    """An unknown id is a 404, and an invalid one a 400, for reading and cancelling alike."""
    assert [call(sandbox, method, path).status_code for method in ("GET", "DELETE")] == [status] * 2


def test_another_account_has_requests_of_its_own(start):
    """A request of one ad account is unknown to another."""
    sandbox = start(tokens={"sandbox-token": (ACCOUNT, "7")})
    made = ask(sandbox, JANE).json()["request_id"]
    other = f"{sandbox.url}/ad_accounts/7/conversion_deletion_requests"
    get = partial(httpx.get, headers={"Authorization": "Bearer sandbox-access-token"})
    assert get(f"{other}/{made}").status_code == 404
    assert get(other).json() == {"items": [], "bookmark": None}


def test_lost_answer_leaves_the_request(sandbox):
    """A response that is lost after processing leaves a request that can be found."""
    sandbox.faults.set([Fault("drop_after", endpoint="conversion_deletion_requests", times=1)])
    with pytest.raises(httpx.HTTPError):
        ask(sandbox, JANE)
    assert len(call(sandbox, "GET").json()["items"]) == 1


def test_what_is_shown_under_sandbox(sandbox):
    """People and tests see the number of people and their digests; reset deletes them."""
    ask(sandbox, JANE, "joe@example.com")
    (shown,) = httpx.get(f"{sandbox.origin}/_sandbox/deletion_requests").json()
    assert (shown["status"], len(shown["emails"]), shown["click_ids"]) == ("PENDING", 2, [])
    assert sandbox.store.counters()["deletion_requests_created"] == 1
    httpx.post(f"{sandbox.origin}/_sandbox/reset")
    assert sandbox.store.deletion_requests() == []

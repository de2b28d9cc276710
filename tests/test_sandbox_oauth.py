"""The sandbox's OAuth.

Refreshing, rotation, expiry, scopes, refusals, faults, and the command's output about it.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_description import SCHEMAS
from given import Clock
from target_pinterest_capi.sandbox import oauth
from target_pinterest_capi.sandbox.answers import Request
from target_pinterest_capi.sandbox.faults import Fault

NOW = 1_780_000_000
DAY = 24 * 3600
ACCOUNT = "549755885175"
APP = oauth.App()
FIRST = oauth.DEFAULT_REFRESH_TOKEN
DIGEST = hashlib.sha256(b"jane@example.com").hexdigest()
CLIENT = httpx.Client(timeout=120)


@pytest.fixture(scope="module", autouse=True)
def closed_in_the_end() -> Iterator[None]:
    yield
    CLIENT.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


def refresh(
    sandbox, token=FIRST, *, client=(oauth.DEFAULT_CLIENT_ID, oauth.DEFAULT_CLIENT_SECRET), **more
):
    form = {"grant_type": "refresh_token", "refresh_token": token, **more}
    return CLIENT.post(f"{sandbox.url}/oauth/token", data=form, auth=client)


def lists(sandbox, token):
    return CLIENT.get(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/customer_lists",
        headers={"Authorization": f"Bearer {token}"},
    )


def send_event(sandbox, token):
    event = {
        "event_name": "signup",
        "action_source": "web",
        "event_time": NOW,
        "event_id": "1",
        "user_data": {"em": [DIGEST]},
    }
    return CLIENT.post(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/events",
        json={"data": [event]},
        headers={"Authorization": f"Bearer {token}"},
    )


def basic(name=oauth.DEFAULT_CLIENT_ID, password=oauth.DEFAULT_CLIENT_SECRET):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def form(**members):
    return urlencode(members).encode()


def answer(
    body=None,
    authorization=None,
    content_type="application/x-www-form-urlencoded",
    grants=oauth.NONE_YET,
    app=APP,
    now=NOW,
):
    body = form(grant_type="refresh_token", refresh_token=FIRST) if body is None else body
    return oauth.answer(
        Request("", basic() if authorization is None else authorization, body, content_type),
        app,
        now,
        grants,
    )


# ---- refreshing


def test_refreshing(start):
    """A refresh token returns an access token for lists, its scopes and time, and a successor."""
    sandbox = start()
    response = refresh(sandbox)
    assert response.status_code == 200
    got = response.json()
    assert (got["token_type"], got["expires_in"], got["scope"]) == (
        "bearer",
        30 * DAY,
        "ads:read ads:write",
    )
    assert (got["response_type"], got["refresh_token_expires_in"]) == ("refresh_token", 60 * DAY)
    assert got["refresh_token"] not in (FIRST, got["access_token"])
    assert lists(sandbox, got["access_token"]).status_code == 200
    assert lists(sandbox, got["refresh_token"]).status_code == 401


def test_rotation(start):
    """Each exchange replaces the refresh token: the old one is refused.

    Access tokens stay valid.
    """
    sandbox = start()
    first = refresh(sandbox).json()
    again = refresh(sandbox)
    assert (again.status_code, again.json()["code"]) == (401, 283)
    second = refresh(sandbox, first["refresh_token"]).json()
    assert refresh(sandbox, first["refresh_token"]).status_code == 401
    assert len({first["access_token"], second["access_token"]}) == 2
    assert [lists(sandbox, each["access_token"]).status_code for each in (first, second)] == [
        200,
        200,
    ]
    counters = sandbox.store.counters()
    assert (counters["tokens_issued"], counters["refresh_tokens_replaced"]) == (2, 2)


def test_without_rotation(start):
    """Without rotation the response has no refresh token, and the first one stays valid."""
    sandbox = start(app=oauth.App(rotate=False))
    answers = [refresh(sandbox) for _ in range(3)]
    assert [response.status_code for response in answers] == [200] * 3
    assert not any("refresh_token" in response.json() for response in answers)
    assert len({response.json()["access_token"] for response in answers}) == 3


@given(st.lists(st.booleans(), max_size=12))
def test_only_the_newest_refresh_token_is_good(old_ones):
    """In any sequence, the newest refresh token works once and every older one is refused."""
    grants, tokens = oauth.NONE_YET, [FIRST]
    for old in old_ones:
        token = tokens[0] if old and len(tokens) > 1 else tokens[-1]
        got = answer(form(grant_type="refresh_token", refresh_token=token), grants=grants)
        assert (got.status == 200) == (token == tokens[-1])
        if got.status == 200:
            grants = got.kept
            tokens.append(got.body["refresh_token"])
    assert grants.rotations == len(tokens) - 1


def test_access_tokens_expire(start, clock):
    """An access token expires: 401, and refreshing returns a valid one.

    The configured one does not expire.
    """
    sandbox = start(app=oauth.App(access_token_seconds=60))
    first = refresh(sandbox).json()
    clock.now += 59
    assert lists(sandbox, first["access_token"]).status_code == 200
    clock.now += 1
    expired = lists(sandbox, first["access_token"])
    assert (expired.status_code, expired.json()["code"]) == (401, 2)
    second = refresh(sandbox, first["refresh_token"]).json()
    assert lists(sandbox, second["access_token"]).status_code == 200
    assert lists(sandbox, oauth.DEFAULT_ACCESS_TOKEN).status_code == 200


def test_refresh_tokens_expire(start, clock):
    """A refresh token that was issued expires after its time; each exchange restarts it."""
    sandbox = start()
    token = refresh(sandbox).json()["refresh_token"]
    clock.now += 60 * DAY - 1
    token = refresh(sandbox, token).json()["refresh_token"]
    clock.now += 60 * DAY
    assert refresh(sandbox, token).status_code == 401


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ({}, "ads:read ads:write"),
        ({"scope": ""}, "ads:read ads:write"),
        ({"scope": "ads:read"}, "ads:read"),
        ({"scope": "ads:write,ads:read"}, "ads:write ads:read"),
    ],
)
def test_scopes_can_be_fewer(start, asked, granted):
    """An exchange may request some of the granted scopes; the access token has only these."""
    sandbox = start()
    got = refresh(sandbox, **asked).json()
    assert got["scope"] == granted
    assert send_event(sandbox, got["access_token"]).status_code == (
        200 if "ads:write" in granted else 401
    )


# ---- signing in

REDIRECT = "http://localhost:8086/"
ASKED = {
    "client_id": oauth.DEFAULT_CLIENT_ID,
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "ads:read,ads:write",
    "state": "a state & more",
}


def ask(sandbox, **changes):
    query = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    return CLIENT.get(f"{sandbox.origin}/oauth/", params=query)


def press(sandbox, button, headers=None, **changes):
    """Return the query of the redirect from the consent page."""
    led = CLIENT.post(
        f"{sandbox.origin}/oauth/",
        params={**ASKED, **changes},
        data={"answer": button},
        headers=headers,
    )
    assert led.status_code == 303
    assert led.headers["location"].startswith(ASKED["redirect_uri"])
    return dict(parse_qsl(urlsplit(led.headers["location"]).query))


def exchange(sandbox, code, redirect_uri=REDIRECT, **more):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return CLIENT.post(
        f"{sandbox.url}/oauth/token",
        data={**form, **more},
        auth=(oauth.DEFAULT_CLIENT_ID, oauth.DEFAULT_CLIENT_SECRET),
    )


def test_signing_in(start):
    """A consent returns a code, the code returns tokens, and the refresh token can be used."""
    sandbox = start()
    page = ask(sandbox)
    assert (page.status_code, "ads:write" in page.text) == (200, True)
    led = press(sandbox, "allow")
    assert led["state"] == ASKED["state"]
    got = exchange(sandbox, led["code"], continuous_refresh="true").json()
    assert (got["response_type"], got["scope"]) == ("authorization_code", "ads:read ads:write")
    assert lists(sandbox, got["access_token"]).status_code == 200
    assert refresh(sandbox).status_code == 401
    assert refresh(sandbox, got["refresh_token"]).status_code == 200


def test_denying(start):
    """A user who denies is sent back to the app with the reason and without a code."""
    sandbox = start()
    assert press(sandbox, "deny") == {"error": "access_denied", "state": ASKED["state"]}
    assert sandbox.store.grants() == oauth.NONE_YET


def test_a_code_is_good_once_and_for_ten_minutes(start, clock):
    """A code that is used, expired, invented or for another address returns nothing."""
    sandbox = start()
    used, old = (press(sandbox, "allow")["code"] for _ in range(2))
    assert exchange(sandbox, used, "http://localhost:1/").status_code == 400
    assert exchange(sandbox, used).status_code == 200
    clock.now += 600
    answers = [exchange(sandbox, code) for code in (used, old, "sandbox-code-3", "made-up", "")]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(401, 283)] * 5
    assert sandbox.store.counters()["tokens_issued"] == 1


def test_fewer_scopes_are_fewer_from_then_on(start):
    """The tokens may do what was consented to, and so may refreshed ones."""
    sandbox = start()
    code = press(sandbox, "allow", scope="ads:read")["code"]
    got = exchange(sandbox, code).json()
    again = refresh(sandbox, got["refresh_token"]).json()
    assert (got["scope"], again["scope"]) == ("ads:read", "ads:read")
    assert send_event(sandbox, again["access_token"]).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "other"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://example.com/"},
        {"redirect_uri": "http://localhost.example.com/"},
        {"redirect_uri": "http://[::1/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"scope": None},
        {"scope": "ads:read,billing:write"},
    ],
)
def test_consents_that_nobody_is_asked_for(start, changes):
    """An invalid address leads to an error on the page, and to no redirect."""
    page = ask(start(), **changes)
    assert page.status_code == 400
    assert "Invalid request" in page.text
    assert "<form" not in page.text


def test_registered_redirects_are_the_only_ones(start):
    """For an app with registered addresses any other one is refused, however similar."""
    sandbox = start(app=oauth.App(redirect_uris=(REDIRECT,)))
    assert ask(sandbox).status_code == 200
    assert ask(sandbox, redirect_uri="http://localhost:8086").status_code == 400


def test_another_page_cannot_press_the_button(start):
    """A form of another origin, or of a public host name, is refused."""
    sandbox = start()
    for headers in ({"Origin": "https://example.com"}, {"Host": "sandbox.example.com"}):
        answer = CLIENT.post(
            f"{sandbox.origin}/oauth/", params=ASKED, data={"answer": "allow"}, headers=headers
        )
        assert answer.status_code == 403
    assert sandbox.store.grants().codes == ()


def test_what_an_app_says_is_text(start):
    """An app's name is shown as text, never as markup."""
    sandbox = start(app=oauth.App(client_id="<script>alert(1)</script>"))
    page = ask(sandbox, client_id="<script>alert(1)</script>")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("token", "scopes", "status"),
    [
        ("sandbox-access-token", ("ads:read", "ads:write"), 200),
        ("sandbox-access-token", ("ads:read",), 401),
        ("sandbox-token", ("ads:read", "ads:write"), 401),
        ("unknown", ("ads:read", "ads:write"), 401),
    ],
)
def test_conversion_tokens(start, token, scopes, status):
    """An access token with ads:write creates a conversion token, which sends events."""
    sandbox = start(app=oauth.App(scopes=scopes))
    got = CLIENT.post(
        f"{sandbox.url}/oauth/conversion_token", headers={"Authorization": f"Bearer {token}"}
    )
    assert got.status_code == status
    if status == 200:
        assert got.json()["token_type"] == "conversion"
        assert send_event(sandbox, got.json()["access_token"]).status_code == 200


# ---- what a token opens


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["ads:write"], 200), (["ads:read", "ads:write"], 200), (["ads:read"], 401)],
)
def test_an_access_token_sends_events(start, scopes, status):
    """An access token with ads:write works for events like a conversion token.

    Without, it is a 401 with code 3.
    """
    sandbox = start(app=oauth.App(scopes=scopes))
    response = send_event(sandbox, oauth.DEFAULT_ACCESS_TOKEN)
    assert response.status_code == status
    assert len(sandbox.store.events()) == (status == 200)
    assert status == 200 or response.json()["code"] == 3


@pytest.mark.parametrize(
    "token",
    [
        "sandbox-token",
        FIRST,
        oauth.DEFAULT_CLIENT_SECRET,
        "sandbox-access-token-0",
        "sandbox-access-token-01",
        "sandbox-access-token-2",
        "sandbox-access-token--1",
    ],
)
def test_tokens_that_are_none(start, token):
    """No conversion token, refresh token, secret or unknown token opens the lists."""
    sandbox = start()
    refresh(sandbox)
    assert lists(sandbox, token).status_code == 401


def test_reset_starts_anew(start):
    """Reset deletes the issued tokens: the first refresh token is the current one again."""
    sandbox = start()
    old = refresh(sandbox).json()
    CLIENT.post(f"{sandbox.origin}/_sandbox/reset")
    assert lists(sandbox, old["access_token"]).status_code == 401
    assert refresh(sandbox, old["refresh_token"]).status_code == 401
    assert refresh(sandbox).status_code == 200


# ---- refusals


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer sandbox-access-token",
        "Basic",
        "Basic ???",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        basic(name="other"),
        basic(password="other"),
        basic(password=""),
        "Basic " + base64.b64encode(b"sandbox-client").decode(),
    ],
)
def test_clients_that_are_none(authorization):
    """Without the app's id and secret the response is a 401, without any of them."""
    got = answer(authorization=authorization)
    assert (got.status, got.body) == (401, {"code": 2, "message": "Authentication failed."})
    assert got.kept is None


def test_credentials_may_be_encoded():
    """Form-encoded credentials, as in RFC 6749, are accepted as well as plain ones."""
    app = oauth.App(client_id="a:b", client_secret="s%cret +/=")
    encoded = basic(quote(app.client_id, safe=""), quote(app.client_secret, safe=""))
    assert answer(authorization=encoded, app=app).status == 200
    plain = oauth.App(client_id="ab", client_secret="s%cret:+/=")
    assert answer(authorization=basic("ab", plain.client_secret), app=plain).status == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"grant_type", "application/x-www-form-urlencoded"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (form(grant_type="password", refresh_token=FIRST), "application/x-www-form-urlencoded"),
        (form(grant_type="client_credentials"), "application/x-www-form-urlencoded"),
        (form(refresh_token=FIRST), "application/x-www-form-urlencoded"),
        (form(grant_type="refresh_token"), "application/x-www-form-urlencoded"),
        (form(grant_type="refresh_token", refresh_token=""), "application/x-www-form-urlencoded"),
        (
            form(grant_type="refresh_token", refresh_token=FIRST) + b"&refresh_token=x",
            "application/x-www-form-urlencoded",
        ),
        (
            form(grant_type="refresh_token", refresh_token=FIRST, scope="billing:read"),
            "application/x-www-form-urlencoded",
        ),
        (form(grant_type="refresh_token", refresh_token=FIRST), "application/json"),
        (form(grant_type="refresh_token", refresh_token=FIRST), ""),
        (
            json.dumps({"grant_type": "refresh_token", "refresh_token": FIRST}).encode(),
            "application/x-www-form-urlencoded",
        ),
    ],
)
def test_wrong_forms(body, content_type):
    """An invalid form or an unknown grant is a 400 without tokens."""
    got = answer(body, content_type=content_type)
    assert (got.status, got.body["code"]) == (400, 400)
    assert got.kept is None


def test_a_refused_refresh_token_is_echoed_but_not_remembered(start):
    """A refused refresh token is repeated in the message, for redaction, and shown nowhere else."""
    sandbox = start()
    response = refresh(sandbox, "secret-of-somebody")
    assert response.json()["code"] == 283
    assert "secret-of-somebody" in response.json()["message"]
    (row,) = sandbox.store.requests()
    assert (row.endpoint, row.method, row.status, row.ad_account_id) == ("oauth", "POST", 401, "")
    assert row.refused == "The authorization grant is invalid"


def test_no_token_is_kept(start):
    """No token or credential is in anything that the sandbox shows or remembers of grants."""
    sandbox = start()
    got = refresh(sandbox).json()
    lists(sandbox, got["access_token"])
    refresh(sandbox, "wrong-token", client=("wrong-client", "wrong-secret"))
    shown = repr(sandbox.store.grants()) + "".join(
        CLIENT.get(f"{sandbox.origin}/_sandbox/{page}").text
        for page in ("", "events", "requests", "lists", "counters", "faults")
    )
    assert "oauth" in shown
    secrets = (
        got["access_token"],
        got["refresh_token"],
        FIRST,
        oauth.DEFAULT_CLIENT_SECRET,
        "wrong-token",
        "wrong-secret",
    )
    assert not [secret for secret in secrets if secret in shown]


def test_app_hides_its_secrets():
    """The app's repr shows its id and no secret."""
    assert "sandbox-client" in repr(APP)
    assert not any(
        secret in repr(APP) for secret in (APP.client_secret, APP.refresh_token, APP.access_token)
    )


def test_rate_limit(start, clock):
    """Exchanges have their own limit.

    Beyond it: 429, without any token or replacement.
    """
    sandbox = start(reads_per_minute=1)
    token = refresh(sandbox).json()["refresh_token"]
    refused = refresh(sandbox, token)
    assert (
        refused.status_code,
        refused.json()["code"],
        refused.headers["X-RateLimit-Remaining"],
    ) == (429, 8, "0")
    clock.now += 60
    assert refresh(sandbox, token).status_code == 200


# ---- faults


def test_a_lost_answer_takes_the_refresh_token_along(start):
    """An exchange that is dropped after processing has replaced the refresh token by a lost one."""
    sandbox = start(faults=(Fault("drop_after", endpoint="oauth", times=1),))
    assert lists(sandbox, oauth.DEFAULT_ACCESS_TOKEN).status_code == 200
    with pytest.raises(httpx.TransportError):
        refresh(sandbox)
    assert refresh(sandbox).status_code == 401
    assert sandbox.store.counters()["refresh_tokens_replaced"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503, endpoint="oauth", times=1),
        Fault("drop_before", endpoint="oauth", times=1),
    ],
)
def test_a_lost_request_takes_nothing(start, fault):
    """A fault before processing replaces nothing, and the exchange can be repeated."""
    sandbox = start(faults=(fault,))
    try:
        assert refresh(sandbox).status_code == 503
    except httpx.TransportError:
        assert fault.fault == "drop_before"
    assert refresh(sandbox).status_code == 200


# ---- the description and the command


def test_answers_are_the_description():
    """A response has every described member.

    Members about a new refresh token, which the description has only in prose, are added.
    """
    described = SCHEMAS["OauthAccessTokenResponse"]["properties"]
    assert set(answer(app=oauth.App(rotate=False)).body) == set(described)
    assert set(answer().body) - set(described) == {"refresh_token", "refresh_token_expires_in"}
    assert set(oauth.GRANT_TYPES) == set(
        SCHEMAS["OauthAccessTokenRequest"]["properties"]["grant_type"]["enum"]
    )


def test_command():
    """The command shows the app's credentials and takes its own, as well as the lists' limits."""
    arguments = [
        "--port=0",
        "--access-token=a-1",
        "--client-id=c-1",
        "--client-secret=s-1",
        "--refresh-token=r-1",
        "--rotate=never",
        "--access-token-seconds=7",
        "--write-limit=2",
        "--list-max-records=1",
        "--list-max-bytes=500",
        "--list-processing-seconds=0",
    ]
    code = "from target_pinterest_capi.cli.sandbox import sandbox\nsandbox()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if "Ctrl-C" in line:
                break
        given = [json.loads(line) for line in lines if line.startswith("{")]
        url = given[0]["api_url"]
        by_token, by_app = (each["oauth"] for each in given[1:])
        got = CLIENT.post(
            f"{url}/oauth/token",
            data={"grant_type": "refresh_token", "refresh_token": by_app["refresh_token"]},
            auth=(by_app["client_id"], by_app["client_secret"]),
        ).json()
        auth = {"Authorization": f"Bearer {by_token['access_token']}"}
        bodies = [
            {"name": "n", "records": records}
            for records in (DIGEST, f"{DIGEST},a@example.com", DIGEST)
        ]
        responses = [
            CLIENT.post(f"{url}/ad_accounts/{ACCOUNT}/customer_lists", json=body, headers=auth)
            for body in bodies
        ]
        process.terminate()
        _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert by_token == {"access_token": "a-1"}
    assert {name: by_app[name] for name in ("client_id", "client_secret", "refresh_token")} == {
        "client_id": "c-1",
        "client_secret": "s-1",
        "refresh_token": "r-1",
    }
    assert by_app["token_path"]
    assert got["expires_in"] == 7
    assert "refresh_token" not in got
    assert [response.status_code for response in responses] == [200, 400, 429]
    assert responses[0].json()["status"] == "TOO_SMALL"


@pytest.mark.parametrize(
    "arguments",
    [["--rotate=sometimes"], ["--access-token-seconds=0"], ["--list-processing-seconds=-1"]],
)
def test_command_refuses_wrong_options(arguments):
    """A wrong option is a sentence and exit code 2."""
    code = "from target_pinterest_capi.cli.sandbox import sandbox\nsandbox()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert arguments[0].partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr

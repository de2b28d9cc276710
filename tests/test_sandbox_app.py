"""The sandbox on its socket.

What it remembers, what it shows, how it starts and ends, and its command.
"""

import hashlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from given import Clock
from target_pinterest_capi.cli import sandbox as command
from target_pinterest_capi.sandbox import server
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

DIGEST = hashlib.sha256(b"jane@example.com").hexdigest()
NOW = 1_780_000_000
HOUR = 3600


def event(event_id="order-1", **changes):
    return {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": NOW,
        "event_id": event_id,
        "user_data": {"em": [DIGEST]},
        **changes,
    }


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


def send(sandbox, *events, account="549755885175", token="sandbox-token", query="", client=httpx):
    return client.post(
        f"{sandbox.url}/ad_accounts/{account}/events{query}",
        json={"data": list(events)},
        headers={"Authorization": f"Bearer {token}"},
    )


# ---- what it remembers


def test_events_are_kept_whole(start):
    """Each event is stored as it came, in order, with its request's number and its outcome."""
    sandbox = start()
    first = event(
        "a",
        custom_data={"value": "19.90", "contents": [{"id": "ü", "quantity": 2}]},
        opt_out=False,
        language=None,
    )
    send(sandbox, first, event("b"))
    send(sandbox, event("c", user_data={}), event("d", event_name="own"))
    assert [
        (row.request, row.position, row.event["event_id"]) for row in sandbox.store.events()
    ] == [
        (1, 0, "a"),
        (1, 1, "b"),
        (2, 1, "d"),
    ]
    assert sandbox.store.events()[0].event == first
    assert list(sandbox.store.events()[0].event) == list(first)
    assert sandbox.store.events()[2].warning
    (failed,) = sandbox.store.events("failed")
    assert (failed.event["event_id"], failed.position, bool(failed.error)) == ("c", 0, True)
    assert len(sandbox.store.events(None)) == 4


def test_requests_are_kept(start):
    """Each request leaves one row: its number, account, status, events, and why it was refused."""
    sandbox = start()
    send(sandbox, event("a"), event("b", user_data={}))
    send(sandbox, event(unknown=1))
    send(sandbox, event(), token="wrong")
    good, bad, unauthorized = sandbox.store.requests()
    assert (good.number, good.status, good.events, good.processed, good.failed, good.refused) == (
        1,
        422,
        2,
        1,
        1,
        "",
    )
    assert (good.endpoint, good.ad_account_id, good.at, good.test, good.faults) == (
        "events",
        "549755885175",
        NOW,
        False,
        (),
    )
    assert (bad.number, bad.status, bad.events) == (2, 400, 0)
    assert "'unknown' was unexpected" in bad.refused
    assert (unauthorized.number, unauthorized.status, unauthorized.refused) == (
        3,
        401,
        "Authentication failed.",
    )


def test_no_token_is_kept(start):
    """No token, right or wrong, is in anything that the sandbox shows."""
    sandbox = start(tokens={"right-token": ("1",)})
    for token in ("right-token", "wrong-token"):
        send(sandbox, event(), token=token, account="1")
    shown = "".join(
        httpx.get(f"{sandbox.origin}/_sandbox/{page}").text
        for page in ("", "events", "requests", "counters", "faults")
    )
    assert "order-1" in shown
    assert "right-token" not in shown
    assert "wrong-token" not in shown


def test_test_requests_record_nothing(start):
    """A test request leaves its row and no event, and does not make a later event a duplicate."""
    sandbox = start()
    assert send(sandbox, event(), query="?test=true").status_code == 200
    assert sandbox.store.events(None) == []
    (row,) = sandbox.store.requests()
    assert (row.test, row.status, row.events) == (True, 200, 1)
    send(sandbox, event())
    assert sandbox.store.counters() == {
        "events_processed": 1,
        "events_received": 1,
        "most_in_flight": 1,
        "requests": 2,
        "status_200": 2,
        "test_requests": 1,
    }


@pytest.mark.parametrize(
    ("first", "second", "hours", "duplicates"),
    [
        ({}, {}, 0, 1),
        ({}, {}, 23, 1),
        ({}, {}, 24, 0),
        ({}, {"event_name": "signup"}, 0, 0),
        ({}, {"event_id": "order-2"}, 0, 0),
        ({}, {"user_data": {"hashed_maids": [DIGEST]}}, 0, 1),
        ({"action_source": "offline"}, {"action_source": "offline"}, 0, 0),
        ({"action_source": "offline"}, {}, 0, 0),
        ({"user_data": {}}, {}, 0, 0),
    ],
)
def test_duplicates(start, clock, *, first, second, hours, duplicates):
    """The same event_id and event_name within 24 hours is processed again but counted as removed.

    Offline events never are.
    """
    sandbox = start()
    send(sandbox, event() | first)
    clock.now += hours * HOUR
    assert send(sandbox, event() | second).json()["num_events_processed"] == 1
    assert sandbox.store.counters().get("duplicates", 0) == duplicates
    assert [row.duplicate for row in sandbox.store.events()][-1] == bool(duplicates)


def test_duplicates_within_a_request_and_across_accounts(start):
    """Duplicates are found within a request too, and each ad account has its own."""
    sandbox = start(tokens={"sandbox-token": ("1", "2")})
    send(sandbox, event(), event(), account="1")
    send(sandbox, event(), account="2")
    assert [row.duplicate for row in sandbox.store.events()] == [False, True, False]
    assert sandbox.store.event_ids() == {"order-1": 3}


def test_old_duplicates_are_forgotten(start, clock):
    """After 24 hours an event counts again, and a repetition is a duplicate of that one."""
    sandbox = start()
    for hours in (0, 25, 40):
        clock.now = NOW + hours * HOUR
        send(sandbox, event())
    assert [row.duplicate for row in sandbox.store.events()] == [False, False, True]


def test_memory_is_bounded(start):
    """Only the latest events and requests are kept, while the counters count all."""
    sandbox = start(keep_events=3)
    for number in range(5):
        send(sandbox, event(f"a{number}"), event(f"b{number}"))
    assert [row.event["event_id"] for row in sandbox.store.events()] == ["b3", "a4", "b4"]
    assert [row.number for row in sandbox.store.requests()] == [3, 4, 5]
    counters = sandbox.store.counters()
    assert (counters["events_processed"], counters["requests"]) == (10, 5)


def test_memory_can_be_off(start):
    """With nothing kept, the counters still count."""
    sandbox = start(keep_events=0)
    send(sandbox, event(), event())
    assert (sandbox.store.events(), sandbox.store.requests()) == ([], [])
    assert sandbox.store.counters()["events_processed"] == 2


def test_recorded_bodies(start, tmp_path):
    """Bodies of accepted requests, test ones too, are appended to a private file, one per line."""
    path = tmp_path / "bodies.jsonl"
    path.write_text('{"data": "of an earlier run"}\n')
    path.chmod(0o600)
    sandbox = start(record_bodies=path)
    url, auth = (
        f"{sandbox.url}/ad_accounts/549755885175/events",
        {"Authorization": "Bearer sandbox-token"},
    )
    pretty = json.dumps({"data": [event("a")]}, indent=2).replace("\n", "\r\n")
    httpx.post(url, content=pretty, headers={**auth, "Content-Type": "application/json"})
    send(sandbox, event("b"), query="?test=true")
    send(sandbox, event("c"), event("d", user_data={}))
    send(sandbox, event("e"), event("f", unknown=1))
    lines = path.read_text().splitlines()
    assert [[each["event_id"] for each in json.loads(line)["data"]] for line in lines[1:]] == [
        ["a"],
        ["b"],
        ["c", "d"],
    ]


def test_recorded_bodies_are_private(start, tmp_path):
    """A new file of bodies can be read by its owner only."""
    start(record_bodies=tmp_path / "bodies.jsonl")
    assert stat.S_IMODE((tmp_path / "bodies.jsonl").stat().st_mode) == 0o600


def test_many_at_once(start):
    """Requests that overlap are each counted once, with their own number.

    The highest number at once is counted too.
    """
    sandbox = start()
    with ThreadPoolExecutor(8) as pool, httpx.Client() as client:
        statuses = list(
            pool.map(lambda n: send(sandbox, event(f"e{n}"), client=client).status_code, range(80))
        )
    assert statuses == [200] * 80
    assert sandbox.store.event_ids() == {f"e{n}": 1 for n in range(80)}
    assert sorted(row.number for row in sandbox.store.requests()) == list(range(1, 81))
    assert 1 <= sandbox.store.counters()["most_in_flight"] <= 8


def test_rate_limit(start, clock):
    """Beyond the calls per minute an account gets 429 until the reset of the headers."""
    sandbox = start(calls_per_minute=2, tokens={"sandbox-token": ("1", "2")})
    responses = [send(sandbox, event(), account="1") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[2].json()["code"] == 8
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    assert [responses[2].headers[name] for name in names] == [
        '2, 2;w=60;name="ads_conversions_ad_account_id"',
        "0",
        "60",
    ]
    assert "Retry-After" not in responses[2].headers
    assert send(sandbox, event(), account="2").status_code == 200
    clock.now += 60
    assert send(sandbox, event(), account="1").status_code == 200


def test_a_full_batch(start):
    """A request of 1,000 events is accepted."""
    sandbox = start()
    response = send(sandbox, *[event(f"e{n}") for n in range(1000)])
    assert response.json()["num_events_processed"] == 1000
    assert len(sandbox.store.event_ids()) == 1000


def test_a_client_that_hangs_up(start, capfd):
    """An incomplete request leaves no row and no log line, and the next one is served."""
    sandbox = start()
    head = (
        b"POST /v5/ad_accounts/549755885175/events HTTP/1.1\r\n"
        b"Host: localhost\r\nContent-Length: 100\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", sandbox.port)) as client:
        client.sendall(head + b'{"data"')
        client.shutdown(socket.SHUT_WR)
        client.recv(1000)
    assert send(sandbox, event()).status_code == 200
    assert [row.number for row in sandbox.store.requests()] == [1]
    assert capfd.readouterr().err == ""


# ---- what it shows


def test_pages(start):
    """Received events can be read over HTTP: all, by status, the last ones.

    And be deleted, except faults.
    """
    sandbox = start()
    send(sandbox, event("a"), event("b", user_data={}), event("c"))
    desk = f"{sandbox.origin}/_sandbox"

    def ids(query):
        return [row["event"]["event_id"] for row in httpx.get(f"{desk}/events{query}").json()]

    queries = (
        "",
        "?status=failed",
        "?status=all",
        "?limit=1",
        "?status=all&limit=2",
        "?limit=0",
        "?limit=x",
    )
    assert [ids(query) for query in queries] == [
        ["a", "c"],
        ["b"],
        ["a", "b", "c"],
        ["c"],
        ["b", "c"],
        [],
        ["a", "c"],
    ]
    assert [row["status"] for row in httpx.get(f"{desk}/requests").json()] == [422]
    assert httpx.get(f"{desk}/counters").json() == sandbox.store.counters()
    assert set(httpx.get(f"{desk}/").json()) >= {
        "/_sandbox/events",
        "/_sandbox/requests",
        "/_sandbox/counters",
        "/_sandbox/faults",
    }
    assert httpx.get(f"{desk}/reset").status_code == 405
    assert httpx.post(f"{desk}/reset").status_code == 200
    assert (sandbox.store.events(None), sandbox.store.requests(), sandbox.store.counters()) == (
        [],
        [],
        {},
    )
    send(sandbox, event())
    assert sandbox.store.requests()[0].number == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v5/ad_accounts/1/events", 405), ("POST", "/v5/pins", 404), ("GET", "/", 404)],
)
def test_other_addresses(start, method, path, status):
    """An unknown path is an error in Pinterest's form."""
    response = httpx.request(method, f"{start().origin}{path}")
    assert response.status_code == status
    assert set(response.json()) == {"code", "message"}


# ---- how it starts and ends


def test_starts_and_stops_fast():
    """A sandbox starts and stops without a wait, answers at once, and frees its port."""
    started = time.perf_counter()
    with Sandbox() as sandbox:
        port = sandbox.port
        assert sandbox.url == f"http://127.0.0.1:{port}/v5"
        assert httpx.get(f"{sandbox.origin}/_sandbox/counters").json() == {}
    with Sandbox(SandboxConfig(port=port)) as again:
        assert again.port == port
    assert time.perf_counter() - started < 10
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/")


def test_answers_are_not_held_back():
    """The listening socket names its protocol, without which asyncio leaves Nagle's algorithm on.

    40 ms for every answer.
    """
    with server._listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_several_at_once(start):
    """Sandboxes that run in parallel have their own addresses and memories."""
    one, two = start(), start()
    assert one.port != two.port
    send(one, event())
    assert (len(one.store.events()), len(two.store.events())) == (1, 0)


def test_one_sandbox_again():
    """The same sandbox can be entered again, and starts with an empty memory."""
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            assert send(sandbox, event(event_time=int(time.time()))).status_code == 200
            assert len(sandbox.store.events()) == 1


def test_a_taken_port(start):
    """A port in use is an OSError, at once."""
    with pytest.raises(OSError, match="in use"), Sandbox(SandboxConfig(port=start().port)):
        pytest.fail("two sandboxes on one port")


def test_a_file_that_cannot_be_written(tmp_path):
    """A file of bodies that cannot be opened is an OSError, and the port is free again."""
    with (
        pytest.raises(FileNotFoundError),
        Sandbox(SandboxConfig(record_bodies=tmp_path / "nowhere" / "bodies.jsonl")),
    ):
        pytest.fail("no such directory")


def test_signals_are_left_alone(start):
    """A sandbox in a test or a demo does not change the process's signal handlers."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    start()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


# ---- the command


def run(*arguments, before=""):
    code = f"{before}\nfrom target_pinterest_capi.cli.sandbox import sandbox\nsandbox()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def announced(process):
    """What the command prints until it is ready."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(lines)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_command(ending, tmp_path):
    """The command prints its address and how to use it, and ends on a signal with its counts."""
    with run(
        "--port=0",
        "--token=t-1",
        "--ad-account=7",
        "--fault=status:status=503,requests=2",
        f"--record-bodies={tmp_path / 'bodies'}",
    ) as process:
        text = announced(process)
        assert "t-1" in text
        settings = json.loads(
            next(line for line in text.splitlines() if line.strip().startswith("{"))
        )
        assert set(settings) == {"api_url", "ad_account_id", "conversion_token"}
        assert f"export TARGET_PINTEREST_CAPI_API_URL={settings['api_url']}" in text
        url = f"{settings['api_url']}/ad_accounts/{settings['ad_account_id']}/events"
        auth = {"Authorization": f"Bearer {settings['conversion_token']}"}
        body = {"data": [event(event_time=int(time.time()))]}
        assert [httpx.post(url, json=body, headers=auth).status_code for _ in range(2)] == [
            200,
            503,
        ]
        process.send_signal(ending)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert '"events_processed": 1' in out
    assert len((tmp_path / "bodies").read_text().splitlines()) == 1


def test_command_options():
    """Tokens, accounts, a limit, defined events and the response to mixed batches are options."""
    with run(
        "--port=0",
        "--token=a",
        "--token=b",
        "--ad-account=1",
        "--ad-account=2",
        "--rate-limit=2",
        "--defined-event=own",
        "--mixed-200",
        "--keep=1",
    ) as process:
        url = next(
            line.split()[-1] for line in announced(process).splitlines() if "listens" in line
        )
        now = int(time.time())
        responses = [
            httpx.post(
                f"{url}/ad_accounts/{account}/events",
                json={"data": events},
                headers={"Authorization": f"Bearer {token}"},
            )
            for token, account, events in (
                ("a", "1", [event(event_time=now, event_name="own")]),
                ("b", "2", [event(event_time=now), event(event_time=now, user_data={})]),
                ("b", "1", [event(event_time=now)]),
                ("b", "1", [event(event_time=now)]),
            )
        ]
        kept = httpx.get(f"{url.removesuffix('/v5')}/_sandbox/events").json()
        process.terminate()
        process.communicate(timeout=120)
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert not responses[0].json()["events"][0]["warning_message"]
    assert responses[1].json()["num_events_processed"] == 1
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fault=explode"], "there is no fault 'explode'"),
        (["--fault=status"], "fault status needs status"),
        (["--ad-account=acct-7"], "does not have 1 to 18 digits"),
        (["--port=99999"], "--port"),
    ],
)
def test_command_refuses_wrong_options(arguments, sentence):
    """A wrong option is one sentence and exit code 2; nothing starts."""
    with run(*arguments) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert sentence in err
    assert "Traceback" not in err


def test_command_on_a_taken_port():
    """A port in use is one sentence that names it, and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with run(f"--port={port}") as process:
            _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert (
        err
        == f"Error: The sandbox cannot start on 127.0.0.1 port {port}: Address already in use.\n"
    )


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_command_without_its_packages(package):
    """If the extra is not installed, the command says in a sentence what to install."""
    with run(before=f"import sys; sys.modules['{package}'] = None") as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "pip install 'target-pinterest-capi[sandbox]'" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("localhost", False),
        ("192.0.2.1", True),
        ("0.0.0.0", True),
    ],
)
def test_command_warns_about_other_hosts(capsys, host, warned):
    """An address that others can reach leads to a warning on stderr."""
    command._introduce(Sandbox(SandboxConfig(host=host)), ("sandbox-token",), ("549755885175",))
    assert ("Warning" in capsys.readouterr().err) == warned


# ---- what the documentation says

DOCS = (Path(__file__).parents[1] / "docs" / "sandbox.md").read_text()


def test_every_option_is_documented():
    """docs/sandbox.md has each option of the command."""
    table = DOCS.partition("| option |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(--[a-z0-9-]+)`", table)) >= {
        option.opts[0] for option in command.sandbox.params
    }


def test_documented_addresses(start):
    """Each address in docs/sandbox.md exists."""
    sandbox = start()
    addresses = set(re.findall(r"`GET (/_sandbox/[a-z]+)`", DOCS))
    assert len(addresses) >= 3
    assert {httpx.get(sandbox.origin + address).status_code for address in addresses} == {200}


def test_documented_example():
    """The example of docs/sandbox.md works as described, with a sender that retries."""

    def deliver_to(url):
        body = {"data": [event(event_time=int(time.time()))]}
        for _ in range(2):
            with suppress(httpx.TransportError):
                httpx.post(
                    f"{url}/ad_accounts/549755885175/events",
                    json=body,
                    headers={"Authorization": "Bearer sandbox-token"},
                )

    exec(DOCS.partition("```python\n")[2].partition("```")[0], {"deliver_to": deliver_to})

"""Faults on purpose.

How they are written, when they occur, and their effect on client and sandbox.
"""

import hashlib
import threading
import time
from collections import deque
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.faults import KINDS, Fault, FaultError, Script, parse
from target_pinterest_capi.sandbox.server import Sandbox

DIGEST = hashlib.sha256(b"jane@example.com").hexdigest()
NOW = 1_780_000_000


def event(event_id="order-1"):
    return {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": NOW,
        "event_id": event_id,
        "user_data": {"em": [DIGEST]},
    }


@pytest.fixture(scope="module")
def running():
    with Sandbox(SandboxConfig(clock=lambda: NOW)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.store.reset()
    running.faults.clear()
    yield running
    running.faults.clear()


@pytest.fixture
def send(sandbox):
    """Send one event for each id; return the response."""
    with httpx.Client(headers={"Authorization": "Bearer sandbox-token"}, timeout=120) as client:
        yield lambda *ids: client.post(
            f"{sandbox.url}/ad_accounts/549755885175/events",
            json={"data": [event(event_id) for event_id in ids or ("order-1",)]},
        )


# ---- how they are written


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("drop_before", Fault("drop_before")),
        ("drop_after:rate=0.05", Fault("drop_after", rate=0.05)),
        ("status:status=503", Fault("status", status=503)),
        ("status:status=503,requests=1-3+7", Fault("status", status=503, requests=(1, 2, 3, 7))),
        (
            "status: status=429, retry_after=2, reset=5, times=3",
            Fault("status", status=429, retry_after="2", reset="5", times=3),
        ),
        ("status:status=502,html=true", Fault("status", status=502, html=True)),
        (
            "latency:seconds=0.2,jitter=0.1,skip=2",
            Fault("latency", seconds=0.2, jitter=0.1, skip=2),
        ),
        ("poison:event_id=order-7", Fault("poison", event_id="order-7")),
        ("fail_event:event_id=a=b", Fault("fail_event", event_id="a=b")),
        (
            '{"fault": "status", "status": 429, "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}',
            Fault("status", status=429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
        ),
    ],
)
def test_written_on_a_command_line(spec, fault):
    """KIND[:NAME=VALUE,...], or a JSON object if a value has commas."""
    assert parse(spec) == fault


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("explode", "there is no fault 'explode'; there are: latency, status"),
        ("", "there is no fault ''"),
        ("status", "fault status needs status"),
        ("latency:jitter=1", "fault latency needs seconds"),
        ("poison", "fault poison needs event_id"),
        ("drop_after:seconds=1", "fault drop_after has no parameter seconds"),
        ("latency:seconds=1,minutes=1", "minutes"),
        ("latency:seconds=soon", "seconds"),
        ("latency:seconds=-1", "seconds must be from 0"),
        ("latency:seconds", "'seconds' is not name=value"),
        ("drop_after:rate=1.5", "rate must be from 0 to 1"),
        ("drop_after:rate=nan", "rate must be from 0 to 1"),
        ("status:status=99", "status must be from 200 to 599"),
        ("status:status=503,requests=0", "counted from 1"),
        ("status:status=503,requests=a", "does not have the form 1-3+7"),
        ("status:status=503,requests=1-999999999", "does not have the form 1-3+7"),
        ("{", "JSON"),
        ('{"fault": 3}', "fault"),
    ],
)
def test_wrongly_written(spec, complaint):
    """An impossible fault is refused with a sentence about the possible ones."""
    with pytest.raises(FaultError) as raised:
        parse(spec)
    assert complaint in str(raised.value)


EXAMPLES = {
    "latency": Fault("latency", seconds=0.01, jitter=0.01),
    "status": Fault("status", status=503),
    "poison": Fault("poison", event_id="order-1"),
    "fail_event": Fault("fail_event", event_id="order-1"),
    "drip": Fault("drip", seconds=0.001),
    "headers": Fault("headers", remaining=0, reset=9),
}


@pytest.mark.parametrize("kind", KINDS)
def test_survives_json(kind):
    """Every kind of fault survives a round trip through JSON."""
    script = Script((EXAMPLES.get(kind) or Fault(kind),), seed=5)
    assert msgspec.json.decode(msgspec.json.encode(script), type=Script) == script


# ---- when they strike


def struck_requests(fault, count=12, seed=0):
    faults = Faults([fault], seed)
    return [number for number in range(1, count + 1) if faults.plan().struck]


@pytest.mark.parametrize(
    ("selection", "struck"),
    [
        ({}, list(range(1, 13))),
        ({"requests": (2, 5)}, [2, 5]),
        ({"skip": 10}, [11, 12]),
        ({"times": 3}, [1, 2, 3]),
        ({"skip": 3, "times": 2}, [4, 5]),
        ({"requests": (2, 5, 7), "times": 2}, [2, 5]),
        ({"times": 0}, []),
        ({"rate": 0.0}, []),
    ],
)
def test_selection(selection, struck):
    """Requests are chosen by number, from a number on, a number of times."""
    assert struck_requests(Fault("drop_before", **selection)) == struck


def test_rate():
    """A rate affects about that share of requests, the same ones under the same seed."""
    fault = Fault("drop_after", rate=0.2)
    first = struck_requests(fault, 2000, seed=1)
    assert 300 < len(first) < 500
    assert struck_requests(fault, 2000, seed=1) == first
    assert struck_requests(fault, 2000, seed=2) != first


@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=6), st.integers(0, 99), st.floats(0, 1))
def test_a_plan_holds_together(kinds, seed, rate):
    """The same script leads to the same plans.

    At most one response replaces processing, and then nothing else is changed.
    """
    script = [
        msgspec.structs.replace(EXAMPLES.get(kind) or Fault(kind), rate=rate) for kind in kinds
    ]
    faults, again = Faults(script, seed), Faults(script, seed)
    for _ in range(10):
        plan = faults.plan()
        assert plan == again.plan()
        assert plan.before is None or (plan.after is None and not plan.marks and not plan.headers)
        assert set(plan.struck) <= set(kinds)
        assert (plan.delay_seconds > 0) == ("latency" in plan.struck)


def test_one_fault_does_not_move_another():
    """The draws of a fault do not depend on earlier faults."""
    alone = struck_requests(Fault("drop_before", rate=0.5), 50)
    faults = Faults([Fault("drop_before", rate=0.5), Fault("latency", seconds=1, rate=0.3)])
    assert [number for number in range(1, 51) if "drop_before" in faults.plan().struck] == alone


def test_one_answer_is_spoiled_once():
    """Of two faults for one response only the first occurs and is counted.

    One before processing has priority over both.
    """
    faults = Faults(
        [Fault("drip", seconds=1), Fault("drop_after"), Fault("drop_before", requests=(2,))]
    )
    assert [faults.plan().struck, faults.plan().struck] == [("drip",), ("drop_before",)]
    assert faults.struck() == {"drip": 1, "drop_after": 0, "drop_before": 1}


def test_setting_counts_anew():
    """Setting faults restarts the numbers of requests at 1 and resets all counts."""
    faults = Faults([Fault("drop_before", requests=(1,))])
    assert [bool(faults.plan().before), bool(faults.plan().before)] == [True, False]
    assert faults.struck() == {"drop_before": 1}
    faults.set([Fault("drop_before", requests=(1,))])
    assert faults.struck() == {"drop_before": 0}
    assert faults.plan().before
    faults.clear()
    assert faults.plan().before is None


def test_jitter():
    """Latency is its seconds plus up to its jitter."""
    faults = Faults([Fault("latency", seconds=1, jitter=0.5)])
    delays = [faults.plan().delay_seconds for _ in range(50)]
    assert all(1 <= delay < 1.5 for delay in delays)
    assert len(set(delays)) > 40


# ---- what a client sees, and what the sandbox holds of it


@pytest.mark.parametrize(
    ("fault", "error", "processed"),
    [
        (Fault("drop_before"), (httpx.RemoteProtocolError, httpx.ReadError), 0),
        (Fault("drop_after"), (httpx.RemoteProtocolError, httpx.ReadError), 1),
        (Fault("truncated"), (httpx.RemoteProtocolError,), 1),
    ],
)
def test_lost_connections(sandbox, send, fault, error, processed):
    """The connection is really closed.

    The client gets no complete response, whether the events were processed or not.
    """
    sandbox.faults.set([msgspec.structs.replace(fault, times=1)])
    with pytest.raises(error):
        send()
    assert len(sandbox.store.events()) == processed
    (row,) = sandbox.store.requests()
    assert (row.status, row.processed, row.faults) == (None, processed, (fault.fault,))
    assert send().status_code == 200


def test_truncated_breaks_off_in_the_body(sandbox):
    """A truncated response has its headers with its full length, and half of its body."""
    sandbox.faults.set([Fault("truncated")])
    url = f"{sandbox.url}/ad_accounts/549755885175/events"
    got = bytearray()
    with (
        httpx.Client() as client,
        client.stream(
            "POST", url, json={"data": [event()]}, headers={"Authorization": "Bearer sandbox-token"}
        ) as response,
    ):
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            deque(map(got.extend, response.iter_raw()))  # read to the end
    assert len(got) == int(response.headers["Content-Length"]) // 2 > 0


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "processed"),
    [
        (Fault("status", status=500), 500, "application/json", 0),
        (Fault("status", status=503), 503, "application/json", 0),
        (Fault("status", status=502, html=True), 502, "text/html; charset=utf-8", 0),
        (Fault("status", status=204), 204, None, 0),
        (Fault("redirect"), 307, None, 0),
        (Fault("poison", event_id="order-1"), 400, "application/json", 0),
        (Fault("fail_event", event_id="order-1"), 422, "application/json", 0),
        (Fault("wrong_count"), 200, "application/json", 1),
        (Fault("empty_body"), 200, "application/json", 1),
        (Fault("not_json"), 200, "text/html; charset=utf-8", 1),
        (Fault("drip", seconds=0.0005), 200, "application/json", 1),
        (Fault("headers", reset=9), 200, "application/json", 1),
        (Fault("latency", seconds=0.001), 200, "application/json", 1),
    ],
)
def test_answers(sandbox, send, *, fault, status, content_type, processed):
    """Each fault with a response has its status, and processes its events or not, as it says.

    The row names the fault.
    """
    sandbox.faults.set([fault])
    response = send()
    assert (response.status_code, response.headers.get("Content-Type")) == (status, content_type)
    assert len(sandbox.store.events()) == processed
    (row,) = sandbox.store.requests()
    assert (row.status, row.processed, row.faults) == (status, processed, (fault.fault,))
    assert sandbox.faults.struck() == {fault.fault: 1}
    assert sandbox.store.counters()[f"fault_{fault.fault}"] == 1


def test_spoiled_bodies(sandbox, send):
    """The bodies are wrong in the way of their fault.

    An entry missing, at the top or under details; nothing; a page.
    """
    sandbox.faults.set([Fault("wrong_count")])
    listed = send("a", "b").json()
    assert (len(listed["events"]), listed["num_events_received"]) == (1, 2)
    sandbox.faults.set([Fault("wrong_count"), Fault("fail_event", event_id="c")])
    listed = send("c", "d").json()["details"]
    assert (len(listed["events"]), listed["num_events_received"]) == (1, 2)
    sandbox.faults.set([Fault("empty_body")])
    assert send().content == b""
    sandbox.faults.set([Fault("not_json")])
    assert send().text.startswith("<!doctype html>")


def test_status_headers(sandbox, send):
    """A status has the given waiting times, seconds or a date, and the message."""
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    sandbox.faults.set(
        [Fault("status", status=429, retry_after=date, remaining=0, reset=7, message="Slow down.")]
    )
    response = send()
    assert response.json() == {"code": 8, "message": "Slow down."}
    names = ("Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    assert [response.headers.get(name) for name in names] == [date, "0", "7"]


def test_headers_of_an_ordinary_answer(sandbox, send):
    """The rate limit's headers of a success can differ from the rules."""
    sandbox.faults.set([Fault("headers", remaining=0, reset=30, retry_after=30)])
    response = send()
    assert response.status_code == 200
    assert response.headers["X-RateLimit-Remaining"] == "0"
    assert response.headers["X-RateLimit-Reset"] == "30"
    assert response.headers["Retry-After"] == "30"
    assert response.headers["X-RateLimit-Limit"].startswith("5000, ")


def test_poison_and_failing_events(sandbox, send):
    """Poison refuses every request with the event, as often as it says.

    A failing event fails alone.
    """
    sandbox.faults.set([Fault("poison", event_id="b", times=2)])
    assert [send(*ids).status_code for ids in (("a", "b"), ("a",), ("b",), ("b",))] == [
        400,
        200,
        400,
        200,
    ]
    assert sandbox.faults.struck() == {"poison": 2}
    sandbox.faults.set([Fault("fail_event", event_id="b")])
    response = send("a", "b", "c")
    assert response.status_code == 422
    assert [entry["status"] for entry in response.json()["details"]["events"]] == [
        "processed",
        "failed",
        "processed",
    ]


def test_first_mark_of_an_event_counts(sandbox, send):
    """Of two marks on one event the first applies, and the second when the first is used up."""
    sandbox.faults.set([Fault("poison", event_id="a", times=1), Fault("fail_event", event_id="a")])
    assert [send("a").status_code, send("a").status_code] == [400, 422]
    assert sandbox.faults.struck() == {"poison": 1, "fail_event": 1}


def test_script_by_request_number(sandbox, send):
    """A script of statuses is applied request by request."""
    sandbox.faults.set(
        [Fault("status", status=503, requests=(1, 3)), Fault("status", status=429, requests=(2,))]
    )
    assert [send().status_code for _ in range(4)] == [503, 429, 503, 200]


def test_redirect_leads_into_the_open(sandbox, send):
    """The redirect leads to an address that counts requests."""
    sandbox.faults.set([Fault("redirect")])
    location = send().headers["Location"]
    assert location == f"{sandbox.origin}/_sandbox/redirected"
    assert "redirects_followed" not in sandbox.store.counters()
    httpx.post(location)
    assert sandbox.store.counters()["redirects_followed"] == 1
    sandbox.faults.set([Fault("redirect", location="https://example.com/")])
    assert send().headers["Location"] == "https://example.com/"


def test_latency_is_real(sandbox, send):
    """Latency comes before the processing, so a client that gives up cannot know the outcome."""
    sandbox.faults.set([Fault("latency", seconds=0.1)])
    started = time.perf_counter()
    assert send().status_code == 200
    assert time.perf_counter() - started >= 0.1
    sandbox.faults.set([Fault("latency", seconds=600)])
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{sandbox.url}/ad_accounts/549755885175/events",
            json={"data": [event()]},
            headers={"Authorization": "Bearer sandbox-token"},
            timeout=0.05,
        )
    assert len(sandbox.store.events()) == 1


def test_drip_outlasts_a_read_timeout(sandbox):
    """A dripping response comes byte by byte within the read timeout: only the deadline ends it."""
    sandbox.faults.set([Fault("drip", seconds=0.002)])
    url = f"{sandbox.url}/ad_accounts/549755885175/events"
    with (
        httpx.Client(timeout=120) as client,
        client.stream(
            "POST", url, json={"data": [event()]}, headers={"Authorization": "Bearer sandbox-token"}
        ) as response,
    ):
        parts = list(response.iter_raw())
    assert len(parts) > 20
    assert len(b"".join(parts)) == int(response.headers["Content-Length"])


@pytest.mark.parametrize("fault", [Fault("latency", seconds=600), Fault("drip", seconds=600)])
def test_a_waiting_answer_does_not_hold_the_sandbox(fault):
    """Leaving the sandbox ends waiting and dripping responses: the connection is lost."""
    ended, written = [], threading.Event()

    def post(url):
        try:
            auth = {"Authorization": "Bearer sandbox-token"}
            with httpx.stream(
                "POST", url, json={"data": [event()]}, headers=auth, timeout=120
            ) as response:
                written.set()
                response.read()
        except httpx.TransportError as error:
            ended.append(type(error))

    with Sandbox(SandboxConfig(faults=(fault,))) as sandbox:
        thread = threading.Thread(
            target=post, args=(f"{sandbox.url}/ad_accounts/549755885175/events",)
        )
        thread.start()
        while not sandbox.store.counters().get("most_in_flight"):
            written.wait(0.005)
        started = time.perf_counter()
    assert time.perf_counter() - started < 120
    thread.join(120)
    assert ended in ([httpx.RemoteProtocolError], [httpx.ReadError])


# ---- over HTTP


def test_steered_over_http(sandbox, send):
    """GET shows the faults, PUT replaces them, DELETE removes them."""
    address = f"{sandbox.origin}/_sandbox/faults"
    put = httpx.put(
        address, json={"seed": 3, "faults": [{"fault": "status", "status": 503, "times": 1}]}
    )
    assert put.status_code == 200
    assert send().status_code == 503
    assert httpx.get(address).json() == {
        "faults": [{"fault": "status", "times": 1, "status": 503}],
        "seed": 3,
        "struck": {"status": 1},
    }
    assert httpx.delete(address).json()["faults"] == []
    assert send().status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'"\xff"',
        b'{"faults": [{"fault": "explode"}]}',
        b'{"fault": "status"}',
        b'{"faults": 1}',
    ],
)
def test_wrong_faults_over_http(sandbox, body):
    """Impossible faults are refused with a message and the possible kinds; set ones stay."""
    sandbox.faults.set([Fault("drop_after")])
    response = httpx.put(f"{sandbox.origin}/_sandbox/faults", content=body)
    assert response.status_code == 400
    assert response.json()["message"]
    assert set(response.json()["kinds"]) == set(KINDS)
    assert sandbox.faults.script() == Script((Fault("drop_after"),))


def test_every_kind_is_tested_on_the_wire():
    """Every kind of fault has a test of the client's view."""
    marks = [mark for test in (test_lost_connections, test_answers) for mark in test.pytestmark]
    tested = {row[0].fault for mark in marks if mark.name == "parametrize" for row in mark.args[1]}
    assert tested == set(KINDS)


def test_every_kind_is_documented():
    """docs/sandbox.md has a row for each kind, with all of its parameters."""
    text = (Path(__file__).parents[1] / "docs" / "sandbox.md").read_text()
    table = text.partition("| kind |")[2].partition("\n\n")[0]
    rows = {
        cells[1].strip("` "): cells[4]
        for line in table.splitlines()[2:]
        if (cells := line.split("|"))
    }
    assert set(rows) == set(KINDS)
    assert all(
        f"`{parameter}`" in rows[name]
        for name, kind in KINDS.items()
        for parameter in kind.parameters
    )

"""The sandbox's page.

Its addresses and who may use them, and the page itself in a real browser.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator

import httpx
import msgspec
import pytest
import test_report_browser
from chromium import Browser, program
from hypothesis import given
from hypothesis import strategies as st

from given import Clock
from target_pinterest_capi.cli import sandbox as command
from target_pinterest_capi.sandbox import faults as fault_module
from target_pinterest_capi.sandbox import rules, verdicts
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.faults import (
    ENDPOINTS,
    KINDS,
    METHODS,
    SELECTORS,
    Fault,
    FaultError,
)
from target_pinterest_capi.sandbox.page import changes, history, one_event, origin_guard, switches
from target_pinterest_capi.sandbox.page.site import FILES
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.slow  # a browser, or the page served as to one

DIGEST = hashlib.sha256(b"jane@example.com").hexdigest()
ACCOUNT = "549755885175"
AS_BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
OAUTH = {"Authorization": "Bearer sandbox-access-token"}
HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>\u202e"
)
VIEWS = ("history", "events", "requests", "lists", "faults")
PHONE, DESK = 390, 1280


@pytest.fixture
def clock() -> Clock:
    return Clock(1_780_000_000.0)


def event(sandbox, event_id="order-1", **changes):
    return {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": int(sandbox.config.clock()),
        "event_id": event_id,
        "user_data": {"em": [DIGEST]},
        **changes,
    }


def send(sandbox, *events, token="sandbox-token", query=""):
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/events{query}",
        json={"data": list(events)},
        headers=headers,
    )


def add_list(sandbox, name="Subscribers", records=DIGEST):
    body = {"name": name, "records": records}
    return httpx.post(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/customer_lists", json=body, headers=OAUTH
    ).json()["id"]


def ask_deletion(sandbox, *emails):
    targets = {"deletion_targets": {"user_emails": emails}}
    return httpx.post(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/conversion_deletion_requests",
        json=targets,
        headers=OAUTH,
    ).json()["request_id"]


def ask(sandbox, path, **query):
    return httpx.get(f"{sandbox.origin}/_sandbox/page/{path}", params=query).json()


# ---- the page's files


def test_a_browser_gets_the_page_and_a_program_does_not(start):
    """`/` is the page for clients that accept HTML.

    For others it does not exist, as at Pinterest.
    """
    sandbox = start()
    page = httpx.get(f"{sandbox.origin}/", headers=AS_BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<title>Pinterest sandbox</title>" in page.text
    assert httpx.get(f"{sandbox.origin}/").status_code == 404


def test_every_file_is_there(start):
    """Files of the page and its scripts are served with their type; any other is a 404."""
    sandbox = start()
    texts = {"": httpx.get(f"{sandbox.origin}/", headers=AS_BROWSER).text}
    for name in ("style.css", *FILES):
        answer = httpx.get(f"{sandbox.origin}/_sandbox/page/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(
            "text/css" if name.endswith("css") else "text/javascript"
        )
        texts[name] = answer.text
    named = set(
        re.findall(r"(?:/_sandbox/page/|from \'\./)([a-z]+\.(?:css|js))", "".join(texts.values()))
    )
    assert named == {"style.css", *FILES}
    for other in ("index.html", "site.py", "..%2fapp.py", "x"):
        assert httpx.get(f"{sandbox.origin}/_sandbox/page/{other}").status_code == 404


def test_the_page_can_load_and_run_nothing_else(start):
    """Each response forbids other sources, frames, inline scripts and markup from text.

    No file has any either.
    """
    sandbox = start()
    paths = (
        "/",
        "/_sandbox/page/page.js",
        "/_sandbox/page/changes",
        "/_sandbox/page/events",
        "/_sandbox/page/requests",
    )
    for path in paths:
        answer = httpx.get(f"{sandbox.origin}{path}", headers=AS_BROWSER)
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in answer.headers["content-security-policy"].split(";")
        )
        assert (
            policy["default-src"]
            == policy["frame-ancestors"]
            == policy["base-uri"]
            == policy["form-action"]
            == "'none'"
        )
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    index = httpx.get(f"{sandbox.origin}/", headers=AS_BROWSER).text
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=|https?://", index)
    scripts = "".join(httpx.get(f"{sandbox.origin}/_sandbox/page/{name}").text for name in FILES)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", scripts
    )


# ---- what is new


def test_only_what_changed_is_sent(start):
    """The first response has every part.

    Later ones have the parts whose mark has changed.
    """
    sandbox = start()
    parts = {"received", "lists", "faults"}
    first = ask(sandbox, "changes")
    assert parts < set(first)
    assert first["accounts"] == [ACCOUNT]
    known = first["marks"]
    assert not parts & set(ask(sandbox, "changes", **known))
    send(sandbox, event(sandbox))
    after_event = ask(sandbox, "changes", **known)
    assert parts & set(after_event) == {"received"}
    assert (after_event["events"], after_event["requests"], after_event["in_flight"]) == (1, 1, 0)
    sandbox.faults.set([Fault("drop_after", endpoint="audiences")])
    assert parts & set(ask(sandbox, "changes", **after_event["marks"])) == {"faults"}
    known = ask(sandbox, "changes", **after_event["marks"])["marks"]
    add_list(sandbox)
    assert parts & set(
        ask(
            sandbox,
            "changes",
            **{**known, "received": ask(sandbox, "changes")["marks"]["received"]},
        )
    ) >= {"lists"}


def test_a_list_that_is_processed_is_a_change(start, clock):
    """A list that becomes READY or TOO_SMALL is a change, even without a request."""
    sandbox = start()
    add_list(sandbox)
    known = ask(sandbox, "changes")["marks"]
    assert "lists" not in ask(sandbox, "changes", **known)
    clock.now += 60
    (held,) = ask(sandbox, "changes", **known)["lists"]["lists"]
    assert (held["status"], held["size"], held["list_type"]) == ("TOO_SMALL", 1, "EMAIL")
    assert [(row["operation"], row["records"]) for row in held["updates"]] == [("CREATE", 1)]
    assert DIGEST not in json.dumps(ask(sandbox, "changes"))


def test_history(start, clock):
    """The history counts by event name and action source, and by time.

    Test and refused requests do not count.
    """
    sandbox = start()
    assert ask(sandbox, "changes")["received"]["groups"] == []
    send(
        sandbox,
        event(sandbox, "a"),
        event(sandbox, "a"),
        event(sandbox, "b", user_data={}),
        event(sandbox, "c", action_source="offline"),
    )
    clock.now += 60
    send(sandbox, event(sandbox, "d"), event(sandbox, "e", event_name="own"))
    send(sandbox, event(sandbox, "f"), query="?test=true")
    send(sandbox, event(sandbox, unknown=1))
    received = ask(sandbox, "changes")["received"]
    rows = [tuple(group.values()) for group in received["groups"]]
    assert list(received["groups"][0]) == [
        "event_name",
        "action_source",
        "last",
        "processed",
        "failed",
        "warnings",
        "duplicates",
    ]
    assert rows == [
        ("checkout", "web", clock.now, 3, 1, 0, 1),
        ("checkout", "offline", clock.now - 60, 1, 0, 0, 0),
        ("own", "web", clock.now, 1, 0, 1, 0),
    ]
    assert received["columns"] == [[clock.now - 60, 3, 1], [clock.now, 2, 0]]
    assert (received["uncounted"], received["rejected"]) == (0, 1)


def test_history_says_what_it_did_not_see(start):
    """Events that were dropped before the page asked are only in the totals."""
    sandbox = start(keep_events=3)
    send(sandbox, *[event(sandbox, f"a{number}") for number in range(2)])
    assert ask(sandbox, "changes")["received"]["uncounted"] == 0
    send(sandbox, *[event(sandbox, f"b{number}") for number in range(7)])
    received = ask(sandbox, "changes")["received"]
    assert received["uncounted"] == 4
    assert received["groups"][0]["processed"] == 5
    assert received["counters"]["events_processed"] == 9


@pytest.mark.slow
def test_history_is_bounded(start):
    """Beyond the limit of names the rest counts together, and the oldest columns are dropped."""
    sandbox = start()
    names = [
        event(sandbox, f"e{number}", event_name=f"name {number}")
        for number in range(history.MOST_GROUPS + 20)
    ]
    send(sandbox, *names)
    groups = ask(sandbox, "changes")["received"]["groups"]
    assert len(groups) == history.MOST_GROUPS + 1
    assert [group["processed"] for group in groups if not group["event_name"]] == [20]
    for _ in range(history.COLUMNS + 5):
        sandbox.config.clock.now += history.COLUMN_SECONDS
        send(sandbox, event(sandbox))
    columns = ask(sandbox, "changes")["received"]["columns"]
    assert len(columns) == history.COLUMNS
    assert columns[-1][0] == sandbox.config.clock.now


def test_history_begins_again_after_a_reset(start):
    """A reset is detected even if as many events have come since as before."""
    sandbox = start()
    send(sandbox, event(sandbox, event_name="signup"))
    known = ask(sandbox, "changes")["marks"]
    sandbox.store.reset()
    send(sandbox, event(sandbox))
    received = ask(sandbox, "changes", **known)["received"]
    assert [group["event_name"] for group in received["groups"]] == ["checkout"]


# ---- rows


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["d", "c", "b", "order-a"]),
        ({"name": "signup"}, ["b"]),
        ({"name": "sign"}, []),
        ({"source": "app_ios"}, ["c"]),
        ({"status": "processed"}, ["d", "c", "order-a"]),
        ({"status": "failed"}, ["b"]),
        ({"status": "warning"}, ["d"]),
        ({"status": "duplicate"}, []),
        ({"id": "der-"}, ["order-a"]),
        ({"id": "checkout"}, []),
        ({"id": "%"}, []),
        ({"request": "2"}, ["d"]),
        ({"request": "x"}, ["d", "c", "b", "order-a"]),
        ({"name": "checkout", "status": "processed", "id": "c"}, ["c"]),
    ],
)
def test_events_are_found(start, query, ids):
    """Events are found by name, source, outcome, request and any part of the id, newest first."""
    sandbox = start()
    given_events = [
        event(sandbox, "order-a"),
        event(sandbox, "b", event_name="signup", user_data={}),
        event(sandbox, "c", action_source="app_ios", custom_data={"search_string": "%"}),
    ]
    send(sandbox, *given_events)
    send(sandbox, event(sandbox, "d", event_name="own"))
    answer = ask(sandbox, "events", **query)
    assert [row["event_id"] for row in answer["rows"]] == ids
    assert answer["more"] is False


@pytest.mark.parametrize(
    "text", ['quote " and \\', "ünï", "line\nend", "\u2028", "a/b", "💡", "<b>"]
)
def test_events_are_found_by_any_text(start, text):
    """Names and ids are found despite JSON's escapes."""
    sandbox = start()
    send(sandbox, event(sandbox, f"x{text}x", event_name=f"y{text}"), event(sandbox, "other"))
    for query in ({"id": text}, {"name": f"y{text}"}):
        assert [row["event_id"] for row in ask(sandbox, "events", **query)["rows"]] == [f"x{text}x"]


def test_rows_come_in_parts(start):
    """`after` and `before` are positions, `limit` the newest of them, `more` says if that is all."""
    sandbox = start(keep_events=5)
    send(sandbox, *[event(sandbox, f"e{number}") for number in range(1, 8)])

    def places(**query):
        answer = ask(sandbox, "events", **query)
        assert all(row["event_id"] == f"e{row['place']}" for row in answer["rows"])
        return [row["place"] for row in answer["rows"]], answer["more"]

    assert places() == ([7, 6, 5, 4, 3], False)
    assert places(limit=2) == ([7, 6], True)
    assert places(before=6, limit=2) == ([5, 4], True)
    assert places(before=4) == ([3], False)
    assert places(before=1) == places(after=7) == ([], False)
    assert places(after=5) == ([7, 6], False)
    assert places(after=1, before=5) == ([4, 3], False)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("rejected", [4, 3]),
        ("partly", [2]),
        ("struck", [5, 4]),
        ("lost", [5]),
    ],
)
def test_requests_are_found(start, kind, numbers):
    """Requests are found by their outcome.

    Rejected, with failed events, with a fault, without a response.
    """
    sandbox = start()
    send(sandbox, event(sandbox))
    send(sandbox, event(sandbox), event(sandbox, user_data={}))
    send(sandbox, event(sandbox, unknown=1))
    sandbox.faults.set([Fault("status", status=503, times=1), Fault("drop_before", skip=1)])
    send(sandbox, event(sandbox))
    with pytest.raises(httpx.TransportError):
        send(sandbox, event(sandbox))
    answer = ask(sandbox, "requests", kind=kind)
    assert [row["number"] for row in answer["rows"]] == numbers
    if kind == "rejected":
        assert [row["refused"] for row in answer["rows"]][1].endswith("('unknown' was unexpected)")
        assert answer["rows"][0]["faults"] == ["status"]


@pytest.mark.slow
def test_a_long_memory_is_read_in_steps(start):
    """Requests are served while thousands of events are searched, and none is missed meanwhile."""
    sandbox = start()
    for first in range(0, 12_000, 1000):
        send(sandbox, *[event(sandbox, f"e{number}.") for number in range(first, first + 1000)])

    async def turns_of_others(work):
        """What the work gives, and how often the loop did something else meanwhile."""
        turns, task = 0, asyncio.ensure_future(work)
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        return await task, turns

    counted = history.History(sandbox.store)
    _, turns = asyncio.run(turns_of_others(counted.count_new()))
    assert turns >= 12_000 // history.AT_ONCE
    assert [(group["processed"], group["last"]) for group in counted.groups()] == [
        (12_000, sandbox.config.clock.now)
    ]
    found, turns = asyncio.run(turns_of_others(changes.event_rows(sandbox.store, {"id": "e7."})))
    assert turns >= 12_000 // history.AT_ONCE
    assert ([row["place"] for row in found["rows"]], found["more"]) == ([8], False)


# ---- one event


def test_one_event_in_full(start, clock):
    """One event is complete with its request and the rules' results.

    One that was dropped is a 404 with a message.
    """
    sandbox = start(keep_events=1)
    send(
        sandbox,
        event(sandbox, "a"),
        event(sandbox, "b", custom_data={"value": "1,5"}, language="english"),
    )
    shown = ask(sandbox, "events/2")
    assert json.loads(shown["json"]) == sandbox.store.events(None)[0].event
    assert (shown["request"], shown["position"], shown["at"], shown["status"]) == (
        1,
        1,
        clock.now,
        "failed",
    )
    assert [(one["path"], one["kind"]) for one in shown["remarks"]] == [
        ("custom_data.value", "error"),
        ("language", "warning"),
    ]
    assert [line["path"] for line in shown["lines"] if line["digest"]] == ["user_data.em.0"]
    for place in (0, 1, 3, 10**30):
        answer = httpx.get(f"{sandbox.origin}/_sandbox/page/events/{place}")
        assert answer.status_code == 404
        assert "no longer in memory" in answer.json()["message"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_the_lines_are_the_event(value):
    """The lines of an event, joined, are its JSON: members in order, and all digits."""
    lines = one_event.lines(value)
    text = "".join(f"{line.key}{':' if line.key else ''}{line.text}{line.end}" for line in lines)
    assert text == msgspec.json.encode(value).decode()


@pytest.mark.parametrize(
    ("path", "value", "is_digest"),
    [
        ("em", [DIGEST], True),
        ("external_id", [DIGEST], True),
        ("em", ["jane"], False),
        ("em", [DIGEST.upper()], False),
        ("click_id", DIGEST, False),
    ],
)
def test_only_digests_are_called_so(path, value, is_digest):
    """A value is marked as a digest if it is one and its field holds digests."""
    lines = one_event.lines({"user_data": {path: value}, "event_id": DIGEST})
    assert any(line.digest for line in lines) == is_digest


PLACED = [
    ({"event_id": ""}, "event_id"),
    ({"user_data": {}}, "user_data"),
    ({"user_data": {"em": ["Jane"]}}, "user_data.em"),
    ({"event_time": 1}, "event_time"),
    ({"custom_data": {"contents": [{"item_price": "x"}]}}, "custom_data.contents"),
    ({"event_name": "own"}, "event_name"),
    ({"custom_data": {"opt_out_type": "x"}}, "custom_data.opt_out_type"),
    ({"language": "english"}, "language"),
]


@pytest.mark.parametrize(("changes", "path"), PLACED)
def test_each_rule_is_shown_beside_its_field(start, changes, path):
    """A rule's message is at the part of the event that it names."""
    sandbox = start()
    whole = event(sandbox, **changes)
    verdict = verdicts.judge(whole, rules.Rules(), sandbox.config.clock.now)
    (remark,) = one_event.remarks(whole, verdict.error, verdict.warning)
    assert (remark.path, remark.message) == (path, verdict.error or verdict.warning)


def test_every_rule_has_a_row_above():
    """Every rule of events has a place."""
    assert len(PLACED) == len(verdicts._ERRORS) + len(verdicts._WARNINGS)


def test_several_warnings_are_shown_apart(start):
    """Each of several sentences is at its own field, and one without a field at the event."""
    whole = event(start(), event_name="own", custom_data={"currency": "eur"})
    verdict = verdicts.judge(whole, rules.Rules(), 0)
    found = one_event.remarks(whole, "The event was failed by a fault.", verdict.warning)
    assert [(one.path, one.kind) for one in found] == [
        ("", "error"),
        ("event_name", "warning"),
        ("custom_data.currency", "warning"),
    ]


# ---- faults


def test_one_kind_is_switched_and_the_others_go_on(start):
    """Setting one kind counts from the next request on, and does not change the others."""
    sandbox = start()
    sandbox.faults.set([Fault("status", status=500, requests=(1, 4))])
    address = f"{sandbox.origin}/_sandbox/faults"
    statuses = [send(sandbox, event(sandbox)).status_code]
    put = httpx.put(f"{address}/headers", json={"retry_after": "7", "requests": "2"})
    assert put.json()["struck"] == {"status": 1, "headers": 0}
    answers = [send(sandbox, event(sandbox)) for _ in range(3)]
    statuses += [answer.status_code for answer in answers]
    assert statuses == [500, 200, 200, 500]
    assert ["Retry-After" in answer.headers for answer in answers] == [False, True, False]
    assert httpx.put(f"{address}/status", json={"status": 503}).json()["struck"] == {
        "status": 0,
        "headers": 1,
    }
    assert send(sandbox, event(sandbox)).status_code == 503
    assert [one["fault"] for one in httpx.delete(f"{address}/status").json()["faults"]] == [
        "headers"
    ]
    assert send(sandbox, event(sandbox)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("explode", b"{}", 404, "latency"),
        ("status", b"{}", 400, "needs status"),
        ("status", b'{"status": "99"}', 400, "from 200 to 599"),
        ("status", b'{"status": "many"}', 400, "status"),
        ("status", b'{"status": 503, "requests": "one"}', 400, "1-3+7"),
        ("status", b'{"status": 503, "seconds": 1}', 400, "has no parameter seconds"),
        ("status", b"[]", 400, "object"),
        ("status", b"\xff", 400, ""),
    ],
)
def test_a_wrong_switch_changes_nothing(start, kind, body, status, words):
    """An invalid fault is refused with a message, and the set ones stay."""
    sandbox = start(faults=(Fault("status", status=500),))
    answer = httpx.put(f"{sandbox.origin}/_sandbox/faults/{kind}", content=body)
    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert sandbox.faults.script().faults == (Fault("status", status=500),)


def test_several_of_a_kind_are_exchanged_for_one():
    """A switch is for all faults of its kind: the new one replaces the first."""
    faults = Faults([Fault("status", status=500), Fault("drop_after"), Fault("status", status=429)])
    before = faults.changes
    faults.put(Fault("status", status=503))
    assert faults.script().faults == (Fault("status", status=503), Fault("drop_after"))
    faults.remove("status")
    faults.put(Fault("drip", seconds=1))
    assert faults.script().faults == (Fault("drop_after"), Fault("drip", seconds=1))
    assert faults.changes == before + 3


def test_every_kind_has_a_form():
    """Each kind has a form with each of its parameters and a choice of requests.

    Its initial values are a fault.
    """
    forms = {form["kind"]: form for form in switches.forms(Faults())}
    assert set(forms) == set(KINDS)
    for name, kind in KINDS.items():
        assert [field["name"] for field in forms[name]["fields"]] == list(kind.parameters)
        named = {field["name"] for field in forms[name]["selectors"]}
        assert named == set(SELECTORS) - ({"endpoint"} if kind.endpoint else set())
        values = {
            field["name"]: field["value"] for field in forms[name]["fields"] if field["value"]
        }
        if "event_id" in kind.required:
            with pytest.raises(FaultError):
                fault_module.read({"fault": name, **values})
        else:
            fault_module.read({"fault": name, **values})


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
PARAMETERS = {
    "seconds": st.floats(0.001, 600),
    "jitter": st.floats(0.001, 600),
    "status": st.integers(200, 599),
    "message": words,
    "html": st.just(True),
    "retry_after": st.integers(0, 99) | words,
    "remaining": st.integers(0, 99),
    "reset": st.integers(0, 99),
    "location": words,
    "event_id": words,
    "endpoint": st.sampled_from(ENDPOINTS),
    "method": st.sampled_from(METHODS),
    "requests": st.lists(st.integers(1, 40), min_size=1, max_size=9).map(tuple),
    "skip": st.integers(1, 99),
    "rate": st.floats(0.001, 0.999),
    "times": st.integers(0, 99),
}


@st.composite
def any_fault(draw):
    name = draw(st.sampled_from(list(KINDS)))
    kind = KINDS[name]
    optional = [
        one
        for one in (*kind.parameters, *SELECTORS)
        if one not in kind.required and not (one == "endpoint" and kind.endpoint)
    ]
    chosen = [*kind.required, *draw(st.lists(st.sampled_from(optional), unique=True))]
    return Fault(name, **{one: draw(PARAMETERS[one]) for one in chosen})


def texts(fault):
    """A fault's fields, with headers as text.

    A number and its digits are the same there.
    """
    return {
        **msgspec.to_builtins(fault),
        **{name: str(getattr(fault, name)) for name in fault_module.LIMITS},
    }


@given(any_fault())
def test_a_form_and_a_command_line_say_the_same_fault(fault):
    """A fault shown as a form, or as `--fault`, is the same when it is read back."""
    assert texts(fault_module.parse(switches.spec(fault))) == texts(fault)
    form = next(form for form in switches.forms(Faults([fault])) if form["on"])
    given_fields = {
        field["name"]: field["value"]
        for field in (*form["fields"], *form["selectors"])
        if field["value"]
    }
    assert texts(fault_module.read({"fault": fault.fault, **given_fields})) == texts(fault)


# ---- who may


@pytest.mark.parametrize(
    ("host", "may"),
    [
        ("127.0.0.1:8085", True),
        ("[::1]:8085", True),
        ("192.0.2.7", True),
        ("localhost:8085", True),
        ("LOCALHOST", True),
        ("sandbox:8085", True),
        ("shop.localhost", True),
        ("host.docker.internal:8085", True),
        ("sandbox.default.svc.cluster.local", True),
        ("own.example.com:8085", True),
        ("example.com", False),
        ("127.0.0.1.example.com:8085", False),
        ("localhost.example.com", False),
        ("notlocal", True),
        ("example.notlocal", False),
        ("", False),
        ("[", False),
        (":8085", False),
    ],
)
def test_only_names_that_nobody_else_can_own(host, may):
    """The page's server answers to IP addresses, private names and the sandbox's own.

    Another name may have been pointed at this machine.
    """
    assert (origin_guard.refusal("GET", {"host": host}, "own.example.com") == "") == may


JSON = {"content-type": "application/json"}
HERE = {"host": "127.0.0.1:8085"}


@pytest.mark.parametrize(
    ("method", "headers", "may"),
    [
        ("GET", {}, True),
        ("POST", {}, True),
        ("PUT", {"origin": "http://127.0.0.1:8085", **JSON}, True),
        (
            "PUT",
            {"origin": "http://127.0.0.1:8085", "content-type": "Application/JSON; charset=utf-8"},
            True,
        ),
        ("POST", {"origin": "http://127.0.0.1:8085", "content-type": "text/csv"}, True),
        ("POST", {"origin": "https://example.com", "content-type": "text/csv"}, False),
        ("PUT", {"origin": "http://127.0.0.1:8085", "content-type": "text/plain"}, False),
        ("POST", {"origin": "http://127.0.0.1:8085"}, False),
        ("POST", {"origin": "https://example.com", **JSON}, False),
        ("POST", {"origin": "http://127.0.0.1:8086", **JSON}, False),
        ("POST", {"origin": "null", **JSON}, False),
        ("DELETE", {"origin": "http://localhost:8085", **JSON}, False),
        ("GET", {"origin": "https://example.com"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ("GET", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, True),
        ("GET", {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, True),
        ("POST", {"sec-fetch-site": "same-origin"}, False),
    ],
)
def test_only_the_page_itself_steers_from_a_browser(method, headers, may):
    """From a browser only the sandbox's own page may read or change anything, by JSON or CSV.

    Programs need neither.
    """
    assert (origin_guard.refusal(method, {**HERE, **headers}, "127.0.0.1") == "") == may


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/_sandbox/"),
        ("GET", "/_sandbox/events"),
        ("GET", "/_sandbox/page/changes"),
        ("GET", "/_sandbox/page/events/1"),
        ("POST", "/_sandbox/reset"),
        ("PUT", "/_sandbox/faults"),
        ("DELETE", "/_sandbox/faults"),
        ("PUT", "/_sandbox/faults/drop_after"),
        ("DELETE", "/_sandbox/faults/status"),
    ],
)
@pytest.mark.parametrize(
    "strange", [{"Host": "rebound.example.com"}, {"Origin": "https://example.com"}]
)
def test_other_origins_neither_read_nor_change(start, method, path, strange):
    """Another page's request, or one by a foreign name, is a 403 without any change."""
    sandbox = start(faults=(Fault("status", status=503, skip=1),))
    send(sandbox, event(sandbox, "seen"))
    answer = httpx.request(
        method,
        f"{sandbox.origin}{path}",
        headers={**AS_BROWSER, **strange, "Content-Type": "application/json"},
    )
    assert answer.status_code == 403
    assert "seen" not in answer.text
    assert len(sandbox.store.events()) == 1
    assert sandbox.faults.script().faults == (Fault("status", status=503, skip=1),)


def test_clients_of_pinterest_are_not_asked(start):
    """Pinterest's paths accept any host name: they need a token."""
    sandbox = start()
    headers = {"Authorization": "Bearer sandbox-token", "Host": "api.example.com"}
    url = f"{sandbox.url}/ad_accounts/{ACCOUNT}/events"
    assert httpx.post(url, json={"data": [event(sandbox)]}, headers=headers).status_code == 200


def test_no_token_is_shown(start):
    """No token, right, wrong or issued, is in anything that the page can read."""
    sandbox = start(tokens={"right-token": (ACCOUNT,)})
    for token in ("right-token", "wrong-token"):
        send(sandbox, event(sandbox), token=token)
    credentials = ("sandbox-client", "sandbox-client-secret")
    form = {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
    given_out = httpx.post(f"{sandbox.url}/oauth/token", data=form, auth=credentials).json()
    shown = "".join(
        json.dumps(ask(sandbox, path)) for path in ("changes", "events", "events/1", "requests")
    )
    assert "order-1" in shown
    secrets = [
        "right-token",
        "wrong-token",
        *form.values(),
        *credentials,
        given_out["access_token"],
        given_out["refresh_token"],
    ]
    assert [secret for secret in secrets if secret != "refresh_token" and secret in shown] == []


def test_the_command_names_the_page(start, capsys):
    """The command prints where the page is."""
    sandbox = start()
    command._introduce(sandbox, ("sandbox-token",), (ACCOUNT,))
    assert f"  page        {sandbox.origin}/  " in capsys.readouterr().out


def test_deletion_requests_are_shown_until_nothing_changes(start, clock):
    """Each list has its status and number of people; time alone changes the part."""
    sandbox = start()
    made = ask_deletion(sandbox, "jane@example.com")
    first = ask(sandbox, "changes")
    (shown,) = first["lists"]["deletions"]
    assert (shown["request_id"], shown["status"], shown["emails"]) == (made, "PENDING", 1)
    assert "example.com" not in json.dumps(first)
    assert "lists" not in ask(sandbox, "changes", **first["marks"])
    clock.advance(72 * 3600)
    later = ask(sandbox, "changes", **first["marks"])
    assert later["lists"]["deletions"][0]["status"] == "SUBMITTED"


# ---- in a browser

browser = test_report_browser.browser
SCHEMES = test_report_browser.SCHEMES
FILLED = """
[...document.querySelectorAll('#tiles dd:not(.more)')].map(one => one.textContent).join(' ')
"""


def show(
    browser: Browser, address: str, *, width: int = DESK, dark: bool = False, still: bool = False
) -> None:
    """Open an address, and wait until the page is live."""
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=width < 600,
    )
    features = {
        "prefers-color-scheme": "dark" if dark else "light",
        "prefers-reduced-motion": "reduce" if still else "no-preference",
    }
    browser.call(
        "Emulation.setEmulatedMedia",
        features=[{"name": name, "value": value} for name, value in features.items()],
    )
    browser.call("Page.navigate", url="about:blank")
    browser.events.clear()
    browser.call("Page.navigate", url=address)
    until(browser, "document.querySelector('#state.live')")


def until(browser: Browser, condition: str) -> None:
    """Wait in the page until a condition holds.

    Checks whenever the page changes, and for changes outside of it, such as focus.
    """
    wait = f"""
    new Promise((resolve, reject) => {{
      const late = setTimeout(() => reject(new Error('waited in vain')), 20000)
      const look = () => {{
        if (!({condition})) return
        clearTimeout(late)
        clearInterval(often)
        observer.disconnect()
        resolve()
      }}
      const often = setInterval(look, 25)
      const observer = new MutationObserver(look)
      const all = {{subtree: true, childList: true, characterData: true, attributes: true}}
      observer.observe(document, all)
      look()
    }})
    """
    result = browser.call("Runtime.evaluate", expression=wait, awaitPromise=True)
    assert "exceptionDetails" not in result, (
        condition,
        browser.complaints(),
        browser.evaluate("document.body.innerText"),
    )


def press(browser: Browser, key: str, code: int) -> None:
    for kind in ("keyDown", "keyUp"):
        browser.call(
            "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
        )


def errors(browser: Browser) -> list[str]:
    """The page's errors, except 4xx that the sandbox sends on purpose."""
    return [one for one in browser.complaints() if "Failed to load resource" not in one]


@pytest.fixture(scope="module")
def busy() -> Iterator[Sandbox]:
    """A sandbox that received all kinds of requests, including hostile strings."""
    with Sandbox(SandboxConfig(list_processing_seconds=0)) as sandbox:
        send(
            sandbox,
            *[event(sandbox, f"order-{number}") for number in range(30)],
            event(sandbox, "order-1"),
        )
        send(
            sandbox,
            event(
                sandbox,
                HOSTILE,
                event_name=HOSTILE,
                event_source_url=HOSTILE,
                custom_data={"value": HOSTILE, HOSTILE[:9]: 1},
            ),
        )
        send(
            sandbox,
            event(
                sandbox,
                HOSTILE,
                event_name=HOSTILE,
                event_source_url=HOSTILE,
                custom_data={"value": HOSTILE},
            ),
        )
        send(sandbox, event(sandbox, "x" * 300, event_name="y" * 300, event_source_url="z" * 500))
        send(sandbox, event(sandbox), query="?test=true")
        list_id = add_list(
            sandbox,
            HOSTILE,
            ",".join(hashlib.sha256(b"%d" % number).hexdigest() for number in range(120)),
        )
        add_list(sandbox, "l" * 200)
        audience = {
            "audience_type": "CUSTOMER_LIST",
            "name": HOSTILE,
            "description": HOSTILE,
            "rule": {"customer_list_id": list_id},
        }
        httpx.post(f"{sandbox.url}/ad_accounts/{ACCOUNT}/audiences", json=audience, headers=OAUTH)
        ask_deletion(sandbox, "jane@example.com", "joe@example.com")
        sandbox.faults.set(
            [
                Fault("status", status=503, message=HOSTILE, times=1),
                Fault("fail_event", event_id="e" * 200),
            ]
        )
        send(sandbox, event(sandbox))
        yield sandbox


def addresses(sandbox: Sandbox) -> dict[str, str]:
    """Every view, and all details of a failed event."""
    place = next(place for place, row in sandbox.store.newest_events() if row.error)
    return {
        **{view: f"{sandbox.origin}/#{view}" for view in VIEWS},
        "event": f"{sandbox.origin}/#events?event={place}",
    }


def show_whole(browser: Browser, sandbox: Sandbox, view: str, **how) -> None:
    show(browser, addresses(sandbox)[view], **how)
    if view == "event":
        until(browser, "document.querySelector('#event[open] .json')")
    elif view in ("events", "requests"):
        until(browser, f"document.querySelector('#view-{view} tbody tr')")
    browser.evaluate(test_report_browser.OPEN_ALL)


ALL_VIEWS = pytest.mark.parametrize("view", [*VIEWS, "event"])


@ALL_VIEWS
def test_page_loads_from_the_sandbox_alone(browser, busy, view: str):
    """The browser sends requests only to the sandbox, and has no errors."""
    show_whole(browser, busy, view)
    assert {
        address.split("/")[2] for address in browser.requests() if not address.startswith("data:")
    } == {f"127.0.0.1:{busy.port}"}
    assert browser.complaints() == []


@ALL_VIEWS
def test_what_was_received_is_text(browser, busy, view: str):
    """A name with markup is shown as text, creates no element and runs nothing."""
    show_whole(browser, busy, view)
    assert browser.evaluate("document.title") == "Pinterest sandbox"
    assert (
        browser.evaluate("document.querySelectorAll('img, iframe, body script, [onerror]').length")
        == 0
    )
    shown = browser.evaluate(
        "document.body.innerText + [...document.querySelectorAll('input')].map(one => one.value)"
    )
    assert '<img src=x onerror="document.title' in shown or (
        view == "event" and '<img src=x onerror=\\"document.title' in shown
    )


@ALL_VIEWS
@pytest.mark.parametrize("width", [320, PHONE, 768, DESK])
def test_nothing_is_wider_than_the_screen(browser, busy, view: str, width: int):
    """No view scrolls sideways, with everything unfolded and the longest strings."""
    show_whole(browser, busy, view, width=width)
    outside = """
    [...document.querySelectorAll('body *')].filter(one =>
      one.checkVisibility() && !one.closest('.skip, .unseen, svg, .stack thead') &&
      one.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    ).map(one => one.tagName + '.' + one.className)
    """
    assert browser.evaluate(outside) == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


BROKEN_WORDS = """
[...document.querySelectorAll('.view:not([hidden]) tbody :is(th > a, .source)')].filter(one => {
  const range = document.createRange()
  range.selectNodeContents(one)
  return range.getClientRects().length > 1
}).map(one => one.textContent)
"""


@pytest.mark.parametrize("view", ["events", "history"])
@pytest.mark.parametrize("width", [768, 1024, DESK, 1920])
def test_names_and_sources_are_whole(browser, sandbox, view: str, width: int):
    """No event name of Pinterest's and no source is wrapped in a table, next to long ids."""
    long_id = hashlib.sha256(b"order-1").hexdigest()
    send(
        sandbox,
        *[
            event(sandbox, f"{number}-{long_id}", event_name=name, action_source=source)
            for number, name in enumerate(sorted(verdicts.EVENT_NAMES))
            for source in ("app_android", "web")
        ],
        *[event(sandbox, f"failed-{long_id}", user_data={})] * 3,
    )
    show_whole(browser, sandbox, view, width=width)
    until(browser, f"document.querySelectorAll('#view-{view} tbody tr').length >= 44")
    assert browser.evaluate(BROKEN_WORDS) == []


@ALL_VIEWS
@SCHEMES
def test_texts_have_contrast(browser, busy, view: str, dark: bool):
    """Every text has the contrast of WCAG 2 AA to its background, in both colour schemes."""
    show_whole(browser, busy, view, width=PHONE, dark=dark, still=True)
    result = browser.evaluate(test_report_browser.TOO_FAINT)
    assert result["seen"] > 30
    assert result["found"] == []
    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (test_report_browser.contrast(paper, "rgb(0, 0, 0)") < 2) == dark


@SCHEMES
def test_switches_and_columns_have_contrast(browser, busy, dark: bool):
    """Switches, knobs, fields and columns have a contrast of 3 in both colour schemes."""
    show_whole(browser, busy, "faults", dark=dark, still=True)
    pairs = browser.evaluate("""
    [...document.querySelectorAll('.switch, .switch i, .fault input, #chart rect')].map(one => {
      const style = getComputedStyle(one)
      const on = getComputedStyle(one.tagName === 'I' ? one.parentElement : one.closest('.card'))
      const colors = {rect: style.fill, INPUT: style.borderTopColor}
      const own = colors[one.tagName] ?? style.backgroundColor
      return [own, on.backgroundColor]
    })
    """)
    assert len({tuple(pair) for pair in pairs}) >= 4
    assert min(test_report_browser.contrast(*pair) for pair in pairs) >= 3


@ALL_VIEWS
def test_phone_texts_and_targets_are_large_enough(browser, busy, view: str):
    """On a phone no text is below 12 pixels, no target below 24 pixels high (WCAG 2.2 AA)."""
    show_whole(browser, busy, view, width=PHONE)
    sizes = browser.evaluate("""
    [...document.querySelectorAll('body *')].filter(one => one.checkVisibility())
      .map(one => parseFloat(getComputedStyle(one).fontSize))
    """)
    assert min(sizes) >= 12
    heights = browser.evaluate("""
    [...document.querySelectorAll(
      'nav a, button, summary, select, input:not([type=checkbox]), label.flag')]
      .filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect().height)
    """)
    assert min(heights) >= 24


@pytest.mark.parametrize("view", VIEWS)
def test_everything_is_reached_by_keyboard(browser, busy, view: str):
    """Tab goes to the skip link, then through all controls in order, each with an outline."""
    show(browser, addresses(busy)[view])
    if view in ("events", "requests"):
        until(browser, f"document.querySelector('#view-{view} tbody tr')")
    wanted = """
    [...document.querySelectorAll('a[href], button, summary, input, select, [tabindex="0"]')]
      .filter(one => one.checkVisibility() && !one.disabled && !one.matches('.fold > summary'))"""
    expected = browser.evaluate(f"({wanted}).length")
    browser.evaluate(f"window.wanted = {wanted}")
    reached, outlines = [], set()
    for _ in range(expected):
        browser.press("Tab")
        reached.append(browser.evaluate("wanted.indexOf(document.activeElement)"))
        outlines.add(browser.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    assert reached == list(range(expected))
    assert outlines == {"solid"}


def test_still_where_motion_is_unwanted(browser, busy):
    """With reduced motion there is no animation and no transition."""
    for still in (False, True):
        show(browser, addresses(busy)["faults"], still=still)
        moving = browser.evaluate("""
        [...document.querySelectorAll('body *')].map(one => getComputedStyle(one)).filter(style =>
          style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0).length
        """)
        assert (moving == 0) == still


def test_views_are_named_for_assistive_technology(browser, busy):
    """Landmarks, switches, tables and a polite status have their names."""
    show(browser, addresses(busy)["faults"])
    nodes = [
        node
        for node in browser.call("Accessibility.getFullAXTree")["nodes"]
        if not node.get("ignored")
    ]
    roles = [node["role"]["value"] for node in nodes]
    assert {"banner", "main", "navigation", "contentinfo", "status", "switch", "form"} <= set(roles)
    names = {node["name"]["value"] for node in nodes if node["role"]["value"] == "switch"}
    assert names == set(KINDS)
    assert "Totals" in {
        node["name"]["value"] for node in nodes if node["role"]["value"] == "region"
    }
    assert (
        browser.evaluate("document.querySelector('#spoken').getAttribute('aria-live')") == "polite"
    )
    show_whole(browser, busy, "events", width=PHONE)
    nodes = [
        node
        for node in browser.call("Accessibility.getFullAXTree")["nodes"]
        if not node.get("ignored")
    ]
    assert [node["role"]["value"] for node in nodes].count("row") >= 30


def test_what_comes_is_shown_at_once(browser, sandbox):
    """A request shows up in the open page.

    Totals, words for a screen reader, a row, and the history.
    """
    show(browser, f"{sandbox.origin}/#events")
    assert "Waiting for the first request" in browser.evaluate("document.body.innerText")
    assert "sandbox-token" not in browser.evaluate("document.body.innerText")
    send(sandbox, event(sandbox, "first"), event(sandbox, "bad", user_data={}))
    until(browser, "document.querySelectorAll('#view-events tbody tr').length === 2")
    assert browser.evaluate(FILLED) == "1 1 1 0"
    assert "Waiting" not in browser.evaluate("document.querySelector('main').innerText")
    send(sandbox, event(sandbox, "second"))
    until(browser, "document.querySelectorAll('#view-events tbody tr').length === 3")
    assert "second" in browser.evaluate("document.querySelector('#view-events tbody tr').innerText")
    until(
        browser,
        "document.querySelector('#spoken').textContent === "
        "'2 requests, 2 events processed, 1 failed, 0 requests rejected.'",
    )
    browser.evaluate("location.hash = '#history'")
    until(browser, "document.querySelector('#groups tbody tr')?.innerText.startsWith('checkout')")
    assert errors(browser) == []


def test_changes_leave_the_focus_alone(browser, sandbox):
    """The keyboard's focus stays on its row while numbers increase."""
    send(sandbox, event(sandbox, "a"), event(sandbox, "b", event_name="signup"))
    show(browser, f"{sandbox.origin}/#history")
    until(browser, "document.querySelectorAll('#groups tbody a').length === 2")
    browser.evaluate("document.querySelector('#groups tbody tr:last-child a').focus()")
    send(sandbox, event(sandbox, "c", event_name="signup"))
    until(browser, "document.querySelector('#groups tbody').innerText.includes('\\t2\\t')")
    assert browser.evaluate("document.activeElement.textContent") == "signup"
    assert browser.evaluate(
        "document.activeElement.closest('tr') === document.querySelector('#groups tbody tr')"
    )


def test_an_event_is_opened_by_keyboard(browser, sandbox):
    """Enter on a row opens the event: its JSON, the digest's label, the error next to its field.

    Escape returns to the row.
    """
    send(sandbox, event(sandbox, "odd", custom_data={"value": "1,50"}))
    show(browser, f"{sandbox.origin}/#events")
    until(browser, "document.querySelector('#view-events tbody a')")
    browser.evaluate("document.querySelector('#view-events tbody a').focus()")
    browser.press("Enter")
    until(browser, "document.querySelector('#event[open] .json')")
    shown = browser.evaluate("document.querySelector('#event .json').innerText")
    lines = [line for line in shown.split("\n") if line]
    assert lines[lines.index(f'"{DIGEST}"') + 1] == "SHA-256 of a value that is not known here"
    assert lines[lines.index('"value": "1,50"') + 1].endswith(
        "Error: custom_data.value is not a decimal number."
    )
    until(browser, "document.querySelector('#event').contains(document.activeElement)")
    press(browser, "Escape", 27)
    until(browser, "!document.querySelector('#event').open")
    until(browser, "document.activeElement.closest('tr')?.innerText.startsWith('checkout')")
    until(browser, "location.hash === '#events'")


def test_an_address_opens_what_it_says(browser, sandbox):
    """An address with filters shows those events and fills the form.

    Changing the form changes the address.
    """
    send(
        sandbox,
        event(sandbox, "a"),
        event(sandbox, "b", user_data={}),
        event(sandbox, "c", event_name="signup"),
    )
    show(browser, f"{sandbox.origin}/#events?status=failed")
    until(browser, "document.querySelectorAll('#view-events tbody tr').length === 1")
    assert (
        browser.evaluate("document.querySelector('#event-filters').elements.status.value")
        == "failed"
    )
    browser.evaluate("""
    (form => { form.elements.status.value = ''; form.elements.name.value = 'signup';
               form.elements.name.dispatchEvent(new Event('input', {bubbles: true}))
    })(document.querySelector('#event-filters'))
    """)
    until(browser, "document.querySelector('#view-events tbody')?.innerText.includes('signup')")
    until(browser, "location.hash === '#events?name=signup'")
    browser.evaluate("document.querySelector('#event-filters button').click()")
    until(browser, "document.querySelectorAll('#view-events tbody tr').length === 3")


def test_many_rows_come_in_parts(browser, sandbox):
    """A long history is shown in parts: the newest first, older ones on request."""
    send(sandbox, *[event(sandbox, f"e{number}") for number in range(250)])
    show(browser, f"{sandbox.origin}/#events")
    until(browser, "document.querySelectorAll('#view-events tbody tr').length === 200")
    browser.evaluate("document.querySelector('#view-events .older').click()")
    until(browser, "document.querySelectorAll('#view-events tbody tr').length === 250")
    assert browser.evaluate("document.querySelector('#view-events .older').hidden")


def test_a_switch_takes_effect_at_once(browser, sandbox):
    """A fault that is switched on affects the next request, a changed field the one after."""
    show(browser, f"{sandbox.origin}/#faults")
    card = "document.querySelector('[aria-labelledby=fault-status].fault')"
    assert send(sandbox, event(sandbox)).status_code == 200
    browser.evaluate(f"{card}.querySelector('.switch').focus()")
    press(browser, " ", 32)
    until(browser, f"{card}.classList.contains('on')")
    assert sandbox.faults.script().faults == (Fault("status", status=503),)
    assert send(sandbox, event(sandbox)).status_code == 503
    until(browser, f"{card}.innerText.includes('Active 1 time.')")
    assert "1 fault on" in browser.evaluate("document.querySelector('#faults-on').innerText")
    browser.evaluate(f"""
    (input => {{
      input.value = '429'
      input.dispatchEvent(new Event('change', {{bubbles: true}}))
    }})({card}.elements.status)
    """)
    until(browser, f"{card}.innerText.includes('status:status=429')")
    assert send(sandbox, event(sandbox)).status_code == 429
    browser.evaluate(f"{card}.querySelector('.switch').click()")
    until(browser, f"!{card}.classList.contains('on')")
    assert send(sandbox, event(sandbox)).status_code == 200
    assert errors(browser) == []


def test_a_switch_that_needs_something_says_so(browser, sandbox):
    """An incomplete fault stays off and the field asks.

    The sandbox's refusals are shown.
    """
    show(browser, f"{sandbox.origin}/#faults")
    browser.evaluate("document.querySelector('.switch[aria-labelledby=fault-poison]').click()")
    until(
        browser,
        "document.activeElement.name === 'event_id' && "
        "document.activeElement.validity.valueMissing",
    )
    browser.evaluate("""
    (card => { card.elements.requests.value = 'some'; card.querySelector('.switch').click() })(
      document.querySelector('[aria-labelledby=fault-status].fault'))
    """)
    until(
        browser,
        "document.querySelector('[aria-labelledby=fault-status] [role=alert]').checkVisibility()",
    )
    assert "1-3+7" in browser.evaluate(
        "document.querySelector('[aria-labelledby=fault-status] [role=alert]').textContent"
    )
    assert sandbox.faults.script().faults == ()


def test_faults_set_elsewhere_show(browser, sandbox):
    """Faults of a test or the command line are in the switches, and one button removes all."""
    show(browser, f"{sandbox.origin}/#faults")
    sandbox.faults.set(
        [
            Fault("latency", seconds=0.25, rate=0.5),
            Fault("status", status=500),
            Fault("status", status=503),
        ]
    )
    until(browser, "document.querySelectorAll('.fault.on').length === 2")
    latency = "document.querySelector('[aria-labelledby=fault-latency].fault')"
    assert browser.evaluate(
        f"[{latency}.elements.seconds.value, {latency}.elements.rate.value]"
    ) == ["0.25", "0.5"]
    assert "2 of this kind" in browser.evaluate(
        "document.querySelector('[aria-labelledby=fault-status].fault').innerText"
    )
    browser.evaluate("document.querySelector('#faults-off').click()")
    until(browser, "!document.querySelector('.fault.on')")
    assert sandbox.faults.script().faults == ()


def test_everything_is_forgotten_after_a_question(browser, sandbox):
    """Deleting everything asks first.

    Then nothing that was received is left, here and in the page.
    """
    send(sandbox, event(sandbox))
    show(browser, f"{sandbox.origin}/#events")
    until(browser, "document.querySelector('#view-events tbody tr')")
    browser.evaluate("document.querySelector('#forget').click()")
    assert browser.evaluate("document.querySelector('#sure').open")
    assert len(sandbox.store.events()) == 1
    browser.evaluate("document.querySelector('#forget-now').click()")
    until(
        browser,
        "!document.querySelector('#view-events tbody tr') && "
        "document.querySelector('#waiting').checkVisibility()",
    )
    assert browser.evaluate(FILLED) == "0 0 0 0"
    assert sandbox.store.requests() == []


def test_a_pause_holds_the_page(browser, sandbox, tmp_path):
    """A paused page sends no requests however long it waits, and continues on demand."""
    # A browser of its own, since one whose time was moved does not go back to the world's.
    with Browser(program() or "", tmp_path) as own:
        show(own, f"{sandbox.origin}/#events")
        own.evaluate("document.querySelector('#pause').click()")
        until(own, "document.querySelector('#state.paused')")
        send(sandbox, event(sandbox))
        own.events.clear()
        own.evaluate("setTimeout(() => { document.title = 'A quarter of a minute later' }, 15_000)")
        ahead = {"policy": "pauseIfNetworkFetchesPending", "budget": 60_000}
        own.call("Emulation.setVirtualTimePolicy", **ahead)
        until(own, "document.title === 'A quarter of a minute later'")
        assert own.requests() == []
        assert own.evaluate(FILLED) == "0 0 0 0"
        own.evaluate("document.querySelector('#pause').click()")
        own.call("Emulation.setVirtualTimePolicy", **ahead)
        until(own, "document.querySelectorAll('#view-events tbody tr').length === 1")


def test_a_sandbox_that_ended_is_shown(browser):
    """If nothing responds any more the page says so, and recovers when the sandbox does."""
    with Sandbox() as sandbox:
        show(browser, f"{sandbox.origin}/")
        port = sandbox.port
    until(browser, "document.querySelector('#state.unreachable')?.innerText === 'Not running'")
    with Sandbox(SandboxConfig(port=port)) as again:
        until(browser, "document.querySelector('#state.live')")
        send(again, event(again))
        until(browser, f"{FILLED} === '1 1 0 0'")


def test_deletion_requests_in_a_browser(start, browser: Browser):
    """The view of lists shows a request with its status and its number of people."""
    sandbox = start()
    made = ask_deletion(sandbox, "jane@example.com", "joe@example.com")
    show(browser, f"{sandbox.origin}/#lists")
    until(browser, "document.querySelector('#held-deletions article')")
    words = browser.evaluate("document.querySelector('#held-deletions').innerText")
    assert all(word in words for word in (made, "PENDING", "2"))
    assert errors(browser) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("event_time,email\n{yesterday},a@example.com\n", "would take its 1 row"),
        ("event_time,email\nyesterday,a@example.com\n", "row 2: event_time has an unknown format"),
        ("", "there is no column event_time"),
    ],
)
def test_files_of_old_events_in_a_browser(start, browser: Browser, tmp_path, text: str, words: str):
    """A file that is chosen in the view of lists is judged there, and not kept."""
    file = tmp_path / "old-events.csv"
    sandbox = start()
    file.write_text(text.format(yesterday=int(sandbox.config.clock()) - 86400))
    show(browser, f"{sandbox.origin}/#lists")
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    chooser = browser.call("DOM.querySelector", nodeId=root, selector="#conversion-file")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=chooser, files=[str(file)])
    shown = "document.querySelector('#conversion-verdict').innerText"
    until(browser, f"{shown}.includes({json.dumps(words)})")
    assert errors(browser) == []

"""Calls about customer lists to a scripted Pinterest.

Waits, stops, tokens that another process has replaced, hanging requests.
"""

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from members import digest

from given import Clock
from target_pinterest_capi.customer_lists.remote_list import ConfiguredList, RemoteList
from target_pinterest_capi.delivery.call_runner import OVERDUE_FACTOR, CallRunner
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.pinterest.calls import Call, CallPurpose, Flow, FlowStopped
from target_pinterest_capi.pinterest.oauth import FixedToken, RefreshedTokens
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    Credentials,
    CustomerListBody,
    CustomerListPage,
    NoResponse,
    NoResponseKind,
    TokenGrant,
)
from target_pinterest_capi.settings import load

GOOD = ApiResponse(200, CustomerListBody("1"))


class Bench:
    """Calls on a clock that stops except while they wait."""

    def __init__(self, tokens=None, **changes) -> None:
        self.clock = Clock()
        self.wake = Wakeup()
        settings = load({"ad_account_id": "1", "oauth": {"access_token": "a-token"}}, purpose="any")
        given = {"max_in_flight": 4, "max_retry_seconds": 300, "attempt_seconds": 30, **changes}
        self.calls = CallRunner(
            tokens or FixedToken(settings.oauth.access_token),
            clock=self.clock,
            wake=self.wake,
            rng=random.Random(7),
            **given,
        )

    def run(self) -> None:
        """Continue until every flow has ended or nothing is started.

        A wait moves the clock to the next due time.
        """
        for _ in range(10_000):
            self.calls.poll()
            if self.calls.is_idle or (self.calls.stopped and not self.calls.in_flight):
                return
            if self.calls.in_flight:
                self.wake.wait(120)
            else:
                self.clock.now = max(self.clock.now, self.calls.next_due_at())
        pytest.fail("the calls never came to an end")


def flow_of(
    *calls: Callable[[str], ApiResponse | NoResponse], got: list | None = None, **options
) -> Flow:
    for send in calls:
        answer = yield Call(send, **options)
        if got is not None:
            got.append(answer)


def answers(*given):
    """Return a server of these responses, one after the other, and then successes."""
    left = iter(given)
    return lambda _: next(left, GOOD)


@pytest.mark.parametrize(
    "bad",
    [
        ApiResponse(503),
        ApiResponse(429),
        ApiResponse(500),
        ApiResponse(200),
        NoResponse(NoResponseKind.NOT_SENT, "x"),
        NoResponse(NoResponseKind.UNCERTAIN, "x"),
    ],
    ids=str,
)
def test_what_may_pass_is_sent_again(bad):
    """A flow gets the response of the attempt that succeeded.

    It does not see earlier ones.
    """
    bench, got = Bench(), []
    bench.calls.start(flow_of(answers(bad, bad), got=got))
    bench.run()
    assert (got, bench.calls.requests.sent, bench.calls.requests.repeated) == ([GOOD], 3, 2)


def test_what_is_not_repeatable_goes_back_when_it_is_uncertain():
    """The flow handles a creation that may have happened.

    One that was not sent is sent again.
    """
    bench, got = Bench(), []
    lost = NoResponse(NoResponseKind.UNCERTAIN, "x")
    bench.calls.start(
        flow_of(answers(NoResponse(NoResponseKind.NOT_SENT, "x"), lost), got=got, repeatable=False)
    )
    bench.run()
    assert got == [lost]


@pytest.mark.parametrize("status", [400, 413, 422, 418])
def test_refusals_go_to_the_flow(status):
    """The flow decides the meaning of a refusal."""
    bench, got = Bench(), []
    bench.calls.start(flow_of(answers(ApiResponse(status)), got=got))
    bench.run()
    assert (got, bench.calls.stopped) == ([ApiResponse(status)], None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ApiResponse(403), "ad_account_id"),
        (ApiResponse(404), "list_id"),
        (ApiResponse(302), "api_url"),
    ],
)
def test_what_only_a_person_can_mend_stops(answer, words):
    """Nothing more is started, in any flow, and the setting is named."""
    bench = Bench(max_in_flight=1)
    later = []
    bench.calls.start(flow_of(answers(answer)))
    bench.calls.start(flow_of(lambda _: later.append(1) or GOOD))
    bench.run()
    assert words in bench.calls.stopped.message
    assert later == []


def test_retries_end():
    """After `max_retry_seconds` the calls stop."""
    bench = Bench(max_retry_seconds=20)
    bench.calls.start(flow_of(lambda _: ApiResponse(503)))
    bench.run()
    assert "max_retry_seconds is 20" in bench.calls.stopped.message
    assert bench.clock.now <= 1020


def test_a_creation_that_is_never_certain_ends_too():
    """Lookups in between do not extend the time limit of a creation."""
    bench = Bench(max_retry_seconds=20)

    class Client:
        customer_lists = staticmethod(lambda *_, **__: ApiResponse(200, CustomerListPage([])))
        create_list = staticmethod(lambda *_, **__: NoResponse(NoResponseKind.UNCERTAIN, "x"))

    remote = RemoteList(Client(), ConfiguredList("1", None, "VIPs", "EMAIL"), 10)

    class Nobody:
        settle_accepted = settle_refused = None

    bench.calls.start(remote.send("ADD", [digest("a")], Nobody()))
    bench.run()
    assert "max_retry_seconds is 20" in bench.calls.stopped.message


def test_pages_that_lead_in_a_circle_stop():
    """A repeated bookmark ends the lookup."""

    class Client:
        customer_lists = staticmethod(
            lambda *_, **__: ApiResponse(200, CustomerListPage([CustomerListBody("1")], "again"))
        )

    bench = Bench()
    bench.calls.start(RemoteList(Client(), ConfiguredList("1", None, "VIPs", "EMAIL"), 10).find())
    bench.run()
    assert "repeat themselves" in bench.calls.stopped.message


def test_a_429_holds_every_flow():
    """The server's wait applies to all: no other call is started before it is over."""
    bench, at = Bench(max_in_flight=1), []
    bench.calls.start(flow_of(answers(ApiResponse(429, retry_after_seconds=7.0))))
    bench.calls.start(flow_of(lambda _: at.append(bench.clock.now) or GOOD))
    bench.run()
    assert at >= [1007.0]


def test_a_429_halves_what_is_in_flight_and_success_brings_it_back():
    """A 429 halves the number of parallel calls, and success restores it."""
    bench = Bench(max_in_flight=8)
    bench.calls.start(flow_of(answers(ApiResponse(429))))
    bench.calls.poll()
    bench.wake.wait(120)
    bench.calls.poll()
    assert bench.calls.concurrency_limit.allows(3)
    assert not bench.calls.concurrency_limit.allows(4)
    bench.calls.start(flow_of(*[lambda _: GOOD] * 60))
    bench.run()
    assert bench.calls.concurrency_limit.allows(7)


def test_a_flow_that_stops_stops_all():
    """An error raised in a flow ends the run, from its first step on."""

    def flow():
        raise FlowStopped("there is no such thing")
        yield

    bench = Bench()
    bench.calls.start(flow())
    bench.run()
    assert bench.calls.stopped.message == "there is no such thing"


def test_a_request_that_hangs_stops_the_run():
    """Requests still in a sender could be sent after later operations.

    Nothing more is sent, instead of continuing without it.
    """
    release = threading.Event()
    bench = Bench()
    bench.calls.start(flow_of(lambda _: (release.wait(120) and GOOD) or GOOD))
    bench.calls.poll()
    assert bench.calls.next_due_at() == bench.clock.now + 30 * OVERDUE_FACTOR
    bench.clock.advance(30 * OVERDUE_FACTOR)
    bench.calls.poll()
    release.set()
    assert "took longer than 120 seconds" in bench.calls.stopped.message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "a request about customer lists"),
        ({"about": CallPurpose.AUDIENCES}, "a request about audiences"),
        ({"needs_token": False}, "a request about an OAuth access token"),
    ],
)
def test_messages_say_what_the_call_was_about(options, words, caplog):
    """Lists, audiences or OAuth: repeated, given up, finally refused, or hanging."""
    caplog.set_level("INFO", "target-pinterest-capi.audiences")
    said = []
    for send in (lambda _: ApiResponse(503), lambda _: ApiResponse(403)):
        bench = Bench(max_retry_seconds=20)
        bench.calls.start(flow_of(send, **options))
        bench.run()
        said.append(bench.calls.stopped.message)
    release, bench = threading.Event(), Bench()
    bench.calls.start(flow_of(lambda _: (release.wait(120) and GOOD) or GOOD, **options))
    bench.calls.poll()
    bench.clock.advance(30 * OVERDUE_FACTOR)
    bench.calls.poll()
    release.set()
    said += [bench.calls.stopped.message, *caplog.messages]
    assert len(said) > 3
    assert [message for message in said if words not in message] == []


def test_a_bug_in_a_sender_is_raised():
    """An unexpected error is not lost in its thread."""

    def fail(_):
        raise ZeroDivisionError

    bench = Bench()
    bench.calls.start(flow_of(fail))
    with pytest.raises(ZeroDivisionError):
        bench.run()


def test_a_flow_that_fails_by_a_bug_sends_nothing_again():
    """Completed calls are done: continuing does not send them again."""

    def fail() -> Flow:
        yield Call(lambda _: GOOD)
        raise ZeroDivisionError

    bench = Bench()
    bench.calls.start(fail())
    with pytest.raises(ZeroDivisionError):
        bench.run()
    bench.run()
    assert (bench.calls.requests.sent, bench.calls.is_idle) == (1, True)


class Desk:
    """Pinterest's exchange: only one refresh token is valid at a time."""

    def __init__(self, current: str) -> None:
        self.current = current
        self.exchanged = 0

    def refresh_token(self, credentials: Credentials) -> ApiResponse:
        if credentials.refresh_token != self.current:
            return ApiResponse(401, message="The authorization grant is invalid")
        self.exchanged += 1
        self.current = f"refresh-{self.exchanged}"
        return ApiResponse(200, TokenGrant(f"access-{self.exchanged}", self.current))


def source(desk: Desk, path: Path) -> RefreshedTokens:
    return RefreshedTokens("app", "secret", "refresh-0", str(path), desk)


def test_a_token_that_another_process_replaced_is_read_again(tmp_path):
    """If the refresh token is used up, the one that another process stored is used."""
    path, desk = tmp_path / "token.json", Desk("refresh-0")
    first, second = source(desk, path), source(desk, path)
    flow = second.refresh()
    next(flow)  # it has read the file, and is about to ask
    one = Bench(first)
    one.calls.start(flow_of(lambda token: ApiResponse(200, CustomerListBody(token))))
    one.run()
    assert json.loads(path.read_text())["refresh_token"] == "refresh-1"
    again = flow.send(ApiResponse(401))
    with pytest.raises(StopIteration):
        flow.send(again.send(""))
    assert (second.access_token, desk.exchanged) == ("access-2", 2)


def test_many_flows_share_one_refresh(tmp_path):
    """Calls that are refused together have the token replaced once.

    All are sent again with the new one.
    """
    desk = Desk("refresh-0")
    bench = Bench(source(desk, tmp_path / "token.json"))
    seen = []

    def send(token):
        seen.append(token)
        return ApiResponse(401) if token == "access-1" else GOOD

    for _ in range(4):
        bench.calls.start(flow_of(send))
    bench.run()
    assert (desk.exchanged, bench.calls.stopped) == (2, None)
    assert sorted(seen) == ["access-1"] * 4 + ["access-2"] * 4


def test_no_repr_shows_a_token(tmp_path):
    """Neither arguments nor results are shown in a traceback's values."""
    shown = repr(
        [
            Credentials("app", "secret", "refresh-0"),
            TokenGrant("access-1", "refresh-1"),
            ApiResponse(200, TokenGrant("access-1")),
        ]
    )
    assert not any(word in shown for word in ("secret", "refresh-", "access-"))

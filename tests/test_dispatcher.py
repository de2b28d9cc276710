"""The dispatcher carries every batch to its end.

Retries with due times, bisecting, stops, bounded work.
"""

import math
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest

from given import Clock
from shopper import ACCOUNT, event
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.dispatcher import (
    MAX_LIVE_BYTES,
    SPARE_BATCHES,
    Dispatcher,
    Pending,
)
from target_pinterest_capi.delivery.rate_limit import RateLimit
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    EventsResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)

DONE = EventStatus("processed")
Send = Callable[[Batch], EventsResponse]


def batch_of(numbers: range, account: Account = ACCOUNT) -> Batch:
    made = Batch(account, 0.0)
    for number in numbers:
        made.append(event(number), number + 1)
    return made


def ids(batch: Batch) -> list[str]:
    return [one.id for one in batch.events]


def accept(batch: Batch) -> EventsResponse:
    return ApiResponse(200, [DONE] * len(batch))


class Rows:
    """Rows that are being written, and succeed or fail once somebody waits for them."""

    def __init__(self, *, fail: bool = False) -> None:
        self.has_ended = False
        self.fail = fail

    def wait(self) -> None:
        self.has_ended = True
        if self.fail:
            raise OSError("the disk is full")


class Ends:
    """Records how every event ends; each outcome takes the next of `rows`, if there are any."""

    def __init__(self, *, resend: bool = True) -> None:
        self.rows: list[Rows] = []
        self.answered_ids: list[str] = []
        self.refused_ids: list[str] = []
        self.messages: list[str] = []
        self.resend = resend

    def settle_answered(
        self, batch: Batch, statuses: list[EventStatus], http_status: int
    ) -> Iterator[Pending]:
        assert (len(statuses), http_status) == (len(batch), 200)
        if self.rows:
            rows = self.rows.pop(0)
            yield rows
            rows.wait()
        self.answered_ids += ids(batch)

    def settle_refused(self, batch: Batch, message: str, http_status: int) -> None:
        assert message.startswith(str(http_status))
        self.refused_ids += ids(batch)
        self.messages.append(message)

    def settle_uncertain(self, batch: Batch) -> Batch | None:
        return batch if self.resend else None


class Desk:
    """A dispatcher with a scripted Pinterest, moved by hand with a fixed clock."""

    def __init__(self, send: Send, *, resend: bool = True, **limits: float | RateLimit) -> None:
        self.sent: list[list[str]] = []
        self.clock = Clock()
        self.ends = Ends(resend=resend)
        self.wake = Wakeup()

        def recorded(batch: Batch) -> EventsResponse:
            self.sent.append(ids(batch))
            return send(batch)

        settings = {
            "max_in_flight": 4,
            "max_requests_per_minute": 5000,
            "max_retry_seconds": 300,
            **limits,
        }
        self.dispatcher = Dispatcher(
            recorded, self.ends, clock=self.clock, wake=self.wake, rng=random.Random(7), **settings
        )  # type: ignore[arg-type]

    def answer(self) -> None:
        """Send what is due, and read the response."""
        self.dispatcher.poll()
        self.wake.wait(120)
        self.dispatcher.poll()

    def run(self) -> None:
        """Move until nothing is left or the dispatcher stopped.

        Waiting moves the clock to the next due time.
        """
        dispatcher = self.dispatcher
        for _ in range(100_000):
            dispatcher.poll()
            if dispatcher.is_idle or (dispatcher.stopped and not dispatcher.in_flight):
                return
            if dispatcher.in_flight:
                self.wake.wait(120)
            else:
                due = dispatcher.next_due_at()
                assert due is not None
                self.clock.now = max(self.clock.now, due)
        pytest.fail("the dispatcher never came to an end")


def test_accepted_batch_is_settled_once():
    """A batch that Pinterest accepts is one request, and then no longer unacknowledged."""
    desk = Desk(accept)
    desk.dispatcher.submit(batch_of(range(3)))
    assert desk.dispatcher.oldest_sequence() == 1
    desk.run()
    assert desk.ends.answered_ids == ["visit-0", "visit-1", "visit-2"]
    assert desk.dispatcher.oldest_sequence() is None
    assert desk.dispatcher.requests.sent == 1


@pytest.mark.parametrize(
    "bad",
    [
        ApiResponse(503),
        ApiResponse(429),
        ApiResponse(500),
        NoResponse(NoResponseKind.NOT_SENT, "x"),
        NoResponse(NoResponseKind.UNCERTAIN, "x"),
        ApiResponse(200),
    ],
)
def test_what_may_pass_is_sent_again(bad):
    """The same events are sent again, after a wait, until they are accepted."""
    answers = iter([bad, bad])
    desk = Desk(lambda batch: next(answers, None) or accept(batch))
    desk.dispatcher.submit(batch_of(range(2)))
    desk.run()
    assert desk.sent == [["visit-0", "visit-1"]] * 3
    assert (desk.dispatcher.requests.sent, desk.dispatcher.requests.repeated) == (3, 2)
    assert desk.ends.answered_ids == ["visit-0", "visit-1"]


def test_servers_wait_is_honoured():
    """A retry is not started before the time that the server gave.

    Neither are other batches of the account.
    """
    answers = iter([ApiResponse(429, retry_after_seconds=30.0)])
    desk = Desk(lambda batch: next(answers, None) or accept(batch), max_in_flight=1)
    began = desk.clock.now
    desk.dispatcher.submit(batch_of(range(1)))
    desk.dispatcher.submit(batch_of(range(1, 2)))
    desk.run()
    assert desk.clock.now == began + 30
    assert len(desk.sent) == 3


def test_429_halves_what_is_in_flight_and_success_brings_it_back():
    """After a 429 half as many requests are in flight, and after successes all of them again."""
    desk = Desk(accept, max_in_flight=8)
    desk.dispatcher._retry(batch_of(range(1)), ApiResponse(429), slow_down=True)
    assert desk.dispatcher.concurrency_limit.allows(3)
    assert not desk.dispatcher.concurrency_limit.allows(4)
    for number in range(1, 60):
        desk.dispatcher.submit(batch_of(range(number, number + 1)))
    desk.run()
    assert desk.dispatcher.concurrency_limit.allows(7)


def test_account_that_has_no_calls_left_waits_a_minute_at_most_and_says_so(caplog):
    """However late the reset is, a request asks again after the ceiling."""
    caplog.set_level("INFO", "target-pinterest-capi.delivery")

    def accept_last(batch: Batch) -> EventsResponse:
        response = accept(batch)
        return response._replace(remaining_calls=0, retry_after_seconds=86_400.0)

    desk = Desk(accept_last, max_in_flight=1)
    began = desk.clock.now
    for number in range(2):
        desk.dispatcher.submit(batch_of(range(number, number + 1)))
    desk.run()
    assert desk.clock.now == began + 60
    assert "accepts no more requests" in caplog.text
    assert "is sent in 60 seconds" in caplog.text


def test_retries_end_the_run_in_time():
    """When a batch was tried for max_retry_seconds the run stops, and the batch stays unacknowledged."""
    desk = Desk(lambda _: ApiResponse(503, message="down"), max_retry_seconds=60)
    desk.dispatcher.submit(batch_of(range(2)))
    desk.run()
    assert desk.dispatcher.stopped is not None
    assert "max_retry_seconds" in desk.dispatcher.stopped.message
    assert "503 down" in desk.dispatcher.stopped.message
    assert desk.clock.now - 1000 <= 60
    assert desk.dispatcher.oldest_sequence() == 1
    assert desk.ends.answered_ids == desk.ends.refused_ids == []


@pytest.mark.parametrize(
    ("status", "setting"),
    [(401, "conversion_token"), (403, "ad_account_id"), (404, "api_url"), (307, "api_url")],
)
def test_refused_token_stops_with_the_settings_name(status, setting):
    """What only a person can correct stops the run at once, and names the setting.

    No event gets an outcome.
    """
    desk = Desk(lambda _: ApiResponse(status, message="Authentication failed."))
    desk.dispatcher.submit(batch_of(range(2)))
    desk.run()
    assert desk.dispatcher.stopped is not None
    assert setting in desk.dispatcher.stopped.message
    assert desk.dispatcher.oldest_sequence() == 1
    assert len(desk.sent) == 1


@pytest.mark.parametrize("culprit", [0, 1, 499, 500, 998, 999])
@pytest.mark.parametrize("size", [1000])
def test_one_culprit_is_found_by_halving(size, culprit):
    """One event that makes Pinterest refuse the whole request costs at most 2·log2(n)+4 requests.

    All others are delivered once.
    """
    poison = f"visit-{culprit}"
    desk = Desk(
        lambda batch: ApiResponse(400, message="bad") if poison in ids(batch) else accept(batch)
    )
    desk.dispatcher.submit(batch_of(range(size)))
    desk.run()
    assert desk.ends.refused_ids == [poison]
    assert desk.ends.messages == ["400 bad"]
    assert sorted(desk.ends.answered_ids) == sorted(
        f"visit-{number}" for number in range(size) if number != culprit
    )
    assert len(desk.sent) <= 2 * math.log2(size) + 4
    assert desk.dispatcher.requests.bisecting == len(desk.sent) - 1


def test_many_culprits_cost_a_bounded_number_of_requests():
    """However many are bad, a batch of n costs fewer than 2n requests.

    Each event still ends once.
    """
    bad = {f"visit-{number}" for number in range(0, 64, 3)}
    desk = Desk(lambda batch: ApiResponse(400) if bad & set(ids(batch)) else accept(batch))
    desk.dispatcher.submit(batch_of(range(64)))
    desk.run()
    ends = Counter(desk.ends.answered_ids + desk.ends.refused_ids)
    assert set(desk.ends.refused_ids) == bad
    assert ends == Counter(f"visit-{number}" for number in range(64))
    assert len(desk.sent) < 2 * 64


def test_refusal_of_everything_stops_without_dead_letters():
    """If nothing was accepted yet, three refused single events stop the run.

    The events are not the cause.
    """
    desk = Desk(lambda _: ApiResponse(400, message="no"))
    desk.dispatcher.submit(batch_of(range(1000)))
    desk.run()
    assert desk.dispatcher.stopped is not None
    assert desk.ends.refused_ids == []
    assert desk.dispatcher.oldest_sequence() == 1
    assert len(desk.sent) < 100


def test_unconfirmed_rejections_are_settled_once_something_is_accepted():
    """Single events refused before anything was accepted are rejected as soon as something is."""
    desk = Desk(
        lambda batch: ApiResponse(400) if "visit-0" in ids(batch) else accept(batch),
        max_in_flight=1,
    )
    desk.dispatcher.submit(batch_of(range(1)))
    desk.run()
    assert desk.ends.refused_ids == []
    desk.dispatcher.submit(batch_of(range(1, 2)))
    desk.run()
    assert desk.ends.refused_ids == ["visit-0"]
    assert desk.dispatcher.oldest_sequence() is None


def test_two_unconfirmed_rejections_at_the_end_are_settled():
    """If the input ends with fewer than three refused, they are rejected.

    Then the run's ratio decides.
    """
    desk = Desk(lambda _: ApiResponse(400))
    desk.dispatcher.submit(batch_of(range(2)))
    desk.run()
    assert desk.dispatcher.stopped is None
    desk.dispatcher.settle_unconfirmed()
    assert sorted(desk.ends.refused_ids) == ["visit-0", "visit-1"]


def test_uncertain_events_that_must_not_repeat_are_let_go():
    """After an unknown outcome, only what is returned for it is sent again."""
    desk = Desk(lambda _: NoResponse(NoResponseKind.UNCERTAIN, "x"), resend=False)
    desk.dispatcher.submit(batch_of(range(2)))
    desk.run()
    assert len(desk.sent) == 1
    assert desk.dispatcher.oldest_sequence() is None


def test_rate_limit_spreads_calls():
    """No minute has more requests of an account than max_requests_per_minute."""
    desk = Desk(accept, max_requests_per_minute=2)
    for number in range(5):
        desk.dispatcher.submit(batch_of(range(number, number + 1)))
    desk.run()
    assert desk.clock.now >= 1000 + 120
    assert len(desk.sent) == 5


def test_limit_of_tests_is_for_all_accounts():
    """Test requests of several accounts share one limit: no second has more."""
    starts: list[float] = []

    def timed(batch: Batch) -> EventsResponse:
        starts.append(desk.clock.now)
        return accept(batch)

    desk = Desk(timed, test_limit=RateLimit(2, window_seconds=1), max_in_flight=16)
    for number in range(7):
        account = Account(str(549755885175 + number % 2), "token", "test")
        desk.dispatcher.submit(batch_of(range(number, number + 1), account=account))
    desk.run()
    assert sorted(starts) == [1000, 1000, 1001, 1001, 1002, 1002, 1003]


def test_limit_of_tests_is_for_tests_alone():
    """Live requests do not wait for the limit of test requests."""
    desk = Desk(accept, test_limit=RateLimit(2, window_seconds=1), max_in_flight=16)
    for number in range(7):
        desk.dispatcher.submit(batch_of(range(number, number + 1)))
    desk.run()
    assert (len(desk.sent), desk.clock.now) == (7, 1000)


def test_room_is_bounded():
    """Not many more batches than may be in flight are accepted.

    Then reading must wait.
    """
    desk = Desk(accept, max_in_flight=2)
    taken = 0
    while desk.dispatcher.has_room:
        desk.dispatcher.submit(batch_of(range(taken, taken + 1)))
        taken += 1
    assert taken == 2 + SPARE_BATCHES
    desk.run()
    assert desk.dispatcher.has_room


def test_room_is_bounded_by_bytes_too():
    """Large events fill the room before the number of batches does.

    Memory has its own limit.
    """
    desk = Desk(accept, max_in_flight=16)
    large = batch_of(range(1))
    large.size_bytes = MAX_LIVE_BYTES
    desk.dispatcher.submit(large)
    assert not desk.dispatcher.has_room
    desk.run()
    assert desk.dispatcher.has_room


def test_attempt_that_hangs_is_given_up():
    """An attempt that is overdue is uncertain, wherever it hangs.

    Its late response is not read.
    """
    release = threading.Event()
    calls = []

    def hang_once(batch: Batch) -> EventsResponse:
        calls.append(ids(batch))
        if len(calls) == 1:
            release.wait(120)
        return accept(batch)

    desk = Desk(hang_once, attempt_seconds=30, max_in_flight=1)
    desk.dispatcher.submit(batch_of(range(1)))
    desk.dispatcher.poll()
    assert desk.dispatcher.next_due_at() == desk.clock.now + 30
    desk.clock.advance(30)
    desk.dispatcher.poll()
    assert desk.dispatcher.in_flight == 0
    desk.run()
    release.set()
    desk.wake.wait(120)
    desk.run()
    assert desk.ends.answered_ids == ["visit-0"]
    assert len(calls) == 2


def test_error_in_a_sender_is_raised_where_it_is_polled():
    """A bug in sending is not swallowed by its thread."""

    def broken(batch: Batch) -> EventsResponse:
        raise ZeroDivisionError

    desk = Desk(broken)
    desk.dispatcher.submit(batch_of(range(1)))
    with pytest.raises(ZeroDivisionError):
        desk.run()


def test_wake_ends_a_wait_and_is_forgotten():
    """A wake-up before the wait ends it at once; the next wait takes its time."""
    wake = Wakeup()
    wake.set()
    wake.set()
    wake.wait(None)
    wake.wait(0)
    wake.close()


# ---- outcomes that wait for rows ----


def test_pending_outcomes_do_not_stop_the_dispatcher():
    """The batch stays undecided, the next one is sent, and the outcomes follow the rows."""
    desk, rows = Desk(accept), Rows()
    desk.ends.rows = [rows]
    desk.dispatcher.submit(batch_of(range(2)))
    desk.answer()
    assert (desk.dispatcher.undecided, desk.dispatcher.oldest_sequence()) == (2, 1)
    assert (desk.dispatcher.in_flight, desk.dispatcher.is_idle) == (1, False)
    desk.dispatcher.submit(batch_of(range(2, 3)))
    desk.dispatcher.poll()
    desk.wake.wait(120)
    assert (desk.sent[1], desk.ends.answered_ids) == (["visit-2"], [])
    rows.has_ended = True
    desk.dispatcher.poll()
    assert desk.ends.answered_ids[:2] == ["visit-0", "visit-1"]


@pytest.mark.parametrize("by", ["the next response", "the end"])
def test_pending_outcomes_are_waited_for(by: str):
    """At most one batch is pending: the next response waits, and the end of a run does."""
    desk, rows = Desk(accept), Rows()
    desk.ends.rows = [rows]
    desk.dispatcher.submit(batch_of(range(1)))
    desk.answer()
    if by == "the end":
        desk.dispatcher.poll(wait=True)
        assert desk.ends.answered_ids == ["visit-0"]
    else:
        desk.dispatcher.submit(batch_of(range(1, 2)))
        desk.answer()
        assert desk.ends.answered_ids == ["visit-0", "visit-1"]
    assert (desk.dispatcher.undecided, desk.dispatcher.is_idle) == (0, True)


def test_pending_outcomes_that_fail_do_not_lose_the_next_response():
    """Their batch stays undecided for good; the response that came meanwhile counts."""
    desk, failing, following = Desk(accept), Rows(fail=True), Rows()
    desk.ends.rows = [failing, following]
    for number in range(2):
        desk.dispatcher.submit(batch_of(range(number, number + 1)))
        with pytest.raises(OSError, match="disk") if number else nullcontext():
            desk.answer()
    desk.dispatcher.poll(wait=True)
    assert desk.ends.answered_ids == ["visit-1"]
    assert (desk.dispatcher.undecided, desk.dispatcher.oldest_sequence()) == (1, 1)
    assert desk.dispatcher.is_idle

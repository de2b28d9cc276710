"""The whole run against a plain model.

For any input and any responses: one outcome each, and no STATE too early.

The run's own clock, client and wake are scripted: a wait either lets one request in flight end, in
any order and in any way, or moves the clock to the next due time. Nothing sleeps, and a run that
waits for nothing is detected.
"""

import errno
import json
import random
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from given import Clock, examples, files_limited_to, settings_of
from ledger_model import RunLedger, SharedLedger
from target_pinterest_capi.delivery.event_delivery import ATTEMPT_SLACK_SECONDS
from target_pinterest_capi.delivery.held_batches import MAX_HELD_BATCHES
from target_pinterest_capi.delivery.ledger import (
    LEASE_SECONDS,
    RENEWAL_SECONDS,
    Claims,
    LedgerError,
    event_key,
)
from target_pinterest_capi.delivery.rejection_limit import MIN_SETTLED_FOR_RATIO
from target_pinterest_capi.delivery.repeats import MAX_WAITING
from target_pinterest_capi.delivery.run import (
    STATE_INTERVAL_SECONDS,
    ExitCode,
    Run,
    RunStopped,
)
from target_pinterest_capi.delivery.waiting import FILE_WAIT_SECONDS, MAX_BUFFERED
from target_pinterest_capi.delivery.wakeup import Wakeup, wait_readable
from target_pinterest_capi.events.event import (
    Account,
    Event,
    InvalidRecord,
    Origin,
    SkippedRecord,
    encode,
)
from target_pinterest_capi.events.reasons import Invalid, Skipped
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)

Numbers = set[int]
ORIGIN = Origin("visits", "pinterest")
ACCOUNTS = (Account("549755885175", "sandbox-token"), Account("549755885176", "sandbox-token"))
MAX_WAITS = 3000  # of one run; what needs more goes round in circles

# How a request may end: whether Pinterest processed it, and what came back (None: a status for
# each event).
ENDINGS: dict[str, tuple[bool, ApiResponse | NoResponse | None]] = {
    "taken": (True, None),
    "busy": (False, ApiResponse(503, retry_after_seconds=2)),
    "too many": (False, ApiResponse(429, retry_after_seconds=1)),
    "not sent": (False, NoResponse(NoResponseKind.NOT_SENT, "refused")),
    "lost before": (False, NoResponse(NoResponseKind.UNCERTAIN, "dropped")),
    "lost after": (True, NoResponse(NoResponseKind.UNCERTAIN, "dropped")),
    "failed inside": (True, ApiResponse(500)),
    "one less": (True, ApiResponse(200, body=[])),
    "no token": (False, ApiResponse(401)),
}
OVER = NoResponse(NoResponseKind.NOT_SENT, "over")
CALM = [name for name in ENDINGS if name != "no token"]


class Sent(NamedTuple):
    """A request in flight.

    The numbers of its events, when it was sent, and the response that its sender waits for.
    """

    numbers: tuple[int, ...]
    at: float
    may_end: threading.Event
    answer: list[ApiResponse | NoResponse]


class Pinterest:
    """The client of a run: each request waits until the model ends it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.under_way: dict[int, Sent] = {}
        self.changed = threading.Condition()
        self.is_over = False
        self.arrived = 0

    def send_events(self, account: Account, body: bytes, *, test: bool) -> ApiResponse | NoResponse:  # noqa: ARG002
        sent = Sent(
            tuple(int(one["language"]) for one in json.loads(body)["data"]),
            self.clock(),
            threading.Event(),
            [],
        )
        with self.changed:
            if self.is_over:
                return OVER
            self.arrived += 1
            self.under_way[self.arrived] = sent
            self.changed.notify_all()
        assert sent.may_end.wait(120), "the world forgot a request"
        return sent.answer[0]

    def close(self) -> None:
        """Release every sender."""
        with self.changed:
            self.is_over = True
            for sent in self.under_way.values():
                sent.answer.append(OVER)
                sent.may_end.set()


class World:
    """A run with its arrivals, responses and time, and a record of the truth."""

    def __init__(
        self,
        directory: Path,
        rng: random.Random,
        endings: list[str],
        bad: float = 0.1,
        ledger: RunLedger | None = None,
        **given: Any,
    ) -> None:
        self.rng = rng
        self.endings = endings
        self.bad = bad  # the share of events that Pinterest fails, and of those that it refuses
        self.clock = Clock()
        self.pinterest = Pinterest(self.clock)
        self.reported = threading.Semaphore(0)
        self.waits = 0
        self.path = directory / "rejected.jsonl"
        self.arrived: list[tuple[int, int, str]] = []  # record, number of the event, event id
        self.too_old: Numbers = set()
        self.skipped: Numbers = set()
        self.invalid: Numbers = set()
        self.confirmed: Counter[int] = Counter()
        self.failing: Numbers = set()
        self.poison: Numbers = set()
        self.states: list[int] = []  # records before each STATE
        self.written: list[int] = []  # which STATE was written
        self.lines_left: float = float("inf")  # that stdout takes
        self.lines_failed = 0
        self.keeps_ledger = ledger is not None
        if ledger is not None:
            ledger.shared.now = self.clock
        self.run = Run(
            settings_of(
                **{"dead_letter_path": str(self.path), "shutdown_grace_seconds": 5, **given}
            ),
            self.write_state,
            clock=self.clock,
            client=self.pinterest,
            wake=self,
            rng=rng,
            ledger=ledger,
        )

    # The wake: what ends a wait

    fd = -1

    def set(self) -> None:
        self.reported.release()

    def clear(self) -> None:
        """Nothing to remove: reports are in the dispatcher's queue."""

    def wait(self, seconds: float | None) -> None:
        """Let something happen: a request ends, or time passes until the next due time."""
        self.waits += 1
        assert self.waits < MAX_WAITS, "the run goes round in circles"
        sent = self.under_way()
        if sent and self.endings and (seconds is None or self.rng.random() < 0.8):
            self.end(self.rng.choice(sent))
        else:
            assert seconds is not None, "the run waits, and nothing will ever happen"
            self.clock.advance(seconds)

    # Pinterest

    def under_way(self) -> list[int]:
        """Return the requests in flight, once every started one has arrived.

        The run may have given some up.
        """
        pinterest = self.pinterest
        with pinterest.changed:
            assert pinterest.changed.wait_for(
                lambda: pinterest.arrived == self.run.requests.sent, 60
            )
            return sorted(
                pinterest.under_way, key=lambda number: pinterest.under_way[number].numbers
            )

    def end(self, number: int) -> None:
        """End a request in one of the possible ways, and wait until its sender has reported it."""
        queue = self.run._events.dispatcher._workers._done
        before = queue.qsize()
        sent = self.pinterest.under_way[number]
        is_late = (
            sent.at + self.run.settings.request_timeout_seconds + ATTEMPT_SLACK_SECONDS
            <= self.clock.now
        )
        sent.answer.append(self.answer(sent.numbers, is_heard=not is_late))
        with self.pinterest.changed:
            del self.pinterest.under_way[number]
        sent.may_end.set()
        while queue.qsize() == before:
            assert self.reported.acquire(timeout=120)

    def answer(self, numbers: tuple[int, ...], *, is_heard: bool) -> ApiResponse | NoResponse:
        processes, given = ENDINGS[self.rng.choice(self.endings)]
        if given is not None and not (processes and self.poison.intersection(numbers)):
            return given
        if self.poison.intersection(numbers):
            return ApiResponse(400, message="Invalid request")
        statuses = [
            EventStatus("failed" if number in self.failing else "processed") for number in numbers
        ]
        self.confirmed.update(
            number for number in numbers if is_heard and number not in self.failing
        )
        return ApiResponse(422 if self.failing.intersection(numbers) else 200, body=statuses)

    # Arrivals

    def event(
        self, event_id: str = "", *, bytes_more: int = 0, account: Account | None = None
    ) -> None:
        number = self.number()
        offline = self.rng.random() < 0.3
        self.failing.update({number} if self.rng.random() < self.bad else ())
        self.poison.update({number} if self.rng.random() < self.bad else ())
        event_id = event_id or f"visit-{number}"
        body = encode({"event_id": event_id, "language": str(number), "app_name": "x" * bytes_more})
        self.arrived.append((self.run.sequence, number, event_id))
        if bytes_more:
            self.invalid.add(number)
        if account is None:
            account = ACCOUNTS[not event_id.startswith("same") and self.rng.random() < 0.2]
        self.run.deliver_event(
            Event(body, account, ORIGIN, "page_visit", event_id, not offline, 0, {"n": str(number)})
        )

    def arrive(self, event_id: str, times: int, account: Account | None = None) -> None:
        """Let an event and its duplicates arrive, each as its own record."""
        for _ in range(times):
            while not self.run.has_room:
                self.run.wait()
                self.run.poll()
            self.run.sequence += 1
            self.event(event_id, account=account)

    def number(self) -> int:
        return len(self.arrived) + 1

    def step(self, what: str) -> None:
        """Let one thing arrive, as from an entry point.

        With room, and with the run's own work in between.
        """
        run = self.run
        while not run.has_room:
            run.wait()
            run.poll()
        run.sequence += what not in {"state", "poll", "wait"}
        arrivals: dict[str, Callable[[], object]] = {
            "event": self.event,
            "pair": lambda: (self.event(), self.event()),
            "repeat": lambda: self.event(f"same-{self.rng.randrange(3)}"),
            "large": lambda: self.event(f"same-{self.rng.randrange(3)}", bytes_more=2000),
            "invalid": lambda: self.bad_row(Invalid.NO_IDENTIFIER),
            "old": lambda: self.bad_row(Invalid.EVENT_TOO_OLD),
            "skip": self.left_out_row,
            "state": self.state,
            "poll": run.poll,
            "wait": self.wait_a_little,
        }
        arrivals[what]()

    def bad_row(self, reason: Invalid) -> None:
        number = self.number()
        self.arrived.append((self.run.sequence, number, ""))
        self.invalid.add(number)
        self.too_old.update({number} if reason is Invalid.EVENT_TOO_OLD else ())
        self.run.handle_invalid(InvalidRecord(ORIGIN, reason, key={"n": str(number)}))

    def left_out_row(self) -> None:
        number = self.number()
        self.arrived.append((self.run.sequence, number, ""))
        self.skipped.add(number)
        self.run.skip_record(SkippedRecord(ORIGIN, Skipped.WHEN))

    def state(self) -> None:
        self.states.append(self.run.sequence)
        self.run.add_state(b'{"state":%d}' % (len(self.states) - 1))

    def lose_a_record(self) -> None:
        """Leave a record unread, as after a signal within a file, and pass its STATE."""
        self.run.sequence += 1
        self.arrived.append((self.run.sequence, self.number(), "lost"))
        self.state()

    def wait_a_little(self) -> None:
        if self.run.seconds_until_due() is not None or self.under_way():
            self.run.wait()
        self.run.poll()

    # What is true

    def dead(self) -> Counter[int]:
        """Return the events that are durable as dead letters."""
        rows = self.path.read_text().splitlines() if self.path.exists() else []
        return Counter(int(json.loads(row)["key"]["n"]) for row in rows)

    def settled(self) -> Numbers:
        """Return the events that have an outcome.

        With a ledger also duplicates of delivered ones.
        """
        done = set(self.confirmed) | set(self.dead()) | self.skipped
        if self.keeps_ledger:
            delivered = {
                event_id for _, number, event_id in self.arrived if number in self.confirmed
            }
            done |= {
                number
                for _, number, event_id in self.arrived
                if event_id in delivered and number not in self.invalid
            }
        return done

    def write_state(self, value: bytes) -> None:
        """Compare a STATE with the truth at the moment it is written."""
        if not self.lines_left:
            self.lines_failed += 1
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        self.lines_left -= 1
        state = json.loads(value)["state"]
        assert not self.written or state > self.written[-1], "STATE went back"
        settled, dead = self.settled(), set(self.dead())
        passed = {number for record, number, _ in self.arrived if record <= self.states[state]}
        assert passed <= settled, "STATE passed an unacknowledged record"
        limit, tally = self.run.settings.max_rejected_ratio, self.run.tally
        if limit is not None and tally.failed and tally.failed >= limit * tally.attempted:
            before = self.states[self.written[-1]] if self.written else 0
            new = {
                number
                for record, number, _ in self.arrived
                if before < record <= self.states[state]
            }
            assert not new & dead - self.too_old, "STATE passed a failed event while too many fail"
        self.written.append(state)

    def check_outcomes(self) -> None:
        """Compare the run's own counts with the truth: nothing twice, nothing in two places."""
        dead, totals = self.dead(), self.run.tally.by_outcome()
        assert set(self.confirmed.values()) | set(dead.values()) <= {1}
        assert not set(self.confirmed) & set(dead)
        assert totals["delivered"] == len(self.confirmed)
        assert totals["invalid"] + totals["rejected"] == len(dead)
        assert totals["invalid"] == len(self.invalid & set(dead))
        assert sum(totals.values()) == len(self.settled())


ARRIVALS = [
    "event",
    "event",
    "event",
    "pair",
    "repeat",
    "repeat",
    "large",
    "invalid",
    "old",
    "skip",
    "state",
    "poll",
    "wait",
]

ENDS = ["end of input", "end of input", "signal", "refused token", "closed stdout"]


@settings(max_examples=examples(500))
@given(
    steps=st.lists(st.sampled_from(ARRIVALS), max_size=120),
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 4),
    in_flight=st.integers(1, 3),
    keeps_ledger=st.booleans(),
    ratio=st.sampled_from([None, 1.0, 0.4]),
    on_uncertain=st.sampled_from(["resend", "reject"]),
    end=st.sampled_from(ENDS),
)
def test_one_outcome_each_and_no_state_too_early(
    steps, seed, rows, in_flight, keeps_ledger, ratio, on_uncertain, end
):
    """Every STATE is newer than the last and true when it is written.

    At the end each event has one outcome, or holds STATE.
    """
    with tempfile.TemporaryDirectory() as directory:
        world = World(
            Path(directory),
            random.Random(seed),
            list(ENDINGS) if end == "refused token" else ["taken"] * 6 + CALM,
            batch_size_rows=rows,
            max_in_flight=in_flight,
            ledger=SharedLedger().open() if keeps_ledger else None,
            max_rejected_ratio=ratio,
            on_uncertain=on_uncertain,
            batch_max_bytes=1000,
            batch_wait_seconds=3,
            max_retry_seconds=86_400,
        )
        world.lines_left = seed % 3 if end == "closed stdout" else float("inf")
        try:
            with suppress(RunStopped):
                for step in steps:
                    world.step(step)
            if end == "signal":
                world.run.interrupt()
                world.lose_a_record()
            stopped = world.run.finish()
            world.check_outcomes()
            assert world.lines_failed <= 1, "a line was written after one that may be cut"
            assert stopped is not None or not world.lines_failed
            if stopped is None and not world.run.is_interrupted:
                assert world.settled() == {number for _, number, _ in world.arrived}
                assert not world.states or world.written[-1:] == [len(world.states) - 1]
        finally:
            world.run.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Return a function that creates a model in which Pinterest accepts everything but `poison`.

    Those are events by their number.
    """
    made: list[World] = []

    def make(*poison: int, **given: Any) -> World:
        given = {"max_rejected_ratio": None, **given}
        made.append(World(tmp_path, random.Random(1), ["taken"], bad=0, **given))
        made[-1].poison.update(poison)
        return made[-1]

    yield make
    for one in made:
        one.run.close()


def test_unconfirmed_rejections_leave_room_for_those_that_decide(world):
    """With one request at a time, two refused single events do not prevent reading a third."""
    one = world(1, 2, batch_size_rows=1, max_in_flight=1)
    for _ in range(3):
        one.step("event")
    one.step("state")
    assert one.run.finish() is None
    assert (one.run.tally.by_outcome()["rejected"], one.written) == (2, [0])


def test_repeat_of_what_is_refused_at_the_end_gets_its_turn(world):
    """An event refused last of all is decided at the end of the input.

    So is the duplicate that waited for it.
    """
    one = world(1, ledger=SharedLedger().open())
    one.arrive("same", 2)
    one.step("state")
    assert one.run.finish() is None
    assert (
        one.run.tally.by_outcome()["delivered"],
        one.run.tally.by_outcome()["rejected"],
        one.written,
    ) == (1, 1, [0])


def test_repeats_of_an_unconfirmed_rejection_do_not_block_the_input(world):
    """If so many duplicates wait for a refused event that reading stops, it is decided.

    Then they continue.
    """
    one = world(1, ledger=SharedLedger().open(), batch_wait_seconds=1)
    one.arrive("same", MAX_WAITING + 2)
    one.step("event")
    assert one.run.finish() is None
    assert one.run.tally.by_outcome() == {
        "delivered": 2,
        "invalid": 0,
        "rejected": 1,
        "skipped": MAX_WAITING,
    }


def test_repeats_without_end_of_one_event_wait_for_no_batch_to_be_old_enough(world):
    """An open batch is sent when reading waits for its event: nothing else can make room."""
    one = world(ledger=SharedLedger().open(), batch_wait_seconds=3600)
    began_at = one.clock.now
    for _ in range(3 * MAX_WAITING):
        one.run.poll()
        one.arrive("same", 1)
    assert one.run.finish() is None
    assert one.run.tally.by_outcome()["skipped"] == 3 * MAX_WAITING - 1
    assert one.clock.now - began_at < RENEWAL_SECONDS


# What another run has claimed


def test_state_stays_before_a_repeat_that_came_before_the_first(world):
    """Two entries of an account fill their batches in any order: STATE waits for both events."""
    one = world(ledger=SharedLedger().open(), batch_size_rows=2)
    other_entry = Account(ACCOUNTS[0].ad_account_id, "sandbox-token")
    one.arrive("same-1", 1)
    one.step("state")
    for event_id in ("same-1", "same-2"):
        one.arrive(event_id, 1, other_entry)
    one.arrive("same-3", 1)
    *_, with_third = one.under_way()
    one.end(with_third)
    one.run.poll()
    assert (one.run.tally.by_outcome()["delivered"], one.written) == (1, [])
    assert one.run.finish() is None
    totals = one.run.tally.by_outcome()
    assert (totals["delivered"], totals["skipped"], one.written) == (3, 1, [0])


def claimed_elsewhere(shared: SharedLedger, *event_ids: str) -> RunLedger:
    """Return another run that has claimed events."""
    other = shared.open()
    other.claim(keys(*event_ids))
    return other


def keys(*event_ids: str) -> list[int]:
    return [event_key(ACCOUNTS[0], "page_visit", event_id) for event_id in event_ids]


@pytest.mark.parametrize("ends", ["delivers", "gives up", "ends", "dies"])
def test_event_that_another_run_has_claimed_waits_for_it(world, ends: str):
    """It is undecided and STATE stays before it, until the other run has delivered it or ended.

    Then it is skipped, or sent. Events that the other run has not claimed are sent meanwhile.
    """
    shared = SharedLedger()
    one = world(ledger=shared.open(), max_in_flight=2)
    other = claimed_elsewhere(shared, "same-1")
    one.arrive("same-1", 2)
    one.arrive("same-2", 1)
    one.step("state")
    while not one.confirmed:
        one.run.wait()
        one.run.poll()
    assert (len(one.confirmed), one.written, one.run.has_room) == (1, [], True)
    if ends == "delivers":
        other.record_delivered(keys("same-1"))
        one.confirmed[1] += 1
    elif ends == "gives up":
        other.release(keys("same-1"))
    elif ends == "ends":
        other.close()
    assert one.run.finish() is None
    delivered = 1 if ends == "delivers" else 2
    totals = one.run.tally.by_outcome()
    assert (totals["delivered"], totals["skipped"]) == (delivered, 3 - delivered)
    assert one.written == [0]
    assert shared.delivered == set(keys("same-1", "same-2"))


def test_signal_leaves_what_another_run_has_claimed(world):
    """At the end of the grace time STATE stays before it, and the run has no error of its own."""
    shared = SharedLedger()
    one = world(ledger=shared.open(), shutdown_grace_seconds=5)
    claimed_elsewhere(shared, "same-1")
    one.arrive("same-1", 1)
    one.step("state")
    one.run.interrupt()
    assert one.run.finish() is None
    assert (one.run.requests.sent, one.written) == (0, [])


def test_reading_waits_while_too_much_is_claimed_elsewhere(world):
    """The number of events that wait for another run is limited."""
    shared = SharedLedger()
    one = world(ledger=shared.open(), batch_size_rows=1)
    ids = [f"same-{number}" for number in range(MAX_HELD_BATCHES)]
    claimed_elsewhere(shared, *ids)
    for event_id in ids:
        assert one.run.has_room
        one.run.sequence += 1
        one.event(event_id)
    assert not one.run.has_room


def test_claims_are_kept_up_and_given_up(world):
    """A run renews its claims while its requests are in flight, and keeps none of failed ones."""
    shared = SharedLedger()
    one = world(1, ledger=shared.open(), batch_size_rows=2, max_retry_seconds=86_400)
    one.endings = ["busy"]
    one.arrive("same-1", 1)
    one.arrive("same-2", 1)
    one.run._events.flush()
    other = shared.open()
    began_at = one.clock.now
    while one.clock.now < began_at + 2 * LEASE_SECONDS:
        one.run.wait()
        one.run.poll()
        assert set(other.claim(keys("same-1", "same-2")).held) == set(keys("same-1", "same-2"))
    one.endings = ["taken"]
    assert one.run.finish() is None
    assert (one.run.tally.by_outcome()["rejected"], shared.delivered) == (1, set(keys("same-2")))
    one.run.close()
    assert set(other.claim(keys("same-1")).new) == set(keys("same-1"))


def test_run_that_stood_still_sends_nothing_more(world):
    """Others may have claimed its events meanwhile: it ends with the reason, and STATE stays."""
    shared = SharedLedger()
    one = world(ledger=shared.open())
    one.endings = ["busy"]
    one.arrive("same-1", 1)
    one.step("state")
    one.run._events.flush()
    one.run.poll()
    one.end(one.under_way()[0])
    one.clock.advance(LEASE_SECONDS + 1)
    other = shared.open()
    assert set(other.claim(keys("same-1")).new) == set(keys("same-1"))
    sent = one.run.requests.sent
    assert "stood still" in str(one.run.finish())
    assert (one.run.requests.sent, one.written) == (sent, [])


def test_claim_is_no_delivery_of_an_old_event(world):
    """For a record that is too old, a claim of another run does not mean that it was delivered."""
    shared = SharedLedger()
    one = world(ledger=shared.open())
    other = claimed_elsewhere(shared, "same-1")
    old = InvalidRecord(
        ORIGIN,
        Invalid.EVENT_TOO_OLD,
        key={"n": "1"},
        repeat_of=(ACCOUNTS[0], "page_visit", "same-1"),
    )
    one.run.sequence += 1
    one.run.handle_invalid(old)
    other.record_delivered(keys("same-1"))
    one.run.handle_invalid(old)
    assert one.run.finish() is None
    totals = one.run.tally.by_outcome()
    assert (totals["invalid"], totals["skipped"]) == (1, 1)


def test_two_runs_do_not_wait_for_each_other_for_ever(world):
    """A refused event that nothing confirms is decided while another run claims the rest.

    That run waits for the claim of the refused one, and would give up its own only then.
    """
    shared = SharedLedger()
    other = shared.open()
    refused, kept = (event_key(ACCOUNTS[0], "page_visit", name) for name in ("same-1", "same-2"))
    other.claim([kept])

    class Ledger(RunLedger):
        def release(self, keys):
            super().release(keys)
            if refused in keys:
                other.release([kept])

    one = world(1, ledger=shared.open(Ledger), batch_size_rows=1, max_in_flight=1)
    one.arrive("same-1", 1)
    one.arrive("same-2", 1)
    one.step("state")
    assert one.run.finish() is None
    totals = one.run.tally.by_outcome()
    assert (totals["rejected"], totals["delivered"], one.written) == (1, 1, [0])


def test_ledger_that_fails_while_several_answers_come_stops_once(world, tmp_path: Path):
    """Each of the requests in flight gets the ledger's error.

    The run ends with the reason, and STATE stays.
    """
    url = f"sqlite:///{tmp_path}/ledger.db"
    one = world(ledger_url=url, batch_size_rows=1, max_in_flight=3)
    for _ in range(3):
        one.step("event")
    one.step("state")
    for number in one.under_way():
        one.end(number)
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute("DROP TABLE pinterest_ledger_batches")
    stopped = one.run.finish()
    assert "ledger_url" in str(stopped)
    assert (one.run.tally.by_outcome()["delivered"], one.written) == (0, [])


def test_ledger_that_fails_when_it_is_asked_about_an_old_event_stops_the_run(world, tmp_path: Path):
    """The ledger fails when it is asked about a record that is too old.

    The record is not acknowledged, and the run ends with the reason.
    """
    one = world(ledger_url=f"sqlite:///{tmp_path}/no/such/folder/ledger.db")
    one.step("state")
    one.run.sequence += 1
    with pytest.raises(
        RunStopped, match="the ledger at ledger_url cannot be used: unable to open database file"
    ):
        one.run.handle_invalid(
            InvalidRecord(
                ORIGIN, Invalid.EVENT_TOO_OLD, repeat_of=(ACCOUNTS[0], "page_visit", "visit-1")
            )
        )
    assert "ledger_url" in str(one.run.finish())
    assert (sum(one.run.tally.by_outcome().values()), one.dead(), one.written) == (0, {}, [0])


@pytest.mark.parametrize("when", ["while records come", "at the end"])
def test_state_that_cannot_be_written_stops_the_run_and_settles_what_is_in_flight(world, when: str):
    """Nothing more is sent or written, responses in flight count, and the error has a message."""
    one = world(batch_size_rows=1, max_in_flight=1, shutdown_grace_seconds=20)
    one.lines_left = 0
    one.step("event")
    if when == "while records come":
        one.run.add_state(b'{"state":0}')
        one.end(one.under_way()[0])
        one.step("event")
        one.step("event")
        with pytest.raises(RunStopped, match="STATE could not be written to stdout: Broken pipe"):
            one.run.poll()
    else:
        one.state()
    sent = one.run.requests.sent
    stopped = one.run.finish()
    assert "STATE could not be written to stdout: Broken pipe" in str(stopped)
    assert (one.run.requests.sent, one.run.tally.by_outcome()["delivered"]) == (sent, sent)
    assert one.lines_failed == 1
    assert (one.written, one.run.states_written) == ([], 0)


@pytest.mark.parametrize("letters", [1, MAX_BUFFERED])
def test_dead_letters_that_cannot_be_written_do_not_keep_the_run_busy(
    world, tmp_path: Path, letters: int
):
    """While requests are in flight the place is tried again at the pace of flushes.

    Not in a busy loop.
    """
    (tmp_path / "file").write_text("")
    one = world(dead_letter_path=str(tmp_path / "file" / "dead.jsonl"), shutdown_grace_seconds=20)
    one.endings = []  # Pinterest does not respond
    for _ in range(letters):
        one.step("invalid")
    one.step("event")
    began = one.waits
    assert "dead_letter_path" in str(one.run.finish())
    assert one.waits - began < 50


def let_invalid_rows_arrive(one: World, number: int) -> None:
    """Let rows without an identifier arrive, and their dead letters become durable."""
    for _ in range(number):
        one.step("invalid")
    one.clock.advance(FILE_WAIT_SECONDS)
    one.run.poll()


def hold_open(one: World) -> None:
    """Leave an event in an open batch."""
    one.step("event")


def hold_in_flight(one: World) -> None:
    """Leave an event in a request that Pinterest has not answered."""
    one.step("event")
    one.run.poll()
    one.under_way()


def hold_in_retry(one: World) -> None:
    """Leave an event waiting to be sent again."""
    hold_in_flight(one)
    one.endings = ["busy"]
    one.end(1)
    one.endings = []
    one.run.poll()


def hold_unconfirmed(one: World) -> None:
    """Leave an event refused by itself, while it is unclear whether the event is the cause."""
    one.poison.add(one.number())
    hold_in_flight(one)
    one.endings = ["taken"]
    one.end(1)
    one.endings = []
    one.run.poll()


@pytest.mark.parametrize(
    ("hold", "rows", "delivered"),
    [(hold_open, 1000, 2), (hold_in_flight, 1, 2), (hold_in_retry, 1, 2), (hold_unconfirmed, 1, 1)],
)
def test_what_is_undecided_may_still_get_through(world, hold, rows: int, delivered: int):
    """At the default limit invalid rows never stop a run with an event in flight.

    Not even in an outage.
    """
    one = world(max_rejected_ratio=1.0, batch_size_rows=rows, batch_wait_seconds=3600)
    one.endings = []  # Pinterest does not respond
    hold(one)
    let_invalid_rows_arrive(one, 2 * MIN_SETTLED_FOR_RATIO)
    one.endings = ["taken"]
    one.step("event")
    one.step("state")
    assert one.run.finish() is None
    assert (one.run.tally.by_outcome()["delivered"], one.written) == (delivered, [0])


@pytest.mark.parametrize(
    ("limit", "invalid", "undecided", "stops"),
    [
        (1.0, 999, 0, False),
        (1.0, 1000, 0, True),
        (1.0, 1000, 1, False),
        (0.5, 1000, 1000, True),
        (0.5, 1000, 1001, False),
        (0.05, 1000, 2500, True),
        (0.9, 1000, 111, True),
        (0.9, 1000, 112, False),
        (0.0, 1000, 2500, True),
        (None, 1000, 0, False),
    ],
)
def test_run_stops_early_only_where_no_answer_can_mend_it(world, limit, invalid, undecided, stops):
    """It stops once 1,000 are acknowledged and the share is at the limit.

    That is so even if all others are delivered.
    """
    one = world(max_rejected_ratio=limit, batch_wait_seconds=3600)
    one.endings = []
    for _ in range(undecided):
        one.step("event")
    with pytest.raises(RunStopped) if stops else nullcontext() as stopped:
        let_invalid_rows_arrive(one, invalid)
    one.endings = ["taken"]
    if stops:
        assert stopped.value.exit_code is ExitCode.TOO_MUCH_REJECTED
        assert f"{invalid} of {invalid} events were invalid or rejected" in str(stopped.value)


@pytest.mark.parametrize(("repeats", "stops"), [(110, True), (111, False)])
def test_repeats_that_wait_are_undecided_too(world, repeats: int, stops: bool):
    """A duplicate of an event in flight may be sent in its place, so it can still get through."""
    one = world(max_rejected_ratio=0.9, ledger=SharedLedger().open(), batch_wait_seconds=3600)
    one.arrive("same", 1 + repeats)
    with pytest.raises(RunStopped) if stops else nullcontext():
        let_invalid_rows_arrive(one, MIN_SETTLED_FOR_RATIO)


def test_good_rows_among_many_invalid_ones_move_the_pipeline(world):
    """With 85 of 100 rows invalid and slow responses the others are delivered: STATE advances."""
    one = world(max_rejected_ratio=1.0, batch_size_rows=100, batch_wait_seconds=3600)
    one.endings = []
    for number in range(3000):
        one.step("event" if number % 20 < 3 else "invalid")
        if number % 100 == 0:
            one.clock.advance(FILE_WAIT_SECONDS)
            one.step("poll")
    one.step("state")
    one.endings = ["taken"]
    assert one.run.finish() is None
    totals = one.run.tally.by_outcome()
    assert (totals["delivered"], totals["invalid"], one.written) == (450, 2550, [0])


@pytest.mark.parametrize(
    ("steps", "written", "says"),
    [
        (["invalid", "state"], [], "No STATE was written past them."),
        (
            ["event", "state", "wait", "wait", "invalid", "state"],
            [0],
            "No STATE was written past them.",
        ),
        (
            ["event"] * 3 + ["invalid", "state", "flush"] + ["invalid"] * 3,
            [0],
            "STATE is past some",
        ),
    ],
)
def test_message_about_too_much_says_where_state_is(
    world, steps: list[str], written: list[int], says: str
):
    """It says whether a STATE was written past some of the failures, while their share was low."""
    one = world(max_rejected_ratio=0.5, batch_size_rows=1, max_in_flight=1)
    for step in steps:
        if step == "flush":
            while one.run.snapshot().oldest_unsettled is not None or not one.written:
                one.step("wait")
        else:
            one.step(step)
    stopped = one.run.finish()
    assert says in str(stopped)
    assert one.written == written


def test_disk_that_is_full_for_a_moment_costs_no_letter(world):
    """The run stops with a message, and its letters are complete at its end.

    STATE passes them then.
    """
    one = world(shutdown_grace_seconds=5)
    for _ in range(20):
        one.step("invalid")
    one.step("state")
    one.clock.advance(FILE_WAIT_SECONDS)
    with files_limited_to(700), pytest.raises(RunStopped, match="dead letters cannot be written"):
        one.run.poll()
    assert one.written == []
    assert "dead letters cannot be written" in str(one.run.finish())
    assert one.dead() == dict.fromkeys(range(1, 21), 1)
    assert one.written == [0]


def test_run_that_stopped_does_not_spin_until_its_last_answer(world):
    """It checks repeatedly why it stopped, and wakes itself only the first time."""
    wake = Wakeup()
    run = Run(settings_of(), lambda _: None, wake=wake, client=world().pinterest)
    run.interrupt()
    assert wait_readable([wake.fd], 0)
    wake.clear()
    run.interrupt()
    assert not wait_readable([wake.fd], 0)
    run.close()


def test_senders_end_with_the_run(world):
    """A closed run leaves no thread behind."""
    before = set(threading.enumerate())
    one = world(batch_size_rows=1)
    for _ in range(3):
        one.step("event")
    one.run.finish()
    senders = set(threading.enumerate()) - before
    assert senders
    one.run.close()
    for sender in senders:
        sender.join(120)
    assert not any(sender.is_alive() for sender in senders)


# While the ledger records claims


class LateClaims(NamedTuple):
    """Claims that are recorded, and end when the test says so, or when the run waits for them."""

    outcome: Claims | LedgerError
    ended: threading.Event

    @property
    def has_ended(self) -> bool:
        return self.ended.is_set()

    def result(self) -> Claims:
        self.ended.set()
        if isinstance(self.outcome, LedgerError):
            raise self.outcome
        return self.outcome


class SlowLedger(RunLedger):
    """A ledger whose claims end late, and fail if `fails`."""

    fails = False

    def __init__(self, shared: SharedLedger) -> None:
        super().__init__(shared)
        self.started: list[LateClaims] = []

    def start_claim(self, keys: Collection[int]) -> Any:
        outcome = LedgerError("database is locked") if self.fails else self.claim(keys)
        self.started.append(LateClaims(outcome, threading.Event()))
        return self.started[-1]


def arrive_without_poll(one: World, *event_ids: str) -> None:
    for event_id in event_ids:
        one.run.sequence += 1
        one.event(event_id)


def test_run_reads_on_while_a_batch_is_claimed(world):
    """Its events are undecided and STATE stays before them; the claim's end lets them be sent."""
    ledger = SharedLedger().open(SlowLedger)
    one = world(ledger=ledger, batch_size_rows=2)
    one.arrive("same-1", 1)
    one.arrive("same-2", 1)
    one.step("state")
    one.run.poll()
    assert (one.run.has_room, one.run.without_outcome, one.run.requests.sent) == (True, 2, 0)
    one.arrive("same-3", 1)
    one.clock.advance(STATE_INTERVAL_SECONDS + 1)
    one.run.poll()
    assert one.written == []
    ledger.started[0].ended.set()
    one.run.poll()
    assert one.run.requests.sent == 1
    assert one.run.finish() is None
    assert (one.run.tally.by_outcome()["delivered"], one.written) == (3, [0])


def test_next_batch_waits_for_the_claim_of_the_one_before(world):
    """One batch is claimed at a time, so memory stays bounded and batches keep their order."""
    ledger = SharedLedger().open(SlowLedger)
    one = world(ledger=ledger, batch_size_rows=2)
    arrive_without_poll(one, "same-1", "same-2", "same-3", "same-4")
    assert [claim.has_ended for claim in ledger.started] == [True, False]
    assert (one.run.requests.sent, one.run.without_outcome) == (1, 4)
    assert one.run.finish() is None
    assert one.run.tally.by_outcome()["delivered"] == 4


def test_repeat_waits_for_an_event_that_is_being_claimed(world):
    """If the ledger turns out to have the event, its repeat is skipped too."""
    shared = SharedLedger()
    shared.delivered.update(keys("same-1"))
    one = world(ledger=shared.open(SlowLedger), batch_size_rows=2)
    arrive_without_poll(one, "same-1", "same-2", "same-1")
    assert one.run.finish() is None
    totals = one.run.tally.by_outcome()
    assert (totals["delivered"], totals["skipped"], totals["rejected"]) == (1, 2, 0)


@pytest.mark.parametrize("polls", [True, False])
def test_run_that_stood_still_while_it_claimed_sends_nothing(world, polls: bool):
    """Its claims may have been taken over between their end and the request."""
    shared = SharedLedger()
    ledger = shared.open(SlowLedger)
    one = world(ledger=ledger, batch_size_rows=2)
    ledger.renew()
    arrive_without_poll(one, "same-1", "same-2")
    one.clock.advance(LEASE_SECONDS + 1)
    assert set(shared.open().claim(keys("same-1")).new) == set(keys("same-1"))
    ledger.started[0].ended.set()
    if polls:
        with suppress(RunStopped):
            one.run.poll()
    else:
        arrive_without_poll(one, "same-3", "same-4")
    assert "stood still" in str(one.run.finish())
    assert (one.run.requests.sent, one.written) == (0, [])
    assert one.run.without_outcome == (2 if polls else 4)


def test_claim_that_fails_stops_the_run(world):
    """Nothing of the batch is sent, and it has no outcome: the next run reads it again."""
    ledger = SharedLedger().open(SlowLedger)
    ledger.fails = True
    one = world(ledger=ledger, batch_size_rows=2)
    arrive_without_poll(one, "same-1", "same-2")
    one.state()
    stopped = one.run.finish()
    assert "database is locked" in str(stopped)
    assert (one.run.requests.sent, one.written, one.run.without_outcome) == (0, [], 2)

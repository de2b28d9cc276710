"""Batches are limited by count, bytes and age, and bisecting loses nothing."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from given import Clock
from shopper import ACCOUNT, event
from target_pinterest_capi.delivery.batches import Batch, Batches, max_event_bytes
from target_pinterest_capi.events.event import Account, Event


def batches(**limits: Any) -> Batches:
    return Batches(
        **{"max_rows": 3, "max_bytes": 10**6, "wait_seconds": 10, "clock": Clock(0.0), **limits}
    )


def batch_of(count: int) -> Batch:
    made = Batch(ACCOUNT, 0.0)
    for number in range(count):
        made.append(event(number), number + 1)
    return made


def batch_of_same(one: Event, count: int) -> Batch:
    made = Batch(ACCOUNT, 0.0)
    for number in range(count):
        made.append(one, number)
    return made


def test_body_is_the_request_of_its_events():
    """A body is one JSON object whose data are the events in order."""
    body = json.loads(batch_of(3).body())
    assert [row["event_id"] for row in body["data"]] == ["visit-0", "visit-1", "visit-2"]
    assert list(body) == ["data"]


def test_event_of_the_largest_size_fills_a_request():
    """An event can be as large as a request with only that event, to the byte."""
    alone = batch_of(1)
    assert max_event_bytes(len(alone.body())) == len(alone.events[0].body)


def test_size_is_the_size_of_the_body():
    """The size that is compared with limits is never smaller than the real one."""
    made = batch_of(5)
    assert len(made.body()) <= made.size_bytes <= len(made.body()) + 1


def test_count_cuts():
    """The event that fills a batch sends it."""
    open_batches = batches(max_rows=3)
    assert [open_batches.add_event(event(number), number) is not None for number in range(7)] == [
        False,
        False,
        True,
    ] * 2 + [False]


def test_event_is_collected_if_nothing_else_is_to_be_done():
    """The short way takes an event unless it opens a batch, fills one, or has no space in it."""
    open_batches = batches(max_rows=3, max_bytes=len(batch_of(4).body()))
    assert not open_batches.collect_event(event(0), 1)
    open_batches.add_event(event(0), 1)
    assert not open_batches.collect_event(event(1, Account("1", "another-token")), 2)
    assert not open_batches.collect_event(msgspec.structs.replace(event(1), body=b"x" * 10**6), 2)
    assert open_batches.collect_event(event(1), 2)
    assert not open_batches.collect_event(event(2), 3)
    full = open_batches.add_event(event(2), 3)
    assert full is not None
    assert full.sequences == [1, 2, 3]
    assert len(full.body()) <= full.size_bytes <= len(full.body()) + 1


@pytest.mark.parametrize("count", [2, 3, 40])
@pytest.mark.parametrize("missing", [1, 2, 50])
def test_bytes_cut_before_they_are_passed(count: int, missing: int):
    """A batch is sent before an event that would make it too large, which opens the next one."""
    one = event(10)
    max_bytes = len(batch_of_same(one, count + 1).body()) - missing
    open_batches = batches(max_rows=1000, max_bytes=max_bytes)
    for number in range(count):
        assert open_batches.add_event(one, number) is None
    full = open_batches.add_event(one, count)
    assert full is not None
    assert len(full) == count
    assert len(full.body()) <= max_bytes
    assert open_batches.oldest_sequence() == count


def test_age_cuts():
    """A partial batch is due after the wait since it was opened, not since its last event."""
    clock = Clock(100.0)
    open_batches = batches(wait_seconds=10, clock=clock)
    open_batches.add_event(event(0), 1)
    clock.advance(9)
    open_batches.add_event(event(1), 2)
    assert open_batches.next_due_at() == 110.0
    assert open_batches.pop_due(109.9) == []
    assert [len(batch) for batch in open_batches.pop_due(110.0)] == [2]
    assert open_batches.next_due_at() is None


def test_accounts_do_not_share_batches():
    """Each account has its own open batch, even if two tokens send to one account."""
    other = Account(ACCOUNT.ad_account_id, "another-token")
    open_batches = batches()
    open_batches.add_event(event(0), 1)
    open_batches.add_event(event(1, other), 2)
    assert sorted(batch.account.token for batch in open_batches.pop_all()) == [
        "another-token",
        "sandbox-token",
    ]


@given(st.integers(min_value=2, max_value=1000))
def test_halves_lose_nothing(count: int):
    """Bisecting keeps every event and its order, and both halves are smaller."""
    whole = batch_of(count)
    first, second = whole.halves()
    assert first.events + second.events == whole.events
    assert first.sequences + second.sequences == whole.sequences
    assert 0 < len(first) < count
    assert 0 < len(second) < count


def test_repr_shows_no_events():
    """A batch's repr has its size and account, no events, and no token."""
    text = repr(batch_of(2))
    assert text.startswith("Batch(2 events")
    assert "visit" not in text
    assert "token" not in text


@pytest.mark.parametrize("opened_at", [60.1, 1000.1, 1000.2, 1001.1])
def test_batch_leaves_when_it_says_that_it_is_due(opened_at: float):
    """What is due by `next_due_at` is due exactly then: there is no wait of zero seconds."""
    open_batches = batches(wait_seconds=0.3, clock=Clock(opened_at))
    open_batches.add_event(event(1), 1)
    due_at = open_batches.next_due_at()
    assert due_at is not None
    assert len(open_batches.pop_due(due_at)) == 1

"""What prevents an event from being sent twice.

One event at a time for each key, with the ledger before and after.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from given import Clock, examples
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.event_ledger import EventLedger
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.delivery.repeats import MAX_WAITING, Repeats
from target_pinterest_capi.events.event import Account, Event, Origin

ACCOUNT = Account("549755885175", "sandbox-token")


def event(event_id: str, number: int = 0) -> Event:
    return Event(
        b"%d" % number,
        ACCOUNT,
        Origin("visits", "pinterest"),
        "page_visit",
        event_id,
        True,
        0,
        None,
    )


def key(event_id: str) -> int:
    return event_key(ACCOUNT, "page_visit", event_id)


@pytest.fixture
def deduplication():
    """Return one with an empty ledger in memory."""
    made = Deduplication(lambda: EventLedger("sqlite://", 7), Clock())
    yield made
    made.close()


def batch_of(deduplication: Deduplication, *event_ids: str) -> Batch:
    """Return a batch of the events that may be sent."""
    batch, uncertain = deduplication.register(unregistered(*event_ids))
    assert batch is not None
    assert not uncertain
    return batch


def unregistered(*event_ids: str, first: int = 1) -> Batch:
    """Return a batch of events whose records are numbered from `first` on."""
    batch = Batch(ACCOUNT, 0.0)
    for sequence, event_id in enumerate(event_ids, first):
        batch.append(event(event_id), sequence)
    return batch


def test_first_of_a_key_is_sent_and_its_repeats_wait(deduplication: Deduplication):
    """The first event of a key may be sent.

    Once it is delivered its repeats are done, and the ledger has it.
    """
    batch = batch_of(deduplication, "a", "b", "a", "a")
    assert [one.id for one in batch.events] == ["a", "b"]
    assert not deduplication.is_known(ACCOUNT, "page_visit", "a")
    assert [one.id for one in deduplication.record_delivered([key("a")])] == ["a", "a"]
    assert deduplication.is_known(ACCOUNT, "page_visit", "a")
    assert not deduplication.is_known(ACCOUNT, "page_visit", "b")


def test_what_the_ledger_knows_is_taken_out_with_its_repeats(deduplication: Deduplication):
    """Events of a batch that are in the ledger are removed.

    Their repeats are done too, and the key may come again.
    """
    deduplication.record_delivered([key("a"), key("c")])
    batch = batch_of(deduplication, "a", "b", "a")
    left, _, done = deduplication.start_claim(batch).result()
    assert left is not None
    assert ([one.id for one in left.events], left.sequences, left.keys) == (["b"], [2], [key("b")])
    assert [one.id for one in done] == ["a", "a"]
    left, _, done = deduplication.start_claim(batch_of(deduplication, "a", "c")).result()
    assert (left, [one.id for one in done]) == (None, ["a", "c"])


def test_batch_that_the_ledger_does_not_know_goes_as_it_is(deduplication: Deduplication):
    """Nothing is copied where nothing is known."""
    batch = unregistered("a", "b")
    assert deduplication.register(batch) == (batch, [])
    assert deduplication.start_claim(batch).result() == (batch, None, [])


def test_repeats_take_the_place_of_what_failed_one_by_one(deduplication: Deduplication):
    """If the first fails, the next repeat is sent with its own record's number.

    At the end none is left, and the key is free.
    """
    batch_of(deduplication, "a", "a", "b", "a")
    assert [deduplication.next_repeat(key("a")) for _ in range(3)] == [
        (event("a"), 2),
        (event("a"), 4),
        None,
    ]
    assert batch_of(deduplication, "a").keys == [key("a")]


def test_record_of_a_repeat_is_not_done(deduplication: Deduplication):
    """The lowest number of a record is that of a repeat, wherever the first one came from."""
    batch_of(deduplication, "a", "b")
    assert deduplication.oldest_sequence() is None
    for first in (9, 4):
        assert deduplication.register(unregistered("a", "b", first=first)) == (None, [])
    assert deduplication.oldest_sequence() == 4
    deduplication.record_delivered([key("a")])
    assert deduplication.oldest_sequence() == 5
    deduplication.record_delivered([key("b")])
    assert deduplication.oldest_sequence() is None


def test_nothing_takes_the_place_of_what_may_have_been_counted(deduplication: Deduplication):
    """The waiting repeats are returned, and no later one is sent or waits."""
    batch_of(deduplication, "a", "a", "b", "a")
    assert deduplication.end_uncertain(key("a")) == [(event("a"), 2), (event("a"), 4)]
    assert deduplication.undecided == 0
    assert deduplication.register(unregistered("a", first=5)) == (None, [(event("a"), 5)])
    assert deduplication.undecided == 0
    assert deduplication.end_uncertain(key("b")) == []
    batch, uncertain = deduplication.register(unregistered("c", "a", first=6))
    assert batch is not None
    assert (batch.keys, batch.sequences, uncertain) == ([key("c")], [6], [(event("a"), 7)])


def test_room_for_repeats_ends_and_comes_back():
    """A limited number of repeats may wait, and each one that is decided makes room."""
    repeats = Repeats()
    for number in range(MAX_WAITING + 1):
        assert repeats.has_room
        assert repeats.register(1, event("a"), number) is not bool(number)
    assert not repeats.has_room
    assert repeats.next_repeat(1) == (event("a"), 1)
    assert repeats.has_room
    assert len(repeats.end_delivered([1, 2])) == MAX_WAITING - 1


@settings(max_examples=examples(200))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["register", "register", "delivered", "failed"]), st.integers(0, 3)
        ),
        max_size=60,
    )
)
def test_every_event_has_its_turn_or_is_done_with_another(steps: list[tuple[str, int]]):
    """Whatever happens, each event is sent, or is the repeat of a delivered one, once.

    There are never two of a key at a time.
    """
    repeats, under_way, waiting = Repeats(), dict[int, int](), dict[int, list[int]]()
    for number, (what, one) in enumerate(steps):
        if what == "register":
            is_first = repeats.register(one, event("", number), number)
            assert is_first is (one not in under_way)
            if is_first:
                under_way[one], waiting[one] = number, []
            else:
                waiting[one].append(number)
        elif one in under_way and what == "delivered":
            assert [int(repeat.body) for repeat in repeats.end_delivered([one])] == waiting.pop(one)
            del under_way[one]
        elif one in under_way:
            repeat = repeats.next_repeat(one)
            if waiting[one]:
                assert repeat is not None
                assert (int(repeat[0].body), repeat[1]) == (waiting[one][0], waiting[one][0])
                under_way[one] = waiting[one].pop(0)
            else:
                assert repeat is None
                del under_way[one], waiting[one]

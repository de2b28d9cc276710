"""STATE is written only when no unacknowledged record comes before it, newest first, byte for byte."""

from hypothesis import given, settings
from hypothesis import strategies as st

from given import examples
from target_pinterest_capi.delivery import checkpoints
from target_pinterest_capi.delivery.checkpoints import Checkpoints


def test_state_waits_for_the_records_before_it():
    """A STATE after record 3 is valid once records 1 to 3 are acknowledged, and not before."""
    waiting = Checkpoints()
    waiting.add_state(b'{"n":3}', after=3)
    assert waiting.pop_newest_true(oldest_unsettled=3, pass_held=True) is None
    assert waiting.pop_newest_true(oldest_unsettled=4, pass_held=True) == b'{"n":3}'
    assert waiting.pop_newest_true(oldest_unsettled=4, pass_held=True) is None


def test_newest_true_state_is_written_alone():
    """Of several that became valid the newest is returned, and earlier ones are dropped."""
    waiting = Checkpoints()
    for after in (1, 2, 3):
        waiting.add_state(b"%d" % after, after)
    assert waiting.pop_newest_true(oldest_unsettled=3, pass_held=True) == b"2"
    assert waiting.pop_newest_true(oldest_unsettled=None, pass_held=True) == b"3"


def test_state_without_records_before_it_goes_out():
    """A STATE before any record is valid at once."""
    waiting = Checkpoints()
    waiting.add_state(b'{"a":1}', after=0)
    assert waiting.pop_newest_true(oldest_unsettled=1, pass_held=True) == b'{"a":1}'


def test_value_is_kept_byte_for_byte():
    """Spaces, order and number forms of a STATE's value are the tap's."""
    waiting = Checkpoints()
    waiting.add_state(b'{ "b": 1.50, "a":1e3 }', after=1)
    assert (
        waiting.pop_newest_true(oldest_unsettled=None, pass_held=True) == b'{ "b": 1.50, "a":1e3 }'
    )


def test_empty_state_is_no_state():
    """`{}` must not replace a known state."""
    waiting = Checkpoints()
    waiting.add_state(b" {} ", after=1)
    waiting.add_state(b"null", after=1)
    assert not waiting.is_waiting


def test_consecutive_states_are_merged():
    """Of STATEs without a record between them only the last one counts."""
    waiting = Checkpoints()
    waiting.add_state(b"1", after=5)
    waiting.add_state(b"2", after=5)
    assert waiting.pop_newest_true(oldest_unsettled=5, pass_held=True) is None
    assert waiting.pop_newest_true(oldest_unsettled=6, pass_held=True) == b"2"


def test_held_state_waits_while_too_much_fails():
    """No STATE passes an invalid or rejected record while their share is at the limit or over.

    Earlier ones are written.
    """
    waiting = Checkpoints()
    waiting.add_state(b"1", after=1)
    waiting.add_state(b"3", after=3)
    waiting.hold_at(2)
    assert waiting.pop_newest_true(oldest_unsettled=None, pass_held=False) == b"1"
    assert waiting.pop_newest_true(oldest_unsettled=None, pass_held=False) is None
    assert waiting.pop_newest_true(oldest_unsettled=None, pass_held=True) == b"3"


def test_taint_before_its_state_is_remembered():
    """An invalid record holds the STATE that comes after it, even if that arrives later."""
    waiting = Checkpoints()
    waiting.hold_at(1)
    waiting.add_state(b"2", after=2)
    assert waiting.pop_newest_true(oldest_unsettled=None, pass_held=False) is None


def test_memory_is_bounded_and_the_newest_state_survives():
    """However many STATEs wait, a bounded number is kept, and always the newest."""
    waiting = Checkpoints()
    for after in range(1, 50_001):
        waiting.add_state(b"%d" % after, after)
    assert len(waiting._pending) <= checkpoints.MAX_PENDING + 1
    assert waiting.pop_newest_true(oldest_unsettled=None, pass_held=True) == b"50000"


def test_large_states_are_bounded_by_bytes():
    """STATEs of a megabyte each do not fill the memory."""
    waiting = Checkpoints()
    for after in range(1, 200):
        waiting.add_state(b"1" * 1_000_000, after)
    assert waiting._bytes <= checkpoints.MAX_PENDING_BYTES + 2_000_000


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.booleans()),  # whether it ends held
        st.tuples(st.just("state"), st.just(None)),
        st.tuples(st.just("settle"), st.integers(min_value=0, max_value=30)),
        st.tuples(st.just("take"), st.booleans()),
    ),
    max_size=80,
)


@settings(max_examples=examples(400))
@given(STEPS)
def test_no_state_is_early_and_none_is_late(steps):
    """Compared with a plain model.

    The result is exactly the newest STATE without an unacknowledged or held record before it.
    """
    waiting, count = Checkpoints(), 0
    unsettled: list[tuple[int, bool]] = []
    held: set[int] = set()
    states: list[int] = []
    written = 0
    for what, detail in steps:
        if what == "record":
            count += 1
            unsettled.append((count, detail))
        elif what == "state":
            waiting.add_state(b"%d" % count if count else b"0", count)
            states.append(count)
        elif what == "settle" and unsettled:
            number, taints = unsettled.pop(detail % len(unsettled))
            if taints:
                held.add(number)
                waiting.hold_at(number)
        elif what == "take":
            oldest = min((number for number, _ in unsettled), default=None)
            true = [
                after
                for after in states
                if (oldest is None or after < oldest)
                and (detail or not any(written < number <= after for number in held))
            ]
            expected = b"%d" % max(true) if true else None
            assert waiting.pop_newest_true(oldest, pass_held=detail) == expected
            if true:
                written = max(true)
                states = [after for after in states if after > written]

"""No sliding minute has more calls than the limit, and the server's wait has priority."""

from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.delivery.rate_limit import RateLimit


@given(
    st.integers(min_value=1, max_value=20),
    st.lists(st.floats(min_value=0, max_value=30), max_size=60),
)
def test_no_minute_holds_more_than_the_limit(limit, gaps):
    """At any pace, any 60 seconds have at most the limit of calls."""
    rate, now, starts = RateLimit(limit), 0.0, []
    for gap in gaps:
        now = rate.free_at(now + gap)
        rate.count_call(now)
        starts.append(now)
    assert all(sum(start <= other < start + 60 for other in starts) <= limit for start in starts)


def test_free_while_below_the_limit():
    """Nothing waits before the limit is reached; then the oldest call must be a minute old."""
    rate = RateLimit(2)
    assert rate.free_at(10.0) == 10.0
    rate.count_call(10.0)
    rate.count_call(11.0)
    assert rate.free_at(12.0) == 70.0


def test_window_of_its_own():
    """A limit may have another window than a minute."""
    rate = RateLimit(1, window_seconds=2)
    rate.count_call(10.0)
    assert rate.free_at(11.0) == 12.0


def test_server_blocks():
    """A wait from the server delays every call, and a shorter one does not replace it."""
    rate = RateLimit(100)
    rate.block(50.0)
    rate.block(20.0)
    assert rate.free_at(10.0) == 50.0
    assert rate.free_at(51.0) == 51.0

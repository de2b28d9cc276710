"""How many requests may be in flight: halved when the server asks, growing with success."""

import pytest

from target_pinterest_capi.delivery.concurrency import ConcurrencyLimit


def allowed(limit: ConcurrencyLimit) -> int:
    """Return how many requests may be in flight."""
    return next(number for number in range(1000) if not limit.allows(number))


@pytest.mark.parametrize("maximum", [1, 2, 8, 16])
def test_all_may_be_in_flight_at_first_and_no_more(maximum: int):
    """A limit starts at its maximum, and success never raises it above that."""
    limit = ConcurrencyLimit(maximum)
    for _ in range(100):
        assert allowed(limit) == maximum
        limit.grow()


@pytest.mark.parametrize(
    ("maximum", "expected"), [(16, [8, 4, 2, 1, 1]), (5, [2, 1, 1, 1, 1]), (1, [1] * 5)]
)
def test_it_is_halved_down_to_one(maximum: int, expected: list[int]):
    """Each time the server asks to slow down, half as many are allowed, but at least one."""
    limit = ConcurrencyLimit(maximum)
    found = []
    for _ in expected:
        limit.halve()
        found.append(allowed(limit))
    assert found == expected


def test_it_grows_by_one_for_each_round_of_successes():
    """With n in flight about n successes allow one more, so the limit grows slowly."""
    limit = ConcurrencyLimit(8)
    for _ in range(3):
        limit.halve()
    found = []
    for _ in range(30):
        found.append(allowed(limit))
        limit.grow()
    assert [found.count(number) for number in range(1, 9)] == [1, 3, 3, 5, 5, 6, 7, 0]

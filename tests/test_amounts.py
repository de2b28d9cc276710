"""What events were worth: sums are exact, however they are calculated."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from target_pinterest_capi.reporting.amounts import Amount, Amounts, exact_sum

# As `custom_data.value` may be: up to 18 digits, and 9 decimals.
AMOUNTS = st.from_regex(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?", fullmatch=True)
PRICES = st.from_regex(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?", fullmatch=True)


@pytest.mark.parametrize(
    ("texts", "total"),
    [
        (["3"], "3"),
        (["0"], "0"),
        (["0.1", "0.2"], "0.3"),
        (["12.50", "3"], "15.50"),
        (["0.01"] * 1_000, "10.00"),
        (["1.005", "2.5"], "3.505"),
        (["999999999999.99"], "999999999999.99"),
        (["9007199254740993", "0.01"], "9007199254740993.01"),
        (["999999999999.99", "0.01", "0.01"], "1000000000000.01"),
        (["1e3", "0.5"], "1000.5"),
        (["-1.50", "1.00"], "-0.50"),
    ],
)
def test_a_sum_is_exact(texts, total):
    """A sum has every digit, and as many decimals as the longest fraction."""
    assert str(exact_sum(texts)) == total


@given(st.lists(AMOUNTS | PRICES, min_size=1, max_size=40) | st.lists(PRICES, min_size=1))
@example(["999999999.99"] * 1_000)
def test_a_sum_is_that_of_decimals(texts):
    """Whatever the amounts are, the sum is that of their decimals, to its last digit."""
    assert exact_sum(texts).as_tuple() == sum(map(Decimal, texts), Decimal()).as_tuple()


def test_events_without_a_value_are_not_counted():
    """Only events with a value are in a sum; a name without any has no row."""
    amounts = Amounts()
    amounts.add_values("checkout", "EUR", ["12.50", None, "2"])
    amounts.add_values("page_visit", "EUR", [None])
    assert amounts.rows() == [Amount("checkout", "EUR", 2, Decimal("14.50"))]

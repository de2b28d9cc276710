"""Reasons by their names: from counters and reports to advice."""

import pytest

from target_pinterest_capi.events.outcomes import NotSent, Rejected, advice_about, find_reason
from target_pinterest_capi.events.reasons import (
    Dropped,
    Invalid,
    NotWritten,
    Reason,
    Skipped,
    Warned,
)

REASONS = [
    reason
    for reasons in (Dropped, Warned, Invalid, NotWritten, Skipped, Rejected, NotSent)
    for reason in reasons
]


@pytest.mark.parametrize("reason", REASONS, ids=str)
def test_every_reason_is_found_by_its_name(reason: Reason):
    """The name finds the reason and its advice, even with another name after it."""
    for text in (str(reason), f"{reason}: Cart Viewed", f"{reason}: a: b"):
        assert find_reason(text) == reason
        assert advice_about(text) == reason.advice


def test_every_kind_of_reason_is_known():
    """Every list of reasons is included, and no name has two different pieces of advice."""
    assert {type(reason) for reason in REASONS} == set(Reason.__subclasses__())
    assert len({(str(reason), reason.advice) for reason in REASONS}) == len(set(map(str, REASONS)))


@pytest.mark.parametrize("text", ["", "Cart Viewed", "delivered", ": empty"])
def test_what_is_no_reason_has_no_advice(text: str):
    """Other words find nothing."""
    assert find_reason(text) is None
    assert advice_about(text) == ""

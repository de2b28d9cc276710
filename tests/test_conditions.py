"""`when`: which records are taken, wherever a condition stands, and what means true in it."""

from collections.abc import Callable
from typing import Any

import pytest
from members import entry as list_entry
from members import list_settings
from members import row as member

from given import ACCOUNT, record, schema
from shopper import visit
from target_pinterest_capi.expressions.truth import means_true

FALSE = (None, False, 0, 0.0, "", " ", [], {}, "false", "False", " NO ", "n", "off", "0", "0.0")
NO_VALUES = ("null", "N/A", "undefined", "\\N", "(not set)")
TRUE = (
    True,
    1,
    2,
    -1,
    0.5,
    "true",
    "Yes",
    "1",
    "paid",
    "nope",
    "product_added",
    "Order Completed",
    "2026-01-01",
    "x" * 50,
    [0],
    {"a": 0},
)


@pytest.mark.parametrize("value", FALSE + NO_VALUES, ids=repr)
def test_what_means_false(value: Any):
    """Null, false, 0, what is empty, and the words for these are false."""
    assert not means_true(value)


@pytest.mark.parametrize("value", TRUE, ids=repr)
def test_what_means_true(value: Any):
    """Whatever else there is is true."""
    assert means_true(value)


@pytest.mark.parametrize(
    ("when", "taken"),
    [
        ("consent", False),
        ("!consent", True),
        ("flag", False),
        ("consent && paid", False),
        ("paid && consent", False),
        ("paid && !consent", True),
        ("consent || flag", False),
        ("consent || paid", True),
        ("!(consent || flag)", True),
        ("person.consent", False),
        ("[consent][0]", False),
        ("is_true(consent)", False),
        ("consent == 'no'", True),
        ("contains(consent, 'n')", True),
        ("consent != `null`", True),
        ("'no'", False),
    ],
)
def test_column_by_itself_holds_where_its_value_means_true(
    when: str, taken: bool, run_target: Callable[..., Any]
):
    """A refusal in words or numbers is one, in entries of one account or many, and in lists."""
    refused = {"consent": "no", "flag": 0, "paid": "yes", "person": {"consent": "N/A"}}
    expected = {"delivered": 1} if taken else {"skipped": 1}
    row = visit(1, account=ACCOUNT, **refused)
    visits = [schema("visits", *row), record("visits", **row)]
    for one in ({}, {"ad_account_id": "account"}):
        mapping = {"stream": "visits", "preset": "pinterest", "when": when, **one}
        assert run_target(visits, mappings=[mapping]).outcomes == expected
    vips = [schema("vips", "id", "email", "action", *refused), member(1, **refused)]
    settings = list_settings(list_entry(when=when))
    assert run_target(vips, **settings).outcomes == expected

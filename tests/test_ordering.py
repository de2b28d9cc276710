"""Comparisons by order that are never true: found in the text, and refused in the configuration."""

from contextlib import suppress
from decimal import Decimal

import pytest
from configurations import MINIMAL

from target_pinterest_capi.expressions.built_ins import NAMES
from target_pinterest_capi.expressions.compiler import EvaluationError, interpret
from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.ordering import RETURNED, Order, order_of, unordered
from target_pinterest_capi.expressions.syntax import parse
from target_pinterest_capi.settings import ConfigurationError, load

NUMBER_AND_TEXT = "compares a number with a text"
WITHOUT_ORDER = "compares null, true, false, an array or an object"
NEVER_TRUE = [
    ("to_number(total) > '5'", NUMBER_AND_TEXT, 1),
    ("'5' <= length(total)", NUMBER_AND_TEXT, 1),
    ('round(total, `2`) < `"5"`', NUMBER_AND_TEXT, 1),
    ("lower(total) >= `5`", NUMBER_AND_TEXT, 1),
    ("today() > `20260101`", NUMBER_AND_TEXT, 1),
    ("total == 'x' && to_number(total) > '5'", NUMBER_AND_TEXT, 17),
    ("[total][?to_number(@) > '5']", NUMBER_AND_TEXT, 10),
    ("total > `null`", WITHOUT_ORDER, 9),
    ("total > `true`", WITHOUT_ORDER, 9),
    ("total < `[5]`", WITHOUT_ORDER, 9),
    ("split(total, ',') > '5'", WITHOUT_ORDER, 1),
    ("(total == 'a') > (total == 'b')", WITHOUT_ORDER, None),
    ("total[] > '5'", WITHOUT_ORDER, 11),
]
MAY_BE_TRUE = [
    "total > `5`",
    "total > `1.5`",
    "total > '5'",
    'total > `"5"`',
    "total > '2026-01-01'",
    "'2026-01-01' < total",
    "to_number(total) > `5`",
    "today() > '2026-01-01'",
    "run_time() > today()",
    "max(totals) > '5'",
    "not_null(total, other) > `5`",
    "(total || `0`) > '5'",
    "total == `null`",
    "to_number(total) != '5'",
]
VALUES = (None, True, 6, Decimal("6.5"), "6", "a", "2026-11-27", ["6"], [6], {"a": 6}, '{"a": 6}')


@pytest.mark.parametrize(("source", "words", "character"), NEVER_TRUE)
def test_what_is_never_true_is_refused(source, words, character):
    """A message says what is compared, and where; it shows nothing of the expression."""
    with pytest.raises(ConfigurationError) as refused:
        load({**MINIMAL, "mappings": [{"stream": "a", "when": source}]})
    (problem,) = refused.value.problems
    assert problem.path == "mappings[0].when"
    assert words in problem.message
    assert (f"(at character {character})" in problem.message) == (character is not None)


@pytest.mark.parametrize("source", [source for source, *_ in NEVER_TRUE])
@pytest.mark.parametrize("value", VALUES)
def test_what_is_refused_is_never_true(source, value):
    """No value of the column makes a refused comparison true."""
    with suppress(EvaluationError):  # such as the length of a number
        assert not interpret(source, {"total": value})


@pytest.mark.parametrize("source", MAY_BE_TRUE)
def test_what_may_be_true_is_accepted(source):
    """A column may have numbers or texts, and texts are ordered among themselves."""
    assert unordered(source) is None


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"fields": {"custom_data.value": "a > `true`"}}, "mappings[0].fields.custom_data.value"),
        ({"fields": {"event_id": ["id", "a > `true`"]}}, "mappings[0].fields.event_id[1]"),
        ({"ad_account_id": "a > `true`"}, "mappings[0].ad_account_id"),
    ],
)
def test_every_expression_of_an_entry_is_checked(entry, path):
    """Fields, also with several expressions, and accounts are refused as conditions are."""
    with pytest.raises(ConfigurationError) as refused:
        load({**MINIMAL, "mappings": [{"stream": "a", **entry}]})
    assert [problem.path for problem in refused.value.problems] == [path]


@pytest.mark.parametrize("member", ["when", "operation", "member"])
def test_every_expression_of_a_list_is_checked(member):
    """So are the expressions of a customer list."""
    entry = {"stream": "a", "list_id": "1", "member": "email", member: "to_number(total) > '5'"}
    lists = {"customer_lists": [entry], "oauth": {"access_token": "x"}}
    with pytest.raises(ConfigurationError) as refused:
        load({**MINIMAL, **lists})
    assert [problem.path for problem in refused.value.problems] == [f"customer_lists[0].{member}"]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_functions_return_what_the_table_says(function):
    """Every example of a function has a result of the kind in the table, or null."""
    for source, _, result in function.examples:
        called = parse(source).get("value")
        if result is not None and called in RETURNED:
            assert order_of(result) is RETURNED[called]


def test_the_table_has_all_functions():
    """Only what a function is given decides what the missing ones return."""
    missing = {"max", "max_by", "member", "min", "min_by", "not_null", "reverse"}
    assert set(NAMES) - set(RETURNED) == missing
    assert set(RETURNED) <= set(NAMES)
    assert set(RETURNED.values()) == set(Order)

"""The functions of mapping expressions.

Ours by their table's examples and edge cases, JMESPath's with exact numbers.
"""

import contextlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.expressions import built_ins, patterns
from target_pinterest_capi.expressions.compiler import (
    EvaluationError,
    compile_expression,
    interpret,
)
from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.values import COMPARISONS, equal, number_text, opened

ARITHMETIC = {"add", "subtract", "multiply", "divide", "round"}
EXAMPLES = [example for function in FUNCTIONS.values() for example in function.examples]

numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6
    ),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.floats(),
    st.text(max_size=8),
    st.datetimes(),
    st.dates(),
    st.sampled_from(
        [
            "19.90",
            "1e5",
            "[1]",
            '{"price": 2}',
            "{",
            "a=b&c=%ff",
            "2026-01-31",
            Decimal("1E+999999"),
            10**2000,
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["price", "qty", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


BEGAN_AT = datetime(2026, 11, 25, 23, 30, tzinfo=timezone(timedelta(hours=-5)))


def evaluate(expression, **record):
    return compile_expression(expression, began_at=BEGAN_AT)(record)


# ---- the table ----


def test_table_is_the_contract():
    """The added functions are those that the documentation lists, each under its own name."""
    assert set(FUNCTIONS) == {
        "lower",
        "upper",
        "is_true",
        "trim",
        "concat",
        "split",
        "replace",
        "regex_extract",
        "query_param",
        "cookie",
        "to_date",
        "member",
        "us_opt_out",
        "consented",
        "items_value",
        "add",
        "subtract",
        "multiply",
        "divide",
        "round",
        "stream",
        "run_time",
        "today",
    }
    assert all(name == function.name for name, function in FUNCTIONS.items())


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_every_function_is_documented(function):
    """A signature names the arguments; there are a sentence and an example."""
    name, _, arguments = function.signature.partition("(")
    least, most = built_ins.arity(function.name)
    assert name == function.name
    named = [one for one in arguments.rstrip(")").split(", ") if one not in ("", "...")]
    assert len(named) == least + (function.name == "concat")  # which takes one as well
    assert (most is None) == ("..." in arguments)
    assert function.about
    assert function.examples
    assert all(f"{function.name}(" in expression for expression, _, _ in function.examples)


@pytest.mark.parametrize(
    ("expression", "record", "result"), EXAMPLES, ids=[expression for expression, _, _ in EXAMPLES]
)
def test_examples(expression, record, result):
    """Every documented example has its documented result."""
    assert compile_expression(expression, began_at=BEGAN_AT)(record) == result


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_added_functions_never_raise(name, data):
    """For any arguments, an added function returns something, null if it has no answer.

    Arithmetic may fail.
    """
    least, _ = built_ins.arity(name)
    arguments = {f"a{place}": data.draw(values) for place in range(least)}
    expected = EvaluationError if name in ARITHMETIC else ()
    with contextlib.suppress(*[expected] if expected else []):
        compile_expression(f"{name}({', '.join(arguments)})")(arguments)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"stream", "run_time", "today"}))
@given(data=st.data())
def test_null_gives_null(name, data):
    """A null first argument gives null."""
    least, _ = built_ins.arity(name)
    rest = data.draw(st.lists(values, min_size=least - 1, max_size=least - 1))
    assert FUNCTIONS[name].implementation(None, *rest) is None


# ---- arithmetic ----


@pytest.mark.parametrize(
    ("expression", "record", "result"),
    [
        ("add(a, b)", {"a": 0.1, "b": 0.2}, Decimal("0.3")),
        (
            "add(a, b)",
            {"a": 2**80, "b": "0.000000001"},
            Decimal("1208925819614629174706176.000000001"),
        ),
        ("subtract(a, b)", {"a": " 5 ", "b": "1e1"}, -5),
        ("multiply(a, `1.19`)", {"a": "19.99"}, Decimal("23.7881")),
        ("multiply(a, `0`)", {"a": "19.99"}, 0),
        ("divide(a, `1000`)", {"a": "19990"}, Decimal("19.99")),
        ("divide(a, b)", {"a": 10**24 + 1, "b": 10**9}, Decimal("1000000000000000.000000001")),
        ("round(divide(a, `3`), `9`)", {"a": 1}, Decimal("0.333333333")),
        ("round(a, `2`)", {"a": 1.005}, Decimal("1.01")),
        ("round(a, `2`)", {"a": "-1.005"}, Decimal("-1.01")),
        ("round(a, '0')", {"a": "1e3"}, 1000),
        ("round(a, `9`)", {"a": 10**18 - 1}, 10**18 - 1),
        (
            "round(sum(lines[].divide(price, `100`)), `2`)",
            {"lines": [{"price": 333}, {"price": "167"}]},
            5,
        ),
        ("abs(subtract(a, b))", {"a": "1.1", "b": "2.2"}, Decimal("1.1")),
        ("ceil(divide(a, `3`))", {"a": 10}, 4),
        ("max([a, b])", {"a": Decimal("1.10"), "b": 1}, Decimal("1.10")),
        ("divide(a, b)", {"a": None, "b": 0}, None),
        ("round(a, b)", {"a": 1}, None),
    ],
)  # fmt: skip
def test_arithmetic_is_exact(expression, record, result):
    """Numbers and numeric strings are calculated with as decimals; null returns null."""
    assert compile_expression(expression)(record) == result


@pytest.mark.parametrize(
    ("expression", "record"),
    [
        ("add(a, b)", {"a": "19,90", "b": 1}),
        ("add(a, b)", {"a": True, "b": 1}),
        ("add(a, b)", {"a": float("nan"), "b": 1}),
        ("multiply(a, b)", {"a": [1], "b": 1}),
        ("multiply(a, b)", {"a": "1e900", "b": "1e999999"}),
        ("divide(a, b)", {"a": 1, "b": 0}),
        ("divide(a, b)", {"a": 0, "b": "0.00"}),
        ("round(a, b)", {"a": 1, "b": 10}),
        ("round(a, b)", {"a": 1, "b": "0.5"}),
        ("round(a, b)", {"a": "1e2000", "b": 2}),
    ],
)
def test_arithmetic_without_an_answer_fails(expression, record):
    """What is not a number, a division by zero, and a hostile size fail the expression."""
    with pytest.raises(EvaluationError):
        compile_expression(expression)(record)


@given(a=numbers, b=numbers)
def test_arithmetic_agrees_with_fractions(a, b):
    """Sums, differences and products are exact, and so is a quotient that is a decimal."""
    record = {"a": a, "b": b}
    assert Fraction(evaluate("add(a, b)", **record)) == Fraction(a) + Fraction(b)
    assert Fraction(evaluate("subtract(a, b)", **record)) == Fraction(a) - Fraction(b)
    assert Fraction(evaluate("multiply(a, b)", **record)) == Fraction(a) * Fraction(b)
    assert Fraction(evaluate("divide(a, `100`)", **record)) == Fraction(a) / 100
    nearest = Fraction(evaluate("round(a, `2`)", **record))
    assert abs(nearest - Fraction(a)) <= Fraction(1, 200)


@pytest.mark.parametrize(
    "read", [evaluate, lambda source: interpret(source, {}, began_at=BEGAN_AT)]
)
def test_a_run_has_one_time(read):
    """`run_time()` is when the run began, in UTC, for all records, and `today()` its date there."""
    assert read("run_time()") == "2026-11-26T04:30:00+00:00"
    assert read("today()") == "2026-11-26"
    assert read("[`1`][?today() > '2026'] | [0:1]") == [1]
    assert read("{at: concat('on ', today()), is_late: run_time() > '2027'}") == {
        "at": "on 2026-11-26",
        "is_late": False,
    }


def test_no_run_has_no_time():
    """If an expression is only checked, the times of the run are null."""
    assert compile_expression("[run_time(), today()]")({}) == [None, None]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("stream()", "vips"),
        ("concat('Lytics ', stream(), ' ', day)", "Lytics vips 2026-11-17"),
        ("rows[?name == stream()].id", [2]),
        ("rows[].{id: id, list: stream()}", [{"id": 1, "list": "vips"}, {"id": 2, "list": "vips"}]),
        ("'stream()'", "stream()"),
        ("stream", "a column"),
    ],
)
def test_stream_is_the_records_stream(expression, result):
    """`stream()` is the name of the record's stream, anywhere in an expression."""
    rows = [{"id": 1, "name": "others"}, {"id": 2, "name": "vips"}]
    record = {"day": "2026-11-17", "rows": rows, "stream": "a column"}
    assert compile_expression(expression, "vips")(record) == result


# ---- added functions ----


@pytest.mark.parametrize(
    ("expression", "value", "result"),
    [
        ("lower(v)", "ÀÉ", "àé"),
        ("upper(v)", "straße", "STRASSE"),
        ("trim(v)", "\u00a0\t a b \n", "a b"),
        ("trim(v)", 1001, "1001"),
        ("lower(v)", True, None),
        ("lower(v)", {"a": 1}, None),
        ("lower(v)", Decimal("1E+3"), "1000"),
        ("lower(v)", datetime(2026, 1, 31, 13, 5, tzinfo=UTC), "2026-01-31t13:05:00+00:00"),
        ("lower(v)", date(2026, 1, 31), "2026-01-31"),
        ("concat(v)", Decimal("19.90"), "19.90"),
        ("concat('n', v)", 12345678901234567890, "n12345678901234567890"),
        ("concat('n', v)", 1e22, "n10000000000000000000000"),
        ("concat('n', v)", True, None),
        ("concat('n', v)", [], None),
        ("concat('n', v)", Decimal("1E+999999"), None),
        ("concat('n', v)", None, None),
        ("concat('n', v)", "", None),
        ("concat(v, 'n')", None, None),
        ("concat('n', v, 'n')", None, None),
        ("concat('n', v)", " ", "n "),
        ("concat('n', v)", 0, "n0"),
        ("concat(v, ' ', v)", "a", "a a"),
        ("concat('n', v || 'none')", None, "nnone"),
        ("split(v, '|')", "a||b", ["a", "", "b"]),
        ("split(v, v)", "", None),
        ("split(v, '.')", Decimal("1.50"), ["1", "50"]),
        ("replace(v, 'a', 'b')", "banana", "bbnbnb"),
        ("replace(v, '', 'b')", "banana", "banana"),
        ("replace(v, 'a', missing)", "banana", None),
    ],
)
def test_text_functions(expression, value, result):
    """Numbers and dates count as their text; booleans, arrays and objects return null."""
    assert evaluate(expression, v=value) == result


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://shop.example.com/?epik=a", "a"),
        ("/p?x=1&epik=a", "a"),
        ("?epik=a", "a"),
        ("epik=a&x=1", "a"),
        ("https://shop.example.com/?epik=a&epik=b", "a"),
        ("https://shop.example.com/?epik=a%2Bb+c%C3%A9", "a+b cé"),
        ("https://shop.example.com/?%65pik=a", "a"),
        ("https://shop.example.com/?epik=a=b?c", "a=b?c"),
        ("https://shop.example.com/?epik=a#epik=b", "a"),
        ("https://shop.example.com/?x=1#epik=b", None),
        ("https://shop.example.com/#/r?epik=b", None),
        ("https://shop.example.com/?epik=", ""),
        ("https://shop.example.com/?epik", ""),
        ("https://shop.example.com/?EPIK=a", None),
        ("https://shop.example.com/?xepik=a", None),
        ("https://shop.example.com/?xepik=a&epik=b", "b"),
        ("https://shop.example.com/?epik&epik=a", ""),
        ("https://shop.example.com/epik?epik=a", "a"),
        ("x=epik&epik=a", "a"),
        ("https://shop.example.com/epik", None),
        ("epik", None),
        ("", None),
    ],
)
def test_query_param(url, result):
    """The first parameter with the name in a full or partial URL, decoded; never the fragment's."""
    assert evaluate("query_param(url, 'epik')", url=url) == result


@pytest.mark.parametrize(
    ("header", "result"),
    [
        ("_epik=dj0y", "dj0y"),
        ("a=1; _epik=dj0y; b=2", "dj0y"),
        ("a=1;_epik = dj0y ;b=2", "dj0y"),
        ("Cookie: _epik=dj0y", "dj0y"),
        ('_epik="dj0y"', "dj0y"),
        ('_epik="', '"'),
        ("_epik=a=b==", "a=b=="),
        ("_epik=%2B", "%2B"),
        ("_epik=a; _epik=b", "a"),
        ("x_epik=a; _EPIK=b", None),
        ("_epik", None),
        ("", None),
        (7, None),
    ],
)
def test_cookie(header, result):
    """The first cookie with exactly the name; quotes are removed, nothing is decoded (RFC 6265)."""
    assert evaluate("cookie(header, '_epik')", header=header) == result


@pytest.mark.parametrize(
    ("value", "form", "result"),
    [
        ("31.01.2026", "%d.%m.%Y", "2026-01-31T00:00:00"),
        (20260131, "%Y%m%d", "2026-01-31T00:00:00"),
        (" 2026-01-31 ", "%Y-%m-%d", "2026-01-31T00:00:00"),
        (
            "2026-01-31 10:00:00.250000 -0530",
            "%Y-%m-%d %H:%M:%S.%f %z",
            "2026-01-31T10:00:00.250000-05:30",
        ),
        ("Sat, 31 Jan 2026 10:00:00 GMT", "%a, %d %b %Y %H:%M:%S %Z", "2026-01-31T10:00:00+00:00"),
        ("31.02.2026", "%d.%m.%Y", None),
        ("31.01.2026 x", "%d.%m.%Y", None),
        (True, "%Y", None),
        (["2026"], "%Y", None),
    ],
)
def test_to_date(value, form, result):
    """An ISO date-time, its offset kept; text that is not a date of the format returns null."""
    assert evaluate(f"to_date(at, '{form}')", at=value) == result


def test_to_date_reads_the_format_from_a_column():
    """A format that is not constant is checked for each record: a wrong one returns null."""
    assert evaluate("to_date(at, form)", at="2026", form="%Y") == "2026-01-01T00:00:00"
    assert evaluate("to_date(at, form)", at="31", form="%d") is None
    assert evaluate("to_date(at, form)", at="x", form="%!") is None


@pytest.mark.parametrize(
    ("items", "result"),
    [
        ([{"price": Decimal("19.99"), "qty": 3}], Decimal("59.97")),
        ([{"price": "0.1", "qty": "3"}, {"price": 0.2, "qty": 1}], Decimal("0.5")),
        ([{"price": 5}, {"price": 5, "qty": None}, {"price": 5, "qty": ""}], Decimal(15)),
        ([{"price": 5, "qty": 0}], Decimal(0)),
        ([None, {"price": 5}], Decimal(5)),
        (['{"price": "5.5", "qty": 2}'], Decimal(11)),
        ([{"price": None}], None),
        ([{"price": 5}, {"qty": 1}], None),
        ([{"price": "5 EUR"}], None),
        ([{"price": 5, "qty": True}], None),
        ([{"price": Decimal("1E+999999")}, {"price": 1}], None),
        ([5], None),
        ([], None),
        ("[]", None),
        ("no json", None),
        ({"price": 5}, None),
    ],
)
def test_items_value(items, result):
    """The exact sum of price times quantity, including numeric strings.

    Null instead of a partial sum.
    """
    assert evaluate("items_value(items, 'price', 'qty')", items=items) == result


@given(st.lists(st.tuples(numbers, st.integers(0, 1000)), min_size=1, max_size=6))
def test_amounts_are_exact(rows):
    """items_value and sum are exact sums, also through JSON text."""
    items = [{"price": str(price), "qty": quantity} for price, quantity in rows]
    expected = sum((Fraction(price) * quantity for price, quantity in rows), Fraction(0))
    assert (
        Fraction(evaluate("items_value(items, 'price', 'qty')", items=json.dumps(items)))
        == expected
    )
    assert Fraction(evaluate("sum(v)", v=[price for price, _ in rows])) == sum(
        Fraction(price) for price, _ in rows
    )


# ---- regular expressions ----


@pytest.mark.parametrize(
    ("value", "pattern", "result"),
    [
        ("order 1001 of 2002", "[0-9]+", "1001"),
        ("order 1001 of 2002", "of ([0-9]+)", "2002"),
        ("order 1001", "(x)?order", None),
        ("ORDER 1", "(?i)order ([0-9])", "1"),
        (1001, "^[0-9]{2}", "10"),
        ("no", "[0-9]", None),
        (["1"], "[0-9]", None),
    ],
)
def test_regex_extract(value, pattern, result):
    """The first group, otherwise the whole match, of the first match.

    A group that took no part returns null.
    """
    assert evaluate(f"regex_extract(v, '{pattern}')", v=value) == result


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(?:a|ab)*",
        "(a|a)+$",
        "(?:a?){40}",
        "(?:a{2,3})*",
        "(?i)(?:a|A[b])*",
        r"(?:(a)\1)*",
        "(?=(a+)+)b",
        "(?>(?:a+)+)",
        "(x)?(?(1)(a+)+|b)",
        "a*a*a*a*a*a*a*b",
        "a{0,50}a{0,50}a{0,50}a{0,50}a{0,50}a{0,50}b",
    ],
)
def test_patterns_that_could_run_for_ever_are_refused(pattern):
    """Repeats of what repeats or branches, and long chains of repeats, return null at once."""
    assert evaluate("regex_extract(v, p)", v="a" * 60, p=pattern) is None


@pytest.mark.parametrize(
    "pattern",
    ["(?:ab)+", "(?:foo|bar)*", "(?:a|b|[cd])+", "(a+)?b", "(?:[0-9]{4}-)*", "(x)?(?(1)y|z)"],
)
def test_patterns_that_cannot_explode_are_taken(pattern):
    """Repeats of what can match in only one way, and optional repeats, are allowed."""
    compiled, longest, problem = patterns.pattern(pattern)
    assert (compiled.pattern, problem) == (pattern, None)
    assert longest > 1000


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        ("abc", 14142),
        ("a*b", 14142),
        ("a*c*b", 843),
        ("a*c*d*b", 221),
        ("^a*c*b", 14142),
        ("^a*c*d*b", 843),
        ("(?m)^a*c*b", 843),
    ],
)
def test_longest_text_of_a_pattern(pattern, longest):
    """The more repeats a pattern has, the shorter the text that it may read.

    One character more returns null.
    """
    assert patterns.pattern(pattern).longest == longest
    head = "abc" if pattern == "abc" else "b"
    assert evaluate(f"regex_extract(v, '{pattern}')", v=head.ljust(longest)) == head
    assert evaluate(f"regex_extract(v, '{pattern}')", v=head.ljust(longest + 1)) is None
    assert f"{longest:,}" in FUNCTIONS["regex_extract"].about


def test_a_long_text_ends_in_time():
    """A string longer than its pattern may read returns null: the search would take hours."""
    assert evaluate("regex_extract(v, '.*.*.*x')", v="a" * 16_000) is None
    assert evaluate("regex_extract(v, '.*x')", v="a" * 14_000 + "x") == "a" * 14_000 + "x"


# ---- JMESPath's own functions ----


@pytest.mark.parametrize(
    ("expression", "value", "result"),
    [
        ("sum(v)", [Decimal("0.1"), Decimal("0.2")], Decimal("0.3")),
        ("sum(v)", [0.1, 0.2], Decimal("0.3")),
        ("sum(v)", [], 0),
        ("sum(v[].p)", '[{"p": 19.99}, {"p": 0.01}]', Decimal("20.00")),
        ("sum(v)", "[1, 2.5]", Decimal("3.5")),
        ("sum(v)", [10**30, Decimal("0.001")], Decimal("1000000000000000000000000000000.001")),
        ("avg(v)", [Decimal("19.90"), Decimal("20.10")], Decimal("20.00")),
        ("avg(v)", [1, 2], Decimal("1.5")),
        ("avg(v)", [], None),
        ("max(v)", [Decimal("2.5"), 10, 3.5], 10),
        ("min(v)", [Decimal("2.5"), 10, 3.5], Decimal("2.5")),
        ("max(v)", ["a", "b"], "b"),
        ("max(v)", [], None),
        (
            "abs(v)",
            Decimal("-1.23456789012345678901234567890123"),
            Decimal("1.23456789012345678901234567890123"),
        ),
        ("abs(v)", -3, 3),
        ("ceil(v)", Decimal("1.2"), 2),
        ("floor(v)", Decimal("-1.2"), -2),
        ("floor(v)", 1.9, 1),
        ("to_number(v)", "7.50", Decimal("7.50")),
        ("to_number(v)", " -3 ", -3),
        ("to_number(v)", "1e3", Decimal(1000)),
        ("to_number(v)", Decimal("7.5"), Decimal("7.5")),
        ("to_number(v)", "1_000", None),
        ("to_number(v)", "nan", None),
        ("to_number(v)", "1e99999999999999999999", None),
        ("to_number(v)", "9" * 5000, None),
        ("to_number(v)", True, None),
        ("to_number(v)", [], None),
        ("to_string(v)", Decimal("7.5"), "7.5"),
        ("to_string(v)", Decimal("1E+3"), "1000"),
        ("to_string(v)", Decimal("1E-7"), "0.0000001"),
        ("to_string(v)", "a", "a"),
        ("to_string(v)", True, "true"),
        ("to_string(v)", None, "null"),
        ("to_string(v)", {"a": [Decimal("1.50"), 'é"', None]}, '{"a":[1.50,"é\\"",null]}'),
        ("to_string(v)", datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31T00:00:00+00:00"),
        ("type(v)", Decimal("7.5"), "number"),
        ("type(v)", True, "boolean"),
        ("type(v)", None, "null"),
        ("type(v)", "[]", "string"),
        ("type(v)", date(2026, 1, 31), "string"),
        ("sort(v)", [Decimal("2.5"), 10, Decimal(-1)], [Decimal(-1), Decimal("2.5"), 10]),
        (
            "sort_by(v, &p)[].n",
            [{"p": Decimal("2.5"), "n": 1}, {"p": 10, "n": 2}, {"p": -1, "n": 3}],
            [3, 1, 2],
        ),
        ("sort_by(v, &p)[].n", '[{"p": 2.5, "n": 1}, {"p": 0.5, "n": 2}]', [2, 1]),
        ("max_by(v, &p).n", [{"p": Decimal("2.5"), "n": 1}, {"p": 10, "n": 2}], 2),
        ("min_by(v, &p).n", [{"p": Decimal("2.5"), "n": 1}, {"p": 10, "n": 2}], 1),
        ("min_by(v, &p)", [], None),
        ("map(&p, v)", [{"p": 1}, {}, '{"p": 2}'], [1, None, 2]),
        ("contains(v, `1.50`)", [Decimal("1.5")], True),
        ("contains(v, `1`)", [True], False),
        ("contains(v, 'b')", "abc", True),
        ("contains(v, `1`)", "a1", False),
        ("starts_with(v, '2026')", date(2026, 1, 31), True),
        ("join(',', v)", ["a", date(2026, 1, 31)], "a,2026-01-31"),
        ("keys(v)", '{"a": 1}', ["a"]),
        ("length(v)", "[1, 2]", 6),
        ("not_null(v, 'x')", None, "x"),
        ('merge(v, `{"b": 1.5}`)', {"a": 1}, {"a": 1, "b": Decimal("1.5")}),
        ("reverse(v)", [1, 2], [2, 1]),
    ],
)
def test_built_ins(expression, value, result):
    """Numbers are exact whatever their type, and JSON text is read as an array or an object."""
    given_value = evaluate(expression, v=value)
    assert (type(given_value) is bool, given_value) == (type(result) is bool, result)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(v)", ["hidden"]),
        ("sum(v)", "hidden"),
        ("sum(v)", [True]),
        ("max(v)", [1, "hidden"]),
        ("abs(v)", "hidden"),
        ("abs(v)", Decimal("NaN")),
        ("ceil(v)", Decimal("1E+999999999")),
        ("to_string(v)", [Decimal("1E+999999999")]),
        ("sum(v)", [Decimal("1E+9999"), 1]),
        ("avg(v)", [Decimal("9E+999999"), Decimal("9E+999999")]),
        ("sort_by(v, &p)", [{"p": 1}, {"p": "hidden"}]),
        ("max_by(v, &p)", [{"p": ["hidden"]}]),
        ("join(',', v)", [1]),
        ("merge(`{}`, v)", "hidden"),
        ("starts_with(v, 'h')", 1),
        ("keys(v)", "hidden"),
        ("length(v)", 5),
    ],
)
def test_failing_built_ins_tell_no_value(expression, value):
    """A built-in on a wrong argument raises EvaluationError, which names no value."""
    with pytest.raises(EvaluationError) as caught:
        evaluate(expression, v=value)
    assert "hidden" not in f"{caught.value!s}{caught.value!r}{caught.value.args}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


# ---- equality, order, text ----


@given(values, values)
def test_equality_is_symmetric_and_reflexive(left, right):
    """Equality is a boolean, the same in both directions, and true for a value and itself."""
    assert equal(left, right) is equal(right, left)
    assert equal(left, left) or any(mark in repr(left) for mark in ("nan", "inf"))


@given(numbers, numbers)
def test_order_is_that_of_numbers(left, right):
    """Exactly one of less, equal and greater is true for two numbers, whatever their types."""
    compare = COMPARISONS
    assert [
        compare["lt"](left, right),
        compare["eq"](left, right),
        compare["gt"](left, right),
    ].count(True) == 1
    assert compare["lte"](left, right) is (Fraction(left) <= Fraction(right))


@given(numbers)
def test_number_text_is_exact(value):
    """A number's text is the number, without an exponent."""
    written = number_text(value)
    assert Fraction(written) == Fraction(value)
    assert set(written) <= set("-0123456789.")


@given(values)
def test_opened_gives_json_or_the_value(value):
    """Text is decoded only to an array or an object.

    Anything else is returned as the same object.
    """
    result = opened(value)
    assert result is value or (isinstance(value, str) and isinstance(result, list | dict))

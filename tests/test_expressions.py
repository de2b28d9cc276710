"""Mapping expressions.

Their results, that closures and the interpreter agree, and errors.
"""

import copy
import functools
import json
from datetime import UTC, datetime
from decimal import Decimal

import jmespath
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from given import examples
from target_pinterest_capi.events.build.columns import RecordColumns
from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.events.build.readings import Readings
from target_pinterest_capi.expressions.analysis import can_fail, plain_path, roots
from target_pinterest_capi.expressions.code import write_expression
from target_pinterest_capi.expressions.compiler import (
    EvaluationError,
    ExpressionError,
    compile_expression,
    interpret,
)
from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.pruning import pruned
from target_pinterest_capi.expressions.syntax import parse

NAMES = ("a", "b", "d e")

# ---- generated records and expressions ----

numbers = st.integers(-3, 3) | st.decimals(min_value=-9, max_value=9, places=2)
leaves = (
    st.none() | st.booleans() | numbers | st.sampled_from(["", "x", "y", "7.50", "{", "[1", "null"])
)


def nested(inner):
    objects = st.fixed_dictionaries({"a": inner}, optional={"b": inner, "d e": inner})
    return st.lists(inner, max_size=3) | st.lists(objects, min_size=1, max_size=3) | objects


def as_json(value):
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()


def nested_or_text(inner):
    return nested(inner) | nested(inner).map(as_json)


values = st.recursive(leaves, nested_or_text, max_leaves=12)
records = st.fixed_dictionaries(
    {"a": nested_or_text(values)}, optional={"b": values, "d e": values}
)
plain_leaves = st.none() | st.integers(-3, 3) | st.sampled_from(["", "x", "y", "7.50"])
plain_values = st.recursive(plain_leaves, nested, max_leaves=12)
plain_records = st.fixed_dictionaries(
    {"a": nested(plain_values)}, optional={"b": plain_values, "d e": plain_values}
)

names = st.sampled_from(["a", "a", "b", '"d e"'])
ends = st.one_of(
    names.map(".{}".format),
    st.sampled_from(["[]", "[*]", "[0]", "[1]", "[-1]", "[-5]", ".{v: @}", ".[@]"]),
    st.lists(names, min_size=1, max_size=3).map(
        lambda found: ".{" + ", ".join(f"k{i}: {p}" for i, p in enumerate(found)) + "}"
    ),
    st.lists(names, min_size=1, max_size=2).map(lambda found: f".[{', '.join(found)}]"),
)
paths = st.builds(lambda first, rest: first + "".join(rest), names, st.lists(ends, max_size=3))


def longer(inner):
    return st.one_of(
        st.builds("({} || {})".format, inner, inner),
        st.builds("({} && {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} == {})".format, inner, inner),
        st.builds("({} | {})".format, inner, paths),
        st.builds("({})[?{}].{}".format, inner, inner, names),
        st.builds("({})[1:].{}".format, inner, names),
        st.builds("({}).*.{}".format, inner, names),
        st.builds("{}.{{x: {}, y: {}}}".format, paths, inner, inner),
        st.builds("({})[].[{}]".format, inner, inner),
        st.just("@"),
        st.sampled_from(["'x'", "`[]`", '`{"a": 1}`']),
    )


shapes = st.recursive(paths, longer, max_leaves=4)


def with_functions(inner):
    return st.one_of(
        longer(inner),
        st.builds("({} < {})".format, inner, inner),
        st.builds("({} >= {})".format, inner, inner),
        st.builds("lower({})".format, inner),
        st.builds("concat({}, {})".format, inner, inner),
        st.builds("not_null({}, {})".format, inner, inner),
        st.builds("sum({})".format, inner),
        st.builds("to_string({})".format, inner),
        st.builds("sort_by({}, &{})".format, inner, names),
        st.builds("map(&{}, {})".format, inner, inner),
        st.builds("items_value({}, 'a', 'b')".format, inner),
    )


expressions = st.recursive(paths, with_functions, max_leaves=4)


def outcome(evaluate, *arguments):
    """A value with its types, or the error's text.

    Numbers and booleans that are only equal count as different.
    """
    try:
        return repr(evaluate(*arguments))
    except EvaluationError as error:
        return f"fails: {error}"


# ---- what expressions give ----

ORDER = {
    "email": "Jane@example.com",
    "a.b": "dotted",
    "total": Decimal("19.90"),
    "count": 0,
    "paid": False,
    "empty": "",
    "none": None,
    "customer": {"email": "jane@example.com", "tags": ["vip", None, "new"]},
    "lines": [
        {"id": 1, "price": Decimal("9.95"), "sizes": [1, 2]},
        {"id": 2, "sizes": [3]},
        None,
        7,
    ],
    "nested": [[1, 2], [3], [[4]], 5, None],
    "payload": (
        '{"customer": {"email": "jane@example.com"}, "total": 19.90, '
        '"lines": [{"id": 12345678901234567890}]}'
    ),
    "json_lines": ' [{"id": "x", "meta": "{\\"size\\": 1.50}"}, {"id": null}]',
    "broken": '{"customer": ',
    "small": '{"x": 1.50}',
    "falsy": [0, "", False, [], {}, None],
    "number_text": "7",
    "at": datetime(2026, 1, 31, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("email", "Jane@example.com"),
        (" email ", "Jane@example.com"),
        ('"a.b"', "dotted"),
        ("missing", None),
        ("customer.email", "jane@example.com"),
        ("customer.tags[0]", "vip"),
        ("customer.tags[-1]", "new"),
        ("customer.tags[3]", None),
        ("customer.tags[-4]", None),
        ("customer.tags[*]", ["vip", "new"]),
        ("customer.tags[1:]", ["new"]),
        ("customer.email.domain", None),
        ("customer[0]", None),
        ("total.x", None),
        ("none.x.y", None),
        ("lines[].id", [1, 2]),
        ("lines[0].price", Decimal("9.95")),
        ("lines[].sizes", [[1, 2], [3]]),
        ("lines[].sizes[]", [1, 2, 3]),
        ("lines[*].sizes | [0]", [1, 2]),
        (
            "lines[].{id: id, item_price: price}",
            [
                {"id": 1, "item_price": Decimal("9.95")},
                {"id": 2, "item_price": None},
                {"id": None, "item_price": None},
            ],
        ),
        ("lines[?id == `2`].sizes", [[3]]),
        ("falsy[]", [0, "", False, {}]),
        ("falsy[*]", [0, "", False, [], {}]),
        ("falsy[?@]", [0]),
        ("nested[]", [1, 2, 3, [4], 5]),
        ("nested[][]", [1, 2, 3, 4, 5]),
        ("email[]", None),
        ("none[].{id: id}", None),
        ("none.{id: id}", None),
        ("{mail: email, sum: total}", {"mail": "Jane@example.com", "sum": Decimal("19.90")}),
        ("[email, missing]", ["Jane@example.com", None]),
        ("customer.*", ["jane@example.com", ["vip", None, "new"]]),
        ("missing || empty || email", "Jane@example.com"),
        ("count || email", 0),
        ("paid || none", None),
        ("empty && email", ""),
        ("!paid", True),
        ("!count", False),
        ("@.email", "Jane@example.com"),
        ("'raw'", "raw"),
        ("'it\\'s'", "it's"),
        ('`"json"`', "json"),
        ("`1.10`", Decimal("1.10")),
        ("total == `19.9`", True),
        ("total > `19.89`", True),
        ("total <= `19`", False),
        ("count == `false`", False),
        ("lines[0].sizes == `[1, 2.0]`", True),
        ("email == 'Jane@example.com'", True),
        ("number_text == `7`", False),
        ("email < `1`", None),
        ("missing < `1`", None),
        ("'a' < 'b'", True),
        ("at == '2026-01-31T00:00:00+00:00'", True),
        ("at >= '2026-01-01'", True),
        ("customer.length(tags)", 3),
    ],
)
def test_values(expression, result):
    """JMESPath's own rules, with exact numbers; a path that leads nowhere is null."""
    assert repr(compile_expression(expression)(ORDER)) == repr(result)
    assert repr(interpret(expression, ORDER)) == repr(result)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("payload.customer.email", "jane@example.com"),
        ("payload.total", Decimal("19.90")),
        ("payload.lines[0].id", 12345678901234567890),
        ("payload.{t: total, l: lines[].id}", {"t": Decimal("19.90"), "l": [12345678901234567890]}),
        ("payload.[total]", [Decimal("19.90")]),
        ("small.{all: @}", {"all": {"x": Decimal("1.50")}}),
        ("small.[@]", [{"x": Decimal("1.50")}]),
        ("payload.* | length(@)", 3),
        ("json_lines[].id", ["x"]),
        ("json_lines[*].{id: id}", [{"id": "x"}, {"id": None}]),
        ("json_lines[0].meta.size", Decimal("1.50")),
        ("json_lines[?id == 'x'].meta.size", [Decimal("1.50")]),
        ("json_lines[1:]", [{"id": None}]),
        ("json_lines[-1].id", None),
        ("json_lines.id", None),
        ("broken.customer", None),
        ("broken[].id", None),
        ("number_text.x", None),
        ("payload[0]", None),
        ("not_null(missing, payload)", ORDER["payload"]),
    ],
)
def test_paths_step_into_json_text(expression, result):
    """Text of a JSON array or object is read when a path steps into it, and else stays text."""
    assert repr(compile_expression(expression)(ORDER)) == repr(result)
    assert repr(interpret(expression, ORDER)) == repr(result)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"a": ',
        '{"a": 1} x',
        '"a"',
        "1",
        "null",
        "\ufeff[1]",
        '{"a": "\ud800"}',
        "[1e99999999999999999999]",
        "[" * 100_000,
        "[" * 500 + "]" * 500,
    ],
)
def test_text_that_cannot_be_read_is_null(text):
    """Text that is not JSON, or hostile JSON, has no members, and does not raise."""
    assert compile_expression("v.a")({"v": text}) is None
    assert compile_expression("v[].a.b")({"v": text}) in (None, [])


# ---- closures and interpreter ----


@settings(max_examples=examples(400))
@given(expressions, records)
def test_closures_agree_with_the_interpreter(expression, record):
    """Closures return what the interpreter returns, including types and failures."""
    assert outcome(compile_expression(expression), record) == outcome(interpret, expression, record)


def generated(expression, columns=None):
    """Return the expression in a generated function, pruned to the columns if any are given."""
    tree = parse(expression)
    source = FunctionSource("build(record)")
    RecordColumns().open(source)
    value = write_expression(
        tree if columns is None else pruned(tree, lambda steps: steps[0] in columns),
        Readings(source, RecordColumns()),
    )
    source.write("return {value}", value=value)
    evaluate = source.compile("test")

    def guarded(record):
        try:
            return evaluate(record)
        except (ArithmeticError, RecursionError):
            raise EvaluationError("") from None

    return guarded


def value_or_failure(evaluate, *arguments):
    """Return the value with its types, or that there was a failure."""
    return outcome(evaluate, *arguments).partition("fails: ")[:2]


@settings(max_examples=examples(400))
@given(expressions, records)
def test_written_expressions_agree_with_the_interpreter(expression, record):
    """In a generated function, also pruned to a record's columns, they have the same value."""
    wanted = value_or_failure(interpret, expression, record)
    assert value_or_failure(generated(expression), record) == wanted
    assert value_or_failure(generated(expression, record.keys()), record) == wanted


@settings(max_examples=examples(300))
@given(shapes, plain_records)
def test_closures_agree_with_jmespath(expression, record):
    """Without JSON text, decimals and booleans, they return what the jmespath library returns."""
    assert repr(compile_expression(expression)(record)) == repr(jmespath.search(expression, record))


@settings(max_examples=examples(200))
@given(
    paths.filter(lambda path: path.startswith(("a.", "a["))),
    st.recursive(plain_leaves, nested, max_leaves=8),
)
def test_json_text_is_as_good_as_its_value(path, value):
    """A path returns the same for an array or object and for its JSON text."""
    written = json.dumps(value) if isinstance(value, list | dict) else value
    evaluate = compile_expression(path)
    assert repr(evaluate({"a": written})) == repr(evaluate({"a": value}))


@given(expressions, records)
def test_records_stay_as_they_are(expression, record):
    """Evaluating does not change the record."""
    before = copy.deepcopy(record)
    outcome(compile_expression(expression), record)
    assert repr(record) == repr(before)


# ---- failing on records ----

REALISTIC = [
    "email",
    "customer.email || contact_email",
    "line_items[].{id: product_id, item_name: title, item_price: price, quantity: quantity}",
    "line_items[?price > `5`].sku | [0]",
    "note_attributes[?name == 'epik'].value | [0]",
    "query_param(landing_site, 'epik') || cookie(headers.cookie, '_epik')",
    "regex_extract(landing_site, '/products/([0-9]+)')",
    "to_date(created_at, '%d/%m/%Y %H:%M')",
    "concat(customer.id, '-', to_string(total))",
    "items_value(line_items, 'price', 'quantity')",
    "split(lower(trim(tags)), ',')",
    "replace(phone, ' ', '')",
    "upper(currency)",
    "sum(line_items[].price)",
    "sum(map(&to_number(price), line_items))",
    "max_by(line_items, &price).sku",
    "sort_by(line_items, &price)[*].sku",
    "avg(line_items[].quantity)",
    "ceil(total) == `20` && status != 'void'",
    "join(',', line_items[].sku)",
    "contains(tags, 'vip')",
    "length(line_items) > `0`",
    "merge(customer, {x: @})",
    "keys(customer)[0]",
    "abs(to_number(total)) <= total",
    "total >= `10` && !refunded",
    "line_items[1:].*[]",
    "reverse(to_array(tags))",
    "min(line_items[].price) || max(line_items[].quantity)",
    "starts_with(landing_site, 'https://') && ends_with(landing_site, '/')",
    "to_string(@)",
    "type(payload.total)",
]
COLUMNS = (
    "email",
    "customer",
    "contact_email",
    "line_items",
    "note_attributes",
    "landing_site",
    "headers",
    "created_at",
    "total",
    "tags",
    "phone",
    "currency",
    "status",
    "refunded",
    "payload",
)
MEMBERS = ("id", "price", "quantity", "sku", "name", "value", "cookie", "email", "total")
wild_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.datetimes()
    | st.sampled_from(["19.90", "epik=%ff", "[[", '[{"price": 1e400}]', "\ud800", 10**2000])
    | st.sampled_from([Decimal("1E+999999"), Decimal("-1E-999999")])
)
wild = st.recursive(
    wild_leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("expression", REALISTIC)
@settings(max_examples=examples(30))
@given(record=st.dictionaries(st.sampled_from(COLUMNS), wild, max_size=8))
def test_records_raise_evaluation_errors_only(expression, record):
    """For any record, an expression returns a value or raises EvaluationError."""
    assert outcome(compile_expression(expression), record) == outcome(interpret, expression, record)


NEVER_FAIL = (
    "is_true(v)",
    "lower(v)",
    "upper(v)",
    "trim(v)",
    "concat(v, w)",
    "split(v, ',')",
    "replace(v, w, '-')",
    "regex_extract(v, '[a-z]+')",
    "regex_extract(v, w)",
    "query_param(v, 'epik')",
    "query_param(v, w)",
    "cookie(v, w)",
    "to_date(v, '%d/%m/%Y')",
    "to_date(v, w)",
    "member(v, 'id')",
    "member(v, w)",
    "us_opt_out(v)",
    "consented(v, `1`)",
    "consented(v, 'ad_storage')",
    "items_value(v, 'price', 'quantity')",
    "items_value(v, w, w)",
    "stream()",
    "run_time()",
    "today()",
    "to_number(v)",
    'contains(`["a", "b"]`, v)',
)
DEEP = functools.reduce(lambda inner, _: [inner], range(3_000), [])
HARD = [DEEP, "[" * 3_000, '{"a": ' * 3_000, {"price": DEEP}, [{"price": DEEP, "quantity": "x"}]]


@pytest.mark.parametrize("expression", NEVER_FAIL)
@settings(max_examples=examples(40))
@given(v=wild | st.sampled_from(HARD), w=wild | st.sampled_from(HARD))
def test_functions_that_never_fail(expression, v, w):
    """Functions that are declared not to fail return something for any record."""
    assert not can_fail(parse(expression))
    compile_expression(expression)({"v": v, "w": w})


def test_every_function_is_said_to_fail_or_not():
    """Of the added functions only arithmetic fails; each of the others is tested above."""
    tried = {expression.partition("(")[0] for expression in NEVER_FAIL}
    safe = {name for name, function in FUNCTIONS.items() if not function.fails}
    assert tried == safe | {"to_number", "contains"}


SHALLOW = 150


def failure(expression, record):
    try:
        compile_expression(expression)(record)
    except EvaluationError as error:
        return str(error)
    return None


@pytest.mark.parametrize("depth", [SHALLOW, 3000])
@pytest.mark.parametrize("expression", ["to_string(v)", "v == w", "contains([v], w)", "v.a", "v[]"])
def test_deep_values_raise_evaluation_errors_only(expression, depth):
    """Values of any depth have a value or fail with an EvaluationError."""
    left, right = [], []
    for _ in range(depth):
        left, right = [left], [right]
    follows_paths = expression in ("v.a", "v[]")
    expected = "the value is nested too deep" if depth > SHALLOW and not follows_paths else None
    assert failure(expression, {"v": left, "w": right}) == expected


def test_evaluation_errors_carry_no_value():
    """Neither an EvaluationError nor the exceptions behind it show the record's values."""
    with pytest.raises(EvaluationError) as caught:
        compile_expression("sum(line_items[].price)")({"line_items": [{"price": "hidden"}]})
    assert "hidden" not in repr(caught.value)
    assert str(caught.value) == "sum() takes an array of numbers, not this array"
    assert caught.value.__cause__ is None


# ---- wrong expressions ----


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("Order ID", "Order ID"),
        (" E-Mail ", "E-Mail"),
        ("Price (EUR)", "Price (EUR)"),
        ("$.a", ""),
        ("lower(E-Mail)", ""),
        ("a and b", ""),
        ("total * 100", ""),
        ("jane@example.com-1", ""),
        ("x" * 70 + "-", ""),
    ],
)
def test_what_may_have_been_meant_as_a_column(source, column):
    """The error has the whole expression if it may be a column's name, and no address."""
    error = expression_error(source)
    assert error.column == column
    assert column or "a column of this name" not in error.message


IN_QUOTES = ": a name with a space is written in double quotes"


def written(name):
    """Return how the message for a column's bare name says to write it."""
    return f""": a column of this name is written "{name}", and in YAML '"{name}"'"""


def expression_error(source):
    try:
        compile_expression(source)
    except ExpressionError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("source", "position", "message"),
    [
        ("", 0, "empty"),
        (" \n", 0, "empty"),
        ("a.", 2, "ends too early"),
        ("a[0", 3, "ends too early"),
        ("a |", 3, "ends too early"),
        ("lower(a", 7, "ends too early"),
        ("{x: a", 5, "ends too early"),
        ("a.b)", 3, "unexpected ')'"),
        ("a b", 2, f"unexpected 'b'{written('a b')}"),
        ("Order ID", 6, f"unexpected 'ID'{written('Order ID')}"),
        ("order-id", 5, f"unexpected '-'{written('order-id')}"),
        ("E-mail Address", 1, f"unexpected '-'{written('E-mail Address')}"),
        ("Größe", 2, f"unexpected 'ö'{written('Größe')}"),
        ("x.first name", 8, f"unexpected 'name'{written('x.first name')}; the member of an object"),
        ("x.first name", 8, 'is x."first name"'),
        ("Order #", 6, written("Order #")),
        ("2nd item", 0, written("2nd item")),
        ("$price", 0, written("$price")),
        ("@type", 1, written("@type")),
        ("id:string", 2, written("id:string")),
        ("Total?", 5, written("Total?")),
        ("Price (EUR)", 0, f"there is no such function{written('Price (EUR)')}"),
        *(
            (sum_, position, "arithmetic is written add(a, b)")
            for sum_, position in (
                ("total * 100", 6),
                ("total +", 6),
                ("total+", 5),
                ("+ total", 0),
                ("total +tax", 6),
                ("total/100", 5),
                ("total / 100", 6),
                ("total -", 6),
                ("price*quantity", 5),
            )
        ),
        ("Land/Region", 4, written("Land/Region")),
        ("Total %", 6, written("Total %")),
        ("a and b", 2, "'and' is written &&"),
        ("concat(' - ', a b)", 16, f"unexpected 'b'{IN_QUOTES}"),
        ("Order ID == 'x'", 6, f"unexpected 'ID'{IN_QUOTES}"),
        ("a ? b", 2, "unexpected '?'"),
        ("lower(a,)", 8, "unexpected ')'"),
        ("concat(a b)", 9, f"unexpected 'b'{IN_QUOTES}"),
        ("a = 'x'", 2, "compare with =="),
        ("a == 'x' and b", 9, "&&"),
        ("a or b", 2, "||"),
        ("$.a", 0, "a path starts with a column's name"),
        ("a.0", 2, "[0]"),
        ("a > 5", 4, "`5`"),
        ("a == 'x", 5, "never closed"),
        ("a == `1.5", 5, "never closed"),
        ('"a', 0, "never closed"),
        ('"a\\x"', 0, "wrong escape"),
        ("a == `x`", 5, "JSON"),
        ("a == `NaN`", 5, "JSON"),
        ("`1e99999999999999999999`", 0, "JSON"),
        ("a[::0]", 2, "step"),
        ("a.b[1:2:0]", 4, "step"),
        ("lowre(a)", 0, "did you mean lower()?"),
        ("a || Lower(b)", 5, "did you mean lower()?"),
        ("x[].{k: sort_bye(a, &b)}", 8, "did you mean sort_by()?"),
        ("qzx(a)", 0, "unknown function qzx()"),
        ("lower()", 0, "lower() takes 1 argument, not 0"),
        ("a || lower(b, c)", 5, "lower() takes 1 argument, not 2"),
        ("query_param(a)", 0, "takes 2 arguments, not 1"),
        ("concat()", 0, "takes at least 1 argument, not 0"),
        ("sum(a, b)", 0, "takes 1 argument, not 2"),
        ("merge()", 0, "takes at least 1 argument, not 0"),
        ("sort_by(a, b)", 0, "argument 2"),
        ("&a", 0, "'&' is allowed only"),
        ("lower(&a)", 6, "'&' is allowed only"),
        ("[a, &b]", 4, "'&' is allowed only"),
        ("sum(&a)", 4, "'&' is allowed only"),
        ('"lower"(a)', 0, "without quotes"),
        ("a[0](b)", 3, "no function's name"),
        ("regex_extract(a, '(')", 17, "pattern is wrong"),
        ("regex_extract(a, '(b+)+')", 17, "repeats a part that repeats"),
        ("regex_extract(a, 'b*b*b*b*b*b*b*c')", 17, "too many repeats"),
        ("regex_extract(a, 'b{99999999999999999999}')", 17, "pattern is wrong"),
        ("regex_extract(a, `5`)", 17, "write it as 'text'"),
        ("to_date(a, '%Q')", 11, "%Q is not a directive"),
        ("to_date(a, '%Y %')", 11, "% is not a directive"),
        ("to_date(a, '%d/%m')", 11, "no year"),
        ("to_date(a, `2026`)", 11, "write it as 'text'"),
        ("split(a, '')", 9, "separator is empty"),
        ("!" * 5000 + "a", 0, "nested more than 100 levels"),
        ("(" * 5000 + "a", 0, "nested more than 100 levels"),
        ("a" + " || a" * 200, 0, "nested more than 100 levels"),
        ("a[" + "9" * 5000 + "]", 0, "too long"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
@pytest.mark.parametrize("read", [compile_expression, roots, plain_path])
def test_wrong_expressions(read, source, position, message):
    """A wrong expression says what is wrong and at which position, before any record is read."""
    with pytest.raises(ExpressionError) as caught:
        read(source)
    assert caught.value.position == position
    assert message in caught.value.message
    assert str(caught.value) == f"{caught.value.message} (at character {position + 1})"


@given(st.text(max_size=30) | st.text(alphabet="ab.[]{}()*?:,|&!=<>@'`\"\\ 01-", max_size=20))
def test_any_text_is_an_expression_or_an_expression_error(source):
    """Any text compiles to a function, or is an ExpressionError with a position in it."""
    error = expression_error(source)
    assert error is None or (0 <= error.position <= len(source) and error.message)


@settings(max_examples=examples(60))
@given(expressions)
def test_expressions_do_nothing_while_compiled(expression):
    """Compiling the same text twice gives functions that agree.

    Compiled trees are shared and never changed.
    """
    record = {"a": [{"a": 1, "b": "x"}], "b": {"c": [1, 2]}, "c": "x"}
    first = outcome(compile_expression(expression), record)
    assert (
        outcome(compile_expression(expression), record)
        == first
        == outcome(compile_expression(f" {expression}"), record)
    )


# ---- what an expression reads ----


@pytest.mark.parametrize(
    ("source", "columns"),
    [
        ("email", {"email"}),
        ('"a.b"', {"a.b"}),
        ("a.b[0].c", {"a"}),
        ("xs[].{k: p, q: r.s}", {"xs"}),
        ("xs[?price > `5` && y].sku | [0]", {"xs"}),
        ("xs[*].a.*", {"xs"}),
        ("xs[1:].a", {"xs"}),
        ("a || b.c && !d", {"a", "b", "d"}),
        ("a == 'x'", {"a"}),
        ("{x: a, y: [b, c]}", {"a", "b", "c"}),
        ("{x: a}.x", {"a"}),
        ("concat(a, '-', b.c)", {"a", "b"}),
        ("sort_by(xs, &price)[0].price", {"xs"}),
        ("map(&lower(tag), tags)", {"tags"}),
        ("customer.length(tags)", {"customer"}),
        ("a | @.b", {"a"}),
        ("'constant'", set()),
        ("@", None),
        ("*", None),
        ("@.a", {"a"}),
        ("keys(@)", None),
        ("a || to_string(@)", None),
        ("{x: @}", None),
        ("map(&a, [@])", None),
    ],
)
def test_roots(source, columns):
    """The top-level columns that an expression reads, or None if it may read any."""
    assert roots(source) == columns


@settings(max_examples=examples(300))
@given(expressions, records)
def test_roots_are_enough(expression, record):
    """A record with only the columns of `roots` has the same result as the whole record."""
    columns = roots(expression)
    part = (
        record
        if columns is None
        else {name: value for name, value in record.items() if name in columns}
    )
    evaluate = compile_expression(expression)
    assert outcome(evaluate, part) == outcome(evaluate, record)


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("email", "email"),
        (" email ", "email"),
        ("(email)", "email"),
        ('"a.b"', "a.b"),
        ("a.b", None),
        ("a[0]", None),
        ("@", None),
        ("lower(a)", None),
        ("'email'", None),
        ("a || b", None),
    ],
)
def test_plain_path(source, column):
    """The column of an expression that consists of one column only."""
    assert plain_path(source) == column

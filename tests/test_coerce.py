"""Values as taps send them, and their conversion for each type of field."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.reasons import Dropped

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1_795_255_200  # 2026-11-21T10:00:00Z

# What a JSON reader may hand over, lone surrogates and numbers beyond all sizes included.
NUMBERS = (
    st.integers() | st.integers(min_value=10**17, max_value=10**40) | st.floats() | st.decimals()
)
SCALARS = (
    st.none()
    | st.booleans()
    | NUMBERS
    | st.text(st.characters())
    | st.text(st.sampled_from('0123456789+-.,:eETZ []{}"nul'), max_size=24)
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)

COERCIONS = {
    "string": (coerce.text, str),
    "amount": (coerce.amount, str),
    "integer": (coerce.integer, int),
    "boolean": (coerce.boolean, bool),
    "unix_time": (lambda value: coerce.unix_time(value, BERLIN), int),
    "array": (coerce.array, list),
    "items": (coerce.items, list),
}


@pytest.mark.parametrize(("coerced", "kind"), COERCIONS.values(), ids=COERCIONS.keys())
@given(value=JSON_VALUES)
@example(value=Decimal("sNaN"))
@example(value=Decimal("1E+999999"))
@example(value=Decimal("0E-999999"))
@example(value="1e999999999999999999999")
@example(value="[1e999999999999999999999]")
@example(value="[" * 100_000)
@example(value='{"a": "\ud800"}')
@example(value=10**5000)
@example(value=float("inf"))
def test_every_json_value_is_taken_or_left_out(coerced, kind, value):
    """No value raises: each results in one of the type, nothing, or a reason."""
    result = coerced(value)
    assert result is None or type(result) in (kind, Dropped)


@pytest.mark.parametrize(
    "coerced", [coerced for coerced, _ in COERCIONS.values()], ids=COERCIONS.keys()
)
@pytest.mark.parametrize("nothing", [None, "", " ", "\t\n", "\u00a0", []])
def test_nothing_is_nothing_for_every_type(coerced, nothing):
    """Null, blank text and the empty list are missing values, not problems."""
    assert coerce.is_nothing(nothing)
    assert coerced(nothing) is None


@pytest.mark.parametrize("something", [0, False, 0.0, Decimal(0), "0", [None], {}, " x "])
def test_zero_and_false_are_something(something):
    """Zero, false and an empty object are values."""
    assert not coerce.is_nothing(something)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a b ", "a b"),
        ("\u00a0é\n", "é"),
        ("a\ud800", "a\ufffd"),
        ("\ud83d\ude00", "😀"),
        (0, "0"),
        (12345678901234567890123, "12345678901234567890123"),
        (-5, "-5"),
        (10**18, "1" + "0" * 18),
        (2134.0, "2134"),
        (19.99, "19.99"),
        (1e21, "1" + "0" * 21),
        (1e-7, "0.0000001"),
        (Decimal("2134.00"), "2134"),
        (Decimal("1E+3"), "1000"),
        (Decimal("19.90"), "19.90"),
        (Decimal("12345678901234567890.5"), "12345678901234567890.5"),
        (True, "true"),
        (False, "false"),
        (date(2026, 11, 21), "2026-11-21"),
        (datetime(2026, 11, 21, 10, tzinfo=UTC), "2026-11-21T10:00:00+00:00"),
        (float("nan"), None),
        (Decimal("NaN"), None),
        (float("inf"), None),
        (Decimal("-Infinity"), None),
        ([1], Dropped.NOT_TEXT),
        ({}, Dropped.NOT_TEXT),
        (b"x", Dropped.NOT_TEXT),
        (Decimal("1E+100000"), Dropped.TOO_LONG),
        pytest.param(10**5000, Dropped.TOO_LONG, id="5000 digits"),
    ],
)
def test_text(value, text):
    """Text is trimmed; numbers keep every digit, without exponent and without an empty fraction.

    NaN is a missing value.
    """
    assert coerce.text(value) == text


@given(number=st.integers(min_value=-(10**300), max_value=10**300))
def test_ids_from_integers_keep_every_digit(number):
    """An integer as text is read back as the same integer."""
    assert coerce.text(number) == str(number) == coerce.text(Decimal(number))


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (Decimal("19.99"), "19.99"),
        (Decimal("19.990"), "19.990"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.5E-3"), "0.0015"),
        (Decimal(-5), "-5"),
        (Decimal("0.00"), "0.00"),
        (Decimal("-0.00"), "0"),
        (Decimal("0E+500"), "0"),
        (Decimal("19.990000000000000000"), "19.99"),
        (Decimal("5.0000000000"), "5"),
        (Decimal("999999999999999999.999999999"), "999999999999999999.999999999"),
        (19.99, "19.99"),
        (2134.0, "2134.0"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e17, "100000000000000000"),
        (-0.5, "-0.5"),
        (100.10, "100.1"),
        (5, "5"),
        (0, "0"),
        (-5, "-5"),
        (10**18 - 1, "9" * 18),
        ("19.99", "19.99"),
        (" 19.990 ", "19.990"),
        ("-5", "-5"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0019.99", "19.99"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("1,234.50", "1234.50"),
        ("12,345,678.90", "12345678.90"),
        ("-1,234.5", "-1234.5"),
        ("1.234,56", "1234.56"),
        ("12.345.678,9", "12345678.9"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234.50", "1234.50"),
        ("1\u202f234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1\u2019234.50", "1234.50"),
        ("١٩", "19"),
        ("\uff11\uff19\uff0e\uff15", "19.5"),
        ("\u200e19.99\u200f", "19.99"),
        ("\ufeff7", "7"),
    ],
)
def test_amount(value, amount):
    """Amounts are exact decimals with the digits as they are.

    No exponent, no floating-point noise, no padding beyond nine digits.
    """
    assert coerce.amount(value) == amount


@pytest.mark.parametrize(
    "value",
    [
        "19,99",
        "1,234",
        "1.234.567",
        "12,34.50",
        "1,234.567,8",
        "1,00,000.00",
        "1 234.5 6",
        "$19.99",
        "$1,234.50",
        "(12.00)",
        "12.00-",
        "19.99 EUR",
        "1_000",
        "0x10",
        "free",
        "--5",
        "1e",
        "NaN",
        "Infinity",
        True,
        False,
        float("nan"),
        float("-inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        [19.99],
        {"amount": 19.99},
        {},
        date(2026, 11, 21),
    ],
)
def test_amount_that_is_none(value):
    """Separators, currency signs, booleans, lists and objects are refused: nothing is guessed."""
    assert coerce.amount(value) is Dropped.NOT_AN_AMOUNT


@pytest.mark.parametrize(
    "value",
    [
        10**18,
        -(10**18),
        pytest.param(10**5000, id="5000 digits"),
        1e18,
        1e300,
        1e-10,
        "1" * 19,
        "0.0000000001",
        "1.0000000001",
        "1e18",
        "1e999999999999999999999",
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        Decimal("0.1234567891"),
    ],
)
def test_amount_out_of_range(value):
    """More than 18 integer or 9 fraction digits are refused, never rounded."""
    assert coerce.amount(value) is Dropped.AMOUNT_OUT_OF_RANGE


@given(
    number=st.decimals(
        allow_nan=False,
        allow_infinity=False,
        min_value=-(10**18) + 1,
        max_value=10**18 - 1,
        places=9,
    )
    | st.integers(-(10**17), 10**17)
)
def test_an_amount_is_the_number_it_came_from(number):
    """An amount in range, as number or text, keeps its value, in plain digits."""
    for value in (number, str(number)):
        amount = coerce.amount(value)
        assert Decimal(amount) == number
        assert amount.lstrip("-").replace(".", "", 1).isdigit()


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        (3, 3),
        ("3", 3),
        (" 3 ", 3),
        (3.0, 3),
        (Decimal("3.0"), 3),
        ("3.0", 3),
        ("3.", 3),
        ("+3", 3),
        ("-3", -3),
        ("007", 7),
        ("1e3", 1000),
        (Decimal("1E+3"), 1000),
        (0, 0),
        (-0.0, 0),
        (Decimal("0E+999999"), 0),
        (2**63 - 1, 2**63 - 1),
        (str(2**63 - 1), 2**63 - 1),
        (3.5, Dropped.NOT_AN_INTEGER),
        ("3.5", Dropped.NOT_AN_INTEGER),
        (True, Dropped.NOT_AN_INTEGER),
        ("three", Dropped.NOT_AN_INTEGER),
        ("1,000", Dropped.NOT_AN_INTEGER),
        (float("nan"), Dropped.NOT_AN_INTEGER),
        (Decimal("sNaN"), Dropped.NOT_AN_INTEGER),
        (float("inf"), Dropped.NOT_AN_INTEGER),
        ([3], Dropped.NOT_AN_INTEGER),
        ({}, Dropped.NOT_AN_INTEGER),
        (Decimal("1E-999999"), Dropped.NOT_AN_INTEGER),
        (2**63, Dropped.OUT_OF_RANGE),
        (-(2**63), Dropped.OUT_OF_RANGE),
        (str(2**63), Dropped.OUT_OF_RANGE),
        (1e300, Dropped.OUT_OF_RANGE),
        (Decimal("1E+999999"), Dropped.OUT_OF_RANGE),
        ("1e999999999999999999999", Dropped.OUT_OF_RANGE),
    ],
)
def test_integer(value, integer):
    """Whole numbers are accepted in every type of number and as text.

    Fractions and booleans are refused, never rounded.
    """
    result = coerce.integer(value)
    assert (result, type(result)) == (integer, type(integer))


@pytest.mark.parametrize(
    ("value", "boolean"),
    [
        *(
            (value, True)
            for value in (
                True,
                1,
                1.0,
                Decimal("1.0"),
                "true",
                "TRUE",
                " True ",
                "t",
                "yes",
                "Y",
                "on",
                "1",
                "1.0",
                "true\u200b",
                "\uff11",
            )
        ),
        *(
            (value, False)
            for value in (
                *(False, 0, 0.0, Decimal(0), "false", "FALSE", "f", "No", "n", "OFF", "0"),
                *("0.0", "\ufefffalse", "0.00"),
            )
        ),
        *(
            (value, Dropped.NOT_A_BOOLEAN)
            for value in (
                2,
                -1,
                0.5,
                "maybe",
                "2",
                "0.5",
                "10",
                "null",
                float("nan"),
                Decimal("sNaN"),
                [True],
                {},
            )
        ),
    ],
)
def test_boolean(value, boolean):
    """True and false are accepted as booleans, as 1 and 0, and as the usual words.

    Anything else is refused.
    """
    assert coerce.boolean(value) is boolean


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        NOON * 10**3,
        NOON * 10**6,
        NOON * 10**9,
        NOON * 10**3 + 999,
        NOON * 10**9 + 999_999_999,
        float(NOON),
        NOON + 0.999,
        NOON * 1000.0 + 0.5,
        Decimal(NOON),
        Decimal(f"{NOON}.999999"),
        Decimal(f"{NOON}000.5"),
        Decimal(f"{NOON}E+3"),
        str(NOON),
        f" {NOON} ",
        f"{NOON}.75",
        f"{NOON}123",
        f"{NOON}123456",
        f"{NOON}123456789",
        f"{NOON}123.5",
        "2026-11-21T10:00:00Z",
        "2026-11-21T10:00:00+00:00",
        "2026-11-21T10:00:00.999999Z",
        "2026-11-21T10:00:00,5Z",
        "2026-11-21T10:00:00.123456789Z",
        "2026-11-21 10:00:00+00",
        "2026-11-21 10:00:00 UTC",
        "2026-11-21 10:00:00.5 utc",
        "2026-11-21 10:00:00 GMT",
        "2026-11-21 10:00:00.000 +0000",
        "2026-11-21T10:00Z",
        "2026-11-21T10Z",
        "2026-11-21t10:00:00z",
        "20261121T100000Z",
        "20261121T100000+0000",
        " 2026-11-21T10:00:00Z ",
        "2026-11-21T05:00:00-05:00",
        "2026-11-21 15:30:00 +0530",
        "2026-11-21T11:00:00",
        "2026-11-21 11:00:00.000",
        "2026-11-21  11:00",
        "20261121T110000",
        datetime(2026, 11, 21, 10, tzinfo=UTC),
        datetime(2026, 11, 21, 5, 0, 0, 999, tzinfo=timezone(timedelta(hours=-5))),
        datetime(2026, 11, 21, 11),  # noqa: DTZ001 - in the zone that is given
    ],
)
def test_unix_time(value):
    """One moment in every format that taps send: Unix times, ISO 8601, datetimes.

    Without an offset it is in the zone.
    """
    assert coerce.unix_time(value, BERLIN) == NOON


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-21",
        "20261121",
        20261121,
        20261121.0,
        Decimal(20261121),
        date(2026, 11, 21),
        " 2026-11-21 ",
    ],
    ids=repr,
)
def test_a_date_is_its_midnight(value):
    """Dates, also as eight digits, which are too few for a Unix time, are midnight in the zone."""
    assert coerce.unix_time(value, BERLIN) == datetime(2026, 11, 21, tzinfo=BERLIN).timestamp()
    assert coerce.unix_time(value, UTC) == datetime(2026, 11, 21, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "value", ["2026-11-20T24:00:00Z", "2026-11-20 24:00", "20261120T240000,0Z"]
)
def test_the_end_of_a_day_is_the_next_midnight(value):
    """Hour 24 is the end of its day on every Python version."""
    assert coerce.unix_time(value, UTC) == datetime(2026, 11, 21, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("first", "last", "per_second"),
    [
        (10**8, 10**10 - 1, 1),
        (10**12, 10**13 - 1, 10**3),
        (10**15, 10**16 - 1, 10**6),
        (10**18, 10**19 - 1, 10**9),
    ],
    ids=["seconds", "milliseconds", "microseconds", "nanoseconds"],
)
@pytest.mark.parametrize("as_type", [int, str, Decimal])
def test_units_are_told_apart_by_their_digits(first, last, per_second, as_type):
    """Nine and ten digits are seconds; 13, 16 and 19 are milli-, micro- and nanoseconds.

    One digit less or more is not a time.
    """
    assert coerce.unix_time(as_type(first), UTC) == first // per_second
    assert coerce.unix_time(as_type(last), UTC) == last // per_second
    assert coerce.unix_time(as_type(last + 1), UTC) is Dropped.NOT_A_TIME
    assert coerce.unix_time(as_type(first - 1), UTC) is Dropped.NOT_A_TIME


@pytest.mark.parametrize(
    "value",
    [
        0,
        1,
        -NOON,
        46_347,
        10_101,
        1_010_101,
        20_261_321,
        202_611_211_000,
        639_000_000_000_000_000,
        10**30,
        "0",
        "202611211000",
        "-1795255200",
        f"{NOON},5",
        True,
        float("nan"),
        float("inf"),
        1e300,
        Decimal("NaN"),
        Decimal("1E+999999"),
        "now",
        "2026-11-31",
        "2026-13-01T10:00:00Z",
        "2026-11-21T25:00:00Z",
        "2026-11-21T24:00:01Z",
        "2026-11-21T10:00:00+25:00",
        "2026-11-21110:00",
        "2026-11-21x10:00",
        "2026-11",
        "10:00:00",
        "2026-11-21T\ud80010:00",
        [NOON],
        {"seconds": NOON},
        {},
        b"x",
    ],
)
def test_unix_time_that_is_none(value):
    """Ambiguous numbers, impossible days and other types are refused."""
    assert coerce.unix_time(value, BERLIN) is Dropped.NOT_A_TIME


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00"),  # does not exist: an hour forward
        ("2026-03-29T03:00:00", "2026-03-29T01:00:00"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00"),  # comes twice: the first
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00"),
    ],
)
def test_clock_changes_are_deterministic(local, utc):
    """A skipped local time has the offset before the change, one that occurs twice is the first."""
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()
    assert (
        coerce.unix_time(local, BERLIN)
        == coerce.unix_time(datetime.fromisoformat(local), BERLIN)
        == expected
    )


@given(
    moment=st.datetimes(timezones=st.just(UTC) | st.just(BERLIN), allow_imaginary=False)
    | st.datetimes()
)
def test_every_moment_is_floored_to_its_second(moment):
    """A datetime and its ISO text are the second of the moment, in every zone."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = coerce.unix_time(moment, UTC)
    assert (
        timedelta()
        <= aware - (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
        < timedelta(seconds=1)
    )
    assert coerce.unix_time(moment.isoformat(), UTC) == seconds


@pytest.mark.parametrize(
    ("value", "array"),
    [
        (["a", None], ["a", None]),
        ("a", ["a"]),
        (5, [5]),
        (False, [False]),
        ({"a": 1}, [{"a": 1}]),
        ({}, [{}]),
        ('["a", "b"]', ["a", "b"]),
        (" [1.50, 12345678901234567890123] ", [Decimal("1.50"), 12345678901234567890123]),
        ('["\ud83d\ude00"]', ["😀"]),
        ("[]", None),
        (" [ ] ", None),
        ("[a]", Dropped.UNREADABLE_JSON),
        ("[1 , , 3]", Dropped.UNREADABLE_JSON),
        ("['a', None, \"b's\", 2]", ["a", None, "b's", 2]),
        ("[SKU-1]-2", ["[SKU-1]-2"]),
        ('["a"', ['["a"']),
        ("{a,b}", ["a", "b"]),
        (' {17,NULL,"a, \\"b\\"",""} ', ["17", None, 'a, "b"', ""]),
        ("{gid://shopify/Product/1,UHJvZHVjdDox==}", ["gid://shopify/Product/1", "UHJvZHVjdDox=="]),
        ("{}", None),
        ("{'a', 'b'}", ["a", "b"]),
        ("{O'Brien,b}", ["O'Brien", "b"]),
        ("('a', 'b')", ["a", "b"]),
        ("('a',)", ["a"]),
        ('("it\'s", "b")', ["it's", "b"]),
        ("{a, b}", Dropped.UNREADABLE_JSON),
        ("{{a,b},{c,d}}", Dropped.UNREADABLE_JSON),
        ("{id:1,name:x}", Dropped.UNREADABLE_JSON),
        ("{id=1}", Dropped.UNREADABLE_JSON),
        ('{"a": 1}', Dropped.UNREADABLE_JSON),
        ("{'a': 1}", Dropped.UNREADABLE_JSON),
        ("{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", ["{3F2504E0-4F89-11D3-9A0C-0305E82C3301}"]),
        ("{a}-b", ["{a}-b"]),
        ("(a)", ["(a)"]),
        ("(1, 2)", ["(1, 2)"]),
        ("('a')", ["('a')"]),
        ("('a', b)", ["('a', b)"]),
        ('"a"', ['"a"']),
        ("null", ["null"]),
        ("a,b", ["a,b"]),
    ],
)
def test_array(value, array):
    """Lists are kept, their text as JSON, Python or PostgreSQL is read, all else is one value.

    Numbers are exact. Unreadable text in brackets or braces is not a value.
    """
    assert coerce.array(value) == array


@pytest.mark.parametrize("form", ["{%sa}", "['%sa']"])
def test_list_of_a_hostile_length_is_not_read(form: str):
    """Checking what is not JSON would take hundreds of megabytes."""
    assert coerce.array(form % ("a," * 100_000)) is Dropped.UNREADABLE_JSON


def test_decimals_of_json_text_keep_their_digits():
    """Numbers inside JSON text are as exact as those around it."""
    (price,) = coerce.array("[19.990]")
    assert coerce.amount(price) == "19.990"


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([{"id": "1"}, {"id": "2"}], [{"id": "1"}, {"id": "2"}]),
        ({"id": "1"}, [{"id": "1"}]),
        ('[{"id": "1"}]', [{"id": "1"}]),
        (' {"id": "1"} ', [{"id": "1"}]),
        ('[{"item_price": 1.50}]', [{"item_price": Decimal("1.50")}]),
        (['{"id": "1"}', {"id": "2"}], [{"id": "1"}, {"id": "2"}]),
        ([None, "", {"id": "1"}], [{"id": "1"}]),
        ([None], None),
        ("[]", None),
        ("null", None),
        ([{"id": "1"}, 5], [{"id": "1"}, 5]),
        (["{x"], ["{x"]),
        ("[{", Dropped.UNREADABLE_JSON),
        ("sku-1", Dropped.UNREADABLE_JSON),
        ("5", Dropped.NOT_AN_ITEM),
        ('"a"', Dropped.NOT_AN_ITEM),
        (5, Dropped.NOT_AN_ITEM),
        (True, Dropped.NOT_AN_ITEM),
    ],
)
def test_items(value, items):
    """Items are objects, alone or in a list, as they are or as JSON text.

    The rest of a list is kept for the caller to refuse.
    """
    assert coerce.items(value) == items


@given(
    value=st.lists(
        st.dictionaries(st.text(), st.integers() | st.text() | st.none(), min_size=1), min_size=1
    )
)
def test_items_and_their_json_text_are_one(value):
    """A tap that sends nested objects as JSON text sends the same items."""
    assert coerce.items(json.dumps(value)) == coerce.items(value) == value

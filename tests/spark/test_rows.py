"""Arrow rows as records: the same values as in the Singer target, type by type."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as tried
from hypothesis import strategies as st

from target_pinterest_capi.singer.messages import decode_record

pa = pytest.importorskip("pyarrow")
types = pytest.importorskip("pyspark.sql.types")

from target_pinterest_capi.singer import arrow  # noqa: E402 - only where the extra is
from target_pinterest_capi.spark import rows  # noqa: E402 - as above

pytestmark = pytest.mark.spark

MOMENT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LOCAL = MOMENT.replace(tzinfo=None)


def record_of(kind: Any, *values: Any) -> list[Any]:
    """Return the values of a column of that type as records."""
    batch = pa.record_batch({"column": pa.array(values, kind)})
    return [record["column"] for chunk in arrow.records([batch]) for record in chunk]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (pa.bool_(), True, "true"),
        (pa.int8(), -1, "-1"),
        (pa.int64(), 2**62, str(2**62)),
        (pa.float64(), 19.99, "19.99"),
        (pa.float64(), 1e22, "1e+22"),
        (pa.float64(), 100.0, "100.0"),
        (pa.float32(), 19.99, "19.99"),
        (pa.decimal128(10, 2), Decimal("7.50"), "7.50"),
        (pa.decimal128(38, 18), Decimal("0.000000000000000001"), "1E-18"),
        (pa.string(), " Jane@Example.com", '" Jane@Example.com"'),
        (pa.large_string(), "ü", '"ü"'),
        (pa.timestamp("us", "America/New_York"), MOMENT, '"2026-11-21T10:00:00+00:00"'),
        (
            pa.timestamp("us", "UTC"),
            MOMENT + timedelta(microseconds=5),
            '"2026-11-21T10:00:00.000005+00:00"',
        ),
        (pa.timestamp("us"), LOCAL, '"2026-11-21T10:00:00"'),
        (pa.date32(), date(1988, 2, 29), '"1988-02-29"'),
        (pa.time64("us"), time(10, 30), '"10:30:00"'),
        (pa.binary(), b"\x00\xff", '"00ff"'),
        (pa.list_(pa.float64()), [1.5, None], "[1.5, null]"),
        (pa.list_(pa.list_(pa.int32())), [[1], [], None], "[[1], [], null]"),
        (pa.map_(pa.string(), pa.int32()), [("a", 1), ("b", None)], '{"a": 1, "b": null}'),
        (pa.map_(pa.int32(), pa.bool_()), [(1, True)], '{"1": true}'),
        (pa.map_(pa.bool_(), pa.int32()), [(True, 1)], '{"true": 1}'),
        (
            pa.struct([("id", pa.string()), ("price", pa.float32())]),
            {"id": "MUG-1", "price": 19.99},
            '{"id": "MUG-1", "price": 19.99}',
        ),
    ],
    ids=str,
)
def test_value_is_the_same_as_from_json(kind: Any, value: Any, text: str):
    """A column has the values that the target decodes from a tap's JSON, and null stays null."""
    expected = decode_record(f'{{"column": {text}}}'.encode())["column"]
    for first, second in (record_of(kind, value, None), reversed(record_of(kind, None, value))):
        assert (first, type(first)) == (expected, type(expected))
        assert second is None


def test_nan_and_infinity_stay_floats():
    """NaN and infinity stay floats, which every field treats as missing."""
    values = record_of(pa.float64(), float("nan"), float("inf"))
    assert [type(value) for value in values] == [float, float]


@pytest.mark.parametrize(
    ("kind", "number", "text"),
    [
        (pa.timestamp("us"), 400_000_000_000_000_000, "14645-06-30 15:06:40.000000"),
        (pa.timestamp("us", "UTC"), -70_000_000_000_000_000, "-0249-10-15 19:33:20.000000Z"),
        (pa.date32(), 4_000_000, "12921-08-18"),
    ],
    ids=str,
)
def test_year_beyond_python_does_not_crash(kind: Any, number: int, text: str):
    """A time that Python cannot represent becomes text, not a time; other rows are read."""
    assert record_of(kind, number, 0) == [text, record_of(kind, 0)[0]]


@tried(
    st.lists(
        st.tuples(
            st.lists(st.integers(-9, 9), max_size=3) | st.none(),
            st.text("ab", max_size=3) | st.none(),
        ),
        max_size=40,
    )
)
def test_rows_keep_their_values_in_any_slice(given: list[tuple[Any, Any]]):
    """No matter how a batch is sliced, each record has the values of its own row."""
    kind = pa.struct([("numbers", pa.list_(pa.int64())), ("name", pa.string())])
    expected = [{"numbers": numbers, "name": name} for numbers, name in given]
    batch = pa.record_batch(
        {"row": pa.array(expected, kind), "number": pa.array(range(len(given)), pa.int32())}
    )
    for cut in (0, len(given) // 3, len(given)):
        found = [
            record
            for chunk in arrow.records([batch.slice(0, cut), batch.slice(cut)])
            for record in chunk
        ]
        assert found == [{"row": row, "number": number} for number, row in enumerate(expected)]


def test_records_come_in_chunks():
    """At most as many rows as fit in a request become records at once."""
    batch = pa.record_batch({"number": pa.array(range(2 * arrow.CHUNK_ROWS + 1))})
    chunks = list(arrow.records([batch]))
    assert [len(chunk) for chunk in chunks] == [arrow.CHUNK_ROWS, arrow.CHUNK_ROWS, 1]
    assert [record["number"] for chunk in chunks for record in chunk] == list(range(batch.num_rows))


def test_every_plain_type_of_spark_is_read():
    """Each of Spark's types that the driver accepts has a reader in the tasks, also nested."""
    from pyspark.sql.pandas.types import to_arrow_type

    plain = [
        types.NullType(),
        types.BooleanType(),
        types.ByteType(),
        types.ShortType(),
        types.IntegerType(),
        types.LongType(),
        types.FloatType(),
        types.DoubleType(),
        types.DecimalType(38, 18),
        types.StringType(),
        types.TimestampType(),
        types.TimestampNTZType(),
        types.DateType(),
        types.BinaryType(),
    ]
    assert {kind.typeName().partition("(")[0] for kind in plain} | {
        "char",
        "varchar",
        "time",
    } == rows.PLAIN
    nested = types.StructType(
        [types.StructField(f"c{number}", kind) for number, kind in enumerate(plain)]
    )
    whole = [*plain, nested, types.ArrayType(nested), types.MapType(types.StringType(), nested)]
    schema = types.StructType(
        [types.StructField(f"c{number}", kind) for number, kind in enumerate(whole)]
    )
    assert list(rows.problems(schema)) == []
    for kind in whole:
        assert arrow.reader(to_arrow_type(kind, timezone="UTC"))(
            pa.array([None], to_arrow_type(kind, timezone="UTC"))
        ) == [None]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (types.DayTimeIntervalType(), "interval"),
        (types.YearMonthIntervalType(), "interval"),
        (types.VariantType(), "variant"),
        (types.ArrayType(types.VariantType()), "variant"),
        (types.MapType(types.BinaryType(), types.StringType()), "binary keys"),
        (types.StructType([types.StructField("inner", types.VariantType())]), "variant"),
    ],
    ids=str,
)
def test_type_without_a_form_is_named_on_the_driver(kind: Any, word: str):
    """A type that a record cannot contain is a problem that names its column, before sending."""
    schema = types.StructType(
        [types.StructField("id", types.LongType()), types.StructField("odd", kind)]
    )
    [problem] = rows.problems(schema)
    assert problem.path == "column odd"
    assert word in problem.message


def test_name_given_twice_is_a_problem():
    """Two columns of one name cannot both be in a record."""
    schema = types.StructType(
        [types.StructField("id", types.LongType()), types.StructField("id", types.StringType())]
    )
    assert [problem.path for problem in rows.problems(schema)] == ["column id"]


def test_documentation_lists_every_type():
    """The guide's table has a row for each type that a record can contain."""
    guide = (Path(__file__).parents[2] / "docs" / "spark.md").read_text()
    listed = set(
        re.findall(
            r"`(\w+)`",
            guide.partition("| Spark's type |")[2]
            .partition("\n\n")[0]
            .replace(" | ", "\n")
            .lower(),
        )
    )
    assert listed >= rows.PLAIN | {"array", "struct", "map"}


def test_record_is_json():
    """A record can be written as JSON, except decimals, which the target reads too."""
    batch = pa.record_batch(
        {
            "at": pa.array([MOMENT], pa.timestamp("us", "UTC")),
            "raw": pa.array([b"a"]),
            "n": pa.array([1]),
        }
    )
    [[record]] = arrow.records([batch])
    assert json.loads(json.dumps(record)) == record

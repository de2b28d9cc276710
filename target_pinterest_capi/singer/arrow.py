"""Arrow columns to records: the plain data that the Singer target gets for the same row as JSON.

Owns what each of Arrow's types becomes, for Spark's rows and for parquet and arrow files of a
BATCH. A record has only what JSON can have (text, whole numbers, exact decimals, booleans, null,
lists, objects), so all later code is the same for every entry point. Columns are converted as a
whole and then combined to records, so that exact amounts and times cost no more than Arrow's own
rows. Never shows a value.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import isfinite
from typing import IO, Any, Final

import pyarrow as pa

from target_pinterest_capi.events.coerce import EPOCH, LOCAL_EPOCH

Values = list[Any]
Read = Callable[[Any], Values]

CHUNK_ROWS: Final = 1000  # plain records at once: enough to fill a request
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_FILE_MAGIC: Final = b"ARROW1"  # of Arrow's file format; a stream begins differently


def parquet_records(file: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of a parquet file, at most `CHUNK_ROWS` at once.

    Raises `ArrowError` for any other file, and `TypeError` for an unsupported column.
    """
    import pyarrow.parquet  # noqa: PLC0415 - 40 ms, and Spark needs none of it

    opened = pyarrow.parquet.ParquetFile(pa.PythonFile(file, "r"))
    yield from records(opened.iter_batches(batch_size=CHUNK_ROWS))


def arrow_records(file: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of an Arrow file, or of an Arrow stream in a file, in the same way."""
    is_file = file.read(len(_FILE_MAGIC)) == _FILE_MAGIC
    file.seek(0)
    source = pa.PythonFile(file, "r")
    if not is_file:
        yield from records(pa.ipc.open_stream(source))
        return
    opened = pa.ipc.open_file(source)
    yield from records(map(opened.get_batch, range(opened.num_record_batches)))


def records(batches: Iterable[Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of Arrow batches, at most `CHUNK_ROWS` at once."""
    schema = None
    names: list[str] = []
    readers: list[Read] = []
    for batch in batches:
        if schema is None or batch.schema != schema:
            schema = batch.schema
            names = [field.name for field in schema]
            readers = [reader(field.type) for field in schema]
        for first in range(0, batch.num_rows, CHUNK_ROWS):
            chunk = batch.slice(first, CHUNK_ROWS)
            columns = _read_columns(readers, chunk.columns)
            if not columns:
                yield [{} for _ in range(chunk.num_rows)]
                continue
            rows = zip(*columns, strict=True)
            yield [dict(zip(names, row, strict=True)) for row in rows]


def _read_columns(readers: Iterable[Read], columns: Iterable[Any]) -> list[Values]:
    pairs = zip(readers, columns, strict=True)
    return [read(column) for read, column in pairs]


def reader(kind: Any) -> Read:
    """Return the function that reads a column of an Arrow type.

    Raises `TypeError` for an unsupported type.
    """
    for is_such, make in _READERS:
        if is_such(kind):
            return make(kind)
    raise TypeError(f"a column of Arrow type {kind} is not supported")


def _as_it_is(_: Any) -> Read:
    return lambda column: column.to_pylist()


def _dictionary(kind: Any) -> Read:
    read = reader(kind.value_type)
    return lambda column: read(column.dictionary_decode())


def _storage(kind: Any) -> Read:
    """Read the storage values of an extension type, such as UUID."""
    read = reader(kind.storage_type)
    return lambda column: read(column.storage)


def _cast(kind: Any) -> Callable[[Any], Read]:
    def make(_: Any) -> Read:
        read = reader(kind)
        return lambda column: read(column.cast(kind))

    return make


def _members_as_list(kind: Any) -> Read:
    return _cast(pa.list_(kind.value_type))(kind)


# Numbers


def _double(_: Any) -> Read:
    return lambda column: [_exact(value) for value in column.to_pylist()]


def _float(_: Any) -> Read:
    """Read single precision as it is written: the nearest double of 19.99 is 19.989999771118164."""
    return lambda column: [
        None if text is None else _exact(float(text))
        for text in column.cast(pa.string()).to_pylist()
    ]


def _exact(number: float | None) -> Any:
    """Return the number as a tap's JSON shows it; NaN and infinity stay what they are."""
    if number is None or not isfinite(number):
        return number
    return Decimal(repr(number))


# Times, in ISO 8601 as the SDK's taps write them


def _timestamp(kind: Any) -> Read:
    epoch = LOCAL_EPOCH if kind.tz is None else EPOCH
    zone = None if kind.tz is None else "UTC"
    in_micros = pa.timestamp("us", tz=zone)

    def read(column: Any) -> Values:
        column = column.cast(in_micros, safe=False)  # which drops nanoseconds
        moments = column.cast(pa.int64()).to_pylist()
        return [
            None if micros is None else _moment(epoch, micros, column, position)
            for position, micros in enumerate(moments)
        ]

    return read


def _moment(epoch: datetime, micros: int, column: Any, position: int) -> str:
    try:
        return (epoch + timedelta(microseconds=micros)).isoformat()
    except OverflowError:  # years that Spark supports and Python does not
        return str(column[position].cast(pa.string()))


def _date(_: Any) -> Read:
    def read(column: Any) -> Values:
        days = column.cast(pa.int32()).to_pylist()
        return [
            None if day is None else _day(day, column, position)
            for position, day in enumerate(days)
        ]

    return read


def _day(day: int, column: Any, position: int) -> str:
    try:
        return date.fromordinal(_FIRST_DAY + day).isoformat()
    except (OverflowError, ValueError):
        return str(column[position].cast(pa.string()))


def _time(_: Any) -> Read:
    return lambda column: [
        None if value is None else value.isoformat() for value in column.to_pylist()
    ]


def _binary(_: Any) -> Read:
    """Read bytes as hexadecimal text, the form of a digest."""
    return lambda column: [None if value is None else value.hex() for value in column.to_pylist()]


# Nested types


def _list(kind: Any) -> Read:
    read_member = reader(kind.value_type)

    def read(column: Any) -> Values:
        if not len(column):
            return []  # its offsets may be missing
        offsets = column.offsets.to_pylist()
        members = read_member(_within(column.values, offsets))
        return _parts(column, offsets, members)

    return read


def _map(kind: Any) -> Read:
    read_key = reader(kind.key_type)
    read_member = reader(kind.item_type)

    def read(column: Any) -> Values:
        if not len(column):
            return []  # its offsets may be missing
        offsets = column.offsets.to_pylist()
        keys = read_key(_within(column.keys, offsets))
        names = [_name(key) for key in keys]
        values = read_member(_within(column.items, offsets))
        members = list(zip(names, values, strict=True))
        entries = _parts(column, offsets, members)
        return [None if entry is None else dict(entry) for entry in entries]

    return read


def _name(key: Any) -> str:
    """Return a map's key as the name of an object's member."""
    if isinstance(key, bool):
        return str(key).lower()
    return str(key)


def _within(values: Any, offsets: list[int]) -> Any:
    """Return the members of the rows with these offsets.

    A slice of a column has the members of the whole column.
    """
    return values.slice(offsets[0], offsets[-1] - offsets[0])


def _parts(column: Any, offsets: list[int], members: Values) -> Values:
    """Split the members of all rows into one list per row."""
    before = offsets[0]
    valid = column.is_valid().to_pylist()
    spans = zip(pairwise(offsets), valid, strict=True)
    return [
        members[first - before : beyond - before] if is_valid else None
        for (first, beyond), is_valid in spans
    ]


def _struct(kind: Any) -> Read:
    names = [field.name for field in kind]
    readers = [reader(field.type) for field in kind]

    def read(column: Any) -> Values:
        valid = column.is_valid().to_pylist()
        if not names:
            return [{} if is_valid else None for is_valid in valid]
        members = zip(*_read_columns(readers, column.flatten()), strict=True)
        rows = zip(valid, members, strict=True)
        return [
            dict(zip(names, values, strict=True)) if is_valid else None for is_valid, values in rows
        ]

    return read


_READERS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], Read]], ...]] = (
    (pa.types.is_null, _as_it_is),
    (pa.types.is_boolean, _as_it_is),
    (pa.types.is_integer, _as_it_is),
    (pa.types.is_decimal, _as_it_is),
    (pa.types.is_string, _as_it_is),
    (pa.types.is_large_string, _as_it_is),
    (pa.types.is_float64, _double),
    (pa.types.is_floating, _float),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_date32, _date),
    (pa.types.is_date64, _cast(pa.date32())),
    (pa.types.is_time, _time),
    (pa.types.is_binary, _binary),
    (pa.types.is_large_binary, _binary),
    (pa.types.is_fixed_size_binary, _binary),
    (pa.types.is_dictionary, _dictionary),
    (lambda kind: isinstance(kind, pa.BaseExtensionType), _storage),
    (pa.types.is_map, _map),
    (pa.types.is_list, _list),
    (pa.types.is_large_list, _list),
    (pa.types.is_fixed_size_list, _members_as_list),
    (pa.types.is_struct, _struct),
)

READERS: Final[dict[str, Callable[[IO[bytes]], Iterator[list[dict[str, Any]]]]]] = {
    "parquet": parquet_records,
    "arrow": arrow_records,
}
ArrowError: Final = pa.ArrowException

"""How delivery from Spark scales with the number of partitions on this machine.

The records are those of the other benchmarks, as Parquet. Owns a session with four tasks at once,
on any number of cores, because waiting for Pinterest needs none. Needs the extra `spark` and Java.
A write counts only if the server received every event.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import SparkSession

from benchmarks.cases import LATENCY_MS, config
from benchmarks.children import ChildError
from benchmarks.records import STREAM
from benchmarks.results import table
from benchmarks.server import Server
from target_pinterest_capi.singer.messages import decode
from target_pinterest_capi.spark import register

TASKS: Final = 4
FILES: Final = 4


class Case(NamedTuple):
    """One row: the partitions, the server's latency, and whether there is a ledger."""

    about: str
    partitions: int
    latency_ms: int = 0
    ledger: bool = False
    format: str = "pinterest_capi"


CASES: Final = (
    Case("reading alone", 1, format="noop"),
    Case("delivery", 1),
    Case("delivery", 2),
    Case("delivery", 4),
    Case("with a ledger", 1, ledger=True),
    Case("with a ledger", 2, ledger=True),
    Case(f"at {LATENCY_MS} ms per request", 1, LATENCY_MS),
    Case(f"at {LATENCY_MS} ms per request", 2, LATENCY_MS),
    Case(f"at {LATENCY_MS} ms per request", 4, LATENCY_MS),
)


def spark_table(lines: Path, folder: Path, rounds: int) -> str:
    """Measure every case on the records of a file of Singer messages, in turns.

    Returns the table.
    """
    source = str(folder / "records.parquet")
    count = _write_parquet(lines, Path(source))
    seconds: dict[Case, list[float]] = {case: [] for case in CASES}
    with _session(folder) as session, Server() as fast, Server(LATENCY_MS) as slow:
        _write(
            session, source, Case("first", TASKS), fast, folder, count
        )  # starts the processes that the other cases reuse
        for _ in range(rounds):
            for case in CASES:
                seconds[case].append(
                    _write(session, source, case, slow if case.latency_ms else fast, folder, count)
                )
    return table(("case", "partitions", "records/s", "of one partition's"), _rows(seconds, count))


def _rows(seconds: dict[Case, list[float]], count: int) -> Sequence[tuple[str, ...]]:
    rates = {case: count / median(taken) for case, taken in seconds.items()}
    ones = {case.about: rate for case, rate in rates.items() if case.partitions == 1}
    return [
        (case.about, str(case.partitions), f"{rate:,.0f}", f"{rate / ones[case.about]:.2f}")
        for case, rate in rates.items()
    ]


def _write(
    session: Any, source: str, case: Case, server: Server, folder: Path, count: int
) -> float:
    """Write the records once; return the seconds from the call to its end."""
    frame = session.read.parquet(source).coalesce(case.partitions)
    path = folder / "config.json"
    ledger = folder / f"ledger-{time.monotonic_ns()}.db"
    path.write_bytes(
        msgspec.json.encode(
            config(server.url, folder, {"ledger_url": f"sqlite:///{ledger}"} if case.ledger else {})
        )
    )
    given = (
        {"config": str(path), "stream": STREAM, "key_properties": "event_id"}
        if case.format != "noop"
        else {}
    )
    server.take()
    began = time.monotonic()
    frame.write.format(case.format).options(**given).mode("append").save()
    took = time.monotonic() - began
    received = server.take().events
    if given and received != count:
        raise ChildError(f"{case.about}: the server received {received} of {count} events")
    return took


@contextmanager
def _session(folder: Path) -> Iterator[Any]:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")])
    )
    made = (
        SparkSession.builder.master(f"local[{TASKS}]")
        .config("spark.ui.enabled", "false")
        .config("spark.local.dir", str(folder))
    )
    made = made.config("spark.driver.host", "127.0.0.1").config(
        "spark.driver.bindAddress", "127.0.0.1"
    )
    made = made.config("spark.sql.files.minPartitionNum", str(FILES)).config(
        "spark.ui.showConsoleProgress", "false"
    )
    session = made.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    register(session)
    yield session
    session.stop()


def _write_parquet(lines: Path, folder: Path) -> int:
    """Write the records as in a table: times as timestamps, amounts as decimals.

    Returns their number.
    """
    folder.mkdir()
    with lines.open("rb") as file:
        rows = [
            _typed(message.record) for message in map(decode, file) if message.record is not None
        ]
    share = -(-len(rows) // FILES)
    for number in range(FILES):
        parquet.write_table(
            pa.Table.from_pylist(rows[number * share : (number + 1) * share]),
            folder / f"{number}.parquet",
        )
    return len(rows)


def _typed(record: dict[str, Any]) -> dict[str, Any]:
    times = {name: datetime.fromisoformat(record[name]) for name in ("event_time", "updated_at")}
    return {**{name: value for name, value in record.items() if name != "hashed_maids"}, **times}

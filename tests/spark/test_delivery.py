"""A DataFrame through the format, in Spark's local mode: every row once, however a task ends."""

import json
import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from given import ACCOUNT, TOKEN, Clock, schema
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.spark

MILLION = 1_000_000
PATIENCE_SECONDS = 120
VISITS = [{
    "stream": "visits",
    "fields": {"event_id": "event_id", "event_time": "event_time", "user_data.em": "em"},
    "defaults": {"event_name": "page_visit", "action_source": "web"},
}]  # fmt: skip


def visits(session: Any, count: int, partitions: int) -> Any:
    """Return a DataFrame of deliverable visits."""
    return session.range(0, count, 1, partitions).selectExpr(
        "concat('visit-', id) AS event_id",
        "current_timestamp() AS event_time",
        "concat('shopper', id, '@example.com') AS em",
    )


def write(frame: Any, config: str, stream: str = "visits", **options: str) -> None:
    given = {"config": config, "stream": stream, "key_properties": "event_id", **options}
    frame.write.format("pinterest_capi").options(**given).mode("append").save()


def once(sandbox: Sandbox, *numbers: int) -> bool:
    """Return whether exactly these visits were processed, each once."""
    return sandbox.store.event_ids() == {f"visit-{number}": 1 for number in numbers}


def wait_until(holds: Callable[[], bool]) -> None:
    """Check repeatedly until a condition is true that other processes cause."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        select.select([], [], [], 0.05)


def running_tasks(session: Any) -> int:
    """Return how many tasks are running, even if their job has ended."""
    return sum(
        executor.numRunningTasks()
        for executor in session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
    )


def test_a_million_rows_of_parquet(
    session: Any, configure: Callable[..., str], report: Callable[[], Any], tmp_path: Path
):
    """A million rows of Parquet in several partitions all arrive, once, and are all counted."""
    path = str(tmp_path / "visits.parquet")
    visits(session, MILLION, 4).write.parquet(path)
    with Sandbox(SandboxConfig(keep_events=0)) as sandbox:  # it counts events, and stores none
        frame = session.read.parquet(path)
        assert frame.rdd.getNumPartitions() >= 4
        write(frame, configure(api_url=sandbox.url, mappings=VISITS))
        counters = sandbox.store.counters()
    assert counters["events_processed"] == MILLION
    assert counters["status_200"] == counters["requests"] == report()["requests"]["sent"]
    made = report()
    assert (made["run"]["exit_code"], made["run"]["records"], made["totals"]["delivered"]) == (
        0,
        MILLION,
        MILLION,
    )
    assert made["delivered"]["by_event_name"][0]["components"]["hashed_email"]["events"] == MILLION


def test_same_rows_give_the_same_bytes_as_through_the_target(
    session: Any,
    start: Callable[..., Sandbox],
    clock: Clock,
    configure: Callable[..., str],
    run_target: Callable[..., Any],
    tmp_path: Path,
):
    """Rows of every type that Singer supports result in the same events as with the target."""
    frame = session.sql("""
        SELECT concat('order-', id) AS id,
            timestamp '2026-11-20 10:00:00.5 Europe/Paris'
                + make_interval(0, 0, 0, 0, 0, cast(id AS int)) AS paid_at,
            timestamp_ntz '2026-11-20 10:00:00' AS local_at,
            date '1988-02-29' AS born,
            id % 2 = 0 AS opted_out,
            cast(19.9 AS double) AS price,
            cast(19.99 AS float) AS single,
            cast(39.9 AS decimal(12, 2)) AS total,
            cast(id AS tinyint) AS tiny,
            id AS big,
            cast('NaN' AS double) AS missing,
            cast(null AS string) AS nothing,
            concat(' Jane', id, '@Example.com') AS email,
            array('+1 212 555 0100', null) AS phones,
            named_struct('city', 'São Paulo', 'zip', cast(10001 AS int)) AS address,
            map('epik', concat('click', id)) AS query,
            array(
                named_struct('sku', 'MUG-1', 'price', cast(19.99 AS double), 'quantity', 2)
            ) AS lines,
            unhex('00ff') AS raw
        FROM range(0, 50, 1, 3)
    """)
    fields = {
        "event_time": "paid_at",
        "opt_out": "opted_out",
        "user_data.em": "email",
        "user_data.ph": "phones",
        "user_data.ct": "address.city",
        "user_data.zp": "address.zip",
        "user_data.db": "born",
        "user_data.external_id": ["local_at", "big", "raw", "missing"],
        "user_data.click_id": "query.epik",
        "custom_data.value": "total",
        "custom_data.currency": "upper('usd')",
        "custom_data.order_id": "to_string(single)",
        "custom_data.predicted_ltv": "sum([price, single, total, tiny])",
        "custom_data.content_name": "concat(paid_at, ' ', price, ' ', born)",
        "custom_data.contents": "lines[].{id: sku, item_price: price, quantity: quantity}",
    }
    constants = {"event_name": "checkout", "action_source": "web"}
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()  # the rows are of this day
    sandbox = start(keep_events=100_000, record_bodies=tmp_path / "bodies.jsonl")
    given = {
        "api_url": sandbox.url,
        "mappings": [{"stream": "orders", "fields": fields, "defaults": constants}],
        "max_event_age_days": None,
    }
    for keys in ("", "id"):  # the id is derived from the whole row, then from its key
        write(frame, configure(**given), stream="orders", key_properties=keys)
    through_spark = _events(tmp_path / "bodies.jsonl")
    columns = frame.columns
    records = [
        _message({name: _of_a_tap(value) for name, value in row.asDict(recursive=True).items()})
        for row in _instants(frame)
    ]
    for keys in ((), ("id",)):
        run_target([schema("orders", *columns, key_properties=keys), *records], **given)
    through_target = _events(tmp_path / "bodies.jsonl")[len(through_spark) :]
    assert len(through_spark) == len(records) * 2
    assert sorted(through_spark) == sorted(through_target)


def _events(path: Path) -> list[bytes]:
    """Return every event of a file of bodies, as its bytes."""
    bodies = [
        msgspec.json.decode(line, type=dict[str, list[msgspec.Raw]])
        for line in path.read_bytes().splitlines()
    ]
    return [bytes(event) for body in bodies for event in body["data"]]


def _instants(frame: Any) -> list[Any]:
    """Collect the rows; times are text with an offset, which Python's own rows would lose."""
    utc = "to_utc_timestamp(paid_at, current_timezone())"
    text = f"date_format({utc}, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\") || '+00:00'"
    return (
        frame.selectExpr("*", f"{text} AS utc")
        .drop("paid_at")
        .withColumnRenamed("utc", "paid_at")
        .select(*frame.columns)
        .collect()
    )


def _of_a_tap(value: Any) -> Any:
    """Return a value as a Python tap writes it in JSON."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _Number(str(value))
    if (
        isinstance(value, float) and value == 19.989999771118164
    ):  # how Python shows the single 19.99
        return 19.99
    return value


class _Number(str):
    """A number with its exact digits: JSON has no decimals, and a float would lose digits."""

    __slots__ = ()


def _message(record: dict[str, Any]) -> bytes:
    text = json.dumps({"type": "RECORD", "stream": "orders", "record": record}, default=str)
    for value in record.values():
        if isinstance(value, _Number):
            text = text.replace(f'"{value}"', value)
    return text.encode()


def test_next_attempt_continues_a_killed_task(
    session: Any,
    sandbox: Sandbox,
    configure: Callable[..., str],
    report: Callable[[], Any],
    tmp_path: Path,
):
    """After kill -9 in the middle of a task Spark runs it again: no event is lost or repeated."""
    sandbox.faults.set(
        [Fault("latency", requests=(3,), seconds=600)]
    )  # that request is never processed
    config = configure(
        mappings=VISITS,
        ledger_url=f"sqlite:///{tmp_path}/ledger.db",
        batch_size_rows=500,
        max_in_flight=1,
        request_timeout_seconds=600,
    )
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(_kill_the_one_that_waits, sandbox)
        write(visits(session, 8000, 4), config)
        before = killed.result(0)
    assert once(sandbox, *range(8000))
    made = report()
    assert made["totals"]["delivered"] + made["totals"]["skipped"] == 8000
    assert made["totals"]["skipped"] == before - 6000  # of the killed attempt
    assert {row["reason"] for row in made["reasons"]} <= {"in_ledger"}


def _clients(port: int) -> set[int]:
    """Return the other processes with a connection to a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {
        f"socket:[{row[9]}]" for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "01"
    }
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            held = {str(file.readlink()) for file in (folder / "fd").iterdir()}
        except OSError:  # it has ended, or belongs to another user
            continue
        if held & sockets:
            found.add(int(folder.name))
    return found - {os.getpid()}


def _kill_the_one_that_waits(sandbox: Sandbox) -> int:
    """Kill the task whose request hangs when all others have ended.

    Return how many events were processed before that.
    """
    wait_until(
        lambda: (
            sandbox.store.counters().get("events_processed", 0) >= 6000
            and len(_clients(sandbox.port)) == 1
        )
    )
    before = sandbox.store.counters()["events_processed"]
    [worker] = _clients(sandbox.port)
    os.kill(worker, signal.SIGKILL)
    return before


def test_run_that_was_aborted_is_repeated_without_repeats(
    session: Any,
    sandbox: Sandbox,
    configure: Callable[..., str],
    report: Callable[[], Any],
    tmp_path: Path,
):
    """If Pinterest is down, attempts end; the report has what arrived, a repeat sends the rest."""
    sandbox.faults.set([Fault("status", status=503, skip=5)])
    config = configure(
        mappings=VISITS,
        ledger_url=f"sqlite:///{tmp_path}/ledger.db",
        batch_size_rows=200,
        max_retry_seconds=0.2,
    )
    with pytest.raises(Exception, match=r"partition \d, attempt \d+: .*(?s:.*)Until then"):
        write(visits(session, 3000, 3), config)
    made = report()
    assert made["run"]["exit_code"] == 1
    assert re.match(r"[23] of 3 partitions did not finish", made["run"]["stopped"])
    assert sandbox.store.counters()["events_processed"] == 1000
    wait_until(
        lambda: running_tasks(session) == 0
    )  # the other partitions' attempts end after the error
    sandbox.faults.clear()
    write(visits(session, 3000, 3), config)
    assert once(sandbox, *range(3000))
    totals = report()["totals"]
    assert report()["run"]["exit_code"] == 0
    assert (totals["delivered"], totals["skipped"]) == (2000, 1000)


def test_aborted_run_reports_what_a_finished_partition_delivered(
    session: Any, sandbox: Sandbox, configure: Callable[..., str], report: Callable[[], Any]
):
    """Spark ends the run if a partition cannot be read; the report has what was delivered."""
    frame = visits(session, 3000, 3)  # two at once: when the third one fails, another has ended
    broken = frame.selectExpr(
        "*", "if(event_id = 'visit-2999', raise_error('no such row'), 1) AS number"
    )
    with pytest.raises(Exception, match="no such row"):
        write(broken, configure(mappings=VISITS, batch_size_rows=100))
    made = report()
    assert made["run"]["exit_code"] == 1
    assert re.match(r"[12] of 3 partitions did not finish", made["run"]["stopped"])
    assert made["totals"]["delivered"] in {1000, 2000}
    assert (
        f"{made['totals']['delivered']} events of the finished partitions" in made["run"]["stopped"]
    )


def test_refused_events_are_dead_letters_of_their_attempt(
    session: Any,
    sandbox: Sandbox,
    configure: Callable[..., str],
    report: Callable[[], Any],
    letters: Callable[[], Any],
    tmp_path: Path,
):
    """Each attempt has its own file, named after the report's job id; none fails a task."""
    sandbox.faults.set([Fault("fail_event", event_id=f"visit-{number}") for number in (1, 999)])
    write(visits(session, 1000, 2), configure(mappings=VISITS))
    made = report()
    assert (made["totals"]["delivered"], made["totals"]["rejected"], made["run"]["exit_code"]) == (
        998,
        2,
        0,
    )
    assert sorted(letter["event"]["event_id"] for letter in letters()) == ["visit-1", "visit-999"]
    names = sorted(path.name for path in (tmp_path / "letters").iterdir())
    assert [re.sub(r"-\d+\.jsonl$", "", name) for name in names] == [
        f"rejected-{made['run']['id']}-{part}" for part in (0, 1)
    ]


def test_small_partition_of_bad_rows_fails_no_run(
    session: Any, configure: Callable[..., str], report: Callable[[], Any]
):
    """The failure rate is calculated for the whole run, not for a partition with one bad row."""
    parts = session.range(0, 2, 1, 2).selectExpr(
        "explode(if(id = 0, sequence(1, 100), array(101))) AS id"
    )
    columns = (
        "id AS event_id",
        "current_timestamp() AS event_time",
        "if(id = 101, 'none', concat(id, '@example.com')) AS em",
    )
    write(parts.selectExpr(*columns), configure(mappings=VISITS))
    assert (report()["totals"]["delivered"], report()["totals"]["invalid"]) == (100, 1)


def test_too_much_refused_fails_the_run_and_repeats_no_task(
    session: Any, sandbox: Sandbox, configure: Callable[..., str], report: Callable[[], Any]
):
    """Over the limit the write fails with exit code 3 in its report, after one attempt per task."""
    frame = visits(session, 40_000, 2).selectExpr(
        "event_id", "event_time", "if(event_id LIKE '%7', 'none', em) AS em"
    )
    with pytest.raises(Exception, match="max_rejected_ratio"):
        write(frame, configure(mappings=VISITS, max_rejected_ratio=0.05))
    made = report()
    assert made["run"]["exit_code"] == 3
    assert made["run"]["records"] < 40_000  # the rest was not read
    assert all(count == 1 for count in sandbox.store.event_ids().values())


def test_first_invalid_row_stops_the_run_if_configured(
    session: Any, configure: Callable[..., str], report: Callable[[], Any]
):
    """`on_invalid: fail` ends a task at its first bad row, and the run, without another attempt."""
    frame = visits(session, 5000, 1).selectExpr(
        "event_id", "event_time", "if(event_id = 'visit-300', 'none', em) AS em"
    )
    with pytest.raises(Exception, match="on_invalid is fail"):
        write(frame, configure(mappings=VISITS, on_invalid="fail"))
    assert (report()["run"]["exit_code"], report()["totals"]["delivered"]) == (3, 300)


def test_dry_run_counts_and_sends_nothing(
    session: Any, sandbox: Sandbox, configure: Callable[..., str], report: Callable[[], Any]
):
    """In mode dry_run the report says what would be sent."""
    write(visits(session, 100, 2), configure(mappings=VISITS), mode="dry_run")
    assert report()["delivered"]["events"] == 100
    assert report()["totals"]["skipped"] == 100
    assert sandbox.store.counters() == {}


def test_column_missing_in_the_dataframe_is_in_the_report(
    session: Any, configure: Callable[..., str], report: Callable[[], Any]
):
    """A misspelt column loses no event; the report names it and the most similar column."""
    (entry,) = VISITS
    fields = {**entry["fields"], "custom_data.order_id": "event_idd"}
    write(visits(session, 10, 2), configure(mappings=[{**entry, "fields": fields}]))
    (row,) = report()["not_found"]
    assert row["message"].startswith("Column 'event_idd' is not in stream")
    assert row["message"].endswith("did you mean 'event_id'?")
    assert report()["totals"]["delivered"] == 10


def test_wrong_configuration_is_reported_before_a_task_starts(
    session: Any, sandbox: Sandbox, configure: Callable[..., str]
):
    """The driver raises an error with every problem and no value, before any task has run."""
    tracker = session.sparkContext.statusTracker()
    before = tracker.getJobIdsForGroup()
    with pytest.raises(Exception, match="did you mean batch_size_rows") as caught:
        write(
            visits(session, 10, 1),
            configure(mappings=VISITS),
            batch_size_row="1",
            conversion_token="pasted-by-mistake",
        )
    assert "conversion_token: is a secret" in str(caught.value)
    assert "pasted-by-mistake" not in str(caught.value)
    assert tracker.getJobIdsForGroup() == before
    assert sandbox.store.counters() == {}


def test_error_in_the_rows_is_reported_in_sparks_words(session: Any, configure: Callable[..., str]):
    """An exception from the computation of rows is in the error unchanged, without the row."""
    frame = visits(session, 10, 1).selectExpr(
        "*", "assert_true(event_id <> 'visit-5', 'made-up') IS NULL AS is_sound"
    )
    with pytest.raises(Exception, match="made-up") as caught:
        write(frame, configure(mappings=VISITS))
    assert "shopper5@example.com" not in str(caught.value)


def test_speculation_is_refused_by_the_tasks_too(
    session: Any, sandbox: Sandbox, configure: Callable[..., str]
):
    """If the driver could not check the session, each task checks before it sends."""
    session.sparkContext.setLocalProperty("spark.speculation", "true")
    try:
        with pytest.raises(Exception, match=r"is required with spark\.speculation"):
            write(visits(session, 10, 1), configure(mappings=VISITS))
    finally:
        session.sparkContext.setLocalProperty("spark.speculation", None)
    assert sandbox.store.counters() == {}


SPECULATING = """
import sys
from pyspark.sql import SparkSession
from target_pinterest_capi.spark import register

made = SparkSession.builder.master("local[1]")
made = made.config("spark.speculation", "true").config("spark.ui.enabled", "false")
made = made.config("spark.driver.host", "127.0.0.1")
session = made.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
session.sparkContext.setLogLevel("OFF")
register(session)
given = {"config": sys.argv[1], "stream": "visits"}
try:
    write = session.range(1).selectExpr("'a' AS em").write.format("pinterest_capi")
    write.options(**given).mode("append").save()
except Exception as error:
    print(error)
session.stop()
"""


def test_speculation_without_a_ledger_is_refused(
    spark_environment: dict[str, str], sandbox: Sandbox, configure: Callable[..., str]
):
    """A session with speculation cannot write without a ledger: the driver reports it."""
    command = [sys.executable, "-c", SPECULATING, configure()]
    done = subprocess.run(
        command,
        env=spark_environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert "ledger_url: is required with spark.speculation" in done.stdout
    assert "PYTHON_DATA_SOURCE_ERROR" in done.stdout
    assert sandbox.store.counters() == {}


def test_token_from_the_executors_environment(
    session: Any, sandbox: Sandbox, configure: Callable[..., str], report: Callable[[], Any]
):
    """A task without the variable that it should read reports it, and sends nothing."""
    with pytest.raises(Exception, match="variable NO_SUCH_TOKEN, which is not set here"):
        write(
            visits(session, 10, 1), configure(mappings=VISITS), conversion_token_env="NO_SUCH_TOKEN"
        )
    assert sandbox.store.counters() == {}


def test_account_column_selects_accounts(session: Any, configure: Callable[..., str]):
    """With hundreds of accounts in one DataFrame, a column has the account of each row."""
    entry = {**VISITS[0], "ad_account_id": "account"}
    with Sandbox(SandboxConfig(tokens={TOKEN: (ACCOUNT, "549755885176")})) as sandbox:
        frame = visits(session, 100, 2).selectExpr(
            "*", f"if(event_id < 'visit-5', '{ACCOUNT}', '549755885176') AS account"
        )
        write(frame, configure(api_url=sandbox.url, mappings=[entry]))
        assert {row.ad_account_id for row in sandbox.store.events()} == {ACCOUNT, "549755885176"}


def test_results_have_a_row_for_the_write_and_one_for_each_event(
    session: Any, configure: Callable[..., str], tmp_path: Path
):
    """Tasks add the rows of their events, the driver adds the run's row, all with one id."""
    url = f"sqlite:///{tmp_path}/results.db"
    with Sandbox() as sandbox:
        sandbox.faults.set([Fault("fail_event", event_id="visit-7", times=1)])
        config = configure(
            api_url=sandbox.url, mappings=VISITS, results_url=url, results_events="all"
        )
        write(visits(session, 20, 3), config)
    with sqlite3.connect(tmp_path / "results.db") as database:
        runs = database.execute(
            "SELECT run_id, program, status, records, delivered, rejected, exit_code "
            "FROM pinterest_runs"
        ).fetchall()
        rows = database.execute(
            "SELECT run_id, outcome, count(*) FROM pinterest_event_results GROUP BY 1, 2 ORDER BY 2"
        ).fetchall()
        coverage = database.execute(
            "SELECT carrying FROM pinterest_run_coverage WHERE component = 'hashed_email'"
        ).fetchall()
    database.close()
    ((run_id, *numbers),) = runs
    assert numbers == ["spark", "ended", 20, 19, 1, 0]
    assert rows == [(run_id, "delivered", 19), (run_id, "rejected", 1)]
    assert coverage == [(19,)]

"""Two simultaneous attempts of one task: with a ledger, nothing is sent twice."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.spark

ROWS = 50
PATIENCE_SECONDS = 60
RUNS = "SELECT count(*) FROM pinterest_ledger_runs"
CLAIMS = "SELECT count(*) FROM pinterest_ledger_batches WHERE claimed_by IS NOT NULL"
DELIVERED = """
    SELECT count(*) FROM pinterest_delivered_events
    LEFT JOIN pinterest_ledger_batches ON number = -pinterest_delivered_events.delivered_at
    WHERE claimed_by IS NULL
"""

# What a task does, in a process of its own, with a partition's rows and an attempt's number.
ATTEMPT = """
import json, pickle, sys, time
import pyarrow as pa
from pyspark import TaskContext
from target_pinterest_capi.spark.task import deliver
from target_pinterest_capi.spark.job import Job

given = json.loads(sys.argv[1])
TaskContext._setTaskContext(context := TaskContext())
context._partitionId, context._taskAttemptId, context._localProperties = 0, given["attempt"], {}
rows = [
    {
        "event_id": f"visit-{number}",
        "event_name": "page_visit",
        "action_source": "web",
        "event_time": int(time.time()) - 60,
        "em": f"shopper{number}@example.com",
    }
    for number in range(given["rows"])
]
job = Job("one-job", "visits", tuple(rows[0]), ("event_id",), given["settings"], (), (), {})
message = deliver(job, [pa.RecordBatch.from_pylist(rows)])
print(json.dumps({row.reason or str(row.outcome): row.number for row in message.tally.outcomes()}))
"""


@pytest.fixture
def url(postgres: Any) -> str:
    postgres.query(
        "DROP TABLE IF EXISTS pinterest_delivered_events, pinterest_ledger_batches, pinterest_ledger_runs"
    )
    return str(postgres.url.replace("postgresql://", "postgresql+psycopg://"))


@pytest.fixture
def attempt(
    sandbox: Sandbox, configure: Callable[..., str], url: str, tmp_path: Path
) -> Callable[[int], Any]:
    """Return a function that starts an attempt and returns its process."""
    settings = json.loads(
        Path(configure(ledger_url=url, batch_size_rows=10, max_in_flight=2)).read_text()
    )

    def begin(number: int) -> Any:
        given = {"attempt": number, "rows": ROWS, "settings": settings}
        return subprocess.Popen(
            [sys.executable, "-c", ATTEMPT, json.dumps(given)], stdout=subprocess.PIPE, text=True
        )

    return begin


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        select.select([], [], [], 0.05)


def asked(url: str, question: str) -> int:
    """Return the database's response."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(question).scalar()
    engine.dispose()
    return int(found or 0)


def test_speculative_copy_sends_nothing_that_the_first_attempt_sends(
    attempt: Callable[[int], Any], sandbox: Sandbox, url: str
):
    """The copy waits for what the first attempt claimed, and then finds it in the ledger."""
    sandbox.faults.set([Fault("latency", seconds=4.0)])
    first = attempt(1)
    wait_until(lambda: "most_in_flight" in sandbox.store.counters())  # it sends
    copy = attempt(2)
    wait_until(lambda: asked(url, RUNS) == 2)
    assert first.poll() is None, "it was to be at work still"
    delivered: dict[int, int] = {}
    for one in (first, copy):
        counts = json.loads(one.communicate(timeout=PATIENCE_SECONDS)[0])
        assert sum(counts.values()) == ROWS
        delivered[one.pid] = counts.get("delivered", 0)
    assert sum(delivered.values()) == ROWS
    assert sandbox.store.event_ids() == {f"visit-{number}": 1 for number in range(ROWS)}
    assert (asked(url, RUNS), asked(url, CLAIMS)) == (0, 0)


def test_claims_end_with_their_process(attempt: Callable[[int], Any], sandbox: Sandbox, url: str):
    """A waiting attempt sends what a killed one had claimed, immediately on the same machine."""
    sandbox.faults.set([Fault("latency", seconds=600, skip=2)])
    first = attempt(1)
    wait_until(lambda: "most_in_flight" in sandbox.store.counters() and asked(url, DELIVERED) == 20)
    copy = attempt(2)
    wait_until(lambda: asked(url, RUNS) == 2)
    sandbox.faults.clear()
    first.kill()
    first.communicate(timeout=PATIENCE_SECONDS)
    counts = json.loads(copy.communicate(timeout=PATIENCE_SECONDS)[0])
    assert counts == {"delivered": ROWS - 20, "in_ledger": 20}
    assert sandbox.store.event_ids() == {f"visit-{number}": 1 for number in range(ROWS)}
    assert (asked(url, RUNS), asked(url, CLAIMS)) == (0, 0)

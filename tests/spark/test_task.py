"""One attempt at a task, in this process: its errors, and where its dead letters go."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from target_pinterest_capi.sandbox.server import Sandbox

pa = pytest.importorskip("pyarrow")
pyspark = pytest.importorskip("pyspark")

from target_pinterest_capi.spark import task as attempt  # noqa: E402 - only where the extra is
from target_pinterest_capi.spark.job import Job  # noqa: E402

pytestmark = pytest.mark.spark

PERSON = "shopper@example.com"


@pytest.fixture(autouse=True)
def task() -> Iterator[Any]:
    """Start a task as Spark starts one for its workers."""
    context = pyspark.TaskContext()
    context._partitionId, context._taskAttemptId, context._localProperties = 3, 17, {}
    pyspark.TaskContext._setTaskContext(context)
    yield context
    pyspark.TaskContext._setTaskContext(None)


@pytest.fixture
def job_of(configure: Callable[..., str]) -> Callable[..., Job]:
    def make(**given: Any) -> Job:
        settings = json.loads(Path(configure(**given)).read_text())
        return Job(
            "one-job", "visits", tuple(batch(0).schema.names), ("event_id",), settings, (), (), {}
        )

    return make


def batch(*numbers: int) -> Any:
    at = int(time.time()) - 60
    rows = [
        {
            "event_id": f"visit-{number}",
            "event_name": "page_visit",
            "action_source": "web",
            "event_time": at,
            "em": PERSON,
        }
        for number in numbers
    ]
    return pa.RecordBatch.from_pylist(rows)


def test_rows_that_cannot_be_read_end_the_attempt(
    job_of: Callable[..., Job], sandbox: Sandbox, tmp_path: Path
):
    """The error has its kind and place, no value; earlier events are acknowledged in the ledger."""

    def rows() -> Iterator[Any]:
        yield batch(*range(10))
        raise ValueError(PERSON)

    job = job_of(ledger_url=f"sqlite:///{tmp_path}/ledger.db", batch_size_rows=5)
    with pytest.raises(
        attempt.DeliveryError, match="partition 3, attempt 17: an unexpected ValueError"
    ) as caught:
        attempt.deliver(job, rows())
    assert PERSON not in str(caught.value)
    assert sandbox.store.counters()["events_processed"] == 10
    message = attempt.deliver(job, [batch(*range(12))])
    assert {row.reason or str(row.outcome): row.number for row in message.tally.outcomes()} == {
        "in_ledger": 10,
        "delivered": 2,
    }


def test_ledger_that_cannot_be_used_ends_the_attempt(
    job_of: Callable[..., Job], sandbox: Sandbox, tmp_path: Path
):
    """Without its ledger nothing is sent: another attempt may be able to open it."""
    with pytest.raises(
        attempt.DeliveryError, match=r"ledger_url cannot be used(?s:.*)Until then 0 delivered"
    ):
        attempt.deliver(
            job_of(ledger_url=f"sqlite:///{tmp_path}/no/such/folder/ledger.db"), [batch(1)]
        )
    assert "events_processed" not in sandbox.store.counters()


def test_partition_without_rows_is_complete(job_of: Callable[..., Job], sandbox: Sandbox):
    """An empty partition has nothing to report, and makes no request."""
    for nothing in ([], [batch(0).slice(1)]):
        assert attempt.deliver(job_of(), nothing).records == 0
    assert sandbox.store.counters() == {}


def test_rest_is_read_if_there_is_no_other_attempt(job_of: Callable[..., Job], sandbox: Sandbox):
    """A task that will not be repeated reads its remaining rows from Spark, and sends none."""
    taken = []

    def rows() -> Iterator[Any]:
        for number in range(5):
            taken.append(number)
            yield batch(number)

    mappings = [{"stream": "visits", "preset": "pinterest", "fields": {"event_time": None}}]
    message = attempt.deliver(job_of(on_invalid="fail", mappings=mappings), rows())
    assert message.stopped is not None
    assert "on_invalid is fail" in message.stopped
    assert taken == [0, 1, 2, 3, 4]
    assert sandbox.store.counters() == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("rejected.jsonl", "rejected-a-1-2.jsonl"),
        ("/var/letters/rejected.jsonl", "/var/letters/rejected-a-1-2.jsonl"),
        ("letters", "letters-a-1-2"),
        ("s3://bucket/letters", "s3://bucket/letters"),
    ],
)
def test_each_attempt_has_dead_letters_of_its_own(path: str, expected: str):
    """A file's name contains the attempt's; objects under a URL have unique names anyway."""
    assert attempt.letters_path(path, "a-1-2") == expected

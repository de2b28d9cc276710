"""Structured Streaming: each batch is delivered, and a restart repeats nothing in the ledger."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.spark

SCHEMA = "event_id string, event_name string, action_source string, event_time timestamp, em string"
A_FILE = 600


def add_file(session: Any, folder: Path, number: int) -> None:
    """Add a file of visits to a stream's source."""
    frame = session.range(number * A_FILE, (number + 1) * A_FILE, 1, 1).selectExpr(
        "concat('visit-', id) AS event_id", "'page_visit' AS event_name", "'web' AS action_source",
        "current_timestamp() AS event_time", "concat('shopper', id, '@example.com') AS em",
    )  # fmt: skip
    frame.write.mode("append").parquet(str(folder))


def stream(session: Any, folder: Path, checkpoint: Path, config: str) -> Any:
    """Start a query that reads the existing files, one per batch, and then ends."""
    source = session.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).parquet(str(folder))
    given = {
        "config": config,
        "stream": "visits",
        "key_properties": "event_id",
        "checkpointLocation": str(checkpoint),
    }
    return (
        source.writeStream.format("pinterest_capi")
        .options(**given)
        .trigger(availableNow=True)
        .start()
    )


def once(sandbox: Sandbox, files: int) -> bool:
    return sandbox.store.event_ids() == {f"visit-{number}": 1 for number in range(files * A_FILE)}


def test_stream_that_is_stopped_and_restarted(
    session: Any,
    sandbox: Sandbox,
    configure: Callable[..., str],
    report: Callable[[], Any],
    tmp_path: Path,
):
    """A query that fails in a batch restarts with it; earlier batches are not sent again."""
    source, checkpoint = tmp_path / "source", tmp_path / "checkpoint"
    for number in range(3):
        add_file(session, source, number)
    config = configure(
        ledger_url=f"sqlite:///{tmp_path}/ledger.db",
        batch_size_rows=100,
        max_in_flight=1,
        max_retry_seconds=0.2,
        report_path=str(tmp_path / "report.json"),
    )
    sandbox.faults.set(
        [Fault("status", status=503, skip=8)]
    )  # one batch and two requests of the next
    query = stream(session, source, checkpoint, config)
    with pytest.raises(Exception, match="partition 0, attempt"):
        query.awaitTermination()
    assert sandbox.store.counters()["events_processed"] == 800
    assert (report()["run"]["exit_code"], report()["totals"]["delivered"]) == (1, 0)
    sandbox.faults.clear()

    again = stream(session, source, checkpoint, config)
    again.awaitTermination()
    assert once(sandbox, 3)
    assert report()["totals"]["delivered"] == A_FILE  # of the last batch

    add_file(session, source, 3)
    more = stream(session, source, checkpoint, config)
    more.awaitTermination()
    assert once(sandbox, 4)


def test_batch_that_was_delivered_and_not_committed_is_not_sent_again(
    session: Any,
    sandbox: Sandbox,
    configure: Callable[..., str],
    report: Callable[[], Any],
    tmp_path: Path,
):
    """Spark repeats a batch that it did not commit, and the ledger skips all of its events."""
    source, checkpoint = tmp_path / "source", tmp_path / "checkpoint"
    add_file(session, source, 0)
    config = configure(ledger_url=f"sqlite:///{tmp_path}/ledger.db")
    stream(session, source, checkpoint, config).awaitTermination()
    (checkpoint / "commits" / "0").unlink()
    (checkpoint / "commits" / ".0.crc").unlink()
    stream(session, source, checkpoint, config).awaitTermination()
    assert once(sandbox, 1)
    assert [(row["reason"], row["events"]) for row in report()["reasons"]] == [
        ("in_ledger", A_FILE)
    ]


def test_stream_that_is_asked_to_replace_is_refused(
    session: Any, sandbox: Sandbox, configure: Callable[..., str], tmp_path: Path
):
    """Output mode complete repeats the whole result in each batch, but events can only be added."""
    add_file(session, tmp_path / "source", 0)
    counted = (
        session.readStream.schema(SCHEMA)
        .parquet(str(tmp_path / "source"))
        .groupBy("event_name")
        .count()
    )
    given = {
        "config": configure(),
        "stream": "visits",
        "checkpointLocation": str(tmp_path / "checkpoint"),
    }
    query = (
        counted.writeStream.format("pinterest_capi")
        .options(**given)
        .outputMode("complete")
        .trigger(availableNow=True)
        .start()
    )
    with pytest.raises(Exception, match="must be append"):
        query.awaitTermination()
    assert sandbox.store.counters() == {}

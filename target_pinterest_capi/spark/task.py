"""One attempt at one task: the rows of a partition, delivered like any records.

Owns the pace of reading and what the end of a run means to Spark: a failure that another attempt
may not have is raised, so that Spark tries again; one that would only be repeated is reported to
the driver, which ends the whole write. Keeps a row only for its mapping.
"""

import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from pyspark import TaskContext
from pyspark.sql.datasource import WriterCommitMessage

from target_pinterest_capi.delivery.run import ExitCode, Run, RunStopped
from target_pinterest_capi.delivery.worker_pool import NoThreadError
from target_pinterest_capi.mapping.entries import Accounts, Record, entry_compiler
from target_pinterest_capi.pipeline.feed import IteratedSource, paced
from target_pinterest_capi.pipeline.prefetch import Prefetch
from target_pinterest_capi.pipeline.stream import StreamPipeline
from target_pinterest_capi.reporting.event_ids import EventIds
from target_pinterest_capi.settings import ConfigurationError, Settings
from target_pinterest_capi.singer.arrow import records
from target_pinterest_capi.spark.job import Cluster, Job

IDS_HELD: Final = 5_000  # of a partition: its statistics are sent to the driver


class DeliveryError(Exception):
    """An attempt ended before its rows did; says why, and what to do, without a row's values."""


class TaskAttempt(NamedTuple):
    """Which attempt this is."""

    partition: int
    attempt: int  # unique within the application


class TaskCommit(WriterCommitMessage):
    """The report of an attempt that finished.

    `stopped` says why it did not deliver the rest, if any other attempt would fail too.
    """

    def __init__(
        self, job: Job, place: TaskAttempt, run: Run, started_at: float, stopped: RunStopped | None
    ) -> None:
        self.job_id = job.id
        self.partition = place.partition
        self.started_at = started_at  # Unix seconds
        self.records = run.sequence
        self.requests = run.requests
        self.dead_letters = run.dead_letters_written
        self.tally = run.tally
        self.observations = run.observations
        self.stopped = None if stopped is None else str(stopped)


def deliver(job: Job, batches: Iterable[Any]) -> TaskCommit:
    """Deliver the rows of this task's partition.

    Raises `DeliveryError` if another attempt may succeed, or if none can begin.
    """
    context = TaskContext.get()
    assert context is not None  # noqa: S101 - Spark writes in tasks alone
    place = TaskAttempt(context.partitionId(), context.taskAttemptId())
    with _errors_without_values(place):
        settings = job.settings()
        problems = tuple(Cluster.of(context.getLocalProperty).problems(settings))
        if problems:
            raise ConfigurationError(problems)
        return _deliver(job, place, settings, batches)


def _deliver(
    job: Job, place: TaskAttempt, settings: Settings, batches: Iterable[Any]
) -> TaskCommit:
    started_at = time.time()
    name = f"{job.id}-{place.partition}-{place.attempt}"
    run = Run(
        settings.model_copy(
            update={"dead_letter_path": letters_path(settings.dead_letter_path, name)}
        ),
        _no_state,
        run_id=name,
        part_of=job.id,
    )
    if run.observations is not None:
        run.observations.ids = EventIds(IDS_HELD)
    pipeline = StreamPipeline(
        job.stream,
        {"properties": {column: {} for column in job.columns}},
        job.key_properties,
        settings.model_copy(update={"validate_records": False}),  # Spark has checked its own schema
        run,
        compile_entries=entry_compiler(
            settings, Accounts(settings), run.tally.count_value, began_at=run.began_at
        ),
    )
    prefetch, is_fed = Prefetch(run.wake, batches), False
    try:
        with suppress(RunStopped):  # `finish` returns it, after requests in flight
            for record in paced(run, PartitionRecords(prefetch)):
                pipeline.handle_record(record)
            is_fed = True
        verdict = _verdict(run, run.finish(), is_fed=is_fed)
        prefetch.drain()
        return TaskCommit(job, place, run, started_at, verdict)
    except DeliveryError:
        raise
    except Exception:
        # Spark could not create the remaining rows: requests in flight may still be answered.
        run.interrupt()
        run.finish()
        raise
    finally:
        run.close()


def _verdict(run: Run, stopped: RunStopped | None, *, is_fed: bool) -> RunStopped | None:
    """Return why no attempt can succeed; None if everything is acknowledged.

    Raises `DeliveryError` if another attempt can.

    The share of failures in a single partition says little, so the driver judges all of them
    together.
    """
    if stopped is None:
        return None
    if stopped.exit_code is ExitCode.TOO_MUCH_REJECTED:
        is_settled = is_fed and run.snapshot().oldest_unsettled is None
        return None if is_settled else stopped
    counts = ", ".join(f"{count} {name}" for name, count in run.tally.by_outcome().items())
    raise DeliveryError(f"{stopped} Until then {counts} of {run.sequence} records.")


class PartitionRecords:
    """The records of a partition's Arrow batches, as a source for the feed."""

    def __init__(self, prefetch: Prefetch[Any]) -> None:
        self._prefetch = prefetch
        self._batch: IteratedSource[Record] = IteratedSource(())  # the current one

    def read(self, seconds: float | None) -> Iterable[Record] | None:
        """Return the next records of the current batch; an empty list at its end; None at the end.

        Waits up to `seconds` for another batch (None: without a limit). Raises what Spark raised.
        """
        found = self._batch.read(seconds)
        if found is not None:
            return found
        batches = self._prefetch.read(seconds)
        if batches is None:
            return None
        self._batch = IteratedSource(chain.from_iterable(records(batches)))
        return ()


def letters_path(path: str, name: str) -> str:
    """Return an attempt's own file next to `path`: `rejected-NAME.jsonl` for `rejected.jsonl`.

    Under a URL the objects of each attempt have its name anyway.
    """
    if "://" in path:
        return path
    file = PurePath(path)
    return str(file.with_name(f"{file.stem}-{name}{file.suffix}"))


@contextmanager
def _errors_without_values(place: TaskAttempt) -> Iterator[None]:
    """Add the task to an error's message.

    A bug's message could contain a row's value, so only its place is shown.
    """
    where = f"partition {place.partition}, attempt {place.attempt}"
    try:
        yield
    except ConfigurationError as error:
        raise DeliveryError(f"{where}: {error}") from None
    except (DeliveryError, NoThreadError) as error:
        raise DeliveryError(f"{where}: {error}") from None
    except Exception as error:  # noqa: BLE001 - see above
        places = "".join(traceback.format_tb(error.__traceback__)).rstrip()
        raise DeliveryError(f"{where}: an unexpected {type(error).__name__}:\n{places}") from None


def _no_state(_: bytes) -> None:
    """Write no STATE, because Spark records what was written."""

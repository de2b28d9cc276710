"""The data source as Spark sees it: a format, its writers, and its registration.

Spark creates a writer on the driver, in a Python process of its own, sends it to each task, and
passes to `commit` or `abort` what the tasks report; a streaming query does all of this for each of
its batches.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pyspark.errors import PySparkNotImplementedError
from pyspark.sql import SparkSession, datasource
from pyspark.sql.datasource import DataSource, DataSourceArrowWriter

from target_pinterest_capi.spark.commit import CommitSummary, log
from target_pinterest_capi.spark.job import FORMAT, Cluster, Job, read_job
from target_pinterest_capi.spark.task import TaskCommit, deliver
from target_pinterest_capi.spark.without_effect import without_effect

# pyspark 4.0 passes rows of a stream as Python objects without a time zone, which would change
# them.
StreamArrowWriter: Any = getattr(datasource, "DataSourceStreamArrowWriter", None)


class BatchWriter(DataSourceArrowWriter):
    """Writes the rows of a DataFrame."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def write(self, iterator: Iterator[Any]) -> TaskCommit:
        """Deliver one partition, in a task."""
        return deliver(self.job, iterator)

    def commit(self, messages: Sequence[Any]) -> None:
        """End a write whose tasks have all succeeded; it fails if too much was refused."""
        self._summary(messages).commit()

    def abort(self, messages: Sequence[Any]) -> None:
        """End a failed write: report what was delivered nevertheless."""
        self._summary(messages).abort()

    def _summary(self, messages: Sequence[Any]) -> CommitSummary:
        settings = self.job.settings_on_driver()
        return CommitSummary(settings, messages, self.job.id, not_found=self.job.not_found)


if StreamArrowWriter is not None:

    class StreamWriter(StreamArrowWriter):
        """Writes the batches of a streaming query, each like a DataFrame."""

        def __init__(self, job: Job) -> None:
            self._writer = BatchWriter(job)

        def write(self, iterator: Iterator[Any]) -> TaskCommit:
            """Deliver one partition of a batch, in a task."""
            return self._writer.write(iterator)

        def commit(self, messages: Sequence[Any], batchId: int) -> None:  # noqa: ARG002, N803 - Spark's signature
            """End a batch."""
            self._writer.commit(messages)

        def abort(self, messages: Sequence[Any], batchId: int) -> None:  # noqa: ARG002, N803 - Spark's signature
            """End a batch that failed."""
            self._writer.abort(messages)


class PinterestDataSource(DataSource):
    """The format `pinterest_capi`: rows become conversion events.

    It can be written to, in mode append, but not read.
    """

    cluster: ClassVar[Cluster | None] = None  # what the session runs on, if `register` has checked

    @classmethod
    def name(cls) -> str:
        """Return the format's name."""
        return FORMAT

    def writer(self, schema: Any, overwrite: bool) -> BatchWriter:
        """Return the writer of a DataFrame. Raises `ConfigurationError` with all problems."""
        return BatchWriter(self._job(schema, overwrite=overwrite))

    def streamWriter(self, schema: Any, overwrite: bool) -> Any:  # noqa: N802 - Spark's name
        """Return the writer of a streaming query.

        Raises `ConfigurationError` with all problems.
        """
        if StreamArrowWriter is None:
            raise PySparkNotImplementedError(
                "Streams need pyspark 4.1. With 4.0, write each batch: "
                "writeStream.foreachBatch("
                "lambda batch, number: batch.write.format('pinterest_capi')...)"
            )
        return StreamWriter(self._job(schema, overwrite=overwrite))

    def _job(self, schema: Any, *, overwrite: bool) -> Job:
        job, settings = read_job(dict(self.options), schema, self.cluster, overwrite=overwrite)
        for warning in settings.warnings:
            log.warning("%s", warning)
        for sentence in without_effect(settings):
            log.warning("%s", sentence)
        for row in job.not_found:
            log.warning("%s (%s)", row.message, row.setting)
        if settings.mode == "live" and settings.ledger_url is None:
            log.warning(
                "ledger_url: is not set, so what Spark runs twice, a repeated task or a "
                "stream's batch, is sent twice."
            )
        return job


def register(session: SparkSession) -> None:
    """Register the format with a session, and what must not run on its cluster.

    `session.dataSource.register(PinterestDataSource)` registers it too, but then only the tasks
    notice, before they send.
    """
    cluster = Cluster.of(lambda name: session.conf.get(name, None))
    session.dataSource.register(
        type(PinterestDataSource.__name__, (PinterestDataSource,), {"cluster": cluster})
    )

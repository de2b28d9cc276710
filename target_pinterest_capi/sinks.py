"""One sink per stream, which the SDK creates for a SCHEMA.

Keeps no records: each goes to the sink's handler at once, and nothing is ever drained here.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from singer_sdk import Sink

from target_pinterest_capi.checks.credentials import check_credentials
from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.events.column_names import clean_name
from target_pinterest_capi.events.event import Origin, SkippedRecord
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.pipeline.stream import NO_MAPPING, StreamPipeline

if TYPE_CHECKING:
    from target_pinterest_capi.singer.rows import RecordHandler
    from target_pinterest_capi.target import TargetPinterestCapi

# What `meltano config test` sends: seen with Meltano 4.4.1.
MELTANO_TEST_STREAM: Final = "meltano_test_stream"


class RecordSink(Sink):
    """The base of our sinks: each record is handed to `handler` at once."""

    handler: "RecordHandler"

    def get_validator(self) -> None:
        """Return no validator to the SDK: its own prints records. Ours is in the pipeline."""

    def process_record(self, record: dict[str, Any], context: Mapping[str, Any]) -> None:  # noqa: ARG002 - the SDK's signature
        """Handle a record that the SDK hands over."""
        self.handler.handle_record(record)

    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Do nothing: no records wait here."""


class ConversionsSink(RecordSink):
    """A stream whose records become events, and members of its customer lists."""

    def __init__(
        self,
        target: "TargetPinterestCapi",
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        pipeline = StreamPipeline(
            stream_name,
            schema,
            key_properties,
            target.settings,
            target.run,
            compile_entries=target.compile_entries,
            warn=target.warn_once,
            not_found=target.not_found,
            lists=target.lists.mappers(stream_name, tuple(map(clean_name, key_properties or ()))),
        )
        if not pipeline.is_taken:
            target.warn_once(
                f"No entry of mappings selects stream {shown_name(stream_name)!r}: its records "
                "are skipped."
            )
        self.handler = pipeline


class MeltanoTestSink(RecordSink):
    """The stream of `meltano config test`: tests token and ad account, and sends no event.

    Meltano treats any line with words that usually indicate a failure as one, so the log avoids
    them if everything is fine.
    """

    rows = None
    batch_rows = None

    def __init__(
        self,
        target: "TargetPinterestCapi",
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self.handler = self
        self._run = target.run
        self._settings = target.settings
        self._is_tried = False

    def handle_record(self, record: dict[str, Any]) -> None:  # noqa: ARG002 - what is in it is Meltano's
        """Test the settings with the first record. Raises `RunStopped` if they cannot deliver."""
        self._run.sequence += 1
        if not self._is_tried:
            self._is_tried = True
            self._try_settings()
        self._run.skip_record(
            SkippedRecord(Origin(self.stream_name, NO_MAPPING), Skipped.MELTANO_TEST)
        )

    def _try_settings(self) -> None:
        for finding in check_credentials(self._settings):
            if finding.status is CheckStatus.FAILED:
                self._run.stop(_sentences(finding))
            self.logger.info("%s: %s", finding.step, finding.message)


def _sentences(finding: CheckResult) -> str:
    parts = (f"{finding.step}: {finding.message}", finding.advice, finding.place)
    return ". ".join(part.removesuffix(".") for part in parts if part) + "."

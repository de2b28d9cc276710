"""The Singer target: hands messages to streams and to the run, and ends as documented.

We do the reading, records and STATE; the SDK does its command line, stream maps, flattening and the
creation of sinks.
"""

import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from types import FrameType
from typing import IO, Any, ClassVar, Final, NamedTuple

import click
from singer_sdk import Sink, Target, metrics
from singer_sdk.exceptions import (
    MapExpressionError,
    RecordsWithoutSchemaException,
    StreamMapConfigError,
)
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import StreamMap
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_pinterest_capi import settings
from target_pinterest_capi.customer_lists.list_delivery import ListDelivery
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.delivery.run import ExitCode, Run, RunStopped
from target_pinterest_capi.delivery.run_end import end_run
from target_pinterest_capi.delivery.worker_pool import NoThreadError
from target_pinterest_capi.events.event import Origin, SkippedRecord
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.mapping.entries import KEPT_STREAMS, Accounts, entry_compiler
from target_pinterest_capi.pipeline.feed import IteratedSource, Source, paced, until_interrupted
from target_pinterest_capi.pipeline.not_found import NamesNotFound
from target_pinterest_capi.pipeline.prefetch import Prefetch
from target_pinterest_capi.reporting.log_lines import keep_to_one_line
from target_pinterest_capi.reporting.progress import Progress, watch
from target_pinterest_capi.reporting.quality import LOW_QUALITY, log_quality
from target_pinterest_capi.reporting.report import NotFound
from target_pinterest_capi.reporting.summary import log_summary
from target_pinterest_capi.singer.batch_files import (
    BatchFileError,
    Chunk,
    RecordLines,
    are_local,
    batch_chunks,
    handle_lines,
)
from target_pinterest_capi.singer.memory import keep_freed_memory
from target_pinterest_capi.singer.reader import BytesReader, InputError
from target_pinterest_capi.singer.rows import RecordHandler
from target_pinterest_capi.singer.schemas import SchemaError, check_schema
from target_pinterest_capi.singer.state_output import write_state
from target_pinterest_capi.sinks import (
    MELTANO_TEST_STREAM,
    ConversionsSink,
    MeltanoTestSink,
    RecordSink,
)
from target_pinterest_capi.target_command import (
    HELP,
    LOG_LEVEL,
    Config,
    TargetCommand,
    load_settings,
    log_problems,
    read_log_level,
)

# Records may have columns that their SCHEMA does not declare: wait for this many records.
RECORDS_BEFORE_JUDGEMENT: Final = 1_000
QUIET_LOGGERS: Final = ("httpx", "httpcore")  # they log a line for each request
READING_STOPPED: Final = "%s. Reading stopped there; the next run continues from STATE."


class WrongMapError(Exception):
    """`stream_maps` is wrong, which is only noticed when a stream's SCHEMA arrives."""


NOTHING_CAME: Final = (
    "Nothing arrived on stdin, not even a SCHEMA: if the tap failed, its log says why "
    "(with set -o pipefail, a script stops then)."
)


class TargetPinterestCapi(Target):
    """Loads records of any tap into Pinterest's Conversions API.

    They are mapped, normalized, hashed, delivered, and acknowledged.
    """

    name = "target-pinterest-capi"
    package_name = "target-pinterest-capi"
    default_sink_class = ConversionsSink
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
        PluginCapabilities.BATCH,
        PluginCapabilities.ACTIVATE_VERSION,
        TargetCapabilities.VALIDATE_RECORDS,
    ]

    def __init__(
        self,
        *,
        config: Config = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        setup_mapper: bool = True,
        message_reader: GenericSingerReader[bytes] | None = None,
    ) -> None:
        self.settings = load_settings(config, parse_env=parse_env_config)
        self.run = Run(self.settings, self._write_state)
        self.compile_entries = entry_compiler(
            self.settings,
            Accounts(self.settings),
            self.run.tally.count_value,
            began_at=self.run.began_at,
        )
        self.not_found = NamesNotFound(self.settings)
        self.run.has_unmet_entries = lambda: self.not_found.has_unmet_entries
        self._is_read = False  # the whole input: no further streams can come
        self._judge_columns_at = RECORDS_BEFORE_JUDGEMENT
        self._declared: dict[tuple[object, ...], _Stream] = {}  # by SCHEMA, the last used last
        self._warnings: set[str] = set()
        self.lists = ListDelivery(self.settings, self.run)
        if self.settings.customer_lists:
            self.run.attach(self.lists)
        self.stopped: RunStopped | None = None
        # What failed in the input, or in us: without values.
        self.failure: str | None = None
        self.signal: int | None = None
        for name in QUIET_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)
        self.logger.addFilter(_is_true_here)
        keep_to_one_line(self.logger)
        # The SDK gets only its own options, so it has no token.
        super().__init__(
            config=self.settings.sdk_options(),
            validate_config=validate_config,
            setup_mapper=setup_mapper,
            message_reader=message_reader or BytesReader(self.run.wake, partial(paced, self.run)),
        )
        self._maps_records = bool(self.settings.stream_maps or self.settings.flattening_enabled)
        for warning in self.settings.warnings:
            self.logger.warning("%s: %s", warning.path, warning.message)

    # Configuration

    @classproperty
    def config_jsonschema(cls) -> dict[str, Any]:  # noqa: N805
        """The settings' schema for the SDK, which uses it only in `--about`."""
        return settings.sdk_schema()

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:  # noqa: ARG002 - the SDK's signature
        """Do nothing: the settings were checked before the SDK saw any."""
        return []

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Append nothing: the model of the settings already has the SDK's own."""

    # Messages

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream = message_dict["stream"]
        declaration = self._declaration(message_dict)
        declared = self._declared.pop(declaration, None) or self._declare(message_dict)
        self._declared[declaration] = declared
        if len(self._declared) > KEPT_STREAMS:
            del self._declared[next(iter(self._declared))]
        self.mapper.stream_maps[stream] = declared.stream_maps
        self._sinks_active.update(declared.sinks)
        if not self._maps_records and isinstance(self.message_reader, BytesReader):
            self.message_reader.add_handler(stream, self._handler(stream))

    def _declaration(self, message_dict: dict[str, Any]) -> tuple[object, ...]:
        """Return what two equal SCHEMA messages have in common."""
        text = message_dict.get("schema_json") or json.dumps(message_dict["schema"])
        key_properties = message_dict.get("key_properties")
        return message_dict["stream"], text, tuple(key_properties or ())

    def _declare(self, message_dict: dict[str, Any]) -> "_Stream":
        """Let the SDK create the stream's maps and sinks for a schema that is new or not cached."""
        stream = message_dict["stream"]
        try:
            schema = check_schema(message_dict["schema"])
            properties = schema.get("properties", {})  # the SDK requires them
            if self._maps_records:  # which cannot flatten a column whose schema is a boolean
                properties = {name: {} if one is True else one for name, one in properties.items()}
                properties = {name: one for name, one in properties.items() if one is not False}
            schema = {**schema, "properties": properties}
            super()._process_schema_message({**message_dict, "schema": schema})
        except (SchemaError, RecursionError) as error:
            why = error if isinstance(error, SchemaError) else "the schema is nested too deeply"
            raise InputError(
                f"line {self._line_number}: SCHEMA of stream {shown_name(stream)!r}: {why}"
            ) from None
        except (MapExpressionError, StreamMapConfigError) as error:
            raise WrongMapError(
                f"stream_maps: cannot be used for stream {shown_name(stream)!r} "
                f"({type(error).__name__}): check its expressions and the form of its entries"
            ) from None
        self._sinks_to_clear.clear()  # no sink has waiting records
        stream_maps = self.mapper.stream_maps[stream]
        names = [stream_map.stream_alias for stream_map in stream_maps]
        return _Stream(stream_maps, {name: self._sinks_active[name] for name in names})

    def warn_once(self, message: str) -> None:
        """Log a warning, unless it was logged before."""
        if message not in self._warnings:
            self._warnings.add(message)
            self.logger.warning("%s", message)

    def _warn_of(self, found: Iterable[NotFound]) -> None:
        """Log once what the configuration names but the input does not have, and an empty input."""
        for one in found:
            self.warn_once(f"{one.message} ({one.setting})")
        if self._is_read and not self._line_number:
            self.warn_once(NOTHING_CAME)

    def _not_found(self) -> list[NotFound]:
        """Return the names that the input does not have; streams only once all of it is read."""
        streams = self.not_found.streams() if self._is_read else []
        return [*streams, *self.not_found.columns()]

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        stream, record = message_dict["stream"], message_dict["record"]
        if stream not in self.mapper.stream_maps:
            raise RecordsWithoutSchemaException(
                f"line {self._line_number}: a RECORD of stream {shown_name(stream)!r} "
                "came before its SCHEMA"
            )
        for stream_map in self.mapper.stream_maps[stream]:
            try:
                mapped = stream_map.transform(dict(record))
            except Exception as error:  # noqa: BLE001 - what users wrote may raise anything
                raise InputError(
                    f"line {self._line_number}: stream_maps or flattening failed on a RECORD of "
                    f"stream {shown_name(stream)!r} ({type(error).__name__}): "
                    "check its expressions",
                ) from None
            if mapped is None:
                self.run.sequence += 1
                self.run.skip_record(
                    SkippedRecord(Origin(stream_map.stream_alias, ""), Skipped.STREAM_MAP)
                )
            else:
                self._handler(stream_map.stream_alias).handle_record(dict(mapped))

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if self.run.sequence >= self._judge_columns_at:
            self._warn_of(self.not_found.columns())
            self._judge_columns_at = self.run.sequence + RECORDS_BEFORE_JUDGEMENT
        self.run.add_state(message_dict["value"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Do nothing: events have no versions, and no row can undo an event."""
        self.logger.debug(
            "ACTIVATE_VERSION of stream %r has no meaning for events.",
            shown_name(message_dict["stream"]),
        )

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        stream, manifest = message_dict["stream"], message_dict["manifest"]
        chunks = batch_chunks(manifest, message_dict["encoding"])
        try:
            if are_local(manifest):
                self._process_batch(stream, IteratedSource(chunks, at_once=1))
                return
            with closing(Prefetch(self.run.wake, chunks)) as prefetch:
                self._process_batch(stream, prefetch)
        except NoThreadError as error:
            self.run.stop(str(error))
        except BatchFileError as error:
            raise InputError(
                f"line {self._line_number}: BATCH of stream {shown_name(stream)!r}, {error}"
            ) from None

    def _process_batch(self, stream: str, source: Source[Chunk]) -> None:
        is_direct = not self._maps_records and stream in self.mapper.stream_maps
        handler = (
            self._handler(stream)
            if is_direct
            else _SdkHandler(stream, self._process_record_message)
        )
        for chunk in paced(self.run, source):
            if isinstance(chunk, RecordLines):
                handle_lines(chunk, until_interrupted(self.run, chunk.lines), handler)
            else:
                for record in until_interrupted(self.run, chunk):
                    handler.handle_record(record)

    def _write_state(self, value: bytes) -> None:
        write_state(value, self.run.grace_seconds_left)

    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Return the class of a stream's sink: Meltano's test stream has no conversions."""
        return MeltanoTestSink if stream_name == MELTANO_TEST_STREAM else ConversionsSink

    def _handler(self, stream: str) -> RecordHandler:
        sink: Sink = self.get_sink(stream)
        assert isinstance(sink, RecordSink)  # noqa: S101 - the only classes there are
        return sink.handler

    @property
    def _line_number(self) -> int:
        return (
            self.message_reader.line_number if isinstance(self.message_reader, BytesReader) else 0
        )

    # The end

    def process_endofpipe(self) -> None:
        """Deliver what is left and write the last STATE; `stopped` says why the run stopped."""
        self.stopped = self.run.finish()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signal module's signature
        """Ask the run to end within its grace time; the same signal again ends the process."""
        if self.signal == signum:
            os._exit(128 + signum)
        if self.signal is None:
            self.signal = signum
        self.run.interrupt()

    def read_to_exit_code(self, file_input: IO[str] | None) -> int:
        """Read the whole input, log the outcomes, and return the documented exit code."""
        code = int(ExitCode.OK)
        watching = watch(
            self.run.snapshot,
            sys.stderr,
            self._log_progress,
            self._log_metrics,
            now=self.run.started_at,
        )
        self.run.watch = watching
        try:
            self.run.begin("target")
            self.listen(file_input)
            self._is_read = self.signal is None
        except RunStopped:
            self.process_endofpipe()
        except (InvalidInputLine, RecordsWithoutSchemaException) as error:
            code = self._fail(READING_STOPPED, str(error))
        except WrongMapError as error:
            self._fail(READING_STOPPED, str(error))
            code = int(ExitCode.CONFIGURATION)
        except Exception as error:  # noqa: BLE001 - a bug: its message could hold a value
            self.run.interrupt()  # an unknown state: end within the grace time
            code = self._fail("An unexpected %s, raised by:", type(error).__name__)
            for place in _places(error):
                self.logger.error("%s", place)  # noqa: TRY400 - its message could hold a value
        if self.stopped is not None:
            self.logger.error("%s", self.stopped)
            code = code or int(self.stopped.exit_code)
        elif self.signal is not None:
            code = code or 128 + self.signal
        if not code:
            code = self._judge_quality()
        if not code:  # otherwise prune would trust the refreshes of a failed run
            code = self._complete_lists()
        self._warn_of(self._not_found())
        watching.end(self.run.started_at + self.run.seconds)
        log_summary(self.logger, self.run, self.lists.reports(), code, self.failure)
        self._leave_report(code)
        self.run.close()
        return code

    def _fail(self, message: str, *args: object) -> int:
        self.logger.error(message, *args)
        self.failure = (message % args).removesuffix(", raised by:")
        try:
            self.process_endofpipe()
        except Exception as error:  # noqa: BLE001 - the same bug once more
            self.logger.error(  # noqa: TRY400 - its message could hold a value
                "What was in flight has not been acknowledged: an unexpected %s.",
                type(error).__name__,
            )
        return int(ExitCode.ERROR)

    def _complete_lists(self) -> int:
        """Record that full refreshes of customer lists are complete, and return the exit code."""
        try:
            self.lists.complete_refreshes()
        except LedgerError as error:
            self.failure = (
                f"the end of a full refresh could not be recorded: {error}. Run again before prune."
            )
            self.logger.error("%s", self.failure)  # noqa: TRY400 - the database's words are in it
            return int(ExitCode.ERROR)
        return int(ExitCode.OK)

    def _judge_quality(self) -> int:
        """Log what fails `quality` and what is not judged, and return the exit code."""
        observations = self.run.observations
        if not self.settings.quality or observations is None:
            return int(ExitCode.OK)
        short = log_quality(self.logger, self.settings, observations, self.run.usual_events)
        if not short or self.settings.on_low_quality == "warn":
            return int(ExitCode.OK)
        self.failure = LOW_QUALITY
        self.logger.error("%s", self.failure)
        return int(ExitCode.TOO_MUCH_REJECTED)

    def _log_progress(self, progress: Progress) -> None:
        self.logger.info("Progress: %s.", progress.words, extra=progress.numbers())
        self._log_metrics(progress)

    def _log_metrics(self, progress: Progress) -> None:
        """Log the changes since the last time as the SDK's own metrics, which Meltano shows."""
        now, before = progress.snapshot, progress.previous
        counts = (
            (metrics.Metric.RECORD_COUNT, now.records - before.records),
            (metrics.Metric.HTTP_REQUEST_COUNT, now.requests - before.requests),
        )
        for metric, count in counts:
            metrics.log(
                self.metrics_logger,
                metrics.Point("counter", metric, count, {metrics.Tag.PID.value: os.getpid()}),
            )

    def _leave_report(self, code: int) -> None:
        """Write the report of this run, if it is configured."""
        stopped = str(self.stopped) if self.stopped is not None else self.failure
        if stopped is None and self.signal is not None:
            stopped = f"{signal.Signals(self.signal).name} came."
        end_run(
            self.run,
            self.run.results.end_run,
            code,
            stopped,
            customer_lists=self.lists.reports(),
            not_found=self._not_found(),
            has_failed_before=self.run.results.has_failed_before,
        )

    # The command line

    @classmethod
    def cb_config(
        cls,
        ctx: click.Context,
        param: click.Option,  # noqa: ARG003
        value: tuple[str, ...],
    ) -> _ConfigInput:
        """Read `--config`: files, and ENV for the environment."""
        try:
            return _ConfigInput(config=settings.read_files(value, environ=settings.environment()))
        except settings.ConfigurationError as error:
            log_problems(cls.logger, error.problems)
            ctx.exit(ExitCode.CONFIGURATION)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the SDK's command with our help and exit codes."""
        command = super().get_singer_command()
        return TargetCommand(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=HELP,
            logger=cls.logger,
        )

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the target and exit with the documented code."""
        if about:
            cls.print_about(about_format)
            sys.exit(ExitCode.OK)
        cls.print_version(print_fn=cls.logger.info)
        config = config or _ConfigInput()
        target = cls(config=config.config, parse_env_config=config.parse_env)
        sys.exit(target.read_to_exit_code(file_input))


class _Stream(NamedTuple):
    """The SDK's result for a SCHEMA message: the stream's maps, and their sinks."""

    stream_maps: list[StreamMap]
    sinks: dict[str, Sink]


class _SdkHandler:
    """Hands a stream's records to `process`, which lets the SDK map them."""

    rows = None
    batch_rows = None

    def __init__(self, stream: str, process: Callable[[dict[str, Any]], None]) -> None:
        self._stream = stream
        self._process = process

    def handle_record(self, record: dict[str, Any]) -> None:
        """Process a record like a RECORD message."""
        self._process({"stream": self._stream, "record": record})


_UNTRUE_HERE: Final = (
    "Skipping parse of env var settings",  # we validate them, if it is configured
    # a tap may send thousands, and no sink needs to be drained for one
    "Schema has changed for stream",
    "Schema or key properties for",
    "Key properties have changed for stream",
)


def _is_true_here(record: logging.LogRecord) -> bool:
    """Drop log lines of the SDK about things that do not happen here."""
    return not str(record.msg).startswith(_UNTRUE_HERE)


def _places(error: BaseException) -> list[str]:
    """Return where an error was raised, one place per line, without its message."""
    return "".join(traceback.format_tb(error.__traceback__)).rstrip().splitlines()


def main() -> None:
    """Run `target-pinterest-capi`."""
    keep_freed_memory()
    level = read_log_level(os.environ)
    os.environ[LOG_LEVEL] = level.name  # the SDK reads it twice, and raises if it is wrong
    command = TargetPinterestCapi.cli  # from here on there is a log
    if level.problems:
        log_problems(TargetPinterestCapi.logger, level.problems)
        sys.exit(ExitCode.CONFIGURATION)
    for warning in level.warnings:
        TargetPinterestCapi.logger.warning("%s", warning)
    command()

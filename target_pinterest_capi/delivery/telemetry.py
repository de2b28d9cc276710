"""A run for OpenTelemetry: a span for it, one for each request to Pinterest, and its numbers.

They are sent over OTLP (http/protobuf) to the address in the OTEL_* variables, from a thread of the
SDK's own. If the receiver is down, a run loses only `EXPORT_SECONDS` at its end. No attribute has a
value of a record or a token. The only module that imports opentelemetry, from the extra `otel`.
"""

import logging
import math
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from target_pinterest_capi import __version__
from target_pinterest_capi.delivery.worker_pool import NoThreadError, run_within
from target_pinterest_capi.pinterest.client import Attempt
from target_pinterest_capi.reporting.metrics import BASE, METRICS, PREFIX
from target_pinterest_capi.reporting.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_pinterest_capi.settings import Settings

NAME: Final = "target-pinterest-capi"
EXPORT_SECONDS: Final = 2.0  # at the end of a run, for what has not been sent by then
_NANOSECONDS: Final = 1e9
_ERROR_STATUS: Final = 400
_log: Final = logging.getLogger("target-pinterest-capi.delivery")


class Telemetry:
    """Spans and metrics of one run. Raises nothing once it is made."""

    def __init__(self, settings: "Settings", run_id: str) -> None:
        # Its exporters log addresses, which may contain a key, and this run has its own message.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        about = {"service.name": NAME, "service.version": __version__}
        resource = Resource.create(about).merge(OTELResourceDetector().detect())
        self._spans, self._metrics = _SpanExporter(), _MetricExporter()
        self._tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._tracers.add_span_processor(BatchSpanProcessor(self._spans))
        reader = PeriodicExportingMetricReader(self._metrics, export_interval_millis=math.inf)
        self._meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._tracer = self._tracers.get_tracer(NAME, __version__)
        url = urlsplit(settings.api_url)
        self._server: dict[str, str | int] = {
            "server.address": url.hostname or "",
            "url.scheme": url.scheme,
        }
        if url.port is not None:
            self._server["server.port"] = url.port
        identity = {
            "pinterest.run_id": run_id,
            "pinterest.ad_account_id": settings.ad_account_id,
            "pinterest.mode": settings.mode,
        }
        self._run = self._tracer.start_span("run", attributes=identity)
        self._context = set_span_in_context(self._run)

    def record_request(self, attempt: Attempt) -> None:
        """Record an attempt at a request that has just ended, on any thread."""
        ended = time.time_ns()
        template = "/".join("{id}" if part.isdigit() else part for part in attempt.path.split("/"))
        attributes: dict[str, str | int] = {
            **self._server,
            "http.request.method": attempt.method,
            "url.template": template,
            "http.request.body.size": attempt.body_bytes,
        }
        failed = attempt.failure
        if attempt.status is not None:
            attributes["http.response.status_code"] = attempt.status
            failed = str(attempt.status) if attempt.status >= _ERROR_STATUS else ""
        if failed:
            attributes["error.type"] = failed
        span = self._tracer.start_span(
            f"{attempt.method} {template}",
            context=self._context,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=ended - int(attempt.seconds * _NANOSECONDS),
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def end_run(self, report: Report) -> None:
        """Export what there is, within `EXPORT_SECONDS`."""
        self._run.set_attribute("pinterest.exit_code", report.run.exit_code)
        self._run.set_attribute("pinterest.records", report.run.records)
        for outcome in ("delivered", "invalid", "rejected", "skipped"):
            self._run.set_attribute(f"pinterest.{outcome}", getattr(report.totals, outcome))
        if report.run.exit_code:
            self._run.set_status(Status(StatusCode.ERROR))
        self._run.end()
        self._count(report)
        try:
            is_over = run_within(EXPORT_SECONDS, self._export)
        except NoThreadError:
            is_over = None
        if is_over is None or self._spans.has_failed or self._metrics.has_failed:
            _log.warning(
                "Not all of the run's telemetry arrived: check the OTEL_EXPORTER_OTLP_* variables "
                "and the receiver that they name."
            )

    def _count(self, report: Report) -> None:
        meter = self._meters.get_meter(NAME, __version__)
        own = dict(zip(BASE, (report.run.ad_account_id, report.run.mode), strict=True))
        for metric in METRICS:
            name = f"{PREFIX.rstrip('_')}.{metric.name.removesuffix('_total')}"
            record: Callable[[Any, Any], None]
            if metric.is_counter:
                record = meter.create_counter(name, description=metric.about).add
            else:
                record = meter.create_gauge(name, description=metric.about).set
            for labels, number in metric.samples(report):
                record(number, {**own, **dict(zip(metric.labels, labels, strict=True))})

    def _export(self) -> bool:
        self._meters.force_flush()
        self._meters.shutdown()
        self._tracers.shutdown()
        return True


class _SpanExporter(OTLPSpanExporter):
    """The exporter, which remembers whether something did not arrive."""

    has_failed = False

    def export(self, *args: Any, **options: Any) -> SpanExportResult:
        """Export spans."""
        result = super().export(*args, **options)
        self.has_failed |= result is not SpanExportResult.SUCCESS
        return result


class _MetricExporter(OTLPMetricExporter):
    """The same for metrics."""

    has_failed = False

    def export(self, *args: Any, **options: Any) -> MetricExportResult:
        """Export metrics."""
        result = super().export(*args, **options)
        self.has_failed |= result is not MetricExportResult.SUCCESS
        return result


def open_telemetry(settings: "Settings", run_id: str) -> Telemetry | None:
    """Return the telemetry of a run; None, with a line in the log, if it cannot be created."""
    try:
        return Telemetry(settings, run_id)
    except Exception as error:  # noqa: BLE001 - of a library, about variables that may hold a key
        _log.error(
            "This run has no telemetry (%s): check the OTEL_* variables.",
            type(error).__name__,
        )
        return None

"""A run's OpenTelemetry data: what a receiver on loopback gets, and the cost of one that fails."""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from given import ACCOUNT, TOKEN, record, schema, state
from shopper import visit
from target_pinterest_capi.delivery.telemetry import EXPORT_SECONDS
from target_pinterest_capi.reporting.metrics import METRICS
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import ConfigurationError, load

VISITS = schema("visits", *visit(), key_properties=("event_id",))
LINES = [VISITS, *(record("visits", **visit(one)) for one in (1, 2)), state({"n": 2})]
BAD = [VISITS, record("visits", **visit(3, em=None))]
KEY = "secret-key-of-the-receiver"


class Collector:
    """An OTLP receiver that keeps what it gets. A status of None never responds."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.requests: list[tuple[str, str, bytes]] = []
        self._released = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                kind = self.headers["Content-Type"]
                collector.requests.append((self.path, kind, body))
                if collector.status is None:
                    collector._released.wait()
                    return
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def spans(self) -> list[Any]:
        """Return the spans received."""
        bodies = [body for path, _, body in self.requests if path == "/v1/traces"]
        return [
            span
            for body in bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> dict[str, Any]:
        """Return the metrics received, by name."""
        bodies = [body for path, _, body in self.requests if path == "/v1/metrics"]
        return {
            metric.name: metric
            for body in bodies
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A receiver that the environment names."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"x-key={KEY}")
    yield made
    made.close()


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


def test_span_of_a_run_and_of_each_request(run_target, sandbox: Sandbox, collector: Collector):
    """The run is the parent of its requests, of which a retried one is an error."""
    sandbox.faults.set([Fault("status", status=503, times=1)])
    ran = run_target(LINES, telemetry="otlp")
    assert (ran.code, ran.outcomes) == (0, {"delivered": 2})
    [run] = [span for span in collector.spans() if span.name == "run"]
    requests = [span for span in collector.spans() if span is not run]
    requests.remove(run)
    assert [span.name for span in requests] == ["POST /ad_accounts/{id}/events"] * 2
    assert {span.parent_span_id for span in requests} == {run.span_id}
    found = [attributes(span) for span in requests]
    assert [one["http.response.status_code"] for one in found] == [503, 200]
    assert [one.get("error.type") for one in found] == ["503", None]
    assert {one["server.address"] for one in found} == {"127.0.0.1"}
    assert all(run.start_time_unix_nano <= span.start_time_unix_nano for span in requests)
    assert all(span.start_time_unix_nano < span.end_time_unix_nano for span in requests)
    about = attributes(run)
    assert about["pinterest.run_id"] == ran.target.run.run_id
    assert (about["pinterest.exit_code"], about["pinterest.delivered"]) == (0, 2)


def test_metrics_are_those_of_the_table(run_target, collector: Collector):
    """Counters and gauges have the names and labels of metrics_path, in OpenTelemetry's form."""
    run_target(LINES, telemetry="otlp")
    found = collector.metrics()
    names = {f"target_pinterest_capi.{one.name.removesuffix('_total')}" for one in METRICS}
    assert set(found) <= names
    events = found["target_pinterest_capi.events"].sum
    assert events.is_monotonic
    assert {attributes(point)["outcome"]: point.as_int for point in events.data_points} == {
        "delivered": 2,
        "invalid": 0,
        "rejected": 0,
        "skipped": 0,
    }
    [point] = found["target_pinterest_capi.last_run_exit_code"].gauge.data_points
    assert attributes(point) == {"ad_account_id": ACCOUNT, "mode": "live"}


def test_run_that_failed_is_an_error(run_target, collector: Collector):
    """Its span says so, with the exit code."""
    assert run_target(BAD, telemetry="otlp").code == 3
    [run] = collector.spans()
    assert (run.status.code, attributes(run)["pinterest.exit_code"]) == (2, 3)


def test_nothing_that_is_exported_is_a_value_or_a_token(run_target, collector: Collector):
    """Spans and metrics have names and numbers: no token, address, id or digest of a record."""
    run_target(LINES, telemetry="otlp")
    everything = b"".join(body for _, _, body in collector.requests)
    values = [str(value).encode() for name, value in visit(1).items() if name in {"em", "event_id"}]
    for secret in (TOKEN.encode(), KEY.encode(), b"@example.com", *values):
        assert secret not in everything
    assert {kind for _, kind, _ in collector.requests} == {"application/x-protobuf"}


def test_standard_variables_decide(run_target, collector: Collector, monkeypatch):
    """The environment sets the service's name and compression, and can disable an exporter."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "pins")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    run_target(LINES, telemetry="otlp")
    [body] = [body for path, _, body in collector.requests if path == "/v1/traces"]
    [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    assert attributes(resource.resource)["service.name"] == "pins"
    collector.requests.clear()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert run_target(LINES, telemetry="otlp").code == 0
    assert collector.requests == []


@pytest.mark.parametrize("status", [None, 503, 400, 401])
def test_receiver_that_fails_costs_nothing_but_seconds(
    run_target, collector: Collector, status: int | None
):
    """Everything is delivered, the exit code is 0, and a line names the error, without a key."""
    collector.status = status
    began = time.monotonic()
    ran = run_target(LINES, telemetry="otlp")
    assert time.monotonic() - began < 30 + EXPORT_SECONDS
    assert (ran.code, ran.outcomes, len(ran.states)) == (0, {"delivered": 2}, 1)
    assert "Not all of the run's telemetry arrived" in ran.log
    assert KEY not in ran.log


def test_receiver_that_is_not_there(run_target, collector: Collector, monkeypatch):
    """A port without a listener is the same."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:1/{KEY}")
    ran = run_target(LINES, telemetry="otlp")
    assert (ran.code, ran.outcomes) == (0, {"delivered": 2})
    assert "Not all of the run's telemetry arrived" in ran.log
    assert KEY not in ran.log


def test_wrong_variable_costs_the_telemetry_alone(run_target, collector: Collector, monkeypatch):
    """An invalid configuration of the exporter is logged, and the run continues."""
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1")
    ran = run_target(LINES, telemetry="otlp")
    assert (ran.code, ran.outcomes) == (0, {"delivered": 2})
    assert "This run has no telemetry" in ran.log
    assert KEY not in ran.log


def test_extra_that_is_not_installed_is_a_configuration_error(config, tmp_path: Path):
    """Before anything is read, with the command that installs it: exit code 2."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config, "telemetry": "otlp"}))
    program = (
        "import sys; sys.modules['opentelemetry'] = None; "
        "from target_pinterest_capi.target import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", path],
        input=b"\n".join(LINES),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"telemetry: otlp needs the extra otel" in done.stderr
    assert b"pip install 'target-pinterest-capi[otel]'" in done.stderr


def test_nothing_is_exported_unless_asked_for(run_target, collector: Collector):
    """The variables alone have no effect."""
    run_target(LINES)
    assert collector.requests == []
    with pytest.raises(ConfigurationError, match="telemetry"):
        load({"ad_account_id": ACCOUNT, "conversion_token": TOKEN, "telemetry": "zipkin"})

"""The metrics file over several runs: as Prometheus reads it, after runs of every outcome."""

import os
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from report_sample import NOW, ordinary, report_of

from given import ACCOUNT, files_limited_to, record, schema, state
from shopper import visit
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.metrics import METRICS, PREFIX
from target_pinterest_capi.reporting.metrics_file import MAX_SERIES, write_metrics

VISITS = schema("visits", *visit(), key_properties=("event_id",))
SECRET = "someone@example.com"


def visits(*numbers: int, **columns: Any) -> list[bytes]:
    return [record("visits", **visit(number, **columns)) for number in numbers]


GOOD = [VISITS, *visits(1, 2), state({"n": 2})]
BAD = [VISITS, *visits(3, em=None)]  # nothing gets through: exit code 3


def samples(path: Path) -> dict[tuple[str, ...], float]:
    """Return values by the metric's name without its prefix, and its own labels' values."""
    order = {metric.full_name: metric.labels for metric in METRICS}
    found = {}
    for family in text_string_to_metric_families(path.read_text()):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert (labels.pop("ad_account_id"), labels.pop("mode")) == (ACCOUNT, "live")
            values = [labels.pop(name) for name in order[sample.name]]
            assert not labels
            found[sample.name.removeprefix(PREFIX), *values] = sample.value
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics" / "pinterest.prom"


def test_counters_go_on_and_gauges_are_the_last_run(run_target, file: Path):
    """After a run, a failed one and another, counters include all three, and gauges the last."""
    codes = [run_target(lines, metrics_path=str(file)).code for lines in (GOOD, BAD, GOOD)]
    assert codes == [0, 3, 0]
    found = samples(file)
    expected = {
        ("runs_total", "0"): 2,
        ("runs_total", "3"): 1,
        ("records_total",): 5,
        ("events_total", "visits", "pinterest", "delivered"): 4,
        ("events_total", "visits", "pinterest", "invalid"): 1,
        ("undelivered_total", "invalid", "no_identifier"): 1,
        ("requests_total", "first"): 2,
        ("requests_total", "retry"): 0,
        ("dead_letters_total",): 1,
        ("states_total",): 2,
        ("last_run_exit_code",): 0,
        ("last_run_without_outcome",): 0,
        ("last_run_low_quality",): 0,
    }
    assert {key: found[key] for key in expected} == expected
    ended = found["last_run_timestamp_seconds",]
    assert found["last_success_timestamp_seconds",] == ended
    assert found["last_run_coverage_ratio", visit()["event_name"], "hashed_email"] == 1


def test_failed_run_keeps_when_the_last_good_one_was(run_target, file: Path):
    """An alert on the age of the last success works while runs fail."""
    run_target(GOOD, metrics_path=str(file))
    good = samples(file)["last_success_timestamp_seconds",]
    run_target(BAD, metrics_path=str(file))
    found = samples(file)
    assert found["last_success_timestamp_seconds",] == good < found["last_run_timestamp_seconds",]
    assert found["last_run_exit_code",] == 3


@pytest.mark.parametrize(
    ("settings", "code"), [({"conversion_token": "wrong"}, 1), ({"on_invalid": "fail"}, 3)]
)
def test_run_that_stops_leaves_its_numbers(run_target, file: Path, settings, code: int):
    """A run that is stopped by an error still writes its numbers."""
    ran = run_target([VISITS, *visits(1, em=None), *GOOD[1:]], metrics_path=str(file), **settings)
    assert ran.code == code
    found = samples(file)
    assert found["runs_total", str(code)] == 1
    assert ("last_success_timestamp_seconds",) not in found


def test_full_disk_keeps_the_old_file(run_target, file: Path):
    """If there is no space for the new file, the old one stays complete, and the exit code too."""
    run_target(GOOD, metrics_path=str(file))
    before = file.read_bytes()
    with files_limited_to(100):
        ran = run_target(GOOD, metrics_path=str(file))
    assert ran.code == 0
    assert "The metrics cannot be written to metrics_path: File too large" in ran.log
    assert file.read_bytes() == before
    assert {path.name for path in file.parent.iterdir()} == {file.name, f".{file.name}.lock"}


@pytest.mark.parametrize("content", [b"\xff\xfe", b"not { metrics", b"# TYPE", b"x{a=b} 1\n"])
def test_other_content_is_replaced(run_target, file: Path, content: bytes):
    """A file without metrics is replaced, and the log says that counters begin at 0."""
    file.parent.mkdir()
    file.write_bytes(content)
    ran = run_target(GOOD, metrics_path=str(file))
    assert (ran.code, samples(file)["records_total",]) == (0, 2)
    assert "its counters start again at 0" in ran.log


def test_metrics_of_others_are_not_kept(file: Path):
    """Only this program's own metrics with their own labels are read from the file."""
    file.parent.mkdir()
    file.write_text(f"node_load1 3\n{PREFIX}records_total 7\n{PREFIX}gone_total 1\n")
    assert write_metrics(ordinary(), str(file))
    text = file.read_text()
    assert not {"node_load1", "gone_total"} & set(text.split())
    assert samples(file)["records_total",] == ordinary().run.records


def test_accounts_and_modes_have_series_of_their_own(run_target, config, file: Path):
    """A run in another mode changes no metric of live runs, gauges included."""
    run_target(GOOD, metrics_path=str(file))
    live = samples(file)
    run_target([*GOOD, *visits(7)], metrics_path=str(file), mode="dry_run")
    lines = [line for line in file.read_text().splitlines() if 'mode="dry_run"' in line]
    assert any("records_total" in line and line.endswith(" 3.0") for line in lines)
    kept = [line for line in file.read_text().splitlines() if 'mode="dry_run"' not in line]
    file.write_text("\n".join(kept) + "\n")
    assert samples(file) == live


def test_file_can_be_read_by_others(run_target, file: Path):
    """The node exporter has another user: the file is readable for others, and has no token."""
    mask = os.umask(0o022)
    try:
        run_target(GOOD, metrics_path=str(file))
    finally:
        os.umask(mask)
    assert file.stat().st_mode & 0o777 == 0o644
    assert "sandbox-token" not in file.read_text()


def test_labels_hold_no_address(file: Path):
    """Names of streams, entries and lists that look like an address are redacted as in reports."""
    counters = Counters()
    member = Origin(SECRET, SECRET)
    counters.list_origins.add(member)
    for origin in (Origin("orders", SECRET), Origin(SECRET, "x"), member):
        counters.count_outcome(origin, Outcome.DELIVERED)
    write_metrics(report_of(counters), str(file))
    assert SECRET not in file.read_text()
    assert sum("list_members_total{" in line for line in file.read_text().splitlines()) == 4


def test_many_streams_are_counted_together(file: Path):
    """Ever new streams do not grow the file without limit, and the sum keeps every event."""
    counters = Counters()
    for number in range(MAX_SERIES):
        counters.count_outcome(Origin(f"stream_{number}", ""), Outcome.DELIVERED)
    write_metrics(report_of(counters), str(file))
    found = {key: value for key, value in samples(file).items() if key[0] == "events_total"}
    assert len(found) == MAX_SERIES + 1
    assert sum(found.values()) == MAX_SERIES


def test_names_follow_prometheus(file: Path):
    """Only counters end in _total, units are base units, and the file's types agree."""
    write_metrics(ordinary(), str(file))
    kinds = {
        family.name: family.type for family in text_string_to_metric_families(file.read_text())
    }
    for metric in METRICS:
        kind = "counter" if metric.is_counter else "gauge"
        assert kinds[metric.full_name.removesuffix("_total")] == kind
        assert not {"ms", "minutes", "percent"} & set(metric.name.split("_"))
    assert samples(file)["last_run_timestamp_seconds",] == NOW.timestamp()

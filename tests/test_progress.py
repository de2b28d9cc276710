"""The progress of a run: when it is shown, its numbers, and its form in terminal and log."""

import contextlib
import io
import json
import logging
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given as generated
from hypothesis import strategies as some

from given import Clock, record, schema, settings_of, state
from shopper import visit
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.reporting import progress
from target_pinterest_capi.reporting.progress import (
    Progress,
    ProgressLine,
    ProgressReporter,
    Snapshot,
)
from target_pinterest_capi.sandbox.faults import Fault

VISITS = schema("visits", *visit(), key_properties=("event_id",))
TARGET = Path(sys.executable).with_name("target-pinterest-capi")


class Shown:
    """A reporter of a snapshot that a test sets, and its output."""

    def __init__(self, every_seconds: float) -> None:
        self.snapshot = Snapshot()
        self.lines: list[Progress] = []
        self.ends: list[Progress] = []
        self.reporter = ProgressReporter(
            lambda: self.snapshot,
            self.lines.append,
            self.ends.append,
            every_seconds=every_seconds,
            now=100,
        )

    def at(self, now: float, **counts: int | None) -> list[Progress]:
        self.snapshot = Snapshot(**counts)
        self.reporter.poll(now)
        return self.lines


# When


def test_progress_is_shown_every_so_often():
    """Nothing before the first interval, then once after each interval."""
    shown = Shown(30)
    assert [len(shown.at(now)) for now in (100, 129.9, 130, 131, 159, 165, 194.9, 195)] == [
        0,
        0,
        1,
        1,
        1,
        2,
        2,
        3,
    ]
    assert shown.reporter.next_due_at() == 225


def test_the_end_is_shown_once_and_last():
    """After the end nothing more is shown; the last progress has the time since the one before."""
    shown = Shown(30)
    shown.at(130, records=10)
    shown.snapshot = Snapshot(records=17)
    shown.reporter.end(131)
    shown.at(1000, records=17)
    assert (len(shown.lines), len(shown.ends)) == (1, 1)
    assert shown.ends[0].snapshot.records - shown.ends[0].previous.records == 7


# What


def test_speed_is_that_of_the_last_while():
    """Events per second are those with an outcome, over the time between two lines.

    If that is shorter than five seconds, over five seconds.
    """
    shown = Shown(10)
    shown.at(110, delivered=1000)
    shown.at(120, delivered=1200, rejected=50, invalid=30, skipped=20)
    assert [one.events_per_second for one in shown.lines] == [100, 30]
    fast = Shown(0.25)
    for step in range(1, 41):
        fast.at(100 + step * 0.25, delivered=step * 10)
    fast.at(110.25, delivered=400)
    assert fast.lines[0].events_per_second == 40
    assert fast.lines[-1].events_per_second == pytest.approx(40 * 20 / 21, rel=0.06)


def test_oldest_unsettled_is_shown_in_seconds():
    """The oldest unacknowledged record's age is the highest possible: from its first possible arrival."""
    shown = Shown(10)
    shown.at(105, records=50)
    shown.at(110, records=100, oldest_unsettled=80)
    shown.at(120, records=100, oldest_unsettled=80)
    shown.at(130, records=200, oldest_unsettled=150)
    shown.at(140, records=200)
    assert [one.oldest_unsettled_seconds for one in shown.lines] == [5, 15, 10, None]


@generated(
    some.lists(
        some.tuples(some.floats(0.1, 3), some.integers(0, 50), some.integers(0, 50)), max_size=60
    )
)
def test_the_age_is_never_too_small(steps):
    """In any sequence of arrivals and acknowledgements, no record is older than the age shown."""
    shown, now, records, settled = Shown(2), 100.0, 0, 0
    arrived: list[float] = []
    for seconds, come, settle in steps:
        arrived += [now] * come  # just after the last poll: the worst case
        now, records, settled = now + seconds, records + come, min(settled + settle, records + come)
        shown.at(now, records=records, oldest_unsettled=settled + 1 if settled < records else None)
        if shown.lines and shown.lines[-1].seconds == now - 100 and settled < records:
            assert shown.lines[-1].oldest_unsettled_seconds >= now - arrived[settled] - 1e-9


def test_memory_is_bounded():
    """A run whose oldest record waits for hours keeps few samples, and still knows its age."""
    shown = Shown(1)
    for second in range(1, 10_000):
        shown.at(100 + second, records=second, oldest_unsettled=1)
    assert shown.lines[-1].oldest_unsettled_seconds == 9999
    assert len(shown.reporter._records) <= progress._MAX_SAMPLES + 1


def test_words_and_numbers():
    """A terminal gets a short line without normal values; the log gets every number by name."""
    made = Progress(Snapshot(1200, 1000, 0, 2, 0, 7, 1003), Snapshot(), 12.3456, 449.96, 3.21)
    assert (
        made.words
        == "1,200 records, 1,000 delivered, 2 rejected, 450 events/s, oldest unacknowledged 3 s"
    )
    assert made.numbers() == {
        "records": 1200,
        "delivered": 1000,
        "invalid": 0,
        "rejected": 2,
        "skipped": 0,
        "requests": 7,
        "seconds": 12.346,
        "events_per_second": 450.0,
        "oldest_unsettled_seconds": 3.21,
    }
    settled = Progress(Snapshot(5, 1, 2, 0, 2), Snapshot(), 1, 0, None)
    assert settled.words == "5 records, 1 delivered, 0 rejected, 2 invalid, 2 skipped, 0 events/s"


def test_a_run_is_watched_while_it_waits():
    """The run wakes up to show its progress, even if nothing else is due."""
    clock = Clock()
    run = Run(settings_of(), lambda _: None, clock=clock)
    reported: list[Progress] = []
    run.watch = ProgressReporter(
        run.snapshot, reported.append, reported.append, every_seconds=30, now=clock()
    )
    assert run.seconds_until_due() == 30
    run.sequence = 3
    clock.advance(30)
    run.poll()
    run.close()
    assert [(one.snapshot, one.seconds) for one in reported] == [(Snapshot(records=3), 30)]


# The line


class Terminal(io.StringIO):
    """A terminal's output, as text."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return -1  # it does not tell its width


def made(records: int) -> Progress:
    return Progress(Snapshot(records=records), Snapshot(), 1, 0, None)


def test_the_line_is_drawn_over_itself():
    """Each line erases the one before, fits the terminal, and does not end in a newline."""
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.draw(made(1))
    line.draw(made(10**60))
    pictures = terminal.getvalue().split("\r\x1b[2K")
    assert pictures[0] == ""
    assert pictures[1].startswith("1 records")
    assert len(pictures[2]) == 79
    assert "\n" not in terminal.getvalue()


def test_the_line_makes_way_for_the_log(monkeypatch):
    """Log lines replace the progress line, which is drawn again below, and erased at the end."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    handler = logging.StreamHandler(terminal)
    root, log = logging.getLogger(), logging.getLogger("a-test-of-progress")
    root.addHandler(handler)
    try:
        watched = progress.watch(
            lambda: Snapshot(records=5), terminal, pytest.fail, pytest.fail, now=100
        )
        watched.poll(101)
        log.warning("something")
        log.warning("more")
        watched.poll(102)
        watched.end(103)
        log.warning("after")
    finally:
        root.removeHandler(handler)
    erase, words = "\r\x1b[2K", made(5).words
    assert (
        terminal.getvalue() == f"{erase}{words}{erase}something\nmore\n{erase}{words}{erase}after\n"
    )


@pytest.mark.parametrize(
    ("stream", "term", "expected"),
    [(Terminal, "xterm", True), (Terminal, "dumb", False), (io.StringIO, "xterm", False)],
)
def test_where_a_line_moves(monkeypatch, stream, term, expected):
    """The progress line is only drawn in a terminal that supports it."""
    monkeypatch.setenv("TERM", term)
    assert progress.can_move_line(stream()) is expected


# The target


def test_the_end_of_a_run_in_the_log(run_target, caplog):
    """Without a terminal the end is logged, with numbers by name and the SDK's metrics of all."""
    ran = run_target(
        [VISITS, *(record("visits", **visit(number)) for number in range(25)), state({"n": 1})]
    )
    points = [row.args[0].to_dict() for row in caplog.records if row.msg == "METRIC: %s"]
    assert {point["metric"]: point["value"] for point in points} == {
        "record_count": 25,
        "http_request_count": 1,
    }
    assert {(point["type"], point["tags"]["pid"]) for point in points} == {("counter", os.getpid())}
    last = caplog.records[-1].__dict__
    expected = {"records": 25, "delivered": 25, "rejected": 0, "requests": 1, "exit_code": 0}
    assert {name: last[name] for name in expected} == expected
    assert last["seconds"] >= 0
    assert ran.code == 0


def test_a_line_in_the_log_now_and_then(run_target, caplog):
    """A long run logs every number by name, and the metrics since the line before."""
    ran = run_target([VISITS, record("visits", **visit(1))])
    caplog.clear()
    with caplog.at_level("INFO"):
        ran.target._log_progress(
            Progress(Snapshot(30, 20, requests=3), Snapshot(10, 5, requests=1), 60, 0.5, None)
        )
    row, *points = caplog.records
    assert row.getMessage() == "Progress: 30 records, 20 delivered, 0 rejected, 0 events/s."
    assert (row.__dict__["records"], row.__dict__["seconds"]) == (30, 60)
    assert [point.args[0].value for point in points] == [20, 2]


@pytest.mark.slow
def test_a_line_that_moves_in_a_terminal(config, tmp_path, sandbox):
    """A terminal shows a progress line that is erased at the end; only the summary is logged."""
    sandbox.faults.set([Fault("latency", seconds=0.7)])
    (tmp_path / "config.json").write_text(json.dumps(config))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [TARGET, "--config", "config.json"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    out, _ = process.communicate(
        b"\n".join([VISITS, record("visits", **visit(1)), state({"n": 1})]) + b"\n", timeout=120
    )
    shown = b""
    # Linux raises it when the other end is closed and all was read.
    with contextlib.suppress(OSError):
        while more := os.read(ours, 65536):
            shown += more
    os.close(ours)
    assert (process.returncode, out) == (0, b'{"n": 1}\n')
    pictures = shown.decode().split("\r\x1b[2K")
    assert any(
        picture.startswith("1 records, 0 delivered, 0 rejected")
        and "oldest unacknowledged" in picture
        for picture in pictures
    )
    assert "Done after 1 records" in pictures[-1]
    assert "METRIC" not in shown.decode()


class HungUp(io.StringIO):
    """A terminal that was closed."""

    def isatty(self) -> bool:
        return True

    def write(self, _: str) -> int:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("stream", [HungUp(), open(os.devnull, "w")])  # noqa: PTH123, SIM115
def test_terminal_that_goes_away_ends_nothing(stream):
    """The line is no longer drawn; log handlers continue."""
    if not isinstance(stream, HungUp):
        stream.close()
    line = ProgressLine(stream)
    for _ in range(2):
        line.draw(Progress(Snapshot(), Snapshot(), 1.0, 0.0, None))
        assert line.erase() is True

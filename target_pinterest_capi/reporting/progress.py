"""The progress of a run: a line that is redrawn in a terminal, elsewhere a log line.

Decides when progress is shown and what: counts, rate, and how long the oldest record has waited for
its outcome. Gets plain numbers from the run. Times are seconds of the run's own monotonic clock.
Has no value of a record.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TextIO

TERMINAL_SECONDS: Final = 0.25  # between two drawings of the line
LOG_SECONDS: Final = 30.0
RATE_SECONDS: Final = 5.0  # a rate is for at least this long, so that it is stable
_SAMPLE_SECONDS: Final = 1.0
_MAX_SAMPLES: Final = 2048
_USUAL_COLUMNS: Final = 80  # of a terminal with unknown width
_ERASE: Final = "\r\x1b[2K"


class Snapshot(NamedTuple):
    """The state of a run: records that arrived, events by outcome, requests.

    `oldest_unsettled` is the number of the oldest record without an outcome.
    """

    records: int = 0
    delivered: int = 0
    invalid: int = 0
    rejected: int = 0
    skipped: int = 0
    requests: int = 0
    oldest_unsettled: int | None = None

    @property
    def settled(self) -> int:
        """Events with an outcome."""
        return self.delivered + self.invalid + self.rejected + self.skipped


class Progress(NamedTuple):
    """The state of a run after `seconds`, and its state when it was last shown."""

    snapshot: Snapshot
    previous: Snapshot
    seconds: float
    events_per_second: float
    oldest_unsettled_seconds: float | None

    @property
    def words(self) -> str:
        """As text: `1,200 records, 1,000 delivered, 2 rejected, 450 events/s`."""
        now = self.snapshot
        parts = [
            f"{now.records:,} records",
            f"{now.delivered:,} delivered",
            f"{now.rejected:,} rejected",
        ]
        if now.invalid:
            parts.append(f"{now.invalid:,} invalid")
        if now.skipped:
            parts.append(f"{now.skipped:,} skipped")
        parts.append(f"{self.events_per_second:,.0f} events/s")
        if self.oldest_unsettled_seconds is not None:
            parts.append(f"oldest unacknowledged {self.oldest_unsettled_seconds:,.0f} s")
        return ", ".join(parts)

    def numbers(self) -> dict[str, Any]:
        """Return all numbers by name, for a structured log."""
        counts = self.snapshot._asdict()
        del counts["oldest_unsettled"]
        oldest = self.oldest_unsettled_seconds
        return {
            **counts,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.events_per_second, 1),
            "oldest_unsettled_seconds": None if oldest is None else round(oldest, 3),
        }


class ProgressPoint(NamedTuple):
    """Counts at a time."""

    at: float
    total: int


class ProgressReporter:
    """Shows a run's progress at intervals, from `now` on.

    `read` returns the run's state; `show` gets the progress, and `show_end` the last one.
    """

    def __init__(
        self,
        read: Callable[[], Snapshot],
        show: Callable[[Progress], None],
        show_end: Callable[[Progress], None],
        *,
        every_seconds: float,
        now: float,
    ) -> None:
        self._read = read
        self._show = show
        self._show_end = show_end
        self._every_seconds = every_seconds
        self._started_at = now
        self._due_at = now + every_seconds
        self._sampled_at = now
        self._previous = Snapshot()
        self._records = deque([ProgressPoint(now, 0)])  # that had arrived
        self._settled = deque([ProgressPoint(now, 0)])  # events that had their outcome

    def next_due_at(self) -> float:
        """Return the time at which there is something to show."""
        return self._due_at

    def poll(self, now: float) -> None:
        """Show the progress if it is due. Otherwise this costs only a comparison."""
        if now >= self._due_at:
            self._due_at = now + self._every_seconds
            self._show(self._progress(now))
        elif now >= self._sampled_at + _SAMPLE_SECONDS:
            self._sample(now, self._read())

    def end(self, now: float) -> None:
        """Show the progress for the last time."""
        self._due_at = float("inf")
        self._show_end(self._progress(now))

    def _progress(self, now: float) -> Progress:
        snapshot = self._read()
        self._sample(now, snapshot)
        previous = self._previous
        self._previous = snapshot
        waited = None
        if snapshot.oldest_unsettled is not None:
            waited = now - self._records[0].at
        return Progress(
            snapshot,
            previous,
            seconds=now - self._started_at,
            events_per_second=self._rate(now, snapshot),
            oldest_unsettled_seconds=waited,
        )

    def _rate(self, now: float, snapshot: Snapshot) -> float:
        since, settled = self._settled[0]
        if now <= since:
            return 0.0
        return (snapshot.settled - settled) / (now - since)

    def _sample(self, now: float, snapshot: Snapshot) -> None:
        """Add the current sample, and drop those that are no longer needed."""
        self._sampled_at = now
        self._settled.append(ProgressPoint(now, snapshot.settled))
        rate_since = now - max(RATE_SECONDS, self._every_seconds)
        _drop_first(self._settled, lambda following: following.at <= rate_since, keep=2)
        self._records.append(ProgressPoint(now, snapshot.records))
        oldest = snapshot.oldest_unsettled
        if oldest is None:
            oldest = snapshot.records + 1
        _drop_first(self._records, lambda following: following.total < oldest, keep=1)
        # For a run that waits for hours, every second sample is enough.
        if len(self._records) > _MAX_SAMPLES:
            first, *rest = self._records
            self._records = deque([first, *rest[1::2]])


def _drop_first(
    samples: deque[ProgressPoint], is_enough: Callable[[ProgressPoint], bool], keep: int
) -> None:
    """Drop the first samples while the next one is old enough too."""
    while len(samples) > keep and is_enough(samples[1]):
        samples.popleft()


class ProgressLine:
    """The last line of a terminal, which is redrawn, and removed while other lines are written.

    If the terminal goes away, only the line ends.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_drawn = False
        self._is_lost = False

    def draw(self, progress: Progress) -> None:
        """Draw the progress over the line, within the terminal's width."""
        self._write(_ERASE + progress.words[: _columns(self._stream) - 1])
        self._is_drawn = True

    def erase(self, _: object = None) -> bool:
        """Remove the line, if any. Returns True, so it can be the filter of a log handler."""
        if self._is_drawn:
            self._write(_ERASE)
            self._is_drawn = False
        return True

    def _write(self, text: str) -> None:
        if self._is_lost:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # it was hung up, or closed
            self._is_lost = True


def watch(
    read: Callable[[], Snapshot],
    stream: TextIO,
    log: Callable[[Progress], None],
    log_end: Callable[[Progress], None],
    *,
    now: float,
) -> ProgressReporter:
    """Return what redraws a line in a terminal, and elsewhere logs with `log` and `log_end`.

    Until the end, output of the root logger's handlers appears above the line.
    """
    if not can_move_line(stream):
        return ProgressReporter(read, log, log_end, every_seconds=LOG_SECONDS, now=now)
    line = ProgressLine(stream)
    handlers = tuple(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(line.erase)

    def end(_: Progress) -> None:
        line.erase()
        for handler in handlers:
            handler.removeFilter(line.erase)

    return ProgressReporter(read, line.draw, end, every_seconds=TERMINAL_SECONDS, now=now)


def can_move_line(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError):
        return _USUAL_COLUMNS

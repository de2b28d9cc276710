"""How far a run is, while it goes on: a line that moves in a terminal, else something to log now and then.

Owns when to tell and what: counts, how fast, and how long the oldest record has waited for its outcome. Asks the run for plain
numbers and hands words to whoever shows them. Times are seconds of the run's own monotonic clock. Holds no value of a record.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TextIO

TERMINAL_SECONDS: Final = 0.25  # between two pictures of the line
LOG_SECONDS: Final = 30.0
RATE_SECONDS: Final = 5.0  # a speed is that of this long at least, so that it can be read
_SAMPLE_SECONDS: Final = 1.0
_MAX_SAMPLES: Final = 2048
_USUAL_COLUMNS: Final = 80  # of a terminal that does not tell
_ERASE: Final = "\r\x1b[2K"


class Snapshot(NamedTuple):
    """Where a run is: records that arrived, events by outcome, requests, and the number of the oldest unsettled record."""

    records: int = 0
    delivered: int = 0
    invalid: int = 0
    rejected: int = 0
    skipped: int = 0
    requests: int = 0
    oldest_unsettled: int | None = None

    @property
    def settled(self) -> int:
        """Events that have their outcome."""
        return self.delivered + self.invalid + self.rejected + self.skipped


class Progress(NamedTuple):
    """A standing in time: `seconds` since the start; the rate of the last while; `before` is what was told last."""

    standing: Snapshot
    before: Snapshot
    seconds: float
    events_per_second: float
    oldest_unsettled_seconds: float | None

    @property
    def words(self) -> str:
        """For people: `1,200 records, 1,000 delivered, 2 rejected, 450 events/s, oldest unsettled 3 s`."""
        standing = self.standing
        parts = [
            f"{standing.records:,} records",
            f"{standing.delivered:,} delivered",
            f"{standing.rejected:,} rejected",
        ]
        parts += [
            f"{count:,} {name}"
            for name, count in (("invalid", standing.invalid), ("skipped", standing.skipped))
            if count
        ]
        parts.append(f"{self.events_per_second:,.0f} events/s")
        if self.oldest_unsettled_seconds is not None:
            parts.append(f"oldest unsettled {self.oldest_unsettled_seconds:,.0f} s")
        return ", ".join(parts)

    def members(self) -> dict[str, Any]:
        """For programs: names and numbers, as a structured log has them."""
        counts = {
            name: value
            for name, value in self.standing._asdict().items()
            if name != "oldest_unsettled"
        }
        oldest = self.oldest_unsettled_seconds
        return {
            **counts,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.events_per_second, 1),
            "oldest_unsettled_seconds": None if oldest is None else round(oldest, 3),
        }


class ProgressReporter:
    """Tells how far a run is, every so often. `read` gives the standing; `tell` gets the progress, `tell_end` the last one.

    `now` starts it.
    """

    def __init__(
        self,
        read: Callable[[], Snapshot],
        tell: Callable[[Progress], None],
        tell_end: Callable[[Progress], None],
        *,
        every_seconds: float,
        now: float,
    ) -> None:
        self._read = read
        self._tell = tell
        self._tell_end = tell_end
        self._every_seconds = every_seconds
        self._started_at = now
        self._due_at = now + every_seconds
        self._sampled_at = now
        self._before = Snapshot()
        self._arrivals: deque[tuple[float, int]] = deque(
            [(now, 0)]
        )  # when as many records had come
        self._settled: deque[tuple[float, int]] = deque(
            [(now, 0)]
        )  # when as many events had their outcome

    def next_due_at(self) -> float:
        """Give the time at which there is something to tell."""
        return self._due_at

    def poll(self, now: float) -> None:
        """Tell where it is time to. Costs a comparison where it is not."""
        if now >= self._due_at:
            self._due_at = now + self._every_seconds
            self._tell(self.progress(now))
        elif now >= self._sampled_at + _SAMPLE_SECONDS:
            self._sample(now, self._read())

    def end(self, now: float) -> None:
        """Tell for the last time."""
        self._due_at = float("inf")
        self._tell_end(self.progress(now))

    def progress(self, now: float) -> Progress:
        """Give the progress since it was last given."""
        standing = self._read()
        self._sample(now, standing)
        began, settled = self._settled[0]
        rate = (standing.settled - settled) / (now - began) if now > began else 0.0
        oldest = standing.oldest_unsettled
        waited = None if oldest is None else now - self._arrivals[0][0]
        before, self._before = self._before, standing
        return Progress(standing, before, now - self._started_at, rate, waited)

    def _sample(self, now: float, standing: Snapshot) -> None:
        """Note the time, and forget what came before the oldest unsettled record and before the rate's time."""
        self._sampled_at = now
        self._settled.append((now, standing.settled))
        while len(self._settled) > 2 and self._settled[1][0] <= now - max(  # noqa: PLR2004
            RATE_SECONDS, self._every_seconds
        ):
            self._settled.popleft()
        self._arrivals.append((now, standing.records))
        oldest = (
            standing.oldest_unsettled
            if standing.oldest_unsettled is not None
            else standing.records + 1
        )
        while len(self._arrivals) > 1 and self._arrivals[1][1] < oldest:
            self._arrivals.popleft()
        if (
            len(self._arrivals) > _MAX_SAMPLES
        ):  # a run that waits for hours: every second one tells as much
            self._arrivals = deque([self._arrivals[0], *list(self._arrivals)[2::2]])


class ProgressLine:
    """The last line of a terminal, drawn over itself, that makes way for what else is written there."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_drawn = False

    def draw(self, progress: Progress) -> None:
        """Show the progress in the line's place, as much as the terminal is wide."""
        self._stream.write(_ERASE + progress.words[: _columns(self._stream) - 1])
        self._stream.flush()
        self._is_drawn = True

    def make_way(self, _: object = None) -> bool:
        """Remove the line, if it is there; True, so that it can be the filter of a log's handler."""
        if self._is_drawn:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._is_drawn = False
        return True


def watch(
    read: Callable[[], Snapshot],
    stream: TextIO,
    log: Callable[[Progress], None],
    log_end: Callable[[Progress], None],
    *,
    now: float,
) -> ProgressReporter:
    """Give a watch that moves a line on the stream where it is a terminal, and elsewhere logs by `log` and `log_end`.

    What handlers of the root logger write comes above the line, until the end.
    """
    if not moves(stream):
        return ProgressReporter(read, log, log_end, every_seconds=LOG_SECONDS, now=now)
    line, handlers = ProgressLine(stream), tuple(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(line.make_way)

    def end(_: Progress) -> None:
        line.make_way()
        for handler in handlers:
            handler.removeFilter(line.make_way)

    return ProgressReporter(read, line.draw, end, every_seconds=TERMINAL_SECONDS, now=now)


def moves(stream: TextIO) -> bool:
    """Tell whether a line can move there: a terminal that knows its cursor."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except OSError:
        return _USUAL_COLUMNS

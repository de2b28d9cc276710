"""A program takes turns with the floor on one core, which shows how fast the machine is meanwhile.

Other work on a shared machine changes its speed by half within a second, so the times of two runs
cannot be compared. Here a run is stopped after every slice of time, and the floor goes on for as
long. What the run used in its slice is converted to what it would have used at the speed that the
floor had when the session began. Needs Linux. As a program it is that floor: it processes a file
again and again until it is killed, and counts its records in a file.
"""

import mmap
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import chain, islice, pairwise
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Final, NamedTuple, Self

from benchmarks.floor import bodies, collect_garbage_rarely

SLICE_SECONDS: Final = 0.05
_CALIBRATING_SLICES: Final = 60
_AT_ONCE: Final = 100  # records that are counted together
_COUNTER_BYTES: Final = 8


class Slice(NamedTuple):
    """A part of a run: when it began and ended (monotonic seconds), and its CPU time.

    `speed` is the machine's meanwhile, as a share of the speed at the beginning of the session.
    """

    began_at: float
    ended_at: float
    cpu_seconds: float
    speed: float


class Turns(NamedTuple):
    """A run in slices, and its `ru_maxrss`."""

    slices: tuple[Slice, ...]
    max_rss: int

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU time at the speed of the session's beginning."""
        return sum(one.cpu_seconds * one.speed for one in self.slices)

    def seconds_until(self, at: float) -> float:
        """Return the time from the start until a moment, without pauses, at that same speed."""
        return sum(
            (min(one.ended_at, at) - one.began_at) * one.speed
            for one in self.slices
            if one.began_at < at
        )


class _Done(NamedTuple):
    """What the floor did in a slice: how many records, in how much CPU time."""

    records: int
    cpu_seconds: float


def _rate(*slices: _Done) -> float:
    """Return the floor's records per second in some slices."""
    return sum(one.records for one in slices) / max(1e-9, sum(one.cpu_seconds for one in slices))


class Yardstick:
    """The floor's process, for the duration of a `with` block.

    It has the first of this process's cores to itself and to the runs; this process leaves it.
    """

    def __init__(self, lines: Path, folder: Path) -> None:
        self._lines = lines
        self._counter = folder / "yardstick"
        self._stack = ExitStack()
        self._cores = os.sched_getaffinity(0)
        self._core = min(self._cores)
        self._records = 0
        self._cpu_seconds = 0.0
        self._usual_rate = 0.0

    def __enter__(self) -> Self:
        self._counter.write_bytes(bytes(_COUNTER_BYTES))
        file = self._stack.enter_context(self._counter.open("r+b"))
        self._count = self._stack.enter_context(mmap.mmap(file.fileno(), _COUNTER_BYTES))
        words = [sys.executable, "-m", __spec__.name, str(self._lines), str(self._counter)]
        self._process = self.start_stopped(words)
        os.sched_setaffinity(0, self._cores - {self._core} or self._cores)
        while not self._read_count():
            self._let_floor_run()
        first = [self._let_floor_run() for _ in range(_CALIBRATING_SLICES)]
        self._usual_rate = median(map(_rate, first))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.sched_setaffinity(0, self._cores)
        self._stack.close()

    def on_all_cores(self) -> AbstractContextManager[None]:
        """Let programs that start in the `with` block use the core, too; the floor is stopped."""
        return _affinity(self._cores)

    def start_stopped(self, words: list[str], **options: object) -> "subprocess.Popen[bytes]":
        """Start a program on the core, and stop it at once. `options` are those of `Popen`."""
        with _affinity({self._core}):  # which a program inherits
            process = subprocess.Popen(words, **options)  # type: ignore[call-overload]  # noqa: S603 - the cases' own words
            os.kill(process.pid, signal.SIGSTOP)
        return process  # type: ignore[no-any-return]

    def take_turns(self, process: "subprocess.Popen[bytes]") -> Turns:
        """Let a stopped program run to its end."""
        parts: list[tuple[float, float, float]] = []
        done = [self._let_floor_run()]
        used, has_ended = 0.0, False
        with ExitStack() as stack:
            end = os.pidfd_open(process.pid)
            stack.callback(os.close, end)
            while not has_ended:
                began_at = time.monotonic()
                os.kill(process.pid, signal.SIGCONT)  # `send_signal` would wait for it first
                has_ended = bool(select.select([end], [], [], SLICE_SECONDS)[0])
                if has_ended:
                    _, status, usage = os.wait4(process.pid, 0)
                    until_now = usage.ru_utime + usage.ru_stime
                else:
                    os.kill(process.pid, signal.SIGSTOP)
                    until_now = _cpu_seconds(process.pid)
                parts.append((began_at, time.monotonic(), until_now - used))
                used = until_now
                done.append(self._let_floor_run())
        process.returncode = os.waitstatus_to_exitcode(status)
        slices = [
            Slice(*part, _rate(before, after) / self._usual_rate)
            for part, (before, after) in zip(parts, pairwise(done), strict=True)
        ]
        return Turns(tuple(slices), usage.ru_maxrss)

    def _let_floor_run(self) -> _Done:
        """Let it run for a slice."""
        os.kill(self._process.pid, signal.SIGCONT)
        time.sleep(SLICE_SECONDS)
        os.kill(self._process.pid, signal.SIGSTOP)
        records, seconds = self._read_count(), _cpu_seconds(self._process.pid)
        done = _Done(records - self._records, seconds - self._cpu_seconds)
        self._records, self._cpu_seconds = records, seconds
        return done

    def _read_count(self) -> int:
        return int.from_bytes(self._count[:], sys.byteorder)


@contextmanager
def _affinity(cores: set[int]) -> Iterator[None]:
    """Run on some cores within the block, as do programs that are started there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process that still runs, as `clock_getcpuclockid` would have it."""
    return time.clock_gettime(~pid << 3 | 2)


def _run_floor(lines: Path, counter: Path) -> None:
    with (
        counter.open("r+b") as file,
        mmap.mmap(file.fileno(), _COUNTER_BYTES) as count,
    ):

        def read() -> Iterator[list[bytes]]:
            records, parent = 0, os.getppid()
            while os.getppid() == parent:  # also if that one was killed
                with lines.open("rb") as source:
                    while some := list(islice(source, _AT_ONCE)):
                        yield some
                        records += len(some)
                        count[:] = records.to_bytes(_COUNTER_BYTES, sys.byteorder)

        collect_garbage_rarely()
        for _ in bodies(chain.from_iterable(read())):
            pass


if __name__ == "__main__":
    _run_floor(Path(sys.argv[1]), Path(sys.argv[2]))

"""Runs one program, or several at once, and returns what they used.

That is time, CPU, peak memory and exit codes. A child's output goes to files, so that this
process stays small: on Linux a child's peak memory starts with its parent's at that time (`wait4`,
ru_maxrss).
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, NamedTuple

from benchmarks.yardstick import Turns, Yardstick

_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
_MAXRSS_BYTES: Final = 1 if sys.platform == "darwin" else 1024  # its unit


class ChildError(RuntimeError):
    """A measured program failed; the text has its name, and its last log lines."""


class Took(NamedTuple):
    """What the programs of one measurement used.

    That is the time from the first start to the last end, the CPU time of all, the largest peak.
    With `turns` the times are without pauses, and at one speed of the machine.
    """

    started_at: float
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    turns: Turns | None = None

    def seconds_until(self, at: float) -> float:
        """Return the time from the start until a moment in monotonic seconds."""
        return at - self.started_at if self.turns is None else self.turns.seconds_until(at)


class Command(NamedTuple):
    """A program's command line, the files of its standard input, and where it may write.

    Several files reach it through `cat`. `bytecode` is the folder of Python's compiled modules: as
    in an installation, a module is compiled once, whatever this process's options are.
    """

    words: Sequence[str]
    inputs: Sequence[Path]
    folder: Path
    bytecode: Path

    @property
    def log(self) -> Path:
        """Return the file of its stderr."""
        return self.folder / "stderr.log"

    @property
    def output(self) -> Path:
        """Return the file of its stdout."""
        return self.folder / "stdout.txt"

    @property
    def environment(self) -> dict[str, str]:
        """Return this process's environment, except for the folder of bytecode."""
        kept = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
        return {**kept, "PYTHONPYCACHEPREFIX": str(self.bytecode)}


def run(*commands: Command) -> Took:
    """Run the programs at once and wait for all.

    Raises `ChildError` if the exit code of one is not 0.
    """
    started_at = time.monotonic()
    with ExitStack() as feeders:
        started = [_start(command, feeders, subprocess.Popen) for command in commands]
        cpu_seconds, peak_bytes = 0.0, 0
        for process in started:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu_seconds += usage.ru_utime + usage.ru_stime
            peak_bytes = max(peak_bytes, usage.ru_maxrss * _MAXRSS_BYTES)
        wall_seconds = time.monotonic() - started_at
    for process, command in zip(started, commands, strict=True):
        _check(process, command)
    return Took(started_at, wall_seconds, cpu_seconds, peak_bytes)


def run_in_turns(command: Command, yardstick: Yardstick) -> Took:
    """Run a program in turns with the floor. Raises `ChildError` as `run` does."""
    with ExitStack() as feeders:
        process = _start(command, feeders, yardstick.start_stopped)
        turns = yardstick.take_turns(process)
    _check(process, command)
    return Took(
        turns.slices[0].began_at,
        turns.seconds_until(turns.slices[-1].ended_at),
        turns.cpu_seconds,
        turns.max_rss * _MAXRSS_BYTES,
        turns,
    )


def _check(process: "subprocess.Popen[bytes]", command: Command) -> None:
    if process.returncode:
        raise ChildError(
            f"{Path(command.words[0]).name} exited with {process.returncode}: "
            f"{_last_line(command.log)}"
        )


def _start(
    command: Command,
    feeders: ExitStack,
    start: Callable[..., "subprocess.Popen[bytes]"],
) -> "subprocess.Popen[bytes]":
    command.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        if len(command.inputs) == 1:
            source: IO[bytes] | None = files.enter_context(command.inputs[0].open("rb"))
        else:
            words = ["cat", *map(str, command.inputs)]
            source = feeders.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE)).stdout  # noqa: S603 - our own files
            if source is not None:
                files.callback(source.close)  # so that it ends when the program does
        log, output = (
            files.enter_context(path.open("wb")) for path in (command.log, command.output)
        )
        return start(
            command.words, stdin=source, stdout=output, stderr=log, env=command.environment
        )


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it logged nothing"

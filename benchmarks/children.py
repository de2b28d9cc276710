"""Runs one program or several at once to their ends, and gives what they took.

That is wall clock, CPU, peak memory and exit codes. Nothing of a child's output comes here: it goes
to files, so that this process stays small. It must: on Linux a child's peak starts at what its
parent held when it was started (`wait4`, ru_maxrss).
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, NamedTuple

_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
_MAXRSS_BYTES: Final = 1 if sys.platform == "darwin" else 1024  # its unit


class ChildError(RuntimeError):
    """A program that was to be measured failed; says which, and what it logged last."""


class Took(NamedTuple):
    """What the programs of one measurement took.

    That is the time from the first start to the last end, the CPU time of all, the largest peak.
    """

    started_at: float
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


class Command(NamedTuple):
    """A program's command line, the files of its standard input, and where it may write.

    Several files reach it through `cat`. `bytecode` is where Python keeps what it compiles: as in
    an installation a module is compiled once, whatever this process was told.
    """

    words: Sequence[str]
    inputs: Sequence[Path]
    folder: Path
    bytecode: Path

    @property
    def log(self) -> Path:
        """Where its stderr goes."""
        return self.folder / "stderr.log"

    @property
    def output(self) -> Path:
        """Where its stdout goes."""
        return self.folder / "stdout.txt"

    @property
    def environment(self) -> dict[str, str]:
        """This process's, but for bytecode."""
        kept = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
        return {**kept, "PYTHONPYCACHEPREFIX": str(self.bytecode)}


def run(*commands: Command) -> Took:
    """Run the programs at once and wait for all.

    Raises `ChildError` where one exits with anything but 0.
    """
    started_at = time.monotonic()
    with ExitStack() as feeders:
        started = [_start(command, feeders) for command in commands]
        cpu_seconds, peak_bytes = 0.0, 0
        for process in started:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu_seconds += usage.ru_utime + usage.ru_stime
            peak_bytes = max(peak_bytes, usage.ru_maxrss * _MAXRSS_BYTES)
        wall_seconds = time.monotonic() - started_at
    for process, command in zip(started, commands, strict=True):
        if process.returncode:
            raise ChildError(
                f"{Path(command.words[0]).name} exited with {process.returncode}: "
                f"{_last_line(command.log)}"
            )
    return Took(started_at, wall_seconds, cpu_seconds, peak_bytes)


def _start(command: Command, feeders: ExitStack) -> "subprocess.Popen[bytes]":
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
        return subprocess.Popen(  # noqa: S603 - the cases' own words
            command.words, stdin=source, stdout=output, stderr=log, env=command.environment
        )


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it logged nothing"

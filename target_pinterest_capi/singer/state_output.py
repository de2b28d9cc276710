"""STATE to stdout, for the tap's next run: one line per value, written completely or not at all."""

import errno
import io
import os
import select
import sys
from collections.abc import Callable
from typing import Final

# A writable pipe accepts at least this much at once, without blocking (POSIX).
_PIECE_BYTES: Final = select.PIPE_BUF
_LOOK_SECONDS: Final = 0.5  # how often a wait for the reader checks for a signal
LEAST_SECONDS: Final = 1.0  # for a line that is due when the grace time is over


def write_state(value: bytes, seconds_left: Callable[[], float | None] = lambda: None) -> None:
    """Write a STATE's value as a line to stdout, at the pace of its reader.

    `seconds_left` returns how long to wait for the reader; None: without a limit. Raises `OSError`
    if the line was not written completely.

    Python's buffer is bypassed: it would keep what could not be written, and try again when the
    process ends.
    """
    try:
        stdout = sys.stdout.fileno()
    except io.UnsupportedOperation:  # it has no file descriptor, as in a test
        sys.stdout.write(value.decode() + "\n")
        sys.stdout.flush()
        return
    except (AttributeError, ValueError):  # there is none: it was closed before we began
        raise OSError(errno.EBADF, "stdout is closed") from None
    unwritten = memoryview(value + b"\n")
    while unwritten:
        _wait_until_writable(stdout, seconds_left)
        try:
            unwritten = unwritten[os.write(stdout, unwritten[:_PIECE_BYTES]) :]
        except BlockingIOError:  # it filled up after all: wait again
            continue


def _wait_until_writable(fd: int, seconds_left: Callable[[], float | None]) -> None:
    """Wait for the reader. Raises `TimeoutError` if it accepts nothing in time."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    waited = 0.0
    while not poll.poll(_LOOK_SECONDS * 1000):
        waited += _LOOK_SECONDS
        left = seconds_left()
        if left is not None and left <= 0 and waited >= LEAST_SECONDS:
            raise TimeoutError(errno.ETIMEDOUT, "its reader accepts nothing")

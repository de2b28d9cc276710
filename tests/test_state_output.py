"""STATE on stdout: complete lines at the reader's pace, or an error in limited time."""

import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from target_pinterest_capi.singer.state_output import write_state

LONG = b'{"n": "' + b"x" * 300_000 + b'"}'


@contextmanager
def piped_stdout() -> Iterator[tuple[int, TextIO]]:
    """Yield the reader's end of a pipe whose other end is stdout, and that end.

    Not a fixture, since pytest replaces stdout between set-up and test.
    """
    read_fd, write_fd = os.pipe()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(write_fd, "w") as out:
        patch.setattr(sys, "stdout", out)
        yield read_fd, out
    os.close(read_fd)


def read_until_line_end(fd: int) -> bytes:
    """Read like a slow reader: a little at a time, to the end of a line."""
    read = b""
    while not read.endswith(b"\n"):
        assert select.select([fd], [], [], 60)[0], "nothing came"
        read += os.read(fd, 1000)
    return read


@pytest.mark.parametrize("is_blocking", [True, False])
@pytest.mark.parametrize("value", [b"{}", LONG])
def test_line_is_whole_whatever_the_pipe_holds(is_blocking: bool, value: bytes):
    """A line longer than the pipe waits for its reader, even if the pipe does not block."""
    with piped_stdout() as (read_fd, out):
        os.set_blocking(out.fileno(), is_blocking)
        writer = threading.Thread(target=write_state, args=(value,), daemon=True)
        writer.start()
        assert read_until_line_end(read_fd) == value + b"\n"
        writer.join(60)
        assert not writer.is_alive()


@pytest.mark.parametrize("is_blocking", [True, False])
def test_reader_that_takes_nothing_is_waited_for_until_the_grace_time_is_over(is_blocking: bool):
    """The wait ends with an error: a signal ends a run whose stdout is blocked."""
    left = iter([None, 3.0, 0.0])
    with piped_stdout() as (_, out):
        os.set_blocking(out.fileno(), is_blocking)
        with pytest.raises(TimeoutError, match="its reader accepts nothing"):
            write_state(LONG, lambda: next(left, 0.0))


def test_line_that_fits_is_written_also_when_no_time_is_left():
    """The last STATE of an interrupted run is written if its reader is there."""
    with piped_stdout() as (read_fd, _):
        write_state(b'{"n": 1}', lambda: 0.0)
        assert read_until_line_end(read_fd) == b'{"n": 1}\n'


def test_closed_stdout_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch):
    """As after `>&-`, when Python has no stdout at all."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OSError, match="stdout is closed"):
        write_state(b"{}")

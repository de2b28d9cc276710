"""STATE to stdout, for the tap's next run: a value is one line, and goes out whole or fails."""

import io
import os
import sys


def write_state(value: bytes) -> None:
    """Write a STATE's value as a line of its own to stdout.

    Raises `OSError` where not the whole line went out.

    Python's buffer is passed by: it would keep what could not be written, and try again when the
    process ends.
    """
    try:
        stdout = sys.stdout.fileno()
    except io.UnsupportedOperation:  # it is no file of the system's, as in a test
        sys.stdout.write(value.decode() + "\n")
        sys.stdout.flush()
        return
    unwritten = memoryview(value + b"\n")
    while unwritten:
        unwritten = unwritten[os.write(stdout, unwritten) :]

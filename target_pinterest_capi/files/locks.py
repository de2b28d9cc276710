"""Locks between processes, which end with their holder, however it ends."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCK_PAUSE_SECONDS: Final = 0.01


def lock_descriptor(fd: int, wait_seconds: float) -> bool:
    """Wait until no other process holds the file's lock; False if the file system has no locks.

    Raises `TimeoutError` if another process holds it for longer.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process keeps it locked") from None
            time.sleep(LOCK_PAUSE_SECONDS)
        except OSError:
            return False
        else:
            return True


@contextlib.contextmanager
def locked_beside(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock for a file that is replaced: that of an empty private file next to it.

    The file itself cannot be locked, because replacing it creates another one. The one next to it
    is kept, because a process may wait for it. Raises `OSError`, and `TimeoutError` if another
    process holds the lock for longer.
    """
    place = path.resolve()
    beside = place.with_name(f".{place.name}.lock")
    fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        lock_descriptor(fd, wait_seconds)
        yield
    finally:
        os.close(fd)

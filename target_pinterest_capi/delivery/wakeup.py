"""Wakes up a thread that waits, from another thread or from a signal handler.

Owns a pipe whose reading end can be waited for together with the input. Waits with `poll`, which
unlike `select` accepts any file descriptor, also in a process that has thousands of them open.
"""

import math
import os
import select
import weakref


def wait_readable(fds: list[int], seconds: float | None) -> set[int]:
    """Wait until a descriptor can be read or has ended, or time is up; None: no limit.

    Return those that can be read.
    """
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    milliseconds = None if seconds is None else math.ceil(max(0.0, seconds) * 1000)
    return {fd for fd, _ in poll.poll(milliseconds)}


class Wakeup:
    """Ends a wait. The pipe is closed by `close`, or when the object is garbage-collected.

    `also` is another one, which is set too.
    """

    def __init__(self, also: "Wakeup | None" = None) -> None:
        self._also = also
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)
        self._finalizer = weakref.finalize(self, _close, self._read_fd, self._write_fd)

    @property
    def fd(self) -> int:
        """The descriptor to wait for; it can be read once `set` was called."""
        return self._read_fd

    def set(self) -> None:
        """End the current wait, or the next one."""
        if self._also is not None:
            self._also.set()
        try:
            os.write(self._write_fd, b"\0")
        except BlockingIOError:
            return  # the pipe is full: the waiting thread is awake already
        except OSError:
            return  # closed: nobody waits any more

    def wait(self, seconds: float | None) -> None:
        """Wait until `set` was called or time is up; None: no limit."""
        if wait_readable([self._read_fd], seconds):
            self.clear()

    def clear(self) -> None:
        """Forget every `set` so far."""
        try:
            while os.read(self._read_fd, 4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close the pipe. Calls after the first one do nothing."""
        self._finalizer()


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)

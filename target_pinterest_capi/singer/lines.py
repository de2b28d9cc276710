"""Lines of the input, as bytes, in chunks.

Waits for input and for a wake-up together, so that a silent tap does not block anything.
"""

import fcntl
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import IO, Any, Final, Protocol

from target_pinterest_capi.delivery.wakeup import Wakeup, wait_readable

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
_CHUNK_BYTES: Final = 256 * 1024  # larger ones leave the CPU cache before they are read
_CHUNK_LINES: Final = 500


class UnreadableInputError(Exception):
    """The input cannot be read any further; says why."""


class LineTooLongError(UnreadableInputError):
    """A line is longer than `MAX_LINE_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"the line is longer than {MAX_LINE_BYTES // 1024**2} MiB")


class LineSplitter:
    """Splits what is read into lines; a line whose end has not arrived is kept."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []  # its parts
        self._begun_bytes = 0

    def split(self, chunk: bytes) -> list[bytes]:
        """Return the lines that end in a chunk, which is not empty. Raises `LineTooLongError`."""
        # `split` looks at each byte in turn; `readlines` finds line ends a block at a time.
        lines = io.BytesIO(chunk).readlines()
        last = b"" if lines[-1].endswith(b"\n") else lines.pop()
        if lines and self._begun:
            lines[0] = b"".join([*self._begun, lines[0]])
            self._begun, self._begun_bytes = [], 0
        if last:
            self._begun.append(last)
            self._begun_bytes += len(last)
            if self._begun_bytes > MAX_LINE_BYTES:
                raise LineTooLongError
        return lines

    def rest(self) -> list[bytes]:
        """Return the last line of the input, if it has no end."""
        return [b"".join(self._begun)] if self._begun else []


def chunks_of_lines(file: IO[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of a file that never makes us wait, as many at once as were read.

    Raises `LineTooLongError` before much more of the line is read.
    """
    read = getattr(file, "read1", file.read)  # `read` drops what comes before damaged data
    splitter = LineSplitter()
    while chunk := read(_CHUNK_BYTES):
        yield splitter.split(chunk)
    yield splitter.rest()


class Lines(Protocol):
    """A source of lines."""

    def read(self, seconds: float | None) -> list[bytes] | None:
        """Return the lines that arrive within `seconds` (None: wait); None at the end of the input.

        Each has its line end, which the last one of the input may lack.
        """


def open_lines(file: Any, wake: Wakeup) -> Lines:
    """Return the lines of a file, text or binary.

    They are read by its file descriptor if it has one, otherwise by iteration.
    """
    try:
        return DescriptorLines(file.fileno(), wake)
    except (AttributeError, io.UnsupportedOperation):
        return IteratedLines(file)


class DescriptorLines:
    """Lines of a pipe, a file or a terminal. Nothing may have been read from it before."""

    def __init__(self, fd: int, wake: Wakeup) -> None:
        self._fd = fd
        self._wake = wake
        self._splitter = LineSplitter()
        self._ended = False
        # Linux gives a pipe 64 KiB, some sixty records, and each read of so few costs a wait. Only
        # pipes have a size.
        with suppress(OSError, AttributeError):
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _CHUNK_BYTES)

    def read(self, seconds: float | None) -> list[bytes] | None:
        """Return the lines of one read; none after a wake-up or when time is up.

        Raises `UnreadableInputError`.
        """
        if self._ended:
            return None
        ready = wait_readable([self._fd, self._wake.fd], seconds)
        if self._wake.fd in ready:
            self._wake.clear()
        if self._fd not in ready:
            return []
        try:
            chunk = os.read(self._fd, _CHUNK_BYTES)
        except OSError as error:  # a terminal that was hung up, or a network connection
            raise UnreadableInputError(f"it cannot be read: {error.strerror}") from None
        if not chunk:
            self._ended = True
            return self._splitter.rest() or None
        return self._splitter.split(chunk)


class IteratedLines:
    """Lines from an iterable of strings or bytes without a descriptor, such as a `StringIO`."""

    def __init__(self, lines: Iterable[str | bytes]) -> None:
        self._lines: Iterator[str | bytes] = iter(lines)

    def read(self, seconds: float | None) -> list[bytes] | None:  # noqa: ARG002 - what iterates cannot be waited for
        """Return the next lines; never waits."""
        return [
            line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
            for line in islice(self._lines, _CHUNK_LINES)
        ] or None

"""A file to which several processes append lines: complete lines on disk, or an error.

After a failed write the file is as before. If it cannot be truncated, half a line may stay: the
next write by any process ends it first, so lines are never joined. A device or a pipe gets lines as
they come, and nothing can be undone there.
"""

import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from target_pinterest_capi.files.durable import Sync, replace_file, sync_directory
from target_pinterest_capi.files.locks import lock_descriptor

LOCK_WAIT_SECONDS: Final = 5.0  # others hold it for a write and a sync

Write = Callable[[int, memoryview], int]


class LineFile:
    """A private file (0600), created with the first line. Only `append` raises `OSError`."""

    def __init__(
        self,
        path: str,
        *,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS,
        sync: Sync = os.fsync,
        write: Write = os.write,
    ) -> None:
        self.path = path
        self._sync = sync
        self._write = write
        self._lock_wait_seconds = lock_wait_seconds
        self._fd: int | None = None
        self._is_cut = False  # of a device or a pipe: half a line may have been written

    def append(self, lines: bytes, *, may_create: bool = True) -> None:
        """Append complete lines, and sync them to disk. After an error none of them counts.

        If the file is not at its path, it is created, or without `may_create` this raises
        `FileNotFoundError`.
        """
        if not _is_regular(self._opened(may_create=may_create)):
            self._pass_on(lines)
            return
        fd, is_locked = self._hold(may_create=may_create)
        try:
            self._append(fd, lines, may_shorten=is_locked)
        finally:
            if is_locked:
                fcntl.flock(fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, which also releases its lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _opened(self, *, may_create: bool = True) -> int:
        if self._fd is None:
            self._fd = _open_private(self.path, self._sync, may_create=may_create)
        return self._fd

    def _hold(self, *, may_create: bool) -> tuple[int, bool]:
        """Lock the file that is now at the path: the open one may have been moved away."""
        while True:
            fd = self._opened(may_create=may_create)
            is_locked = lock_descriptor(fd, self._lock_wait_seconds)
            if _is_same_file(self.path, fd):
                return fd, is_locked
            self.close()

    def _pass_on(self, lines: bytes) -> None:
        ended = b"\n" + lines if self._is_cut else lines
        self._is_cut = True
        self._write_all(self._opened(), ended)
        self._is_cut = False

    def _append(self, fd: int, lines: bytes, *, may_shorten: bool) -> None:
        """Write and sync lines at a file's end.

        `may_shorten` if nobody else can append in the meantime.
        """
        size = os.fstat(fd).st_size
        is_cut = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        data = b"\n" + lines if is_cut else lines
        try:
            self._write_all(fd, data)
            self._sync(fd)
        except OSError:
            if may_shorten:
                with suppress(OSError):  # half a line stays, and the next write ends it
                    _take_back(fd, size, data)
            raise

    def _write_all(self, fd: int, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._write(fd, left) :]


def drop_lines(path: str, is_dropped: Callable[[bytes], bool]) -> int:
    """Rewrite a file without some of its lines, and return how many were dropped.

    It holds the lock of those who append, who then find the new file, so no line is lost. A device,
    a pipe and a missing file have no lines to drop. Raises `OSError`.
    """
    while True:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0
        try:
            if not _is_regular(fd):
                return 0
            lock_descriptor(fd, LOCK_WAIT_SECONDS)
            if not _is_same_file(path, fd):
                continue
            lines = Path(path).read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if not is_dropped(line)]
            if len(kept) < len(lines):
                replace_file(Path(path), b"".join(kept), is_private=_is_ours(fd))
            return len(lines) - len(kept)
        finally:
            os.close(fd)


def _is_same_file(path: str, fd: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))  # noqa: PTH116 - as the other
    except FileNotFoundError:
        return False


def _take_back(fd: int, size: int, data: bytes) -> None:
    """Truncate a file to its previous size, unless somebody appended without the lock."""
    if data.startswith(os.pread(fd, len(data) + 1, size)):
        os.ftruncate(fd, size)


def _is_ours(fd: int) -> bool:
    return os.fstat(fd).st_uid == os.geteuid()


def _is_regular(fd: int) -> bool:
    return stat.S_ISREG(os.fstat(fd).st_mode)


def _open_private(path: str, sync: Sync, *, may_create: bool) -> int:
    """Open a file for appending, and make our own regular file private; not another user's."""
    directory = Path(path).absolute().parent
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
    if may_create:
        directory.mkdir(parents=True, exist_ok=True)
        flags |= os.O_CREAT
    fd = os.open(path, flags, 0o600)
    try:
        if _is_regular(fd):
            if _is_ours(fd):
                os.fchmod(fd, 0o600)
            if not os.fstat(fd).st_size:
                sync_directory(directory, sync=sync)
    except OSError:
        os.close(fd)
        raise
    return fd

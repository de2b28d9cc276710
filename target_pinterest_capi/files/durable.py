"""Makes files durable: when these return, what was written is on disk, under its name.

Every function gets the `sync` for this (`os.fsync`), so that a test can see what was synced.
"""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

Sync: TypeAlias = Callable[[int], None]

_PRIVATE: Final = 0o600
_ANY_NEW_FILE: Final = 0o666
_PERMISSIONS: Final = 0o777


def replace_file(
    path: Path, content: bytes, *, is_private: bool = False, sync: Sync = os.fsync
) -> None:
    """Replace a file at once: readers find either the old or the new content, complete.

    Only its owner can read a private file (0600); any other keeps the permissions of the one it
    replaces. It keeps the owner and group as well, as far as this user may give a file away. A
    missing directory is created, and a link stays a link. Raises `OSError`, and then leaves nothing
    behind.
    """
    with replacement(path, is_private=is_private, sync=sync) as put:
        put(content)


@contextlib.contextmanager
def replacement(
    path: Path, *, room: int = 0, is_private: bool = False, sync: Sync = os.fsync
) -> Iterator[Callable[[bytes], None]]:
    """Yield the function that replaces a file, as `replace_file` does, if it is called.

    A device or a pipe is not replaced: a file in the place of `/dev/null` would break the machine.
    `room` bytes are taken on the disk before: a content of that size is not lost to a full one.
    """
    place = path.resolve()
    if is_device(place):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file")
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")

    def put(content: bytes) -> None:
        file.seek(0)
        file.write(content)
        file.truncate()
        file.flush()
        _keep_owner(place, descriptor)
        os.fchmod(descriptor, _PRIVATE if is_private else _permissions(place))
        sync(descriptor)
        Path(beside).replace(place)
        sync_directory(place.parent, sync=sync)

    try:
        with os.fdopen(descriptor, "wb") as file:
            if room:
                file.write(bytes(room))
                file.flush()
                sync(descriptor)  # some file systems allocate space only now
            yield put
    finally:
        with contextlib.suppress(OSError):
            Path(beside).unlink()


def is_device(path: Path) -> bool:
    """Return whether a device, a pipe or a socket is at a path: what is there is no file."""
    return path.exists() and not (path.is_file() or path.is_dir())


def find_obstacle(path: Path, *, makes_folders: bool = True) -> str | None:
    """Return why a file could not be written, in the system's words; None if it could.

    Nothing is created or changed; `makes_folders`: missing ones are created when it is written.
    """
    place = path.expanduser()
    try:
        if place.exists():
            os.close(os.open(place, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            return _room_problem(place) if place.is_file() else None
        folder = place.parent
        while makes_folders and not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not folder.exists():
            return "its folder does not exist"
        if not folder.is_dir():
            return "its folder is not a folder"
        if not os.access(folder, os.W_OK | os.X_OK):
            return "its folder is not writable"
        return _room_problem(folder)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return (reason or "it is not a usable path").lower()


def _room_problem(place: Path) -> str | None:
    """Return that the disk is full; None if it has a block for this user."""
    disk = os.statvfs(place)
    free = disk.f_bavail if os.geteuid() else disk.f_bfree  # root has the reserved ones too
    return os.strerror(errno.ENOSPC).lower() if disk.f_blocks and not free else None


def sync_directory(directory: Path, *, sync: Sync = os.fsync) -> None:
    """Make the names of a directory's files durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def _keep_owner(place: Path, descriptor: int) -> None:
    """Give a new file the owner and group of the one that it replaces, if there is one."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        replaced, new = place.stat(), os.fstat(descriptor)
        if (replaced.st_uid, replaced.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(descriptor, replaced.st_uid, replaced.st_gid)


def _permissions(place: Path) -> int:
    """Return the permissions of the file that is replaced, or what any new file gets."""
    try:
        return place.stat().st_mode & _PERMISSIONS
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return _ANY_NEW_FILE & ~mask

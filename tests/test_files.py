"""Files that others rely on are complete and durable.

Contents and names are synced before anybody relies on them.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from target_pinterest_capi.files.durable import replace_file, replacement, sync_directory
from target_pinterest_capi.files.line_file import LineFile


class Syncs:
    """Records what each sync found: a directory's names, or a file's contents."""

    def __init__(self) -> None:
        self.seen: list[list[str] | bytes] = []

    def __call__(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            self.seen.append(os.listdir(descriptor))
        else:
            self.seen.append(Path(f"/proc/self/fd/{descriptor}").read_bytes())


def test_file_is_replaced_at_once(tmp_path: Path):
    """The old file exists until the new one does, and nothing else is left.

    A link stays a link.
    """
    path, link = tmp_path / "deep" / "report.json", tmp_path / "link.json"
    replace_file(path, b"first")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o640)
    link.symlink_to(path)
    opened = path.open("rb")
    replace_file(link, b"second")
    with opened:
        assert opened.read() == b"first"
    assert (path.read_bytes(), link.is_symlink()) == (b"second", True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [None, 0o644, 0o666])
def test_private_file_is_its_owners_alone(tmp_path: Path, mode: int | None):
    """A private file is 0600, whatever the permissions of the one that it replaces."""
    path = tmp_path / "token.json"
    if mode is not None:
        path.write_bytes(b"old")
        path.chmod(mode)
    replace_file(path, b"new", is_private=True)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_device_or_pipe_is_not_replaced(tmp_path: Path):
    """Root would put a file in the place of `/dev/null`, also where a link leads there."""
    pipe, link = tmp_path / "pipe", tmp_path / "report.json"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(OSError, match="it is a device or a pipe"):
            replace_file(path, b"x")
    assert pipe.is_fifo()
    assert set(tmp_path.iterdir()) == {pipe, link}


def test_nothing_is_left_of_a_file_that_cannot_be_placed(tmp_path: Path):
    """If a directory is in the place, the error is raised, and no partial file stays."""
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "report.json", b"text")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("is_private", [True, False])
def test_replaced_file_is_synced_before_it_is_placed_and_its_name_after(
    tmp_path: Path, *, is_private: bool
):
    """A crash leaves the old file or the new one: contents are synced first, then the name."""
    syncs = Syncs()
    replace_file(tmp_path / "a.json", b"text", is_private=is_private, sync=syncs)
    assert syncs.seen == [b"text", ["a.json"]]


def test_room_is_on_the_disk_before_the_content(tmp_path: Path):
    """Room is taken and synced, so that a disk that is full by then has it; nothing is placed yet."""
    syncs = Syncs()
    with replacement(tmp_path / "token.json", room=64, sync=syncs) as put:
        assert syncs.seen == [bytes(64)]
        assert not (tmp_path / "token.json").exists()
        put(b"new")
    assert syncs.seen == [bytes(64), b"new", ["token.json"]]


def test_appended_lines_are_synced_with_the_name_of_a_new_file(tmp_path: Path):
    """The name of a new file is synced once, and lines whenever they are appended."""
    syncs = Syncs()
    file = LineFile(str(tmp_path / "dead.jsonl"), sync=syncs)
    file.append(b"1\n")
    file.append(b"2\n")
    file.close()
    assert syncs.seen == [["dead.jsonl"], b"1\n", b"1\n2\n"]


@pytest.mark.parametrize(
    "write",
    [
        lambda path, sync: replace_file(path, b"text", sync=sync),
        lambda path, sync: LineFile(str(path), sync=sync).append(b"text\n"),
        lambda path, sync: sync_directory(path.parent, sync=sync),
    ],
)
def test_sync_that_fails_is_an_error(
    tmp_path: Path, write: Callable[[Path, Callable[[int], None]], None]
):
    """What could not be made durable never counts as written."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "a.json", fail)


@pytest.mark.parametrize("function", [replace_file, sync_directory, LineFile.__init__])
def test_sync_is_the_systems_unless_a_test_gives_another(function: Callable[..., object]):
    """In a run every sync is `os.fsync`."""
    assert function.__kwdefaults__ is not None
    assert function.__kwdefaults__["sync"] is os.fsync

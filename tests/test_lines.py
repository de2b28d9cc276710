"""Lines are read as bytes, of any length, and reading stops at a wake-up."""

import io
import os
import resource
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.singer import lines
from target_pinterest_capi.singer.lines import (
    DescriptorLines,
    LineTooLongError,
    UnreadableInputError,
    open_lines,
)


def read_all(source: lines.Lines) -> list[bytes]:
    found: list[bytes] = []
    while (chunk := source.read(None)) is not None:
        found += chunk
    return found


@given(
    st.lists(st.binary(max_size=300).map(lambda raw: raw.replace(b"\n", b"")), max_size=20),
    st.booleans(),
)
def test_pipe_gives_the_lines_written_to_it(rows, ended):
    """However the bytes are cut, the lines are those written; the last may lack its line end."""
    wake = Wakeup()
    read_fd, write_fd = os.pipe()
    data = b"\n".join(rows) + (b"\n" if ended else b"")

    def write() -> None:
        with os.fdopen(write_fd, "wb", buffering=0) as pipe:
            for start in range(0, len(data), 97):
                pipe.write(data[start : start + 97])

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(read_fd, "rb") as file:
        found = read_all(open_lines(file, wake))
    writer.join()
    wake.close()
    *ended_lines, rest = data.split(b"\n")
    assert found == [line + b"\n" for line in ended_lines] + ([rest] if rest else [])


def test_long_line_is_read_whole(tmp_path: Path):
    """A line of three megabytes is read."""
    path = tmp_path / "input"
    path.write_bytes(b"a" * 3_000_000 + b"\nshort\n")
    with path.open("rb") as file:
        assert [len(line) for line in read_all(open_lines(file, Wakeup()))] == [3_000_001, 6]


def test_endless_line_is_an_error(tmp_path: Path):
    """A line over the limit is refused before memory is full."""
    path = tmp_path / "input"
    with path.open("wb") as file:
        file.truncate(lines.MAX_LINE_BYTES + 2_000_000)
    with path.open("rb") as file, pytest.raises(LineTooLongError, match="64 MiB"):
        read_all(open_lines(file, Wakeup()))


def test_input_that_fails_is_an_error_in_words(tmp_path: Path):
    """The system's message about an unreadable input is shown."""
    fd = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(UnreadableInputError, match="it cannot be read: Is a directory"):
        DescriptorLines(fd, Wakeup()).read(None)
    os.close(fd)


def test_wake_ends_a_read():
    """A wake-up ends a read of a silent pipe without lines, and the next read waits again."""
    wake = Wakeup()
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd, "rb") as file, os.fdopen(write_fd, "wb", buffering=0) as pipe:
        source = open_lines(file, wake)
        wake.set()
        assert source.read(None) == []
        assert source.read(0) == []
        pipe.write(b"x\n")
        assert source.read(None) == [b"x\n"]


@pytest.mark.parametrize("file", [io.StringIO("ä\n\nb"), io.BytesIO("ä\n\nb".encode())])
def test_files_without_a_descriptor_are_iterated(file):
    """What a test passes, text or bytes, is read as bytes."""
    assert read_all(open_lines(file, Wakeup())) == ["ä\n".encode(), b"\n", b"b"]


def test_text_file_is_read_as_bytes(tmp_path: Path):
    """A file that was opened as text is read below its decoding."""
    path = tmp_path / "input"
    path.write_bytes(b"\xff\xfe\nb\n")
    with path.open(encoding="utf-8") as file:
        assert read_all(open_lines(file, Wakeup())) == [b"\xff\xfe\n", b"b\n"]


def test_descriptors_beyond_a_thousand_are_waited_for():
    """A process with more than 1,024 open files reads its input like any other."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, max(limit, 2048)), most))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        read, write = os.pipe()
        wake = Wakeup()
        os.write(write, b"one\n")
        os.close(write)
        assert min(read, wake.fd) > 1024
        assert lines.DescriptorLines(read, wake).read(None) == [b"one\n"]
        os.close(read)
        wake.close()
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))

"""A dead letter is durable before it counts, private, one JSON line.

It shows no more than its event does.
"""

import fcntl  # noqa: I001
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from given import Clock, files_limited_to
from shopper import event
from target_pinterest_capi.delivery.dead_letters import DeadLetter, DeadLetters
from target_pinterest_capi.delivery.waiting import MAX_BUFFERED
from target_pinterest_capi.files.line_file import LineFile, _take_back
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.event import Origin

WALL = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def letter(sequence: int = 1, **members: object) -> DeadLetter:
    return DeadLetter(
        sequence, Origin("orders", "paid"), Outcome.INVALID, "missing_field", **members
    )  # type: ignore[arg-type]


def dead_letters(path: object, clock: Clock | None = None) -> DeadLetters:
    return DeadLetters(str(path), "run1", clock=clock or Clock(), wall=lambda: WALL)


def numbers(path: Path) -> list[str]:
    """Return the number in each letter's key, in the order of the lines.

    Fails if a line is cut.
    """
    return [json.loads(row)["key"]["n"] for row in path.read_text().splitlines()]


def test_line_has_the_contracts_members(tmp_path: Path):
    """Every documented member is in a line, and those without a value are absent.

    The event is JSON in JSON.
    """
    place, sent = dead_letters(tmp_path / "dead.jsonl"), event(7).body
    place.add(letter(field="event_time", key={"id": "ab"}))
    place.add(letter(outcome_event := 2, detail="400", event=sent, ad_account_id="549755885175"))
    place.flush()
    first, second = (json.loads(row) for row in (tmp_path / "dead.jsonl").read_text().splitlines())
    assert first == {
        "at": "2026-11-21T09:30:00Z",
        "run_id": "run1",
        "stream": "orders",
        "mapping": "paid",
        "outcome": "invalid",
        "reason": "missing_field",
        "field": "event_time",
        "key": {"id": "ab"},
    }
    assert outcome_event == 2
    assert second["event"] == json.loads(sent)
    assert second["ad_account_id"] == "549755885175"


def test_letters_are_unsettled_until_flushed(tmp_path: Path):
    """The oldest letter's record holds STATE until the flush returns the letter."""
    place = dead_letters(tmp_path / "dead.jsonl")
    assert place.oldest_sequence() is None
    place.add(letter(5))
    place.add(letter(3))
    assert place.oldest_sequence() == 3
    assert [one.sequence for one in place.flush()] == [5, 3]
    assert place.oldest_sequence() is None
    assert place.flush() == []


def test_due_after_a_second_or_when_many(tmp_path: Path, clock: Clock):
    """A file is flushed a second after its first letter, and at once when a thousand wait."""
    place = dead_letters(tmp_path / "dead.jsonl", clock)
    assert place.due_at() is None
    place.add(letter())
    assert place.due_at() == clock.now + 1
    for _ in range(MAX_BUFFERED):
        place.add(letter())
    assert place.due_at() == clock.now


def test_file_is_private_whatever_the_umask(tmp_path: Path):
    """The file is 0600, even if it existed with other permissions."""
    path = tmp_path / "dead.jsonl"
    path.write_text("")
    path.chmod(0o644)
    place = dead_letters(path)
    place.add(letter())
    place.flush()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_file_is_appended_and_a_cut_line_is_ended(tmp_path: Path):
    """Earlier letters stay; one that a crash cut does not swallow the next."""
    path = tmp_path / "dead.jsonl"
    path.write_bytes(b'{"whole": 1}\n{"cut": ')
    place = dead_letters(path)
    place.add(letter())
    place.flush()
    rows = path.read_bytes().splitlines()
    assert rows[:2] == [b'{"whole": 1}', b'{"cut": ']
    assert json.loads(rows[2])["reason"] == "missing_field"


def test_nothing_is_opened_before_the_first_letter(tmp_path: Path):
    """A run without dead letters leaves no file."""
    place = dead_letters(tmp_path / "dead.jsonl")
    place.flush()
    place.close()
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made(tmp_path: Path):
    """The path's folders are made with the first letter."""
    place = dead_letters(tmp_path / "a/b/dead.jsonl")
    place.add(letter())
    place.flush()
    assert (tmp_path / "a/b/dead.jsonl").exists()


def test_prefix_gets_one_object_a_flush():
    """An fsspec URL is a prefix: every flush is a separate object, named by run and number."""
    place = dead_letters("memory://dead/letters/")
    place.add(letter(1))
    place.flush()
    place.add(letter(2))
    place.add(letter(3))
    place.flush()
    files = fsspec.filesystem("memory")
    assert sorted(files.ls("/dead/letters", detail=False)) == [
        "/dead/letters/run1-1.jsonl",
        "/dead/letters/run1-2.jsonl",
    ]
    assert len(files.cat("/dead/letters/run1-2.jsonl").splitlines()) == 2


@pytest.mark.parametrize("path", ["/proc/nowhere/dead.jsonl", "nosuchscheme://bucket/prefix"])
def test_place_that_cannot_be_written_is_an_error_and_keeps_the_letters(path: str):
    """A letter that could not be made durable stays unacknowledged."""
    place = dead_letters(path)
    place.add(letter(9))
    with pytest.raises(OSError, match=r"Not a directory|No such file|no fsspec file system"):
        place.flush()
    assert place.oldest_sequence() == 9


@pytest.mark.parametrize(
    "before", [b"", b'{"key": {"n": "0"}}\n', b'{"key": {"n": "0"}}\n{"cut": ']
)
@pytest.mark.parametrize("room", [0, 1, 60, 300, 1000])
def test_file_is_as_before_after_a_disk_was_full(tmp_path: Path, before: bytes, room: int):
    """A write that fails in the middle leaves nothing behind.

    The next one has every letter once.
    """
    path = tmp_path / "dead.jsonl"
    path.write_bytes(before)
    place = dead_letters(path)
    for number in range(1, 11):
        place.add(letter(number, key={"n": str(number)}))
    with files_limited_to(len(before) + room), pytest.raises(OSError, match="File too large"):
        place.flush()
    assert path.read_bytes() == before
    assert (place.oldest_sequence(), place.written) == (1, 0)
    place.add(letter(11, key={"n": "11"}))
    assert len(place.flush()) == 11
    path.write_bytes(path.read_bytes().replace(b'{"cut": \n', b""))
    assert numbers(path)[-11:] == [str(number) for number in range(1, 12)]
    assert len(numbers(path)) == 11 + before.count(b"\n")


def test_no_letter_is_lost_where_the_file_cannot_be_shortened():
    """Half a line that has to stay is ended, and the letters come again: rather twice than lost."""
    file = os.memfd_create("dead.jsonl", os.MFD_ALLOW_SEALING)
    os.write(file, b'{"key": {"n": "0"}}\n')
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    place = dead_letters(f"/proc/self/fd/{file}")
    for number in range(1, 6):
        place.add(letter(number, key={"n": str(number)}))
    with files_limited_to(300), pytest.raises(OSError, match="File too large"):
        place.flush()
    place.flush()
    rows = os.pread(file, 10_000, 0).splitlines()
    os.close(file)
    cut = [row for row in rows if not row.endswith(b"}}")]
    found = [json.loads(row)["key"]["n"] for row in rows if row not in cut]
    assert len(cut) == 1
    assert found[0] == "0"
    assert found[-5:] == ["1", "2", "3", "4", "5"]


WRITER = """
import sys
from pathlib import Path
from given import files_limited_to
from test_dead_letters import dead_letters, letter

name, path = sys.argv[1], Path(sys.argv[2])
place = dead_letters(path)
for flush in range(40):
    for number in range(10):
        place.add(letter(1, key={"n": f"{name}-{flush}-{number}"}))
    size = path.stat().st_size if path.exists() else 0
    try:
        with files_limited_to(size + 500):
            place.flush()
    except OSError:
        place.flush()
"""


def test_processes_that_share_a_file_leave_each_others_letters_whole(tmp_path: Path):
    """After a failed write only the process's own lines are undone: each letter is there once."""
    path = tmp_path / "dead.jsonl"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name, str(path)], env=environment)
        for name in "abc"
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    expected = {
        f"{name}-{flush}-{number}" for name in "abc" for flush in range(40) for number in range(10)
    }
    assert (len(numbers(path)), set(numbers(path))) == (1200, expected)


def test_lock_that_another_process_keeps_is_an_error(tmp_path: Path):
    """A process that hangs with the file locked does not make this one hang: it says why."""
    path = tmp_path / "dead.jsonl"
    with path.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        file = LineFile(str(path), lock_wait_seconds=0)
        with pytest.raises(TimeoutError, match="another process keeps it locked"):
            file.append(b"{}\n")
    file.append(b"{}\n")
    file.close()
    assert path.read_bytes() == b"{}\n"


@pytest.mark.parametrize("happens", ["removed", "moved", "replaced"])
def test_letters_go_where_the_path_leads_now(tmp_path: Path, happens: str):
    """A file that is moved between two flushes, as by logrotate, gets no more letters.

    They might be lost.
    """
    path, old = tmp_path / "dead.jsonl", tmp_path / "old.jsonl"
    place = dead_letters(path)
    place.add(letter(1, key={"n": "1"}))
    place.flush()
    path.rename(old)
    if happens == "removed":
        old.unlink()
    if happens == "replaced":
        path.write_text('{"key": {"n": "0"}}\n')
    place.add(letter(2, key={"n": "2"}))
    place.flush()
    assert numbers(path) == (["0", "2"] if happens == "replaced" else ["2"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_keeps_its_mode(tmp_path: Path):
    """Root appends to it without excluding its owner."""
    path = tmp_path / "dead.jsonl"
    path.write_text("")
    path.chmod(0o644)
    os.chown(path, 65_534, -1)
    place = dead_letters(path)
    place.add(letter())
    place.flush()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_device_takes_letters_and_keeps_its_mode():
    """What is not a file is not synced, truncated or made private: /dev/null stays public."""
    before = Path("/dev/null").stat().st_mode
    place = dead_letters("/dev/null")
    place.add(letter())
    assert len(place.flush()) == 1
    assert Path("/dev/null").stat().st_mode == before


def test_device_that_is_full_is_an_error():
    """A letter that a device did not accept stays unacknowledged."""
    place = dead_letters("/dev/full")
    place.add(letter(9))
    with pytest.raises(OSError, match="No space left on device"):
        place.flush()
    assert place.oldest_sequence() == 9


def test_pipe_gets_whole_lines(tmp_path: Path):
    """A named pipe gets letters as they come, flush after flush."""
    path = tmp_path / "letters"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    place = dead_letters(path)
    for number in (1, 2):
        place.add(letter(number, key={"n": str(number)}))
        place.flush()
    rows = os.read(reader, 10_000).splitlines()
    place.close()
    os.close(reader)
    assert [json.loads(row)["key"]["n"] for row in rows] == ["1", "2"]


def test_object_that_failed_is_written_again_under_its_name(tmp_path: Path):
    """What is left of a failed object is replaced by the next try.

    So each letter is in one object.
    """
    place = dead_letters(f"file://{tmp_path}/letters")
    for number in range(1, 6):
        place.add(letter(number, key={"n": str(number)}))
    with files_limited_to(300), pytest.raises(OSError, match="File too large"):
        place.flush()
    assert place.written == 0
    place.add(letter(6, key={"n": "6"}))
    place.flush()
    (made,) = (tmp_path / "letters").iterdir()
    assert made.name == "run1-1.jsonl"
    assert numbers(made) == ["1", "2", "3", "4", "5", "6"]


def test_lines_that_somebody_else_appended_are_never_taken_back(tmp_path: Path):
    """A program that does not lock, such as a shell's `>>`, may write in between.

    Then nothing is undone.
    """
    path = tmp_path / "dead.jsonl"
    path.write_bytes(b"before\nours, cut hereand theirs\n")
    file = os.open(path, os.O_RDWR)
    _take_back(file, len(b"before\n"), b"ours, cut here in the middle\n")
    assert path.read_bytes() == b"before\nours, cut hereand theirs\n"
    path.write_bytes(b"before\nours, cut here")
    _take_back(file, len(b"before\n"), b"ours, cut here in the middle\n")
    os.close(file)
    assert path.read_bytes() == b"before\n"

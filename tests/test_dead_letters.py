"""A dead letter is durable before it counts, private, one JSON line, and shows no more than its wire-ready event does."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from given import Clock
from shopper import event
from target_pinterest_capi.delivery.dead_letters import MAX_BUFFERED, DeadLetter, DeadLetters
from target_pinterest_capi.delivery.outcomes import Outcome
from target_pinterest_capi.events.event import Origin

WALL = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def letter(sequence: int = 1, **members: object) -> DeadLetter:
    return DeadLetter(sequence, Origin("orders", "paid"), Outcome.INVALID, "missing_field", **members)  # type: ignore[arg-type]


def dead_letters(path: object, clock: Clock | None = None) -> DeadLetters:
    return DeadLetters(str(path), "run1", clock=clock or Clock(), wall=lambda: WALL)


def test_line_has_the_contracts_members(tmp_path: Path):
    """Every member of the contract stands in a line, those without a value are left out, and the event is JSON in JSON."""
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
    """The oldest letter's record holds STATE until the flush gives the letter back."""
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
    """The file is 0600, also where it lay there open to all."""
    path = tmp_path / "dead.jsonl"
    path.write_text("")
    path.chmod(0o644)
    place = dead_letters(path)
    place.add(letter())
    place.flush()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_file_is_appended_and_a_cut_line_is_ended(tmp_path: Path):
    """Earlier letters stay; one that a crash cut in the middle does not swallow the next."""
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
    """An fsspec URL is a prefix: every flush is an object of its own, named by run and number."""
    place = dead_letters("memory://dead/letters/")
    place.add(letter(1))
    place.flush()
    place.add(letter(2))
    place.add(letter(3))
    place.flush()
    files = fsspec.filesystem("memory")
    assert sorted(files.ls("/dead/letters", detail=False)) == ["/dead/letters/run1-1.jsonl", "/dead/letters/run1-2.jsonl"]
    assert len(files.cat("/dead/letters/run1-2.jsonl").splitlines()) == 2


@pytest.mark.parametrize("path", ["/proc/nowhere/dead.jsonl", "nosuchscheme://bucket/prefix"])
def test_place_that_cannot_be_written_is_an_error_and_keeps_the_letters(path: str):
    """A letter that could not be made durable stays unsettled."""
    place = dead_letters(path)
    place.add(letter(9))
    with pytest.raises(OSError, match=r"Not a directory|No such file|no fsspec file system"):
        place.flush()
    assert place.oldest_sequence() == 9

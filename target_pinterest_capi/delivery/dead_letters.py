"""Dead letters: one JSON line for each invalid or rejected event, durable before it counts.

A file is private (0600), appended to and synced to disk; an fsspec URL is a prefix under which
every flush writes one object. A store or a pipe that accepts nothing cannot block a run for ever. A
line has no plain personal data except what its event has in plain text for Pinterest.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.delivery.bounded_calls import BoundedCalls
from target_pinterest_capi.delivery.waiting import PATIENCE_SECONDS, SILENT, Waiting
from target_pinterest_capi.events.event import Mode, Origin
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.files.line_file import LineFile
from target_pinterest_capi.files.objects import write_object

_encode: Final = msgspec.json.Encoder().encode


class DeadLetter(NamedTuple):
    """The contents of a line.

    `event` is its JSON as it would have been sent, if any; `sequence` is the record's number.
    `http_status` is only for the results.
    """

    sequence: int
    origin: Origin
    outcome: Outcome
    reason: str
    detail: str | None = None
    field: str | None = None
    key: dict[str, str] | None = None
    ad_account_id: str | None = None
    event: bytes | None = None
    mode: Mode = "live"
    http_status: int | None = None

    def line(self, at: datetime, run_id: str) -> bytes:
        """Return the letter's JSON line, without absent members."""
        members: dict[str, Any] = {
            "at": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "run_id": run_id,
            "stream": self.origin.stream,
            "mapping": self.origin.mapping,
            "outcome": str(self.outcome),
            "reason": self.reason,
            "detail": self.detail,
            "field": self.field,
            "key": self.key,
            "ad_account_id": self.ad_account_id,
            "mode": None if self.mode == "live" else self.mode,
            "event": None if self.event is None else msgspec.Raw(self.event),
        }
        given = {name: value for name, value in members.items() if value is not None}
        return _encode(given) + b"\n"


class DeadLetters:
    """The place for dead letters. Nothing is opened before the first one.

    `clock` is monotonic seconds, `wall` the time of day; `seconds_left` returns how long a write
    may take (None: `PATIENCE_SECONDS`). `flush` raises `OSError` if the place cannot be written.
    """

    def __init__(
        self,
        path: str,
        run_id: str,
        *,
        clock: Callable[[], float],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        open_lines: Callable[[str], LineFile] = LineFile,
        seconds_left: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.path = path
        self._calls = BoundedCalls(SILENT, PATIENCE_SECONDS, seconds_left)
        self._run_id = run_id
        self._wall = wall
        self._waiting = Waiting[DeadLetter](path, clock)
        self._file = open_lines(path)
        self._objects = 0  # complete ones: an object that failed is written again under its name
        self.written = 0

    def add(self, letter: DeadLetter) -> None:
        """Add a letter; its event is not acknowledged before `flush` returns it."""
        self._waiting.add(letter)

    def due_at(self) -> float | None:
        """Return when the buffer should be flushed; None if it is empty."""
        return self._waiting.due_at()

    @property
    def waiting(self) -> int:
        """How many letters are not durable yet."""
        return len(self._waiting.items)

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record whose letter is not durable yet."""
        return self._waiting.oldest_sequence()

    def flush(self) -> list[DeadLetter]:
        """Make every letter durable, and return them: their events are now acknowledged."""
        letters = self._waiting.items
        if letters:
            at = self._wall()
            self._waiting.begin_try()
            self._write(b"".join([letter.line(at, self._run_id) for letter in letters]))
            self._waiting.end_try()
            self.written += len(letters)
        return letters

    def close(self) -> None:
        """Close the file; events of letters not flushed stay unacknowledged."""
        self._calls.close()
        self._file.close()

    def _write(self, lines: bytes) -> None:
        path = Path(self.path)
        if "://" in self.path:
            self._calls.call(lambda: self._write_object(lines))
        elif path.exists() and not path.is_file():  # a pipe, whose reader may accept nothing
            self._calls.call(lambda: self._file.append(lines))
        else:
            self._file.append(lines)

    def _write_object(self, lines: bytes) -> None:
        write_object(f"{self.path.rstrip('/')}/{self._run_id}-{self._objects + 1}.jsonl", lines)
        self._objects += 1

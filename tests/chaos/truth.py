"""What really happened: the events that Pinterest has, and those durable as dead letters.

Reads two files as they grow, the bodies that the sandbox received and the target's dead letters,
and uses nothing else.
"""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from endless_tap import Tap, key_digest, number_of


class Growing:
    """A growing file of JSON lines: returns new, complete lines and counts those cut by a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut = 0
        self._offset = 0

    def read(self) -> list[dict[str, Any]]:
        """Return the lines added since the last call."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        rows = []
        for row in whole.splitlines():
            try:
                rows.append(json.loads(row))
            except ValueError:
                self.cut += 1
        return rows


class Truth:
    """The outcome of every record; safe to use from several threads."""

    def __init__(self, tap: Tap, bodies: Path, dead_letters: Path) -> None:
        self._tap = tap
        self._lock = threading.Lock()
        self._bodies = Growing(bodies)
        self._dead_letters = Growing(dead_letters)
        self._numbers: dict[str, int] = {}
        self._settled = 0
        self.delivered: Counter[int] = Counter()
        self.dead: Counter[int] = Counter()
        self.reasons: Counter[str] = Counter()

    def settled_through(self) -> int:
        """Return the position before which every record is delivered or a durable dead letter."""
        with self._lock:
            self._look()
            while self._settled < self._tap.end and (
                self._settled in self.delivered or self._settled in self.dead
            ):
                self._settled += 1
            return self._settled

    def delivered_from(self, position: int) -> int:
        """Return how many events at or after a position Pinterest has."""
        with self._lock:
            self._look()
            return sum(number >= position for number in self.delivered)

    def _look(self) -> None:
        for body in self._bodies.read():
            numbers = (number_of(event["event_id"]) for event in body["data"])
            self.delivered.update(number for number in numbers if number not in self._tap.failed)
        for letter in self._dead_letters.read():
            self.dead[self._number(letter["key"]["event_id"])] += 1
            self.reasons[letter["reason"]] += 1

    def _number(self, digest: str) -> int:
        if digest not in self._numbers:
            self._numbers.update(
                {key_digest(number): number for number in range(len(self._numbers), self._tap.end)}
            )
        return self._numbers[digest]

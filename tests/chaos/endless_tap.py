"""A small tap that can start at any position: records and BATCH files of one stream, by a seed.

The same seed, size and position give the same lines, so that a run can start again where STATE
says. A STATE follows each piece. A few records are wrong in a way that the target must find, and a
few in a way that only Pinterest finds.
"""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from given import line, record, schema, state
from shopper import digest, seconds_ago, visit

STREAM: Final = "visits"
DAY_SECONDS: Final = 86400
BAD_SHARE: Final = 0.02
OFFLINE_SHARE: Final = 0.2  # Pinterest cannot deduplicate these
PIECE: Final = (20, 400)  # records between two STATE messages
BATCH_SHARE: Final = 0.15  # pieces that come as a BATCH file


def bad_columns() -> tuple[dict[str, Any], ...]:
    """Return column values, each of which makes a record invalid."""
    return (
        {"em": None},
        {"event_time": "soon"},
        {"action_source": None},
        {"event_name": ""},
        {"event_time": seconds_ago(30 * DAY_SECONDS)},
        {"event_time": seconds_ago(-30 * DAY_SECONDS)},
    )


class Piece(NamedTuple):
    """Records from `begin` up to `end`, and their lines; the last one is the STATE after them."""

    begin: int
    end: int
    lines: bytes


class Tap:
    """The tap's stream: a record's number is its position, and each call of `grow` adds records.

    STATE holds the position after the last record.

    Attributes:
        bad: the records that make no event.
        failed: the events that Pinterest fails.
        refused: the events that make Pinterest refuse a whole request.
    """

    def __init__(
        self, seed: int, records: int, directory: Path, *, failed: int, refused: int
    ) -> None:
        self._rng = random.Random(f"{seed}/tap")
        self._directory = directory
        self._pieces: list[Piece] = []
        self._to_come: list[Piece] = []
        self.end = 0  # the position after the last record
        self.bad: set[int] = set()
        self.failed: set[int] = set()
        self.refused: set[int] = set()
        begin = 0
        while begin < records:
            self._to_come.append(
                self._piece(
                    begin, min(self._rng.randint(*PIECE), records - begin), bad_share=BAD_SHARE
                )
            )
            begin = self._to_come[-1].end
        good = [number for number in range(records) if number not in self.bad]
        chosen = self._rng.sample(good, failed + refused)
        self.failed.update(chosen[:failed])
        self.refused.update(chosen[failed:])

    @property
    def is_whole(self) -> bool:
        """Return whether the stream has its full size."""
        return not self._to_come

    def grow(self, records: int) -> None:
        """Add about that many new records; a stream with its full size gets a few valid ones."""
        self._to_come = self._to_come or [
            self._piece(self.end, self._rng.randint(5, 15), bad_share=0)
        ]
        wanted = self.end + records
        while self._to_come and self.end < wanted:
            self._pieces.append(self._to_come.pop(0))
            self.end = self._pieces[-1].end

    def lines(self, position: int) -> Iterator[bytes]:
        """Return the stream after a STATE's position, in chunks of complete lines."""
        yield schema(STREAM, *visit(), key_properties=("event_id",)) + b"\n"
        for piece in self._pieces:
            if piece.begin >= position:
                yield piece.lines

    def bounds(self) -> list[int]:
        """Return the positions that a STATE can have."""
        return [0, *(piece.end for piece in self._pieces)]

    def _piece(self, begin: int, size: int, *, bad_share: float) -> Piece:
        rng, rows = self._rng, []
        for number in range(begin, begin + size):
            columns: dict[str, Any] = (
                {"action_source": "offline"} if rng.random() < OFFLINE_SHARE else {}
            )
            if rng.random() < bad_share:
                self.bad.add(number)
                columns = rng.choice(bad_columns())
            rows.append(visit(number, **columns))
        after = state({"bookmarks": {STREAM: {"position": begin + size}}})
        lines = (
            [self._file(rows, begin)]
            if rng.random() < BATCH_SHARE
            else [record(STREAM, **row) for row in rows]
        )
        return Piece(begin, begin + size, b"\n".join([*lines, after]) + b"\n")

    def _file(self, rows: list[dict[str, Any]], begin: int) -> bytes:
        """Write the rows into a file, compressed or not, and return the message that names it."""
        packed = self._rng.random() < 0.5
        path = self._directory / f"batch-{begin}.jsonl{'.gz' if packed else ''}"
        content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        path.write_bytes(gzip.compress(content) if packed else content)
        encoding = {"format": "jsonl", "compression": "gzip" if packed else "none"}
        return line(type="BATCH", stream=STREAM, encoding=encoding, manifest=[path.as_uri()])


def position_of(state_line: bytes) -> int:
    """Return the position that a STATE on stdout names."""
    return int(json.loads(state_line)["bookmarks"][STREAM]["position"])


def event_id(number: int) -> str:
    """Return the event id of a record, which is also its key property."""
    return f"visit-{number}"


def number_of(event_id: str) -> int:
    """Return the record of an event id."""
    return int(event_id.removeprefix("visit-"))


def key_digest(number: int) -> str:
    """Return the digest under which a dead letter names a record."""
    return digest(event_id(number))

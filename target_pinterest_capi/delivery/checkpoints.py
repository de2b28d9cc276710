"""Which STATE may be written: only one that no unsettled record comes before. Pure bookkeeping; the run does the writing.

Records are numbered as they arrive. A STATE that came after record n is true once every event of records 1 to n is settled.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

MAX_PENDING: Final = 4096
MAX_PENDING_BYTES: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class _Pending:
    after: int  # records that came before it
    value: bytes
    tainted: bool  # an invalid or rejected event came since the STATE before it


class Checkpoints:
    """STATE messages that wait until they are true. Bounded: where many wait, some are left out, never the newest."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []
        self._bytes = 0
        self._tail_tainted = False
        self.has_passed_tainted = False  # a STATE given is past an invalid or rejected record

    @property
    def is_waiting(self) -> bool:
        """Tell whether a STATE waits to be written."""
        return bool(self._pending)

    def add(self, value: bytes, after: int) -> None:
        """Take a STATE's value, byte for byte, that came after `after` records. An empty object is no state and is let go."""
        if value.strip() in {b"{}", b"null"}:
            return
        if self._pending and self._pending[-1].after == after:
            last = self._pending[-1]
            self._bytes += len(value) - len(last.value)
            last.value = value
            last.tainted |= self._tail_tainted
        else:
            self._pending.append(_Pending(after, value, self._tail_tainted))
            self._bytes += len(value)
        self._tail_tainted = False
        if len(self._pending) > MAX_PENDING or (
            self._bytes > MAX_PENDING_BYTES and len(self._pending) > 2  # noqa: PLR2004
        ):
            self._thin_out()

    def taint(self, sequence: int) -> None:
        """Remember that the record of this number ended invalid or rejected: while too much does, no STATE passes it."""
        position = bisect_left(self._pending, sequence, key=lambda state: state.after)
        if position < len(self._pending):
            self._pending[position].tainted = True
        else:
            self._tail_tainted = True

    def take(self, oldest_unsettled: int | None, *, pass_tainted: bool) -> bytes | None:
        """Give the newest STATE that is true, once, and forget those before it; None where none is."""
        true = 0
        for state in self._pending:
            if oldest_unsettled is not None and state.after >= oldest_unsettled:
                break
            if state.tainted and not pass_tainted:
                break
            true += 1
        if not true:
            return None
        value = self._pending[true - 1].value
        self.has_passed_tainted |= any(state.tainted for state in self._pending[:true])
        del self._pending[:true]
        self._bytes = sum(len(state.value) for state in self._pending)
        return value

    def _thin_out(self) -> None:
        """Leave out every second waiting STATE but the newest; a taint moves on to the next one kept."""
        kept: list[_Pending] = []
        tainted = False
        newest = len(self._pending) - 1
        for position, state in enumerate(self._pending):
            tainted |= state.tainted
            if position == newest or position % 2:
                kept.append(_Pending(state.after, state.value, tainted))
                tainted = False
        self._pending = kept
        self._bytes = sum(len(state.value) for state in kept)

"""Which STATE may be written: only one that has no unacknowledged record before it.

Records are numbered as they arrive. A STATE that came after record n is valid once every event of
records 1 to n is acknowledged. Only bookkeeping: the run does the writing.
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
    is_held: bool  # whether an invalid or rejected record came since the previous STATE


class Checkpoints:
    """STATE messages that wait until they are valid.

    Bounded: if many wait, some are dropped, but never the newest.
    """

    def __init__(self) -> None:
        self._pending: list[_Pending] = []
        self._bytes = 0
        self._holds_next = False
        self.has_passed_held = (
            False  # whether a written STATE is past an invalid or rejected record
        )

    @property
    def is_waiting(self) -> bool:
        """Whether a STATE waits to be written."""
        return bool(self._pending)

    def add_state(self, value: bytes, after: int) -> None:
        """Add a STATE's value, byte for byte, that came after `after` records.

        An empty object is not a state and is ignored.
        """
        if value.strip() in {b"{}", b"null"}:
            return
        if self._pending and self._pending[-1].after == after:
            last = self._pending[-1]
            self._bytes += len(value) - len(last.value)
            last.value = value
            last.is_held |= self._holds_next
        else:
            self._pending.append(_Pending(after, value, self._holds_next))
            self._bytes += len(value)
        self._holds_next = False
        if len(self._pending) > MAX_PENDING or (
            self._bytes > MAX_PENDING_BYTES and len(self._pending) > 2  # noqa: PLR2004
        ):
            self._thin_out()

    def hold_at(self, sequence: int) -> None:
        """Hold STATE at a record that ended invalid or rejected, as long as too many do."""
        position = bisect_left(self._pending, sequence, key=lambda state: state.after)
        if position < len(self._pending):
            self._pending[position].is_held = True
        else:
            self._holds_next = True

    def pop_newest_true(self, oldest_unsettled: int | None, *, pass_held: bool) -> bytes | None:
        """Remove and return the newest valid STATE, or None, and drop those before it.

        Held ones are included only if `pass_held`.
        """
        true = 0
        for state in self._pending:
            if oldest_unsettled is not None and state.after >= oldest_unsettled:
                break
            if state.is_held and not pass_held:
                break
            true += 1
        if not true:
            return None
        value = self._pending[true - 1].value
        self.has_passed_held |= any(state.is_held for state in self._pending[:true])
        del self._pending[:true]
        self._bytes = sum(len(state.value) for state in self._pending)
        return value

    def _thin_out(self) -> None:
        """Drop every second STATE except the newest; a hold moves to the next one kept."""
        kept: list[_Pending] = []
        is_held = False
        newest = len(self._pending) - 1
        for position, state in enumerate(self._pending):
            is_held |= state.is_held
            if position == newest or position % 2:
                kept.append(_Pending(state.after, state.value, is_held))
                is_held = False
        self._pending = kept
        self._bytes = sum(len(state.value) for state in kept)

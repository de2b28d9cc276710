"""What waits to be made durable, in order: when it is due, and which records it holds back."""

from collections.abc import Callable, Iterable
from typing import Final, Generic, Protocol, TypeVar

MAX_BUFFERED: Final = 1000
FILE_WAIT_SECONDS: Final = 1.0
OBJECT_WAIT_SECONDS: Final = 10.0  # an object per flush: not one a second
PATIENCE_SECONDS: Final = 60.0  # for a write: meanwhile no claim in a ledger is renewed
SILENT: Final = "its reader accepts nothing, and there was no time left to wait for it"


class Recorded(Protocol):
    """Something to record about a record."""

    @property
    def sequence(self) -> int:
        """The record's number."""


Item = TypeVar("Item", bound=Recorded)


class Waiting(Generic[Item]):
    """Items that wait to be written to a path. `clock` is monotonic seconds."""

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wait_seconds = OBJECT_WAIT_SECONDS if "://" in path else FILE_WAIT_SECONDS
        self._oldest_at = 0.0
        self._failed_at = float("-inf")  # the last try, if it failed
        self.items: list[Item] = []

    def add(self, item: Item) -> None:
        """Add an item; it waits until `end_try`."""
        if not self.items:
            self._oldest_at = self._clock()
        self.items.append(item)

    def due_at(self) -> float | None:
        """Return when they should be written, or None."""
        if not self.items:
            return None
        due = self._oldest_at
        if len(self.items) < MAX_BUFFERED:
            due += self._wait_seconds
        return max(due, self._failed_at + self._wait_seconds)

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record with an item here."""
        return min((item.sequence for item in self.items), default=None)

    def begin_try(self) -> None:
        """Begin to write them: after a failure the next try waits as long as the first."""
        self._failed_at = self._clock()

    def end_try(self, left: Iterable[Item] = ()) -> None:
        """End a try that wrote all items except those that are left."""
        self.items = list(left)
        if not self.items:
            self._failed_at = float("-inf")

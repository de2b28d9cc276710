"""Reading at the pace of delivery, for every entry point.

It reads Singer messages, BATCH files, dead letters and rows of Spark. Nothing is read while the run
has no room, or after it was interrupted. Knows nothing about what is read.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from target_pinterest_capi.delivery.run import Run

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

ITEMS_PER_READ: Final = 100


class Source(Protocol[Item_co]):
    """A source that is read in pieces, between which the run makes progress."""

    def read(self, seconds: float | None) -> Iterable[Item_co] | None:
        """Return the items that arrive within `seconds` (None: wait), if any; None at the end."""


class IteratedSource(Generic[Item]):
    """A source of anything that can be iterated and needs no waiting.

    An item is fetched only when it is its turn. The run makes progress after `at_once` of them.
    """

    def __init__(self, items: Iterable[Item], at_once: int = ITEMS_PER_READ) -> None:
        self._items = iter(items)
        self._at_once = at_once

    def read(self, seconds: float | None) -> Iterable[Item] | None:  # noqa: ARG002 - the protocol's
        """Return the next items; never waits."""
        for item in self._items:
            return chain((item,), islice(self._items, self._at_once - 1))
        return None


def paced(run: "Run", source: Source[Item]) -> Iterator[Item]:
    """Yield a source's items, at the pace at which the run delivers their results.

    While there is no room or no input, responses are read and batches are sent. After an
    interruption nothing more is read, and no item is yielded. Raises `RunStopped` if the run must
    stop, and what the source raises.
    """
    while not run.is_interrupted:
        run.poll()
        if not run.has_room:
            run.wait()
            continue
        items = source.read(run.seconds_until_due())
        if items is None:
            return
        yield from until_interrupted(run, items)


def until_interrupted(run: "Run", items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, but none after an interruption of the run."""
    for item in items:
        if run.is_interrupted:
            return
        yield item

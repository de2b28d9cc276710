"""Reading at the pace of delivery, for every door.

Singer messages, the files of a BATCH, dead letters and the rows of Spark are read by it. Owns when
something is read: not while the run has no room, and never after it was interrupted. Knows nothing
of what is read.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from target_pinterest_capi.pipeline.prefetch import Prefetch

if TYPE_CHECKING:
    from target_pinterest_capi.delivery.run import Run

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

ITEMS_PER_READ: Final = 100


class Source(Protocol[Item_co]):
    """What is read in pieces, between which the run gets its turn."""

    def read(self, seconds: float | None) -> Iterable[Item_co] | None:
        """Return the items that come within `seconds` (None: wait), if any; None at the end."""


class IteratedSource(Generic[Item]):
    """A source of whatever iterates and needs no waiting.

    An item is asked for when its turn comes, not before.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)

    def read(self, seconds: float | None) -> Iterable[Item] | None:  # noqa: ARG002 - the protocol's
        """Return the next `ITEMS_PER_READ` items; never waits."""
        for item in self._items:
            return chain((item,), islice(self._items, ITEMS_PER_READ - 1))
        return None


class ChunkedSource(Generic[Item]):
    """A source of chunks that come as fast as they are asked for."""

    def __init__(self, chunks: Iterable[Iterable[Item]]) -> None:
        self._chunks = iter(chunks)

    def read(self, seconds: float | None) -> Iterable[Item] | None:  # noqa: ARG002 - the protocol's
        """Return the next chunk; never waits."""
        return next(self._chunks, None)


class FetchedSource(Generic[Item]):
    """A source of chunks that may be waited for, and are fetched beside the run."""

    def __init__(self, prefetch: Prefetch[Iterable[Item]]) -> None:
        self._prefetch = prefetch

    def read(self, seconds: float | None) -> Iterable[Item] | None:
        """Return the next chunk where it comes within `seconds` (None: wait); else no item."""
        chunks = self._prefetch.read(seconds)
        return None if chunks is None else chain.from_iterable(chunks)


def paced(run: "Run", source: Source[Item]) -> Iterator[Item]:
    """Yield a source's items, at the pace at which the run delivers what becomes of them.

    While there is no room, and while the source has nothing, responses are read and batches leave.
    After an interruption nothing more is read, and no item is yielded. Raises `RunStopped` where
    the run has to stop, and what the source raises.
    """
    while not run.is_interrupted:
        run.poll()
        if not run.has_room:
            run.wait()
            continue
        items = source.read(run.seconds_until_due())
        if items is None:
            return
        yield from _until_interrupted(run, items)


def _until_interrupted(run: "Run", items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if run.is_interrupted:
            return
        yield item

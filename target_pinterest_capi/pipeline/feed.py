"""Reading at the pace of delivery, for every entry point.

It reads Singer messages, BATCH files, dead letters and rows of Spark. Nothing is read while the run
has no room, or after it was interrupted. Knows nothing about what is read.
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
    """A source that is read in pieces, between which the run makes progress."""

    def read(self, seconds: float | None) -> Iterable[Item_co] | None:
        """Return the items that arrive within `seconds` (None: wait), if any; None at the end."""


class IteratedSource(Generic[Item]):
    """A source of anything that can be iterated and needs no waiting.

    An item is fetched only when it is its turn.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)

    def read(self, seconds: float | None) -> Iterable[Item] | None:  # noqa: ARG002 - the protocol's
        """Return the next `ITEMS_PER_READ` items; never waits."""
        for item in self._items:
            return chain((item,), islice(self._items, ITEMS_PER_READ - 1))
        return None


class ChunkedSource(Generic[Item]):
    """A source of chunks that never makes the run wait."""

    def __init__(self, chunks: Iterable[Iterable[Item]]) -> None:
        self._chunks = iter(chunks)

    def read(self, seconds: float | None) -> Iterable[Item] | None:  # noqa: ARG002 - the protocol's
        """Return the next chunk; never waits."""
        return next(self._chunks, None)


class FetchedSource(Generic[Item]):
    """A source of chunks that may take time, and are fetched on another thread."""

    def __init__(self, prefetch: Prefetch[Iterable[Item]]) -> None:
        self._prefetch = prefetch

    def read(self, seconds: float | None) -> Iterable[Item] | None:
        """Return the next chunk if it arrives within `seconds` (None: wait); otherwise no item."""
        chunks = self._prefetch.read(seconds)
        return None if chunks is None else chain.from_iterable(chunks)


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
        yield from _until_interrupted(run, items)


def _until_interrupted(run: "Run", items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if run.is_interrupted:
            return
        yield item

"""Fetches items on another thread while the run continues.

The batches of a Spark partition, and the chunks of BATCH files, whose object store may not answer.
There is one fetch at a time; memory has the current item and the next one. Never looks into an
item.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import WorkerPool

Item = TypeVar("Item")


class Prefetch(Generic[Item]):
    """The items of an iterable, once. `wake` is set when one has arrived.

    Raises `NoThreadError`.
    """

    def __init__(self, wake: Wakeup, items: Iterable[Item]) -> None:
        self._wake = wake
        self._source = iter(items)
        self._fetches: WorkerPool[Iterator[Item], Item | None] = WorkerPool(
            _next, wake, attempt_seconds=float("inf"), clock=time.monotonic
        )
        self._is_open = True
        self._fetches.start(self._source)

    def read(self, seconds: float | None) -> list[Item] | None:
        """Return the items that arrive within `seconds` (None: wait), at most one; None at the end.

        Raises what the iterable raised.
        """
        if not self._is_open:
            return None
        if not self._fetches.has_results:
            self._wake.wait(seconds)
        for source, item in self._fetches.results():
            if item is None:
                self.close()
                return None
            self._fetches.start(source)
            return [item]
        return []

    def drain(self) -> None:
        """Read the rest and drop it, so that Spark can continue to read after the end.

        Two readers at once would mix up their bytes.
        """
        while self.read(None) is not None:
            continue

    def close(self) -> None:
        """Fetch no more; a fetch that hangs ends after it, or with the process."""
        self._is_open = False
        self._fetches.close()


def _next(source: Iterator[Item]) -> Item | None:
    return next(source, None)

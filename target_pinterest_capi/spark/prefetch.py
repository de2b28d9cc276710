"""Arrow batches, fetched beside the run, which goes on while Spark is still making rows.

Owns the one fetch that is under way. What waits in memory is the batch at work and the next one.
Never looks into a batch.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.delivery.worker_pool import WorkerPool


class Prefetch:
    """The batches of a partition, once. `wake` is set when a batch has come."""

    def __init__(self, wake: Wakeup, batches: Iterable[Any]) -> None:
        self._wake = wake
        self._source = iter(batches)
        self._fetches: WorkerPool[Iterator[Any], Any] = WorkerPool(
            _next, wake, attempt_seconds=float("inf"), clock=time.monotonic
        )
        self._is_open = True
        self._fetches.start(self._source)

    def read(self, seconds: float | None) -> list[Any] | None:
        """Return the batches that come within `seconds` (None: wait), at most one; None at the end.

        Raises what Spark raised.
        """
        if not self._is_open:
            return None
        if not self._fetches.has_results:
            self._wake.wait(seconds)
        for source, batch in self._fetches.results():
            if batch is None:
                self._is_open = False
                self._fetches.close()
                return None
            self._fetches.start(source)
            return [batch]
        return []

    def drain(self) -> None:
        """Read the rest and drop it, so that Spark's own reading can go on where this one ends.

        Two readers at once would mix up their bytes.
        """
        while self.read(None) is not None:
            continue


def _next(source: Iterator[Any]) -> Any:
    return next(source, None)

"""How much may be invalid or rejected before a run counts as failed: `max_rejected_ratio`."""

from typing import Final, NamedTuple

from target_pinterest_capi.reporting.counters import Counters

MIN_SETTLED_FOR_RATIO: Final = 1000


class RejectionLimit(NamedTuple):
    """The share of failures that is too much; None where there is no limit.

    Before the end of the input at least `min_settled` events must be acknowledged.
    """

    max_ratio: float | None
    min_settled: int = MIN_SETTLED_FOR_RATIO

    def is_reached(self, counters: Counters, undecided: int = 0) -> bool:
        """Return whether the share is at or over the limit, even if all `undecided` get through."""
        failed = counters.failed
        if self.max_ratio is None or not failed:
            return False
        return failed >= self.max_ratio * (counters.attempted + undecided)

    def describe(self, counters: Counters, where: str) -> str:
        """Return how much failed, what the limit is, and `where` each one's reason is."""
        return (
            f"{counters.failed} of {counters.attempted} events were invalid or rejected, "
            f"and max_rejected_ratio is {self.max_ratio:g}: see {where} for each one's reason"
        )

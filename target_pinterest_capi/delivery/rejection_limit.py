"""How many events may be invalid or rejected before a run fails: `max_rejected_ratio`."""

from typing import Final, NamedTuple

from target_pinterest_capi.reporting.counters import Counters

MIN_SETTLED_FOR_RATIO: Final = 1000


class RejectionLimit(NamedTuple):
    """The share of failures that is too high; None without a limit.

    Before the end of the input at least `min_settled` events must be acknowledged.
    """

    max_ratio: float | None
    min_settled: int = MIN_SETTLED_FOR_RATIO

    def is_reached(self, counters: Counters, undecided: int = 0) -> bool:
        """Return whether the share reaches the limit even if all `undecided` are delivered."""
        failed = counters.failed
        if self.max_ratio is None or not failed:
            return False
        return failed >= self.max_ratio * (counters.attempted + undecided)

    def describe(self, counters: Counters, where: str) -> str:
        """Return how many failed, what the limit is, and `where` the reasons are."""
        return (
            f"{counters.failed} of {counters.attempted} events were invalid or rejected, and "
            f"max_rejected_ratio is {self.max_ratio:g}: see {where} for the reasons"
        )

"""What a run requires of a kind of delivery, of events or of customer lists."""

from typing import Protocol

from target_pinterest_capi.delivery.dispatcher import StopReason
from target_pinterest_capi.reporting.counters import RequestCounts


class Delivery(Protocol):
    """Delivers within a run, and takes part in its STATE, its waits and its end.

    Everything is called on the run's thread, and nothing waits. Times are on the run's clock.
    """

    @property
    def has_room(self) -> bool:
        """Whether more records may be read."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight or waits to be sent at once.

        Collected events count only after `flush`.
        """

    @property
    def in_flight(self) -> int:
        """How many requests are in flight."""

    @property
    def undecided(self) -> int:
        """How many events or members that arrived are not acknowledged."""

    @property
    def requests(self) -> RequestCounts:
        """How many requests were sent, and why."""

    @property
    def stopped(self) -> StopReason | None:
        """Why nothing more is sent, if so: the run stops too."""

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record that is not acknowledged: no STATE passes it."""

    def next_due_at(self) -> float | None:
        """Return when something can be done; None if only a response can change anything."""

    def poll(self) -> None:
        """Read responses, and send what is due."""

    def flush(self) -> None:
        """Send what was collected, and from now on everything at once: the input has ended."""

    def stop(self, message: str) -> None:
        """Send nothing more."""

    def close(self) -> None:
        """End threads and connections."""

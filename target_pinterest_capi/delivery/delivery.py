"""What delivers within a run, events or something else: how it takes part in the run's STATE, waits and end."""

from typing import Protocol

from target_pinterest_capi.delivery.dispatcher import StopReason


class Delivery(Protocol):
    """A kind of delivery. Everything is called on the run's thread, and nothing waits. Times are on the run's clock."""

    @property
    def has_room(self) -> bool:
        """Tell whether more records may be read."""

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is under way, and nothing waits to be sent at once; what gathers counts after `flush` only."""

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""

    @property
    def undecided(self) -> int:
        """How many events could still be delivered: those taken and not settled."""

    @property
    def stopped(self) -> StopReason | None:
        """Give why nothing further is sent, if it is so: the run stops too."""

    def oldest_sequence(self) -> int | None:
        """Give the lowest number of a record that is not settled: no STATE passes it."""

    def next_due_at(self) -> float | None:
        """Give the time at which something can be done; None when only an answer can change anything."""

    def poll(self) -> None:
        """Read answers, and send what is due."""

    def flush(self) -> None:
        """Send what has gathered, and from now on whatever comes: the input has ended."""

    def stop(self, message: str) -> None:
        """Send nothing more."""

    def close(self) -> None:
        """Give back threads and connections."""

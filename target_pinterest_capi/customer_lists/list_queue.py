"""One customer list within a run: its operations gather, leave in one flow at a time, and are settled.

Promises that a record is settled when the last of its members is, and not before Pinterest answered and a full refresh has the
member on record; and that memory is bounded by two batches of members. Decides nothing about retries (`calls`) and nothing about
Pinterest's side (`updates`).
"""

from collections.abc import Callable, Mapping, Sequence  # noqa: I001
from typing import Final, Protocol

from target_pinterest_capi.customer_lists.members import (
    Action,
    MemberOperation,
    NetOperations,
    OperationReceipt,
    PendingOperation,
)
from target_pinterest_capi.customer_lists.remote_list import RemoteList
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.events.outcomes import NotSent, Outcome, Rejected
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.reasons import Reason
from target_pinterest_capi.pinterest.calls import Flow

ORDER: Final = (
    Action.REMOVE,
    Action.ADD,
)  # of the two requests of a flush; their members are disjoint


class MemberOutcomes(Protocol):
    """Whom a list tells what became of its members."""

    def record(self, key: bytes, action: Action, members: Mapping[str, PendingOperation]) -> None:
        """Put members on record, or take them off it. Raises `FlowStopped`."""

    def accepted(self) -> None:
        """Pinterest took a request of some list."""

    def suspect(self, one: "ListQueue", receipt: OperationReceipt, message: str) -> None:
        """Pinterest refused a member alone. Raises `FlowStopped`."""

    def count(self, origin: Origin, outcome: Outcome, reason: Reason | str = "") -> None:
        """Count a record's outcome."""

    def reject(self, letter: DeadLetter) -> None:
        """Take a rejected record's dead letter."""


class ListQueue:
    """One list. `max_members` a request; operations wait for `wait_seconds`. `clock` gives monotonic seconds."""

    def __init__(
        self,
        office: MemberOutcomes,
        remote: RemoteList,
        *,
        max_members: int,
        wait_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.remote = remote
        self.record_key: bytes | None = None  # of a list with full refreshes
        self.wants_audience = False
        self._office = office
        self._max_members = max_members
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._gathering = NetOperations()
        self._sending: dict[str, PendingOperation] = {}
        self._open: dict[
            OperationReceipt, None
        ] = {}  # in order of arrival, so that the first is the oldest
        self._opened_at = 0.0
        self._is_busy = False
        self._was_finished = False  # the last flow of the run, which makes the audience where nothing was sent, has begun

    def add(self, operation: MemberOperation, receipt: OperationReceipt) -> None:
        """Take a record's operation."""
        if not len(self._gathering):
            self._opened_at = self._clock()
        self._open[receipt] = None
        receipt.open = len(operation.members)
        for member in operation.members:
            superseded = self._gathering.add(member, operation.action, receipt)
            if superseded is not None:
                self.settle(superseded)

    @property
    def has_room(self) -> bool:
        """Tell whether more may gather."""
        return not self._is_busy or len(self._gathering) < self._max_members

    @property
    def undecided(self) -> int:
        """How many records are not settled."""
        return len(self._open)

    def oldest_sequence(self) -> int | None:
        """Give the lowest number of a record that is not settled."""
        return next(iter(self._open)).sequence if self._open else None

    def is_waiting(self, *, flushing: bool) -> bool:
        """Tell whether a flow is to begin as soon as none is under way."""
        if flushing and self.wants_audience and not self._was_finished:
            return True
        return len(self._gathering) >= (1 if flushing else self._max_members)

    def due_at(self, *, flushing: bool) -> float | None:
        """Give the time at which a flow is to begin; None while one is under way, or nothing gathers."""
        if self._is_busy:
            return None
        if self.is_waiting(flushing=flushing):
            return float("-inf")
        return self._opened_at + self._wait_seconds if len(self._gathering) else None

    def flow(self, *, is_last: bool) -> Flow:
        """Send what has gathered: removals, then additions, which make a list that is not there; then see to its audience."""
        self._is_busy = True
        self._was_finished |= is_last
        self._sending = self._gathering.take()
        yield from self.remote.find()
        for action in ORDER:
            members = [
                member for member, pending in self._sending.items() if pending.action is action
            ]
            if members and action is Action.REMOVE and self.remote.id is None:
                for member in members:
                    self.settle(self._sending.pop(member).receipt, why=NotSent.NO_LIST)
            elif members:
                yield from self.remote.send(action, members, self)
        if self.wants_audience:
            yield from self.remote.ensure_audience(
                self.remote.address.list_name or f"Customer list {self.remote.id}"
            )
        self._is_busy = False

    # What the flow tells

    def accepted(self, action: Action, members: Sequence[str]) -> None:
        """Settle the members of a request that Pinterest took."""
        taken = {member: self._sending.pop(member) for member in members}
        if self.record_key is not None:
            self._office.record(self.record_key, action, taken)
        self._office.accepted()
        for pending in taken.values():
            self.settle(pending.receipt, delivered=True)

    def refused(self, member: str, message: str) -> None:
        """Take the member of a request that Pinterest refused."""
        self._office.suspect(self, self._sending.pop(member).receipt, message)

    def settle(
        self,
        receipt: OperationReceipt,
        *,
        delivered: bool = False,
        refusal: str | None = None,
        why: NotSent = NotSent.SUPERSEDED,
    ) -> None:
        """Settle one member of a record; with the last one the record has its outcome: rejected, else delivered, else skipped."""
        receipt.open -= 1
        receipt.delivered |= delivered
        receipt.refusal = receipt.refusal or refusal
        if receipt.open:
            return
        del self._open[receipt]
        if receipt.refusal is not None:
            self._office.reject(
                DeadLetter(
                    receipt.sequence,
                    receipt.origin,
                    Outcome.REJECTED,
                    Rejected.REFUSED_REQUEST,
                    receipt.refusal,
                    key=receipt.key,
                    ad_account_id=self.remote.address.ad_account_id,
                )
            )
        elif receipt.delivered:
            self._office.count(receipt.origin, Outcome.DELIVERED)
        else:
            self._office.count(receipt.origin, Outcome.SKIPPED, why)

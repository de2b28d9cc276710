"""One customer list within a run: its operations are collected, and sent in one flow at a time.

A record is acknowledged when the last of its members is, and only after Pinterest responded and a
full refresh has recorded the member. Memory is bounded by two batches of members. Does not decide
about retries, nor anything about the list at Pinterest.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from target_pinterest_capi.customer_lists.members import Action, MemberOperation
from target_pinterest_capi.customer_lists.net_operations import (
    NetOperations,
    OperationReceipt,
    Pending,
    PendingOperation,
    PersonOperations,
    SingleOperations,
)
from target_pinterest_capi.customer_lists.remote_list import RemoteList
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.outcomes import NotSent, Outcome, Rejected
from target_pinterest_capi.events.reasons import Reason
from target_pinterest_capi.pinterest.calls import Flow
from target_pinterest_capi.pinterest.list_records import ListMember

# Of the two kinds of requests of a flow; their members are disjoint.
ORDER: Final = (Action.REMOVE, Action.ADD)


class MemberOutcomes(Protocol):
    """Gets the outcomes of a list's members."""

    def record_members(
        self, key: bytes, action: Action, members: Mapping[ListMember, PendingOperation]
    ) -> None:
        """Record members, or delete them from the record. Raises `FlowStopped`."""

    def record_refused(self, key: bytes, member: ListMember, pending: PendingOperation) -> None:
        """Record that a refused member is in the source, if it is on record. Raises `FlowStopped`.

        Otherwise it is not on the list.
        """

    def rows_on_record(
        self, key: bytes, removals: Mapping[ListMember, PendingOperation]
    ) -> Mapping[ListMember, PendingOperation]:
        """Return the recorded rows of people who are removed, each with its removal.

        Raises `FlowStopped`.
        """

    def confirm_rejections(self) -> None:
        """Pinterest accepted a request, so members are the cause of later refusals."""

    def reject_member(self, queue: "ListQueue", receipt: OperationReceipt, message: str) -> None:
        """Pinterest refused a member alone. Raises `FlowStopped`."""

    def count_outcome(self, origin: Origin, outcome: Outcome, reason: Reason | str = "") -> None:
        """Count a record's outcome."""

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Add a rejected record's dead letter."""


class ListQueue:
    """The operations of one list. `clock` is monotonic seconds.

    They wait for `wait_seconds`, or until there are `max_members` of them.
    """

    def __init__(
        self,
        outcomes: MemberOutcomes,
        remote: RemoteList,
        *,
        max_members: int,
        wait_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self.remote = remote
        self.record_key: bytes | None = None  # of a list with full refreshes
        self.wants_audience = False
        self._outcomes = outcomes
        self._max_members = max_members
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._gathering: NetOperations = SingleOperations()
        if remote.configured.list_type is None:
            self._gathering = PersonOperations()
        self._sending: Pending = {}
        # In order of arrival, so the first is the oldest.
        self._open: dict[OperationReceipt, None] = {}
        self._opened_at = 0.0
        self._is_busy = False
        self._has_begun_last = False  # the last flow of the run, which creates a missing audience

    def add_operation(self, operation: MemberOperation, receipt: OperationReceipt) -> None:
        """Add a record's operation."""
        if not len(self._gathering):
            self._opened_at = self._clock()
        self._open[receipt] = None
        for superseded in self._gathering.add_operation(operation, receipt):
            self.settle_member(superseded)

    @property
    def has_room(self) -> bool:
        """Whether more may be collected."""
        return not self._is_busy or len(self._gathering) < self._max_members

    @property
    def undecided(self) -> int:
        """How many records are not acknowledged."""
        return len(self._open)

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record that is not acknowledged."""
        return next(iter(self._open)).sequence if self._open else None

    def is_waiting(self, *, flushing: bool) -> bool:
        """Return whether a flow should begin as soon as none is in progress."""
        if flushing and self.wants_audience and not self._has_begun_last:
            return True
        return len(self._gathering) >= (1 if flushing else self._max_members)

    def due_at(self, *, flushing: bool) -> float | None:
        """Return when a flow should begin; None during a flow, or if nothing is collected."""
        if self._is_busy:
            return None
        if self.is_waiting(flushing=flushing):
            return float("-inf")
        if not len(self._gathering):
            return None
        return self._opened_at + self._wait_seconds

    def flow(self, *, is_last: bool) -> Flow:
        """Send what was collected: removals, then additions; then ensure the list's audience.

        Additions create a list that does not exist.
        """
        self._is_busy = True
        self._has_begun_last |= is_last
        self._sending = self._gathering.pop_all()
        yield from self.remote.find()
        if self.record_key is not None:
            self._add_recorded_removals(self.record_key)
        for action in ORDER:
            members = list(self._sending_to(action))
            if not members:
                continue
            if action is Action.REMOVE and self.remote.id is None:
                self._skip_removals(members)
            else:
                yield from self.remote.send(action, members, self)
        if self.wants_audience:
            name = self.remote.configured.list_name or f"Customer list {self.remote.id}"
            yield from self.remote.ensure_audience(name)
        self._is_busy = False

    def _sending_to(self, action: Action) -> Pending:
        """Return the members with one of the actions."""
        return {
            member: pending for member, pending in self._sending.items() if pending.action is action
        }

    def _add_recorded_removals(self, key: bytes) -> None:
        """Also remove the recorded rows of removed people, except those that are added again."""
        removals = self._sending_to(Action.REMOVE)
        for row, pending in self._outcomes.rows_on_record(key, removals).items():
            if row not in self._sending:
                pending.receipt.open += 1
                self._sending[row] = pending

    def _skip_removals(self, members: Sequence[ListMember]) -> None:
        """Acknowledge removals from a list that does not exist."""
        for member in members:
            pending = self._sending.pop(member)
            self.settle_member(pending.receipt, reason=NotSent.NO_LIST)

    # How requests end

    def settle_accepted(self, action: Action, members: Sequence[ListMember]) -> None:
        """Acknowledge the members of a request that Pinterest accepted."""
        accepted = {member: self._sending.pop(member) for member in members}
        if self.record_key is not None:
            self._outcomes.record_members(self.record_key, action, accepted)
        self._outcomes.confirm_rejections()
        for pending in accepted.values():
            self.settle_member(pending.receipt, delivered=True)

    def settle_refused(self, member: ListMember, message: str) -> None:
        """Reject the member of a request that Pinterest refused."""
        pending = self._sending.pop(member)
        if self.record_key is not None and pending.action is Action.ADD:
            self._outcomes.record_refused(self.record_key, member, pending)
        self._outcomes.reject_member(self, pending.receipt, message)

    def settle_member(
        self,
        receipt: OperationReceipt,
        *,
        delivered: bool = False,
        refusal: str | None = None,
        reason: NotSent = NotSent.SUPERSEDED,
    ) -> None:
        """Acknowledge one member of a record; with the last one, the record gets its outcome.

        It is rejected, otherwise delivered, otherwise skipped.
        """
        receipt.open -= 1
        receipt.delivered |= delivered
        receipt.refusal = receipt.refusal or refusal
        if receipt.open:
            return
        del self._open[receipt]
        if receipt.refusal is not None:
            self._outcomes.add_dead_letter(
                DeadLetter(
                    receipt.sequence,
                    receipt.origin,
                    Outcome.REJECTED,
                    Rejected.REFUSED_REQUEST,
                    receipt.refusal,
                    key=receipt.key,
                    ad_account_id=self.remote.configured.ad_account_id,
                )
            )
        elif receipt.delivered:
            self._outcomes.count_outcome(receipt.origin, Outcome.DELIVERED)
        else:
            self._outcomes.count_outcome(receipt.origin, Outcome.SKIPPED, reason)

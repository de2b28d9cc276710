"""The net operations of those that were collected for a list: the last one counts.

For a member that is a single identifier, the last operation for that identifier counts; for a row,
the last one for its person. Rows belong to one person if they share an identifier, or came from
records with the same key. Never sends, reads a clock, or writes.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from target_pinterest_capi.customer_lists.members import Action, MemberOperation
from target_pinterest_capi.customer_lists.rows import Identity, key_identity
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.keys import Key
from target_pinterest_capi.pinterest.list_records import ListMember


class OperationReceipt:
    """One record's operation until it is acknowledged, with the number of its open members.

    `sequence` is the record's number, `feed` the one that records its members in a full refresh.
    """

    __slots__ = ("delivered", "feed", "key", "open", "origin", "refusal", "sequence")

    def __init__(self, origin: Origin, sequence: int, key: Key | None, feed: bytes) -> None:
        self.origin = origin
        self.sequence = sequence
        self.key = key
        self.feed = feed
        self.open = 0
        self.delivered = False
        # Pinterest's message about the first member that it refused
        self.refusal: str | None = None

    def key_identity(self) -> Identity | None:
        """Return the identity that is the record's key; None if it has no key."""
        return None if self.key is None else key_identity(self.origin.stream, self.key)


class PendingOperation(NamedTuple):
    """The last operation for one member; `feeds` are those that contributed the member."""

    action: Action
    receipt: OperationReceipt
    feeds: frozenset[bytes]


Pending = dict[ListMember, PendingOperation]


class NetOperations(Protocol):
    """The net operation for each member of one list since the last flow.

    Each member occurs once, so additions and removals are disjoint.
    """

    def __len__(self) -> int: ...

    def add_operation(
        self, operation: MemberOperation, receipt: OperationReceipt
    ) -> list[OperationReceipt]:
        """Add a record's operation; return the receipts of those it supersedes, one per member."""

    def pop_all(self) -> Pending:
        """Remove and return every member's operation."""


class SingleOperations:
    """Net operations in which each identifier is a member, in order of arrival."""

    def __init__(self) -> None:
        self._pending: Pending = {}

    def __len__(self) -> int:
        return len(self._pending)

    def add_operation(
        self, operation: MemberOperation, receipt: OperationReceipt
    ) -> list[OperationReceipt]:
        """Add a record's operation; return the receipts of those it supersedes, one per member."""
        before = [self._pending.pop(member, None) for member in operation.members]
        for member, earlier in zip(operation.members, before, strict=True):
            self._pending[member] = _pending(operation.action, receipt, earlier)
        return [earlier.receipt for earlier in before if earlier is not None]

    def pop_all(self) -> Pending:
        """Remove and return every member's operation."""
        pending, self._pending = self._pending, {}
        return pending


class _Person:
    """The rows of one person, and what identifies the person."""

    __slots__ = ("added", "identities", "removed")

    def __init__(self) -> None:
        self.identities: set[Identity] = set()
        self.added: Pending = {}
        self.removed: Pending = {}

    @property
    def size(self) -> int:
        return len(self.identities) + len(self.added) + len(self.removed)

    def pending(self) -> Iterator[tuple[ListMember, PendingOperation]]:
        yield from self.removed.items()
        yield from self.added.items()


class PersonOperations:
    """Net operations in which a member is a row of a person's identifiers.

    A removal covers all earlier rows of its person. If an addition follows, those rows are still
    removed, except the one that is added again. Removals are sent first, so the list ends as if
    every operation had been sent, whatever Pinterest identifies a row by.
    """

    def __init__(self) -> None:
        self._people: dict[Identity, _Person] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add_operation(
        self, operation: MemberOperation, receipt: OperationReceipt
    ) -> list[OperationReceipt]:
        """Add a record's operation; return the receipts of those it supersedes, one per member."""
        person = self._person_of(operation.identities)
        before = len(person.added) + len(person.removed)
        earlier: Pending = {}
        if operation.action is Action.REMOVE:
            earlier, person.added = person.added, {}
        for row in operation.members:
            known = person.removed.pop(row, None) or person.added.pop(row, None)
            if known is not None:
                earlier[row] = known
        rows = person.removed if operation.action is Action.REMOVE else person.added
        for row in dict.fromkeys((*earlier, *operation.members)):
            rows[row] = _pending(operation.action, receipt, earlier.get(row))
        self._size += len(person.added) + len(person.removed) - before
        return [pending.receipt for pending in earlier.values()]

    def pop_all(self) -> Pending:
        """Remove and return every member's operation."""
        people = {id(person): person for person in self._people.values()}
        self._people, self._size = {}, 0
        return {row: pending for one in people.values() for row, pending in one.pending()}

    def _person_of(self, identities: frozenset[Identity]) -> _Person:
        """Return the person of these identities; people who turn out to be the same are merged."""
        known = {
            id(person): person
            for identity in identities
            if (person := self._people.get(identity)) is not None
        }
        person = max(known.values(), key=lambda one: one.size, default=None) or _Person()
        new = set(identities - person.identities)
        for other in known.values():
            if other is not person:
                person.added |= other.added
                person.removed |= other.removed
                new |= other.identities
        person.identities |= new
        self._people.update(dict.fromkeys(new, person))
        return person


def _pending(
    action: Action, receipt: OperationReceipt, before: PendingOperation | None
) -> PendingOperation:
    """Return a member's operation, which replaces an earlier one, and count it on its receipt."""
    receipt.open += 1
    feeds = frozenset((receipt.feed,))
    if before is not None and action is Action.ADD and before.action is Action.ADD:
        feeds |= before.feeds  # each of them has contributed the member
    return PendingOperation(action, receipt, feeds)

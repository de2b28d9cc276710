"""What is left to do of the operations that have gathered for a list: the last one counts.

Of a member that is a single identifier, the last operation of that identifier; of a row, the last
one of its person. Rows are one person's where they share an identifier, or came from records of one
key. Pure bookkeeping; never sends, never reads a clock, never writes.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from target_pinterest_capi.customer_lists.members import Action, MemberOperation
from target_pinterest_capi.customer_lists.rows import Identity, key_identity
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.keys import Key
from target_pinterest_capi.pinterest.list_records import ListMember


class OperationReceipt:
    """One record's operation until it is acknowledged: how many of its members are open.

    `sequence` is the record's number, `feed` what its members are recorded under in a full refresh.
    """

    __slots__ = ("delivered", "feed", "key", "open", "origin", "refusal", "sequence")

    def __init__(self, origin: Origin, sequence: int, key: Key | None, feed: bytes) -> None:
        self.origin = origin
        self.sequence = sequence
        self.key = key
        self.feed = feed
        self.open = 0
        self.delivered = False
        self.refusal: str | None = None  # Pinterest's words about the first member that it refused

    def key_identity(self) -> Identity | None:
        """Return the identity that the record's key is; None where it has none."""
        return None if self.key is None else key_identity(self.origin.stream, self.key)


class PendingOperation(NamedTuple):
    """The last operation of one member; `feeds` are those that brought the member."""

    action: Action
    receipt: OperationReceipt
    feeds: frozenset[bytes]


Pending = dict[ListMember, PendingOperation]


class NetOperations(Protocol):
    """The net operation of each member of one list since the last flow.

    Each is there once, so that additions and removals are disjoint.
    """

    def __len__(self) -> int: ...

    def add_operation(
        self, operation: MemberOperation, receipt: OperationReceipt
    ) -> list[OperationReceipt]:
        """Add a record's operation; return the receipts of what it supersedes, one a member."""

    def pop_all(self) -> Pending:
        """Remove and return every member's operation."""


class SingleOperations:
    """Net operations where each identifier is a member of its own, in the order they came."""

    def __init__(self) -> None:
        self._pending: Pending = {}

    def __len__(self) -> int:
        return len(self._pending)

    def add_operation(
        self, operation: MemberOperation, receipt: OperationReceipt
    ) -> list[OperationReceipt]:
        """Add a record's operation; return the receipts of what it supersedes, one a member."""
        before = [self._pending.pop(member, None) for member in operation.members]
        for member, earlier in zip(operation.members, before, strict=True):
            self._pending[member] = _pending(operation.action, receipt, earlier)
        return [earlier.receipt for earlier in before if earlier is not None]

    def pop_all(self) -> Pending:
        """Remove and return every member's operation."""
        pending, self._pending = self._pending, {}
        return pending


class _Person:
    """The rows of one person, and all that tells that they are."""

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
    """Net operations where a member is a row of a person's identifiers.

    A removal is of all rows of its person that came before it. Where an addition follows, those
    rows are removed all the same, but for the one that is added again: removals go first, so that
    the list ends as if every operation had been sent, whatever Pinterest finds a row by.
    """

    def __init__(self) -> None:
        self._people: dict[Identity, _Person] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add_operation(
        self, operation: MemberOperation, receipt: OperationReceipt
    ) -> list[OperationReceipt]:
        """Add a record's operation; return the receipts of what it supersedes, one a member."""
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
        """Return the person of these identities; those who turn out to be one become one."""
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
    """Return a member's operation in the place of an earlier one, and count it on its receipt."""
    receipt.open += 1
    feeds = frozenset((receipt.feed,))
    if before is not None and action is Action.ADD and before.action is Action.ADD:
        feeds |= before.feeds  # each of them has brought the member
    return PendingOperation(action, receipt, feeds)

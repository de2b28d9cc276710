"""Members of customer lists: what a record says of whom, and the net operation of each member.

A record becomes digests the moment it is read: nothing here keeps a plain identifier. Pure
bookkeeping; never sends, never reads a clock, never writes.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import coerce, hashing, normalize
from target_pinterest_capi.events.build.normal_forms import split_texts
from target_pinterest_capi.events.deletions import deletion_columns, is_deleted
from target_pinterest_capi.events.event import InvalidRecord, Origin
from target_pinterest_capi.events.keys import read_key
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES, spellings_of
from target_pinterest_capi.events.reasons import Invalid, LeftOut
from target_pinterest_capi.expressions.compiler import EvaluationError, compile_expression
from target_pinterest_capi.settings import CustomerListEntry

Record = Mapping[str, Any]
Note = Callable[[Origin, str, str], None]
Key = dict[str, str]

MEMBER: Final = "member"  # the fields of an entry, as counts and dead letters name them
OPERATION: Final = "operation"


class Action(StrEnum):
    """What is done with a member. docs/pinterest-api.md: Customer lists (UserListOperationType)."""

    ADD = "ADD"
    REMOVE = "REMOVE"


_WORDS: Final = {
    **dict.fromkeys(
        ("add", "added", "insert", "inserted", "i", "create", "created", "c", "update", "updated",
         "u", "upsert", "enter", "entered", "join", "joined", "subscribe", "subscribed", "active",
         "in", "true", "t", "yes", "y", "on", "1"),
        Action.ADD,
    ),
    **dict.fromkeys(
        ("remove", "removed", "delete", "deleted", "d", "exit", "exited", "leave", "left",
         "unsubscribe", "unsubscribed", "inactive", "out", "false", "f", "no", "n", "off", "0"),
        Action.REMOVE,
    ),
}  # fmt: skip
# The normal form of each list_type, and what splits a text of several. `settings` holds that a
# list_type is one of these.
_FORMS: Final[dict[str, tuple[Callable[[str], str | LeftOut], Callable[[str], list[str]]]]] = {
    "EMAIL": (normalize.email, normalize.split_emails),
    "MAID": (normalize.maid, normalize.split_maids),
    "IDFA": (normalize.maid, normalize.split_maids),
}


class MemberOperation(NamedTuple):
    """What one record says to do with which members: digests, each once.

    `key` is the record's, for a dead letter.
    """

    action: Action
    members: tuple[str, ...]
    key: Key | None


def read_action(value: Any) -> Action | None:
    """Return the action that a value of `operation` means; None for any but the usual words."""
    text = coerce.text(value)
    return _WORDS.get(text.lower()) if type(text) is str else None


def read_member(
    value: Any, list_type: str, null_words: frozenset[str] = frozenset()
) -> str | LeftOut | None:
    """Return the digest of an identifier; None for nothing, a `LeftOut` for no identifier.

    A digest is passed through in lower case: SHA-256, and what Pinterest takes for lists besides,
    SHA-1 and MD5 (docs/pinterest-api.md: Customer lists). The 32 hex digits of an MD5 are an
    advertising id without its dashes where the list has such and they are one's. A text of
    `null_words` is NULL_VALUE.
    """
    text = coerce.text(value)
    if text is None or isinstance(text, LeftOut):
        return text
    if text in null_words:
        return LeftOut.NULL_VALUE
    known = hashing.recognize(text, refuse_others=list_type == "EMAIL")
    if type(known) is str:
        return known
    normal = known or _FORMS[list_type][0](text)
    if normal is LeftOut.UNMATCHABLE_DIGEST:
        digits = hashing.hex_digest(text) or ""
        return digits if len(digits) in hashing.LIST_DIGITS else normal
    if isinstance(normal, LeftOut):
        return None if normal is LeftOut.EMPTY else normal
    return hashing.digest(normal)


def _listed(value: Any, list_type: str) -> list[Any]:
    """Return the identifiers of a list, or of a text that holds several."""
    return split_texts(coerce.listed(value, bracketed=True), _FORMS[list_type][1])


def compile_members(
    entry: CustomerListEntry,
    origin: Origin,
    key_properties: tuple[str, ...],
    note: Note,
    *,
    began_at: datetime,
    plain_keys: bool,
    null_values: tuple[str, ...] = DEFAULT_NULL_VALUES,
) -> Callable[[Record], MemberOperation | InvalidRecord]:
    """Return the function that reads an entry's records.

    An identifier that cannot be used is noted, and the record is invalid only where none is left.
    Without `operation` a record adds, and a deleted row removes, also where its `operation` is
    empty. The entry's own `null_values` win over those given.
    """
    if entry.null_values is not None:
        null_values = entry.null_values
    return _Reader(
        entry,
        origin,
        key_properties,
        note,
        began_at=began_at,
        plain_keys=plain_keys,
        null_words=spellings_of(null_values),
    ).read


class _Reader:
    """One entry's expressions, compiled."""

    def __init__(
        self,
        entry: CustomerListEntry,
        origin: Origin,
        key_properties: tuple[str, ...],
        note: Note,
        *,
        began_at: datetime,
        plain_keys: bool,
        null_words: frozenset[str],
    ) -> None:
        self._origin = origin
        self._note = note
        self._list_type = entry.list_type
        self._key_properties = key_properties
        self._plain_keys = plain_keys
        self._null_words = null_words
        compile_source = partial(_guarded, origin=origin, note=note, began_at=began_at)
        self._getters = [compile_source(source, field=MEMBER) for source in entry.member]
        self._operation = (
            compile_source(entry.operation, field=OPERATION)
            if entry.operation is not None
            else None
        )

    def read(self, record: Record) -> MemberOperation | InvalidRecord:
        """Return what a record says, or why it is invalid."""
        key = read_key(record, self._key_properties, plain=self._plain_keys)
        action = self._action(record)
        if isinstance(action, Invalid):
            detail = LeftOut.UNKNOWN_CHOICE if action is Invalid.BAD_FIELD else None
            return InvalidRecord(self._origin, action, OPERATION, detail, key)
        members: dict[str, None] = {}
        dropped: list[LeftOut] = []
        for member in self._members(record):
            if isinstance(member, LeftOut):
                dropped.append(member)
            elif member is not None:
                members[member] = None
        if not members:
            reason = dropped[0] if dropped else Invalid.MISSING_FIELD
            return InvalidRecord(self._origin, reason, MEMBER, key=key)
        for reason in dropped:
            self._note(self._origin, MEMBER, reason)
        return MemberOperation(action, tuple(members), key)

    def _action(self, record: Record) -> Action | Invalid:
        deleted = is_deleted(record, deletion_columns(record))
        if self._operation is None:
            return Action.REMOVE if deleted else Action.ADD
        given = self._operation(record)
        if coerce.is_nothing(given) or self._is_null(given):
            return Action.REMOVE if deleted else Invalid.MISSING_FIELD
        return read_action(given) or Invalid.BAD_FIELD

    def _is_null(self, value: Any) -> bool:
        return type(value) is str and value.strip() in self._null_words

    def _members(self, record: Record) -> Iterator[str | LeftOut | None]:
        for get in self._getters:
            for value in _listed(get(record), self._list_type):
                yield read_member(value, self._list_type, self._null_words)


def _guarded(
    source: str, *, field: str, origin: Origin, note: Note, began_at: datetime
) -> Callable[[Record], Any]:
    """Compile an expression; where it fails on a record it is counted, and the value is None."""
    get = compile_expression(source, began_at)

    def guarded(record: Record) -> Any:
        try:
            return get(record)
        except EvaluationError:
            note(origin, field, LeftOut.EXPRESSION_ERROR)
            return None

    return guarded


class OperationReceipt:
    """One record's operation until it is settled: how many of its members are open, and the rest.

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


class PendingOperation(NamedTuple):
    """The last operation of one member; `feeds` are those that brought the member."""

    action: Action
    receipt: OperationReceipt
    feeds: frozenset[bytes]


class NetOperations:
    """The net operation of each member of one list since the last flow.

    The last one wins, so that additions and removals are disjoint.
    """

    def __init__(self) -> None:
        self._pending: dict[str, PendingOperation] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def add_operation(
        self, member: str, action: Action, receipt: OperationReceipt
    ) -> OperationReceipt | None:
        """Add a member's operation; return the receipt of the one that it supersedes."""
        before = self._pending.pop(member, None)
        feeds = frozenset((receipt.feed,))
        if before is None:
            self._pending[member] = PendingOperation(action, receipt, feeds)
            return None
        if action is Action.ADD and before.action is Action.ADD:
            feeds |= before.feeds  # each of them has brought the member
        self._pending[member] = PendingOperation(action, receipt, feeds)
        return before.receipt

    def pop_all(self) -> dict[str, PendingOperation]:
        """Remove and return every member's operation, in the order in which they came."""
        pending, self._pending = self._pending, {}
        return pending

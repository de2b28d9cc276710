"""Members of customer lists: what a record says about whom.

Identifiers are hashed as soon as a record is read, except those that Pinterest requires plain in
rows; no other identifier is kept. Never sends, reads a clock, or writes.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from target_pinterest_capi.customer_lists.identifiers import (
    KIND_OF_LIST_TYPE,
    KINDS,
    IdentifierReader,
)
from target_pinterest_capi.customer_lists.rows import (
    Identity,
    identities_of,
    key_identity,
    rows_of,
)
from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.deletions import deletion_columns, is_deleted
from target_pinterest_capi.events.event import InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.keys import Key, read_key
from target_pinterest_capi.events.reasons import Dropped, Invalid, Reason, Skipped, Warned
from target_pinterest_capi.expressions.compiler import (
    EvaluationError,
    compile_condition,
    compile_expression,
)
from target_pinterest_capi.pinterest.list_records import ListMember, ListRow
from target_pinterest_capi.settings import CustomerListEntry

Record = Mapping[str, Any]
Note = Callable[[Origin, str, str], None]

MEMBER: Final = "member"  # the fields of an entry, as counts and dead letters name them
OPERATION: Final = "operation"
LIST_NAME: Final = "list_name"
WHEN: Final = "when"


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


class MemberOperation(NamedTuple):
    """What one record does with which members: single identifiers or rows, each once.

    `key` is the record's, for a dead letter. `identities` say whose the rows are. `lists` are the
    names of the lists, if records name them.
    """

    action: Action
    members: tuple[ListMember, ...]
    key: Key | None
    identities: frozenset[Identity] = frozenset()
    lists: tuple[str, ...] = ()


MemberResult = MemberOperation | InvalidRecord | SkippedRecord


def read_action(value: Any) -> Action | None:
    """Return the action for a value of `operation`; None for an unknown word."""
    text = coerce.text(value)
    return _WORDS.get(text.lower()) if type(text) is str else None


def compile_members(
    entry: CustomerListEntry,
    origin: Origin,
    key_properties: tuple[str, ...],
    note: Note,
    options: Options,
    began_at: datetime,
) -> Callable[[Record], MemberResult]:
    """Return the function that reads an entry's records, in the run that began then.

    An identifier that cannot be used is noted; the record is invalid only if no identifier is left.
    Without `operation` a record adds, and a deleted row removes, also if its `operation` is empty.
    The entry's own `null_values` override those of the options.
    """
    if entry.null_values is not None:
        options = options._replace(null_values=entry.null_values)
    return _Reader(entry, origin, key_properties, note, options, began_at).read


class _Reader:
    """One entry's expressions, compiled."""

    def __init__(
        self,
        entry: CustomerListEntry,
        origin: Origin,
        key_properties: tuple[str, ...],
        note: Note,
        options: Options,
        began_at: datetime,
    ) -> None:
        def compiled(
            source: str, field: str, compiler: Callable[..., Any] = compile_expression
        ) -> Callable[[Record], Any]:
            get = compiler(source, origin.stream, began_at)
            return _guarded(get, field, origin, note)

        self._origin = origin
        self._note = note
        self._key_properties = key_properties
        self._plain_keys = options.plain_keys
        self._identifiers = IdentifierReader(options)
        self._is_null = self._identifiers.is_null
        self._has_rows = entry.has_rows
        self._needs_hashed = entry.refresh == "full"
        sources = (
            [(f"{MEMBER}.{name}", KINDS[name], given) for name, given in entry.identifiers.items()]
            if entry.has_rows
            else [(MEMBER, KINDS[KIND_OF_LIST_TYPE[entry.list_type or ""]], entry.member)]
        )
        self._getters = [
            (field, kind, [compiled(source, field) for source in given or ()])
            for field, kind, given in sources
        ]
        names = entry.list_name_expression
        self._list_names = compiled(names, LIST_NAME) if names else None
        self._operation = compiled(entry.operation, OPERATION) if entry.operation else None
        self._when = compiled(entry.when, WHEN, compile_condition) if entry.when else None

    def read(self, record: Record) -> MemberResult:
        """Return what a record says, why it is skipped, or why it is invalid."""
        if self._when is not None and not self._when(record):
            return SkippedRecord(self._origin, Skipped.WHEN)
        key = read_key(record, self._key_properties, plain=self._plain_keys)
        action = self._action(record)
        if isinstance(action, Invalid):
            detail = Dropped.UNKNOWN_CHOICE if action is Invalid.BAD_FIELD else None
            return InvalidRecord(self._origin, action, OPERATION, detail, key)
        lists = self._lists(record)
        if lists is None:
            return InvalidRecord(self._origin, Invalid.MISSING_FIELD, LIST_NAME, key=key)
        dropped: list[tuple[str, Reason]] = []
        members = self._members(record, dropped)
        if not members:
            field, reason = dropped[0] if dropped else (MEMBER, Invalid.MISSING_FIELD)
            return InvalidRecord(self._origin, reason, field, key=key)
        for field, reason in dropped:
            self._note(self._origin, field, reason)
        return MemberOperation(action, members, key, self._identities(members, key), lists)

    def _identities(self, members: tuple[ListMember, ...], key: Key | None) -> frozenset[Identity]:
        """Return what identifies the rows' person: their identifiers, and the record's key."""
        rows = [member for member in members if isinstance(member, ListRow)]
        found = set(identities_of(rows))
        if rows and key is not None:
            found.add(key_identity(self._origin.stream, key))
        return frozenset(found)

    def _action(self, record: Record) -> Action | Invalid:
        deleted = is_deleted(record, deletion_columns(record))
        if self._operation is None:
            return Action.REMOVE if deleted else Action.ADD
        given = self._operation(record)
        if coerce.is_nothing(given) or self._is_null(given):
            return Action.REMOVE if deleted else Invalid.MISSING_FIELD
        return read_action(given) or Invalid.BAD_FIELD

    def _lists(self, record: Record) -> tuple[str, ...] | None:
        """Return the names of the lists, each once; empty if the entry names its list.

        None if the record should name one and does not.
        """
        if self._list_names is None:
            return ()
        names = map(coerce.text, coerce.listed(self._list_names(record), bracketed=True))
        usable = {name: None for name in names if type(name) is str and not self._is_null(name)}
        return tuple(usable) or None

    def _members(self, record: Record, dropped: list[tuple[str, Reason]]) -> tuple[ListMember, ...]:
        """Return the members that a record names; none if it does not identify anybody."""
        found: dict[str, list[str]] = {}
        for field, kind, getters in self._getters:

            def warn(warning: Warned, field: str = field) -> None:
                self._note(self._origin, field, warning)

            usable: dict[str, None] = {}
            for get in getters:
                for identifier in self._identifiers.read(get(record), kind, warn):
                    if isinstance(identifier, Dropped):
                        dropped.append((field, identifier))
                    else:
                        usable[identifier] = None
            found[kind.row_field] = list(usable)
        if not self._has_rows:
            (members,) = found.values()
            return tuple(members)
        return rows_of(found, needs_hashed=self._needs_hashed)


def _guarded(
    get: Callable[[Record], Any], field: str, origin: Origin, note: Note
) -> Callable[[Record], Any]:
    """Return a function that counts where an expression fails on a record, and returns None."""

    def guarded(record: Record) -> Any:
        try:
            return get(record)
        except EvaluationError:
            note(origin, field, Dropped.EXPRESSION_ERROR)
            return None

    return guarded

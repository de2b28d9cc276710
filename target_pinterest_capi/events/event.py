"""What mapping a record gives: an `Event` ready for the wire, an `InvalidRecord` or a `SkippedRecord`. Reprs show no values.

An event is encoded once, here; everything after handles its bytes and the receipt around them.
"""

from typing import Final, NamedTuple

import msgspec

from target_pinterest_capi.events.reasons import Reason, Skipped

encode: Final = (
    msgspec.json.Encoder().encode
)  # an event's JSON, UTF-8, members in the order they were set


class Origin(NamedTuple):
    """Where an event comes from, the unit of every count: its Singer stream and the mapping entry that took it."""

    stream: str
    mapping: str


class Account:
    """An ad account and the token its events are sent with. Compares by identity; its repr shows no token."""

    __slots__ = ("ad_account_id", "token")

    def __init__(self, ad_account_id: str, token: str) -> None:
        self.ad_account_id = ad_account_id
        self.token = token

    def __repr__(self) -> str:
        return f"Account({self.ad_account_id})"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One wire-ready event. `body` is its JSON, hashed; `time` Unix seconds; `deduplicable`: Pinterest removes repeats.

    `key` holds its record's key properties as a dead letter shows them; a text names the one property whose value is `id`.
    """

    body: bytes
    account: Account
    origin: Origin
    name: str
    id: str
    deduplicable: bool
    time: int
    key: dict[str, str] | str | None

    def __repr__(self) -> str:
        return f"Event(name={self.name!r}, {len(self.body)} bytes)"


class InvalidRecord(msgspec.Struct, frozen=True, gc=False):
    """A record that made no event: why, on which field, and in what sense (`detail`, a reason's name, never a value).

    `repeat_of` has account, event name and event id where it is just too old: the ledger may know it.
    """

    origin: Origin
    reason: Reason
    field: str | None = None
    detail: str | None = None
    key: dict[str, str] | None = None
    repeat_of: tuple[Account, str, str] | None = None


class SkippedRecord(msgspec.Struct, frozen=True, gc=False):
    """A record that the configuration leaves out; `name` is the event name that no entry lists, where that is why."""

    origin: Origin
    reason: Skipped
    name: str | None = None

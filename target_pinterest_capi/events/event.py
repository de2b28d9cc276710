"""The results of mapping a record: an `Event`, an `InvalidRecord` or a `SkippedRecord`.

An event is encoded once; all later code uses its bytes and its receipt. Reprs show no values.
"""

from typing import Any, Final, Literal, NamedTuple

import msgspec

from target_pinterest_capi.events.fields import ITEM_FIELDS
from target_pinterest_capi.events.reasons import Reason, Skipped
from target_pinterest_capi.events.redaction import shown_name, without_addresses
from target_pinterest_capi.events.traits import Traits

# An event's JSON, UTF-8, members in the order in which they were set.
encode: Final = msgspec.json.Encoder().encode

# One of an event's `contents`: None stands for a member that it does not have.
Item: Any = msgspec.defstruct(
    "Item",
    [(member.leaf, Any, None) for member in ITEM_FIELDS],
    omit_defaults=True,
    gc=False,
)


# What may be done with an event, from everything to nothing; with test Pinterest checks it and
# records nothing.
Mode = Literal["live", "test", "dry_run"]


class Origin(NamedTuple):
    """Where an event comes from, the unit of every count: its stream and its mapping entry."""

    stream: str
    mapping: str

    @property
    def shown(self) -> "Origin":
        """The names as they may be shown: the stream is from data, the entry from the user."""
        return Origin(shown_name(self.stream), without_addresses(self.mapping))


class Account:
    """An ad account, and the token and the mode of its events.

    Compares by identity; its repr shows no token.
    """

    __slots__ = ("ad_account_id", "mode", "token")

    def __init__(self, ad_account_id: str, token: str, mode: Mode = "live") -> None:
        self.ad_account_id = ad_account_id
        self.token = token
        self.mode = mode

    def __repr__(self) -> str:
        return f"Account({self.ad_account_id})"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event ready to be sent.

    `body` is its JSON, hashed; `time` is in Unix seconds. Pinterest removes repeats of a
    `deduplicable` one. `key` has its record's key properties as a dead letter shows them; a string
    names the one property whose value is `id`. The rest is for the statistics: `value` is that of
    `custom_data`. Without `traits`, both are read from the body.
    """

    body: bytes
    account: Account
    origin: Origin
    name: str
    id: str
    deduplicable: bool
    time: int
    key: dict[str, str] | str | None
    traits: Traits | None = None
    value: str | None = None

    def __repr__(self) -> str:
        return f"Event({len(self.body)} bytes)"


class InvalidRecord(msgspec.Struct, frozen=True, gc=False):
    """A record that could not become an event: why, and because of which field.

    `detail` is the name of a more precise reason, never a value. `repeat_of` has account, event
    name and event id of an event that is only too old: it may be in the ledger.
    """

    origin: Origin
    reason: Reason
    field: str | None = None
    detail: str | None = None
    key: dict[str, str] | None = None
    repeat_of: tuple[Account, str, str] | None = None


class SkippedRecord(msgspec.Struct, frozen=True, gc=False):
    """A record that the configuration leaves out.

    `name` is the event name of Pinterest's that the entry does not list, where that is the reason.
    Any other name came with a record, and may be a value of it.
    """

    origin: Origin
    reason: Skipped
    name: str | None = None

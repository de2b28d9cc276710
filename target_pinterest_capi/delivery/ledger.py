"""The ledger: keys of delivered events, so that what was delivered is not sent again.

Holds digests and times, nothing that could be read back. A key is written before STATE can pass its event. Several processes
may share one: writing a key twice is no error.
"""

from collections.abc import Collection
from struct import Struct
from typing import Final, Protocol

from target_pinterest_capi.events.event import Account
from target_pinterest_capi.events.hashing import sha256

TABLE: Final = "pinterest_delivered_events"
DAY_SECONDS: Final = 86400

# A key is the first 64 bits of a SHA-256, as a number: databases find and keep numbers at half the cost of bytes. Among ten million
# keys that of a new event is there by chance once in 2 * 10^12 events.
_first_bytes: Final = Struct(">q").unpack_from


class LedgerError(Exception):
    """The ledger cannot be used; the message says what happened, without the URL, which may hold a password."""


class Ledger(Protocol):
    """Keys of delivered events. Every method raises `LedgerError` where the database fails. Not to be shared between threads."""

    def known(self, keys: Collection[int]) -> set[int]:
        """Give those of the keys that were delivered."""

    def record(self, keys: Collection[int]) -> None:
        """Remember delivered keys: durable against the end of this process when it returns."""

    def close(self) -> None:
        """Give the connection back."""


def event_key(account: Account, name: str, event_id: str) -> int:
    """Give the key of an event: of what Pinterest would recognize a repeat by, and the account."""
    identity = f"{account.ad_account_id}\0{name}\0{event_id}".encode("utf-8", "replace")
    key: int = _first_bytes(sha256(identity).digest())[0]
    return key

"""The ledger: keys of delivered events, so that what was delivered is not sent again.

Holds digests and times, nothing that could be read back. A key is written before STATE can pass its event. Several processes
may share one: writing a key twice is no error.
"""

from collections.abc import Collection
from typing import Final, Protocol

from target_pinterest_capi.events import hashing
from target_pinterest_capi.events.event import Account

KEY_BYTES: Final = 16


class LedgerError(Exception):
    """The ledger cannot be used; the message says what happened, without the URL, which may hold a password."""


class Ledger(Protocol):
    """Keys of delivered events. Every method raises `LedgerError` where the database fails. Not to be shared between threads."""

    def known(self, keys: Collection[bytes]) -> set[bytes]:
        """Give those of the keys that were delivered."""

    def record(self, keys: Collection[bytes]) -> None:
        """Remember delivered keys: durable against the end of this process when it returns."""

    def close(self) -> None:
        """Give the connection back."""


def event_key(account: Account, name: str, event_id: str) -> bytes:
    """Give the key of an event: what Pinterest would recognize a repeat by, and the account."""
    return hashing.digest_key(f"{account.ad_account_id}\0{name}\0{event_id}", KEY_BYTES)

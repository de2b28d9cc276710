"""What a ledger is, for those who need not open one: its keys, its methods, and how it fails.

A run claims keys before it sends their events, so that of several runs on one ledger only one sends
an event. A ledger holds digests and times, nothing that could be read back.
"""

from collections.abc import Collection
from struct import Struct
from typing import Final, NamedTuple, Protocol

from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.events.hashing import sha256

DAY_SECONDS: Final = 86400
# A run renews its claims four times as often. One that has not for so long is taken for dead.
LEASE_SECONDS: Final = 120
RENEWAL_SECONDS: Final = LEASE_SECONDS / 4

# A key is the first 64 bits of a SHA-256, as a number: databases find and keep numbers at half the
# cost of bytes. Among ten million keys that of a new event is there by chance once in 2 * 10^12.
_first_bytes: Final = Struct(">q").unpack_from


class LedgerError(DatabaseError):
    """The database at `ledger_url` cannot be used."""

    place = "the ledger at ledger_url"


class Claims(NamedTuple):
    """What became of keys that a run wanted to claim: each is in one of the three."""

    new: Collection[int]  # claimed by this run, which may send their events
    delivered: Collection[int]
    held: Collection[int]  # claimed by another run, which has not ended


class Ledger(Protocol):
    """Keys of delivered events, and claims of those that runs are about to deliver.

    Belongs to one run, and is called on that run's thread. Raises `LedgerError` where it fails; a
    call that failed changed nothing.
    """

    def claim(self, keys: Collection[int]) -> Claims:
        """Claim keys that differ from each other, or say why not. A claim of one's own is new."""

    def record_delivered(self, keys: Collection[int]) -> None:
        """Record that keys were delivered, in the place of their claims.

        They outlive the end of this process when it returns.
        """

    def release(self, keys: Collection[int]) -> None:
        """Release this run's claims of keys that were not delivered."""

    def known(self, keys: Collection[int]) -> set[int]:
        """Return those of the keys that were delivered; a claim does not count."""

    def renew(self) -> None:
        """Keep this run's claims from running out.

        Raises `LedgerError` where they have: others may have claimed the keys meanwhile.
        """

    def close(self) -> None:
        """Release every claim of this run, and close what is open. Never raises."""


def event_key(account: Account, name: str, event_id: str) -> int:
    """Return the key of an event: of what Pinterest recognizes a repeat by, and the account."""
    identity = f"{account.ad_account_id}\0{name}\0{event_id}".encode("utf-8", "replace")
    key: int = _first_bytes(sha256(identity).digest())[0]
    return key

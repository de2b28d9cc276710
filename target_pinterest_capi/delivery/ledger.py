"""The interface of a ledger, for code that does not open one: keys, methods, and errors.

A run claims keys before it sends their events, so that of several runs with one ledger only one
sends an event. A ledger has only digests and times, from which nothing can be recovered.
"""

from collections.abc import Collection, Iterable
from struct import Struct
from typing import Final, NamedTuple, Protocol

from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.events.hashing import sha256

DAY_SECONDS: Final = 86400
# A run renews its claims four times as often. After that time without renewal it is considered
# dead.
LEASE_SECONDS: Final = 120
RENEWAL_SECONDS: Final = LEASE_SECONDS / 4

# A key is the first 64 bits of a SHA-256, as a number: databases find and store numbers at half the
# cost of bytes. Among ten million keys, the key of a new event exists by chance once in 2 * 10^12.
_first_bytes: Final = Struct(">q24x").iter_unpack


class LedgerError(DatabaseError):
    """The database at `ledger_url` cannot be used."""

    place = "the ledger at ledger_url"


class Claims(NamedTuple):
    """The result of claiming keys: each key is in one of the three."""

    new: Collection[int]  # claimed by this run, which may send their events
    delivered: Collection[int]
    held: Collection[int]  # claimed by another run, which has not ended


class PendingClaims(Protocol):
    """Claims that a ledger is recording."""

    @property
    def has_ended(self) -> bool:
        """Whether `result` does not wait."""

    def result(self) -> Claims:
        """Wait until they are recorded. Raises `LedgerError` if they are not."""


class Ledger(Protocol):
    """Keys of delivered events, and claims of those that runs are about to deliver.

    Belongs to one run, and is called on that run's thread. Raises `LedgerError` if it fails; a
    failed call changed nothing.
    """

    def claim(self, keys: Collection[int]) -> Claims:
        """Claim distinct keys, or say why not. Keys of one's own claims are new."""

    def start_claim(self, keys: Collection[int]) -> PendingClaims:
        """Start to claim keys; what is called next waits for it."""

    def record_delivered(self, keys: Collection[int]) -> None:
        """Record that keys were delivered, instead of their claims.

        When it returns, they survive the end of this process.
        """

    def release(self, keys: Collection[int]) -> None:
        """Release this run's claims of keys that were not delivered."""

    def known(self, keys: Collection[int]) -> set[int]:
        """Return the keys that were delivered; a claim does not count."""

    def renew(self) -> None:
        """Prevent this run's claims from expiring.

        Raises `LedgerError` if they have expired: others may have claimed the keys.
        """

    def close(self) -> None:
        """Release every claim of this run, and close the connection. Never raises."""


def event_key(account: Account, name: str, event_id: str) -> int:
    """Return the key of an event, from the account and what Pinterest deduplicates by."""
    return event_keys(account, [(name, event_id)])[0]


def event_keys(account: Account, events: Iterable[tuple[str, str]]) -> list[int]:
    """Return the key of each event of an account, from its name and id."""
    start = f"{account.ad_account_id}\0"
    digests = [
        sha256(f"{start}{name}\0{event_id}".encode("utf-8", "replace")).digest()
        for name, event_id in events
    ]
    return [key for (key,) in _first_bytes(b"".join(digests))]

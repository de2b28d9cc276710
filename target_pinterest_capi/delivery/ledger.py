"""What a ledger is, for those who need not open one: the key of an event, and how a ledger fails.

A ledger holds digests and times, nothing that could be read back. A key is written before STATE can
pass its event. Several processes may share one: writing a key twice is no error.
"""

from struct import Struct
from typing import Final

from target_pinterest_capi.events.event import Account
from target_pinterest_capi.events.hashing import sha256

DAY_SECONDS: Final = 86400

# A key is the first 64 bits of a SHA-256, as a number: databases find and keep numbers at half the
# cost of bytes. Among ten million keys that of a new event is there by chance once in 2 * 10^12.
_first_bytes: Final = Struct(">q").unpack_from


class LedgerError(Exception):
    """The database at `ledger_url` cannot be used.

    `words` say why, without the URL, which may hold a password.
    """

    def __init__(self, words: str) -> None:
        super().__init__(f"the ledger at ledger_url cannot be used: {words}")

    @property
    def stop_message(self) -> str:
        """What to say where a run stops for it."""
        return (
            f"{self}. STATE stays before what is not recorded there: "
            "repair the database and run again."
        )


def event_key(account: Account, name: str, event_id: str) -> int:
    """Return the key of an event: of what Pinterest recognizes a repeat by, and the account."""
    identity = f"{account.ad_account_id}\0{name}\0{event_id}".encode("utf-8", "replace")
    key: int = _first_bytes(sha256(identity).digest())[0]
    return key

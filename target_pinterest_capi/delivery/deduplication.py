"""What keeps an event from being sent twice: the ledger of earlier runs, and the keys under way in this one.

A key is recorded before anybody hears that its event is settled, so that STATE cannot pass one that the ledger does not have.
Never counts and never sends: it says what need not be sent.
"""

from collections.abc import Collection

from pydantic import SecretStr

from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.ledger import Ledger, event_key
from target_pinterest_capi.delivery.repeats import Repeats
from target_pinterest_capi.events.event import Account, Event


class Deduplication:
    """A ledger and the repeats within a run. What asks or fills the ledger raises `LedgerError` where the database fails."""

    def __init__(self, ledger_url: SecretStr, retention_days: int) -> None:
        self._url = ledger_url
        self._retention_days = retention_days
        self._repeats = Repeats()
        self._opened: Ledger | None = None  # when it is first asked

    @property
    def has_room(self) -> bool:
        """Tell whether more repeats may wait."""
        return self._repeats.has_room

    @property
    def undecided(self) -> int:
        """How many repeats wait for the first of their key."""
        return self._repeats.waiting

    def claim(self, event: Event, sequence: int) -> int | None:
        """Give the key of an event whose turn it is; None where it waits as the repeat of one under way."""
        key = event_key(event.account, event.name, event.id)
        return key if self._repeats.claim(key, event, sequence) else None

    def is_known(self, account: Account, name: str, event_id: str) -> bool:
        """Tell whether an event was delivered."""
        return bool(self._ledger.known([event_key(account, name, event_id)]))

    def sift(self, batch: Batch) -> tuple[Batch | None, list[Event]]:
        """Give what of a batch is to be sent, if anything, and the events that need not be: its own, and their repeats."""
        known = self._ledger.known(batch.keys)
        if not known:
            return batch, []
        unknown = [position for position, key in enumerate(batch.keys) if key not in known]
        done = [event for event, key in zip(batch.events, batch.keys, strict=True) if key in known]
        return batch.pick(unknown) if unknown else None, done + self._repeats.delivered(known)

    def delivered(self, keys: Collection[int]) -> list[Event]:
        """Record keys that were delivered; give their repeats, which need not be sent."""
        self._ledger.record(keys)
        return self._repeats.delivered(keys)

    def failed(self, key: int) -> tuple[Event, int] | None:
        """Give the repeat that is sent in the place of an event that was not delivered, with its record's number."""
        return self._repeats.failed(key)

    def close(self) -> None:
        """Give the connection back."""
        if self._opened is not None:
            self._opened.close()

    @property
    def _ledger(self) -> Ledger:
        if self._opened is None:
            self._opened = open_ledger(self._url.get_secret_value(), self._retention_days)
        return self._opened


def open_ledger(url: str, retention_days: int) -> Ledger:
    """Open the ledger at an SQLAlchemy URL, and let go of what is older than the retention. Raises `LedgerError`."""
    if url.startswith("sqlite"):
        from target_pinterest_capi.delivery.ledger_sqlite import SqliteLedger  # noqa: PLC0415 - only one of the two is needed

        return SqliteLedger(url, retention_days)
    from target_pinterest_capi.delivery.ledger_sql import SqlLedger  # noqa: PLC0415 - SQLAlchemy takes 0.1 s to import

    return SqlLedger(url, retention_days)

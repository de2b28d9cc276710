"""What keeps an event from being sent twice: the ledger of earlier runs, and the keys under way.

A key is recorded before its event is settled, so that STATE cannot pass one that the ledger does
not have. Never counts and never sends: it says what need not be sent.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from pydantic import SecretStr

from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.delivery.repeats import Repeats
from target_pinterest_capi.events.event import Account, Event

if TYPE_CHECKING:
    from target_pinterest_capi.delivery.event_ledger import EventLedger


class Deduplication:
    """A ledger, and the repeats within a run.

    What asks or fills the ledger raises `LedgerError` where the database fails.
    """

    def __init__(self, ledger_url: SecretStr, retention_days: int) -> None:
        self._url = ledger_url
        self._retention_days = retention_days
        self._repeats = Repeats()
        self._opened: EventLedger | None = None

    @property
    def has_room(self) -> bool:
        """Whether more repeats may wait."""
        return self._repeats.has_room

    @property
    def undecided(self) -> int:
        """How many repeats wait for the first of their key."""
        return self._repeats.waiting

    def register(self, event: Event, sequence: int) -> int | None:
        """Return the key of an event whose turn it is; None where it waits as a repeat."""
        key = event_key(event.account, event.name, event.id)
        return key if self._repeats.register(key, event, sequence) else None

    def is_known(self, account: Account, name: str, event_id: str) -> bool:
        """Return whether an event was delivered."""
        return bool(self._ledger.known([event_key(account, name, event_id)]))

    def drop_known(self, batch: Batch) -> tuple[Batch | None, list[Event]]:
        """Return what of a batch is to be sent, if anything, and the events that need not be.

        The latter are those of its events that the ledger has, and their repeats.
        """
        known = self._ledger.known(batch.keys)
        if not known:
            return batch, []
        unknown = [position for position, key in enumerate(batch.keys) if key not in known]
        done = [event for event, key in zip(batch.events, batch.keys, strict=True) if key in known]
        left = batch.pick(unknown) if unknown else None
        return left, done + self._repeats.end_delivered(known)

    def record_delivered(self, keys: Collection[int]) -> list[Event]:
        """Record keys that were delivered; return their repeats, which need not be sent."""
        self._ledger.record(keys)
        return self._repeats.end_delivered(keys)

    def next_repeat(self, key: int) -> tuple[Event, int] | None:
        """Return what is sent in the place of a rejected event, and its record's number."""
        return self._repeats.next_repeat(key)

    def close(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            self._opened.close()

    @property
    def _ledger(self) -> "EventLedger":
        """The ledger, opened when it is first asked."""
        if self._opened is None:
            from target_pinterest_capi.delivery.event_ledger import EventLedger  # noqa: PLC0415 - SQLAlchemy takes 0.1 s to import

            self._opened = EventLedger(self._url.get_secret_value(), self._retention_days)
        return self._opened

"""Prevents an event from being sent twice: the ledger, and the keys in flight in this run.

A key is claimed before its event is sent, and recorded before its event is acknowledged, so STATE
cannot pass an event that the ledger does not have. Never counts and never sends: it says what may
be sent, and what need not be.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.ledger import (
    RENEWAL_SECONDS,
    Claims,
    Ledger,
    PendingClaims,
    event_key,
    event_keys,
)
from target_pinterest_capi.delivery.repeats import Repeats
from target_pinterest_capi.events.event import Account, Event


class ClaimedBatch(NamedTuple):
    """A batch, divided by the ledger."""

    to_send: Batch | None  # claimed by this run
    held: Batch | None  # claimed by another run
    done: list[Event]  # delivered, with their repeats


class PendingBatch:
    """A batch whose keys are being claimed."""

    def __init__(self, batch: Batch, claims: PendingClaims, repeats: Repeats) -> None:
        self.batch = batch
        self._claims = claims
        self._repeats = repeats

    @property
    def has_ended(self) -> bool:
        """Whether `result` does not wait."""
        return self._claims.has_ended

    def result(self) -> ClaimedBatch:
        """Wait for the claims, and return the parts of the batch. Raises `LedgerError`."""
        batch = self.batch
        claims = self._claims.result()
        if not claims.delivered and not claims.held:
            return ClaimedBatch(batch, None, [])
        new, held = (
            [position for position, key in enumerate(batch.keys) if key in keys]
            for keys in (set(claims.new), set(claims.held))
        )
        delivered = set(claims.delivered)
        done = [
            event for event, key in zip(batch.events, batch.keys, strict=True) if key in delivered
        ]
        return ClaimedBatch(
            batch.pick(new) if new else None,
            batch.pick(held) if held else None,
            done + self._repeats.end_delivered(delivered),
        )


class Deduplication:
    """A ledger, opened when it is first needed, and the repeats within a run.

    Methods that use the ledger raise `LedgerError` if it fails. `clock` is monotonic seconds.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], clock: Callable[[], float]) -> None:
        self._open_ledger = open_ledger
        self._clock = clock
        self._repeats = Repeats()
        self._opened: Ledger | None = None
        self._renew_at: float | None = None
        self._to_release: list[int] = []

    @property
    def has_room(self) -> bool:
        """Whether more repeats may wait."""
        return self._repeats.has_room

    @property
    def undecided(self) -> int:
        """How many repeats wait for the first of their key."""
        return self._repeats.waiting

    def register(self, batch: Batch) -> tuple[Batch | None, list[tuple[Event, int]]]:
        """Return the part of a batch that can be sent, with its keys; None if it is empty.

        Repeats wait. Those of events that may have been counted must not be sent: they are
        returned, with the numbers of their records.
        """
        batch.keys = event_keys(batch.account, [(event.name, event.id) for event in batch.events])
        if self._repeats.register_new(batch.keys):  # as most are
            return batch, []
        first: list[int] = []
        uncertain: list[tuple[Event, int]] = []
        for position, key in enumerate(batch.keys):
            event, sequence = batch.events[position], batch.sequences[position]
            if self._repeats.register(key, event, sequence):
                first.append(position)
            elif self._repeats.is_uncertain(key):
                uncertain.append((event, sequence))
        return batch.pick(first) if first else None, uncertain

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record whose event waits as a repeat."""
        return self._repeats.oldest_sequence()

    def is_known(self, account: Account, name: str, event_id: str) -> bool:
        """Return whether an event was delivered."""
        return bool(self._ledger.known([event_key(account, name, event_id)]))

    def start_claim(self, batch: Batch) -> PendingBatch:
        """Start to claim a batch's keys; the result is the part of it that may be sent."""
        self._release()
        return PendingBatch(batch, self._ledger.start_claim(batch.keys), self._repeats)

    def claim_keys(self, keys: Collection[int]) -> Claims:
        """Claim keys of events that are not sent but leave the process in another way."""
        return self._ledger.claim(keys)

    def record_keys(self, keys: Collection[int]) -> None:
        """Record claimed keys of such events, so that no run handles them again."""
        self._ledger.record_delivered(keys)

    def record_delivered(self, keys: Collection[int]) -> list[Event]:
        """Record keys that were delivered; return their repeats, which need not be sent."""
        self._ledger.record_delivered(keys)
        return self._repeats.end_delivered(keys)

    def next_repeat(self, key: int) -> tuple[Event, int] | None:
        """Return a repeat to send in place of a rejected event, with its record's number.

        It uses that event's claim, which is released if there is no repeat.
        """
        repeat = self._repeats.next_repeat(key)
        if repeat is None:
            self._to_release.append(key)
        return repeat

    def end_uncertain(self, key: int) -> list[tuple[Event, int]]:
        """Release the claim of an event that may have been counted; return its repeats."""
        self._to_release.append(key)
        return self._repeats.end_uncertain(key)

    def poll(self) -> None:
        """Release claims of rejected events, and renew the others when it is time."""
        self._release()
        if self._renew_at is not None and self._clock() >= self._renew_at:
            self._ledger.renew()
            self._renew_at = self._clock() + RENEWAL_SECONDS

    def next_due_at(self) -> float | None:
        """Return when claims must be renewed; None if there can be none."""
        return self._renew_at

    def close(self) -> None:
        """Release every claim, and close the ledger."""
        if self._opened is not None:
            self._opened.close()

    def _release(self) -> None:
        if self._to_release:
            self._ledger.release(self._to_release)
            self._to_release = []

    @property
    def _ledger(self) -> Ledger:
        if self._opened is None:
            self._opened = self._open_ledger()
            self._renew_at = self._clock() + RENEWAL_SECONDS
        return self._opened

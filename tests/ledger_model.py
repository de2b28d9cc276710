"""A ledger in plain dictionaries: the model of the one in a database, and in its place."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from target_pinterest_capi.delivery.ledger import LEASE_SECONDS, Claims, LedgerError


@dataclass
class SharedLedger:
    """What several runs have in common. `now` is seconds."""

    now: Callable[[], float] = lambda: 0.0
    delivered: set[int] = field(default_factory=set)
    claims: dict[int, "RunLedger"] = field(default_factory=dict)
    runs: dict["RunLedger", float] = field(default_factory=dict)  # when each was last renewed

    def open(self, kind: "type[RunLedger] | None" = None) -> "RunLedger":
        """Return the ledger as a new run sees it."""
        run = (kind or RunLedger)(self)
        self.runs[run] = self.now()
        return run

    def is_held(self, key: int) -> bool:
        """Return whether a run has a key that has not ended, and has renewed in time."""
        renewed_at = self.runs.get(self.claims.get(key))
        return renewed_at is not None and self.now() - renewed_at <= LEASE_SECONDS


class RunLedger:
    """The ledger as one run sees it."""

    def __init__(self, shared: SharedLedger) -> None:
        self._shared = shared

    def claim(self, keys: Collection[int]) -> Claims:
        shared = self._shared
        self.check_alive()
        delivered = shared.delivered & set(keys)
        held = {key for key in keys if shared.is_held(key) and shared.claims[key] is not self}
        for key in set(keys) - held:
            self._end_dead_holder(key)
        new = set(keys) - held - delivered
        shared.claims.update(dict.fromkeys(new, self))
        return Claims(new, delivered, held - delivered)

    def record_delivered(self, keys: Collection[int]) -> None:
        self._shared.delivered.update(keys)
        self.release(keys)

    def release(self, keys: Collection[int]) -> None:
        for key in keys:
            if self._shared.claims.get(key) is self:
                del self._shared.claims[key]

    def known(self, keys: Collection[int]) -> set[int]:
        return self._shared.delivered & set(keys)

    def renew(self) -> None:
        self.check_alive()
        self._shared.runs[self] = self._shared.now()

    def check_alive(self) -> None:
        if self not in self._shared.runs:
            raise LedgerError("this run stood still")

    def close(self) -> None:
        self._shared.runs.pop(self, None)

    def _end_dead_holder(self, key: int) -> None:
        """Take a run that did not renew in time for dead, as whoever meets its claims does."""
        holder = self._shared.claims.get(key)
        if holder is not None and holder is not self:
            self._shared.runs.pop(holder, None)

"""A ledger in plain dictionaries: the model for the one in a database, and its replacement."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from given import Clock
from target_pinterest_capi.delivery.ledger import LEASE_SECONDS, Claims, LedgerError


@dataclass
class SharedLedger:
    """What several runs share. `now` is seconds."""

    now: Callable[[], float] = field(default_factory=Clock)
    delivered: set[int] = field(default_factory=set)
    claims: dict[int, "RunLedger"] = field(default_factory=dict)
    runs: dict["RunLedger", float] = field(default_factory=dict)  # when each was last renewed

    def open(self, kind: "type[RunLedger] | None" = None) -> "RunLedger":
        """Return the ledger as a new run sees it."""
        run = (kind or RunLedger)(self)
        self.runs[run] = self.now()
        self.remove_dead_runs()
        return run

    def remove_dead_runs(self) -> None:
        """Remove the runs that have not renewed in time, and their claims."""
        oldest = self.now() - LEASE_SECONDS
        self.runs = {run: at for run, at in self.runs.items() if at >= oldest}
        self.drop_claims_of_the_dead()

    def drop_claims_of_the_dead(self) -> None:
        """Remove every claim of a run that has ended."""
        self.claims = {key: run for key, run in self.claims.items() if run in self.runs}


class RecordedClaims(NamedTuple):
    """Claims that nobody has to wait for."""

    claims: Claims
    has_ended: bool = True

    def result(self) -> Claims:
        return self.claims


class RunLedger:
    """The ledger as one run sees it."""

    def __init__(self, shared: SharedLedger) -> None:
        self.shared = shared

    def claim(self, keys: Collection[int]) -> Claims:
        shared = self.shared
        self.check_alive()
        if shared.claims.keys() & set(keys):
            self.renew()
            shared.remove_dead_runs()
        delivered = shared.delivered & set(keys)
        held = {key for key in keys if shared.claims.get(key, self) is not self} - delivered
        new = set(keys) - held - delivered
        shared.claims.update(dict.fromkeys(new, self))
        return Claims(new, delivered, held)

    def start_claim(self, keys: Collection[int]) -> RecordedClaims:
        return RecordedClaims(self.claim(keys))

    def record_delivered(self, keys: Collection[int]) -> None:
        self.shared.delivered.update(keys)
        self.release(keys)

    def release(self, keys: Collection[int]) -> None:
        for key in keys:
            if self.shared.claims.get(key) is self:
                del self.shared.claims[key]

    def known(self, keys: Collection[int]) -> set[int]:
        return self.shared.delivered & set(keys)

    def renew(self) -> None:
        self.check_alive()
        self.shared.runs[self] = self.shared.now()

    def check_alive(self) -> None:
        if self not in self.shared.runs:
            raise LedgerError("this run stood still")

    def close(self) -> None:
        self.shared.runs.pop(self, None)
        self.shared.drop_claims_of_the_dead()

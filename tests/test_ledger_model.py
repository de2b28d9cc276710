"""The ledger in a database compared with a model, with runs that end, die or stand still."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from given import Clock, examples
from ledger_model import RunLedger, SharedLedger
from target_pinterest_capi.delivery.event_ledger import EventLedger
from target_pinterest_capi.delivery.ledger import LEASE_SECONDS, LedgerError

KEYS = st.sets(st.integers(-3, 4), max_size=5)
MAX_RUNS = 4


class Ledgers(RuleBasedStateMachine):
    """Runs on one ledger: each result is the model's, and no key is claimed by two."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{Path(self.directory.name)}/ledger.db"
        self.clock = Clock(1_780_000_000.0)
        self.model = SharedLedger(self.clock)
        self.runs: list[tuple[EventLedger, RunLedger]] = []

    def teardown(self) -> None:
        for ledger, _ in self.runs:
            ledger.close()
        self.directory.cleanup()

    @precondition(lambda self: len(self.runs) < MAX_RUNS)
    @rule()
    def open(self) -> None:
        self.runs.append((EventLedger(self.url, 7, now=self.clock, process="-"), self.model.open()))

    @precondition(lambda self: self.runs)
    @rule(
        which=st.integers(0, MAX_RUNS - 1),
        keys=KEYS,
        what=st.sampled_from(["claim", "claim", "record_delivered", "release", "known", "renew"]),
    )
    def use(self, which: int, keys: set[int], what: str) -> None:
        ledger, model = self.runs[which % len(self.runs)]
        given = () if what == "renew" else (keys,)
        try:
            expected = getattr(model, what)(*given)
        except LedgerError:
            expected = LedgerError
        try:
            found = getattr(ledger, what)(*given)
        except LedgerError:
            found = LedgerError
        if what == "claim" and expected is not LedgerError and keys:
            found, expected = ([set(part) for part in claims] for claims in (found, expected))
        assert found == expected or not keys

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, MAX_RUNS - 1))
    def close(self, which: int) -> None:
        ledger, model = self.runs.pop(which % len(self.runs))
        ledger.close()
        model.close()

    @rule(seconds=st.sampled_from([1, LEASE_SECONDS // 2, LEASE_SECONDS + 1]))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def delivered_keys_are_known(self) -> None:
        for ledger, _ in self.runs[:1]:
            assert ledger.known(range(-3, 5)) == self.model.delivered


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(max_examples=examples(100), stateful_step_count=20, deadline=None)

"""The record of full refreshes against a model of dictionaries, with complete and aborted runs."""

import hashlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from refreshes_model import RunRefreshes, SharedRefreshes

from given import Clock, examples
from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes

LISTS = (b"one list", b"another")
FEEDS = {b"feed 1": (LISTS[0], "a"), b"feed 2": (LISTS[0], "b"), b"feed 3": (LISTS[1], "a")}
EVERYBODY = [hashlib.sha256(name.encode()).hexdigest() for name in "abcd"]
PEOPLE = st.sets(st.sampled_from(EVERYBODY), min_size=1)


class Refreshes(RuleBasedStateMachine):
    """Runs on one record, one after another: every read agrees with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{Path(self.directory.name)}/ledger.db"
        self.clock = Clock(1_780_000_000.0)
        self.shared = SharedRefreshes(self.clock)
        self.record, self.model = FullRefreshes(self.url, now=self.clock), RunRefreshes(self.shared)

    def teardown(self) -> None:
        self.record.close()
        self.directory.cleanup()

    @rule()
    def start_another_run(self) -> None:
        self.record.close()
        self.record, self.model = FullRefreshes(self.url, now=self.clock), RunRefreshes(self.shared)
        self.clock.advance(60)

    @rule(feed=st.sampled_from(sorted(FEEDS)))
    def begin(self, feed: bytes) -> None:
        key, stream = FEEDS[feed]
        for one in (self.record, self.model):
            one.begin_refresh(key, feed, stream)

    @precondition(lambda self: self.model.begun)
    @rule(which=st.integers(0, 2), people=PEOPLE)
    def bring(self, which: int, people: set[str]) -> None:
        feed = sorted(self.model.begun)[which % len(self.model.begun)]
        for one in (self.record, self.model):
            one.record_members(feed, dict.fromkeys(people))

    @rule(key=st.sampled_from(LISTS), people=PEOPLE)
    def forget(self, key: bytes, people: set[str]) -> None:
        for one in (self.record, self.model):
            one.forget_members(key, people)

    @rule()
    def complete(self) -> None:
        for one in (self.record, self.model):
            one.complete_refreshes()

    @invariant()
    def both_say_the_same(self) -> None:
        for key in LISTS:
            assert self.record.feed_states(key) == self.model.feed_states(key)
            assert self.record.count_members(key) == self.model.count_members(key)
            for person in EVERYBODY:
                is_on_record = self.record.is_on_record(key, person)
                assert is_on_record == self.model.is_on_record(key, person)
            for streams in (["a"], ["a", "b"]):
                assert sorted(self.record.leavers(key, streams)) == self.model.leavers(key, streams)


TestRefreshes = Refreshes.TestCase
TestRefreshes.settings = settings(max_examples=examples(60), stateful_step_count=15, deadline=None)

"""Parts with faults that the program had, or could have: the simulation must find each of them.

They replace the program's own parts through its constructors, like everything in a simulation.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec
from refreshes_model import RunRefreshes

from ledger_model import RunLedger
from simulation.process import Parts
from simulation.scenario import ACCOUNTS
from target_pinterest_capi.cli.replay.letters import Letters, UnsentReason
from target_pinterest_capi.delivery.checkpoints import Checkpoints
from target_pinterest_capi.delivery.ledger import Claims
from target_pinterest_capi.delivery.rejection_limit import RejectionLimit
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.files.line_file import LineFile
from target_pinterest_capi.pipeline.feed import IteratedSource, paced
from target_pinterest_capi.reporting.counters import Counters


class RunThatTakesLateState(Run):
    """Accepts a STATE even after it was interrupted."""

    def add_state(self, value: bytes) -> None:
        self._checkpoints.add_state(value, self.sequence)


def feed_that_reads_on(run: Run, source: Any) -> Iterator[Any]:
    """Leave a file at a signal, and continue with the messages after it."""
    if isinstance(source, IteratedSource):
        yield from paced(run, source)
        return
    while not run.is_interrupted:
        run.poll()
        if not run.has_room:
            run.wait()
            continue
        items = source.read(run.seconds_until_due())
        if items is None:
            return
        yield from items


class LimitJudgedAtOnce(RejectionLimit):
    """Counts events without a response yet as failed."""

    def is_reached(self, counters: Counters, undecided: int = 0) -> bool:
        return super().is_reached(counters)


class FileThatKeepsHalves(LineFile):
    """Keeps half a write, and appends the next one to it."""

    def append(self, lines: bytes, *, may_create: bool = True) -> None:
        fd = self._opened(may_create=may_create)
        self._write_all(fd, lines)


class CheckpointsThatPassFailures(Checkpoints):
    """Ignores the records that hold back STATE."""

    def pop_newest_true(self, oldest_unsettled: int | None, *, pass_held: bool) -> bytes | None:
        return super().pop_newest_true(oldest_unsettled, pass_held=True)


class CheckpointsThatRunAhead(Checkpoints):
    """Lets a STATE pass the oldest record that is not acknowledged."""

    def pop_newest_true(self, oldest_unsettled: int | None, *, pass_held: bool) -> bytes | None:
        ahead = None if oldest_unsettled is None else oldest_unsettled + 1
        return super().pop_newest_true(ahead, pass_held=pass_held)


class LedgerWithoutClaims(RunLedger):
    """Knows what was delivered, but lets every run send the rest at the same time."""

    def claim(self, keys: Collection[int]) -> Claims:
        delivered = self.known(keys)
        return Claims(set(keys) - delivered, delivered, ())


class RefreshesOfNobody(RunRefreshes):
    """Considers a refresh without members complete."""

    def complete_refreshes(self) -> None:
        for name in self.begun:
            self.shared.feeds[name].complete = True


class RefreshesThatBeginAnew(RunRefreshes):
    """Forgets in each run the members that the previous, failed run received."""

    def begin_refresh(self, key: bytes, feed: bytes, stream: str) -> None:
        if feed in self.shared.feeds:
            self.shared.feeds[feed].complete = True
        super().begin_refresh(key, feed, stream)


class LettersOfOnlineEvents(Letters):
    """Does not repeat events that Pinterest cannot deduplicate."""

    def _read(self, line: bytes) -> Event | UnsentReason:
        event = super()._read(line)
        is_offline = isinstance(event, Event) and not event.deduplicable
        return UnsentReason.NO_EVENT if is_offline else event


class RunThatGoesRoundInCircles(Run):
    """Wakes itself each time it checks why it stopped."""

    def interrupt(self) -> None:
        super().interrupt()
        self.wake.set()


class RunThatSendsTestsLive(Run):
    """Sends the events of an entry whose mode is test as live ones."""

    def deliver_event(self, event: Event) -> None:
        super().deliver_event(msgspec.structs.replace(event, account=ACCOUNTS[0]))


# What each of them breaks: a part of the failure's message.
WRONG_PARTS: Final = {
    "reads on after a signal": (
        Parts(run=RunThatTakesLateState, feed=feed_that_reads_on),
        "has its place",
    ),
    "judges the limit at once": (Parts(rejection_limit=LimitJudgedAtOnce), "ends with 3, though"),
    "claims nothing": (Parts(run_ledger=LedgerWithoutClaims), "which another run has sent"),
    "keeps half a write": (Parts(line_file=FileThatKeepsHalves), "are cut"),
    "passes failures": (Parts(checkpoints=CheckpointsThatPassFailures), "while too much fails"),
    "runs ahead": (Parts(checkpoints=CheckpointsThatRunAhead), "has its place"),
    "completes a refresh of nobody": (Parts(run_refreshes=RefreshesOfNobody), "would remove"),
    "begins a refresh anew": (Parts(run_refreshes=RefreshesThatBeginAnew), "would remove"),
    "replays no offline event": (Parts(letters=LettersOfOnlineEvents), "loses the letter"),
    "sends tests live": (Parts(run=RunThatSendsTestsLive), "in another mode"),
    "goes round in circles": (Parts(run=RunThatGoesRoundInCircles), "round in circles"),
}

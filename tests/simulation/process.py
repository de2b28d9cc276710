"""One run of the program: its own parts in a simulated environment, up to its exit code.

What remains is at Pinterest, in the ledger, on the disk and on stdout. Its memory is lost when it
dies, at any step.
"""

import errno
import os
import random
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from refreshes_model import RunRefreshes

from ledger_model import RunLedger
from simulation.pinterest import HANGS, Connection
from simulation.scenario import ORIGIN, STREAM, Fate, Message, Record
from simulation.world import NEVER, Killed, Turn
from target_pinterest_capi.cli.replay.letters import Letters
from target_pinterest_capi.customer_lists.list_delivery import ListDelivery
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.delivery.checkpoints import Checkpoints
from target_pinterest_capi.delivery.exit_codes import ExitCode, RunStopped
from target_pinterest_capi.delivery.ledger import Claims, LedgerError
from target_pinterest_capi.delivery.rejection_limit import RejectionLimit
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.events.event import InvalidRecord, SkippedRecord
from target_pinterest_capi.events.reasons import Invalid, Skipped
from target_pinterest_capi.files.line_file import LineFile
from target_pinterest_capi.pipeline.feed import IteratedSource, paced

if TYPE_CHECKING:
    from simulation.simulation import Pipeline

Result = TypeVar("Result")

SIGTERM: Final = 143
KILLED: Final = -9
MIN_SETTLED: Final = 8  # before the limit of rejections is judged: the scenarios are small


class Parts(NamedTuple):
    """The program's own parts, or faulty ones in their place."""

    run: type[Run] = Run
    feed: Callable[..., Iterator[Any]] = paced
    checkpoints: type[Checkpoints] = Checkpoints
    rejection_limit: type[RejectionLimit] = RejectionLimit
    line_file: type[LineFile] = LineFile
    run_ledger: type[RunLedger] = RunLedger
    run_refreshes: type[RunRefreshes] = RunRefreshes
    letters: type[Letters] = Letters


class CutLineError(Exception):
    """A line that is not a Singer message."""


class Process:
    """A process with its clock, wake-up signal, stdout and disk."""

    def __init__(
        self, pipeline: "Pipeline", number: int, start: int, fate: Fate, turn: Turn
    ) -> None:
        self.pipeline = pipeline
        self.simulation = pipeline.simulation
        self.world = self.simulation.world
        self.scenario = self.simulation.scenario
        self.name = f"{pipeline.name}{number}"
        self.start = start
        self.settings = self.scenario.settings
        self.fate = fate
        self.turn = turn
        self.steps = 0
        self.writes = 0
        self.is_dead = False
        self.signalled_at: float | None = None
        self.ended_at: float | None = None
        self.simulation.processes.append(self)
        self.world.tell("%s: starts at %d, %s", self.name, start, fate)
        self.troubles: set[str] = set()  # valid reasons for a run to stop
        self.read: list[Record] = []
        self.states_read: list[int] = []
        self.has_read_all = False
        self.states: list[int] = []
        self.cut_writes = 0
        self.connection = Connection(self.simulation.pinterest, self, self.world.rng)
        self.workers: list[SimulatedWorkers] = []
        self.run: Run | None = None
        self.lists: ListDelivery | None = None
        self.stopped: RunStopped | None = None
        self.sync = self.scenario.sync
        self.ledger: SimulatedLedger | None = None
        if self.scenario.has_ledger:
            self.ledger = SimulatedLedger(self)

    # Environment

    def step(self) -> None:
        """Count a use of the environment: here the process may die, or get a signal."""
        if self.is_dead:
            raise Killed
        self.steps += 1
        if self.steps == self.fate.dies_at:
            self.die()
        if self.steps == self.fate.signals_at and self.run is not None:
            self.signalled_at = self.world.now
            self.world.tell("%s: SIGTERM", self.name)
            self.run.interrupt()

    def die(self) -> None:
        """End immediately."""
        self.is_dead = True
        if self.ledger is not None and self.world.rng.random() < 0.7:
            self.ledger.vanish()  # otherwise it ran on another, unknown machine
        self.world.tell("%s: dies", self.name)
        raise Killed

    def clock(self) -> float:
        self.step()
        return self.world.now

    fd = -1

    def set(self) -> None:
        self.world.wake(self.turn)

    def clear(self) -> None:
        self.turn.is_woken = False

    def wait(self, seconds: float | None) -> None:
        self.step()
        self.world.wait(self.turn, NEVER if seconds is None else seconds)
        if self.fate.jumps and self.world.rng.random() < 0.02:
            self.world.now += 3600
            self.world.tell("the clock jumps by an hour")
        self.step()

    def write_state(self, value: bytes) -> None:
        self.step()
        state = int(value)
        self.simulation.checks.state(self, state)
        if len(self.states) + 1 == self.fate.stdout_fails_at:
            self.troubles.add("stdout")
            self.world.tell("%s: STATE %d cannot be written", self.name, state)
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        self.states.append(state)
        self.pipeline.kept = state
        self.world.tell("%s: STATE %d", self.name, state)
        self.step()

    def open_lines(self, path: str) -> LineFile:
        return self.simulation.parts.line_file(path, sync=self._sync, write=self._write)

    def _sync(self, fd: int) -> None:
        """Do nothing: syncing matters for power failures of whole machines."""

    def _write(self, fd: int, data: memoryview) -> int:
        """Write; in the middle of it the disk may be full, or the process may die."""
        self.writes += 1
        half = data[: self.world.rng.randrange(len(data))]
        if self.fate.disk_full_at and self.writes in {
            self.fate.disk_full_at,
            self.fate.disk_full_at + 1,
        }:
            self.troubles.add("disk")
            if self.writes == self.fate.disk_full_at and half:
                return os.write(fd, half)
            self.world.tell("%s: the disk is full", self.name)
            raise OSError(errno.ENOSPC, "No space left on device")
        try:
            self.step()
        except Killed:
            os.write(fd, half)
            self.cut_writes += 1
            raise
        return os.write(fd, data)

    def start_workers(
        self,
        attempt: Callable[[Any], Any],
        wake: object,
        *,
        attempt_seconds: float,
        clock: Callable[[], float],
    ) -> "SimulatedWorkers":
        self.workers.append(SimulatedWorkers(self, attempt, attempt_seconds))
        return self.workers[-1]

    # Life

    def live(self) -> int:
        """Run to the end, successful or not, and return the exit code."""
        simulation = self.simulation
        rng = random.Random(self.world.rng.random())
        try:
            self.run = simulation.parts.run(
                self.settings,
                self.write_state,
                clock=self.clock,
                run_id=self.name,
                client=self.connection,
                wake=self,
                rng=rng,
                start_workers=self.start_workers,
                open_lines=self.open_lines,
                checkpoints=simulation.parts.checkpoints(),
                rejection_limit=simulation.parts.rejection_limit(
                    self.settings.max_rejected_ratio, MIN_SETTLED
                ),
                ledger=self.ledger,
            )
            if self.scenario.has_lists:
                self.lists = ListDelivery(
                    self.settings,
                    self.run,
                    clock=self.clock,
                    client=self.connection,
                    rng=rng,
                    start_workers=self.start_workers,
                    open_refreshes=lambda: SimulatedRefreshes(self),  # type: ignore[arg-type, return-value]
                )
                self.run.attach(self.lists)
            return self._complete_lists(self._read(self.run))
        except Killed:
            return KILLED
        finally:
            if self.ledger is not None and not self.is_dead:
                self.ledger.is_closing = True
            self.is_dead = True
            self.ended_at = self.world.now
            if self.run is not None:
                self.run.close()

    def check_end(self, code: int) -> None:
        """Check the promises at the end of this process."""
        self.simulation.checks.end(self, code)

    def check_final(self, code: int) -> None:
        """Check the promises if no rerun follows."""
        self.simulation.checks.final(self, code)

    def _read(self, run: Run) -> int:
        """Read as the Singer target does."""
        code = int(ExitCode.OK)
        mappers = [] if self.lists is None else self.lists.mappers(STREAM, ("id",))
        try:
            for message in self.simulation.parts.feed(run, Tap(self)):
                self._handle(run, message, [mapper.map_record for mapper in mappers])
            self.stopped = run.finish()
        except RunStopped:
            self.stopped = run.finish()
        except CutLineError:
            self.troubles.add("cut line")
            code = int(ExitCode.ERROR)
            self.stopped = run.finish()
        if self.stopped is not None:
            code = code or int(self.stopped.exit_code)
        elif self.signalled_at is not None:
            code = code or SIGTERM
        return code

    def _complete_lists(self, code: int) -> int:
        """Complete lists as the Singer target does at the end of a successful run."""
        if code == int(ExitCode.OK) and self.lists is not None:
            self.fate.signals_at = 0  # it would have no effect any more
            try:
                self.lists.complete_refreshes()
            except LedgerError:
                return int(ExitCode.ERROR)
        if self.fate.dies_at_end:
            self.die()
        return code

    def _handle(
        self, run: Run, message: Message, list_mappers: list[Callable[[Any], None]]
    ) -> None:
        if message.kind == "state":
            self.states_read.append(message.position)
            run.add_state(b"%d" % message.position)
            return
        records: Any = message.records
        if message.kind == "file":
            records = self.simulation.parts.feed(run, IteratedSource(message.records))
        for record in records:
            self.read.append(record)
            run.sequence += 1
            if record.event is not None:
                run.deliver_event(record.event)
            elif record.kind == "member":
                for map_record in list_mappers:
                    map_record(_row(record))
            elif record.kind == "skipped":
                run.skip_record(SkippedRecord(ORIGIN, Skipped.WHEN))
            else:
                is_old = record.kind == "old"
                reason = Invalid.EVENT_TOO_OLD if is_old else Invalid.NO_IDENTIFIER
                run.handle_invalid(InvalidRecord(ORIGIN, reason, key={"id": str(record.number)}))


def _row(record: Record) -> dict[str, Any]:
    return {
        "id": record.number,
        "email": f"person{record.person}@example.com",
        "action": "add" if record.adds else "remove",
    }


class Tap:
    """The input of a process: messages after a STATE, in pieces, at the tap's own pace."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._messages = list(process.scenario.messages_from(process.start))
        self._next = 0
        self._available_at = process.world.now

    def read(self, seconds: float | None) -> list[Message] | None:
        process = self._process
        process.step()
        if self._next == len(self._messages):
            process.has_read_all = True
            return None
        self._available_at += self._messages[self._next].silence
        left = self._available_at - process.world.now
        if left > 0:
            self._messages[self._next] = self._messages[self._next]._replace(silence=0.0)
            process.wait(left if seconds is None else min(left, seconds))
            return []
        end = self._next + process.world.rng.choice((1, 2, 5, 100))
        piece = [self._messages[self._next]]
        for message in self._messages[self._next + 1 : end]:
            if message.silence:
                break
            piece.append(message)
        self._next += len(piece)
        if process.fate.cut_at and self._next >= process.fate.cut_at:
            raise CutLineError
        return piece


class SimulatedDatabase:
    """A process's database: at each call, which may fail, other processes may run."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._calls = 0

    def _call(self, act: Callable[[], Result]) -> Result:
        process = self._process
        process.world.pause(process.turn)
        process.step()
        self._calls += 1
        fails_at = process.fate.ledger_fails_at
        if fails_at and self._calls in {fails_at, fails_at + 1}:
            process.troubles.add("ledger")
            process.world.tell("%s: the ledger fails", process.name)
            raise LedgerError("database is locked")
        result = act()
        process.step()
        return result


class SimulatedRefreshes(SimulatedDatabase):
    """The stored full refreshes, as a run uses them."""

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._inner = process.simulation.parts.run_refreshes(process.simulation.refreshes)

    def begin_refresh(self, key: bytes, feed: bytes, stream: str) -> None:
        self._call(lambda: self._inner.begin_refresh(key, feed, stream))

    def record_members(self, feed: bytes, members: Collection[str]) -> None:
        self._call(lambda: self._inner.record_members(feed, members))

    def forget_members(self, key: bytes, members: Collection[str]) -> None:
        self._call(lambda: self._inner.forget_members(key, members))

    def is_on_record(self, key: bytes, member: str) -> bool:
        return self._call(lambda: self._inner.is_on_record(key, member))

    def rows_with(self, key: bytes, identities: Collection[object]) -> dict[object, set[object]]:
        return self._inner.rows_with(key, identities)

    def complete_refreshes(self) -> None:
        self._call(self._complete)

    def _complete(self) -> None:
        self._inner.complete_refreshes()
        self._process.simulation.completed_sync = self._process.sync

    def close(self) -> None:
        """Do nothing: no connection is open."""


class SimulatedLedger(SimulatedDatabase):
    """A process's ledger, in which its run is registered from the first call on."""

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self.is_closing = False

    @cached_property
    def _inner(self) -> RunLedger:
        simulation = self._process.simulation
        return simulation.ledger.open(simulation.parts.run_ledger)

    def claim(self, keys: Collection[int]) -> Claims:
        return self._call(lambda: self._inner.claim(keys))

    def start_claim(self, keys: Collection[int]) -> "SimulatedClaims":
        return SimulatedClaims(self._process, self.claim(keys))

    def record_delivered(self, keys: Collection[int]) -> None:
        self._call(lambda: self._inner.record_delivered(keys))

    def release(self, keys: Collection[int]) -> None:
        self._call(lambda: self._inner.release(keys))

    def known(self, keys: Collection[int]) -> set[int]:
        return self._call(lambda: self._inner.known(keys))

    def renew(self) -> None:
        self._call(self._inner.renew)

    def close(self) -> None:
        """Release the claims of a living process; one that died keeps them."""
        if self.is_closing:
            self._inner.close()

    def vanish(self) -> None:
        """Let others see that the process has ended."""
        self._inner.close()


class SimulatedClaims:
    """Claims that are recorded, which the run hears at once, or later."""

    def __init__(self, process: Process, claims: Claims) -> None:
        self._process = process
        self._claims = claims
        self.has_ended = False
        world = process.world
        seconds = world.rng.choice((0.0, 0.0, 0.01, 2.0))
        if seconds:
            world.at(world.now + seconds, self._end)
        else:
            self.has_ended = True

    def _end(self) -> None:
        self.has_ended = True
        if not self._process.is_dead:
            self._process.set()

    def result(self) -> Claims:
        if not self.has_ended:
            self._process.world.pause(self._process.turn)
            self._process.step()
        return self._claims


class SimulatedWorkers:
    """Workers without threads: the world decides when requests and responses arrive."""

    def __init__(
        self, process: Process, attempt: Callable[[Any], Any], attempt_seconds: float
    ) -> None:
        self._process = process
        self._attempt = attempt
        self._attempt_seconds = attempt_seconds
        self._number = 0
        self._done: list[tuple[int, Any]] = []
        self.under_way: dict[int, tuple[Any, float]] = {}

    @property
    def in_flight(self) -> int:
        return len(self.under_way)

    def overdue_at(self) -> float:
        return next(iter(self.under_way.values()))[1] if self.under_way else NEVER

    def start(self, task: Any) -> None:
        process = self._process
        process.step()
        if isinstance(task, Batch):
            process.simulation.checks.sending(process, task)
        self._number += 1
        number = self._number
        self.under_way[number] = (task, process.world.now + self._attempt_seconds)
        world = process.world
        world.at(world.now + world.rng.choice((0.01, 0.2, 2.0)), lambda: self._arrive(number, task))
        process.step()

    def _arrive(self, number: int, task: Any) -> None:
        """Let a request arrive at Pinterest, unless its process died before it was written."""
        process, world = self._process, self._process.world
        if process.is_dead and world.rng.random() < 0.5:
            return
        try:
            response = self._attempt(task)
        except Killed:
            return  # while it was on its way
        connection = process.connection
        world.tell(
            "%s: request of %d gets %s",
            process.name,
            connection.requests,
            connection.fault or getattr(response, "status", response),
        )
        if connection.fault not in HANGS:
            later = world.rng.choice((0.0, 0.1, 5.0))
            world.at(world.now + later, lambda: self._answer(number, response))

    def _answer(self, number: int, response: Any) -> None:
        if not self._process.is_dead:
            self._done.append((number, response))
            self._process.set()

    def results(self) -> Iterator[tuple[Any, Any]]:
        while self._done:
            number, response = self._done.pop(0)
            if number not in self.under_way:
                continue
            task, _ = self.under_way.pop(number)
            if isinstance(task, Batch):
                self._process.simulation.checks.heard(self._process, task, response)
            yield task, response

    def overdue(self) -> Iterator[Any]:
        while self.overdue_at() <= self._process.clock():
            task, _ = self.under_way.pop(next(iter(self.under_way)))
            self._process.troubles.add("overdue")
            if isinstance(task, Batch):
                self._process.simulation.checks.gave_up(self._process, task)
            yield task

    def close(self) -> None:
        """Do nothing: no thread waits."""

"""The simulation of a seed: pipelines that run from their last STATE until they are done."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

from refreshes_model import SharedRefreshes

from ledger_model import SharedLedger
from simulation.checks import Checks, is_about_settings
from simulation.pinterest import Pinterest
from simulation.process import KILLED, Parts, Process
from simulation.replay import Replay
from simulation.scenario import draw
from simulation.world import BrokenPromiseError, Turn, World
from target_pinterest_capi.delivery.exit_codes import ExitCode

MAX_RUNS: Final = 12  # of a pipeline; from `hostile_runs` on nothing goes wrong
PAUSE_SECONDS: Final = 30.0  # between two runs


class SeedFailedError(AssertionError):
    """A promise was broken; the text has the seed's story and how to repeat it."""

    def __init__(self, seed: int, error: BaseException, story: str) -> None:
        self.summary = f"seed {seed}: {error}. To repeat it: make simulate SEED={seed}"
        super().__init__(f"{story}\n\n{self.summary}")


class Pipeline:
    """Meltano's part: start a process from the stored STATE, and store the next one."""

    def __init__(self, simulation: "Simulation", name: str) -> None:
        self.simulation = simulation
        self.name = name
        self.kept = 0

    def run_until_done(self, turn: Turn) -> None:
        """For each sync of the tap, run until no rerun is needed."""
        scenario = self.simulation.scenario
        for sync in range(len(scenario.syncs)):
            self.simulation.begin_sync(sync)
            self.kept = 0
            for run in range(MAX_RUNS):
                process = Process(self, sync * MAX_RUNS + run, self.kept, scenario.fate(run), turn)
                if self._ends_for_good(process, process.live()):
                    break
                self.simulation.world.wait(turn, PAUSE_SECONDS)
            else:
                raise BrokenPromiseError(f"{self.name} is not done after {MAX_RUNS} runs")

    def replay_until_done(self, turn: Turn) -> None:
        """Replay the dead letters until no rerun is needed."""
        self.simulation.pinterest.is_repaired = self.simulation.world.rng.random() < 0.5
        for run in range(MAX_RUNS):
            replay = Replay(self, run, self.simulation.scenario.fate(run), turn)
            if self._ends_for_good(replay, replay.live()):
                return
            self.simulation.world.wait(turn, PAUSE_SECONDS)
        raise BrokenPromiseError(f"the replay is not done after {MAX_RUNS} runs")

    def _ends_for_good(self, process: Process, code: int) -> bool:
        """Check the results of a process, and return whether it needs no rerun."""
        simulation = self.simulation
        simulation.codes[code] += 1
        simulation.world.tell("%s: ends with %d, %s", process.name, code, process.stopped)
        process.check_end(code)
        is_done = code in {int(ExitCode.OK), int(ExitCode.TOO_MUCH_REJECTED)}
        if is_done or is_about_settings(process):
            process.check_final(code)
            return True
        if "token lost" in process.troubles:
            simulation.scenario.authorize(simulation.pinterest.authorize())
        return False


class Simulation:
    """A world with Pinterest, a disk, and pipelines in it."""

    def __init__(self, seed: int, directory: str, parts: Parts) -> None:
        self.parts = parts
        self.scenario = draw(seed, directory)
        self.world = World(self.scenario.rng)
        self.pinterest = Pinterest(self.scenario, self.world.tell)
        self.ledger = SharedLedger(now=lambda: self.world.now)
        self.refreshes = SharedRefreshes(now=lambda: self.world.now)
        self.completed_sync = -1  # the last that is on record as complete
        self.continued_sync = 0  # the first whose refresh goes on in the current one
        self.processes: list[Process] = []
        self.codes: Counter[int] = Counter()
        self.checks = Checks(self)

    def begin_sync(self, number: int) -> None:
        """Let the tap read from its beginning, and record where its refresh begins."""
        self.scenario.sync = number
        if self.completed_sync == number - 1:
            self.continued_sync = number

    def run(self) -> None:
        """Run the whole simulation."""
        pipelines = [Pipeline(self, name) for name in "ab"[: self.scenario.pipelines]]
        self.world.run(*(pipeline.run_until_done for pipeline in pipelines))
        if self.scenario.replays:
            self.world.run(Pipeline(self, "r").replay_until_done)


class Simulations:
    """Runs seeds in a separate directory, one after the other."""

    def __init__(self, parts: Parts | None = None) -> None:
        self._parts = parts or Parts()
        shared = Path("/dev/shm")
        self._directory = tempfile.mkdtemp(dir=shared if shared.is_dir() else None)
        self.codes: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._directory)

    def run(self, seed: int) -> str:
        """Run a seed and return its story. Raises `SeedFailedError`."""
        for left in Path(self._directory).iterdir():
            left.unlink()
        simulation = Simulation(seed, self._directory, self._parts)
        try:
            simulation.run()
        except Exception as error:
            raise SeedFailedError(seed, error, simulation.world.as_text()) from error
        self.codes += simulation.codes
        for process in simulation.processes:
            self.faults.update(process.connection.struck)
            self.faults.update(process.troubles)
        return simulation.world.as_text()

    def failures(self, seeds: Iterable[int]) -> Iterator[SeedFailedError]:
        """Yield the failures of some seeds."""
        for seed in seeds:
            try:
                self.run(seed)
            except SeedFailedError as failure:
                yield failure


__all__ = ["KILLED", "Parts", "SeedFailedError", "Simulations"]

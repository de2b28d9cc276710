"""A replay of a pipeline's dead letters, as `pinterest-capi replay` does it."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulation.process import SIGTERM, Process
from simulation.scenario import Fate
from simulation.world import Turn
from target_pinterest_capi.delivery.exit_codes import ExitCode, RunStopped
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.pipeline.feed import IteratedSource

if TYPE_CHECKING:
    from simulation.simulation import Pipeline

OUTPUT: Final = "replayed.jsonl"


class Replay(Process):
    """A process that reads all letters, and writes those that fail again to another file."""

    def __init__(self, pipeline: "Pipeline", number: int, fate: Fate, turn: Turn) -> None:
        super().__init__(pipeline, number, 0, fate, turn)
        self.file = Path(self.settings.dead_letter_path)
        self.output = self.file.with_name(f"{number}-{OUTPUT}")
        self.settings = self.settings.model_copy(update={"dead_letter_path": str(self.output)})

    def check_end(self, code: int) -> None:
        self.simulation.checks.end_replay(self, code)

    def check_final(self, code: int) -> None:
        self.simulation.checks.final_replay(self, code)

    def _read(self, run: Run) -> int:
        """Read as the command does."""
        letters = self.simulation.parts.letters(str(self.file), self.settings, needs_token=True)
        try:
            if self.file.exists():
                for event in self.simulation.parts.feed(run, IteratedSource(letters)):
                    assert event.key is not None
                    self.read.append(self.scenario.records[int(event.key["id"])])
                    run.sequence += 1
                    run.deliver_event(event)
                self.has_read_all = not run.is_interrupted
        except RunStopped:
            pass
        self.stopped = run.finish()
        if self.stopped is not None:
            return int(self.stopped.exit_code)
        return SIGTERM if self.signalled_at is not None else int(ExitCode.OK)

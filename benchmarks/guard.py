"""The ratio of a case to the floor, found cheaply.

The test of the speed compares it with what `recorded.json` says. Noise only ever makes a run
slower, so that the best of a few is the truth; and a case that is fast enough once is fast enough.
What is recorded are ratios of CPU time, which a busy machine leaves alone, and which are those of
the clock where it is idle: floor and target both keep one core busy. What is compared is the clock,
so that waiting counts as a loss too.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.cases import CASES, Bench, Case

RECORDED: Final = Path(__file__).parent / "recorded.json"
GUARDED: Final = ("target", "mapping")
RECORDS: Final = 20_000
MOST_ROUNDS: Final = 5


def recorded() -> Mapping[str, float]:
    """Return the ratios to the floor that were recorded, by the name of the case."""
    ratios: dict[str, float] = json.loads(RECORDED.read_text())["to_floor"]
    return ratios


def best_ratio(bench: Bench, name: str, enough: float, most_rounds: int = MOST_ROUNDS) -> float:
    """Return the case's best ratio to the floor.

    Floor and case take turns until the ratio is `enough`, or for `most_rounds`.
    """
    floor, case = (
        next(case for case in CASES if case.name == wanted) for wanted in ("floor", name)
    )
    best: dict[tuple[str, bool], float] = {}
    ratio = 0.0
    for _ in range(most_rounds):
        for measured in (floor, case):
            for is_start in (True, False):
                key = measured.name, is_start
                best[key] = min(
                    best.get(key, float("inf")), _seconds(bench, measured, is_start=is_start)
                )
        ratio = _cost(best, floor) / _cost(best, case)
        if ratio >= enough:
            break
    return ratio


def _seconds(bench: Bench, case: Case, *, is_start: bool) -> float:
    return (bench.run_one(case) if is_start else bench.run(case)).took.wall_seconds


def _cost(best: Mapping[tuple[str, bool], float], case: Case) -> float:
    return max(1e-9, best[case.name, False] - best[case.name, True])

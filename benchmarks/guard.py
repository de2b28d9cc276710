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

from benchmarks.cases import CASES, SHOP_CASES, Bench, Case

RECORDED: Final = Path(__file__).parent / "recorded.json"
GUARDED: Final = ("target", "mapping", "segment", "shopify", "batch", "lists", "preview")
RECORDS: Final = 20_000
MOST_ROUNDS: Final = 5


def recorded() -> Mapping[str, float]:
    """Return the ratios to the floor that were recorded, by the name of the case."""
    ratios: dict[str, float] = json.loads(RECORDED.read_text())["to_floor"]
    return ratios


def best_ratio(bench: Bench, name: str, enough: float, most_rounds: int = MOST_ROUNDS) -> float:
    """Return the case's best ratio to the floor, a record of its own to one of the floor's.

    Floor and case take turns until the ratio is `enough`, or for `most_rounds`.
    """
    floor, case = (
        next(case for case in (*CASES, *SHOP_CASES) if case.name == wanted)
        for wanted in ("floor", name)
    )
    best: dict[tuple[str, bool], float] = {}
    ratio = 0.0
    for _ in range(most_rounds):
        costs = [_best_cost(bench, measured, best) for measured in (floor, case)]
        ratio = costs[0] / costs[1]
        if ratio >= enough:
            break
    return ratio


def _best_cost(bench: Bench, case: Case, best: dict[tuple[str, bool], float]) -> float:
    """Run a case, and return the seconds that a record takes at best, start-up taken off."""
    start, run = bench.run_one(case), bench.run(case)
    for is_start, sample in ((True, start), (False, run)):
        seconds = sample.took.wall_seconds
        best[case.name, is_start] = min(best.get((case.name, is_start), seconds), seconds)
    return max(1e-9, best[case.name, False] - best[case.name, True]) / run.records

"""The ratio of a case to the floor, measured quickly.

The speed test compares it with the value in `recorded.json`. Noise only makes a run slower, so the
best of a few is the right one, and a case that is fast enough once is fast enough. The recorded
ratios are of CPU time, which depends less on other work, and equals wall-clock time on an idle
machine, because floor and target both keep one core busy. The measured ratio is of wall-clock time,
so that waiting counts too.
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
    """Return the case's best ratio to the floor, by the time per record.

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
    """Run a case, and return the shortest seconds per record, without the start-up."""
    start, run = bench.run_one(case), bench.run(case)
    for is_start, sample in ((True, start), (False, run)):
        seconds = sample.took.wall_seconds
        best[case.name, is_start] = min(best.get((case.name, is_start), seconds), seconds)
    return max(1e-9, best[case.name, False] - best[case.name, True]) / run.records

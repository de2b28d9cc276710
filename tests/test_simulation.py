"""Whole runs in simulated worlds: no loss, no early STATE, one outcome each, no endless wait.

`make simulate SEEDS=100000` runs more, and `make simulate SEED=7` one, with its story.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from simulation.simulation import Parts, Simulations
from simulation.wrong_parts import WRONG_PARTS

SEEDS = 2000
AT_ONCE = 200
ENOUGH_SEEDS = 1000  # in which a wrong part must be found


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log nothing: a run has many lines about faults."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@cache
def run_seeds(first: int) -> tuple[Counter[int], Counter[str]]:
    """Run some seeds, once; return their exit codes and errors."""
    with Simulations() as simulations:
        for seed in range(first, first + AT_ONCE):
            simulations.run(seed)
        return simulations.codes, simulations.faults


@pytest.mark.parametrize("first", range(1, SEEDS, AT_ONCE))
def test_promises_hold_whatever_happens(first: int):
    """No seed violates a guarantee; the error says how to repeat it."""
    run_seeds(first)


@pytest.mark.parametrize("name", WRONG_PARTS)
def test_wrong_part_is_found(name: str):
    """A broken part with a real or possible bug violates the expected guarantee."""
    parts, words = WRONG_PARTS[name]
    with Simulations(parts) as simulations:
        failures = simulations.failures(range(1, ENOUGH_SEEDS))
        assert any(words in failure.summary for failure in failures), words


@pytest.mark.parametrize("seed", [1, 2, 3, 21])
def test_seed_tells_the_same_story_twice(seed: int):
    """A seed can be repeated exactly, and its story shows nothing of a record."""
    stories = []
    for _ in range(2):
        with Simulations(Parts()) as simulations:
            stories.append(simulations.run(seed))
    assert stories[0] == stories[1]
    assert "@" not in stories[0]
    assert "example.com" not in stories[0]


def test_everything_that_can_go_wrong_does():
    """Each fault, each trouble and each kind of end occurs within a few hundred seeds."""
    (codes, faults), (more_codes, more_faults) = run_seeds(1), run_seeds(1 + AT_ONCE)
    codes, faults = codes + more_codes, faults + more_faults
    assert set(codes) == {0, 1, 3, -9, 143}
    assert not {name for name, times in faults.items() if times < 3}

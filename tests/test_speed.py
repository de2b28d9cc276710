"""The target's speed, as a ratio to a plain loop: it detects a real loss, not noise."""

from collections.abc import Iterator

import pytest

from benchmarks import guard
from benchmarks.cases import Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("speed"), guard.RECORDS) as running:
        yield running


@pytest.mark.slow
@pytest.mark.speed
@pytest.mark.parametrize("case", guard.GUARDED)
def test_ratio_to_the_floor_is_more_than_half_of_what_was_recorded(bench: Bench, case: str):
    """Mapping, hashing, delivery and checkpoints together cost at most twice the recorded ratio."""
    enough = guard.recorded()[case] / 2
    ratio = guard.best_ratio(bench, case, enough)
    assert ratio >= enough, (
        f"{case}: {ratio:.2f} of the floor, "
        f"and {guard.recorded()[case]:.2f} was recorded: make bench"
    )

"""Lock files of Meltano and of the taps: complete, so that they can be installed on any day."""

from pathlib import Path

import pytest
from meltano_project import SOURCE, InstallationError, locked_program

from tools import locks


def problems(lock: Path, programs: Path) -> list[str]:
    """Return what an environment's packages need and its lock file or the environment lacks."""
    (packages,) = (programs.parent / "lib").glob("python3.*/site-packages")
    found = locks.check(lock.name, lock.read_text(), [], locks.installed_packages([str(packages)]))
    return found.problems + found.unseen


@pytest.mark.real
@pytest.mark.parametrize("tap", ["tap-postgres", "tap-rest-api-msdk"])
def test_lock_file_of_a_tap_has_all_that_its_packages_need(meltano, tap):
    """Everything that a locked package of a tap needs is a line of its lock file."""
    assert problems(SOURCE / "locks" / f"{tap}.txt", meltano(tap).programs(tap)) == []


@pytest.mark.real
def test_lock_file_of_meltano_has_all_that_its_packages_need():
    """Everything that a locked package of Meltano needs is a line of its lock file."""
    try:
        programs = locked_program("meltano").parent
    except InstallationError as error:
        pytest.skip(f"Meltano could not be installed: {error}")
    assert problems(SOURCE / "locks" / "meltano.txt", programs) == []

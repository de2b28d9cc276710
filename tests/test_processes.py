"""Whether a process has ended: only a certain yes is a yes."""

import subprocess
import sys

import pytest

from target_pinterest_capi.delivery.processes import has_ended, identify_process

IDENTIFY = (
    "from target_pinterest_capi.delivery.processes import identify_process as me; print(me())"
)

pytestmark = pytest.mark.skipif(not identify_process(), reason="this system does not tell")


def started() -> "subprocess.Popen[str]":
    """Return a process that prints its identity, and waits until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{IDENTIFY}; import sys; sys.stdout.flush(); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_process_has_ended_once_it_is_killed():
    """It has not ended while it runs; once killed it has, even before its parent waits for it."""
    process = started()
    assert process.stdout is not None
    identity = process.stdout.readline().strip()
    assert not has_ended(identity)
    process.kill()
    process.stdout.read()  # ends when the process does
    while not has_ended(identity):
        pass
    process.communicate()
    assert has_ended(identity)


def test_this_process_has_not_ended():
    """Its identity is the same each time."""
    assert identify_process() == identify_process()
    assert not has_ended(identify_process())


@pytest.mark.parametrize(
    ("changed", "ended"),
    [
        ({}, False),
        ({"boot": "another-boot"}, False),
        ({"namespace": "pid:[1]"}, False),
        ({"number": str(2**22 + 1)}, True),  # no number of a process on Linux
        ({"started": "1"}, True),  # the number was used again
    ],
)
def test_process_elsewhere_is_never_said_to_have_ended(changed: dict[str, str], ended: bool):
    """Another machine, boot or container has different numbers."""
    names = ("boot", "namespace", "number", "started")
    own = dict(zip(names, identify_process().split("/"), strict=True))
    assert has_ended("/".join((own | changed)[name] for name in names)) is ended


def test_process_that_could_not_say_who_it_is_is_never_said_to_have_ended():
    """If the system does not say, the lease decides."""
    assert not has_ended("")

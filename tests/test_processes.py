"""Which process has ended: said only where it is certain."""

import subprocess
import sys

import pytest

from target_pinterest_capi.delivery.processes import has_ended, identify_process

IDENTIFY = (
    "from target_pinterest_capi.delivery.processes import identify_process as me; print(me())"
)

pytestmark = pytest.mark.skipif(not identify_process(), reason="this system does not tell")


def started() -> "subprocess.Popen[str]":
    """Return a process that says who it is, and waits until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{IDENTIFY}; import sys; sys.stdout.flush(); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_process_has_ended_once_it_is_killed():
    """While it runs it has not; once killed it has, also before its parent has asked how it ended."""
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
    """It says the same of itself each time."""
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
    """Another machine, boot or container has numbers of its own."""
    names = ("boot", "namespace", "number", "started")
    own = dict(zip(names, identify_process().split("/"), strict=True))
    assert has_ended("/".join((own | changed)[name] for name in names)) is ended


def test_process_that_could_not_say_who_it_is_is_never_said_to_have_ended():
    """Where the system tells nothing, the lease decides."""
    assert not has_ended("")

"""Identifies this process among those on all machines, and tells whether another one has ended.

Reads /proc on Linux; elsewhere it knows nothing, so no process is known to have ended.
"""

import os
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")  # process ids are unique only within one
# Index in /proc/PID/stat, counted after the name in parentheses.
_STATE: Final = 0
_STARTED_AT: Final = 19
_ENDED_STATES: Final = frozenset("ZX")


def identify_process() -> str:
    """Return the machine's boot, the namespace, the id and the start of this process.

    Empty if the system does not say.
    """
    try:
        return f"{_place()}/{os.getpid()}/{_status(os.getpid())[_STARTED_AT]}"
    except OSError:
        return ""


def has_ended(process: str) -> bool:
    """Return whether the process of that identity has certainly ended.

    That is known only for a process in the same place as this one.
    """
    place, _, number = process.rpartition("/")[0].rpartition("/")
    try:
        if not process or place != _place():
            return False
        os.kill(int(number), 0)
        status = _status(int(number))
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it exists, but we may not read it
    return status[_STATE] in _ENDED_STATES or status[_STARTED_AT] != process.rpartition("/")[2]


def _place() -> str:
    return f"{_BOOT_ID.read_text().strip()}/{_PID_NAMESPACE.readlink()}"


def _status(number: int) -> list[str]:
    """Return the fields of a process's status after its name, which can contain anything."""
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()

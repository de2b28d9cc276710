"""Runs a command at times at which programs often calculate wrongly, or at a later date.

    python tools/clock.py [--days N] COMMAND...

The command and its child processes see a clock that begins at that time and runs normally.
This needs Linux and a C compiler; without them, it prints a message and does nothing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SOURCE = Path(__file__).with_name("clock.c")
# The time zone, and the local time at the start of the run
MOMENTS = (
    (
        "America/Los_Angeles",
        "2028-02-29T23:59:30",
    ),  # the leap day ends, and it is another day in UTC
    ("America/New_York", "2027-03-14T01:59:30"),  # the clocks go forward
    ("Europe/Berlin", "2027-10-31T02:59:30"),  # the clocks go back
)


def main(arguments: Sequence[str]) -> int:
    """Run the command at each moment; return the first exit code that is not 0, or 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, help="run the command once, in N days from now")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        print(
            "Skipped: a separate clock needs Linux and a C compiler (apt-get install gcc libc6-dev)"
        )
        return 0
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory, "clock.so")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SOURCE], check=True)
        for begins in _begins(given.days):
            zone = {"TZ": begins.tzinfo.key} if isinstance(begins.tzinfo, ZoneInfo) else {}
            shift = {
                "LD_PRELOAD": str(library),
                "CLOCK_SHIFT_SECONDS": str(int(begins.timestamp() - time.time())),
            }
            print(f"== as if it were {begins.isoformat(timespec='seconds')}", flush=True)
            environment = os.environ | zone | shift
            code = subprocess.run(given.command, env=environment, check=False).returncode
            if code:
                return code
    return 0


def _begins(days: int | None) -> Iterator[datetime]:
    """Yield the time of each run: in so many days, or each of `MOMENTS`."""
    if days is not None:
        yield datetime.now(UTC) + timedelta(days=days)
        return
    for zone, moment in MOMENTS:
        yield datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

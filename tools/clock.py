"""Runs a command at times at which programs often calculate wrongly.

    python tools/clock.py COMMAND...

The command and its child processes see a clock that begins at that time and runs normally.
This needs Linux and a C compiler; without them, it prints a message and does nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
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


def main(command: list[str]) -> int:
    """Run the command at each moment; return the first exit code that is not 0, or 0."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        print(
            "Skipped: a separate clock needs Linux and a C compiler (apt-get install gcc libc6-dev)"
        )
        return 0
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory, "clock.so")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SOURCE], check=True)
        for zone, moment in MOMENTS:
            begins = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp()
            shift = {
                "TZ": zone,
                "LD_PRELOAD": str(library),
                "CLOCK_SHIFT_SECONDS": str(int(begins - time.time())),
            }
            print(f"== as if it were {moment} in {zone}", flush=True)
            code = subprocess.run(command, env=os.environ | shift, check=False).returncode
            if code:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The program `target-pinterest-capi`, which is also `python -m target_pinterest_capi`.

Imports take most of a second. A signal in that time ends the process at once, with the same exit
code as later: nothing was read, and nothing is lost.
"""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the target."""
    _open_what_is_closed()
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    from target_pinterest_capi.target import main as run  # noqa: PLC0415 - signals come first

    run()


def _open_what_is_closed() -> None:
    """Prevent files that are opened later from getting the numbers of stdin, stdout and stderr.

    If one is closed, a ledger could become stderr, and log messages would be written to it. What is
    opened instead can be neither read nor written, except for stderr, which is discarded.
    """
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - until the process ends


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's signature
    os._exit(128 + number)


if __name__ == "__main__":
    main()

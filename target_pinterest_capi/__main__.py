"""The program `target-pinterest-capi`, which is also `python -m target_pinterest_capi`.

Imports take most of a second. A signal in that time ends the process at once, with the exit code
that it has later on: nothing was read, and nothing is lost.
"""

import os
import signal
from types import FrameType


def main() -> None:
    """Run the target."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    from target_pinterest_capi.target import main as run  # noqa: PLC0415 - signals come first

    run()


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's signature
    os._exit(128 + number)


if __name__ == "__main__":
    main()

"""Why a run ends before its input does, and the exit code of the process."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of the process: part of the contract with users."""

    OK = 0
    ERROR = 1
    CONFIGURATION = 2
    TOO_MUCH_REJECTED = 3
    INTERRUPTED = 128  # plus the signal's number


class RunStopped(Exception):  # noqa: N818 - not an error of the program: the run is to stop
    """The run stops before its input ends; the message says why and what to do."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code

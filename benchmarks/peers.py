"""Other targets, each in a separate virtual environment next to this project's.

So far it is only target-jsonl, which validates records and writes them to a file, as most public
targets do at least. It is not a dependency.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = Path(__file__).parents[1] / ".venv-peers"
INSTALL_SECONDS: Final = 300


class Absent(Exception):  # noqa: N818 - a reason, not an error: the row is dropped
    """A peer is not on this machine and cannot be installed; the text has the reason."""


def target_jsonl() -> Path:
    """Return target-jsonl's program, installed on first use. Raises `Absent`."""
    program = ENVIRONMENT / "bin" / "target-jsonl"
    if not program.exists():
        for words in (
            [sys.executable, "-m", "venv", str(ENVIRONMENT)],
            [
                str(ENVIRONMENT / "bin" / "pip"),
                "--disable-pip-version-check",
                "--no-input",
                "install",
                "-q",
                "target-jsonl",
            ],
        ):
            _run(words)
    return program


def _run(words: list[str]) -> None:
    try:
        subprocess.run(words, check=True, capture_output=True, timeout=INSTALL_SECONDS)  # noqa: S603 - the words above
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise Absent(
            f"it cannot be installed: {said[-1] if said else 'no reason was given'}"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"it cannot be installed ({type(error).__name__})") from None

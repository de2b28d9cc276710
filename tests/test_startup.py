"""The start of both programs: a signal ends them as it does later, without a traceback."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # each starts programs

# A program that a signal comes to while it imports its so many-th module.
INTERRUPTED = """
import os, sys
from {module} import main

class Sender:
    left = {moment}

    def find_spec(self, name, path, target=None):
        Sender.left -= 1
        if not Sender.left:
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Sender())
main()
"""
# A command that a signal comes to while it waits
WAITING = """
import os, signal, sys
import click
from target_pinterest_capi.cli.main import COMMANDS
from target_pinterest_capi.cli.__main__ import main

@click.command()
@click.argument("number", type=int)
def wait(number):
    try:
        os.kill(os.getpid(), number)
        signal.pause()
    finally:
        print("undone")

COMMANDS["wait"] = ("__main__:wait", "")
main()
"""
TARGET = ("target_pinterest_capi.__main__",)
FIELDS = ("target_pinterest_capi.cli.__main__", "fields")
CHECK = ("target_pinterest_capi.cli.__main__", "check", "--config", "config.json")


def run(script: str, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


@pytest.mark.parametrize("moment", [1, 2, 10, 40, 80])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("program", [TARGET, FIELDS, CHECK], ids=["target", "fields", "check"])
def test_signal_at_any_import(
    program: tuple[str, ...], number: signal.Signals, code: int, moment: int, tmp_path: Path
):
    """It ends the program with its later exit code; a shell reports SIGTERM itself as 143."""
    module, *arguments = program
    script = INTERRUPTED.format(module=module, moment=moment, number=int(number))
    done = run(script, *arguments, cwd=tmp_path)
    assert done.returncode in {code, -number if number == signal.SIGTERM else code}, done.stderr
    assert done.stdout == ""
    assert done.stderr in {"", "Aborted!\n"}


@pytest.mark.parametrize("module", [TARGET[0], FIELDS[0]])
def test_little_is_imported_before_signals_are_seen_to(module: str):
    """Before that SIGINT is Python's traceback: nothing takes long there."""
    imports = f"import sys; before = set(sys.modules); import {module}; "
    script = imports + "print(*set(sys.modules) - before)"
    imported = set(run(script).stdout.split())
    folders = {module.rpartition(".")[0], "target_pinterest_capi"}
    assert imported == {*folders, module, "target_pinterest_capi.startup"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_to_a_command_that_waits(number: signal.Signals, code: int, tmp_path: Path):
    """A command's work is undone, and it ends with the code of the signal."""
    done = run(WAITING, "wait", str(int(number)), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "undone\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "module", ["target_pinterest_capi.__main__", "target_pinterest_capi.cli.__main__"]
)
def test_garbage_is_collected_once_all_is_imported(module: str):
    """While modules are imported nothing is collected, and what they consist of never again."""
    ended = run(f"""
import atexit, gc, sys
collected = []
gc.callbacks.append(lambda phase, info: collected.append(phase))
from {module} import main
began = len(collected)
atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 5000, len(collected) - began < 20))
sys.argv[1:] = ["--version"]
main()
""")
    assert ended.stdout.splitlines()[-1] == "True True True"


def test_no_garbage_is_searched_for_in_what_a_database_needs():
    """SQLAlchemy is imported during a run, and its objects count as those of other modules do."""
    ended = run("""
import gc
gc.freeze()
before = gc.get_freeze_count()
gc.disable()
import target_pinterest_capi.delivery.database
print(gc.get_freeze_count() - before > 20_000, gc.get_count()[0] < 1_000)
""")
    assert ended.stdout == "True True\n"

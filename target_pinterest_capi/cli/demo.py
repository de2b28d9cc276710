"""`pinterest-capi demo`: a made-up shop's records through the real target into a sandbox.

Owns the command: its options, the programs it runs, and its exit code, 0 where everything is as it
should be. Nothing of the user's environment or configuration is read.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from target_pinterest_capi.cli.console import console, trimmed
from target_pinterest_capi.cli.options import json_option
from target_pinterest_capi.cli.sandbox import INSTALL, needed_packages
from target_pinterest_capi.sandbox.demo import model, sample, view

TARGET: Final = "target-pinterest-capi"


@click.command()
@click.option(
    "--keep",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where files go.  [default: a new temporary one]",
)
@json_option("one JSON object instead of words and tables")
def demo(directory: Path | None, as_json: bool) -> None:
    """Send a made-up shop's records through the real target into a sandbox, and show the outcomes.

    Orders of a shop system, calls of a page, visits, sales at a till and members of a customer
    list, some of them wrong; all of it twice, to see that nothing is sent twice. Needs no account,
    no network and no configuration. The files stay, to play on with.
    """
    target = find_target()
    directory = _directory(directory)
    out = console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends the target, too
    try:
        with needed_packages():
            shown = _run(target, directory, out, is_quiet=as_json)
    except TimeoutError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(msgspec.json.format(sample.encode(shown.as_json())))
    else:
        with trimmed(out):
            view.show_result(out, shown)
            if shown.problems:
                view.show_problems(out, shown)
            else:
                programs = (_as_typed(target.with_name("pinterest-capi")), _as_typed(target))
                view.show_next(out, shown, *programs)
    sys.exit(1 if shown.problems else 0)


def _run(target: Path, directory: Path, out: Console, *, is_quiet: bool) -> view.Shown:
    """Run the target twice into a sandbox and return what became of the sample."""
    from target_pinterest_capi.sandbox.demo import run  # noqa: PLC0415 - its packages are an extra

    with run.sandbox_for(directory) as sandbox:
        before = run.create_list(sandbox)
        last_state = run.write_input(directory, sandbox.url)
        list_stream = sample.SHOP["list"]["stream"]
        known = model.Sample(
            sample.RECORDS, sample.REASONS, sample.stream_of, list_stream, last_state
        )
        if not is_quiet:
            with trimmed(out):
                view.show_plan(out, sandbox.url)
        started = time.monotonic()
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        is_hidden = is_quiet or not out.is_terminal
        progress = Progress(*columns, transient=True, disable=is_hidden)
        first = run.run_target(target, directory, sandbox, progress)
        seconds = time.monotonic() - started
        members = (before, len(sandbox.store.lists()[0].members))
        result, repeat = model.collect(known, first), None
        if not result.problems:
            sandbox.faults.set([])  # what was refused is taken now
            hidden = Progress(disable=True)
            second = run.run_target(target, directory, sandbox, hidden, run.AGAIN)
            repeat = model.collect_repeat(result, first, second)
    found = run.find_example(directory, first)
    return view.Shown(result, repeat, found, members, seconds, directory)


def find_target() -> Path:
    """Return the target's program: beside this Python, else on the PATH.

    Raises:
        click.ClickException: there is none; the message says how to install it.
    """
    beside = Path(sys.executable).with_name(TARGET)
    found = beside if os.access(beside, os.X_OK) else shutil.which(TARGET)
    if found is None:
        raise click.ClickException(
            f"{TARGET} is neither beside {sys.executable} nor on the PATH. "
            f"Install it with: {INSTALL}"
        )
    return Path(found)


def _as_typed(program: Path) -> str:
    """Return a program as one would type it: its name where the PATH leads to it."""
    found = shutil.which(program.name)
    return program.name if found and Path(found).resolve() == program.resolve() else str(program)


def _directory(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="pinterest-demo-"))
    problem = f"{wanted} is not empty: name a new directory."
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if not any(wanted.iterdir()):
            return wanted.resolve()
    except OSError as error:
        problem = f"{wanted} cannot be used: {error.strerror}."
    raise click.BadParameter(problem, param_hint="--keep")

"""`pinterest-capi demo`: an imaginary shop's records through the real target into a sandbox.

Owns the command: its options, the programs it runs, and its exit code, which is 0 if everything is
as expected. Nothing of the user's environment or configuration is read.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console

from target_pinterest_capi.cli.console import console, trimmed
from target_pinterest_capi.cli.demo import view
from target_pinterest_capi.cli.options import json_option
from target_pinterest_capi.cli.report import text
from target_pinterest_capi.cli.sandbox import INSTALL, needed_packages
from target_pinterest_capi.reporting.report import decode
from target_pinterest_capi.sandbox.demo import model, sample

TARGET: Final = "target-pinterest-capi"


@click.command()
@click.option(
    "--keep",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where files go.  [default: a new temporary one]",
)
@json_option("one JSON object instead of text and tables")
def demo(directory: Path | None, as_json: bool) -> None:
    """Send an imaginary shop's records through the target into a sandbox, and show the outcomes.

    The sample has orders of a shop system, tracking calls of a page, visits, sales in a store and
    members of a customer list; some are wrong. Everything is sent a second time, to show that the
    ledger skips it. Needs no account, no network and no configuration. Keeps its files.

    \b
    pinterest-capi demo --keep demo-files
    """  # noqa: D301 - click reads \b as "keep these lines"
    target = find_target()
    directory = _directory(directory)
    out = console()
    out.quiet = as_json
    try:
        with needed_packages():
            shown = _run(target, directory, out)
    except TimeoutError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(msgspec.json.format(sample.encode(shown.as_json())))
    with trimmed(out):
        if shown.report:
            view.show_outcome(out, shown)
            text.show_details(out, shown.report)
        view.show_rest(out, shown)
        if shown.problems:
            view.show_problems(out, shown)
        else:
            programs = (_as_typed(target.with_name("pinterest-capi")), _as_typed(target))
            view.show_next(out, directory, *programs)
    sys.exit(1 if shown.problems else 0)


def _run(target: Path, directory: Path, out: Console) -> view.Shown:
    """Run the target twice into a sandbox and return the outcomes of the sample."""
    from target_pinterest_capi.sandbox.demo import run  # noqa: PLC0415 - its packages are an extra

    with run.sandbox_for(directory) as sandbox:
        before = run.create_list(sandbox)
        last_state = run.write_input(directory, sandbox.url)
        list_stream = sample.SHOP["list"]["stream"]
        known = model.Sample(sample.RECORDS, sample.stream_of, list_stream, last_state)
        with trimmed(out):
            view.show_plan(out, sandbox.url)
        started = time.monotonic()
        first = run.run_target(target, directory, sandbox, decode)
        seconds = time.monotonic() - started
        members = (before, len(sandbox.store.lists()[0].members))
        problems, repeat = model.find_problems(known, first), None
        if not problems:
            sandbox.faults.set([])  # what was refused is accepted now
            second = run.run_target(target, directory, sandbox, decode, run.AGAIN)
            repeat = model.compare(first, second)
            problems.extend(repeat.problems)
    example = run.find_example(directory, first)
    return view.Shown(
        first.report, repeat, example, first.states, members, seconds, directory, problems
    )


def find_target() -> Path:
    """Return the target's program: next to this Python, otherwise on the PATH.

    Raises: click.ClickException: there is none; the message says how to install it.
    """
    beside = Path(sys.executable).with_name(TARGET)
    found = beside if os.access(beside, os.X_OK) else shutil.which(TARGET)
    if found is None:
        raise click.ClickException(
            f"{TARGET} is neither next to {sys.executable} nor on the PATH. Install it with: "
            f"{INSTALL}"
        )
    return Path(found)


def _as_typed(program: Path) -> str:
    """Return a program as one would type it: its name if it is on the PATH."""
    found = shutil.which(program.name)
    return program.name if found and Path(found).resolve() == program.resolve() else str(program)


def _directory(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="pinterest-demo-"))
    problem = f"{wanted} is not empty: use a new directory."
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if not any(wanted.iterdir()):
            return wanted.resolve()
    except OSError as error:
        problem = f"{wanted} cannot be used: {error.strerror}."
    raise click.BadParameter(problem, param_hint="--keep")

"""`pinterest-capi demo`: a made-up shop's records through the real target into a sandbox.

Owns the command: its options, the programs it runs, and its exit code, 0 where everything is as it
should be. Nothing of the user's environment or configuration is read.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from target_pinterest_capi.cli.console import console, trimmed
from target_pinterest_capi.cli.sandbox import INSTALL, needed_packages
from target_pinterest_capi.sandbox.demo import example, model, sample, view

TARGET: Final = "target-pinterest-capi"


@click.command()
@click.option(
    "--keep",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where files go.  [default: a new temporary one]",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of words and tables."
)
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
        click.echo(msgspec.json.format(sample.encode(_as_json(shown))))
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
        known = model.Sample(
            sample.RECORDS, sample.REASONS, sample.stream_of, sample.LIST_STREAM, last_state
        )
        if not is_quiet:
            with trimmed(out):
                view.show_plan(out, sandbox.url, run.describe_mappings())
        started = time.monotonic()
        progress = _progress(visible=out.is_terminal and not is_quiet)
        first = run.run_target(target, directory, sandbox, run.FIRST, progress)
        seconds = time.monotonic() - started
        members = (before, len(sandbox.store.lists()[0].members))
        result, repeat = model.collect(known, first), None
        if not result.problems:
            sandbox.faults.set([])  # what was refused is taken now
            hidden = _progress(visible=False)
            second = run.run_target(target, directory, sandbox, run.SECOND, hidden)
            repeat = model.collect_repeat(result, first, second)
    lines = (directory / run.SAMPLE).read_bytes()
    found = example.find_example(lines, [row.event for row in first.received])
    return view.Shown(result, repeat, found, members, seconds, directory)


def _progress(*, visible: bool) -> Progress:
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, transient=True, disable=not visible)


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


def _as_json(shown: view.Shown) -> dict[str, Any]:
    """Return everything that the page shows, for programs."""
    result, repeat, found = shown.result, shown.repeat, shown.example
    before, after = shown.members
    requests = result.report.requests
    return {
        "records": sum(result.records.values()),
        "totals": {outcome: result.total(outcome) for outcome in model.OUTCOMES},
        "seconds": round(shown.seconds, 3),
        "delivered_per_second": round(result.total(model.DELIVERED) / shown.seconds),
        "requests": requests.sent,
        "repeated_requests": requests.repeated,
        "outcomes": [row._asdict() for row in result.outcomes],
        "values": [row._asdict() for row in result.values],
        "warnings": {one.message: one.events for one in result.report.warnings},
        "customer_list": {"name": sample.LIST_NAME, "members_before": before, "members": after},
        "second_run": repeat._asdict() if repeat else None,
        "example": found._asdict() if found else None,
        "states": len(result.states),
        "state": json.loads(result.states[-1]) if result.states else None,
        "files": {
            name: str(shown.directory / name)
            for name in view.FILES
            if (shown.directory / name).exists()
        },
        "problems": shown.problems,
    }

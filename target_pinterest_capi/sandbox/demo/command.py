"""`pinterest-capi demo`: a made-up shop's records through the real target into a sandbox, and what became of each of them.

Owns the runs: their directory, the sandbox and the target's processes. Exit code 0 says that everything was as it should be.
Nothing leaves the machine, and nothing of the user's environment or configuration is read.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
import msgspec
import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from target_pinterest_capi.cli.sandbox import EXTRA, INSTALL
from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.files.durable import replace_file
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.reporting import report as reports
from target_pinterest_capi.reporting.html import page as html
from target_pinterest_capi.sandbox.demo import sample
from target_pinterest_capi.sandbox.demo import view as page
from target_pinterest_capi.sandbox.demo.example import find_example
from target_pinterest_capi.sandbox.demo.model import (
    DELIVERED,
    OUTCOMES,
    Evidence,
    Sample,
    collect,
    collect_repeat,
)
from target_pinterest_capi.sandbox.demo.rows import EARLIER_MEMBERS, encode

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.server import Sandbox

TARGET: Final = "target-pinterest-capi"
CONFIG: Final = "config.yaml"
SAMPLE: Final = "sample.singer"
RECEIVED: Final = "received.jsonl"
LIST_NAME: Final = "Newsletter"
TIMEOUT_SECONDS: Final = 120
LOOK_SECONDS: Final = 0.05  # between two looks at the progress
# What would change the target's log or settings under our feet.
FOREIGN_VARIABLES: Final = ("TARGET_PINTEREST_CAPI_", "LOGLEVEL", "SINGER_SDK_")


class Files(NamedTuple):
    """What one run has in the directory, each as a path below it: `overlay` is its own configuration, the others it writes."""

    overlay: str
    dead_letters: str = "dead-letters.jsonl"
    report: str = "report.json"
    page: str = "report.html"
    states: str = "state.jsonl"
    log: str = "target.log"


AGAIN: Final = "second-run"
FIRST: Final = Files("this-run.yaml")
SECOND: Final = Files(*(f"{AGAIN}/{name}" for name in FIRST))
LEDGER: Final = "this-run.db"


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
    """Send a made-up shop's records through the real target into a sandbox, and show what became of each.

    Orders of a shop system, calls of a page, visits, sales at a till and members of a customer list, some of them wrong; all of it
    twice, to see that nothing is sent twice. Needs no account, no network and no configuration. The files stay, to play on with.
    """
    target = find_target()
    directory = _directory(directory)
    out = page.console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends the target, too
    with _sandbox(directory) as sandbox:
        before = _make_list(sandbox)
        known = Sample(
            sample.RECORDS,
            sample.REASONS,
            sample.stream_of,
            sample.LIST_STREAM,
            _write_input(directory, sandbox.url),
        )
        if not as_json:
            with page.trimmed(out):
                page.show_plan(
                    out, sandbox.url, sample.STREAMS, _mappings(directory), len(sample.BAD_ROWS)
                )
        started = time.monotonic()
        first = _run(target, directory, sandbox, FIRST, visible=out.is_terminal and not as_json)
        seconds = time.monotonic() - started
        members = len(sandbox.store.lists()[0].members)
        result, repeat = collect(known, first), None
        if not result.problems:
            sandbox.faults.set([])  # what was refused is taken now
            repeat = collect_repeat(
                result, first, _run(target, directory, sandbox, SECOND, visible=False)
            )
    shown = page.Shown(
        result,
        repeat,
        find_example((directory / SAMPLE).read_bytes(), [row.event for row in first.received]),
        (before, members),
        seconds,
        directory,
    )
    if as_json:
        click.echo(msgspec.json.format(encode(_as_json(shown))))
    else:
        with page.trimmed(out):
            page.show_result(out, shown)
            if shown.problems:
                page.show_problems(out, shown)
            else:
                page.show_next(
                    out, shown, _as_typed(target.with_name("pinterest-capi")), _as_typed(target)
                )
    sys.exit(1 if shown.problems else 0)


def find_target() -> Path:
    """Give the target's program: beside this Python, else on the PATH. Raises a ClickException that says how to get it."""
    beside = Path(sys.executable).with_name(TARGET)
    found = beside if os.access(beside, os.X_OK) else shutil.which(TARGET)
    if found is None:
        raise click.ClickException(
            f"{TARGET} is neither beside {sys.executable} nor on the PATH. Install it with: {INSTALL}"
        )
    return Path(found)


def _as_typed(program: Path) -> str:
    """Give a program as one would type it: its name where the PATH leads to it."""
    found = shutil.which(program.name)
    return program.name if found and Path(found).resolve() == program.resolve() else str(program)


def _directory(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="pinterest-demo-"))
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if any(wanted.iterdir()):
            raise click.BadParameter(
                f"{wanted} is not empty: name a new directory.", param_hint="--keep"
            )
    except OSError as problem:
        raise click.BadParameter(
            f"{wanted} cannot be used: {problem.strerror}.", param_hint="--keep"
        ) from problem
    return wanted.resolve()


def _sandbox(directory: Path) -> "Sandbox":
    """A sandbox with the demo's faults."""
    try:
        from target_pinterest_capi.sandbox import app, faults, server  # noqa: PLC0415 - their packages are an extra
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        raise click.ClickException(
            f"The sandbox needs packages that are not installed. Install them with: {INSTALL}"
        ) from missing
    script = (
        faults.Fault("status", status=503, requests=(2,), endpoint="events"),
        faults.Fault("fail_event", event_id=sample.FAILED_EVENT),
        faults.Fault("poison", event_id=sample.REFUSED_EVENT),
    )
    return server.Sandbox(
        app.SandboxConfig(
            faults=script, record_bodies=directory / RECEIVED, list_processing_seconds=0
        )
    )


def _make_list(sandbox: "Sandbox") -> int:
    """Make the customer list that the shop already has at Pinterest; give the number of its members."""
    app, account = sandbox.config.app, next(iter(next(iter(sandbox.config.tokens.values()))))
    client = Client(sandbox.url, max_connections=1, timeout_seconds=TIMEOUT_SECONDS)
    try:
        client.create_list(
            app.access_token,
            account,
            LIST_NAME,
            "EMAIL",
            [digest(person.mail) for person in EARLIER_MEMBERS],
        )
    finally:
        client.close()
    return len(sandbox.store.lists()[0].members)


def _write_input(directory: Path, url: str) -> Any:
    """Write the target's configuration and input; give the value of the last STATE."""
    config = (
        resources.files("target_pinterest_capi.sandbox.demo")
        .joinpath("samples", "demo.yaml")
        .read_bytes()
    )
    (directory / CONFIG).write_bytes(config)
    (directory / AGAIN).mkdir()
    for files in (FIRST, SECOND):
        own = {
            "api_url": url,
            "ledger_url": f"sqlite:///{LEDGER}",
            "dead_letter_path": files.dead_letters,
            "report_path": files.report,
        }
        overlay = "".join(f"{name}: {value}\n" for name, value in own.items())
        (directory / files.overlay).write_text(
            f"# The demo's own sandbox, which has ended, and its own files.\n{overlay}",
            encoding="utf-8",
        )
    lines = sample.lines(datetime.now(UTC))
    (directory / SAMPLE).write_bytes(lines)
    return json.loads(lines.splitlines()[-1])["value"]


def _mappings(directory: Path) -> Mapping[str, str]:
    """Give what takes the records of each stream, in words."""
    config = yaml.safe_load((directory / CONFIG).read_bytes())
    return {
        **{one["stream"]: f"customer list {one['list_name']}" for one in config["customer_lists"]},
        **{
            one["stream"]: f"preset {one['preset']}" if "preset" in one else "a mapping of its own"
            for one in config["mappings"]
        },
    }


def _run(
    target: Path, directory: Path, sandbox: "Sandbox", files: Files, *, visible: bool
) -> Evidence:
    """Run the target on the sample and give what came of it. Raises a ClickException where it does not end."""
    before = len(sandbox.store.events()), len(sandbox.store.updates())
    exit_code = _exit_code(target, directory, sandbox, files, visible=visible)
    letters, states = (
        path.read_text(encoding="utf-8") if path.exists() else ""
        for path in (directory / name for name in (files.dead_letters, files.states))
    )
    report = None
    if (directory / files.report).exists():
        report = reports.decode((directory / files.report).read_bytes())
        replace_file(directory / files.page, html.page(report).encode())
    return Evidence(
        exit_code,
        report,
        letters,
        states,
        sandbox.store.events()[before[0] :],
        sandbox.store.updates()[before[1] :],
    )


def _exit_code(
    target: Path, directory: Path, sandbox: "Sandbox", files: Files, *, visible: bool
) -> int:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)
    }
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with ExitStack() as stack:
        stdin, stdout, stderr = (
            stack.enter_context((directory / name).open(mode))
            for name, mode in ((SAMPLE, "rb"), (files.states, "wb"), (files.log, "wb"))
        )
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        progress = stack.enter_context(Progress(*columns, transient=True, disable=not visible))
        events = progress.add_task("Events that arrived", total=sum(sample.RECORDS.values()))
        process = subprocess.Popen(  # noqa: S603 - our own program
            [target, "--config", CONFIG, "--config", files.overlay],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=directory,
            env=environment,
        )
        try:
            while time.monotonic() < deadline:
                try:
                    return process.wait(LOOK_SECONDS)
                except subprocess.TimeoutExpired:
                    progress.update(
                        events, completed=sandbox.store.counters().get("events_processed", 0)
                    )
        finally:
            process.kill()
            process.wait()
    raise click.ClickException(
        f"The target did not end within {TIMEOUT_SECONDS} seconds: see {directory / files.log}"
    )


def _as_json(shown: page.Shown) -> dict[str, Any]:
    """Give everything that the page shows, for programs."""
    result, repeat, example = shown.result, shown.repeat, shown.example
    before, after = shown.members
    return {
        "records": sum(sample.RECORDS.values()),
        "totals": {outcome: result.total(outcome) for outcome in OUTCOMES},
        "seconds": round(shown.seconds, 3),
        "delivered_per_second": round(result.total(DELIVERED) / shown.seconds),
        "requests": result.requests,
        "repeated_requests": result.repeats,
        "outcomes": [row._asdict() for row in result.outcomes],
        "values": [row._asdict() for row in result.values],
        "warnings": result.warnings,
        "customer_list": {"name": LIST_NAME, "members_before": before, "members": after},
        "second_run": None
        if repeat is None
        else {**repeat._asdict(), "problems": list(repeat.problems)},
        "example": example._asdict() if example else None,
        "states": len(result.states),
        "state": json.loads(result.states[-1]) if result.states else None,
        "files": {
            name: str(shown.directory / name)
            for name in page.FILES
            if (shown.directory / name).exists()
        },
        "problems": shown.problems,
    }

"""`pinterest-capi demo`: a made-up shop's records through the real target into a sandbox, and what became of each of them.

Owns the run: its directory, the sandbox and the target's process. Exit code 0 says that everything was as it should be. Nothing
leaves the machine, and nothing of the user's environment or configuration is read.
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
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from target_pinterest_capi.cli import demo_page as page
from target_pinterest_capi.cli import demo_sample as sample
from target_pinterest_capi.cli.demo_result import DELIVERED, OUTCOMES, Evidence, Result, collect
from target_pinterest_capi.cli.sandbox import EXTRA, INSTALL

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.server import Sandbox
    from target_pinterest_capi.sandbox.store import EventRow

_decode: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode  # an amount is shown as it stands

TARGET: Final = "target-pinterest-capi"
TIMEOUT_SECONDS: Final = 120
LOOK_SECONDS: Final = 0.05  # between two looks at the progress
# What would change the target's log or settings under our feet.
FOREIGN_VARIABLES: Final = ("TARGET_PINTEREST_CAPI_", "LOGLEVEL", "SINGER_SDK_")


@click.command()
@click.option(
    "--keep", "directory", type=click.Path(file_okay=False, path_type=Path), help="Where files go.  [default: a new temporary one]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words and tables.")
def demo(directory: Path | None, as_json: bool) -> None:
    """Send a made-up shop's records through the real target into a sandbox, and show what became of each.

    Needs no account, no network and no configuration. The files stay, to play on with.
    """
    target = find_target()
    directory = _directory(directory)
    out = page.console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends the target, too
    with _sandbox(directory) as sandbox:
        last_state = _write_input(directory, sandbox.url)
        if not as_json:
            with page.trimmed(out):
                page.show_plan(out, sandbox.url, sample.RECORDS, len(sample.BAD_ROWS))
        started = time.monotonic()
        exit_code = _run(target, directory, sandbox, visible=out.is_terminal and not as_json)
        seconds = time.monotonic() - started
        received = sandbox.store.events()
    result = collect(_evidence(directory, exit_code, last_state, received))
    example = _example(directory, [row.event for row in received])
    if as_json:
        click.echo(msgspec.json.format(sample.encode(_as_json(result, example, seconds, directory))))
    else:
        with page.trimmed(out):
            page.show_result(out, result, example, seconds=seconds, directory=directory)
            if result.problems:
                page.show_problems(out, result, directory)
            else:
                page.show_next(out, directory, _as_typed(target.with_name("pinterest-capi")), _as_typed(target))
    sys.exit(1 if result.problems else 0)


def find_target() -> Path:
    """Give the target's program: beside this Python, else on the PATH. Raises a ClickException that says how to get it."""
    beside = Path(sys.executable).with_name(TARGET)
    found = beside if os.access(beside, os.X_OK) else shutil.which(TARGET)
    if found is None:
        raise click.ClickException(f"{TARGET} is neither beside {sys.executable} nor on the PATH. Install it with: {INSTALL}")
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
            raise click.BadParameter(f"{wanted} is not empty: name a new directory.", param_hint="--keep")
    except OSError as problem:
        raise click.BadParameter(f"{wanted} cannot be used: {problem.strerror}.", param_hint="--keep") from problem
    return wanted.resolve()


def _sandbox(directory: Path) -> "Sandbox":
    """A sandbox with the demo's faults."""
    try:
        from target_pinterest_capi.sandbox import app, faults, server  # noqa: PLC0415 - their packages are an extra
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        raise click.ClickException(f"The sandbox needs packages that are not installed. Install them with: {INSTALL}") from missing
    script = (
        faults.Fault("status", status=503, requests=(2,)),
        faults.Fault("fail_event", event_id=sample.FAILED_EVENT),
        faults.Fault("poison", event_id=sample.REFUSED_EVENT),
    )
    return server.Sandbox(app.SandboxConfig(faults=script, record_bodies=directory / "received.jsonl"))


def _write_input(directory: Path, url: str) -> Any:
    """Write the target's configuration and input; give the value of the last STATE."""
    config = resources.files("target_pinterest_capi.cli").joinpath("samples", "demo.yaml").read_bytes()
    (directory / "config.yaml").write_bytes(config)
    (directory / "this-run.yaml").write_text(f"api_url: {url}  # the demo's own sandbox; it has ended\n", encoding="utf-8")
    lines = sample.lines(datetime.now(UTC))
    (directory / "sample.singer").write_bytes(lines)
    return json.loads(lines.splitlines()[-1])["value"]


def _run(target: Path, directory: Path, sandbox: "Sandbox", *, visible: bool) -> int:
    """Run the target on the sample and give its exit code. Raises a ClickException where it does not end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)}
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with ExitStack() as stack:
        stdin, stdout, stderr = (
            stack.enter_context((directory / name).open(mode))
            for name, mode in (("sample.singer", "rb"), ("state.jsonl", "wb"), ("target.log", "wb"))
        )
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
        progress = stack.enter_context(Progress(*columns, transient=True, disable=not visible))
        events = progress.add_task("Events that arrived", total=sum(sample.RECORDS.values()))
        process = subprocess.Popen(  # noqa: S603 - our own program
            [target, "--config", "config.yaml", "--config", "this-run.yaml"],
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
                    progress.update(events, completed=sandbox.store.counters().get("events_processed", 0))
        finally:
            process.kill()
            process.wait()
    raise click.ClickException(f"The target did not end within {TIMEOUT_SECONDS} seconds: see {directory / 'target.log'}")


def _evidence(directory: Path, exit_code: int, last_state: Any, received: "list[EventRow]") -> Evidence:
    log, letters, states = (
        path.read_text(encoding="utf-8") if path.exists() else ""
        for path in (directory / name for name in ("target.log", "dead-letters.jsonl", "state.jsonl"))
    )
    return Evidence(sample.RECORDS, sample.REASONS, sample.stream_of, exit_code, log, letters, states, last_state, received)


def _example(directory: Path, received: list[Mapping[str, Any]]) -> page.Example | None:
    """Find a booking of two workshops after a click on an ad, in the shop's own words, and the event that arrived for it."""
    events = {event["event_id"]: event for event in received}
    for line in (directory / "sample.singer").read_bytes().splitlines():
        if b'"booking-' not in line or b"epik" not in line or not line.isascii():
            continue
        record = _decode(line).get("record", {})
        event = events.get(record.get("booking_ref"), {})
        if isinstance(record.get("lines"), list) and len(event.get("custom_data", {}).get("contents", ())) > 1:
            return page.Example("workshop_bookings", record, event)
    return None


def _as_json(result: Result, example: page.Example | None, seconds: float, directory: Path) -> dict[str, Any]:
    """Give everything that the page shows, for programs."""
    return {
        "records": sum(sample.RECORDS.values()),
        "totals": {outcome: result.total(outcome) for outcome in OUTCOMES},
        "seconds": round(seconds, 3),
        "delivered_per_second": round(result.total(DELIVERED) / seconds),
        "requests": result.requests,
        "repeated_requests": result.repeats,
        "outcomes": [row._asdict() for row in result.outcomes],
        "values": [row._asdict() for row in result.values],
        "warnings": result.warnings,
        "example": example._asdict() if example else None,
        "states": len(result.states),
        "state": json.loads(result.states[-1]) if result.states else None,
        "files": {name: str(directory / name) for name in page.FILES if (directory / name).exists()},
        "problems": result.problems,
    }

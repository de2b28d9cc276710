"""`pinterest-capi replay`: sends the events of dead letters again, with the same delivery.

Owns the command: its options, the run, signals and the documented exit codes. The replayed file is
never changed; what still fails goes to a new one, and no existing file is written to.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import FrameType

import click

from target_pinterest_capi.cli.configuration import load_settings, show_warnings
from target_pinterest_capi.cli.console import console, trimmed
from target_pinterest_capi.cli.options import config_option, dry_run_option
from target_pinterest_capi.cli.replay import view as page
from target_pinterest_capi.cli.replay.letters import Letters, NoTokenError
from target_pinterest_capi.delivery.run import ExitCode, Run, RunStopped
from target_pinterest_capi.delivery.run_end import end_run
from target_pinterest_capi.events.coerce import DAY_SECONDS
from target_pinterest_capi.files.durable import is_device
from target_pinterest_capi.pipeline.feed import IteratedSource, paced
from target_pinterest_capi.settings import Settings


@click.command()
@click.argument("file", metavar="FILE")
@config_option
@click.option(
    "--output",
    metavar="FILE",
    help=(
        "Where dead letters go that still fail: a new file, or an fsspec URL as a prefix. "
        "[default: next to FILE, with the time]"
    ),
)
@dry_run_option("Read and check everything, and send nothing")
def replay(file: str, paths: tuple[str, ...], output: str | None, dry_run: bool) -> None:
    """Send the events of dead letters again.

    Reads FILE, a file of dead letters or an fsspec URL of one, sends each event in it with the
    configuration of the target, and writes those that fail again to a new file. FILE is never
    changed. Dead letters of invalid records have no event and are only counted: correct the source
    or the mapping.

    \b
    pinterest-capi replay pinterest-rejected.jsonl --config target.yaml --dry-run
    pinterest-capi replay pinterest-rejected.jsonl --config target.yaml

    Exits with 0 when every event has its outcome, 1 when stopped on an error, 2 for a wrong
    configuration, 3
    when too much was rejected.
    """  # noqa: D301 - click reads \b as "keep these lines"
    settings = _load(paths, dry_run=dry_run)
    output = output or default_output(file, datetime.now(UTC))
    output = output if "://" in output else str(Path(output).expanduser())
    if "://" not in output and Path(output).exists():
        _end(
            f"{output} exists already, and is neither replaced nor appended to: name a new file "
            "with --output",
            ExitCode.CONFIGURATION,
        )
    if "://" not in file and is_device(Path(file).expanduser()):
        _end(
            f"{file} is a pipe or a device, and replay reads a file twice: write the dead letters "
            "to a file, and name that",
            ExitCode.ERROR,
        )
    letters = Letters(file, settings, needs_token=settings.mode != "dry_run")
    _check_all(letters, file)
    with TemporaryDirectory() as nowhere:
        place = str(Path(nowhere, "letters")) if settings.mode == "dry_run" else output
        # The files of the target's own run are not replaced by this one's.
        own = {"dead_letter_path": place, "report_path": None, "metrics_path": None}
        run = Run(settings.model_copy(update=own), _no_state)
        try:
            code, why = deliver(run, letters)
            end_run(
                run,
                run.results.end_run,
                code,
                why or None,
                has_failed_before=run.results.has_failed_before,
            )
        finally:
            run.close()
    out = console()
    with trimmed(out):
        page.show_outcomes(out, run)
        page.show_not_sent(out, letters.not_sent)
        page.show_sum(out, run, lines=letters.lines, output=output, file=file)
    if why:
        click.echo(f"Error: {why}", err=True)
    sys.exit(code)


def default_output(file: str, at: datetime) -> str:
    """Return a new file's path: next to FILE, with the time in its name.

    It is in the working directory if FILE is a URL.
    """
    path = PurePosixPath(file.partition("://")[2]).name if "://" in file else file
    stem, suffix = os.path.splitext(path)  # noqa: PTH122 - the path is kept as it was given
    return f"{stem}.replayed-{at:%Y%m%dT%H%M%SZ}{suffix}"


def deliver(run: Run, letters: Letters) -> tuple[int, str]:
    """Send every event; return the exit code, and why the run ended early, if it did."""
    code, why = int(ExitCode.OK), ""
    with _signals(run) as received:
        try:
            with suppress(RunStopped):  # `finish` returns it again, after requests in flight
                run.begin("replay")
                _read(run, letters)
        except NoTokenError as error:
            code, why = int(ExitCode.CONFIGURATION), _no_token(error)
        except OSError as error:
            code, why = int(ExitCode.ERROR), _unreadable(error)
        except Exception as error:  # noqa: BLE001 - a bug: its message could hold a value
            run.interrupt()  # requests in flight may still be answered
            code, why = int(ExitCode.ERROR), _unexpected(error)
        stopped = run.finish()
    if stopped is not None:
        return code or int(stopped.exit_code), why or str(stopped)
    if received and not code:
        return (
            ExitCode.INTERRUPTED + received[0],
            "interrupted: what was not sent is still in the file",
        )
    return code, why


def _read(run: Run, letters: Letters) -> None:
    """Hand every event to the run, at the pace of delivery."""
    days = run.settings.max_event_age_days
    oldest = float("-inf") if days is None else time.time() - days * DAY_SECONDS
    for event in paced(run, IteratedSource(letters)):
        run.sequence += 1
        if event.time < oldest:
            run.handle_old_event(event)
        else:
            run.deliver_event(event)


def _check_all(letters: Letters, file: str) -> None:
    """End with an error, before anything is sent, unless every letter can be read and sent."""
    try:
        for _ in letters:
            pass
    except NoTokenError as error:
        _end(_no_token(error), ExitCode.CONFIGURATION)
    except OSError as error:
        _end(_unreadable(error), ExitCode.ERROR)
    except Exception as error:  # noqa: BLE001 - each store has exceptions of its own
        _end(_unreadable(OSError(type(error).__name__)), ExitCode.ERROR)
    if letters.has_only_foreign_lines:
        _end(
            f"{file} has no dead letters: none of its {letters.lines:,} lines has the target's "
            "format. Name a file that was written to dead_letter_path",
            ExitCode.ERROR,
        )


@contextmanager
def _signals(run: Run) -> Iterator[list[int]]:
    """Let SIGINT and SIGTERM begin the run's grace time; a repeated one ends the process."""
    received: list[int] = []

    def handle(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's signature
        if signum in received:
            os._exit(ExitCode.INTERRUPTED + signum)
        received.append(signum)
        run.interrupt()

    before = {signum: signal.signal(signum, handle) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _load(paths: Sequence[str], *, dry_run: bool) -> Settings:
    """Return the settings as the target reads them; a dry run needs no token."""
    settings = load_settings(paths, purpose="events", mode="dry_run" if dry_run else None)
    show_warnings(settings)
    return settings


def _no_state(_: bytes) -> None:
    """Ignore STATE, because dead letters have none."""


def _no_token(error: NoTokenError) -> str:
    return (
        f"conversion_token: is not set, and the dead letters of mapping {str(error)!r} need it: "
        "set it, or conversion_token_file in the mapping entry of that name"
    )


def _unreadable(error: OSError) -> str:
    return f"the file of dead letters cannot be read: {error.strerror or error}"


def _unexpected(error: Exception) -> str:
    places = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    return f"what was not sent is still in the file: an unexpected {type(error).__name__}\n{places}"


def _end(message: str, code: ExitCode) -> None:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)

"""`pinterest-capi check`: would a run of this configuration work, and if not, what is to be changed, and where?

Owns the command: its options, where the configuration comes from, and its exit codes (0; 1: a step failed; 2: the configuration
cannot be used). Sends one test request for each ad account, of which Pinterest records nothing, and reads customer
lists. Writes nothing but a new refresh token, where Pinterest gives one.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

import click

from target_pinterest_capi import settings
from target_pinterest_capi.checks import steps
from target_pinterest_capi.checks.result import CheckResult
from target_pinterest_capi.cli.check import view as page
from target_pinterest_capi.cli.console import console
from target_pinterest_capi.settings.sources import ENVIRONMENT

STANDARD_INPUT: Final = "-"
NO_CONFIG: Final = (
    f"No --config was given: the settings are those of {settings.ENVIRONMENT_PREFIX}... variables."
)


@click.command()
@click.option(
    "--config",
    "paths",
    multiple=True,
    metavar="FILE",
    help="The target's own; repeatable, later files win.  [default: ENV]",
)
@click.option(
    "--sample", "file", metavar="FILE", help="Singer messages to try the mappings on; - is stdin."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def check(paths: tuple[str, ...], file: str | None, as_json: bool) -> None:
    """Check configuration, mappings, connection, token and account.

    One line for each step: what is well, what is not, why, what to do about it, and where in Pinterest's pages. Sends a test
    request with a made-up event, of which Pinterest records nothing. Exits with 0, with 1 where a step failed, and with 2
    where the configuration cannot be used.

    \b
    pinterest-capi check --config target.yaml
    pinterest-capi check --config target.yaml --sample orders.singer
    """  # noqa: D301 - click reads \b as "keep these lines"
    out = console()
    findings: list[CheckResult] = []
    for finding in _check(paths, file):
        findings.append(finding)
        if not as_json:
            page.show(out, finding)
    code = steps.exit_code(findings)
    if as_json:
        click.echo(json.dumps(steps.as_json(findings), indent=2))
    else:
        page.show_end(out, findings, code)
    sys.exit(code)


def _check(paths: Sequence[str], file: str | None) -> Iterator[CheckResult]:
    """Take the steps in their order, each when the one before it has been shown."""
    try:
        loaded = settings.load(
            settings.read_files(paths or (ENVIRONMENT,), environ=settings.environment())
        )
    except settings.ConfigurationError as error:
        yield steps.configuration_problems(error.problems, "" if paths else NO_CONFIG)
        return
    yield steps.configuration(loaded)
    seen = None
    if file is None:
        yield steps.no_sample(loaded)
    else:
        try:
            with _open(file) as lines:
                found, seen = steps.sample(loaded, lines)
        except OSError as error:
            found = steps.unreadable(error.strerror or type(error).__name__)
        yield found
    yield from steps.event_names(loaded, seen)
    yield from steps.online(loaded)


def _open(file: str) -> AbstractContextManager[BinaryIO]:
    return (
        nullcontext(sys.stdin.buffer)
        if file == STANDARD_INPUT
        else Path(file).expanduser().open("rb")
    )

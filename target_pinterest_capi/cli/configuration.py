"""Load the settings of a command from the target's own files and variables, or exit with 2.

Problems go to stderr, one a line, and hold no given value.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Final, NoReturn

import click

from target_pinterest_capi.delivery.exit_codes import ExitCode
from target_pinterest_capi.settings import (
    ENVIRONMENT_PREFIX,
    ConfigurationError,
    Purpose,
    Settings,
    load_files,
)

NO_CONFIG: Final = (
    f"No --config was given: the settings are those of {ENVIRONMENT_PREFIX}... variables."
)


def load_settings(
    paths: Sequence[str], *, purpose: Purpose = "any", mode: str | None = None
) -> Settings:
    """Return the settings as the target reads them, or end with exit code 2 and every problem."""
    try:
        return load_files(paths, purpose=purpose, mode=mode)
    except ConfigurationError as error:
        refuse_settings(error.problems, paths)


def refuse_settings(problems: Iterable[object], paths: Sequence[str]) -> NoReturn:
    """Show the problems, and where settings came from if no file was named; exit with 2."""
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    if not paths:
        click.echo(NO_CONFIG, err=True)
    sys.exit(ExitCode.CONFIGURATION)


def show_warnings(settings: Settings) -> None:
    """Show what the settings allow but probably do not mean."""
    for warning in settings.warnings:
        click.echo(f"Warning: {warning}", err=True)

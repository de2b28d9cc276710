"""Load the settings of a command from the target's own files and variables, or exit with 2.

Problems go to stderr, one per line, without given values.
"""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NoReturn

import click

from target_pinterest_capi.cli.inputs import STANDARD_INPUT, open_messages
from target_pinterest_capi.delivery.exit_codes import ExitCode
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.settings import (
    ENVIRONMENT_PREFIX,
    ConfigurationError,
    Problem,
    Purpose,
    Settings,
    load_files,
)
from target_pinterest_capi.settings.problems import nearest
from target_pinterest_capi.singer.messages import MessageError

NO_CONFIG: Final = (
    f"No --config was given: the settings are those of {ENVIRONMENT_PREFIX}... variables."
)


def load_settings(
    paths: Sequence[str],
    *,
    purpose: Purpose = "any",
    mode: str | None = None,
    sample: str | None = None,
) -> Settings:
    """Return the settings as the target reads them, or end with exit code 2 and every problem.

    `sample` is a file of messages, in which columns are looked up that may have been meant.
    """
    try:
        return load_files(paths, purpose=purpose, mode=mode)
    except ConfigurationError as error:
        refuse_settings(with_columns(error.problems, sample), paths)


def with_columns(problems: Sequence[Problem], sample: str | None) -> list[Problem]:
    """Return the problems, with the streams of a sample that have a column that may be meant."""
    if sample in {None, STANDARD_INPUT} or not any(problem.column for problem in problems):
        return list(problems)
    from target_pinterest_capi.suggestions import profile  # noqa: PLC0415 - takes 30 ms

    try:
        with open_messages(str(sample)) as lines:
            streams = {name: found.roots for name, found in profile.read(lines).items()}
    except (MessageError, OSError):
        return list(problems)
    return [
        problem._replace(message=problem.message + _where_it_is(problem.column, streams))
        for problem in problems
    ]


def _where_it_is(column: str, streams: Mapping[str, Collection[str]]) -> str:
    if not column:
        return ""
    for stream, columns in streams.items():
        if column in columns:
            return f". Stream {shown_name(stream)} of the sample has this column."
    known = {name: stream for stream, columns in streams.items() for name in columns}
    near = nearest(column, known)
    if near is None:
        return ". No stream of the sample has this column."
    stream = shown_name(known[near])
    return f". No stream of the sample has this column; {stream} has {shown_name(near)!r}."


def refuse_settings(problems: Iterable[object], paths: Sequence[str]) -> NoReturn:
    """Show the problems, and where settings came from if no file was named; exit with 2."""
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    if not paths:
        click.echo(NO_CONFIG, err=True)
    sys.exit(ExitCode.CONFIGURATION)


def show_warnings(settings: Settings) -> None:
    """Show the warnings of the settings."""
    for warning in settings.warnings:
        click.echo(f"Warning: {warning}", err=True)

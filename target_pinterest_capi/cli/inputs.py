"""Files that several commands read: Singer messages, reports of runs, dead letters."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from target_pinterest_capi.reporting.report import Report, ReportError, decode

STANDARD_INPUT: Final = "-"


def open_messages(file: str) -> AbstractContextManager[BinaryIO]:
    """Open a file of Singer messages; `-` is standard input, which stays open."""
    if file != STANDARD_INPUT:
        return Path(file).expanduser().open("rb")
    if sys.stdin.isatty():
        click.echo("Reading Singer messages from the terminal; ctrl-D ends them.", err=True)
    return nullcontext(sys.stdin.buffer)


def read_report(path: Path, use: str) -> Report:
    """Return the report of a run; `use` is its purpose, as in "cannot be shown".

    Raises: click.ClickException: the file cannot be read, or is not a report.
    """
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from None
    except ReportError as error:
        raise click.ClickException(
            f"{path} cannot be {use}: {error}. With report_path: FILE.json a run writes one."
        ) from None


def read_reports(folder: Path) -> Iterator[Report]:
    """Yield the reports of runs in a folder; other JSON files are named on stderr and skipped.

    Raises: click.ClickException: a file cannot be read.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            yield decode(path.read_bytes())
        except OSError as error:
            raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from None
        except ReportError as error:
            click.echo(f"{path} is skipped: {error}.", err=True)


def open_letters(file: str) -> AbstractContextManager[BinaryIO]:
    """Open a file of dead letters, or an fsspec URL of one. Raises `OSError`."""
    if "://" not in file:
        return Path(file).expanduser().open("rb")
    import fsspec  # noqa: PLC0415 - costs 30 ms, and only a URL needs it

    try:
        opened: Any = fsspec.open(file, "rb")
    except (ImportError, ValueError) as error:
        raise OSError(
            f"no fsspec file system for {file.partition('://')[0]}:// is installed"
        ) from error
    return opened  # type: ignore[no-any-return]  # fsspec has no types

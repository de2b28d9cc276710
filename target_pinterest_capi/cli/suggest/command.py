"""`pinterest-capi suggest`: a first mapping, from what a tap sent.

Owns the command: its options, its input and output, and its exit codes (0; 1: the sample cannot be
read, or the file not written). Reads no configuration, and sends nothing.
"""

import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from target_pinterest_capi.cli.console import WIDEST, console
from target_pinterest_capi.cli.inputs import STANDARD_INPUT, open_messages
from target_pinterest_capi.cli.options import number_option
from target_pinterest_capi.cli.preview.view import show_result
from target_pinterest_capi.cli.suggest import view
from target_pinterest_capi.files.durable import replace_file
from target_pinterest_capi.singer.messages import MessageError
from target_pinterest_capi.suggestions import profile
from target_pinterest_capi.suggestions.entry import Entry, suggest_entry
from target_pinterest_capi.suggestions.text import as_text
from target_pinterest_capi.suggestions.trial import ACCOUNT, Trial

INPUT_EXIT: Final = 1


@click.command()
@click.argument("file", default=STANDARD_INPUT, metavar="[SAMPLE]")
@click.option("--output", metavar="FILE", help="Write to a file, and show the resulting events.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@number_option("--preview", "limit", 1, "Events of the sample to show, with --output.")
def suggest(file: str, output: str | None, force: bool, limit: int) -> None:
    """Write a first mapping for the records of a tap.

    Reads Singer messages from SAMPLE or standard input: SCHEMA and up to 500 records of each
    stream. Finds fields by the names of columns, in several languages, by what their values look
    like, and by the built-in presets. Each line has its reason; guesses are comments. Shows no
    values, except hashed ones in events, and sends nothing.

    \b
    tap-shop --config tap.json | pinterest-capi suggest --output mappings.yaml
    pinterest-capi preview --config config.json --config mappings.yaml orders.singer
    """  # noqa: D301 - click reads \b as "keep these lines"
    if output is not None and Path(output).exists() and not force:
        raise click.ClickException(f"{output} exists already: --force replaces it.")
    entries = _read(file)
    trial = Trial(entries)
    text = as_text(entries, trial)
    if output is None:
        click.echo(text, nl=False)
        view.show_summary(_stderr(), entries, trial)
        return
    _write(output, text)
    out = console()
    for result in trial.events()[:limit]:
        show_result(out, result, ACCOUNT)
    view.show_summary(out, entries, trial)
    view.show_next(out, output, entries)


def _read(file: str) -> list[Entry]:
    """Return the suggestion for each stream, or exit with what is wrong with the sample."""
    try:
        with open_messages(file) as lines:
            streams = profile.read(lines)
    except MessageError as error:
        problem = str(error)
    except OSError as error:
        problem = f"the sample cannot be read: {error.strerror or type(error).__name__}"
    else:
        if streams:
            return [suggest_entry(stream) for stream in streams.values()]
        problem = (
            "the sample has no stream: use the output of a tap, with SCHEMA and RECORD messages"
        )
    click.echo(f"Error: {problem}", err=True)
    sys.exit(INPUT_EXIT)


def _write(output: str, text: str) -> None:
    try:
        replace_file(Path(output), text.encode())
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from None


def _stderr() -> Console:
    made = Console(stderr=True, highlight=False)
    made.width = min(made.width, WIDEST)
    return made

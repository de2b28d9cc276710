"""`pinterest-capi trace`: the history of one event, in all runs on record.

Owns the command: its options, and its exit codes (0: something was found; 1: nothing was found, or
a file cannot be read; 2: the configuration). Only reads.
"""

import json
import sys

import click

from target_pinterest_capi.cli.configuration import load_settings
from target_pinterest_capi.cli.console import console, escaped, trimmed
from target_pinterest_capi.cli.options import config_option, json_option, repeatable_option
from target_pinterest_capi.cli.trace import model, view

NOTHING_EXIT = 1


@click.command()
@click.argument("key", nargs=-1, required=True)
@config_option
@click.option("--stream", metavar="NAME", help="Only records of this stream.")
@repeatable_option(
    "--letters",
    "letters",
    "FILE",
    "Dead letters to search; repeatable.  [default: dead_letter_path]",
)
@json_option("one JSON object instead of a table")
def trace(
    key: tuple[str, ...],
    paths: tuple[str, ...],
    stream: str | None,
    letters: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show the history of one event, by its key, over all runs.

    KEY is a key property of its record, such as id=1001, or only a value: of any key property, or
    the event_id. If the key has several properties, give several KEYs. Searches the results
    (results_url), the ledger and the dead letters, for plain and for hashed keys, and says what it
    did not search.

    \b
    pinterest-capi trace id=1001 --config target.yaml
    pinterest-capi trace order-1001 --config target.yaml --json
    """  # noqa: D301 - click reads \b as "keep these lines"
    settings = load_settings(paths)
    try:
        found = model.trace(settings, model.Wanted(key, stream), letters)
    except OSError as error:
        raise click.ClickException(
            f"the dead letters cannot be read: {error.strerror or error}"
        ) from None
    if as_json:
        click.echo(escaped(json.dumps(model.as_json(found), indent=2)))
    else:
        out = console()
        with trimmed(out):
            view.show(out, found)
    sys.exit(0 if found.steps else NOTHING_EXIT)

"""`pinterest-capi preview`: the results of a tap's records, one by one, before anything is sent.

Owns the command: its options, its configuration and input, and its exit codes (0; 1: the input
cannot be read; 2: the configuration). Sends nothing, writes no STATE, uses no ledger and needs no
token.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import click

from target_pinterest_capi.cli.configuration import load_settings, show_warnings
from target_pinterest_capi.cli.console import console
from target_pinterest_capi.cli.inputs import STANDARD_INPUT, open_messages
from target_pinterest_capi.cli.options import config_option, json_option
from target_pinterest_capi.cli.preview import view as page
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.pipeline.preview import Preview, UnreadableLineError
from target_pinterest_capi.pipeline.previewed import SENT, PreviewedRecord
from target_pinterest_capi.reporting.summary import about_ids, about_names
from target_pinterest_capi.settings import Settings

INPUT_EXIT: Final = 1
PLAIN_REFUSED: Final = (
    "--plain prints personal data, and this is not a terminal: a file or a log would keep it. "
    "With --yes it is printed all the same."
)
# Settings with an effect that only the target has.
LIMITS: Final = {
    "stream_maps": "are applied only by the target; here the records are as the tap sent them",
    "flattening_enabled": "is done only by the target; here the records have the tap's own columns",
    "ledger_url": "is not used; events that were delivered before are shown again",
    "customer_lists": (
        "are not looked up; each change is shown, but a run sends only the last one for a member"
    ),
}


@click.command()
@click.argument("file", default=STANDARD_INPUT, metavar="[FILE]")
@config_option
@click.option(
    "-n",
    "--events",
    "limit",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="Events to show, including list changes.",
)
@click.option(
    "--summary",
    "only_summary",
    is_flag=True,
    help="Read all of the input, and print only the summary.",
)
@click.option(
    "--plain",
    is_flag=True,
    help="Show values of events and members before they are hashed: personal data.",
)
@click.option("--yes", is_flag=True, help="With --plain: print it even if that is not a terminal.")
@json_option("a JSON object per line for each record and mapping or list")
def preview(
    file: str,
    paths: tuple[str, ...],
    limit: int,
    only_summary: bool,
    plain: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show the events that a tap's records would become.

    Reads Singer messages from FILE or standard input. Prints the first events as they would be
    sent, hashed, the changes to customer lists, the dropped values with the reasons, the invalid
    and skipped records with the reasons, and a summary. Sends nothing.

    \b
    tap-shop --config tap.json | pinterest-capi preview --config target.yaml
    pinterest-capi preview --config target.yaml orders.singer --summary
    """  # noqa: D301 - click reads \b as "keep these lines"
    if plain and not yes and not sys.stdout.isatty():
        raise click.UsageError(PLAIN_REFUSED)
    settings = _load(paths, file)
    given = Preview(settings, in_plain=plain)
    show = (
        _show_nothing
        if only_summary
        else _show_json
        if as_json
        else _page(settings.ad_account_id, limit)
    )
    is_whole, problem = True, None
    try:
        with open_messages(file) as lines:
            is_whole = _read(given, lines, None if only_summary else limit, show)
    except UnreadableLineError as error:
        problem = str(error)
    except OSError as error:
        problem = f"the input cannot be read: {error.strerror or type(error).__name__}"
    if not as_json:
        page.show_summary(console(), given, is_whole=is_whole)
    elif only_summary:
        click.echo(json.dumps(summary_members(given)))
    if problem is not None:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(INPUT_EXIT)


def summary_members(given: Preview) -> dict[str, Any]:
    """Return the counts for programs.

    These are outcomes, values dropped or warned about, ignored messages, columns that nothing
    reads, and names in the settings that the input does not have.
    """
    outcomes = []
    for row in given.tally.outcomes():
        outcome = {"outcome": str(row.outcome), "reason": row.reason}
        if row.reason in SENT:
            outcome = {"outcome": SENT[row.reason]}
        outcomes.append({**row.origin.shown._asdict(), **outcome, "count": row.number})
    return {
        "records": given.tally.records,
        "outcomes": outcomes,
        "values": [
            {
                **row.origin.shown._asdict(),
                "field": row.field,
                "reason": row.reason,
                "count": row.number,
            }
            for row in given.tally.notes()
        ],
        "warnings": [*about_ids(given.tally), *about_names(given.tally)],
        "ignored": dict(given.ignored),
        "unread_columns": given.unread_columns(),
        "not_found": [
            {"setting": one.setting, "message": one.message} for one in given.not_found()
        ],
    }


def _read(
    given: Preview,
    lines: Iterable[bytes],
    limit: int | None,
    show: Callable[[PreviewedRecord], None],
) -> bool:
    """Show results until `limit` of them would be sent, always all of a record.

    Returns whether the input was read to its end.
    """
    sent = 0
    for results in given.read(lines):
        for result in results:
            show(result)
            sent += result.would_be_sent
        if limit is not None and sent >= limit:
            return False
    return True


def _page(ad_account_id: str, limit: int) -> Callable[[PreviewedRecord], None]:
    """Return a function that shows a result, if it should be shown.

    That is everything that would be sent, the first `limit` invalid, and the first of each kind
    skipped.
    """
    out = console()
    shown: Counter[tuple[Any, ...]] = Counter()

    def show(result: PreviewedRecord) -> None:
        skipped = result.outcome == Outcome.SKIPPED
        kind = (
            (result.stream, result.mapping, result.reason, result.name)
            if skipped
            else (result.outcome,)
        )
        shown[kind] += 1
        if result.would_be_sent or shown[kind] <= (1 if skipped else limit):
            page.show_result(out, result, ad_account_id)

    return show


def _show_json(result: PreviewedRecord) -> None:
    click.echo(json.dumps(result.members(), ensure_ascii=False))


def _show_nothing(_: PreviewedRecord) -> None:
    """Show nothing, because only the summary was asked for."""


def _load(paths: Sequence[str], sample: str) -> Settings:
    """Return the settings as the target reads them, except for the token, which is not needed.

    Prints what a preview ignores.
    """
    settings = load_settings(paths, sample=sample)
    show_warnings(settings)
    for name, limit in LIMITS.items():
        if getattr(settings, name):
            click.echo(f"Note: {name}: {limit}", err=True)
    return settings

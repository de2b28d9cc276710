"""The output of a replay.

The outcomes of events, what was not sent and why, and where the letters are that still fail.

Prints counts, names and reasons; no value of an event.
"""

from collections.abc import Mapping  # noqa: I001
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.cli.replay.letters import UnsentReason
from target_pinterest_capi.events.outcomes import Outcome, advice_about
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.events.redaction import shown_path

COLOURS: Final = {
    "delivered": "green",
    "invalid": "yellow",
    "rejected": "red",
    "skipped": "bright_black",
}
WOULD_BE_SENT: Final = "would be sent"


def show_outcomes(out: Console, run: Run) -> None:
    """Show the outcomes of events, by stream, mapping and reason, and what to do."""
    for origin, rows in groupby(run.tally.outcomes(), attrgetter("origin")):
        stream, entry = origin.shown
        mapping = f", mapping {plain(entry)}" if entry else ""
        out.print(Text.assemble((stream, "bold"), mapping), soft_wrap=True)
        table = _table()
        for row in rows:
            if row.reason == Skipped.DRY_RUN:
                table.add_row(f"{row.number:,}", Text(WOULD_BE_SENT, "green"), "", "")
            else:
                outcome = Text(str(row.outcome), COLOURS[row.outcome])
                table.add_row(
                    f"{row.number:,}", outcome, row.reason, Text(advice_about(row.reason))
                )
        out.print(Padding(table, (0, 0, 1, 0)))


def show_not_sent(out: Console, not_sent: Mapping[UnsentReason, int]) -> None:
    """Show the lines of the file that have nothing to send, by reason."""
    if not any(not_sent.values()):
        return
    out.print(Text("Lines that were not sent", "bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=7, justify="right")
    table.add_column()
    for why in UnsentReason:
        if not_sent.get(why):
            table.add_row(f"{not_sent[why]:,}", Text(str(why)))
    out.print(Padding(table, (0, 0, 1, 0)))


def show_sum(out: Console, run: Run, *, lines: int, output: str, file: str) -> None:
    """Show the totals: lines read, events by outcome, requests, and where what still fails is."""
    totals = run.tally.by_outcome()
    is_dry = run.settings.mode == "dry_run"
    names = {name: WOULD_BE_SENT if is_dry and name == Outcome.SKIPPED else name for name in totals}
    counts = (
        ", ".join(f"{count:,} {names[name]}" for name, count in totals.items() if count)
        or "nothing to send"
    )
    out.print(
        Text(
            f"{lines:,} lines: {counts}."
            f" {'Nothing was sent.' if is_dry else f'{run.requests.sent:,} requests.'}"
        ),
        soft_wrap=True,
    )
    open_events = run.sequence - sum(totals.values())
    if open_events:
        out.print(
            Text(
                f"{open_events:,} events that were read have no outcome. {file} is unchanged: "
                "replay it again once the cause is fixed. With ledger_url, delivered events are "
                "not sent twice.",
            ),
        )
    if run.dead_letters_written and not is_dry:
        out.print(
            Text(f"{run.dead_letters_written:,} still fail: {_where(output)}"), soft_wrap=True
        )


def _where(output: str) -> str:
    return f"under {shown_path(output)}" if "://" in output else str(Path(output))


def _table() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=7, justify="right")
    table.add_column(width=len(WOULD_BE_SENT))
    table.add_column(width=16, overflow="fold")
    table.add_column()
    return table

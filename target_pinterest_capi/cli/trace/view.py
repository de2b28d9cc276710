"""The output of a trace: a line for each step, the last outcome, and what was not searched."""

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.cli.console import plain, print_indented
from target_pinterest_capi.cli.trace.model import Step, Trace
from target_pinterest_capi.events.outcomes import advice_about

COLOURS: Final = {"delivered": "green", "invalid": "yellow", "rejected": "red"}


def show(out: Console, found: Trace) -> None:
    """Show the history of the event."""
    if found.steps:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
        for name in ("When (UTC)", "Where", "Run", "Outcome", "What"):
            table.add_column(name)
        for step in found.steps:
            table.add_row(
                f"{step.at:%Y-%m-%d %H:%M:%S}",
                step.source,
                step.run_id or "",
                Text(step.outcome, COLOURS.get(step.outcome, "")),
                Text(plain(_what(step))),
            )
        out.print(Padding(table, (0, 0, 1, 0)))
        last = found.steps[-1]
        out.print(Text.assemble("Last: ", (last.outcome, COLOURS.get(last.outcome, "")), "."))
        print_indented(out, advice_about(last.reason or ""), 2)
    else:
        out.print("Nothing was found.")
    if found.not_looked_into:
        out.print(Text("\nNot looked into"))
        for words in found.not_looked_into:
            print_indented(out, words, 2)


def _what(step: Step) -> str:
    """Return a step's text besides its outcome."""
    place = step.stream and f"{step.stream} ({step.mapping})" if step.mapping else step.stream
    event = " ".join(filter(None, (step.event_name, step.event_id)))
    reason = " ".join(filter(None, (step.reason, step.field)))
    status = f"HTTP {step.http_status}" if step.http_status else None
    return ", ".join(filter(None, (reason, step.detail, place, event, status)))

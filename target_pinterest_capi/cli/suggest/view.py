"""The summary of a suggestion: the results of each stream's records."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from target_pinterest_capi.cli.console import print_indented
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.suggestions.entry import Entry
from target_pinterest_capi.suggestions.trial import Trial

INDENT: Final = 4


def show_summary(out: Console, entries: Sequence[Entry], trial: Trial) -> None:
    """Show each stream: what is suggested or why not, and the results of its records."""
    outcomes = trial.in_words()
    for entry in entries:
        stream = entry.stream.name
        out.print(
            Text.assemble(_mark(entry, trial), f"  stream {shown_name(stream)}"), soft_wrap=True
        )
        words = entry.problem or outcomes.get(stream, "there is no record to try it with")
        if entry.preset:
            words = f"preset {entry.preset.value}; {words}"
        print_indented(out, words, INDENT, "bright_black")
    for warning in trial.same_events():
        print_indented(out, warning, 0, "yellow")


def _mark(entry: Entry, trial: Trial) -> tuple[str, str]:
    if not entry.is_active:
        return "not mapped", "bold yellow"
    if trial.has_no_event(entry.stream.name):
        return "mapped, but no event yet", "bold yellow"
    return "mapped", "bold green"


def show_next(out: Console, output: str, entries: Sequence[Entry]) -> None:
    """Show what to do with the written file."""
    print_indented(out, f"Written to {output}: {_next(entries)}", 0)
    out.print(f"  pinterest-capi check --config config.json --config {output}", soft_wrap=True)


def _next(entries: Sequence[Entry]) -> str:
    if any(entry.is_active for entry in entries):
        return "read it, and correct what is wrong. Then"
    return "no entry is complete, so it is refused as it is. Add what its comments ask for. Then"

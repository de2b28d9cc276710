"""The summary of a suggestion: the results of each stream's records."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from target_pinterest_capi.cli.console import print_indented
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.suggestions.entry import Entry

INDENT: Final = 4


def show_summary(out: Console, entries: Sequence[Entry], outcomes: Mapping[str, str]) -> None:
    """Show each stream: what is suggested or why not, and the results of its records."""
    for entry in entries:
        mark = ("mapped", "bold green") if entry.is_active else ("not mapped", "bold yellow")
        place = f"  stream {shown_name(entry.stream.name)}"
        out.print(Text.assemble(mark, place), soft_wrap=True)
        words = entry.problem or outcomes.get(
            entry.stream.name, "there is no record to try it with"
        )
        if entry.preset:
            words = f"preset {entry.preset.value}; {words}"
        print_indented(out, words, INDENT, "bright_black")


def show_next(out: Console, output: str) -> None:
    """Show what to do with the written file."""
    print_indented(out, f"Written to {output}: read it, and correct what is wrong. Then", 0)
    out.print(f"  pinterest-capi check --config config.json --config {output}", soft_wrap=True)

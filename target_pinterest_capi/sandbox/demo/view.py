"""How the demo shows what became of its sample: plain lines and tables that fit 80 columns, a pipe and a terminal alike.

Owns words and layout. It prints numbers, names, reasons, and the one record and event it is given.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.events.outcomes import NotSent
from target_pinterest_capi.reporting.report import NameCoverage
from target_pinterest_capi.sandbox.demo.example import Example, layout
from target_pinterest_capi.sandbox.demo.model import (
    ADDED,
    DELIVERED,
    OUTCOMES,
    REMOVED,
    DemoResult,
    OutcomeRow,
    Repeat,
    ValueRow,
)
from target_pinterest_capi.sandbox.demo.sample import LIST_STREAM, SampleStream

WIDEST: Final = 112  # wider lines are hard to read
WIDE: Final = 100  # from here on there is room for reasons on one line
REASON_WIDTH: Final = 20
NAMES: Final = 8  # event names whose match keys are shown; the page has all
COLOURS: Final = {
    "delivered": "green",
    "invalid": "yellow",
    "rejected": "red",
    "skipped": "bright_black",
}
REPORT: Final = "report.html"
FILES: Final = {
    "config.yaml": "what the target ran with",
    "sample.singer": "what the taps sent",
    "report.html": "the run report, to look at and to show",
    "report.json": "the same for programs",
    "dead-letters.jsonl": "the events that were not delivered, and why",
    "state.jsonl": "the target's stdout: STATE and nothing else",
    "target.log": "the target's stderr",
    "received.jsonl": "every request body of events that the sandbox took",
    "this-run.yaml": "what was the demo's own: where the sandbox was, and files",
    "second-run": "what the second run left",
}
# Match keys that fit a line, by Pinterest's name for the component: as they are headed here.
KEYS: Final = {
    "hashed_email": "e-mail",
    "ip_address": "IP",
    "click_id_epik": "click",
    "advertiser_external_id": "customer",
    "order_value": "value",
    "product_id": "products",
    "source_url": "page",
}
_GOOD_PERCENT: Final = 70
_filling: Final = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)


class Shown(NamedTuple):
    """Everything there is to show: of both runs (no `repeat`: there was no second), and the list's members before and after."""

    result: DemoResult
    repeat: Repeat | None
    example: Example | None
    members: tuple[int, int]
    seconds: float
    directory: Path

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as it should be."""
        return (*self.result.problems, *(self.repeat.problems if self.repeat is not None else ()))


def console() -> Console:
    """Give the console of stdout: the terminal's width or 80 columns, colours on terminals only."""
    made = Console(highlight=False)
    made.width = min(made.width, WIDEST)
    return made


@contextmanager
def trimmed(out: Console) -> Iterator[None]:
    """Print what is printed within without the spaces that fill lines up to the width."""
    with out.capture() as captured:
        yield
    click.echo(_filling.sub(r"\1", captured.get()), nl=False, color=out.is_terminal or None)


def show_plan(
    out: Console,
    url: str,
    streams: Sequence[SampleStream],
    mappings: Mapping[str, str],
    bad_rows: int,
) -> None:
    """Say what is about to happen."""
    out.print("[bold]target-pinterest-capi, from tap to Pinterest, on this machine[/]\n")
    records = sum(stream.records for stream in streams)
    _facts(
        out,
        {
            "Sample": f"{records:,} records of a made-up shop, in {len(streams)} streams; {bad_rows} are wrong",
            "Target": "the real program in a process of its own, twice",
            "Pinterest": f"a sandbox at {url}, which answers 503 once, fails one event and refuses the whole request of another",
        },
    )
    out.print()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    table.add_column(style="bright_black")
    for stream in streams:
        table.add_row(
            stream.name,
            f"{stream.records:,}",
            mappings.get(stream.name, "no mapping"),
            stream.about,
        )
    out.print(Padding(table, (0, 0, 1, 2)))


def show_result(out: Console, shown: Shown) -> None:
    """Show everything, the sum of it and where to look last."""
    result = shown.result
    if shown.example is not None:
        shown.example.show(out)
    _outcomes(out, result)
    _not_delivered(out, result)
    _values(out, result)
    _list(out, shown)
    if shown.repeat is not None:
        _repeat(out, shown.repeat)
    _match_keys(out, result)
    _summary(out, shown)
    _files(out, shown.directory)


def show_next(out: Console, shown: Shown, program: str, target: str) -> None:
    """Say how to go on from here; each command on a line of its own, to be copied."""
    out.print("[bold]Play on[/]\n")
    out.print(f"  cd {shlex.quote(str(shown.directory))}", soft_wrap=True, markup=False)
    out.print(f"  {program} sandbox  # in a second terminal", soft_wrap=True, markup=False)
    out.print(f"  {target} --config config.yaml < sample.singer", soft_wrap=True, markup=False)
    out.print(f"  {program} eqs --config config.yaml", soft_wrap=True, markup=False)
    out.print()
    _wrapped(
        out,
        "Then put any tap in the sample's place, and your own mappings, ad_account_id and conversion_token into config.yaml; "
        "without api_url it goes to Pinterest. README.md has the quick start with Meltano.",
    )
    out.print()
    out.print("[bold green]The run report[/], to open in a browser:\n")
    out.print(f"  {shown.directory / REPORT}", soft_wrap=True, markup=False, style="bold")


def show_problems(out: Console, shown: Shown) -> None:
    """Say what is not as it should be."""
    for problem in shown.problems:
        out.print(Text(problem, style="red"))
    out.print(f"See {shown.directory / 'target.log'}", soft_wrap=True, markup=False)


def _wrapped(out: Console, text: str) -> None:
    out.print(Padding(Text(text), (0, 0, 0, 2)))


def _facts(out: Console, facts: Mapping[str, str]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=11, style="bold")
    table.add_column()
    for name, value in facts.items():
        table.add_row(name, Text(value))
    out.print(Padding(table, (0, 0, 0, 2)))


def _table(*widths: int) -> Table:
    """A table without lines: a column of counts, columns of these widths, and one of text that takes what is left."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=6, justify="right")
    for width in widths:
        table.add_column(width=width, overflow="fold")
    table.add_column()
    return table


def _numbers(*heads: str, first: int) -> Table:
    """A table of a name and a number under each head, the heads in their own colours."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    table.add_column("", width=first, no_wrap=True)
    for head in heads:
        table.add_column(Text(head, COLOURS.get(head, "bright_black")), justify="right")
    return table


def _outcomes(out: Console, result: DemoResult) -> None:
    out.print("[bold]What became of every record[/]\n")
    table = _numbers("records", *OUTCOMES, first=17)
    for stream, records in result.records.items():
        table.add_row(
            stream,
            f"{records:,}",
            *(_count(outcome, result.total(outcome, stream)) for outcome in OUTCOMES),
        )
    total = sum(result.records.values())
    table.add_row(
        "together",
        f"{total:,}",
        *(_count(outcome, result.total(outcome)) for outcome in OUTCOMES),
        style="bold",
    )
    out.print(Padding(table, (0, 0, 1, 2)))


def _count(outcome: str, number: int) -> Text:
    return Text(f"{number:,}", COLOURS[outcome]) if number else Text("-", "bright_black")


def _not_delivered(out: Console, result: DemoResult) -> None:
    """Show why events were not delivered, and what to do; what was wrong comes first."""
    out.print("[bold]What was not delivered, and what to do about it[/]\n")
    found: dict[tuple[str, str, str], list[OutcomeRow]] = {}
    for row in sorted(
        (row for row in result.outcomes if row.outcome != DELIVERED),
        key=lambda row: OUTCOMES.index(row.outcome),
    ):
        found.setdefault((row.outcome, row.reason, row.advice), []).append(row)
    table = _table(9, REASON_WIDTH + 11 if out.width >= WIDE else REASON_WIDTH + 5)
    for (outcome, reason, advice), rows in found.items():
        events = sum(row.events for row in rows)
        table.add_row(
            f"{events:,}",
            Text(outcome, COLOURS[outcome]),
            _with_places(reason, map(_place, rows)),
            Text(advice),
        )
    out.print(Padding(table, (0, 0, 1, 2)))


def _place(row: OutcomeRow) -> str:
    """Give the stream, with the field at fault and in what sense; Pinterest's own words stand elsewhere."""
    return (
        row.stream
        if not row.field
        else f"{row.stream} {row.field}{f': {row.detail}' if row.detail else ''}"
    )


def _with_places(reason: str, places: Iterable[str]) -> Text:
    return Text.assemble(reason, *((f"\n{place}", "bright_black") for place in places))


def _values(out: Console, result: DemoResult) -> None:
    out.print("[bold]Values left out, or sent with a warning[/] while their events went on\n")
    found: dict[tuple[str, str], list[ValueRow]] = {}
    for row in result.values:
        found.setdefault((row.reason, row.advice), []).append(row)
    table = _table(REASON_WIDTH + 22 if out.width >= WIDE else REASON_WIDTH + 16)
    for (reason, advice), rows in found.items():
        times = sum(row.times for row in rows)
        table.add_row(
            f"{times:,}",
            _with_places(reason, (f"{row.stream} {row.field}" for row in rows)),
            Text(advice),
        )
    out.print(Padding(table, (0, 0, 1, 2)))


def _list(out: Console, shown: Shown) -> None:
    if shown.result.report is None:
        return
    for held in shown.result.report.customer_lists:
        rows = {
            row.reason: row.events for row in shown.result.outcomes if row.stream == LIST_STREAM
        }
        before, after = shown.members
        changes = f"{rows.get(ADDED, 0):,} joined, {rows.get(REMOVED, 0):,} left"
        if superseded := rows.get(str(NotSent.SUPERSEDED)):
            changes += f", of these {superseded:,} joined and left at once"
        out.print(
            f"[bold]The customer list {held.name}[/]: {before:,} members before, {after:,} now\n"
        )
        _facts(out, {"Changes": changes, "Status": f"{held.status}: {held.meaning}"})
        out.print()


def _repeat(out: Console, repeat: Repeat) -> None:
    out.print("[bold]The same records once more[/], as after a lost STATE\n")
    known = f"{repeat.in_ledger:,} events skipped: the ledger knows that they were delivered"
    late = f"{repeat.delivered:,} events delivered: those that were rejected before, since the faults are over now"
    _facts(
        out,
        {
            "In ledger": known,
            "Sent": late,
            "Twice": "none" if not repeat.problems else "see below",
            "List": _list_change(repeat),
        },
    )
    out.print()


def _list_change(repeat: Repeat) -> str:
    changed = f"{repeat.members_changed:,} changed" if repeat.members_changed else "nothing changed"
    return f"{changed}: the same members once more"


def _match_keys(out: Console, result: DemoResult) -> None:
    """Show which share of the events of each name carries what Pinterest matches and scores them by."""
    if result.report is None or not result.report.delivered.by_event_name:
        return
    out.print("[bold]Match keys[/]: events that carry what Pinterest matches and scores them by\n")
    table = _numbers("events", *KEYS.values(), first=15)
    for entry in result.report.delivered.by_event_name[:NAMES]:
        table.add_row(entry.event_name, f"{entry.events:,}", *(_share(entry, key) for key in KEYS))
    out.print(Padding(table, (0, 0, 1, 2)))


def _share(entry: NameCoverage, component: str) -> Text:
    value = entry.components[component].coverage
    style = "green" if value >= _GOOD_PERCENT else "yellow" if value else "bright_black"
    return Text(f"{value:.0f}%" if value else "-", style)


def _summary(out: Console, shown: Shown) -> None:
    result, seconds = shown.result, shown.seconds
    out.print("[bold]Together[/]\n")
    delivered, records = result.total(DELIVERED), sum(result.records.values())
    facts = {
        "Records": f"{records:,} = "
        + " + ".join(f"{result.total(outcome):,} {outcome}" for outcome in OUTCOMES),
        "Check": "every record has exactly one outcome, the report agrees with what arrived, and nothing was delivered twice",
        "Rate": f"{delivered / seconds:,.0f} delivered a second, in {seconds:.2f} s from the program's start to its end",
        "Requests": f"{result.requests:,}, {result.repeats:,} of them sent again after the 503; "
        "a request refused as a whole is halved until its bad event is alone",
    }
    if shown.problems:
        facts["Check"] = "NOT as it should be: see below"
    for warning, events in result.warnings.items():
        facts["Warning"] = f'of {events:,} delivered events Pinterest says: "{warning}"'
    if result.states:
        facts["STATE"] = (
            f"{len(result.states):,} written; the last, once every record had its outcome:"
        )
    _facts(out, facts)
    if result.states:
        out.print(
            Padding(Text(layout(json.loads(result.states[-1]), out.width - 15)), (0, 0, 0, 15))
        )
    out.print()


def _files(out: Console, directory: Path) -> None:
    out.print(f"[bold]Files[/] in {escape(str(directory))}\n", soft_wrap=True)
    width = max(map(len, FILES))
    for name, about in FILES.items():
        if (directory / name).exists():
            out.print(f"  {name:{width}}  [bright_black]{about}[/]")
    out.print()

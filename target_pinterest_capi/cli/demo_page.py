"""How the demo shows what became of its sample: plain lines and tables that fit 80 columns, a pipe and a terminal alike.

Owns words and layout. It prints numbers, names, reasons, and the one record and event it is given.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.cli.demo_result import DELIVERED, OUTCOMES, OutcomeRow, Result
from target_pinterest_capi.cli.demo_sample import encode

WIDEST: Final = 112  # wider lines are hard to read
WIDE: Final = 100  # from here on there is room for reasons on one line
REASON_WIDTH: Final = 20
COLOURS: Final = {"delivered": "green", "invalid": "yellow", "rejected": "red", "skipped": "bright_black"}
FILES: Final = {
    "config.yaml": "what the target ran with",
    "sample.singer": "what the tap sent",
    "dead-letters.jsonl": "the events that were not delivered, and why",
    "state.jsonl": "the target's stdout: STATE and nothing else",
    "target.log": "the target's stderr",
    "received.jsonl": "every request body that the sandbox took",
}
_filling: Final = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)
_digest: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


class Example(NamedTuple):
    """A record, and the event that arrived for it."""

    stream: str
    record: Mapping[str, Any]
    event: Mapping[str, Any]


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


def show_plan(out: Console, url: str, records: Mapping[str, int], bad_rows: int) -> None:
    """Say what is about to happen."""
    out.print("[bold]target-pinterest-capi, from tap to Pinterest, on this machine[/]\n")
    _facts(
        out,
        {
            "Sample": f"{sum(records.values()):,} records of a made-up shop, in {len(records)} streams; {bad_rows} are wrong",
            "Target": "the real program in a process of its own",
            "Pinterest": f"a sandbox at {url}, which answers 503 once, fails one event and refuses the whole request of another",
        },
    )
    out.print()


def show_result(out: Console, result: Result, example: Example | None, *, seconds: float, directory: Path) -> None:
    """Show everything, the outcomes last but for the sum of it and where to look."""
    if example is not None:
        _example(out, example)
    _values(out, result)
    _outcomes(out, result)
    _summary(out, result, seconds)
    _files(out, directory)


def show_next(out: Console, directory: Path, program: str, target: str) -> None:
    """Say how to go on from here; each command on a line of its own, to be copied."""
    out.print("[bold]Play on[/]\n")
    out.print(f"  cd {shlex.quote(str(directory))}", soft_wrap=True, markup=False)
    out.print(f"  {program} sandbox  # in a second terminal", soft_wrap=True, markup=False)
    out.print(f"  {target} --config config.yaml < sample.singer", soft_wrap=True, markup=False)
    out.print()
    _wrapped(
        out,
        "Then put any tap in the sample's place, and your own mappings, ad_account_id and conversion_token into config.yaml; "
        "without api_url it goes to Pinterest. README.md has the quick start with Meltano.",
    )


def show_problems(out: Console, result: Result, directory: Path) -> None:
    """Say what is not as it should be."""
    for problem in result.problems:
        out.print(Text(problem, style="red"))
    out.print(f"See {directory / 'target.log'}", soft_wrap=True, markup=False)


def _wrapped(out: Console, text: str) -> None:
    out.print(Padding(Text(text), (0, 0, 0, 2)))


def _facts(out: Console, facts: Mapping[str, str]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=11, style="bold")
    table.add_column()
    for name, value in facts.items():
        table.add_row(name, Text(value))
    out.print(Padding(table, (0, 0, 0, 2)))


def _example(out: Console, example: Example) -> None:
    out.print(f"[bold]A record of {example.stream}[/]\n")
    out.print(Padding(Text(layout(example.record, out.width - 2)), (0, 0, 0, 2)))
    shortened = json.loads(_digest.sub(r"\1...", json.dumps(example.event)))
    out.print("\n[bold]What Pinterest received of it[/] (hashed with SHA-256; digests are cut short here)\n")
    out.print(Padding(Text(layout(shortened, out.width - 2)), (0, 0, 0, 2)))
    out.print()


def layout(value: Any, width: int, indent: int = 0, used: int = 0) -> str:
    """Give JSON in which what fits the width stands on one line; `used` is how much of the first line is taken."""
    line = msgspec.json.format(encode(value), indent=0).decode()
    if not isinstance(value, dict | list) or not value or indent + used + len(line) + 1 <= width:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        names = {name: f'"{name}": ' for name in value}
        members = [names[name] + layout(member, width, indent + 2, len(names[name])) for name, member in value.items()]
    else:
        members = [layout(member, width, indent + 2) for member in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + "\n" + ",\n".join(inner + member for member in members) + "\n" + " " * indent + closing


def _table(*widths: int) -> Table:
    """A table without lines: a column of counts, columns of these widths, and one of text that takes what is left."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=6, justify="right")
    for width in widths:
        table.add_column(width=width, overflow="fold")
    table.add_column()
    return table


def _outcomes(out: Console, result: Result) -> None:
    out.print("[bold]Outcomes by stream, mapping and reason[/]\n")
    for stream, rows in groupby(result.outcomes, attrgetter("stream")):
        of_stream = list(rows)
        mapping = next((row.mapping for row in of_stream if row.mapping), "")
        records, by = result.records[stream], f"mapping {mapping}" if mapping else "no mapping"
        out.print(f"  [bold]{stream}[/]: {records:,} records, {by}")
        table = _table(9, REASON_WIDTH + 11 if out.width >= WIDE else REASON_WIDTH)
        names = ", ".join(f"{row.events:,} {row.reason}" for row in of_stream if row.outcome == DELIVERED)
        if names:
            table.add_row(f"{result.total(DELIVERED, stream):,}", Text(DELIVERED, COLOURS[DELIVERED]), "", Text(names))
        for row in of_stream:
            if row.outcome != DELIVERED:
                table.add_row(f"{row.events:,}", Text(row.outcome, COLOURS[row.outcome]), Text(_reason(row)), Text(row.advice))
        out.print(Padding(table, (0, 0, 0, 2)))
        out.print()


def _reason(row: OutcomeRow) -> str:
    """The reason with the field at fault and in what sense; Pinterest's own words stand elsewhere."""
    sense = f"{row.field}: {row.detail}" if row.field and row.detail else row.field
    return f"{row.reason}\n{sense}" if sense else row.reason


def _values(out: Console, result: Result) -> None:
    out.print("[bold]Values left out, or sent with a warning[/]")
    out.print("The event goes on, unless it was left with too little.\n")
    for stream, rows in groupby(result.values, attrgetter("stream")):
        out.print(f"  [bold]{stream}[/]")
        table = _table(REASON_WIDTH + 22 if out.width >= WIDE else REASON_WIDTH + 11)
        for row in rows:
            table.add_row(f"{row.times:,}", Text(f"{row.reason}\n{row.field}"), Text(row.advice))
        out.print(Padding(table, (0, 0, 0, 2)))
        out.print()


def _summary(out: Console, result: Result, seconds: float) -> None:
    out.print("[bold]Together[/]\n")
    delivered, records = result.total(DELIVERED), sum(result.records.values())
    facts = {
        "Records": f"{records:,} = " + " + ".join(f"{result.total(outcome):,} {outcome}" for outcome in OUTCOMES),
        "Check": "every record has exactly one outcome, and no event was delivered twice",
        "Rate": f"{delivered / seconds:,.0f} events delivered a second, in {seconds:.2f} s from the program's start to its end",
        "Requests": f"{result.requests:,}, {result.repeats:,} of them sent again after the 503; "
        "a request refused as a whole is halved until its bad event is alone",
    }
    if result.problems:
        facts["Check"] = "NOT as it should be: see below"
    for warning, events in result.warnings.items():
        facts["Warning"] = f'of {events:,} delivered events Pinterest says: "{warning}"'
    if result.states:
        facts["STATE"] = f"{len(result.states):,} written; the last, once every record had its outcome:"
    _facts(out, facts)
    if result.states:
        out.print(Padding(Text(layout(json.loads(result.states[-1]), out.width - 15)), (0, 0, 0, 15)))
    out.print()


def _files(out: Console, directory: Path) -> None:
    out.print(f"[bold]Files[/] in {escape(str(directory))}\n", soft_wrap=True)
    width = max(map(len, FILES))
    for name, about in FILES.items():
        if (directory / name).exists():
            out.print(f"  {name:{width}}  [bright_black]{about}[/]")
    out.print()

"""How the demo shows what became of its sample: plain lines and tables for a pipe or a terminal.

Owns words and layout. Prints numbers, names, reasons, and the one record and event of the example.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.sandbox.demo.example import Example, layout, shorten_digests
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
from target_pinterest_capi.sandbox.demo.sample import BAD_ROWS, LIST_STREAM, RECORDS, STREAMS

ROOMY: Final = 80  # columns from which a table has room for what can be left out
NAMES: Final = 8  # event names whose match keys are shown; the page has all
GOOD_PERCENT: Final = 70
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


class Shown(NamedTuple):
    """What there is to show: of both runs (no `repeat`: only one), and the list's members then."""

    result: DemoResult
    repeat: Repeat | None
    example: Example | None
    members: tuple[int, int]
    seconds: float
    directory: Path

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as it should be."""
        return self.result.problems + (self.repeat.problems if self.repeat else ())


def show_plan(out: Console, url: str, mappings: Mapping[str, str]) -> None:
    """Print what is about to happen."""
    facts = {
        "Sample": f"{sum(RECORDS.values()):,} records of a made-up shop, in {len(STREAMS)} "
        f"streams; {len(BAD_ROWS)} are wrong",
        "Target": "the real program in a process of its own, twice",
        "Pinterest": f"a sandbox at {url}, which answers 503 once, fails one event and refuses "
        "the whole request of another",
    }
    _section(out, "target-pinterest-capi, from tap to Pinterest, on this machine", _facts(facts))
    table = _grid("bold", "", "", "bright_black")
    table.columns[1].justify = "right"
    for stream in STREAMS:
        about = stream.about if out.width >= ROOMY else ""
        mapping = mappings.get(stream.name, "no mapping")
        table.add_row(stream.name, f"{stream.records:,}", mapping, about)
    out.print(_indented(table))


def show_result(out: Console, shown: Shown) -> None:
    """Print everything: the outcome and the report's path, then all that they are made of."""
    result = shown.result
    _section(out, "Outcome", _summary(shown))
    out.print(f"  [bold]Report[/]     {shown.directory / REPORT}\n", soft_wrap=True)
    if shown.example is not None:
        _example(out, shown.example)
    _section(out, "What became of every record", _outcomes(out, result))
    _section(out, "What was not delivered, and what to do about it", _not_delivered(result))
    values = [(row.times, "", row.reason, _place(row), row.advice) for row in result.values]
    _section(
        out,
        "Values left out, or sent with a warning[/] while their events went on",
        _reasons(values),
    )
    _list(out, shown)
    if shown.repeat is not None:
        title = "The same records once more[/], as after a lost STATE"
        _section(out, title, _repeat(shown.repeat))
    _match_keys(out, result)
    if result.states:
        state = layout(json.loads(result.states[-1]), out.width - 2)
        title = f"STATE[/], the last of {len(result.states):,} on the target's stdout"
        _section(out, title, Text(state))
    there = {name: about for name, about in FILES.items() if (shown.directory / name).exists()}
    out.print(Text.assemble(("Files", "bold"), f" in {shown.directory}\n"), soft_wrap=True)
    out.print(_indented(_facts(there, "")))


def show_next(out: Console, shown: Shown, program: str, target: str) -> None:
    """Print how to go on from here, each command on a line of its own, and the report's path."""
    commands = (
        f"cd {shlex.quote(str(shown.directory))}",
        f"{program} sandbox  # in a second terminal",
        f"{target} --config config.yaml < sample.singer",
        f"{program} eqs --config config.yaml",
    )
    out.print("[bold]Play on[/]\n")
    for command in commands:
        out.print(f"  {command}", soft_wrap=True, markup=False)
    words = (
        "Then put any tap in the sample's place, and your own mappings, ad_account_id and "
        "conversion_token into config.yaml; without api_url it goes to Pinterest. README.md has "
        "the quick start with Meltano."
    )
    out.print(Padding(Text(words), (1, 0, 1, 2)))
    out.print("[bold green]The run report[/], to open in a browser:\n")
    out.print(f"  {shown.directory / REPORT}", soft_wrap=True, markup=False, style="bold")


def show_problems(out: Console, shown: Shown) -> None:
    """Print what is not as it should be, and where to look."""
    for problem in shown.problems:
        out.print(Text(problem, style="red"))
    out.print(f"See {shown.directory / 'target.log'}", soft_wrap=True, markup=False)


def _section(out: Console, title: str, content: RenderableType) -> None:
    """Print a title, which may end its bold part by [/], and the content below it."""
    out.print(f"[bold]{title}\n")
    out.print(_indented(content))


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 1, 2))


def _grid(*styles: str) -> Table:
    """Return a table without lines and heads, with a column of each style."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for style in styles:
        table.add_column(style=style)
    return table


def _facts(facts: Mapping[str, str], style: str = "bold") -> Table:
    table = _grid(style, "")
    table.columns[0].min_width = 9
    for name, value in facts.items():
        table.add_row(name, Text(value))
    return table


def _numbers(out: Console, rows: Mapping[str, Mapping[str, Text]]) -> Table:
    """Return a table of numbers under their heads; a list of them where it does not fit."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    table.add_column("", no_wrap=True)
    for head in next(iter(rows.values())):
        heading = Text(head, COLOURS.get(head, "bright_black"))
        table.add_column(heading, justify="right", no_wrap=True)
    for name, cells in rows.items():
        table.add_row(name, *cells.values())
    if out.measure(table, options=out.options.update(width=10 * ROOMY)).maximum <= out.width - 2:
        return table
    table = _grid("", "")
    for name, cells in rows.items():
        words = [
            Text(f"{cell} {head}", cell.style) for head, cell in cells.items() if f"{cell}" != "-"
        ]
        table.add_row(name, Text(", ").join(words))
    return table


def _number(number: float, style: str, unit: str = "") -> Text:
    return Text(f"{number:,.0f}{unit}", style) if number else Text("-", "bright_black")


def _summary(shown: Shown) -> Table:
    result, delivered = shown.result, shown.result.total(DELIVERED)
    counts = " + ".join(f"{result.total(outcome):,} {outcome}" for outcome in OUTCOMES)
    requests = result.report.requests
    checked = (
        "every record has exactly one outcome, the report agrees with what arrived, and nothing "
        "was delivered twice"
    )
    facts = {
        "Records": f"{sum(result.records.values()):,} = {counts}",
        "Check": "NOT as it should be: see below" if shown.problems else checked,
        "Rate": f"{delivered / shown.seconds:,.0f} delivered a second, in {shown.seconds:.2f} s "
        "from the program's start to its end",
        "Requests": f"{requests.sent:,}, {requests.repeated:,} of them sent again after the 503; a "
        "request refused as a whole is halved until its bad event is alone",
    }
    for warning in result.report.warnings:
        words = f'of {warning.events:,} delivered events Pinterest says: "{warning.message}"'
        facts["Warning"] = words
    return _facts(facts)


def _example(out: Console, example: Example) -> None:
    width = out.width - 2
    _section(out, f"A record of {example.stream}", Text(layout(example.record, width)))
    title = "What Pinterest received of it[/] (hashed with SHA-256; digests are cut short here)"
    event = json.loads(shorten_digests(json.dumps(example.event)))
    _section(out, title, Text(layout(event, width)))


def _outcomes(out: Console, result: DemoResult) -> Table:
    rows = {}
    for name, stream in {**{stream: stream for stream in result.records}, "together": None}.items():
        records = sum(result.records.values()) if stream is None else result.records[stream]
        counts = {
            outcome: _number(result.total(outcome, stream), COLOURS[outcome])
            for outcome in OUTCOMES
        }
        rows[name] = {"records": Text(f"{records:,}"), **counts}
    return _numbers(out, rows)


def _not_delivered(result: DemoResult) -> Table:
    """Return why events were not delivered, and what to do; what was wrong comes first."""
    rows = sorted(result.outcomes, key=lambda row: OUTCOMES.index(row.outcome))
    return _reasons(
        (row.events, row.outcome, row.reason, _place(row), row.advice)
        for row in rows
        if row.outcome != DELIVERED
    )


def _place(row: OutcomeRow | ValueRow) -> str:
    """Return the stream, with the field at fault and why; Pinterest's words are advice already."""
    detail = getattr(row, "detail", "") if row.field else ""
    return f"{row.stream} {row.field}".strip() + (f": {detail}" if detail else "")


def _reasons(rows: Iterable[tuple[int, str, str, str, str]]) -> Table:
    """Return reasons with where they were met and what to do.

    Each row is (times, outcome, reason, place, advice).
    """
    found: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for times, outcome, reason, place, advice in rows:
        found.setdefault((outcome, reason, advice), []).append((times, place))
    table = _grid("", "")
    table.columns[0].justify = "right"
    for (outcome, reason, advice), met in found.items():
        head = Text.assemble((f"{outcome} " if outcome else "", COLOURS.get(outcome, "")), reason)
        places = Text(", ".join(place for _, place in met), "bright_black")
        total = sum(times for times, _ in met)
        table.add_row(f"{total:,}", Text("\n").join([head, places, Text(advice)]))
    return table


def _list(out: Console, shown: Shown) -> None:
    rows = {row.reason: row.events for row in shown.result.outcomes if row.stream == LIST_STREAM}
    changes = f"{rows.get(ADDED, 0):,} joined, {rows.get(REMOVED, 0):,} left"
    if superseded := rows.get("superseded"):
        changes += f", of these {superseded:,} joined and left at once"
    before, after = shown.members
    for held in shown.result.report.customer_lists:
        title = f"The customer list {held.name}[/]: {before:,} members before, {after:,} now"
        status = f"{held.status}: it can be used in ads" if held.status == "READY" else held.status
        facts = {"Changes": changes, "Status": status}
        _section(out, title, _facts(facts))


def _repeat(repeat: Repeat) -> Table:
    changed = f"{repeat.members_changed:,} changed" if repeat.members_changed else "nothing changed"
    return _facts(
        {
            "In ledger": f"{repeat.in_ledger:,} events skipped: the ledger knows that they were "
            "delivered",
            "Sent": f"{repeat.delivered:,} events delivered: those that were rejected before, "
            "since the faults are over now",
            "Twice": "see below" if repeat.problems else "none",
            "List": f"{changed}: the same members once more",
        }
    )


def _match_keys(out: Console, result: DemoResult) -> None:
    """Print which share of the events of each name carries what Pinterest matches them by."""
    rows = {}
    for entry in result.report.delivered.by_event_name[:NAMES]:
        cells = {"events": Text(f"{entry.events:,}")}
        for component, head in KEYS.items():
            percent = getattr(entry.components, component).coverage
            cells[head] = _number(percent, "green" if percent >= GOOD_PERCENT else "yellow", "%")
        rows[entry.event_name] = cells
    if rows:
        title = "Match keys[/]: events that carry what Pinterest matches and scores them by"
        _section(out, title, _numbers(out, rows))

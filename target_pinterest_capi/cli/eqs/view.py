"""The output of event quality scores: a table for each event name, and below it what to map.

Owns the wording and the layout. Names and messages from Pinterest are shown without control
characters.
"""

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.cli.eqs.model import (
    Advice,
    Comparison,
    ComponentRow,
    NameRows,
    Ours,
    WeakComponent,
)
from target_pinterest_capi.pipeline.previewed import number_of
from target_pinterest_capi.reporting.expectations import EXPECTED

STATUS_STYLES: Final = {"GOOD": "bold green", "FAIR": "bold yellow"}  # no other is good
PERIODS: Final = {"1d": "the last day", "14d": "the last 14 days"}
LARGE_POINTS: Final = 5.0  # from here on a difference is not caused by rounding or late events


def show(
    out: Console, compared: Comparison, own: Ours, *, account: str, lookback: str, notes: list[str]
) -> None:
    """Show everything; what to do comes last."""
    out.print(f"[bold]Event quality score of ad account {account}[/], {PERIODS[lookback]}")
    if own.reports:
        ends = max(report.run.ended_at for report in own.reports)
        events, runs = sum(own.events.values()), number_of(len(own.reports), "run")
        out.print(f"Ours: {events:,} events of {runs}, to {ends:%Y-%m-%d %H:%M} UTC")
    out.print()
    for platform in compared.platforms:
        style = STATUS_STYLES.get(platform.status, "bold red")
        head = Text.assemble(
            (plain(platform.source_platform), "bold"),
            ", ",
            plain(platform.ingestion_source),
            ": Pinterest says ",
        )
        out.print(Text.assemble(head, (plain(platform.status).replace("_", " "), style)))
        out.print()
        for name in platform.names:
            _name(out, name)
    if compared.advice:
        out.print("[bold]What would raise it[/], the strongest match keys first\n")
        for one in compared.advice:
            _advice(out, one)
    else:
        out.print("[bold green]Nothing to improve[/]: every component has the expected coverage.")
    for note in notes:
        out.print(Text(f"Note: {plain(note)}", style="yellow"))


def _name(out: Console, name: NameRows) -> None:
    events = "" if name.events is None else f", {name.events:,} of ours"
    table = Table(
        box=None,
        show_header=True,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="bright_black",
    )
    table.add_column(
        Text.assemble((plain(name.event_name), "bold default"), (events, "bright_black")),
        width=29,
        no_wrap=True,
    )
    for heading, width in (("Pinterest", 9), ("ours", 7), ("difference", 10)):
        table.add_column(heading, justify="right", width=width)
    table.add_column("", style="bright_black")
    for row in name.rows:
        if row.pinterest or row.ours or (row.expected and row.pinterest is not None):
            table.add_row(
                Text(plain(row.title)),
                _percent(row, row.pinterest),
                _percent(row, row.ours),
                _difference(row),
                _more(row),
            )
    out.print(Padding(table, (0, 0, 1, 2)))


def _percent(row: ComponentRow, value: float | None) -> Text:
    if value is None:
        return Text("-", style="bright_black")
    if not row.expected:
        return Text(f"{value:.1f} %", style="bright_black")
    return Text(
        f"{value:.1f} %",
        style="green" if value >= EXPECTED[row.component].enough else "yellow" if value else "red",
    )


def _difference(row: ComponentRow) -> Text:
    points = row.difference
    if points is None:
        return Text("")
    return Text(
        f"{points:+.1f}" if abs(points) >= 0.05 else "0.0",  # noqa: PLR2004
        style="bold" if abs(points) >= LARGE_POINTS else "bright_black",
    )


def _more(row: ComponentRow) -> Text:
    """Return what Pinterest adds to a figure."""
    words = [plain(issue.name) for issue in row.issues]
    if row.overlap is not None:
        words.append(f"{row.overlap:.1f} % overlap")
    return Text(", ".join(words))


def _advice(out: Console, one: Advice) -> None:
    places = ", ".join(map(_place, one.places))
    out.print(Padding(Text.assemble((one.title, "bold"), f": {places}"), (0, 0, 0, 2)))
    out.print(Padding(Text(one.words, style="cyan"), (0, 0, 1, 4)))


def _place(place: WeakComponent) -> str:
    return f"{plain(place.event_name)} ({plain(place.source_platform)} {place.pinterest:.1f} %)"

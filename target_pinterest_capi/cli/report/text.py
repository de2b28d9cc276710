"""A run report as text for a terminal or a pipe: outcomes, causes, match keys, duplicates.

Owns tables and colours; wording and totals are those of the page. Names from outside are shown
without control characters.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.cli.console import plain, print_indented, print_title
from target_pinterest_capi.reporting.causes import Cause, find_causes
from target_pinterest_capi.reporting.duplicates import about_ids, repeated_names
from target_pinterest_capi.reporting.ending import ending, headline
from target_pinterest_capi.reporting.event_ids import about_constant_id
from target_pinterest_capi.reporting.report import NameCoverage, Report, Totals

ROOMY: Final = 80  # columns from which a table of numbers fits
NAMES: Final = 8  # event names of the match keys; the page has all
ENOUGH_PERCENT: Final = 70
COLOURS: Final = {
    "delivered": "green",
    "invalid": "yellow",
    "rejected": "red",
    "skipped": "bright_black",
}
KINDS: Final = {"good": "green", "warn": "yellow", "bad": "red"}
# Components that fit a line, by Pinterest's name, each with a short title.
SHORT_TITLES: Final = {
    "hashed_email": "e-mail",
    "ip_address": "IP",
    "click_id_epik": "click",
    "advertiser_external_id": "customer",
    "order_value": "value",
    "product_id": "products",
    "source_url": "page",
}

Numbers = Mapping[str, tuple[str, str]]  # by head: a number as text, "" for none, and its style


def show(out: Console, report: Report) -> None:
    """Show a report: first how the run ended, then its results."""
    how = ending(report)
    out.print(Text.assemble((headline(report), "bold"), ". ", (how.title, KINDS[how.kind])))
    if report.run.stopped:
        print_indented(out, plain(report.run.stopped), 2)
    out.print()
    show_details(out, report)


def show_details(out: Console, report: Report) -> None:
    """Show a run's results: outcomes, causes, customer lists, match keys and duplicates."""
    show_outcomes(out, report)
    show_causes(out, report)
    show_customer_lists(out, report)
    show_match_keys(out, report)
    show_duplicates(out, report)


def show_outcomes(out: Console, report: Report) -> None:
    """Show how the events of each stream and entry ended."""
    print_title(out, "Outcomes of the events")
    rows = [(_entry(row.stream, row.mapping), _outcomes(row)) for row in report.outcomes]
    _numbers(out, [*rows, ("together", _outcomes(report.totals))])


def show_causes(out: Console, report: Report) -> None:
    """Show every reason with its places and what to do."""
    causes = find_causes(report)
    for title, found in (
        ("What was not delivered, and what to do about it", causes.failed),
        ("Values dropped from their events", causes.dropped),
        ("Values sent, but perhaps wrong", causes.doubtful),
        ("Pinterest's warnings", causes.warnings),
        ("What was skipped", causes.skipped),
    ):
        if found:
            print_title(out, title)
            for cause in found:
                _cause(out, cause)
            out.print()


def show_customer_lists(out: Console, report: Report) -> None:
    """Show the changes of each customer list."""
    if report.customer_lists:
        print_title(out, "Customer lists")
        for held in report.customer_lists:
            for line in held.lines():
                print_indented(out, plain(line), 2)
        out.print()


def show_match_keys(out: Console, report: Report) -> None:
    """Show the share of each name's events that have what Pinterest matches them by."""
    names = report.delivered.by_event_name[:NAMES]
    if names:
        print_title(
            out, "Match keys", ": events that have what Pinterest matches and scores them by"
        )
        _numbers(out, [(entry.event_name, _coverage(entry)) for entry in names])


def show_duplicates(out: Console, report: Report) -> None:
    """Show which events repeat an id, and how many have none of their own."""
    if report.delivered.events or report.constant_ids:
        print_title(out, "Duplicates")
        for constant in report.constant_ids:
            sentence = about_constant_id(constant.event_name, f"{constant.events:,}")
            print_indented(out, plain(sentence), 2)
        for sentence in about_ids(report):
            print_indented(out, plain(sentence), 2)
        for entry in repeated_names(report):
            repeat = f"{entry.repeated_ids:,} of {entry.events:,} repeat an earlier id"
            line = f"{entry.event_name}: {repeat}"
            print_indented(out, plain(line), 2)
        out.print()


def _entry(stream: str, mapping: str) -> str:
    return f"{stream} ({mapping})" if mapping and mapping != stream else stream


def _outcomes(row: Totals) -> Numbers:
    counts = {outcome: getattr(row, outcome) for outcome in COLOURS}
    return {
        outcome: (f"{count:,}" if count else "", COLOURS[outcome])
        for outcome, count in counts.items()
    }


def _coverage(entry: NameCoverage) -> Numbers:
    events = {"events": (f"{entry.events:,}", "default")}
    shares = {
        title: entry.components[name].coverage
        for name, title in SHORT_TITLES.items()
        if name in entry.components
    }
    return events | {
        title: (
            f"{share:.0f}%" if share else "",
            "green" if share >= ENOUGH_PERCENT else "yellow",
        )
        for title, share in shares.items()
    }


def _cause(out: Console, cause: Cause) -> None:
    head = Text.assemble(
        (f"{cause.total:>6,}  ", ""),
        (f"{cause.outcome} " if cause.outcome else "", COLOURS.get(cause.outcome, "")),
    )
    print_indented(out, plain(cause.words), len(head), head=head)
    places = ", ".join(" ".join(place.parts) for place in cause.places)
    print_indented(out, plain(places), 8, "bright_black")
    print_indented(out, plain(cause.advice), 8)


def _numbers(out: Console, rows: Sequence[tuple[str, Numbers]]) -> None:
    """Print a table of numbers; if it does not fit, each row as a list."""
    is_roomy = out.width >= ROOMY
    heads = list(dict.fromkeys(head for _, numbers in rows for head in numbers))
    table = Table("", box=None, show_header=is_roomy, pad_edge=False, padding=(0, 2, 0, 0))
    table.header_style = "not bold"
    if is_roomy:
        for head in heads:
            table.add_column(Text(head, COLOURS.get(head, "bright_black")), justify="right")
    for name, numbers in rows:
        cells = [_cell(*numbers.get(head, ("", ""))) for head in heads] if is_roomy else []
        table.add_row(plain(name), *cells or [_list(numbers)])
    out.print(Padding(table, (0, 0, 1, 2)))


def _cell(number: str, style: str) -> Text:
    return Text(number or "-", style if number else "bright_black")


def _list(numbers: Numbers) -> Text:
    found = [(f"{number} {head}", style) for head, (number, style) in numbers.items() if number]
    return Text(", ").join(Text(words, style) for words, style in found)

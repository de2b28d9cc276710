"""The output of a preview: events as JSON to copy, members of lists, reasons, and a summary.

For 80 columns or a pipe. Names from the tap (streams, columns, event names) are shown without
control characters. Prints no values of a record except those of an event and a member's digests.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.text import Text

from target_pinterest_capi.cli.console import escaped, plain, print_indented
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.outcomes import Outcome, advice_about
from target_pinterest_capi.pipeline.preview import Preview
from target_pinterest_capi.pipeline.previewed import (
    EVENT,
    SENT,
    PreviewedRecord,
    is_warning,
    number_of,
    sent_in_words,
)
from target_pinterest_capi.pipeline.previewed_lists import OUTCOMES
from target_pinterest_capi.reporting.summary import about_ids, about_names

JSON_COLUMNS: Final = 80  # the width of lines of JSON, if possible
MEMBERS: Final = "members"
SHOWN_COLUMNS: Final = 20  # names of unread columns per stream
STYLES: Final = {
    **dict.fromkeys((EVENT, *OUTCOMES.values()), "bold green"),
    str(Outcome.INVALID): "bold yellow",
    str(Outcome.SKIPPED): "bold bright_black",
    MEMBERS: "green",
}
LABEL_WIDTH: Final = 8
INDENT: Final = LABEL_WIDTH + 4  # of the text below a label
_list_of_one: Final = re.compile(r'^( *"\w+": )\[\n *("(?:[^"\\\n]|\\.)*")\n *\]', re.MULTILINE)


def show_result(out: Console, result: PreviewedRecord, ad_account_id: str) -> None:
    """Show a record's result; an event's account only if it is not `ad_account_id`."""
    place = _place(Origin(result.stream, result.mapping), is_list=result.customer_list is not None)
    account = (
        f", ad account {result.ad_account_id}"
        if result.ad_account_id not in {None, ad_account_id}
        else ""
    )
    where = f"  line {result.line}, {place}{account}"
    out.print(Text.assemble((result.outcome, STYLES[result.outcome]), where), soft_wrap=True)
    if result.event is not None:
        out.print(JSONHighlighter()(event_json(result.event)), soft_wrap=True)
    if result.customer_list is not None and result.would_be_sent:
        _show_members(out, result.customer_list)
    if result.reason:
        _show_reason(out, "", "why", _why(result), result.advice or "")
    for note in result.notes:
        if (note.field, note.reason) != (result.field, result.detail):
            times = f", {note.count} times" if note.count > 1 else ""
            _show_reason(
                out, "", _label(note.reason), f"{note.field}: {note.reason}{times}", note.advice
            )
    out.print()


def show_summary(out: Console, preview: Preview, *, is_whole: bool) -> None:
    """Show the counts of everything that was read; `is_whole`: the input was read to its end."""
    rows, notes = preview.tally.outcomes(), preview.tally.notes()
    records = preview.tally.records
    head = f"  {number_of(records, 'record')}, {sent_in_words(preview.sent())}; nothing was sent"
    out.print(Text.assemble(("summary", "bold"), head))
    for origin in dict.fromkeys(row.origin for row in rows):
        out.print(Text(_place(origin.shown, is_list=origin in preview.lists)), soft_wrap=True)
        for row in rows:
            if row.origin == origin and row.reason in SENT:
                _show_reason(out, f"{row.number:>7,}", SENT[row.reason], "", "")
            elif row.origin == origin:
                _show_reason(
                    out,
                    f"{row.number:>7,}",
                    str(row.outcome),
                    plain(row.reason),
                    preview.advice(row),
                )
        for note in notes:
            if note.origin == origin:
                _show_reason(
                    out,
                    f"{note.number:>7,}",
                    _label(note.reason),
                    f"{note.field}: {note.reason}",
                    advice_about(note.reason),
                )
    out.print()
    for fact in _facts(preview, is_whole=is_whole):
        print_indented(out, fact, 0)


def event_json(event: Any) -> str:
    """Return an event's readable JSON, with a list of one text on one line if it fits."""

    def joined(found: re.Match[str]) -> str:
        line = f"{found[1]}[{found[2]}]"
        return line if len(line) < JSON_COLUMNS else found[0]

    return escaped(_list_of_one.sub(joined, json.dumps(event, indent=2, ensure_ascii=False)))


def _place(origin: Origin, *, is_list: bool) -> str:
    entry = (
        f", {'list' if is_list else 'mapping'} {plain(origin.mapping)}" if origin.mapping else ""
    )
    return f"stream {origin.stream}{entry}"


def _show_members(out: Console, customer_list: dict[str, Any]) -> None:
    """Show how many identifiers of which type, or rows, there are, as they would be sent."""
    members = customer_list["members"]
    list_type = customer_list.get("list_type")
    kind = "as rows" if list_type is None else f"of list_type {list_type}"
    _show_reason(out, "", MEMBERS, f"{len(members):,} {kind}, as they would be sent", "")
    for member in members:
        shown = member if isinstance(member, str) else json.dumps(member, ensure_ascii=False)
        out.print(Text(" " * INDENT + plain(shown)), soft_wrap=True)


def _facts(preview: Preview, *, is_whole: bool) -> Iterable[str]:
    if not is_whole:
        yield (
            f"Reading stopped at line {preview.line}, when enough was shown; --summary reads all "
            "of the input."
        )
    for one in preview.not_found():
        yield f"{one.message} ({one.setting})"
    yield from about_ids(preview.tally)
    yield from about_names(preview.tally)
    yield from preview.named_lists_in_words()
    if preview.ignored:
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(preview.ignored.items()))
        files = (
            " (the records in the files of a BATCH are not read)"
            if "BATCH" in preview.ignored
            else ""
        )
        yield f"Messages that a preview ignores: {counts}{files}."
    for stream, columns in preview.unread_columns().items():
        more = f" and {len(columns) - SHOWN_COLUMNS:,} more" if len(columns) > SHOWN_COLUMNS else ""
        readers = (
            "neither mapping nor customer list" if preview.settings.customer_lists else "no mapping"
        )
        yield (
            f"Columns of {stream} that {readers} reads: {', '.join(columns[:SHOWN_COLUMNS])}{more}."
        )


def _why(result: PreviewedRecord) -> str:
    parts = [part for part in (result.field, result.detail, result.name) if part]
    return f"{result.reason}: {plain(', '.join(parts))}" if parts else str(result.reason)


def _label(reason: str) -> str:
    return "warning" if is_warning(reason) else "dropped"


def _show_reason(out: Console, number: str, label: str, what: str, advice: str) -> None:
    """Show a reason on a line, and what to do below it."""
    head = f"{number}  {label:<{LABEL_WIDTH}}  "
    first = Text.assemble((head, STYLES.get(label, "yellow")), what)
    first.rstrip()
    out.print(first, soft_wrap=True)
    print_indented(out, advice, len(head), "bright_black")

"""The run report as one HTML file for people: nothing is loaded, nothing runs, and it reads well on a phone, in the dark and aloud.

Owns the page's order and words; its larger parts are `reasons_html`, `delivered_html` and `lists_html`.
"""

import re
from collections.abc import Iterable, Sequence
from importlib import resources
from string import Template
from typing import Final

from target_pinterest_capi.reporting.html import customer_lists as lists_html
from target_pinterest_capi.reporting.html import delivered as delivered_html
from target_pinterest_capi.reporting.html import reasons as reasons_html
from target_pinterest_capi.reporting.html.markup import (
    Content,
    Markup,
    counted,
    duration,
    join,
    moment,
    number,
    percent,
    section,
    sentence,
    tag,
    text,
)
from target_pinterest_capi.reporting.report import OriginOutcomes, Report, Totals

_title: Final = re.compile(r'<h2 id="([^"]+)">([^<]+)</h2>')

OUTCOMES: Final = {
    "delivered": "Pinterest processed them",
    "invalid": "No event could be made of them",
    "rejected": "Pinterest did not take them",
    "skipped": "Left out by settings, or known",
}
MARKS: Final = {"good": "✓", "warn": "!", "bad": "✕"}  # so that nothing is said by colour alone
INTERRUPTED: Final = 128  # and more: plus the signal's number
ENDS: Final = {
    0: ("good", "Completed"),
    1: ("bad", "Stopped by an error"),
    3: ("bad", "Stopped: too many events failed"),
}


def page(report: Report) -> str:
    """Give the page."""
    package = resources.files("target_pinterest_capi")
    template = Template(
        package.joinpath("reporting", "html", "page.html").read_text(encoding="utf-8")
    )
    parts = (
        _outcomes(report),
        *delivered_html.sections(report),
        *lists_html.sections(report),
        *reasons_html.sections(report),
        _run(report),
    )
    main = join(parts, "\n")
    return template.substitute(
        style=package.joinpath("style.css").read_text(encoding="utf-8"),
        title=text(f"{headline(report)}: run {report.run.id}"),
        header=join([_header(report), _contents(main)]),
        main=main,
        footer=_footer(report),
    )


def _contents(main: Markup) -> Markup:
    """Give links to the sections."""
    links = [
        tag("li", tag("a", Markup(title), href=f"#{name}"))
        for name, title in _title.findall(main)[1:]
    ]  # the first one is in sight
    return tag("nav", tag("ul", *links), aria_label="Sections")


def headline(report: Report) -> str:
    """Say in a line what the run came to."""
    if report.run.mode == "dry_run":
        return f"{counted(report.delivered.events, 'event')} would be sent"
    attempted = _attempted(report.totals)
    if not attempted:
        return "Nothing was to be delivered"
    verb = "accepted by Pinterest's check" if report.run.mode == "test" else "delivered"
    if attempted == report.totals.delivered:
        return (
            f"All {number(attempted)} events {verb}"
            if attempted > 1
            else f"The one event was {verb}"
        )
    return f"{number(report.totals.delivered)} of {counted(attempted, 'event')} {verb}"


def _attempted(totals: Totals) -> int:
    return totals.delivered + totals.invalid + totals.rejected


def _header(report: Report) -> Markup:
    run = report.run
    facts = (
        f"Ad account {run.ad_account_id}",
        moment(run.started_at),
        f"took {duration(run.seconds)}",
        f"run {run.id}",
    )
    return tag(
        "header",
        tag("p", "Conversion events to Pinterest", class_="eyebrow"),
        tag("h1", headline(report)),
        tag("p", " · ".join(facts), class_="soft"),
        _end(report),
        *_findings(report),
    )


def _end(report: Report) -> Markup:
    """Say how the run ended, and what became of what it had not done."""
    run = report.run
    kind, word = ENDS.get(
        run.exit_code,
        ("warn", "Interrupted") if run.exit_code > INTERRUPTED else ("bad", "Stopped"),
    )
    lines: list[Content] = []
    if run.exit_code:
        lines += [
            sentence(run.stopped or ""),
            "What was not settled stays before STATE: the next run goes on from there, and nothing is lost.",
        ]
    elif run.mode == "test":
        lines.append("Test mode: Pinterest checked the events and recorded none of them.")
    elif run.mode == "dry_run":
        lines.append("Dry run: events were made, and nothing was sent.")
    else:
        lines.append(f"Every one of {counted(run.records, 'record')} is accounted for below.")
    if kind == "good" and report.totals.rejected + report.totals.invalid:
        kind = "warn"
        word = "Completed, with some events that need a look"
    return _note(kind, word, lines)


def _findings(report: Report) -> Iterable[Markup]:
    """Give what the delivered events themselves show to be wrong."""
    names = [entry for entry in report.delivered.by_event_name if entry.constant_id]
    for entry in names:
        yield _note(
            "bad",
            f"All {number(entry.events)} events of {entry.event_name} have the same event_id",
            [
                "Pinterest takes them for one event and counts one. Map event_id to a column that differs from event to event."
            ],
        )
    seen = report.delivered
    late = seen.delays.late_online
    if late and seen.basis == "delivered":
        yield _note(
            "warn",
            f"{counted(late, 'web or app event')} reached Pinterest over an hour after {'they' if late > 1 else 'it'} happened",
            [
                f"That is {percent(late, seen.events)} of all. Pinterest reports these as offline: run the pipeline more often."
            ],
        )


def _note(kind: str, word: str, lines: Iterable[Content]) -> Markup:
    words = tag("div", tag("b", word), *(tag("p", line) for line in lines if line))
    return tag(
        "div", tag("i", MARKS[kind], aria_hidden="true"), words, class_=f"note {kind}", role="note"
    )


# What became of the events


def _outcomes(report: Report) -> Markup:
    counts = {name: getattr(report.totals, name) for name in OUTCOMES}
    whole = sum(counts.values())
    requests = report.requests
    within = report.delivered.delays.within_an_hour
    tiles = [
        (
            "Records read",
            number(report.run.records),
            f"{counted(report.run.states_written, 'STATE', 'STATE')} written",
        ),
        (
            "Delivered",
            number(report.totals.delivered),
            f"{requests.events_per_second:,.0f} a second",
        ),
        ("Requests", number(requests.sent), f"{number(requests.repeated)} repeated"),
        (
            "Within the hour",
            percent(within, report.delivered.events) if report.delivered.events else "none",
            "of the delivered events",
        ),
    ]
    shares = [
        tag("i", class_=name, style=f"flex-grow:{count}") for name, count in counts.items() if count
    ]
    legend = [
        tag(
            "li",
            tag(
                "span",
                tag("b", f"{number(count)} {name}"),
                tag("span", f" {percent(count, whole)}", class_="soft"),
                class_=f"key {name}",
            ),
            tag("div", OUTCOMES[name], class_="soft small"),
        )
        for name, count in counts.items()
    ]
    return join(
        [
            tag("dl", *(_tile(*tile) for tile in tiles), class_="tiles"),
            section(
                "What became of the events",
                tag("div", *shares, class_="share", aria_hidden="true"),
                tag("ul", *legend, class_="legend"),
                _streams(report.outcomes)
                if report.outcomes
                else tag("p", "No records came.", class_="soft"),
            ),
        ]
    )


def _tile(about: str, value: str, more: str) -> Markup:
    return tag("div", tag("dt", about), tag("dd", value), tag("dd", more, class_="more"))


def _streams(rows: Sequence[OriginOutcomes]) -> Markup:
    """Give the table by stream and mapping; on a phone each row is a block whose cells name themselves."""
    heads = [
        tag("th", "Stream and mapping", scope="col"),
        *(tag("th", name.capitalize(), scope="col", class_="number") for name in OUTCOMES),
    ]
    body = [
        tag(
            "tr",
            tag("th", _origin(row.stream, row.mapping), scope="row", role="rowheader"),
            *(
                tag(
                    "td",
                    number(count),
                    class_="number" if count else "number none",
                    data_of=name,
                    role="cell",
                )
                for name in OUTCOMES
                for count in [getattr(row, name)]
            ),
            role="row",
        )
        for row in rows
    ]
    # The roles keep it a table where the style makes blocks of its rows.
    caption = tag("caption", "By stream and mapping")
    return tag(
        "table",
        caption,
        tag("thead", tag("tr", *heads)),
        tag("tbody", *body, role="rowgroup"),
        class_="stack",
        role="table",
    )


def _origin(stream: str, mapping: str) -> Markup:
    return join(
        [stream, tag("span", f" · {mapping}" if mapping else " · no mapping", class_="soft")]
    )


# The run itself


def _run(report: Report) -> Markup:
    run, requests = report.run, report.requests
    facts = {
        "Started": moment(run.started_at),
        "Ended": moment(run.ended_at),
        "Mode": run.mode,
        "Sent to": run.api,
        "Requests": number(requests.sent),
        "Repeated requests": number(requests.repeated),
        "Requests to find a refused event": number(requests.isolating),
        "Delivered a second": f"{requests.events_per_second:,.1f}",
        "STATE written": number(run.states_written),
        "Dead letters written": number(run.dead_letters_written),
        "Exit code": str(run.exit_code),
        **run.versions,
    }
    settings = {
        name: "not set"
        if value is None
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
        for name, value in run.settings.items()
    }
    return section(
        "The run",
        _facts(facts),
        tag("details", tag("summary", "Its settings"), _facts(settings, code=True)),
    )


def _facts(facts: dict[str, str], *, code: bool = False) -> Markup:
    rows = [
        tag("div", tag("dt", tag("code", name) if code else name), tag("dd", value))
        for name, value in facts.items()
    ]
    return tag("dl", *rows, class_="facts")


def _footer(report: Report) -> Markup:
    words = (
        "“Delivered” is Pinterest's word for processed: whether an event was matched to a person, or removed as a duplicate, "
        "Pinterest does not tell. This page holds counts and names, no personal data, and loads nothing."
    )
    return tag(
        "footer",
        tag("p", words, class_="soft small"),
        tag(
            "p",
            f"Written by target-pinterest-capi {report.run.versions.get('target-pinterest-capi', '')}.",
            class_="soft small",
        ),
    )

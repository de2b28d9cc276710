"""The part of the report's page about customer lists: what was changed, and what Pinterest's status means."""

from collections.abc import Iterable
from typing import Final

from target_pinterest_capi.reporting.customer_lists import ListReport
from target_pinterest_capi.reporting.html.markup import Markup, join, number, section, tag
from target_pinterest_capi.reporting.report import Report

HEADS: Final = ("List", "Added", "Removed", "Status")
NUMBERS: Final = frozenset(("Added", "Removed"))


def sections(report: Report) -> Iterable[Markup]:
    """Give the section of the lists; none where there are none."""
    if not report.customer_lists:
        return
    heads = [
        tag("th", head, scope="col", **({"class_": "number"} if head in NUMBERS else {}))
        for head in HEADS
    ]
    rows = [_row(one) for one in report.customer_lists]
    words = (
        "Members of requests that Pinterest took. It does not tell who is on a list, nor how many: its own counters rise for "
        "repeated and absent members too. A list can be used in ads once 100 of its members are matched Pinterest users."
    )
    table = tag(
        "table",
        tag("caption", "By list"),
        tag("thead", tag("tr", *heads)),
        tag("tbody", *rows, role="rowgroup"),
        class_="stack",
        role="table",
    )
    yield section("Customer lists", tag("p", words, class_="soft"), table)


def _row(one: ListReport) -> Markup:
    state = tag("td", _status(one), class_="whole", role="cell")
    return tag(
        "tr",
        tag(
            "th",
            join([one.name, tag("span", f" · {one.list_id or 'not there'}", class_="soft")]),
            scope="row",
            role="rowheader",
        ),
        tag(
            "td",
            number(one.added),
            class_="number" if one.added else "number none",
            data_of="added",
            role="cell",
        ),
        tag(
            "td",
            number(one.removed),
            class_="number" if one.removed else "number none",
            data_of="removed",
            role="cell",
        ),
        state,
        role="row",
    )


def _status(one: ListReport) -> Markup:
    words = [tag("b", one.status or "no answer")]
    if one.meaning:
        words.append(tag("div", f"{one.meaning}.", class_="soft small"))
    if one.exceptions:
        told = ", ".join(f"{name} {value}".strip() for name, value in one.exceptions.items())
        words.append(
            tag(
                "div",
                f"Records that could not be used, by the last answer: {told}.",
                class_="soft small",
            )
        )
    return tag("div", *words)

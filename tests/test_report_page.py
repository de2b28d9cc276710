"""The page: everything in the report, in words, escaped; it loads nothing and runs nothing."""

import re  # noqa: I001
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from report_sample import HOSTILE, event, hostile, observed, ordinary, report_of

from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.event import Event, Origin, encode
from target_pinterest_capi.events.reasons import Dropped
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.reporting.ending import ending, headline
from target_pinterest_capi.reporting.html.page import environment, page
from target_pinterest_capi.reporting.quality import LOW_QUALITY
from target_pinterest_capi.reporting.report import LowQuality, Report

ORDERS = Origin("orders", "paid orders")
SHORTFALL = LowQuality(
    event_name="checkout", measure="hashed_email", measured=1, asked=80, events=5, message="Low."
)


class Reader(HTMLParser):
    """Reads a page: its elements, its words, and whether every element is closed correctly."""

    VOID: ClassVar = {"meta", "link", "line"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words += f"{data} "
            self.text += data


def words(report: Report) -> str:
    return " ".join(Reader(page(report)).words.split())


def delivered_tally(number: int, **reasons: int) -> Counters:
    tally = Counters()
    if number:
        tally.count_outcome(ORDERS, Outcome.DELIVERED, number=number)
    for outcome, count in reasons.items():
        tally.count_outcome(ORDERS, Outcome(outcome), "bad_field", count)
    return tally


def delivered(number: int, mode: str = "live", **reasons: int) -> Report:
    return report_of(delivered_tally(number, **reasons), mode=mode)


def members_only(**run: Any) -> Report:
    """Return the report of a run of a customer list, with an invalid member."""
    tally, members = Counters(), Origin("people", "VIPs")
    tally.list_origins.add(members)
    tally.count_outcome(members, Outcome.DELIVERED, number=7)
    tally.count_outcome(members, Outcome.INVALID, Dropped.NOT_AN_EMAIL, 1)
    return report_of(tally, **run)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (delivered(0), "Nothing to deliver"),
        (delivered(0, skipped=5), "Nothing to deliver"),
        (delivered(1), "The one event was delivered"),
        (delivered(1200), "All 1,200 events delivered"),
        (delivered(1200, invalid=3, rejected=1, skipped=9), "1,200 of 1,204 events delivered"),
        (delivered(0, invalid=1), "0 of 1 event delivered"),
        (delivered(7, mode="test"), "All 7 events accepted by Pinterest's check"),
        (report_of(seen=observed(event(1), event(2)), mode="dry_run"), "2 events would be sent"),
    ],
)
def test_headline(report: Report, line: str):
    """The first line is the result: delivered events of those that were tried."""
    assert headline(report) == line
    assert line in words(report)


@pytest.mark.parametrize(
    ("code", "stopped", "said"),
    [
        (0, None, ["Completed", "1,234 records read, all accounted for"]),
        (
            1,
            "pinterest returned 401: check conversion_token.",
            ["Stopped by an error", "Pinterest returned 401", "nothing is lost"],
        ),
        (3, "too many.", ["Stopped: too many events failed", "Too many."]),
        (143, "SIGTERM came.", ["Interrupted", "SIGTERM came."]),
        (130, None, ["Interrupted"]),
        (7, None, ["Stopped"]),
    ],
)
def test_end_of_the_run_is_reported(code: int, stopped: str | None, said: list[str]):
    """The end of the run is at the top, with its cause and what it means for the next one."""
    text = words(report_of(exit_code=code, stopped=stopped))
    assert all(part in text for part in said)


@pytest.mark.parametrize(
    ("settings", "low_quality", "title"),
    [
        ({"on_invalid": "skip"}, [], "Stopped: too many events failed"),
        ({"on_invalid": "fail"}, [], "Stopped at the first invalid event"),
        ({"on_invalid": "skip"}, [SHORTFALL], "Completed, but below the required quality"),
    ],
)
def test_exit_code_3_has_several_titles(
    settings: dict[str, Any], low_quality: list[LowQuality], title: str
):
    """The title is about what ended the run: the share, one invalid record, or a quality gate."""
    stopped = LOW_QUALITY if low_quality else "too many."
    made = report_of(delivered_tally(5, invalid=1), exit_code=3, stopped=stopped, settings=settings)
    assert ending(msgspec.structs.replace(made, low_quality=low_quality)).title == title


@pytest.mark.parametrize(
    "make", [report_of, ordinary, hostile], ids=["empty", "ordinary", "hostile"]
)
def test_nothing_is_loaded_and_nothing_runs(make):
    """No element loads anything or has code, links stay on the page, and a policy forbids more."""
    text = page(make())
    reader = Reader(text)
    assert reader.open == []
    assert not {tag for tag, _ in reader.elements} & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "audio",
        "video",
    }
    for tag, attributes in reader.elements:
        assert not [
            name
            for name in attributes
            if name.startswith("on") or name in {"src", "srcset", "action", "xlink:href"}
        ]
        link = attributes.get("href", "#")
        assert link is not None
        assert link.startswith("#") or (tag, link) == ("link", "data:,")
    assert "url(" not in text
    assert "@import" not in text
    policy = next(
        attributes["content"]
        for _, attributes in reader.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy


def test_hostile_names_are_words():
    """Any name of a stream, a mapping or a field, and any message, is shown as text."""
    text = page(hostile())
    assert "<script" not in text
    assert "<img" not in text
    reader = Reader(text)
    assert reader.words.count(HOSTILE) > 100
    titles = [unescape(found) for found in re.findall(r"<title>(.*?)</title>", text)]
    assert HOSTILE in titles[0]


@given(st.text(), st.text())
def test_text_is_escaped_wherever_it_stands(content: str, attribute: str):
    """A parser finds one element with exactly this text and attribute, for any characters."""
    template = environment().from_string('<p title="{{ attribute }}">{{ content }}</p>')
    reader = Reader(template.render(content=content, attribute=attribute))
    assert reader.elements == [("p", {"title": attribute})]
    assert reader.text == content


def test_backticks_are_code():
    """Advice shows code as such, and stays escaped."""
    template = environment().from_string(
        '{% from "macros.html" import prose %}{{ prose("The `when` is <0.") }}'
    )
    assert template.render() == "The <code>when</code> is &lt;0."


def test_name_that_is_not_there_is_an_error():
    """A template with an unknown name fails, and leaves no gap in the page."""
    with pytest.raises(UndefinedError, match="delivred"):
        environment().from_string("{{ delivred }}").render()


def test_templates_are_loaded_by_a_page_alone():
    """A run with a JSON report does not import the template engine."""
    script = (
        "import sys; from target_pinterest_capi.reporting import report_file;"
        "sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_every_number_of_the_report_is_on_the_page():
    """Outcomes, reasons, advice, values, warnings, requests and settings are all there."""
    made = ordinary()
    text = words(made)
    for row in made.outcomes:
        counts = f"{row.delivered:,} {row.invalid:,} {row.rejected:,} {row.skipped:,}"
        assert f"{row.stream} · {row.mapping} {counts}" in text
    for reason in made.reasons:
        assert " ".join(reason.advice.replace("`", " ").split()) in text
        place = filter(None, (reason.stream, reason.mapping, reason.event_name))
        assert f"{reason.events:,} {' · '.join(place)}" in text
    for value in made.values:
        assert value.advice in text
        assert f"{value.values:,} {value.stream} · {value.mapping} · {value.field}" in text
    for warning in made.warnings:
        assert warning.message[1:] in text
    assert "pinterest-rejected.jsonl" in text
    assert "max_rejected_ratio 1.0" in text
    assert "default_country not set" in text
    assert "ledger true" in text


def test_coverage_of_every_event_name_is_there():
    """Each name, and all together, have a row for each component; later names are folded."""
    text = page(ordinary())
    captions = re.findall(r"<caption>([^<]*)<span class=\"soft\"> · ([\d,]+) events", text)
    assert captions == [("All events", "1,230"), ("checkout", "1,200"), ("page_visit", "30")]
    rows = re.findall(
        r'<th scope="row">([^<]+)</th>\s*'
        r'<td(?:><span class="track"[^>]*><i style="width:([\d.]+)%"></i></span></td>\s*'
        r"<td)? [^>]*>([^<]+)",
        text[text.index("<caption>All events") :],
    )
    assert [row[0] for row in rows[:11]] == [component.title for component in COMPONENTS]
    bars = {row[0]: row[1:] for row in rows[:11]}
    assert {bars[name] for name in ("Order id", "Order value")} == {("", "not applicable")}
    assert bars["E-mail"] == ("100.00", "100%")
    assert bars["IP address"] == ("97.56", "98%")
    assert bars["Click id (epik)"] == ("2.44", "2.4%")
    assert "more event names" not in text
    assert "more event names" in page(hostile())


def test_over_time_is_a_chart_and_a_table():
    """The chart has a name in words, and every column's number is in a table too."""
    made = ordinary()
    text = page(made)
    shapes = re.findall(
        r'<rect x="([\d.]+)%" y="([\d.]+)%"\s+width="([\d.]+)%" height="([\d.]+)%"', text
    )
    assert len(shapes) == len(made.delivered.over_time)
    for x, y, width, height in (map(float, shape) for shape in shapes):
        assert x + width <= 100.001
        assert abs(y + height - 100) < 0.02
    (label,) = re.findall(r'<svg role="img" aria-label="([^"]+)"', text)
    assert "1,230 events from" in label
    table = text[text.index("The same as a table") :]
    numbers = [
        int(found.replace(",", ""))
        for found in re.findall(r'</th>\s*<td class="number">([\d,]+)</td>', table)
    ]
    assert numbers[: len(made.delivered.over_time)] == [
        bucket.events for bucket in made.delivered.over_time
    ]


def test_what_the_events_show_to_be_wrong_is_said_first():
    """A constant id and late events come first, with advice; a section names the repeated ids."""
    text = words(ordinary())
    assert "All 30 events of page_visit have the same event_id" in text
    assert "Map event_id to a column that differs from event to event." in text
    late = ordinary().delivered.delays.late_online
    assert f"{late:,} web or app events reached Pinterest over an hour after they happened" in text
    assert "page_visit 29 of 30 97%" in text


def test_repeats_are_explained_with_and_without_a_ledger():
    """The ledger is suggested if there is none; a long run's counts are marked as estimates."""
    twice = observed(event(1), event(1), event(2))
    without = words(report_of(seen=twice, settings={"ledger": False}))
    assert "checkout 1 of 3 33%" in without
    assert "With ledger_url such repeats are not sent." in without
    assert "With ledger_url" not in words(report_of(seen=twice, settings={"ledger": True}))
    assert "No delivered event of this run has the id of another." in words(
        report_of(seen=observed(event(1)))
    )
    twice.ids._mask = 1
    assert "Repeated ids are estimated: the run was too long" in words(report_of(seen=twice))


def test_share_without_an_id_of_their_own():
    """It has its event names, and its meaning next to the tag; without duplicates it is absent."""
    names = ("checkout", "checkout", "checkout", "signup")
    derived = [event(number, name, has_derived_id=True) for number, name in enumerate(names)]
    said = "without an event_id"
    assert f"4 of 5 events (80%) came {said} (3 checkout, 1 signup): theirs is derived" in words(
        report_of(seen=observed(event(4), *derived))
    )
    assert said not in words(report_of(seen=observed(event(1))))


def test_share_within_the_hour():
    """It is in a tile and above the bars, unless nothing was delivered."""
    made = report_of(seen=observed(event(1, hours_ago=0.1), event(2, hours_ago=3)))
    assert "50% of the events reached Pinterest within an hour." in words(made)
    assert "Within the hour" not in words(report_of())
    would_be = report_of(seen=observed(event(1, hours_ago=0.1)), mode="dry_run")
    assert "Within the hour" not in words(would_be)


def test_dry_run_tells_no_delays():
    """If nothing was sent, the top says so, and there is nothing about arrival times."""
    text = words(report_of(seen=observed(event(1, hours_ago=30)), mode="dry_run"))
    assert "Events were built, but not sent." in text
    assert "How soon" not in text
    assert "over an hour" not in text


def test_page_works_without_eyes():
    """The page has headings, landmarks, a language and named tables, and no id twice."""
    reader = Reader(page(ordinary()))
    tags = [tag for tag, _ in reader.elements]
    assert (
        tags.count("h1"),
        tags.count("main"),
        tags.count("header"),
        tags.count("footer"),
        tags.count("nav"),
    ) == (1, 1, 1, 1, 1)
    assert dict(reader.elements)["html"] == {"lang": "en"}
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in reader.elements:
        assert attributes.get("aria-labelledby", ids[0]) in ids
        assert (attributes.get("href") or "").removeprefix("#") in {*ids, "", "data:,"}
    assert all("scope" in attributes for tag, attributes in reader.elements if tag == "th")


def worth(name: str, *values: tuple[str | None, str | None]) -> list[Event]:
    """Return events of a name with these values and currencies."""
    made = []
    for number, (value, currency) in enumerate(values):
        custom = {"value": value, "currency": currency}
        members = {
            "event_name": name,
            "user_data": {"em": ["0" * 64]},
            "custom_data": {key: one for key, one in custom.items() if one is not None},
        }
        made.append(msgspec.structs.replace(event(number, name), body=encode(members)))
    return made


def test_what_the_events_were_worth_comes_first():
    """Values are exact sums by event and currency, delivered next to rejected ones."""
    usd = worth("checkout", ("0.10", "USD"), ("0.20", "USD"), ("1234.5", "USD"), (None, None))
    seen = observed(*usd, *worth("checkout", ("7", None)), *worth("signup", ("3.00", "EUR")))
    seen.count_rejected(worth("checkout", ("99.99", "USD"))[0])
    made = report_of(seen=seen)
    assert [
        (row.event_name, row.currency, str(row.delivered), row.delivered_events, str(row.rejected))
        for row in made.amounts
    ] == [
        ("checkout", "USD", "1234.80", 3, "99.99"),
        ("checkout", None, "7", 1, "0"),
        ("signup", "EUR", "3.00", 1, "0"),
    ]
    text = words(made)
    assert "USD delivered 1,235" in text
    assert "checkout · USD 1,234.80 USD 3 99.99 USD" in text
    html = page(made)
    assert html.index('id="what-the-events-were-worth"') < html.index('id="outcomes-of-the-events"')


def test_members_are_not_events():
    """A run of events and members shows both separately; the table of events has no lists."""
    tally = Counters()
    tally.count_outcome(ORDERS, Outcome.DELIVERED, number=5)
    members = Origin("people", "VIPs")
    tally.list_origins.add(members)
    tally.count_outcome(members, Outcome.DELIVERED, number=7)
    tally.count_outcome(members, Outcome.INVALID, Dropped.NOT_AN_EMAIL, 1)
    made = report_of(tally)
    assert headline(made) == "All 5 events and 7 of 8 list members delivered"
    assert [row.counts for row in made.outcomes] == ["events", "members"]
    assert (made.members.delivered, made.members.invalid) == (7, 1)
    assert "people · VIPs 7" not in words(made)


def test_a_run_of_lists_alone_is_about_members():
    """Without events, no part of the page is about events."""
    text = words(members_only())
    assert "Completed, but some list members need attention" in text
    assert "Outcomes of the events" not in text
    assert "Events delivered" not in text
    assert "What was not delivered" in text


def test_events_that_wait_are_part_of_the_outcomes():
    """Shares are of all events that were read, so one invalid event is not 100 % of them."""
    tally = delivered_tally(0, invalid=1)
    assert "1 invalid 10%" in words(report_of(tally, without_outcome=9, exit_code=1))
    assert "9 waiting 90%" in words(report_of(tally, without_outcome=9, exit_code=1))
    assert "waiting" not in words(report_of(tally))


def test_run_without_records():
    """It says so, and has no shares of nothing."""
    text = words(report_of(records=0))
    assert "No records were read." in text
    assert "0%" not in text


@pytest.mark.parametrize(
    ("mode", "verb"), [("live", "delivered"), ("test", "accepted"), ("dry_run", "would be sent")]
)
def test_only_live_events_are_delivered(mode: str, verb: str):
    """A tile and the table of values say what happened to the events in each mode."""
    text = words(report_of(seen=observed(*worth("checkout", ("5", "USD"))), mode=mode))
    assert f"USD {verb} 5 checkout Events {verb} 1" in text
    assert f"Event {verb.capitalize()} Events with a value" in text


def test_bars_are_on_one_scale():
    """A full bar is all events, in delays as in match keys."""
    seen = observed(event(1, hours_ago=0.1), event(2, hours_ago=3), event(3, hours_ago=3))
    text = page(report_of(seen=seen))
    delays = text[text.index('id="how-soon-pinterest-got-them"') :]
    assert re.findall(r"width:([1-9][\d.]*)%", delays) == ["33.33", "66.67"]


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"mode": "test"}, "Test. Pinterest checked the events and recorded none of them."),
        ({"mode": "dry_run"}, "Dry run. Events were built, but not sent."),
        ({"is_sandbox": True, "api": "127.0.0.1"}, "Sandbox. Everything was sent to 127.0.0.1"),
        (
            {"is_sandbox": True, "api": "127.0.0.1", "mode": "test"},
            "Test. The sandbox at 127.0.0.1 checked the events and recorded none of them.",
        ),
        ({}, None),
    ],
)
def test_a_run_that_reached_nobody_has_a_banner(run: dict[str, Any], said: str | None):
    """A test, a dry run and a sandbox say so at the top; a live run has no banner."""
    text = page(report_of(**run))
    assert ('class="banner"' in text) == (said is not None)
    assert (said or "") in words(report_of(**run))


def test_what_to_do_leads_to_its_place():
    """Problems that need action are at the top, each a link to an existing element."""
    text = page(ordinary())
    links = re.findall(r'<li><a href="#(why-[^"]+)"', text)
    assert links[0] == "why-invalid-no-identifier"
    assert all(f'id="{link}"' in text for link in links)


def test_warnings_say_which_events_they_are_about():
    """A warning of Pinterest's names the events' names, if they may be shown."""
    tally, seen = Counters(), observed()
    for name in ("checkout", "checkout", "not a known name"):
        tally.count_warning("Odd.")
        seen.count_warning("Odd.", event(1, name))
    (warning,) = report_of(tally, seen).warnings
    assert warning.event_names == {"checkout": 2, "(others)": 1}

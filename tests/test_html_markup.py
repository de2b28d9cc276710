"""Markup and numbers of the page: text is always escaped, shares never claim more than there is, charts stay within their frame."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.reporting.html import markup as marks
from target_pinterest_capi.reporting.html.markup import Column, Markup

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.text(), st.text())
def test_text_is_escaped_wherever_it_stands(content: str, attribute: str):
    """A parser finds one element with just this text and attribute, whatever they are."""
    found: list[object] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, attrs))

        def handle_endtag(self, tag):
            found.append(tag)

        def handle_data(self, data):
            found.append(data)

    parser = Parser()
    parser.feed(marks.tag("p", content, title=attribute))
    parser.close()
    texts = "".join(one for one in found[1:-1] if isinstance(one, str))
    assert (found[0], texts, found[-1]) == (("p", [("title", attribute)]), content, "p")


def test_markup_is_not_escaped_again():
    """Elements within elements stay elements; names of attributes are made of Python's."""
    inner = marks.tag("b", "a < b", class_="x", data_of="y")
    assert marks.tag("p", inner, " & c") == '<p><b class="x" data-of="y">a &lt; b</b> &amp; c</p>'
    assert isinstance(inner, Markup)


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 0, "0%"), (0, 10, "0%"), (10, 10, "100%"), (1, 3, "33%"), (1, 30, "3.3%"), (1, 10_000, "<0.1%"), (1, 1000, "0.1%"),
        (994, 1000, "99%"), (995, 1000, "99.5%"), (9999, 10_000, "99.9%"), (10**9 - 1, 10**9, "99.9%"), (95, 1000, "9.5%"),
        (999, 10_000, "10%"), (1, 2, "50%"),
    ],
)  # fmt: skip
def test_percent(part: int, whole: int, words: str):
    """Small shares keep a digit; 0% and 100% are said of none and all alone."""
    assert marks.percent(part, whole) == words


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_percent_says_all_and_none_of_nothing_else(whole: int, part: int):
    """Whatever the numbers, only none is 0% and only all is 100%."""
    part = min(part, whole)
    words = marks.percent(part, whole)
    assert (words == "0%") == (part == 0)
    assert (words == "100%") == (part == whole)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"), (1.14, "1.1 s"), (9.94, "9.9 s"), (10, "10 s"), (59.4, "59 s"), (59.6, "1 min"), (61, "1 min 1 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"), (90_000, "1 d 1 h"), (864_000, "10 d"),
    ],
)  # fmt: skip
def test_duration(seconds: float, words: str):
    """The two largest units, and tenths of a second where it was short."""
    assert marks.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 events"), (1, "1 event"), (2, "2 events"), (1_234_567, "1,234,567 events")],
)
def test_counts_agree_with_their_noun(count: int, words: str):
    """One is singular; thousands stand apart."""
    assert marks.counted(count, "event") == words


def test_backticks_are_code():
    """Words of advice show code as such, and stay escaped."""
    assert marks.prose("The `when` is <0.") == "The <code>when</code> is &lt;0."


@given(st.integers(0, 10**12))
def test_scale_ends_at_a_round_even_number(highest: int):
    """The scale's top is not below the highest column, not far above it, and has a whole half."""
    top = marks.nice_top(highest)
    assert highest <= top <= max(2, 2 * highest)
    assert top % 2 == 0


@given(
    st.lists(st.integers(0, 199), min_size=1, unique=True),
    st.sampled_from((3600, 86_400, 604_800, 4 * 604_800)),
)
def test_columns_stay_within_the_frame(slots: list[int], width: int):
    """Every column and label is within the chart's width and height, however many there are and however long the time."""
    filled = [Column(START + timedelta(seconds=slot * width), slot + 1) for slot in sorted(slots)]
    chart = marks.columns(filled, width, "Events over time", "events")
    shapes = re.findall(
        r'<rect x="([\d.]+)%" y="([\d.]+)%" width="([\d.]+)%" height="([\d.]+)%"', chart
    )
    assert len(shapes) == len(slots)
    for x, y, wide, high in (map(float, shape) for shape in shapes):
        assert x + wide <= 100.001
        assert abs(y + high - 100) < 0.02
    places = [float(place) for place in re.findall(r"left:([\d.]+)%", chart)]
    assert all(0 <= place < 93.01 for place in places)
    assert places == sorted(places)
    assert len(places) <= marks.TICKS + 1


@pytest.mark.parametrize(
    ("hours", "width", "labels"),
    [
        (1, 3600, ["12:00"]),
        (6, 3600, ["12:00", "13:00", "14:00", "15:00", "16:00", "17:00"]),
        (30, 3600, ["12:00", "18:00", "3 Mar", "06:00", "12:00"]),
        (100, 3600, ["3 Mar", "4 Mar", "5 Mar", "6 Mar"]),
        (24 * 6, 86_400, ["2 Mar", "3 Mar", "4 Mar", "5 Mar", "6 Mar", "7 Mar"]),
        (24 * 21, 86_400, ["2 Mar", "9 Mar", "16 Mar"]),
    ],
)
def test_labels_are_at_round_times(hours: int, width: int, labels: list[str]):
    """Labels name whole hours, midnights or Mondays, a handful at most."""
    start = START if width == 3600 else START.replace(hour=0)
    filled = [
        Column(start, 1),
        Column(start + timedelta(hours=hours) - timedelta(seconds=width), 1),
    ]
    chart = marks.columns(filled if hours > 1 else filled[:1], width, "Events over time", "events")
    assert re.findall(r"<span[^>]*left:[\d.]+%[^>]*>([^<]+)<", chart) == labels


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (3600, "2 Mar 2026, 12:00"),
        (86_400, "Mon 2 Mar 2026"),
        (604_800, "1 week from 2 Mar 2026"),
        (2_419_200, "4 weeks from 2 Mar 2026"),
    ],
)
def test_periods_are_named(width: int, words: str):
    """A column is named by its hour, its day, or its weeks."""
    assert marks.period(START, width) == words

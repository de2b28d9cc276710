"""The page in a real browser: it loads alone, and is readable in both schemes and on a phone."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chromium import Browser, program
from report_sample import hostile, ordinary, report_of

from given import ACCOUNT
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.reporting.customer_lists import CustomerListReport
from target_pinterest_capi.reporting.html.page import page
from target_pinterest_capi.reporting.report import Report
from target_pinterest_capi.reporting.trend import numbers_of


def with_lists() -> Report:
    """Return the ordinary report with a list of each status, and one that is not there."""

    def one(status: str | None, **changes: Any) -> CustomerListReport:
        given = {
            "name": f"Members {status}",
            "ad_account_id": ACCOUNT,
            "list_id": "2680059592705" if status else None,
            "created": False,
            "added": 1250,
            "removed": 50,
            "status": status,
            "uploaded_records": 1250,
            "removed_records": 50,
            "exceptions": {},
            "answers_with_exceptions": 0,
            "audience": None,
        }
        return CustomerListReport(**{**given, **changes})

    lists = [
        one("READY"),
        one("TOO_SMALL", exceptions={"invalid_records": "2"}),
        one("ODD"),
        one(None, added=0, removed=0),
    ]
    return msgspec.structs.replace(ordinary(), customer_lists=lists)


def run_before(report: Report, days: int) -> Report:
    """Return the same report of a run some days earlier."""
    ended_at = report.run.ended_at - timedelta(days=days)
    run = msgspec.structs.replace(report.run, id=f"{days} days before", ended_at=ended_at)
    return msgspec.structs.replace(report, run=run)


PHONE, DESK = 360, 1280
REPORTS = {"empty": report_of, "ordinary": ordinary, "hostile": hostile, "lists": with_lists}
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
SIZES = pytest.mark.parametrize("width", [320, PHONE, 768, DESK])
ALL_REPORTS = pytest.mark.parametrize("name", REPORTS)

OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"

# Every text with less contrast than WCAG 2 AA asks: 4.5, or 3 where it is large.
TOO_FAINT = """
(() => {
  const channels = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number)
    return {r, g, b, a}
  }
  const light = ({r, g, b}) => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
    const [x, y, z] = [r, g, b].map(v => linear(v / 255))
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor)
      if (colour.a === 1) return colour
    }
    return {r: 255, g: 255, b: 255}
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const found = [], seen = []
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement
    if (!node.data.trim() || !element.getClientRects().length) continue
    const style = getComputedStyle(element), size = parseFloat(style.fontSize)
    const lights = [light(channels(style.color)), light(behind(element))]
    const [one, other] = lights.sort((a, b) => b - a)
    const contrast = (one + 0.05) / (other + 0.05)
    const wanted = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5
    seen.push(contrast)
    if (contrast < wanted) found.push(`${contrast.toFixed(2)}: ${node.data.trim().slice(0, 40)}`)
  }
  return {found, seen: seen.length}
})()
"""
FOCUSED = """
(one => [
  one.tagName, one.textContent.trim().slice(0, 30), getComputedStyle(one).outlineStyle
])(document.activeElement)
"""
# What has to be distinguished without words, which wants 3: its colour and that of its card.
MARKS = """
[...document.querySelectorAll('.share i, .track i, .chart rect, .note > i')].map(one => {
  const style = getComputedStyle(one)
  const card = getComputedStyle(one.closest('.card, .note')).backgroundColor
  return [one.tagName === 'rect' ? style.fill : style.backgroundColor, card]
})
"""


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours in the browser's notation (WCAG 2.1)."""

    def light(colour: str) -> float:
        shares = [
            int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")
        ]
        red, green, blue = (
            share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
            for share in shares
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    executable = program()
    if executable is None:
        reason = "Chromium is not installed: apt-get install chromium"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with Browser(executable, tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, make in REPORTS.items():
        earlier = [run_before(make(), day) for day in range(1, 30)] if name == "ordinary" else []
        (folder / f"{name}.html").write_text(page(make(), map(numbers_of, earlier)))
    return {name: folder / f"{name}.html" for name in REPORTS}


@ALL_REPORTS
@SCHEMES
def test_page_loads_alone(browser, pages, name: str, dark: bool):
    """The browser loads only the file, without errors; hostile names create no element."""
    browser.open(pages[name], dark=dark)
    assert browser.requests() == [pages[name].as_uri()]
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelectorAll('script, img, iframe').length") == 0


@ALL_REPORTS
@SIZES
def test_nothing_is_wider_than_the_screen(browser, pages, name: str, width: int):
    """The page never scrolls sideways, on phone or desktop, unfolded, with the longest names."""
    browser.open(pages[name], width=width)
    browser.evaluate(OPEN_ALL)
    outside = """
    [...document.querySelectorAll('body *')]
      .filter(one => !one.closest('.scroll, .skip, svg, .stack thead'))
      .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map(one => one.tagName + '.' + one.className)
    """
    assert browser.evaluate(outside) == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@ALL_REPORTS
@SCHEMES
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_texts_have_contrast(browser, pages, name: str, dark: bool, width: int):
    """Every text has the contrast of WCAG 2 AA to its background, in both colour schemes."""
    browser.open(pages[name], width=width, dark=dark)
    browser.evaluate(OPEN_ALL)
    result = browser.evaluate(TOO_FAINT)
    assert result["seen"] > 30
    assert result["found"] == []


@SCHEMES
def test_bars_have_contrast(browser, pages, dark: bool):
    """Bars, shares and signs have a contrast of 3 to their card, in both colour schemes."""
    browser.open(pages["ordinary"], dark=dark)
    found = {tuple(pair) for pair in browser.evaluate(MARKS)}
    assert len(found) >= 5
    assert min(contrast(*pair) for pair in found) >= 3


def test_schemes_differ(browser, pages):
    """The system's scheme is shown: dark on light, or light on dark."""
    shown = []
    for dark in (False, True):
        browser.open(pages["ordinary"], dark=dark)
        shown.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    light, dark_ = (contrast(colour, "rgb(0, 0, 0)") for colour in shown)
    assert light > 15
    assert dark_ < 2


def test_everything_is_reached_by_keyboard(browser, pages):
    """Tab goes to the skip link, then to every link and fold in order, each visibly outlined."""
    browser.open(pages["ordinary"])
    expected = browser.evaluate(
        "[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')]"
        ".filter(one => one.checkVisibility()).length"
    )
    reached = []
    for _ in range(expected):
        browser.press("Tab")
        reached.append(browser.evaluate(FOCUSED))
    assert reached[0][:2] == ["A", "Skip to the report"]
    assert len({(tag, text) for tag, text, _ in reached}) == expected
    assert {outline for _, _, outline in reached} == {"solid"}


def test_fold_opens_by_keyboard(browser, pages):
    """Enter on a fold opens it: the chart's numbers can be read without a mouse."""
    browser.open(pages["ordinary"])
    browser.evaluate(
        "[...document.querySelectorAll('summary')]"
        ".find(one => one.textContent === 'The same as a table').focus()"
    )
    browser.press("Enter")
    assert browser.evaluate("document.activeElement.parentElement.open") is True


# Between a number and the words of the next cell in its row: pixels from one text to the other.
GAPS = """
[...document.querySelectorAll('table .number + :is(th, td):not(.number)')].map(cell => {
  const edges = one => {
    const range = document.createRange()
    range.selectNodeContents(one)
    return range.getBoundingClientRect()
  }
  const number = edges(cell.previousElementSibling)
  return [cell.textContent, edges(cell).left - number.right]
})
"""


def test_words_keep_away_from_the_number_before_them(browser, pages):
    """Between a number and the words after it there is a space of at least 1.5 characters."""
    browser.open(pages["lists"], width=DESK)
    gaps = browser.evaluate(GAPS)
    texts = [" ".join(words.split()) for words, _ in gaps]
    assert texts[:2] == ["Status", "READY it can be used in ads."]
    assert len(gaps) == 5
    assert [words for words, gap in gaps if gap < 20] == []


def test_words_have_the_whole_width_on_a_phone(browser, pages):
    """Descriptions of statuses and components are not squeezed into half of a small screen."""
    browser.open(pages["lists"], width=PHONE)
    browser.evaluate(OPEN_ALL)
    widths = browser.evaluate(
        "[...document.querySelectorAll('td.whole')]"
        ".map(one => one.offsetWidth / one.parentElement.offsetWidth)"
    )
    assert len(widths) == len(with_lists().customer_lists) + 2 * len(COMPONENTS)
    assert min(widths) > 0.95


def test_no_number_is_broken(browser, pages):
    """The number of a reason is on one line on a phone, however large."""
    browser.open(pages["ordinary"], width=PHONE)
    lines = browser.evaluate("""
    [...document.querySelectorAll('.reason > strong')].map(one => {
      one.textContent = '1,234,567'
      const text = document.createRange()
      text.selectNodeContents(one)
      return text.getClientRects().length
    })
    """)
    assert set(lines) == {1}


@pytest.mark.parametrize("width", [PHONE, 768, DESK])
def test_names_of_components_are_not_broken(browser, pages, width: int):
    """Names to copy are on one line at every width."""
    browser.open(pages["ordinary"], width=width)
    browser.evaluate(OPEN_ALL)
    lines = browser.evaluate(
        "[...document.querySelectorAll('.components code')].map(one => one.getClientRects().length)"
    )
    assert set(lines) == {1}


def test_tables_stay_tables_on_a_phone(browser, pages):
    """Assistive technology still finds a table when rows are blocks, and the picture's name."""
    browser.open(pages["ordinary"], width=PHONE)
    nodes = [
        node
        for node in browser.call("Accessibility.getFullAXTree")["nodes"]
        if not node.get("ignored")
    ]
    roles = [node["role"]["value"] for node in nodes]
    names = {node["name"]["value"] for node in nodes if node["role"]["value"] in {"image", "img"}}
    assert roles.count("row") >= 24
    assert {"banner", "main", "navigation", "contentinfo", "rowheader", "caption"} <= set(roles)
    assert any(name.startswith("Events over time: 1,230 events") for name in names)


def test_phone_texts_and_targets_are_large_enough(browser, pages):
    """On a phone text is at least 12 pixels, and links are 24 pixels high (WCAG 2.2 AA)."""
    browser.open(pages["ordinary"], width=PHONE)
    sizes = browser.evaluate(
        "[...document.querySelectorAll('body *')]"
        ".map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 12
    heights = browser.evaluate(
        "[...document.querySelectorAll('nav a, summary')]"
        ".map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 24


AXE = "axe-core@4.14.1"  # of the npm registry
VIOLATIONS = """
axe.run().then(result => JSON.stringify(
  result.violations.map(one => [one.id, one.nodes.map(node => node.html.slice(0, 120))])
))
"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    """Deque's accessibility checker, as published by its authors."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    done = npm and subprocess.run([npm, "pack", AXE], cwd=folder, capture_output=True, check=False)
    if not done or done.returncode:
        reason = f"npm cannot fetch {AXE}"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as opened:
        source = opened.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


@ALL_REPORTS
@SCHEMES
@pytest.mark.parametrize("width", [PHONE, 768, DESK])
def test_axe_finds_nothing(browser, pages, axe, name: str, dark: bool, width: int):
    """The accessibility checker reports no violation, at three widths, light and dark."""
    browser.call("Page.setBypassCSP", enabled=True)  # the page's own policy lets nothing run
    browser.open(pages[name], width=width, dark=dark)
    browser.call("Page.setBypassCSP", enabled=False)
    browser.evaluate(f"{axe}; 0")
    found = browser.call(
        "Runtime.evaluate", expression=VIOLATIONS, awaitPromise=True, returnByValue=True
    )
    assert json.loads(found["result"]["value"]) == []

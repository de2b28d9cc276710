"""`pinterest-capi report`: from a report to a page, or a clear error."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from report_sample import event, hostile, observed, ordinary, report_of

from target_pinterest_capi.cli.main import main
from target_pinterest_capi.reporting.causes import find_causes
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.ending import headline
from target_pinterest_capi.reporting.html.page import page
from target_pinterest_capi.reporting.report import encode


@pytest.fixture
def run_json(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    path.write_bytes(encode(ordinary()))
    return path


def report(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_page_goes_beside_the_report(run_json: Path):
    """Without -o the page has the report's name with .html, and its path is printed."""
    done = report(run_json)
    assert (done.exit_code, done.output) == (0, f"Written to {run_json.with_suffix('.html')}\n")
    assert run_json.with_suffix(".html").read_text() == page(ordinary())


def test_page_goes_where_it_is_wanted(run_json: Path, tmp_path: Path):
    """-o names a file, whose folder is created, or - for standard output."""
    assert report(run_json, "-o", tmp_path / "pages" / "march.html").exit_code == 0
    assert (tmp_path / "pages" / "march.html").read_text() == page(ordinary())
    assert report(run_json, "--output", "-").output == page(ordinary())
    assert not run_json.with_suffix(".html").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shopper@example.com", "it is not JSON"),
        (json.dumps({"format": 2}), "not a run report of format 1"),
        (json.dumps([1]), "not a run report of format 1"),
    ],
)
def test_what_is_no_report_is_said_so(tmp_path: Path, text: str, words: str):
    """A file that is not a report ends with exit 1, the cause and advice, without its content."""
    (tmp_path / "run.json").write_text(text)
    done = report(tmp_path / "run.json")
    assert done.exit_code == 1
    assert words in done.output
    assert "report_path" in done.output
    assert "shopper" not in done.output
    assert not (tmp_path / "run.html").exists()


def test_report_is_never_overwritten_by_its_page(run_json: Path, tmp_path: Path):
    """The report itself as output, by any path, is refused, and so is a place without access."""
    before = run_json.read_bytes()
    assert report(run_json, "-o", tmp_path / "." / "run.json").exit_code == 2
    assert run_json.read_bytes() == before
    done = report(run_json, "-o", run_json / "page.html")
    assert (done.exit_code, "cannot be written" in done.output) == (1, True)


def test_file_that_is_not_there(tmp_path: Path):
    """A wrong path is a usage error: exit 2."""
    assert report(tmp_path / "none.json").exit_code == 2


def test_text_says_what_the_ids_show(run_json: Path):
    """Names with repeated or constant ids, and events without an id."""
    derived = [event(number, "lead", has_derived_id=True) for number in (1, 2, 3)]
    constant = [event(number, "signup", event_id="same") for number in range(12)]
    seen = observed(event(1), event(1), *constant, *derived)
    tally = Counters()
    tally.compare_ids(constant)
    run_json.write_bytes(encode(report_of(tally, seen)))
    shown = " ".join(report(run_json, "--text").output.split())
    for words in (
        "3 of 17 events (18%) came without an event_id (3 lead): theirs is derived",
        "All 12 events of signup have the same event_id, and Pinterest counts only one",
        "signup: 11 of 12 repeat an earlier id",
        "checkout: 1 of 2 repeat an earlier id",
    ):
        assert words in shown


def test_text_says_what_the_page_says(run_json: Path):
    """--text prints the headline, each stream's outcomes, and every reason with its advice."""
    found = ordinary()
    done = report(run_json, "--text")
    shown = " ".join(done.output.split())
    assert (done.exit_code, headline(found) in shown) == (0, True)
    for row in found.outcomes:
        assert row.stream in shown
        assert f"{row.delivered:,}" in shown or not row.delivered
    for causes in find_causes(found):
        for cause in causes:
            assert cause.words in shown
            assert " ".join(cause.advice.split()) in shown
    assert not run_json.with_suffix(".html").exists()


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_text_keeps_to_the_width(run_json: Path, columns: int):
    """No line is longer than the terminal, and a narrow one gets numbers as lists."""
    run_json.write_bytes(encode(hostile()))
    done = CliRunner(env={"COLUMNS": str(columns)}).invoke(
        main, ["report", str(run_json), "--text"]
    )
    assert max(map(len, done.output.splitlines())) <= columns
    assert ("rejected, " in done.output) or columns >= 80


def test_text_has_no_control_characters(run_json: Path):
    """Names from outside cannot move the cursor or forge a line."""
    run_json.write_bytes(encode(hostile()))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", report(run_json, "--text").output)


def test_text_and_a_page_are_two_things(run_json: Path):
    """--text with -o is a usage error."""
    done = report(run_json, "--text", "-o", "page.html")
    assert (done.exit_code, "Use one of them" in done.output) == (2, True)

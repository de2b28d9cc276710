"""`pinterest-capi report`: a report in, a page out, and words where that cannot be."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from report_sample import ordinary

from target_pinterest_capi.cli.main import main
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
    """Without -o the page has the report's name, ends in .html, and its place is printed."""
    done = report(run_json)
    assert (done.exit_code, done.output) == (0, f"Written to {run_json.with_suffix('.html')}\n")
    assert run_json.with_suffix(".html").read_text() == page(ordinary())


def test_page_goes_where_it_is_wanted(run_json: Path, tmp_path: Path):
    """-o names a file, whose directory is made, or - for standard output."""
    assert report(run_json, "-o", tmp_path / "pages" / "march.html").exit_code == 0
    assert (tmp_path / "pages" / "march.html").read_text() == page(ordinary())
    assert report(run_json, "--output", "-").output == page(ordinary())
    assert not run_json.with_suffix(".html").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shopper@example.com", "it is no JSON"),
        (json.dumps({"format": 2}), "no run report of format 1"),
        (json.dumps([1]), "no run report of format 1"),
    ],
)
def test_what_is_no_report_is_said_so(tmp_path: Path, text: str, words: str):
    """A file that is no report ends with exit 1, why, and how to get one, without its content."""
    (tmp_path / "run.json").write_text(text)
    done = report(tmp_path / "run.json")
    assert done.exit_code == 1
    assert words in done.output
    assert "report_path" in done.output
    assert "shopper" not in done.output
    assert not (tmp_path / "run.html").exists()


def test_report_is_never_overwritten_by_its_page(run_json: Path, tmp_path: Path):
    """The report itself as output, by whatever path, is refused, as is a place without access."""
    before = run_json.read_bytes()
    assert report(run_json, "-o", tmp_path / "." / "run.json").exit_code == 2
    assert run_json.read_bytes() == before
    done = report(run_json, "-o", run_json / "page.html")
    assert (done.exit_code, "cannot be written" in done.output) == (1, True)


def test_file_that_is_not_there(tmp_path: Path):
    """A wrong path is a mistake in the command: exit 2."""
    assert report(tmp_path / "none.json").exit_code == 2

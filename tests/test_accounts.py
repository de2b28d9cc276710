"""A run's report is consistent: events without an outcome, all requests, levels in the log."""

import json
import logging
from pathlib import Path
from typing import Any

import members
import pytest

from given import record, schema, state
from shopper import visit
from target_pinterest_capi.delivery.results_tables import runs
from target_pinterest_capi.reporting import report as reports
from target_pinterest_capi.reporting.html.page import page

VISITS = schema("visits", *visit(), key_properties=("event_id",))


def visits(*numbers: int, **columns: Any) -> list[bytes]:
    return [record("visits", **visit(number, **columns)) for number in numbers]


def test_wrong_token(run_target, tmp_path: Path):
    """A refused token leaves two events for the next run, as log, report and page say."""
    path = tmp_path / "report.json"
    ran = run_target(
        [VISITS, *visits(1, 2), state({"n": 2})],
        conversion_token="wrong-token",
        report_path=str(path),
    )
    assert (ran.code, ran.states, ran.outcomes) == (1, [], {})
    assert "0 skipped, 2 wait for the next run; run_id=" in ran.log
    assert " without_outcome=2 requests=1 " in ran.log
    report = reports.decode(path.read_bytes())
    assert report.run.without_outcome == 2
    shown = " ".join(page(report).split())
    assert "0 of 2 events delivered; 2 wait for the next run" in shown
    assert "There were no records" not in shown
    assert "Nothing to deliver" not in shown


BOTH = {"mappings": [{"stream": "visits", "preset": "pinterest"}]}


@pytest.mark.parametrize(
    ("given", "headline"),
    [
        (BOTH, "0 of 2 events and 0 of 2 list members delivered; 4 wait for the next run"),
        ({"mappings": []}, "0 of 2 list members delivered; 2 wait for the next run"),
    ],
)
def test_members_that_wait_are_no_events(run_target, tmp_path: Path, given, headline: str):
    """What waits for the next run is counted as what it is: events, or members of lists."""
    path = tmp_path / "report.json"
    ran = run_target(
        [VISITS, *visits(1, 2)],
        conversion_token="wrong-token",
        oauth={"access_token": "wrong-token"},
        customer_lists=[members.entry(stream="visits", member=["em"], operation=None)],
        report_path=str(path),
        **given,
    )
    assert ran.code == 1
    shown = " ".join(page(reports.decode(path.read_bytes())).split())
    assert headline in shown


def test_line_that_cannot_be_read_says_what_is_so(run_target):
    """It is no promise that the records before it were delivered: they may wait."""
    ran = run_target([VISITS, *visits(1, 2), b"{"], conversion_token="wrong-token")
    assert ran.code == 1
    assert "2 wait for the next run" in ran.log
    assert "acknowledged" not in ran.log
    assert "Reading stopped there; the next run continues from STATE." in ran.log


def test_record_that_failed_the_run(run_target, tmp_path: Path):
    """The record at which on_invalid: fail stopped has no outcome, and is counted as waiting."""
    ran = run_target([VISITS, *visits(1), *visits(2, em=None)], on_invalid="fail")
    assert (ran.code, ran.outcomes) == (3, {"delivered": 1})
    assert "1 wait for the next run" in ran.log


def test_nothing_waits_after_a_run_that_ended_well(run_target):
    """If everything is acknowledged, nothing waits."""
    assert "wait for the next run" not in run_target([VISITS, *visits(1)]).log


def test_requests_of_customer_lists(run_target, sandbox, caplog: pytest.LogCaptureFixture):
    """The requests for a customer list are counted in the log and in the metric."""
    ran = run_target(
        [members.SCHEMA, members.row(1), members.row(2)],
        mappings=[],
        customer_lists=[members.entry()],
        oauth={"access_token": "sandbox-access-token"},
    )
    assert ran.code == 0
    sent = ran.target.run.requests.sent
    assert sent > 0
    assert f" requests={sent} " in ran.log
    metrics = [
        json.loads(row.split("METRIC: ")[1]) for row in ran.log.splitlines() if "METRIC" in row
    ]
    assert sum(row["value"] for row in metrics if row["metric"] == "http_request_count") == sent


@pytest.mark.parametrize(
    ("lines", "given", "expected"),
    [
        ([VISITS, *visits(1, 2), state({"n": 2})], {}, {"records": "2", "delivered": "2"}),
        ([], {}, {"records": "0", "requests": "0"}),
        ([VISITS, *visits(1, em=None)], {}, {"exit_code": "3", "dead_letters_written": "1"}),
        ([VISITS, *visits(1), b"{"], {}, {"exit_code": "1", "delivered": "1"}),
        (
            [VISITS, *visits(1)],
            {"conversion_token": "wrong-token"},
            {"exit_code": "1", "without_outcome": "1"},
        ),
        (
            [VISITS, *visits(1)],
            {"results_url": "sqlite:////no/such/folder/results.db"},
            {"exit_code": "1", "records": "0"},
        ),
    ],
)
def test_one_line_at_the_end_is_for_people_and_programs(
    run_target, caplog: pytest.LogCaptureFixture, lines: list[bytes], given, expected
):
    """Whatever the end, the last line has every number by name, and no other line has them."""
    ran = run_target(lines, **given)
    ends = [row for row in caplog.records if "exit_code=" in row.getMessage()]
    assert ends == [caplog.records[-1]]
    words, _, pairs = ends[0].getMessage().rpartition("; ")
    numbers = dict(pair.split("=") for pair in pairs.split())
    assert words.startswith("Stopped after " if ran.code else "Done after ")
    assert {name: numbers[name] for name in ("exit_code", *expected)} == {
        "exit_code": str(ran.code),
        **expected,
    }
    assert numbers.keys() == ends[0].__dict__.keys() & numbers.keys()
    assert {*numbers} - {"run_id", "seconds"} < {column.name for column in runs.columns}


def test_loss_is_a_warning(run_target, caplog: pytest.LogCaptureFixture):
    """Records that did not become events, and dropped values, are logged as warnings."""
    run_target([VISITS, *visits(1), *visits(2, em="nobody"), *visits(3, event_time="soon")])
    lost = [
        row for row in caplog.records if "invalid" in row.message or "not_an_email" in row.message
    ]
    assert lost
    levels = {row.levelno for row in lost if not row.message.startswith("Done")}
    assert levels == {logging.WARNING}

"""The trend of runs: which runs one is compared with, and which changes are reported."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from report_sample import NOW, event, observed, report_of

from target_pinterest_capi.cli.main import main
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.html.page import page
from target_pinterest_capi.reporting.report import Report, encode
from target_pinterest_capi.reporting.trend import MAX_RUNS, Trend, find_trend, numbers_of


def run(days_ago: float, delivered: int, rejected: int = 0, **changes: object) -> Report:
    """Return the report of a run that many days ago."""
    tally, orders = Counters(), Origin("orders", "paid")
    tally.count_outcome(orders, Outcome.DELIVERED, number=delivered)
    if rejected:
        tally.count_outcome(orders, Outcome.REJECTED, "refused_event", rejected)
    seen = observed(*(event(number) for number in range(delivered)))
    given = {"id": f"run-{days_ago}", "ended_at": NOW - timedelta(days=days_ago), **changes}
    return report_of(tally, seen, **given)


def trend_of(shown: Report, *others: Report) -> Trend | None:
    return find_trend(shown, map(numbers_of, others))


def measure(title: str, shown: Report, *others: Report):
    trend = trend_of(shown, *others)
    assert trend is not None
    (found,) = [one for one in trend.measures if one.title == title]
    return found


def test_runs_are_compared_in_their_order():
    """The oldest is first, the current one last, and the report of the same run counts once."""
    shown = run(0, 3)
    trend = trend_of(shown, run(1, 2), shown, run(5, 1))
    assert [len(trend.runs), trend.measures[0].by_run] == [3, [1, 2, 3]]


def test_thirty_runs_are_enough():
    """Of many runs the last thirty are shown."""
    trend = trend_of(run(0, 1), *(run(day, 1) for day in range(1, 50)))
    assert len(trend.runs) == MAX_RUNS


@pytest.mark.parametrize(
    "other",
    [
        run(1, 5, mode="dry_run"),
        run(1, 5, api="127.0.0.1"),
        run(1, 5, ad_account_id="549755885176"),
        run(-1, 5),
    ],
    ids=["another mode", "a sandbox", "another account", "a later run"],
)
def test_only_runs_of_a_kind_are_compared(other: Report):
    """Another account, a test run or a later run is not compared with this one."""
    assert trend_of(run(0, 3), other) is None


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [(100, 50, "-50%"), (100, 100, "as before"), (100, 130, "+30%"), (0, 5, "none before")],
)
def test_volume_is_compared_with_the_week_before(before: int, now: int, change: str):
    """The sum of the last seven days is compared with that of the seven before."""
    events = measure("Events delivered", run(0, now), run(8, before))
    assert (events.week, events.week_before, events.change) == (now, before, change)


def test_without_a_week_before_there_is_no_change():
    """A pipeline of three days has nothing to compare with."""
    events = measure("Events delivered", run(0, 5), run(2, 5))
    assert (events.week, events.week_before, events.change) == (10, None, "")


def test_shares_are_those_of_all_events():
    """A small run with many rejected events does not count as much as a large one."""
    share = measure("Delivered of those tried", run(0, 90, 10), run(1, 0, 100), run(9, 100))
    assert (share.week, share.week_before, share.change) == (45.0, 100.0, "-55.0 points")


def test_a_run_without_events_has_no_share():
    """A share of nothing is not applicable, and is no part of the week's."""
    share = measure("With e-mail", run(0, 0), run(1, 0), run(8, 3))
    assert (share.by_run, share.week, share.week_before) == ([100, None, None], None, 100)
    assert (share.shown(share.week), share.change) == ("not applicable", "")
    assert measure("With e-mail", run(0, 0), run(1, 4)).week == 100


def test_what_a_run_did_not_record_is_not_applicable():
    """A number that older results do not have is no column, and no part of the sum."""
    old = numbers_of(run(1, 4))._replace(failed_events=None, within_an_hour=None)
    trend = find_trend(run(0, 3, 1), [old])
    assert [one.by_run for one in trend.measures[2:]] == [[None, 75], [100, 100], [None, 100]]
    assert [one.week for one in trend.measures[2:]] == [75, 100, 100]
    assert "not applicable" in page(run(0, 3, 1), [old])


def test_the_page_has_the_trend(tmp_path: Path):
    """--trend reads a folder of reports, names other JSON files, and the page compares them."""
    reports = tmp_path / "reports"
    reports.mkdir()
    for day in range(10):
        (reports / f"{day}.json").write_bytes(encode(run(day, 10 - day)))
    (reports / "other.json").write_text("[1]")
    arguments = ["report", str(reports / "0.json"), "--trend", str(reports), "-o", "-"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0
    assert "other.json is skipped" in done.stderr
    assert 'id="trend"' in done.stdout
    assert "This run and the 9 before it" in done.stdout
    assert 'id="trend"' not in page(run(0, 3))


def test_a_report_of_an_earlier_version_can_be_compared():
    """Older reports, without values and sources, count with what they have."""
    old = msgspec.structs.replace(run(1, 4), amounts=[])
    assert trend_of(run(0, 3), old).measures[1].by_run == [0, 0]

"""An entry's own mode: only its events are tested or not sent, in a live run."""

import json

import pytest
from click.testing import CliRunner

from given import record, schema, state
from shopper import seconds_ago, visit
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.sandbox.faults import Fault

ORDERS = schema("orders", "id", key_properties=("id",))
LIVE = {
    "stream": "orders",
    "name": "live",
    "preset": "pinterest",
    "defaults": {"event_name": "checkout", "action_source": "web", "event_time": "now"},
}


def entry(mode: str, **changes):
    """Return another entry for the same stream, in a mode of its own."""
    defaults = {**LIVE["defaults"], "event_name": "lead"}
    return {**LIVE, "name": mode, "mode": mode, "defaults": defaults, **changes}


def orders(number: int):
    """Return an order's record for each number."""
    return [record("orders", id=one, em="jane@example.com") for one in range(number)]


def requests(sandbox):
    """Return for each request whether it was a test, and how many events it had."""
    return sorted((row.test, row.events) for row in sandbox.store.requests())


@pytest.mark.parametrize(
    ("mode", "sent", "reason"),
    [
        ("live", [(False, 50)], None),
        ("test", [(False, 25), (True, 5), (True, 20)], "tested"),
        ("dry_run", [(False, 25)], "dry_run"),
    ],
)
def test_mode_of_an_entry(run_target, sandbox, tmp_path, mode, sent, reason):
    """Its events are sent as tests in separate requests, or not at all, and STATE passes them."""
    report = tmp_path / "report.json"
    ran = run_target(
        [ORDERS, *orders(25), state({"n": 25})],
        mappings=[LIVE, entry(mode)],
        report_path=str(report),
        ledger_url=f"sqlite:///{tmp_path}/ledger.db",
    )
    assert (ran.code, ran.states) == (0, ['{"n": 25}'])
    assert requests(sandbox) == sent
    names = {"checkout", "lead"} if mode == "live" else {"checkout"}
    assert {row.event["event_name"] for row in sandbox.store.events()} == names
    written = json.loads(report.read_text())
    assert [(row["mapping"], row["reason"], row["events"]) for row in written["reasons"]] == (
        [] if reason is None else [(mode, reason, 25)]
    )
    assert written["delivered"]["events"] == 25 * len(names)


def test_log_says_how_many_were_tests(run_target):
    """A line of the log says how many events were sent as tests, so that nobody assumes more."""
    words = "3 events were sent to Pinterest as tests"
    assert words not in run_target([ORDERS, *orders(3)], mappings=[LIVE]).log
    assert words in run_target([ORDERS, *orders(3)], mappings=[LIVE, entry("test")]).log


def test_page_says_how_many_were_tests(run_target, tmp_path):
    """The report's page says so above all counts."""
    page = tmp_path / "report.html"
    mappings = [LIVE, entry("test")]
    run_target([ORDERS, *orders(3)], mappings=mappings, report_path=str(page))
    assert "3 events sent as a test" in page.read_text()
    run_target([ORDERS, *orders(3)], mappings=[LIVE], report_path=str(page))
    assert "sent as a test" not in page.read_text()


def test_tested_events_are_no_delivered_ones(run_target, sandbox, tmp_path):
    """Tests are not in the ledger: the same events are delivered once the entry is live."""
    settings = {"ledger_url": f"sqlite:///{tmp_path}/ledger.db"}
    lines = [ORDERS, *orders(3)]
    for mode, outcomes in (
        ("test", {"skipped": 3}),
        ("test", {"skipped": 3}),
        ("live", {"delivered": 3}),
    ):
        assert run_target(lines, mappings=[entry(mode)], **settings).outcomes == outcomes
    assert len(sandbox.store.events()) == 3
    tested = run_target(lines, mappings=[entry("test")], **settings)
    assert [row.reason for row in tested.target.run.tally.outcomes()] == ["tested"]


@pytest.mark.parametrize("own", ["live", "test", "dry_run"])
@pytest.mark.parametrize(
    ("mode", "tests"), [("test", {"live": 1, "test": 1, "dry_run": 0}), ("dry_run", {})]
)
def test_no_entry_makes_a_run_bolder(run_target, sandbox, mode, tests, own):
    """Of the run's and the entry's mode, the one that sends less is used."""
    ran = run_target([ORDERS, *orders(2), state({"n": 2})], mode=mode, mappings=[entry(own)])
    assert (ran.code, ran.states, sandbox.store.events()) == (0, [], [])
    assert [test for test, _ in requests(sandbox)] == [True] * tests.get(own, 0)


def test_refused_tests_stay_tests(run_target, sandbox, config, tmp_path, monkeypatch):
    """A refused test event has a dead letter that says so, and replay sends it as a test again."""
    monkeypatch.chdir(tmp_path)
    sandbox.faults.set([Fault("fail_event", event_id="1")])
    ran = run_target([ORDERS, *orders(3)], mappings=[entry("test", fields={"event_id": "id"})])
    (letter,) = ran.dead_letters
    assert (letter["mode"], letter["outcome"], ran.outcomes["skipped"]) == ("test", "rejected", 2)
    sandbox.faults.clear()
    (tmp_path / "config.json").write_text(json.dumps(config))
    arguments = ["replay", config["dead_letter_path"], "--config", "config.json"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "1 skipped" in done.output
    assert (requests(sandbox), sandbox.store.events()) == ([(True, 1), (True, 3)], [])


@pytest.mark.parametrize(
    ("source", "ago", "line"),
    [
        ("web", 3700, "2 web and app events reached Pinterest over an hour after they happened"),
        ("web", 3500, None),
        ("offline", 3700, None),
    ],
)
def test_late_online_events_are_logged(run_target, source, ago, line):
    """Online events over an hour late count as offline ones: the log says how many."""
    visits = [record("visits", **visit(n, event_time=seconds_ago(ago))) for n in range(2)]
    defaults = {"action_source": source, "event_name": "page_visit"}
    fields = {"action_source": None}
    ran = run_target(
        [schema("visits", *visit()), *visits],
        mappings=[{"stream": "*", "preset": "pinterest", "fields": fields, "defaults": defaults}],
    )
    assert ran.outcomes == {"delivered": 2}
    assert ("over an hour after" in ran.log) == (line is not None)
    assert (line or "") in ran.log

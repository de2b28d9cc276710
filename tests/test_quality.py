"""Quality gates: minimum quality of a run's delivered events, and the effect of a shortfall."""

import json

import pytest

from given import record, schema, settings_of, state
from shopper import seconds_ago
from target_pinterest_capi.settings import ConfigurationError


def visits(number, with_email, name="checkout", ago=60):
    """Return lines of events of which the first ones carry an e-mail address."""
    given = {
        "event_name": name,
        "action_source": "web",
        "event_time": seconds_ago(ago),
        "client_ip_address": "192.0.2.7",
        "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    }
    rows = [
        {**given, "event_id": f"{name}-{one}", "em": f"shopper{one}@example.com"}
        if one < with_email
        else {**given, "event_id": f"{name}-{one}"}
        for one in range(number)
    ]
    lines = [schema("visits", "em", "event_id", *given, key_properties=("event_id",))]
    return [*lines, *(record("visits", **row) for row in rows), state({"visits": 1})]


@pytest.mark.parametrize(
    ("gates", "line"),
    [
        ({"checkout": {"hashed_email": 50}}, None),
        (
            {"checkout": {"hashed_email": 60}},
            "hashed_email is on 50.0 % of 10 checkout events; quality requires 60 %",
        ),
        (
            {"all": {"click_id_epik": 1}},
            "click_id_epik is on 0.0 % of 10 events; quality requires 1 %",
        ),
        ({"all": {"within_an_hour": 100, "ip_address": 100, "events": 10}}, None),
        ({"signup": {"hashed_email": 100}}, None),
        ({"signup": {"events": 1}}, "0 signup events were delivered; quality requires 1"),
        ({"all": {"events": 11}}, "10 events were delivered; quality requires 11"),
        ({}, None),
    ],
)
@pytest.mark.parametrize(("on_low", "code"), [("warn", 0), ("fail", 3)])
def test_a_shortfall_is_logged_and_fails_where_asked(run_target, gates, line, on_low, code):
    """Each missed gate is a WARNING; with `fail` the run exits 3, with its STATE written."""
    ran = run_target(visits(10, 5), quality=gates, on_low_quality=on_low)
    assert ran.outcomes == {"delivered": 10}
    assert len(ran.states) == 1
    assert ran.code == (code if line else 0)
    assert ("Low quality: " in ran.log) == (line is not None)
    assert (line or "") in ran.log
    assert ("are not sent again" in ran.log) == (ran.code == 3)
    assert "Done after 10 records" in ran.log


NOTHING = "no event of this name was delivered, so nothing was judged"


@pytest.mark.parametrize(
    ("gates", "level", "line"),
    [
        ({"signup": {"hashed_email": 1}}, "INFO", f"quality.signup: {NOTHING}"),
        ({"chekout": {"hashed_email": 1}}, "WARNING", f"{NOTHING}; did you mean checkout?"),
        ({"bogus": {"hashed_email": 1}}, "WARNING", f"quality.bogus: {NOTHING}"),
        ({"chekout": {"events": 1}}, "WARNING", "0 chekout events were delivered"),
        ({"chekout": {"events": 0}}, "WARNING", f"{NOTHING}; did you mean checkout?"),
    ],
)
def test_a_gate_that_meets_no_event_is_logged(run_target, gates, level, line):
    """A gate for a name that was not sent has one line, with a similar name if it is misspelt."""
    ran = run_target(visits(2, 2), quality=gates)
    (name,) = gates
    (logged,) = [one for one in ran.log.splitlines() if name in one]
    assert line in logged
    assert level in logged
    assert ran.code == 0


@pytest.mark.parametrize(
    ("lines", "gates"),
    [
        (visits(2, 2), {"checkout": {"hashed_email": 1}, "all": {"ip_address": 1}}),
        (visits(2, 2, name="bought"), {"bought": {"hashed_email": 100}}),
    ],
)
def test_a_gate_that_meets_events_says_nothing(run_target, lines, gates):
    """A name that only the records and a gate have is judged as any other."""
    assert "nothing was judged" not in run_target(lines, quality=gates).log


def test_a_gate_of_ones_own_name_can_fail(run_target):
    """Its events are counted by its name, which the configuration has."""
    log = run_target(visits(2, 1, name="bought"), quality={"bought": {"hashed_email": 60}}).log
    assert "hashed_email is on 50.0 % of 2 bought events; quality requires 60 %" in log


def test_gates_of_a_run_without_events(run_target):
    """A run that delivers nothing says so for all events."""
    log = run_target([state({"visits": 1})], quality={"all": {"hashed_email": 1}}).log
    assert "quality.all: no event was delivered, so nothing was judged" in log


def test_volume_against_what_is_usual(run_target, tmp_path):
    """A run is compared with the median of at least five earlier successful ones, by name."""
    given = {
        "quality": {"checkout": {"events_of_usual": 50}, "all": {"events_of_usual": 80}},
        "results_url": f"sqlite:///{tmp_path}/results.db",
    }
    for number in (10, 4, 10, 12, 10):  # the second is not judged: what is usual is not known yet
        assert "Low quality" not in run_target(visits(number, 0), **given).log
    low = run_target(visits(4, 0), **given).log  # the log goes on from run to run
    assert "4 checkout events were delivered, 40.0 % of what is usual; quality requires 50 %" in low
    assert low.count("Low quality") == 2
    enough = run_target(visits(9, 0), **given)
    assert (enough.code, enough.log.count("Low quality")) == (0, 2)
    other = run_target(visits(9, 0, name="signup"), **given, on_low_quality="fail")
    assert (other.code, len(other.states)) == (3, 1)
    assert "0 checkout events were delivered, 0.0 % of what is usual" in other.log
    assert other.log.count("Low quality") == 3  # and all together are enough
    dry = run_target(visits(1, 0), **given, mode="dry_run")
    assert dry.log.count("Low quality") == 3  # no runs of its kind


def test_late_events_miss_a_gate(run_target):
    """within_an_hour is the share of all events that reached Pinterest in time."""
    ran = run_target(visits(4, 4, ago=7200), quality={"all": {"within_an_hour": 90}})
    assert "0.0 % of 4 events reached Pinterest within an hour" in ran.log


def test_a_dry_run_is_judged_too(run_target):
    """A CI job sees the coverage of a mapping before the first real event."""
    ran = run_target(
        visits(4, 0), quality={"all": {"hashed_email": 1}}, on_low_quality="fail", mode="dry_run"
    )
    assert (ran.code, ran.states) == (3, [])


def test_a_run_that_failed_is_not_judged(run_target):
    """A run that was stopped has that as its reason; the gates apply only to complete runs."""
    ran = run_target(visits(4, 0), quality={"all": {"events": 9}}, conversion_token="wrong")
    assert (ran.code, "Low quality" in ran.log) == (1, False)


def test_the_report_has_what_fell_short(run_target, tmp_path):
    """JSON and page name each measure, its value and its minimum."""
    for name in ("report.json", "report.html"):
        gates = {"checkout": {"hashed_email": 60.5}}
        run_target(visits(10, 5), quality=gates, report_path=str(tmp_path / name))
    (short,) = json.loads((tmp_path / "report.json").read_text())["low_quality"]
    assert (short["event_name"], short["measure"], short["measured"], short["asked"]) == (
        "checkout",
        "hashed_email",
        50.0,
        60.5,
    )
    assert "quality requires 60.5 %" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("gates", "problem"),
    [
        ({"checkout": {"hashed_emails": 80}}, "did you mean hashed_email?"),
        ({"checkout": {"hashed_email": 101}}, "a share of 0 to 100 per cent"),
        ({"checkout": {"hashed_email": "80"}}, "a share of 0 to 100 per cent"),
        ({"checkout": {"hashed_email": True}}, "a share of 0 to 100 per cent"),
        ({"checkout": {"events": -1}}, "a number of events"),
        ({"checkout": {"events_of_usual": 101}}, "a share of 0 to 100 per cent"),
        ({"all": {"events_of_usual": 50}}, "events_of_usual needs results_url"),
        ({"checkout": {"within_an_hour": 90}}, "put it below all"),
        ({"hashed_email": 80}, "must be an object of event names"),
        ([], "quality"),
    ],
)
def test_a_gate_that_cannot_be_judged_is_refused(gates, problem):
    """A wrong measure, share or form is a configuration error with the correct form."""
    with pytest.raises(ConfigurationError, match="quality") as raised:
        settings_of(quality=gates)
    assert problem in str(raised.value)

"""The report of a run: its numbers, complete after every outcome, without personal data."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from given import ACCOUNT, TOKEN, record, schema, settings_of, state
from shopper import seconds_ago, visit
from target_pinterest_capi.events.reasons import Invalid
from target_pinterest_capi.reporting.report import decode
from target_pinterest_capi.reporting.report_file import LEDGER, REPORTED_SETTINGS
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.settings import Settings

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "report-schema.json").read_text())
COLUMNS = (
    *visit(),
    "value",
    "order_id",
    "contents",
    "client_ip_address",
    "client_user_agent",
    "event_source_url",
    "ph",
)
VISITS = schema("visits", *COLUMNS, key_properties=("event_id",))
# Settings that reports do not show: secrets, paths, addresses, what may hold values, and what
# the report says in another way.
WITHHELD = {
    "ad_account_id", "mode", "api_url", "ledger_url", "results_url", "notify_url", "dead_letter_path", "report_path",
    "metrics_path",
    "conversion_token", "conversion_token_file", "oauth",
    "mappings", "customer_lists", "defaults", "dead_letter_keys", "null_values", "quality",
    "old_events_path", "old_events_names",
    "stream_maps", "stream_map_config", "faker_config",
    "flattening_enabled", "flattening_max_depth", "flattening_max_key_length",
    "flattening_separator",
}  # fmt: skip


@pytest.fixture
def run_report(run_target, tmp_path):
    """Return a function that runs the target with a report, and returns the run and the report.

    The report is checked against its schema.
    """

    def run(
        lines: list[bytes], name: str = "report.json", **settings: Any
    ) -> tuple[Any, dict[str, Any]]:
        path = tmp_path / "reports" / name
        ran = run_target(lines, report_path=str(path), **settings)
        members = json.loads(path.read_bytes())
        jsonschema.Draft202012Validator(SCHEMA).validate(members)
        return ran, members

    return run


def visits(*numbers: int, **columns: Any) -> list[bytes]:
    return [record("visits", **visit(number, **columns)) for number in numbers]


def test_numbers_are_the_runs(run_report, sandbox):
    """The numbers agree with what the sandbox received and with what the target counted."""
    sandbox.faults.set(
        [Fault("status", status=503, requests=(1,)), Fault("fail_event", event_id="visit-7")]
    )
    lines = [
        VISITS,
        *visits(*range(8), value="19.99", order_id="A-1"),
        *visits(8, 9, em=None, client_ip_address="192.0.2.7", client_user_agent="Mozilla/5.0"),
        *visits(10, event_name="checkout", ph="ask"),
        *visits(11, em=None),
        state({"n": 12}),
    ]
    ran, members = run_report(lines)
    assert members["totals"] == {"delivered": 10, "invalid": 1, "rejected": 1, "skipped": 0}
    run = members["run"]
    assert (
        run["exit_code"],
        run["records"],
        run["states_written"],
        run["dead_letters_written"],
    ) == (0, 12, 1, 2)
    assert (run["id"], run["ad_account_id"], run["mode"], run["api"], run["stopped"]) == (
        ran.target.run.run_id,
        ACCOUNT,
        "live",
        "127.0.0.1",
        None,
    )
    assert {row["reason"]: row["events"] for row in members["reasons"]} == {
        "no_identifier": 1,
        "refused_event": 1,
    }
    assert [(row["field"], row["reason"], row["sent"]) for row in members["values"]] == [
        ("custom_data.currency", "no_currency", True),
        ("user_data.ph", "not_a_phone", False),
    ]
    requests = members["requests"]
    assert (requests["sent"], requests["repeated"], requests["bisecting"]) == (
        sandbox.store.counters()["requests"],
        1,
        0,
    )
    delivered = members["delivered"]
    assert (delivered["basis"], delivered["events"]) == ("delivered", 10)
    coverage = {
        entry["event_name"]: {
            name: one["events"] for name, one in entry["components"].items() if one["events"]
        }
        for entry in delivered["by_event_name"]
    }
    assert coverage == {
        "page_visit": {
            "hashed_email": 7,
            "ip_address": 2,
            "user_agent": 2,
            "external_event_id": 9,
            "order_id": 7,
            "order_value": 7,
        },
        "checkout": {"hashed_email": 1, "external_event_id": 1},
    }


def test_coverage_is_what_the_sandbox_says(run_report, sandbox):
    """The sandbox's event quality score for the same run has the same coverage everywhere."""
    import httpx

    lines = [VISITS]
    for number in range(60):
        more = {"value": "1.50"} if number % 3 else {"contents": [{"id": "A"}]}
        extra = (
            {"event_source_url": "https://shop.example.com/?epik=dj0yJnU9"} if number % 4 else {}
        )
        lines += visits(number, event_name="checkout" if number % 5 else "signup", **more, **extra)
    _, members = run_report(lines)
    answer = httpx.get(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/conversion_eqs",
        params={"lookback_period": "1d"},
        headers={"Authorization": f"Bearer {sandbox.config.app.access_token}"},
    )
    (score,) = answer.json()
    ours = {
        entry["event_name"]: entry["components"] for entry in members["delivered"]["by_event_name"]
    }
    theirs = score["quality_components"]
    assert {
        (component, name): details["coverage"]
        for component, names in theirs.items()
        for name, details in names.items()
    } == {
        (component, name): one["coverage"]
        for name, components in ours.items()
        for component, one in components.items()
    }


@pytest.mark.parametrize("has_ledger", [False, True])
def test_repeated_and_constant_ids_are_found(run_report, tmp_path, has_ledger: bool):
    """Repeats in a run are counted by name, and names with one id also where a ledger skips it."""
    lines = [
        VISITS,
        *visits(1, 2, 1, 1),
        *visits(*range(12), event_name="signup", event_id="the same"),
    ]
    ledger = {"ledger_url": f"sqlite:///{tmp_path}/ledger.db"} if has_ledger else {}
    _, members = run_report(lines, **ledger)
    repeated = {
        entry["event_name"]: entry["repeated_ids"]
        for entry in members["delivered"]["by_event_name"]
    }
    expected = {"signup": 0, "page_visit": 0} if has_ledger else {"signup": 11, "page_visit": 2}
    assert repeated == expected
    assert members["constant_ids"] == [{"event_name": "signup", "events": 12}]


def test_events_without_an_id_of_their_own_are_counted(run_report):
    """A record without a usable id, mapped or not, counts under its name."""
    ways = schema("orders", *COLUMNS, "number", key_properties=("number",))
    lines = [
        VISITS,
        *visits(1, 2),
        ways,
        *(
            record("orders", number=str(number), **visit(number, event_name="checkout", **columns))
            for number, columns in enumerate(
                ({"event_id": None}, {"event_id": " "}, {"event_id": "own"}, {"event_id": {}})
            )
        ),
    ]
    _, members = run_report(lines)
    assert {
        entry["event_name"]: (entry["derived_ids"], entry["events"])
        for entry in members["delivered"]["by_event_name"]
    } == {"checkout": (3, 4), "page_visit": (0, 2)}
    fields = {name: name for name in visit() if name not in {"event_id", "em"}}
    mapping = {"stream": "orders", "fields": {**fields, "user_data.em": "em"}}
    _, members = run_report(lines[3:], "unmapped.json", mappings=[mapping])
    (entry,) = members["delivered"]["by_event_name"]
    assert (entry["derived_ids"], entry["events"]) == (4, 4)


def test_ledger_keeps_repeats_out(run_report, tmp_path):
    """With a ledger a duplicate is skipped, so that no delivered event repeats an id."""
    _, members = run_report(
        [VISITS, *visits(1, 2, 1)], ledger_url=f"sqlite:///{tmp_path}/ledger.db"
    )
    assert (members["totals"]["delivered"], members["totals"]["skipped"]) == (2, 1)
    assert [entry["repeated_ids"] for entry in members["delivered"]["by_event_name"]] == [0]
    assert members["run"]["settings"]["ledger"] is True


def test_delay_is_from_the_event_to_the_answer(run_report):
    """Events are in the bucket of their age, and late online ones are counted."""
    lines = [
        VISITS,
        *visits(1, event_time=seconds_ago(600)),
        *visits(2, event_time=seconds_ago(7200)),
    ]
    lines += visits(3, event_time=seconds_ago(7200), action_source="offline")
    delays = run_report(lines)[1]["delivered"]["delays"]
    assert {
        bucket["up_to_seconds"]: bucket["events"]
        for bucket in delays["buckets"]
        if bucket["events"]
    } == {900: 1, 21600: 2}
    assert (delays["within_an_hour"], delays["late_online"]) == (1, 1)


@pytest.mark.parametrize(
    ("mode", "basis", "delivered", "skipped"),
    [("test", "delivered", 25, 0), ("dry_run", "would_be_sent", 0, 25)],
)
def test_modes_that_record_nothing(run_report, mode: str, basis: str, delivered: int, skipped: int):
    """Test and dry runs have a report, with the coverage of checked or would-be sent events."""
    _, members = run_report([VISITS, *visits(*range(25))], mode=mode)
    assert (
        members["run"]["mode"],
        members["delivered"]["basis"],
        members["delivered"]["events"],
    ) == (mode, basis, 25)
    assert (members["totals"]["delivered"], members["totals"]["skipped"]) == (delivered, skipped)


def test_no_input_has_a_report_too(run_report):
    """A run without input says so."""
    _, members = run_report([])
    assert (
        members["run"]["records"],
        members["outcomes"],
        members["delivered"]["by_event_name"],
    ) == (0, [], [])


@pytest.mark.parametrize(
    ("faults", "lines", "settings", "code", "words"),
    [
        ([Fault("status", status=401)], visits(1), {}, 1, "conversion_token"),
        ([], [*visits(1), b"no json of shopper@example.com"], {}, 1, "it is not JSON"),
        ([], visits(1, em=None), {"on_invalid": "fail"}, 3, "on_invalid is fail"),
        ([], visits(1, em=None), {}, 3, "max_rejected_ratio"),
    ],
    ids=["refused token", "bad input", "first invalid", "ratio"],
)
def test_stopped_run_has_its_report(run_report, sandbox, faults, lines, settings, code, words):
    """The report has the run's error and exit code, without values or paths."""
    sandbox.faults.set(faults)
    ran, members = run_report([VISITS, *lines], **settings)
    assert (ran.code, members["run"]["exit_code"]) == (code, code)
    assert words in members["run"]["stopped"]
    assert "shopper" not in members["run"]["stopped"]
    assert os.sep + "rejected.jsonl" not in json.dumps(members)


def test_interrupted_run_has_its_report(config, sandbox, tmp_path, monkeypatch):
    """After SIGTERM the report has the deliveries within the grace time."""
    import io
    import signal
    import sys

    from target_pinterest_capi.target import TargetPinterestCapi

    target = TargetPinterestCapi(config={**config, "report_path": str(tmp_path / "report.json")})

    def lines():
        yield from (VISITS, *visits(1, 2))
        yield from [b""] * 500  # so that those before are taken, and not only read
        target._handle_termination(signal.SIGTERM, None)

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
    code = target.read_to_exit_code(lines())
    members = json.loads((tmp_path / "report.json").read_bytes())
    assert (code, members["run"]["exit_code"], members["run"]["stopped"]) == (
        143,
        143,
        "SIGTERM came.",
    )
    assert members["totals"]["delivered"] == len(sandbox.store.events()) == 2


def test_html_report_is_a_page(run_target, tmp_path):
    """A path that ends in .html gets the page itself."""
    path = tmp_path / "report.HTML"
    run_target([VISITS, *visits(1)], report_path=str(path))
    assert path.read_text().startswith("<!doctype html>")
    assert "The one event was delivered" in path.read_text()


@pytest.mark.parametrize("name", ["report.json", "report.html"])
def test_no_personal_data_and_no_token(run_target, sandbox, tmp_path, name: str):
    """No values of records, digests, tokens or folder names get into a report."""
    sandbox.faults.set([Fault("fail_event", event_id="order-of-jane")])
    person = {
        "em": "jane.roe@example.com",
        "ph": "+1 555 0177 123",
        "client_ip_address": "192.0.2.77",
        "client_user_agent": "Mozilla/5.0 (JaneBrowser)",
        "event_source_url": "https://shop.example.com/?email=jane.roe@example.com",
        "value": "7777.77",  # a sum may be of one event
        "order_id": "order-of-jane",
    }
    lines = [
        VISITS,
        *visits(1, **person),
        *visits(2, **{**person, "event_id": "order-of-jane"}),
        *visits(
            3, **{**person, "event_name": "jane.roe@example.com", "em": "jane.roe.example.com"}
        ),
        *visits(4, **{**person, "event_time": "jane"}),
    ]
    path = tmp_path / "home of jane" / name
    ran = run_target(
        lines,
        report_path=str(path),
        dead_letter_path=str(tmp_path / "home of jane" / "rejected.jsonl"),
    )
    assert ran.outcomes == {"delivered": 2, "invalid": 1, "rejected": 1}
    text = path.read_text().casefold()
    digests = [
        one
        for row in sandbox.store.events()
        for member in row.event["user_data"].values()
        for one in member
        if len(one) == 64
    ]
    assert len(digests) >= 3
    for secret in (
        TOKEN,
        "jane",
        "roe",
        "0177",
        "192.0.2",
        *digests,
        str(tmp_path).casefold(),
    ):
        assert secret not in text, "a value of a record, or a path, is in the report"


def test_settings_are_reported_or_withheld_on_purpose():
    """Every setting is reported or withheld; a reported one is a number, a word or a switch."""
    assert set(REPORTED_SETTINGS) | WITHHELD == set(Settings.model_fields)
    assert not set(REPORTED_SETTINGS) & WITHHELD
    settings = settings_of()
    assert all(
        isinstance(getattr(settings, name), str | int | float | None) for name in REPORTED_SETTINGS
    )
    assert LEDGER not in Settings.model_fields


def test_without_report_path_nothing_is_looked_at(run_target):
    """A run without a report keeps no observations of its events."""
    assert run_target([VISITS, *visits(1)]).target.run.observations is None


def test_unwritable_place_is_logged_and_changes_nothing(run_target, tmp_path):
    """A failure to write the report is logged; events, STATE and exit code are unchanged."""
    (tmp_path / "file").write_text("")
    ran = run_target(
        [VISITS, *visits(1), state({"n": 1})], report_path=str(tmp_path / "file" / "report.json")
    )
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 1}, ['{"n": 1}'])
    assert "The report cannot be written to report_path" in ran.log


def test_report_reads_back(run_report, tmp_path):
    """`pinterest-capi report` reads the report of a run."""
    run_report([VISITS, *visits(1), *visits(2, em=None)])
    made = decode((tmp_path / "reports" / "report.json").read_bytes())
    assert [row.reason for row in made.reasons] == [str(Invalid.NO_IDENTIFIER)]

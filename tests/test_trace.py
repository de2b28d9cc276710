"""`pinterest-capi trace`: one event's history, from results, ledger and dead letters."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from given import record, schema
from shopper import digest, seconds_ago, visit
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

ORDERS = schema("orders", "id", "line", *visit(), key_properties=("id", "line"))
DERIVED = [{
    "stream": "orders",
    "fields": {"event_time": "event_time", "user_data.em": "em"},
    "defaults": {"event_name": "checkout", "action_source": "web"},
}]  # fmt: skip

Tracer = Callable[..., Result]


@pytest.fixture
def kept(config: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Return settings that keep everything: ledger, results of all events, dead letters."""
    return {
        **config,
        "ledger_url": f"sqlite:///{tmp_path}/ledger.db",
        "results_url": f"sqlite:///{tmp_path}/results.db",
        "results_events": "all",
    }


@pytest.fixture
def trace(plain_terminal: None, tmp_path: Path) -> Callable[..., Result]:
    """Return a function that runs the command with settings."""

    def run(settings: dict[str, Any], *words: str) -> Result:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(settings))
        return CliRunner().invoke(
            main, ["trace", "--config", str(path), *words], catch_exceptions=False
        )

    return run


def order(number: int, line: int = 1, **columns: Any) -> bytes:
    return record("orders", id=number, line=line, **visit(number, **columns))


def steps(result: Result) -> list[tuple[str, str]]:
    return [(step["source"], step["outcome"]) for step in json.loads(result.stdout)["steps"]]


def two_runs(run_target: Any, sandbox: Sandbox, given: dict[str, Any]) -> None:
    """Have order 1 rejected and then delivered, and order 2 invalid in both runs."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-1", times=1)])
    for _ in range(2):
        run_target([ORDERS, order(1), order(2, em=None), order(3)], **given)


@pytest.mark.parametrize("keys", ["hashed", "plain"])
@pytest.mark.parametrize(
    "words", [("id=1",), ("id=1", "line=1"), ("visit-1",), ("event_id=visit-1",)]
)
def test_life_of_an_event(
    run_target, sandbox: Sandbox, kept, trace: Tracer, keys: str, words: tuple[str, ...]
):
    """Its key, or part of it, or its id finds its outcome in each run, from every source."""
    given = {**kept, "dead_letter_keys": keys}
    two_runs(run_target, sandbox, given)
    result = trace(given, *words, "--json")
    assert result.exit_code == 0
    assert sorted(steps(result)) == [
        ("dead letters", "rejected"),
        ("ledger", "delivered"),
        ("results", "delivered"),
        ("results", "rejected"),
    ]
    found = json.loads(result.stdout)["steps"]
    assert {step["event_id"] for step in found} == {"visit-1"}
    assert {step["event_name"] for step in found} == {"page_visit"}


def test_life_of_an_invalid_record(run_target, sandbox: Sandbox, kept, trace: Tracer):
    """A record without an event is found by its key, once per run."""
    two_runs(run_target, sandbox, kept)
    result = trace(kept, "id=2", "--json")
    assert sorted(steps(result)) == [("dead letters", "invalid")] * 2 + [("results", "invalid")] * 2
    assert {step["reason"] for step in json.loads(result.stdout)["steps"]} == {"no_identifier"}


def test_derived_ids_are_found_in_the_ledger_alone(
    run_target, config, tmp_path: Path, trace: Tracer
):
    """If there is only a ledger, the id derived from the key is looked up."""
    given = {**config, "ledger_url": f"sqlite:///{tmp_path}/ledger.db", "mappings": DERIVED}
    run_target([ORDERS, order(1, line=7)], **given)
    result = trace(given, "id=1", "line=7", "--json")
    assert steps(result) == [("ledger", "delivered")]
    assert "results: results_url is not set." in json.loads(result.stdout)["not_looked_into"]
    assert steps(trace(given, "id=1", "line=8", "--json")) == []


@pytest.mark.parametrize(
    ("days", "changes", "expected", "last"),
    [
        (10, {}, [("ledger", "in the ledger")], "in the ledger"),
        (1, {}, [("ledger", "delivered"), ("results", "delivered")], "delivered"),
        (1, {"results_events": "failed"}, [("ledger", "in the ledger")], "in the ledger"),
    ],
    ids=["written", "delivered", "delivered without results"],
)
def test_event_may_be_in_a_file_instead(
    run_target,
    kept,
    tmp_path: Path,
    trace: Tracer,
    days: int,
    changes: dict[str, Any],
    expected: list[tuple[str, str]],
    last: str,
):
    """With old_events_path a key in the ledger does not mean that a request was ever sent."""
    given = {
        **kept,
        "ledger_retention_days": 30,
        "old_events_path": str(tmp_path / "old"),
        "old_events_names": {"page_visit": "PageVisit", "web": "web"},
        **changes,
    }
    run_target([ORDERS, order(1, event_time=seconds_ago(days * 86_400))], **given)
    assert sorted(steps(trace(given, "visit-1", "--json"))) == expected
    shown = trace(given, "visit-1").stdout
    assert f"Last: {last}." in shown
    assert ("written to a CSV file" in " ".join(shown.split())) == (last == "in the ledger")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("id=9",), 1),
        (("line=visit-1",), 1),
        (("id=1", "line=2"), 1),
        (("id=1", "--stream", "carts"), 1),
        (("id=1", "--stream", "orders"), 0),
        (("%",), 1),
        (("id=%",), 1),
        (("i_=1",), 1),
    ],
)
def test_another_event_is_not_meant(
    run_target, sandbox: Sandbox, kept, trace: Tracer, words: tuple[str, ...], code: int
):
    """Another key, stream or half of a key is another event; no wildcard matches."""
    two_runs(run_target, sandbox, kept)
    assert trace(kept, *words, "--json").exit_code == code


def test_what_was_not_looked_into(config, tmp_path: Path, trace: Tracer):
    """Each missing or disabled source is named; nothing is created."""
    before = {path.name for path in tmp_path.iterdir()}
    result = trace({**config, "results_url": f"sqlite:///{tmp_path}/none.db"}, "id=1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "steps": [],
        "not_looked_into": [
            "results of delivered events: results_events is failed.",
            "dead letters: there are none at dead_letter_path.",
            "ledger: ledger_url is not set.",
        ],
    }
    assert {path.name for path in tmp_path.iterdir()} == before | {"config.json"}


def test_table_for_people(run_target, sandbox: Sandbox, kept, trace: Tracer):
    """A line for each step, oldest first, with its outcome, and without personal data."""
    two_runs(run_target, sandbox, kept)
    shown = trace(kept, "id=2").stdout
    assert shown.count("no_identifier") == 4
    assert "Last: invalid." in shown
    assert "shopper" not in trace(kept, "id=1").stdout + shown


def test_broken_lines_and_databases_are_no_end(config, kept, tmp_path: Path, trace: Tracer):
    """An incomplete letter is skipped, and an unreadable database is reported."""
    Path(config["dead_letter_path"]).write_text(
        '{"at": "2026-03-02T10:00:00Z", "stream": "orders", "outcome": "invalid", '
        f'"reason": "no_identifier", "key": {{"id": "{digest("1")}"}}}}\n'
        '{"at": "2026-03-02T10:00:00Z", "str'
    )
    (tmp_path / "results.db").write_text("this is not a database, and longer than a header is")
    result = trace(kept, "id=1", "--json")
    assert steps(result) == [("dead letters", "invalid")]
    assert "results_url cannot be read" in str(json.loads(result.stdout)["not_looked_into"])


def test_files_of_letters_by_name(config, tmp_path: Path, trace: Tracer):
    """Files other than the setting's can be named; a missing one is an error."""
    result = trace(config, "id=1", "--letters", str(tmp_path / "nowhere.jsonl"))
    assert (result.exit_code, "cannot be read" in result.output) == (1, True)

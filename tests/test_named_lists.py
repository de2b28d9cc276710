"""Lists whose names come from records: one for each value of an expression.

Each has its own members, outcomes and report; their number is limited before any is created.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from members import digest, entry, list_settings

from given import record, schema, state
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import ConfigurationError, load

SCHEMA = schema("audience", "id", "email", "audience", "event", key_properties=("id",))
NAMED = entry(
    stream="audience",
    list_name={"expression": "concat('Lytics ', trim(audience))"},
    operation="event",
)


@pytest.fixture
def sandbox():
    with Sandbox(SandboxConfig(list_processing_seconds=0)) as running:
        yield running


def change(number: int, audience: Any, event: str = "enter") -> bytes:
    return record(
        "audience",
        id=number,
        email=f"person{number}@example.com",
        audience=audience,
        event=event,
    )


def held(sandbox: Sandbox) -> dict[str, set[int]]:
    """Return the numbers of the people on each list, by its name."""
    numbers = {digest(f"person{number}@example.com"): number for number in range(20)}
    return {one.name: {numbers[member] for member in one.members} for one in sandbox.store.lists()}


def test_a_list_for_each_value(run_target, sandbox: Sandbox):
    """A person who enters or leaves one of many audiences in a table is on that audience's list."""
    lines = [
        change(1, "Lapsed"),
        change(2, "Lapsed"),
        change(1, "VIP"),
        change(2, "Lapsed", "exit"),
        change(3, " VIP "),
        change(4, None),
    ]
    ran = run_target([SCHEMA, *lines, state({"n": 1})], **list_settings(NAMED))
    assert ran.code == 0
    assert ran.outcomes == {"delivered": 3, "skipped": 2, "invalid": 1}
    assert held(sandbox) == {"Lytics Lapsed": {1}, "Lytics VIP": {1, 3}}


def test_each_list_has_its_own_outcomes(run_target, sandbox: Sandbox, tmp_path: Path):
    """Counts and reports are per list; a record without a list name is invalid."""
    named = {**NAMED, "list_name": {"expression": "audience"}}
    report = tmp_path / "report.json"
    lines = [change(1, "A"), change(2, ["A", "B"]), change(3, ""), change(4, "n/a")]
    ran = run_target([SCHEMA, *lines], **list_settings(named, report_path=str(report)))
    assert held(sandbox) == {"A": {1, 2}, "B": {2}}
    written = json.loads(report.read_text())
    assert [(one["name"], one["added"]) for one in written["customer_lists"]] == [
        ("A", 2),
        ("B", 1),
    ]
    assert "audience (A): delivered 2" in ran.log
    assert "audience (B): delivered 1" in ran.log
    assert "audience (audience): invalid missing_field: list_name 2" in ran.log


def test_the_stream_can_be_part_of_a_name(run_target, sandbox: Sandbox):
    """`stream()` is the stream's name, in a list's name as in a field."""
    named = {**NAMED, "list_name": {"expression": "concat('CRM ', stream(), ' ', audience)"}}
    run_target([SCHEMA, change(1, "A")], **list_settings(named))
    assert held(sandbox) == {"CRM audience A": {1}}


def test_too_many_lists_stop_the_run(run_target, sandbox: Sandbox):
    """More names than `max_lists` stop the run with the setting's name; STATE stays before them."""
    named = {**NAMED, "list_name": {"expression": "audience"}, "max_lists": 2}
    lines = [
        change(1, "A"),
        change(2, "B"),
        state({"n": 2}),
        change(3, "C"),
        state({"n": 3}),
    ]
    ran = run_target([SCHEMA, *lines], **list_settings(named, list_wait_seconds=0.01))
    assert ran.code == 1
    assert "max_lists" in ran.log
    assert {"n": 3} not in ran.states
    assert "C" not in held(sandbox)


def test_names_that_are_data_are_shown_by_the_rule_of_names(run_target, sandbox: Sandbox):
    """A name that contains an address is shown without it, in the log and in outcomes."""
    named = {**NAMED, "list_name": {"expression": "audience"}}
    ran = run_target([SCHEMA, change(1, "friends of jane@example.com")], **list_settings(named))
    assert ran.code == 0
    assert "jane@example.com" not in ran.log


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"list_name": {}}, "list_name: must be a name, or an object of one expression"),
        ({"list_name": {"expresion": "a"}}, "list_name: must be a name, or an object"),
        ({"list_name": {"expression": "a ["}}, "list_name.expression: is not a valid expression"),
        ({"list_name": {"expression": ""}}, "list_name.expression: is an empty string"),
        ({"list_id": "1"}, "needs either list_id or list_name"),
        ({"refresh": "full"}, "refresh: full needs a list with a fixed name"),
        ({"max_lists": 0}, "max_lists: must be a whole number of at least 1"),
        ({"list_name": "concat('a', b)"}, "list_name: is a name, not an expression"),
    ],
)
def test_wrong_entries(changes: dict[str, Any], problem: str):
    """An invalid name or expression is refused, and so are settings that need a fixed name."""
    given = list_settings({**NAMED, **changes}, ledger_url="sqlite:///ledger.db")
    with pytest.raises(ConfigurationError) as refused:
        load({"ad_account_id": "1", **{k: v for k, v in given.items() if v is not None}})
    assert problem in str(refused.value)


# ---- before a run


@pytest.fixture
def cli(config, sandbox: Sandbox, tmp_path: Path):
    """Return a function that runs a command with these settings on a sample."""
    sample = tmp_path / "sample.jsonl"
    lines = [change(1, "A"), change(2, "B"), change(3, "B", "exit")]
    sample.write_bytes(b"\n".join([SCHEMA, *lines]))
    named = {**NAMED, "list_name": {"expression": "audience"}}

    def run(*command: str, **changes: Any) -> str:
        settings = {**config, **list_settings({**named, **changes}), "api_url": sandbox.url}
        path = tmp_path / "config.json"
        given = {key: value for key, value in settings.items() if value is not None}
        path.write_text(json.dumps(given))
        arguments = [one.replace("SAMPLE", str(sample)) for one in command]
        return CliRunner().invoke(main, [*arguments, "--config", str(path)]).output

    return run


def test_preview_says_which_lists_are_named(cli):
    """A preview shows each record under its list, and all the names."""
    shown = cli("preview", "SAMPLE")
    assert "added  line 2, stream audience, list A" in shown
    assert "removed  line 4, stream audience, list B" in shown
    assert "list_name audience names 2 customer lists: A, B." in " ".join(shown.split())


def test_check_says_which_lists_a_run_would_make(cli, run_target, sandbox: Sandbox):
    """With a sample, check looks up each list named in it; without one it says how to."""
    run_target([SCHEMA, change(1, "A")], **list_settings({**NAMED, "list_name": "A"}))
    shown = " ".join(cli("check", "--sample", "SAMPLE").split())
    assert "A exists: list" in shown
    assert "B does not exist yet; it is created with its first members" in shown
    assert "names 2 customer lists: A, B." in shown
    assert [one.name for one in sandbox.store.lists()] == ["A"]
    assert "use --sample FILE to look them up" in " ".join(cli("check").split())
    assert "max_lists, which is 1" in " ".join(
        cli("check", "--sample", "SAMPLE", max_lists=1).split()
    )

"""Ids of delivered events: repeats and constants, in bounded memory, without keeping an id."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from given import record, schema
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.events.event import Account, Event, Origin
from target_pinterest_capi.reporting.event_ids import MAX_HELD, MIN_CONSTANT, ConstantIds, EventIds

ACCOUNT = Account("549755885175", "sandbox-token")
OTHER = Account("549755885176", "sandbox-token")


def events(
    *ids: str,
    name: str = "checkout",
    account: Account = ACCOUNT,
) -> list[Event]:
    origin = Origin("orders", "")
    return [Event(b"{}", account, origin, name, one, True, 0, None) for one in ids]


def test_repeats_are_counted_within_and_between_batches():
    """Every event but the first of an id is a repeat, whichever batch it is in."""
    ids = EventIds()
    ids.count_ids("checkout", events("a", "b", "a", "a"))
    ids.count_ids("checkout", events("c", "b"))
    assert (ids.repeated("checkout"), ids.is_exact) == (3, True)
    assert ids.repeated("signup") == 0


def test_another_name_or_account_is_another_event():
    """For Pinterest only events with the same account, name and id are the same."""
    ids = EventIds()
    ids.count_ids("checkout", events("a"))
    ids.count_ids("signup", events("a", name="signup"))
    ids.count_ids("checkout", events("a", account=OTHER))
    for name in ("quiz", "survey"):
        ids.count_ids("(others)", events("a", name=name))
    assert [ids.repeated(name) for name in ("checkout", "signup", "(others)")] == [0, 0, 0]


def test_derived_ids_are_counted_by_name_in_all_parts_of_a_run():
    """Each part counts its own, and their sum is the run's."""
    ids, other = EventIds(), EventIds()
    ids.count_derived("checkout", 2)
    other.count_derived("checkout", 1)
    other.count_ids("signup", events("e"))
    ids.merge(other, ["checkout", "signup"])
    assert {name: ids.derived(name) for name in ("checkout", "signup", "lead")} == {
        "checkout": 3,
        "signup": 0,
        "lead": 0,
    }


def test_constant_id():
    """One id for ten or more events of a name is constant; a second id ends that permanently."""
    ids = ConstantIds()
    ids.compare_ids(events(*["a"] * (MIN_CONSTANT - 1)))
    assert ids.names() == {}
    ids.compare_ids(events("a"))
    assert ids.names() == {"checkout": MIN_CONSTANT}
    ids.compare_ids(events("b"))
    ids.compare_ids(events(*["b"] * 50))
    assert ids.names() == {}


@pytest.mark.slow
def test_long_runs_are_estimated_in_bounded_memory():
    """Beyond the limit repeats are estimated, close to the truth, and marked as an estimate."""
    ids = EventIds()
    count = 4 * MAX_HELD
    for start in range(0, count, 10_000):
        ids.count_ids("checkout", events(*[str(number) for number in range(start, start + 10_000)]))
    assert (ids.repeated("checkout"), ids.is_exact) == (0, False)
    for start in range(0, count, 10_000):
        ids.count_ids("checkout", events(*[str(number) for number in range(start, start + 10_000)]))
    assert sum(map(len, ids._seen.values())) == ids._held <= MAX_HELD
    assert abs(ids.repeated("checkout") - count) < count / 20  # over 8 standard deviations


SAME = "All 10 events of checkout have the same event_id, and Pinterest counts only one"
NEITHER = "10 events have a name that is neither one of Pinterest's nor in the settings."
MAPPING = {"stream": "*", "preset": "pinterest", "defaults": {"event_time": "now"}}


def rows_of(*names: str, event_id: str | None = None) -> list[bytes]:
    """Return the messages of ten events of each name, all with one id if it is given."""
    given = {"action_source": "web", "em": "jane@example.com"}
    rows = [
        {"event_id": event_id or f"{name}-{number}", "event_name": name}
        for name in names
        for number in range(MIN_CONSTANT)
    ]
    declared = schema("events", "event_id", "event_name", *given)
    return [declared, *(record("events", **row, **given) for row in rows)]


@pytest.mark.parametrize("of_entry", [None, "live", "test", "dry_run"])
@pytest.mark.parametrize("mode", ["live", "test", "dry_run"])
def test_events_with_one_id_for_all_are_logged(run_target, mode: str, of_entry: str | None):
    """With a constant event_id Pinterest counts only one event: the log says for which name."""
    lines = [*rows_of("checkout", event_id="same"), *rows_of("signup")]
    mapping = {**MAPPING, "mode": of_entry} if of_entry else MAPPING
    ran = run_target(lines, mappings=[mapping], mode=mode)
    assert SAME in ran.log
    assert "of signup have the same" not in ran.log


def test_events_with_one_id_for_all_are_logged_with_a_ledger(run_target, tmp_path: Path):
    """The ledger keeps all but one from being sent, in the first run and in each one after it."""
    lines = [*rows_of("checkout", event_id="same"), *rows_of("signup")]
    for _ in range(2):
        ran = run_target(lines, mappings=[MAPPING], ledger_url=f"sqlite:///{tmp_path}/ledger.db")
        assert SAME in ran.log
        assert "of signup have the same" not in ran.log


@pytest.mark.parametrize("mode", ["live", "test", "dry_run"])
@pytest.mark.parametrize("name", ["angekommen", "jane@example.com", "Lead magnet"])
def test_names_of_events_that_nobody_knows_are_counted(run_target, mode: str, name: str):
    """The log says how many events have them, without the name, which may be a value."""
    ran = run_target(rows_of("lead", name), mappings=[MAPPING], mode=mode)
    assert NEITHER in ran.log
    assert name not in ran.log


def test_names_in_the_settings_are_known(run_target):
    """A name that the configuration has is meant."""
    mapping = {**MAPPING, "event_names": {"bought": "vip_order"}}
    ran = run_target(rows_of("bought"), mappings=[mapping], mode="dry_run")
    assert "nor in the settings" not in ran.log


@pytest.fixture
def preview(tmp_path: Path) -> Callable[..., str]:
    """Return a function that returns the result of `check --sample` or `preview`, in words."""

    def run(command: str, lines: list[bytes], *arguments: str) -> str:
        path = tmp_path / "config.json"
        given = {"ad_account_id": ACCOUNT.ad_account_id, "mappings": [MAPPING], "mode": "dry_run"}
        path.write_text(json.dumps(given))
        sample = tmp_path / "sample.singer"
        sample.write_bytes(b"\n".join(lines))
        done = CliRunner().invoke(main, [command, "--config", str(path), *arguments, str(sample)])
        return " ".join(done.stdout.split())

    return run


@pytest.mark.parametrize(
    "command",
    [("check", "--sample"), ("preview", "--summary"), ("preview", "--summary", "--json")],
)
def test_one_id_for_all_is_seen_before_a_run(preview, command: tuple[str, ...]):
    """`check` with a sample and `preview` warn as the target does."""
    name, *arguments = command
    assert SAME in preview(name, rows_of("checkout", event_id="same"), *arguments)
    assert "the same event_id" not in preview(name, rows_of("checkout"), *arguments)


@pytest.mark.parametrize("arguments", [["--summary"], ["--summary", "--json"]])
def test_names_that_nobody_knows_are_counted_before_a_run(preview, arguments: list[str]):
    """`preview` counts them as the target does."""
    shown = preview("preview", rows_of("jane@example.com"), *arguments)
    assert NEITHER in shown
    assert "jane@" not in shown

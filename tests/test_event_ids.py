"""Ids of delivered events: repeats and constants, in bounded memory, without keeping an id."""

import pytest

from given import record, schema
from target_pinterest_capi.events.event import Account, Event, Origin
from target_pinterest_capi.reporting.event_ids import MAX_HELD, MIN_CONSTANT, EventIds

ACCOUNT = Account("549755885175", "sandbox-token")
OTHER = Account("549755885176", "sandbox-token")


def events(
    *ids: str,
    name: str = "checkout",
    account: Account = ACCOUNT,
    has_derived_id: bool = False,
) -> list[Event]:
    origin = Origin("orders", "")
    return [Event(b"{}", account, origin, name, one, True, 0, None, has_derived_id) for one in ids]


def test_repeats_are_counted_within_and_between_batches():
    """Every event but the first of an id is a repeat, whichever batch it is in."""
    ids = EventIds()
    ids.count_ids("checkout", events("a", "b", "a", "a"))
    ids.count_ids("checkout", events("c", "b"))
    assert (ids.repeated("checkout"), ids.is_exact, ids.is_constant("checkout")) == (3, True, False)
    assert ids.repeated("signup") == 0


def test_another_name_or_account_is_another_event():
    """For Pinterest only events with the same account, name and id are the same."""
    ids = EventIds()
    ids.count_ids("checkout", events("a"))
    ids.count_ids("signup", events("a", name="signup"))
    ids.count_ids("checkout", events("a", account=OTHER))
    assert [ids.repeated(name) for name in ("checkout", "signup")] == [0, 0]


def test_derived_ids_are_counted_by_name_in_all_parts_of_a_run():
    """Each part counts its own, and their sum is the run's."""
    ids, other = EventIds(), EventIds()
    ids.count_ids("checkout", [*events("a"), *events("b", "c", has_derived_id=True)])
    other.count_ids("checkout", events("d", has_derived_id=True))
    other.count_ids("signup", events("e"))
    ids.merge(other, ["checkout", "signup"])
    assert {name: ids.derived(name) for name in ("checkout", "signup", "lead")} == {
        "checkout": 3,
        "signup": 0,
        "lead": 0,
    }


def test_constant_id():
    """One id for ten or more events of a name is constant; a second id ends that permanently."""
    ids = EventIds()
    ids.count_ids("checkout", events(*["a"] * (MIN_CONSTANT - 1)))
    assert not ids.is_constant("checkout")
    ids.count_ids("checkout", events("a"))
    assert ids.is_constant("checkout")
    assert ids.repeated("checkout") == MIN_CONSTANT - 1
    ids.count_ids("checkout", events("b"))
    ids.count_ids("checkout", events(*["b"] * 50))
    assert not ids.is_constant("checkout")


def test_constant_id_is_found_in_runs_of_any_length():
    """Even after so many ids that most are no longer kept."""
    ids = EventIds(max_held=100)
    ids.count_ids("page_visit", events(*[str(number) for number in range(5000)], name="page_visit"))
    ids.count_ids("checkout", events(*["a"] * 20))
    assert (ids.is_exact, ids.is_constant("checkout"), ids.is_constant("page_visit")) == (
        False,
        True,
        False,
    )


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
    assert len(ids._seen) <= MAX_HELD
    assert abs(ids.repeated("checkout") - count) < count / 20  # over 8 standard deviations


def test_events_with_one_id_for_all_are_logged(run_target):
    """With a constant event_id Pinterest counts only one event: the log says for which name."""
    ids = {"checkout": "same", "signup": None}
    rows = [
        {"event_id": ids[name] or f"{name}-{number}", "event_name": name}
        for name in ids
        for number in range(10)
    ]
    given = {"action_source": "web", "em": "jane@example.com"}
    mapping = {"stream": "*", "preset": "pinterest", "defaults": {"event_time": "now"}}
    lines = [schema("events", "event_id", "event_name", *given)]
    lines += [record("events", **row, **given) for row in rows]
    ran = run_target(lines, mappings=[mapping])
    assert "All 10 events of checkout have the same event_id" in ran.log
    assert "of signup have the same" not in ran.log

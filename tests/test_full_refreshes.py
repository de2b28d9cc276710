"""Full refreshes of customer lists.

What is on record, and what `pinterest-capi prune` removes and when it does not.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from members import LIST, SCHEMA, entry, list_settings, people, person, row

from given import ACCOUNT, record, schema, state
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes, feed_key, list_key
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

DONE = state({"n": 1})
KEY = list_key(ACCOUNT, LIST)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(list_processing_seconds=0)) as running:
        yield running


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def full(url):
    """Return the settings of a list with full refreshes."""
    return list_settings(entry(refresh="full"), ledger_url=url)


@pytest.fixture
def prune(config, full, tmp_path):
    """Return a function that runs the command with these settings, changed.

    It returns the exit code and the output.
    """

    def run(*options, **changes):
        given = {
            name: value
            for name, value in {**config, **full, **changes}.items()
            if value is not None
        }
        path = tmp_path / "config.json"
        path.write_text(json.dumps(given))
        done = CliRunner().invoke(main, ["prune", "--config", str(path), *options])
        return done.exit_code, done.output

    return run


def members(sandbox):
    (one,) = sandbox.store.lists()
    return one.members


def bring(run_target, full, *numbers, **changes):
    """Run the target with these people as the whole stream."""
    return run_target([SCHEMA, *(row(number) for number in numbers), DONE], **full, **changes)


def test_what_did_not_come_again_is_removed(run_target, sandbox, full, prune):
    """After a full run prune removes those who were not in it.

    Then there is nothing left to do.
    """
    bring(run_target, full, 1, 2, 3)
    assert prune() == (0, "customer list VIPs: 0 of 3 members had to be removed.\n")
    bring(run_target, full, 1, 3, 4)
    assert members(sandbox) == people(1, 2, 3, 4)  # the target itself removes nobody by difference
    assert prune() == (0, "customer list VIPs: 1 of 4 members removed.\n")
    assert members(sandbox) == people(1, 3, 4)
    before = len(sandbox.store.requests())
    assert prune() == (0, "customer list VIPs: 0 of 3 members had to be removed.\n")
    assert len(sandbox.store.requests()) == before


def test_several_runs_between_prunes(run_target, sandbox, full, prune):
    """Only the last run counts, however many there were since the last prune."""
    for numbers in ((1, 2, 3, 4), (1, 2, 3), (1, 2, 4), (1, 2, 3)):
        bring(run_target, full, *numbers)
    assert prune()[0] == 0
    assert members(sandbox) == people(1, 2, 3)


def test_more_than_max_removed_ratio_stops(run_target, sandbox, full, prune):
    """If too many are missing, nobody is removed: exit 3, with the numbers and the setting.

    A higher ratio removes them.
    """
    bring(run_target, full, 1, 2, 3, 4)
    bring(run_target, full, 1)
    code, said = prune()
    assert code == 3
    assert "3 of 4 members were not in the last refresh, and max_removed_ratio is 0.5" in said
    assert members(sandbox) == people(1, 2, 3, 4)
    changed = [entry(refresh="full", max_removed_ratio=0.75)]
    assert prune(customer_lists=changed)[0] == 0
    assert members(sandbox) == people(1)


def test_run_that_brought_nobody_is_no_refresh(run_target, sandbox, full, prune):
    """After a run without members prune refuses, whatever may be removed.

    A run that was killed just after its success is followed by one with nothing left to read.
    """
    bring(run_target, full, 1, 2)
    bring(run_target, full)
    code, said = prune(customer_lists=[entry(refresh="full", max_removed_ratio=1)])
    assert code == 1
    assert "read nobody" in said
    assert members(sandbox) == people(1, 2)
    bring(run_target, full, 2)
    assert prune()[0] == 0
    assert members(sandbox) == people(2)


def test_a_run_that_did_not_end_well_is_no_refresh(run_target, sandbox, full, prune):
    """After a stopped run prune refuses.

    The next run continues that refresh, so people whom a tap does not repeat stay.
    """
    bring(run_target, full, 1, 2, 3)
    cut = [SCHEMA, row(1), state({"n": 1}), b'{"type": "RECO']
    assert run_target(cut, **full).code == 1
    code, said = prune()
    assert code == 1
    assert "stream 'vips' that began at" in said
    assert members(sandbox) == people(1, 2, 3)
    bring(run_target, full, 2)
    assert prune()[0] == 0
    assert members(sandbox) == people(1, 2)


@pytest.mark.parametrize(
    ("refused", "others", "said", "left"),
    [
        (1, (2, 3), "0 of 3 members had to be removed", (1, 2, 3)),
        (1, (2,), "1 of 3 members removed", (1, 2)),
        (4, (1, 2), "1 of 3 members removed", (1, 2)),
    ],
    ids=["on record", "on record, another left", "new"],
)
def test_refused_member_is_still_in_the_source(
    run_target, sandbox, full, prune, refused, others, said, left
):
    """Who is on record stays, although Pinterest refused the row in this run.

    A new member that was refused is not on the list, and so not on record.
    """
    bring(run_target, full, 1, 2, 3)
    sandbox.faults.set(
        [Fault("status", status=400, endpoint="customer_lists", method="PATCH", times=1)]
    )
    lines = [SCHEMA, row(refused), *map(row, others), DONE]
    ran = run_target(lines, **full, list_batch_size=1)
    assert (ran.code, ran.outcomes) == (0, {"rejected": 1, "delivered": len(others)})
    assert prune() == (0, f"customer list VIPs: {said}.\n")
    assert members(sandbox) == people(*left)
    assert prune() == (0, f"customer list VIPs: 0 of {len(left)} members had to be removed.\n")


def test_a_stopped_delivery_is_no_refresh(run_target, sandbox, full, prune):
    """A run that Pinterest stopped does not count either.

    Its members are unacknowledged, and prune waits for a successful one.
    """
    bring(run_target, full, 1, 2)
    sandbox.faults.set([Fault("status", status=403, endpoint="customer_lists", method="PATCH")])
    assert bring(run_target, full, 1).code == 1
    sandbox.faults.clear()
    assert prune()[0] == 1


def test_run_of_low_quality_is_no_refresh(run_target, sandbox, full, prune):
    """Only exit code 0 completes a refresh; with a mere warning the run has it."""
    bring(run_target, full, 1, 2)
    low = {"conversion_token": "sandbox-token", "quality": {"all": {"events": 1}}}
    assert bring(run_target, {**full, **low}, 1, on_low_quality="fail").code == 3
    code, said = prune()
    assert (code, "has not succeeded" in said) == (1, True)
    assert members(sandbox) == people(1, 2)
    assert bring(run_target, {**full, **low}, 1, on_low_quality="warn").code == 0
    assert prune() == (0, "customer list VIPs: 1 of 2 members removed.\n")


def test_explicit_removals_are_taken_off_the_record(run_target, sandbox, full, prune):
    """Somebody whom a record removes is no longer on any list, whichever run added them."""
    bring(run_target, full, 1, 2, 3)
    run_target([SCHEMA, row(1), row(2), row(3, "exit")], **full)
    assert members(sandbox) == people(1, 2)
    assert prune() == (0, "customer list VIPs: 0 of 2 members had to be removed.\n")


def test_each_stream_of_a_list_has_its_own_refresh(run_target, sandbox, full, prune):
    """Somebody in one stream's last refresh stays.

    It does not matter that they were not in another stream's, in another run.
    """
    entries = [entry(refresh="full"), entry(stream="eu", refresh="full", operation=None)]
    given = {**full, "customer_lists": entries}
    eu = [schema("eu", "email")]
    bring(run_target, given, 1, 2, 3)
    run_target(
        [*eu, *(record("eu", email=f"person{number}@example.com") for number in (3, 4, 5))], **given
    )
    assert prune(customer_lists=entries) == (
        0,
        "customer list VIPs: 0 of 5 members had to be removed.\n",
    )
    run_target([*eu, record("eu", email="person4@example.com")], **given)
    assert prune(customer_lists=entries)[0] == 0
    assert members(sandbox) == people(1, 2, 3, 4)


def test_a_stream_that_is_no_longer_configured_holds_nobody(run_target, sandbox, full, prune):
    """Somebody who was only in a stream that no entry names any more has left."""
    both = [entry(refresh="full"), entry(stream="old", refresh="full")]
    lines = [
        SCHEMA,
        schema("old", "email"),
        row(1),
        row(2),
        record("old", email="person3@example.com", action="add"),
    ]
    run_target(lines, **{**full, "customer_lists": both})
    assert prune() == (0, "customer list VIPs: 1 of 3 members removed.\n")
    assert members(sandbox) == people(1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncated"])
def test_prune_is_repeated_until_it_is_answered(run_target, sandbox, full, prune, kind):
    """Removing again is safe: an uncertain request is sent again."""
    bring(run_target, full, 1, 2, 3)
    bring(run_target, full, 1, 2)
    sandbox.faults.set([Fault(kind, endpoint="customer_lists", method="PATCH", times=2)])
    assert prune()[0] == 0
    assert members(sandbox) == people(1, 2)


def test_a_prune_that_stopped_can_be_run_again(run_target, sandbox, full, prune):
    """What Pinterest has not removed stays on record.

    Exit 1 with the reason, and the next prune continues.
    """
    many = range(40)
    bring(run_target, full, *many)
    bring(run_target, full, *range(25))
    sandbox.faults.set(
        [Fault("status", status=403, endpoint="customer_lists", method="PATCH", skip=1)]
    )
    code, said = prune(list_batch_size=5)
    assert code == 1
    assert "5 of 40 members removed" in said
    assert "ad_account_id" in said
    sandbox.faults.clear()
    assert prune()[1] == "customer list VIPs: 10 of 35 members removed.\n"
    assert members(sandbox) == people(*range(25))


def test_a_prune_that_is_refused_altogether_stops_early(run_target, sandbox, full, prune):
    """A refusal that the members do not cause ends after a few requests.

    Everybody stays on record.
    """
    bring(run_target, full, *range(40))
    bring(run_target, full, *range(25))
    before = len(sandbox.store.requests())
    sandbox.faults.set([Fault("status", status=400, endpoint="customer_lists", method="PATCH")])
    assert prune()[0] == 1
    assert len(sandbox.store.requests()) - before < 15
    sandbox.faults.clear()
    assert prune()[0] == 0


def test_dry_run_removes_nobody(run_target, sandbox, full, prune):
    """`--dry-run` says what would be removed, and needs no token."""
    bring(run_target, full, 1, 2, 3)
    bring(run_target, full, 1, 2)
    assert prune("--dry-run", oauth=None) == (
        0,
        "customer list VIPs: 1 of 3 members would be removed.\n",
    )
    assert members(sandbox) == people(1, 2, 3)


@pytest.mark.parametrize(
    ("options", "changes", "words"),
    [
        ((), {"customer_lists": [entry()]}, "no list with refresh: full"),
        ((), {"oauth": None}, "oauth"),
        ((), {"mode": "dry_run"}, "--dry-run"),
        ((), {"ledger_url": None}, "ledger_url"),
        (("--list", "Nobody"), {}, "no list 'Nobody'"),
    ],
)
def test_configuration_problems(prune, sandbox, options, changes, words):
    """Exit 2 with the setting, before anything is sent to Pinterest."""
    code, said = prune(*options, **changes)
    assert (code, sandbox.store.requests()) == (2, [])
    assert words in said


def test_no_record_is_an_error(prune, sandbox):
    """A ledger that no run has used is probably the wrong one: exit 1, and it says so."""
    code, said = prune()
    assert (code, sandbox.store.requests()) == (1, [])
    assert "ledger_url" in said


def test_a_ledger_that_cannot_be_used(run_target, sandbox, full, prune):
    """Without its record a full list gets nobody: the run ends with 1, STATE stays.

    Prune says the same.
    """
    nowhere = {"ledger_url": "sqlite:////no/such/folder/ledger.db"}
    ran = run_target([SCHEMA, row(1), DONE], **{**full, **nowhere})
    assert (ran.code, ran.states, sandbox.store.lists()) == (1, [], [])
    assert "ledger_url" in ran.log
    code, said = prune(**nowhere)
    assert code == 1
    assert "unable to open database file" in said


def test_the_record_holds_digests_only(run_target, full, tmp_path):
    """The database has digests, numbers and the streams' names."""
    bring(run_target, full, 1, 2)
    rows = (
        sqlite3.connect(tmp_path / "ledger.db")
        .execute("SELECT member FROM pinterest_list_members")
        .fetchall()
    )
    assert {one.hex() for (one,) in rows} == people(1, 2)
    assert b"example.com" not in (tmp_path / "ledger.db").read_bytes()


def test_other_modes_leave_the_record_alone(run_target, full, prune):
    """A dry run is not a refresh."""
    bring(run_target, full, 1, 2, 3)
    bring(run_target, full, 1, mode="dry_run")
    assert prune()[1] == "customer list VIPs: 0 of 3 members had to be removed.\n"


def test_a_database_that_fails_on_the_way(url):
    """A database that fails is an error with a message, not a crash."""
    refreshes = FullRefreshes(url)
    feed = feed_key(ACCOUNT, LIST, "vips")
    refreshes.begin_refresh(KEY, feed, "vips")
    with refreshes._connection.begin():
        refreshes._connection.exec_driver_sql("DROP TABLE pinterest_list_members")
    with pytest.raises(LedgerError, match="no such table"):
        refreshes.record_members(feed, {person(1): None})
    refreshes.close()

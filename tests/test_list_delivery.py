"""Customer lists from records to membership.

Which requests, in which order, what is acknowledged when, and what stops a run.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from members import LIST, SCHEMA, digest, entry, list_settings, people, person, row

from given import ACCOUNT, TOKEN, Clock, files_limited_to, record, schema, settings_of, state
from shopper import visit
from target_pinterest_capi.customer_lists.list_delivery import ListDelivery
from target_pinterest_capi.customer_lists.remote_list import (
    MAX_BODY_BYTES,
    exceptions_of,
)
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.pinterest.responses import CustomerListBody
from target_pinterest_capi.reporting.customer_lists import STATUSES
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.oauth import App
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import ConfigurationError, load

DONE = state({"n": 1})
BAD_PATCH = {"status": 400, "endpoint": "customer_lists", "method": "PATCH"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(list_processing_seconds=0)) as running:
        yield running


@pytest.fixture
def held(sandbox):
    """Return a function from a list's name to its members at Pinterest."""

    def members(name=LIST):
        (one,) = [one for one in sandbox.store.lists() if one.name == name]
        return one.members

    return members


def updates(sandbox):
    """Return what was done to lists, in order."""
    return [(one.operation, one.members) for one in sandbox.store.updates()]


# ---- Finding, making, changing ----


def test_a_list_that_is_not_there_is_made_with_its_first_members(run_target, sandbox):
    """One request makes the list of everybody, and every record is delivered and acknowledged."""
    ran = run_target([SCHEMA, *(row(number) for number in range(5)), DONE], **list_settings())
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 5}, ['{"n": 1}'])
    assert updates(sandbox) == [("CREATE", people(*range(5)))]
    (one,) = sandbox.store.lists()
    assert (one.name, one.list_type) == (LIST, "EMAIL")


def test_a_list_is_found_by_its_name_on_a_later_page(run_target, sandbox, held):
    """The next run looks through every page, changes the existing list, and creates none."""
    run_target([SCHEMA, row(1)], **list_settings())
    for number in range(251):
        sandbox.store._lists[str(number + 1)] = sandbox.store.lists()[0]._replace(
            id=str(number + 1), name=f"other {number}"
        )
    ran = run_target([SCHEMA, row(2), row(1, "exit")], **list_settings())
    assert ran.outcomes == {"delivered": 2}
    assert updates(sandbox)[1:] == [("REMOVE", people(1)), ("ADD", people(2))]
    assert held() == people(2)
    assert [one.method for one in sandbox.store.requests()][2:4] == ["GET", "GET"]


def test_two_lists_of_one_name_stop_the_run(run_target, sandbox):
    """Nobody can know which one is meant: exit 1 with both ids, nothing sent, STATE stays."""
    run_target([SCHEMA, row(1)], **list_settings())
    one = sandbox.store.lists()[0]
    sandbox.store._lists["17"] = one._replace(id="17")
    ran = run_target([SCHEMA, row(2), DONE], **list_settings())
    assert (ran.code, ran.states, ran.outcomes) == (1, [], {})
    assert re.search(f"with the ids ({one.id}, 17|17, {one.id}): set list_id", ran.log)
    assert one.members == people(1)


def test_a_list_by_id_is_not_looked_up(run_target, sandbox, held):
    """With `list_id` the first request changes the list."""
    run_target([SCHEMA, row(1)], **list_settings())
    list_id = sandbox.store.lists()[0].id
    before = len(sandbox.store.requests())
    run_target([SCHEMA, row(2)], **list_settings(entry(list_name=None, list_id=list_id)))
    assert [one.method for one in sandbox.store.requests()[before:]] == ["PATCH"]
    assert held() == people(1, 2)


def test_removals_from_a_list_that_is_not_there(run_target, sandbox):
    """Nobody is on a list that does not exist: skipped, and no empty list is created."""
    ran = run_target([SCHEMA, row(1, "exit"), DONE], **list_settings())
    assert (ran.reasons, ran.states, sandbox.store.lists()) == ({"no_list": 1}, ['{"n": 1}'], [])


@pytest.mark.parametrize("list_type", ["MAID", "IDFA"])
def test_advertising_ids_make_a_list_of_their_kind(run_target, sandbox, list_type):
    """A list has one kind of identifier, set when it is created."""
    maid = "2F3A1C9E-0B7D-4F6A-9C55-1E2D3C4B5A69"
    lines = [schema("vips", "maid"), record("vips", maid=maid)]
    assert (
        run_target(
            lines, **list_settings(entry(member="maid", operation=None, list_type=list_type))
        ).code
        == 0
    )
    (one,) = sandbox.store.lists()
    assert (one.list_type, one.members) == (list_type, {digest(maid.lower())})


def test_another_account_has_its_own_lists(run_target):
    """An entry's `ad_account_id` is its list's account.

    Another account may have one with that name.
    """
    with Sandbox(SandboxConfig(tokens={TOKEN: (ACCOUNT, "17")})) as pinterest:
        given = list_settings(
            entry(), entry(stream="others", ad_account_id="17"), api_url=pinterest.url
        )
        run_target(
            [
                SCHEMA,
                row(1),
                schema("others", "email"),
                record("others", email="a@example.com", action="add"),
            ],
            **given,
        )
        assert {one.ad_account_id: one.members for one in pinterest.store.lists()} == {
            ACCOUNT: people(1),
            "17": {digest("a@example.com")},
        }


def test_entries_of_one_list_must_agree():
    """Two kinds of identifiers, or two ways to refresh, for one list are a configuration error."""
    with pytest.raises(ConfigurationError, match="different list_type") as error:
        load(
            {
                "ad_account_id": ACCOUNT,
                **list_settings(entry(), entry(stream="b", list_type="MAID")),
            }
        )
    assert len(error.value.problems) == 1


# ---- Net operations, in order ----


def test_the_last_operation_of_a_member_is_what_is_sent(run_target, sandbox, held):
    """Additions and removals of a flush are disjoint.

    What a later record replaces is skipped, and acknowledged.
    """
    run_target([SCHEMA, row(1), row(2)], **list_settings())
    lines = [SCHEMA, row(3), row(1, "exit"), row(3, "exit"), row(2, "exit"), row(2), row(4), DONE]
    ran = run_target(lines, **list_settings())
    assert updates(sandbox)[1:] == [("REMOVE", people(1, 3)), ("ADD", people(2, 4))]
    assert held() == people(2, 4)
    assert (ran.outcomes, ran.reasons, ran.states) == (
        {"delivered": 4, "skipped": 2},
        {"superseded": 2},
        ['{"n": 1}'],
    )


def test_requests_hold_as_many_members_as_they_may(run_target, sandbox, held):
    """At most `list_batch_size` members per request, and one request of a list at a time."""
    sandbox.faults.set([Fault("latency", seconds=0.02)])
    ran = run_target(
        [SCHEMA, *(row(number) for number in range(25)), *(row(n, "exit") for n in range(3))],
        **list_settings(list_batch_size=4),
    )
    assert all(len(members) <= 4 for _, members in updates(sandbox))
    assert held() == people(*range(3, 25))
    assert sandbox.store.counters()["most_in_flight"] == 1
    assert ran.outcomes["delivered"] >= 22


def test_a_full_request_is_below_a_megabyte(run_target, sandbox):
    """10,000 members, the maximum, fit one request well within 1 MB."""
    run_target([SCHEMA, *(row(number) for number in range(10_000))], **list_settings())
    (made,) = sandbox.store.updates()
    assert len(made.members) == 10_000
    assert max(one.bytes for one in sandbox.store.requests()) < MAX_BODY_BYTES


def test_different_lists_go_side_by_side(run_target, sandbox, held):
    """Each list has its own order, and does not wait for another."""
    sandbox.faults.set([Fault("latency", seconds=0.3)])
    entries = [entry(list_name=f"list {number}") for number in range(4)]
    run_target([SCHEMA, row(1)], **list_settings(*entries))
    assert sandbox.store.counters()["most_in_flight"] == 4
    assert [held(f"list {number}") for number in range(4)] == [people(1)] * 4


def test_two_streams_of_one_list_share_its_order(run_target, held):
    """The later record wins, from whichever stream it comes."""
    lines = [
        SCHEMA,
        schema("gone", "email"),
        row(1),
        record("gone", email="person1@example.com"),
        row(2),
    ]
    given = list_settings(entry(), entry(stream="gone", operation="'remove'"))
    assert run_target(lines, **given).reasons == {"superseded": 1, "no_list": 1}
    assert held() == people(2)


def test_operations_gather_for_the_configured_time(sandbox):
    """A list is sent when `list_wait_seconds` are over, counted from the first operation.

    It is sent earlier if a request is full.
    """
    clock = Clock()
    settings = settings_of(
        **list_settings(list_wait_seconds=300, list_batch_size=5, api_url=sandbox.url)
    )
    run = Run(settings, lambda _: None, clock=clock)
    lists = ListDelivery(settings, run, clock=clock)
    run.attach(lists)
    (mapper,) = lists.mappers("vips", ("id",))

    def bring(number):
        run.sequence += 1
        mapper.map_record({"id": number, "email": f"person{number}@example.com", "action": "add"})

    def settle():
        while lists.oldest_sequence() is not None:
            run.wake.wait(120)
            run.poll()

    bring(1)
    clock.advance(200)
    bring(2)
    run.poll()
    assert (lists.next_due_at(), lists.in_flight, lists.oldest_sequence()) == (
        clock.now + 100,
        0,
        1,
    )
    clock.advance(100)
    run.poll()
    settle()
    assert [len(members) for _, members in updates(sandbox)] == [2]
    for number in range(3, 8):
        bring(number)
    run.poll()
    settle()
    assert [len(members) for _, members in updates(sandbox)] == [2, 5]
    assert run.finish() is None
    run.close()


def test_reading_waits_while_a_list_is_full_and_under_way(sandbox):
    """Memory is bounded: one full request is collected while another is in flight, and no more."""
    settings = settings_of(**list_settings(list_batch_size=3, api_url=sandbox.url))
    run = Run(settings, lambda _: None)
    lists = ListDelivery(settings, run)
    run.attach(lists)
    (mapper,) = lists.mappers("vips", ())
    for number in range(3):
        mapper.map_record({"email": f"person{number}@example.com", "action": "add"})
    assert run.has_room
    run.poll()
    assert run.has_room
    for number in range(3, 6):
        mapper.map_record({"email": f"person{number}@example.com", "action": "add"})
    assert not run.has_room
    assert run.finish() is None
    assert run.has_room
    run.close()
    assert [len(members) for _, members in updates(sandbox)] == [3, 3]


# ---- Records, STATE, outcomes ----


def test_a_stream_may_feed_a_list_and_make_events(run_target, sandbox, held):
    """If a mapping names the stream too, each record is an event and a member.

    STATE follows both.
    """
    given = {
        **list_settings(entry(stream="visits", member="em", operation=None)),
        "conversion_token": TOKEN,
    }
    lines = [
        schema("visits", *visit(), key_properties=("event_id",)),
        *(record("visits", **visit(n)) for n in range(3)),
        DONE,
    ]
    only_list = run_target(lines, **{**given, "mappings": None})
    assert (only_list.outcomes, sandbox.store.events()) == ({"delivered": 3}, [])
    ran = run_target(lines, **{**given, "mappings": [{"stream": "visits", "preset": "pinterest"}]})
    assert (ran.outcomes, len(sandbox.store.events()), ran.states) == (
        {"delivered": 6},
        3,
        ['{"n": 1}'],
    )
    assert len(held()) == 3


def test_state_waits_for_both_kinds(run_target, sandbox):
    """Events are delivered while the list gets no response.

    STATE stays before the list's records, and exit is 1.
    """
    sandbox.faults.set([Fault("status", status=503, endpoint="customer_lists")])
    given = {
        **list_settings(),
        "conversion_token": TOKEN,
        "mappings": [{"stream": "visits", "preset": "pinterest"}],
    }
    visits = [
        schema("visits", *visit(), key_properties=("event_id",)),
        record("visits", **visit(1)),
    ]
    lines = [
        *visits,
        state({"n": 1}),
        SCHEMA,
        row(1),
        record("visits", **visit(2)),
        state({"n": 3}),
    ]
    ran = run_target(lines, **given, max_retry_seconds=0.5)
    assert (ran.code, ran.outcomes, ran.states) == (1, {"delivered": 2}, ['{"n": 1}'])
    assert "max_retry_seconds" in ran.log
    sandbox.faults.clear()
    assert run_target([visits[0], *lines[3:]], **given).states == ['{"n": 3}']


def test_records_that_name_nobody_are_dead_letters(run_target, held):
    """Invalid identifiers are dead letters with their reason and without an event.

    The rest is delivered.
    """
    ran = run_target(
        [SCHEMA, row(1), row(2, email="nobody"), row(3, "perhaps"), row(4, email=None), DONE],
        **list_settings(),
    )
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 1, "invalid": 3}, ['{"n": 1}'])
    assert [
        (one["mapping"], one["outcome"], one["reason"], one["field"]) for one in ran.dead_letters
    ] == [
        (LIST, "invalid", "not_an_email", "member"),
        (LIST, "invalid", "bad_field", "operation"),
        (LIST, "invalid", "missing_field", "member"),
    ]
    assert [one["key"] for one in ran.dead_letters] == [
        {"id": digest(number)} for number in ("2", "3", "4")
    ]
    assert not any("event" in one for one in ran.dead_letters)
    assert held() == people(1)


def test_a_stream_that_nobody_names_is_still_skipped(run_target):
    """Only records that feed neither a list nor a mapping are skipped as unmapped."""
    ran = run_target(
        [SCHEMA, row(1), schema("other", "a"), record("other", a=1)], **list_settings()
    )
    assert ran.reasons == {"no_mapping": 1}


def test_on_invalid_fail_stops_before_its_state(run_target, held):
    """The first record that names nobody stops the run; everything before it is sent."""
    ran = run_target(
        [SCHEMA, row(1), DONE, row(2, email="nobody"), row(3), state({"n": 3})],
        **list_settings(on_invalid="fail"),
    )
    assert (ran.code, ran.states) == (3, ['{"n": 1}'])
    assert held() == people(1)


@pytest.mark.parametrize(("mode", "reason"), [("dry_run", "dry_run"), ("test", "not_live")])
def test_other_modes_send_nothing(run_target, sandbox, mode, reason):
    """Pinterest has no test for lists.

    If not live, nothing is sent, no STATE is written, and invalid records are still found.
    """
    ran = run_target(
        [SCHEMA, *(row(n) for n in range(9)), row(9, email="nobody"), DONE],
        **list_settings(mode=mode),
        ledger_url=None,
    )
    assert (ran.code, ran.states, sandbox.store.requests()) == (0, [], [])
    assert ran.reasons == {reason: 9, "not_an_email": 1}


def test_nothing_of_a_person_is_logged(run_target):
    """Neither identifiers nor digests nor tokens are in the log or in dead letters."""
    ran = run_target([SCHEMA, row(1), row(2, email="nobody at example.com")], **list_settings())
    for word in ("person1", "example.com", person(1), "sandbox-access-token"):
        assert word not in ran.log.lower()
        assert word not in json.dumps(ran.dead_letters).lower()


# ---- Faults ----


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "truncated"},
        {"kind": "empty_body"},
        {"kind": "not_json"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 429, "retry_after": 0},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_requests_are_repeated_until_they_are_answered(run_target, sandbox, held, method, fault):
    """Whatever happens to a lookup, a creation or an update, the list is created once.

    It has exactly its members.
    """
    rule = dict(fault)
    sandbox.faults.set(
        [Fault(rule.pop("kind"), endpoint="customer_lists", method=method, times=2, **rule)]
    )
    run_target([SCHEMA, row(1), row(2)], **list_settings())
    ran = run_target([SCHEMA, row(1, "exit"), row(3), DONE], **list_settings())
    assert (ran.code, ran.states) == (0, ['{"n": 1}'])
    assert held() == people(2, 3)
    assert len(sandbox.store.lists()) == 1
    assert sandbox.faults.struck() != {}


def test_an_uncertain_creation_is_looked_up_before_it_is_tried_again(run_target, sandbox, held):
    """If the response to a creation is lost, the list is looked up by name.

    Its members are added again.
    """
    sandbox.faults.set([Fault("drop_after", endpoint="customer_lists", method="POST", times=1)])
    run_target([SCHEMA, row(1), row(2)], **list_settings())
    assert [one.method for one in sandbox.store.requests()] == ["GET", "POST", "GET", "PATCH"]
    assert held() == people(1, 2)


def test_a_refused_member_is_found_by_halving(run_target, sandbox, held):
    """A refused request is bisected until the bad member is alone.

    It is rejected, all others are delivered.
    """
    run_target([SCHEMA, row(0)], **list_settings())
    sandbox.faults.set([Fault("status", requests=(1, 3, 4), **BAD_PATCH)])
    ran = run_target([SCHEMA, *(row(number) for number in (1, 2, 3, 4)), DONE], **list_settings())
    assert (ran.code, ran.outcomes, ran.states) == (
        0,
        {"delivered": 3, "rejected": 1},
        ['{"n": 1}'],
    )
    assert held() == people(0, 1, 2, 4)
    (letter,) = ran.dead_letters
    assert (letter["outcome"], letter["reason"], letter["key"]) == (
        "rejected",
        "refused_request",
        {"id": digest("3")},
    )
    assert letter["ad_account_id"] == ACCOUNT
    assert "event" not in letter


def test_a_refusal_of_everything_stops_the_run(run_target, sandbox):
    """Three members refused one by one while none was accepted.

    They are not the cause. No dead letters, STATE stays.
    """
    sandbox.faults.set([Fault("status", status=400, endpoint="customer_lists", method="POST")])
    ran = run_target([SCHEMA, *(row(number) for number in range(8)), DONE], **list_settings())
    assert (ran.code, ran.outcomes, ran.states, ran.dead_letters) == (1, {}, [], [])
    assert "the members are not the cause" in ran.log


def test_members_that_gather_may_still_get_through(run_target):
    """Thousands of invalid rows do not stop a run whose good operations wait to be sent."""
    rows = [row(number, email=None) for number in range(2, 2502)]
    ran = run_target([SCHEMA, row(1), *rows, DONE], **list_settings())
    assert (ran.code, ran.outcomes, ran.states) == (
        0,
        {"delivered": 1, "invalid": 2500},
        ['{"n": 1}'],
    )


def test_refused_members_that_are_few_are_rejected_at_the_end(run_target, sandbox):
    """The input may end before the cause of a refusal is known.

    It counts as the member's.
    """
    sandbox.faults.set([Fault("status", status=400, endpoint="customer_lists", method="POST")])
    ran = run_target([SCHEMA, row(1), row(2), DONE], **list_settings(max_rejected_ratio=None))
    assert (ran.code, ran.outcomes, ran.states) == (0, {"rejected": 2}, ['{"n": 1}'])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"oauth": {"access_token": "of-nobody"}}, "oauth.access_token"),
        ({"oauth": {"access_token": TOKEN}}, "oauth.access_token"),
        ({"ad_account_id": "17"}, "ad_account_id"),
        ({"customer_lists": [entry(list_name=None, list_id="17")]}, "list_id in customer_lists"),
        (
            {"customer_lists": [entry(list_name=None, list_id="1/../2")]},
            "list_id in customer_lists",
        ),
    ],
    ids=["unknown-token", "conversion-token", "account", "list", "odd-list"],
)
def test_what_only_a_person_can_mend_stops_the_run(run_target, sandbox, changes, words):
    """A refused token, account or list ends the run with 1 and names the setting.

    Nothing is acknowledged.
    """
    ran = run_target([SCHEMA, row(1), DONE], **{**list_settings(), **changes})
    assert words in ran.log
    assert (ran.code, ran.outcomes, ran.states, sandbox.store.lists()) == (1, {}, [], [])
    assert "of-nobody" not in ran.log


def test_the_conversion_token_is_never_sent_here(run_target, sandbox):
    """With both tokens configured every request about lists has the OAuth token.

    None is refused.
    """
    run_target(
        [SCHEMA, row(1)], **{**list_settings(entry(audience=True)), "conversion_token": TOKEN}
    )
    assert {one.status for one in sandbox.store.requests()} == {200}


# ---- Audience ----


def test_an_audience_is_made_once(run_target, sandbox):
    """With `audience` a run ensures the list's audience.

    So does one that sends nothing, and a second run creates none.
    """
    given = list_settings(entry(audience=True))
    first = run_target([SCHEMA, row(1)], **given)
    again = run_target([SCHEMA], **given)
    (one,) = sandbox.store.audiences()
    assert (one.name, one.customer_list_id) == (LIST, sandbox.store.lists()[0].id)
    assert ("audience was made" in first.log, "audience was there" in again.log) == (True, True)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "truncated"])
def test_an_uncertain_audience_is_looked_up(run_target, sandbox, kind):
    """After an uncertain creation the audiences are read before another is created."""
    sandbox.faults.set([Fault(kind, endpoint="audiences", method="POST", times=1)])
    ran = run_target([SCHEMA, row(1), DONE], **list_settings(entry(audience=True)))
    assert (ran.code, len(sandbox.store.audiences()), ran.states) == (0, 1, ['{"n": 1}'])


def test_no_audience_without_a_list(run_target, sandbox):
    """Without members there is no list, and so no audience for it."""
    assert run_target([SCHEMA, DONE], **list_settings(entry(audience=True))).states == ['{"n": 1}']
    assert sandbox.store.audiences() == []


# ---- What is reported ----


def test_the_log_says_what_a_status_means(run_target):
    """TOO_SMALL and the counters are shown with their meaning."""
    ran = run_target([SCHEMA, row(1), row(2)], **list_settings())
    assert "2 members added, 0 removed" in ran.log
    assert f"status TOO_SMALL: {STATUSES['TOO_SMALL']}" in ran.log
    assert "counted 2 uploaded and 0 removed" in ran.log
    (report,) = ran.target.lists.reports()
    assert (report.created, report.added, report.removed, report.exceptions) == (True, 2, 0, {})


def test_every_status_is_explained():
    """Each status of Pinterest's description has its meaning."""
    assert set(STATUSES) == {"PROCESSING", "READY", "TOO_SMALL", "UPLOADING"}


@pytest.mark.parametrize(
    ("exceptions", "shown"),
    [
        ({"invalid_records": 2}, {"invalid_records": "2"}),
        ({"reason": "bad record person1@example.com"}, {"reason": "bad record …"}),
        (["a@example.com", "b@example.com"], {"exceptions": "2"}),
        ({"emails": ["a@example.com"]}, {"emails": "1"}),
        ({}, {}),
        (None, {}),
    ],
)
def test_exceptions_are_shown_without_values(exceptions, shown):
    """`exceptions` is not documented.

    Numbers are shown, strings are redacted, and anything else is counted.
    """
    assert exceptions_of(CustomerListBody("1", exceptions=exceptions)) == shown


# ---- OAuth ----


@pytest.fixture
def app(tmp_path: Path):
    """Return the settings of an app whose refresh token is replaced."""
    oauth = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-client-secret",
        "refresh_token": "sandbox-refresh-token",
        "token_path": str(tmp_path / "kept" / "token.json"),
    }
    return list_settings(oauth=oauth)


def kept(app):
    return json.loads(Path(app["oauth"]["token_path"]).read_text())


def test_a_replaced_refresh_token_is_kept_and_used_next_time(run_target, sandbox, app):
    """The file is private, has the newest refresh token and the digest of the configured one.

    The next run uses it.
    """
    assert run_target([SCHEMA, row(1)], **app).outcomes == {"delivered": 1}
    path = Path(app["oauth"]["token_path"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept(app)["refresh_token"] == "sandbox-refresh-token-1"
    assert kept(app)["descends_from"] == digest("sandbox-refresh-token")
    assert run_target([SCHEMA, row(2)], **app).outcomes == {"delivered": 1}
    assert kept(app)["refresh_token"] == "sandbox-refresh-token-2"
    assert {one.name for one in path.parent.iterdir()} == {"token.json", ".token.json.lock"}
    assert sandbox.store.counters()["tokens_issued"] == 2


def test_a_newly_configured_refresh_token_wins_over_the_file(run_target, app):
    """A file that is derived from another token is not used."""
    run_target([SCHEMA, row(1)], **app)
    with Sandbox(SandboxConfig(app=App(refresh_token="let-in-once-more"))) as pinterest:
        given = {
            **app,
            "api_url": pinterest.url,
            "oauth": {**app["oauth"], "refresh_token": "let-in-once-more"},
        }
        assert run_target([SCHEMA, row(1)], **given).outcomes == {"delivered": 1}
    assert kept(app)["descends_from"] == digest("let-in-once-more")


def test_a_token_that_is_not_replaced_leaves_no_file(run_target, app):
    """If refreshing returns no new refresh token there is nothing to store."""
    with Sandbox(SandboxConfig(app=App(rotate=False))) as pinterest:
        assert run_target([SCHEMA, row(1)], **{**app, "api_url": pinterest.url}).outcomes == {
            "delivered": 1
        }
    assert not Path(app["oauth"]["token_path"]).exists()


def test_401_refreshes_once(run_target, sandbox, app, held):
    """An access token that has expired is replaced once, and the request is sent again."""
    sandbox.faults.set([Fault("status", status=401, endpoint="customer_lists", requests=(2,))])
    assert run_target([SCHEMA, row(1)], **app).outcomes == {"delivered": 1}
    assert sandbox.store.counters()["tokens_issued"] == 2
    assert held() == people(1)


def test_401_twice_stops_and_names_the_setting(run_target, sandbox, app):
    """A new token that is refused too ends the run: exit 1, the setting, no token in the log."""
    sandbox.faults.set([Fault("status", status=401, endpoint="customer_lists")])
    ran = run_target([SCHEMA, row(1), DONE], **app)
    assert (ran.code, ran.states, sandbox.store.counters()["tokens_issued"]) == (1, [], 2)
    assert "oauth.refresh_token" in ran.log
    assert "sandbox-refresh-token" not in ran.log
    assert "sandbox-access-token" not in ran.log


@pytest.mark.parametrize("name", ["client_id", "client_secret", "refresh_token"])
def test_credentials_that_are_refused_stop_the_run(run_target, app, name):
    """An app or refresh token that Pinterest does not accept.

    Exit 1, the settings to check, none of their values.
    """
    ran = run_target(
        [SCHEMA, row(1), DONE], **{**app, "oauth": {**app["oauth"], name: "of-somebody-else"}}
    )
    assert (ran.code, ran.states) == (1, [])
    assert f"oauth.{name}" in ran.log
    assert "of-somebody-else" not in ran.log


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "drop_before"}, {"kind": "status", "status": 429}],
)
def test_refreshing_is_repeated(run_target, sandbox, app, fault):
    """Temporary failures are retried, for the token too."""
    rule = dict(fault)
    sandbox.faults.set([Fault(rule.pop("kind"), endpoint="oauth", times=2, **rule)])
    assert run_target([SCHEMA, row(1)], **app).outcomes == {"delivered": 1}


@pytest.mark.parametrize(
    "content", ["no json", "[1]", '{"descends_from": "x", "refresh_token": "y"}']
)
def test_a_file_that_is_not_ours(run_target, app, content):
    """A file that cannot be read is reported, never overwritten.

    One of another token is not used.
    """
    path = Path(app["oauth"]["token_path"])
    path.parent.mkdir()
    path.write_text(content)
    ran = run_target([SCHEMA, row(1)], **app)
    if content == "no json":
        assert (ran.code, path.read_text()) == (1, content)
        assert "oauth.token_path" in ran.log
    else:
        assert (ran.code, kept(app)["refresh_token"]) == (0, "sandbox-refresh-token-1")


@pytest.mark.parametrize("room", [0, 100, 4000])
def test_a_disk_without_room_for_a_token_keeps_the_old_one(run_target, sandbox, app, room: int):
    """Nothing is refreshed, the old file stays whole, and with room again the next run goes on."""
    assert run_target([SCHEMA, row(1)], **app).code == 0
    before = kept(app)
    with files_limited_to(room):
        ran = run_target([SCHEMA, row(2), DONE], **app)
    assert (ran.code, ran.states) == (1, [])
    assert "the folder of oauth.token_path cannot be written: File too large" in ran.log
    assert "Nothing was refreshed" in ran.log
    assert (kept(app), sandbox.store.counters()["tokens_issued"]) == (before, 1)
    assert run_target([SCHEMA, row(2)], **app).outcomes == {"delivered": 1}


def test_a_place_that_cannot_be_written_is_found_out_before_the_token_is_used_up(
    run_target, sandbox, app, tmp_path
):
    """If the new refresh token could not be stored, the old one is not used.

    Nothing is refreshed.
    """
    (tmp_path / "file").write_text("")
    given = {**app, "oauth": {**app["oauth"], "token_path": str(tmp_path / "file" / "token.json")}}
    ran = run_target([SCHEMA, row(1)], **given)
    assert ran.code == 1
    assert "oauth.token_path" in ran.log
    assert "tokens_issued" not in sandbox.store.counters()

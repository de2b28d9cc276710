"""Lytics's two exports: conversions to Pinterest's API, and audiences to customer lists.

A conversion export maps the fields of a user's event to Pinterest's. An audience export adds the
people who enter an audience to a list and removes those who leave it, by e-mail address or by
mobile advertising id.
"""

import re
from datetime import UTC, datetime

import pytest
from members import digest, list_settings

from given import record, schema, settings_of
from preset_events import events_of, sha256
from shopper import seconds_ago
from target_pinterest_capi.customer_lists.members import Action, compile_members
from target_pinterest_capi.events.event import InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.settings import ConfigurationError

CONVERSION = {
    "event_names": {"purchase": "checkout", "signup": "signup"},
    "fields": {
        "event_name": "event",
        "event_id": "event_id",
        "event_time": "ts",
        "user_data.em": ["email", "emails"],
        "user_data.hashed_maids": ["idfa", "gaid"],
        "user_data.client_ip_address": "ip",
        "user_data.client_user_agent": "user_agent",
        "custom_data.value": "value",
        "custom_data.currency": "currency",
    },
    "defaults": {"action_source": "web"},
}
USER = {"event": "purchase", "ts": "2026-11-17T09:08:31Z", "email": "m@example.com", "_uid": "1"}
ENTERED = {"event": "enter", "audience": "vips", "email": "Maria.Rivera@example.com", "_uid": "1"}
IDFA = "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"


def operations(records, **entry):
    """Return the change that each record makes to the list: the action and the identifiers."""
    settings = settings_of(
        **list_settings(
            {
                "stream": "audience",
                "list_name": "VIPs",
                "member": ["email", "emails"],
                "operation": "event",
                **entry,
            }
        )
    )
    read = compile_members(
        settings.customer_lists[0],
        Origin("audience", "VIPs"),
        ("_uid",),
        lambda *_: None,
        settings.options,
        datetime.now(UTC),
    )
    return [read(record) for record in records]


def test_conversion():
    """A user's event is a conversion, with every e-mail address of the profile."""
    record = {
        "event": "purchase",
        "event_id": "e-1",
        "ts": "2026-11-17T09:08:31Z",
        "email": "Maria.Rivera@example.com",
        "emails": ["maria.rivera@example.com", "m@example.com"],
        "idfa": IDFA,
        "value": 39.8,
        "currency": "USD",
    }
    assert events_of(None, [record], **CONVERSION) == [
        {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": 1794906511,
            "event_id": "e-1",
            "user_data": {
                "em": [sha256("maria.rivera@example.com"), sha256("m@example.com")],
                "hashed_maids": [sha256(IDFA.lower())],
            },
            "custom_data": {"currency": "USD", "value": "39.8"},
        }
    ]


@pytest.mark.parametrize("empty", [None, "", " "])
def test_values_of_the_job(empty):
    """Event name, action source and partner of the job are for users whose own field is empty."""
    own = {"event": "signup", "source": "web", "partner": "ss-example"}
    fields = {"event_name": "event", "action_source": "source", "partner_name": "partner"}
    filled, default = events_of(
        None,
        [{**USER, **own}, {**USER, **dict.fromkeys(own, empty)}],
        fields={**CONVERSION["fields"], **fields},
        defaults={"event_name": "lead", "action_source": "offline", "partner_name": "ss-job"},
    )
    names = ("event_name", "action_source", "partner_name")
    assert [filled[name] for name in names] == ["signup", "web", "ss-example"]
    assert [default[name] for name in names] == ["lead", "offline", "ss-job"]


@pytest.mark.parametrize(
    ("when", "sent"),
    [(None, ["enter", "exit"]), ("move == 'enter'", ["enter"]), ("move == 'exit'", ["exit"])],
    ids=["both", "enters_only", "exits_only"],
)
def test_conversions_of_enters_and_exits(when, sent):
    """Both enters and exits are conversions, or only one of the two."""
    moves = ["enter", "exit"]
    entry = CONVERSION if when is None else {**CONVERSION, "when": when}
    results = events_of(None, [{**USER, "move": move} for move in moves], **entry)
    kept = zip(moves, results, strict=True)
    assert [move for move, result in kept if not isinstance(result, SkippedRecord)] == sent


def test_changed_fields(run_target, sandbox):
    """A user whose field changed is sent once more, because the id has the time of the change."""
    columns = schema("users", *USER, "modified", key_properties=("_uid",))
    user = {**USER, "ts": seconds_ago(60)}
    fields = {**CONVERSION["fields"], "event_id": "concat(_uid, '-', modified)"}
    lines = [columns, *(record("users", **user, modified=day) for day in ("1", "1", "2"))]
    ran = run_target(lines, mappings=[{"stream": "users", **CONVERSION, "fields": fields}])
    assert ran.code == 0
    assert set(sandbox.store.event_ids()) == {"1-1", "1-2"}


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("enter", Action.ADD),
        ("entered", Action.ADD),
        ("exit", Action.REMOVE),
        ("exited", Action.REMOVE),
    ],
)
def test_enters_and_exits(event, action):
    """A user who enters the audience is added to the list, and one who leaves it is removed."""
    (operation,) = operations([{**ENTERED, "event": event}])
    assert operation.action is action
    assert list(operation.members) == [digest("maria.rivera@example.com")]


def test_existing_users():
    """Existing users of an audience come without an event: each is added."""
    (operation,) = operations([{"email": "m@example.com", "_uid": "1"}], operation=None)
    assert operation.action is Action.ADD


def test_hashed_addresses():
    """An address can be in a field that was hashed already."""
    hashed = digest("m@example.com")
    (operation,) = operations(
        [{"event": "enter", "sha256_email": hashed.upper(), "_uid": "1"}], member="sha256_email"
    )
    assert list(operation.members) == [hashed]


def test_mobile_advertising_ids():
    """An audience of apps is a list of advertising ids."""
    (operation,) = operations(
        [{"event": "enter", "idfa": IDFA, "_uid": "1"}], member=["idfa"], list_type="IDFA"
    )
    assert list(operation.members) == [digest(IDFA.lower())]


@pytest.mark.parametrize("email", [None, "", "nobody", "n/a"])
def test_users_without_an_identifier(email):
    """A user without a usable address is counted, and the others are sent."""
    invalid, added = operations([{**ENTERED, "email": email}, ENTERED])
    assert isinstance(invalid, InvalidRecord)
    assert added.action is Action.ADD


def test_name_of_a_new_list(run_target, sandbox):
    """A list's name can have the stream, the date, and a word of your own."""
    name = {"expression": "concat('Lytics ', stream(), ' ', today())"}
    entry = {"stream": "vips", "list_name": name, "member": "email", "operation": "event"}
    lines = [schema("vips", "_uid", key_properties=("_uid",)), record("vips", **ENTERED)]
    ran = run_target(lines, **list_settings(entry))
    assert ran.code == 0
    (made,) = sandbox.store.lists()
    assert re.fullmatch(r"Lytics vips \d{4}-\d\d-\d\d", made.name)


def test_existing_list(run_target, sandbox):
    """A list of that name that there is already is taken, and another run makes no second one."""
    entry = {"stream": "vips", "list_name": "VIPs", "member": "email", "operation": "event"}
    columns = schema("vips", "_uid", key_properties=("_uid",))
    for number in (1, 2):
        person = {**ENTERED, "_uid": str(number), "email": f"person{number}@example.com"}
        assert run_target([columns, record("vips", **person)], **list_settings(entry)).code == 0
    (held,) = sandbox.store.lists()
    assert len(held.members) == 2


def test_existing_list_by_its_id(run_target, sandbox):
    """A list that was chosen by its id gets the users, whatever its name is."""
    entry = {"stream": "vips", "member": "email", "operation": "event"}
    lines = [schema("vips", "_uid", key_properties=("_uid",)), record("vips", **ENTERED)]
    run_target(lines, **list_settings({**entry, "list_name": "VIPs"}))
    (held,) = sandbox.store.lists()
    left = [lines[0], record("vips", **{**ENTERED, "event": "exit"})]
    assert run_target(left, **list_settings({**entry, "list_id": held.id})).code == 0
    (held,) = sandbox.store.lists()
    assert not held.members


JOB = [
    ("pinterest_account_id", "ad_account_id"),
    ("pinterest_list_id", "list_id in customer_lists"),
    ("email_field", "member in customer_lists"),
    ("sha256_email_field", "member in customer_lists"),
    ("mobile_id_field", "member in customer_lists"),
    ("event_name", "in mappings"),
    ("required_mapping", "fields in mappings"),
    ("identifier_mapping", "fields in mappings"),
    ("mapping", "mappings"),
    ("action_source", "in defaults"),
    ("partner_name", "in defaults"),
    ("segment_id", "when"),
    ("audience_events", "when"),
    ("field_changes", "Remove it"),
    ("withbackfill", "Remove it"),
    ("account_id", "ad_account_id"),
    ("token", "conversion_token"),
]


@pytest.mark.parametrize(("theirs", "ours"), JOB, ids=[row[0] for row in JOB])
def test_settings_of_its_jobs(theirs, ours):
    """The name of a setting of its jobs is refused, and the message says what to set instead."""
    with pytest.raises(ConfigurationError) as refused:
        settings_of(**{theirs: "x"})
    (problem,) = refused.value.problems
    assert problem.path == theirs
    assert ours in problem.message.removeprefix(theirs)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("pinterest_account_id", "ad_account_id"),
        ("pinterest_list_id", "list_id"),
        ("email_field", "member"),
        ("sha256_email_field", "member"),
        ("mobile_id_field", "member"),
        ("segment_id", "when"),
        ("audience_events", "when"),
        ("withbackfill", "Remove it"),
    ],
)
def test_settings_of_its_jobs_in_an_entry(theirs, ours):
    """The same names in an entry of a list are refused with the entry's own."""
    entry = {"stream": "vips", "list_name": "VIPs", "member": "email", theirs: "x"}
    with pytest.raises(ConfigurationError) as refused:
        settings_of(**list_settings(entry))
    (problem,) = refused.value.problems
    assert problem.path == f"customer_lists[0].{theirs}"
    assert ours in problem.message


def test_pace_of_the_queue():
    """Changes of an audience are sent every five minutes, or with the ten thousandth user."""
    settings = settings_of()
    assert (settings.list_wait_seconds, settings.list_batch_size) == (300, 10_000)

"""Treasure Data's exports: conversions to Pinterest's API, column by column, and audiences.

The result of a conversion query has a column for each parameter, named as Pinterest names it. Here
such a result needs no mapping: it is preset `pinterest`. The result of an audience's query has one
column, email, maid or idfa: it is an entry of customer_lists.
"""

import json

import pytest
from members import digest, list_settings

from given import record, schema, state
from preset_events import events_of, sha256
from shopper import seconds_ago
from target_pinterest_capi.events.event import InvalidRecord
from target_pinterest_capi.events.reasons import Invalid

ROW = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794906511,
    "event_id": "e-1",
    "em": "Maria.Rivera@example.com",
}
SENT = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1794906511,
    "event_id": "e-1",
    "user_data": {"em": [sha256("maria.rivera@example.com")]},
}


def event_of(**columns):
    """Return the event of a row with these columns."""
    (event,) = events_of("pinterest", [{**ROW, **columns}])
    return event


def test_required_columns():
    """The required columns and an identifier are an event."""
    assert event_of() == SENT


@pytest.mark.parametrize("column", ["event_name", "action_source", "event_time"])
def test_row_without_a_required_column(column):
    """A row without one is not an event, and the reason names it; the others are sent."""
    invalid, event = events_of("pinterest", [{**ROW, column: None}, ROW])
    assert isinstance(invalid, InvalidRecord)
    assert (invalid.reason, invalid.field) == (Invalid.MISSING_FIELD, column)
    assert event == SENT


def test_row_without_an_identifier():
    """A row needs em, hashed_maids, or client_ip_address with client_user_agent."""
    (invalid,) = events_of("pinterest", [{**ROW, "em": None, "ph": "+1 415 555 0132"}])
    assert invalid.reason is Invalid.NO_IDENTIFIER


PLAIN = [
    ("event_source_url", "https://shop.example.com/", "https://shop.example.com/"),
    ("opt_out", "true", True),
    ("partner_name", "ss-example", "ss-example"),
    ("app_id", "429047995", "429047995"),
    ("app_name", "Shop", "Shop"),
    ("app_version", "7.9", "7.9"),
    ("device_brand", "Apple", "Apple"),
    ("device_carrier", "Example Mobile", "Example Mobile"),
    ("device_model", "iPhone X", "iPhone X"),
    ("device_type", "iPhone", "iPhone"),
    ("os_version", "12.1.4", "12.1.4"),
    ("wifi", 0, False),
    ("language", "en-US", "en"),
]


@pytest.mark.parametrize(("column", "value", "sent"), PLAIN, ids=[row[0] for row in PLAIN])
def test_columns_of_the_event(column, value, sent):
    """Each column is the parameter of its name."""
    assert event_of(**{column: value}) == {**SENT, column: sent}


HASHED = [
    ("ph", "+1 (415) 555-0132", "14155550132"),
    ("ge", "Female", "f"),
    ("db", "1990-03-14", "19900314"),
    ("ln", "Rivera", "rivera"),
    ("fn", "Maria", "maria"),
    ("ct", "San Francisco", "sanfrancisco"),
    ("st", "CA", "ca"),
    ("zp", "94103", "94103"),
    ("country", "US", "us"),
    ("external_id", 12, "12"),
    (
        "hashed_maids",
        "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB",
        "7a3cbea0-bdf5-11e4-8dfc-aa07a5b093db",
    ),
]


@pytest.mark.parametrize(("column", "value", "normal"), HASHED, ids=[row[0] for row in HASHED])
@pytest.mark.parametrize("form", ["one", "list", "JSON", "digest"])
def test_columns_of_the_person(column, value, normal, form):
    """Personal columns are hashed, one value or a list of them; a digest is unchanged."""
    forms = {"one": value, "list": [value], "JSON": json.dumps([value]), "digest": sha256(normal)}
    assert event_of(**{column: forms[form]})["user_data"][column] == [sha256(normal)]


@pytest.mark.parametrize(
    ("column", "value"),
    [("client_ip_address", "203.0.113.7"), ("client_user_agent", "Mozilla/5.0"), ("click_id", "d")],
)
def test_plain_columns_of_the_person(column, value):
    """Columns that must not be hashed are unchanged."""
    assert event_of(**{column: value})["user_data"][column] == value


@pytest.mark.parametrize(
    ("column", "value", "sent"),
    [
        ("currency", "usd", "USD"),
        ("value", 72.39, "72.39"),
        ("value", "72.39", "72.39"),
        ("content_ids", ["red-1", "blue-2"], ["red-1", "blue-2"]),
        ("content_ids", '["red-1", "blue-2"]', ["red-1", "blue-2"]),
        ("num_items", 2.0, 2),
        ("order_id", 1001, "1001"),
        ("search_string", "vases", "vases"),
        ("opt_out_type", "LDP", "LDP"),
        ("content_name", "Vase", "Vase"),
        ("content_category", "Home", "Home"),
        ("content_brand", "Rivera", "Rivera"),
        ("np", "ss-example", "ss-example"),
    ],
)
def test_columns_of_the_purchase(column, value, sent):
    """Each column is the member of custom_data of its name."""
    assert event_of(**{column: value})["custom_data"][column] == sent


@pytest.mark.parametrize("encode", [lambda value: value, json.dumps], ids=["list", "JSON"])
def test_contents(encode):
    """Products come as a list of objects, which Presto casts to JSON text."""
    contents = encode([{"id": "71", "item_price": 19.9, "quantity": 2}])
    assert event_of(contents=contents)["custom_data"] == {
        "content_ids": ["71"],
        "contents": [{"id": "71", "item_price": "19.9", "quantity": 2}],
        "num_items": 2,
    }


def test_other_columns():
    """Columns of other names, such as Treasure Data's own `time`, are not read."""
    (plain, with_time) = events_of("pinterest", [ROW, {**ROW, "time": 1, "td_client_id": "x"}])
    assert plain == with_time


ROWS = schema("rows", *ROW, key_properties=("event_id",))


def live(number, **columns):
    """Return a row as a record of a minute ago, which a real run does not refuse as too old."""
    row = {**ROW, "event_id": f"e-{number}", "event_time": seconds_ago(60), **columns}
    return record("rows", **row)


@pytest.mark.parametrize(("on_invalid", "code", "sent"), [("skip", 0, 1), ("fail", 3, 0)])
def test_invalid_rows_are_skipped_or_stop_the_job(run_target, sandbox, on_invalid, code, sent):
    """on_invalid: skip skips invalid records; with fail the job stops at the first one."""
    lines = [ROWS, live(1, em="nobody"), live(2), state({"n": 2})]
    ran = run_target(lines, on_invalid=on_invalid)
    assert (ran.code, len(sandbox.store.event_ids())) == (code, sent)
    assert bool(ran.states) == (code == 0)


def test_test_events(run_target, sandbox):
    """Test events are checked by Pinterest, and none of them is recorded."""
    ran = run_target([ROWS, live(1)], mode="test")
    assert (ran.code, ran.outcomes) == (0, {"delivered": 1})
    assert sandbox.store.event_ids() == {}


IDFA = "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"
PEOPLE = {"email": "Maria.Rivera@example.com ", "maid": IDFA, "idfa": IDFA}


def export(run_target, column, values, **entry):
    """Run the target on the one column of an audience's query."""
    audience = {"stream": "td", "list_name": "VIPs", "member": column, **entry}
    lines = [schema("td", column), *(record("td", **{column: value}) for value in values)]
    return run_target(lines, **list_settings({"list_type": column.upper(), **audience}))


def members(sandbox):
    """Return the members of the only list that there is."""
    (held,) = sandbox.store.lists()
    return set(held.members)


@pytest.mark.parametrize("form", ["plain", "digest"])
@pytest.mark.parametrize("column", PEOPLE)
def test_audience(run_target, sandbox, column, form):
    """An audience is made with its first users, whose ids are hashed unless they are already."""
    hashed = digest(PEOPLE[column].strip().lower())
    ran = export(run_target, column, [{"plain": PEOPLE[column], "digest": hashed}[form]])
    assert (ran.code, ran.outcomes) == (0, {"delivered": 1})
    (held,) = sandbox.store.lists()
    assert (held.name, held.list_type, set(held.members)) == ("VIPs", column.upper(), {hashed})


def test_adding_and_removing_users(run_target, sandbox):
    """One job adds the users of its query, another removes those of its own."""
    export(run_target, "email", ["a@example.com", "b@example.com"])
    export(run_target, "email", ["c@example.com"])
    export(run_target, "email", ["a@example.com"], operation="'remove'")
    assert members(sandbox) == {digest("b@example.com"), digest("c@example.com")}


def test_clearing_an_audience(run_target, sandbox):
    """To clear an audience is to remove all who were added to it."""
    everybody = ["a@example.com", "b@example.com"]
    export(run_target, "email", everybody)
    export(run_target, "email", everybody, operation="'remove'")
    assert members(sandbox) == set()


@pytest.mark.parametrize(("on_invalid", "code", "added"), [("skip", 0, 1), ("fail", 3, 0)])
def test_invalid_users_are_skipped_or_stop_the_job(run_target, sandbox, on_invalid, code, added):
    """An invalid id is counted, and the others go on, or the job stops at it."""
    audience = {"stream": "td", "list_name": "VIPs", "member": "email"}
    emails = ["nobody", "a@example.com"]
    lines = [schema("td", "email"), *(record("td", email=email) for email in emails)]
    ran = run_target(lines, on_invalid=on_invalid, **list_settings(audience))
    assert ran.code == code
    assert sum(len(held.members) for held in sandbox.store.lists()) == added

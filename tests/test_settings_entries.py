"""The entries of `mappings` and `customer_lists`: their members, fields and event names."""

import datetime as dt
import re

import pytest
from configurations import MINIMAL, entry_with, problems_of
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.events.fields import BY_PATH, OBJECTS
from target_pinterest_capi.settings import (
    ConfigurationError,
    CustomerListEntry,
    load,
    parse_mapping,
)

# ---- mapping entries ----


FIELDS = {
    "event_id": "name",
    "user_data.em": ["email", "customer.email"],
    "user_data.ph": None,
    "custom_data.value": "total",
}


def test_an_entry_keeps_what_was_written():
    """Fields are tuples of expressions by path, None if unmapped; the rest is unchanged."""
    entry = load(
        entry_with(
            name="paid orders",
            preset="pinterest",
            when="financial_status == 'paid'",
            ad_account_id="account_id",
            event_names={"Order Completed": "checkout"},
            fields=FIELDS,
            defaults={"action_source": "WEB", "event_time": "NOW", "custom_data.num_items": 2},
        )
    ).mappings[0]
    assert (entry.stream, entry.name, entry.preset, entry.ad_account_id) == (
        "orders",
        "paid orders",
        "pinterest",
        "account_id",
    )
    assert entry.when == "financial_status == 'paid'"
    assert entry.event_names == {"Order Completed": "checkout"}
    assert entry.fields == {
        "event_id": ("name",),
        "user_data.em": ("email", "customer.email"),
        "user_data.ph": None,
        "custom_data.value": ("total",),
    }
    assert entry.defaults == {
        "action_source": "web",
        "event_time": "now",
        "custom_data.num_items": 2,
    }


def nested(flat):
    """The form of dotted keys in Meltano."""
    result = {}
    for path, value in flat.items():
        parent, _, leaf = path.rpartition(".")
        (result.setdefault(parent, {}) if parent else result)[leaf] = value
    return result


@given(
    flat=st.dictionaries(
        st.sampled_from(sorted(BY_PATH)), st.sampled_from(["a", "a.b", "c[0]", None]), max_size=8
    ),
    apart=st.sets(st.sampled_from(OBJECTS)),
)
def test_nested_and_dotted_fields_are_the_same(flat, apart):
    """Any mixture of nested and dotted paths means the same fields."""
    inner = nested(
        {path: value for path, value in flat.items() if BY_PATH[path].parent not in apart}
    )
    mixed = {
        **inner,
        **{path: value for path, value in flat.items() if BY_PATH[path].parent in apart},
    }
    assert load(entry_with(fields=mixed)) == load(entry_with(fields=flat))


def test_nested_and_dotted_constants_are_the_same():
    """Constants are flattened along known paths; an object for a field stays its value."""
    flat = {
        "action_source": "web",
        "custom_data.currency": "USD",
        "custom_data.contents": {"id": "a", "quantity": 1},
    }
    assert load({**MINIMAL, "defaults": nested(flat)}).defaults == flat
    assert load({**MINIMAL, "defaults": flat}).defaults == flat
    assert load({**MINIMAL, "defaults.action_source": "web"}).defaults == {"action_source": "web"}
    assert load({**MINIMAL, "oauth.access_token": "x"}).oauth.access_token.get_secret_value() == "x"


def test_a_path_given_nested_and_dotted_is_a_problem():
    """The same field twice is a problem, since one would be ignored."""
    fields = {"user_data": {"em": "a"}, "user_data.em": "b"}
    assert (
        "given twice" in problems_of(entry_with(fields=fields))["mappings[0].fields.user_data.em"]
    )


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("user_data.email", "user_data.em"),
        ("email", "user_data.em"),
        ("em", "user_data.em"),
        ("user_data.first_name", "user_data.fn"),
        ("user_data.zip", "user_data.zp"),
        ("event_nam", "event_name"),
        ("eventTime", "event_time"),
        ("custom_data.values", "custom_data.value"),
        ("value", "custom_data.value"),
        ("user_data.value", "custom_data.value"),
        ("custom_data.contents.id", "custom_data.contents"),
        ("device_info.os", "device_info.os_name"),
        ("user_data.external", "user_data.external_id"),
    ],
)
def test_an_unknown_path_names_the_closest(path, nearest):
    """A path that is not a field of an event is a problem with the most similar one."""
    message = problems_of(entry_with(fields={path: "x"}))[f"mappings[0].fields.{path}"]
    assert f"did you mean {nearest}" in message


@given(path=st.text(max_size=80).filter(lambda path: path not in BY_PATH and path not in OBJECTS))
def test_every_unknown_path_names_a_field(path):
    """For any wrong path, the most similar field is named."""
    with pytest.raises(ConfigurationError) as raised:
        load(entry_with(fields={path: "x"}))
    (problem,) = raised.value.problems
    assert re.search(r"did you mean ([a-z_.]+)\?", problem.message)[1] in BY_PATH


@pytest.mark.parametrize("given", ["person", ["person", "visitor"], None, {}])
def test_an_object_of_the_event_is_mapped_by_its_members(given):
    """Objects such as user_data become their members, each read from the object."""
    fields = load(entry_with(fields={"user_data": given})).mappings[0].fields
    sources = [given] if isinstance(given, str) else given
    expected = sources and tuple(f"member({source}, 'em')" for source in sources)
    assert fields.get("user_data.em") == (expected or None)
    assert ("user_data.em" in fields) is (given != {})


@pytest.mark.parametrize("given", ["a b", 5, [], [None]])
def test_an_object_is_mapped_by_expressions(given):
    """Anything else is a problem at its place, reported once."""
    (place,) = problems_of(entry_with(fields={"custom_data": given}))
    assert place.startswith("mappings[0].fields.custom_data")


@pytest.mark.parametrize(
    ("value", "where", "says"),
    [
        (5, "", "write it as a string"),
        (True, "", "write it as a string"),
        (dt.date(2026, 1, 1), "", "write it as a string"),
        ({"a": "b"}, "", "not an object"),
        ("", "", "an empty string"),
        ([], "", "empty list"),
        (["a", None], "[1]", "remove nulls"),
        (["a", ["b"]], "[1]", "list in a list"),
        (["a", 1.5], "[1]", "write it as a string"),
        ("a ==", "", "not a valid expression"),
        ("nonsense(a)", "", "at character 1"),
        ("a.b.lower(c", "", "not a valid expression"),
    ],
)
def test_fields_take_expressions(value, where, says):
    """A field has one expression or several, in text; a wrong one is a separate problem."""
    problems = problems_of(entry_with(fields={"event_id": value}))
    assert list(problems) == [f"mappings[0].fields.event_id{where}"]
    assert says in problems[f"mappings[0].fields.event_id{where}"]


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("when", True, "write it as a string"),
        ("when", "a ===", "not a valid expression"),
        ("ad_account_id", "1" * 19, "18 digits"),
        ("ad_account_id", "a b", "not a valid expression"),
        ("preset", "pinteres", "did you mean pinterest?"),
        ("preset", "zzz", "must be one of pinterest, "),
        ("fields", ["em"], "must be an object"),
        ("defaults", "web", "must be an object"),
        ("event_names", ["a"], "must be an object"),
        ("stream", ["a"], "must be a string"),
    ],
)
def test_wrong_members_of_an_entry(member, value, says):
    """Every member of an entry is checked, and named if it is wrong."""
    assert says in problems_of(entry_with(**{member: value}))[f"mappings[0].{member}"]


def test_event_names_may_have_dots_and_numbers():
    """Names nested at their dots, and numbers, become the tap's names again; null sends none."""
    entry = load(
        entry_with(event_names={"Order": {"Completed": "checkout"}, 404: "custom", "Gone": None})
    ).mappings[0]
    assert entry.event_names == {"Order.Completed": "checkout", "404": "custom", "Gone": None}


def test_an_event_name_that_is_written_in_two_ways_has_one_value():
    """As a number and a string, or nested and dotted, it is one name: no value is lost."""
    same = {"404": "custom", 404: "custom", "A.B": None, "A": {"B": None}}
    different = {"404": "custom", 404: "lead", "A.B": None, "A": {"B": "lead"}}
    assert load(entry_with(event_names={**same, "C": "lead"}))
    assert problems_of(entry_with(event_names=different)) == {
        f"mappings[0].event_names.{name}": "is given twice, written in two ways: keep one"
        for name in ("404", "A.B")
    }


@pytest.mark.parametrize(
    ("name", "target"), [(True, "signup"), ("a", 5), ("a", " "), ("a", ["lead"])]
)
def test_event_names_are_text(name, target):
    """YAML's yes and no are not names, and a name is not a number."""
    assert list(problems_of(entry_with(event_names={name: target}))) == [
        f"mappings[0].event_names.{name}"
    ]


NEVER = {"Internal Test": None, "Order Refunded": None}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"preset": "pinterest"},
        {"unlisted_names": "skip"},
        {"defaults": {"action_source": "web"}},
    ],
    ids=str,
)
def test_event_names_that_leave_nothing_to_send_are_a_problem(members):
    """If every name is null and others are skipped, an entry can send no event at all."""
    problems = problems_of(entry_with(event_names=NEVER, **members))
    assert list(problems) == ["mappings[0].event_names"]
    assert "unlisted_names: send" in problems["mappings[0].event_names"]


@pytest.mark.parametrize(
    ("members", "settings"),
    [
        ({"event_names": {**NEVER, "Order": "checkout"}}, {}),
        ({"event_names": NEVER, "unlisted_names": "send"}, {}),
        ({"event_names": NEVER, "defaults": {"event_name": "custom"}}, {}),
        ({"event_names": NEVER}, {"defaults": {"event_name": "custom"}}),
        ({"event_names": NEVER, "preset": "segment"}, {}),
        ({"event_names": {}}, {}),
    ],
    ids=str,
)
def test_event_names_may_be_null_where_others_are_sent(members, settings):
    """Names that are never sent are valid next to a name, a default or a preset that is."""
    assert load({**entry_with(**members), **settings})


# ---- customer lists ----


def list_with(**members):
    made = {"stream": "vip", "list_name": "VIPs", "member": "email", **members}
    return {**MINIMAL, "oauth": {"access_token": "x"}, "customer_lists": [made]}


def test_a_customer_list_keeps_what_was_written():
    """Expressions of a list are checked and kept, and its keys have the contract's defaults."""
    entry = load(
        list_with(member=["email", "alt_email"], operation="action", list_type="maid")
    ).customer_lists[0]
    assert entry == CustomerListEntry(
        stream="vip",
        list_name="VIPs",
        member=("email", "alt_email"),
        operation="action",
        list_type="MAID",
    )
    assert (entry.refresh, entry.max_removed_ratio, entry.audience) == ("incremental", 0.5, False)


@pytest.mark.parametrize(
    ("name", "is_refused"),
    [
        ("concat('Lytics ', audience)", True),
        ("upper(audience)", True),
        ("'VIPs'", True),
        ("audience || 'VIPs'", True),
        ("VIPs", False),
        ("VIPs (Germany)", False),
        ("Lapsed(2025)", False),
        ("Newsletter - all", False),
        ("customers.vip", False),
    ],
)
def test_list_name_that_is_an_expression(name, is_refused):
    """A name that looks like an expression is refused, and no list of that name is created."""
    if is_refused:
        said = problems_of(list_with(list_name=name))["customer_lists[0].list_name"]
        assert "is a name, not an expression" in said
    else:
        assert load(list_with(list_name=name)).customer_lists[0].list_name == name


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"list_id": "1"}, ""),
        ({"list_name": None}, ""),
        ({"list_type": "PHONE"}, ".list_type"),
        ({"member": "a b"}, ".member"),
        ({"member": ["a", 5]}, ".member[1]"),
        ({"member": None}, ".member"),
        ({"operation": 5}, ".operation"),
        ({"operation": "a b"}, ".operation"),
        ({"max_removed_ratio": 2}, ".max_removed_ratio"),
        ({"audience": "perhaps"}, ".audience"),
        ({"ad_account_id": "account"}, ".ad_account_id"),
        ({"stream": ""}, ".stream"),
    ],
)
def test_wrong_members_of_a_customer_list(members, path):
    """A list is named once, by id or name, and each of its keys is checked."""
    assert list(problems_of(list_with(**members))) == [f"customer_lists[0]{path}"]


# ---- one entry alone ----


def test_a_single_entry_is_read_like_those_of_a_configuration():
    """A preset's entry is read by the same rules, and its problems have their own place."""
    raw = {"stream": "*", "fields": {"user_data": {"em": "email"}}}
    assert parse_mapping(raw, "preset shop") == load({**MINIMAL, "mappings": [raw]}).mappings[0]
    with pytest.raises(ConfigurationError) as raised:
        parse_mapping({"stream": "*", "fields": {"em": "email"}}, "preset shop")
    assert [problem.path for problem in raised.value.problems] == ["preset shop.fields.em"]

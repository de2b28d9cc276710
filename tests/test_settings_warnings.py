"""Warnings about settings that are valid and can hardly be meant."""

import pytest
from configurations import MINIMAL

from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.settings import (
    ConfigurationError,
    Settings,
    load,
)
from target_pinterest_capi.settings.odd_settings import NEEDED


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"defaults": {"event_name": "chekout"}}, "defaults.event_name"),
        (
            {"mappings": [{"stream": "a", "defaults": {"event_name": "CheckOut!"}}]},
            "mappings[0].defaults.event_name",
        ),
        (
            {
                "mappings": [
                    {"stream": "a", "preset": "pinterest", "event_names": {"Bought": "checkouts"}}
                ]
            },
            "mappings[0].event_names.Bought",
        ),
        (
            {"mappings": [{"stream": "a", "fields": {"event_name": "'checkot'"}}]},
            "mappings[0].fields.event_name",
        ),
    ],
)
def test_an_event_name_of_ones_own_is_warned_about(raw, path):
    """A constant event name that Pinterest does not have is a warning with the most similar one."""
    (warning,) = load({**MINIMAL, **raw}).warnings
    assert warning.path == path
    assert "did you mean checkout?" in warning.message


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_pinterests_event_names_are_not_warned_about(name):
    """No known name has a warning."""
    raw = {
        "mappings": [
            {
                "stream": "a",
                "event_names": {"x": name},
                "defaults": {"event_name": name},
                "fields": {"event_name": "n"},
            }
        ]
    }
    assert load({**MINIMAL, **raw}).warnings == ()


def test_a_constant_event_id_is_warned_about():
    """One event_id for all events makes all of them duplicates, which is rarely intended."""
    (warning,) = load({**MINIMAL, "defaults": {"event_id": "1"}}).warnings
    assert warning.path == "defaults.event_id"


ORDERS = {"stream": "orders", "fields": {"event_id": "id"}}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"when": "`true`"}, "when", "reads no column"),
        ({"when": "`false`"}, "when", "reads no column"),
        ({"when": "'paid'"}, "when", "reads no column"),
        ({"when": "'a' == 'b'"}, "when", "reads no column"),
        ({"when": "always"}, None, ""),
        ({"when": "status == 'paid'"}, None, ""),
        ({"when": "today() > '2026-11-01'"}, None, ""),
        ({"fields": {"event_id": "'order-' || id"}}, "fields.event_id", "join strings with concat"),
        ({"fields": {"event_id": "'order'"}}, "fields.event_id", "duplicates"),
        ({"fields": {"event_id": "id || 'none'"}}, None, ""),
        ({"fields": {"event_id": "concat('order-', id)"}}, None, ""),
        (
            {"fields": {"event_id": "id", "user_data.em": "'' || mail"}},
            None,
            "",
        ),
    ],
)
def test_expression_that_cannot_be_meant(changes, path, words):
    """A value that is the same for every record, or never read, is a warning with advice."""
    found = load({**MINIMAL, "mappings": [{**ORDERS, **changes}]}).warnings
    assert [one.path for one in found] == ([f"mappings[0].{path}"] if path else [])
    assert words in "".join(one.message for one in found)


OF_LIST = {"stream": "people", "list_id": "1", "member": "email"}


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("`true`", "reads no column"),
        ("'paid' || 'sent'", "reads no column"),
        ("status == 'refunded' || 'paid'", "(at character 25), so it is always true"),
        ("status == 'refunded' || 'paid'", "status == 'a' || status == 'b'"),
        ("status == 'paid' && 'x'", "(at character 21), so it is always true"),
        ("status == 'paid' && !'x'", "(at character 22), so it is always true"),
        ("status == 'paid' || 'no'", "(at character 21), so it is always false"),
        ("state == 'a' && (status == 'b' || 'c')", "(at character 35)"),
        ("'paid' || status", "(at character 1)"),
        ("status == 'refunded' || status == 'paid'", None),
        ("(status || 'none') == 'paid'", None),
        ("is_true(consent || 'no') || paid", None),
        ("concat('a', 'b') == status && paid", None),
        ("paid && contains(['a', 'b'], status)", None),
        ("paid || `false`", None),
    ],
)
@pytest.mark.parametrize(
    "place", [("mappings", ORDERS), ("customer_lists", OF_LIST)], ids=lambda place: place[0]
)
def test_condition_that_compares_a_text_with_nothing(place, when, words):
    """A part of a condition that no record changes is a warning, in mappings and in lists."""
    name, entry = place
    raw = {**MINIMAL, "oauth": {"access_token": "x"}, name: [{**entry, "when": when}]}
    found = load(raw).warnings
    assert [one.path for one in found] == ([f"{name}[0].when"] if words else [])
    assert (words or "") in "".join(one.message for one in found)
    assert "refunded" not in "".join(one.message for one in found)


LEDGER = {"ledger_url": "sqlite:///ledger.db"}
RESULTS = {"results_url": "sqlite:///results.db"}
NOTIFIED = {"notify_url": "https://hooks.example.com/x"}
JUDGED = {"quality": {"checkout": {"hashed_email": 80}}}


PAIRS = [
    ("notify_format", "slack", NOTIFIED),
    ("notify_on", "always", NOTIFIED),
    ("on_low_quality", "fail", JUDGED),
    ("results_events", "all", RESULTS),
    ("results_retention_days", 7, RESULTS),
]


@pytest.mark.parametrize(("name", "value", "needed"), PAIRS)
def test_setting_without_the_one_that_it_needs(name, value, needed):
    """A setting that nothing reads is a warning with both names, unless it is at its default."""
    (warning,) = load({**MINIMAL, name: value}).warnings
    missing = next(iter(needed))
    assert warning.path == name
    assert f"has no effect without {missing}" in warning.message
    assert load({**MINIMAL, **needed, name: value}).warnings == ()
    default = Settings.model_fields[name].default
    assert load({**MINIMAL, name: default}).warnings == ()


def test_every_pair_of_settings_is_tested():
    """The table has the pairs above, and no others."""
    assert {name: next(iter(needed)) for name, _, needed in PAIRS} == NEEDED


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"max_removed_ratio": 0.1}, True),
        ({"max_removed_ratio": 0.1, "refresh": "incremental"}, True),
        ({"max_removed_ratio": 0.1, "refresh": "full"}, False),
        ({"max_removed_ratio": 0.5}, False),
        ({}, False),
    ],
)
def test_limit_of_a_prune_that_cannot_be(changes, warned):
    """max_removed_ratio limits what a prune removes, and only full refreshes can be pruned."""
    given = {"oauth": {"access_token": "x"}, "customer_lists": [{**OF_LIST, **changes}]}
    found = load({**MINIMAL, **LEDGER, **given}).warnings
    assert [one.path for one in found] == ["customer_lists[0].max_removed_ratio"] * warned


def test_entry_that_is_there_twice():
    """Two equal entries would send each event twice."""
    (warning,) = load({**MINIMAL, "mappings": [ORDERS, {"stream": "a"}, ORDERS]}).warnings
    assert warning.path == "mappings[2]"
    assert "is the same as mappings[0]" in warning.message


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"conversion_token": '"abc"'}, "conversion_token", "is in quotes"),
        ({"conversion_token": "'abc'"}, "conversion_token", "is in quotes"),
        ({"conversion_token": "<token>"}, "conversion_token", "is a placeholder"),
        ({"conversion_token": "${TOKEN}"}, "conversion_token", "variable that was not replaced"),
        ({"api_url": "https://api.pinterest.com"}, "api_url", "ending in /v5"),
        ({"api_url": "https://api.pinterest.com/v3"}, "api_url", "ending in /v5"),
        ({"api_url": "https://api.pinterest.com/v5/ad_accounts/1"}, "api_url", "ending in /v5"),
        ({"api_url": "https://example.com/v5/ad_accounts/1/events"}, "api_url", "ending in /v5"),
        ({"default_country": False}, "default_country", "in quotes: YAML reads NO"),
        ({"mappings": ORDERS}, "mappings", "- stream: orders"),
        ({"mappings": [{"stream": "a", "event_id": "b"}]}, "mappings[0].event_id", "below fields"),
        ({"mappings": [{"stream": "a", "user_data": {}}]}, "mappings[0].user_data", "below fields"),
        (
            {"mappings": [{"stream": "a", "user_data.em": "b"}]},
            "mappings[0].user_data.em",
            "below fields",
        ),
    ],
)
def test_mistakes_that_people_make(given, path, words):
    """The message names the wrong key and the right one, and shows no value."""
    with pytest.raises(ConfigurationError) as caught:
        load({**MINIMAL, **given})
    (problem,) = caught.value.problems
    assert problem.path == path
    assert words in problem.message
    assert "abc" not in problem.message


def test_api_url_may_end_in_a_slash():
    """Pinterest's URL is the same with a slash at its end."""
    url = "https://api.pinterest.com/v5"
    assert load({**MINIMAL, "api_url": f"{url}/"}).api_url == url

"""Settings: valid ones, their meaning, and the messages about invalid ones."""

import datetime as dt
import json
import pickle
import re
from zoneinfo import ZoneInfo

import pytest
from configurations import MINIMAL, entry_with, problems_of, problems_or_none
from hypothesis import given
from hypothesis import strategies as st

from given import ACCOUNT
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES
from target_pinterest_capi.settings import (
    ConfigurationError,
    CustomerListEntry,
    MappingEntry,
    Settings,
    load,
)
from target_pinterest_capi.settings.json_schema import properties

# The table of the contract with users: every setting and its default; `...` is required, None is
# unset.
DEFAULTS = {
    "ad_account_id": ...,
    "conversion_token": None,
    "conversion_token_file": None,
    "oauth": None,
    "api_url": "https://api.pinterest.com/v5",
    "mode": "live",
    "mappings": None,
    "customer_lists": (),
    "defaults": {},
    "timezone": "UTC",
    "default_country": None,
    "date_format": None,
    "postal_code": "auto",
    "external_id": "keep",
    "null_values": DEFAULT_NULL_VALUES,
    "url_query": "keep",
    "max_event_age_days": 7,
    "quality": {},
    "on_low_quality": "warn",
    "on_invalid": "skip",
    "max_rejected_ratio": 1.0,
    "dead_letter_path": "pinterest-rejected.jsonl",
    "dead_letter_keys": "hashed",
    "old_events_path": None,
    "old_events_names": {},
    "report_path": None,
    "metrics_path": None,
    "telemetry": "none",
    "ledger_url": None,
    "ledger_retention_days": 7,
    "results_url": None,
    "results_events": "failed",
    "results_retention_days": 90,
    "notify_url": None,
    "notify_on": "failure",
    "notify_format": "auto",
    "on_uncertain": "resend",
    "batch_size_rows": 1000,
    "batch_max_bytes": 2_000_000,
    "batch_wait_seconds": 10,
    "max_in_flight": 16,
    "max_requests_per_minute": 5000,
    "request_timeout_seconds": 30,
    "max_retry_seconds": 300,
    "shutdown_grace_seconds": 20,
    "list_batch_size": 10_000,
    "list_wait_seconds": 300,
    "validate_records": False,
    "stream_maps": None,
    "stream_map_config": None,
    "faker_config": None,
    "flattening_enabled": None,
    "flattening_max_depth": None,
    "flattening_max_key_length": None,
    "flattening_separator": None,
}


# ---- the contract ----


def test_the_settings_are_those_of_the_contract():
    """Every setting of the contract's table exists, with its name and default, and no other."""
    fields = Settings.model_fields
    assert {
        name: ... if info.is_required() else info.default for name, info in fields.items()
    } == DEFAULTS


def test_defaults_apply_to_what_is_not_given():
    """A minimal configuration has the contract's defaults."""
    settings = load(MINIMAL)
    for name in set(DEFAULTS) - {"ad_account_id", "conversion_token"}:
        assert getattr(settings, name) == DEFAULTS[name], name
    assert settings.ad_account_id == ACCOUNT
    assert settings.conversion_token.get_secret_value() == "sandbox-token"
    assert settings.zone == ZoneInfo("UTC")
    assert settings.warnings == ()


def test_members_of_entries_and_lists_are_those_of_the_contract():
    """A mapping entry and a customer list have the contract's keys."""
    assert set(properties(MappingEntry)) == {
        "stream",
        "name",
        "preset",
        "when",
        "preset_when",
        "mode",
        "deleted",
        "ad_account_id",
        "conversion_token_file",
        "event_names",
        "unlisted_names",
        "fields",
        "defaults",
        "null_values",
    }
    assert set(properties(CustomerListEntry)) == {
        "stream",
        "list_id",
        "list_name",
        "max_lists",
        "list_type",
        "ad_account_id",
        "is_nca",
        "member",
        "when",
        "operation",
        "refresh",
        "max_removed_ratio",
        "null_values",
        "audience",
    }


# ---- lax input ----


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("ad_account_id", 549755885175, ACCOUNT),
        ("batch_size_rows", "100", 100),
        ("batch_size_rows", " 100 ", 100),
        ("batch_size_rows", 100.0, 100),
        ("batch_wait_seconds", "0.5", 0.5),
        ("max_rejected_ratio", "0.25", 0.25),
        ("validate_records", "false", False),
        ("validate_records", "true", True),
        ("flattening_enabled", "false", False),
        ("flattening_max_depth", "2", 2),
        ("mode", "DRY_RUN", "dry_run"),
        ("default_country", "de", "DE"),
        ("report_path", "out/run.HTML", "out/run.HTML"),
        (
            "defaults",
            {"custom_data.currency": None, "user_data": {"db": dt.date(1990, 4, 3)}},
            {"user_data.db": "1990-04-03"},
        ),
        ("api_url", "https://proxy.example.com/v5/", "https://proxy.example.com/v5"),
        ("defaults", '{"action_source": "web"}', {"action_source": "web"}),
        ("stream_maps", '{"orders": {"a": "b"}}', {"orders": {"a": "b"}}),
        ("max_event_age_days", None, None),
        ("max_event_age_days", "null", None),
        ("max_event_age_days", "never", None),
        ("max_rejected_ratio", None, None),
        ("max_rejected_ratio", "None", None),
        ("max_rejected_ratio", " Never ", None),
    ],
)
def test_values_may_be_text(name, given, meant):
    """Numbers, booleans, lists and objects may come as text, as Meltano sends them."""
    value = getattr(load({**MINIMAL, name: given}), name)
    assert value == meant
    assert isinstance(value, bool) == isinstance(meant, bool)


@pytest.mark.parametrize("name", sorted(set(DEFAULTS) - {"ad_account_id", "conversion_token"}))
@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_and_empty_text_are_not_given(name, nothing):
    """Null and empty text count as not given, except for the two settings with null as no limit."""
    limitless = nothing is None and name in {"max_event_age_days", "max_rejected_ratio"}
    assert getattr(load({**MINIMAL, name: nothing}), name) == (
        None if limitless else DEFAULTS[name]
    )


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("ad_account_id", "12a", "digits only"),
        ("ad_account_id", "1" * 19, "18 at most"),
        ("ad_account_id", True, "must be a string"),
        ("ad_account_id", "١٢٣", "digits only"),
        ("mode", "liv", "did you mean live?"),
        ("on_invalid", "ignore", "one of skip, fail"),
        ("on_uncertain", 1, "one of resend, reject"),
        ("timezone", "europe/pariss", "did you mean Europe/Paris?"),
        ("timezone", "../etc/passwd", "IANA"),
        ("timezone", "Europe", "IANA"),
        ("default_country", "GERMANY", "did you mean DE?"),
        ("default_country", "uk", "did you mean GB?"),
        ("default_country", "FRA", "did you mean FR?"),
        ("default_country", "XX", "two letters"),
        ("date_format", "ymd", "one of dmy, mdy"),
        ("max_event_age_days", 0, "a whole number from 1 to 36,500; never: no limit"),
        ("max_event_age_days", 7.5, "a whole number"),
        ("max_rejected_ratio", 1.5, "a number from 0 to 1; never: no limit"),
        ("max_rejected_ratio", "nan", "a number from 0 to 1"),
        ("ledger_url", "ledger.db", "SQLAlchemy URL"),
        ("ledger_url", "mysql://db.example.com/x", "sqlite:///ledger.db"),
        ("results_url", "results.db", "SQLAlchemy URL"),
        ("notify_url", "hooks.example.com/x", "is not a URL: write it as https://host/path"),
        ("notify_url", "http://hooks.example.com/x", "must start with https://"),
        ("notify_url", "https:///x", "write it as https://host/path"),
        ("results_url", "sqlite://", "must name a file"),
        ("ledger_url", "sqlite://", "must name a file"),
        ("ledger_url", "sqlite:///", "must name a file"),
        ("ledger_url", "sqlite+pysqlite://?timeout=5", "must name a file"),
        ("ledger_url", "sqlite:///:memory:", "must name a file"),
        ("ledger_url", "sqlite:///file::memory:?cache=shared&uri=true", "must name a file"),
        ("ledger_url", "sqlite:///file:one?mode=memory&uri=true", "must name a file"),
        ("report_path", "report.txt", ".json or .html"),
        ("metrics_path", "metrics.txt", "must end in .prom"),
        ("batch_size_rows", 1001, "a whole number from 1 to 1,000"),
        ("batch_size_rows", 0, "a whole number from 1 to 1,000"),
        ("batch_size_rows", "many", "a whole number from 1 to 1,000"),
        ("batch_size_rows", True, "a whole number from 1 to 1,000"),
        ("batch_size_rows", [1], "a whole number from 1 to 1,000"),
        ("batch_wait_seconds", 0, "a number above 0 and at most 3,600"),
        ("request_timeout_seconds", "inf", "a number above 0"),
        ("max_in_flight", 0, "a whole number from 1"),
        ("validate_records", "maybe", "true or false"),
        ("flattening_max_depth", -1, "at least 0"),
        ("mappings", {"stream": "orders"}, "a list of entries"),
        ("mappings", "[{", "not JSON"),
        ("customer_lists", "vip", "not JSON"),
        ("customer_lists", {"stream": "vip"}, "a list of entries"),
        ("defaults", ["web"], "must be an object"),
        ("oauth", 5, "must be an object"),
        ("stream_maps", ["a"], "must be an object"),
        ("conversion_token", True, "must be a string"),
        ("conversion_token_file", 5, "path of a file"),
    ],
)
def test_wrong_values_are_described_in_plain_words(name, wrong, says):
    """A wrong value is one problem at its setting, which says what is valid."""
    given = {**MINIMAL, name: wrong}
    if name == "conversion_token_file":
        del given["conversion_token"]
    problems = problems_of(given)
    assert list(problems) == [name]
    assert says in problems[name]
    assert not re.search(r"pydantic|Input should|Value error|validation", problems[name])


@pytest.mark.parametrize(
    "name", ["batch_size_rows", "max_in_flight", "list_batch_size", "max_event_age_days"]
)
def test_limits_are_reached(name):
    """The limits of a range are valid."""
    info = Settings.model_fields[name]
    ends = [
        getattr(limit, side)
        for limit in info.metadata
        for side in ("ge", "le")
        if hasattr(limit, side)
    ]
    assert len(ends) == 2
    for end in ends:
        assert getattr(load({**MINIMAL, "ledger_retention_days": 36_500, name: end}), name) == end


# ---- addresses ----


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v5",
        "http://localhost:8085/v5",
        "http://127.0.0.1:8085/v5",
        "http://127.9.0.1",
        "http://[::1]:8085/v5",
    ],
)
def test_api_url_is_https_or_this_machine(url):
    """An https address may have any host, an http one only this machine."""
    assert load({**MINIMAL, "api_url": url}).api_url == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://api.example.com/v5", "https://"),
        ("http://localhost.example.com/v5", "https://"),
        ("http://192.0.2.1/v5", "https://"),
        ("http://[2001:db8::1]/v5", "https://"),
        ("ftp://api.example.com", "not a URL"),
        ("api.example.com/v5", "not a URL"),
        ("https://", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://api.example.com:99999", "not a URL"),
        ("https://api.example.com/a b", "not a URL"),
        ("https://user:secret@api.example.com/v5", "user or a password"),
        ("https://user@api.example.com/v5", "user or a password"),
        ("https://api.example.com/v5?test=true", "without ? and #"),
        ("https://api.example.com/v5#top", "without ? and #"),
        ("https://api.example.com/v5?", "without ? and #"),
    ],
)
def test_api_url_carries_nothing_but_an_address(url, says):
    """No plain http to other machines, and no credentials, query or fragment."""
    assert says in problems_of({**MINIMAL, "api_url": url})["api_url"]


# ---- frozen values ----


def test_settings_are_values():
    """Settings are equal, hashed and pickled by value, and immutable."""
    given = entry_with(
        fields={"user_data.em": "email"}, defaults={"custom_data.contents": [{"id": "a"}]}
    )
    one, other = load(given), load(json.loads(json.dumps(given)))
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(ValueError, match="frozen"):
        one.mode = "test"
    with pytest.raises(TypeError):
        one.mappings[0].fields["user_data.em"] = ()


def test_the_sdks_options_go_on_as_they_are():
    """Given values of the SDK's own options are there as plain values, and nothing else."""
    maps = {"orders": {"em": "email.lower()", "__else__": None}}
    settings = load(
        {**MINIMAL, "stream_maps": maps, "flattening_enabled": "true", "flattening_max_depth": "1"}
    )
    assert settings.sdk_options() == {
        "stream_maps": maps,
        "flattening_enabled": True,
        "flattening_max_depth": 1,
    }
    assert load(MINIMAL).sdk_options() == {}


# ---- names ----


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("conversion_tokn", "did you mean conversion_token?"),
        ("batch_size", "set batch_size_rows"),
        ("Mapping", "did you mean mappings?"),
        ("zzz", "is not a setting"),
        ("add_record_metadata", "no meaning here"),
        ("load_method", "no meaning here"),
        ("batch_config", "no meaning here"),
        ("hard_delete", "no meaning here"),
        ("default_target_schema", "no meaning here"),
        ("access_token", "oauth.access_token"),
        ("api_key", "set conversion_token"),
        ("advertiser_id", "set ad_account_id"),
        ("tag_id", "Set ad_account_id"),
        ("pixel_id", "Set ad_account_id"),
        ("skip_invalid_record", "set on_invalid"),
        ("test_event", "set mode"),
        ("dry_run", "set mode"),
        ("refresh_token", "a member of oauth"),
        ("hash_pii", "always hashed"),
        ("event_name", "set it in mappings"),
        ("currency", "set it in defaults"),
        ("opt_out_type", "set it in defaults"),
        ("list_name", "set it in customer_lists"),
        ("operation", "set it in customer_lists"),
        ("audience_name", "set list_name in customer_lists"),
        ("endpoint", "set api_url"),
        ("timeout", "set request_timeout_seconds"),
        ("max_retries", "set max_retry_seconds"),
    ],
)
def test_unknown_settings_are_refused_with_the_nearest_name(name, says):
    """A name that is not a setting is a problem with the most similar one, or a reason."""
    assert says in problems_of({**MINIMAL, name: "x"})[name]


@pytest.mark.parametrize(
    ("raw", "path", "says"),
    [
        ({"mappings": [{"stream": "a", "field": {}}]}, "mappings[0].field", "fields"),
        (
            {"mappings": [{"stream": "a", "conversion_token": "x"}]},
            "mappings[0].conversion_token",
            "conversion_token_file",
        ),
        ({"oauth": {"acces_token": "x", "access_token": "y"}}, "oauth.acces_token", "access_token"),
        (
            {"customer_lists": [{"stream": "a", "list_id": "1", "membr": "e", "member": "e"}]},
            "customer_lists[0].membr",
            "member",
        ),
    ],
)
def test_unknown_members_are_refused_with_the_nearest_name(raw, path, says):
    """Unknown keys of entries, lists and oauth are refused like unknown settings."""
    assert f"did you mean {says}?" in problems_of({**MINIMAL, **raw})[path]


def test_all_problems_are_reported_at_once():
    """One error holds every problem: unknown names, wrong values, rules between settings."""
    problems = problems_of(
        {
            "mode": "liv",
            "batch_size_rows": 5000,
            "conversion_token": "two words",
            "load_method": "upsert",
            "timezone": "Mars",
            "oauth": {"access_token": "x y", "client_idd": "1"},
            "defaults": {"action_source": "wbe"},
            "mappings": [
                {
                    "preset": "pinteres",
                    "when": "a ==",
                    "fields": {"user_data.email": "email", "event_id": 5},
                },
                "orders",
                {
                    "stream": "x",
                    "defaults": {"event_time": "soon"},
                    "conversion_token_file": "/nowhere/token",
                },
            ],
            "customer_lists": [
                {"stream": "vip", "list_type": "MAIL", "member": "", "refresh": "full"}
            ],
        }
    )
    assert set(problems) == {
        "ad_account_id",
        "mode",
        "batch_size_rows",
        "conversion_token",
        "load_method",
        "timezone",
        "oauth.access_token",
        "oauth.client_idd",
        "defaults.action_source",
        "mappings[0].stream",
        "mappings[0].preset",
        "mappings[0].when",
        "mappings[0].fields.user_data.email",
        "mappings[0].fields.event_id",
        "mappings[1]",
        "mappings[2].defaults.event_time",
        "mappings[2].conversion_token_file",
        "customer_lists[0]",
        "customer_lists[0].list_type",
        "customer_lists[0].member",
        "customer_lists[0].refresh",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
ENTRIES = st.lists(
    JSON
    | st.dictionaries(
        st.sampled_from(sorted({*properties(MappingEntry), *properties(CustomerListEntry)})), JSON
    ),
    max_size=2,
)


@given(
    raw=st.dictionaries(st.sampled_from(sorted(DEFAULTS)) | st.text(max_size=8), JSON, max_size=5),
    entries=ENTRIES,
)
def test_any_configuration_is_settings_or_problems(raw, entries):
    """For any values, the result is settings, or problems with a path and a message."""
    given_lists = {**raw, "mappings": entries, "customer_lists": entries}
    for configuration in (
        raw,
        {**MINIMAL, **raw},
        given_lists,
        {**MINIMAL, "defaults": raw, "oauth": raw},
    ):
        problems = problems_or_none(configuration)
        assert problems is None or (
            problems and all(problem.path and problem.message for problem in problems)
        )


def test_an_error_lists_its_problems_one_a_line():
    """The text of an error is one line per problem: the path, then what to do."""
    with pytest.raises(ConfigurationError) as raised:
        load({"ad_account_id": "x", "mode": "odd"})
    lines = str(raised.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        problem.path for problem in raised.value.problems
    ]
    assert len(lines) == 2


# ---- rules between settings ----


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (
            {"max_event_age_days": 30, "ledger_url": "sqlite:///ledger.db"},
            "ledger_retention_days",
        ),
        (
            {"ledger_retention_days": 6, "ledger_url": "sqlite:///ledger.db"},
            "ledger_retention_days",
        ),
        (
            {"max_event_age_days": None, "ledger_url": "sqlite:///ledger.db"},
            "ledger_retention_days",
        ),
        ({"customer_lists": [{"stream": "a", "list_id": "1", "member": "e"}]}, "oauth"),
        (
            {
                "customer_lists": [
                    {"stream": "a", "list_id": "1", "member": "e", "refresh": "full"}
                ],
                "oauth": {"access_token": "x"},
            },
            "customer_lists[0].refresh",
        ),
    ],
)
def test_settings_that_need_each_other(given, path):
    """The ledger covers the maximum age of events; lists need oauth, refreshes the ledger."""
    assert list(problems_of({**MINIMAL, **given})) == [path]


@pytest.mark.parametrize(
    "given",
    [
        {
            "max_event_age_days": 30,
            "ledger_url": "sqlite:///ledger.db",
            "ledger_retention_days": 30,
        },
        {"max_event_age_days": 30},
        {"max_event_age_days": None},
        {
            "max_event_age_days": None,
            "ledger_url": "sqlite:///ledger.db",
            "ledger_retention_days": 90,
        },
        {"mode": "dry_run", "customer_lists": [{"stream": "a", "list_id": "1", "member": "e"}]},
    ],
)
def test_settings_that_agree(given):
    """Without an age limit a retention is chosen; without a ledger it does not matter."""
    assert load({**MINIMAL, **given}).ad_account_id == ACCOUNT

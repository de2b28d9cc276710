"""Settings: valid ones, their meaning, and the messages about invalid ones."""

import datetime as dt
import json
import pickle
import re
import string
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import list_settings

from target_pinterest_capi.events.codes import LANGUAGES
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES, OBJECTS, FieldKind
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES
from target_pinterest_capi.events.reasons import Dropped
from target_pinterest_capi.settings import (
    ConfigurationError,
    CustomerListEntry,
    MappingEntry,
    Settings,
    constants,
    load,
    load_files,
    parse_mapping,
    read_environment,
    read_files,
)
from target_pinterest_capi.settings.json_schema import properties
from target_pinterest_capi.settings.variables import unread_variables

ACCOUNT = "549755885175"
MINIMAL = {"ad_account_id": ACCOUNT, "conversion_token": "sandbox-token"}

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


def problems_of(raw, **options):
    """`{path: message}` of a configuration that must be refused."""
    with pytest.raises(ConfigurationError) as raised:
        load(raw, **options)
    problems = {problem.path: problem.message for problem in raised.value.problems}
    assert len(problems) == len(raised.value.problems), "two problems have one path"
    return problems


def entry_with(**members):
    return {**MINIMAL, "mappings": [{"stream": "orders", **members}]}


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


# ---- secrets ----


@pytest.mark.parametrize(("mode", "needed"), [("live", True), ("test", True), ("dry_run", False)])
def test_events_need_a_token_unless_nothing_is_sent(mode, needed):
    """Without a conversion token, only a dry run is a valid configuration for events."""
    given = {"ad_account_id": ACCOUNT, "mode": mode}
    if needed:
        assert "conversion_token_file" in problems_of(given)["conversion_token"]
    else:
        assert load(given).conversion_token is None


def test_the_token_is_needed_for_events_only():
    """No events, own tokens for all entries, or another purpose: no conversion token is needed."""
    assert load({"ad_account_id": ACCOUNT, **list_settings()}).mappings == ()
    assert load({"ad_account_id": ACCOUNT}, purpose="any").conversion_token is None


@pytest.mark.parametrize("mappings", [[], "[]", ()])
@pytest.mark.parametrize("lists", [{}, {"customer_lists": []}, {"customer_lists": "[]"}])
@pytest.mark.parametrize("purpose", ["events", "any"])
def test_configuration_without_any_entry_is_refused(mappings, lists, purpose):
    """Every record would be skipped, so neither mappings nor customer_lists may be empty."""
    problems = problems_of({**MINIMAL, "mappings": mappings, **lists}, purpose=purpose)
    assert "every record would be skipped" in problems["mappings"]


@pytest.mark.parametrize("mappings", [None, ""])
def test_mappings_without_a_value_are_unset(mappings):
    """`mappings:` whose entries are all comments is as if it was not written."""
    assert load({**MINIMAL, "mappings": mappings}).mappings is None


def test_entries_may_each_bring_their_token(tmp_path):
    """An entry's token is read from its file; the common one is needed if any entry has none."""
    (tmp_path / "eu.token").write_text("eu-token\n")
    own = {"stream": "eu", "conversion_token_file": str(tmp_path / "eu.token")}
    entry = load({"ad_account_id": ACCOUNT, "mappings": [own]}).mappings[0]
    assert entry.conversion_token.get_secret_value() == "eu-token"
    assert "conversion_token" in problems_of(
        {"ad_account_id": ACCOUNT, "mappings": [own, {"stream": "us"}]}
    )


def test_the_token_is_needed_also_where_entries_are_wrong():
    """A wrong entry does not hide that the token is missing."""
    problems = problems_of({"ad_account_id": ACCOUNT, "mappings": [{"preset": "pinterest"}]})
    assert set(problems) == {"mappings[0].stream", "conversion_token"}


@pytest.mark.parametrize(
    "content", ["file-token", "file-token\n", "\r\n file-token \n", "\ufefffile-token\n"]
)
def test_a_secret_may_stand_in_a_file(tmp_path, content):
    """The file of a secret is read while loading, without white space around the secret."""
    path = tmp_path / "token"
    path.write_bytes(content.encode())
    settings = load({"ad_account_id": ACCOUNT, "conversion_token_file": str(path)})
    assert settings.conversion_token.get_secret_value() == "file-token"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"two tokens", "white space"),
        (b"one\ntwo", "white space"),
        (b"\xff\xfe\x00", "not text"),
        (b"x" * 70_000, "too large"),
    ],
)
def test_the_file_of_a_secret_must_hold_one(tmp_path, content, says):
    """A missing, empty or invalid file is a problem without the file's name and content."""
    path = tmp_path / "token-of-somebody"
    if content is not None:
        path.write_bytes(content)
    problems = problems_of({"ad_account_id": ACCOUNT, "conversion_token_file": str(path)})
    assert list(problems) == ["conversion_token_file"]
    assert says in problems["conversion_token_file"]
    assert "somebody" not in problems["conversion_token_file"]


@pytest.mark.parametrize("path", ["/", "a\0b", "x" * 5000])
def test_a_path_that_no_file_can_have_is_a_problem(path):
    """A folder, a null byte and an endless name are not files."""
    assert "conversion_token_file" in problems_of(
        {"ad_account_id": ACCOUNT, "conversion_token_file": path}
    )


def test_a_secret_is_given_once():
    """Text and file at once are a problem, since one would be ignored."""
    assert (
        "keep either"
        in problems_of({**MINIMAL, "conversion_token_file": "token"})["conversion_token"]
    )


@pytest.mark.parametrize(
    "token",
    ["two words", "one\ntwo", "tab\there", "Bearer token", "bell\x07", "töken", "null\0byte"],
)
def test_a_token_must_fit_into_a_header(token):
    """White space, control characters and letters beyond ASCII in a token are a problem."""
    assert (
        "header"
        in problems_of({"ad_account_id": ACCOUNT, "conversion_token": token})["conversion_token"]
    )


OAUTH = {
    "client_id": "1",
    "client_secret": "app-secret",
    "refresh_token": "refresh-token",
    "token_path": "oauth.json",
}


@pytest.mark.parametrize("oauth", [{"access_token": "access-token"}, OAUTH])
def test_oauth_is_a_token_or_the_means_to_refresh_one(oauth):
    """Either form of oauth is enough for customer lists."""
    settings = load(
        {
            **MINIMAL,
            "oauth": oauth,
            "customer_lists": [{"stream": "vip", "list_id": "1", "member": "email"}],
        }
    )
    assert {
        name: getattr(settings.oauth, name) for name in oauth if name in {"client_id", "token_path"}
    } == {name: value for name, value in oauth.items() if name in {"client_id", "token_path"}}
    secrets = {
        name: getattr(settings.oauth, name).get_secret_value()
        for name in oauth
        if "token" in name and name != "token_path"
    }
    assert secrets == {name: oauth[name] for name in secrets}


@pytest.mark.parametrize("left_out", sorted(OAUTH))
def test_oauth_names_what_is_missing(left_out):
    """Without an access token, an app's parts are needed; `login` can create the refresh token."""
    oauth = {name: value for name, value in OAUTH.items() if name != left_out}
    if left_out == "refresh_token":
        assert load({**MINIMAL, "oauth": oauth}).oauth.refresh_token is None
        return
    assert list(problems_of({**MINIMAL, "oauth": oauth})) == [f"oauth.{left_out}"]


def test_oauth_is_one_of_its_two_forms():
    """Both forms of oauth at once are a problem."""
    assert (
        "keep either" in problems_of({**MINIMAL, "oauth": {**OAUTH, "access_token": "x"}})["oauth"]
    )


@pytest.mark.parametrize("name", ["access_token", "client_secret", "refresh_token"])
def test_every_secret_of_oauth_may_stand_in_a_file(tmp_path, name):
    """Each secret of oauth has a file form, read like the conversion token's."""
    (tmp_path / "secret").write_text("from-a-file")
    rest = (
        {}
        if name == "access_token"
        else {other: value for other, value in OAUTH.items() if other != name}
    )
    settings = load({**MINIMAL, "oauth": {**rest, f"{name}_file": str(tmp_path / "secret")}})
    assert getattr(settings.oauth, name).get_secret_value() == "from-a-file"
    problems = problems_of({**MINIMAL, "oauth": {**rest, f"{name}_file": str(tmp_path / "none")}})
    assert list(problems) == [f"oauth.{name}_file"]


TOKENS = st.text(string.ascii_letters + string.digits, min_size=12, max_size=40).map("Qq{}".format)
PLACES = (
    "conversion_token",
    "conversion_token_file",
    "ledger_url",
    "results_url",
    "notify_url",
    "api_url",
    "ad_account_id",
    "mode",
    "timezone",
    "default_country",
    "report_path",
    "batch_size_rows",
    "validate_records",
    "oauth",
    "mappings",
    "defaults",
    "stream_maps",
    "max_event_age_days",
)
SHAPES = (
    "{}",
    "{} {}",
    "Bearer {}",
    "{}\n{}",
    "https://{}@api.example.com",
    "http://{}.example.com/v5",
    '{{"access_token": "{}"',
    "[{}]",
)


@given(token=TOKENS, place=st.sampled_from(PLACES), form=st.sampled_from(SHAPES))
def test_no_error_and_no_repr_holds_a_given_value(token, place, form):
    """For a token in any wrong setting, neither the error nor the settings' repr shows it."""
    given = {
        **MINIMAL,
        "oauth": {"access_token": token + " x"},
        "mode": "odd",
        place: form.format(token, token),
    }
    with pytest.raises(ConfigurationError) as raised:
        load(given)
    assert token not in str(raised.value)
    assert token not in repr(raised.value)
    chain = raised.value.__cause__ or raised.value.__context__
    assert chain is None or raised.value.__suppress_context__ or token not in str(chain)


@given(token=TOKENS)
def test_no_secret_shows_in_settings(token):
    """Settings, and all dumps of them, show no secret."""
    given = {
        "ad_account_id": ACCOUNT,
        "conversion_token": token,
        "oauth": {**OAUTH, "client_secret": token, "refresh_token": token},
        "ledger_url": f"postgresql+psycopg://user:{token}@db.example.com/ledger",
        "results_url": f"postgresql+psycopg://user:{token}@db.example.com/results",
        "notify_url": f"https://hooks.example.com/{token}",
        "dead_letter_path": f"ftp://user:{token}@files.example.com/",
        "stream_map_config": {"hash_seed": token},
        "defaults": {"user_data.partner_id": token},
    }
    settings = load(given)
    assert settings.conversion_token.get_secret_value() == token
    for shown in (repr(settings), str(settings), f"{settings.oauth}", f"{settings.defaults!r}"):
        assert token not in shown


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


# ---- files and environment ----


def test_settings_are_loaded_from_files_or_the_environment(tmp_path, monkeypatch):
    """Later files have priority, the environment replaces none, a given mode overrides all.

    Of an environment that is not read only a mode counts, if it sends less.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_AD_ACCOUNT_ID", "2")
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_MODE", "test")
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**MINIMAL, "ad_account_id": "1", "mode": "live"}))
    found = [
        load_files([str(path)]),
        load_files([], purpose="any"),
        load_files([str(path), "ENV"]),
        load_files([str(path)], mode="dry_run"),
        load_files([str(path)], mode="live"),
    ]
    assert [(settings.ad_account_id, settings.mode) for settings in found] == [
        ("1", "test"),
        ("2", "test"),
        ("2", "test"),
        ("1", "dry_run"),
        ("1", "live"),
    ]
    with pytest.raises(ConfigurationError, match="conversion_token"):
        load_files(["ENV"], mode="live")


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
            "max_event_age_days": 30,
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
        "ledger_retention_days",
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


def answer(configuration):
    """The problems of a configuration, or None if there are none."""
    try:
        load(configuration)
    except ConfigurationError as error:
        return error.problems
    return None


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
        problems = answer(configuration)
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
        ({"max_event_age_days": 30}, "ledger_retention_days"),
        ({"max_event_age_days": 7, "ledger_retention_days": 6}, "ledger_retention_days"),
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
        {"max_event_age_days": 30, "ledger_retention_days": 30},
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
    """Without an age limit a retention is chosen; without anything to send, oauth is optional."""
    assert load({**MINIMAL, **given}).ad_account_id == ACCOUNT


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


@pytest.mark.parametrize(
    ("name", "target"), [(True, "signup"), ("a", 5), ("a", " "), ("a", ["lead"])]
)
def test_event_names_are_text(name, target):
    """YAML's yes and no are not names, and a name is not a number."""
    assert list(problems_of(entry_with(event_names={name: target}))) == [
        f"mappings[0].event_names.{name}"
    ]


# ---- constants ----

GOOD_CONSTANTS = {
    FieldKind.TEXT: ["text", 5],
    FieldKind.AMOUNT: ["19.99", 19.99, 0],
    FieldKind.INTEGER: [3, "3", 3.0],
    FieldKind.BOOLEAN: [True, "false", 0, "No"],
    FieldKind.TIME: [1767225600, "1767225600", "2026-01-01T00:00:00Z", "2026-01-01"],
    FieldKind.ITEMS: [{"id": "a"}, [{"id": "a", "item_price": 1, "quantity": 2}]],
}
GOOD_CONSTANTS_OF_FORMS = {
    "email": ["jane@example.com", ["a@example.com", "b@example.com"]],
    "phone": ["+1 (212) 555-0100", 12125550100],
    "gender": ["f", "Female"],
    "birth_date": ["1990-12-31"],
    "name": ["text", ["a", "b"]],
    "city": ["text"],
    "state": ["text"],
    "postal_code": ["10115", 10115],
    "country": ["DE", "Germany", "deu"],
    "external_id": ["A-1", 5],
    "maid": ["3fa85f64-5717-4562-b3fc-2c963f66afa6"],
    "currency": ["EUR", "eur"],
    "customer_type": ["new", "returning"],
    "language": ["en", "en-US"],
    "ip_address": ["192.0.2.7", "2001:db8::1"],
}
BAD_CONSTANTS = {
    FieldKind.TEXT: [True, {"a": 1}],
    FieldKind.HASHED: [True, {"a": 1}, [["a"]]],
    FieldKind.AMOUNT: ["free", True, "nan", "inf", [1]],
    FieldKind.INTEGER: [3.5, "three", False, {}],
    FieldKind.BOOLEAN: ["maybe", 2, []],
    FieldKind.TIME: ["soon", "2026-13-01", True, []],
    FieldKind.CHOICE: ["nowhere", 1, ["web"]],
    FieldKind.ITEMS: ["a", [1], [{"sku": "a"}], {"ide": "a"}],
}


@pytest.mark.parametrize("path", sorted(BY_PATH))
def test_constants_are_checked_by_what_their_field_holds(path):
    """Each field accepts the constants that can be its value, and refuses the others."""
    field = BY_PATH[path]
    good = GOOD_CONSTANTS_OF_FORMS[field.form] if field.form else GOOD_CONSTANTS.get(field.kind)
    for value in field.choices or good:
        assert load({**MINIMAL, "defaults": {path: value}}).defaults == {path: value}
    for value in BAD_CONSTANTS[field.kind]:
        assert list(problems_of({**MINIMAL, "defaults": {path: value}})) == [f"defaults.{path}"]


@pytest.mark.parametrize(
    ("path", "wrong", "says"),
    [
        ("event_time", 12345, "must be now, an ISO 8601 date-time or a Unix time in seconds"),
        ("app_info.install_time", 12345, "must be an ISO 8601 date-time or a Unix time"),
        ("custom_data.currency", "EURO", "code of a currency, such as EUR; did you mean EUR?"),
        ("user_data.country", "Elbonia", "ISO 3166 code or a country's English name"),
        ("user_data.country", "Germny", "did you mean Germany?"),
        ("user_data.country", False, "must be a string: put it in quotes"),
        ("language", "1", "ISO 639-1 code"),
        ("device_info.languages", ["en", "1"], "ISO 639-1 code"),
        ("device_info.languages", sorted(LANGUAGES)[:101], "must have 100 entries at most"),
        ("user_data.em", "nobody", "must be an e-mail address"),
        ("user_data.em", ["jane@example.com", "nobody"], "must be an e-mail address"),
        ("user_data.em", "5d41402abc4b2a76b9719d911017c592", "MD5 and SHA-1"),
        ("user_data.ph", "unknown", "must be a phone number"),
        ("user_data.fn", "NULL", "is a word for a missing value"),
        ("user_data.em", "d41d8cd98f00b204e9800998ecf8427e", "the digest of an empty string"),
        ("user_data.ph", "1.41556E+10", "must have all its digits"),
        ("user_data.hashed_maids", "(an id)", "must be an advertising id"),
        ("user_data.client_ip_address", "0.0.0.0", "that a user can have"),
        ("custom_data.value", ["9.50"], "must be one value, not a list"),
        ("user_data.ge", "cat", "must be female, male or non-binary"),
        ("user_data.db", "tomorrow", "must be a date, such as 1990-12-31"),
        ("user_data.db", "03/04/1990", "write it as 1990-12-31, or set date_format"),
        ("user_data.zp", "--", "must be a postal code"),
        ("user_data.hashed_maids", "00000000-0000-0000-0000-000000000000", "all zeros"),
        ("user_data.client_ip_address", "localhost", "must be an IPv4 or an IPv6 address"),
        ("custom_data.value", "12,50", "must be a decimal number"),
        ("custom_data.value", 10**18, "18 integer and 9 fraction digits"),
        ("custom_data.num_items", -1, "must be at least 0"),
        ("device_info.battery_level", 101, "must be from 0 to 100"),
        ("custom_data.external_measurement_vendor_id", 2**63, "64 bits"),
        ("app_info.app_id", "x" * 201, "must have 200 characters at most"),
        ("custom_data.order_id", "", "is empty: write a value, or null for no value"),
        ("custom_data.content_ids", [], "is empty"),
        ("custom_data.contents", [{"id": "a", "item_price": "free"}], "an item with a value that"),
    ],
)
@pytest.mark.parametrize("place", ["setting", "entry", "preset"])
def test_constant_is_judged_by_the_rule_of_a_value(place: str, path: str, wrong: Any, says: str):
    """An impossible value is a problem that names what is accepted, and not the value."""
    defaults = {"defaults": {path: wrong}}
    if place == "preset":
        with pytest.raises(ConfigurationError) as raised:
            parse_mapping({"stream": "*", **defaults}, "preset shop")
        ((where, message),) = raised.value.problems
        assert where == f"preset shop.defaults.{path}"
    else:
        given = defaults if place == "setting" else {"mappings": [{"stream": "a", **defaults}]}
        ((where, message),) = problems_of({**MINIMAL, **given}).items()
        assert where == ("" if place == "setting" else "mappings[0].") + f"defaults.{path}"
    assert says in message
    assert not isinstance(wrong, str) or len(wrong) < 3 or wrong not in message


def test_every_reason_has_words_for_a_constant():
    """Every reason to drop a value has a message, except one that only expressions have."""
    field = BY_PATH["device_info.battery_level"]
    for reason in set(Dropped) - {Dropped.EXPRESSION_ERROR}:
        assert constants.problem_text(field, "x", reason)


@pytest.mark.parametrize(
    ("settings", "defaults", "taken"),
    [
        ({"date_format": "dmy"}, {"user_data.db": "03/04/1990"}, True),
        ({}, {"user_data.db": "03/04/1990"}, False),
        ({"date_format": "wrong"}, {"user_data.db": "1990-12-31"}, True),
        ({"postal_code": "digits"}, {"user_data.zp": "SW1A 1AA"}, True),
        ({"postal_code": "digits"}, {"user_data.zp": "GIR OAA"}, False),
    ],
)
def test_settings_that_shape_values_shape_constants(settings, defaults, taken: bool):
    """A constant is read like a record's value under the same settings."""
    found = answer({**MINIMAL, **settings, "defaults": defaults}) or ()
    assert any(problem.path.startswith("defaults") for problem in found) is not taken


def test_now_is_a_constant_of_event_time_only():
    """`now` is the only special constant, and only for event_time."""
    assert load({**MINIMAL, "defaults": {"event_time": "now"}}).defaults == {"event_time": "now"}
    assert "defaults.app_info.install_time" in problems_of(
        {**MINIMAL, "defaults": {"app_info.install_time": "now"}}
    )


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03:04:00+00:00"),
    ],
)
def test_yamls_dates_are_text_again(value, kept):
    """A date from YAML is its text."""
    assert load({**MINIMAL, "defaults": {"event_time": value}}).defaults == {"event_time": kept}


@pytest.mark.parametrize("wrong", ["wbe", "WEBB", "offlin"])
def test_a_wrong_choice_names_the_nearest(wrong):
    """A constant that is similar to a choice leads to a message with it."""
    message = problems_of({**MINIMAL, "defaults": {"action_source": wrong}})[
        "defaults.action_source"
    ]
    assert re.search(r"did you mean (web|offline)\?", message)


# ---- warnings ----


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


# ---- variables without an effect ----

NOT_READ = "has no effect, because the environment is not read: add --config ENV"
PREFIX = "TARGET_PINTEREST_CAPI_"


@pytest.mark.parametrize(
    ("name", "given", "read", "not_read"),
    [
        ("MOD", {}, f"did you mean {PREFIX}MODE?", f"did you mean {PREFIX}MODE?"),
        ("ZZZ", {}, "is not a setting, and has no effect", "is not a setting"),
        ("MODE", {}, None, NOT_READ),
        ("MODE", {"mode": "1"}, None, None),
        ("OAUTH_CLIENT_ID", {}, None, NOT_READ),
        ("OAUTH__CLIENT_ID", {"oauth.client_id": "1"}, None, None),
        ("OATH_CLIENT_ID", {}, f"did you mean {PREFIX}OAUTH_CLIENT_ID?", "is not a setting"),
        ("DEFAULTS_ACTION_SOURCE", {}, "is not a setting", "is not a setting"),
        ("DEFAULTS_ACTION_SOURCE", {"defaults": {"action_source": "web"}}, None, None),
        ("LOGLEVEL", {}, None, None),
        ("_DIALECT", {}, None, None),
    ],
)
def test_variables_that_have_no_effect(name, given, read, not_read):
    """A misspelt or unread variable with our prefix is a warning with advice."""
    for is_read, expected in ((True, read), (False, not_read)):
        found = unread_variables({f"{PREFIX}{name}": "1", "PATH": "/bin"}, given, is_read=is_read)
        assert [problem.path for problem in found] == [f"{PREFIX}{name}"] * bool(expected)
        assert (expected or "") in "".join(problem.message for problem in found)
    assert unread_variables({f"{PREFIX}{name}": " "}, {}, is_read=False) == []


@pytest.mark.parametrize(
    ("name", "text", "given", "is_warned"),
    [
        ("TIMEZONE", "UTC", "UTC", False),
        ("TIMEZONE", "Europe/Paris", "UTC", True),
        ("BATCH_SIZE_ROWS", "10", 10, False),
        ("BATCH_SIZE_ROWS", "10.0", 10, False),
        ("BATCH_SIZE_ROWS", "20", 10, True),
        ("BATCH_SIZE_ROWS", "ten", 10, True),
        ("VALIDATE_RECORDS", "true", True, False),
        ("VALIDATE_RECORDS", "false", True, True),
        ("MODE", "live", "dry_run", True),
        ("DEFAULTS", '{"a": "b"}', {"a": "b"}, False),
        ("DEFAULTS", '{"a.b": "c"}', {"a": {"b": "c"}}, False),
        ("DEFAULTS", '{"a.b": "c", "d": 1}', {"d": 1}, True),
        ("STREAM_MAPS", '{"a": {"b": null, "c": "d"}}', {"a": {"c": "d"}}, True),
        ("STREAM_MAPS", '{"a": {"b": "__NULL__"}}', {"a": {"b": "__NULL__"}}, False),
        ("MAPPINGS", '[{"stream": "a"}]', [{"stream": "a"}], False),
    ],
)
def test_variable_that_says_another_thing_than_the_file(name, text, given, is_warned):
    """Meltano sets variables for settings in its file; a different one has no effect."""
    environ = {f"{PREFIX}{name}": text}
    found = unread_variables(environ, {name.lower(): given}, is_read=False)
    assert [problem.path for problem in found] == [f"{PREFIX}{name}"] * is_warned
    assert unread_variables(environ, {name.lower(): given}, is_read=True) == []


@pytest.fixture
def config(monkeypatch, tmp_path):
    """Return a function that writes a file of settings, without other variables."""
    monkeypatch.chdir(tmp_path)

    def write(**members) -> str:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({**MINIMAL, **members}))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("variable", "text", "given", "mode"),
    [
        ("MODE", "dry_run", {}, "dry_run"),
        ("MODE", " DRY_RUN ", {}, "dry_run"),
        ("MODE", "test", {}, "test"),
        ("MODE", "test", {"mode": "live"}, "test"),
        ("MODE", "dry_run", {"mode": "test"}, "dry_run"),
        ("MODE", "test", {"mode": "dry_run"}, None),
        ("MODE", "live", {"mode": "dry_run"}, None),
        ("MODE", "live", {}, None),
        ("_DAY_MODE", "dry_run", {}, "dry_run"),
        ("_US_MODE", "dry_run", {}, None),
    ],
)
def test_what_is_meant_as_a_dry_run_is_none_that_is_sent(
    config, monkeypatch, variable, text, given, mode
):
    """A mode in an environment that is not read is used if it sends less, with a message.

    Meltano's variables of a loader that inherits from ours count only for that loader.
    """
    monkeypatch.setenv("MELTANO_LOADER_NAME", "target-pinterest-capi--day")
    monkeypatch.setenv(f"{PREFIX}{variable}", text)
    settings = load_files([config(**given)])
    assert settings.mode == (mode or given.get("mode", "live"))
    found = {warning.path: warning.message for warning in settings.warnings}
    honoured = found.get(f"{PREFIX}{variable}", "").startswith("is used")
    assert honoured == (mode is not None)


def test_mode_of_a_loader_of_another_name(config, monkeypatch):
    """If Meltano knows the loader by a user's name, its variables have that prefix."""
    monkeypatch.setenv("MELTANO_LOADER_NAME", "ads.pins")
    monkeypatch.setenv("ADS_PINS_MODE", "dry_run")
    monkeypatch.setenv("ADS_PINS_TOKEN", "something else")
    settings = load_files([config()])
    assert settings.mode == "dry_run"
    assert [warning.path for warning in settings.warnings] == ["ADS_PINS_MODE"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("MODE", "dryrun", "must be live, test or dry_run"),
        ("MOD", "dry_run", f"is not a setting, and may have been meant .* {PREFIX}MODE"),
        ("MODUS", "test", f"is not a setting, and may have been meant .* {PREFIX}MODE"),
        ("DRY_RUN", "1", f"is not a setting, and may have been meant .* {PREFIX}MODE"),
        ("TEST_MODE", "true", f"is not a setting, and may have been meant .* {PREFIX}MODE"),
        (
            "API_URL",
            "http://127.0.0.1:8085/v5",
            "is set and has no effect.* would be sent to Pinterest",
        ),
    ],
)
def test_run_that_may_have_been_meant_as_none_is_refused(config, monkeypatch, name, text, words):
    """A variable without effect that would have prevented sending is a problem."""
    monkeypatch.setenv(f"{PREFIX}{name}", text)
    with pytest.raises(ConfigurationError, match=f"^{PREFIX}{name}: {words}"):
        load_files([config()])


@pytest.mark.parametrize(("name", "text"), [("MOD", "live"), ("DRY_RUN", "false"), ("ZZZ", "1")])
def test_variable_that_keeps_nothing_from_being_sent_is_a_warning(config, monkeypatch, name, text):
    """A name that is not a setting, and cannot mean a dry run, is only a warning."""
    monkeypatch.setenv(f"{PREFIX}{name}", text)
    assert [one.path for one in load_files([config()]).warnings] == [f"{PREFIX}{name}"]


def test_variable_without_an_effect_is_a_warning(config, monkeypatch):
    """For settings from a file, an unread time zone in the environment is a warning."""
    monkeypatch.setenv(f"{PREFIX}TIMEZONE", "Europe/Paris")
    settings = load_files([config()])
    assert settings.timezone == load(MINIMAL).timezone
    assert [warning.path for warning in settings.warnings] == [f"{PREFIX}TIMEZONE"]
    assert load_files([config(), "ENV"]).warnings == ()


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


# ---- files ----


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_later_files_win_key_by_key(tmp_path):
    """JSON and YAML files are merged by top-level keys; an empty YAML file adds nothing."""
    files = [
        write(tmp_path, "a.json", '{"mode": "live", "oauth": {"client_id": "1"}}'),
        write(tmp_path, "b.yaml", "mode: test\ntimezone: UTC\n"),
        write(tmp_path, "c.yml", "# nothing\n"),
        write(tmp_path, "d.JSON", '\ufeff{"oauth": {"access_token": "x"}}'),
    ]
    assert read_files(files) == {"mode": "test", "timezone": "UTC", "oauth": {"access_token": "x"}}
    assert read_files([]) == {}


def test_env_among_the_files_is_the_environment(tmp_path):
    """`ENV` adds the environment with priority; members of oauth join those of the files."""
    path = write(
        tmp_path,
        "a.json",
        '{"mode": "live", "timezone": "UTC", "oauth": {"client_id": "1", "client_secret": "a"}}',
    )
    environ = {
        "TARGET_PINTEREST_CAPI_MODE": "test",
        "TARGET_PINTEREST_CAPI_OAUTH_CLIENT_SECRET": "b",
    }
    expected = {
        "mode": "test",
        "timezone": "UTC",
        "oauth": {"client_id": "1", "client_secret": "b"},
    }
    assert read_files(["ENV", path], environ=environ) == expected
    assert read_files([path, "ENV"], environ=environ) == expected
    assert read_files([path], environ=environ)["mode"] == "live"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", '{\n  "conversion_token": secret-token\n}', "line 2, column 23"),
        ("a.json", '{"conversion_token": "secret-token"', "line 1, column 36"),
        ("a.json", '["secret-token"]', "must hold an object"),
        ("a.json", '{"conversion_token": "secret-token", "a": NaN}', "not numbers"),
        ("a.json", "", "line 1, column 1"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", '{"a": ' + "1" * 5000 + "}", "infinite number"),
        ("a.json", b'{"conversion_token": "secret-token\xff"}', "not UTF-8 text: byte 34"),
        ("a.yaml", "mode: live\nconversion_token: 'secret-token\n", "line 3, column 1"),
        ("a.yaml", "conversion_token: *secret-token\n", "line 1, column 19"),
        ("a.yaml", "a: b\x01secret-token", "line 1"),
        ("a.yaml", "a: 2026-13-45\nconversion_token: secret-token\n", "impossible date"),
        ("a.yaml", "a: !!python/object:os.system [secret-token]\n", "line 1, column 4"),
        ("a.yml", "- secret-token\n", "must hold an object"),
    ],
)
def test_a_wrong_file_is_named_by_place_and_not_by_content(tmp_path, name, content, says):
    """An unreadable file is a problem with name, line and column, and no content."""
    path = write(tmp_path, name, content)
    with pytest.raises(ConfigurationError) as raised:
        read_files([path])
    (problem,) = raised.value.problems
    assert problem.path == path
    assert says in problem.message
    assert "secret-token" not in str(raised.value)


def test_every_wrong_file_is_named(tmp_path):
    """All unusable files, and the environment, are reported at once."""
    paths = [
        str(tmp_path / "missing.json"),
        str(tmp_path),
        "~nobody-of-that-name/c.json",
        "a\0b",
        write(tmp_path, "b.json", "{"),
        "ENV",
    ]
    with pytest.raises(ConfigurationError) as raised:
        read_files(paths, environ={"TARGET_PINTEREST_CAPI_MAPPINGS": "[{"})
    assert [problem.path for problem in raised.value.problems] == [*paths[:-1], "mappings"]


# ---- environment ----


def test_the_environment_names_settings_in_upper_case():
    """Known settings are read, lists and objects as JSON; other variables are ignored."""
    prefix = "TARGET_PINTEREST_CAPI_"
    environ = {
        f"{prefix}AD_ACCOUNT_ID": ACCOUNT,
        f"{prefix}BATCH_SIZE_ROWS": "100",
        f"{prefix}VALIDATE_RECORDS": "false",
        f"{prefix}MAPPINGS": '[{"stream": "orders"}]',
        f"{prefix}DEFAULTS": '{"action_source": "web"}',
        f"{prefix}CONVERSION_TOKEN": "sandbox-token",
        f"{prefix}TIMEZONE": "",
        f"{prefix}LOGLEVEL": "DEBUG",
        f"{prefix}NO_SUCH_SETTING": "x",
        "PATH": "/bin",
    }
    found = read_environment(environ)
    assert found == {
        "ad_account_id": ACCOUNT,
        "batch_size_rows": "100",
        "validate_records": "false",
        "mappings": [{"stream": "orders"}],
        "defaults": {"action_source": "web"},
        "conversion_token": "sandbox-token",
    }
    assert load(found).batch_size_rows == 100


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_setting_has_a_variable(name):
    """Each setting is read from the variable of its name."""
    assert read_environment({f"TARGET_PINTEREST_CAPI_{name.upper()}": "{}"}).keys() == {name}


@pytest.mark.parametrize("separator", ["_", "__"])
def test_members_of_oauth_have_variables_of_their_own(separator):
    """Members of oauth are read from flat variables, and join the object's own."""
    environ = {
        f"TARGET_PINTEREST_CAPI_OAUTH{separator}ACCESS_TOKEN": "x",
        "TARGET_PINTEREST_CAPI_OAUTH": '{"client_id": "1"}',
    }
    assert read_environment(environ) == {"oauth": {"client_id": "1", "access_token": "x"}}


def test_a_variable_that_is_no_json_is_named():
    """Text that is not JSON for a list is a problem that names only the variable."""
    with pytest.raises(ConfigurationError) as raised:
        read_environment({"TARGET_PINTEREST_CAPI_MAPPINGS": "[secret-token"})
    (problem,) = raised.value.problems
    assert problem.path == "mappings"
    assert "TARGET_PINTEREST_CAPI_MAPPINGS" in problem.message
    assert "secret-token" not in problem.message


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

"""Variables of the environment: what they set, and those that have no effect."""

import json

import pytest
from configurations import MINIMAL

from given import ACCOUNT
from target_pinterest_capi.settings import (
    ConfigurationError,
    Settings,
    load,
    load_files,
    read_environment,
)
from target_pinterest_capi.settings.variables import unread_variables

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


@pytest.mark.parametrize("name", Settings.model_fields)
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


def test_a_key_that_is_given_twice_in_a_variable_is_named():
    """No value is lost in silence: the problem names the variable and the path of the key."""
    text = '[{"stream": "a"}, {"stream": "b", "fields": {}, "fields": {}}]'
    with pytest.raises(ConfigurationError) as raised:
        read_environment({"TARGET_PINTEREST_CAPI_MAPPINGS": text})
    assert str(raised.value) == (
        "mappings: the variable TARGET_PINTEREST_CAPI_MAPPINGS gives [1].fields twice: keep one"
    )


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

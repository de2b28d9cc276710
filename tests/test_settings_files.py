"""Files with settings: which one wins, and how a wrong one is named."""

import json

import pytest
from configurations import MINIMAL

from target_pinterest_capi.settings import (
    ConfigurationError,
    load_files,
    read_files,
)

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

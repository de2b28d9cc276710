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


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.yaml", "mappings: []\nmode: test\nmappings: []\n", "mappings twice (lines 1 and 3)"),
        ("a.yaml", "mode: test\n'mode': live\nmode: test\n", "mode 3 times (lines 1, 2 and 3)"),
        ("a.yaml", "{mode: test, mode: test}", "mode twice (line 1)"),
        (
            "a.yaml",
            "mappings:\n- stream: a\n  fields: {}\n- fields: {}\n  stream: b\n  fields: {}\n",
            "mappings[1].fields twice (lines 4 and 6)",
        ),
        (
            "a.yaml",
            "mappings:\n- fields:\n    user_data: {em: a, em: b}\n",
            "mappings[0].fields.user_data.em twice (line 3)",
        ),
        ("a.yaml", "a: &a {b: c, b: d}\ne: {<<: *a}\n", "a.b twice (line 1)"),
        ("a.yaml", "a: {<<: {b: c, b: d}}\n", "a.b twice (line 1)"),
        ("a.json", '{"mode": "test",\n"mode": "live"}', "mode twice"),
        ("a.json", '{"a": [{"b": 1}, {"b": 1, "c": {"d": 1, "d": 2}}]}', "a[1].c.d twice"),
        ("a.json", '{"a": {"b": 1, "b": 2}, "a": 1, "a": 1}', "a 3 times"),
    ],
)
def test_a_key_that_is_given_more_than_once_is_refused(tmp_path, name, content, says):
    """No value is lost in silence: every repeated key is named, in YAML with its lines."""
    path = write(tmp_path, name, content)
    with pytest.raises(ConfigurationError) as raised:
        read_files([path])
    assert str(raised.value) == f"{path}: gives {says}: keep one"


def test_all_repeated_keys_are_named(tmp_path):
    """A file with several repeated keys is one problem that names them all."""
    text = '{"a": 1, "b": {"c": 1, "c": 2}, "a": 2}'
    expected = {
        "a.json": "gives a twice: keep one; gives b.c twice: keep one",
        "a.yaml": "gives a twice (line 1): keep one; gives b.c twice (line 1): keep one",
    }
    paths = [write(tmp_path, name, text) for name in expected]
    with pytest.raises(ConfigurationError) as raised:
        read_files(paths)
    assert [problem.message for problem in raised.value.problems] == list(expected.values())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: &a {b: 1, c: 2}\nd: {<<: *a, b: 3}\n", {"b": 3, "c": 2}),
        ("a: &a {b: 1}\ne: &e {c: 2}\nd: {<<: *a, <<: *e, b: 3}\n", {"b": 3, "c": 2}),
        ("a: &a {b: 1}\ne: &e {<<: *a, b: 2}\nd: {<<: [*a, *e]}\n", {"b": 1}),
        ("a: &a {b: 1}\nd: *a\n", {"b": 1}),
        ("d: {'1': a, 1: b}\n", {"1": "a", 1: "b"}),
    ],
)
def test_anchors_and_merge_keys_are_not_repeated_keys(tmp_path, content, expected):
    """A key may replace one that is merged, and an anchor may be used again."""
    assert read_files([write(tmp_path, "a.yaml", content)])["d"] == expected


def test_anchors_within_anchors_take_no_time(tmp_path):
    """What an anchor holds is looked at once, however often it is used."""
    lines = ["a0: &a0 {b: c}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert len(read_files([write(tmp_path, "a.yaml", "\n".join(lines))])) == 30


OTHER_NUMBER = (
    "must be a string in quotes, or a number in decimal digits: YAML reads digits after 0, 0x or "
    "0b, and digits with colons, as another number"
)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("mode: test\ndefaults:\n  user_data.zp: 02134\n", "defaults.user_data.zp (line 3)"),
        ("mode: test\nad_account_id: 0123\n", "ad_account_id (line 2)"),
        ("customer_lists:\n- list_id: 0123\n", "customer_lists[0].list_id (line 2)"),
        ("a: [b, 00]", "a[1] (line 1)"),
        ("a: -01_7", "a (line 1)"),
        ("a: 0x1F", "a (line 1)"),
        ("a: 0b_1", "a (line 1)"),
        ("a: 12:30", "a (line 1)"),
        ("a: 12:30:00", "a (line 1)"),
        ("a: 12:30:00.5", "a (line 1)"),
        ("a: {0404: custom}", "a.0404 (line 1)"),
        ("a: &a 0123\nb: *a", "a (line 1)"),
    ],
)
def test_digits_that_yaml_reads_as_another_number_are_refused(tmp_path, content, place):
    """A postal code or an id is not sent as the octal number of its digits."""
    path = write(tmp_path, "a.yaml", content)
    with pytest.raises(ConfigurationError) as raised:
        read_files([path])
    assert str(raised.value) == f"{path}: {place} {OTHER_NUMBER}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("10", 10),
        ("-5", -5),
        ("+5", 5),
        ("1_000", 1000),
        ("0.5", 0.5),
        ("02189", "02189"),
        ("'02134'", "02134"),
        ('"12:30"', "12:30"),
        ("0o17", "0o17"),
    ],
)
def test_numbers_of_their_digits_and_strings_are_read(tmp_path, text, value):
    """A decimal number is itself, and a string in quotes keeps its zeros."""
    assert read_files([write(tmp_path, "a.yaml", f"a: {text}\n")]) == {"a": value}


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

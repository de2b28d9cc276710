"""Secrets: where they may stand, which are needed, and that none is shown."""

import string

import pytest
from configurations import MINIMAL, problems_of
from hypothesis import given
from hypothesis import strategies as st
from members import list_settings

from given import ACCOUNT
from target_pinterest_capi.settings import (
    ConfigurationError,
    load,
)


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

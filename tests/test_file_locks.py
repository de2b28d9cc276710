"""Files that several processes use, and files that would overwrite one another."""

import json
import multiprocessing
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from given import TOKEN, settings_of
from target_pinterest_capi.files.locks import locked_beside
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import (
    RefreshedTokens,
    fetch_access_token,
    sign_in,
)
from target_pinterest_capi.pinterest.responses import ApiResponse, CallResponse
from target_pinterest_capi.pinterest.sign_in import consent_url, exchange_code
from target_pinterest_capi.pinterest.token_file import TokenFile
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.oauth import App
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import OAuth, load_files
from target_pinterest_capi.settings.problems import ConfigurationError


def test_lock_that_is_held_is_waited_for_and_ends_with_its_holder(tmp_path: Path):
    """A second one gets the lock only after the first; the file next to it is private."""
    place = tmp_path / "token.json"
    with (
        locked_beside(place, 0),
        pytest.raises(TimeoutError, match="another process keeps it locked"),
        locked_beside(place, 0.05),
    ):
        pass
    with locked_beside(place, 0):
        assert (tmp_path / ".token.json.lock").stat().st_mode & 0o777 == 0o600


def refresh(url: str, path: str) -> bool:
    client = Client(url, max_connections=1, timeout_seconds=60)
    app = App()
    tokens = RefreshedTokens(app.client_id, app.client_secret, app.refresh_token, path, client)
    return isinstance(fetch_access_token(tokens), str)


@pytest.mark.slow
def test_processes_that_share_a_token_file_refresh_in_turn(tmp_path: Path):
    """Each gets an access token, and the file has the newest refresh token."""
    path = tmp_path / "token.json"
    with Sandbox(SandboxConfig()) as pinterest:
        with multiprocessing.get_context("spawn").Pool(8) as pool:
            done = pool.starmap(refresh, [(pinterest.url, str(path))] * 24, chunksize=1)
        assert done == [True] * 24
        assert pinterest.store.counters()["tokens_issued"] == 24
    assert json.loads(path.read_text())["refresh_token"] == "sandbox-refresh-token-24"


def sign_in_once(url: str, path: str) -> bool:
    app = App()
    place = "http://localhost:1/"
    client = Client(url, max_connections=1, timeout_seconds=60)
    oauth = OAuth(client_id=app.client_id, token_path=path)
    address = consent_url(url, app.client_id, place, "state")

    def exchange() -> CallResponse:
        # One after the other: the sandbox has one family of tokens, which a consent's code ends.
        led = httpx.post(address, data={"answer": "allow"}).headers["location"]
        code = parse_qs(urlsplit(led).query)["code"][0]
        return exchange_code(client, app.client_id, app.client_secret, code, place)

    given = sign_in(oauth, exchange)
    client.close()
    return isinstance(given, ApiResponse) and given.status == 200


def refresh_kept(url: str, path: str) -> bool:
    client = Client(url, max_connections=1, timeout_seconds=60)
    app = App()
    tokens = RefreshedTokens(app.client_id, app.client_secret, None, path, client)
    given = fetch_access_token(tokens)
    client.close()
    return isinstance(given, str)


@pytest.mark.slow
def test_sign_in_beside_processes_that_refresh_loses_no_token(tmp_path: Path):
    """In any order, the file has the newest token at the end, and each process has access."""
    path = str(tmp_path / "token.json")
    with Sandbox(SandboxConfig()) as pinterest:
        assert sign_in_once(pinterest.url, path)
        with multiprocessing.get_context("spawn").Pool(6) as pool:
            given = (pinterest.url, path)
            refreshed = pool.starmap_async(refresh_kept, [given] * 12, chunksize=1)
            signed_in = pool.starmap_async(sign_in_once, [given] * 6, chunksize=1)
            assert (refreshed.get(120), signed_in.get(120)) == ([True] * 12, [True] * 6)
        assert refresh_kept(pinterest.url, path)
        assert pinterest.store.counters()["refresh_tokens_replaced"] == 20


def keep(file: TokenFile, token: str, exchanged: str) -> None:
    with file.held():
        file.keep_refreshed(token, exchanged)


def test_what_another_process_kept_meanwhile_stays(tmp_path: Path):
    """Without locks two processes may exchange one token: the later write is not a newer token."""
    place = tmp_path / "token.json"
    first, second = (TokenFile(str(place), "configured") for _ in range(2))
    keep(first, "first", "configured")
    keep(second, "second", "configured")
    assert (first.newest(), second.newest()) == ("first", "first")
    keep(second, "third", "first")
    assert first.newest() == "third"


@pytest.mark.parametrize("left", [None, b"not JSON"])
def test_file_that_was_lost_meanwhile_is_written_again(tmp_path: Path, left: bytes | None):
    """A file that is removed or damaged during the exchange does not lose a token."""
    place = tmp_path / "token.json"
    file = TokenFile(str(place), None)
    if left is not None:
        place.write_bytes(left)
    keep(file, "second", "first")
    assert file.newest() == "second"


@pytest.mark.parametrize(
    ("settings", "named", "other"),
    [
        ({"report_path": "a.json", "dead_letter_path": "a.json"}, "dead_letter_path", "report"),
        ({"report_path": "a.json", "dead_letter_path": "./x/../a.json"}, "dead_letter", "report"),
        ({"report_path": "a.json", "dead_letter_path": "link"}, "dead_letter_path", "report"),
        (
            {"ledger_url": "sqlite:///a.json", "dead_letter_path": "a.json"},
            "dead_letter_path",
            "ledger_url",
        ),
        ({"ledger_url": "sqlite:///a.json", "report_path": "a.json"}, "report_path", "ledger_url"),
        ({"ledger_url": "sqlite:///a", "dead_letter_path": "a-wal"}, "dead_letter", "ledger_url"),
        ({"results_url": "sqlite:///a", "dead_letter_path": "a-shm"}, "dead_letter", "results_url"),
        (
            {"ledger_url": "sqlite:///a", "results_url": "sqlite:///a-journal"},
            "results_url",
            "ledger_url",
        ),
        ({"dead_letter_path": "a.prom", "metrics_path": "a.prom"}, "dead_letter", "metrics_path"),
        (
            {"conversion_token": None, "conversion_token_file": "a.json", "report_path": "a.json"},
            "report_path",
            "conversion_token_file",
        ),
        (
            {
                "oauth": {
                    "client_id": "app",
                    "client_secret": "word",
                    "refresh_token": "word",
                    "token_path": "a.json",
                },
                "dead_letter_path": "a.json",
            },
            "dead_letter_path",
            "oauth.token_path",
        ),
    ],
)
def test_two_settings_of_one_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings, named: str, other: str
):
    """What is written would be lost: by name, by another path to it, and by a link."""
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text(TOKEN)
    Path("link").symlink_to("a.json")
    with pytest.raises(ConfigurationError, match=f"{named}.*is also the file of {other}"):
        settings_of(**settings)


@pytest.mark.parametrize("name", ["dead_letter_path", "report_path"])
def test_file_of_the_configuration_is_not_written_to(tmp_path: Path, name: str):
    """A run would overwrite it."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"ad_account_id": "1", "conversion_token": "x", name: str(path)}))
    with pytest.raises(ConfigurationError, match=f"{name}: is a file of the configuration"):
        load_files([str(path)])


def test_devices_and_urls_are_no_files_of_their_own():
    """Both may be used more than once."""
    assert settings_of(dead_letter_path=os.devnull).dead_letter_path == os.devnull
    assert settings_of(dead_letter_path="memory://a", report_path="a.json").report_path == "a.json"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("dead_letter_path", "a\0b", "has a null character"),
        ("report_path", "a\0b.json", "has a null character"),
        (
            "ledger_url",
            "postgresql+psycopg://u:s3cret@host:abc/db",
            "has a port that is not a number",
        ),
        ("ledger_url", "postgresql+psycopg://u:s3#c/r@host:99999/db", "has a port that is no"),
        (
            "mappings",
            [{"stream": "*", "fields": {"event_time": "to_date(at, '%d/%d/%Y')"}}],
            "the format has %d twice",
        ),
    ],
)
def test_what_no_run_could_use_is_a_wrong_configuration(name: str, value, words: str):
    """A path, a port, a date format: found before anything is read, without the value."""
    with pytest.raises(ConfigurationError, match=f"{name}.*{words}") as caught:
        settings_of(**{name: value})
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:p@host:5432/db",
        "postgresql://u:p@host/db?sslmode=require",
        "postgresql://u:p@[2001:db8::1]:5432/db",
        "postgresql://u:p@[2001:db8::1]/db",
        "postgresql:///db",
        "sqlite:///a:b.db",
    ],
)
def test_url_of_a_ledger_may_have_any_form_that_databases_have(url: str):
    """With a port or without, for IPv6, over a local socket, for a file with a colon."""
    assert settings_of(ledger_url=url).ledger_url is not None

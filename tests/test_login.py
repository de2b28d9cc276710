"""`pinterest-capi login` and `token`, as real programs, with the sandbox's consent page."""

import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import test_report_browser
from chromium import Browser
from click.testing import CliRunner, Result

from given import ACCOUNT, Clock, files_limited_to
from target_pinterest_capi.cli.login.redirect import (
    RedirectServer,
    SignInError,
    read_code,
    read_pasted,
)
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import fetch_access_token, tokens_of
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import load_files

PROGRAM = Path(sys.executable).with_name("pinterest-capi")
APP = {"client_id": "sandbox-client", "client_secret": "sandbox-client-secret"}
browser = test_report_browser.browser

# What $BROWSER names: it presses a button, and goes where that leads.
PRESSES = """
import sys
import urllib.error
import urllib.parse
import urllib.request

answer = urllib.parse.urlencode({"answer": sys.argv[1]}).encode()
urllib.request.urlopen(urllib.request.Request(sys.argv[2], answer))
"""


@pytest.fixture
def configured(sandbox: Sandbox, plain_terminal: None) -> Callable[..., None]:
    """Return a function that writes config.json for the sandbox, without any conversion token."""

    def write(oauth: dict[str, Any] | None = None, **more: Any) -> None:
        app = {**APP, "token_path": "tokens/oauth.json"} if oauth is None else oauth
        given = {"ad_account_id": ACCOUNT, "api_url": sandbox.url, "oauth": app, **more}
        Path("config.json").write_text(json.dumps(given))

    write()
    return write


def free_address() -> str:
    """Return a redirect address on which nothing listens."""
    server = RedirectServer("http://localhost:0/")
    port = server._server.server_port
    server.close()
    return f"http://localhost:{port}/"


def start_login(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "login", "--config", "config.json", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )


def printed_address(process: subprocess.Popen[str]) -> str:
    """Return the address for consent that a process prints."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://\S+/oauth/\S+", line)
        if found:
            return found[0]
    raise AssertionError(process.communicate()[1])


def press(address: str, button: str = "allow") -> str:
    """Return where a button of the consent page redirects."""
    return httpx.post(address, data={"answer": button}).headers["location"]


def has_access() -> bool:
    """Return whether the stored token gives an access token."""
    settings = load_files(["config.json"], purpose="sign-in")
    client = Client(settings.api_url, max_connections=1, timeout_seconds=120)
    try:
        assert settings.oauth is not None
        return isinstance(fetch_access_token(tokens_of(settings.oauth, client)), str)
    finally:
        client.close()


# ---- signing in


@pytest.mark.parametrize("given", [{}, {"refresh_token": "sandbox-refresh-token"}])
def test_browser_signs_in(configured, tmp_path: Path, given: dict[str, str]):
    """The browser is opened, its answer awaited, and the refresh token stored for its owner.

    It is used from then on, even if the settings have an older one.
    """
    configured({**APP, **given, "token_path": "tokens/oauth.json"})
    (tmp_path / "browser.py").write_text(PRESSES)
    command = f"{sys.executable} {tmp_path / 'browser.py'} allow %s"
    login = start_login("--redirect-uri", free_address(), BROWSER=command)
    out, err = login.communicate(timeout=120)
    assert (login.returncode, err) == (0, "")
    assert "Signed in: tokens/oauth.json has the refresh token now." in out
    kept = tmp_path / "tokens" / "oauth.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["refresh_token"] == "sandbox-refresh-token-1"
    assert "sandbox-refresh" not in out
    assert has_access()


def test_what_a_user_is_asked(configured, sandbox: Sandbox):
    """The address has the app, the redirect, both scopes and a new state each time."""
    queries = []
    for _ in range(2):
        login = start_login("--manual")
        address = printed_address(login)
        assert address.startswith(f"{sandbox.origin}/oauth/?")
        queries.append(parse_qs(urlsplit(address).query))
        login.communicate("", timeout=120)
    states = {query.pop("state")[0] for query in queries}
    assert len(states) == 2
    assert min(map(len, states)) >= 40
    assert queries[0] == {
        "client_id": ["sandbox-client"],
        "redirect_uri": ["http://localhost:8086/"],
        "response_type": ["code"],
        "scope": ["ads:read,ads:write"],
    }


def test_pasting_signs_in(configured):
    """On a machine without a browser the address of another browser's redirect is pasted."""
    login = start_login("--manual", "--redirect-uri", "https://example.com/back?from=here")
    address = printed_address(login)
    # The sandbox leads to loopback alone, so the address is taken from one that it knows.
    led = press(re.sub(r"redirect_uri=[^&]+", "redirect_uri=http%3A%2F%2Flocalhost%2F", address))
    out, err = login.communicate(led + "\n", timeout=120)
    assert login.returncode == 1
    assert "redirect_uri differs from that of the code" in err
    login = start_login("--manual")
    out, err = login.communicate(press(printed_address(login)) + "\n", timeout=120)
    assert (login.returncode, err) == (0, "")
    assert "Signed in" in out
    assert has_access()


@pytest.mark.parametrize(
    ("led", "words"),
    [
        (lambda address: press(address, "deny"), "access was denied on Pinterest's page"),
        (lambda address: press(address) + "&x=1&state=other", None),
        (lambda address: press(address).replace("state=", "state=x"), "another sign-in"),
        (lambda address: press(address).replace("code=", "cod="), "has no code"),
        (lambda address: press(address).replace("sandbox-code-1", "other"), "returned 401"),
        (lambda _: "code", "not an address of the redirect"),
    ],
)
def test_pasted_addresses_that_sign_nobody_in(
    configured, led: Callable[[str], str], words: str | None
):
    """A refusal, another sign-in's answer, and anything else are reported; nothing is stored."""
    login = start_login("--manual")
    _, err = login.communicate(led(printed_address(login)) + "\n", timeout=120)
    if words is None:  # the first state counts
        assert login.returncode == 0
        return
    assert login.returncode == 1
    assert words in " ".join(err.split())
    assert "Error: nobody was signed in" in err
    assert not Path("tokens/oauth.json").exists()
    assert "sandbox-code" not in err


def test_state_and_code_are_read_from_the_query():
    """An error is shown without personal data that it may contain."""
    assert read_code("code=a%20b&state=s", "s") == "a b"
    assert read_pasted(" http://localhost/?code=a&state=s\n", "s") == "a"
    with pytest.raises(SignInError, match="returned the error …"):
        read_code("error=jane%40example.com&state=s", "s")
    for text in ("", "http://[", "http://localhost/"):
        with pytest.raises(SignInError, match="not an address"):
            read_pasted(text, "s")


def test_no_answer_in_time():
    """The wait ends, and the message says what to try."""
    clock = Clock()
    server = RedirectServer("http://localhost:0/", clock)
    clock.advance(0)
    with pytest.raises(SignInError, match=r"within 0 seconds.*--manual"):
        server.wait(0)
    server.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_only_the_redirect_itself_is_the_answer(host: str):
    """Other requests of a browser, such as for an icon, are a 404, and the wait continues."""
    try:
        server = RedirectServer(f"http://{host}:0/back")
    except OSError:
        pytest.skip("this machine has no IPv6")
    origin = f"http://{host}:{server._server.server_port}"
    answers: list[int] = []

    def ask() -> None:
        paths = ("/favicon.ico", "/?code=1", "/back", "/back?code=a&state=b")
        answers.extend(httpx.get(origin + path).status_code for path in paths)

    asking = threading.Thread(target=ask)
    asking.start()
    assert server.wait(120) == "code=a&state=b"
    asking.join(120)
    server.close()
    assert answers == [404, 404, 404, 200]


def test_port_that_is_in_use(configured):
    """Nobody is asked if the answer could not arrive."""
    server = RedirectServer("http://localhost:0/")
    taken = f"http://localhost:{server._server.server_port}/"
    result = run("login", "--redirect-uri", taken)
    server.close()
    assert result.exit_code == 1
    assert f"{taken} cannot be listened on: Address already in use" in result.stderr
    assert "--redirect-uri" in result.stderr
    assert "/oauth/?" not in result.stdout


def run(command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, "--config", "config.json", *arguments])


@pytest.mark.parametrize(
    ("oauth", "arguments", "words"),
    [
        ({}, (), "oauth: is required to sign in"),
        ({"access_token": "x"}, (), "oauth.access_token: is used as it is"),
        ({"client_id": "x", "client_secret": "y"}, (), "oauth.token_path"),
        (None, ("--redirect-uri", "localhost:8086"), "not an address"),
        (None, ("--redirect-uri", "http://localhost:port/"), "not an address"),
        (None, ("--redirect-uri", "https://localhost:8086/"), "use --manual"),
        (None, ("--redirect-uri", "http://example.com/"), "use --manual"),
    ],
)
def test_what_cannot_sign_in(configured, oauth, arguments: tuple[str, ...], words: str):
    """What is missing or wrong is reported before anybody is asked, with exit code 2."""
    configured(oauth)
    result = run("login", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_other_settings_do_not_matter(configured):
    """A conversion token's file that is yet to be created does not prevent a sign-in."""
    mapping = {"stream": "a", "conversion_token_file": "none-yet"}
    configured(conversion_token_file="none-yet", mappings=[mapping])
    login = start_login("--manual")
    login.communicate(press(printed_address(login)) + "\n", timeout=120)
    assert login.returncode == 0


def test_place_for_the_token_is_tried_first(configured, sandbox: Sandbox):
    """If it could not be stored, the code is not exchanged."""
    Path("tokens").write_text("a file")
    login = start_login("--manual")
    _, err = login.communicate(press(printed_address(login)) + "\n", timeout=120)
    assert login.returncode == 1
    assert "folder of oauth.token_path cannot be written" in err
    assert [row for row in sandbox.store.requests() if row.endpoint == "oauth"] == []


def test_pinterest_that_is_out_of_order(configured, sandbox: Sandbox):
    """After an error that does not concern the app, it advises to wait."""
    sandbox.faults.set([Fault("status", status=503, endpoint="oauth")])
    login = start_login("--manual")
    _, err = login.communicate(press(printed_address(login)) + "\n", timeout=120)
    assert login.returncode == 1
    assert "sign in again in a few minutes" in err


def test_without_a_sign_in_there_is_no_access(configured):
    """What needs a token says which command creates one."""
    configured(mappings=[])
    result = run("token", "--output", "made")
    assert result.exit_code == 1
    assert "sign in with `pinterest-capi login`" in " ".join(result.stderr.split())


def test_sign_in_in_a_browser(configured, sandbox: Sandbox, browser: Browser):
    """A person presses the button in Chromium, which is redirected to the waiting program."""
    login = start_login("--no-browser", "--redirect-uri", free_address())
    browser.events.clear()
    browser.call("Page.navigate", url=printed_address(login))
    ready = "new Promise(done => { const look = () => document.querySelector('[value=allow]')"
    ready += " ? done(document.title) : setTimeout(look, 20); look() })"
    title = browser.call("Runtime.evaluate", expression=ready, awaitPromise=True)
    assert title["result"]["value"] == "Pinterest sandbox: sign-in"
    assert "ads:write" in browser.evaluate("document.body.innerText")
    browser.evaluate("document.querySelector('[value=allow]').click()")
    out, err = login.communicate(timeout=120)
    assert (login.returncode, err) == (0, "")
    assert "Signed in" in out
    assert has_access()


# ---- a conversion token


def test_conversion_token_is_made_into_a_private_file(configured, tmp_path: Path):
    """Only the file's owner can read it, and it has the token, which is not printed."""
    configured({"access_token": "sandbox-access-token"})
    result = run("token", "--output", "made/conversion-token.txt")
    assert (result.exit_code, result.stderr) == (0, "")
    made = tmp_path / "made" / "conversion-token.txt"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert made.read_text() == "sandbox-token\n"
    assert "sandbox-token" not in result.output
    settings = load_files(["config.json"], purpose="any")
    assert settings.conversion_token is None
    configured({"access_token": "x"}, conversion_token_file=str(made))
    settings = load_files(["config.json"])
    assert settings.conversion_token is not None
    assert settings.conversion_token.get_secret_value() == "sandbox-token"


def test_token_that_is_there_stays(configured, tmp_path: Path):
    """A file is replaced only with --replace."""
    configured({"access_token": "sandbox-access-token"})
    (tmp_path / "made").write_text("old")
    result = run("token", "--output", "made")
    assert (result.exit_code, (tmp_path / "made").read_text()) == (2, "old")
    assert run("token", "--output", "made", "--replace").exit_code == 0
    assert (tmp_path / "made").read_text() == "sandbox-token\n"


def test_disk_without_room_makes_no_conversion_token(configured, sandbox: Sandbox):
    """A token that could not be stored is not requested, because nobody could revoke it."""
    configured({"access_token": "sandbox-access-token"})
    Path("made").write_text("old")
    with files_limited_to(100):
        result = run("token", "--output", "made", "--replace")
    assert (result.exit_code, Path("made").read_text()) == (1, "old")
    assert "made cannot be written: File too large" in result.stderr
    assert sandbox.store.requests() == []


@pytest.mark.parametrize(
    ("oauth", "output", "code", "words"),
    [
        ({"access_token": "wrong"}, "made", 1, "set oauth.access_token to a new one"),
        ({}, "made", 2, "oauth: is required to create a conversion token"),
        ({"access_token": "sandbox-access-token"}, "config.json/x", 2, "cannot be written"),
    ],
)
def test_no_conversion_token(configured, oauth, output: str, code: int, words: str):
    """Why there is none, and what to do; no file is created."""
    configured(oauth)
    result = run("token", "--output", output)
    assert result.exit_code == code
    assert words in " ".join(result.stderr.split())
    assert not Path("made").exists()

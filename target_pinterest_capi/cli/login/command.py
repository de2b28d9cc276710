"""`pinterest-capi login`: a user authorizes the app, and the refresh token is stored.

Owns the command: its options, its messages and its exit codes (0: the refresh token is in
`oauth.token_path`; 1: the sign-in failed; 2: the configuration or an option is wrong). Needs no
conversion token, and reads none.
"""

import secrets
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import click

from target_pinterest_capi.cli.configuration import load_settings, refuse_settings
from target_pinterest_capi.cli.login.redirect import (
    RedirectServer,
    SignInError,
    can_listen,
    is_address,
    read_code,
    read_pasted,
)
from target_pinterest_capi.cli.oauth_session import TIMEOUT_SECONDS, require_oauth
from target_pinterest_capi.cli.options import config_option, number_option
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import REFUSALS, sign_in
from target_pinterest_capi.pinterest.responses import ApiResponse, CallResponse, TokenGrant
from target_pinterest_capi.pinterest.retries import describe, remedy, remedy_by_waiting
from target_pinterest_capi.pinterest.sign_in import ROLES, SCOPES, consent_url, exchange_code
from target_pinterest_capi.settings import OAuth, Settings

REDIRECT_URI: Final = "http://localhost:8086/"
NOT_HERE: Final = (
    "this machine cannot listen there, only on http and localhost. Register such an address "
    "with the app, or use --manual."
)
NEEDS_AN_APP: Final = (
    "oauth.access_token: is used as it is, so no sign-in is needed. To sign in, set "
    "oauth.client_id, oauth.client_secret and oauth.token_path instead"
)
_WAIT_SECONDS: Final = 300
_STATE_BYTES: Final = 32


@click.command()
@config_option
@click.option(
    "--redirect-uri",
    metavar="URL",
    default=REDIRECT_URI,
    show_default=True,
    help="Where Pinterest redirects afterwards: an address that the app has registered.",
)
@click.option(
    "--manual",
    is_flag=True,
    help="For a machine without a browser: paste the address of the redirect.",
)
@click.option("--no-browser", is_flag=True, help="Print the address, and do not open a browser.")
@number_option("--timeout", "seconds", _WAIT_SECONDS, "Seconds to wait for the response.", least=1)
def login(
    paths: tuple[str, ...], redirect_uri: str, manual: bool, no_browser: bool, seconds: int
) -> None:
    """Sign in to Pinterest with a browser, and keep the refresh token.

    Opens Pinterest's consent page for the app of `oauth` in the browser, waits for the response on
    this machine, and writes the refresh token to `oauth.token_path`, a file that only you can read.
    Customer lists, scores, deletion requests and conversion tokens need it; events do not.

    \b
    pinterest-capi login --config target.yaml
    pinterest-capi login --config target.yaml --manual      # the browser is elsewhere
    """  # noqa: D301 - click reads \b as "keep these lines"
    settings = load_settings(paths, purpose="sign-in")
    app = _app_of(settings, paths)
    if not is_address(redirect_uri):
        raise click.BadParameter("that is not an address.", param_hint="--redirect-uri")
    if not manual and not can_listen(redirect_uri):
        raise click.BadParameter(NOT_HERE, param_hint="--redirect-uri")
    state = secrets.token_urlsafe(_STATE_BYTES)
    address = consent_url(settings.api_url, app.client_id, redirect_uri, state)
    try:
        if manual:
            code = read_pasted(_ask_to_paste(address), state)
        else:
            code = _wait_for_code(address, redirect_uri, state, seconds, opens=not no_browser)
        _exchange(settings, app, code, redirect_uri)
    except (SignInError, FlowStopped) as error:
        raise click.ClickException(f"nobody was signed in: {str(error).rstrip('.')}.") from None
    click.echo(f"Signed in: {app.oauth.token_path} has the refresh token now.")


class _App(NamedTuple):
    """The app in the settings."""

    client_id: str
    client_secret: str
    oauth: OAuth


def _app_of(settings: Settings, paths: Sequence[str]) -> _App:
    """Return the app, or exit with 2 if the settings have none."""
    oauth = require_oauth(settings, paths, "to sign in")
    if oauth.client_id is None or oauth.client_secret is None:
        refuse_settings([NEEDS_AN_APP], paths)
    return _App(oauth.client_id, oauth.client_secret.get_secret_value(), oauth)


def _introduce(address: str) -> None:
    click.echo(
        f"Open this address, as a user of the ad account (its {', '.join(ROLES[:-1])} or"
        f" {ROLES[-1]}), and allow {' and '.join(SCOPES)}:\n\n  {address}\n"
    )


def _ask_to_paste(address: str) -> str:
    _introduce(address)
    words = "Then paste the address to which the browser was redirected, even if it shows no page"
    pasted: str = click.prompt(words, prompt_suffix=":\n")
    return pasted


def _wait_for_code(
    address: str, redirect_uri: str, state: str, seconds: int, *, opens: bool
) -> str:
    """Return the code in the redirect of the browser."""
    try:
        server = RedirectServer(redirect_uri)
    except OSError as error:
        raise SignInError(
            f"{redirect_uri} cannot be listened on: {error.strerror}. Stop the program that uses "
            "it, or register another address with the app and set it with --redirect-uri"
        ) from None
    try:
        _introduce(address)
        if opens:
            _open_browser(address)
        click.echo(f"Waiting up to {seconds} seconds for the response at {redirect_uri}")
        return read_code(server.wait(seconds), state)
    finally:
        server.close()


def _open_browser(address: str) -> None:
    """Open the address in a browser, in another process, because one may take the terminal."""
    with suppress(OSError):
        subprocess.Popen(  # noqa: S603 - this Python, and an address of ours
            [sys.executable, "-m", "webbrowser", address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _exchange(settings: Settings, app: _App, code: str, redirect_uri: str) -> None:
    """Exchange the code, and store the refresh token."""
    client = Client(
        settings.api_url,
        max_connections=1,
        timeout_seconds=min(settings.request_timeout_seconds, TIMEOUT_SECONDS),
    )
    try:
        response = sign_in(
            app.oauth,
            lambda: exchange_code(client, app.client_id, app.client_secret, code, redirect_uri),
        )
    finally:
        client.close()
    grant = response.body if isinstance(response, ApiResponse) else None
    if not isinstance(grant, TokenGrant):
        raise SignInError(f"{describe(response)}. {_advice(response)}")
    if not grant.refresh_token:
        raise SignInError("Pinterest returned an access token but no refresh token. Sign in again")


def _advice(response: CallResponse) -> str:
    waiting = remedy_by_waiting(response, "sign in again")
    if waiting is not None:
        return waiting
    if isinstance(response, ApiResponse) and response.status in REFUSALS:
        return (
            "Check oauth.client_id and oauth.client_secret, and that the app has registered "
            "exactly this redirect address; a code is valid once and for some minutes: sign in "
            "again"
        )
    return remedy(response, uses_oauth=True)

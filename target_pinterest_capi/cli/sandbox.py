"""`pinterest-capi sandbox`: Pinterest's endpoints on this machine, until ctrl-C or SIGTERM.

Owns the command's options and output. The web server's packages are an extra, so the sandbox is
imported when the command runs.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from target_pinterest_capi.cli.options import number_option, repeatable_option
from target_pinterest_capi.settings.values import is_loopback

if TYPE_CHECKING:
    from target_pinterest_capi.sandbox.server import Sandbox

INSTALL: Final = "pip install 'target-pinterest-capi[sandbox]'"
EXTRA: Final = ("starlette", "uvicorn", "h11", "anyio")
ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8085,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one.",
)
@repeatable_option(
    "--token", "tokens", "TEXT", "Conversion token; repeatable.  [default: sandbox-token]"
)
@repeatable_option(
    "--ad-account", "accounts", "DIGITS", "Its ad account; repeatable.  [default: 549755885175]"
)
@repeatable_option("--fault", "specs", "SPEC", "e.g. status:status=503,requests=1-3; repeatable.")
@click.option("--seed", default=0, show_default=True, help="Seed of the faults with a rate.")
@number_option(
    "--rate-limit", "calls_per_minute", 5000, "Requests per minute and account.", least=1
)
@repeatable_option(
    "--defined-event",
    "defined_events",
    "NAME",
    "An event name defined by the advertiser; repeatable.",
)
@click.option(
    "--no-deletion",
    is_flag=True,
    help="Return 403 for deletion requests, as for apps without access to the beta.",
)
@click.option(
    "--created-201", is_flag=True, help="Return 201 instead of 200 for a POST that succeeds."
)
@click.option(
    "--mixed-200", is_flag=True, help="Return 200 instead of 422 when only some events failed."
)
@number_option("--keep", "keep_events", 100_000, "Events to remember.")
@click.option(
    "--record-bodies",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append accepted request bodies to this file.",
)
@click.option(
    "--access-token", metavar="TEXT", help="OAuth access token.  [default: sandbox-access-token]"
)
@click.option("--client-id", metavar="TEXT", help="The OAuth app's id.  [default: sandbox-client]")
@click.option(
    "--client-secret", metavar="TEXT", help="Its secret.  [default: sandbox-client-secret]"
)
@click.option(
    "--refresh-token",
    metavar="TEXT",
    help="Its first refresh token.  [default: sandbox-refresh-token]",
)
@repeatable_option(
    "--redirect-uri",
    "redirect_uris",
    "URL",
    "A redirect registered with the app; repeatable.  [default: any on this machine]",
)
@click.option(
    "--rotate",
    type=click.Choice(["always", "never"]),
    default="always",
    show_default=True,
    help="Whether refreshing returns a new refresh token, which replaces the old one.",
)
@click.option(
    "--access-token-seconds",
    type=click.IntRange(1),
    metavar="N",
    help="How long a new access token is valid.  [default: 30 days]",
)
@number_option("--write-limit", "writes_per_minute", 400, "List changes per minute.", least=1)
@number_option("--list-max-records", "max_list_records", 100_000, "Records a request.", least=1)
@number_option("--list-max-bytes", "max_list_bytes", 10_000_000, "Its body's size.", least=1)
@number_option(
    "--list-processing-seconds",
    "list_processing_seconds",
    10.0,
    "Until a list is READY or TOO_SMALL.",
)
@click.option(
    "--removal-matching",
    type=click.Choice(["every", "any"]),
    default="every",
    show_default=True,
    help="Which hashed identifiers of a row a removal must name.",
)
def sandbox(
    tokens: tuple[str, ...],
    accounts: tuple[str, ...],
    specs: tuple[str, ...],
    mixed_200: bool,
    no_deletion: bool,
    created_201: bool,
    **options: Any,
) -> None:
    """Run Pinterest's endpoints for events and lists on this machine, with faults on demand.

    Open its address in a browser to see what it receives, and to switch faults on and off.

    \b
    Faults are KIND[:NAME=VALUE,...], for example
      latency:seconds=0.2,jitter=0.1     status:status=429,retry_after=2,times=3
      drop_after:rate=0.05               poison:event_id=order-7
      drop_after:endpoint=customer_lists,method=POST,times=1
    docs/sandbox.md lists them all.

    \b
    pinterest-capi sandbox --fault status:status=503,requests=1-3
    """  # noqa: D301 - click reads \b as "keep these lines"
    with needed_packages():
        from target_pinterest_capi.sandbox import app, faults, oauth, rules, server  # noqa: PLC0415
    wrong = next(
        (
            account
            for account in accounts
            if not (account.isdecimal() and account.isascii() and len(account) <= 18)  # noqa: PLR2004
        ),
        None,
    )
    if wrong is not None:
        raise click.BadParameter(
            f"{wrong} does not have 1 to 18 digits.", param_hint="--ad-account"
        )
    accounts = accounts or (rules.DEFAULT_AD_ACCOUNT,)
    tokens = tokens or (rules.DEFAULT_TOKEN,)
    try:
        config = app.SandboxConfig(
            tokens=dict.fromkeys(tokens, accounts),
            app=oauth.App(**_app(options)),
            faults=tuple(faults.parse(spec) for spec in specs),
            mixed_status=200 if mixed_200 else 422,
            has_deletion=not no_deletion,
            created_status=201 if created_201 else 200,
            **options,
        )
    except faults.FaultError as problem:
        raise click.BadParameter(f"{problem}.", param_hint="--fault") from problem
    try:
        with _endings() as ended, server.Sandbox(config) as running:
            _introduce(running, tokens, accounts)
            ended()
            click.echo(f"\nStopped. {json.dumps(running.store.counters())}")
    except OSError as problem:
        raise click.ClickException(
            f"The sandbox cannot start on {config.host} port {config.port}: {problem.strerror}."
        ) from problem


@contextmanager
def needed_packages() -> Iterator[None]:
    """Import the sandbox within. Raises a ClickException about how to install its packages."""
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        raise click.ClickException(
            f"The sandbox needs packages that are not installed. Install them with: {INSTALL}"
        ) from missing


def _app(options: dict[str, Any]) -> dict[str, Any]:
    """Take the OAuth app's settings from the options.

    Those that were not given keep their defaults.
    """
    names = ("access_token", "client_id", "client_secret", "refresh_token", "access_token_seconds")
    given = {name: options.pop(name) for name in names}
    return {
        "redirect_uris": options.pop("redirect_uris"),
        "rotate": options.pop("rotate") == "always",
        **{name: value for name, value in given.items() if value is not None},
    }


@contextmanager
def _endings() -> Iterator[Any]:
    """Yield a function that waits for ctrl-C or SIGTERM.

    Threads started within do not get these signals.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield lambda: signal.sigwait(ENDINGS)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _introduce(running: "Sandbox", tokens: tuple[str, ...], accounts: tuple[str, ...]) -> None:
    """Print its addresses and how to use it; warn if others can reach it."""
    settings = {"api_url": running.url, "ad_account_id": accounts[0], "conversion_token": tokens[0]}
    click.echo(f"The sandbox listens on {running.url}")
    click.echo(f"  token       {', '.join(tokens)}")
    click.echo(f"  ad account  {', '.join(accounts)}")
    click.echo(
        f"  page        {running.origin}/  (what it received, live, and a switch for each fault)"
    )
    click.echo(
        f"  as JSON     {running.origin}/_sandbox/events  (also requests, lists, audiences,"
        " counters, faults)"
    )
    click.echo(f"\nPoint the target at it with a configuration file:\n  {json.dumps(settings)}")
    click.echo("or with environment variables:")
    for name, value in settings.items():
        click.echo(f"  export TARGET_PINTEREST_CAPI_{name.upper()}={value}")
    app = running.config.app
    members = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": app.refresh_token,
    }
    click.echo("\nCustomer lists also need OAuth: an access token, or an app that refreshes one:")
    click.echo(f"  {json.dumps({'oauth': {'access_token': app.access_token}})}")
    click.echo(f"  {json.dumps({'oauth': {**members, 'token_path': 'sandbox-oauth.json'}})}")
    if not is_loopback(running.config.host):
        click.secho(
            f"\nWarning: {running.config.host} is not a loopback address. Everybody who can reach "
            "this machine can read every event sent here and switch faults, without a token and "
            "unencrypted. The target itself sends plain HTTP to loopback addresses only.",
            err=True,
            fg="yellow",
        )
    click.echo("\nCtrl-C stops it.")

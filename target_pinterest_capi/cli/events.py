"""`pinterest-capi events`: the custom event names that an ad account has defined.

Owns its subcommands, their messages and exit codes (0: done; 1: Pinterest refused a name, or did
not answer; 2: the configuration or an option). One attempt for each call.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from target_pinterest_capi.cli.configuration import load_settings
from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.cli.oauth_session import Attempt, OAuthSession, open_session
from target_pinterest_capi.cli.options import config_option
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.pinterest.defined_events import (
    MOST_NAMES,
    UNMAPPABLE,
    delete_events,
    read_events,
    write_events,
)
from target_pinterest_capi.pinterest.responses import ChangedEvents, DefinedEvents
from target_pinterest_capi.settings.event_names import own_event_names

STANDARD_NAMES: Final = tuple(name for name in EVENT_NAMES if name not in UNMAPPABLE)
NEEDED_FOR: Final = "for your own event names, which a conversion token cannot manage"
SUCCESS: Final = "success"
RIGHT: Final = (
    "The OAuth token has no access to the ad account's events: check ad_account_id, and that "
    "the user who signed in may manage that account, with ads:read and ads:write."
)

account_option: Final = click.option(
    "--ad-account", metavar="DIGITS", help="Another ad account.  [default: ad_account_id]"
)


@click.group()
def events() -> None:
    """Show, define and delete the custom event names of an ad account.

    \b
    pinterest-capi events list --config target.yaml

    Events with a name that Pinterest does not have are sent unchanged, but Pinterest warns about
    them until the name is defined. An ad account can define 15 names.
    """  # noqa: D301 - click reads \b as "keep these lines"


@events.command("list")
@config_option
@account_option
def list_events(paths: tuple[str, ...], ad_account: str | None) -> None:
    """Show the defined names, and the names in the configuration that are not defined.

    \b
    pinterest-capi events list --config target.yaml
    """  # noqa: D301
    with _session(paths, ad_account) as (session, account, wanted):
        held = _read(session, account)
    for name, mapped in sorted(held.items()):
        click.echo(f"{plain(name)}: {(mapped or 'mapped to none').lower()}")
    for name in wanted:
        if name not in held:
            click.echo(f"{plain(name)}: in the configuration, but not defined")
    click.echo(f"{len(held)} of {MOST_NAMES} names are defined in ad account {account}.")


@events.command()
@click.argument("name")
@click.option(
    "--as",
    "standard",
    required=True,
    type=click.Choice(STANDARD_NAMES, case_sensitive=False),
    metavar="EVENT",
    help=f"What it counts as for campaigns: {', '.join(STANDARD_NAMES)}.",
)
@config_option
@account_option
def define(name: str, standard: str, paths: tuple[str, ...], ad_account: str | None) -> None:
    """Define a name, or map a defined name to another of Pinterest's events.

    \b
    pinterest-capi events define quote_request --as lead --config target.yaml
    """  # noqa: D301
    if not name.strip() or "," in name:
        raise click.BadParameter("a name is a string without commas.", param_hint="NAME")
    if name in EVENT_NAMES:
        raise click.BadParameter(f"{name} is Pinterest's own.", param_hint="NAME")
    mapped = standard.upper()
    with _session(paths, ad_account) as (session, account, _):
        held = _read(session, account)
        if held.get(name) == mapped:
            click.echo(f"{name} is already defined as {standard}.")
            return
        if name not in held and len(held) >= MOST_NAMES:
            raise click.ClickException(
                f"ad account {account} already has {MOST_NAMES} names, the maximum: delete one "
                "first."
            )
        method: Any = "PATCH" if name in held else "POST"
        _change(
            session,
            lambda client, token: write_events(client, token, account, method, {name: mapped}),
        )
    click.echo(f"{name} is defined as {standard} in ad account {account}.")


@events.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@config_option
@account_option
def delete(names: Sequence[str], paths: tuple[str, ...], ad_account: str | None) -> None:
    """Delete names: from then on Pinterest warns about their events.

    \b
    pinterest-capi events delete quote_request --config target.yaml
    """  # noqa: D301
    with _session(paths, ad_account) as (session, account, _):
        _change(session, lambda client, token: delete_events(client, token, account, names))
    click.echo(f"{', '.join(names)}: deleted in ad account {account}.")


@contextmanager
def _session(
    paths: Sequence[str], ad_account: str | None
) -> Iterator[tuple[OAuthSession, str, list[str]]]:
    """Yield a session, its ad account, and the configuration's own event names."""
    settings = load_settings(paths, purpose="any")
    account = ad_account or settings.ad_account_id
    if not (account.isascii() and account.isdigit()):
        raise click.BadParameter("an ad account's id has only digits.", param_hint="--ad-account")
    with open_session(settings, paths, account, NEEDED_FOR) as session:
        yield session, account, own_event_names(settings)


def _read(session: OAuthSession, account: str) -> dict[str, str | None]:
    """Return the defined names, each with the event that it is mapped to."""
    read: Callable[..., Any] = read_events
    held = session.ask(
        lambda client, token: read(client, token, account), DefinedEvents, "no names", RIGHT
    )
    return {one.name: one.mapped_conversion_type for one in held.items}


def _change(session: OAuthSession, make: Attempt) -> None:
    """Make one change. Raises a `ClickException` if Pinterest refuses a name."""
    changed = session.ask(make, ChangedEvents, "nothing was changed", RIGHT)
    refused = [one for one in changed.items if one.status != SUCCESS]
    if refused:
        lines = [f"{plain(one.name)}: {plain('; '.join(one.exceptions or ()))}" for one in refused]
        raise click.ClickException("Pinterest refused\n" + "\n".join(lines))

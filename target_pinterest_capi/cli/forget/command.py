"""`pinterest-capi forget`: deletes people's data, at Pinterest and in what runs have stored.

Owns the command: its options, its order and messages, and its exit codes (0: everything was done;
1: something failed, and is printed; 2: the configuration, an option, or the input). Dead letters
come first, then customer lists, then deletion requests; a failure does not stop the rest. Prints
counts, names in the configuration and ids of requests, and nothing about anybody.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

import click

from target_pinterest_capi.cli.configuration import load_settings, refuse_settings
from target_pinterest_capi.cli.forget.letters import drop_letters, drop_old_events
from target_pinterest_capi.cli.forget.people import (
    NotPeopleError,
    People,
    read_column,
    read_lines,
)
from target_pinterest_capi.cli.forget.requests import NO_BETA, DeletionFlow, targets_of
from target_pinterest_capi.cli.forget.status import cancel_request, show_status
from target_pinterest_capi.cli.inputs import STANDARD_INPUT, open_messages
from target_pinterest_capi.cli.oauth_session import require_oauth
from target_pinterest_capi.cli.options import config_option, repeatable_option
from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes
from target_pinterest_capi.customer_lists.list_delivery import configured_list
from target_pinterest_capi.customer_lists.remote_list import RemoteList
from target_pinterest_capi.customer_lists.removal import (
    AffectedLists,
    ListRemoval,
    affected_lists,
)
from target_pinterest_capi.delivery.exit_codes import ExitCode
from target_pinterest_capi.delivery.flow_run import run_flow
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.events.redaction import without_addresses
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import FixedToken, RefreshedTokens, tokens_of
from target_pinterest_capi.reporting.numbers import counted
from target_pinterest_capi.settings import CustomerListEntry, Settings
from target_pinterest_capi.singer.lines import UnreadableInputError, chunks_of_lines

BY_ADDRESS_ALONE: Final = (
    "its rows may have other identifiers, which are recorded only with refresh: full, and "
    "Pinterest does not document whether it finds a row by its e-mail address alone. Have the "
    "source remove these people (`operation`), or stop adding them and create the list again"
)
UNNAMED: Final = "their names come from records and are not known here: name each with --list"
ON_NO_LIST: Final = AffectedLists((), ())  # click ids
NEEDED_FOR: Final = "to ask Pinterest for a deletion, which takes no conversion token"


@click.command()
@click.argument("file", metavar="[FILE]", required=False)
@config_option
@click.option(
    "--column", metavar="NAME", help="FILE has Singer messages: use this column of their records."
)
@click.option("--stream", metavar="NAME", help="Only the records of this stream.  [default: all]")
@click.option("--click-id", "are_click_ids", is_flag=True, help="Each line is a click id.")
@repeatable_option(
    "--ad-account",
    "accounts",
    "DIGITS",
    "Ask in this ad account; repeatable.  [default: all that the configuration names]",
)
@repeatable_option(
    "--letters",
    "letters",
    "FILE",
    "Dead letters from which to drop theirs; repeatable.  [default: dead_letter_path]",
)
@repeatable_option(
    "--list",
    "lists",
    "NAME",
    "A customer list named by records (list_name with an expression); repeatable.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation: for programs.")
@click.option(
    "--status",
    "status_of",
    is_flag=False,
    flag_value="",
    metavar="[ID]",
    help="Show the deletion requests, or one of them, and ask for nothing.",
)
@click.option("--cancel", "cancelled", metavar="ID", help="Cancel a request that is PENDING.")
def forget(
    file: str | None,
    paths: tuple[str, ...],
    column: str | None,
    stream: str | None,
    are_click_ids: bool,
    accounts: tuple[str, ...],
    letters: tuple[str, ...],
    lists: tuple[str, ...],
    yes: bool,
    status_of: str | None,
    cancelled: str | None,
) -> None:
    """Delete people's data: at Pinterest, in customer lists and in dead letters.

    FILE has one e-mail address or click id per line; - is stdin. Asks Pinterest to delete these
    people's events, removes them from every customer list of the configuration, and removes their
    dead letters. The output identifies nobody.

    \b
    pinterest-capi forget people.txt --config target.yaml
    pinterest-capi forget out.singer --column email --stream deletions --yes --config target.yaml
    pinterest-capi forget --status --config target.yaml
    pinterest-capi forget --cancel 549755885175900001 --config target.yaml

    A request can be cancelled for 72 hours; the data is deleted within 30 days after that.
    Deletion requests are a beta feature, which Pinterest enables for an app on request. Exits with
    0 if everything was done, 1 if something failed, 2 for a wrong configuration or input.
    """  # noqa: D301 - click reads \b as "keep these lines"
    settings = _load(paths)
    wanted = accounts or tuple(named_accounts(settings))
    if status_of is not None:
        show_status(settings, paths, wanted, status_of)
        return
    if cancelled is not None:
        cancel_request(settings, paths, wanted, cancelled)
        return
    if settings.mode != "live":
        problem = f"mode: is {settings.mode}, but deletions are made only in mode live"
        refuse_settings([problem], paths)
    if file is None:
        raise click.UsageError(
            "Name a FILE with an address or a click id per line, or - for stdin."
        )
    people = _read(file, column, stream, are_click_ids=are_click_ids)
    if not people.emails and not people.click_ids:
        click.echo("The input is empty: there is nobody to delete.")
        return
    places = letters or (settings.dead_letter_path,)
    affected = affected_lists(settings, lists) if people.emails else ON_NO_LIST
    _confirm(
        settings,
        people,
        wanted,
        places,
        affected,
        is_from_stdin=file == STANDARD_INPUT,
        yes=yes,
    )
    failures = [
        *_drop_from_files(places, settings.old_events_path, people),
        *_ask_pinterest(settings, wanted, people, affected.removed_from),
        *(f"customer lists of {label}: {UNNAMED}" for label in affected.unnamed),
    ]
    for failure in failures:
        click.echo(f"Error: {failure}", err=True)
    sys.exit(ExitCode.ERROR if failures else ExitCode.OK)


def named_accounts(settings: Settings) -> Iterator[str]:
    """Yield the ad accounts in the settings, each once."""
    entries = settings.mappings or ()
    own = [entry.ad_account_id for entry in entries]
    digits = [account for account in own if account is not None and account.isdigit()]
    yield from dict.fromkeys([settings.ad_account_id, *digits])


def _load(paths: Sequence[str]) -> Settings:
    """Return the settings as the target reads them; no token for events is needed."""
    settings = load_settings(paths, purpose="any")
    require_oauth(settings, paths, NEEDED_FOR)
    return settings


def _read(file: str, column: str | None, stream: str | None, *, are_click_ids: bool) -> People:
    """Return the people in a file, or exit with 2 and the lines that name nobody."""
    if stream is not None and column is None:
        raise click.UsageError("--stream goes with --column.")
    try:
        with open_messages(file) as opened:
            lines = chain.from_iterable(chunks_of_lines(opened))
            if column is None:
                return read_lines(lines, are_click_ids=are_click_ids)
            return read_column(lines, column, stream, are_click_ids=are_click_ids)
    except (NotPeopleError, UnreadableInputError) as error:
        click.echo(f"Error: {error}. Nothing was done.", err=True)
    except OSError as error:
        click.echo(f"Error: {file} cannot be read: {error.strerror}. Nothing was done.", err=True)
    sys.exit(ExitCode.CONFIGURATION)


def _confirm(
    settings: Settings,
    people: People,
    accounts: Sequence[str],
    places: Sequence[str],
    affected: AffectedLists,
    *,
    is_from_stdin: bool,
    yes: bool,
) -> None:
    """Print what will be done, and ask for confirmation, unless it was given."""
    click.echo(
        f"{counted(len(people.emails), 'e-mail address', 'e-mail addresses')} and "
        f"{counted(len(people.click_ids), 'click id')}:\n"
        f"  deletion requests in ad account {', '.join(accounts)}\n"
        f"  removal from {counted(len(affected.removed_from), 'customer list')}\n"
        f"  dead letters in {', '.join(places)}"
    )
    if settings.old_events_path is not None:
        click.echo(f"  old events in {settings.old_events_path}")
    for name, why in affected.left:
        click.echo(f"  customer list {name} stays as it is: {why}")
    for label in affected.unnamed:
        click.echo(f"  customer lists of {label} stay as they are: {UNNAMED}")
    if any(not (entry.ad_account_id or "0").isdigit() for entry in settings.mappings or ()):
        click.echo(
            "  ad accounts that are named by records are not asked: name them with --ad-account"
        )
    if yes:
        return
    if is_from_stdin:
        raise click.UsageError("stdin has the addresses and cannot confirm: add --yes.")
    click.confirm("Delete this data?", abort=True)


def _drop(
    what: str, place: str, people: People, drop: Callable[[str, People], int], advice: str = ""
) -> Iterator[str]:
    """Drop people's data in a place, and yield what could not be read or written."""
    try:
        dropped = drop(place, people)
    except OSError as error:
        yield f"{what} in {place}: {error.strerror or error}"
    else:
        click.echo(f"{what} in {place}: {dropped} dropped.{advice}")


def _drop_from_files(
    places: Sequence[str], old_events: str | None, people: People
) -> Iterator[str]:
    """Drop people's dead letters, and their rows in files for Ads Manager."""
    for place in places:
        yield from _drop("dead letters", place, people, drop_letters)
    if old_events is not None:
        uploaded = " Uploaded files are at Pinterest."
        yield from _drop("old events", old_events, people, drop_old_events, uploaded)


def _ask_pinterest(
    settings: Settings,
    accounts: Sequence[str],
    people: People,
    lists: Sequence[CustomerListEntry],
) -> Iterator[str]:
    """Remove people from lists and request their deletion; yield what failed."""
    assert settings.oauth is not None  # noqa: S101 - asked for before
    client = Client(
        settings.api_url, max_connections=1, timeout_seconds=settings.request_timeout_seconds
    )
    tokens = tokens_of(settings.oauth, client)
    try:
        if people.emails:
            digests = [digest(email) for email in people.emails]
            for entry in lists:
                yield from _remove_from_list(settings, client, tokens, entry, digests)
        for account in accounts:
            yield from _request_deletion(settings, client, tokens, account, people)
    finally:
        client.close()


def _remove_from_list(
    settings: Settings,
    client: Client,
    tokens: FixedToken | RefreshedTokens,
    entry: CustomerListEntry,
    digests: Sequence[str],
) -> Iterator[str]:
    remote = RemoteList(client, configured_list(settings, entry), settings.list_batch_size)
    name = f"customer list {without_addresses(entry.label)}"
    refreshes = None
    try:
        if entry.refresh == "full" and settings.ledger_url is not None:
            refreshes = FullRefreshes(settings.ledger_url.get_secret_value())
        removal = ListRemoval(remote, digests, refreshes, has_rows=entry.has_rows)
        problem = run_flow(removal.flow(), tokens, settings)
    except LedgerError as error:
        yield f"{name}: {error}"
        return
    finally:
        if refreshes is not None:
            refreshes.close()
    if not removal.is_there:
        click.echo(f"{name}: the list does not exist, so nobody is on it.")
    elif removal.removed:
        click.echo(f"{name}: Pinterest accepted the removal of {removal.removed} members.")
    if removal.is_there and entry.has_rows and refreshes is None:
        yield f"{name}: {BY_ADDRESS_ALONE}"
    if removal.refused:
        yield f"{name}: Pinterest refused to remove {removal.refused} members"
    if problem is not None:
        yield f"{name}: {problem}"


def _request_deletion(
    settings: Settings,
    client: Client,
    tokens: FixedToken | RefreshedTokens,
    account: str,
    people: People,
) -> Iterator[str]:
    targets = targets_of(people)
    asking = DeletionFlow(client, account, targets)
    problem = run_flow(asking.flow(), tokens, settings)
    for made in asking.made:
        click.echo(f"ad account {account}: deletion request {made.request_id} is {made.status}.")
    click.echo(f"ad account {account}: {asking.accepted} of {len(targets)} people asked for.")
    if asking.refused:
        yield f"ad account {account}: Pinterest refused {asking.refused} of them as targets"
    if problem is not None:
        yield f"ad account {account}: {problem if problem == NO_BETA else problem.rstrip('.')}."

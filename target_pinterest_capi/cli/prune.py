"""`pinterest-capi prune`: remove people from customer lists who were not in the last full refresh.

Owns the command: its options, its messages, and its exit codes (0: done, or nobody had left; 1:
Pinterest or the database failed, or no complete refresh is on record; 2: the configuration; 3: more
had left than `max_removed_ratio` allows).
"""

import sys
from collections.abc import Sequence
from typing import Final

import click

from target_pinterest_capi.cli.configuration import load_settings, refuse_settings
from target_pinterest_capi.cli.options import config_option, dry_run_option, repeatable_option
from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes
from target_pinterest_capi.customer_lists.prune import PrunePlan, plans
from target_pinterest_capi.customer_lists.prune import prune as carry_out
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.settings import Settings

DONE_EXIT: Final = 0
FAILED_EXIT: Final = 1
TOO_MUCH_EXIT: Final = 3


@click.command()
@config_option
@repeatable_option("--list", "names", "NAME", "Only this list_name or list_id; repeatable.")
@dry_run_option("Say what would be removed, and remove nobody")
def prune(paths: tuple[str, ...], names: tuple[str, ...], dry_run: bool) -> None:
    """Remove people from customer lists who were not in the last full refresh.

    For lists with `refresh: full`. Run it in the same job as the pipeline, after that has
    succeeded: the target cannot tell a tap that finished from one that crashed, so by itself it
    never removes people because they are missing.

    \b
    pinterest-capi prune --config target.yaml --dry-run
    """  # noqa: D301 - click reads \b as "keep these lines"
    settings = _load(paths, names, needs_oauth=not dry_run)
    assert settings.ledger_url is not None  # noqa: S101 - held by the settings: `refresh: full` needs it
    try:
        refreshes = FullRefreshes(settings.ledger_url.get_secret_value())
        try:
            codes = [
                _prune(settings, plan, refreshes, dry_run=dry_run)
                for plan in plans(settings, refreshes, names)
            ]
        finally:
            refreshes.close()
    except LedgerError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(FAILED_EXIT)
    sys.exit(max(codes))


def _prune(settings: Settings, plan: PrunePlan, refreshes: FullRefreshes, *, dry_run: bool) -> int:
    """Carry out one list's plan, print the result, and return the exit code."""
    name = plan.configured.name
    if plan.why_not is not None:
        click.echo(f"Error: customer list {name}: nobody was removed: {plan.why_not}.", err=True)
        return TOO_MUCH_EXIT if plan.is_too_much else FAILED_EXIT
    if dry_run or not plan.leavers:
        would = "would be" if plan.leavers else "had to be"
        click.echo(
            f"customer list {name}: {len(plan.leavers)} of {plan.known} members {would} removed."
        )
        return DONE_EXIT
    done = carry_out(settings, plan, refreshes)
    click.echo(f"customer list {name}: {done.removed} of {plan.known} members removed.")
    if done.refused:
        click.echo(
            f"Error: customer list {name}: Pinterest refused to remove {done.refused} members; "
            "they stay on record.",
            err=True,
        )
    if done.problem is not None:
        click.echo(
            f"Error: customer list {name}: {done.problem} "
            "What was not removed stays on record: run prune again.",
            err=True,
        )
    return FAILED_EXIT if done.refused or done.problem is not None else DONE_EXIT


def _load(paths: Sequence[str], names: Sequence[str], *, needs_oauth: bool) -> Settings:
    """Return the settings as the target reads them; no token for events is needed."""
    settings = load_settings(paths)
    full = {
        entry.list_name or entry.list_id
        for entry in settings.customer_lists
        if entry.refresh == "full"
    }
    problems = [
        f"customer_lists: has no list {name!r} with refresh: full"
        for name in names
        if name not in full
    ]
    if not full:
        problems.append(
            "customer_lists: has no list with refresh: full, and only those can be pruned"
        )
    if needs_oauth and settings.oauth is None:
        problems.append(
            "oauth: is required to change customer lists, which a conversion token cannot do: "
            "set oauth.access_token"
        )
    if needs_oauth and settings.mode != "live":
        problems.append(
            f"mode: is {settings.mode}, but people are removed only in mode live: use --dry-run"
        )
    if problems:
        refuse_settings(problems, paths)
    return settings

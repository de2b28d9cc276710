"""`pinterest-capi eqs`: Pinterest's event quality score next to our own coverage.

Owns the command: its options, which reports to compare, the one request for the scores, and the
exit codes (0: shown; 1: Pinterest has none, or a report cannot be read; 2: the configuration or the
options). Changes nothing; needs OAuth, and the conversion token is never sent. Writes nothing
except a new refresh token, if Pinterest returns one.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from target_pinterest_capi.cli.configuration import load_settings
from target_pinterest_capi.cli.console import console, plain, trimmed
from target_pinterest_capi.cli.eqs import model as result
from target_pinterest_capi.cli.eqs import view as page
from target_pinterest_capi.cli.eqs.own_reports import find_coverage
from target_pinterest_capi.cli.eqs.scores import NEEDED_FOR, fetch_scores
from target_pinterest_capi.cli.oauth_session import require_oauth
from target_pinterest_capi.cli.options import config_option, json_option, repeatable_option
from target_pinterest_capi.reporting import report as reports
from target_pinterest_capi.settings import Settings

# docs/pinterest-api.md: Event quality score (LookbackPeriodOptions, IngestionSourceOptions,
# SourcePlatformOptions)
LOOKBACK_SECONDS: Final = {"1d": 24 * 3600, "14d": 14 * 24 * 3600}
SOURCES: Final = ("CONVERSIONS_API", "TAG", "MMP", "FILE_UPLOAD", "NATIVE")
PLATFORMS: Final = (
    "WEB", "MOBILE", "MOBILE_ANDROID", "MOBILE_IOS", "OFFLINE",
    "PINTEREST_WEB", "PINTEREST_ANDROID", "PINTEREST_IOS", "POINT_OF_SALE",
)  # fmt: skip
PLATFORM_HELP: Final = f"Only this source platform: {', '.join(PLATFORMS)}."


@click.command()
@config_option
@click.option(
    "--report",
    "places",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="RUN.json",
    help=(
        "Our side: a run's report, or a directory of reports, of which those within the "
        "lookback count; repeatable.  [default: report_path]"
    ),
)
@click.option(
    "--ad-account", metavar="DIGITS", help="Another ad account.  [default: ad_account_id]"
)
@click.option(
    "--lookback",
    type=click.Choice(list(LOOKBACK_SECONDS)),
    default="14d",
    show_default=True,
    help="Pinterest's period.",
)
@click.option(
    "--platform",
    type=click.Choice(PLATFORMS, case_sensitive=False),
    metavar="NAME",
    help=PLATFORM_HELP,
)
@click.option(
    "--source",
    type=click.Choice([*SOURCES, "ALL"], case_sensitive=False),
    default=SOURCES[0],
    show_default=True,
    metavar="NAME",
    help=f"Only events from this source: {', '.join(SOURCES)}; or ALL.",
)
@repeatable_option("--event", "names", "NAME", "Only this event name; repeatable.")
@json_option("one JSON object instead of tables")
def eqs(
    paths: tuple[str, ...],
    places: tuple[Path, ...],
    ad_account: str | None,
    lookback: str,
    platform: str | None,
    source: str,
    names: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show Pinterest's event quality score next to the coverage of what you sent.

    Pinterest counts how many of an account's events carry each of eleven components; run reports
    count the same for the events that were sent. Shows both for each event name, with the
    difference, and which fields to map for a better score. Needs OAuth with the scope ads:read.
    Exits with 0, with 1 if Pinterest has no score, and with 2 if the configuration cannot be used.

    \b
    pinterest-capi eqs --config target.yaml --report report.json
    pinterest-capi eqs --config target.yaml --report reports/ --lookback 1d
    """  # noqa: D301 - click reads \b as "keep these lines"
    settings = _load(paths)
    account = ad_account or settings.ad_account_id
    if not (account.isascii() and account.isdigit()):
        raise click.BadParameter("an ad account's id has only digits.", param_hint="--ad-account")
    own, notes = find_coverage(
        places, settings.report_path, account, time.time() - LOOKBACK_SECONDS[lookback]
    )
    query = {
        "lookback_period": lookback,
        "ingestion_source": source,
        "source_platform": platform or "",
    }
    scores = fetch_scores(
        settings,
        paths,
        account,
        {name: value for name, value in query.items() if value and value != "ALL"},
    )
    known = result.event_names(scores)
    if not known:
        raise click.ClickException(_nothing(account, query))
    missing = [name for name in names if name not in known]
    if missing:
        raise click.ClickException(
            f"Pinterest has no score for {', '.join(missing)}. It has for:"
            f" {', '.join(map(plain, known))}."
        )
    compared = result.compare(scores, own, names)
    notes += _platform_notes(compared, own)
    if as_json:
        head = {
            "ad_account_id": account,
            "lookback_period": lookback,
            "reports": [_report_json(one) for one in own.reports],
        }
        click.echo(json.dumps({**head, **result.as_json(compared), "notes": notes}, indent=2))
        return
    out = console()
    with trimmed(out):
        page.show(out, compared, own, account=account, lookback=lookback, notes=notes)


def _load(paths: Sequence[str]) -> Settings:
    """Return the settings as the target reads them; no token for events is needed, but OAuth is."""
    settings = load_settings(paths)
    require_oauth(settings, paths, NEEDED_FOR)
    return settings


def _platform_notes(compared: result.Comparison, own: result.Ours) -> Iterator[str]:
    """Say which of our figures are of several platforms, which a report does not distinguish."""
    if not own.reports:
        return
    names = [name.event_name for platform in compared.platforms for name in platform.names]
    shared = result.shared_names(compared.platforms)
    if shared:
        yield (
            f"The figures for {', '.join(map(plain, sorted(shared)))} from the report cover all "
            "platforms together."
        )
    without = sorted({name for name in names if not own.events[name]})
    if without:
        yield f"The report counts no events of {', '.join(map(plain, without))}."


def _report_json(one: reports.Report) -> dict[str, Any]:
    return {
        "run": one.run.id,
        "ended_at": one.run.ended_at.isoformat(timespec="seconds"),
        "events": one.delivered.events,
    }


def _nothing(account: str, query: dict[str, str]) -> str:
    """Say that there is no score, and which filters may be the cause."""
    days = query["lookback_period"].removesuffix("d")
    period = "day" if days == "1" else f"{days} days"
    filters = [
        f"--{name} {value}"
        for name, value in (
            ("source", query["ingestion_source"]),
            ("platform", query["source_platform"]),
        )
    ]
    given = " and ".join(words for words in filters if not words.endswith((" ", " ALL")))
    return (
        f"Pinterest has no score for ad account {account} in the last"
        f" {period}{f' with {given}' if given else ''}. A new account has one once it has received"
        " events in mode live, up to a day later."
    )

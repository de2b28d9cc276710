"""`pinterest-capi eqs`: Pinterest's event quality score beside our own coverage.

Owns the command: its options, which reports are ours, the one request for the scores, and the exit
codes (0: shown; 1: Pinterest gave none, or a report cannot be read; 2: the configuration or the
options). Changes nothing; needs OAuth, and the conversion token is never sent. Writes nothing but a
new refresh token, where Pinterest gives one.
"""

import json
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import click

from target_pinterest_capi import settings
from target_pinterest_capi.checks.result import ACCOUNT_PLACE, APP_PLACE
from target_pinterest_capi.cli.configuration import load_settings, refuse_settings
from target_pinterest_capi.cli.console import console, plain, trimmed
from target_pinterest_capi.cli.eqs import model as result
from target_pinterest_capi.cli.eqs import view as page
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import (
    FixedToken,
    RefreshedTokens,
    fetch_access_token,
    tokens_of,
)
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CallResponse,
    QualityScore,
)
from target_pinterest_capi.pinterest.retries import (
    Decision,
    classify_call,
    describe,
    remedy,
    remedy_by_waiting,
)
from target_pinterest_capi.reporting import report as reports

# docs/pinterest-api.md: Event quality score (LookbackPeriodOptions, IngestionSourceOptions,
# SourcePlatformOptions)
LOOKBACK_SECONDS: Final = {"1d": 24 * 3600, "14d": 14 * 24 * 3600}
SOURCES: Final = ("CONVERSIONS_API", "TAG", "MMP", "FILE_UPLOAD", "NATIVE")
PLATFORMS: Final = (
    "WEB", "MOBILE", "MOBILE_ANDROID", "MOBILE_IOS", "OFFLINE",
    "PINTEREST_WEB", "PINTEREST_ANDROID", "PINTEREST_IOS", "POINT_OF_SALE",
)  # fmt: skip
PLATFORM_HELP: Final = f"Only this source platform: {', '.join(PLATFORMS)}."
TIMEOUT_SECONDS: Final = 15.0  # at most; a smaller request_timeout_seconds wins
NO_OAUTH: Final = (
    "oauth: is required, as Pinterest gives its event quality score for no conversion token: set"
    " oauth.access_token (with the scope ads:read), or oauth.client_id, oauth.client_secret,"
    " oauth.refresh_token and oauth.token_path"
)
NO_REPORT: Final = (
    "There is no run report, so our side is empty: set report_path to a .json file, or give"
    " --report."
)
PAGE_REPORT: Final = (
    "report_path is a page, which cannot be read back, so our side is empty: let it end in .json"
    " (pinterest-capi report makes a page of that)."
)


@click.command()
@click.option(
    "--config",
    "paths",
    multiple=True,
    metavar="FILE",
    help="The target's own; repeatable, later files win.  [default: ENV]",
)
@click.option(
    "--report",
    "places",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="RUN.json",
    help="Our side: a run's report; of a directory, those within the lookback; repeatable.  "
    "[default: report_path]",
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
    help=f"Only events that came this way: {', '.join(SOURCES)}; or ALL.",
)
@click.option(
    "--event", "names", multiple=True, metavar="NAME", help="Only this event name; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
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
    """Show Pinterest's event quality score beside our own coverage.

    Pinterest counts how many of an account's events carry each of eleven components; run reports
    count the same of what was sent. Both stand side by side for each event name, with the
    difference, and for what is weak which field to map. Needs OAuth with the scope ads:read. Exits
    with 0, with 1 where Pinterest gives no score, and with 2 where the configuration cannot be
    used.

    \b
    pinterest-capi eqs --config target.yaml --report report.json
    pinterest-capi eqs --config target.yaml --report reports/ --lookback 1d
    """  # noqa: D301 - click reads \b as "keep these lines"
    loaded = _load(paths)
    account = ad_account or loaded.ad_account_id
    if not (account.isascii() and account.isdigit()):
        raise click.BadParameter("an ad account's id is digits only.", param_hint="--ad-account")
    own, notes = _ours(
        places, loaded.report_path, account, time.time() - LOOKBACK_SECONDS[lookback]
    )
    query = {
        "lookback_period": lookback,
        "ingestion_source": source,
        "source_platform": platform or "",
    }
    scores = _scores(
        loaded, account, {name: value for name, value in query.items() if value and value != "ALL"}
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


def _load(paths: Sequence[str]) -> settings.Settings:
    """Return the settings as the target reads them; no token for events is needed, but OAuth is."""
    loaded = load_settings(paths)
    if loaded.oauth is None:
        refuse_settings([NO_OAUTH], paths)
    return loaded


# Our side


def _ours(
    places: Sequence[Path], configured: str | None, account: str, since: float
) -> tuple[result.Ours, list[str]]:
    """Return our coverage, and notes on it.

    Raises:
        click.ClickException: a file that was asked for is not a report.
    """
    if places:
        found = [
            one
            for place in places
            for one in (_in_directory(place, since) if place.is_dir() else [_read(place)])
        ]
        notes = []
    elif configured is None or not Path(configured).is_file():
        found, notes = [], [NO_REPORT]
    elif not configured.casefold().endswith(".json"):
        found, notes = [], [PAGE_REPORT]
    else:
        found, notes = [_read(Path(configured))], []
    different = {one.run.ad_account_id for one in found} - {account}
    if different:
        notes.append(
            f"The report is of a run for ad account {', '.join(sorted(different))}, and the score"
            f" is that of {account}."
        )
    trials = {one.run.mode for one in found} - {"live"}
    if trials:
        notes.append(
            f"The report is of a run in mode {', '.join(sorted(trials))}: Pinterest has counted"
            " nothing of it."
        )
    if any(one.run.ended_at.timestamp() < since for one in found):
        notes.append("The report is of a run before the period that Pinterest's figures are of.")
    return result.ours(found), notes


def _read(path: Path) -> reports.Report:
    try:
        return reports.decode(path.read_bytes())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from None
    except reports.ReportError as error:
        raise click.ClickException(
            f"{path} cannot be used: {error}. report_path: FILE.json has a run write one."
        ) from None


def _in_directory(directory: Path, since: float) -> list[reports.Report]:
    """Return the reports of a directory whose runs ended since then; other files are ignored."""
    found = []
    for path in sorted(directory.glob("*.json")):
        try:
            made = reports.decode(path.read_bytes())
        except (OSError, reports.ReportError):
            continue
        if made.run.ended_at.timestamp() >= since:
            found.append(made)
    if not found:
        raise click.ClickException(
            f"{directory} has no report of a run within the period: report_path: FILE.json has a"
            " run write one."
        )
    return found


def _platform_notes(compared: result.Comparison, own: result.Ours) -> Iterator[str]:
    """Say which of our figures are of several platforms: a report does not tell them apart."""
    if not own.reports:
        return
    names = [name.event_name for platform in compared.platforms for name in platform.names]
    shared = result.shared_names(compared.platforms)
    if shared:
        yield (
            f"Our figures for {', '.join(map(plain, sorted(shared)))} are of all platforms"
            " together."
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


# Pinterest's side


def _scores(loaded: settings.Settings, account: str, query: dict[str, str]) -> list[QualityScore]:
    """Get the scores, by one attempt.

    Raises:
        click.ClickException: Pinterest gave none; the message says what to do.
    """
    assert loaded.oauth is not None  # noqa: S101 - the command asks for it
    client = Client(
        loaded.api_url,
        max_connections=1,
        timeout_seconds=min(loaded.request_timeout_seconds, TIMEOUT_SECONDS),
    )
    tokens = tokens_of(loaded.oauth, client)
    try:
        token = fetch_access_token(tokens)
        if not isinstance(token, str):
            raise _refused(token, "no access token", _other_advice(token))
        reply = client.quality_scores(token, account, query)
    except FlowStopped as stop:
        raise click.ClickException(f"{stop}\n{APP_PLACE}") from None
    finally:
        client.close()
    if isinstance(reply, ApiResponse) and isinstance(reply.body, list):
        return reply.body
    raise _refused(reply, "no score", _advice(reply, tokens, account))


def _advice(reply: CallResponse, tokens: FixedToken | RefreshedTokens, account: str) -> str:
    match reply.status if isinstance(reply, ApiResponse) else None:
        case HTTPStatus.UNAUTHORIZED:
            return f"{tokens.remedy()}\n{APP_PLACE}"
        case HTTPStatus.FORBIDDEN:
            return (
                f"The OAuth token may not read ad account {account}: "
                "check ad_account_id, and that the user who let the app in, "
                f"with the scope ads:read, may see that account.\n{ACCOUNT_PLACE}"
            )
        case HTTPStatus.NOT_FOUND:
            return (
                "Pinterest has nothing at that address: "
                f"check ad_account_id ({account}) and api_url."
            )
        case status if status is not None and status // 100 == 2:  # noqa: PLR2004
            return "That is no event quality score: check api_url."
        case _:
            return _other_advice(reply)


def _other_advice(reply: CallResponse) -> str:
    """Say what to do about an answer that tells nothing of token and account."""
    waiting = remedy_by_waiting(reply, "ask again")
    if waiting is not None:
        return waiting
    if classify_call(reply) is Decision.ISOLATE:
        return "Pinterest refuses the request itself: see its message, and try other filters."
    words = remedy(reply, uses_oauth=True)
    return words[:1].upper() + words[1:]


def _refused(reply: CallResponse, what: str, words: str) -> click.ClickException:
    return click.ClickException(f"{what}: {plain(describe(reply))}.\n{words}")


def _nothing(account: str, query: dict[str, str]) -> str:
    """Say that there is no score, and which filters may be why."""
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

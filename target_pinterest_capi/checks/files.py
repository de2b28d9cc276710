"""What a run writes, tested before it: dead letters, report and token, the ledger and the results.

What a run sends to others than Pinterest is named, and not tested. Creates no file and no folder,
and does not change a database: a write is begun there, and rolled back. Never shows the URL of a
database, which may have a password.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.files.durable import find_obstacle
from target_pinterest_capi.settings import Settings

FILES: Final = "files"
LEDGER: Final = "ledger"
RESULTS: Final = "results"


def check_files(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether each file can be written, and each database."""
    places = _paths(settings)
    on_disk = {setting: path for setting, path in places.items() if "://" not in path}
    found = {setting: find_obstacle(Path(path)) for setting, path in on_disk.items()}
    writable = [setting for setting, obstacle in found.items() if obstacle is None]
    if writable:
        yield CheckResult(FILES, CheckStatus.OK, f"{', '.join(writable)} can be written")
    for setting, obstacle in found.items():
        if obstacle is not None:
            about = f"{setting} cannot be written: {obstacle}"
            advice = f"Make its folder writable for this user, or set {setting} to another path."
            yield CheckResult(FILES, CheckStatus.FAILED, about, advice)
    for setting in places.keys() - on_disk.keys():
        about = f"{setting} is an object store: it is not tested before the first dead letter"
        yield CheckResult(FILES, CheckStatus.SKIPPED, about)
    yield from _databases(settings)
    yield from _messages(settings)


def _paths(settings: Settings) -> dict[str, str]:
    oauth = settings.oauth
    given = {
        "dead_letter_path": settings.dead_letter_path,
        "report_path": settings.report_path,
        "old_events_path": _file_below(settings.old_events_path),
        "metrics_path": settings.metrics_path,
        "oauth.token_path": None if oauth is None else oauth.token_path,
    }
    return {setting: path for setting, path in given.items() if path is not None}


def _file_below(folder: str | None) -> str | None:
    """Return a file that would be created in a folder; an object store as it is."""
    return folder if folder is None or "://" in folder else str(Path(folder, "any.csv"))


def _databases(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the ledger and the results can be written, if configured."""
    places = {LEDGER: settings.ledger_url, RESULTS: settings.results_url}
    for step, url in places.items():
        if url is None:
            continue
        if step == LEDGER and settings.mode != "live":
            yield CheckResult(step, CheckStatus.SKIPPED, f"not opened: mode is {settings.mode}")
        else:
            yield _try_database(step, f"{step}_url", url.get_secret_value())


def _messages(settings: Settings) -> Iterator[CheckResult]:
    """Yield what a run sends elsewhere: a test of it would be a message to people."""
    if settings.notify_url is not None:
        about = "not tested: the first message is sent at the end of a run"
        yield CheckResult("notify_url", CheckStatus.SKIPPED, about)
    if settings.telemetry != "none":
        about = "not tested: the first data is sent during a run"
        yield CheckResult("telemetry", CheckStatus.SKIPPED, about)


def _try_database(step: str, setting: str, url: str) -> CheckResult:
    # SQLAlchemy takes 0.1 s to import.
    from target_pinterest_capi.delivery.database import UnusableError, try_to_write  # noqa: PLC0415

    try:
        try_to_write(url)
    except UnusableError as error:
        advice = f"Check {setting}; sqlite:///{step}.db is a file in the working directory."
        return CheckResult(step, CheckStatus.FAILED, f"{setting} cannot be used: {error}", advice)
    return CheckResult(step, CheckStatus.OK, f"{setting} can be written")

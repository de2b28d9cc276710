"""Our side of `pinterest-capi eqs`: the run reports to compare with, and their limits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from target_pinterest_capi.cli.eqs import model as result
from target_pinterest_capi.cli.inputs import read_report
from target_pinterest_capi.reporting import report as reports

NO_REPORT: Final = (
    "There is no run report to compare with: set report_path to a .json file, or use --report."
)
PAGE_REPORT: Final = (
    "report_path is a page, which cannot be read back, so our side is empty: let it end in "
    ".json (pinterest-capi report makes a page from that)."
)


def find_coverage(
    places: Sequence[Path], configured: str | None, account: str, since: float
) -> tuple[result.Ours, list[str]]:
    """Return our coverage, with notes.

    Raises: click.ClickException: a given file is not a report.
    """
    if places:
        found = [
            one
            for place in places
            for one in (
                _in_directory(place, since) if place.is_dir() else [read_report(place, "used")]
            )
        ]
        notes = []
    elif configured is None or not Path(configured).is_file():
        found, notes = [], [NO_REPORT]
    elif not configured.casefold().endswith(".json"):
        found, notes = [], [PAGE_REPORT]
    else:
        found, notes = [read_report(Path(configured), "used")], []
    different = {one.run.ad_account_id for one in found} - {account}
    if different:
        notes.append(
            f"The report is of a run for ad account {', '.join(sorted(different))}, and the score"
            f" is that of {account}."
        )
    trials = {one.run.mode for one in found} - {"live"}
    if trials:
        notes.append(
            f"The report is of a run in mode {', '.join(sorted(trials))}: Pinterest has counted "
            "none of its events."
        )
    if any(one.run.ended_at.timestamp() < since for one in found):
        notes.append("The report is of a run before the period of Pinterest's figures.")
    return result.ours(found), notes


def _reports_at(place: Path, since: float) -> list[reports.Report]:
    return _in_directory(place, since) if place.is_dir() else [read_report(place, "used")]


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
            f"{directory} has no report of a run within the period: with report_path: FILE.json "
            "a run writes one."
        )
    return found

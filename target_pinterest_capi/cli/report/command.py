"""`pinterest-capi report`: a run's JSON report as one HTML file, or as text in the terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from target_pinterest_capi.cli.configuration import load_settings
from target_pinterest_capi.cli.console import console, trimmed
from target_pinterest_capi.cli.inputs import read_report, read_reports
from target_pinterest_capi.cli.report import text
from target_pinterest_capi.files.durable import replace_file
from target_pinterest_capi.reporting.html import page as html
from target_pinterest_capi.reporting.report import Report
from target_pinterest_capi.reporting.trend import RunNumbers, numbers_of

STDOUT: Final = "-"


@click.command()
@click.argument(
    "run", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="RUN.json"
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where the page goes; - is standard output.  [default: next to RUN.json, as .html]",
)
@click.option(
    "--trend",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Compare with earlier runs: a folder of their JSON reports.",
)
@click.option(
    "--config",
    "configurations",
    multiple=True,
    metavar="FILE",
    help="Compare with earlier runs in the results: a configuration with results_url; repeatable.",
)
@click.option("--text", "is_text", is_flag=True, help="Print the report as text; write no page.")
def report(
    run: Path,
    output: str | None,
    folder: Path | None,
    configurations: tuple[str, ...],
    *,
    is_text: bool,
) -> None:
    """Show the JSON report of a run, which is at its `report_path`, as an HTML page or as text.

    \b
    pinterest-capi report report.json --text
    """  # noqa: D301 - click reads \b as "keep these lines"
    found = read_report(run, "shown")
    if is_text:
        if output is not None:
            raise click.UsageError("--text prints; -o is for the page. Use one of them.")
        out = console()
        with trimmed(out):
            text.show(out, found)
        return
    page = html.page(found, _earlier_runs(found, folder, configurations))
    if output == STDOUT:
        click.echo(page, nl=False)
        return
    place = Path(output) if output is not None else run.with_suffix(".html")
    if place.exists() and place.samefile(run):
        raise click.UsageError("-o would overwrite the report itself: name another file.")
    try:
        replace_file(place, page.encode())
    except OSError as error:
        raise click.ClickException(f"{place} cannot be written: {error.strerror}.") from None
    click.echo(f"Written to {place}")


def _earlier_runs(
    found: Report, folder: Path | None, configurations: tuple[str, ...]
) -> Iterator[RunNumbers]:
    """Yield the runs to compare a run with: from reports in a folder, and from the results."""
    if folder is not None:
        yield from map(numbers_of, read_reports(folder))
    if not configurations:
        return
    url = load_settings(configurations).results_url
    if url is None:
        raise click.UsageError("The configuration has no results_url: set it, or use --trend.")
    # Only the results need SQLAlchemy.
    from target_pinterest_capi.delivery.database import UnusableError  # noqa: PLC0415
    from target_pinterest_capi.delivery.run_history import find_earlier_runs  # noqa: PLC0415

    try:
        yield from find_earlier_runs(url.get_secret_value(), found.run)
    except UnusableError as error:
        raise click.ClickException(f"The results cannot be read: {error}.") from None

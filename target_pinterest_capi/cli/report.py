"""`pinterest-capi report`: a run's JSON report as one HTML file to look at and to show."""

from pathlib import Path
from typing import Final

import click

from target_pinterest_capi.cli.inputs import read_report
from target_pinterest_capi.files.durable import replace_file
from target_pinterest_capi.reporting.html import page as html

STDOUT: Final = "-"


@click.command()
@click.argument(
    "run", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="RUN.json"
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where the page goes; - is standard output.  [default: beside RUN.json, as .html]",
)
def report(run: Path, output: str | None) -> None:
    """Render the JSON report of a run, written to its `report_path`, as one HTML page."""
    page = html.page(read_report(run, "shown"))
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

"""`pinterest-capi check`: would a run with this configuration work, and if not, what to change?

Owns the command: its options, its configuration, and its exit codes (0; 1: a step failed; 2: the
configuration cannot be used). Sends one test request for each ad account, which Pinterest does not
record, and reads customer lists. Creates no file, and writes nothing except a new refresh token, if
Pinterest returns one.
"""

import json
import sys
from collections.abc import Iterator, Sequence

import click

from target_pinterest_capi.checks.configuration import report_problems
from target_pinterest_capi.checks.result import CheckResult
from target_pinterest_capi.cli.check import model, view
from target_pinterest_capi.cli.configuration import NO_CONFIG, with_columns
from target_pinterest_capi.cli.console import console
from target_pinterest_capi.cli.options import config_option, json_option
from target_pinterest_capi.settings import ConfigurationError, load_files


@click.command()
@config_option
@click.option(
    "--sample", metavar="FILE", help="Singer messages to test the mappings with; - is stdin."
)
@json_option("one JSON object instead of lines")
def check(paths: tuple[str, ...], sample: str | None, as_json: bool) -> None:
    """Check configuration, mappings, connection, token and account.

    Prints one line for each step: whether it works, and if not why, what to do about it, and where
    on Pinterest's pages. Sends a test request with an invented event; Pinterest records nothing.
    Exits with 0, with 1 if a step failed, and with 2 if the configuration cannot be used.

    \b
    pinterest-capi check --config target.yaml
    pinterest-capi check --config target.yaml --sample orders.singer
    """  # noqa: D301 - click reads \b as "keep these lines"
    out = console()
    results: list[CheckResult] = []
    for result in _check(paths, sample):
        results.append(result)
        if not as_json:
            view.show(out, result)
    code = model.exit_code(results)
    if as_json:
        click.echo(json.dumps(model.as_json(results), indent=2))
    else:
        view.show_end(out, results, code)
    sys.exit(code)


def _check(paths: Sequence[str], sample: str | None) -> Iterator[CheckResult]:
    """Yield the results of every step, each when the one before it has been shown."""
    try:
        settings = load_files(paths)
    except ConfigurationError as error:
        yield report_problems(with_columns(error.problems, sample), "" if paths else NO_CONFIG)
        return
    yield from model.check_settings(settings, sample)

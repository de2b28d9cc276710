"""Options that several commands have: stated once, with the same words in every `--help`."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

config_option: Final = click.option(
    "--config",
    "paths",
    multiple=True,
    metavar="FILE",
    help="The target's own; repeatable, later files win.  [default: ENV]",
)


def json_option(words: str) -> Callable[[Command], Command]:
    """Return the option `--json` of a command; `words` say what it prints."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {words}.")


def dry_run_option(words: str) -> Callable[[Command], Command]:
    """Return the option `--dry-run` of a command; `words` say what is done, and what is not."""
    return click.option("--dry-run", is_flag=True, help=f"{words}.")

"""Options of several commands, so that they have the same text in every `--help`."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def repeatable_option(
    flag: str, name: str, metavar: str, words: str
) -> Callable[[Command], Command]:
    """Return an option that may be given several times; `words` describe it."""
    return click.option(flag, name, multiple=True, metavar=metavar, help=words)


config_option: Final = repeatable_option(
    "--config", "paths", "FILE", "As for the target; repeatable, later files win.  [default: ENV]"
)


def number_option(
    flag: str, name: str, default: float, words: str, *, least: int = 0
) -> Callable[[Command], Command]:
    """Return an option that is a number of at least `least`, of the type of its default."""
    range_of = click.IntRange if isinstance(default, int) else click.FloatRange
    return click.option(
        flag, name, default=default, show_default=True, type=range_of(least), help=words
    )


def json_option(words: str) -> Callable[[Command], Command]:
    """Return a command's option `--json`; `words` name what it prints."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {words}.")


def dry_run_option(words: str) -> Callable[[Command], Command]:
    """Return a command's option `--dry-run`; `words` say what is done, and what is not."""
    return click.option("--dry-run", is_flag=True, help=f"{words}.")

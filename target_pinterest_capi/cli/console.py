"""The terminal of the commands: its width, and the characters that it can show."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from target_pinterest_capi.events.redaction import one_line

WIDEST: Final = 112  # wider lines are hard to read
LEAST_WIDTH: Final = 20  # of indented text, however narrow the terminal
_filling: Final = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)
_control: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def console(widest: int = WIDEST) -> Console:
    """Return the console of stdout: the terminal's width or 80 columns, colours on terminals."""
    made = Console(highlight=False)
    made.width = min(made.width, widest)
    return made


@contextmanager
def trimmed(out: Console) -> Iterator[None]:
    """Print what is printed within, without the spaces that pad lines to the width."""
    with out.capture() as captured:
        yield
    click.echo(_filling.sub(r"\1", captured.get()), nl=False, color=out.is_terminal or None)


def print_title(out: Console, title: str, more: str = "") -> None:
    """Print a title, and more about it on the same line."""
    out.print(Text.assemble((title, "bold"), more, "\n"))


def print_indented(
    out: Console, words: str, indent: int, style: str = "", *, head: Text | None = None
) -> None:
    """Print a string, if any, within the width, with each line indented.

    `head` is in the first line's indent, and is printed even without a string.
    """
    if not words and head is None:
        return
    lines = Text(words, style).wrap(out, max(out.width - indent, LEAST_WIDTH))
    starts = chain([head or Text(" " * indent)], repeat(Text(" " * indent)))
    for start, line in zip(starts, lines, strict=False):
        line.rstrip()
        out.print(start + line, soft_wrap=True)


def plain(name: str) -> str:
    """Return a string from outside for a terminal: one line, no control characters."""
    return one_line(name)


def escaped(text: str) -> str:
    r"""Return JSON with control characters written as `\u....`; its line breaks are kept."""
    return _control.sub(lambda found: f"\\u{ord(found[0]):04x}", text)

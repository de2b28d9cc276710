"""How a check is shown: a line a step with a tick or a cross, and below it the cause, what to do and where.

Owns the marks, in ASCII where the terminal has no others. Prints nothing that a finding does not have.
"""

from textwrap import wrap
from typing import Final

from rich.console import Console
from rich.text import Text

from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.cli.check.model import CONFIGURATION_EXIT, OK_EXIT
from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.cli.preview.model import number_of

MARKS: Final = {
    CheckStatus.OK: "✓",
    CheckStatus.WARNING: "!",
    CheckStatus.FAILED: "✗",
    CheckStatus.SKIPPED: "-",
}
ASCII_MARKS: Final = {
    CheckStatus.OK: "ok",
    CheckStatus.WARNING: "!",
    CheckStatus.FAILED: "X",
    CheckStatus.SKIPPED: "-",
}
STYLES: Final = {
    CheckStatus.OK: "green",
    CheckStatus.WARNING: "yellow",
    CheckStatus.FAILED: "bold red",
    CheckStatus.SKIPPED: "bright_black",
}
STEP_WIDTH: Final = 15
WORDS: Final = {
    OK_EXIT: "All is well",
    CONFIGURATION_EXIT: "The configuration has to be changed first",
}


def show(out: Console, finding: CheckResult) -> None:
    """Show one step."""
    marks = MARKS if _can_show(out, "".join(MARKS.values())) else ASCII_MARKS
    mark = f"{marks[finding.mark]:<{max(map(len, marks.values()))}} "
    indent = " " * (len(mark) + STEP_WIDTH)
    width = max(out.width - len(indent), 20)
    first, *more = _wrapped(out, finding.message, width) or [""]
    style = STYLES[finding.mark]
    out.print(
        Text.assemble((mark, style), (f"{finding.step:<{STEP_WIDTH}}", "bold"), first),
        soft_wrap=True,
    )
    _below(out, indent, more, "")
    for detail in finding.details:
        lines = _wrapped(out, detail, width - 2)
        _below(
            out,
            indent,
            [f"{'  ' if number else '- '}{line}" for number, line in enumerate(lines)],
            "",
        )
    _below(out, indent, _wrapped(out, finding.advice, width), "")
    _below(out, indent, _wrapped(out, finding.place, width), "cyan")


def show_end(out: Console, findings: list[CheckResult], exit_code: int) -> None:
    """Say in a sentence how it went."""
    counts = {mark: sum(finding.mark is mark for finding in findings) for mark in CheckStatus}
    words = WORDS.get(exit_code) or number_of(counts[CheckStatus.FAILED], "step") + " failed"
    more = [
        number_of(counts[mark], noun)
        for mark, noun in ((CheckStatus.WARNING, "warning"),)
        if counts[mark]
    ]
    if counts[CheckStatus.SKIPPED]:
        more.append(f"{counts[CheckStatus.SKIPPED]} not checked")
    out.print()
    out.print(
        Text(", ".join([words, *more]) + ".", style="bold red" if exit_code else "bold green"),
        soft_wrap=True,
    )


def _below(out: Console, indent: str, lines: list[str], style: str) -> None:
    for line in lines:
        out.print(Text.assemble(indent, (line, style)), soft_wrap=True)


def _wrapped(out: Console, words: str, width: int) -> list[str]:
    """Give words as lines that the terminal can show: no control characters, and ASCII where it has no more."""
    shown = plain(words)
    if not _can_show(out, shown):
        shown = shown.replace("…", "...").encode(out.encoding, "replace").decode(out.encoding)
    return wrap(shown, width, break_on_hyphens=False)


def _can_show(out: Console, text: str) -> bool:
    try:
        text.encode(out.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True

"""The output of a check: a line per step with a mark, and below it the cause, what to do and where.

Owns the marks, which are ASCII if the terminal supports no others.
"""

from collections import Counter
from typing import Final

from rich.console import Console
from rich.text import Text

from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.cli.check.model import CONFIGURATION_EXIT, OK_EXIT
from target_pinterest_capi.cli.console import plain, print_indented
from target_pinterest_capi.pipeline.previewed import number_of

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
    OK_EXIT: "No errors",
    CONFIGURATION_EXIT: "The configuration must be corrected first",
}


def show(out: Console, result: CheckResult) -> None:
    """Print one step."""
    marks = MARKS if _can_show(out, "".join(MARKS.values())) else ASCII_MARKS
    mark = f"{marks[result.status]:<{max(map(len, marks.values()))}} "
    head = Text.assemble((mark, STYLES[result.status]), (f"{result.step:<{STEP_WIDTH}}", "bold"))
    indent = len(head)
    print_indented(out, _showable(out, result.message), indent, head=head)
    for detail in result.details:
        bullet = Text(" " * indent + "- ")
        print_indented(out, _showable(out, detail), len(bullet), head=bullet)
    print_indented(out, _showable(out, result.advice), indent)
    print_indented(out, _showable(out, result.place), indent, "cyan")


def show_end(out: Console, results: list[CheckResult], exit_code: int) -> None:
    """Print the overall result in a sentence."""
    counts = Counter(result.status for result in results)
    words = [WORDS.get(exit_code) or number_of(counts[CheckStatus.FAILED], "step") + " failed"]
    if counts[CheckStatus.WARNING]:
        words.append(number_of(counts[CheckStatus.WARNING], "warning"))
    skipped = [result.step for result in results if result.status is CheckStatus.SKIPPED]
    if skipped:
        words.append(f"{len(skipped)} not checked: {', '.join(dict.fromkeys(skipped))}")
    style = "bold red" if exit_code else "bold green"
    out.print()
    out.print(Text(", ".join(words) + ".", style), soft_wrap=True)


def _showable(out: Console, words: str) -> str:
    """Return a string as the terminal can show it: one line, in ASCII if necessary."""
    shown = plain(words)
    if _can_show(out, shown):
        return shown
    return shown.replace("…", "...").encode(out.encoding, "replace").decode(out.encoding)


def _can_show(out: Console, text: str) -> bool:
    try:
        text.encode(out.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True

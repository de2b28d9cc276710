"""Checks CHANGELOG.md: it has the form of Keep a Changelog 1.1.0, and contains the release.

    python tools/changelog.py            checks the form
    python tools/changelog.py v0.2.0     also checks that this tag can be released, and prints
                                         its section: the release notes

Reads the file in the working directory and never changes it. Prints one line on stderr for each
problem; the exit code is 1 if there is any.
"""

import datetime as dt
import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = "CHANGELOG.md"
UNRELEASED: Final = "Unreleased"
# https://keepachangelog.com/en/1.1.0/, "Types of changes", in the order of that page.
GROUPS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

RELEASE: Final = re.compile(
    r"\[(?P<name>\d+\.\d+\.\d+)\] - (?P<date>\d{4}-\d{2}-\d{2})(?: \[YANKED\])?"
)
TAG: Final = re.compile(r"v(\d+\.\d+\.\d+)")


class Section(NamedTuple):
    """A section: the line and words of its `## ` heading, and the lines up to the next one."""

    number: int
    title: str
    lines: list[str]

    @property
    def name(self) -> str:
        """Return the text in the brackets: the version, or Unreleased."""
        return self.title.partition("]")[0].removeprefix("[")

    @property
    def notes(self) -> str:
        """Return the section without its heading."""
        return "\n".join(self.lines).strip()


def sections(text: str) -> list[Section]:
    """Return the sections in order, without the lines above the first one."""
    found: list[Section] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("## "):
            found.append(Section(number, line.removeprefix("## "), []))
        elif found:
            found[-1].lines.append(line)
    return found


def problems(text: str) -> Iterator[str]:
    """Yield the problems of the form, each with its line's number and a sentence."""
    if not text.startswith("# Changelog\n"):
        yield "1: begin with `# Changelog`"
    found = sections(text)
    if not found or found[0].title != f"[{UNRELEASED}]":
        yield f"1: the first section is `## [{UNRELEASED}]`, also when it is empty"
    for section in found:
        yield from _heading(section)
        yield from _groups(section)
    yield from _order([section for section in found if RELEASE.fullmatch(section.title)])


def _heading(section: Section) -> Iterator[str]:
    if section.title == f"[{UNRELEASED}]":
        return
    release = RELEASE.fullmatch(section.title)
    if release is None:
        yield f"{section.number}: write `## [1.2.3] - 2026-12-31`, not `## {section.title}`"
        return
    try:
        dt.date.fromisoformat(release["date"])
    except ValueError:
        yield f"{section.number}: {release['date']} is not a date"
    if not section.notes:
        yield f"{section.number}: say what changed in {section.name}"


def _groups(section: Section) -> Iterator[str]:
    """Check that entries stand in the six groups, each once, in their order, and not empty."""
    seen: list[str] = []
    empty = 0  # the line of a group's heading without entries so far
    for number, line in enumerate(section.lines, start=section.number + 1):
        if line.startswith("### "):
            group = line.removeprefix("### ")
            if empty:
                yield f"{empty}: `### {seen[-1]}` has no entry"
            if group not in GROUPS:
                yield f"{number}: `### {group}` is none of {', '.join(GROUPS)}"
            elif seen and seen[-1] in GROUPS and GROUPS.index(group) <= GROUPS.index(seen[-1]):
                yield f"{number}: `### {group}` comes once, in the order {', '.join(GROUPS)}"
            seen.append(group)
            empty = number
        elif line.startswith("- "):
            if not seen:
                yield f"{number}: an entry stands below a group, such as `### {GROUPS[0]}`"
            empty = 0
        elif line and not line.startswith("  ") and not re.match(r"\[[^\]]+\]: ", line):
            yield (
                f"{number}: is neither a group, nor an entry (`- `), nor the rest of one (two "
                "spaces)"
            )
    if empty:
        yield f"{empty}: `### {seen[-1]}` has no entry"


def _order(releases: list[Section]) -> Iterator[str]:
    """Check that the newest release is the first, by version and by date."""
    for newer, older in itertools.pairwise(releases):
        if _version(newer) <= _version(older):
            yield f"{older.number}: {older.name} stands below {newer.name}, and is not older"
        elif newer.title.split()[2] < older.title.split()[2]:
            yield f"{older.number}: the date of {older.name} is after that of {newer.name}"


def _version(section: Section) -> tuple[int, ...]:
    return tuple(int(part) for part in section.name.split("."))


def release(text: str, tag: str) -> Section | str:
    """Return the section that the tag releases, or a sentence with the reason why not."""
    version = TAG.fullmatch(tag)
    if version is None:
        return f"the tag {tag} is not of the form v1.2.3"
    found = sections(text)
    dated = [section for section in found if RELEASE.fullmatch(section.title)]
    if not dated or dated[0].name != version[1]:
        newest = dated[0].name if dated else "none"
        return (
            f"the newest section is {newest}, and the tag is {tag}: date what is released, as "
            f"`## [{version[1]}] - ` and the day"
        )
    if found[0].notes:
        return (
            f"{found[0].number}: there are entries below {UNRELEASED}: move them into {version[1]}"
        )
    return dated[0]


def main(arguments: list[str]) -> int:
    """Check the file, and the tag if one is given; return 1 if there are problems."""
    text = Path(FILE).read_text(encoding="utf-8")
    found = list(problems(text))
    for tag in arguments:
        section = release(text, tag)
        if isinstance(section, str):
            found.append(section)
        else:
            print(section.notes)
    for problem in found:
        print(
            f"{FILE}:{problem}" if problem[0].isdigit() else f"{FILE}: {problem}", file=sys.stderr
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

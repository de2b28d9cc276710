"""The problems of a configuration, with messages for the person who wrote it.

A message never has a given value: a token pasted into the wrong place must not get into a log. It
has the place, the rule and, if there is one, a similar known name.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.expressions.syntax import ExpressionError

MAX_NAME_LENGTH: Final = 60  # of an unknown name in a message; a longer one is not a name
# What opening a path raises: a ValueError for a null byte, a RuntimeError for ~ without a user.
UNREADABLE: Final = (OSError, ValueError, RuntimeError)
_ODD: Final = re.compile(r"[^\x20-\x7e\xa0-\uffff]")  # control characters and the like


class Problem(NamedTuple):
    """One thing to change: `path` says where, `message` what is wrong and what to do.

    A path looks like `mappings[0].fields.user_data.em`.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"

    @property
    def column(self) -> str:
        """What may have been meant as a column's name, and can be looked up in a stream."""
        return ""


class WrongExpression(Problem):
    """A string that is not an expression, but may be the name of a column."""

    @property
    def column(self) -> str:
        """The name."""
        return str(self.__dict__.get("name", ""))

    @classmethod
    def of(cls, path: str, error: ExpressionError) -> "WrongExpression":
        """Return the problem for an expression's error."""
        made = cls(path, f"is not a valid expression: {error}")
        made.__dict__["name"] = error.column
        return made


class Reading(NamedTuple):
    """The problems and warnings found so far, and the settings that constants depend on."""

    problems: list[Problem]
    warnings: list[Problem]
    options: Options


class WrongValueError(ValueError):
    """What is wrong with one value, in our words.

    Only these messages become problems: others may contain the value.
    """


class ConfigurationError(Exception):
    """The configuration cannot be used; `problems` has all problems, one per line in `str()`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that is closest to an unknown one; None if none is close.

    Cases and separators make no difference.

    `cutoff` is difflib's: 0 always gives one, 1 takes equal names only.
    """
    given = _plain(name[:MAX_NAME_LENGTH])
    matcher = difflib.SequenceMatcher(b=given)

    def closeness(candidate: str) -> tuple[float, bool, str]:
        plain = _plain(candidate)
        matcher.set_seq1(plain)
        # of names that are equally close, one that goes on where the given one ends
        return matcher.ratio(), plain.startswith(given), candidate

    ratio, _, found = max(map(closeness, known), default=(0.0, False, ""))
    return found if found and ratio >= cutoff else None


def did_you_mean(name: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `"; did you mean x?"`, or nothing if no known name is close."""
    found = nearest(name, known, cutoff) if isinstance(name, str) else None
    return f"; did you mean {found}?" if found else ""


def why_unreadable(error: Exception) -> str:
    """Return why a file cannot be read, from an error that is one of `UNREADABLE`."""
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or "it is not a usable path"


def joined(where: str, name: object) -> str:
    """Return the path of a member of `where`; a long or odd name is shortened."""
    short = str(name)[:MAX_NAME_LENGTH]
    shown = _ODD.sub("?", short) or '""'
    return f"{where}.{shown}" if where else shown


def given_more_than_once(path: str, count: int, lines: Sequence[int] = ()) -> str:
    """Return what is wrong with a source that has one key `count` times, with its lines if known.

    Follows the source's name: "config.yaml: gives mappings twice (lines 4 and 12): keep one".
    """
    times = "twice" if count == 2 else f"{count} times"  # noqa: PLR2004 - the meaning of the word
    return f"gives {path} {times}{_of_lines(lines)}: keep one"


def _of_lines(lines: Sequence[int]) -> str:
    *others, last = [str(line) for line in sorted(set(lines))] or [""]
    if others:
        return f" (lines {', '.join(others)} and {last})"
    return f" (line {last})" if last else ""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())

"""Regular expressions in mappings, limited so that every search ends in time.

Python's engine backtracks, and visitors control the strings (URLs, user agents).
"""

import math
import re
import warnings
from collections.abc import Iterable
from functools import lru_cache

# A pattern's tree has no public API.
from re import _parser as _regex_parser  # type: ignore[attr-defined]
from typing import Any, Final, NamedTuple

LONGEST_TEXT: Final = 16_384  # characters that a pattern reads at most
# In the worst search: a tenth of a second to one and a half, measured with Python 3.11.
REGEX_STEPS: Final = 100_000_000


class Pattern(NamedTuple):
    """A usable pattern, or its `problem`.

    A string of more than `longest` characters could take too long.
    """

    compiled: re.Pattern[str] | None
    longest: int = 0
    problem: str | None = None


@lru_cache(maxsize=256)
def pattern(source: str) -> Pattern:
    """Compile a pattern, with the text length up to which its worst case stays below REGEX_STEPS.

    Repeats within repeats are exponential and refused. k repeats in a row can split n characters in
    about n^k/k! ways, from each of n starts, which gives the length.
    """
    try:
        with warnings.catch_warnings():  # they would print the pattern
            warnings.simplefilter("ignore")
            tree, compiled = _regex_parser.parse(source), re.compile(source)
        ways, degree = _ways(tree)
    except (re.error, OverflowError, RecursionError) as error:
        return Pattern(
            None, problem=f"the pattern is wrong: {getattr(error, 'msg', 'it is too large')}"
        )
    if not ways:
        return Pattern(
            None,
            problem=(
                "the pattern repeats a part that repeats or branches, like (a+)+ or (a|ab)*: it "
                "could run for ever"
            ),
        )
    anchored = (
        bool(tree)
        and str(tree[0][1]).startswith("AT_BEGINNING")
        and not compiled.flags & re.MULTILINE
    )
    power = max(1, degree) + (not anchored)
    longest = min(LONGEST_TEXT, int((REGEX_STEPS * math.factorial(power) / ways) ** (1 / power)))
    if longest < 64:  # noqa: PLR2004 - shorter strings are not worth a pattern
        return Pattern(None, problem="the pattern has too many repeats: it could run for hours")
    return Pattern(compiled, longest)


def _ways(tree: Iterable[Any]) -> tuple[int, int]:
    """Return in how many ways a pattern can match from one start, as (c, k): c times n^k.

    c is 0 if the number is exponential.
    """
    ways, degree = 1, 0
    for code, argument in tree:
        name = str(code)
        if name.endswith("_REPEAT"):
            low, high, body = argument
            more, power = _ways(body)
            if (more, power) == (1, 0):
                as_good_as_unbounded = high - low >= 64  # noqa: PLR2004
                more, power = (1, 1) if as_good_as_unbounded else (high - low + 1, 0)
            else:
                more = more + 1 if high <= 1 and more else 0
        elif name == "BRANCH":
            more, power = _branch_ways(argument[1])
        elif name == "GROUPREF_EXISTS":
            more, power = _branch_ways([part or () for part in argument[1:]])
        else:
            body = {"SUBPATTERN": -1, "ASSERT": 1, "ASSERT_NOT": 1}.get(name)
            more, power = _ways(
                argument if name == "ATOMIC_GROUP" else () if body is None else argument[body]
            )
            power += name == "GROUPREF"  # compares up to n characters
        ways, degree = ways * more, degree + power
    return ways, degree


def _branch_ways(branches: Iterable[Any]) -> tuple[int, int]:
    counted = [_ways(branch) for branch in branches]
    firsts = {
        chr(branch[0][1]).casefold()
        for branch in branches
        if branch and str(branch[0][0]) == "LITERAL"
    }
    if len(firsts) == len(counted) and set(counted) == {(1, 0)}:
        return 1, 0  # the first character decides
    return (sum(ways for ways, _ in counted) if all(ways for ways, _ in counted) else 0), max(
        power for _, power in counted
    )


def pattern_problem(source: Any) -> str | None:
    """Return what is wrong with a pattern, or None."""
    if not isinstance(source, str):
        return "the pattern is not a string: write it as 'text'"
    return pattern(source).problem

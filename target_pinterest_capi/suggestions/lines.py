"""A line of a suggestion: what it is for, an expression, several or a constant, and why."""

from typing import Final, NamedTuple

NOT_SURE: Final = "not sure: "


class SuggestedLine(NamedTuple):
    """A certain line is part of the mapping; any other is a comment in it."""

    name: str
    value: str | list[str]
    reason: str
    is_sure: bool = True


def offered(line: SuggestedLine) -> SuggestedLine:
    """Return the line as a suggestion."""
    return line._replace(reason=NOT_SURE + line.reason, is_sure=False)

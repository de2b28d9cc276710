"""A regular expression matcher that counts its backtracking steps, as `re` would take them.

It walks the tree of Python's own parser. `re` saves some of these steps by optimizations, so if a
count grows linearly with the text, `re` is no slower.
"""

import re
from collections.abc import Iterator
from re import _constants as op
from re import _parser
from typing import Any

MOST_STEPS = 3_000_000


class TooManySteps(Exception):  # noqa: N818 - an end, and not an error
    """The search was aborted."""


class Steps:
    """Searches of one pattern in strings; `taken` counts the steps."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        source = pattern.pattern
        text = source.decode("latin-1") if isinstance(source, bytes) else source
        self._tree = _parser.parse(text, pattern.flags & ~re.UNICODE)
        self._flags = pattern.flags
        self.taken = 0

    def find_all(self, text: str) -> list[tuple[int, int]]:
        """Return the matches as `finditer` does, and count the steps to each."""
        found: list[tuple[int, int]] = []
        at = 0
        while at <= len(text):
            end = self.match_at(text, at)
            if end is None:
                at += 1
                continue
            found.append((at, end))
            at = end if end > at else at + 1
        return found

    def match_at(self, text: str, at: int) -> int | None:
        """Return the end of a match that begins there."""
        return next(self._sequence(list(self._tree), 0, text, at, {}), None)

    def _step(self) -> None:
        self.taken += 1
        if self.taken > MOST_STEPS:
            raise TooManySteps

    def _sequence(
        self, items: list[Any], index: int, text: str, at: int, groups: dict[int, tuple[int, int]]
    ) -> Iterator[int]:
        """Yield where the items from `index` on can end, the first choice of `re` first."""
        self._step()
        if index == len(items):
            yield at
            return
        kind, argument = items[index]
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            yield from self._repeat(kind, argument, items, index, text, at, groups)
            return
        for end in self._one(kind, argument, text, at, groups):
            yield from self._sequence(items, index + 1, text, end, groups)

    def _repeat(
        self,
        kind: Any,
        argument: Any,
        items: list[Any],
        index: int,
        text: str,
        at: int,
        groups: dict[int, tuple[int, int]],
    ) -> Iterator[int]:
        least, most, body = argument
        inner = list(body)
        if len(inner) == 1 and inner[0][0] in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            for end in self._ends_of_one(kind, least, most, inner[0], text, at):
                yield from self._sequence(items, index + 1, text, end, groups)
            return
        yield from self._repeat_group(
            kind, least, most, inner, items, index, text, at, groups, count=0
        )

    def _ends_of_one(
        self, kind: Any, least: int, most: int, item: tuple[Any, Any], text: str, at: int
    ) -> Iterator[int]:
        """Yield where a repeated character can end, in the order in which `re` tries."""
        end = at
        while end - at < most:
            if kind is op.MIN_REPEAT and end - at >= least:
                yield end
            if not self._is_one(item, text, end):
                break
            end += 1
        if kind is op.MIN_REPEAT and end - at < most:
            return
        if end - at >= least:
            yield end
        if kind is op.MAX_REPEAT:
            yield from range(end - 1, at + least - 1, -1)

    def _repeat_group(
        self,
        kind: Any,
        least: int,
        most: int,
        inner: list[Any],
        items: list[Any],
        index: int,
        text: str,
        at: int,
        groups: dict[int, tuple[int, int]],
        *,
        count: int,
    ) -> Iterator[int]:
        self._step()
        if kind is op.MIN_REPEAT and count >= least:
            yield from self._sequence(items, index + 1, text, at, groups)
        if count < most:
            for end in self._sequence(inner, 0, text, at, groups):
                if end == at:
                    continue
                yield from self._repeat_group(
                    kind,
                    least,
                    most,
                    inner,
                    items,
                    index,
                    text,
                    end,
                    groups,
                    count=count + 1,
                )
        if kind is not op.MIN_REPEAT and count >= least:
            yield from self._sequence(items, index + 1, text, at, groups)

    def _one(  # noqa: C901, PLR0912 - a row of the matcher for each kind of item
        self, kind: Any, argument: Any, text: str, at: int, groups: dict[int, tuple[int, int]]
    ) -> Iterator[int]:
        if kind in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            if self._is_one((kind, argument), text, at):
                yield at + 1
        elif kind is op.AT:
            if self._is_at(argument, text, at):
                yield at
        elif kind is op.BRANCH:
            for branch in argument[1]:
                yield from self._sequence(list(branch), 0, text, at, groups)
        elif kind is op.SUBPATTERN:
            group, _, _, body = argument
            for end in self._sequence(list(body), 0, text, at, groups):
                if group is not None:
                    groups[group] = (at, end)
                yield end
        elif kind is op.GROUPREF:
            start, end = groups.get(argument, (0, 0))
            self.taken += end - start
            if text.startswith(text[start:end], at):
                yield at + end - start
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            if self._asserts(argument, text, at, groups) is (kind is op.ASSERT):
                yield at
        else:
            raise NotImplementedError(kind)

    def _asserts(
        self, argument: Any, text: str, at: int, groups: dict[int, tuple[int, int]]
    ) -> bool:
        direction, body = argument
        begin = at if direction > 0 else at - body.getwidth()[0]
        if begin < 0:
            return False
        return next(self._sequence(list(body), 0, text, begin, groups), None) is not None

    def _is_one(self, item: tuple[Any, Any], text: str, at: int) -> bool:
        self._step()
        if at >= len(text):
            return False
        char = text[at]
        if item[0] is op.ANY:
            return char != "\n" or bool(self._flags & re.DOTALL)
        cases = {char, char.lower(), char.upper()} if self._flags & re.IGNORECASE else {char}
        return any(self._is_in(item, one) for one in cases)

    def _is_in(self, item: tuple[Any, Any], char: str) -> bool:
        kind, argument = item
        if kind is op.LITERAL:
            return char == chr(argument)
        if kind is op.NOT_LITERAL:
            return char != chr(argument)
        if kind is op.RANGE:
            return argument[0] <= ord(char) <= argument[1]
        if kind is op.CATEGORY:
            return self._is_of(argument, char)
        negated = argument[0][0] is op.NEGATE
        return any(self._is_in(one, char) for one in argument[negated:]) is not negated

    def _is_of(self, category: Any, char: str) -> bool:
        letter = {
            op.CATEGORY_DIGIT: r"\d",
            op.CATEGORY_NOT_DIGIT: r"\D",
            op.CATEGORY_SPACE: r"\s",
            op.CATEGORY_NOT_SPACE: r"\S",
            op.CATEGORY_WORD: r"\w",
            op.CATEGORY_NOT_WORD: r"\W",
        }[category]
        return re.match(letter, char, self._flags & re.ASCII) is not None

    def _is_at(self, place: Any, text: str, at: int) -> bool:
        word_before = at > 0 and self._is_of(op.CATEGORY_WORD, text[at - 1])
        word_after = at < len(text) and self._is_of(op.CATEGORY_WORD, text[at])
        lines = self._flags & re.MULTILINE
        return {
            op.AT_BEGINNING: at == 0 or bool(lines and text[at - 1] == "\n"),
            op.AT_END: at == len(text) or text[at:] == "\n" or bool(lines and text[at] == "\n"),
            op.AT_BOUNDARY: word_before is not word_after,
            op.AT_NON_BOUNDARY: word_before is word_after,
            op.AT_BEGINNING_STRING: at == 0,
            op.AT_END_STRING: at == len(text),
        }[place]

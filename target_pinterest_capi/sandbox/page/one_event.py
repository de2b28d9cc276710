"""One complete event: its JSON by line, which values are digests, and problems by field.

Pure. The lines together are the event's JSON. Never guesses the source of a digest.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.sandbox.verdicts import DIGEST, HASHED

_HASHED_PATHS: Final = tuple(f"user_data.{name}." for name in HASHED)
_SENTENCE: Final = re.compile(r"\S.*?\.(?=\s|$)", re.DOTALL).findall
_PATH: Final = re.compile(r"[a-z_]+(?:\.[a-z_]+)*").match


class Line(NamedTuple):
    """One line of JSON.

    Its depth, its path (`user_data.em.0`, empty for the event), its key and value as JSON, and what
    ends it.
    """

    depth: int
    path: str
    key: str
    text: str
    end: str
    digest: bool = False


class Remark(NamedTuple):
    """A rule's finding: an `error` or a `warning`, at the deepest part of the event it names."""

    path: str
    kind: str
    message: str


def lines(event: Mapping[str, Any]) -> list[Line]:
    """Return the lines of an event, in the order of its members."""
    return list(_lines(event, 0, "", "", ""))


def _lines(value: Any, depth: int, path: str, key: str, end: str) -> Iterator[Line]:
    if not value or not isinstance(value, dict | list):
        digest = (
            isinstance(value, str) and path.startswith(_HASHED_PATHS) and DIGEST(value) is not None
        )
        yield Line(depth, path, key, _json(value), end, digest)
        return
    members = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    brackets = "{}" if isinstance(value, dict) else "[]"
    yield Line(depth, path, key, brackets[0], "")
    for place, (name, held) in enumerate(members):
        below = f"{path}.{name}" if path else str(name)
        yield from _lines(
            held,
            depth + 1,
            below,
            _json(name) if isinstance(value, dict) else "",
            "," if place < len(members) - 1 else "",
        )
    yield Line(depth, "", "", brackets[1], end)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def remarks(event: Mapping[str, Any], error: str, warning: str) -> list[Remark]:
    """Return the rules' findings about an event, sentence by sentence."""
    return [
        Remark(_place(event, sentence), kind, sentence)
        for kind, words in (("error", error), ("warning", warning))
        for sentence in _SENTENCE(words)
    ]


def _place(event: Mapping[str, Any], sentence: str) -> str:
    """Return the path of the deepest part of the event at the start of a sentence, or nothing."""
    named = _PATH(sentence)
    held: Any = event
    steps: list[str] = []
    for step in named[0].split(".") if named else ():
        if not isinstance(held, dict) or step not in held:
            break
        held = held[step]
        steps.append(step)
    return ".".join(steps)


def event_details(place: int, row: Any, request: Any) -> dict[str, Any]:
    """Return all of one event for the page.

    From an EventRow, and its RequestRow if that has ended.
    """
    return {
        "place": place,
        **{name: value for name, value in row._asdict().items() if name != "event"},
        "at": request.at if request else None,
        "lines": [line._asdict() for line in lines(row.event)],
        "remarks": [remark._asdict() for remark in remarks(row.event, row.error, row.warning)],
        "json": msgspec.json.format(msgspec.json.encode(row.event), indent=2).decode(),
    }

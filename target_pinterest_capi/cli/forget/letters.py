"""Data of people to delete in what runs have stored: dead letters, and rows of old events.

Each is found by values in its line, and dropped.

A file is rewritten as a whole, under the lock that runs take to append to it; below a prefix, each
object with such a line. A line that cannot be read is kept.
"""

import csv
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from target_pinterest_capi.cli.forget.people import People, normal_email
from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.events.redaction import texts_in
from target_pinterest_capi.files.line_file import drop_lines

_decode: Final = msgspec.json.Decoder().decode


class LettersOf:
    """Recognizes the letters of some people."""

    def __init__(self, people: People) -> None:
        addresses = (*people.emails, *people.as_given)
        self._marks = {*people.emails, *map(digest, addresses), *people.click_ids}

    def holds(self, line: bytes) -> bool:
        """Return whether a line has one of their addresses, digests or click ids as a value."""
        try:
            letter = _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return any(self._is_theirs(text) for text in texts_in(letter))

    def are_in_row(self, row: bytes) -> bool:
        """Return whether a row of a CSV file has one of them in a cell."""
        cells = next(csv.reader([row.decode("utf-8", "replace")]), [])
        return any(self._is_theirs(cell) for cell in cells)

    def _is_theirs(self, text: str) -> bool:
        if text in self._marks or text.lower() in self._marks:
            return True
        if "@" in text and normal_email(text) in self._marks:
            return True
        return "?" in text and not self._marks.isdisjoint(_query_values(text))


def _query_values(address: str) -> Collection[str]:
    try:
        return [value for _, value in parse_qsl(urlsplit(address).query)]
    except ValueError:
        return []


def drop_letters(path: str, people: People) -> int:
    """Drop people's letters from a file, or from every object below a prefix; return how many.

    Raises `OSError`.
    """
    holds = LettersOf(people).holds
    return _drop_objects(path, ".jsonl", holds) if "://" in path else drop_lines(path, holds)


def drop_old_events(path: str, people: People) -> int:
    """Drop their rows from the CSV files of a folder, or below a prefix; return how many."""
    holds = LettersOf(people).are_in_row
    if "://" in path:
        return _drop_objects(path, ".csv", holds)
    return sum(drop_lines(str(file), holds) for file in sorted(Path(path).glob("*.csv")))


def _drop_objects(prefix: str, ending: str, holds: Callable[[bytes], bool]) -> int:
    import fsspec  # noqa: PLC0415 - costs 30 ms, and only a prefix needs it

    try:
        files, place = fsspec.core.url_to_fs(prefix)
        found = [one for one in files.find(place) if one.endswith(ending)]
    except FileNotFoundError:
        return 0
    except (ImportError, ValueError) as error:
        scheme = prefix.partition("://")[0]
        raise OSError(f"no fsspec file system for {scheme}:// is installed") from error
    dropped = 0
    for one in found:
        lines = files.cat_file(one).splitlines(keepends=True)
        kept = [line for line in lines if not holds(line)]
        if len(kept) == len(lines):
            continue
        if kept:
            files.pipe_file(one, b"".join(kept))
        else:
            files.rm_file(one)
        dropped += len(lines) - len(kept)
    return dropped

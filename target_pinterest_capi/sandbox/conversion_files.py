"""Checks a CSV file of conversions for Ads Manager, as far as its help page goes.

Columns that the page does not name are not checked. Stores nothing, and shows no value.
docs/pinterest-api.md: Events that are too old.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from target_pinterest_capi.sandbox.identifiers import is_email

MOST_BYTES: Final = 5_000_000_000
MOST_ROWS: Final = 10_000_000
MOST_SECONDS: Final = 30 * 86_400
MOST_PROBLEMS: Final = 20

_DIGEST: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")  # MD5, SHA-1, SHA-256
_EMAILS: Final = ("email", "email_1", "email_2", "email_3", "email_4")
_TIMES: Final = ("%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S%z")


class FileVerdict(NamedTuple):
    """How many rows a file has, and its problem, if any."""

    rows: int
    problems: list[str]


def judge(data: bytes, now: float) -> FileVerdict:
    """Return the problem of a file at a Unix time; if there are several, the first."""
    if len(data) >= MOST_BYTES:
        return FileVerdict(0, ["the file has 5 GB or more"])
    try:
        reader = csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error):
        return FileVerdict(0, ["the file is not CSV in UTF-8"])
    problems = list(_problems_of_columns(reader.fieldnames or ()))
    if len(rows) >= MOST_ROWS:
        problems.append("the file has 10 million rows or more")
    if problems:
        return FileVerdict(len(rows), problems)
    for number, row in enumerate(rows, 2):
        problems += [f"row {number}: {words}" for words in _problems_of_row(row, now)]
    return FileVerdict(len(rows), problems[:MOST_PROBLEMS])


def _problems_of_columns(columns: Sequence[str]) -> Iterator[str]:
    if len(set(columns)) < len(columns):
        yield "two columns have one name"
    if "event_time" not in columns:
        yield "there is no column event_time"
    if not {*_EMAILS, "madid"}.intersection(columns):
        yield "there is neither a column email nor madid"


def _problems_of_row(row: Mapping[str | None, str | None], now: float) -> Iterator[str]:
    if None in row or None in row.values():
        yield "its number of cells is not the number of columns"
        return
    emails = [value for name in _EMAILS if (value := row.get(name))]
    if not emails and not row.get("madid"):
        yield "it has neither an email nor a madid"
    if not all(is_email(email) or _DIGEST.fullmatch(email) for email in emails):
        yield "an email is neither an address nor a lower-case digest"
    seconds = _seconds(row.get("event_time") or "")
    if seconds is None:
        yield "event_time has an unknown format"
    elif not now - MOST_SECONDS <= seconds <= now:
        yield "event_time is not within the last 30 days"


def _seconds(text: str) -> float | None:
    """Return Unix seconds of a time in a format that the page shows."""
    if re.fullmatch("[0-9]{1,10}", text):
        return float(text)
    for form in _TIMES:
        with suppress(ValueError):
            return datetime.strptime(text, form).timestamp()  # noqa: DTZ007 - some have no zone
    return None

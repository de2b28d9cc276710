"""The people to delete: e-mail addresses and click ids, from lines or a column of a Singer stream.

Addresses get the normal form in which they were hashed. Anything else is refused with the number of
its line, and never shown.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.events import normalize
from target_pinterest_capi.events.reasons import Dropped
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.singer.messages import BYTE_ORDER_MARK

MOST_SHOWN: Final = 10  # line numbers in an error
# Pinterest's epik, which begins with Base64 of its version, or any other text with its letters
_CLICK_ID: Final = re.compile(r"[\w.~+/=-]{16,500}", re.ASCII).fullmatch
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}").fullmatch
_ANY_CLICK_ID: Final = re.compile(r"[\x21-\x7e]{1,500}").fullmatch

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class People(NamedTuple):
    """Each address in its normal form, and each click id, once, in order of appearance.

    `as_given` are addresses that were written otherwise: a record's key may be the digest of one.
    """

    emails: tuple[str, ...] = ()
    click_ids: tuple[str, ...] = ()
    as_given: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return how many there are, because a traceback must not have addresses."""
        return f"People({len(self.emails)} emails, {len(self.click_ids)} click ids)"


class NotPeopleError(Exception):
    """The input has an identifier that Pinterest does not accept; says where, not which."""


def read_lines(lines: Iterable[bytes], *, are_click_ids: bool) -> People:
    """Return the people in the lines of a file, one per line. Raises `NotPeopleError`."""
    values = (
        (number, line.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "replace").strip())
        for number, line in enumerate(lines, 1)
    )
    return _people(((number, text) for number, text in values if text), are_click_ids)


def read_column(
    lines: Iterable[bytes], column: str, stream: str | None, *, are_click_ids: bool
) -> People:
    """Return the people in a column of a stream's records, in a file of Singer messages.

    Raises `NotPeopleError`, also if there is no such column.
    """
    found = list(_column_values(lines, column, stream))
    if not found:
        where = f"stream {shown_name(stream)!r}" if stream else "any stream"
        raise NotPeopleError(f"no RECORD of {where} has a value in column {shown_name(column)!r}")
    return _people(found, are_click_ids)


def _column_values(
    lines: Iterable[bytes], column: str, stream: str | None
) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            message = _decode(line.removeprefix(BYTE_ORDER_MARK))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise NotPeopleError(f"line {number} is not a Singer message") from None
        record = message.get("record")
        is_wanted = message.get("type") == "RECORD" and stream in (None, message.get("stream"))
        value = record.get(column) if is_wanted and isinstance(record, dict) else None
        if value is not None and str(value).strip():
            yield number, str(value).strip()


def _people(values: Iterable[tuple[int, str]], are_click_ids: bool) -> People:
    emails: dict[str, None] = {}
    click_ids: dict[str, None] = {}
    as_given: dict[str, None] = {}
    wrong: list[int] = []
    for number, text in values:
        if are_click_ids:
            click_id = text if _ANY_CLICK_ID(text) else None
            email = None
        else:
            email = normal_email(text)
            click_id = text if email is None and _is_click_id(text) else None
        if email is not None:
            emails[email] = None
            if text != email:
                as_given[text] = None
        elif click_id is not None:
            click_ids[click_id] = None
        else:
            wrong.append(number)
    if wrong:
        raise NotPeopleError(_refusal(wrong))
    return People(tuple(emails), tuple(click_ids), tuple(as_given))


def normal_email(text: str) -> str | None:
    """Return an address in the form that events hash; None for any other text."""
    if "@" not in text:
        return None
    found = normalize.email(text)
    return None if isinstance(found, Dropped) else found


def _is_click_id(text: str) -> bool:
    return bool(_CLICK_ID(text)) and not _DIGEST(text)


def _refusal(wrong: list[int]) -> str:
    shown = ", ".join(map(str, wrong[:MOST_SHOWN]))
    more = f" and {len(wrong) - MOST_SHOWN} more" if len(wrong) > MOST_SHOWN else ""
    lines, have = ("line", "has") if len(wrong) == 1 else ("lines", "have")
    return (
        f"{lines} {shown}{more} {have} neither a plain e-mail address nor a click id (Pinterest "
        "does not accept digests here); with --click-id every line is a click id"
    )

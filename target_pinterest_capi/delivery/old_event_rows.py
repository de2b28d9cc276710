"""Events that are too old for the API as rows of Ads Manager's CSV file.

Decides which events those are, and the names in the file. A row has digests where the file may have
plain identifiers. No row loses important data: it has a column, or the event has no row.
docs/pinterest-api.md: Events that are too old.
"""

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_pinterest_capi.events.coerce import DAY_SECONDS
from target_pinterest_capi.events.event import Event, InvalidRecord, SkippedRecord
from target_pinterest_capi.events.keys import key_of
from target_pinterest_capi.events.old_events import (
    ALWAYS,
    MOST_DAYS,
    NAMES,
    OTHER_COLUMNS,
    SEVERAL_EMAILS,
    must_not_be_lost,
)
from target_pinterest_capi.events.reasons import Invalid, NotWritten, Skipped

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

_decode: Final = msgspec.json.Decoder().decode


class OldEventRows:
    """The rows of a configuration's files."""

    def __init__(self, settings: "Settings") -> None:
        days = settings.max_event_age_days
        is_wanted = settings.old_events_path is not None and days is not None
        self._seconds = days * DAY_SECONDS if days is not None and is_wanted else float("inf")
        self._names: dict[str, str | None] = {**NAMES, **settings.old_events_names}
        self._own = [path for path in OTHER_COLUMNS if self._names.get(path) is not None]
        columns = [str(self._names[path]) for path in (*ALWAYS, *self._own)]
        # Identifiers come last, so that a row cut by a crash identifies nobody.
        self.header: Final = _line([*columns, "madid", *SEVERAL_EMAILS])

    def is_old(self, event: Event, now: float) -> bool:
        """Return whether an event is too old for the API at a Unix time."""
        return event.time < now - self._seconds

    def result(self, event: Event, now: float) -> Event | InvalidRecord | SkippedRecord:
        """Return an event's result: the event itself, unless it is too old for the API."""
        if not self.is_old(event, now):
            return event
        row = self.row(event, now)
        if isinstance(row, InvalidRecord):
            return row
        return SkippedRecord(event.origin, Skipped.WRITTEN_TO_CSV)

    def row(self, event: Event, now: float) -> bytes | InvalidRecord:
        """Return the row of an old event, or its result if it cannot have one."""
        if event.account.mode != "live" or event.time < now - MOST_DAYS * DAY_SECONDS:
            return too_old(event)
        body: dict[str, Any] = _decode(event.body)
        for path in ("event_name", "action_source"):
            if body[path] not in self._names:
                return too_old(event, path, NotWritten.NO_NAME)
        for path in must_not_be_lost(body):
            if path not in self._names:
                return too_old(event, path, NotWritten.NO_COLUMN)
        user = body["user_data"]
        emails = user.get("em", [])[: len(SEVERAL_EMAILS)]
        maids = user.get("hashed_maids", []) if body["action_source"] != "app_ios" else []
        if not emails and not maids:
            return too_old(event, "user_data", NotWritten.NO_EMAIL_OR_MAID)
        kinds = [str(self._names[body[path]]) for path in ("event_name", "action_source")]
        own = [_text(_value(body, path)) for path in self._own]
        missing = [""] * (len(SEVERAL_EMAILS) - len(emails))
        return _line([str(event.time), *kinds, *own, (*maids, "")[0], *emails, *missing])


def too_old(
    event: Event, field: str = "event_time", detail: NotWritten | None = None
) -> InvalidRecord:
    """Return the result of an event that is too old and has no row, with a more precise reason."""
    identity = (event.account, event.name, event.id)
    return InvalidRecord(
        event.origin,
        Invalid.EVENT_TOO_OLD,
        field,
        detail,
        key=key_of(event),
        repeat_of=identity,
    )


def _value(body: Mapping[str, Any], path: str) -> Any:
    parent, _, leaf = path.rpartition(".")
    members = body.get(parent, {}) if parent else body
    return members.get(leaf)


def _text(value: Any) -> str:
    """Return a cell's text: the first of several values, on one line."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return " ".join(text.split())


def _line(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()

"""How often each event was received, and when: the page's history and chart.

Counts what is new in the store each time it is asked, so receiving an event costs nothing more.
Knows how many events came and went between two requests, and keeps at most `MOST_GROUPS` names and
the minutes of the chart.
"""

import asyncio
from collections import Counter
from typing import Any, Final

import msgspec

from target_pinterest_capi.sandbox.store import Store

MOST_GROUPS: Final = 500
OTHERS: Final = ("", "")  # the group of all further names
COLUMN_SECONDS: Final = 5
COLUMNS: Final = 60

AT_ONCE: Final = 5_000  # events that are counted before requests are served again

_Key = tuple[str, str]  # event name and action source


class _Named(msgspec.Struct, frozen=True, gc=False):
    event_name: str
    action_source: str


_named: Final = msgspec.json.Decoder(_Named)


class History:
    """The counts of one store's events by name and source, and of its requests by time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looking = asyncio.Lock()
        self._resets = -1
        self._forget()

    def _forget(self) -> None:
        self._events = self._requests = self.uncounted = 0
        self._keys: set[_Key] = set()
        self._counts: Counter[tuple[_Key, str]] = Counter()
        self._last: dict[_Key, tuple[int, float | None]] = {}
        self._columns: dict[int, list[int]] = {}

    async def count_new(self) -> None:
        """Count what is new, in steps: requests are answered in between."""
        async with self._looking:
            while True:
                extent = self._store.extent()
                if extent.resets != self._resets:
                    self._forget()
                    self._resets = extent.resets
                if extent.events <= self._events:
                    break
                self._count_events(min(extent.events, self._events + AT_ONCE))
                await asyncio.sleep(0)
            self._count_requests()

    def _count_requests(self) -> None:
        newest = self._store.newest_requests(self._requests)
        self._requests = newest[0][0] if newest else self._requests
        for _, row in newest:
            if row.processed + row.failed and not row.test:
                column = self._columns.setdefault(
                    int(row.at // COLUMN_SECONDS) * COLUMN_SECONDS, [0, 0]
                )
                column[0] += row.processed
                column[1] += row.failed
        for start in sorted(self._columns)[:-COLUMNS]:
            del self._columns[start]

    def _count_events(self, top: int) -> None:
        """Count the events up to the place `top`."""
        rows = [row for _, row in self._store.newest_events(self._events, top + 1)]
        self.uncounted += top - self._events - len(rows)
        self._events = top
        for row in reversed(rows):
            event = _named.decode(row.encoded)
            key = (event.event_name, event.action_source)
            if key not in self._keys:
                if len(self._keys) >= MOST_GROUPS:
                    key = OTHERS
                self._keys.add(key)
            self._last[key] = (row.request, None)
            self._counts[key, row.status] += 1
            if row.warning:
                self._counts[key, "warnings"] += 1
            if row.duplicate:
                self._counts[key, "duplicates"] += 1

    def groups(self) -> list[dict[str, Any]]:
        """Return the counts of each event name and action source, the most frequent first.

        `last` is in Unix seconds, None while the request runs.
        """
        found = self._store.requests_of(
            {number for number, at in self._last.values() if at is None}
        )
        for key, (number, at) in self._last.items():
            if at is None and number in found:
                self._last[key] = (number, found[number].at)
        groups = [
            {
                "event_name": key[0],
                "action_source": key[1],
                "last": self._last[key][1],
                **{
                    what: self._counts[key, what]
                    for what in ("processed", "failed", "warnings", "duplicates")
                },
            }
            for key in sorted(self._keys)
        ]
        return sorted(groups, key=lambda group: -group["processed"] - group["failed"])

    def columns(self) -> list[list[int]]:
        """Return the chart's columns that are not empty: start, events processed, events failed."""
        return [[start, *self._columns[start]] for start in sorted(self._columns)]

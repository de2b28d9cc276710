"""Data for the page: the parts of the sandbox that changed, and rows of events and requests.

Only reads the store. An answer without news is a few numbers, rows come newest first and never more
than asked for, and requests are served while a large memory is searched.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from target_pinterest_capi.sandbox import audiences, customer_lists, deletion_requests
from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.identifiers import count_names
from target_pinterest_capi.sandbox.page.history import AT_ONCE, COLUMN_SECONDS, COLUMNS, History
from target_pinterest_capi.sandbox.page.switches import forms
from target_pinterest_capi.sandbox.rows import KeptEvent, RequestRow, UpdateRow
from target_pinterest_capi.sandbox.rules import Rules
from target_pinterest_capi.sandbox.store import Store

MOST_ROWS: Final = 200
MOST_LISTS: Final = 100  # shown, the latest ones
MOST_UPDATES: Final = 8  # of each list
LONGEST: Final = 200  # characters of a string in a row
SOME_FAILED: Final = 422  # a request that was accepted, though not all of its events
REDIRECTS: Final = 300  # and above: not accepted
PROCESSED: Final = ("READY", "TOO_SMALL")
# The endpoints that change lists, audiences and deletion requests
LIST_COUNTERS: Final = (
    "lists_created",
    "list_updates",
    "audiences_created",
    "deletion_requests_created",
    "deletion_requests_cancelled",
)

LONGEST_NUMBER: Final = 15  # digits: more than any place has

_FAR: Final = 10**16  # beyond any place


class EventSummary(msgspec.Struct, frozen=True, gc=False):
    """The members of an event that its row shows."""

    event_name: str
    action_source: str
    event_id: str
    event_time: int


_summary: Final = msgspec.json.Decoder(EventSummary)


class ChangeFeed:
    """The changes in one sandbox, for any number of pages, each of which says what it has."""

    def __init__(self, rules: Rules, store: Store, faults: Faults) -> None:
        self.rules = rules
        self.store = store
        self.faults = faults
        self.history = History(store)

    async def since(self, known: Mapping[str, str], now: float) -> dict[str, Any]:
        """Return the parts whose mark is not in `known`; `marks` are for the next request.

        Parts: `received` (counters, history and chart), `lists` (with audiences, deletion requests
        and the names of events), `faults`.
        """
        extent = self.store.extent()
        lists = self.store.lists()
        marks = {
            "received": f"{extent.resets}.{extent.requests}.{extent.events}",
            "lists": f"{extent.resets}.{self._lists_mark(lists, now)}",
            "faults": f"{self.faults.changes}.{sum(self.faults.struck().values())}",
        }
        new = {name for name, mark in marks.items() if known.get(name) != mark}
        if "received" in new:
            await self.history.count_new()
        return {
            "now": now,
            "resets": extent.resets,
            "events": extent.events,
            "requests": extent.requests,
            "in_flight": extent.in_flight,
            "marks": marks,
            **({"received": self._received()} if "received" in new else {}),
            **({"lists": self._lists(lists, now)} if "lists" in new else {}),
            **({"faults": forms(self.faults)} if "faults" in new else {}),
        }

    def _received(self) -> dict[str, Any]:
        counters = self.store.counters()
        answered = {
            name.removeprefix("status_"): count
            for name, count in counters.items()
            if name.startswith("status_")
        }
        return {
            "counters": counters,
            "rejected": sum(
                count
                for status, count in answered.items()
                if status != "none" and _is_rejected(int(status))
            ),
            "groups": self.history.groups(),
            "uncounted": self.history.uncounted,
            "columns": self.history.columns(),
            "column_seconds": COLUMN_SECONDS,
            "columns_shown": COLUMNS,
        }

    def _lists_mark(self, lists: list[customer_lists.StoredList], now: float) -> str:
        counters = self.store.counters()
        processed = sum(customer_lists.status(held, self.rules, now) in PROCESSED for held in lists)
        submitted = sum(
            deletion_requests.status(held, now) == deletion_requests.SUBMITTED
            for held in self.store.deletion_requests()
        )
        done = (counters.get(name, 0) for name in LIST_COUNTERS)
        return ".".join(map(str, (*done, processed, submitted)))

    def _lists(self, lists: list[customer_lists.StoredList], now: float) -> dict[str, Any]:
        updates: dict[str, list[UpdateRow]] = {}
        for row in reversed(self.store.updates()):
            of_list = updates.setdefault(row.list_id, [])
            if len(of_list) < MOST_UPDATES:
                of_list.append(row)
        by_id = {held.id: held for held in lists}
        made = self.store.audiences()
        deletions = self.store.deletion_requests()
        return {
            "lists": [
                self._list(held, updates.get(held.id, []), now)
                for held in lists[: -MOST_LISTS - 1 : -1]
            ],
            "lists_total": len(lists),
            "audiences": [
                audiences.audience_body(audience, by_id[audience.customer_list_id], self.rules, now)
                for audience in made[: -MOST_LISTS - 1 : -1]
            ],
            "audiences_total": len(made),
            "deletions": [
                {
                    **deletion_requests.deletion_body(held, now),
                    "ad_account_id": held.ad_account_id,
                    "emails": len(held.emails),
                    "click_ids": len(held.click_ids),
                    "created_at": held.created_time,
                }
                for held in deletions[: -MOST_LISTS - 1 : -1]
            ],
            "deletions_total": len(deletions),
        }

    def _list(
        self, held: customer_lists.StoredList, updates: list[UpdateRow], now: float
    ) -> dict[str, Any]:
        return {
            **customer_lists.list_body(held, self.rules, now),
            "list_type": held.list_type,
            "size": len(held.members),
            "rows": count_names(held.members),
            "invalid": held.invalid,
            "updates": [
                {name: value for name, value in row._asdict().items() if name != "members"}
                for row in updates
            ],
        }


def _is_rejected(status: int | None) -> bool:
    return status is not None and status >= REDIRECTS and status != SOME_FAILED


async def event_rows(store: Store, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the newest events that match the query.

    `name`, `source`, `status` and `request` are equal, `id` is part of the event id.

    `status` is processed, failed, warning or duplicate. `after` and `before` are places (see
    `Store.newest_events`), `limit` is how many. `more` is whether there are more that match.
    """
    most = min(_whole_number(query.get("limit")) or MOST_ROWS, MOST_ROWS)
    match = _matcher(query)
    found: list[tuple[int, KeptEvent, EventSummary]] = []
    top = min(store.extent().events, (_whole_number(query.get("before")) or _FAR) - 1)
    last = _whole_number(query.get("after")) or 0
    while top > last and len(found) <= most:
        bottom = max(last, top - AT_ONCE)
        seen = 0
        for place, row in store.newest_events(bottom, top + 1):
            seen += 1
            event = match(row)
            if event is not None:
                found.append((place, row, event))
                if len(found) > most:
                    break
        if not seen:  # older ones are not in memory
            break
        top = bottom
        await asyncio.sleep(0)
    return {"rows": _event_rows(store, found[:most]), "more": len(found) > most}


def _matcher(query: Mapping[str, str]) -> Callable[[KeptEvent], EventSummary | None]:
    """Return a function that returns an event's `EventSummary` if it matches, or None.

    Only an event whose bytes can match is decoded.
    """
    name, source, wanted_id = query.get("name", ""), query.get("source", ""), query.get("id", "")
    request, has_status = (
        _whole_number(query.get("request")),
        _STATUSES.get(query.get("status", ""), _any),
    )
    parts = [msgspec.json.encode(text) for text in (name, source) if text]
    parts += [msgspec.json.encode(wanted_id)[1:-1]] if wanted_id else []

    def match(row: KeptEvent) -> EventSummary | None:
        if not has_status(row) or (request is not None and row.request != request):
            return None
        for part in parts:
            if part not in row.encoded:
                return None
        event = _summary.decode(row.encoded)
        same = (
            name in ("", event.event_name)
            and source in ("", event.action_source)
            and wanted_id in event.event_id
        )
        return event if same else None

    return match


def _any(_row: KeptEvent) -> bool:
    return True


_STATUSES: Final[Mapping[str, Callable[[KeptEvent], bool]]] = {
    "processed": lambda row: row.status == "processed",
    "failed": lambda row: row.status == "failed",
    "warning": lambda row: bool(row.warning),
    "duplicate": lambda row: row.duplicate,
}


def _event_rows(
    store: Store, found: list[tuple[int, KeptEvent, EventSummary]]
) -> list[dict[str, Any]]:
    requests = store.requests_of({row.request for _, row, _ in found})
    return [
        {
            "place": place,
            "request": row.request,
            "at": requests[row.request].at if row.request in requests else None,
            "status": row.status,
            "error": row.error,
            "warning": row.warning,
            "duplicate": row.duplicate,
            "event_name": event.event_name[:LONGEST],
            "action_source": event.action_source,
            "event_id": event.event_id[:LONGEST],
            "event_time": event.event_time,
        }
        for place, row, event in found
    ]


def request_rows(store: Store, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the newest requests of a `kind`.

    That is rejected, lost (no answer), struck (by a fault) or partly (some events failed);
    otherwise all.
    """
    most = min(_whole_number(query.get("limit")) or MOST_ROWS, MOST_ROWS)
    kept = store.newest_requests(
        _whole_number(query.get("after")) or 0, _whole_number(query.get("before"))
    )
    found = [(place, row) for place, row in kept if _is_of_kind(row, query.get("kind", ""))]
    return {
        "rows": [{"place": place, **row._asdict()} for place, row in found[:most]],
        "more": len(found) > most,
    }


def _is_of_kind(row: RequestRow, kind: str) -> bool:
    kinds = {
        "rejected": _is_rejected(row.status),
        "lost": row.status is None,
        "struck": row.faults,
        "partly": row.failed,
    }
    return bool(kinds.get(kind, True))


def _whole_number(text: str | None) -> int | None:
    """Return a whole number; None for any other text."""
    is_number = text and text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
    return int(text) if text and is_number else None

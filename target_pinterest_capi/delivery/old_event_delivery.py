"""Events that are too old for the API, in CSV files for uploading in Ads Manager.

Decides when rows are written, and when an event counts: once its row is durable and the ledger has
its key, so that no rerun writes it again. Each ad account has its own files, within the limits of
an upload. Never sends.
"""

import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from target_pinterest_capi.delivery.acknowledgement import Acknowledger
from target_pinterest_capi.delivery.bounded_calls import BoundedCalls
from target_pinterest_capi.delivery.database_errors import DatabaseError
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.dispatcher import StopReason
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.delivery.old_event_rows import OldEventRows
from target_pinterest_capi.delivery.waiting import PATIENCE_SECONDS, SILENT, Waiting
from target_pinterest_capi.events.event import Event, InvalidRecord
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.files.numbered_files import NumberedFiles
from target_pinterest_capi.reporting.counters import RequestCounts

if TYPE_CHECKING:
    from target_pinterest_capi.settings import Settings

# Below 5 GB and 10 million rows. docs/pinterest-api.md: Events that are too old
MAX_BYTES: Final = 4_000_000_000
MAX_ROWS: Final = 9_000_000


class OldEvent(NamedTuple):
    """An event that waits for its row to be durable."""

    sequence: int
    event: Event
    row: bytes
    key: int


class OldEventDelivery:
    """The `Delivery` to files below `old_events_path`: a folder, or an fsspec URL as a prefix.

    Without `deduplication`, which live runs have, no event gets a row. `clock` is monotonic
    seconds, `now` returns Unix seconds, `seconds_left` how long a write may take. Nothing is opened
    before the first row.
    """

    in_flight: Final = 0
    has_room: Final = True

    def __init__(
        self,
        settings: "Settings",
        run_id: str,
        acknowledger: Acknowledger,
        deduplication: Deduplication | None,
        *,
        clock: Callable[[], float],
        now: Callable[[], float] = time.time,
        seconds_left: Callable[[], float | None] = lambda: None,
        max_bytes: int = MAX_BYTES,
        max_rows: int = MAX_ROWS,
    ) -> None:
        assert settings.old_events_path is not None  # noqa: S101 - else there are no files
        self._path: Final = settings.old_events_path
        self._rows = OldEventRows(settings)
        self._run_id = run_id
        self._acknowledger = acknowledger
        self._deduplication = deduplication
        self._clock = clock
        self._now = now
        self._limits = (max_bytes, max_rows)
        self._waiting = Waiting[OldEvent](self._path, clock)
        self._calls = BoundedCalls(SILENT, PATIENCE_SECONDS, seconds_left)
        self._keys: set[int] = set()  # of those that wait
        self._files: dict[str, NumberedFiles] = {}  # by ad account
        self._is_flushing = False
        self.requests = RequestCounts()
        self.stopped: StopReason | None = None

    def is_old(self, event: Event) -> bool:
        """Return whether an event is too old for the API."""
        return self._rows.is_old(event, self._now())

    def add_event(self, event: Event, sequence: int) -> InvalidRecord | None:
        """Add an old event, or return its result if it cannot have a row."""
        row = self._rows.row(event, self._now())
        if isinstance(row, InvalidRecord):
            return row
        key = event_key(event.account, event.name, event.id)
        if key in self._keys:
            self._acknowledger.skip_in_ledger([event])
        else:
            self._keys.add(key)
            self._waiting.add(OldEvent(sequence, event, row, key))
        return None

    # What the run asks

    @property
    def is_idle(self) -> bool:
        """Whether nothing has to be written: keys that another run has claimed are waited for."""
        return self.stopped is not None or not (self._is_flushing and self._waiting.items)

    @property
    def undecided(self) -> int:
        """How many events have no durable row."""
        return len(self._waiting.items)

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record whose event has no durable row."""
        return self._waiting.oldest_sequence()

    def next_due_at(self) -> float | None:
        """Return when rows must be written, or None."""
        return None if self.stopped is not None else self._waiting.due_at()

    # Actions

    def poll(self) -> None:
        """Write the rows that are due."""
        due = self.next_due_at()
        if due is not None and self._clock() >= due:
            self._write()

    def flush(self) -> None:
        """Write what was collected: the input has ended."""
        self._is_flushing = True
        if self.stopped is None:
            self._write()

    def stop(self, message: str) -> None:
        """Write nothing more."""
        self.stopped = self.stopped or StopReason(message)

    def close(self) -> None:
        """Close the files."""
        self._calls.close()
        for files in self._files.values():
            files.close()

    def _write(self) -> None:
        self._waiting.begin_try()
        try:
            self._write_claimed()
        except DatabaseError as error:
            self.stop(error.stop_message)
        except OSError as error:
            self.stop(
                f"old events cannot be written below old_events_path {self._path!r}: "
                f"{error.strerror or error}. STATE stays before them: make the path writable and "
                "run again."
            )

    def _write_claimed(self) -> None:
        """Write the rows whose keys nobody else has claimed; the others continue to wait."""
        items = self._waiting.items
        if not items or self._deduplication is None:
            return
        claims = self._deduplication.claim_keys([item.key for item in items])
        self._acknowledger.skip_in_ledger(self._end_wait(set(claims.delivered)))
        claimed = set(claims.new)
        written = [item for item in items if item.key in claimed]
        for account, of_account in groupby(sorted(written, key=_account), _account):
            rows = {item.key: item.row for item in of_account}
            self._append(account, list(rows.values()))
            # Before another account's file can fail, or a rerun would write these rows again.
            self._deduplication.record_keys(rows.keys())
            self._acknowledger.skip_events(self._end_wait(rows.keys()), Skipped.WRITTEN_TO_CSV)

    def _end_wait(self, keys: AbstractSet[int]) -> list[Event]:
        """End the wait of the events with these keys, and return them."""
        items = self._waiting.items
        self._waiting.end_try([item for item in items if item.key not in keys])
        self._keys -= keys
        return [item.event for item in items if item.key in keys]

    def _append(self, account: str, rows: list[bytes]) -> None:
        files = self._files_of(account)
        if "://" in self._path:
            self._calls.call(lambda: files.append(rows))
        else:
            files.append(rows)

    def _files_of(self, account: str) -> NumberedFiles:
        if account not in self._files:
            max_bytes, max_rows = self._limits
            self._files[account] = NumberedFiles(
                self._path,
                f"{account}-{self._run_id}",
                self._rows.header,
                max_bytes=max_bytes,
                max_lines=max_rows,
            )
        return self._files[account]


def _account(item: OldEvent) -> str:
    return item.event.account.ad_account_id

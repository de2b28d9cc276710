"""Customer lists within a run: operations gather, and leave as additions and removals of each list, in order.

Owns the lists of a run and every operation until it is settled. Promises that the last operation of a member wins, that a list has
one request under way at a time, that different lists go side by side, and that an operation is settled only after Pinterest
answered, and after a full refresh has it on record. The conversion token is never known here.
"""

import fnmatch  # noqa: I001
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from target_pinterest_capi.customer_lists.list_queue import ListQueue
from target_pinterest_capi.customer_lists.members import (
    Action,
    OperationReceipt,
    PendingOperation,
    compile_members,
)
from target_pinterest_capi.customer_lists.remote_list import ListAddress, RemoteList
from target_pinterest_capi.customer_lists.reports import report_of
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.delivery.dispatcher import (
    SUSPECTS_BEFORE_STOP,
    RequestCounts,
    StopReason,
)
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.events.outcomes import NotSent, Outcome
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.events.event import InvalidRecord, Origin
from target_pinterest_capi.events.reasons import Reason, Skipped
from target_pinterest_capi.pinterest.calls import Calls, FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.oauth import tokens_of
from target_pinterest_capi.reporting.customer_lists import ListReport
from target_pinterest_capi.settings import CustomerListEntry, Settings

if TYPE_CHECKING:
    from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes


NO_FEED: Final = b""  # of an incremental list, whose members are not recorded


class ListMapper(NamedTuple):
    """What takes a stream's records to one list, and what it counts them under."""

    origin: Origin
    take: Callable[[Mapping[str, Any]], None]


def address_of(settings: Settings, entry: CustomerListEntry) -> ListAddress:
    """Give the list that an entry feeds."""
    return ListAddress(
        entry.ad_account_id or settings.ad_account_id,
        entry.list_id,
        entry.list_name,
        entry.list_type,
    )


def entries_of(settings: Settings, stream: str) -> list[CustomerListEntry]:
    """Give the entries that take a stream's records."""
    return [entry for entry in settings.customer_lists if fnmatch.fnmatchcase(stream, entry.stream)]


class ListDelivery:
    """The customer lists of a run, a part of it. `clock` gives monotonic seconds."""

    def __init__(
        self, settings: Settings, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.run = run
        self.clock = clock
        self._accepted_any = False
        self._suspects: list[
            tuple[ListQueue, OperationReceipt, str]
        ] = []  # refused while nothing was accepted, with Pinterest's words
        self._lists: dict[ListAddress, ListQueue] = {}
        self._feeds: set[bytes] = set()
        self._client: Client | None = None
        self._calls: Calls | None = None
        self._refreshes: FullRefreshes | None = None
        self._to_begin: list[tuple[bytes, bytes, str]] = []  # feeds whose refresh is to begin
        self._is_flushing = False
        self._stopped: StopReason | None = None

    # What arrives

    def takes(self, stream: str, key_properties: tuple[str, ...]) -> list[ListMapper]:
        """Give what takes a stream's records to each list that it feeds; none for a stream that feeds none."""
        return [
            self._take(entry, stream, key_properties) for entry in entries_of(self.settings, stream)
        ]

    def _take(
        self, entry: CustomerListEntry, stream: str, key_properties: tuple[str, ...]
    ) -> ListMapper:
        address = address_of(self.settings, entry)
        origin = Origin(stream, address.name)
        plain_keys = self.settings.dead_letter_keys == "plain"
        read = compile_members(
            entry, origin, key_properties, self.run.tally.count_value, plain_keys=plain_keys
        )
        run = self.run
        if self.settings.mode != "live":
            reason = Skipped.DRY_RUN if self.settings.mode == "dry_run" else NotSent.NOT_LIVE

            def would_take(record: Mapping[str, Any]) -> None:
                operation = read(record)
                if isinstance(operation, InvalidRecord):
                    run.invalid(operation)
                else:
                    run.would_send(origin, reason)

            return ListMapper(origin, would_take)
        one, feed = self._list(address, entry), self._feed(entry, address, stream)

        def take(record: Mapping[str, Any]) -> None:
            operation = read(record)
            if isinstance(operation, InvalidRecord):
                run.invalid(operation)
            else:
                one.add(operation, OperationReceipt(origin, run.sequence, operation.key, feed))

        return ListMapper(origin, take)

    def _list(self, address: ListAddress, entry: CustomerListEntry) -> ListQueue:
        """Give the list of an address, which all the entries that name it share."""
        if self._client is None:
            self._open()
        assert self._client is not None  # noqa: S101 - opened above
        one = self._lists.get(address)
        if one is None:
            limit = self.settings.list_batch_size
            one = self._lists[address] = ListQueue(
                self,
                RemoteList(self._client, address, limit),
                max_members=limit,
                wait_seconds=self.settings.list_wait_seconds,
                clock=self.clock,
            )
        one.wants_audience |= entry.audience
        return one

    def _open(self) -> None:
        settings = self.settings
        assert settings.oauth is not None  # noqa: S101 - held by the settings: lists that are live need it
        self._client = Client(
            settings.api_url,
            max_connections=settings.max_in_flight,
            timeout_seconds=settings.request_timeout_seconds,
        )
        self._calls = Calls(
            tokens_of(settings.oauth, self._client),
            max_in_flight=settings.max_in_flight,
            max_retry_seconds=settings.max_retry_seconds,
            attempt_seconds=settings.request_timeout_seconds,
            clock=self.clock,
            wake=self.run.wake,
        )

    def _feed(self, entry: CustomerListEntry, address: ListAddress, stream: str) -> bytes:
        """Give the feed that a stream's members are recorded under; its refresh begins with the next `poll`."""
        if entry.refresh != "full":
            return NO_FEED
        from target_pinterest_capi.customer_lists.full_refreshes import feed_key, list_key  # noqa: PLC0415 - SQLAlchemy takes 0.1 s to import

        key, feed = (
            list_key(address.ad_account_id, address.name),
            feed_key(address.ad_account_id, address.name, stream),
        )
        if feed not in self._feeds:
            self._feeds.add(feed)
            self._to_begin.append((key, feed, stream))
        self._lists[address].record_key = key
        return feed

    # What the run asks

    @property
    def has_room(self) -> bool:
        """Tell whether more operations may gather: not where a list's are full, and its last ones are still under way."""
        return all([one.has_room for one in self._lists.values()])  # noqa: C419 - faster so, once for each piece of input

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return 0 if self._calls is None else self._calls.in_flight

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is under way; after `flush` also nothing gathers, and nobody is under suspicion."""
        if self._calls is None:
            return True
        if not self._calls.is_idle or self._to_begin:
            return False
        return not self._is_flushing or not (
            self._suspects or any(one.is_waiting(flushing=True) for one in self._lists.values())
        )

    @property
    def undecided(self) -> int:
        """How many records have operations that gather, are under way, or are under suspicion."""
        return sum(one.undecided for one in self._lists.values())

    @property
    def stopped(self) -> StopReason | None:
        """Why nothing further is sent."""
        return self._stopped or (self._calls.stopped if self._calls is not None else None)

    @property
    def requests(self) -> RequestCounts:
        """Give how many requests were sent."""
        return RequestCounts() if self._calls is None else self._calls.requests

    def oldest_sequence(self) -> int | None:
        """Give the lowest number of a record whose operation is not settled."""
        marks = [one.oldest_sequence() for one in self._lists.values()]
        return min((mark for mark in marks if mark is not None), default=None)

    def next_due_at(self) -> float | None:
        """Give the time at which a list is due, or a request can be sent."""
        if self._calls is None:
            return None
        times = [self._calls.next_due_at()]
        if self.stopped is None:
            times += [one.due_at(flushing=self._is_flushing) for one in self._lists.values()]
        return min((at for at in times if at is not None), default=None)

    def poll(self) -> None:
        """Read answers, and send what is due."""
        if self._calls is None:
            return
        self._begin_refreshes()
        self._calls.poll()
        if self.stopped is not None:
            return
        now = self.clock()
        for one in self._lists.values():
            due_at = one.due_at(flushing=self._is_flushing)
            if due_at is not None and due_at <= now:
                self._calls.start(one.flow(is_last=self._is_flushing))
        self._calls.poll()
        if self._is_flushing and self._calls.is_idle and self.stopped is None:
            self._release_suspects()

    def flush(self) -> None:
        """Send what has gathered."""
        self._is_flushing = True

    def stop(self, message: str) -> None:
        """Send nothing more."""
        self._stopped = self._stopped or StopReason(message)
        if self._calls is not None:
            self._calls.stop(message)

    def complete(self) -> None:
        """Say that the run ended well: the full refreshes that it brought are whole. Raises `LedgerError`."""
        if self._refreshes is not None:
            self._refreshes.complete()

    def close(self) -> None:
        """Give back threads and connections."""
        if self._calls is not None and self._client is not None:
            self._calls.close()
            self._client.close()
        if self._refreshes is not None:
            self._refreshes.close()

    def reports(self) -> list[ListReport]:
        """Give what became of each list, for the log and the report of the run."""
        return [report_of(one.remote) for one in self._lists.values()]

    # Full refreshes

    def _begin_refreshes(self) -> None:
        while self._to_begin and self.stopped is None:
            try:
                self._opened_refreshes().begin(*self._to_begin[0])
            except LedgerError as error:
                self.stop(_ledger_words(error))
                return
            del self._to_begin[0]

    def _opened_refreshes(self) -> "FullRefreshes":
        if self._refreshes is None:
            from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes  # noqa: PLC0415 - SQLAlchemy takes 0.1 s to import

            assert self.settings.ledger_url is not None  # noqa: S101 - held by the settings: `refresh: full` needs it
            self._refreshes = FullRefreshes(self.settings.ledger_url.get_secret_value())
        return self._refreshes

    def record(self, key: bytes, action: Action, members: Mapping[str, PendingOperation]) -> None:
        """Put the members of a request on record, or take them off it. Raises `FlowStopped`."""
        try:
            refreshes = self._opened_refreshes()
            if action is Action.REMOVE:
                refreshes.forget(key, members)
                return
            by_feed: dict[bytes, list[str]] = {}
            for member, pending in members.items():
                for feed in pending.feeds:
                    by_feed.setdefault(feed, []).append(member)
            for feed, brought in by_feed.items():
                refreshes.record(feed, brought)
        except LedgerError as error:
            raise FlowStopped(_ledger_words(error)) from None

    # What a list tells

    def accepted(self) -> None:
        """Pinterest takes requests: what it refuses from now on, and what it has refused, is about the members."""
        self._accepted_any = True
        self._release_suspects()

    def suspect(self, one: ListQueue, receipt: OperationReceipt, message: str) -> None:
        """Settle a refused member; while nothing was accepted it waits, since the refusal may not be about it.

        Raises `FlowStopped` at the third one.
        """
        self._suspects.append((one, receipt, message))
        if self._accepted_any:
            self._release_suspects()
        elif len(self._suspects) >= SUSPECTS_BEFORE_STOP:
            raise FlowStopped(
                f"{message}: {len(self._suspects)} members were refused alone and none was accepted, so the refusal is not about "
                "them: check list_id, list_name and list_type in customer_lists, ad_account_id and api_url. No dead letters were "
                "written."
            )

    def count(self, origin: Origin, outcome: Outcome, reason: Reason | str = "") -> None:
        """Count a record's outcome."""
        self.run.tally.count_outcome(origin, outcome, reason)

    def reject(self, letter: DeadLetter) -> None:
        """Take a rejected record's dead letter."""
        self.run.reject(letter)

    def _release_suspects(self) -> None:
        suspects, self._suspects = self._suspects, []
        for one, receipt, message in suspects:
            one.settle(receipt, refusal=message)


def _ledger_words(error: LedgerError) -> str:
    return (
        f"the record of full refreshes at ledger_url cannot be used: {error}. STATE stays before what is not recorded there: mend "
        "the database and run again."
    )

"""Customer lists within a run: operations are collected, and sent as additions and removals.

Owns the lists of a run and every operation until it is acknowledged. The last operation for a
member wins, a list has one request in flight at a time, lists are updated in parallel, and an
operation is acknowledged only after Pinterest responded and a full refresh has recorded it. Never
has the conversion token.
"""

import fnmatch
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from target_pinterest_capi.customer_lists.list_queue import ListQueue
from target_pinterest_capi.customer_lists.members import (
    Action,
    MemberOperation,
    compile_members,
)
from target_pinterest_capi.customer_lists.net_operations import OperationReceipt, PendingOperation
from target_pinterest_capi.customer_lists.remote_list import ConfiguredList, ListClient, RemoteList
from target_pinterest_capi.customer_lists.reports import report_of
from target_pinterest_capi.customer_lists.rows import Identity, recorded_identities
from target_pinterest_capi.delivery.call_runner import CallRunner
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.delivery.dispatcher import StopReason
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.delivery.unconfirmed_rejections import UnconfirmedRejections
from target_pinterest_capi.delivery.worker_pool import StartWorkers, WorkerPool
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.outcomes import NotSent, Outcome
from target_pinterest_capi.events.reasons import Reason, Skipped
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.list_records import ListMember, ListRow
from target_pinterest_capi.pinterest.oauth import tokens_of
from target_pinterest_capi.reporting.counters import RequestCounts
from target_pinterest_capi.reporting.customer_lists import CustomerListReport
from target_pinterest_capi.settings import CustomerListEntry, OAuth, Settings

if TYPE_CHECKING:
    from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes

NO_FEED: Final = b""  # of an incremental list, whose members are not recorded
FULL: Final = "full"  # settings: `refresh`


class MemberMapper(NamedTuple):
    """Maps a stream's records to one list; `origin` is how they are counted."""

    origin: Origin
    map_record: Callable[[Mapping[str, Any]], None]


class _Rejection(NamedTuple):
    """A member that was refused, and Pinterest's message."""

    queue: ListQueue
    receipt: OperationReceipt
    message: str


def configured_list(
    settings: Settings, entry: CustomerListEntry, name: str | None = None
) -> ConfiguredList:
    """Return an entry's list; `name` is from a record, if the entry has an expression for it."""
    return ConfiguredList(
        entry.ad_account_id or settings.ad_account_id,
        entry.list_id,
        name or entry.list_name,
        entry.list_type,
        entry.is_nca,
    )


def entries_of(settings: Settings, stream: str) -> list[CustomerListEntry]:
    """Return the entries that select a stream's records."""
    return [entry for entry in settings.customer_lists if fnmatch.fnmatchcase(stream, entry.stream)]


class ListDelivery:
    """The `Delivery` of customer lists. `clock` is monotonic seconds.

    `open_refreshes` replaces the record in the ledger's database.
    """

    def __init__(
        self,
        settings: Settings,
        run: Run,
        *,
        clock: Callable[[], float] = time.monotonic,
        client: ListClient | None = None,
        rng: random.Random | None = None,
        start_workers: StartWorkers = WorkerPool,
        open_refreshes: "Callable[[], FullRefreshes] | None" = None,
    ) -> None:
        self.settings = settings
        self.run = run
        self.clock = clock
        self._unconfirmed: UnconfirmedRejections[_Rejection] = UnconfirmedRejections()
        self._queues: dict[ConfiguredList, ListQueue] = {}
        self._feeds: set[bytes] = set()
        self._named: dict[CustomerListEntry, set[str]] = {}  # lists that records named
        self._client = client
        self._rng = rng
        self._start_workers = start_workers
        self._calls: CallRunner | None = None
        self._open_database = open_refreshes or self._open_ledgers_database
        self._refreshes: FullRefreshes | None = None
        self._to_begin: list[tuple[bytes, bytes, str]] = []  # feeds whose refresh has yet to begin
        self._is_flushing = False
        self._stopped: StopReason | None = None

    # What arrives

    def mappers(self, stream: str, key_properties: tuple[str, ...]) -> list[MemberMapper]:
        """Return what maps a stream's records, for each list that it feeds."""
        return [
            self._mapper(entry, stream, key_properties)
            for entry in entries_of(self.settings, stream)
        ]

    def _mapper(
        self, entry: CustomerListEntry, stream: str, key_properties: tuple[str, ...]
    ) -> MemberMapper:
        origin = Origin(stream, entry.label)
        self.run.tally.list_origins.add(origin)
        read = compile_members(
            entry,
            origin,
            key_properties,
            self.run.tally.count_value,
            self.settings.options,
            self.run.began_at,
        )
        if entry.list_name_expression is None:
            deliver = self._deliver_to(configured_list(self.settings, entry), entry, origin)
        else:
            deliver = self._deliver_by_name(entry, stream)

        def map_record(record: Mapping[str, Any]) -> None:
            result = read(record)
            if isinstance(result, MemberOperation):
                deliver(result)
            else:
                self.run.handle(result)

        return MemberMapper(origin, map_record)

    def _skip_unsent(self, origin: Origin) -> Callable[[MemberOperation], None]:
        reason = Skipped.DRY_RUN if self.settings.mode == "dry_run" else NotSent.NOT_LIVE
        return lambda _: self.run.skip_unsent(origin, reason)

    def _deliver_by_name(
        self, entry: CustomerListEntry, stream: str
    ) -> Callable[[MemberOperation], None]:
        """Return a function that delivers to the lists that a record names."""
        known: dict[str, Callable[[MemberOperation], None]] = {}
        named = self._named.setdefault(entry, set())

        def deliver_to(name: str) -> Callable[[MemberOperation], None]:
            named.add(name)
            if len(named) > entry.max_lists:
                self.run.stop(
                    f"Records name more than {entry.max_lists} customer lists by list_name: "
                    f"{shown_name(entry.label)}. STATE stays before the first record with one "
                    "too many. Check the expression, or raise max_lists of the entry."
                )
            configured = configured_list(self.settings, entry, name)
            origin = Origin(stream, configured.shown)
            self.run.tally.list_origins.add(origin)
            return self._deliver_to(configured, entry, origin)

        def deliver(operation: MemberOperation) -> None:
            for name in operation.lists:
                if name not in known:
                    known[name] = deliver_to(name)
                known[name](operation)

        return deliver

    def _deliver_to(
        self, configured: ConfiguredList, entry: CustomerListEntry, origin: Origin
    ) -> Callable[[MemberOperation], None]:
        if self.settings.mode != "live":
            return self._skip_unsent(origin)
        run = self.run
        queue = self._queue(configured, entry)
        feed = self._feed(entry, configured, origin.stream)

        def deliver(operation: MemberOperation) -> None:
            receipt = OperationReceipt(origin, run.sequence, operation.key, feed)
            queue.add_operation(operation, receipt)

        return deliver

    def _queue(self, configured: ConfiguredList, entry: CustomerListEntry) -> ListQueue:
        """Return the queue of a list, which is shared by all entries that name the list."""
        client = self._open_client()
        queue = self._queues.get(configured)
        if queue is None:
            limit = self.settings.list_batch_size
            queue = self._queues[configured] = ListQueue(
                self,
                RemoteList(client, configured, limit),
                max_members=limit,
                wait_seconds=self.settings.list_wait_seconds,
                clock=self.clock,
            )
        queue.wants_audience |= entry.audience
        return queue

    def _open_client(self) -> ListClient:
        """Return the client; for the first list's queue also create the call runner."""
        settings = self.settings
        assert settings.oauth is not None  # noqa: S101 - held by the settings: live lists need it
        if self._client is None:
            self._client = Client(
                settings.api_url,
                max_connections=settings.max_in_flight,
                timeout_seconds=settings.request_timeout_seconds,
                observe=self.run.observe_request,
            )
        if self._calls is None:
            self._calls = self._open_calls(settings, settings.oauth, self._client)
        return self._client

    def _open_calls(self, settings: Settings, oauth: OAuth, client: ListClient) -> CallRunner:
        return CallRunner(
            tokens_of(oauth, client),
            max_in_flight=settings.max_in_flight,
            max_retry_seconds=settings.max_retry_seconds,
            attempt_seconds=settings.request_timeout_seconds,
            clock=self.clock,
            wake=self.run.wake,
            rng=self._rng,
            start_workers=self._start_workers,
        )

    def _feed(self, entry: CustomerListEntry, configured: ConfiguredList, stream: str) -> bytes:
        """Return the feed under which a stream's members are recorded.

        Its refresh begins with the next `poll`.
        """
        if entry.refresh != FULL:
            return NO_FEED
        from target_pinterest_capi.customer_lists.full_refreshes import feed_key, list_key  # noqa: PLC0415 - SQLAlchemy takes 0.1 s to import

        key = list_key(configured.ad_account_id, configured.name)
        feed = feed_key(configured.ad_account_id, configured.name, stream)
        if feed not in self._feeds:
            self._feeds.add(feed)
            self._to_begin.append((key, feed, stream))
        self._queues[configured].record_key = key
        return feed

    # What the run asks

    @property
    def has_room(self) -> bool:
        """Whether more may be collected: not if a list has enough and a flow is in progress."""
        # A list is faster than a generator; this runs once for each piece of input.
        return all([queue.has_room for queue in self._queues.values()])  # noqa: C419

    @property
    def in_flight(self) -> int:
        """How many requests are in flight."""
        return 0 if self._calls is None else self._calls.in_flight

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight; after `flush` also nothing collected or unconfirmed."""
        if self._calls is None:
            return True
        if not self._calls.is_idle or self._to_begin:
            return False
        if not self._is_flushing:
            return True
        return not self._unconfirmed and not any(
            queue.is_waiting(flushing=True) for queue in self._queues.values()
        )

    @property
    def undecided(self) -> int:
        """How many records have operations that are collected, in flight, or unconfirmed."""
        return sum(queue.undecided for queue in self._queues.values())

    @property
    def stopped(self) -> StopReason | None:
        """Why nothing more is sent, if so."""
        return self._stopped or (self._calls.stopped if self._calls is not None else None)

    @property
    def requests(self) -> RequestCounts:
        """How many requests were sent."""
        return RequestCounts() if self._calls is None else self._calls.requests

    def oldest_sequence(self) -> int | None:
        """Return the lowest number of a record whose operation is not acknowledged."""
        sequences = [queue.oldest_sequence() for queue in self._queues.values()]
        return min((number for number in sequences if number is not None), default=None)

    def next_due_at(self) -> float | None:
        """Return when a list is due, or a request can be sent."""
        if self._calls is None:
            return None
        times = [self._calls.next_due_at()]
        if self.stopped is None:
            times += [queue.due_at(flushing=self._is_flushing) for queue in self._queues.values()]
        return min((at for at in times if at is not None), default=None)

    # Actions

    def poll(self) -> None:
        """Read responses, and send what is due."""
        if self._calls is None:
            return
        self._begin_refreshes()
        self._calls.poll()
        if self.stopped is not None:
            return
        now = self.clock()
        for queue in self._queues.values():
            due_at = queue.due_at(flushing=self._is_flushing)
            if due_at is not None and due_at <= now:
                self._calls.start(queue.flow(is_last=self._is_flushing))
        self._calls.poll()
        if self._is_flushing and self._calls.is_idle and self.stopped is None:
            self._settle_rejections(self._unconfirmed.release())

    def flush(self) -> None:
        """Send what was collected."""
        self._is_flushing = True

    def stop(self, message: str) -> None:
        """Send nothing more."""
        self._stopped = self._stopped or StopReason(message)
        if self._calls is not None:
            self._calls.stop(message)

    def complete_refreshes(self) -> None:
        """Record that the run succeeded: its full refreshes are complete. Raises `LedgerError`."""
        if self._refreshes is not None:
            self._refreshes.complete_refreshes()

    def close(self) -> None:
        """End threads and connections."""
        if self._calls is not None:
            self._calls.close()
        if self._client is not None:
            self._client.close()
        if self._refreshes is not None:
            self._refreshes.close()

    def reports(self) -> list[CustomerListReport]:
        """Return a report of each list, for the log and the report of the run."""
        return [report_of(queue.remote) for queue in self._queues.values()]

    # Full refreshes

    def _begin_refreshes(self) -> None:
        while self._to_begin and self.stopped is None:
            try:
                self._open_refreshes().begin_refresh(*self._to_begin[0])
            except LedgerError as error:
                self.stop(error.stop_message)
                return
            del self._to_begin[0]

    def _open_refreshes(self) -> "FullRefreshes":
        if self._refreshes is None:
            self._refreshes = self._open_database()
        return self._refreshes

    def _open_ledgers_database(self) -> "FullRefreshes":
        from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes  # noqa: PLC0415 - SQLAlchemy takes 0.1 s to import

        url = self.settings.ledger_url
        assert url is not None  # noqa: S101 - held by the settings: `refresh: full` needs it
        return FullRefreshes(url.get_secret_value(), seconds_left=self.run.grace_seconds_left)

    # What a queue reports (`MemberOutcomes`)

    def record_members(
        self, key: bytes, action: Action, members: Mapping[ListMember, PendingOperation]
    ) -> None:
        """Record the members of a request, or delete them from the record. Raises `FlowStopped`."""
        try:
            refreshes = self._open_refreshes()
            if action is Action.REMOVE:
                refreshes.forget_members(key, members)
                return
            by_feed: dict[bytes, dict[ListMember, Identity | None]] = {}
            for member, pending in members.items():
                for feed in pending.feeds:
                    brought = by_feed.setdefault(feed, {})
                    brought[member] = pending.receipt.key_identity()
            for feed, brought in by_feed.items():
                refreshes.record_members(feed, brought)
        except LedgerError as error:
            raise FlowStopped(error.stop_message) from None

    def record_refused(self, key: bytes, member: ListMember, pending: PendingOperation) -> None:
        """Record that a refused member is in the source, if it is on record. Raises `FlowStopped`.

        Otherwise it is not on the list.
        """
        try:
            is_on_list = self._open_refreshes().is_on_record(key, member)
        except LedgerError as error:
            raise FlowStopped(error.stop_message) from None
        if is_on_list:
            self.record_members(key, Action.ADD, {member: pending})

    def rows_on_record(
        self, key: bytes, removals: Mapping[ListMember, PendingOperation]
    ) -> Mapping[ListMember, PendingOperation]:
        """Return the recorded rows of people who are removed, each with its removal.

        Raises `FlowStopped`.
        """
        by_identity = {
            identity: pending
            for member, pending in removals.items()
            if isinstance(member, ListRow)
            for identity in recorded_identities(member, pending.receipt.key_identity())
        }
        try:
            found = self._open_refreshes().rows_with(key, by_identity)
        except LedgerError as error:
            raise FlowStopped(error.stop_message) from None
        return {row: by_identity[min(shared)] for row, shared in found.items()}

    def confirm_rejections(self) -> None:
        """Acknowledge the members that were refused before Pinterest accepted this request."""
        self._settle_rejections(self._unconfirmed.confirm())

    def reject_member(self, queue: ListQueue, receipt: OperationReceipt, message: str) -> None:
        """Reject a member; while nothing was accepted it is held, as it may not be the cause.

        Raises `FlowStopped` if too many are held.
        """
        rejection = _Rejection(queue, receipt, message)
        if not self._unconfirmed.hold(rejection):
            self._settle_rejections([rejection])
        elif self._unconfirmed.are_too_many:
            raise FlowStopped(
                f"{message}: {len(self._unconfirmed)} members were refused one by one, and none "
                "was accepted, so the members are not the cause: check list_id, list_name and "
                "list_type in customer_lists, ad_account_id and api_url. No dead letters were "
                "written."
            )

    def count_outcome(self, origin: Origin, outcome: Outcome, reason: Reason | str = "") -> None:
        """Count a record's outcome."""
        self.run.tally.count_outcome(origin, outcome, reason)

    def add_dead_letter(self, letter: DeadLetter) -> None:
        """Add a rejected record's dead letter."""
        self.run.add_dead_letter(letter)

    def _settle_rejections(self, rejections: list[_Rejection]) -> None:
        for rejection in rejections:
            rejection.queue.settle_member(rejection.receipt, refusal=rejection.message)

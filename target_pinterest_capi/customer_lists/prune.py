"""Removes people from a list who were not in its last full refresh.

Run by a person or a job, never by the target. Removes nobody if a refresh did not end successfully,
or if it would be more than the configured share. An interrupted prune can be run again. Members are
always digests.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from target_pinterest_capi.customer_lists.full_refreshes import (
    FeedState,
    FullRefreshes,
    list_key,
)
from target_pinterest_capi.customer_lists.list_delivery import FULL, configured_list
from target_pinterest_capi.customer_lists.members import Action
from target_pinterest_capi.customer_lists.remote_list import ConfiguredList, RemoteList
from target_pinterest_capi.customer_lists.rows import recorded_identities
from target_pinterest_capi.delivery.flow_run import run_flow
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.delivery.unconfirmed_rejections import UnconfirmedRejections
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.pinterest.calls import Flow, FlowStopped
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.list_records import ListMember, ListRow
from target_pinterest_capi.pinterest.oauth import tokens_of
from target_pinterest_capi.settings import CustomerListEntry, Settings


class PrunePlan(NamedTuple):
    """What a prune of one list would remove: `leavers` of `known` members.

    `sharing` are rows that stay and share an identifier with one that leaves: the removal may match
    them, so they are added again after it.

    `why_not` says why nobody is removed, if so.
    """

    configured: ConfiguredList
    known: int
    leavers: list[ListMember]
    why_not: str | None
    is_too_much: bool = False
    sharing: tuple[ListRow, ...] = ()


class PruneResult(NamedTuple):
    """The result of a plan: how many were removed and refused, and why it stopped, if it did."""

    configured: ConfiguredList
    removed: int
    refused: int = 0
    problem: str | None = None


def plans(
    settings: Settings, refreshes: FullRefreshes, only: Sequence[str] = ()
) -> Iterator[PrunePlan]:
    """Yield the plan of each list with full refreshes, or of those with these names.

    Raises `LedgerError`.
    """
    entries: dict[ConfiguredList, list[CustomerListEntry]] = {}
    for entry in settings.customer_lists:
        configured = configured_list(settings, entry)
        if entry.refresh == FULL and (not only or configured.name in only):
            entries.setdefault(configured, []).append(entry)
    for configured, given in entries.items():
        yield _plan(configured, given, refreshes)


def _plan(
    configured: ConfiguredList, entries: Sequence[CustomerListEntry], refreshes: FullRefreshes
) -> PrunePlan:
    key = list_key(configured.ad_account_id, configured.name)
    feeds = [
        feed
        for feed in refreshes.feed_states(key)
        if any(fnmatchcase(feed.stream, entry.stream) for entry in entries)
    ]
    why_not = _why_not_current(feeds)
    if why_not is not None:
        return PrunePlan(configured, 0, [], why_not)
    known = refreshes.count_members(key)
    leavers = refreshes.leavers(key, [feed.stream for feed in feeds])
    limit = min(entry.max_removed_ratio for entry in entries)
    if len(leavers) <= limit * known:
        sharing = _sharing(key, leavers, refreshes)
        return PrunePlan(configured, known, leavers, None, sharing=sharing)
    why_not = (
        f"{len(leavers)} of {known} members were not in the last refresh, and max_removed_ratio "
        f"is {limit:g}: if that is correct, raise it for one prune"
    )
    return PrunePlan(configured, known, leavers, why_not, is_too_much=True)


def _sharing(
    key: bytes, leavers: Sequence[ListMember], refreshes: FullRefreshes
) -> tuple[ListRow, ...]:
    """Return the rows that stay and share an identifier with a row that leaves."""
    leaving = {row for row in leavers if isinstance(row, ListRow)}
    identities = {one for row in leaving for one in recorded_identities(row, None)}
    return tuple(row for row in refreshes.rows_with(key, identities) if row not in leaving)


def _why_not_current(feeds: Sequence[FeedState]) -> str | None:
    """Return why the record of a list's feeds is not current; None if it is."""
    if not feeds:
        return "the ledger has no full refresh of it: run the pipeline with this ledger_url first"
    for feed in feeds:
        if not feed.complete:
            begun = datetime.fromtimestamp(feed.at, UTC).isoformat(sep=" ", timespec="minutes")
            return (
                f"the run of stream {shown_name(feed.stream)!r} that began at {begun} has not "
                "succeeded, or read nobody: wait for it, or read the whole stream again"
            )
    return None


class PruneRun:
    """Carries out one plan, at Pinterest and in the record."""

    def __init__(self, plan: PrunePlan, remote: RemoteList, refreshes: FullRefreshes) -> None:
        self._plan = plan
        self._remote = remote
        self._refreshes = refreshes
        self._key = list_key(plan.configured.ad_account_id, plan.configured.name)
        self._unconfirmed: UnconfirmedRejections[ListMember] = UnconfirmedRejections()
        self._to_forget: list[ListMember] = []
        self.removed = 0
        self.refusals = 0

    def flow(self) -> Flow:
        """Remove the plan's members."""
        yield from self._remote.find()
        if self._remote.id is None:
            raise FlowStopped(
                f"no customer list has the list_name {self._plan.configured.name!r}: check the "
                "name."
            )
        yield from self._remote.send(Action.REMOVE, self._plan.leavers, self)
        yield from self._remote.send(Action.ADD, self._plan.sharing, self)
        self._forget_removed()

    def settle_accepted(self, action: Action, members: Sequence[ListMember]) -> None:
        """Delete members from the record once Pinterest removed them and others are back.

        So an interrupted prune can be run again.
        """
        self._unconfirmed.confirm()
        if action is Action.REMOVE:
            self.removed += len(members)
            self._to_forget += members
            if not self._plan.sharing:
                self._forget_removed()

    def _forget_removed(self) -> None:
        try:
            self._refreshes.forget_members(self._key, self._to_forget)
        except LedgerError as error:
            raise FlowStopped(str(error)) from None
        self._to_forget = []

    def settle_refused(self, member: ListMember, message: str) -> None:
        """Count a member that Pinterest refused; it stays on record.

        Raises `FlowStopped` if Pinterest refuses everything.
        """
        self.refusals += 1
        self._unconfirmed.hold(member)
        if self._unconfirmed.are_too_many:
            raise FlowStopped(
                f"{message}: nobody can be removed, so the members are not the cause: check "
                "list_id and ad_account_id."
            )


def prune(
    settings: Settings,
    plan: PrunePlan,
    refreshes: FullRefreshes,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> PruneResult:
    """Carry out a plan to its end. Needs `oauth`."""
    assert settings.oauth is not None  # noqa: S101 - the command asks for it
    client = Client(
        settings.api_url, max_connections=1, timeout_seconds=settings.request_timeout_seconds
    )
    pruning = PruneRun(
        plan, RemoteList(client, plan.configured, settings.list_batch_size), refreshes
    )
    try:
        tokens = tokens_of(settings.oauth, client)
        problem = run_flow(pruning.flow(), tokens, settings, clock=clock)
    finally:
        client.close()
    return PruneResult(plan.configured, pruning.removed, pruning.refusals, problem)

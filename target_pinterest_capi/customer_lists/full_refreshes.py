"""Members of full refreshes, recorded as digests in the ledger's database.

Pinterest does not list a customer list's members. A feed is what one stream brings to one list.
Each run of a feed is a refresh with a number of its own; one that did not end well is continued by
the next run, since a tap may go on where it stopped. Who is on record and came in no feed's current
refresh has left. A member is recorded before STATE can pass its record. Never holds a plain
identifier, and never decides to remove anybody.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from time import time
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import Database
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.events import hashing

KEY_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_MEMBERS_AT_ONCE: Final = 500  # older SQLite takes 999 parameters in a statement

_metadata: Final = sa.MetaData()
_feeds: Final = sa.Table(
    "pinterest_list_feeds",
    _metadata,
    sa.Column("feed", sa.LargeBinary(KEY_BYTES), primary_key=True),
    sa.Column("list", sa.LargeBinary(KEY_BYTES), nullable=False, index=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("refresh", sa.BigInteger, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
_members: Final = sa.Table(
    "pinterest_list_members",
    _metadata,
    sa.Column("feed", sa.LargeBinary(KEY_BYTES), primary_key=True),
    sa.Column("member", sa.LargeBinary(_DIGEST_BYTES), primary_key=True),
    sa.Column("refresh", sa.BigInteger, nullable=False),
)


class FeedState(NamedTuple):
    """The last refresh of a feed; `at` is Unix time: when it began, or ended if `complete`."""

    stream: str
    complete: bool
    at: int


def list_key(ad_account_id: str, list_name: str) -> bytes:
    """Return the key of a list: its account, and its id or name as the configuration has it."""
    return hashing.digest_key(f"{ad_account_id}\0{list_name}", KEY_BYTES)


def feed_key(ad_account_id: str, list_name: str, stream: str) -> bytes:
    """Return the key of what a stream brings to a list."""
    return hashing.digest_key(f"{ad_account_id}\0{list_name}\0{stream}", KEY_BYTES)


class FullRefreshes(Database):
    """The record of full refreshes. `now` is Unix time; members are digests in hex.

    `seconds_left` says how long the database may be waited for. Raises `LedgerError` where it
    fails.
    """

    error = LedgerError

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], float] = time,
        seconds_left: Callable[[], float | None] = lambda: None,
    ) -> None:
        super().__init__(url, _metadata, seconds_left=seconds_left)
        self._now = now
        self._refresh_numbers: dict[bytes, int] = {}
        insert = self.kind.insert(_members)
        self._record = insert.on_conflict_do_update(
            index_elements=[_members.c.feed, _members.c.member],
            set_={"refresh": insert.excluded.refresh},
        )

    def begin_refresh(self, key: bytes, feed: bytes, stream: str) -> None:
        """Begin a refresh of a feed, or go on with the last one where that did not end well."""
        is_feed = _feeds.c.feed == feed
        query = sa.select(_feeds.c.refresh, _feeds.c.complete).where(is_feed)

        def begin(connection: sa.Connection) -> int:
            last = connection.execute(query).first()
            number = 1
            if last is not None:
                number = last.refresh + 1 if last.complete else last.refresh
            connection.execute(_feeds.delete().where(is_feed))
            row = {
                "feed": feed,
                "list": key,
                "stream": stream,
                "refresh": number,
                "complete": False,
                "at": int(self._now()),
            }
            connection.execute(_feeds.insert(), row)
            return number

        self._refresh_numbers[feed] = self.run(begin)

    def record_members(self, feed: bytes, members: Collection[str]) -> None:
        """Record that members came in the feed's current refresh; durable when it returns."""
        number = self._refresh_numbers[feed]
        rows = [{"feed": feed, "member": digest, "refresh": number} for digest in _digests(members)]
        if rows:
            self.run(lambda connection: connection.execute(self._record, rows))

    def forget_members(self, key: bytes, members: Iterable[str]) -> None:
        """Forget members of a list, whichever feed brought them: they were removed."""
        digests = _digests(members)

        def forget(connection: sa.Connection) -> None:
            for start in range(0, len(digests), _MEMBERS_AT_ONCE):
                some = digests[start : start + _MEMBERS_AT_ONCE]
                is_one = sa.and_(_is_of_list(key), _members.c.member.in_(some))
                connection.execute(_members.delete().where(is_one))

        if digests:
            self.run(forget)

    def complete_refreshes(self) -> None:
        """Record of every refresh that was begun here that it ended well."""
        feeds = list(self._refresh_numbers)
        if not feeds:
            return
        # A refresh that brought nobody is not one: a run that was killed after it had ended well is
        # followed by one that has nothing left to bring.
        has_members = sa.exists().where(
            _members.c.feed == _feeds.c.feed, _members.c.refresh == _feeds.c.refresh
        )
        ended = (
            _feeds.update()
            .where(_feeds.c.feed.in_(feeds))
            .where(has_members)
            .values(complete=True, at=int(self._now()))
        )
        self.run(lambda connection: connection.execute(ended))

    # What prune asks

    def feed_states(self, key: bytes) -> list[FeedState]:
        """Return the feeds of a list."""
        query = (
            sa.select(_feeds.c.stream, _feeds.c.complete, _feeds.c.at)
            .where(_feeds.c.list == key)
            .order_by(_feeds.c.stream)
        )

        def read(connection: sa.Connection) -> list[FeedState]:
            return [FeedState(*row) for row in connection.execute(query)]

        return self.run(read)

    def count_members(self, key: bytes) -> int:
        """Return how many members of a list are on record."""
        number = sa.func.count(sa.distinct(_members.c.member))
        query = sa.select(number).where(_is_of_list(key))

        def read(connection: sa.Connection) -> int:
            return int(connection.execute(query).scalar_one())

        return self.run(read)

    def leavers(self, key: bytes, streams: Sequence[str]) -> list[str]:
        """Return the members on record that came in the current refresh of none of the streams."""
        joined = _members.join(_feeds, _members.c.feed == _feeds.c.feed)
        is_current = sa.and_(
            _members.c.refresh == _feeds.c.refresh,
            _feeds.c.stream.in_(streams),
        )
        is_in_any = sa.func.max(sa.case((is_current, 1), else_=0))
        query = (
            sa.select(_members.c.member)
            .select_from(joined)
            .where(_feeds.c.list == key)
            .group_by(_members.c.member)
            .having(is_in_any == 0)
        )

        def read(connection: sa.Connection) -> list[str]:
            return [bytes(digest).hex() for (digest,) in connection.execute(query)]

        return self.run(read)


def _digests(members: Iterable[str]) -> list[bytes]:
    """Sorted, so that two processes never wait for each other's rows in a circle."""
    return sorted(bytes.fromhex(member) for member in members)


def _is_of_list(key: bytes) -> Any:
    feeds = sa.select(_feeds.c.feed).where(_feeds.c.list == key)
    return _members.c.feed.in_(feeds)

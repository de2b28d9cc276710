"""Members of full refreshes, recorded as digests in the ledger's database: Pinterest does not give a list's members back.

A feed is what one stream brings to one list. Each run of a feed is a refresh with a number of its own; one that did not end well
is continued by the next run, since a tap may go on where it stopped. Who is on record and came in no feed's current refresh has
left. A member is recorded before STATE can pass its record. Never holds a plain identifier, and never decides to remove anybody.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from time import time
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from target_pinterest_capi.delivery.ledger_sql import Database
from target_pinterest_capi.events import hashing

MEMBERS: Final = "pinterest_list_members"
KEY_BYTES: Final = 16

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
    MEMBERS,
    _metadata,
    sa.Column("feed", sa.LargeBinary(KEY_BYTES), primary_key=True),
    sa.Column("member", sa.LargeBinary(32), primary_key=True),
    sa.Column("refresh", sa.BigInteger, nullable=False),
)
_SQLITE_RECORD: Final = f"INSERT INTO {MEMBERS} VALUES (?, ?, ?) ON CONFLICT (feed, member) DO UPDATE SET refresh = excluded.refresh"  # noqa: S608 - a constant
_POSTGRESQL_RECORD: Final = f"INSERT INTO {MEMBERS} SELECT %s, unnest(%s::bytea[]), %s ON CONFLICT (feed, member) DO UPDATE SET refresh = EXCLUDED.refresh"


class FeedState(NamedTuple):
    """The last refresh of one stream into a list; `at` in Unix seconds, when it began, or ended where it is complete."""

    stream: str
    complete: bool
    at: int


def list_key(ad_account_id: str, list_name: str) -> bytes:
    """Give the key of a list: its account, and its id or name as the configuration has it."""
    return hashing.digest_key(f"{ad_account_id}\0{list_name}", KEY_BYTES)


def feed_key(ad_account_id: str, list_name: str, stream: str) -> bytes:
    """Give the key of what a stream brings to a list."""
    return hashing.digest_key(f"{ad_account_id}\0{list_name}\0{stream}", KEY_BYTES)


class FullRefreshes(Database):
    """The record of full refreshes. `now` gives Unix seconds; members are digests in hex."""

    def __init__(self, url: str, *, now: Callable[[], float] = time) -> None:
        super().__init__(url, _metadata)
        self._now = now
        self._numbers: dict[bytes, int] = {}

    def begin(self, key: bytes, feed: bytes, stream: str) -> None:
        """Begin a refresh of a feed, or go on with the last one where that did not end well."""

        def work(connection: sa.Connection) -> int:
            last = connection.execute(
                sa.select(_feeds.c.refresh, _feeds.c.complete).where(_feeds.c.feed == feed)
            ).first()
            number = 1 if last is None else last.refresh + bool(last.complete)
            connection.execute(_feeds.delete().where(_feeds.c.feed == feed))
            connection.execute(
                _feeds.insert().values(
                    feed=feed,
                    list=key,
                    stream=stream,
                    refresh=number,
                    complete=False,
                    at=int(self._now()),
                )
            )
            return number

        self._numbers[feed] = self._run(work)

    def record(self, feed: bytes, members: Collection[str]) -> None:
        """Remember that members came in the feed's current refresh; durable when it returns."""
        number, digests = self._numbers[feed], sorted(bytes.fromhex(member) for member in members)

        def work(connection: sa.Connection) -> None:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(
                    _SQLITE_RECORD, [(feed, digest, number) for digest in digests]
                )
            else:
                connection.exec_driver_sql(_POSTGRESQL_RECORD, (feed, digests, number))

        if digests:
            self._run(work)

    def forget(self, key: bytes, members: Iterable[str]) -> None:
        """Forget members of a list, whichever feed brought them: they were removed."""
        digests = sorted(bytes.fromhex(member) for member in members)

        def work(connection: sa.Connection) -> None:
            feeds = sa.select(_feeds.c.feed).where(_feeds.c.list == key)
            for start in range(0, len(digests), 500):
                some = _members.c.member.in_(digests[start : start + 500])
                connection.execute(_members.delete().where(_members.c.feed.in_(feeds), some))

        if digests:
            self._run(work)

    def complete(self) -> None:
        """Say of every refresh that was begun here that it ended well."""
        feeds = list(self._numbers)

        def work(connection: sa.Connection) -> None:
            connection.execute(
                _feeds.update()
                .where(_feeds.c.feed.in_(feeds))
                .values(complete=True, at=int(self._now()))
            )

        if feeds:
            self._run(work)

    # What prune asks

    def standings(self, key: bytes) -> list[FeedState]:
        """Give the feeds of a list."""
        query = (
            sa.select(_feeds.c.stream, _feeds.c.complete, _feeds.c.at)
            .where(_feeds.c.list == key)
            .order_by(_feeds.c.stream)
        )
        return self._run(lambda connection: [FeedState(*row) for row in connection.execute(query)])  # type: ignore[no-any-return]

    def count(self, key: bytes) -> int:
        """Give how many members of a list are on record."""
        query = sa.select(sa.func.count(sa.distinct(_members.c.member))).where(
            _members.c.feed.in_(_feeds_of(key))
        )
        return int(self._run(lambda connection: connection.execute(query).scalar_one()))

    def leavers(self, key: bytes, streams: Sequence[str]) -> list[str]:
        """Give the members on record that came in the current refresh of none of these streams."""
        joined = _members.join(_feeds, _members.c.feed == _feeds.c.feed)
        is_current = sa.and_(_members.c.refresh == _feeds.c.refresh, _feeds.c.stream.in_(streams))
        query = (
            sa.select(_members.c.member)
            .select_from(joined)
            .where(_feeds.c.list == key)
            .group_by(_members.c.member)
            .having(sa.func.max(sa.case((is_current, 1), else_=0)) == 0)
        )
        members: list[str] = self._run(
            lambda connection: [bytes(row[0]).hex() for row in connection.execute(query)]
        )
        return members


def _feeds_of(key: bytes) -> Any:
    return sa.select(_feeds.c.feed).where(_feeds.c.list == key)

"""Members of full refreshes, recorded as digests in the ledger's database.

Pinterest does not return a customer list's members. A feed is what one stream contributes to one
list. Each run of a feed is a refresh with its own number; if it did not end successfully, the next
run continues it, because a tap may continue where it stopped. People on record who were in no
feed's current refresh have left. A member is recorded before STATE can pass its record. Never has a
plain identifier, and never decides to remove anybody.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from time import time
from typing import Any, Final, NamedTuple, TypeVar

import sqlalchemy as sa

from target_pinterest_capi.customer_lists.rows import (
    HASHED_FIELDS,
    Identity,
    RecordedIdentity,
    recorded_identities,
)
from target_pinterest_capi.delivery.database import Database
from target_pinterest_capi.delivery.ledger import LedgerError
from target_pinterest_capi.events import hashing
from target_pinterest_capi.pinterest.list_records import ListMember, ListRow

KEY_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_MEMBERS_AT_ONCE: Final = 500  # older SQLite accepts 999 parameters in a statement

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
# For rows of several identifiers: whose they are, and their values.
_identities: Final = sa.Table(
    "pinterest_list_identities",
    _metadata,
    sa.Column("feed", sa.LargeBinary(KEY_BYTES), primary_key=True),
    sa.Column("member", sa.LargeBinary(_DIGEST_BYTES), primary_key=True),
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.LargeBinary(_DIGEST_BYTES), nullable=False, index=True),
)

_identity_query: Final = sa.select(_identities.c.member, _identities.c.name, _identities.c.value)

_Item = TypeVar("_Item")


class FeedState(NamedTuple):
    """The last refresh of a feed; `at` is the Unix time when it began, or ended if `complete`."""

    stream: str
    complete: bool
    at: int


def list_key(ad_account_id: str, list_name: str) -> bytes:
    """Return the key of a list: its account, and its id or name as configured."""
    return hashing.digest_key(f"{ad_account_id}\0{list_name}", KEY_BYTES)


def feed_key(ad_account_id: str, list_name: str, stream: str) -> bytes:
    """Return the key of what a stream contributes to a list."""
    return hashing.digest_key(f"{ad_account_id}\0{list_name}\0{stream}", KEY_BYTES)


class FullRefreshes(Database):
    """The record of full refreshes. `now` is Unix time; members are hex digests.

    `seconds_left` returns how long to wait for the database. Raises `LedgerError` if it fails.
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
        self._record = self._upsert(_members, "refresh")
        self._record_identity = self._upsert(_identities, "value")

    def begin_refresh(self, key: bytes, feed: bytes, stream: str) -> None:
        """Begin a refresh of a feed, or continue the last one if it did not end successfully."""
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

    def record_members(self, feed: bytes, members: Mapping[ListMember, Identity | None]) -> None:
        """Record that members were in the feed's current refresh; durable when it returns.

        With a row, the identity that is its record's key is recorded.
        """
        number = self._refresh_numbers[feed]
        rows = [{"feed": feed, "member": digest, "refresh": number} for digest in _digests(members)]
        identities = [
            {"feed": feed, "member": member, "name": name, "value": value}
            for member, row, key in sorted(_recorded_rows(members), key=itemgetter(0))
            for name, value in sorted(recorded_identities(row, key))
        ]

        def record(connection: sa.Connection) -> None:
            connection.execute(self._record, rows)
            if identities:
                connection.execute(self._record_identity, identities)

        if rows:
            self.run(record)

    def forget_members(self, key: bytes, members: Iterable[ListMember]) -> None:
        """Delete members of a list, from any feed, because they were removed."""
        digests = _digests(members)

        def forget(connection: sa.Connection) -> None:
            for some in _chunks(digests):
                for table in (_members, _identities):
                    is_one = sa.and_(_is_of_list(key, table), table.c.member.in_(some))
                    connection.execute(table.delete().where(is_one))

        if digests:
            self.run(forget)

    def is_on_record(self, key: bytes, member: ListMember) -> bool:
        """Return whether a list has a member on record, from any feed."""
        is_one = sa.and_(_is_of_list(key), _members.c.member == member_digest(member))
        query = sa.select(sa.exists().where(is_one))
        return self.run(lambda connection: bool(connection.scalar(query)))

    def rows_with(
        self, key: bytes, identities: Collection[RecordedIdentity]
    ) -> dict[ListRow, set[RecordedIdentity]]:
        """Return a list's recorded rows with any of the identities, each with those it has.

        A row has what was recorded: nothing plain.
        """
        wanted = set(identities)
        values = sorted({value for _, value in wanted})

        def read(connection: sa.Connection) -> dict[ListRow, set[RecordedIdentity]]:
            found: dict[bytes, set[RecordedIdentity]] = {}
            for some in _chunks(values):
                is_one = sa.and_(_is_of_list(key, _identities), _identities.c.value.in_(some))
                for member, name, value in connection.execute(_identity_query.where(is_one)):
                    if (name, bytes(value)) in wanted:
                        found.setdefault(bytes(member), set()).add((name, bytes(value)))
            rows = _rows_on_record(connection, key, list(found))
            return {row: found[member] for member, row in rows.items()}

        return self.run(read) if wanted else {}

    def complete_refreshes(self) -> None:
        """Record that every refresh that was begun here ended successfully."""
        feeds = list(self._refresh_numbers)
        if not feeds:
            return
        # A refresh without members is not one: after a run that was killed just after its success,
        # the next one has nothing left to read.
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

    # For prune

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
        """Return how many recorded members a list has."""
        number = sa.func.count(sa.distinct(_members.c.member))
        query = sa.select(number).where(_is_of_list(key))

        def read(connection: sa.Connection) -> int:
            return int(connection.execute(query).scalar_one())

        return self.run(read)

    def leavers(self, key: bytes, streams: Sequence[str]) -> list[ListMember]:
        """Return the recorded members who were in the current refresh of none of the streams."""
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

        def read(connection: sa.Connection) -> list[ListMember]:
            digests = [bytes(digest) for (digest,) in connection.execute(query)]
            rows = _rows_on_record(connection, key, digests)
            return [rows.get(digest) or digest.hex() for digest in digests]

        return self.run(read)

    def _upsert(self, table: sa.Table, column: str) -> Any:
        insert = self.kind.insert(table)
        return insert.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={column: insert.excluded[column]},
        )


def member_digest(member: ListMember) -> bytes:
    """Return a member's digest for the record; for a row, that of its hashed identifiers."""
    if isinstance(member, str):
        return bytes.fromhex(member)
    texts = [getattr(member, name) or "" for name in HASHED_FIELDS]
    return hashing.digest_key("\0".join(texts), _DIGEST_BYTES)


def _recorded_rows(
    members: Mapping[ListMember, Identity | None],
) -> Iterator[tuple[bytes, ListRow, Identity | None]]:
    for row, key in members.items():
        if isinstance(row, ListRow):
            yield member_digest(row), row, key


def _rows_on_record(
    connection: sa.Connection, key: bytes, members: Sequence[bytes]
) -> dict[bytes, ListRow]:
    """Return the members that are rows, from their recorded values."""
    fields: dict[bytes, dict[str, str]] = {}
    for some in _chunks(members):
        is_one = sa.and_(_is_of_list(key, _identities), _identities.c.member.in_(some))
        is_field = _identities.c.name.in_(HASHED_FIELDS)
        for member, name, value in connection.execute(_identity_query.where(is_one, is_field)):
            fields.setdefault(bytes(member), {})[name] = bytes(value).hex()
    return {member: ListRow(**given) for member, given in fields.items()}


def _digests(members: Iterable[ListMember]) -> list[bytes]:
    """Sorted, so that two processes cannot deadlock."""
    return sorted({member_digest(member) for member in members})


def _chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _MEMBERS_AT_ONCE):
        yield items[start : start + _MEMBERS_AT_ONCE]


def _is_of_list(key: bytes, table: sa.Table = _members) -> Any:
    feeds = sa.select(_feeds.c.feed).where(_feeds.c.list == key)
    return table.c.feed.in_(feeds)

"""The record of full refreshes in plain dictionaries: the model for the one in a database."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from given import Clock
from target_pinterest_capi.customer_lists.full_refreshes import FeedState


@dataclass
class Feed:
    """What one stream contributes to one list."""

    key: bytes
    stream: str
    refresh: int
    complete: bool
    at: int


@dataclass
class SharedRefreshes:
    """What several runs share. `now` is Unix time."""

    now: Callable[[], float] = field(default_factory=Clock)
    feeds: dict[bytes, Feed] = field(default_factory=dict)
    members: dict[tuple[bytes, str], int] = field(default_factory=dict)  # refresh, by feed and who


class RunRefreshes:
    """The record as one run sees it."""

    def __init__(self, shared: SharedRefreshes) -> None:
        self.shared = shared
        self.begun: dict[bytes, int] = {}

    def begin_refresh(self, key: bytes, feed: bytes, stream: str) -> None:
        last = self.shared.feeds.get(feed)
        number = 1 if last is None else last.refresh + last.complete
        self.shared.feeds[feed] = Feed(key, stream, number, False, int(self.shared.now()))
        self.begun[feed] = number

    def record_members(self, feed: bytes, members: Collection[str]) -> None:
        number = self.begun[feed]
        self.shared.members.update({(feed, member): number for member in members})

    def forget_members(self, key: bytes, members: Collection[str]) -> None:
        for feed in self._feeds_of(key):
            for member in members:
                self.shared.members.pop((feed, member), None)

    def is_on_record(self, key: bytes, member: str) -> bool:
        return member in self._members_of(key)

    def rows_with(self, _: bytes, identities: Collection[object]) -> dict[object, set[object]]:
        """Return nothing: no member is a row of several identifiers here."""
        assert not identities
        return {}

    def complete_refreshes(self) -> None:
        for name in self.begun:
            feed = self.shared.feeds[name]
            brought = (number for (of, _), number in self.shared.members.items() if of == name)
            if feed.refresh in brought:
                feed.complete = True
                feed.at = int(self.shared.now())

    def feed_states(self, key: bytes) -> list[FeedState]:
        feeds = [feed for feed in self.shared.feeds.values() if feed.key == key]
        states = [FeedState(feed.stream, feed.complete, feed.at) for feed in feeds]
        return sorted(states, key=lambda state: state.stream)

    def count_members(self, key: bytes) -> int:
        return len(self._members_of(key))

    def leavers(self, key: bytes, streams: Sequence[str]) -> list[str]:
        current = {
            member
            for (name, member), number in self.shared.members.items()
            if name in self._feeds_of(key)
            and self.shared.feeds[name].refresh == number
            and self.shared.feeds[name].stream in streams
        }
        return sorted(self._members_of(key) - current)

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _feeds_of(self, key: bytes) -> list[bytes]:
        return [name for name, feed in self.shared.feeds.items() if feed.key == key]

    def _members_of(self, key: bytes) -> set[str]:
        feeds = self._feeds_of(key)
        return {member for name, member in self.shared.members if name in feeds}

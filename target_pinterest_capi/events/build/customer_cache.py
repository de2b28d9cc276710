"""The customers of recent events, so that those of one person are converted and encoded once.

A person is a hash of all the values that the customer is made from: Python's own, with a key that
is random for each process, so that nothing plain is kept. It has 64 bits: in a run of ten million
events the chance that one finds the customer of somebody else is 1 in 50 million.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import count
from typing import Any, Final

from msgspec import Raw, Struct

from target_pinterest_capi.events.build.converters import Note
from target_pinterest_capi.events.event import encode

CACHED_CUSTOMERS: Final = 32_768  # of all streams; 1.2 kB each
EXAMINED_EVERY: Final = 4_096  # customers
RESTS: Final = 16  # times as many new people as are kept, if hardly anybody comes again


class Customer(Struct, frozen=True, gc=False):
    """The members of `user_data` that a person's events have in common.

    `encoded` is an object with them, as JSON, and `leaves` are their names. `agent_warning` is
    about the user agent; empty if there is none.
    """

    encoded: Raw
    leaves: frozenset[str]
    agent_warning: str

    def __repr__(self) -> str:
        return f"Customer({sorted(self.leaves)})"

    def joined(self, members: Mapping[str, Any]) -> Raw:
        """Return an object with more members, after those of the person."""
        more = encode(members)
        return Raw(bytes(self.encoded)[:-1] + b"," + more[1:] if self.leaves else more)


def encoded(members: Mapping[str, Any], agent_warnings: Mapping[str, str]) -> Customer:
    """Return the customer with `members`; `agent_warnings` has one for any user agent."""
    agent = members.get("client_user_agent")
    warning = "" if agent is None else agent_warnings[agent]
    return Customer(Raw(encode(members)), _set_of(tuple(members)), warning)


@lru_cache(maxsize=1_024)
def _set_of(names: tuple[str, ...]) -> frozenset[str]:
    """Return the same set for all people of whom the same is known."""
    return frozenset(names)


class CustomerCache(dict[int, Customer]):
    """Customers by person, of all streams; emptied when it is full, as people come and go.

    A person is of one builder: its hash includes one of `numbers`, each of which is taken once. A
    customer with a value of which something was noted is not kept, because that is counted for each
    event. `hits` are the customers that were found since the cache was empty: with too few of them
    it rests, as in a stream of orders, where nearly everyone is there once.
    """

    __slots__ = ("_examined_every", "_resting", "_size", "hits", "notes", "numbers")

    def __init__(self, size: int = CACHED_CUSTOMERS, examined_every: int = EXAMINED_EVERY) -> None:
        super().__init__()
        self.numbers = count()
        self.notes = 0
        self.hits = 0
        self._size = size
        self._examined_every = examined_every
        self._resting = 0  # for so many new people

    def counting(self, note: Note) -> Note:
        """Return the function that notes, and counts in `notes`."""

        def counted(field: str, reason: str) -> None:
            self.notes += 1
            note(field, reason)

        return counted

    def keep(self, person: int, customer: Customer) -> None:
        """Keep a new person's customer, unless the cache rests."""
        if not self._resting:
            if len(self) % self._examined_every == 0 or len(self) >= self._size:
                self._examine()
            self[person] = customer
        else:
            self._resting -= 1

    def _examine(self) -> None:
        """Empty the cache if it is full, and also let it rest if it is of little use.

        Where P people come in any order, kept * kept / (2 * P) of the events are hits. It is of
        little use if P is more than twice its size.
        """
        kept = len(self)
        is_useless = 4 * self._size * self.hits < kept * kept
        if is_useless or kept >= self._size:
            self.clear()
            self.hits = 0
            self._resting = RESTS * self._size if is_useless else 0

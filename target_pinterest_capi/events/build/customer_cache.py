"""The customers of recent events, so that those of one person are converted and hashed once.

A person is a hash of all the texts that the customer is made from: Python's own, with a key that is
random for each process, so that nothing plain is kept. It has 64 bits: in a run of ten million
events the chance that one finds the customer of somebody else is 1 in 50 million.
"""

from itertools import count
from typing import Any, Final

from target_pinterest_capi.events.build.converters import Note

CACHED_CUSTOMERS: Final = 32_768  # of all streams; 1.2 kB each
EXAMINED_EVERY: Final = 4_096  # customers
RESTS: Final = 16  # times as many new people as are kept, if hardly anybody comes again

Customer = dict[str, Any]


class CustomerCache(dict[int, Customer]):
    """Customers by person, of all streams; emptied when it is full, as people come and go.

    A person is of one builder: its hash includes one of `builder_numbers`. A customer with a value
    of which something was noted is not kept, because that is counted for each event. `hits` are the
    customers that were found since the cache was empty: with too few of them it rests, as in a
    stream of orders, where nearly everyone is there once.
    """

    def __init__(self, size: int = CACHED_CUSTOMERS, examined_every: int = EXAMINED_EVERY) -> None:
        super().__init__()
        self.builder_numbers = count()
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
        """Keep a copy of a new person's customer, unless the cache rests."""
        if not self._resting:
            if len(self) % self._examined_every == 0 or len(self) >= self._size:
                self._examine()
            self[person] = customer.copy()
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

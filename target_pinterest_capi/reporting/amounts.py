"""What events were worth: exact sums of custom_data.value by event name and currency."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

NO_CURRENCY: Final = ""  # the ad account's own applies


class Amount(NamedTuple):
    """The events of a name with a value in one currency, and the sum of these values."""

    event_name: str
    currency: str
    events: int
    value: Decimal


class Amounts:
    """Sums of values. The caller bounds the number of names."""

    def __init__(self) -> None:
        self._events: Counter[tuple[str, str]] = Counter()
        self._values: dict[tuple[str, str], Decimal] = {}

    def add_values(self, name: str, currency: str | None, values: Iterable[str | None]) -> None:
        """Add the values of events of one name and currency, those that have one."""
        texts = list(filter(None, values))
        if texts:
            total = sum(map(Decimal, texts), Decimal())
            self._add((name, currency or NO_CURRENCY), len(texts), total)

    def merge(self, other: "Amounts") -> None:
        """Add the counts of another part of the same run."""
        for row in other.rows():
            self._add((row.event_name, row.currency), row.events, row.value)

    def rows(self) -> list[Amount]:
        """Return the sums for each event name and currency; those with most events first."""
        return [
            Amount(name, currency, events, self._values[name, currency])
            for (name, currency), events in self._events.most_common()
        ]

    def _add(self, key: tuple[str, str], events: int, value: Decimal) -> None:
        self._events[key] += events
        self._values[key] = self._values.get(key, Decimal()) + value

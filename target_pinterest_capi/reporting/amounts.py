"""What events were worth: exact sums of custom_data.value by event name and currency."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from target_pinterest_capi.reporting.bodies import EventBody

NO_CURRENCY: Final = ""  # the ad account's own counts


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

    def add_values(self, name: str, bodies: Sequence[EventBody]) -> None:
        """Add the values of events of one name."""
        for body in bodies:
            custom = body.custom_data
            if custom is msgspec.UNSET or custom.value is msgspec.UNSET:
                continue
            currency = NO_CURRENCY if custom.currency is msgspec.UNSET else custom.currency
            self._add((name, currency), 1, Decimal(custom.value))

    def merge(self, other: "Amounts") -> None:
        """Add what another part of the same run counted."""
        for row in other.rows():
            self._add((row.event_name, row.currency), row.events, row.value)

    def rows(self) -> list[Amount]:
        """Return the sums, the events of each name and currency together; most events first."""
        return [
            Amount(name, currency, events, self._values[name, currency])
            for (name, currency), events in self._events.most_common()
        ]

    def _add(self, key: tuple[str, str], events: int, value: Decimal) -> None:
        self._events[key] += events
        self._values[key] = self._values.get(key, Decimal()) + value

"""What events were worth: exact sums of custom_data.value by event name and currency."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import fsum
from typing import Final, NamedTuple

NO_CURRENCY: Final = ""  # the ad account's own applies
_EXACT_BELOW: Final = 1e12  # see `exact_sum`
_DIGITS_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")


def exact_sum(texts: Sequence[str]) -> Decimal:
    """Return the sum of decimal numbers, with as many decimals as the longest fraction.

    A double has an error of at most 2**-53 of its value. So a sum of doubles below a trillion is
    less than half a hundredth from the exact one. If no fraction is longer than that, the exact sum
    is the nearest number of hundredths, and takes half as long as with decimals.
    """
    shapes = ",".join(texts).encode().translate(_DIGITS_AS_ZEROS)  # 12.50 and 3: b"00.00,0"
    if b".000" not in shapes and not shapes.strip(b"0.,"):
        about = fsum(map(float, texts))
        if about < _EXACT_BELOW:
            decimals = (b"." in shapes) + (b".00" in shapes)
            return Decimal(round(about * 10**decimals)).scaleb(-decimals)
    return sum(map(Decimal, texts), Decimal())


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
            self._add((name, currency or NO_CURRENCY), len(texts), exact_sum(texts))

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

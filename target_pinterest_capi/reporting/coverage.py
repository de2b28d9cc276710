"""Match-key coverage: how many delivered events have each component of the event quality score.

Has numbers and no part of an event.
"""

from collections.abc import Iterable, Mapping
from operator import add

from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.traits import Traits


class Coverage:
    """Counts components by event name. The caller bounds the number of names."""

    def __init__(self) -> None:
        self._carrying: dict[str, list[int]] = {}

    def count_components(self, name: str, events: Mapping[Traits, int]) -> None:
        """Count the components of events of one name; `events` has how many are alike."""
        for traits, number in events.items():
            self._add(name, [number * has for has in traits.components])

    def merge(self, other: "Coverage", names: Iterable[str]) -> None:
        """Add the counts of another part of the same run."""
        for name in names:
            self._add(name, list(other.carrying(name).values()))

    def _add(self, name: str, counts: list[int]) -> None:
        held = self._carrying.get(name)
        if held is not None:
            counts = list(map(add, held, counts))
        self._carrying[name] = counts

    def carrying(self, name: str) -> dict[str, int]:
        """Return how many events of a name have each component, by its name."""
        counts = self._carrying.get(name, [0] * len(COMPONENTS))
        return {component.name: count for component, count in zip(COMPONENTS, counts, strict=True)}

"""Match-key coverage: how many delivered events have each component of the event quality score.

Has numbers and no part of an event.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.traits import Traits


class Coverage:
    """Counts components by event name. The caller bounds the number of names."""

    def __init__(self) -> None:
        # Of each name, how many events have the same components.
        self._alike: defaultdict[str, Counter[tuple[bool, ...]]] = defaultdict(Counter)

    def count_components(self, name: str, events: Mapping[Traits, int]) -> None:
        """Count the components of events of one name; `events` has how many are alike."""
        alike = self._alike[name]
        for traits, number in events.items():
            alike[traits.components] += number

    def merge(self, other: "Coverage", names: Iterable[str]) -> None:
        """Add the counts of another part of the same run."""
        for name in names:
            self._alike[name].update(other._alike[name])  # noqa: SLF001 - its own kind

    def carrying(self, name: str) -> dict[str, int]:
        """Return how many events of a name have each component, by its name."""
        alike = self._alike[name]
        return {
            component.name: sum(number for has, number in alike.items() if has[position])
            for position, component in enumerate(COMPONENTS)
        }

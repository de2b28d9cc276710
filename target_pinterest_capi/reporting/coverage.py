"""Match-key coverage: how many delivered events have each component of the event quality score.

Has numbers and no part of an event.
"""

from collections.abc import Iterable, Sequence
from operator import add
from typing import Final

import msgspec

from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.reporting.bodies import CustomBody, EventBody, Present

_NOTHING: Final = CustomBody()


class Coverage:
    """Counts components by event name. The caller bounds the number of names."""

    def __init__(self) -> None:
        self._carrying: dict[str, list[int]] = {}

    def count_components(self, name: str, bodies: Sequence[EventBody]) -> None:
        """Count the components of events of one name."""
        self._add(name, _carrying(bodies))

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


def _carrying(bodies: Sequence[EventBody]) -> list[int]:
    """Return how many events have each component, in the order of `COMPONENTS`."""
    absent = msgspec.UNSET
    users = [body.user_data for body in bodies]
    customs = [_NOTHING if body.custom_data is absent else body.custom_data for body in bodies]
    return [
        sum([user.em is not absent for user in users]),
        sum([user.hashed_maids is not absent for user in users]),
        sum([user.client_ip_address is not absent for user in users]),
        sum([user.client_user_agent is not absent for user in users]),
        sum([user.click_id is not absent for user in users]),
        sum([user.external_id is not absent for user in users]),
        len(bodies),  # required
        sum([custom.order_id is not absent for custom in customs]),
        sum([custom.value is not absent for custom in customs]),
        sum([custom.content_ids is not absent or _has_id(custom.contents) for custom in customs]),
        sum([body.event_source_url is not absent for body in bodies]),
    ]


def _has_id(contents: Present) -> bool:
    """Return whether an item has an id.

    No text in JSON contains an unescaped quote, so these bytes can only be a member's name.
    """
    return isinstance(contents, msgspec.Raw) and b'"id":' in bytes(contents)

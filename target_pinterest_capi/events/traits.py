"""What a report counts of an event and many others have too: one object for all of these events.

So counting a batch means counting objects. Has the currency and no other value of an event.
"""

from collections.abc import Sequence
from itertools import compress
from typing import Any, Final

from target_pinterest_capi.events.components import COMPONENTS

MAX_KEPT: Final = 10_000  # more than there are of Pinterest's own sources in a few currencies


class Traits:
    """What events have in common.

    `components` is whether they have each of `COMPONENTS`, in that order; `currency` is that of
    `custom_data`. `has_derived_id`: their records have no id of their own. Compares by identity;
    two objects may say the same.
    """

    __slots__ = ("action_source", "components", "currency", "has_derived_id")

    def __init__(
        self,
        action_source: str,
        currency: str | None,
        has_derived_id: bool,
        components: tuple[bool, ...],
    ) -> None:
        self.action_source = action_source
        self.currency = currency
        self.has_derived_id = has_derived_id
        self.components = components


class _TraitsOf(dict[tuple[Any, ...], Traits]):
    def __missing__(self, key: tuple[Any, ...]) -> Traits:
        source, currency, has_derived_id, *components = key
        traits = Traits(source, currency, bool(has_derived_id), tuple(map(bool, components)))
        if len(self) < MAX_KEPT:
            self[key] = traits
        return traits


# By action_source, currency, whether the id is derived, and whether each component is there.
traits_of: Final = _TraitsOf()


class TraitsOfMembers(dict[tuple[Any, ...], Traits]):
    """The traits of events whose members with these `paths` may be there or not.

    By action_source, currency, whether the id is derived, the leaves of a known person's
    `user_data`, and then whether each of `paths` is there.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__()
        self._paths = paths

    def __missing__(self, key: tuple[Any, ...]) -> Traits:
        source, currency, has_derived_id, leaves, *are_there = key
        there = {"event_id", *(f"user_data.{leaf}" for leaf in leaves)}
        there.update(compress(self._paths, are_there))
        components = [not there.isdisjoint(component.fields) for component in COMPONENTS]
        traits = traits_of[source, currency, has_derived_id, *components]
        if len(self) < MAX_KEPT:
            self[key] = traits
        return traits

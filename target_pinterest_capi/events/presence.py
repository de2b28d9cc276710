"""Which components of Pinterest's event quality score an event has, and its action_source.

Many events have the same, so there is one object for all of them, and counting a batch means
counting objects. Has no values.
"""

from typing import Any, Final

from target_pinterest_capi.events.components import COMPONENTS

MAX_KEPT: Final = 10_000  # more than there are of Pinterest's own sources


class Presence:
    """The `action_source` of events, and whether they have each of `COMPONENTS`, in that order.

    Compares by identity; two objects may say the same.
    """

    __slots__ = ("action_source", "components")

    def __init__(self, action_source: str, components: tuple[bool, ...]) -> None:
        self.action_source = action_source
        self.components = components


class _Presences(dict[tuple[str | bool, ...], Presence]):
    def __missing__(self, key: tuple[str | bool, ...]) -> Presence:
        source, *components = key
        presence = Presence(str(source), tuple(map(bool, components)))
        if len(self) < MAX_KEPT:
            self[key] = presence
        return presence


class _PresencesOfPeople(dict[tuple[Any, ...], Presence]):
    def __missing__(self, key: tuple[Any, ...]) -> Presence:
        source, leaves, *others = key
        paths = {f"user_data.{leaf}" for leaf in leaves}
        components = [
            is_there or not paths.isdisjoint(component.fields)
            for component, is_there in zip(COMPONENTS, others, strict=True)
        ]
        presence = presences[source, *components]
        if len(self) < MAX_KEPT:
            self[key] = presence
        return presence


# By action_source, and whether each component is there.
presences: Final = _Presences()
# The same for events of known people: by action_source, the leaves of the person's `user_data`, and
# whether the rest of the event has each component.
presences_of_people: Final = _PresencesOfPeople()

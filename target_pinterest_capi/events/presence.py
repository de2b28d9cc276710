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


class _PresencesOfMembers(dict[tuple[Any, ...], Presence]):
    def __missing__(self, key: tuple[Any, ...]) -> Presence:
        source, leaves, has_products, has_url, *members = key
        there = {*leaves, *members}
        others = {
            "event_id": True,
            "event_source_url": has_url,
            "custom_data.content_ids": has_products,
            "custom_data.contents": has_products,
        }
        components = [
            any(others.get(path, path.rpartition(".")[2] in there) for path in component.fields)
            for component in COMPONENTS
        ]
        presence = presences[source, *components]
        if len(self) < MAX_KEPT:
            self[key] = presence
        return presence


# By action_source, and whether each component is there.
presences: Final = _Presences()
# The same by action_source, the leaves of a known person's `user_data`, whether there are products
# with ids, whether there is `event_source_url`, and then the leaves of the rest of `user_data` and
# of `custom_data`, each of which is in one of these only.
presences_of_members: Final = _PresencesOfMembers()

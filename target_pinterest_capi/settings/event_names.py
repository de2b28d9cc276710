"""The event names that may be shown: Pinterest's, and those in the configuration.

Any other name is from a record. It may be an address from a column that was mapped by mistake, so
it is counted without being named.
"""

from collections.abc import Iterator
from typing import Any, Final

from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.expressions.analysis import literals
from target_pinterest_capi.settings.model import Settings
from target_pinterest_capi.settings.problems import Problem
from target_pinterest_capi.settings.values import ALL_EVENTS

PRESET_WITHOUT_NAMES: Final = "pinterest"


def known_event_names(settings: Settings) -> frozenset[str]:
    """Return the names that logs, reports and checks may show."""
    return sendable_event_names(settings) | settings.quality.keys() - {ALL_EVENTS}


def sendable_event_names(settings: Settings) -> frozenset[str]:
    """Return Pinterest's names and those that entries and defaults have."""
    return frozenset(EVENT_NAMES) | {
        name for name in configured_event_names(settings) if isinstance(name, str)
    }


def own_event_names(settings: Settings) -> list[str]:
    """Return the names that the settings send as constants and that are not Pinterest's."""
    entries = settings.mappings or ()
    names = [
        level.get("event_name") for level in (settings.defaults, *(e.defaults for e in entries))
    ]
    for entry in entries:
        names += entry.event_names.values()
    found = {name for name in names if isinstance(name, str)}
    return sorted(found.difference(EVENT_NAMES))


def configured_event_names(settings: Settings) -> Iterator[Any]:
    """Yield the constant event names in the settings; None for a level without one."""
    entries = settings.mappings or ()
    for level in (settings.defaults, *(entry.defaults for entry in entries)):
        yield level.get("event_name")
    for entry in entries:
        yield from entry.event_names
        yield from entry.event_names.values()
        yield from literals(*entry.fields.get("event_name") or ())


def names_without_effect(settings: Settings) -> Iterator[Problem]:
    """Yield each entry's `event_names` that send nothing: all are null, and others are skipped."""
    for index, entry in enumerate(settings.mappings or ()):
        targets = entry.event_names.values()
        sends_others = entry.unlisted_names == "send" or any(
            level.get("event_name") for level in (entry.defaults, settings.defaults)
        )
        has_names_of_a_preset = entry.preset not in (None, PRESET_WITHOUT_NAMES)
        if targets and not any(targets) and not sends_others and not has_names_of_a_preset:
            yield Problem(
                f"mappings[{index}].event_names",
                "sends nothing: each name is null, and all others are skipped. Add the names to "
                "send, or unlisted_names: send, which sends the others as they are",
            )

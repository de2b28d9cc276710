"""Settings that are valid and have no effect, because another one is missing.

Judged by their values: a setting that is at its default changes nothing, whoever gave it. Meltano
gives all of them.
"""

from collections.abc import Iterator
from typing import Final

from target_pinterest_capi.settings.model import Settings
from target_pinterest_capi.settings.objects import CustomerListEntry
from target_pinterest_capi.settings.problems import Problem

# Each setting with the one without which nothing reads it.
NEEDED: Final = {
    "notify_format": "notify_url",
    "notify_on": "notify_url",
    "on_low_quality": "quality",
    "results_events": "results_url",
    "results_retention_days": "results_url",
}


def odd_settings(settings: Settings) -> Iterator[Problem]:
    """Yield each setting that has no effect without another one."""
    for name, needed in NEEDED.items():
        is_changed = getattr(settings, name) != Settings.model_fields[name].default
        if is_changed and not getattr(settings, needed):
            yield Problem(name, f"has no effect without {needed}: set {needed}, or remove {name}")


def odd_list(entry: CustomerListEntry, where: str) -> Iterator[Problem]:
    """Yield what has no effect in an entry of a customer list."""
    default = CustomerListEntry.model_fields["max_removed_ratio"].default
    if entry.refresh != "full" and entry.max_removed_ratio != default:
        yield Problem(
            f"{where}.max_removed_ratio",
            "has no effect without refresh: full, because it limits what `prune` removes: add "
            "refresh: full, or remove max_removed_ratio",
        )

"""Old events and the names in Ads Manager's CSV file: which of them the mappings need.

Those that its help page does not have must be in the settings. An event that needs another one
stays a dead letter.
"""

from collections.abc import Iterator
from typing import Final

from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.events.old_events import (
    BESIDE_OPT_OUT_TYPE,
    MAY_BE_NULL,
    NAMES,
    NEVER_LOST,
    OPT_OUT_TYPE,
)
from target_pinterest_capi.settings import Settings
from target_pinterest_capi.settings.event_names import configured_event_names

OLD_EVENTS: Final = "old events"
ADVICE: Final = (
    "Copy their names from the template in Ads Manager (Business, Conversions, Upload file)."
)


def check_old_events(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the names of what the mappings send are known, if old events get rows."""
    if settings.old_events_path is None:
        return
    names = NAMES.keys() | settings.old_events_names.keys()
    missing = [one for one in dict.fromkeys(_needed(settings)) if one not in names]
    if missing:
        about = f"old events with these stay dead letters: {', '.join(missing)}"
        advice = f"old_events_names does not have them. {ADVICE}"
        yield CheckResult(OLD_EVENTS, CheckStatus.WARNING, about, advice)
    else:
        about = "the names of what the mappings send are known"
        yield CheckResult(OLD_EVENTS, CheckStatus.OK, about)


def _needed(settings: Settings) -> Iterator[str]:
    """Yield what events may have that a row must not lose, and constants that need a spelling.

    Presets, and events without a mapping of their own, may have amounts.
    """
    entries = settings.mappings
    if entries is None or any(entry.preset for entry in entries):
        yield from MAY_BE_NULL
    for entry in entries or ():
        paths = {*entry.fields, *entry.defaults, *settings.defaults}
        of_opt_out = BESIDE_OPT_OUT_TYPE if OPT_OUT_TYPE in paths else ()
        yield from (path for path in (*NEVER_LOST, *of_opt_out) if path in paths)
    yield from filter(None, configured_event_names(settings))
    for level in (settings.defaults, *(entry.defaults for entry in entries or ())):
        yield from filter(None, [level.get("action_source")])

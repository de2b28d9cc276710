"""Which events Pinterest would remove as duplicates (docs/pinterest-api.md: The event)."""

from collections.abc import Mapping
from typing import Any, Final

DEDUPLICATION_SECONDS: Final = 24 * 3600  # sources say 24 to 48 hours: the shorter one


class SeenEvents:
    """When each event was first received, for the latest `keep` of them."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._times: dict[tuple[str, str, str], float] = {}

    def repeats(self, ad_account_id: str, event: Mapping[str, Any], now: float) -> bool:
        """Return whether an event is a duplicate, and remember it; offline ones never are."""
        if event["action_source"] == "offline" or not self._keep:
            return False
        key = (ad_account_id, event["event_name"], event["event_id"])
        first = self._times.get(key)
        if first is not None and now - first < DEDUPLICATION_SECONDS:
            return True
        self._times.pop(key, None)  # an old one moves to the end, so that the oldest is first
        self._times[key] = now
        if len(self._times) > self._keep:
            del self._times[next(iter(self._times))]
        return False

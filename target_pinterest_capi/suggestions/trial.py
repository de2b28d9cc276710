"""Trial of suggestions: the results of the sample's first records, whatever their age."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.pipeline.preview import Preview
from target_pinterest_capi.pipeline.previewed import EVENT, PreviewedRecord
from target_pinterest_capi.settings import Settings, load
from target_pinterest_capi.suggestions.entry import Entry

ACCOUNT: Final = "1"  # of an advertiser who is not known yet
ANY_AGE: Final = "never"
SHOWN_REASONS: Final = 3
# What happens once, and may be in several tables: orders, payments and invoices.
COUNTED_ONCE: Final = ("checkout", "signup", "lead", "subscribe")


class Trial:
    """The results of a sample's first records, by stream."""

    def __init__(self, entries: Sequence[Entry], now: Callable[[], float] = time.time) -> None:
        self.preview = Preview(settings_of(entries), now)
        self._results: dict[str, list[PreviewedRecord]] = {}
        for entry in entries:
            if entry.is_active:
                results = self._results.setdefault(entry.stream.name, [])
                for made in self.preview.read(entry.stream.lines):
                    results += made

    def events(self) -> list[PreviewedRecord]:
        """Return the events, those of each stream together."""
        every = [result for results in self._results.values() for result in results]
        return [result for result in every if result.outcome == EVENT]

    def has_no_event(self, stream: str) -> bool:
        """Return whether records of a stream were tried and none becomes an event."""
        results = self._results.get(stream, [])
        return bool(results) and not any(result.outcome == EVENT for result in results)

    def same_events(self) -> Iterator[str]:
        """Yield a warning for each event that is counted once, and that several streams make."""
        for name in COUNTED_ONCE:
            streams = [shown_name(one) for one in self._results if name in self._names(one)]
            if len(streams) > 1:
                yield (
                    f"Events of {name} come from several streams: {', '.join(streams)}. If these"
                    " have the same ones, keep one stream, or map the same event_id in all:"
                    " otherwise each event counts several times."
                )

    def _names(self, stream: str) -> set[str]:
        made = (one.event for one in self._results[stream] if one.outcome == EVENT)
        return {event["event_name"] for event in made}

    def in_words(self) -> dict[str, str]:
        """Return by stream how many of the tried records become events, and why not."""
        return {stream: _in_words(results) for stream, results in self._results.items() if results}


def settings_of(entries: Sequence[Entry]) -> Settings:
    """Return the settings for a run with the suggestions, for events of any age."""
    mappings = [entry.mapping() for entry in entries if entry.is_active]
    given = {"ad_account_id": ACCOUNT, "max_event_age_days": ANY_AGE, "mappings": mappings or None}
    return load(given, purpose="any")


def _in_words(results: Sequence[PreviewedRecord]) -> str:
    events = sum(result.outcome == EVENT for result in results)
    words = f"{events:,} of {len(results):,} tried become events"
    reasons = {
        ": ".join(filter(None, (result.reason, result.field, result.name)))
        for result in results
        if result.reason and result.outcome != EVENT
    }
    if reasons:
        words += f" (others: {', '.join(sorted(reasons)[:SHOWN_REASONS])})"
    return words

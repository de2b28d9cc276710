"""Settings of the Singer target that do nothing in Spark, and what takes their place.

A write warns of each that is set, so that nobody waits for what never comes.
"""

from collections.abc import Iterator

from target_pinterest_capi.settings import Settings
from target_pinterest_capi.settings.values import EVENTS_OF_USUAL


def without_effect(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each setting that has no effect in Spark."""
    if settings.customer_lists:
        yield (
            "customer_lists: are not supported by Spark, so their "
            f"{len(settings.customer_lists)} entries have no effect here: send their streams with "
            "the Singer target."
        )
    if settings.notify_url is not None:
        yield (
            "notify_url: has no effect here: have the job's scheduler report its end, or watch "
            "metrics_path or results_url."
        )
    if settings.telemetry != "none":
        yield (
            "telemetry: has no effect here: Spark exports its own metrics, and metrics_path has "
            "those of the write."
        )
    if any(EVENTS_OF_USUAL in asked for asked in settings.quality.values()):
        yield (
            f"quality: {EVENTS_OF_USUAL} has no effect here: ask for a number of events instead, "
            "or compare the runs at results_url."
        )

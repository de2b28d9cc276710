"""Metrics of runs in a Prometheus text file, for the collector of the node exporter.

Counters continue from those in the replaced file; gauges are the last run's. The file is replaced
atomically.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from target_pinterest_capi.events.redaction import OTHER_NAMES
from target_pinterest_capi.files.durable import replace_file
from target_pinterest_capi.files.locks import locked_beside
from target_pinterest_capi.reporting.metrics import BASE, METRICS, Labels, RunMetric
from target_pinterest_capi.reporting.report import Report

MAX_SERIES: Final = 500  # of a counter; further names are counted together
LOCK_WAIT_SECONDS: Final = 5.0

Series = dict[Labels, float]


def write_metrics(report: Report, path: str) -> bool:
    """Replace the file with the metrics up to and including this run. Raises `OSError`.

    False: the old file could not be read, and its counters start again at 0.
    """
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked_beside(place, LOCK_WAIT_SECONDS):
        before = _read(place)
        replace_file(place, encode_metrics(report, before or {}))
    return before is not None


def encode_metrics(report: Report, before: Mapping[str, Series]) -> bytes:
    """Return the file's text: the metrics of a run, added to the previous ones."""
    own = (report.run.ad_account_id, report.run.mode)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Collected(
            [
                _family(metric, _joined(metric, before.get(metric.full_name, {}), own, report))
                for metric in METRICS
            ]
        )
    )
    return generate_latest(registry)


def _joined(metric: RunMetric, before: Series, own: Labels, report: Report) -> Series:
    """Return the series of a metric after a run; those of other accounts and modes stay."""
    stays = metric.is_counter or metric.is_kept
    series = {
        labels: value for labels, value in before.items() if stays or labels[: len(own)] != own
    }
    for values, number in metric.samples(report):
        labels = own + values
        if not metric.is_counter:
            series[labels] = number
            continue
        if labels not in series and len(series) >= MAX_SERIES:
            labels = own + tuple(OTHER_NAMES for _ in values)
        series[labels] = series.get(labels, 0) + number
    return series


def _family(metric: RunMetric, series: Series) -> Metric:
    kind = CounterMetricFamily if metric.is_counter else GaugeMetricFamily
    family = kind(metric.full_name, metric.about, labels=(*BASE, *metric.labels))
    for labels, value in series.items():
        family.add_metric(labels, value)
    return family


class _Collected(Collector):
    """Existing families of metrics."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Yield each of them."""
        yield from self._families


def _read(place: Path) -> dict[str, Series] | None:
    """Return the series in a file by their metric; None if it cannot be parsed."""
    try:
        text = place.read_text()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        return None
    labels = {metric.full_name: (*BASE, *metric.labels) for metric in METRICS}
    series: dict[str, Series] = {}
    try:
        families = list(text_string_to_metric_families(text))
    except (ValueError, IndexError):  # the parser raises both
        return None
    for sample in chain.from_iterable(family.samples for family in families):
        own = labels.get(sample.name)
        if own is not None and set(own) == set(sample.labels):
            values = tuple(sample.labels[name] for name in own)
            series.setdefault(sample.name, {})[values] = sample.value
    return series

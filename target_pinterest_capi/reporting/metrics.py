"""The metrics of a run: names, labels and where each number is in the report.

Owns the names: docs/operations.md has the table of them. Labels are names from the configuration,
of streams as reports show them, and Pinterest's; never a value of a record.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.reporting.report import Report

PREFIX: Final = "target_pinterest_capi_"
BASE: Final = ("ad_account_id", "mode")  # labels of every metric
_SENDING: Final = "first"

Labels = tuple[str, ...]  # values, in the order of the metric's labels
Sample = tuple[Labels, float]


class RunMetric(NamedTuple):
    """A metric: its name without the prefix, and its samples for a run.

    `labels` come after those of `BASE`. `is_kept`: if a run has no sample, the last one is kept.
    """

    name: str
    about: str
    labels: Labels
    samples: Callable[[Report], Iterator[Sample]]
    is_kept: bool = False

    @property
    def is_counter(self) -> bool:
        """Whether runs are added up."""
        return self.name.endswith("_total")

    @property
    def full_name(self) -> str:
        """The exported name."""
        return PREFIX + self.name


def _one(read: Callable[[Report], float]) -> Callable[[Report], Iterator[Sample]]:
    def samples(report: Report) -> Iterator[Sample]:
        yield (), read(report)

    return samples


def _runs(report: Report) -> Iterator[Sample]:
    yield (str(report.run.exit_code),), 1


def _outcomes(counts: str) -> Callable[[Report], Iterator[Sample]]:
    def samples(report: Report) -> Iterator[Sample]:
        for row in report.outcomes:
            if row.counts == counts:
                for outcome in ("delivered", "invalid", "rejected", "skipped"):
                    names = (row.stream, shown_name(row.mapping), outcome)
                    yield names, getattr(row, outcome)

    return samples


def _reasons(report: Report) -> Iterator[Sample]:
    for row in report.reasons:
        yield (row.outcome, row.reason), row.events


def _requests(report: Report) -> Iterator[Sample]:
    requests = report.requests
    yield (_SENDING,), requests.sent - requests.repeated - requests.bisecting
    yield ("retry",), requests.repeated
    yield ("bisect",), requests.bisecting


def _last_success(report: Report) -> Iterator[Sample]:
    if report.run.exit_code == 0:
        yield (), report.run.ended_at.timestamp()


def _coverage(report: Report) -> Iterator[Sample]:
    for name in report.delivered.by_event_name:
        for component, covered in name.components.items():
            yield (name.event_name, component), round(covered.events / (name.events or 1), 4)


def _amounts(report: Report) -> Iterator[Sample]:
    for row in report.amounts:
        yield (row.event_name, row.currency or ""), float(row.delivered)


def _version(report: Report) -> Iterator[Sample]:
    yield (report.run.versions["target-pinterest-capi"],), 1


METRICS: Final = (
    RunMetric("runs_total", "Runs that ended.", ("exit_code",), _runs),
    RunMetric(
        "records_total", "Records that were read.", (), _one(lambda report: report.run.records)
    ),
    RunMetric(
        "events_total",
        "Events by outcome: delivered, invalid, rejected or skipped.",
        ("stream", "mapping", "outcome"),
        _outcomes("events"),
    ),
    RunMetric(
        "list_members_total",
        "Members of customer lists by outcome.",
        ("stream", "list", "outcome"),
        _outcomes("members"),
    ),
    RunMetric(
        "undelivered_total",
        "Events and members that were not delivered, by reason.",
        ("outcome", "reason"),
        _reasons,
    ),
    RunMetric(
        "requests_total",
        "Requests to Pinterest: the first of a batch, a retry, or to bisect a refused request.",
        ("purpose",),
        _requests,
    ),
    RunMetric(
        "dead_letters_total",
        "Lines written to the dead letters.",
        (),
        _one(lambda report: report.run.dead_letters_written),
    ),
    RunMetric(
        "states_total",
        "STATE messages that were written.",
        (),
        _one(lambda report: report.run.states_written),
    ),
    RunMetric(
        "last_run_timestamp_seconds",
        "When the last run ended.",
        (),
        _one(lambda report: report.run.ended_at.timestamp()),
    ),
    RunMetric(
        "last_success_timestamp_seconds",
        "When the last run with exit code 0 ended.",
        (),
        _last_success,
        is_kept=True,
    ),
    RunMetric(
        "last_run_exit_code",
        "How it ended.",
        (),
        _one(lambda report: report.run.exit_code),
    ),
    RunMetric(
        "last_run_duration_seconds",
        "How long it took.",
        (),
        _one(lambda report: report.run.seconds),
    ),
    RunMetric(
        "last_run_without_outcome",
        "Events and members that wait for the next run.",
        (),
        _one(lambda report: report.run.without_outcome),
    ),
    RunMetric(
        "last_run_late_online_events",
        "Web and app events that reached Pinterest over an hour after they happened.",
        (),
        _one(lambda report: report.delivered.delays.late_online),
    ),
    RunMetric(
        "last_run_low_quality",
        "Quality gates that it failed.",
        (),
        _one(lambda report: len(report.low_quality)),
    ),
    RunMetric(
        "last_run_coverage_ratio",
        "Share of delivered events, 0 to 1, that have a component of the event quality score.",
        ("event_name", "component"),
        _coverage,
    ),
    RunMetric(
        "last_run_delivered_value",
        "Sum of custom_data.value of delivered events.",
        ("event_name", "currency"),
        _amounts,
    ),
    RunMetric("build_info", "1; the label is the version.", ("version",), _version),
)

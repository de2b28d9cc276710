"""The results calculated from samples.

Everything is a median of interleaved rounds. Every rate is without the start-up, the case's time
with a single record: the rest is the cost of records. Ratios, and the project's goals, are of
these.
"""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.cases import BOTH_CORES, Sample

MIB: Final = 1024 * 1024


class Rate(NamedTuple):
    """A case's results: records per second in each round, and medians of CPU time and memory.

    `skipped` is the reason if there are none.
    """

    name: str
    about: str
    rates: tuple[float, ...] = ()
    start_seconds: float = 0.0
    start_cpu_seconds: float = 0.0
    cpu_us: float = 0.0
    peak_mib: float = 0.0
    skipped: str = ""

    @property
    def rate(self) -> float:
        """Return the median of the rounds."""
        return median(self.rates) if self.rates else 0.0

    @property
    def spread(self) -> float:
        """Return the distance between the slowest and fastest round, divided by the median."""
        return (max(self.rates) - min(self.rates)) / self.rate if self.rates else 0.0


class Reach(NamedTuple):
    """One goal: `value` is the measured value, or None if it was not measured.

    The wanted value is a minimum (`at_least`) or otherwise a maximum. `by_cpu` is the same ratio of
    CPU times, if that makes sense.
    """

    what: str
    wanted: float
    value: float | None
    unit: str = ""
    at_least: bool = True
    by_cpu: float | None = None

    @property
    def holds(self) -> bool | None:
        """Return whether it is reached, or None if it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.wanted if self.at_least else self.value <= self.wanted


def rate_of(name: str, about: str, samples: Sequence[Sample], starts: Sequence[Sample]) -> Rate:
    """Return a case's results from its runs, and from its runs on a single record."""
    start = median(sample.took.wall_seconds for sample in starts)
    start_cpu = median(sample.took.cpu_seconds for sample in starts)
    return Rate(
        name,
        about,
        tuple(sample.records / max(1e-9, sample.took.wall_seconds - start) for sample in samples),
        start,
        start_cpu,
        median(cpu_us(sample, start_cpu) for sample in samples),
        median(sample.took.peak_bytes for sample in samples) / MIB,
    )


def cpu_us(sample: Sample, start_cpu_seconds: float) -> float:
    """Return the microseconds of CPU time per record in a run, without the start-up."""
    return (sample.took.cpu_seconds - start_cpu_seconds) / sample.records * 1e6


def decades(marks: Mapping[str, float]) -> dict[str, float]:
    """Return microseconds per record between powers of ten of received events, from 10,000 on."""
    found = sorted((int(events), at) for events, at in marks.items() if int(events) >= 1000)  # noqa: PLR2004
    return {
        f"{below:,} to {above:,}": (end - begin) / (above - below) * 1e6
        for (below, begin), (above, end) in pairwise(found)
        if above > 10_000  # noqa: PLR2004 - fewer are over before senders and memory are stable
    }


def reach(
    rates: Mapping[str, Rate],
    peak_mib: float | None,
    first_request_seconds: float | None,
    growth: float | None,
    shops: Sequence["ShopRow"] = (),
    about_seconds: float | None = None,
) -> list[Reach]:
    """Return every goal of the project's speed.

    `growth` is a record's CPU time in a long run over that in a short one.
    """
    of_events = [row.to_flat_by_bytes for row in shops if row.name in EVENT_STREAMS]
    of_orders = [row.to_flat for row in shops if row.name not in EVENT_STREAMS]

    def row(what: str, wanted: float, case: str, base: str, *, by_cpu: bool = True) -> Reach:
        ours, theirs = rates.get(case), rates.get(base)
        if not (ours and theirs and ours.rate and theirs.rate):
            return Reach(what, wanted, None)
        return Reach(
            what,
            wanted,
            ours.rate / theirs.rate,
            by_cpu=cpu_ratio(ours, theirs) if by_cpu else None,
        )

    return [
        row("the target vs. the SDK's default path", 8.0, "target", "sdk"),
        row("the target vs. target-jsonl", 1.0, "target", "target-jsonl"),
        row("the target vs. the floor", 0.75, "target", "floor"),
        row("a mapping of 27 expressions vs. the floor", 0.5, "mapping", "floor"),
        row("the same with fallbacks vs. the floor", 0.6, "fallbacks", "floor"),
        Reach("the slowest stream of events vs. flat records, per byte", 0.8, _least(of_events)),
        Reach("the slowest shop vs. flat records", 0.55, _least(of_orders)),
        row("200 ms per request vs. no latency", 0.75, "latency", BOTH_CORES, by_cpu=False),
        row("with vs. without an SQLite ledger", 0.8, "ledger", "target"),
        row("with vs. without results of failures", 0.9, "failures", "target"),
        row("with vs. without results of all events", 0.9, "results", "target"),
        row("a BATCH vs. lines", 0.75, "batch", "target"),
        row("members of a list vs. events", 0.75, "lists", "target"),
        row("a preview vs. a run", 0.5, "preview", "target"),
        row("check --sample vs. a run", 0.5, "check", "target"),
        row("with vs. without validate_records", 0.75, "validate", "target"),
        row("two processes, half each, vs. one", 1.3, "two", BOTH_CORES, by_cpu=False),
        Reach("peak memory", 200.0, peak_mib, "MiB", at_least=False),
        Reach(
            "start to first request, without the SDK's import",
            0.3,
            first_request_seconds,
            "s",
            at_least=False,
        ),
        Reach(
            "--about, without the SDK's import",
            1.0,
            about_seconds,
            "s",
            at_least=False,
        ),
        Reach("CPU per record, long vs. short run", 1.1, growth, at_least=False),
    ]


def _least(ratios: Sequence[float]) -> float | None:
    return min(ratios, default=None)


# Sources of single calls, like the flat records, and not of complete orders.
EVENT_STREAMS: Final = ("ga4", "metarouter", "rudderstack", "segment")


class ShopRow(NamedTuple):
    """A source's results: the cost per record, and the ratios of CPU time.

    The ratios are to its floor, and to the flat preset per record and per byte.
    """

    name: str
    record_bytes: float
    rate: float
    cpu_us: float
    to_floor: float
    to_flat: float
    to_flat_by_bytes: float


def shop_rows(rates: Mapping[str, Rate], sizes: Mapping[str, float]) -> list[ShopRow]:
    """Return a row for each source that was measured; `sizes` has the bytes of a record."""
    flat = rates["target"]
    rows = []
    for name, rate in rates.items():
        floor = rates.get(f"floor of {name}")
        if floor is None or rate.skipped or floor.skipped:
            continue
        to_flat = cpu_ratio(rate, flat)
        by_bytes = to_flat * sizes[name] / sizes["target"]
        rows.append(
            ShopRow(
                name,
                sizes[name],
                rate.rate,
                rate.cpu_us,
                to_floor=cpu_ratio(rate, floor),
                to_flat=to_flat,
                to_flat_by_bytes=by_bytes,
            )
        )
    return rows


def shops_table(rows: Sequence[ShopRow]) -> str:
    """Return the table of sources."""
    heads = (
        "source", "bytes", "records/s", "CPU us/record", "to its floor", "to flat", "by bytes"
    )  # fmt: skip
    cells = [
        (
            row.name,
            f"{row.record_bytes:,.0f}",
            f"{row.rate:,.0f}",
            f"{row.cpu_us:.1f}",
            f"{row.to_floor:.2f}",
            f"{row.to_flat:.2f}",
            f"{row.to_flat_by_bytes:.2f}",
        )
        for row in rows
    ]
    return table(heads, cells)


def cpu_ratio(ours: Rate, theirs: Rate) -> float:
    """Return how many times as many records are processed in a second of CPU time."""
    return theirs.cpu_us / ours.cpu_us


def machine() -> dict[str, Any]:
    """Return what a reader should know about this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": cores,
    }


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with padded columns, which is readable in a terminal too."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(cells: Sequence[str], fill: Callable[[str, int], str]) -> str:
        return (
            "| "
            + " | ".join(fill(cell, width) for cell, width in zip(cells, widths, strict=True))
            + " |"
        )

    body = [line(row, str.ljust) for row in rows]
    return "\n".join(
        [line(heads, str.ljust), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *body]
    )


def rates_table(rates: Sequence[Rate]) -> str:
    """Return the table of cases."""
    rows = [
        (rate.about, "-", "-", "-", "-", f"skipped: {rate.skipped}")
        if rate.skipped
        else (
            rate.about,
            f"{rate.rate:,.0f}",
            f"{rate.spread:.0%}",
            f"{rate.cpu_us:.1f}",
            f"{rate.peak_mib:.0f}",
            f"{rate.start_seconds:.2f}",
        )
        for rate in rates
    ]
    return table(
        ("what", "records/s", "spread", "CPU us/record", "peak MiB", "one record, s"), rows
    )


def reach_table(rows: Sequence[Reach]) -> str:
    """Return the table of goals and measured values."""
    words = {True: "yes", False: "no", None: "not measured"}
    return table(
        ("what", "goal", "measured", "by CPU", "reached"),
        [
            (
                row.what,
                (
                    f"{'at least' if row.at_least else 'at most'} {row.wanted:g}"
                    f"{row.unit and ' ' + row.unit}"
                ),
                "-" if row.value is None else f"{row.value:.3g}{row.unit and ' ' + row.unit}",
                "" if row.by_cpu is None else f"{row.by_cpu:.3g}",
                words[row.holds],
            )
            for row in rows
        ],
    )

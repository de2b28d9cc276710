"""The numbers that samples make.

They are medians over interleaved rounds, ratios of medians, and what issue and documentation ask of
them. Start-up is taken off every rate: a program's own wall clock on a single record, the shortest
of all rounds, as it is the same work every time and a busy machine only adds to it. What is left is
the cost of records.
"""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.cases import Sample

MIB: Final = 1024 * 1024


class Rate(NamedTuple):
    """A case's numbers: records a second in each round; medians of CPU and memory.

    `skipped` says why there are none.
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
        """The median."""
        return median(self.rates) if self.rates else 0.0

    @property
    def spread(self) -> float:
        """The distance of the slowest round from the fastest, as a share of the median."""
        return (max(self.rates) - min(self.rates)) / self.rate if self.rates else 0.0


class Reach(NamedTuple):
    """One row of what is asked: `value` is what was measured, None where it was not.

    The wanted figure is the least (`at_least`) or else the most. `by_cpu` is the same ratio of CPU
    time, which other work on the machine leaves alone, where that means the same.
    """

    what: str
    wanted: float
    value: float | None
    unit: str = ""
    at_least: bool = True
    by_cpu: float | None = None

    @property
    def holds(self) -> bool | None:
        """Tell whether it is reached."""
        if self.value is None:
            return None
        return self.value >= self.wanted if self.at_least else self.value <= self.wanted


def rate_of(name: str, about: str, samples: Sequence[Sample], starts: Sequence[Sample]) -> Rate:
    """Return a case's numbers from its runs, and from runs of its program on a single record."""
    start = min(sample.took.wall_seconds for sample in starts)
    start_cpu = min(sample.took.cpu_seconds for sample in starts)
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
    """Return the microseconds of CPU time that a record took in a run, start-up taken off."""
    return (sample.took.cpu_seconds - start_cpu_seconds) / sample.records * 1e6


def decades(marks: Mapping[str, float]) -> dict[str, float]:
    """Return microseconds a record between powers of ten of received events, from 10,000 on."""
    found = sorted((int(events), at) for events, at in marks.items() if int(events) >= 1000)  # noqa: PLR2004
    return {
        f"{below:,} to {above:,}": (end - begin) / (above - below) * 1e6
        for (below, begin), (above, end) in pairwise(found)
        if above > 10_000  # noqa: PLR2004 - fewer are over before senders and memory have acknowledged
    }


def reach(
    rates: Mapping[str, Rate],
    peak_mib: float | None,
    first_request_seconds: float | None,
    growth: float | None,
    shops: Sequence["ShopRow"] = (),
    about_seconds: float | None = None,
) -> list[Reach]:
    """Return every row that the project asks of its speed.

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
        row("the target to the SDK into nothing", 8.0, "target", "sdk"),
        row("the target to target-jsonl", 1.0, "target", "target-jsonl"),
        row("the target to the floor", 0.75, "target", "floor"),
        row("a mapping of 27 expressions to the floor", 0.5, "mapping", "floor"),
        row("the same with fallbacks to the floor", 0.6, "fallbacks", "floor"),
        Reach("the slowest stream of events to flat records, by bytes", 0.8, _least(of_events)),
        Reach("the slowest shop to flat records", 0.55, _least(of_orders)),
        row("200 ms a call to none", 0.75, "latency", "target", by_cpu=False),
        row("the SQLite ledger to none", 0.8, "ledger", "target"),
        row("rows of results to none", 0.9, "results", "target"),
        row("a BATCH to lines", 0.75, "batch", "target"),
        row("members of a list to events", 0.75, "lists", "target"),
        row("a preview to a run", 0.5, "preview", "target"),
        row("check --sample to a run", 0.5, "check", "target"),
        row("validate_records to none", 0.75, "validate", "target"),
        row("two processes on two halves to one", 1.3, "two", "target", by_cpu=False),
        Reach("peak memory", 200.0, peak_mib, "MiB", at_least=False),
        Reach(
            "start to first request, beyond the SDK's import",
            0.3,
            first_request_seconds,
            "s",
            at_least=False,
        ),
        Reach(
            "--about, beyond the SDK's import",
            1.0,
            about_seconds,
            "s",
            at_least=False,
        ),
        Reach("CPU of a record, in a long run to in a short one", 1.1, growth, at_least=False),
    ]


def _least(ratios: Sequence[float]) -> float | None:
    return min(ratios, default=None)


# Sources that send calls, as flat records are, and no orders with all that a shop knows.
EVENT_STREAMS: Final = ("ga4", "metarouter", "rudderstack", "segment")


class ShopRow(NamedTuple):
    """A source's numbers: what a record takes, and the ratios of CPU time.

    To its floor, to the flat preset a record, and to the flat preset a byte.
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
    """Show the sources."""
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
    """Return how many times as many records a second of CPU time takes."""
    return theirs.cpu_us / ours.cpu_us


def machine() -> dict[str, Any]:
    """Return what a reader has to know of this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": cores,
    }


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with columns of equal width: it reads well in a terminal too."""
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
    """Show the cases."""
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
    """Show what is asked beside what was measured."""
    words = {True: "yes", False: "no", None: "not measured"}
    return table(
        ("what", "asked", "measured", "by CPU", "reached"),
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

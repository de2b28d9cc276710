"""`python -m benchmarks`: measure everything, print it, write it as JSON.

`stages`, `profile`, `plots` and `spark` measure details.
"""

# ruff: noqa: T201 - a program whose results are read from its output

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks import documents, plots
from benchmarks.cases import BOTH_CORES, CASES, SHOP_CASES, TARGET, Bench, Case, Sample
from benchmarks.children import ChildError
from benchmarks.guard import GUARDED, RECORDED
from benchmarks.peers import Absent
from benchmarks.results import (
    MIB,
    Rate,
    cpu_ratio,
    cpu_us,
    decades,
    machine,
    rate_of,
    rates_table,
    reach,
    reach_table,
    shop_rows,
    shops_table,
    table,
)

HERE: Final = Path(__file__).parent
RESULTS: Final = HERE / "results.json"
LONG_RECORDS: Final = 1_000_000
VERY_LONG_RECORDS: Final = 10_000_000
PERFORMANCE: Final = HERE.parent / "docs" / "performance.md"
SPARK: Final = HERE.parent / "docs" / "spark.md"
SHORT_RUNS: Final = 3
MUST_RUN: Final = ("floor", TARGET, BOTH_CORES)
_OURS: Final = [case.name for case in (*CASES, *SHOP_CASES) if case.program == TARGET]


def main(words: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what", nargs="?", default="all", choices=("all", "stages", "profile", "plots", "spark")
    )
    parser.add_argument(
        "--records",
        type=int,
        default=100_000,
        help="records of the fast cases; slow ones get a fifth",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="how often each case runs; within a round, each runs once",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[case.name for case in (*CASES, *SHOP_CASES)],
        help="cases to run besides floor and target",
    )
    parser.add_argument(
        "--long",
        action="store_true",
        help="measure the cost of a record up to 10 million instead of 1 million",
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="also write the tables of docs/performance.md and, from `all`, "
        "the ratios that tests/test_speed.py guards",
    )
    given = parser.parse_args(words)
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
        Bench(Path(folder), given.records, in_turns=given.what == "all") as bench,
    ):
        match given.what:
            case "stages":
                from benchmarks import stages  # noqa: PLC0415 - it imports the package, and this process has to stay small

                _show(
                    {"stages": stages.stages_table(stages.measure(bench, given.rounds))},
                    record=given.record,
                )
            case "profile":
                from benchmarks import stages  # noqa: PLC0415 - likewise

                stages.profile(bench)
            case "plots":
                plots.draw(bench, HERE.parent / "docs" / "images")
            case "spark":
                from benchmarks import spark  # noqa: PLC0415 - it needs an extra of its own

                shown = spark.spark_table(bench.files.every, Path(folder), given.rounds)
                print(f"\n{shown}")
                if given.record:
                    documents.replace(SPARK, "spark", shown)
            case _:
                _measure_all(bench, given)


def _measure_all(bench: Bench, given: argparse.Namespace) -> None:
    wanted = {
        *(given.only or [case.name for case in (*CASES, *SHOP_CASES)]),
        *MUST_RUN,
        *(GUARDED if given.record else ()),
    }
    shops = {case.shop for case in SHOP_CASES if case.name in wanted}
    of_shops = [case for case in SHOP_CASES if case.shop in shops]
    rates, first_request_seconds, about_seconds = _rounds(
        bench, [case for case in CASES if case.name in wanted], given.rounds, of_shops
    )
    target = next(case for case in CASES if case.name == TARGET)
    times = math.ceil((VERY_LONG_RECORDS if given.long else LONG_RECORDS) / given.records)
    _say(f"{times * given.records:,} records in one run")
    long = bench.run_long(target, times)
    short = [
        bench.run_long(target, 1) for _ in range(SHORT_RUNS)
    ]  # through a pipe too, which is slower than a file
    by_decade = decades({
        events: long.took.seconds_until(at) for events, at in long.counts.marks.items()
    })  # fmt: skip
    peak_mib = max(
        [long.took.peak_bytes / MIB, *(rate.peak_mib for rate in rates if rate.name in _OURS)]
    )
    by_name = {rate.name: rate for rate in rates}
    start = by_name[TARGET].start_cpu_seconds
    growth = cpu_us(long, start) / median(cpu_us(sample, start) for sample in short)
    sizes = {case.name: bench.bytes_of_a_record(case) for case in (target, *of_shops)}
    by_shop = shop_rows(by_name, sizes)
    rows = reach(by_name, peak_mib, first_request_seconds, growth, by_shop, about_seconds)
    decade_rows = [(name, f"{cost:.1f}") for name, cost in by_decade.items()]
    tables = {
        "cases": rates_table(
            [rate for rate in rates if rate.name not in sizes or rate.name == TARGET]
        ),
        "presets": shops_table(by_shop),
        "decades": table(("records received", "us/record"), decade_rows),
        "reach": reach_table(rows),
    }
    _show(tables, record=given.record)
    _write(RESULTS, {
        "machine": machine(),
        "records": given.records,
        "rounds": given.rounds,
        "cases": [rate._asdict() | {"rate": rate.rate, "spread": rate.spread} for rate in rates],
        "decades_us": by_decade,
        "presets": [row._asdict() for row in by_shop],
        "reach": [row._asdict() | {"holds": row.holds} for row in rows],
    })  # fmt: skip
    if given.record:
        _write(RECORDED, {
            "machine": machine(),
            "records": given.records,
            "rounds": given.rounds,
            "to_floor": {
                name: round(cpu_ratio(by_name[name], by_name["floor"]), 3) for name in GUARDED
            },
        })  # fmt: skip


def _rounds(
    bench: Bench, cases: list[Case], rounds: int, of_shops: list[Case]
) -> tuple[list[Rate], float, float]:
    """Run every case in turn, round after round.

    Also return the seconds to the first request, and those of `--about`, beyond the SDK's import.
    """
    samples: dict[str, list[Sample]] = {case.name: [] for case in (*cases, *of_shops)}
    starts: dict[str, list[Sample]] = {case.name: [] for case in (*cases, *of_shops)}
    imports: list[float] = []
    abouts: list[float] = []
    skipped: dict[str, str] = {}
    for case in cases:
        if case.name in MUST_RUN:
            bench.run_one(case)  # so that Python has compiled all modules
    for number in range(1, rounds + 1):
        imports.append(bench.run_import())
        abouts.append(bench.run_about())
        for case in (*cases, *of_shops):
            if case.name in skipped:
                continue
            _say(f"round {number} of {rounds}: {case.name}")
            try:
                starts[case.name].append(bench.run_one(case))
                samples[case.name].append(bench.run(case))
            except (ChildError, Absent) as error:
                if case.name in MUST_RUN:
                    raise
                skipped[case.name] = str(error)
    rates = [
        Rate(case.name, case.about, skipped=skipped[case.name])
        if case.name in skipped
        else rate_of(case.name, case.about, samples[case.name], starts[case.name])
        for case in (*cases, *of_shops)
    ]
    first = median(
        start.took.seconds_until(start.counts.first_request_at or 0.0) for start in starts[TARGET]
    )
    return rates, first - median(imports), median(abouts) - median(imports)


def _show(tables: Mapping[str, str], *, record: bool) -> None:
    for name, shown in tables.items():
        print(f"\n{shown}")
        if record:
            documents.replace(PERFORMANCE, name, shown)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def _say(words: str) -> None:
    """Show the progress: on one line of a terminal, or on lines of a log."""
    print(
        f"\r\x1b[K{words} " if sys.stderr.isatty() else f"{words}\n",
        end="",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    main()

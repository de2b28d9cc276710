"""Where a record's time goes: each stage by itself.

Everything is in this process, on one thread, in chunks of lines as the target reads them. Stages
call the package's own functions and hand their results on. The results are CPU times, which other
programs change less; the sending threads count as sending. Hashing and encoding happen within the
mapping; they are measured again by themselves, on the mapping's results. A stage gets few records
at a time: as in the target, they stay in the processor's cache for the next stage.
"""

import cProfile
import io
import json
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import IO, Any, Final, NamedTuple, cast

from benchmarks.cases import CASES, TARGET, Bench, config
from benchmarks.children import ChildError
from benchmarks.records import STREAM
from benchmarks.results import table
from benchmarks.server import Server
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.build.shapes import usable_shapes
from target_pinterest_capi.events.event import Event, encode
from target_pinterest_capi.mapping.declared_shapes import declared_shapes
from target_pinterest_capi.mapping.entries import (
    Accounts,
    StreamSchema,
    compile_stream,
    stream_columns,
)
from target_pinterest_capi.settings import load
from target_pinterest_capi.singer.lines import open_lines
from target_pinterest_capi.singer.memory import keep_freed_memory
from target_pinterest_capi.singer.rows import Rows, compile_rows, record_of

PROFILED_ROWS: Final = 40
_AT_A_TIME: Final = 20  # records
_SENT_EVERY: Final = 20  # chunks whose events wait to be sent; bounds memory


class Stage(NamedTuple):
    """One stage: `part_of` names the stage that it is measured within."""

    name: str
    what: str
    part_of: str = ""


STAGES: Final = (
    Stage("read", "lines from a file descriptor"),
    Stage("decode", "a line to a row: msgspec, amounts as decimals"),
    Stage("map", "a row to an event: map, coerce, normalize, hash, encode"),
    Stage("hash", "SHA-256 of the personal values", "map"),
    Stage("encode", "an event to its bytes", "map"),
    Stage("send", "batch, send, read responses, acknowledge"),
)


def measure(bench: Bench, rounds: int) -> dict[str, float]:
    """Return CPU microseconds per record of every stage, medians of the rounds.

    `whole` is the program itself, without the start-up.
    """
    spent: dict[str, list[float]] = {stage.name: [] for stage in STAGES}
    whole: list[float] = []
    target = next(case for case in CASES if case.name == TARGET)
    keep_freed_memory()  # as in the program
    for _ in range(rounds):
        for name, seconds in _pass(bench.files.every).items():
            spent[name].append(seconds / bench.files.count * 1e6)
        start, sample = bench.run_one(target), bench.run(target)
        whole.append((sample.took.cpu_seconds - start.took.cpu_seconds) / sample.records * 1e6)
    return {**{name: median(values) for name, values in spent.items()}, "whole": median(whole)}


def stages_table(costs: dict[str, float]) -> str:
    """Return the table of stages, with their sum and the program's time."""
    stages = sum(costs[stage.name] for stage in STAGES if not stage.part_of)
    rows = [
        (
            f"{'of it: ' if stage.part_of else ''}{stage.name}",
            stage.what,
            f"{costs[stage.name]:.1f}",
            f"{costs[stage.name] / stages:.0%}",
        )
        for stage in STAGES
    ]
    rows.append(("sum", "of the stages", f"{stages:.1f}", "100%"))
    rows.append(
        (
            "whole",
            "the program, from line to response",
            f"{costs['whole']:.1f}",
            f"{costs['whole'] / stages:.0%}",
        )
    )
    return table(("stage", "what it does", "CPU us/record", "share"), rows)


class _Clock:
    """CPU seconds spent in each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {stage.name: 0.0 for stage in STAGES}

    def time(self, stage: str, work: Callable[..., Any], *given: Any) -> Any:
        begin = time.thread_time()
        result = work(*given)
        self.seconds[stage] += time.thread_time() - begin
        return result


def _pass(path: Path) -> dict[str, float]:
    """Process the whole file in every stage once, chunk by chunk.

    The time of other threads counts as sending.
    """
    clock = _Clock()
    others = time.process_time() - time.thread_time()
    with Server() as server, tempfile.TemporaryDirectory() as folder, path.open("rb") as file:
        settings = load(config(server.url, Path(folder), {}))
        run = Run(settings, lambda _: None)
        schema = json.loads(file.readline())
        stream = StreamSchema(
            STREAM, stream_columns(schema["schema"]), tuple(schema["key_properties"])
        )
        (entry,) = compile_stream(
            settings, stream, Accounts(settings), run.tally.count_value, began_at=run.began_at
        )
        assert entry.rows is not None  # noqa: S101 - the preset reads columns
        shapes = usable_shapes(declared_shapes(schema["schema"]), [entry.rows.reads])
        rows = compile_rows(STREAM, stream.columns, shapes)
        assert rows is not None  # noqa: S101 - their names are plain
        take = entry.rows.compile(rows.columns, record_of)
        os.lseek(file.fileno(), file.tell(), os.SEEK_SET)  # the descriptor has read ahead
        waiting: list[Any] = []
        for number, lines in enumerate(_chunks(file, clock)):
            for begin in range(0, len(lines), _AT_A_TIME):
                waiting += _map_some(lines[begin : begin + _AT_A_TIME], rows, take, clock)
            if number % _SENT_EVERY == 0:
                clock.time("send", _deliver, run, waiting)
                waiting.clear()
        clock.time("send", _deliver, run, waiting)
        clock.time("send", run.finish)
        run.close()
        run.wake.close()
    clock.seconds["send"] += time.process_time() - time.thread_time() - others
    return clock.seconds


def _map_some(
    lines: list[bytes], rows: Rows, take: Callable[[Any, bytes], Any], clock: _Clock
) -> list[Any]:
    lines = [line for line in lines if line.startswith(b'{"type": "RECORD"')]
    decoded = clock.time("decode", _each, rows.decode, lines)
    events: list[Any] = clock.time(
        "map", _each_pair, take, [message.record for message in decoded], lines
    )
    plain = [json.loads(event.body) for event in events]
    records = map(record_of, lines)
    texts = [
        text
        for record, event in zip(records, plain, strict=True)
        for text in _personal(record, event)
    ]
    clock.time("hash", _each, _digest, texts)
    clock.time("encode", _each, encode, plain)
    return events


def _each(work: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    return [work(value) for value in values]


def _each_pair(work: Callable[[Any, Any], Any], left: list[Any], right: list[Any]) -> list[Any]:
    return [work(one, other) for one, other in zip(left, right, strict=True)]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _chunks(file: Any, clock: _Clock) -> Iterator[list[bytes]]:
    wake = Wakeup()
    source = open_lines(file, wake)
    while (lines := clock.time("read", source.read, None)) is not None:
        yield lines
    wake.close()


def _personal(record: dict[str, Any], event: dict[str, Any]) -> list[str]:
    """Return a string for each digest of an event, about as long as the hashed one."""
    return [record[leaf] for leaf, value in event["user_data"].items() if isinstance(value, list)]


def _deliver(run: Run, events: list[Event]) -> None:
    for event in events:
        run.sequence += 1
        run.deliver_event(event)
    run.poll()
    while not run.has_room:
        run.wait()
        run.poll()


def profile(bench: Bench) -> None:
    """Print where the program spends its own time, by cProfile.

    Run in this process on the whole input.
    """
    from target_pinterest_capi.target import (  # noqa: PLC0415 - not to be profiled, nor needed by stages
        TargetPinterestCapi,
    )

    profiler = cProfile.Profile()
    with (
        Server() as server,
        tempfile.TemporaryDirectory() as folder,
        bench.files.every.open("rb") as file,
        _no_stdout(),
    ):
        target = TargetPinterestCapi(config=config(server.url, Path(folder), {}))
        code = profiler.runcall(target.read_to_exit_code, cast("IO[str]", file))
    if code:
        raise ChildError(f"the target stopped with {code}, so there is nothing to show")
    pstats.Stats(profiler).sort_stats("tottime").print_stats(PROFILED_ROWS)


@contextmanager
def _no_stdout() -> Iterator[None]:
    """Discard STATE, which the target writes to stdout."""
    kept, sys.stdout = sys.stdout, io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdout = kept

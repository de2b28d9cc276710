"""The reader of Singer messages: where it stops when a signal comes in the middle of a chunk."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from given import line, record, schema, settings_of, state
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.events.build.shapes import ANY
from target_pinterest_capi.pipeline.feed import paced
from target_pinterest_capi.singer.reader import BytesReader
from target_pinterest_capi.singer.rows import RowHandler, compile_rows

LINES = {
    "SCHEMA": schema("visits", "n"),
    "RECORD": record("visits", n=1),
    "STATE": state({"n": 1}),
    "BATCH": line(type="BATCH", stream="visits", manifest=[]),
    "ACTIVATE_VERSION": line(type="ACTIVATE_VERSION", stream="visits", version=1),
}


class Handler:
    """A stream's handler, with or without rows, that passes on everything it gets."""

    def __init__(self, handle: Callable[[Any], None], *, has_rows: bool) -> None:
        self.handle_record = handle
        rows = compile_rows("visits", {"n"}, {"n": ANY})
        assert rows is not None
        self.rows = RowHandler(rows.decode, lambda row, _: handle(row)) if has_rows else None


@pytest.fixture
def run() -> Iterator[Run]:
    running = Run(settings_of(), lambda _: None)
    yield running
    running.close()


@pytest.mark.parametrize("records", ["by the SDK's way", "by a handler", "by rows"])
@pytest.mark.parametrize("at", LINES)
def test_nothing_after_an_interruption_is_taken(run: Run, at: str, records: str):
    """The message at which a signal comes is handled, and no later one of its chunk."""
    reader = BytesReader(run.wake, partial(paced, run))
    taken: list[Any] = []

    def take(message: Any) -> None:
        taken.append(message)
        if len(taken) == 3:
            run.interrupt()

    if records != "by the SDK's way":
        reader.add_handler("visits", Handler(take, has_rows=records == "by rows"))
    before = [LINES["SCHEMA"], LINES["RECORD"]]
    lines = [*before, LINES[at], *LINES.values()]
    reader.process_lines(io.BytesIO(b"\n".join(lines)), dict.fromkeys(LINES, take))
    assert len(taken) == 3

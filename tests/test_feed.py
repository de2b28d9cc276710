"""Reading at the pace of delivery: what is read when, and where reading ends."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from given import Clock, settings_of
from shopper import event
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.pipeline.feed import ITEMS_PER_READ, IteratedSource, paced
from target_pinterest_capi.sandbox.server import Sandbox


@pytest.fixture
def start_run(clock: Clock) -> Iterator[Callable[..., Run]]:
    """Start runs with a fixed clock; they end with the test."""
    started: list[Run] = []

    def start(**settings: Any) -> Run:
        started.append(Run(settings_of(**settings), lambda _: None, clock=clock))
        return started[-1]

    yield start
    for run in started:
        run.close()


class Pieces:
    """A source of prepared pieces; `waits` has the seconds that each read could wait."""

    def __init__(self, *pieces: Iterable[Any]) -> None:
        self.pieces = list(pieces)
        self.waits: list[float | None] = []

    def read(self, seconds: float | None) -> Iterable[Any] | None:
        self.waits.append(seconds)
        return self.pieces.pop(0) if self.pieces else None


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [([], []), ([[]], []), ([[1, 2], [], [3]], [1, 2, 3]), ([[], [], [1]], [1])],
)
def test_items_come_in_their_order(start_run, pieces: list[list[int]], expected: list[int]):
    """Every item of every piece is yielded once; an empty piece is not the end."""
    assert list(paced(start_run(), Pieces(*pieces))) == expected


@pytest.mark.parametrize(
    "number", [0, 1, ITEMS_PER_READ - 1, ITEMS_PER_READ, ITEMS_PER_READ + 1, 350]
)
def test_whatever_iterates_is_read_in_pieces(number: int):
    """A piece has `ITEMS_PER_READ` items, the last one fewer; then comes the permanent end."""
    source = IteratedSource(range(number))
    pieces = [list(piece) for piece in iter(lambda: source.read(0), None)]
    assert [item for piece in pieces for item in piece] == list(range(number))
    assert all(len(piece) == ITEMS_PER_READ for piece in pieces[:-1])
    assert source.read(None) is None


def test_item_is_made_when_its_turn_comes(start_run):
    """An item that fails does not lose those before it."""

    def items() -> Iterator[int]:
        yield from (1, 2)
        raise OSError

    paced_items = paced(start_run(), IteratedSource(items()))
    assert [next(paced_items), next(paced_items)] == [1, 2]
    with pytest.raises(OSError, match=r"^$"):
        next(paced_items)


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_nothing_comes_after_an_interruption(start_run, at: int):
    """The item at which the run is interrupted is the last one, and no further piece is read."""
    run, source = start_run(), Pieces([1, 2], [3, 4], [5])
    seen = []
    for item in paced(run, source):
        seen.append(item)
        if item == at:
            run.interrupt()
    assert seen == list(range(1, at + 1))
    assert len(source.waits) == (at + 1) // 2


def test_nothing_is_read_where_the_run_is_interrupted_already(start_run):
    """An interrupted run reads nothing, and a piece that comes with the interruption is dropped."""
    run, source = start_run(), Pieces([1])
    run.interrupt()
    assert list(paced(run, source)) == []
    assert source.waits == []

    class Interrupting(Pieces):
        def read(self, seconds: float | None) -> Iterable[Any] | None:
            run.interrupt()
            return super().read(seconds)

    run = start_run()
    assert list(paced(run, Interrupting([1, 2]))) == []


def test_source_is_waited_for_until_the_run_has_something_to_do(start_run, sandbox: Sandbox):
    """A read may take as long as an event waits for its batch; without any it waits for input."""
    run, source = start_run(api_url=sandbox.url, batch_wait_seconds=7), Pieces([1], [2], [])
    for _ in paced(run, source):
        run.sequence += 1
        run.deliver_event(event(run.sequence))
    assert source.waits == [None, 7, 7, 7]
    run.finish()


def test_nothing_is_read_without_room(start_run, sandbox: Sandbox):
    """While the maximum of requests is in flight, nothing is read: memory is bounded."""
    run = start_run(api_url=sandbox.url, batch_size_rows=1, max_in_flight=1)
    has_room: list[bool] = []

    class Watched(Pieces):
        def read(self, seconds: float | None) -> Iterable[Any] | None:
            has_room.append(run.has_room)
            return super().read(seconds)

    for number in paced(run, Watched(*[range(20 * n, 20 * n + 20) for n in range(5)])):
        run.sequence += 1
        run.deliver_event(event(number))
    assert has_room == [True] * 6
    assert run.finish() is None
    assert sandbox.store.counters()["events_processed"] == 100

"""Simulated time and scheduling: one thing happens at a time, as the seed decides.

A pipeline waits here for something to happen. If two pipelines share a world, each has its own
thread, but only one of them runs at a time: they are coroutines that need no `await` in the
program's code.
"""

import heapq
import itertools
import math
import random
import threading
from collections.abc import Callable
from typing import Final

NEVER: Final = math.inf
MAX_STEPS: Final = 60_000  # of one scenario
MAX_SECONDS: Final = 10 * 86_400.0
MAX_IDLE_WAITS: Final = 300  # in a row, in which neither time nor anything else moves


class BrokenPromiseError(AssertionError):
    """Something happened in a simulated world that must never happen."""


class Killed(BaseException):
    """A process dies here: `kill -9`, or a power failure."""


class WorldEnded(BaseException):
    """Raised in a waiting coroutine when another one has broken a promise."""


class Turn:
    """A coroutine: when it is due, and the lock on which it waits while another one runs."""

    def __init__(self) -> None:
        self.due_at = NEVER
        self.is_woken = False
        self.may_run = threading.Semaphore(0)


class World:
    """The clock, and everything that is due. `now` is monotonic seconds."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.now = 1000.0
        self.story: list[tuple[float, str, tuple[object, ...]]] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._turns: list[Turn] = []
        self._steps = 0
        self._idle_waits = 0
        self._is_over = False
        self._failure: BaseException | None = None
        self._all_done = threading.Semaphore(0)

    def tell(self, words: str, *values: object) -> None:
        """Add a line to the story: numbers and names of ours, never a value of a record."""
        self.story.append((self.now, words, values))

    def as_text(self) -> str:
        """Return the story."""
        return "\n".join(f"{at - 1000:10.2f}  {words % values}" for at, words, values in self.story)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Schedule an action at a time."""
        heapq.heappush(self._due, (when, next(self._number), action))

    # Coroutines

    def run(self, *bodies: Callable[[Turn], None]) -> None:
        """Run bodies to their ends, side by side; raise what one of them raises."""
        self._turns = [Turn() for _ in bodies]
        if len(bodies) == 1:
            bodies[0](self._turns[0])
            return
        threads = [
            threading.Thread(target=self._live, args=(turn, body), daemon=True)
            for turn, body in zip(self._turns, bodies, strict=True)
        ]
        for turn, thread in zip(self._turns, threads, strict=True):
            turn.due_at = self.now
            thread.start()
        self._turns[0].may_run.release()
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _live(self, turn: Turn, body: Callable[[Turn], None]) -> None:
        turn.may_run.acquire()
        try:
            if not self._is_over:
                body(turn)
        except WorldEnded:
            pass
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._failure = self._failure or error
            self._is_over = True
        self._turns.remove(turn)
        if self._is_over:
            for other in self._turns:
                other.may_run.release()
        elif self._turns:
            try:
                self._next_turn().may_run.release()
            except BrokenPromiseError as error:
                self._failure = error
                self._is_over = True
                self._turns[0].may_run.release()

    def wait(self, turn: Turn, seconds: float) -> None:
        """Let time pass and others run until the turn is woken or its time is up."""
        before = self.now, next(self._number)
        turn.due_at = self.now if turn.is_woken else self.now + seconds
        due = self._next_turn()
        if due is not turn:
            due.may_run.release()
            turn.may_run.acquire()
            if self._is_over:
                raise WorldEnded
        turn.is_woken = False
        turn.due_at = NEVER
        self._count_wait(before)

    def pause(self, turn: Turn) -> None:
        """Let others run in the middle of an action."""
        if len(self._turns) > 1:
            was_woken, turn.is_woken = turn.is_woken, False
            self.wait(turn, 0.0)
            turn.is_woken = was_woken

    def wake(self, turn: Turn) -> None:
        """End a wait, or the next one."""
        turn.is_woken = True
        turn.due_at = min(turn.due_at, self.now)

    def _next_turn(self) -> Turn:
        """Run due actions until a coroutine is due, and return it."""
        while True:
            first = min(turn.due_at for turn in self._turns)
            if self._due and self._due[0][0] <= first:
                when, _, action = heapq.heappop(self._due)
                self.now = max(self.now, when)
                self._count_step()
                action()
                continue
            if first == NEVER:
                raise BrokenPromiseError("a process waits, and nothing will ever happen")
            self.now = max(self.now, first)
            due = [turn for turn in self._turns if turn.due_at <= self.now]
            return due[0] if len(due) == 1 else self.rng.choice(due)

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS or self.now > MAX_SECONDS:
            raise BrokenPromiseError(f"no end after {self._steps} steps and {self.now:.0f} seconds")

    def _count_wait(self, before: tuple[float, int]) -> None:
        self._count_step()
        moved = self.now > before[0] or next(self._number) > before[1] + 1
        self._idle_waits = 0 if moved else self._idle_waits + 1
        if self._idle_waits > MAX_IDLE_WAITS:
            raise BrokenPromiseError("a process goes round in circles while nothing happens")

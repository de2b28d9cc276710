"""When faults apply: which of them act on which request, scripted or at a seeded rate.

The same faults, seed and order of requests have the same effect, whatever the clock does. Never
acts: `app` carries out a plan.
"""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from target_pinterest_capi.sandbox.faults import STAGES, Fault, Script


class FaultPlan(NamedTuple):
    """The effects of the faults on one request, in this order.

    Wait `delay_seconds`; answer by `before` without processing, if set; process with `marks`; add
    `headers`; change the answer by `after`, if set. `struck` names the faults in it, except marks.
    """

    delay_seconds: float = 0.0
    before: Fault | None = None
    marks: tuple[tuple[int, Fault], ...] = ()
    headers: Mapping[str, str] = {}
    after: Fault | None = None
    struck: tuple[str, ...] = ()

    @property
    def actions(self) -> dict[str, str]:
        """Return what is done to which event: its id to `poison` or `fail`; of two, the first."""
        return {
            fault.event_id: fault.fault.removesuffix("_event") for _, fault in reversed(self.marks)
        }


class Faults:
    """The faults of one sandbox, which any thread may change at any time.

    Of two that exclude each other, the first applies.

    `changes` counts how often they were changed.
    """

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self._lock = threading.Lock()
        self.changes = 0
        self.set(faults, seed)

    def set(self, faults: Iterable[Fault], seed: int = 0) -> None:
        """Replace all faults; requests are counted from 1 again."""
        with self._lock:
            self.changes += 1
            self._script = Script(tuple(faults), seed)
            self._seen: Counter[tuple[str, str]] = Counter()
            self._struck = [0] * len(self._script.faults)
            self._starts = [0] * len(self._script.faults)

    def put(self, fault: Fault) -> None:
        """Replace all faults of one kind with this one.

        Requests are counted from 1 for this fault only, and the other kinds stay as they are.
        """
        self._exchange(fault.fault, fault)

    def remove(self, kind: str) -> None:
        """Remove the faults of one kind; the others stay as they are."""
        self._exchange(kind, None)

    def _exchange(self, kind: str, fault: Fault | None) -> None:
        with self._lock:
            self.changes += 1
            rows = list(zip(self._script.faults, self._struck, self._starts, strict=True))
            place = next(
                (index for index, row in enumerate(rows) if row[0].fault == kind), len(rows)
            )
            rows = [row for row in rows if row[0].fault != kind]
            if fault is not None:
                rows.insert(place, (fault, 0, self._seen[fault.place]))
            self._script = Script(tuple(row[0] for row in rows), self._script.seed)
            self._struck, self._starts = [row[1] for row in rows], [row[2] for row in rows]

    def clear(self) -> None:
        """Remove all faults."""
        self.set(())

    def script(self) -> Script:
        """Return the current faults."""
        return self._script

    def struck(self) -> dict[str, int]:
        """Return how often each kind of fault has applied since the faults were set."""
        with self._lock:
            counts: dict[str, int] = {}
            for fault, times in zip(self._script.faults, self._struck, strict=True):
                counts[fault.fault] = counts.get(fault.fault, 0) + times
            return counts

    def plan(self, endpoint: str = "events", method: str = "POST") -> FaultPlan:
        """Count a request, and decide what happens to it."""
        with self._lock:
            places = tuple(itertools.product(("", endpoint), ("", method)))
            self._seen.update(places)
            chosen: list[tuple[int, Fault]] = []
            for index, fault in sorted(enumerate(self._script.faults), key=_by_stage):
                if (
                    fault.place in places
                    and self._strikes(index, fault)
                    and _compatible(fault, [other.stage for _, other in chosen])
                ):
                    chosen.append((index, fault))
                    self._struck[index] += fault.stage != "mark"
            return self._merge(chosen)

    def _merge(self, chosen: list[tuple[int, Fault]]) -> FaultPlan:
        by_stage: dict[str, list[Fault]] = {stage: [] for stage in STAGES}
        for _, fault in chosen:
            by_stage[fault.stage].append(fault)
        return FaultPlan(
            delay_seconds=sum(
                fault.seconds + fault.jitter * self._draw(i, fault, "jitter")
                for i, fault in chosen
                if fault.stage == "wait"
            ),
            before=next(iter(by_stage["before"]), None),
            marks=tuple((index, fault) for index, fault in chosen if fault.stage == "mark"),
            headers={
                name: value for fault in by_stage["header"] for name, value in fault.headers.items()
            },
            after=next(iter(by_stage["after"]), None),
            struck=tuple(fault.fault for _, fault in chosen if fault.stage != "mark"),
        )

    def marked(self, plan: FaultPlan, event_ids: Collection[str]) -> tuple[str, ...]:
        """Count a plan's marks that acted on these events; return the names of their faults."""
        with self._lock:
            acted: list[str] = []
            for index, fault in plan.marks:
                if fault.event_id in event_ids and fault.fault.startswith(
                    plan.actions[fault.event_id]
                ):
                    acted.append(fault.fault)
                    # Not if they were replaced in the meantime
                    if fault in self._script.faults[index : index + 1]:
                        self._struck[index] += 1
            return tuple(acted)

    def _strikes(self, index: int, fault: Fault) -> bool:
        number = self._number(index, fault)
        return (
            (not fault.requests or number in fault.requests)
            and number > fault.skip
            and (fault.times is None or self._struck[index] < fault.times)
            and (fault.rate == 1 or self._draw(index, fault, "rate") < fault.rate)
        )

    def _number(self, index: int, fault: Fault) -> int:
        """Return the number of the current request, as this fault counts."""
        return self._seen[fault.place] - self._starts[index]

    def _draw(self, index: int, fault: Fault, purpose: str) -> float:
        """Return a number from 0 to 1 that depends only on the seed, the fault and the request.

        So requests may overlap.
        """
        return random.Random(  # noqa: S311
            f"{self._script.seed}/{index}/{self._number(index, fault)}/{purpose}"
        ).random()


def _by_stage(indexed: tuple[int, Fault]) -> int:
    return STAGES.index(indexed[1].stage)


def _compatible(fault: Fault, stages: list[str]) -> bool:
    """Return whether a fault can apply in addition to those of these stages.

    There can be only one answer, and a request that is answered before processing has nothing to
    mark or change.
    """
    return "before" not in stages and not (fault.stage == "after" and "after" in stages)

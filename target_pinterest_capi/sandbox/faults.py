"""Faults on purpose: which one strikes which request, scripted or at a seeded rate.

Owns the list of faults, how they are written (as Python, as JSON and on a command line) and when
they strike. Promises that the same faults, seed and order of requests strike the same way, whatever
the clock does. Never acts: `app` does what a plan says.
"""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec


class FaultError(ValueError):
    """A fault that is not possible; the message says why, and what is possible."""


class FaultKind(NamedTuple):
    """One kind of fault: when it strikes, what it does, and its parameters.

    `required` are those that it must have; `endpoint` is the only one that it strikes, if there is
    one.
    """

    stage: str
    about: str
    parameters: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    endpoint: str = ""


ENDPOINTS: Final = ("events", "customer_lists", "audiences", "oauth", "conversion_eqs")
METHODS: Final = ("GET", "POST", "PATCH")
STAGES: Final = ("wait", "before", "mark", "header", "after")  # in the order of a request
LIMITS: Final = ("retry_after", "remaining", "reset")

KINDS: Final = {
    "latency": FaultKind("wait", "waits, then goes on", ("seconds", "jitter"), ("seconds",)),
    "status": FaultKind(
        "before",
        "answers a status; nothing is processed",
        ("status", "message", "html", *LIMITS),
        ("status",),
    ),
    "redirect": FaultKind("before", "answers 307; nothing is processed", ("location",)),
    "drop_before": FaultKind("before", "drops the connection; nothing is processed"),
    "poison": FaultKind(
        "mark", "refuses any request with this event: 400", ("event_id",), ("event_id",), "events"
    ),
    "fail_event": FaultKind(
        "mark", "fails this event, and no other", ("event_id",), ("event_id",), "events"
    ),
    "drop_after": FaultKind("after", "processes, then drops the connection"),
    "truncated": FaultKind("after", "processes, then sends half of the answer and hangs up"),
    "wrong_count": FaultKind("after", "processes, then lists an event less", endpoint="events"),
    "empty_body": FaultKind("after", "processes, then answers with an empty body"),
    "not_json": FaultKind("after", "processes, then answers with a page that is no JSON"),
    "drip": FaultKind(
        "after", "processes, then sends the answer byte by byte", ("seconds",), ("seconds",)
    ),
    "headers": FaultKind("header", "adds headers to the ordinary answer", LIMITS),
}

SELECTORS: Final = ("endpoint", "method", "requests", "skip", "rate", "times")
_NEVER: Final = 10_000_000  # more requests than any script will see


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault: its kind, the requests it strikes, and its parameters.

    Args:
        fault: a name of `KINDS`.
        endpoint: the endpoint whose requests it strikes, of `ENDPOINTS`; empty: all. Only these
            requests are numbered.
        method: the method of the requests it strikes, GET, POST or PATCH; empty: all. Only these
            requests are numbered.
        requests: the numbers of the requests to strike, counted from 1 since the faults were set;
            empty: all.
        skip: how many requests go unharmed first.
        rate: the share of the requests to strike, 0 to 1, drawn by the seed.
        times: how often it strikes at most.
        status: the status to answer, 200 to 599 (`status`).
        message: the text of its body (`status`).
        html: whether its body is a page, as a proxy would send it (`status`).
        retry_after: a Retry-After header, seconds or a date.
        remaining: an X-RateLimit-Remaining header.
        reset: an X-RateLimit-Reset header, in seconds.
        seconds: how long to wait (`latency`), or between two bytes (`drip`).
        jitter: up to this many more seconds, drawn by the seed (`latency`).
        event_id: the event that is struck (`poison`, `fail_event`).
        location: where it points (`redirect`); the sandbox itself where empty, which counts those
            that follow.
    """

    fault: str
    endpoint: str = ""
    method: str = ""
    requests: tuple[int, ...] = ()
    skip: int = 0
    rate: float = 1.0
    times: int | None = None
    status: int | None = None
    message: str = ""
    html: bool = False
    retry_after: int | str | None = None
    remaining: int | str | None = None
    reset: int | str | None = None
    seconds: float = 0.0
    jitter: float = 0.0
    event_id: str = ""
    location: str = ""

    def __post_init__(self) -> None:
        kind = KINDS.get(self.fault)
        if kind is None:
            raise FaultError(f"there is no fault {self.fault!r}; there are: {', '.join(KINDS)}")
        given = {
            name
            for name in self.__struct_fields__
            if name != "fault" and getattr(self, name) != _DEFAULTS[name]
        }
        for name in sorted(given - {*kind.parameters, *SELECTORS}):
            raise FaultError(
                f"fault {self.fault} takes no {name}; "
                f"it takes: {', '.join((*kind.parameters, *SELECTORS))}"
            )
        for name in kind.required:
            if name not in given:
                raise FaultError(f"fault {self.fault} needs {name}")
        for name, choices in (
            ("endpoint", (kind.endpoint,) if kind.endpoint else ENDPOINTS),
            ("method", METHODS),
        ):
            if getattr(self, name) and getattr(self, name) not in choices:
                raise FaultError(f"fault {self.fault}: {name} must be one of: {', '.join(choices)}")
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise FaultError(f"fault {self.fault}: {name} must be from {low} to {high}")
        if any(number < 1 for number in self.requests):
            raise FaultError(f"fault {self.fault}: requests are numbered from 1")

    @property
    def stage(self) -> str:
        """Return when it strikes: wait, before, mark, after or header."""
        return KINDS[self.fault].stage

    @property
    def place(self) -> tuple[str, str]:
        """Return the endpoint and the method that it strikes, empty for all."""
        return self.endpoint or KINDS[self.fault].endpoint, self.method

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of its parameters."""
        named = {
            "Retry-After": self.retry_after,
            "X-RateLimit-Remaining": self.remaining,
            "X-RateLimit-Reset": self.reset,
        }
        return {name: str(value) for name, value in named.items() if value is not None}


_DEFAULTS: Final = dict(zip(Fault.__struct_fields__[1:], Fault.__struct_defaults__, strict=True))
RANGES: Final = {
    "rate": (0, 1),
    "skip": (0, _NEVER),
    "times": (0, _NEVER),
    "status": (200, 599),
    "seconds": (0, 600),
    "jitter": (0, 600),
}


def parse(spec: str) -> Fault:
    """Read a fault as the command line has it, or as a JSON object.

    For example `status:status=503,requests=1-3+7,retry_after=2`.
    """
    if spec.lstrip().startswith("{"):
        return _convert(spec, from_json=True)
    kind, _, rest = spec.partition(":")
    given: dict[str, str] = {"fault": kind.strip()}
    for pair in filter(None, (part.strip() for part in rest.split(","))):
        name, equals, value = pair.partition("=")
        if not equals:
            raise FaultError(f"fault {kind}: {pair!r} is not name=value")
        given[name.strip()] = value.strip()
    return read(given)


def read(given: Mapping[str, Any]) -> Fault:
    """Make a fault of its fields, whose values may be text.

    For example `{"fault": "status", "status": "503", "requests": "1-3+7"}`.
    """
    requests = given.get("requests")
    return _convert(
        {**given, "requests": _numbers(requests)} if isinstance(requests, str) else dict(given)
    )


def _numbers(text: str) -> list[int]:
    numbers: list[int] = []
    for part in text.split("+"):
        first, _, last = part.strip().partition("-")
        if (
            not first.isdecimal()
            or not (last or first).isdecimal()
            or int(last or first) - int(first) > 100_000  # noqa: PLR2004
        ):
            raise FaultError(f"requests {text!r} is not of the form 1-3+7")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def _convert(given: Any, *, from_json: bool = False) -> Fault:
    try:
        return (
            msgspec.json.decode(given, type=Fault)
            if from_json
            else msgspec.convert(given, Fault, strict=False)
        )
    except msgspec.MsgspecError as problem:  # a FaultError of __post_init__ comes as one of these
        message = f"this JSON is no fault: {problem}" if from_json else str(problem)
        raise FaultError(message) from problem


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All faults of a sandbox and the seed of their draws, as `/_sandbox/faults` shows them."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0


class FaultPlan(NamedTuple):
    """What the faults do to one request, in this order.

    Wait `delay_seconds`; answer by `before` without processing, if there is one; process with
    `marks`; add `headers`; change the answer by `after`, if there is one. `struck` names the faults
    that are in it, marks aside.
    """

    delay_seconds: float = 0.0
    before: Fault | None = None
    marks: tuple[tuple[int, Fault], ...] = ()
    headers: Mapping[str, str] = {}
    after: Fault | None = None
    struck: tuple[str, ...] = ()

    @property
    def actions(self) -> dict[str, str]:
        """Return what is done to which event: its id to `poison` or `fail`; of two the first."""
        return {
            fault.event_id: fault.fault.removesuffix("_event") for _, fault in reversed(self.marks)
        }


class Faults:
    """The faults of one sandbox, which any thread may change at any time.

    Of two that exclude each other the first strikes.

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
        """Set one fault instead of all of its kind.

        Requests are counted from 1 for it alone, and the other kinds stay as they are.
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
        """Return the faults that are set."""
        return self._script

    def struck(self) -> dict[str, int]:
        """Return how often each kind of fault has struck since the faults were set."""
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
        """Count the marks of a plan that acted on these events; return their faults' names."""
        with self._lock:
            acted: list[str] = []
            for index, fault in plan.marks:
                if fault.event_id in event_ids and fault.fault.startswith(
                    plan.actions[fault.event_id]
                ):
                    acted.append(fault.fault)
                    # Not where they were replaced meanwhile
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
        """Return the number of the request that is being planned, as this fault counts."""
        return self._seen[fault.place] - self._starts[index]

    def _draw(self, index: int, fault: Fault, purpose: str) -> float:
        """Return a number from 0 to 1 that depends on the seed, the fault and the request alone.

        So requests may overlap.
        """
        return random.Random(  # noqa: S311
            f"{self._script.seed}/{index}/{self._number(index, fault)}/{purpose}"
        ).random()


def _by_stage(indexed: tuple[int, Fault]) -> int:
    return STAGES.index(indexed[1].stage)


def _compatible(fault: Fault, stages: list[str]) -> bool:
    """Return whether a fault can strike beside those of these stages.

    One answer is enough, and a request that is answered before processing has none to mark or
    change.
    """
    return "before" not in stages and not (fault.stage == "after" and "after" in stages)

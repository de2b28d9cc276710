"""Faults on purpose: their kinds, their parameters, and how they are written.

Owns the list of faults and their three forms: Python, JSON and the command line's. `fault_plans`
decides when they apply, and `fault_responses` has their effects on a response.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec


class FaultError(ValueError):
    """An impossible fault; the message says why, and what is possible."""


class FaultKind(NamedTuple):
    """One kind of fault: its stage, what it does, and its parameters.

    `required` are mandatory; `endpoint` is the only one to which it applies, if set.
    """

    stage: str
    about: str
    parameters: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    endpoint: str = ""


ENDPOINTS: Final = (
    "events",
    "customer_lists",
    "audiences",
    "oauth",
    "conversion_eqs",
    "advertiser_defined_events",
    "conversion_deletion_requests",
    "conversion_token",
)
METHODS: Final = ("GET", "POST", "PATCH", "DELETE")
STAGES: Final = ("wait", "before", "mark", "header", "after")  # in the order of a request
LIMITS: Final = ("retry_after", "remaining", "reset")

KINDS: Final = {
    "latency": FaultKind("wait", "waits before it responds", ("seconds", "jitter"), ("seconds",)),
    "status": FaultKind(
        "before",
        "returns a status; nothing is processed",
        ("status", "message", "html", *LIMITS),
        ("status",),
    ),
    "redirect": FaultKind("before", "returns 307; nothing is processed", ("location",)),
    "drop_before": FaultKind("before", "drops the connection; nothing is processed"),
    "poison": FaultKind(
        "mark", "refuses any request with this event: 400", ("event_id",), ("event_id",), "events"
    ),
    "fail_event": FaultKind(
        "mark", "fails only this event", ("event_id",), ("event_id",), "events"
    ),
    "drop_after": FaultKind("after", "processes, then drops the connection"),
    "truncated": FaultKind(
        "after", "processes, then sends half of the response and closes the connection"
    ),
    "wrong_count": FaultKind("after", "processes, then lists one event fewer", endpoint="events"),
    "empty_body": FaultKind("after", "processes, then returns an empty body"),
    "not_json": FaultKind("after", "processes, then returns an HTML page"),
    "drip": FaultKind(
        "after", "processes, then sends the response byte by byte", ("seconds",), ("seconds",)
    ),
    "headers": FaultKind("header", "adds headers to the ordinary response", LIMITS),
}

SELECTORS: Final = ("endpoint", "method", "requests", "skip", "rate", "times")
_NEVER: Final = 10_000_000  # more requests than any script has


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault: its kind, the requests it strikes, and its parameters.

    Args:
        fault: a name of `KINDS`.
        endpoint: the endpoint whose requests it strikes, of `ENDPOINTS`; empty: all. Only these
            requests are numbered.
        method: the method of the requests it strikes, one of `METHODS`; empty: all. Only these
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
                f"fault {self.fault} has no parameter {name}; it has: "
                f"{', '.join((*kind.parameters, *SELECTORS))}"
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
            raise FaultError(f"fault {self.fault}: requests are counted from 1")

    @property
    def stage(self) -> str:
        """Return its stage: wait, before, mark, after or header."""
        return KINDS[self.fault].stage

    @property
    def place(self) -> tuple[str, str]:
        """Return the endpoint and the method to which it applies, empty for all."""
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
    """Read a fault in the command line's form, or as a JSON object.

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
    """Return a fault from its fields, whose values may be text.

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
            raise FaultError(f"requests {text!r} does not have the form 1-3+7")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def _convert(given: Any, *, from_json: bool = False) -> Fault:
    try:
        return (
            msgspec.json.decode(given, type=Fault)
            if from_json
            else msgspec.convert(given, Fault, strict=False)
        )
    except msgspec.MsgspecError as problem:  # a FaultError of __post_init__ arrives as one of these
        message = f"this JSON is not a fault: {problem}" if from_json else str(problem)
        raise FaultError(message) from problem


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All faults of a sandbox and the seed of their draws, as `/_sandbox/faults` shows them."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0

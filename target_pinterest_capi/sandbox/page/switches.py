"""Each kind of fault as a form: its fields, their values, and the same fault as an option.

Owns the fields' labels and a switch's initial values. Pure; the ranges and the rules are those of
`faults`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.faults import (
    ENDPOINTS,
    KINDS,
    METHODS,
    RANGES,
    SELECTORS,
    Fault,
)


class FormField(NamedTuple):
    """One field of a form.

    Its label, whether it is a number, text, a choice or a flag, its step, and what an empty one
    means.
    """

    label: str
    kind: str = "text"
    step: str = "1"
    hint: str = ""
    choices: tuple[str, ...] = ()


FIELDS: Final = {
    "seconds": FormField("Seconds", "number", "any"),
    "jitter": FormField("Up to more", "number", "any", hint="0"),
    "status": FormField("Status", "number"),
    "message": FormField("Message", hint="its own"),
    "html": FormField("As an HTML page", "flag"),
    "retry_after": FormField("Retry-After", hint="none"),
    "remaining": FormField("Calls remaining", hint="none"),
    "reset": FormField("Reset in seconds", hint="none"),
    "location": FormField("Where to", hint="the sandbox, which counts requests"),
    "event_id": FormField("event_id", hint="needed"),
    "endpoint": FormField("Endpoint", "choice", choices=ENDPOINTS),
    "method": FormField("Method", "choice", choices=METHODS),
    "requests": FormField("Requests by number", hint="all, or 1-3+7"),
    "skip": FormField("Skip the first", "number", hint="0"),
    "rate": FormField("Share, 0 to 1", "number", "any", hint="1"),
    "times": FormField("At most, times", "number", hint="no end"),
}


# The initial values of a switch, if it needs any
STARTS: Final = {
    ("latency", "seconds"): "0.5",
    ("drip", "seconds"): "0.05",
    ("status", "status"): "503",
}


def forms(faults: Faults) -> list[dict[str, Any]]:
    """Return a form for each kind of fault.

    It is filled with the first current fault of that kind, otherwise with initial values.
    """
    script, struck = faults.script(), faults.struck()
    made = []
    for name, kind in KINDS.items():
        held = [fault for fault in script.faults if fault.fault == name]
        chosen = [one for one in SELECTORS if not (one == "endpoint" and kind.endpoint)]
        made.append(
            {
                "kind": name,
                "stage": kind.stage,
                "about": kind.about,
                "on": bool(held),
                "struck": struck.get(name, 0),
                "specs": [spec(fault) for fault in held],
                "fields": _fields(name, kind.parameters, kind.required, held),
                "selectors": _fields(name, chosen, (), held),
            }
        )
    return made


def _fields(
    fault: str, names: Iterable[str], required: Sequence[str], held: Sequence[Fault]
) -> list[dict[str, Any]]:
    values = _values(held[0]) if held else {}
    rows = []
    for name in names:
        field = FIELDS[name]
        low, high = RANGES.get(name, (None, None))
        value = values.get(name, "") if held else STARTS.get((fault, name), "")
        rows.append(
            {
                **field._asdict(),
                "name": name,
                "low": low,
                "high": high,
                "required": name in required,
                "value": value,
            }
        )
    return rows


def _values(fault: Fault) -> dict[str, str]:
    """Return a fault's parameters as text for `faults.read`."""
    given = msgspec.to_builtins(fault)
    named = [name for name in (*KINDS[fault.fault].parameters, *SELECTORS) if name in given]
    return {
        name: _numbers(given[name]) if name == "requests" else _text(given[name]) for name in named
    }


def _text(value: Any) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else str(value).removesuffix(".0")
        if isinstance(value, float)
        else str(value)
    )


def _numbers(numbers: Sequence[int]) -> str:
    """Return numbers as `1-3+7`, in their order."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return "+".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def spec(fault: Fault) -> str:
    """Return the fault for `--fault`; as JSON if a value cannot be written in short."""
    values = _values(fault)
    if any("," in value or value != value.strip() for value in values.values()):
        return msgspec.json.encode(fault).decode()
    pairs = ",".join(f"{name}={value}" for name, value in values.items())
    return f"{fault.fault}:{pairs}" if pairs else fault.fault

"""How the demo shows what became of its sample: plain lines and tables for a pipe or a terminal.

Owns what is shown, and how a line of a page becomes one of the terminal. The templates in `page/`
have words and order; they show numbers, names, reasons, and the example's record and event.
"""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.pretty import pretty_repr
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.sandbox.demo import sample
from target_pinterest_capi.sandbox.demo.model import (
    DELIVERED,
    OUTCOMES,
    DemoResult,
    Example,
    OutcomeRow,
    Repeat,
)

ROOMY: Final = 80  # columns from which a table has room for what can be left out
COLOURS: Final = dict(zip(OUTCOMES, ("green", "yellow", "red", "bright_black"), strict=True))
FILES: Final[Mapping[str, str]] = sample.SHOP["files"]
_digest: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


class Shown(NamedTuple):
    """What there is to show: of both runs (no `repeat`: only one), and the list's members then."""

    result: DemoResult
    repeat: Repeat | None
    example: Example | None
    members: tuple[int, int]
    seconds: float
    directory: Path

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as it should be."""
        return self.result.problems + (self.repeat.problems if self.repeat else ())

    def as_json(self) -> dict[str, Any]:
        """Return everything that the page shows, for programs."""
        result, report = self.result, self.result.report
        before, after = self.members
        files = {name: self.directory / name for name in FILES}
        return {
            "records": sum(result.records.values()),
            "totals": {outcome: result.total(outcome) for outcome in OUTCOMES},
            "seconds": round(self.seconds, 3),
            "delivered_per_second": round(result.total(DELIVERED) / self.seconds),
            "requests": report.requests.sent,
            "repeated_requests": report.requests.repeated,
            "outcomes": [row._asdict() for row in result.outcomes],
            "values": [row._asdict() for row in result.values],
            "warnings": {one.message: one.events for one in report.warnings},
            "customer_list": {
                "name": sample.SHOP["list"]["name"],
                "members_before": before,
                "members": after,
            },
            "second_run": self.repeat._asdict() if self.repeat else None,
            "example": self.example._asdict() if self.example else None,
            "states": len(result.states),
            "state": json.loads(result.states[-1]) if result.states else None,
            "files": {name: str(path) for name, path in files.items() if path.exists()},
            "problems": self.problems,
        }


class _Json(str):
    """A text of JSON that is its own `repr`, so that rich lays it out as it is."""

    __slots__ = ()
    __repr__ = str.__str__


def layout(value: Any, width: int) -> str:
    """Return JSON in which whatever fits the width is on one line."""

    def of_json(value: Any) -> Any:
        match value:
            case dict():
                return {_Json(json.dumps(name)): of_json(one) for name, one in value.items()}
            case list():
                return [of_json(one) for one in value]
            case _:
                return _Json(sample.encode(value).decode())

    return pretty_repr(of_json(value), max_width=width, indent_size=2)


def show_plan(out: Console, url: str) -> None:
    """Print what is about to happen."""
    config = yaml.safe_load(sample.CONFIG)
    entries = {one["stream"]: one for one in config["mappings"] + config["customer_lists"]}
    wrong = len(sample.BAD_ROWS)
    _show(out, "plan", url=url, entries=entries, streams=sample.STREAMS, wrong=wrong)


def show_result(out: Console, shown: Shown) -> None:
    """Print everything: the outcome and the report's path, then all that they are made of."""
    result = shown.result
    not_delivered = [
        (row.events, row.outcome, row.reason, _place(row), row.advice)
        for row in sorted(result.outcomes, key=lambda row: OUTCOMES.index(row.outcome))
        if row.outcome != DELIVERED
    ]
    left_out = [
        (row.times, "", row.reason, f"{row.stream} {row.field}", row.advice)
        for row in result.values
    ]
    of_list = [row for row in result.outcomes if row.stream == sample.SHOP["list"]["stream"]]
    _show(
        out,
        "outcome",
        **shown._asdict(),
        said=shown.as_json(),
        report=result.report,
        not_delivered=_reasons(not_delivered),
        left_out=_reasons(left_out),
        changes=Counter({row.reason: row.events for row in of_list}),
        files=FILES,
        match_keys=sample.SHOP["match_keys"],
    )


def show_next(out: Console, shown: Shown, program: str, target: str) -> None:
    """Print how to go on from here, each command on a line of its own, and the report's path."""
    _show(out, "next", directory=str(shown.directory), program=program, target=target)


def show_problems(out: Console, shown: Shown) -> None:
    """Print what is not as it should be, and where to look."""
    _show(out, "problems", directory=str(shown.directory), problems=shown.problems)


def _place(row: OutcomeRow) -> str:
    """Return the stream, with the field at fault and why; Pinterest's words are advice already."""
    if not row.field:
        return row.stream
    return f"{row.stream} {row.field}" + (f": {row.detail}" if row.detail else "")


def _reasons(rows: Iterable[tuple[int, str, str, str, str]]) -> list[dict[str, Any]]:
    """Return each (outcome, reason, advice) of (times, outcome, reason, place, advice) once."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for times, outcome, reason, place, advice in rows:
        given = {"outcome": outcome, "reason": reason, "advice": advice}
        row = found.setdefault((outcome, reason, advice), {**given, "times": 0, "places": []})
        row["times"] += times
        row["places"].append(place)
    return list(found.values())


def _show(out: Console, page: str, **values: Any) -> None:
    """Print a template of `page/`, whose `macros.txt` says how a line is written."""
    environment = Environment(  # noqa: S701 - it is no HTML; what could be markup is escaped
        loader=PackageLoader(__package__, "page"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"e": lambda value: escape(str(value)), "quoted": shlex.quote}
    environment.globals |= {
        "roomy": out.width >= ROOMY,
        "colours": COLOURS,
        "layout": lambda value: layout(value, out.width - 2),
        "short": lambda event: json.loads(_digest.sub(r"\1...", json.dumps(event))),
    }
    lines = filter(None, environment.get_template(f"{page}.txt").render(values).splitlines())
    for kind, group in groupby(lines, key=lambda line: "|" if line[0] in "|+" else line[0]):
        match kind:
            case "#":
                for line in group:
                    out.print(f"[bold]{line[2:]}\n")
            case "!":
                for line in group:
                    out.print(line[2:], soft_wrap=True)
            case "$":
                text = Text("\n".join(line[2:] for line in group))
                out.print(Padding(text, (0, 0, 1, 2)))
            case "|":
                out.print(Padding(_table(group), (0, 0, 1, 2)))


def _table(lines: Iterable[str]) -> Table:
    rows: list[list[str]] = []
    for line in lines:
        if line[0] == "+":
            rows[-1][-1] += f"\n{line[2:]}"
        else:
            rows.append(line[2:].split(" | "))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for cell in rows[-1]:
        table.add_column(justify="right" if cell[:1] == ">" else "left")
    for row in rows:
        table.add_row(*(cell.removeprefix(">") for cell in row))
    return table

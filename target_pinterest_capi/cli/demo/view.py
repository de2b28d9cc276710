"""The output of the demo: the plan, an example, the two runs, and what to do next.

Owns the wording and the order. Shows numbers, names, and the example's record and event.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.cli.console import print_title
from target_pinterest_capi.cli.preview.view import event_json
from target_pinterest_capi.sandbox.demo import sample
from target_pinterest_capi.sandbox.demo.model import Example, Repeat

ROOMY: Final = 80  # columns from which a table has room for descriptions of the streams
FILES: Final[Mapping[str, str]] = sample.SHOP["files"]
_digest: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


class Shown(NamedTuple):
    """What can be shown: the first run's report, if it left one, and other results of both runs.

    `members` are those of the customer list before and after; `seconds` is the first run's time.
    """

    report: Any
    repeat: Repeat | None
    example: Example | None
    states: Sequence[str]
    members: tuple[int, int]
    seconds: float
    directory: Path
    problems: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return everything that is shown, for programs."""
        before, after = self.members
        files = {name: self.directory / name for name in FILES}
        return {
            "records": sum(sample.RECORDS.values()),
            "seconds": round(self.seconds, 3),
            "delivered_per_second": self.delivered_per_second,
            "customer_list": {
                "name": sample.SHOP["list"]["name"],
                "members_before": before,
                "members": after,
            },
            "second_run": self.repeat._asdict() if self.repeat else None,
            "example": self.example._asdict() if self.example else None,
            "states": len(self.states),
            "state": json.loads(self.states[-1]) if self.states else None,
            "files": {name: str(path) for name, path in files.items() if path.exists()},
            "problems": self.problems,
            "report": self.report,
        }

    @property
    def delivered_per_second(self) -> int:
        """How many events and members were delivered per second, from start to end."""
        return round(self.report.totals.delivered / self.seconds) if self.report else 0


def show_plan(out: Console, url: str) -> None:
    """Print what will happen."""
    records, streams = sum(sample.RECORDS.values()), len(sample.STREAMS)
    wrong = len(sample.BAD_ROWS)
    print_title(out, "target-pinterest-capi, from tap to Pinterest, on this machine")
    facts = {
        "Sample": f"{records:,} records of an imaginary shop, {streams} streams; {wrong} are wrong",
        "Target": "the real program in a separate process, twice",
        "Pinterest": f"a sandbox at {url}, which returns 503 once, fails one event and refuses "
        "the whole request of another",
    }
    _table(out, facts.items())
    config = yaml.safe_load(sample.CONFIG)
    entries = {one["stream"]: one for one in config["mappings"] + config["customer_lists"]}
    _table(
        out,
        (
            (
                stream.name,
                f"{stream.records:>5,}",
                _taken_by(entries.get(stream.name)),
                *([Text(stream.about, "bright_black")] if out.width >= ROOMY else []),
            )
            for stream in sample.STREAMS
        ),
    )


def show_outcome(out: Console, shown: Shown) -> None:
    """Print the outcomes of the first run, and an example."""
    report, totals, records = shown.report, shown.report.totals, sum(sample.RECORDS.values())
    rate, requests = shown.delivered_per_second, report.requests
    print_title(out, "Outcome")
    facts = {
        "Records": f"{records:,} = {totals.delivered:,} delivered + {totals.invalid:,} invalid "
        f"+ {totals.rejected:,} rejected + {totals.skipped:,} skipped",
        "Check": "NOT as expected: see below"
        if shown.problems
        else "every record has exactly one outcome, the report agrees with what arrived, and "
        "nothing was delivered twice",
        "Rate": (
            f"{rate:,} delivered a second, in {shown.seconds:.2f} s from the start of the "
            "program to its end"
        ),
        "Requests": (
            f"{requests.sent:,}, {requests.repeated:,} of them retries after the 503; a refused "
            "request is bisected until its bad event is alone"
        ),
    }
    _table(out, facts.items())
    out.print(f"  [bold]Report[/]     {shown.directory}/report.html\n", soft_wrap=True)
    if shown.example:
        event = json.loads(_digest.sub(r"\1...", json.dumps(shown.example.event)))
        print_title(out, f"A record of {shown.example.stream}")
        _block(out, shown.example.record)
        more = " (hashed with SHA-256; digests are shortened here)"
        print_title(out, "What Pinterest received of it", more)
        _block(out, event)


def show_rest(out: Console, shown: Shown) -> None:
    """Print the results for the customer list, the second run, STATE and the files."""
    before, after = shown.members
    print_title(
        out, "Once more", ": the list afterwards, and the same records again, as after a crash"
    )
    name = sample.SHOP["list"]["name"]
    facts = {"List": f"The customer list {name}: {before:,} members before, {after:,} now"}
    if shown.repeat:
        facts |= {
            "In ledger": (
                f"{shown.repeat.in_ledger:,} events skipped: they are in the ledger as delivered"
            ),
            "Sent": (
                f"{shown.repeat.delivered:,} events delivered: those that were rejected before, "
                "because the faults are over now"
            ),
            "Changed": f"{shown.repeat.members_changed or 'no'} members of the list",
        }
    _table(out, facts.items())
    if shown.states:
        print_title(out, "STATE", f", the last of {len(shown.states):,} on the target's stdout")
        _block(out, json.loads(shown.states[-1]))
    out.print(f"[bold]Files[/] in {shown.directory}\n", soft_wrap=True)
    _table(out, ((name, FILES[name]) for name in shown.as_json()["files"]))


def show_next(out: Console, directory: Path, program: str, target: str) -> None:
    """Print what to do next, each command on its own line, and the report's path."""
    out.print("[bold]Play on[/]\n")
    for command in (
        f"cd {shlex.quote(str(directory))}",
        f"{program} sandbox  # in a second terminal",
        f"{target} --config config.yaml < sample.singer",
        f"{program} eqs --config config.yaml",
    ):
        out.print(Text(f"  {command}"), soft_wrap=True)
    out.print(
        "\n  Then replace the sample with any tap, and put your own mappings, ad_account_id and "
        "conversion_token into config.yaml; without api_url it sends to Pinterest. README.md "
        "has the quick start with Meltano.\n"
    )
    out.print("[bold green]The run report[/], to open in a browser:\n")
    out.print(Text(f"  {directory}/report.html", "bold"), soft_wrap=True)


def show_problems(out: Console, shown: Shown) -> None:
    """Print what is not as expected, and where to look."""
    for problem in shown.problems:
        out.print(Text(f"  {problem}", "red"))
    out.print(f"\nSee {shown.directory}/target.log", soft_wrap=True)


def _taken_by(entry: Mapping[str, Any] | None) -> str:
    match entry:
        case None:
            return "no mapping"
        case {"preset": preset}:
            return f"preset {preset}"
        case {"list_name": name}:
            return f"customer list {name}"
        case _:
            return "a mapping of its own"


def _table(out: Console, rows: Iterable[Sequence[str | Text]]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, *cells in rows:
        table.add_row(Text(str(name), "bold"), *cells)
    out.print(Padding(table, (0, 0, 1, 2)))


def _block(out: Console, value: Any) -> None:
    out.print(Padding(Text(event_json(value)), (0, 0, 1, 2)))

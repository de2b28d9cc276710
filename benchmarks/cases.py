"""What is measured: each case is a program, its settings and its input.

Also runs one case, and checks that it has done all its work. A run of the target counts only if the
server received every event and there is no dead letter, because failures are fast.
"""

import json
import sys
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from benchmarks import children, peers, shops
from benchmarks.records import STREAM, Files
from benchmarks.server import Counts, Server
from benchmarks.yardstick import Yardstick

LATENCY_MS: Final = 200
TARGET: Final = "target"
BOTH_CORES: Final = "both cores"
_DRY: Final[Mapping[str, Any]] = {"mode": "dry_run"}
_MEMBERS: Final = {"stream": STREAM, "list_name": "All", "list_type": "EMAIL", "member": "em"}

# One expression for each of the 27 filled columns; five compute something, as real mappings do.
EXPRESSIONS: Final[Mapping[str, str]] = {
    **{
        name: name
        for name in (
            "event_id", "event_name", "event_time", "action_source",
            "event_source_url", "opt_out", "language",
        )
    },
    **{
        f"user_data.{name}": name
        for name in (
            "em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country", "external_id",
            "client_ip_address", "client_user_agent",
        )
    },
    "user_data.click_id": "click_id || query_param(event_source_url, 'epik')",
    "custom_data.currency": "upper(currency)",
    "custom_data.value": "value",
    "custom_data.order_id": "order_id",
    "custom_data.content_ids": "contents[].id",
    "custom_data.contents": "contents[].{id: id, item_price: item_price, quantity: quantity}",
    "custom_data.num_items": "sum(contents[].quantity)",
}  # fmt: skip


class Case(NamedTuple):
    """One row of the results.

    `settings` are the target's; `makes` names a file that must exist after a run. The input is that
    of a `shop`, if one is named, or is a BATCH file. `words` are the arguments of a command of
    pinterest-capi; a run that sends nothing `says` how many records it has read. What waits, or
    needs more than one core, cannot run `in_turns` with the floor.
    """

    name: str
    about: str
    program: str = TARGET
    settings: Mapping[str, Any] = {}
    latency_ms: int = 0
    processes: int = 1
    is_slow: bool = False
    makes: str = ""
    shop: str = ""
    is_batch: bool = False
    words: tuple[str, ...] = ()
    says: str = ""
    in_turns: bool = True


def fallbacks() -> dict[str, list[str]]:
    """Return the 27 expressions, each with two fallbacks from a column that is always null."""
    others = ["hashed_maids", "hashed_maids.id || hashed_maids"]
    return {path: [expression, *others] for path, expression in EXPRESSIONS.items()}


CASES: Final = (
    Case("floor", "decode, normalize, hash, encode by hand, on one core", program="floor"),
    Case("sdk", "the SDK's default path into an empty sink", program="sdk", is_slow=True),
    Case(
        "target-jsonl",
        "a public target that writes records to a file",
        program="target-jsonl",
        is_slow=True,
    ),
    Case("target", "this target: preset pinterest, delivery, checkpoints"),
    Case(
        "mapping",
        "with a mapping of 27 expressions",
        settings={"mappings": [{"stream": STREAM, "fields": EXPRESSIONS}]},
    ),
    Case(
        "fallbacks",
        "with the same, each with two fallbacks",
        settings={"mappings": [{"stream": STREAM, "fields": fallbacks()}]},
    ),
    Case(
        "ledger",
        "with an SQLite ledger",
        settings={"ledger_url": "sqlite:///{folder}/ledger.db"},
        makes="ledger.db",
    ),
    Case(
        "failures",
        "with rows of results for events that fail, in SQLite",
        settings={"results_url": "sqlite:///{folder}/results.db"},
        makes="results.db",
    ),
    Case(
        "results",
        "with a row of results for each event, in SQLite",
        settings={"results_url": "sqlite:///{folder}/results.db", "results_events": "all"},
        makes="results.db",
    ),
    Case("validate", "with validate_records: true", settings={"validate_records": True}),
    Case("batch", "with the records in a BATCH of gzip", is_batch=True),
    Case(
        "lists",
        "members of a customer list instead of events, in a dry run",
        settings={**_DRY, "customer_lists": [_MEMBERS]},
        says="skipped dry_run {records} ",
    ),
    Case(
        "preview",
        "pinterest-capi preview --summary",
        settings=_DRY,
        words=("preview", "--summary"),
        says="{records:,} event",
    ),
    Case(
        "check",
        "pinterest-capi check --sample",
        settings=_DRY,
        words=("check", "--sample", "-"),
        says="{records:,} event",
    ),
    Case(
        BOTH_CORES,
        "this target, uninterrupted, with a second core for the server",
        in_turns=False,
    ),
    Case(
        "latency",
        f"with {LATENCY_MS} ms per request",
        latency_ms=LATENCY_MS,
        in_turns=False,
    ),
    Case("two", "two processes, each with half of the input", processes=2, in_turns=False),
)
SHOP_FLOOR: Final = "shop-floor"
SHOP_CASES: Final = tuple(
    case
    for name in shops.SHOPS
    for case in (
        Case(f"floor of {name}", f"decode {name}, encode", program=SHOP_FLOOR, shop=name),
        Case(name, f"preset of {name}", settings={"mappings": [shops.mapping(name)]}, shop=name),
    )
)


class Sample(NamedTuple):
    """One run of a case on `records` records."""

    records: int
    took: children.Took
    counts: Counts


class Bench:
    """The inputs, servers and folder of a session, for the duration of a `with` block.

    With `in_turns` programs take turns with the floor, except for cases that cannot.
    """

    def __init__(self, folder: Path, count: int, *, in_turns: bool = False) -> None:
        self._folder = folder
        self._in_turns = in_turns
        self._yardstick: Yardstick | None = None
        self._bytecode = folder / "bytecode"
        self._servers: dict[int, Server] = {}
        self._shops: dict[str, tuple[Path, Path]] = {}
        self._stack = ExitStack()
        self.files = Files(folder, count)

    def __enter__(self) -> Self:
        self.files.generate()
        if self._in_turns:
            yardstick = Yardstick(self.files.every, self._folder)
            self._yardstick = self._stack.enter_context(yardstick)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def run(self, case: Case) -> Sample:
        """Run a case on its input. Raises `ChildError`, or `Absent`."""
        if case.shop:
            return self._run(case, [[self._shop(case.shop)[0]]], self.files.of_shop)
        if case.is_batch:
            return self._run(case, [[self.files.batch]], self.files.count)
        if case.processes > 1:
            return self._run(case, [[half] for half in self.files.halves], self.files.count)
        if case.is_slow:
            return self._run(case, [[self.files.some]], self.files.fewer)
        return self._run(case, [[self.files.every]], self.files.count)

    def run_one(self, case: Case) -> Sample:
        """Run a case on a single record per process: its start and end."""
        if case.shop:
            return self._run(case, [[self._shop(case.shop)[1]]], 1)
        if case.is_batch:
            return self._run(case, [[self.files.batch_of_one]], 1)
        return self._run(case, [[self.files.one]] * case.processes, case.processes)

    def run_long(self, case: Case, times: int) -> Sample:
        """Run a case on the input repeated a number of times."""
        return self._run(
            case, [[self.files.schema, *[self.files.rest] * times]], times * self.files.count
        )

    def run_import(self) -> float:
        """Return the seconds in which an interpreter imports the SDK and ends."""
        words = [sys.executable, "-c", "import singer_sdk"]
        folder = self._folder / "import"
        command = children.Command(words, [self.files.one], folder, self._bytecode)
        return self._take([command]).wall_seconds

    def run_about(self) -> float:
        """Return the seconds that `--about` takes."""
        words = [str(program("target-pinterest-capi")), "--about", "--format", "json"]
        command = children.Command(words, [self.files.one], self._folder / "about", self._bytecode)
        return self._take([command]).wall_seconds

    def _run(self, case: Case, inputs: list[list[Path]], records: int) -> Sample:
        folder = self._folder / f"{case.name}-{uuid.uuid4().hex[:8]}"
        server = self._server(case.latency_ms)
        commands = [
            children.Command(_words(case, part, server), source, part, self._bytecode)
            for number, source in enumerate(inputs)
            if (part := _made(folder / str(number)))
        ]
        server.take()
        took = self._take(commands, in_turns=case.in_turns)
        counts = server.take()
        if case.program == TARGET:
            _check(case, counts, records, commands)
        for command in commands:
            for path in command.folder.iterdir():
                path.unlink()
        return Sample(records, took, counts)

    def _take(self, commands: list[children.Command], *, in_turns: bool = True) -> children.Took:
        if self._yardstick is None:
            return children.run(*commands)
        if not in_turns:
            with self._yardstick.on_all_cores():
                return children.run(*commands)
        (command,) = commands
        return children.run_in_turns(command, self._yardstick)

    def _shop(self, name: str) -> tuple[Path, Path]:
        if name not in self._shops:
            self._shops[name] = shops.generate(self._folder, name, self.files.of_shop)
        return self._shops[name]

    def bytes_of_a_record(self, case: Case) -> float:
        """Return how long a line of a case's input is."""
        if case.shop:
            return self._shop(case.shop)[0].stat().st_size / self.files.of_shop
        return self.files.every.stat().st_size / self.files.count

    def _server(self, latency_ms: int) -> Server:
        if latency_ms not in self._servers:
            self._servers[latency_ms] = self._stack.enter_context(Server(latency_ms))
        return self._servers[latency_ms]


def program(name: str) -> Path:
    """Return a program that is installed with this interpreter."""
    return Path(sys.executable).parent / name


def config(url: str, folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the target's configuration for a server: required settings, and those of a case."""
    return {
        "ad_account_id": "549755885175",
        "conversion_token": "a-token-of-no-one",
        "api_url": url,
        "dead_letter_path": str(folder / "rejected.jsonl"),
        **{
            name: value.format(folder=folder) if isinstance(value, str) else value
            for name, value in settings.items()
        },
    }


def _words(case: Case, folder: Path, server: Server) -> list[str]:
    path = folder / "config.json"
    match case.program:
        case "floor":
            return [sys.executable, "-m", "benchmarks.floor"]
        case "shop-floor":
            return [sys.executable, "-m", "benchmarks.shop_floor", case.shop]
        case "sdk":
            return [sys.executable, "-m", "benchmarks.null_target"]
        case "target-jsonl":
            path.write_text(json.dumps({"destination_path": str(folder)}))
            return [str(peers.target_jsonl()), "--config", str(path)]
        case _:
            path.write_text(json.dumps(config(server.url, folder, case.settings)))
            name = "pinterest-capi" if case.words else "target-pinterest-capi"
            return [str(program(name)), *case.words, "--config", str(path)]


def _check(case: Case, counts: Counts, records: int, commands: list[children.Command]) -> None:
    if case.says:
        (command,) = commands
        said = command.output.read_text() + command.log.read_text()
        if case.says.format(records=records) not in said:
            raise children.ChildError(f"{case.name}: did not take {records} records")
    elif counts.events != records:
        raise children.ChildError(
            f"{case.name}: the server received {counts.events} of {records} events"
        )
    for command in commands:
        if (command.folder / "rejected.jsonl").exists():
            raise children.ChildError(f"{case.name}: the target wrote dead letters")
        if case.makes and not (command.folder / case.makes).exists():
            raise children.ChildError(
                f"{case.name}: no {case.makes} was made, so the setting has no effect yet"
            )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder

"""Names from data are not printed: canaries in every place, looked for in every output.

Names of streams, columns, events, lists and keys can come from data. Here each of them is
somebody's address, phone or name in turn, and everything that any command prints, logs, posts or
stores about a run is searched for it. An event's own body is the payload, and not searched.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from members import ACCESS_TOKEN
from test_notification import Receiver

from given import record, schema, state
from shopper import seconds_ago
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

ADDRESS = "canary.person@example.com"
NAME = "Canary Jones"  # which no form gives away
PERSONAL = (ADDRESS, "+1 202 555 0199", "192.0.2.199", "2001:db8::199", f"{0xC0FFEE:032x}")
ENTRY = {
    "stream": "*",
    "fields": {
        "event_id": "id",
        "event_name": "kind",
        "event_time": "at",
        "action_source": "source",
        "user_data.em": "email",
        "custom_data.order_id": "id",
    },
}


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Place(NamedTuple):
    """Where a canary is: its changes in a row and in the settings, and names around the row."""

    row: Mapping[str, Any] = NOTHING
    settings: Mapping[str, Any] = NOTHING
    stream: str = "orders"
    key: str = "id"
    undeclared: Mapping[str, Any] = NOTHING
    bookmark: str = "orders"
    fault: Fault | None = None


def entry(**changes: Any) -> dict[str, Any]:
    return {"mappings": [{**ENTRY, **changes}]}


def listed(name: Any, **changes: Any) -> dict[str, Any]:
    return {
        "customer_lists": [
            {"stream": "*", "list_name": name, "list_type": "EMAIL", "member": "email", **changes}
        ],
        "oauth": {"access_token": ACCESS_TOKEN},
    }


# A value, or a name that stands for one: never printed.
VALUES: dict[str, Callable[[str], Place]] = {
    "event name": lambda canary: Place({"kind": canary}),
    "event name that no entry lists": lambda canary: Place(
        {"kind": canary}, entry(event_names={"Paid": "checkout"})
    ),
    "event name that is passed on": lambda canary: Place(
        {"kind": canary}, entry(event_names={"Paid": "checkout"}, unlisted_names="send")
    ),
    "action source": lambda canary: Place({"source": canary}),
    "key": lambda canary: Place({"id": canary, "email": None}),
    "time": lambda canary: Place({"at": canary}),
    "account": lambda canary: Place({"account": canary}, entry(ad_account_id="account")),
    "operation": lambda canary: Place({"audience": canary}, listed("VIPs", operation="audience")),
    "bookmark": lambda canary: Place(bookmark=canary),
    "words of Pinterest": lambda canary: Place(
        fault=Fault("status", status=400, message=f"{canary!r} is wrong")
    ),
    "words of Pinterest at a stop": lambda canary: Place(
        fault=Fault("status", status=403, message=f"{canary!r} is wrong")
    ),
}
# A name that people look for: printed, but for what has the form of a person's.
NAMES: dict[str, Callable[[str], Place]] = {
    "stream": lambda canary: Place(stream=canary),
    "stream without an entry": lambda canary: Place(stream=canary, settings=entry(stream="orders")),
    "stream of preset pinterest": lambda canary: Place(stream=canary, settings={"mappings": None}),
    "declared column": lambda canary: Place({canary: "x"}),
    "column of a record": lambda canary: Place(undeclared={canary: "x"}),
    "column that is a field": lambda canary: Place(
        {canary: "x"}, entry(preset="pinterest", fields={"event_id": "id"})
    ),
    "member of an object": lambda canary: Place(
        {"more": {canary: 1}}, entry(fields={**ENTRY["fields"], "custom_data.value": "more"})
    ),
    "key property": lambda canary: Place({canary: "x"}, key=canary),
    "list": lambda canary: Place({"audience": canary}, listed({"expression": "audience"})),
    "misspelt column": lambda canary: Place(
        settings=entry(fields={**ENTRY["fields"], "user_data.ph": json.dumps(canary)})
    ),
    "pattern of streams": lambda canary: Place(settings=entry(stream=canary)),
}
# The user's own word, which nobody would make an address.
WORDS: dict[str, Callable[[str], Place]] = {
    "list of the settings": lambda canary: Place(settings=listed(canary)),
    "user of a URL": lambda canary: Place(
        settings={"dead_letter_path": f"memory://{canary}:key@bucket/letters?key={canary}"}
    ),
    "entry of the settings": lambda canary: Place(settings=entry(name=canary)),
}
QUICK = [
    *((VALUES, place, NAME) for place in VALUES),
    *((NAMES, place, ADDRESS) for place in NAMES),
    *((WORDS, place, ADDRESS) for place in WORDS),
]
ALL = [
    *QUICK,
    *((VALUES, place, ADDRESS) for place in VALUES),
    *((NAMES, place, form) for place in NAMES for form in PERSONAL[1:]),
]


def lines_of(place: Place) -> list[bytes]:
    """Return the messages of a tap with the canary in its second record."""
    usual = {
        "id": "1",
        "kind": "checkout",
        "at": seconds_ago(60),
        "source": "web",
        "email": "shopper1@example.com",
        "account": None,
        "audience": "VIPs",
        "more": None,
    }
    row = {**usual, "id": "2", **place.row}
    return [
        schema(place.stream, *row, key_properties=(place.key,)),
        record(place.stream, **{**row, **usual}),
        record(place.stream, **row, **place.undeclared),
        record(place.stream, **{**row, "id": "3", "at": "soon"}),
        state({"bookmarks": {place.bookmark: {"at": place.bookmark}}}),
    ]


def _without_names(letter: dict[str, Any]) -> dict[str, Any]:
    """Return a dead letter without its payload, and the names in its key."""
    kept = {**letter, "key": list((letter.get("key") or {}).values())}
    return {name: kept[name] for name in kept.keys() - {"event", "stream", "mapping"}}


class Doors:
    """Everything that prints, by its name: the target's run, and the commands."""

    def __init__(self, run_target: Any, config: dict[str, Any], receiver: Receiver, folder: Path):
        self._run = run_target
        self._folder = folder
        self._receiver = receiver
        self.config = {
            **config,
            "results_url": f"sqlite:///{folder}/results.db",
            "results_events": "all",
            "ledger_url": f"sqlite:///{folder}/ledger.db",
            "report_path": str(folder / "report.json"),
            "notify_url": receiver.url,
            "notify_on": "always",
        }

    def open(self, place: Place, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[str, str]]:
        """Yield the name of each program, and its output."""
        settings = {**self.config, **entry(), **place.settings}
        sample = self._folder / "orders.singer"
        sample.write_bytes(b"\n".join(lines_of(place)))
        (self._folder / "config.json").write_text(json.dumps(settings))
        run = self._run(lines_of(place), **settings)
        yield "log", run.log
        yield (
            "members of log records",
            json.dumps([vars(row) for row in caplog.records], default=str),
        )
        yield "report", (self._folder / "report.json").read_text()
        yield "notification", b"".join(self._receiver.bodies).decode()
        yield "results", self._results()
        yield "dead letters", json.dumps([_without_names(row) for row in run.dead_letters])
        for words in (
            "report report.json -o -",
            "report report.json --text",
            "check --sample orders.singer",
            "check --sample orders.singer --json",
            "check",
            "preview orders.singer",
            "preview orders.singer --json",
            "preview orders.singer --summary",
            "preview orders.singer --summary --json",
            "suggest orders.singer",
            "suggest orders.singer --output mappings.yaml --force --preview 0",
            "trace id=2 ",
            "trace id=2 --json",
            "replay rejected.jsonl --dry-run",
            "replay rejected.jsonl",
            "forget orders.singer --column email --yes",
            "prune --dry-run",
        ):
            yield words, self._command(words)

    def _command(self, words: str) -> str:
        command, *arguments = words.split()
        needs_config = command not in ("report", "suggest")
        config = ["--config", "config.json"] if needs_config else []
        caught = CliRunner().invoke(main, [command, *arguments, *config])
        assert caught.exception is None or isinstance(caught.exception, SystemExit), caught
        return caught.output

    def _results(self) -> str:
        with sqlite3.connect(self._folder / "results.db") as database:
            return "\n".join(database.iterdump())


@pytest.fixture
def doors(
    run_target, config: dict[str, Any], tmp_path: Path, plain_terminal: None
) -> Iterator[Doors]:
    receiver = Receiver()
    yield Doors(run_target, config, receiver, tmp_path)
    receiver.close()


@pytest.mark.parametrize(
    ("places", "place", "canary"),
    [
        pytest.param(*row, marks=() if row in QUICK else pytest.mark.slow, id=f"{row[1]}: {row[2]}")
        for row in ALL
    ],
)
def test_canary(
    doors: Doors,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    places: dict[str, Callable[[str], Place]],
    place: str,
    canary: str,
):
    """No output has a canary, from any place."""
    given = places[place](canary)
    sandbox.faults.set([] if given.fault is None else [given.fault])
    leaks = [
        (name, line[:400])
        for name, text in doors.open(given, caplog)
        for line in text.splitlines()
        if canary in line
    ]
    assert leaks == []

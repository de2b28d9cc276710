"""Events that are too old for the API become rows of a CSV file for Ads Manager.

No row drops a required opt-out, none is written twice, and none counts as delivered.
"""

import csv
import json
import re
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import httpx
import pytest
from click.testing import CliRunner

from given import ACCOUNT, Clock, record, schema, settings_of, state
from shopper import digest, event, seconds_ago, visit
from target_pinterest_capi.checks.old_events import check_old_events
from target_pinterest_capi.checks.result import CheckStatus
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.delivery.deduplication import Deduplication
from target_pinterest_capi.delivery.event_ledger import EventLedger
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.delivery.old_event_delivery import OldEventDelivery
from target_pinterest_capi.delivery.waiting import FILE_WAIT_SECONDS
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.old_events import MAY_BE_NULL, NAMEABLE
from target_pinterest_capi.files.numbered_files import NumberedFiles
from target_pinterest_capi.sandbox.conversion_files import judge
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import ConfigurationError, load

DAY = 86_400
AMOUNTS = {"custom_data.value": "value", "custom_data.currency": "currency"}
ORDERS = schema("orders", *visit(), "value", "currency", "opt_out_type", "opt_out", "st")

Run = Callable[..., Any]


def order(number: int = 1, days: float = 10, **columns: Any) -> bytes:
    """Return the record of a shop's order, of some days ago."""
    given = {"event_name": "checkout", "action_source": "offline", **columns}
    return record("orders", **visit(number, event_time=seconds_ago(days * DAY), **given))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "old"


@pytest.fixture
def run(run_target: Run, folder: Path, tmp_path: Path) -> Run:
    """Return a function that runs the target on orders, with files for the old ones."""
    given = {
        "old_events_path": str(folder),
        "ledger_url": f"sqlite:///{tmp_path}/ledger.db",
        "ledger_retention_days": 30,
    }
    return lambda *records, **more: run_target([ORDERS, *records], **{**given, **more})


def rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows of every file, by the names of their columns."""
    found: list[dict[str, str]] = []
    for file in sorted(folder.glob("*.csv")):
        with file.open(newline="") as lines:
            found += csv.DictReader(lines)
    return found


# What is written


def test_old_event_is_a_row_and_not_sent(run: Run, folder: Path, sandbox: Sandbox):
    """It is skipped as written_to_csv, STATE passes it, and the log says that it waits."""
    ran = run(order(1), order(2, days=1), state({"n": 2}))
    assert (ran.code, ran.reasons) == (0, {"written_to_csv": 1})
    assert ran.outcomes == {"delivered": 1, "skipped": 1}
    assert ran.states
    assert ran.dead_letters == []
    assert sandbox.store.event_ids() == {"visit-2": 1}
    assert "1 events are too old for the API and not at Pinterest: upload" in ran.log


def test_row_has_the_columns_of_the_help_page(run: Run, folder: Path):
    """Times are Unix seconds, identifiers digests in their own columns, kinds Ads Manager's."""
    run(order(1, em=[f"a{number}@example.com" for number in range(5)]))
    (file,) = folder.iterdir()
    assert file.name.startswith(f"{ACCOUNT}-")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (row,) = rows(folder)
    assert abs(int(row.pop("event_time")) - seconds_ago(10 * DAY)) < 60
    assert row == {
        "event_type": "Checkout",
        "source_type": "offline",
        "madid": "",
        **{f"email_{number + 1}": digest(f"a{number}@example.com") for number in range(4)},
    }


def test_named_columns_are_written(run: Run, folder: Path):
    """The names in old_events_names are column names; a kind with its own name uses it."""
    names = {
        **AMOUNTS,
        "action_source": "event_source",
        "page_visit": "PageVisit",
        "custom_data.order_id": "order_id",
        "opt_out": "opt_out",
    }
    given = {"value": "19.90", "currency": "EUR", "order_id": '9, "x"\ny', "opt_out": True}
    run(order(1, event_name="page_visit", **given), old_events_names=names)
    (row,) = rows(folder)
    assert row["event_type"] == "PageVisit"
    assert row["event_source"] == "offline"
    assert (row["value"], row["currency"], row["opt_out"]) == ("19.90", "EUR", "true")
    assert row["order_id"] == '9, "x" y'  # one line, so that a cut file has whole rows


@pytest.mark.parametrize(
    ("columns", "field", "detail"),
    [
        ({"value": 5}, "custom_data.value", "no_column"),
        ({"value": 5, "currency": "EUR"}, "custom_data.value", "no_column"),
        ({"opt_out": True}, "opt_out", "no_column"),
        ({"opt_out_type": "LDP"}, "custom_data.opt_out_type", "no_column"),
        ({"event_name": "page_visit"}, "event_name", "no_name_in_file"),
        ({"event_name": "a_game"}, "event_name", "no_name_in_file"),
        ({"action_source": "web"}, "action_source", "no_name_in_file"),
        (
            {"em": None, "client_ip_address": "192.0.2.1", "client_user_agent": "Mozilla/5.0"},
            "user_data",
            "no_email_or_maid",
        ),
    ],
)
def test_what_a_row_would_lose_keeps_it_a_dead_letter(
    run: Run, folder: Path, columns: dict[str, Any], field: str, detail: str
):
    """An amount, an opt-out, an unknown kind, no usable identifier: the dead letter says which."""
    ran = run(order(1, **columns))
    assert rows(folder) == []
    assert ran.reasons == {"event_too_old": 1}
    (letter,) = ran.dead_letters
    assert (letter["field"], letter["detail"]) == (field, detail)
    asked = f"not in the CSV files, because old_events_names has no name for {field}:"
    assert (asked in ran.log) == (field != "user_data")
    assert letter["event"]["event_id"] == "visit-1"


LDP = {"custom_data.opt_out_type": "ldp", "user_data.st": "st"}
OWN = {"stream": "orders", "fields": {"user_data.em": "em", "event_time": "event_time"}}


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, "custom_data.value, custom_data.currency"),
        ({"old_events_names": AMOUNTS}, ""),
        ({"old_events_names": dict.fromkeys(AMOUNTS)}, ""),
        ({"old_events_names": AMOUNTS, "defaults": {"action_source": "web"}}, "web"),
        ({"old_events_names": AMOUNTS, "defaults": {"event_name": "signup"}}, "signup"),
        ({"mappings": [OWN]}, ""),
        ({"mappings": [{**OWN, "preset": "pinterest"}], "old_events_names": AMOUNTS}, ""),
        (
            {"mappings": [{**OWN, "defaults": {"opt_out": True, "action_source": "app_ios"}}]},
            "opt_out, app_ios",
        ),
        (
            {"mappings": [{**OWN, "fields": {**OWN["fields"], "custom_data.opt_out_type": "x"}}]},
            "custom_data.opt_out_type",
        ),
        (
            {
                "mappings": [{**OWN, "fields": {**OWN["fields"], **LDP}}],
                "old_events_names": {"custom_data.opt_out_type": "ldp"},
            },
            "user_data.st",
        ),
        ({"old_events_path": None, "ledger_url": None, "ledger_retention_days": None}, None),
    ],
)
def test_check_says_which_names_the_file_needs(
    folder: Path, tmp_path: Path, changes: dict[str, Any], missing: str | None
):
    """Before a run, `check` names what the mappings send and the file has no name for."""
    settings = settings_of(**{
        "old_events_path": str(folder),
        "ledger_url": f"sqlite:///{tmp_path}/ledger.db",
        "ledger_retention_days": 30,
        **changes,
    })  # fmt: skip
    found = list(check_old_events(settings))
    if missing is None:
        assert found == []
        return
    (result,) = found
    assert result.status is (CheckStatus.WARNING if missing else CheckStatus.OK)
    assert not missing or result.message.endswith(f"stay dead letters: {missing}")


@pytest.mark.parametrize(
    ("columns", "names", "expected"),
    [
        ({"value": 5}, {"custom_data.value": None}, {}),
        ({"value": 5}, {"custom_data.value": "value"}, {"value": "5"}),
        ({"opt_out": False}, {}, {}),
        (
            {"opt_out_type": "LDP", "st": "CA", "country": "US"},
            {"custom_data.opt_out_type": "ldp", "user_data.st": "st", "user_data.country": "c"},
            {"ldp": "LDP", "st": digest("ca"), "c": digest("us")},
        ),
    ],
)
def test_what_is_named_or_left_on_purpose_is_written(
    run: Run,
    folder: Path,
    columns: dict[str, Any],
    names: dict[str, Any],
    expected: dict[str, str],
):
    """Null means a template without a column for amounts; an opt-out needs its columns."""
    ran = run(order(1, **columns), old_events_names=names)
    assert ran.reasons == {"written_to_csv": 1}
    assert expected.items() <= rows(folder)[0].items()


def test_ldp_needs_all_its_columns(run: Run, folder: Path):
    """State and country are part of LDP: without both columns the event stays a dead letter."""
    names = {"custom_data.opt_out_type": "ldp", "user_data.st": "st"}
    ran = run(order(1, opt_out_type="LDP", st="CA", country="US"), old_events_names=names)
    assert [one["field"] for one in ran.dead_letters] == ["user_data.country"]


@pytest.mark.parametrize(
    ("source", "written"), [("app_android", True), ("offline", True), ("app_ios", False)]
)
def test_advertising_ids_of_ios_are_not_written(run: Run, folder: Path, source: str, written: bool):
    """The file accepts Android's advertising ids."""
    maid = "AECE52E7-03EE-455A-B3C4-E57283966239"
    names = {name: name for name in ("app_android", "app_ios")}
    run(order(1, em=None, hashed_maids=maid, action_source=source), old_events_names=names)
    assert [row["madid"] for row in rows(folder)] == [digest(maid.lower())] * written


@pytest.mark.parametrize(
    ("days", "reasons"),
    [
        (6.9, {}),
        (7.1, {"written_to_csv": 1}),
        (29.9, {"written_to_csv": 1}),
        (30.1, {"event_too_old": 1}),
    ],
)
def test_from_the_last_day_of_the_api_to_the_thirtieth(
    run: Run, days: float, reasons: dict[str, int]
):
    """Events young enough for the API are sent; those too old for the file are dead letters."""
    assert run(order(1, days=days)).reasons == reasons


# Once


def test_neither_a_rerun_nor_a_repeat_writes_twice(run: Run, folder: Path):
    """The ledger records delivered and written events, and a run those that wait."""
    run(order(1, days=6), order(2), order(2))
    assert len(rows(folder)) == 1
    again = run(order(1, days=8), order(2))
    assert again.reasons == {"in_ledger": 2}
    assert len(rows(folder)) == 1


class Skips:
    """All outputs name the events that were not sent."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def skip_events(self, events: list[Event], reason: str) -> None:
        self.counted[reason] += len(events)


def test_claims_of_another_run_are_waited_for(folder: Path, tmp_path: Path, clock: Clock):
    """An event that another run is delivering is not written, and STATE does not pass it."""
    url, skips = f"sqlite:///{tmp_path}/ledger.db", Skips()
    other, mine = EventLedger(url, 30), EventLedger(url, 30)
    old = event(1, at=seconds_ago(10 * DAY))
    other.claim([event_key(old.account, old.name, old.id)])
    names = {"page_visit": "PageVisit", "web": "web"}
    settings = settings_of(
        old_events_path=str(folder),
        old_events_names=names,
        ledger_url=url,
        ledger_retention_days=30,
    )
    claims = Deduplication(lambda: mine, clock)
    delivery = OldEventDelivery(settings, "run1", skips, claims, clock=clock)  # type: ignore[arg-type]
    assert delivery.add_event(old, 7) is None
    delivery.flush()
    assert (delivery.is_idle, delivery.oldest_sequence(), rows(folder)) == (False, 7, [])
    other.close()
    clock.advance(FILE_WAIT_SECONDS)
    delivery.poll()
    assert (delivery.is_idle, delivery.oldest_sequence(), len(rows(folder))) == (True, None, 1)
    assert +skips.counted == {"written_to_csv": 1}


def test_full_disk_stops_the_run_before_state(run: Run, folder: Path, tmp_path: Path):
    """No STATE passes an event whose row is not on disk, and the message names the setting."""
    folder.write_text("")  # a file where the folder is to be
    ran = run(order(1), state({"n": 1}))
    assert (ran.code, ran.states, ran.outcomes) == (1, [], {})
    assert "old_events_path" in ran.log
    folder.unlink()
    assert run(order(1), state({"n": 1})).reasons == {"written_to_csv": 1}


@pytest.mark.parametrize("mode", ["test", "dry_run"])
def test_other_modes_write_nothing(run: Run, folder: Path, mode: str):
    """A test or dry run writes no file, and neither does an entry with such a mode."""
    assert run(order(1), mode=mode).reasons == {"event_too_old": 1}
    entry = {"stream": "orders", "preset": "pinterest", "mode": mode}
    assert run(order(1), mappings=[entry]).reasons == {"event_too_old": 1}
    assert not folder.exists()


# Files


def test_files_stay_below_their_limits(tmp_path: Path):
    """A file that would be too long or too large is followed by another, with the header."""
    files = NumberedFiles(str(tmp_path), "run", b"a,b\n", max_bytes=20, max_lines=3)
    for number in range(5):
        files.append([b"%d,1\n" % number])
    files.append([b"x" * 15 + b"\n"])
    files.close()
    found = {file.name: file.read_text().split() for file in tmp_path.iterdir()}
    assert found == {
        "run-1.csv": ["a,b", "0,1", "1,1"],
        "run-2.csv": ["a,b", "2,1", "3,1"],
        "run-3.csv": ["a,b", "4,1"],
        "run-4.csv": ["a,b", "x" * 15],
    }


def test_each_account_has_files_of_its_own(run: Run, folder: Path):
    """Ads Manager accepts a file for one account."""
    entry = {"stream": "orders", "preset": "pinterest", "ad_account_id": "account"}
    run(order(1, account="1"), order(2, account="2"), order(3, account="1"), mappings=[entry])
    sizes = {file.name.split("-")[0]: file.read_text().count("\n") for file in folder.iterdir()}
    assert sizes == {"1": 3, "2": 2}


def test_prefix_has_an_object_for_each_write(run: Run):
    """Below an fsspec URL every write creates a new object, with the header."""
    run(order(1), order(2), old_events_path="memory://old-events/")
    files = fsspec.filesystem("memory")
    (found,) = files.find("/old-events")
    assert files.cat_file(found).count(b"\n") == 3
    files.rm("/old-events", recursive=True)


# What Ads Manager says


def test_files_are_taken(run: Run, folder: Path, sandbox: Sandbox):
    """Every file passes the sandbox's own check, which knows only Pinterest's page."""
    names = {**AMOUNTS, "web": "web", "page_visit": "PageVisit"}
    many = [
        order(number, days=8 + number % 22, value=number, currency="EUR") for number in range(60)
    ]
    run(*many, order(99, action_source="web", event_name="page_visit"), old_events_names=names)
    (file,) = folder.iterdir()
    given = httpx.post(f"{sandbox.origin}/_sandbox/conversion_files", content=file.read_bytes())
    assert given.json() == {"rows": 61, "problems": []}


HASHED = digest("a@example.com")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("event_time,email\n{now},a@example.com\n", None),
        (f"event_time,madid\n08/14/2012,{HASHED}\n", "not within the last 30 days"),
        ("event_time,email\n2012-08-14T12:32:42+0700,a@example.com\n", "within the last 30"),
        ("event_time,email\n08/14/2012 5:01:54 PM,a@example.com\n", "within the last 30"),
        ("event_time,email\nyesterday,a@example.com\n", "has an unknown format"),
        ("event_time,email\n{now},nobody\n", "neither an address nor a lower-case digest"),
        (
            f"event_time,email\n{{now}},{HASHED.upper()}\n",
            "neither an address nor a lower-case digest",
        ),
        ("event_time,email,madid\n{now},,\n", "neither an email nor a madid"),
        ("event_time,email\n{now}\n", "number of cells is not the number of columns"),
        ("event_time,value\n{now},1\n", "neither a column email nor madid"),
        ("email\na@example.com\n", "no column event_time"),
        ("event_time,email,email\n{now},a@example.com,b@example.com\n", "one name"),
        ('event_time,email\n"{now}', "not CSV"),
    ],
)
def test_files_that_are_wrong_are_found(text: str, problem: str | None):
    """What the page forbids is a problem, and the message shows no value."""
    given = text.replace("{now}", str(seconds_ago(60))).encode()
    problems = judge(given, seconds_ago()).problems
    assert [problem] * bool(problem) == [problem] * len(problems)
    assert problem is None or problem in problems[0]
    assert "example.com" not in str(problems)


# Commands


def test_replay_writes_what_has_become_too_old(
    run: Run, folder: Path, config: dict[str, Any], tmp_path: Path, sandbox: Sandbox
):
    """Once the columns have names, a replay of the dead letters writes the rows."""
    assert run(order(1, value=5)).reasons == {"event_too_old": 1}
    file = tmp_path / "target.json"
    given = {
        **config,
        "old_events_path": str(folder),
        "old_events_names": {"custom_data.value": "value"},
        "ledger_url": f"sqlite:///{tmp_path}/ledger.db",
        "ledger_retention_days": 30,
    }
    file.write_text(json.dumps(given))
    done = CliRunner().invoke(main, ["replay", config["dead_letter_path"], "--config", str(file)])
    assert done.exit_code == 0, done.output
    assert [row["value"] for row in rows(folder)] == ["5"]
    assert sandbox.store.requests() == []


# Settings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ledger_url": None}, "needs ledger_url"),
        ({"ledger_retention_days": 29}, "must be at least 30 with old_events_path"),
        ({"max_event_age_days": 30}, "has no effect if max_event_age_days is 30"),
        ({"max_event_age_days": "never", "ledger_retention_days": 40}, "is never"),
        ({"old_events_path": "old.csv"}, "is a folder"),
        ({"old_events_names": {"custom_data.valu": "x"}}, "did you mean custom_data.value?"),
        ({"old_events_names": {"web": " "}}, "must be a string for web"),
        ({"old_events_names": {"opt_out": None}}, "must be a string for opt_out"),
        ({"old_events_names": {"opt_out": "madid"}}, "has two columns with the same name"),
        ({"old_events_names": {"event_id": "source_type"}}, "has two columns with the same name"),
        ({"old_events_path": "rejected.jsonl"}, "is also the file of"),
    ],
)
def test_settings_that_could_write_wrong_files_are_refused(given: dict[str, Any], words: str):
    """Each problem is reported before anything is read."""
    right = {
        "ad_account_id": ACCOUNT,
        "conversion_token": "token",
        "dead_letter_path": "rejected.jsonl",
        "old_events_path": "old",
        "ledger_url": "sqlite:///ledger.db",
        "ledger_retention_days": 30,
    }
    load(right)
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        load({**right, **given})


def test_everything_nameable_can_be_named():
    """Each name is valid; only a column that may be absent can be null."""
    load(
        {
            "ad_account_id": ACCOUNT,
            "conversion_token": "token",
            "old_events_path": "old",
            "ledger_url": "sqlite:///ledger.db",
            "ledger_retention_days": 30,
            "old_events_names": {name: f"x{name}" for name in NAMEABLE},
        }
    )
    assert set(NAMEABLE) >= {*MAY_BE_NULL}

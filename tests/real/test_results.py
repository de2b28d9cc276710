"""The results of runs as tables, on SQLite and on PostgreSQL.

A run's row says how it went, an event's row its outcome, and no STATE passes an event whose
row is not there.
"""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from report_sample import report_of

from given import ACCOUNT, TOKEN, record, schema, settings_of, state
from shopper import digest, event, visit
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.delivery import results_tables
from target_pinterest_capi.delivery.ledger import LEASE_SECONDS
from target_pinterest_capi.delivery.results import ResultsError, RunResults
from target_pinterest_capi.delivery.results_database import ROWS_AT_ONCE, ResultsDatabase
from target_pinterest_capi.delivery.run import Run
from target_pinterest_capi.events.event import Event, Origin
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.reporting.report import encode
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

TARGET = Path(sys.executable).with_name("target-pinterest-capi")
DOCUMENT = Path(__file__).parents[2] / "docs" / "results.md"
NOW = datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
BEGIN_AND_DIE = """
import os, sys
sys.path.insert(0, sys.argv[3])
from given import settings_of
from target_pinterest_capi.delivery.results_database import ResultsDatabase
ResultsDatabase(sys.argv[1], settings_of(), sys.argv[2]).begin_run("target")
os._exit(0)
"""
VISITS = schema("visits", *visit(), key_properties=("event_id",))
VALUED = schema("visits", *visit(), "value", "currency", key_properties=("event_id",))
NUMBERS = (
    "records", "delivered", "invalid", "rejected", "skipped", "without_outcome", "states_written",
    "dead_letters_written",
)  # fmt: skip

Query = Callable[[str], list[dict[str, Any]]]


# Tests share the one database, and some a ledger in it.
LEDGER_TABLES = ("pinterest_delivered_events", "pinterest_ledger_batches", "pinterest_ledger_runs")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database without results, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/results.db"
        return
    cluster = request.getfixturevalue("postgres")
    tables = ", ".join(
        (*LEDGER_TABLES, *(table.name for table in results_tables.metadata.sorted_tables))
    )
    cluster.query(f"SET client_min_messages = warning; DROP TABLE IF EXISTS {tables}")
    yield cluster.url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def query(url: str) -> Iterator[Query]:
    """Return a function that runs SQL in that database and returns rows as dictionaries."""
    engine = sa.create_engine(url)

    def run(sql: str) -> list[dict[str, Any]]:
        with engine.begin() as connection:
            found = connection.exec_driver_sql(sql)
            return [dict(row._mapping) for row in found] if found.returns_rows else []

    yield run
    engine.dispose()


@pytest.fixture
def given(sandbox: Sandbox, tmp_path: Path, url: str) -> dict[str, Any]:
    return {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "api_url": sandbox.url,
        "dead_letter_path": str(tmp_path / "rejected.jsonl"),
        "max_retry_seconds": 20,
        "results_url": url,
    }


def visits(*numbers: int, **columns: Any) -> list[bytes]:
    return [record("visits", **visit(number, **columns)) for number in numbers]


def opened(url: str, run_id: str, now: datetime = NOW, **given: Any) -> ResultsDatabase:
    """Open the results at a given time, as a run on another machine does."""
    return ResultsDatabase(url, settings_of(**given), run_id, now=lambda: now, process="elsewhere")


def events_by_id(query: Query) -> dict[str, dict[str, Any]]:
    return {row["event_id"]: row for row in query("SELECT * FROM pinterest_event_results")}


@pytest.mark.parametrize("asked", ["failed", "all"])
def test_an_event_has_one_row(run_target, given, sandbox: Sandbox, query: Query, asked: str):
    """A row has an event's outcome and reason; delivered events have one if configured."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-2", times=1)])
    lines = [VISITS, *visits(1, 2, 3), *visits(4, em="no-address")]
    assert run_target(lines, **given, results_events=asked).code == 0
    found = events_by_id(query)
    columns = ("event_name", "outcome", "reason", "field", "http_status", "ad_account_id")
    delivered = ("page_visit", "delivered", None, None, 422, ACCOUNT)
    expected = {
        "visit-2": ("page_visit", "rejected", "refused_event", None, 422, ACCOUNT),
        None: (None, "invalid", "no_identifier", "user_data", None, None),
        **({"visit-1": delivered, "visit-3": delivered} if asked == "all" else {}),
    }
    assert {
        event_id: tuple(row[name] for name in columns) for event_id, row in found.items()
    } == expected
    assert found["visit-2"]["detail"]
    for event_id, row in found.items():
        assert json.loads(row["key"]) == {"event_id": digest(event_id or "visit-4")}
        assert (row["stream"], row["mapping"]) == ("visits", "pinterest")


def test_a_run_has_one_row(run_target, given, query: Query):
    """Its row has the counts, the exit code and the settings' digest; other tables its parts."""
    before = datetime.now(UTC)
    ran = run_target([VISITS, *visits(1, 2), *visits(3, em=None), state({"n": 3})], **given)
    (row,) = query("SELECT * FROM pinterest_runs")
    assert row["run_id"] == ran.target.run.run_id
    assert [row[name] for name in NUMBERS] == [3, 2, 1, 0, 0, 0, 1, 1]
    assert (row["program"], row["status"], row["exit_code"], row["stopped"]) == (
        "target", "ended", 0, None,
    )  # fmt: skip
    assert (row["mode"], row["api"], row["ad_account_id"]) == ("live", "127.0.0.1", ACCOUNT)
    assert len(row["settings_digest"]) == 64
    started, ended = (_utc(row[name]) for name in ("started_at", "ended_at"))
    assert before <= started <= ended <= datetime.now(UTC)
    (reason,) = query("SELECT * FROM pinterest_run_reasons")
    assert (reason["outcome"], reason["reason"], reason["events"]) == (
        "invalid", "no_identifier", 1,
    )  # fmt: skip
    emails = query("SELECT * FROM pinterest_run_coverage WHERE component = 'hashed_email'")
    assert [(row["event_name"], row["events"], row["carrying"]) for row in emails] == [
        ("page_visit", 2, 2)
    ]


def test_the_page_compares_with_earlier_runs(run_target, given, tmp_path: Path, query: Query):
    """`report --config` shows the same trend as a folder of the reports of these runs."""
    reports = tmp_path / "reports"
    reports.mkdir()
    for number in range(1, 5):
        path = str(reports / f"{number}.json")
        numbers = range(10 * number, 11 * number)
        values = {"value": "7.25", "currency": "EUR"}
        lines = [VALUED, *visits(*numbers, **values), *visits(9, em=None)]
        assert run_target(lines, **given, report_path=path).code == 0
    run_target([VISITS, *visits(77)], **given, mode="test")
    last = str(reports / "4.json")
    config = tmp_path / "trend.json"
    config.write_text(json.dumps(given))
    done = CliRunner().invoke(main, ["report", last, "--config", str(config), "-o", "-"])
    assert done.exit_code == 0, done.output
    assert "This run and the 3 before it" in done.stdout
    folder = CliRunner().invoke(main, ["report", last, "--trend", str(reports), "-o", "-"])
    assert done.stdout == folder.stdout
    query("UPDATE pinterest_runs SET within_an_hour = NULL, failed_events = NULL")
    older = CliRunner().invoke(main, ["report", last, "--config", str(config), "-o", "-"])
    assert "not applicable" in older.stdout[older.stdout.index('id="trend"') :]


def test_page_of_a_run_has_the_trend(run_target, given, tmp_path: Path):
    """A run that writes a page itself compares it with the runs in its results."""
    for number in range(3):
        path = tmp_path / f"{number}.html"
        lines = [VISITS, *visits(number)]
        assert run_target(lines, **given, report_path=str(path)).code == 0
    first, last = ((tmp_path / f"{number}.html").read_text() for number in (0, 2))
    assert "This run and the 2 before it" in last
    assert 'id="trend"' not in first


def test_page_of_a_run_whose_results_cannot_be_read(run_target, tmp_path: Path):
    """The page is written without the trend, and the log says why."""
    page = tmp_path / "report.html"
    url = "postgresql+psycopg://a@127.0.0.1:9/x"
    ran = run_target([VISITS, *visits(1)], results_url=url, report_path=str(page))
    assert ran.code == 1
    assert page.exists()
    assert "has no trend: the results cannot be read" in ran.log


def test_trend_of_results_that_cannot_be_read(tmp_path: Path):
    """Without results_url, and with a database that does not answer, the command says so."""
    report = tmp_path / "report.json"
    report.write_bytes(encode(report_of()))
    for wrong, said in (
        ({}, "no results_url"),
        ({"results_url": "postgresql+psycopg://a@127.0.0.1:9/x"}, "results cannot be read"),
    ):
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"ad_account_id": ACCOUNT, "mode": "dry_run", **wrong}))
        done = CliRunner().invoke(main, ["report", str(report), "--config", str(config)])
        assert done.exit_code
        assert said in done.output


def test_digest_of_settings_changes_with_them(run_target, given, query: Query):
    """Runs of one configuration have the same digest, and a changed setting results in another."""
    for days in (7, 7, 6):
        run_target([VISITS, *visits(1)], **given, max_event_age_days=days)
    found = [row["settings_digest"] for row in query("SELECT * FROM pinterest_runs")]
    assert [found.count(one) for one in found] == [2, 2, 1]


@pytest.mark.parametrize("mode", ["test", "dry_run"])
def test_events_of_other_modes_have_no_row(run_target, given, query: Query, mode: str):
    """A test or a dry run delivers nothing: the run's row has its mode, and events have no rows."""
    lines = [VISITS, *visits(1), *visits(2, em=None)]
    run_target(lines, **given, mode=mode, results_events="all")
    assert [row["mode"] for row in query("SELECT * FROM pinterest_runs")] == [mode]
    assert query("SELECT * FROM pinterest_event_results") == []


def test_nothing_personal_is_kept(run_target, given, query: Query):
    """No table contains an address, hashed or not, an IP address, a user agent or a token."""
    person = {"client_ip_address": "192.0.2.7", "client_user_agent": "Curious/1.0"}
    declared = schema("visits", *visit(), *person, key_properties=("event_id",))
    run_target(
        [declared, *visits(1, **person), *visits(2, event_name="", **person)],
        **given,
        results_events="all",
    )
    kept = [
        str(query(f"SELECT * FROM {table.name}")) for table in results_tables.metadata.sorted_tables
    ]
    email = "shopper1@example.com"
    for value in (email, digest(email), "192.0.2.7", "Curious", TOKEN, "shopper"):
        assert value not in "".join(kept)


def test_plain_keys_if_configured(run_target, given, query: Query):
    """`dead_letter_keys` applies to the results as well."""
    run_target([VISITS, *visits(1)], **given, results_events="all", dead_letter_keys="plain")
    (row,) = query("SELECT * FROM pinterest_event_results")
    assert json.loads(row["key"]) == {"event_id": "visit-1"}


@pytest.mark.parametrize(
    "hostile",
    [
        "nul\0",
        "half\ud800",
        "drop'; --",
        '"quoted"',
        "ü€🛍",
        "%s ?",
        "back\\slash\\",
        "{a,b}\n[]",
        "null",
    ],
)
def test_any_text_can_be_kept(url: str, query: Query, hostile: str):
    """An id keeps what a database can store; only streams are shown as in reports."""
    results = opened(url, "run-1")
    one = event(1)
    origin = Origin(hostile, one.origin.mapping)
    hostile_event = Event(one.body, one.account, origin, hostile, hostile, True, one.time, None)
    results.record_delivered([hostile_event], 200).result()
    results.close()
    (row,) = query("SELECT * FROM pinterest_event_results")
    kept = hostile.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    assert (row["stream"], row["event_id"]) == (shown_name(hostile), kept)
    assert row["event_name"] == "(others)"


# ---- when the database fails ----


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("sqlite:////no/such/folder/results.db", "unable to open database file"),
        ("postgresql+psycopg://shop:s3cret@127.0.0.1:1/results", "refused"),
    ],
)
def test_results_that_cannot_be_used_stop_the_run(
    run_target, config, sandbox: Sandbox, broken: str, words: str
):
    """Nothing is read or sent: exit code 1; the setting is named, its password is not."""
    ran = run_target([VISITS, *visits(1), state({"n": 1})], **config, results_url=broken)
    assert (ran.code, ran.outcomes, ran.states) == (1, {}, [])
    assert "the results at results_url cannot be used" in ran.log
    assert words in ran.log
    assert "s3cret" not in ran.log
    assert sandbox.store.requests() == []


@pytest.mark.parametrize("asked", ["failed", "all"])
def test_state_does_not_pass_an_event_without_a_row(
    run_target, given, url: str, query: Query, asked: str
):
    """If rows cannot be added, no event counts, STATE stays, and the next run gets them again."""
    opened(url, "earlier").close()
    query("ALTER TABLE pinterest_event_results RENAME COLUMN outcome TO other")
    lines = [VISITS, *visits(1), *visits(2, em=None), state({"n": 2})]
    ran = run_target(lines, **given, results_events=asked)
    assert (ran.code, ran.states) == (1, [])
    assert ran.outcomes == ({} if asked == "all" else {"delivered": 1})
    assert "results_url cannot be used" in ran.log
    assert [letter["reason"] for letter in ran.dead_letters] == ["no_identifier"]
    query("ALTER TABLE pinterest_event_results RENAME COLUMN other TO outcome")
    ran = run_target(lines, **given, results_events=asked)
    assert (ran.code, ran.states) == (0, ['{"n": 2}'])
    outcomes = sorted(row["outcome"] for row in query("SELECT * FROM pinterest_event_results"))
    assert outcomes == (["delivered", "invalid"] if asked == "all" else ["invalid"])


def test_delivered_event_without_a_row_is_not_sent_twice(
    run_target, given, url: str, query: Query, sandbox: Sandbox, tmp_path: Path
):
    """The ledger has what Pinterest accepted, even if the results fail: the log says so."""
    opened(url, "earlier").close()
    given |= {"ledger_url": f"sqlite:///{tmp_path}/ledger.db", "results_events": "all"}
    lines = [VISITS, *visits(1, 2, 3, action_source="offline"), state({"n": 3})]
    query("ALTER TABLE pinterest_event_results RENAME COLUMN outcome TO other")
    ran = run_target(lines, **given, batch_size_rows=1)
    assert (ran.code, ran.states, ran.outcomes) == (1, [], {})
    sent = sandbox.store.event_ids()
    assert f"{len(sent)} delivered events have no row in the results" in ran.log
    query("ALTER TABLE pinterest_event_results RENAME COLUMN other TO outcome")
    ran = run_target(lines, **given)
    assert (ran.code, ran.states) == (0, ['{"n": 3}'])
    assert ran.outcomes.get("skipped") == len(sent)
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1, "visit-3": 1}


class _FailingAtFirst:
    """Results that fail a given number of times, and then work."""

    has_ended = True

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.rows: list[tuple[str, int]] = []
        self.given: tuple[Sequence[Event], int]

    def record_delivered(self, events: Sequence[Event], http_status: int) -> "_FailingAtFirst":
        self.given = (events, http_status)
        return self

    def result(self) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise ResultsError("the disk is full")
        events, http_status = self.given
        self.rows += [(one.id, http_status) for one in events]

    def close(self) -> None:
        """Close nothing."""


def test_a_row_that_failed_is_tried_once_more():
    """At the end of the run, missing rows of delivered events are added, if that works again."""
    database: Any = _FailingAtFirst(2)
    settings = settings_of(results_url="sqlite:///results.db", results_events="all")
    results = RunResults(settings, lambda: database, lambda: 0.0)
    for number in (1, 2):
        with pytest.raises(ResultsError):
            list(results.record_delivered([event(number)], 200 + number))
    assert list(results.record_delivered([event(3)], 203)) == [database]
    results.close()
    assert database.rows == [("visit-3", 203), ("visit-1", 201), ("visit-2", 202)]


@pytest.mark.parametrize("has_ledger", [False, True])
def test_events_are_sent_while_rows_are_written(
    given, url: str, query: Query, sandbox: Sandbox, tmp_path: Path, *, has_ledger: bool
):
    """The run does not stand still, but until its row is committed an event does not count."""
    if has_ledger:
        given["ledger_url"] = f"sqlite:///{tmp_path}/ledger.db"
    states: list[bytes] = []
    run = Run(settings_of(**given, results_events="all", batch_size_rows=1), states.append)
    run.begin("target")
    with locked(url):
        for number in (1, 2):
            run.wake.clear()
            run.sequence = number
            run.deliver_event(event(number))
            run.add_state(str(number).encode())
            run.wake.wait(60)  # for the response, or first for the ledger's claim
            while f"visit-{number}" not in sandbox.store.event_ids():
                run.poll()
                run.wake.wait(60)
            if number == 1:
                run.poll()
            assert (run.tally.total(Outcome.DELIVERED), run.without_outcome) == (0, number)
        assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1}
        assert states == []
    assert run.finish() is None
    run.close()
    assert (run.tally.total(Outcome.DELIVERED), run.without_outcome) == (2, 0)
    assert states == [b"2"]
    assert set(events_by_id(query)) == {"visit-1", "visit-2"}


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold a lock that no row can be written with."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        table = results_tables.event_results.name
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else f"LOCK TABLE {table}")
        yield
    engine.dispose()


def test_end_that_cannot_be_recorded_is_logged(run_target, given, url: str, query: Query):
    """The events have their outcomes by then, and these decide the exit code."""
    opened(url, "earlier").close()
    query("ALTER TABLE pinterest_run_coverage RENAME COLUMN carrying TO other")
    ran = run_target([VISITS, *visits(1), state({"n": 1})], **given)
    assert (ran.code, ran.states) == (0, ['{"n": 1}'])
    assert "The end of the run is not in the results" in ran.log
    assert [row["status"] for row in query("SELECT * FROM pinterest_runs")] == ["running"]


def test_wait_for_locked_results_ends_in_time(tmp_path: Path):
    """Once no time is left, the run stops waiting, even if the driver still waits."""
    left = [float("inf")]
    results = ResultsDatabase(
        f"sqlite:///{tmp_path}/results.db", settings_of(), "run-1", seconds_left=lambda: left[0]
    )
    with sqlite3.connect(tmp_path / "results.db") as database:
        database.execute("BEGIN IMMEDIATE")
        left[0] = 0.0
        with pytest.raises(ResultsError, match="locked or does not respond"):
            results.record_delivered([event(1)], 200).result()
        results.close()
    database.close()


# ---- runs that end without a result ----


def statuses(query: Query) -> dict[str, str]:
    return {row["run_id"]: row["status"] for row in query("SELECT * FROM pinterest_runs")}


def test_a_killed_run_is_marked_by_the_next(url: str, query: Query):
    """Its row stays `running` until the next run finds that the process has ended."""
    living = ResultsDatabase(url, settings_of(), "living")
    living.begin_run("target")
    tests = str(Path(__file__).parents[1])
    subprocess.run([sys.executable, "-c", BEGIN_AND_DIE, url, "dead", tests], check=True)
    assert statuses(query) == {"living": "running", "dead": "running"}
    following = ResultsDatabase(url, settings_of(), "next")
    following.begin_run("target")
    assert statuses(query) == {"living": "running", "dead": "crashed", "next": "running"}
    living.close()
    following.close()


def test_a_run_elsewhere_is_dead_without_a_heartbeat(url: str, query: Query):
    """If its process is not visible, the time of its last heartbeat decides."""
    silent, living = opened(url, "silent"), opened(url, "living")
    silent.begin_run("target")
    living.begin_run("target")
    later = NOW + timedelta(seconds=LEASE_SECONDS + 1)
    again = opened(url, "living", later)
    again.show_alive()
    following = opened(url, "next", later)
    following.begin_run("target")
    assert statuses(query) == {"silent": "crashed", "living": "running", "next": "running"}
    for results in (silent, living, again, following):
        results.close()


def started(config: Path) -> "subprocess.Popen[bytes]":
    """Start the target, which reads what is written to its stdin."""
    return subprocess.Popen(
        [TARGET, "--config", config],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def test_signal_ends_the_row(given, query: Query, tmp_path: Path):
    """SIGTERM ends a run like any other cause, with its exit code."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(given))
    target = started(path)
    assert target.stdin is not None
    target.stdin.write(b"\n".join([VISITS, *visits(1)]) + b"\n")
    target.stdin.flush()
    while not _has_run(query):
        threading.Event().wait(0.05)  # another process is awaited, and it cannot wake us
    target.send_signal(signal.SIGTERM)
    target.communicate(timeout=60)
    assert target.returncode == 128 + signal.SIGTERM
    (row,) = query("SELECT * FROM pinterest_runs")
    assert (row["status"], row["exit_code"]) == ("ended", 143)
    assert row["stopped"] == "SIGTERM came."


@pytest.mark.parametrize("has_ledger", [False, True])
def test_kill_leaves_a_row_of_what_is_acknowledged(
    given, query: Query, sandbox: Sandbox, tmp_path: Path, *, has_ledger: bool
):
    """After `kill -9` the rows have what STATE passed and the ledger has; the next run the rest."""
    given |= {"results_events": "all", "batch_size_rows": 10}
    if has_ledger:
        given["ledger_url"] = f"sqlite:///{tmp_path}/ledger.db"
    path = tmp_path / "config.json"
    path.write_text(json.dumps(given))
    lines = [VISITS]
    for number in range(1, 201):
        lines += [*visits(number, action_source="offline"), state({"n": number})]
    target = started(path)
    assert target.stdin is not None
    assert target.stdout is not None
    target.stdin.write(b"\n".join(lines) + b"\n")
    target.stdin.flush()
    passed = json.loads(target.stdout.readline())["n"]
    target.kill()
    target.communicate(timeout=60)
    recorded = set(events_by_id(query))
    assert {f"visit-{number}" for number in range(1, passed + 1)} <= recorded
    done = subprocess.run(
        [TARGET, "--config", path], input=b"\n".join(lines), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(events_by_id(query)) == 200
    if has_ledger:
        again = {one for one, times in sandbox.store.event_ids().items() if times > 1}
        assert again.isdisjoint(f"visit-{number}" for number in range(1, passed + 1))


def _has_run(query: Query) -> bool:
    try:
        return bool(query("SELECT * FROM pinterest_runs"))
    except sa.exc.DBAPIError:
        return False


# ---- finished runs and old results ----


@pytest.mark.parametrize("rows", [1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 1])
def test_old_results_are_deleted(url: str, query: Query, rows: int):
    """Rows older than the retention are deleted when a run begins; the newer ones stay."""
    old = opened(url, "old")
    old.begin_run("target")
    old.record_delivered([event(1)] * rows, 200).result()
    old.close()
    young = opened(url, "young", NOW + timedelta(days=1))
    young.begin_run("target")
    young.record_delivered([event(2)], 200).result()
    young.close()
    end = NOW + timedelta(days=90, seconds=1)
    opened_at_end = opened(url, "next", end)
    opened_at_end.begin_run("target")
    opened_at_end.close()
    assert set(statuses(query)) == {"young", "next"}
    found = query("SELECT run_id, count(*) AS number FROM pinterest_event_results GROUP BY run_id")
    assert [(row["run_id"], row["number"]) for row in found] == [("young", 1)]


def test_a_version_has_its_columns():
    """A new or renamed column needs a new version: tables of the same version do not get it."""
    tables = results_tables.metadata.sorted_tables
    names = sorted(f"{table.name}.{column.name}" for table in tables for column in table.columns)
    assert (results_tables.SCHEMA_VERSION, digest(",".join(names))[:8]) == (4, "b389e15a")


def test_tables_of_an_older_version_get_what_is_missing(url: str, query: Query):
    """Newer columns and tables are added, and the rows stay."""
    before = opened(url, "before")
    before.begin_run("target")
    before.record_delivered([event(1)], 200).result()
    before.close()
    query("UPDATE pinterest_results_version SET version = 0")
    query("ALTER TABLE pinterest_event_results DROP COLUMN detail")
    query("ALTER TABLE pinterest_runs DROP COLUMN settings_digest")
    query("DROP TABLE pinterest_run_lists")
    query("DROP TABLE pinterest_run_amounts")
    after = opened(url, "after")
    after.begin_run("target")
    after.record_delivered([event(2)], 200).result()
    after.close()
    rows = events_by_id(query)
    assert {event_id: row["detail"] for event_id, row in rows.items()} == {
        "visit-1": None,
        "visit-2": None,
    }
    assert set(statuses(query)) == {"before", "after"}
    assert query("SELECT * FROM pinterest_run_lists") == []
    assert query("SELECT version FROM pinterest_results_version") == [
        {"version": results_tables.SCHEMA_VERSION}
    ]


def test_tables_of_a_newer_version_are_not_changed(url: str, query: Query):
    """This version does not write to tables that it does not know: the message says to update."""
    opened(url, "before").close()
    query("UPDATE pinterest_results_version SET version = 99")
    with pytest.raises(ResultsError, match=r"version 99, of a newer .* update it"):
        opened(url, "after")


def opened_at_once(url: str, number: int) -> list[BaseException]:
    """Let so many runs open the tables and add a row at once; return their errors."""
    errors: list[BaseException] = []
    together = threading.Barrier(number)

    def work(one: int) -> None:
        try:
            together.wait(60)
            results = opened(url, f"run-{one}")
            results.begin_run("target")
            results.record_delivered([event(one)], 200).result()
            results.close()
        except BaseException as error:  # noqa: BLE001 - returned
            errors.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_runs_that_open_the_tables_at_once_do_not_fail(url: str, query: Query):
    """The first one creates them, and the others wait."""
    assert opened_at_once(url, 8) == []
    assert len(events_by_id(query)) == 8
    assert len(query("SELECT version FROM pinterest_results_version")) == 1


def test_runs_that_open_older_tables_at_once_do_not_fail(url: str, query: Query):
    """The first one adds what is missing, and the others wait."""
    opened(url, "before").close()
    query("UPDATE pinterest_results_version SET version = 0")
    query("ALTER TABLE pinterest_event_results DROP COLUMN detail")
    query("ALTER TABLE pinterest_runs DROP COLUMN settings_digest")
    assert opened_at_once(url, 8) == []
    assert len(events_by_id(query)) == 8
    assert len(query("SELECT version FROM pinterest_results_version")) == 1


# ---- every program ----


def test_replay_is_a_run(run_target, given, sandbox: Sandbox, query: Query, tmp_path: Path):
    """Replayed events have rows as well, in a separate run."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-1")])
    run_target([VISITS, *visits(1, 2)], **given)
    sandbox.faults.clear()
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**given, "results_events": "all"}))
    done = CliRunner().invoke(
        main, ["replay", given["dead_letter_path"], "--config", str(path)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    runs = query("SELECT * FROM pinterest_runs ORDER BY started_at")
    assert [(row["program"], row["delivered"]) for row in runs] == [("target", 1), ("replay", 1)]
    rows = query("SELECT * FROM pinterest_event_results ORDER BY id")
    assert [(row["event_id"], row["outcome"], row["run_id"]) for row in rows] == [
        ("visit-1", "rejected", runs[0]["run_id"]),
        ("visit-1", "delivered", runs[1]["run_id"]),
    ]


def test_ledger_and_results_share_a_database(run_target, given, query: Query, sandbox: Sandbox):
    """Both settings may name one database: a delivered event is in the ledger, and has its row."""
    both = {**given, "ledger_url": given["results_url"], "results_events": "all"}
    for _ in range(2):
        assert run_target([VISITS, *visits(1, 2)], **both).code == 0
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1}
    assert set(events_by_id(query)) == {"visit-1", "visit-2"}
    runs = query("SELECT * FROM pinterest_runs ORDER BY started_at")
    assert [(row["delivered"], row["skipped"]) for row in runs] == [(2, 0), (0, 2)]


def test_queries_of_the_page_run(run_target, given, query: Query):
    """The SQL of docs/results.md runs unchanged, on either database."""
    columns = {"event_name": "checkout", "value": 5, "currency": "EUR"}
    declared = schema("visits", *visit(**columns), key_properties=("event_id",))
    run_target([declared, *visits(1, 2, **columns), *visits(3, **{**columns, "em": None})], **given)
    recent, lost, worth, emails = (
        query(sql) for sql in re.findall(r"```sql\n(.*?);\n```", DOCUMENT.read_text(), re.DOTALL)
    )
    assert [(row["delivered"], row["lost"]) for row in recent] == [(2, 1)]
    assert [(row["reason"], int(row["events"])) for row in lost] == [("no_identifier", 1)]
    assert [(row["currency"], float(row["delivered"])) for row in worth] == [("EUR", 10.0)]
    assert [(row["events"], float(row["percent"])) for row in emails] == [(2, 100.0)]


def _utc(at: datetime | str) -> datetime:
    """Return a time as the database returns it, which in SQLite is text."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found if found.tzinfo else found.replace(tzinfo=UTC)

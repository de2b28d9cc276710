"""The ledger on SQLite and on PostgreSQL.

What was delivered is not sent again, no matter how the previous run ended.
"""

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from given import ACCOUNT, TOKEN, record, schema, state
from shopper import event, seconds_ago, visit
from target_pinterest_capi.delivery.database import Database
from target_pinterest_capi.delivery.event_ledger import EventLedger
from target_pinterest_capi.delivery.ledger import (
    DAY_SECONDS,
    LEASE_SECONDS,
    LedgerError,
    event_key,
)
from target_pinterest_capi.delivery.wakeup import Wakeup
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

TARGET = Path(sys.executable).with_name("target-pinterest-capi")
NOW = 1_780_000_000.0  # 2026-05-28T20:26:40Z
CLAIM_AND_DIE = """
import os, sys
from target_pinterest_capi.delivery.event_ledger import EventLedger
EventLedger(sys.argv[1], 7).claim([int(sys.argv[2])])
os._exit(0)
"""
VISITS = schema("visits", *visit(), key_properties=("event_id",))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty ledger in each database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    cluster = request.getfixturevalue("postgres")
    cluster.query(
        "DROP TABLE IF EXISTS pinterest_delivered_events, pinterest_ledger_batches, "
        "pinterest_ledger_runs"
    )
    yield cluster.url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def given(sandbox: Sandbox, tmp_path: Path, url: str) -> dict[str, Any]:
    return {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "api_url": sandbox.url,
        "dead_letter_path": str(tmp_path / "rejected.jsonl"),
        "max_retry_seconds": 20,
        "ledger_url": url,
    }


def visits(*numbers: int, **columns: Any) -> list[bytes]:
    return [record("visits", **visit(number, **columns)) for number in numbers]


def keys(*numbers: int) -> list[int]:
    return [event_key(event(number).account, "page_visit", f"visit-{number}") for number in numbers]


def opened(url: str, now: float) -> EventLedger:
    """Open the ledger at a given time."""
    return EventLedger(url, 7, now=lambda: now)


def test_keys_are_remembered_and_forgotten(url: str):
    """Recorded keys are known each time the ledger is opened, until their retention is over."""
    ledger = opened(url, NOW)
    assert ledger.known(keys(1, 2)) == set()
    ledger.record_delivered(keys(1))
    ledger.record_delivered(keys(1, 2))
    assert ledger.known(keys(1, 2, 3)) == set(keys(1, 2))
    ledger.close()
    again = opened(url, NOW + 7 * DAY_SECONDS - 1)
    assert again.known(keys(1)) == set(keys(1))
    again.close()
    later = opened(url, NOW + 7 * DAY_SECONDS + 1)
    assert later.known(keys(1, 2)) == set()
    later.close()


@pytest.mark.parametrize("number", [1, 499, 1000, 1001, 40_000])
def test_many_keys_at_once(url: str, number: int):
    """A request's keys are looked up and recorded at once, no matter how many there are."""
    ledger = EventLedger(url, 7)
    half = number // 2
    ledger.record_delivered(keys(*range(number)))
    assert ledger.known(keys(*range(half, half + number))) == set(keys(*range(half, number)))
    assert ledger.known([]) == set()
    ledger.record_delivered([])
    ledger.close()


@pytest.mark.parametrize("key", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_every_key_can_be_kept(url: str, key: int):
    """A key can be any 64 bits."""
    ledger = EventLedger(url, 7)
    ledger.record_delivered([key])
    assert ledger.known([key, 7]) == {key}
    ledger.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///{}/ledger.db",
        "sqlite+pysqlite:///{}/ledger.db",
        "sqlite:///{}/ledger.db?timeout=5&isolation_level=EXCLUSIVE",
        "sqlite:///file:{}/ledger.db?uri=true",
    ],
)
def test_url_of_a_file_is_sqlalchemys(tmp_path: Path, url: str):
    """A SQLite URL names the same file as in SQLAlchemy, in each of its forms."""
    ledger = EventLedger(url.format(tmp_path), 7)
    ledger.record_delivered(keys(1))
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        assert database.execute("SELECT key FROM pinterest_delivered_events").fetchall() == [
            (keys(1)[0],)
        ]
    database.close()


@pytest.mark.parametrize(
    "opened", [lambda url: EventLedger(url, 1), lambda url: Database(url, sa.MetaData())]
)
def test_only_the_owner_can_read_the_file(tmp_path: Path, opened: Any):
    """Whatever creates the file, nobody else may read it or SQLite's files beside it."""
    opened(f"sqlite:///{tmp_path}/ledger.db")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("url", ["sqlite://host/ledger.db", "sqlite:///ledger.db?timeout=soon"])
def test_url_that_sqlalchemy_cannot_read_is_an_error(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A URL that SQLAlchemy cannot read is an error whose message does not repeat the URL."""
    monkeypatch.chdir(tmp_path)  # the file may have been created by then
    with pytest.raises(
        LedgerError,
        match=r"cannot be used: its URL cannot be read; an example is sqlite:///ledger.db$",
    ):
        EventLedger(url, 7)


@pytest.mark.parametrize(
    "other",
    [
        ("1", "page_visit", "visit-1"),
        (ACCOUNT, "checkout", "visit-1"),
        (ACCOUNT, "page_visit", "visit-2"),
    ],
)
def test_key_is_account_name_and_id(other: tuple[str, str, str]):
    """Another account, name or id results in another key; the token is not part of it."""
    first = event_key(Account(ACCOUNT, "one"), "page_visit", "visit-1")
    assert first == event_key(Account(ACCOUNT, "two"), "page_visit", "visit-1")
    assert first != event_key(Account(other[0], "one"), other[1], other[2])


def test_key_is_64_bits_of_a_digest():
    """A key is a number from a SHA-256, the same on every machine.

    A lone half of a surrogate pair is not an error.
    """
    digest = hashlib.sha256(f"{ACCOUNT}\0page_visit\0visit-1".encode()).digest()
    assert event_key(Account(ACCOUNT, "one"), "page_visit", "visit-1") == int.from_bytes(
        digest[:8], "big", signed=True
    )
    assert isinstance(event_key(Account(ACCOUNT, "one"), "page_visit", "visit-\ud800"), int)


def test_two_processes_may_share_one(url: str):
    """Two processes that record the same keys at once do not fail, and both find them later."""
    ledger = EventLedger(url, 7)
    errors: list[BaseException] = []

    def work(order: int) -> None:
        try:
            own = EventLedger(url, 7)
            for start in range(0, 2000, 100):
                own.record_delivered(keys(*range(start, start + 100))[::order])
            own.close()
        except BaseException as error:  # noqa: BLE001 - asserted on below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(ledger.known(keys(*range(2000)))) == 2000
    ledger.close()


def test_keys_are_claimed_by_one_run(url: str):
    """Keys that one run has claimed are refused to others until they are delivered or released."""
    first, second = EventLedger(url, 7), EventLedger(url, 7)
    assert set(first.claim(keys(1, 2, 3)).new) == set(keys(1, 2, 3))
    assert set(first.claim(keys(1, 2)).new) == set(keys(1, 2))
    assert second.known(keys(1, 2, 3)) == set()
    first.record_delivered(keys(1))
    first.release(keys(2))
    claims = second.claim(keys(1, 2, 3, 4))
    assert [set(part) for part in claims] == [
        set(keys(2, 4)),
        set(keys(1)),
        set(keys(3)),
    ]
    second.release(keys(3))  # not its own
    assert set(second.claim(keys(3)).held) == set(keys(3))
    first.close()
    assert set(second.claim(keys(3)).new) == set(keys(3))
    second.close()


def test_claim_goes_on_while_its_run_does_something_else(url: str):
    """A locked database does not stop who only starts a claim, and its end wakes the run."""
    wake = Wakeup()
    other, ledger = EventLedger(url, 7), EventLedger(url, 7, wake=wake)
    engine = sa.create_engine(url)
    locked = "BEGIN IMMEDIATE" if url.startswith("sqlite") else "LOCK TABLE pinterest_ledger_runs"
    with engine.connect() as connection:
        connection.exec_driver_sql(locked)
        wake.clear()
        claim = ledger.start_claim(keys(1, 2))
        assert not claim.has_ended
    wake.wait(30)
    assert claim.has_ended
    assert set(claim.result().new) == set(keys(1, 2))
    later = ledger.start_claim(keys(3))
    ledger.record_delivered(keys(1, 2))
    assert set(later.result().new) == set(keys(3))
    assert other.known(keys(1, 2, 3)) == set(keys(1, 2))
    assert set(other.claim(keys(3)).held) == set(keys(3))
    ledger.record_delivered(keys(3))
    assert other.known(keys(3)) == set(keys(3))
    ledger.close()
    other.close()
    engine.dispose()


def test_claims_of_a_dead_process_are_free_at_once(url: str):
    """If the process of a run has visibly ended, nothing waits for its lease to expire."""
    first, second = EventLedger(url, 7), EventLedger(url, 7)
    subprocess.run([sys.executable, "-c", CLAIM_AND_DIE, url, str(keys(1)[0])], check=True)
    first.claim(keys(2))
    claims = second.claim(keys(1, 2))
    assert [set(part) for part in claims] == [set(keys(1)), set(), set(keys(2))]
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        ((), [{1, 2, 3, 4}, set(), set()]),
        (((1, 2, 3),), [{4}, {1, 2, 3}, set()]),
        (((1,), (3,)), [{2, 4}, {1, 3}, set()]),
    ],
)
@pytest.mark.parametrize("ends", ["dies", "closes"])
def test_part_of_a_claim_can_be_delivered_before_a_run_ends(
    url: str, delivered: tuple[tuple[int, ...], ...], expected: list[set[int]], ends: str
):
    """The next run knows what was delivered, all of a claim or a part, and may send the rest."""
    now = [NOW]
    first = EventLedger(url, 7, now=lambda: now[0], process="elsewhere")
    first.claim(keys(1, 2, 3))
    for numbers in delivered:
        first.record_delivered(keys(*numbers))
    if ends == "closes":
        first.close()
    now[0] += LEASE_SECONDS + 1
    later = EventLedger(url, 7, now=lambda: now[0], process="elsewhere")
    claims = later.claim(keys(1, 2, 3, 4))
    assert [set(part) for part in claims] == [set(keys(*numbers)) for numbers in expected]
    done = {number for numbers in delivered for number in numbers}
    assert later.known(keys(1, 2, 3, 4)) == set(keys(*done))
    later.close()
    if ends == "dies":
        first.close()
    again = opened(url, now[0] + 7 * DAY_SECONDS + 1)
    assert again.known(keys(1, 2, 3, 4)) == set()
    again.close()


def test_claims_end_with_their_lease(url: str):
    """A run that does not renew its lease loses its claims, notices it, and claims no more."""
    now = [NOW]
    stalled, other = (
        EventLedger(url, 7, now=lambda: now[0], process="elsewhere") for _ in range(2)
    )
    stalled.claim(keys(1, 2))
    now[0] += LEASE_SECONDS
    assert set(other.claim(keys(1)).held) == set(keys(1))
    stalled.renew()
    now[0] += LEASE_SECONDS + 1
    other.renew()
    assert set(other.claim(keys(1)).new) == set(keys(1))
    for use in (stalled.renew, lambda: stalled.claim(keys(3))):
        with pytest.raises(LedgerError, match="stood still for more than 120 seconds"):
            use()
    stalled.record_delivered(keys(1))  # it knows that these were delivered
    assert set(other.claim(keys(1)).delivered) == set(keys(1))
    stalled.close()
    other.close()


def test_processes_that_create_the_tables_at_once_do_not_fail(url: str):
    """The first one creates them, and the others wait."""
    errors: list[BaseException] = []
    together = threading.Barrier(8)

    def work() -> None:
        try:
            together.wait(60)
            EventLedger(url, 7).close()
        except BaseException as error:  # noqa: BLE001 - asserted on below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_run_in_a_deadlock_goes_on(url: str):
    """If PostgreSQL undoes the claim of a run, which it chooses in a deadlock, the run repeats it."""
    if url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")
    ledger = EventLedger(url, 7)
    first, last = sorted(keys(1, 2))
    insert = "INSERT INTO pinterest_delivered_events VALUES (%s, 0)"
    waits = "SELECT true FROM pg_locks WHERE NOT granted"
    engine = sa.create_engine(url)
    with engine.connect() as other, engine.connect() as observer:
        other.exec_driver_sql("SET deadlock_timeout = '1min'")  # so it is not chosen
        other.exec_driver_sql(insert, (last,))
        claim = ledger.start_claim([first, last])
        while not observer.exec_driver_sql(waits).first():
            threading.Event().wait(0.005)
        other.exec_driver_sql(insert, (first,))
        other.rollback()
    assert set(claim.result().new) == {first, last}
    ledger.close()
    engine.dispose()


@pytest.mark.parametrize("ends", ["removed", "moved", "replaced", "without its folder"])
def test_file_that_disappears_stops_the_run(tmp_path: Path, ends: str):
    """What is written to a deleted file is not recorded."""
    path = tmp_path / "folder" / "ledger.db"
    path.parent.mkdir()
    ledger = EventLedger(f"sqlite:///{path}", 7)
    ledger.record_delivered(keys(1))
    if ends == "removed":
        path.unlink()
    elif ends == "without its folder":
        path.parent.rename(tmp_path / "elsewhere")
        path.parent.write_text("")
    else:
        path.rename(tmp_path / "elsewhere.db")
    if ends == "replaced":
        EventLedger(f"sqlite:///{path}", 7).close()
    for use in (ledger.claim, ledger.record_delivered, ledger.known):
        with pytest.raises(LedgerError, match="its file was moved or removed"):
            use(keys(1))
    ledger.close()


def test_wait_for_a_locked_database_ends_in_time(tmp_path: Path):
    """Once no time is left, the run stops waiting, even if the driver still waits."""
    left = [float("inf")]
    ledger = EventLedger(f"sqlite:///{tmp_path}/ledger.db", 7, seconds_left=lambda: left[0])
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute("BEGIN IMMEDIATE")
        left[0] = 0.0
        for _ in range(2):
            with pytest.raises(LedgerError, match="locked or does not respond"):
                ledger.claim(keys(1))
        ledger.close()
    database.close()


def test_rerun_sends_only_what_is_new(run_target, given, sandbox: Sandbox):
    """Events that an earlier run delivered are skipped, counted, and acknowledged for STATE."""
    assert run_target([VISITS, *visits(1, 2, 3)], **given).outcomes == {"delivered": 3}
    ran = run_target([VISITS, *visits(2, 3, 4), state({"n": 4})], **given)
    assert (ran.code, ran.outcomes, ran.reasons, ran.states) == (
        0,
        {"delivered": 1, "skipped": 2},
        {"in_ledger": 2},
        ['{"n": 4}'],
    )
    assert sandbox.store.event_ids() == {f"visit-{number}": 1 for number in (1, 2, 3, 4)}


def test_repeat_within_a_run_is_sent_once(run_target, given, sandbox: Sandbox):
    """A repeat of a key that is queued or in flight waits for the first one.

    It is skipped if that one was delivered.
    """
    ran = run_target([VISITS, *visits(1, 2, 1, 1), state({"n": 4})], **given)
    assert (ran.outcomes, ran.states) == ({"delivered": 2, "skipped": 2}, ['{"n": 4}'])
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1}


def test_repeat_of_a_rejected_event_is_sent_in_its_place(run_target, given, sandbox: Sandbox):
    """If the first one was rejected, the repeat is sent."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-1", times=1)])
    ran = run_target([VISITS, *visits(1, 2, 1, 1), state({"n": 4})], **given)
    assert (ran.outcomes, ran.states) == (
        {"delivered": 2, "rejected": 1, "skipped": 1},
        ['{"n": 4}'],
    )
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1}


def test_rejected_events_are_not_remembered(run_target, given, sandbox: Sandbox):
    """The ledger has only what Pinterest processed: a rejected event may be sent again later."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-1")])
    assert run_target([VISITS, *visits(1, 2)], **given).outcomes == {"delivered": 1, "rejected": 1}
    sandbox.faults.clear()
    assert run_target([VISITS, *visits(1, 2)], **given).outcomes == {"delivered": 1, "skipped": 1}


def test_ledger_is_asked_before_an_event_is_too_old(run_target, given):
    """The last row that a tap repeats for a week is skipped as delivered.

    It is not dead-lettered as too old.
    """
    old = {"event_time": seconds_ago(3 * DAY_SECONDS)}
    assert run_target([VISITS, *visits(1, **old)], **given).outcomes == {"delivered": 1}
    ran = run_target(
        [VISITS, *visits(1, 2, **old)], **given, max_event_age_days=1, max_rejected_ratio=None
    )
    assert ran.reasons == {"in_ledger": 1, "event_too_old": 1}


@pytest.mark.parametrize("mode", ["test", "dry_run"])
def test_other_modes_do_not_use_the_ledger(run_target, given, mode: str):
    """A test or dry run neither reads nor writes the ledger."""
    run_target([VISITS, *visits(1)], **given, mode=mode)
    assert run_target([VISITS, *visits(1)], **given).outcomes == {"delivered": 1}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////no/such/folder/ledger.db", "unable to open database file"),
        ("postgresql+psycopg://shop:s3cret@127.0.0.1:1/ledger", "refused"),
    ],
)
def test_ledger_that_cannot_be_used_stops_the_run(
    run_target, config, sandbox: Sandbox, url: str, words: str
):
    """Without its ledger nothing is sent: exit code 1; the setting is named, not its password."""
    ran = run_target([VISITS, *visits(1), state({"n": 1})], **{**config, "ledger_url": url})
    assert (ran.code, ran.outcomes, ran.states) == (1, {}, [])
    assert "ledger_url" in ran.log
    assert words in ran.log
    assert "s3cret" not in ran.log
    assert sandbox.store.requests() == []


def test_ledger_that_fails_during_a_run_is_an_error(tmp_path: Path):
    """A database that loses its table, or is locked for too long, is a readable error.

    Nothing is partly recorded.
    """
    ledger = EventLedger(f"sqlite:///{tmp_path}/ledger.db?timeout=0", 7)
    ledger.record_delivered(keys(1))
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="database is locked"):
            ledger.record_delivered(keys(2))
    assert ledger.known(keys(1, 2)) == set(keys(1))
    with database:
        database.execute("DROP TABLE pinterest_delivered_events")
    database.close()
    with pytest.raises(LedgerError, match="no such table"):
        ledger.known(keys(1))
    with pytest.raises(LedgerError, match="no such table"):
        ledger.record_delivered(keys(1))
    ledger.close()


def test_kill_repeats_at_most_what_was_in_flight(given, sandbox: Sandbox, tmp_path: Path):
    """After a kill -9, a rerun from the beginning repeats at most the events in flight."""
    path = tmp_path / "config.json"
    size, at_once = 20, 3
    path.write_text(json.dumps({**given, "batch_size_rows": size, "max_in_flight": at_once}))
    sandbox.faults.set([Fault("latency", seconds=0.01)])
    lines = b"\n".join([VISITS, *visits(*range(3000)), state({"n": 3000})]) + b"\n"
    for _ in range(4):
        target = subprocess.Popen(
            [TARGET, "--config", path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        writer = threading.Thread(target=_write, args=(target, lines))
        writer.start()
        before = len(sandbox.store.event_ids())
        while len(sandbox.store.event_ids()) < before + 200 and target.poll() is None:
            threading.Event().wait(0.005)
        target.kill()  # on a slow machine it may have ended already
        assert target.wait() in {0, -signal.SIGKILL}
        writer.join()
        target.stdout.close()
    done = subprocess.run([TARGET, "--config", path], input=lines, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b'{"n": 3000}\n')
    counts = sandbox.store.event_ids()
    assert set(counts) == {f"visit-{number}" for number in range(3000)}
    assert sum(count - 1 for count in counts.values()) <= 4 * size * at_once


@pytest.mark.parametrize("holds", ["sqlite", "postgresql"])
def test_signal_ends_a_run_whose_ledger_is_locked(
    request: pytest.FixtureRequest, given, tmp_path: Path, url: str, holds: str
):
    """SIGTERM while the database is locked ends the run within the grace time, after its STATE."""
    if not url.startswith(holds):
        pytest.skip("the other database")
    EventLedger(url, 7).close()
    engine = sa.create_engine(url)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**given, "shutdown_grace_seconds": 1, "batch_wait_seconds": 0.1}))
    with engine.connect() as connection:
        if holds == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("LOCK TABLE pinterest_ledger_runs")
        # A signal before the record was read ends a run that has no claims.
        for seconds in (0.5, 1, 2, 4, 8, 16):
            code, out, log = _signalled_after(seconds, path)
            if code not in {-signal.SIGTERM, 128 + signal.SIGTERM}:
                break
    engine.dispose()
    assert (out, code) == (b"", 1), log
    assert b"locked or does not respond" in log


def _signalled_after(seconds: float, path: Path) -> tuple[int, bytes, bytes]:
    """Return the result of a target with a record to deliver that gets a signal after a time."""
    target = subprocess.Popen(
        [TARGET, "--config", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert target.stdin is not None
    target.stdin.write(b"\n".join([VISITS, *visits(1), state({"n": 1})]) + b"\n")
    target.stdin.flush()
    threading.Event().wait(seconds)  # another process is awaited, and it cannot wake us
    target.send_signal(signal.SIGTERM)
    out, log = target.communicate(timeout=15)  # the driver would wait 25 seconds more
    return target.returncode, out, log


def test_simultaneous_targets_on_one_ledger_send_nothing_twice(
    given, sandbox: Sandbox, tmp_path: Path
):
    """Of three that read the same records, one sends each; all acknowledge everything."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**given, "batch_size_rows": 50, "max_in_flight": 3}))
    sandbox.faults.set([Fault("latency", seconds=0.05)])
    lines = b"\n".join([VISITS, *visits(*range(2000)), state({"n": 2000})]) + b"\n"
    targets = [
        subprocess.Popen(
            [TARGET, "--config", path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(3)
    ]
    writers = [threading.Thread(target=_write, args=(target, lines)) for target in targets]
    for writer in writers:
        writer.start()
    for writer, target in zip(writers, targets, strict=True):
        assert target.stdout is not None
        assert (target.stdout.read(), target.wait()) == (b'{"n": 2000}\n', 0)
        writer.join()
        target.stdout.close()
    assert sandbox.store.event_ids() == {f"visit-{number}": 1 for number in range(2000)}


def test_kill_of_one_of_two_targets_loses_nothing(given, sandbox: Sandbox, tmp_path: Path):
    """The other one sends the killed one's claims; at most what was in flight is repeated."""
    path = tmp_path / "config.json"
    size, at_once = 20, 3
    path.write_text(json.dumps({**given, "batch_size_rows": size, "max_in_flight": at_once}))
    sandbox.faults.set([Fault("latency", seconds=0.02)])
    lines = b"\n".join([VISITS, *visits(*range(2000)), state({"n": 2000})]) + b"\n"
    killed, other = (
        subprocess.Popen(
            [TARGET, "--config", path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    )
    writers = [threading.Thread(target=_write, args=(one, lines)) for one in (killed, other)]
    for writer in writers:
        writer.start()
    while len(sandbox.store.event_ids()) < 400 and killed.poll() is None:
        threading.Event().wait(0.005)
    killed.kill()
    killed.wait()
    assert other.stdout is not None
    assert (other.stdout.read(), other.wait()) == (b'{"n": 2000}\n', 0)
    other.stdout.close()
    for writer in writers:
        writer.join()
    assert killed.stdout is not None
    killed.stdout.close()
    counts = sandbox.store.event_ids()
    assert set(counts) == {f"visit-{number}" for number in range(2000)}
    assert sum(count - 1 for count in counts.values()) <= size * at_once


def _write(target: "subprocess.Popen[bytes]", lines: bytes) -> None:
    assert target.stdin is not None
    with suppress(BrokenPipeError), target.stdin:  # it was killed, as intended
        target.stdin.write(lines)

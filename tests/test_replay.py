"""`pinterest-capi replay`: the events of dead letters are sent again, through the same delivery.

The file itself never changes.
"""

import io  # noqa: I001
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner, Result
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from given import ACCOUNT, TOKEN, record, schema, settings_of
from members import list_settings
from shopper import digest, event, seconds_ago, visit
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.cli.replay.command import default_output
from target_pinterest_capi.cli.replay.letters import Letters, UnsentReason
from target_pinterest_capi.delivery.dead_letters import DeadLetter
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

PROGRAM = Path(sys.executable).with_name("pinterest-capi")
DOCUMENT = Path(__file__).parent.parent / "docs" / "dead-letters.md"
VISITS = schema("visits", *visit(), key_properties=("event_id",))
WALL = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)


def letter(number: int, *, mapping: str = "pinterest", **changes: Any) -> bytes:
    """Return the line of a rejected event; `changes` are members of the event."""
    body = json.dumps({**json.loads(event(number).body), **changes}).encode()
    origin, key = Origin("visits", mapping), {"event_id": digest(f"visit-{number}")}
    row = DeadLetter(1, origin, Outcome.REJECTED, "refused_event", "400", None, key, ACCOUNT, body)
    return row.line(WALL, "run1")


def invalid_letter(number: int) -> bytes:
    row = DeadLetter(
        1,
        Origin("visits", "pinterest"),
        Outcome.INVALID,
        "no_identifier",
        key={"event_id": str(number)},
    )
    return row.line(WALL, "run1")


class Desk:
    """A folder with a configuration and a file of dead letters, in which the command runs."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        self.file = directory / "rejected.jsonl"
        self.output = directory / "still.jsonl"
        self.config = directory / "config.json"
        self.given = config

    def write(self, *lines: bytes) -> None:
        self.file.write_bytes(b"".join(lines))

    def arguments(self, *arguments: str, file: str | None = None, **settings: Any) -> list[str]:
        self.config.write_text(json.dumps({**self.given, **settings}))
        output = () if "--output" in arguments else ("--output", str(self.output))
        return ["replay", file or str(self.file), "--config", str(self.config), *output, *arguments]

    def __call__(self, *arguments: str, file: str | None = None, **settings: Any) -> Result:
        before = self.file.read_bytes() if self.file.exists() else None
        ran = CliRunner().invoke(
            main, self.arguments(*arguments, file=file, **settings), env={"COLUMNS": "100"}
        )
        assert (self.file.read_bytes() if self.file.exists() else None) == before, (
            "the file was changed"
        )
        assert TOKEN not in ran.output
        assert "example.com" not in ran.output
        return ran

    def still(self) -> list[dict[str, Any]]:
        """Return the letters that still fail."""
        return (
            [json.loads(row) for row in self.output.read_text().splitlines()]
            if self.output.exists()
            else []
        )


@pytest.fixture
def replay(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, config)


def counts(shown: str) -> dict[str, int]:
    """Return the outcomes in a replay's second-last line."""
    found = re.search(r"^[\d,]+ lines: (.*?)\. [\d,]+ requests", shown, re.MULTILINE)
    assert found is not None, shown
    return {
        name: int(number.replace(",", ""))
        for number, name in re.findall(r"(\d[\d,]*) (\w+)", found[1])
    }


# What is sent


def test_what_was_rejected_is_delivered(run_target, replay: Desk, sandbox: Sandbox):
    """Events that Pinterest failed or refused are sent unchanged, once the cause is fixed.

    Exit 0, and no new file.
    """
    sandbox.faults.set(
        [Fault("fail_event", event_id="visit-2"), Fault("poison", event_id="visit-5")]
    )
    ran = run_target([VISITS, *(record("visits", **visit(number)) for number in range(8))])
    assert ran.outcomes == {"delivered": 6, "rejected": 2}
    sandbox.faults.clear()
    done = replay()
    assert (done.exit_code, counts(done.stdout)) == (0, {"delivered": 2}), done.output
    assert sandbox.store.event_ids() == {f"visit-{number}": 1 for number in range(8)}
    assert [row.event for row in sandbox.store.events()[-2:]] == [
        one["event"] for one in ran.dead_letters
    ]
    assert not replay.output.exists()


def test_what_still_fails_goes_to_a_new_file(replay: Desk, sandbox: Sandbox):
    """It is a dead letter as before, with event, key and origin, private, and can be replayed."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-2")])
    replay.write(letter(1), letter(2, mapping="paid"), letter(3))
    done = replay()
    assert (done.exit_code, counts(done.stdout)) == (0, {"delivered": 2, "rejected": 1})
    assert f"1 still fail: {replay.output}" in done.stdout
    (still,) = replay.still()
    (old,) = [json.loads(row) for row in replay.file.read_text().splitlines() if "visit-2" in row]
    same = ("stream", "mapping", "outcome", "reason", "key", "ad_account_id", "event")
    assert {name: still[name] for name in same} == {name: old[name] for name in same}
    assert stat.S_IMODE(replay.output.stat().st_mode) == 0o600
    sandbox.faults.clear()
    again = replay("--output", "again.jsonl", file=str(replay.output))
    assert (again.exit_code, counts(again.stdout)) == (0, {"delivered": 1})


def test_nothing_through_is_exit_3(replay: Desk, sandbox: Sandbox):
    """If every event fails again the exit code is 3, and all of them are in the new file."""
    sandbox.faults.set([Fault("fail_event", event_id=f"visit-{number}") for number in (1, 2)])
    replay.write(letter(1), letter(2))
    done = replay()
    assert (done.exit_code, counts(done.stdout)) == (3, {"rejected": 2})
    assert "max_rejected_ratio" in done.stderr
    assert [one["event"]["event_id"] for one in replay.still()] == ["visit-1", "visit-2"]


def test_lines_without_an_event_are_counted_and_left(replay: Desk, sandbox: Sandbox):
    """Letters of invalid records, incomplete and other lines are counted with advice.

    The rest is sent.
    """
    replay.write(
        invalid_letter(1),
        letter(2),
        b'{"at": "2026-0\n',
        b'{"some": "object"}\n',
        b"\n",
        invalid_letter(3),
        b'{"cut',
    )
    done = replay()
    assert (done.exit_code, counts(done.stdout)) == (0, {"delivered": 1})
    shown = " ".join(done.stdout.split())
    assert "2 have no event" in shown
    assert "Correct the source or the mapping" in shown
    assert "2 are incomplete JSON" in shown
    assert "1 are not dead letters" in shown
    assert "6 lines: 1 delivered" in shown
    assert not replay.output.exists()


@pytest.mark.parametrize(
    "change",
    [{"event_id": None}, {"event_name": 7}, {"event_time": "soon"}, {"action_source": []}],
    ids=["id", "name", "time", "source"],
)
def test_event_without_its_required_members_is_no_dead_letter_of_ours(
    replay: Desk, sandbox: Sandbox, change: dict[str, Any]
):
    """An event that was edited to have no name, id, time or source is not sent."""
    replay.write(letter(1, **change), letter(2))
    done = replay()
    assert done.exit_code == 0
    assert "1  are not dead letters" in done.stdout
    assert sandbox.store.event_ids() == {"visit-2": 1}


def test_nothing_to_send_is_no_failure(replay: Desk, sandbox: Sandbox):
    """A file without anything to send, or an empty one, ends with 0."""
    replay.write(invalid_letter(1))
    assert replay().exit_code == 0
    replay.write()
    assert replay().exit_code == 0
    assert sandbox.store.requests() == []


def test_repeats_in_a_file_are_sent_once(replay: Desk, sandbox: Sandbox):
    """A run after a crash writes letters again: each event is sent once, even an offline one."""
    replay.write(letter(1, action_source="offline"), letter(2), letter(1, action_source="offline"))
    done = replay()
    assert counts(done.stdout) == {"delivered": 2}
    assert "1  have an event that an earlier line" in done.stdout
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1}


def test_dry_run_sends_nothing_and_needs_no_token(replay: Desk, sandbox: Sandbox):
    """Everything is read and counted; there is no request and no new file."""
    replay.write(
        letter(1), letter(2), invalid_letter(3), letter(4, event_time=seconds_ago(30 * 86400))
    )
    done = replay("--dry-run", conversion_token=None)
    assert done.exit_code == 0, done.output
    assert "4 lines: 1 invalid, 2 would be sent. Nothing was sent." in done.stdout
    assert sandbox.store.requests() == []
    assert not replay.output.exists()


def test_ledger_is_respected(run_target, replay: Desk, sandbox: Sandbox, tmp_path: Path):
    """Events delivered since are skipped, and newly delivered ones are recorded.

    A second replay sends nothing.
    """
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    run_target([VISITS, record("visits", **visit(1))], ledger_url=ledger)
    replay.write(letter(1), letter(2))
    assert counts(replay(ledger_url=ledger).stdout) == {"delivered": 1, "skipped": 1}
    again = replay(ledger_url=ledger)
    assert (again.exit_code, counts(again.stdout)) == (0, {"skipped": 2})
    assert "in_ledger" in again.stdout
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1}


def test_event_that_has_become_too_old_is_not_sent(replay: Desk, sandbox: Sandbox):
    """It is event_too_old, outside the share of failures; without a limit it is sent."""
    replay.write(letter(1), letter(2, event_time=seconds_ago(3 * 86400)))
    done = replay(max_event_age_days=2)
    assert (done.exit_code, counts(done.stdout)) == (0, {"delivered": 1, "invalid": 1})
    assert [one["reason"] for one in replay.still()] == ["event_too_old"]
    replay.output.unlink()
    assert counts(replay(max_event_age_days=None).stdout) == {"delivered": 2}


def test_event_larger_than_the_limit_of_today_is_not_sent(replay: Desk, sandbox: Sandbox):
    """batch_max_bytes may have been lowered since: such an event is event_too_large."""
    replay.write(letter(1), letter(2, app_name="x" * 2000))
    done = replay(batch_max_bytes=1500)
    assert counts(done.stdout) == {"delivered": 1, "invalid": 1}
    assert [one["reason"] for one in replay.still()] == ["event_too_large"]


def test_many_events_keep_to_the_limits(replay: Desk, sandbox: Sandbox):
    """Thousands of letters are sent in batches, at most max_in_flight at once, each event once."""
    sandbox.faults.set(
        [Fault("latency", seconds=0.01), Fault("status", status=503, rate=0.1)], seed=3
    )
    replay.write(*(letter(number) for number in range(2500)))
    done = replay(batch_size_rows=50, max_in_flight=3)
    assert (done.exit_code, counts(done.stdout)) == (0, {"delivered": 2500})
    assert set(sandbox.store.event_ids().values()) == {1}
    assert sandbox.store.counters()["most_in_flight"] == 3


# Where it is sent


OTHER = "549755885176"


@pytest.fixture
def two_accounts(replay: Desk) -> Any:
    """A sandbox in which each account has its own token."""
    with Sandbox(SandboxConfig(tokens={TOKEN: (ACCOUNT,), "other-token": (OTHER,)})) as sandbox:
        replay.given["api_url"] = sandbox.url
        yield sandbox


def sent_to(sandbox: Sandbox) -> dict[str, str]:
    return {row.event["event_id"]: row.ad_account_id for row in sandbox.store.events()}


def test_account_is_the_letters_own(replay: Desk, two_accounts: Sandbox, tmp_path: Path):
    """A letter is sent to its own ad account, with the token of its mapping entry.

    Otherwise to the settings' account.
    """
    (tmp_path / "other.token").write_text("other-token")
    other = json.loads(letter(1, mapping="other shop")) | {"ad_account_id": OTHER}
    nowhere = json.loads(letter(2))
    del nowhere["ad_account_id"]
    replay.write(json.dumps(other).encode() + b"\n", json.dumps(nowhere).encode() + b"\n")
    entries = [
        {"stream": "visits", "preset": "pinterest"},
        {
            "stream": "v*",
            "name": "other shop",
            "ad_account_id": OTHER,
            "conversion_token_file": str(tmp_path / "other.token"),
        },
    ]
    done = replay(mappings=entries)
    assert (done.exit_code, counts(done.stdout)) == (0, {"delivered": 2}), done.output
    assert sent_to(two_accounts) == {"visit-1": OTHER, "visit-2": ACCOUNT}


def test_mapping_that_is_no_more_takes_the_settings_token(replay: Desk, sandbox: Sandbox):
    """A letter's mapping need not be in the configuration any more."""
    replay.write(letter(1, mapping="long gone"))
    assert replay(mappings=[{"stream": "orders", "preset": "pinterest"}]).exit_code == 0
    assert sent_to(sandbox) == {"visit-1": ACCOUNT}


def test_letter_without_a_token_stops_before_anything_is_sent(replay: Desk, sandbox: Sandbox):
    """A configuration that needs no token for its own events may lack one for a letter's.

    Exit 2, with the setting.
    """
    replay.write(letter(1), letter(2, mapping="paid"))
    done = replay(**list_settings())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "conversion_token: is not set" in done.stderr
    assert "'pinterest'" in done.stderr
    assert sandbox.store.requests() == []


@pytest.mark.parametrize("ad_account_id", ["../other", "", "1" * 19, "١٢٣"])
def test_account_that_is_none_is_not_asked(replay: Desk, sandbox: Sandbox, ad_account_id: str):
    """Anything other than an ad account's digits never becomes part of a URL."""
    odd = json.dumps(json.loads(letter(1)) | {"ad_account_id": ad_account_id})
    replay.write(odd.encode() + b"\n", letter(2))
    assert "1  are not dead letters" in replay().stdout
    assert sandbox.store.event_ids() == {"visit-2": 1}


# Files


def test_file_that_exists_is_never_written_to(replay: Desk, sandbox: Sandbox):
    """Exit 2 before anything is sent; the file is unchanged."""
    replay.write(letter(1))
    replay.output.write_text("mine\n")
    done = replay()
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--output" in done.stderr
    assert replay.output.read_text() == "mine\n"
    same = replay("--output", str(replay.file))
    assert same.exit_code == 2
    assert sandbox.store.requests() == []


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("pinterest-rejected.jsonl", "pinterest-rejected.replayed-20260302T101500Z.jsonl"),
        ("/var/dead.letters/today", "/var/dead.letters/today.replayed-20260302T101500Z"),
        ("s3://bucket/rejected/run1-1.jsonl", "run1-1.replayed-20260302T101500Z.jsonl"),
    ],
)
def test_new_file_stands_beside_the_old_one(file: str, expected: str):
    """Its name has the time; for a URL it is in the working directory."""
    assert default_output(file, WALL) == expected


def test_without_output_the_new_file_is_beside_the_old_one(
    replay: Desk, sandbox: Sandbox, tmp_path: Path
):
    """Events that still fail are kept without any option."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-1")])
    replay.write(letter(1))
    arguments = [
        argument
        for argument in replay.arguments()
        if argument not in {"--output", str(replay.output)}
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 3
    (made,) = tmp_path.glob("rejected.replayed-*.jsonl")
    assert json.loads(made.read_text())["event"]["event_id"] == "visit-1"


def test_urls_are_read_and_written(replay: Desk, sandbox: Sandbox):
    """FILE may be an fsspec URL of an object, and --output a prefix for one object per flush."""
    files = fsspec.filesystem("memory")
    with files.open("/replay/run1-1.jsonl", "wb") as file:
        file.write(letter(1) + letter(2))
    sandbox.faults.set([Fault("fail_event", event_id="visit-1")])
    done = replay("--output", "memory://replay/still", file="memory://replay/run1-1.jsonl")
    assert (done.exit_code, counts(done.stdout)) == (0, {"delivered": 1, "rejected": 1}), (
        done.output
    )
    assert "1 still fail: under memory://replay/still" in done.stdout
    (made,) = files.glob("/replay/still/*.jsonl")
    assert json.loads(files.cat(made))["event"]["event_id"] == "visit-1"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("missing.jsonl", "No such file"),
        (".", "Is a directory"),
        ("nowhere://x/y", "no fsspec file system for nowhere://"),
    ],
)
def test_file_that_cannot_be_read(replay: Desk, file: str, words: str):
    """Exit 1 with the reason."""
    done = replay(file=file)
    assert done.exit_code == 1
    assert words in done.stderr


def test_pipe_is_refused(replay: Desk, sandbox: Sandbox, tmp_path: Path):
    """A file is read twice, so a pipe would seem to be empty: exit 1, and what to do."""
    os.mkfifo(tmp_path / "pipe")
    done = replay(file=str(tmp_path / "pipe"))
    assert done.exit_code == 1
    assert "is a pipe or a device" in done.stderr
    assert sandbox.store.requests() == []


class _StoreError(Exception):
    """An error of an object store; its message may contain anything."""


class _CutFile(io.BytesIO):
    """A file whose reading fails at its end, with an error that is not an `OSError`."""

    def __next__(self) -> bytes:
        if self.tell() == len(self.getvalue()):
            raise _StoreError(self.getvalue())
        return super().__next__()


class _CutStore(MemoryFileSystem):
    """A store that delivers a file once, and fails later."""

    protocol = "cut"
    reads = 0

    def open(self, *_: Any, **__: Any) -> io.BytesIO:
        type(self).reads += 1
        return (io.BytesIO if self.reads == 1 else _CutFile)(letter(1) + letter(2))


def test_store_that_cannot_be_read_is_said(replay: Desk, sandbox: Sandbox):
    """An error of a store, such as missing credentials, is not a traceback."""
    _CutStore.reads = 1
    fsspec.register_implementation("cut", _CutStore, clobber=True)
    done = replay(file="cut://letters")
    assert done.exit_code == 1
    assert done.stderr == "Error: the file of dead letters cannot be read: _StoreError\n"
    assert sandbox.store.requests() == []


def test_store_that_fails_midway_leaves_what_was_sent_settled(
    replay: Desk, sandbox: Sandbox, tmp_path: Path
):
    """Events in flight are in the ledger, so that the next replay does not send them again."""
    _CutStore.reads = 0
    fsspec.register_implementation("cut", _CutStore, clobber=True)
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    done = replay(file="cut://letters", ledger_url=ledger)
    assert (done.exit_code, counts(done.stdout)) == (1, {"delivered": 2})
    assert "an unexpected _StoreError" in done.stderr
    replay.write(letter(1), letter(2))
    again = replay(ledger_url=ledger)
    assert (again.exit_code, counts(again.stdout)) == (0, {"skipped": 2})
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 1}


@pytest.mark.parametrize(
    "text",
    [
        "Order ID,Email,Total\n1001,jane@example.com,59.95\n1002,,12.00\n",
        "Order ID\tTotal\n1001\t59.95\n",
        "- event_id: order-1\n",
        '{"event_id": "order-1", "event_name": "checkout"}\n',
        '[{"event_id": "order-1"}]\n',
        '{"type": "STATE", "value": {}}\n',
        '{"type": "RECORD", "stream": "orders", "record": {"id": 1}}\n',
        '{\n  "run": {\n    "id": "one"\n  }\n}\n',
        "\x1f\x8b\x08\x00\n",
        '"text"\n\n17\n',
    ],
    ids=["csv", "tsv", "yaml", "events", "list", "state", "record", "report", "gzip", "scalars"],
)
@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)], ids=["live", "dry"])
def test_file_without_dead_letters_is_an_error(
    replay: Desk, sandbox: Sandbox, text: str, dry_run: tuple[str, ...]
):
    """Any other file ends with 1, the file's name and the kind of file to use."""
    replay.write(text.encode("latin-1"))
    done = replay(*dry_run)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{replay.file} has no dead letters" in done.stderr
    assert "dead_letter_path" in done.stderr
    assert sandbox.store.requests() == []


def test_file_with_a_cut_letter_alone_is_no_error(replay: Desk):
    """A crash can truncate a file's only letter: a message says that there is nothing to send."""
    replay.write(letter(1)[:40])
    done = replay()
    assert done.exit_code == 0
    assert "1  are incomplete JSON" in done.stdout


def test_place_for_what_still_fails_that_cannot_be_written(
    replay: Desk, sandbox: Sandbox, tmp_path: Path
):
    """The replay stops with 1; events without an outcome are named, and the file is unchanged."""
    (tmp_path / "file").write_text("")
    sandbox.faults.set([Fault("fail_event", event_id="visit-1")])
    replay.write(letter(1), letter(2))
    done = replay("--output", str(tmp_path / "file" / "still.jsonl"))
    assert (done.exit_code, counts(done.stdout)) == (1, {"delivered": 1})
    assert "dead_letter_path" in done.stderr
    assert "1 events that were read have no outcome" in done.stdout


# How it ends


def test_configuration_problems_are_exit_2(replay: Desk):
    """All of them at once, before anything is read."""
    replay.write(letter(1))
    done = replay(batch_size_rows=5000, conversion_token=None)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "batch_size_rows" in done.stderr
    assert "conversion_token" in done.stderr


def test_refused_token_is_exit_1(replay: Desk, sandbox: Sandbox):
    """The setting is named, nothing is written, and the file can be replayed again."""
    replay.write(letter(1), letter(2))
    done = replay(conversion_token="wrong-token")
    assert done.exit_code == 1
    assert "Pinterest returned 401" in done.stderr
    assert "wrong-token" not in done.output
    assert "2 events that were read have no outcome" in done.stdout
    assert not replay.output.exists()
    assert counts(replay().stdout) == {"delivered": 2}


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_ends_within_the_grace_time(replay: Desk, sandbox: Sandbox, signum: int, code: int):
    """Reading stops, unanswered events have no outcome, and the exit code is the signal's."""
    sandbox.faults.set([Fault("latency", seconds=600, skip=1)])
    replay.write(*(letter(number) for number in range(50)))
    arguments = replay.arguments(batch_size_rows=1, max_in_flight=1, shutdown_grace_seconds=0.2)
    process = subprocess.Popen(
        [PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not sandbox.faults.struck().get("latency") and time.monotonic() < deadline:
        time.sleep(0.01)  # another process is awaited, and it cannot wake us
    process.send_signal(signum)
    shown, said = process.communicate(timeout=120)
    assert process.returncode == code, shown + said
    assert counts(shown) == {"delivered": 1}
    assert "have no outcome" in shown
    assert "interrupted" in said


@pytest.mark.parametrize(
    ("setting", "name"), [("report_path", "a.json"), ("metrics_path", "a.prom")]
)
def test_files_of_the_run_are_left_alone(replay: Desk, tmp_path: Path, setting: str, name: str):
    """A replay does not overwrite what the target wrote about its own run."""
    path = tmp_path / name
    path.write_text("{}")
    replay.write(letter(1))
    assert replay(**{setting: str(path)}).exit_code == 0
    assert path.read_text() == "{}"


LINES = st.one_of(
    st.integers(0, 5).map(letter),
    st.integers(0, 5).map(invalid_letter),
    st.binary(max_size=30).map(lambda noise: noise.replace(b"\n", b"") + b"\n"),
    st.sampled_from([b"[]\n", b"null\n", b"{}\n", letter(1)[:-30] + b"\n", b'{"event": 1}\n']),
    st.just(letter(1).replace(b'"event":', b'"event":' + b"[" * 5000 + b"]" * 5000 + b',"":')),
)


@given(st.lists(LINES, max_size=12))
def test_every_line_is_sent_or_counted(tmp_path_factory, lines: list[bytes]):
    """For any file, each line that is not blank is one event to send, or counted once."""
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(b"".join(lines))
    letters = Letters(str(path), settings_of(), needs_token=True)
    events = [one.id for one in letters]
    assert len(events) == len(set(events))
    assert (
        len(events) + sum(letters.not_sent.values())
        == letters.lines
        == sum(not line.isspace() for line in lines)
    )
    assert letters.not_sent[UnsentReason.NO_EVENT] <= sum(b'"invalid"' in line for line in lines)


# The documentation


def test_examples_of_the_documentation_are_letters(tmp_path: Path):
    """The page's lines have the real members, in order, with digests of their values."""
    shown = [
        json.loads(" ".join(block.split()))
        for block in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    ]
    first, second = shown
    assert first["key"] == {"id": digest("1001")}
    assert second["key"] == {"id": digest("1002")}
    assert second["event"]["user_data"] == {"em": [digest("jane@example.com")]}
    for one in shown:
        body = json.dumps(one["event"]).encode() if "event" in one else None
        made = DeadLetter(
            1,
            Origin(one["stream"], one["mapping"]),
            one["outcome"],
            one["reason"],
            one.get("detail"),
            one.get("field"),
            one["key"],
            one.get("ad_account_id"),
            body,
        )
        again = json.loads(made.line(datetime.fromisoformat(one["at"]), one["run_id"]))
        assert list(again.items()) == list(one.items())
    path = tmp_path / "shown.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in shown))
    letters = Letters(str(path), settings_of(), needs_token=True)
    assert [one.id for one in letters] == ["order-1002"]
    assert letters.not_sent == {UnsentReason.NO_EVENT: 1}


def test_command_is_where_the_others_are():
    """`pinterest-capi --help` lists it, and its own help says what it does."""
    assert "replay" in CliRunner().invoke(main, ["--help"]).stdout
    assert "never changed" in " ".join(
        CliRunner().invoke(main, ["replay", "--help"]).stdout.split()
    )

"""A disk that becomes full at any moment of a run: nothing is lost, and STATE passes nothing.

The disk is a small one in memory, which only root can mount. Otherwise the tests are skipped, and
with REQUIRE_SERVICES=1, as in CI, they fail.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from members import list_settings, person

from given import ACCOUNT, TOKEN, record, schema, settings_of, state
from shopper import seconds_ago, visit
from target_pinterest_capi.checks.files import check_files
from target_pinterest_capi.checks.result import CheckStatus
from target_pinterest_capi.pinterest.calls import FlowStopped
from target_pinterest_capi.pinterest.oauth import RefreshedTokens, fetch_access_token
from target_pinterest_capi.pinterest.responses import ApiResponse, Credentials, TokenGrant
from target_pinterest_capi.sandbox.server import Sandbox

TARGET = Path(sys.executable).with_name("target-pinterest-capi")
SIZE = 4 * 1024 * 1024
RECORDS = 400
INVALID = 7  # every so many-th record
STATES = 40  # likewise
PER_REQUEST = 20
VISITS = schema("visits", *visit(), key_properties=("event_id",))
FIELDS = {
    "event_id": "event_id",
    "event_name": "event_name",
    "event_time": "event_time",
    "action_source": "action_source",
    "user_data.em": "em",
}
VIPS = schema("vips", "id", "email", key_properties=("id",))
OAUTH = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}


class SmallDisk:
    """A disk of four megabytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def leave(self, room: int) -> None:
        """Fill the disk, except for so many bytes."""
        self.clear()
        status = os.statvfs(self.path)
        taken = status.f_bavail * status.f_frsize - room
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, taken)

    def clear(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    place = tmp_path / "disk"
    place.mkdir()
    reason = "only root can mount a disk"
    if os.geteuid() == 0:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        reason = f"root cannot mount a disk here: {done.stderr.strip()}" if done.returncode else ""
        if reason and os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    yield SmallDisk(place)
    subprocess.run(["umount", place], check=True)


class Pipeline:
    """A tap and a target with all files on one disk, as Meltano would run them."""

    def __init__(
        self, directory: Path, sandbox: Sandbox, elsewhere: Path, *, has_ledger: bool
    ) -> None:
        self.directory = directory
        self.sandbox = sandbox
        self.config = elsewhere / "config.json"
        self.kept = 0
        refresh = {"refresh": "full"} if has_ledger else {}
        lists = list_settings(
            {"stream": "vips", "list_name": "VIPs", "member": ["email"], **refresh},
            oauth={**OAUTH, "token_path": str(directory / "token.json")},
        )
        settings = {
            **lists,
            "ad_account_id": ACCOUNT,
            "conversion_token": TOKEN,
            "mappings": [{"stream": "visits", "fields": FIELDS}],
            "api_url": sandbox.url,
            "dead_letter_path": str(directory / "letters.jsonl"),
            "dead_letter_keys": "plain",
            "report_path": str(directory / "report.json"),
            "ledger_url": f"sqlite:///{directory}/ledger.db" if has_ledger else None,
            "batch_size_rows": PER_REQUEST,
            "max_rejected_ratio": 0.9,
            "max_in_flight": 2,
        }
        self.config.write_text(json.dumps(settings))
        at = seconds_ago(60)
        self.rows = [
            record("visits", **visit(number, event_time="x" if self.is_invalid(number) else at))
            for number in range(RECORDS)
        ]

    @staticmethod
    def is_invalid(number: int) -> bool:
        return number % INVALID == 0

    def run(self) -> tuple[int, str]:
        """Continue from the last STATE; return the exit code and the log."""
        lines = [VISITS, VIPS]
        for number in range(self.kept, RECORDS):
            member = record("vips", id=number, email=f"person{number}@example.com")
            lines += [self.rows[number], member]
            if number % STATES == STATES - 1:
                lines.append(state({"n": number + 1}))
        states = self.directory / "states.jsonl"
        with states.open("wb") as stdout:
            done = subprocess.run(
                [TARGET, "--config", self.config],
                input=b"\n".join([*lines, b""]),
                stdout=stdout,
                stderr=subprocess.PIPE,
                check=False,
            )
        whole = states.read_bytes().rpartition(b"\n")[0].splitlines()
        self.kept = max([self.kept, *(json.loads(value)["n"] for value in whole)])
        states.unlink()
        return done.returncode, done.stderr.decode()

    def delivered(self) -> set[int]:
        return {int(name.partition("-")[2]) for name in self.sandbox.store.event_ids()}

    def letters(self) -> list[int]:
        path = self.directory / "letters.jsonl"
        rows = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [int(json.loads(row)["key"]["event_id"].partition("-")[2]) for row in rows]

    def members(self) -> frozenset[str]:
        lists = self.sandbox.store.lists()
        return lists[0].members if lists else frozenset()

    def check(self) -> None:
        """STATE has passed nothing that is neither at Pinterest nor in the dead letters."""
        passed = set(range(self.kept))
        invalid = {number for number in passed if self.is_invalid(number)}
        assert invalid <= set(self.letters())
        assert passed - invalid <= self.delivered()
        assert {person(number) for number in passed} <= self.members()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kilobytes", "has_ledger"),
    [
        *((kilobytes, True) for kilobytes in (0, 12, 64, 160, 300)),
        *((kilobytes, False) for kilobytes in (0, 4, 8, 16)),
    ],
)
def test_run_on_a_disk_that_fills_up(
    disk: SmallDisk, sandbox: Sandbox, tmp_path: Path, kilobytes: int, has_ledger: bool
):
    """The run stops in words, or does without; with room again the next one completes the work."""
    pipeline = Pipeline(disk.path, sandbox, tmp_path, has_ledger=has_ledger)
    disk.leave(kilobytes * 1024)
    code, log = pipeline.run()
    assert code in {0, 1}, log
    assert "unexpected" not in log, log
    assert "Traceback" not in log, log
    assert code == 0 or "No space left" in log or "full" in log, log
    pipeline.check()
    disk.clear()
    code, log = pipeline.run()
    assert (code, pipeline.kept) == (0, RECORDS), log
    pipeline.check()
    assert (disk.path / "report.json").exists()


@pytest.fixture
def tokens(disk: SmallDisk) -> Callable[..., RefreshedTokens]:
    """Return a function that creates the tokens of an app whose file is on the small disk."""

    class Endpoint:
        """Exchanges one token, while something else uses up the disk."""

        def refresh_token(self, credentials: Credentials) -> Any:
            assert credentials.refresh_token == "first"
            disk.leave(0)
            return ApiResponse(200, body=TokenGrant("access", "second"))

    return lambda path: RefreshedTokens("app", "secret", "first", str(path), Endpoint())


@pytest.mark.parametrize("room", [0, SIZE // 2])
def test_full_disk_is_found_before_a_run(disk: SmallDisk, room: int):
    """`check` says which files and databases a full disk leaves no room for, new or not."""
    path = disk.path / "ledger.db"
    sqlite3.connect(path).execute("CREATE TABLE t (n)").connection.close()
    disk.leave(room)
    given = {
        "dead_letter_path": str(disk.path / "letters.jsonl"),
        "report_path": str(disk.path / "reports" / "report.json"),
        "ledger_url": f"sqlite:///{path}",
        "results_url": f"sqlite:///{disk.path}/results.db",
    }
    results = list(check_files(settings_of(**given)))
    status = CheckStatus.OK if room else CheckStatus.FAILED
    assert {one.status for one in results} == {status}
    words = " ".join(one.message for one in results)
    assert words.count("no space left on device") == (0 if room else 4)
    assert words.count("can be written") == (3 if room else 0)


def test_token_has_its_room_before_the_old_one_is_used_up(disk: SmallDisk, tokens):
    """If the disk becomes full while Pinterest answers, the new refresh token is stored anyway."""
    path = disk.path / "token.json"
    assert fetch_access_token(tokens(path)) == "access"
    assert json.loads(path.read_bytes())["refresh_token"] == "second"


def test_token_is_not_exchanged_on_a_full_disk(disk: SmallDisk, tokens):
    """If the new token could not be stored, the old one is not used."""
    disk.leave(0)
    with pytest.raises(FlowStopped, match=r"No space left on device.*Nothing was refreshed"):
        fetch_access_token(tokens(disk.path / "token.json"))
    assert not (disk.path / "token.json").exists()


COMMANDS = {
    "target-pinterest-capi": (),
    "pinterest-capi": ("token", "--replace", "--output", "made"),
}


def limit_files(size: int) -> Callable[[], None]:
    """Return what lets no file of the process that it runs in grow beyond a size."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1, 200, 4095, 4096])
@pytest.mark.parametrize("program", ["target-pinterest-capi", "pinterest-capi"])
def test_token_under_a_limit_of_files(sandbox: Sandbox, tmp_path: Path, program: str, size: int):
    """The file holds the whole old token or the whole new one, and nobody has to sign in again."""
    token_path, config = tmp_path / "token.json", tmp_path / "config.json"
    oauth = {**OAUTH, "token_path": str(token_path)}
    settings = list_settings(
        {"stream": "vips", "list_name": "VIPs", "member": ["email"]}, oauth=oauth
    )
    given = {**settings, "ad_account_id": ACCOUNT, "api_url": sandbox.url}
    config.write_text(json.dumps(given))

    def run(**limited: Any) -> tuple[int, str]:
        command = [TARGET.with_name(program), *COMMANDS[program], "--config", config]
        done = subprocess.run(
            command,
            input=b"\n".join([VIPS, record("vips", id=1, email="person1@example.com"), b""]),
            capture_output=True,
            cwd=tmp_path,
            check=False,
            **limited,
        )
        return done.returncode, done.stderr.decode()

    assert run()[0] == 0  # which refreshes the token
    before = json.loads(token_path.read_bytes())["refresh_token"]
    code, log = run(preexec_fn=limit_files(size))
    after = json.loads(token_path.read_bytes())["refresh_token"]
    assert (code, after != before) == ((0, True) if size >= 4096 else (1, False)), log
    assert code == 0 or "File too large" in log
    assert run()[0] == 0
    assert {path.name for path in tmp_path.glob(".token*")} <= {".token.json.lock"}

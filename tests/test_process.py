"""The target as a process, as users run it: signals, kill -9, silent taps, command line."""

import json
import os
import platform
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from given import ACCOUNT, TOKEN, line, record, schema, state
from shopper import visit
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.singer.memory import keep_freed_memory

pytestmark = pytest.mark.slow  # each starts programs

TARGET = Path(sys.executable).with_name("target-pinterest-capi")
PROGRAM = f"{sys.executable} -m target_pinterest_capi"
# The target where the object store `s3` is asked, and never answers.
WITH_SILENT_STORE = """
import os, threading
import fsspec
from fsspec.implementations.memory import MemoryFileSystem
from target_pinterest_capi.__main__ import main

class SilentStore(MemoryFileSystem):
    def open(self, *args, **kwargs):
        os.write(2, b"asked\\n")  # in one piece, whatever is logged meanwhile
        threading.Event().wait()

fsspec.register_implementation("s3", SilentStore, clobber=True)
main()
"""
VISITS = schema("visits", *visit(), key_properties=("event_id",))
OWN_LEVEL = "TARGET_PINTEREST_CAPI_LOGLEVEL"
A_LEVEL = "must be DEBUG, INFO, WARNING, ERROR or CRITICAL"
BUFFERING = [
    pytest.param({"PYTHONUNBUFFERED": ""}, id="buffered"),
    pytest.param({"PYTHONUNBUFFERED": "1"}, id="unbuffered"),
]


def visits(numbers: range) -> list[bytes]:
    return [record("visits", **visit(number)) for number in numbers]


def sales(numbers: range) -> list[bytes]:
    """Return records of offline events, which Pinterest never deduplicates."""
    return [record("visits", **visit(number, action_source="offline")) for number in numbers]


def batch_of(directory: Path, *manifest: int) -> bytes:
    """Return a BATCH line, with a file of that many visits for each number."""
    first, paths = 0, []
    for rows in manifest:
        paths.append(directory / f"batch-{first}.jsonl")
        lines = [json.dumps(visit(number)) + "\n" for number in range(first, first + rows)]
        paths[-1].write_text("".join(lines))
        first += rows
    return line(
        type="BATCH",
        stream="visits",
        encoding={"format": "jsonl", "compression": "none"},
        manifest=[path.as_uri() for path in paths],
    )


def open_stdout(kind: str, directory: Path) -> BinaryIO:
    """Open a stdout that does not accept a long line."""
    if kind == "closed pipe":
        read_fd, write_fd = os.pipe()
        os.close(read_fd)
        return os.fdopen(write_fd, "wb", buffering=0)
    path = Path("/dev/full") if kind == "full disk" else directory / "states.jsonl"
    return path.open("wb", buffering=0)


def limit_files() -> None:
    """Limit the files of the process that becomes the target to 100 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


class Process:
    """A running target: for writing to it, signalling it, and reading at its end."""

    def __init__(
        self,
        config: dict[str, Any],
        directory: Path,
        *options: str,
        program: Sequence[Path | str] = (TARGET,),
        **environment: str,
    ) -> None:
        path = directory / "config.json"
        path.write_text(json.dumps(config))
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TARGET_PINTEREST_CAPI_")
        }
        self.process = subprocess.Popen(
            [*program, "--config", path, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env={**clean, **environment},
        )

    def write(self, *lines: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.flush()

    def state(self) -> str:
        """Wait for the next STATE line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")

    def end(self, how: int | None = None) -> tuple[int, list[str], str]:
        """End it by a signal or the end of its input; return exit code, STATE lines and log."""
        if how is not None:
            self.process.send_signal(how)
        out, log = self.process.communicate(timeout=120)
        return self.process.returncode, out.decode().splitlines(), log.decode()


@pytest.fixture
def start(config: dict[str, Any], tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Yield a function that starts a target against the sandbox."""
    begun: list[Process] = []

    def run(
        *options: str,
        environment: dict[str, str] | None = None,
        program: Sequence[Path | str] = (TARGET,),
        **settings: Any,
    ) -> Process:
        given = {**config, **settings}
        begun.append(Process(given, tmp_path, *options, program=program, **(environment or {})))
        return begun[-1]

    yield run
    for one in begun:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def wait_for(what: Callable[[], Any], seconds: float = 120) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)  # another process is awaited, and it cannot wake us


def test_pipe_to_the_end(start, sandbox: Sandbox):
    """Records in, STATE out, exit 0; stdout has STATE and nothing else."""
    target = start()
    target.write(VISITS, *visits(range(2500)), state({"n": 2500}))
    code, states, log = target.end()
    assert (code, states) == (0, ['{"n": 2500}'])
    assert "2500 delivered" in log
    assert set(sandbox.store.event_ids().values()) == {1}


def test_silent_tap_is_near_real_time(start, sandbox: Sandbox):
    """While the tap is silent, a partial batch and its STATE are sent after batch_wait_seconds."""
    target = start(batch_wait_seconds=0.2)
    target.write(VISITS, *visits(range(3)), state({"n": 3}))
    assert target.state() == '{"n": 3}'
    assert len(sandbox.store.events()) == 3
    target.write(*visits(range(3, 5)), state({"n": 5}))
    assert target.state() == '{"n": 5}'
    assert target.end()[0] == 0


@pytest.mark.parametrize(
    "value",
    [{"$ref": "HOST/a.json"}, {"$id": "urn:a", "$schema": "HOST/metaschema"}],
)
def test_schema_on_a_host_that_never_answers(start, value: dict[str, str]):
    """A URL in a SCHEMA, to a host that never responds, delays no run: nothing connects."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        value = {name: text.replace("HOST", host) for name, text in value.items()}
        target = start()
        declared = schema("visits", *visit(), value=value)
        target.write(declared, *visits(range(1)), state({"n": 1}))
        code, states, log = target.end()
        assert (code, states) == (0, ['{"n": 1}']), log
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_flushes_and_ends(start, sandbox: Sandbox, tmp_path: Path, signum: int, code: int):
    """A signal ends reading; earlier records are delivered, and the exit code is the signal's."""
    target = start(batch_wait_seconds=600, metrics_path=str(tmp_path / "run.prom"))
    target.write(state({"n": 0}), VISITS, *visits(range(3)), state({"n": 3}))
    assert target.state() == '{"n": 0}'
    ended, states, log = target.end(signum)
    assert (ended, states) == (code, ['{"n": 3}']), log
    assert len(sandbox.store.events()) == 3
    (end,) = [line for line in log.splitlines() if "exit_code=" in line]
    assert "Stopped after 3 records: 3 delivered" in end
    assert f" exit_code={code} " in end
    metrics = (tmp_path / "run.prom").read_text()
    assert re.search(
        rf'^target_pinterest_capi_runs_total{{.*exit_code="{code}".*}} 1.0$', metrics, re.MULTILINE
    )


def test_signal_while_a_request_hangs_ends_within_the_grace_time(start, sandbox: Sandbox):
    """Requests without a response in time stay unacknowledged: STATE stays before them."""
    sandbox.faults.set([Fault("latency", seconds=600, skip=1)])
    target = start(batch_size_rows=1, shutdown_grace_seconds=0.5)
    target.write(VISITS, *visits(range(1)), state({"n": 1}))
    assert target.state() == '{"n": 1}'
    target.write(*visits(range(1, 2)), state({"n": 2}))
    wait_for(lambda: sandbox.faults.struck().get("latency"))
    code, states, _ = target.end(signal.SIGTERM)
    assert (code, states) == (143, [])


def test_both_signals_of_meltano_are_one(start, sandbox: Sandbox):
    """SIGINT and SIGTERM together, as Meltano sends them, still end with everything flushed."""
    sandbox.faults.set([Fault("latency", seconds=0.5)])
    target = start(batch_wait_seconds=600)
    target.write(state({"n": 0}), VISITS, *visits(range(3)), state({"n": 3}))
    assert target.state() == '{"n": 0}'
    target.process.send_signal(signal.SIGINT)
    code, states, log = target.end(signal.SIGTERM)
    assert (code, states) in [(130, ['{"n": 3}']), (143, ['{"n": 3}'])], log


def test_the_same_signal_again_ends_at_once(start, sandbox: Sandbox):
    """A second Ctrl-C exits immediately."""
    sandbox.faults.set([Fault("latency", seconds=600)])
    target = start(batch_size_rows=1, shutdown_grace_seconds=600)
    target.write(VISITS, *visits(range(1)), state({"n": 1}))
    wait_for(lambda: sandbox.faults.struck().get("latency"))
    target.process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 120
    while target.process.poll() is None and time.monotonic() < deadline:
        target.process.send_signal(signal.SIGINT)
        time.sleep(0.05)  # the second signal counts once the first was taken
    code, states, _ = target.end()
    assert (code, states) == (130, [])


def test_kill_leaves_state_before_what_was_not_settled(start, sandbox: Sandbox):
    """After kill -9 a rerun delivers everything, and repeats at most what was in flight or open."""
    sandbox.faults.set([Fault("latency", seconds=0.02)])
    target = start(batch_size_rows=10, max_in_flight=2, batch_wait_seconds=600)
    target.write(VISITS)
    for number in range(200):
        target.write(*visits(range(number * 5, number * 5 + 5)), state({"n": number * 5 + 5}))
    first = json.loads(target.state())["n"]
    target.process.kill()
    left = target.process.communicate()[0].decode().splitlines()
    last = json.loads(left[-1])["n"] if left else first
    delivered = set(sandbox.store.event_ids())
    assert {f"visit-{number}" for number in range(last)} <= delivered
    sandbox.faults.clear()
    again = start()
    again.write(VISITS, *visits(range(last, 1000)), state({"n": 1000}))
    assert again.end()[:2] == (0, ['{"n": 1000}'])
    counts = sandbox.store.event_ids()
    assert set(counts) == {f"visit-{number}" for number in range(1000)}
    assert sum(count - 1 for count in counts.values()) <= len(delivered) - last + 2 * 10


def test_cut_input_is_settled_and_reported(start, sandbox: Sandbox):
    """If a tap dies inside a line, complete lines are delivered and the exit code is 1."""
    target = start()
    target.write(VISITS, *visits(range(3)), state({"n": 3}))
    target.process.stdin.write(visits(range(3, 4))[0][:50])
    code, states, log = target.end()
    assert (code, states) == (1, ['{"n": 3}'])
    assert "line 6: it is not JSON" in log
    assert "example.com" not in log


@pytest.mark.parametrize(
    ("manifest", "settings"),
    [
        ((3000,), {}),
        ((3000, 10), {}),
        ((10, 3000, 10), {"stream_maps": {"visits": {}, "copies": {"__source__": "visits"}}}),
    ],
)
def test_signal_while_a_batch_file_is_read_holds_its_state(
    start, tmp_path: Path, sandbox: Sandbox, manifest: tuple[int, ...], settings: dict[str, Any]
):
    """Nothing after the signal is read, from files or lines after BATCH: no STATE passes it."""
    sandbox.faults.set([Fault("latency", seconds=0.05)])
    target = start(batch_size_rows=50, max_in_flight=1, batch_wait_seconds=600, **settings)
    batch = batch_of(tmp_path, *manifest)
    target.write(VISITS, *visits(range(9000, 9001)), state({"n": 1}))
    target.write(batch, state({"n": 2}), VISITS, batch, state({"n": 3}))
    wait_for(lambda: len(sandbox.store.requests()) >= 2)
    code, states, log = target.end(signal.SIGTERM)
    assert (code, states) == (143, ['{"n": 1}']), log
    assert len(sandbox.store.event_ids()) < sum(manifest)


@pytest.fixture
def start_with_silent_store(start) -> Callable[..., Process]:
    """Return a function that starts a target for which the object store `s3` never responds."""

    def run(**settings: Any) -> Process:
        return start(program=(sys.executable, "-c", WITH_SILENT_STORE), **settings)

    return run


def wait_until_asked(target: Process) -> None:
    """Wait until the silent store gets a request."""
    assert target.process.stderr is not None
    while b"asked" not in target.process.stderr.readline():
        assert target.process.poll() is None, "it was never asked"


def test_signal_while_a_store_is_silent_about_a_batch(start_with_silent_store, sandbox: Sandbox):
    """The run continues meanwhile, and a signal ends it: earlier records are delivered."""
    target = start_with_silent_store(batch_size_rows=1)
    silent = line(
        type="BATCH",
        stream="visits",
        encoding={"format": "jsonl", "compression": "none"},
        manifest=["s3://bucket/visits.jsonl"],
    )
    target.write(VISITS, *visits(range(3)), state({"n": 3}), silent, state({"n": 4}))
    wait_until_asked(target)
    assert target.state() == '{"n": 3}'
    assert target.end(signal.SIGTERM)[:2] == (143, [])
    assert len(sandbox.store.event_ids()) == 3


def test_signal_while_a_store_is_silent_about_dead_letters(start_with_silent_store):
    """The run waits for it no longer than the grace time: exit 1, and an earlier STATE."""
    target = start_with_silent_store(
        dead_letter_path="s3://bucket/letters", shutdown_grace_seconds=0.2
    )
    invalid = [record("visits", **visit(number, em=None)) for number in range(1000)]
    target.write(VISITS, state({"n": 0}))
    assert target.state() == '{"n": 0}'
    target.write(*invalid, state({"n": 1000}))
    wait_until_asked(target)
    code, states, log = target.end(signal.SIGTERM)
    assert (code, states) == (1, [])
    assert "dead_letter_path 's3://bucket/letters': its reader accepts nothing" in log


def test_signal_while_a_pipe_takes_no_dead_letters(start, tmp_path: Path):
    """A full pipe without a reader delays a run no longer than the grace time."""
    pipe = tmp_path / "letters"
    os.mkfifo(pipe)
    target = start(dead_letter_path=str(pipe), shutdown_grace_seconds=0.2)
    with pipe.open("rb+", buffering=0) as reader:
        invalid = [record("visits", **visit(number, em=None)) for number in range(1000)]
        target.write(VISITS, *invalid, state({"n": 1000}))
        wait_for(lambda: select.select([reader], [], [], 0.1)[0])
        code, states, log = target.end(signal.SIGTERM)
    assert (code, states) == (1, [])
    assert "its reader accepts nothing" in log


@pytest.mark.parametrize("buffering", BUFFERING)
def test_reader_of_stdout_that_goes_away_ends_the_run_with_what_is_in_flight_settled(
    start, tmp_path: Path, sandbox: Sandbox, buffering: dict[str, str]
):
    """As with `head -1`: responses in flight reach the ledger, and a rerun sends nothing twice."""
    ledger = {
        "ledger_url": f"sqlite:///{tmp_path}/ledger.db",
        "batch_size_rows": 5,
        "batch_wait_seconds": 600,
    }
    first, second, later = (sales(range(number, number + 5)) for number in (0, 5, 10))
    target = start(environment=buffering, **ledger)
    target.write(VISITS, *first, state({"n": 5}))
    assert target.state() == '{"n": 5}'
    target.process.stdout.close()
    sandbox.faults.set([Fault("latency", seconds=2.5)])
    target.write(state({"n": 6}), *second)  # in one piece: it is under way when STATE fails
    assert target.process.wait(60) == 1
    log = target.end()[2]
    assert "STATE could not be written to stdout: Broken pipe" in log
    assert "10 delivered" in log
    assert "Exception ignored" not in log
    sandbox.faults.clear()
    again = start(**ledger)
    again.write(VISITS, *first, *second, *later, state({"n": 15}))
    assert again.end()[:2] == (0, ['{"n": 15}'])
    assert sandbox.store.event_ids() == {f"visit-{number}": 1 for number in range(15)}


@pytest.mark.parametrize("buffering", BUFFERING)
@pytest.mark.parametrize(
    ("stdout", "size", "words"),
    [
        ("closed pipe", 10, "Broken pipe"),
        ("full disk", 10, "No space left on device"),
        ("limited file", 300_000, "File too large"),
    ],
)
def test_state_that_cannot_be_written_whole_is_an_error(
    config: dict[str, Any],
    tmp_path: Path,
    stdout: str,
    size: int,
    words: str,
    buffering: dict[str, str],
):
    """Exit 1 with the system's message, whether nothing of the line was written or half of it."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    lines = b"\n".join([VISITS, *visits(range(3)), state({"n": "x" * size})])
    with open_stdout(stdout, tmp_path) as out:
        done = subprocess.run(
            [TARGET, "--config", path],
            input=lines,
            stdout=out,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
            env={**os.environ, **buffering},
            preexec_fn=limit_files if stdout == "limited file" else None,
        )
    log = done.stderr.decode()
    assert done.returncode == 1, log
    assert f"STATE could not be written to stdout: {words}" in log
    assert "3 delivered" in log
    assert "Exception ignored" not in log


def test_input_without_a_line_is_a_warning(start):
    """A tap that failed before its first message leaves an empty pipe: the log says so."""
    code, states, log = start().end()
    assert (code, states) == (0, [])
    assert "Nothing arrived on stdin" in log


def test_configuration_problems_come_all_at_once(start):
    """Exit 2 before reading lists every problem with its setting and the nearest known name."""
    target = start(conversion_tokn="x", batch_size_rows=5000, api_url="http://api.example.com")
    code, states, log = target.end()
    assert (code, states) == (2, [])
    for words in (
        "conversion_tokn",
        "conversion_token",
        "batch_size_rows",
        "api_url",
        "problems; nothing was read",
    ):
        assert words in log


@pytest.mark.parametrize(
    ("content", "words"), [(None, "missing.json"), ("{not json", "line 1"), ("[]", "config")]
)
def test_configuration_file_that_cannot_be_read(tmp_path: Path, content: str | None, words: str):
    """Exit 2 with the file's name and the position, without its content."""
    path = tmp_path / ("missing.json" if content is None else "config.json")
    if content is not None:
        path.write_text(content)
    done = subprocess.run(
        [TARGET, "--config", path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "not json" not in done.stderr
    assert "Traceback" not in done.stderr


def test_environment_is_read_with_config_env(sandbox: Sandbox, tmp_path: Path):
    """`--config ENV` reads every setting from its variable, or from a `.env` file."""
    (tmp_path / ".env").write_text(f"TARGET_PINTEREST_CAPI_CONVERSION_TOKEN={TOKEN}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "TARGET_PINTEREST_CAPI_AD_ACCOUNT_ID": ACCOUNT,
        "TARGET_PINTEREST_CAPI_API_URL": sandbox.url,
        "TARGET_PINTEREST_CAPI_BATCH_SIZE_ROWS": "2",
        "TARGET_PINTEREST_CAPI_MAPPINGS": '[{"stream": "visits", "preset": "pinterest"}]',
        "TARGET_PINTEREST_CAPI_NO_SUCH_SETTING": "ignored",
    }
    lines = b"\n".join([VISITS, *visits(range(3)), state({"n": 3})])
    done = subprocess.run(
        [TARGET, "--config", "ENV"],
        input=lines,
        capture_output=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b'{"n": 3}\n'), done.stderr
    assert sandbox.store.counters()["requests"] == 2


@pytest.mark.parametrize("program", [[TARGET], [sys.executable, "-m", "target_pinterest_capi"]])
def test_program_and_module_are_the_same(
    program: list[str], config, tmp_path: Path, sandbox: Sandbox
):
    """`python -m target_pinterest_capi` equals `target-pinterest-capi`, including the exit code."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    lines = b"\n".join([VISITS, *visits(range(3)), state({"n": 3})])
    command = [*program, "--config", path]
    done = subprocess.run(command, input=lines, capture_output=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (0, b'{"n": 3}\n'), done.stderr.decode()
    assert len(sandbox.store.events()) == 3
    path.write_text("{}")
    done = subprocess.run(command, input=lines, capture_output=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_program_imports_no_more_than_a_run_needs():
    """Modules for reports, ledgers, screens, national phones and parquet are imported on use."""
    script = "import sys, target_pinterest_capi.target; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    packages = {name.partition(".")[0] for name in done.stdout.split()}
    unneeded = {"jinja2", "phonenumbers", "pyarrow", "pygments", "rich", "sqlalchemy", "starlette"}
    assert "httpx" in packages
    assert not packages & unneeded


@pytest.mark.parametrize("form", [[], ["--format", "json"], ["--format", "markdown"]])
def test_about_lists_every_setting(form: list[str]):
    """`--about` needs no configuration and names the settings."""
    done = subprocess.run([TARGET, "--about", *form], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for setting in ("ad_account_id", "mappings", "stream_maps", "max_rejected_ratio"):
        assert setting in done.stdout
    assert "add_record_metadata" not in done.stdout


def test_version_and_input_file(start, tmp_path: Path, sandbox: Sandbox):
    """`--version` prints ours and the SDK's; `--input` reads a file in place of stdin."""
    done = subprocess.run([TARGET, "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("target-pinterest-capi v")
    path = tmp_path / "input.singer"
    path.write_bytes(b"\n".join([VISITS, *visits(range(3)), state({"n": 3})]))
    assert start("--input", str(path)).end()[:2] == (0, ['{"n": 3}'])
    assert len(sandbox.store.events()) == 3


def test_log_level_is_the_contracts(start):
    """TARGET_PINTEREST_CAPI_LOGLEVEL wins over LOGLEVEL."""
    target = start(environment={"TARGET_PINTEREST_CAPI_LOGLEVEL": "ERROR", "LOGLEVEL": "DEBUG"})
    assert target.end()[2] == ""


@pytest.mark.parametrize(
    ("environment", "code", "says"),
    [
        ({OWN_LEVEL: "verbose"}, 2, f"ERROR    | {OWN_LEVEL}: {A_LEVEL}"),
        ({"LOGLEVEL": "20"}, 0, f"WARNING  | LOGLEVEL: {A_LEVEL}; INFO is used"),
        ({"LOGLEVEL": "", OWN_LEVEL: ""}, 0, "INFO"),
    ],
)
def test_wrong_log_level_is_named(start, environment, code, says):
    """The target's own variable is a configuration error, the generic one a warning."""
    ended, states, log = start(environment=environment).end()
    assert (ended, states) == (code, [])
    assert says in re.sub(r"\| target-pinterest-capi +\| ", "| ", log)
    assert "verbose" not in log
    assert "Traceback" not in log


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_freed_memory_is_kept():
    """On glibc the process keeps memory that a batch frees, which saves page faults."""
    assert keep_freed_memory()


@pytest.mark.parametrize("buffering", BUFFERING)
def test_signal_ends_a_run_whose_stdout_is_blocked(
    config: dict[str, Any], tmp_path: Path, buffering: dict[str, str]
):
    """A reader that reads nothing delays the process for the grace time, and no longer."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config, "shutdown_grace_seconds": 2}))
    process = subprocess.Popen(
        [TARGET, "--config", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, **buffering},
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(b"\n".join([VISITS, *visits(range(3)), state({"n": "x" * 300_000}), b""]))
    process.stdin.close()
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 1) == b"{"  # it is in the middle of its line
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 1
    assert time.monotonic() - begun < 30  # for a machine that is busy: 2 seconds and some
    log = process.stderr.read().decode()
    assert "STATE could not be written to stdout: its reader accepts nothing" in log
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize(
    ("closed", "code", "words"),
    [
        ("<&-", 1, "stdin is closed"),
        (">&-", 1, "stdout is closed"),
        ("2>&-", 0, ""),
    ],
)
def test_standard_stream_that_is_closed(
    config: dict[str, Any], tmp_path: Path, closed: str, code: int, words: str
):
    """Without stdin or stdout there is an error message; without stderr the run continues."""
    path, lines = tmp_path / "config.json", tmp_path / "lines"
    path.write_text(json.dumps(config))
    lines.write_bytes(b"\n".join([VISITS, *visits(range(3)), state({"n": 1}), b""]))
    done = subprocess.run(
        ["sh", "-c", f'exec {PROGRAM} --config "$1" < "$2" {closed}', "sh", path, lines],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr


def test_working_directory_that_is_gone(config: dict[str, Any], tmp_path: Path):
    """With absolute paths a run needs no working directory."""
    path, gone = tmp_path / "config.json", tmp_path / "gone"
    path.write_text(json.dumps(config))
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f'rmdir "$1"; exec {PROGRAM} --config "$2"', "sh", gone, path],
        input="",
        capture_output=True,
        text=True,
        cwd=gone,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("settings", "invalid", "code", "words"),
    [
        ({"report_path": "report.json"}, 0, 0, "report cannot be written to report_path: File too"),
        ({"metrics_path": "m.prom"}, 0, 0, "metrics cannot be written to metrics_path: File too"),
        ({"dead_letter_path": "full.jsonl"}, 1, 1, "dead letters cannot be written"),
        ({"ledger_url": "sqlite:///ledger.db"}, 0, 1, "ledger"),
    ],
)
def test_disk_that_is_full_for_a_file_is_said(
    start_limited, tmp_path: Path, settings: dict[str, str], invalid: int, code: int, words: str
):
    """No file ends in half a line, STATE passes no unwritten event, and the error is clear."""
    rows = [*visits(range(3)), *[record("visits", **visit(9, event_time="x"))] * invalid]
    done = start_limited([VISITS, *rows, state({"n": 1})], settings)
    log = done.stderr.decode()
    assert done.returncode == code, log
    assert words in log
    assert "unexpected" not in log
    assert done.stdout == (b"" if code else b'{"n": 1}\n')
    assert not (tmp_path / "report.json").exists()
    letters = tmp_path / "full.jsonl"
    assert not letters.exists() or letters.read_bytes() == b""


@pytest.fixture
def start_limited(config: dict[str, Any], tmp_path: Path):
    """Return a function that runs a target whose files are limited to 100 bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    def run(lines: list[bytes], settings: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({**config, **settings}))
        return subprocess.run(
            [TARGET, "--config", path],
            input=b"\n".join([*lines, b""]),
            capture_output=True,
            cwd=tmp_path,
            check=False,
            preexec_fn=limit,
        )

    return run

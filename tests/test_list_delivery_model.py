"""Customer lists compared with a plain model.

Whatever goes wrong, the lists end with exactly the people whom the records leave there.

The target is a process as its users run it. Each run begins at the last STATE, meets every fault,
and is ended by a signal, a kill, or the end of its input.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from members import SCHEMA, entry, list_settings, people, person, row

from given import record, schema, state
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

TARGET = Path(sys.executable).with_name("target-pinterest-capi")
OPERATIONS = 15_000
PEOPLE = 3000
EVERY = 100  # records to a STATE
ENDS = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
LISTS = {
    "vips": ("VIPs",),
    "both": ("VIPs", "Friends"),
    "friends": ("Friends",),
}  # the lists that each stream feeds
FAULTS = [
    Fault("drop_before", endpoint="customer_lists", rate=0.04),
    Fault("drop_after", endpoint="customer_lists", rate=0.04),
    Fault("truncated", endpoint="customer_lists", rate=0.02),
    Fault("not_json", endpoint="customer_lists", rate=0.02),
    Fault("empty_body", endpoint="customer_lists", rate=0.02),
    Fault("status", status=503, endpoint="customer_lists", rate=0.04),
    Fault("status", status=500, endpoint="customer_lists", rate=0.02),
    Fault("status", status=429, retry_after=0, endpoint="customer_lists", rate=0.02),
    Fault("drop_before", endpoint="oauth", rate=0.2),
    Fault("latency", seconds=0.003, jitter=0.003),
]


def history(rng: random.Random) -> tuple[list[bytes], dict[str, set[str]]]:
    """Return the records of three streams in the order of a tap, a STATE after every hundred.

    Also returns the resulting membership.
    """
    lines, model = [], {"VIPs": set(), "Friends": set()}
    for number in range(OPERATIONS):
        stream = rng.choice(list(LISTS))
        who, adds = rng.sample(range(PEOPLE), rng.choice((1, 1, 1, 2))), rng.random() < 0.6
        for name in LISTS[stream]:
            for one in who:
                (model[name].add if adds else model[name].discard)(person(one))
        emails = [f"person{one}@example.com" for one in who]
        lines.append(record(stream, emails=emails, action="enter" if adds else "exit"))
        if number % EVERY == EVERY - 1:
            lines.append(state({"n": number + 1}))
    return lines, model


def start_at(lines: list[bytes], done: int) -> int:
    """Return the line after the STATE for so many records."""
    return done + done // EVERY


SCHEMAS = [schema(stream, "emails", "action") for stream in LISTS]


def run_until(
    config: Path,
    lines: list[bytes],
    how: int | None,
    sandbox: Sandbox,
    requests: int,
    schemas: Sequence[bytes] = SCHEMAS,
) -> tuple[int, int | None]:
    """Run the target on lines until so many more requests were made, then end it so.

    Return exit code and the last STATE.
    """
    process = subprocess.Popen(
        [TARGET, "--config", config],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=config.parent,
    )
    given = b"\n".join([*schemas, *lines]) + b"\n"
    if how is None:
        out, log = process.communicate(given, timeout=300)
    else:
        reader = config.parent / "input"
        reader.write_bytes(given)
        aim = len(sandbox.store.requests()) + requests
        feeder = subprocess.Popen(
            ["cat", reader], stdout=process.stdin
        )  # a tap: it goes on as fast as the target reads
        process.stdin.close()
        process.stdin = None
        while len(sandbox.store.requests()) < aim and process.poll() is None:
            time.sleep(0.005)  # another process is awaited, and it cannot wake us
        if process.poll() is None:
            os.kill(process.pid, how)
        out, log = process.communicate(timeout=120)
        feeder.kill()
        feeder.wait()
    assert b"Traceback" not in log, log.decode()
    states = [json.loads(one)["n"] for one in out.splitlines()]
    assert states == sorted(states)
    return process.returncode, states[-1] if states else None


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.chaos)])
def test_lists_end_with_exactly_whom_the_records_leave_there(config, tmp_path: Path, seed: int):
    """Tens of thousands of random additions and removals, through faults, signals and reruns.

    The membership is the model's.
    """
    rng = random.Random(seed)
    lines, model = history(rng)
    rules = SandboxConfig(
        writes_per_minute=10**6,
        reads_per_minute=10**6,
        faults=tuple(FAULTS),
        seed=seed,
        list_processing_seconds=0,
    )
    with Sandbox(rules) as sandbox:
        oauth = {
            "client_id": "sandbox-client",
            "client_secret": "sandbox-client-secret",
            "refresh_token": "sandbox-refresh-token",
            "token_path": str(tmp_path / "token.json"),
        }
        # The response to an exchange may not be lost: nobody could know the new refresh token.
        entries = [
            entry(stream=stream, list_name=name, member="emails[]")
            for stream, names in LISTS.items()
            for name in names
        ]
        given = {
            **config,
            **list_settings(*entries, oauth=oauth),
            "api_url": sandbox.url,
            "conversion_token": None,
        }
        given |= {
            "list_batch_size": 80,
            "list_wait_seconds": 0.05,
            "max_retry_seconds": 60,
            "shutdown_grace_seconds": 0.2,
        }
        path = tmp_path / "config.json"
        path.write_text(
            json.dumps({name: value for name, value in given.items() if value is not None})
        )
        done, runs = 0, 0
        for how in ENDS:
            code, last = run_until(
                path, lines[start_at(lines, done) :], how, sandbox, rng.randrange(20, 80)
            )
            assert code in (-signal.SIGKILL, 128 + signal.SIGTERM, 128 + signal.SIGINT, 0), code
            done, runs = last or done, runs + 1
        assert done < OPERATIONS, "every run was to be cut short"
        code, last = run_until(path, lines[start_at(lines, done) :], None, sandbox, 0)
        assert (code, last) == (0, OPERATIONS)
        held = {one.name: one.members for one in sandbox.store.lists()}
        assert held == model
        assert len(sandbox.store.lists()) == 2
        struck = sandbox.faults.struck()
        assert {fault.fault for fault in FAULTS if fault.endpoint == "customer_lists"} <= set(
            struck
        ), struck


@pytest.fixture
def start(config, tmp_path: Path):
    """Return a function that starts a target with a list.

    It returns its process, with what was written to it.
    """
    begun = []

    def run(sandbox: Sandbox, *lines: bytes, **settings) -> "subprocess.Popen[bytes]":
        given = {**config, **list_settings(**settings), "api_url": sandbox.url}
        path = tmp_path / "config.json"
        path.write_text(
            json.dumps({name: value for name, value in given.items() if value is not None})
        )
        process = subprocess.Popen(
            [TARGET, "--config", path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        )
        begun.append(process)
        process.stdin.write(b"\n".join(lines) + b"\n")
        process.stdin.flush()
        return process

    yield run
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_operations_of_a_silent_tap_leave_by_themselves(start, sandbox: Sandbox):
    """After `list_wait_seconds` what was collected is sent and its STATE written.

    The tap stays open and silent.
    """
    process = start(sandbox, SCHEMA, row(1), row(2), state({"n": 2}), list_wait_seconds=0.3)
    assert process.stdout.readline() == b'{"n": 2}\n'
    assert sandbox.store.lists()[0].members == people(1, 2)
    assert process.communicate(timeout=120)[0] == b""
    assert process.returncode == 0


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_sends_what_has_gathered(start, sandbox: Sandbox, signum, code):
    """On a signal what was read is sent within the grace time, and its STATE is written."""
    process = start(
        sandbox, state({"n": 0}), SCHEMA, row(1), row(2), state({"n": 2}), list_wait_seconds=600
    )
    assert process.stdout.readline() == b'{"n": 0}\n'
    process.send_signal(signum)
    assert process.communicate(timeout=120)[0] == b'{"n": 2}\n'
    assert process.returncode == code
    assert sandbox.store.lists()[0].members == people(1, 2)


def test_what_is_not_answered_within_the_grace_time_stays_before_state(start, sandbox: Sandbox):
    """A list that hangs does not hold the process, and no STATE passes its records."""
    process = start(
        sandbox,
        state({"n": 0}),
        SCHEMA,
        row(1),
        state({"n": 1}),
        list_wait_seconds=600,
        shutdown_grace_seconds=0.5,
    )
    assert process.stdout.readline() == b'{"n": 0}\n'
    sandbox.faults.set([Fault("latency", seconds=600)])
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=120)[0] == b""
    assert process.returncode == 143

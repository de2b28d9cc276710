"""Runs the real target against a sandbox that fails on purpose, and ends it at random moments.

Runs again until everything is done. Owns the processes, the moments of interruption, and the record
of what each one may repeat. The seed determines every decision; how far a process is when it is
interrupted depends on the machine.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from endless_tap import Tap, event_id, position_of
from truth import Truth

from given import ACCOUNT, TOKEN
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

TARGET: Final = Path(sys.executable).with_name("target-pinterest-capi")
BATCH_SIZE: Final = 50
IN_FLIGHT: Final = 8
TIMEOUT_SECONDS: Final = 3
RUN_SECONDS: Final = 300  # a run that takes longer hangs
QUIET_SECONDS: Final = 0.1
IDLE_SECONDS: Final = 1.0  # after everything is written, an ending comes by then
SETTINGS: Final[dict[str, Any]] = {
    "ad_account_id": ACCOUNT,
    "conversion_token": TOKEN,
    "batch_size_rows": BATCH_SIZE,
    "max_in_flight": IN_FLIGHT,
    "batch_wait_seconds": 0.5,
    "request_timeout_seconds": TIMEOUT_SECONDS,
    "max_retry_seconds": 120,
    "shutdown_grace_seconds": 2,
}
# Responses to a processed request that say nothing about its events, so that it is sent again.
SPOILED: Final = frozenset(
    {"drop_after", "truncated", "wrong_count", "empty_body", "not_json", "drip"}
)
STOPS: Final = (
    "the server redirects",
    "conversion_token",
    "the events are not the cause",
    "max_rejected_ratio",
)

_summary: Final = re.compile(
    r"(?:Done|Stopped) after (\d+) records: "
    r"(\d+) delivered, (\d+) invalid, (\d+) rejected, (\d+) skipped"
).search


class Ending(NamedTuple):
    """A way in which a run is ended: the signals, or a tap that dies in the middle of a line."""

    name: str
    signals: tuple[int, ...]
    codes: frozenset[int]


ENDINGS: Final = {
    "kill -9": Ending("kill -9", (signal.SIGKILL,), frozenset({-signal.SIGKILL})),
    # A signal may come before Python has handlers, or click's.
    "SIGTERM": Ending("SIGTERM", (signal.SIGTERM,), frozenset({143, -signal.SIGTERM})),
    "SIGINT": Ending("SIGINT", (signal.SIGINT,), frozenset({130, -signal.SIGINT, 1})),
    "SIGTERM twice": Ending(
        "SIGTERM twice", (signal.SIGTERM, signal.SIGTERM), frozenset({143, -signal.SIGTERM})
    ),
    "cut line": Ending("cut line", (), frozenset({1})),
}
WEIGHTS: Final = {"kill -9": 6, "SIGTERM": 3, "SIGINT": 2, "SIGTERM twice": 1, "cut line": 1}


def faults(tap: Tap, rng: random.Random) -> list[Fault]:
    """Return every kind of fault, rarely enough that the run as a whole can continue."""
    slow, limited, dripped = (tuple(rng.sample(range(20, 300), 3)) for _ in range(3))
    return [
        Fault("latency", seconds=0.01, jitter=0.08),
        Fault("latency", seconds=TIMEOUT_SECONDS * 0.8, jitter=TIMEOUT_SECONDS * 0.4, rate=0.005),
        Fault("latency", seconds=TIMEOUT_SECONDS * 1.1, requests=slow),
        Fault("status", status=503, rate=0.02),
        Fault("status", status=503, rate=0.01, retry_after=1),
        Fault("status", status=500, rate=0.01),
        Fault("status", status=502, rate=0.01, html=True),
        Fault("status", status=408, rate=0.01),
        Fault("status", status=429, rate=0.01, retry_after=1),
        Fault("status", status=401, requests=(rng.randint(50, 300),)),
        Fault("redirect", requests=(rng.randint(50, 300),)),
        Fault("drop_before", rate=0.02),
        Fault("headers", remaining=0, reset=1, requests=limited),
        Fault("headers", remaining=0, reset=1, rate=0.005),
        *(Fault("fail_event", event_id=event_id(number)) for number in sorted(tap.failed)),
        *(Fault("poison", event_id=event_id(number)) for number in sorted(tap.refused)),
        Fault("drip", seconds=0.5, requests=dripped),
        Fault("drip", seconds=0.5, rate=0.005),
        Fault("drop_after", rate=0.02),
        Fault("truncated", rate=0.01),
        Fault("wrong_count", rate=0.01),
        Fault("empty_body", rate=0.01),
        Fault("not_json", rate=0.01),
    ]


@dataclass
class Account:
    """The results of the runs. `problems` are broken promises; empty if there are none."""

    runs: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    states: int = 0
    allowed_repeats: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pipe:
    """The pipe from tap to target; it stays open until the target is interrupted."""

    is_held: bool
    written: threading.Event = field(default_factory=threading.Event)  # all is written
    cut: threading.Event = field(
        default_factory=threading.Event
    )  # the tap dies in the middle of a line
    let_go: threading.Event = field(default_factory=threading.Event)


class Ran(NamedTuple):
    """A finished run: exit code, ending (None: by itself), first position, log."""

    code: int
    ending: Ending | None
    began: int
    log: str


class Engine:
    """Runs one target after the other, each from the last STATE."""

    def __init__(
        self, seed: int, tap: Tap, sandbox: Sandbox, directory: Path, *, keeps_ledger: bool
    ) -> None:
        self.rng = random.Random(f"{seed}/engine")
        self.tap = tap
        self.sandbox = sandbox
        self.directory = directory
        self.keeps_ledger = keeps_ledger
        self.dead_letters = directory / "rejected.jsonl"
        self.truth = Truth(tap, directory / "bodies.jsonl", self.dead_letters)
        self.account = Account()
        self.position = 0  # where the last STATE continues
        self._config = directory / "config.json"
        ledger = {"ledger_url": f"sqlite:///{directory}/ledger.db"} if keeps_ledger else {}
        self._config.write_text(
            json.dumps(
                {
                    **SETTINGS,
                    **ledger,
                    "api_url": sandbox.url,
                    "dead_letter_path": str(self.dead_letters),
                }
            )
        )

    def run_until_done(self, records: int, interruptions: int) -> None:
        """Run and interrupt while the stream grows to its size, then until everything is done."""
        step = records // (interruptions + 1)
        plan = [
            self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0] for _ in range(interruptions)
        ]
        plan[: len(ENDINGS)] = self.rng.sample(list(ENDINGS), min(len(ENDINGS), interruptions))
        for _ in range(3 * interruptions + 10):
            self.tap.grow(step)
            ran = self._run(ENDINGS[plan[0]] if plan else None, step // BATCH_SIZE)
            self._judge(ran)
            if ran.ending is not None:
                del plan[0]
            elif not plan and self.tap.is_whole and ran.code == 0:
                return
        self._problem("it was not done after many runs")

    # One run

    def _run(self, ending: Ending | None, requests: int) -> Ran:
        self.account.runs += 1
        began = self.position
        log = self.directory / f"log-{self.account.runs}"
        moment = self._moment(requests)
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [TARGET, "--config", self._config],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=self.directory,
                env={
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith("TARGET_PINTEREST_CAPI_")
                },
            )
            pipe = Pipe(is_held=ending is not None)
            threads = [
                threading.Thread(target=self._feed, args=(process, pipe)),
                threading.Thread(target=self._listen, args=(process,)),
            ]
            try:
                for thread in threads:
                    thread.start()
                is_struck = ending is not None and self._wait_for(process, moment, pipe)
                if is_struck and ending is not None:
                    self._strike(process, ending, pipe)
                code = process.wait(RUN_SECONDS)
            finally:
                process.kill()
                process.wait()
                pipe.let_go.set()
                for thread in threads:
                    thread.join()
                assert process.stdout is not None
                process.stdout.close()
        self._wait_for_quiet()
        ended_by = ending if is_struck and ending is not None and code in ending.codes else None
        self.account.endings.update(() if ended_by is None else (ended_by.name,))
        return Ran(code, ended_by, began, log.read_text())

    def _moment(self, at_most: int) -> Callable[[], bool]:
        """Return a condition for the moment: after some requests, after STATE lines, or early."""
        rng, counters, states = self.rng, self.sandbox.store.counters, self.account.states
        kind = rng.choice(["requests", "requests", "requests", "states", "start"])
        if kind == "start":
            at = time.monotonic() + rng.uniform(0, 1.5)
            return lambda: time.monotonic() >= at
        if kind == "states":
            wanted = states + rng.randint(1, 3)
            return lambda: self.account.states >= wanted
        requests = counters().get("requests", 0) + rng.randint(1, at_most)
        return lambda: counters().get("requests", 0) >= requests

    def _wait_for(
        self, process: "subprocess.Popen[bytes]", moment: Callable[[], bool], pipe: Pipe
    ) -> bool:
        """Wait for the moment or a pause in the output; return False if the process ended first."""
        deadline = time.monotonic() + RUN_SECONDS
        while process.poll() is None and not moment() and time.monotonic() < deadline:
            if pipe.written.is_set():
                deadline = min(deadline, time.monotonic() + IDLE_SECONDS)
            time.sleep(0.005)  # another process is awaited, and it cannot wake us
        try:
            process.wait(self.rng.uniform(0, 0.05))
        except subprocess.TimeoutExpired:
            return True
        return False

    def _strike(self, process: "subprocess.Popen[bytes]", ending: Ending, pipe: Pipe) -> None:
        if not ending.signals:
            pipe.cut.set()
            pipe.let_go.set()
        for number, signum in enumerate(ending.signals):
            if number:
                time.sleep(0.05)  # the second signal counts once the first was taken
            process.send_signal(signum)

    def _feed(self, process: "subprocess.Popen[bytes]", pipe: Pipe) -> None:
        """Write like the tap: from the last STATE to the end, or to half a line where it dies."""
        assert process.stdin is not None
        try:
            with process.stdin as stdin:
                for lines in self.tap.lines(self.position):
                    if pipe.cut.is_set():
                        stdin.write(lines[: len(lines) // 2].rstrip(b"}\n"))
                        return
                    stdin.write(lines)
                    stdin.flush()
                pipe.written.set()
                if pipe.is_held:
                    pipe.let_go.wait()
                if pipe.cut.is_set():
                    stdin.write(b'{"type": "RECORD", "stream"')
        except BrokenPipeError:
            return  # it was ended, as intended

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        """Read STATE like Meltano, and compare each line with what is delivered at this moment."""
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith(b"\n"):
                return  # a STATE that was not written whole does not count
            position, settled = position_of(line), self.truth.settled_through()
            self.account.states += 1
            if position > settled:
                self._problem(f"STATE says {position}, and record {settled} was not acknowledged")
            if position < self.position:
                self._problem(f"STATE went back from {self.position} to {position}")
            self.position = position

    def _wait_for_quiet(self) -> None:
        """Wait until the sandbox has processed what the ended process had sent."""
        quiet_since, deadline = time.monotonic(), time.monotonic() + 60
        while time.monotonic() - quiet_since < QUIET_SECONDS and time.monotonic() < deadline:
            time.sleep(0.01)  # the sandbox works on its own thread
            if self.sandbox.store._in_flight:
                quiet_since = time.monotonic()

    # What it may repeat

    def _judge(self, ran: Ran) -> None:
        """Check a run's end against the contract, and record what the next run may repeat."""
        self.account.problems += [
            f"run {self.account.runs}: {problem}" for problem in self._problems_of(ran)
        ]
        counts = _counts(ran.log)
        is_settled = counts is not None and counts[0] == sum(counts[1:])
        at_risk = self.truth.delivered_from(self.position)  # repeated after the last STATE
        if self.keeps_ledger:
            at_risk = 0 if is_settled else min(at_risk, IN_FLIGHT * BATCH_SIZE)
        self.account.allowed_repeats += at_risk

    def _problems_of(self, ran: Ran) -> list[str]:
        problems = []
        by_itself = {0} | ({1, 3} if any(words in ran.log for words in STOPS) else set())
        allowed = by_itself | (ran.ending.codes if ran.ending is not None else frozenset())
        if ran.code not in allowed:
            problems.append(
                f"exit code {ran.code} after {ran.ending.name if ran.ending else 'nothing'}: "
                f"{ran.log[-2000:]}"
            )
        counts = _counts(ran.log)
        if ran.code == 0 and (counts is None or counts[0] != sum(counts[1:])):
            problems.append(f"exit code 0, and the counts do not add up: {counts}")
        if ran.code == 0 and self.position != self.tap.end:
            problems.append(f"exit code 0, and STATE says {self.position} of {self.tap.end}")
        if (
            ran.ending is not None
            and counts is not None
            and counts[1]
            and counts[0] == sum(counts[1:])
        ):
            read = ran.began + counts[0]
            newest = [bound for bound in self.tap.bounds() if bound <= read]
            if self.position < (
                newest[-2] if newest[-1] == read and len(newest) > 1 else newest[-1]
            ):
                problems.append(
                    f"everything up to {read} was acknowledged, and STATE says {self.position}"
                )
        if "example.com" in ran.log or TOKEN in ran.log:
            problems.append("the log shows a value of a record, or the token")
        return problems

    def uncertain_events(self) -> int:
        """Return how many processed events had an uncertain response, and will be sent again."""
        rows = self.sandbox.store.requests()
        return sum(
            row.processed
            for row in rows
            if SPOILED.intersection(row.faults) or row.faults.count("latency") > 1
        )

    def _problem(self, words: str) -> None:
        self.account.problems.append(f"run {self.account.runs}: {words}")


def _counts(log: str) -> tuple[int, ...] | None:
    """Return the counts in a run's last line, or None if it has not written that line."""
    found = _summary(log)
    return None if found is None else tuple(int(number) for number in found.groups())

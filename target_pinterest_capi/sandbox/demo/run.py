"""The demo's two runs: their files, the sandbox, and the target's own program on the sample.

Nothing leaves the machine, and no setting of the environment reaches the target.
"""

import json
import os
import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import yaml
from rich.progress import Progress

from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.demo import sample
from target_pinterest_capi.sandbox.demo.model import Evidence
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

CONFIG: Final = "config.yaml"
SAMPLE: Final = "sample.singer"
RECEIVED: Final = "received.jsonl"
LEDGER: Final = "this-run.db"
TIMEOUT_SECONDS: Final = 120
POLL_SECONDS: Final = 0.05  # between two looks at the progress
# What would change the target's settings or log.
FOREIGN_VARIABLES: Final = ("TARGET_PINTEREST_CAPI_", "LOGLEVEL", "SINGER_SDK_")
FAULTS: Final = (
    Fault("status", status=503, requests=(2,), endpoint="events"),
    Fault("fail_event", event_id=sample.FAILED_EVENT),
    Fault("poison", event_id=sample.REFUSED_EVENT),
)


class Files(NamedTuple):
    """What one run has in the directory: `overlay` is its own configuration, the rest it writes."""

    overlay: str
    dead_letters: str = "dead-letters.jsonl"
    report: str = "report.json"
    page: str = "report.html"
    states: str = "state.jsonl"
    log: str = "target.log"


AGAIN: Final = "second-run"
FIRST: Final = Files("this-run.yaml")
SECOND: Final = Files(*(f"{AGAIN}/{name}" for name in FIRST))


def sandbox_for(directory: Path) -> Sandbox:
    """Return a sandbox with the demo's faults, which keeps what it receives in the directory."""
    received = directory / RECEIVED
    return Sandbox(SandboxConfig(faults=FAULTS, record_bodies=received, list_processing_seconds=0))


def create_list(sandbox: Sandbox) -> int:
    """Create the customer list that the shop already has; return the number of its members."""
    (account,) = next(iter(sandbox.config.tokens.values()))
    mails = ",".join(person["mail"] for person in sample.EARLIER_MEMBERS)
    body = {"name": sample.LIST_NAME, "list_type": "EMAIL", "records": mails}
    connection = HTTPConnection("127.0.0.1", sandbox.port, timeout=TIMEOUT_SECONDS)
    connection.request(
        "POST",
        f"/v5/ad_accounts/{account}/customer_lists",
        json.dumps(body),
        {
            "Authorization": f"Bearer {sandbox.config.app.access_token}",
            "Content-Type": "application/json",
        },
    )
    connection.getresponse().read()
    connection.close()
    return len(sandbox.store.lists()[0].members)


def write_input(directory: Path, url: str) -> Any:
    """Write the target's configuration and input; return the value of the last STATE."""
    (directory / CONFIG).write_bytes(sample.SAMPLES.joinpath("demo.yaml").read_bytes())
    (directory / AGAIN).mkdir()
    for files in (FIRST, SECOND):
        own = {
            "api_url": url,
            "ledger_url": f"sqlite:///{LEDGER}",
            "dead_letter_path": files.dead_letters,
            "report_path": files.report,
        }
        text = yaml.safe_dump(own, sort_keys=False)
        comment = "# The demo's own sandbox, which has ended, and its own files.\n"
        (directory / files.overlay).write_text(comment + text, encoding="utf-8")
    lines = sample.lines(datetime.now(UTC))
    (directory / SAMPLE).write_bytes(lines)
    return json.loads(lines.splitlines()[-1])["value"]


def describe_mappings() -> dict[str, str]:
    """Return what takes the records of each stream, in words."""
    config = yaml.safe_load(sample.SAMPLES.joinpath("demo.yaml").read_bytes())
    lists = {one["stream"]: f"customer list {one['list_name']}" for one in config["customer_lists"]}
    mappings = {
        one["stream"]: f"preset {one['preset']}" if "preset" in one else "a mapping of its own"
        for one in config["mappings"]
    }
    return lists | mappings


def run_target(
    target: Path, directory: Path, sandbox: Sandbox, files: Files, progress: Progress
) -> Evidence:
    """Run the target on the sample and return what came of it.

    Raises:
        TimeoutError: the target did not end in time; the message says where its log is.
    """
    events, updates = len(sandbox.store.events()), len(sandbox.store.updates())
    exit_code = _exit_code(target, directory, sandbox, files, progress)
    report = None
    if (directory / files.report).exists():
        report = read_json((directory / files.report).read_text(encoding="utf-8"))
        program = target.with_name("pinterest-capi")
        command = [str(program), "report", files.report, "--output", files.page]
        subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    letters, states = (directory / files.dead_letters, directory / files.states)
    return Evidence(
        exit_code,
        report,
        letters.read_text(encoding="utf-8") if letters.exists() else "",
        states.read_text(encoding="utf-8"),
        sandbox.store.events()[events:],
        sandbox.store.updates()[updates:],
    )


def read_json(text: str) -> Any:
    """Return a JSON text's value, with the members of its objects as attributes."""
    return json.loads(text, object_hook=lambda members: SimpleNamespace(**members))


def _exit_code(
    target: Path, directory: Path, sandbox: Sandbox, files: Files, progress: Progress
) -> int:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)
    }
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with ExitStack() as stack:
        stdin, stdout, stderr = (
            stack.enter_context((directory / name).open(mode))
            for name, mode in ((SAMPLE, "rb"), (files.states, "wb"), (files.log, "wb"))
        )
        stack.enter_context(progress)
        task = progress.add_task("Events that arrived", total=sum(sample.RECORDS.values()))
        process = subprocess.Popen(  # noqa: S603 - our own program
            [target, "--config", CONFIG, "--config", files.overlay],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=directory,
            env=environment,
        )
        try:
            while time.monotonic() < deadline:
                try:
                    return process.wait(POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    arrived = sandbox.store.counters().get("events_processed", 0)
                    progress.update(task, completed=arrived)
        finally:
            process.kill()
            process.wait()
    raise TimeoutError(
        f"The target did not end within {TIMEOUT_SECONDS} seconds: see {directory / files.log}"
    )

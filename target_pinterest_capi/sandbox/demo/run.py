"""The demo's two runs: their files, the sandbox, and the target's own program with the sample.

Nothing leaves the machine, and no setting in the environment reaches the target.
"""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.demo import sample
from target_pinterest_capi.sandbox.demo.model import Evidence, Example
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

TIMEOUT_SECONDS: Final = 120
CONFIG: Final = "config.yaml"
OVERLAY: Final = "this-run.yaml"
SAMPLE: Final = "sample.singer"
AGAIN: Final = "second-run"  # the second run's own directory, with files of the same names
# What a run writes: its dead letters, its report as JSON and as a page, its STATE and its log.
LETTERS, REPORT, PAGE, STATES, LOG = WRITTEN = (
    "dead-letters.jsonl",
    "report.json",
    "report.html",
    "state.jsonl",
    "target.log",
)
# What would change the target's settings or log.
FOREIGN_VARIABLES: Final = ("TARGET_PINTEREST_CAPI_", "LOGLEVEL", "SINGER_SDK_")


def sandbox_for(directory: Path) -> Sandbox:
    """Return a sandbox with the demo's faults, which stores what it receives in the directory."""
    faults = msgspec.convert(sample.SHOP["faults"], tuple[Fault, ...])
    received = directory / "received.jsonl"
    return Sandbox(SandboxConfig(faults=faults, record_bodies=received, list_processing_seconds=0))


def create_list(sandbox: Sandbox) -> int:
    """Create the customer list that the shop already has; return the number of its members."""
    (account,) = next(iter(sandbox.config.tokens.values()))
    mails = ",".join(person["mail"] for person in sample.EARLIER_MEMBERS)
    body = {"name": sample.SHOP["list"]["name"], "list_type": "EMAIL", "records": mails}
    headers = {
        "Authorization": f"Bearer {sandbox.config.app.access_token}",
        "Content-Type": "application/json",
    }
    connection = HTTPConnection("127.0.0.1", sandbox.port, timeout=TIMEOUT_SECONDS)
    address = f"/v5/ad_accounts/{account}/customer_lists"
    connection.request("POST", address, json.dumps(body), headers)
    connection.getresponse().read()
    connection.close()
    return len(sandbox.store.lists()[0].members)


def write_input(directory: Path, url: str) -> Any:
    """Write the target's configuration and input; return the value of the last STATE."""
    (directory / CONFIG).write_bytes(sample.CONFIG)
    (directory / AGAIN).mkdir()
    own = {"api_url": url, "ledger_url": f"sqlite:///{directory / 'this-run.db'}"}
    comment = "# The demo's own sandbox, which has ended, and what it delivered.\n"
    text = comment + yaml.safe_dump(own, sort_keys=False)
    (directory / OVERLAY).write_text(text, encoding="utf-8")
    lines = sample.lines(datetime.now(UTC))
    (directory / SAMPLE).write_bytes(lines)
    return json.loads(lines.splitlines()[-1])["value"]


def find_example(directory: Path, evidence: Evidence) -> Example | None:
    """Return the demo's example record and the event that arrived for it, if one did."""
    name = sample.SHOP["example"]
    mark = f'"{name}"'.encode()
    events = [row.event for row in evidence.received if row.event["event_id"] == name]
    for line in (directory / SAMPLE).read_bytes().splitlines():
        if mark in line and events:
            message = json.loads(line)
            return Example(message["stream"], message["record"], events[0])
    return None


def run_target(
    target: Path,
    directory: Path,
    sandbox: Sandbox,
    read_report: Callable[[bytes], Any],
    own: str = "",
) -> Evidence:
    """Run the target with the sample and return the result.

    What it writes is in the directory, or in its `own` one below.

    Raises: TimeoutError: the target did not end in time; the message says where its log is.
    """
    events, updates = len(sandbox.store.events()), len(sandbox.store.updates())
    place = directory / own
    exit_code = _exit_code(target, directory, place)
    report, letters, states = (
        path.read_bytes() if path.exists() else b""
        for path in (place / REPORT, place / LETTERS, place / STATES)
    )
    if report:
        command = [str(target.with_name("pinterest-capi")), "report", REPORT, "--output", PAGE]
        subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    return Evidence(
        exit_code,
        read_report(report) if report else None,
        letters.decode(),
        states.decode().splitlines(),
        sandbox.store.events()[events:],
        sandbox.store.updates()[updates:],
    )


def _exit_code(target: Path, directory: Path, place: Path) -> int:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)
    }
    configurations = [f"--config={directory / name}" for name in (CONFIG, OVERLAY)]
    with (
        (directory / SAMPLE).open("rb") as stdin,
        (place / STATES).open("wb") as stdout,
        (place / LOG).open("wb") as stderr,
    ):
        try:
            return subprocess.run(  # noqa: S603 - our own program
                [target, *configurations],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=place,
                env=environment,
                check=False,
                timeout=TIMEOUT_SECONDS,
            ).returncode
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"The target did not end within {TIMEOUT_SECONDS} seconds: see {place / LOG}"
            ) from None

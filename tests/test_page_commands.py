"""The commands on the pages of docs/ run as they stand, against the sandbox.

A workspace has what the pages assume: a tap, a configuration, and the files of a run with one
delivered, one invalid and one rejected order.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from given import ACCOUNT, TOKEN, record, schema
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.slow  # each starts programs

ROOT: Final = Path(__file__).parent.parent
PROGRAMS: Final = Path(sys.executable).parent
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IN_MELTANO: Final = "needs Meltano: tests/test_meltano_yml.py and tests/real"
IN_CI: Final = "is a target of make, which CI runs"
INSTALLS: Final = "installs packages: .ci/install"
# Blocks that are not run here, by their first line, and why.
ELSEWHERE: Final = {
    "make demo": IN_CI,
    "make bench": IN_CI,
    "make drift": IN_CI,
    "pinterest-capi definition | meltano add": IN_MELTANO,
    "for days_ago in": IN_MELTANO,
    "meltano invoke tap-shop": IN_MELTANO,
    "xargs -P 4": IN_MELTANO,
    "seq 0 6": IN_MELTANO,
    "docker run": "needs Docker: make image",
    "python3 -m venv": INSTALLS,
    "uv tool install": INSTALLS,
    "pip install": INSTALLS,
    "pinterest-capi preview --config config.json tap-output.singer --json > before": INSTALLS,
    "pinterest-capi login": "needs a browser: tests/test_login.py",
    "pinterest-capi sandbox": "runs until it is stopped: tests/test_sandbox_app.py",
    "tap-crm": "is compared with its output: tests/test_preview.py",
    "set -o pipefail      #": "tests/test_meltano_yml.py",
    'test -n "$(find report.json': "fails when an alert is due, as here: tests/test_pages.py",
}


class Block(NamedTuple):
    """A block of commands: its page, and the commands without prompts and output."""

    page: str
    commands: str


def blocks() -> Iterator[Block]:
    """Yield the blocks of all pages."""
    fence = re.compile(r"^( *)```(sh|bash|console)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for page in PAGES:
        for indent, language, body in fence.findall(page.read_text(encoding="utf-8")):
            text = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
            if language == "console":
                text = "\n".join(re.findall(r"^\$ (.*(?:\\\n.*)*)", text, re.MULTILINE)) + "\n"
            yield Block(page.name, text)


def is_elsewhere(block: Block) -> bool:
    """Whether another test, or CI itself, runs the block."""
    return any(block.commands.startswith(first) for first in ELSEWHERE)


HERE: Final = [block for block in blocks() if not is_elsewhere(block)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that fails one order while the workspace is prepared."""
    with Sandbox(SandboxConfig(faults=(Fault("fail_event", event_id="order-3"),))) as running:
        yield running


@pytest.fixture(scope="module")
def prepared(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace after one run."""
    place = tmp_path_factory.mktemp("workspace")
    settings = {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "oauth": {"access_token": "sandbox-access-token"},
        "api_url": sandbox.url,
        "ledger_url": "sqlite:///ledger.db",
        "results_url": "sqlite:///results.db",
        "results_events": "all",
        "report_path": "report.json",
        "max_rejected_ratio": "never",
    }
    for name in ("config.json", "target.yaml"):
        (place / name).write_text(json.dumps(settings))
    order = {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": int(time.time()),
        "value": 39.98,
        "currency": "USD",
    }
    orders = [
        {"id": 1000 + number, "event_id": f"order-{number}", "em": email, **order}
        for number, email in enumerate(["jane@example.com"] * 3 + ["none"], 1)
    ]
    lines = [schema("orders", *orders[0], key_properties=("id",))]
    lines += [record("orders", **one) for one in orders]
    (place / "tap-output.singer").write_bytes(b"\n".join(lines) + b"\n")
    shutil.copy(place / "tap-output.singer", place / "sample.singer")
    (place / "people.txt").write_text("jane@example.com\n")
    (place / "bin").mkdir()
    tap = place / "bin" / "tap-shop"
    tap.write_text('#!/bin/sh\nexec cat "$(dirname "$0")/../tap-output.singer"\n')
    tap.chmod(tap.stat().st_mode | stat.S_IXUSR)
    (place / "log.yaml").write_text(page_block("operations.md", "yaml", "disable_existing_loggers"))
    done = run(place, "target-pinterest-capi --config config.json < tap-output.singer")
    assert done.returncode == 0, done.stderr
    assert "2 delivered, 1 invalid, 1 rejected" in done.stderr
    shutil.copy(place / "pinterest-rejected.jsonl", place / "rejected.jsonl")
    (place / "reports").mkdir()
    shutil.copy(place / "report.json", place / "reports" / "today.json")
    sandbox.faults.set([])
    return place


def page_block(page: str, language: str, part: str) -> str:
    """Return the only block of a page that contains a string."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (one,) = [block for block in found if part in block]
    return one


def run(place: Path, commands: str) -> subprocess.CompletedProcess[str]:
    """Run commands in a workspace, as somebody who confirms every question."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", commands],
        cwd=place,
        env={"PATH": f"{place}/bin:{PROGRAMS}:{os.environ['PATH']}", "HOME": str(place)},
        input="y\n" * 3,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_block_is_run_somewhere():
    """A block of commands is run here, or the table says where."""
    found = list(blocks())
    assert len(HERE) >= len(found) // 2
    assert [
        first for first in ELSEWHERE if not any(block.commands.startswith(first) for block in found)
    ] == []


@pytest.mark.parametrize("page", sorted({block.page for block in HERE}))
def test_the_commands_of_a_page_work(page: str, prepared: Path, sandbox: Sandbox, tmp_path: Path):
    """Each command of the page succeeds, in their order and in one workspace."""
    if not all(map(shutil.which, ("jq", "curl"))):
        pytest.skip("jq or curl is not installed")
    place = tmp_path / "workspace"
    shutil.copytree(prepared, place)
    for block in HERE:
        if block.page == page:
            commands = block.commands.replace("http://127.0.0.1:8085", sandbox.origin)
            done = run(place, f"set -e\n{commands}")
            assert done.returncode == 0, (commands, done.stdout, done.stderr)

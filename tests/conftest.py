"""What every test can use: a sandbox, and a target that runs against it."""

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from given import ACCOUNT, FULL_EXAMPLES, TOKEN, Clock
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox
from web_host import WebHost

TESTS = Path(__file__).parent
SERVICES = {
    "browser",
    "postgres",
    "tap_schemas",
}  # fixtures of a program, or a download, that not every machine has

# A shell that starts the tests in the background lets them ignore SIGINT, and with them every
# program that they start: one that waits for it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Before the tests are imported, as their decorators ask for it.
# No test is slow by the clock: the machine may be.
for profile, number in (("quick", FULL_EXAMPLES // 5), ("full", FULL_EXAMPLES)):
    settings.register_profile(
        profile, max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "full" if "CI" in os.environ else "quick")
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test` does not run but `make test-rest` does: tests that need a service."""
    for item in items:
        if item.path.parent != TESTS or SERVICES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def start(clock: Clock) -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes with the given clock; they end with the test."""
    with ExitStack() as running:
        yield lambda **changes: running.enter_context(
            Sandbox(SandboxConfig(clock=clock, **changes))
        )


@pytest.fixture
def web_host() -> Iterator[WebHost]:
    host = WebHost()
    yield host
    host.close()


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Return the configuration of a target that talks to the sandbox; a test can extend it."""
    return {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "api_url": sandbox.url,
        "dead_letter_path": str(tmp_path / "rejected.jsonl"),
        "max_retry_seconds": 120,
    }


@pytest.fixture
def plain_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands in an empty folder, in a plain terminal of 80 columns, without a proxy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Ran(NamedTuple):
    """The results of a run of the target: exit code, STATE lines, dead letters, and its log."""

    code: int
    states: list[str]
    dead_letters: list[dict[str, Any]]
    log: str
    target: Any

    @property
    def outcomes(self) -> dict[str, int]:
        return {name: count for name, count in self.target.run.tally.by_outcome().items() if count}

    @property
    def reasons(self) -> dict[str, int]:
        return {row.reason: row.number for row in self.target.run.tally.outcomes() if row.reason}


@pytest.fixture
def run_target(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[..., Ran]:
    """Return a function that runs the target on lines of input in this process."""
    from target_pinterest_capi.target import TargetPinterestCapi

    def run(lines: list[bytes], **settings: Any) -> Ran:
        given = {**config, **settings}
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with monkeypatch.context() as patch, caplog.at_level("DEBUG"):
            patch.setattr(sys, "stdout", out)
            target = TargetPinterestCapi(config=given)
            lines_in = io.BytesIO(b"\n".join(lines) + b"\n")
            code = target.read_to_exit_code(lines_in)  # type: ignore[arg-type]
        out.seek(0)
        path = Path(given["dead_letter_path"])
        letters = (
            [json.loads(row) for row in path.read_bytes().splitlines()] if path.exists() else []
        )
        return Ran(code, out.read().splitlines(), letters, caplog.text, target)

    return run

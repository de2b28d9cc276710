"""What every test can have: a sandbox, a target that runs against it, and services that a machine may lack."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import Settings, load

ACCOUNT = "549755885175"
TOKEN = "sandbox-token"  # the sandbox's own


def need(service: str, present: bool) -> None:
    """Skip where a machine lacks a service, with the reason; fail where CI promised it."""
    if not present:
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail(f"{service} is missing, and REQUIRE_SERVICES is set")
        pytest.skip(f"{service} is not on this machine")


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Give the configuration of a target that talks to the sandbox; a test adds to it."""
    return {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "api_url": sandbox.url,
        "dead_letter_path": str(tmp_path / "rejected.jsonl"),
        "max_retry_seconds": 20,
    }


def settings_of(**given: Any) -> Settings:
    """Give checked settings, with an account and a token."""
    return load({"ad_account_id": ACCOUNT, "conversion_token": TOKEN, **given})


class Ran(NamedTuple):
    """What a run of the target left: exit code, STATE lines, dead letters, and all it logged."""

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


def line(**message: Any) -> bytes:
    """Give a Singer message as a line."""
    return json.dumps(message).encode()


def schema(stream: str, *columns: str, key_properties: tuple[str, ...] = (), **properties: Any) -> bytes:
    """Give a SCHEMA line."""
    declared = {**{column: {} for column in columns}, **properties}
    return line(
        type="SCHEMA", stream=stream, schema={"type": "object", "properties": declared}, key_properties=list(key_properties)
    )


def record(stream: str, **columns: Any) -> bytes:
    """Give a RECORD line."""
    return line(type="RECORD", stream=stream, record=columns)


def state(value: Any) -> bytes:
    """Give a STATE line."""
    return line(type="STATE", value=value)


@pytest.fixture
def run_target(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[..., Ran]:
    """Give a function that runs the target in this process on lines of input, as its command does."""
    from target_pinterest_capi.target import TargetPinterestCapi

    def run(lines: list[bytes], **settings: Any) -> Ran:
        given = {**config, **settings}
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with monkeypatch.context() as patch, caplog.at_level("DEBUG"):
            patch.setattr(sys, "stdout", out)
            target = TargetPinterestCapi(config=given)
            code = target.read_to_exit_code(io.BytesIO(b"\n".join(lines) + b"\n"))  # type: ignore[arg-type]
        out.seek(0)
        path = Path(given["dead_letter_path"])
        letters = [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []
        return Ran(code, out.read().splitlines(), letters, caplog.text, target)

    return run

"""What tests start from: an account, settings, a fixed clock, messages, a full disk."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import settings as profile

from target_pinterest_capi.settings import Settings, load

ACCOUNT = "549755885175"
FULL_EXAMPLES = 100  # of a property that names no number
TOKEN = "sandbox-token"  # the sandbox's own


class Clock:
    """A monotonic clock that moves only on request."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def examples(number: int) -> int:
    """Return how many examples the profile runs: all in the full one, otherwise a part."""
    return number * profile.default.max_examples // FULL_EXAMPLES


def settings_of(**given: Any) -> Settings:
    """Return checked settings, with an account and a token."""
    return load({"ad_account_id": ACCOUNT, "conversion_token": TOKEN, **given})


def line(**message: Any) -> bytes:
    """Return a Singer message as a line."""
    return json.dumps(message).encode()


def schema(
    stream: str, *columns: str, key_properties: tuple[str, ...] = (), **properties: Any
) -> bytes:
    """Return a SCHEMA line."""
    declared = {**{column: {} for column in columns}, **properties}
    return line(
        type="SCHEMA",
        stream=stream,
        schema={"type": "object", "properties": declared},
        key_properties=list(key_properties),
    )


def record(stream: str, **columns: Any) -> bytes:
    """Return a RECORD line."""
    return line(type="RECORD", stream=stream, record=columns)


def state(value: Any) -> bytes:
    """Return a STATE line."""
    return line(type="STATE", value=value)


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

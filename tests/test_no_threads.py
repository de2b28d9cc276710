"""The system has no threads left: a run stops with a message, and nothing counts as done."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from members import SCHEMA, list_settings, row

from given import record, schema, state
from shopper import visit

NO_SYSTEM_HAS_IT = 1 << 46  # bytes of stack for a thread
VISITS = [
    schema("visits", *visit()),
    record("visits", **visit(1)),
    state({"n": 1}),
    record("visits", **visit(2)),
]
MEMBERS = [SCHEMA, row(1), state({"n": 1}), row(2)]


@contextmanager
def no_thread_left() -> Iterator[None]:
    """Make the system refuse every new thread of this process."""
    before = threading.stack_size(NO_SYSTEM_HAS_IT)
    try:
        yield
    finally:
        threading.stack_size(before)


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        (VISITS, {}),
        (VISITS, {"on_uncertain": "reject"}),
        (VISITS, {"ledger_url": "sqlite:///ledger.db"}),
        (MEMBERS, list_settings()),
    ],
    ids=["events", "events sent once", "a ledger", "lists"],
)
def test_run_stops_where_no_thread_can_be_started(
    run_target,
    sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    lines: list[bytes],
    settings: dict[str, Any],
):
    """Exit 1 with the cause; nothing was sent, is a dead letter, or is passed by STATE."""
    monkeypatch.chdir(tmp_path)
    with no_thread_left():
        ran = run_target(lines, batch_size_rows=1, list_batch_size=1, **settings)
    assert (ran.code, ran.states, ran.dead_letters) == (1, [], [])
    assert "no thread can be started" in ran.log
    assert "unexpected" not in ran.log
    assert ran.target.run.requests.sent == 0
    assert ran.target.run.seconds < ran.target.settings.shutdown_grace_seconds
    assert sandbox.store.requests() == []

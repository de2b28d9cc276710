"""The stream of `meltano config test`: only tried, without words that Meltano sees as failure."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from members import list_settings

from given import line, record, schema, state
from shopper import visit
from target_pinterest_capi.sandbox.faults import Fault

TARGET = Path(sys.executable).with_name("target-pinterest-capi")
STREAM = "meltano_test_stream"
# As Meltano 4.4.1 sends them.
MESSAGES = [
    schema(STREAM, key_properties=("id",), id={"type": "integer"}, name={"type": "string"},
           created_at={"type": "string", "format": "date-time"}),
    record(STREAM, id=1, name="Meltano Test Record", created_at="2025-09-29T00:00:00Z"),
    state({"bookmarks": {STREAM: {"last_record": 1}}}),
    line(type="ACTIVATE_VERSION", stream=STREAM, version=1),
]  # fmt: skip


def test_settings_are_tried_and_nothing_is_recorded(run_target, sandbox):
    """One test request is sent for the account; the record is skipped, and the run ends well."""
    ran = run_target(MESSAGES)
    assert (ran.code, ran.outcomes, ran.reasons, ran.dead_letters) == (
        0,
        {"skipped": 1},
        {"meltano_test": 1},
        [],
    )
    assert [
        (request.test, request.events, request.status) for request in sandbox.store.requests()
    ] == [(True, 1, 200)]
    assert sandbox.store.events() == []
    assert "token: Pinterest accepts conversion_token" in ran.log


def test_once_is_enough(run_target, sandbox):
    """Further records of the stream send no further request."""
    ran = run_target([*MESSAGES[:2], *MESSAGES[1:2] * 5])
    assert ran.outcomes == {"skipped": 6}
    assert len(sandbox.store.requests()) == 1


def process(
    config: dict[str, Any], directory: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the program on Meltano's messages, with stderr in stdout, as Meltano reads them."""
    (directory / "config.json").write_text(json.dumps(config))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TARGET_PINTEREST_CAPI_")
    }
    return subprocess.run(
        [TARGET, "--config", "config.json"],
        cwd=directory,
        input=b"\n".join(MESSAGES).decode() + "\n",
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"mode": "test"},
        {"mode": "dry_run"},
        list_settings(),
        {"mappings": [{"stream": "orders"}]},
    ],
)
def test_where_all_is_well_no_line_reads_like_a_failure(config, tmp_path, given, level):
    """No line contains `error` or `exception`, for any mappings, mode and log level."""
    done = process({**config, **given}, tmp_path, TARGET_PINTEREST_CAPI_LOGLEVEL=level)
    assert done.returncode == 0, done.stdout
    assert [
        row for row in done.stdout.lower().splitlines() if "error" in row or "exception" in row
    ] == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"conversion_token": "wrong-token"}, "Generate new token"),
        ({"ad_account_id": "77"}, "address of Ads Manager"),
    ],
)
def test_what_is_wrong_is_said(config, tmp_path, given, words):
    """Exit 1 with an ERROR line about the cause and its fix, and no STATE."""
    done = process({**config, **given}, tmp_path)
    assert done.returncode == 1
    (row,) = [row for row in done.stdout.splitlines() if "| ERROR " in row]
    assert words in row
    assert "wrong-token" not in done.stdout
    assert "bookmarks" not in done.stdout


def test_pinterest_that_does_not_answer_fails_the_test(run_target, sandbox):
    """A test that could not be done has not passed."""
    sandbox.faults.set([Fault("status", status=503)])
    ran = run_target(MESSAGES)
    assert (ran.code, ran.states, ran.outcomes) == (1, [], {})
    assert "check again in a few minutes" in ran.log


def test_other_streams_are_as_ever(run_target, sandbox):
    """Records of other streams are delivered, including one with a name like the test stream's."""
    visits = schema("visits", *visit(), key_properties=("event_id",))
    close = [schema(f"{STREAM}_2", *visit()), record(f"{STREAM}_2", **visit(2))]
    ran = run_target([*MESSAGES, visits, record("visits", **visit(1)), *close])
    assert (ran.code, ran.outcomes) == (0, {"delivered": 2, "skipped": 1})


def test_stream_maps_do_not_hide_it(run_target, sandbox):
    """If the SDK's stream maps are on, the stream is recognized as well."""
    ran = run_target(MESSAGES, stream_maps={"visits": {"em": "em"}})
    assert (ran.code, ran.reasons) == (0, {"meltano_test": 1})

"""pipelinewise-tap-postgres writes draft-4 schemas: `exclusiveMaximum: true`, `multipleOf: 0.01`.

`pipelinewise_orders.singer` is what it wrote for eight rows of the shop, captured unchanged. If its
old PostgreSQL driver can be installed, the tap itself runs as well.
"""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import shop
from meltano_project import LOADER, Pipeline
from receiving import digest, target_settings

from api_description import assert_bodies_follow
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

TAP = "pipelinewise-tap-postgres"
CAPTURED = Path(__file__).with_name("pipelinewise_orders.singer")
TARGET = Path(sys.executable).with_name(LOADER)
STATE_BEFORE, STATE_AFTER = '{"type": "STATE", "value": ', "}"
ODD_COLUMN = {
    "type": ["null", "number"],
    "minimum": -100000000,
    "exclusiveMinimum": True,
    "maximum": 100000000,
    "exclusiveMaximum": True,
    "multipleOf": 0.01,
}


class Delivered(NamedTuple):
    """The results of a run: the events that arrived, its STATE, and its dead letters' file."""

    events: list[dict[str, Any]]
    stdout: str
    dead_letters: Path


def _captured() -> list[str]:
    """Return the captured lines with each event moved to now: Pinterest refuses old events."""
    lines = CAPTURED.read_text(encoding="utf-8").splitlines()
    times = {json.loads(line)["record"]["event_time"] for line in lines if '"RECORD"' in line}
    now = shop.now().isoformat()
    moved = {f'"event_time": "{time}"': f'"event_time": "{now}"' for time in times}
    for before, after in moved.items():
        lines = [line.replace(before, after) for line in lines]
    return lines


def _deliver(lines: list[str], directory: Path, **changed: Any) -> Delivered:
    """Pipe lines into the installed target, which must exit 0."""
    with Sandbox(SandboxConfig()) as sandbox:
        settings = target_settings(sandbox, directory) | changed
        config = directory / "config.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        command = [str(TARGET), "--config", str(config)]
        done = subprocess.run(
            command,
            input="\n".join([*lines, ""]),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return Delivered(
            [dict(row.event) for row in sandbox.store.events()],
            done.stdout,
            Path(settings["dead_letter_path"]),
        )


@pytest.mark.parametrize("validate_records", [False, True])
def test_records_with_a_draft_4_schema_are_delivered(tmp_path, validate_records):
    """Each record with such a schema is delivered, validated or not, and STATE is unchanged."""
    lines = _captured()
    assert json.loads(lines[0])["schema"]["properties"]["value"] == ODD_COLUMN
    delivered = _deliver(lines, tmp_path, validate_records=validate_records)

    assert [(event["event_id"], event["custom_data"]["value"]) for event in delivered.events] == [
        ("order-1", "402.00"),
        ("order-2", "407.19"),
        ("order-3", "0.10"),
        ("order-4", "62.48"),
        ("order-5", "280.60"),
        ("order-6", "129.00"),
        ("order-7", "60.17"),
        ("order-8", "203.97"),
    ]
    assert not delivered.dead_letters.exists()
    assert delivered.stdout.splitlines()[-1] == lines[-1].removeprefix(STATE_BEFORE).removesuffix(
        STATE_AFTER
    )


def test_a_value_the_schema_forbids_is_a_dead_letter(tmp_path):
    """`validate_records` also checks such a schema: text for a boolean is a schema violation."""
    lines = _captured()
    broken = [
        line.replace('"opt_out": false', '"opt_out": "false"') if '"order-4"' in line else line
        for line in lines
    ]
    delivered = _deliver(broken, tmp_path, validate_records=True)

    assert [event["event_id"] for event in delivered.events] == [
        f"order-{number}" for number in (1, 2, 3, 5, 6, 7, 8)
    ]
    letters = [
        json.loads(line) for line in delivered.dead_letters.read_text(encoding="utf-8").splitlines()
    ]
    assert [(letter["outcome"], letter["reason"]) for letter in letters] == [
        ("invalid", "schema_violation")
    ]


def test_a_date_sent_as_a_date_time_keeps_its_day(tmp_path):
    """The tap sends dates as midnight in UTC: the date of birth is that day in any time zone."""
    lines = _captured()
    assert json.loads(lines[3])["record"]["db"] == "1961-02-11T00:00:00+00:00"
    delivered = _deliver(lines, tmp_path, timezone="America/Los_Angeles")
    assert delivered.events[0]["user_data"]["db"] == [digest("19610211")]


class Run(NamedTuple):
    """The results of a run of the tap itself."""

    rows: list[shop.Row]
    schema: Any
    events: list[dict[str, Any]]
    bookmark: str
    bodies: Path


@pytest.fixture(scope="module")
def run(postgres, meltano, tmp_path_factory) -> Run:
    """Run `meltano run` with twenty validated rows; the tap's own SCHEMA is kept too."""
    if sys.version_info >= (3, 12):
        pytest.skip(
            "pipelinewise-tap-postgres pins psycopg2-binary 2.9.3, "
            "which has no wheel for Python 3.12 and later"
        )
    project = meltano(TAP)
    directory = tmp_path_factory.mktemp("pipelinewise")
    bodies = directory / "bodies.jsonl"
    rows = list(shop.orders(range(1, 21), shop.now()))
    postgres.query(shop.TABLE + shop.insertion(rows))
    source = {
        "host": postgres.host,
        "port": postgres.port,
        "user": postgres.user,
        "password": postgres.password,
        "dbname": postgres.database,
    }
    with Sandbox(SandboxConfig(record_bodies=bodies)) as sandbox:
        pipeline = Pipeline(
            project,
            TAP,
            "pipelinewise",
            source,
            target_settings(sandbox, directory) | {"validate_records": True},
        )
        done = pipeline.run()
        assert done.returncode == 0, done.stderr
        bookmark = pipeline.state()["bookmarks"]["shop-orders"]["replication_key_value"]
        schema = json.loads(pipeline.tap_output().partition("\n")[0])
        return Run(
            rows, schema, [dict(row.event) for row in sandbox.store.events()], bookmark, bodies
        )


@pytest.mark.real
def test_the_captured_schema_is_what_the_tap_writes(run):
    """The fixture's SCHEMA is the one that the pinned tap writes for the same table."""
    assert run.schema == json.loads(_captured()[0])


@pytest.mark.real
def test_a_run_of_the_tap_delivers_every_row(run):
    """A real run delivers each row once, with exact amounts; the last row is Meltano's state."""
    assert [(event["event_id"], event["custom_data"]["value"]) for event in run.events] == [
        (row["event_id"], f"{row['value']:.2f}") for row in run.rows
    ]
    assert datetime.fromisoformat(run.bookmark) == run.rows[-1]["updated_at"]


@pytest.mark.real
def test_request_bodies_follow_pinterests_description(run):
    """Every request body of that run is valid by Pinterest's own description."""
    assert_bodies_follow(run.bodies.read_text().splitlines())

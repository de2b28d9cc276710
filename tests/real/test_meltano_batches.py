"""BATCH messages of an SDK's tap, through a real `meltano run`: parquet, arrow and records."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import batch_tap
import pytest
from meltano_project import Pipeline
from receiving import digest, target_settings

from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.real

TAP = "tap-batches"
Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def run(meltano, tmp_path_factory) -> Run:
    """Return a function that runs the tap into a new sandbox, and returns the events there."""
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    project = meltano(None)
    project.add_extractor(TAP, Path(batch_tap.__file__), ["batch_config", "arrow_batches"])

    def events_of(**encoding: str) -> list[dict[str, Any]]:
        directory = tmp_path_factory.mktemp("batches")
        storage = {"root": directory.as_uri(), "prefix": "orders-"}
        batches = {"encoding": encoding, "storage": storage, "batch_size": 100}
        setting = "arrow_batches" if encoding.get("format") == "arrow" else "batch_config"
        source = {setting: batches} if encoding else {}
        with Sandbox(SandboxConfig(clock=batch_tap.PLACED_AT.timestamp)) as sandbox:
            settings = target_settings(sandbox, directory) | {"max_event_age_days": "never"}
            pipeline = Pipeline(project, TAP, directory.name, source, settings)
            done = pipeline.run()
            assert done.returncode == 0, done.stderr
            assert bool(list(directory.glob("*.parquet*"))) == (encoding.get("format") == "parquet")
            return [dict(kept.event) for kept in sandbox.store.events()]

    return events_of


@pytest.fixture(scope="module")
def of_records(run) -> list[dict[str, Any]]:
    """Return the events of the tap's RECORD messages."""
    return run()


def test_records_become_the_expected_events(of_records):
    """Orders become events with normalized values and exact amounts; words for null are dropped."""
    assert len(of_records) == batch_tap.ORDERS
    event = next(
        one for one in of_records if one["user_data"]["em"] == [digest("buyer.3@example.com")]
    )
    assert event["custom_data"]["value"] == "22.90"
    assert event["custom_data"]["predicted_ltv"] == "0.3"
    assert event["user_data"]["ph"] == [digest("442079460958")]
    assert "fn" not in event["user_data"]
    assert event["event_time"] == int(batch_tap.PLACED_AT.timestamp())


@pytest.mark.parametrize(
    "encoding",
    [
        {"format": "parquet"},
        {"format": "parquet", "compression": "gzip"},
        {"format": "arrow"},
        {"format": "jsonl", "compression": "gzip"},
    ],
    ids=lambda encoding: " in ".join(encoding.values()),
)
def test_batches_result_in_the_same_events_as_records(run, of_records, encoding: dict[str, str]):
    """Files in each encoding result in the same events as the tap's RECORD messages."""

    def by_id(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(events, key=lambda event: event["event_id"])

    assert by_id(run(**encoding)) == by_id(of_records)

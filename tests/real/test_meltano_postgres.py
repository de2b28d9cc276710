"""Orders in a real PostgreSQL, carried by a real `meltano run`, received by the sandbox."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import shop
from meltano_project import Pipeline
from receiving import TOKEN, digest, target_settings

from api_description import assert_bodies_follow
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.real

TAP = "tap-postgres"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig()) as running:
        yield running


@pytest.fixture
def pipeline(postgres, meltano, sandbox, tmp_path, request) -> Pipeline:
    """The orders table, empty, and a pipeline from it into the sandbox that has not run yet."""
    postgres.query(shop.TABLE)
    return _pipeline(postgres, meltano, sandbox, tmp_path, request.node.name)


def _pipeline(postgres, meltano, sandbox, directory: Path, name: str) -> Pipeline:
    source = {
        "host": postgres.host,
        "port": postgres.port,
        "user": postgres.user,
        "password": postgres.password,
        "database": postgres.database,
    }
    return Pipeline(meltano(TAP), TAP, name, source, target_settings(sandbox, directory))


def _dead_letters(pipeline: Pipeline) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in Path(pipeline.target_settings["dead_letter_path"]).read_text().splitlines()
    ]


def _bookmark(pipeline: Pipeline) -> datetime | None:
    state = pipeline.state()
    return state and datetime.fromisoformat(
        state["bookmarks"]["shop-orders"]["replication_key_value"]
    )


class FullLoad(NamedTuple):
    """The results of a first run of 300 orders."""

    rows: list[shop.Row]
    output: str
    requests: list[int]
    events: list[dict[str, Any]]
    bookmark: datetime | None
    bodies: Path


@pytest.fixture(scope="module")
def full_load(postgres, meltano, tmp_path_factory) -> FullLoad:
    """Run everything in the table once, with 128 events per request."""
    directory = tmp_path_factory.mktemp("full-load")
    bodies = directory / "bodies.jsonl"
    rows = list(shop.orders(range(1, 301), shop.now()))
    postgres.query(shop.TABLE + shop.insertion(rows))
    with Sandbox(SandboxConfig(record_bodies=bodies)) as sandbox:
        pipeline = _pipeline(postgres, meltano, sandbox, directory, "full-load")
        done = pipeline.run(batch_size_rows=128, max_in_flight=1)
        assert done.returncode == 0, done.stderr
        return FullLoad(
            rows=rows,
            output=done.stdout + done.stderr,
            requests=[row.events for row in sandbox.store.requests()],
            events=[dict(row.event) for row in sandbox.store.events()],
            bookmark=_bookmark(pipeline),
            bodies=bodies,
        )


def test_a_full_load_delivers_every_row_once_in_order(full_load):
    """Every row is one event, in the tap's order, in as few requests as the batch size allows."""
    assert [event["event_id"] for event in full_load.events] == [
        row["event_id"] for row in full_load.rows
    ]
    assert full_load.requests == [128, 128, 44]


def test_a_row_becomes_this_event(full_load):
    """Only columns named like Pinterest's fields are in the event, normalized and hashed."""
    row = full_load.rows[7]
    assert full_load.events[7] == {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": int(row["event_time"].timestamp()),
        "event_id": "order-8",
        "event_source_url": "https://shop.example.com/thanks?order=8",
        "opt_out": False,
        "user_data": {
            "em": [digest("buyer.8@example.com")],
            "ph": [digest("12135550177")],
            "db": [digest("19680918")],
            "ln": [digest("de la cruz")],
            "fn": [digest("anne marie")],
            "ct": [digest("losangeles")],
            "st": [digest("ca")],
            "zp": [digest("90001")],
            "country": [digest("us")],
            "external_id": [digest("Customer-8")],
            "client_ip_address": "2001:db8::8",
            "client_user_agent": shop.USER_AGENT,
        },
        "custom_data": {
            "currency": "USD",
            "value": "203.97",
            "content_ids": ["sku-1", "sku-2", "sku-3"],
            "contents": [
                {"id": "sku-1", "item_name": "Mug", "item_price": "19.99", "quantity": 3},
                {"id": "sku-2", "item_name": "Poster, A2", "item_price": "7.5", "quantity": 2},
                {"id": "sku-3", "item_name": "Lamp", "item_price": "129", "quantity": 1},
            ],
            "num_items": 6,
            "order_id": str(row["order_id"]),
        },
    }


def test_names_and_places_are_hashed_as_people_spell_them(full_load):
    """Accents stay, apostrophes stay in names, and a city keeps only its letters."""
    people = {
        1: ("josé", "núñez", "sanjosé", "95112"),
        2: ("zoë", "o'neil", "stlouis", "63101"),
        5: ("jane", "doe", "newyork", "10001"),
    }
    sent = {number: full_load.events[number - 1]["user_data"] for number in people}
    assert {
        number: tuple(user[field][0] for field in ("fn", "ln", "ct", "zp"))
        for number, user in sent.items()
    } == {number: tuple(map(digest, forms)) for number, forms in people.items()}


def test_amounts_are_sent_as_in_the_database(full_load):
    """A numeric(10, 2) keeps both its decimals in every event."""
    assert [event["custom_data"]["value"] for event in full_load.events] == [
        f"{row['value']:.2f}" for row in full_load.rows
    ]


def test_meltano_keeps_the_newest_row_as_state(full_load):
    """After a run that delivered every event, Meltano's state is the bookmark of the last row."""
    assert full_load.bookmark == full_load.rows[-1]["updated_at"]


def test_the_logs_hold_neither_people_nor_the_token(full_load):
    """Meltano's output of a run contains no person, no address and no secret."""
    shown = full_load.output.lower()
    assert "target-pinterest-capi" in shown
    assert [word for word in ("buyer", "núñez", "555 01", "2001:db8", TOKEN) if word in shown] == []


def test_request_bodies_follow_pinterests_description(full_load):
    """Every request body of the full load is valid by Pinterest's own description."""
    assert_bodies_follow(full_load.bodies.read_text().splitlines())


def test_a_second_run_sends_only_what_is_new(postgres, pipeline, sandbox):
    """The second run sends new rows, and the last row again, which the tap reads with `>=`."""
    first = list(shop.orders(range(1, 6), shop.now() - timedelta(hours=1)))
    postgres.query(shop.insertion(first))
    assert pipeline.run().returncode == 0
    new = list(shop.orders(range(6, 9), shop.now()))
    postgres.query(shop.insertion(new))
    assert pipeline.run().returncode == 0

    runs = [
        [f"order-{number}" for number in numbers] for numbers in ((1, 2, 3, 4, 5), (5, 6, 7, 8))
    ]
    assert [row.event["event_id"] for row in sandbox.store.events()] == runs[0] + runs[1]
    assert [row.event["event_id"] for row in sandbox.store.events() if row.duplicate] == ["order-5"]
    assert _bookmark(pipeline) == new[-1]["updated_at"]


def test_a_run_with_nothing_new_changes_nothing(postgres, pipeline, sandbox):
    """A run over an unchanged table repeats the last row, byte for byte, and keeps the state."""
    rows = list(shop.orders(range(1, 4), shop.now()))
    postgres.query(shop.insertion(rows))
    assert pipeline.run().returncode == 0
    before = _bookmark(pipeline)
    assert pipeline.run().returncode == 0

    events = [dict(row.event) for row in sandbox.store.events()]
    assert [event["event_id"] for event in events] == ["order-1", "order-2", "order-3", "order-3"]
    assert events[2] == events[3]
    assert before == _bookmark(pipeline) == rows[-1]["updated_at"]


def test_invalid_rows_are_dead_letters_and_the_run_continues(postgres, pipeline, sandbox):
    """A row without identifiers and one too old are dead letters without personal data."""
    rows = list(shop.orders(range(1, 7), shop.now()))
    rows[1] |= {"em": None, "client_ip_address": None}
    rows[3] |= {"event_time": shop.now() - timedelta(days=9)}
    postgres.query(shop.insertion(rows))
    done = pipeline.run()
    assert done.returncode == 0, done.stderr

    assert [row.event["event_id"] for row in sandbox.store.events()] == [
        "order-1",
        "order-3",
        "order-5",
        "order-6",
    ]
    letters = _dead_letters(pipeline)
    assert [
        (letter["stream"], letter["outcome"], letter["reason"], letter["key"]) for letter in letters
    ] == [
        ("shop-orders", "invalid", "no_identifier", {"order_id": digest(str(rows[1]["order_id"]))}),
        ("shop-orders", "invalid", "event_too_old", {"order_id": digest(str(rows[3]["order_id"]))}),
    ]
    path = Path(pipeline.target_settings["dead_letter_path"])
    assert [
        word for word in ("buyer", "o'neil", "ångström") if word in path.read_text().lower()
    ] == []
    assert path.stat().st_mode & 0o777 == 0o600
    assert _bookmark(pipeline) == rows[-1]["updated_at"]


def test_on_invalid_fail_stops_before_state_until_the_row_is_corrected(postgres, pipeline, sandbox):
    """With `on_invalid: fail` a bad row keeps STATE; once corrected, everything is delivered."""
    rows = list(shop.orders(range(1, 7), shop.now()))
    rows[2] |= {"em": None, "client_ip_address": None}
    postgres.query(shop.insertion(rows))
    done = pipeline.run(on_invalid="fail")
    assert done.returncode == 1
    assert "no_identifier" in done.stderr
    assert pipeline.state() is None

    postgres.query("UPDATE shop.orders SET em = 'fixed@example.com' WHERE event_id = 'order-3'")
    assert pipeline.run(on_invalid="fail").returncode == 0
    assert set(sandbox.store.event_ids()) == {row["event_id"] for row in rows}
    assert _bookmark(pipeline) == rows[-1]["updated_at"]


def test_a_refused_token_loses_nothing(postgres, pipeline, sandbox):
    """A refused run names the setting and has no STATE; the next one delivers everything."""
    rows = list(shop.orders(range(1, 7), shop.now()))
    postgres.query(shop.insertion(rows))
    refused = pipeline.run(conversion_token="a-token-of-somebody-else")
    assert refused.returncode == 1
    assert "conversion_token" in refused.stderr
    assert "a-token-of-somebody-else" not in refused.stdout + refused.stderr
    assert sandbox.store.events() == []
    assert pipeline.state() is None

    assert pipeline.run().returncode == 0
    assert sandbox.store.event_ids() == Counter(row["event_id"] for row in rows)


def test_jsonb_declared_as_an_object_may_be_an_array(postgres, pipeline, sandbox):
    """With `json_as_object`, the schema says object for what is an array: its items are sent."""
    rows = list(shop.orders(range(1, 3), shop.now()))
    postgres.query(shop.insertion(rows))
    done = pipeline._replace(tap_settings={**pipeline.tap_settings, "json_as_object": True}).run()
    assert done.returncode == 0, done.stderr
    assert [row.event["custom_data"]["content_ids"] for row in sandbox.store.events()] == [
        ["sku-2", "sku-3"],
        ["sku-3", "sku-4", "sku-1"],
    ]

"""A web API's nested JSON, read by tap-rest-api-msdk: flat columns, and arrays as JSON text."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from meltano_project import Pipeline
from order_api import OrderApi
from receiving import digest, target_settings

from api_description import assert_bodies_follow
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.real

TAP = "tap-rest-api-msdk"
# Its mappings are in project/meltano.yml, as a user writes them.
LOADER = "target-pinterest-capi--web-orders"


def _order(
    number: int, placed_at: datetime, status: str = "paid", **changed: Any
) -> dict[str, Any]:
    return {
        "id": number,
        "placedAt": placed_at.isoformat().replace("+00:00", "Z"),
        "status": status,
        "total": {"amount": 47.48, "currency": "EUR"},
        "customer": {
            "email": f" Zoë.{number}@Example.com",
            "otherEmails": [f"zoe.{number}@example.com", f"ZOË.{number}@example.com"],
            "phones": ["+49 30 555 0100", "+49 30 555 0101"],
            "address": {"city": "Bad Homburg v. d. Höhe", "country": "Germany"},
        },
        "lines": [
            {"sku": "sku-1", "title": 'Mug, "large"', "price": 19.99, "qty": 2},
            {"sku": "sku-2", "title": "Poster", "price": "7.50"},
            {"sku": "sku-1", "title": 'Mug, "large"', "price": 0, "qty": 1},
        ],
        **changed,
    }


class Result(NamedTuple):
    """The results of one run of orders with the same time."""

    placed_at: datetime
    events: list[dict[str, Any]]
    state: Any
    bodies: Path


@pytest.fixture(scope="module")
def result(meltano, tmp_path_factory) -> Result:
    """Run `meltano run` with five orders, one of them not paid."""
    project = meltano(TAP)
    directory = tmp_path_factory.mktemp("rest-api")
    bodies = directory / "bodies.jsonl"
    changes = {1003: {"status": "open"}, 1004: {"lines": []}}
    placed_at = datetime.now(UTC).replace(microsecond=0)
    orders = [_order(number, placed_at, **changes.get(number, {})) for number in range(1001, 1006)]
    with OrderApi(orders) as api, Sandbox(SandboxConfig(record_bodies=bodies)) as sandbox:
        settings = target_settings(sandbox, directory)
        pipeline = Pipeline(project, TAP, "rest-api", {"api_url": api.url}, settings, LOADER)
        done = pipeline.run()
        assert done.returncode == 0, done.stderr
        return Result(
            placed_at, [dict(row.event) for row in sandbox.store.events()], pipeline.state(), bodies
        )


def test_an_order_with_arrays_as_json_text_becomes_this_event(result):
    """Expressions read JSON text, an array field has all values, and amounts keep their digits."""
    assert result.events[0] == {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": int(result.placed_at.timestamp()),
        "event_id": "1001",
        "user_data": {
            "em": [digest("zoë.1001@example.com"), digest("zoe.1001@example.com")],
            "ph": [digest("49305550100")],
            "ct": [digest("badhomburgvdhöhe")],
            "country": [digest("de")],
        },
        "custom_data": {
            "currency": "EUR",
            "value": "47.48",
            "content_ids": ["sku-1", "sku-2"],
            "contents": [
                {"id": "sku-1", "item_name": 'Mug, "large"', "item_price": "19.99", "quantity": 2},
                {"id": "sku-2", "item_name": "Poster", "item_price": "7.50"},
                {"id": "sku-1", "item_name": 'Mug, "large"', "item_price": "0", "quantity": 1},
            ],
            "num_items": 4,
            "order_id": "1001",
            "content_brand": "Example Shop",
        },
    }


def test_a_mapping_in_meltano_yml_chooses_records(result):
    """`when` in meltano.yml selects only the paid orders."""
    assert [event["event_id"] for event in result.events] == ["1001", "1002", "1004", "1005"]


def test_dotted_defaults_in_meltano_yml_reach_every_event(result):
    """A dotted key of an object setting, which Meltano nests, is the same field path."""
    assert [event["custom_data"]["content_brand"] for event in result.events] == [
        "Example Shop"
    ] * 4


def test_an_empty_array_is_a_missing_value(result):
    """`"[]"` as text results in neither contents nor the values derived from them."""
    assert (
        result.events[2]["custom_data"].keys().isdisjoint({"contents", "content_ids", "num_items"})
    )


def test_an_empty_first_state_does_not_hide_the_last_one(result):
    """The tap begins with the STATE `{}`; Meltano keeps the one after the records."""
    assert result.state == {"bookmarks": {"orders": {}}}


def test_request_bodies_follow_pinterests_description(result):
    """Every request body is valid by Pinterest's own description."""
    assert_bodies_follow(result.bodies.read_text().splitlines())

"""Every kind of request body is accepted by Pinterest's own models of 5.28, without loss.

Another check than the stored description, and a newer one: the models of the package
`pinterestsdk`, whose types and lengths are strict. They drop what they do not know, so a body that
comes back unchanged has nothing unknown.
"""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks import records
from given import ACCOUNT
from target_pinterest_capi.events.fields import EVENT_NAMES, ITEM_FIELDS
from target_pinterest_capi.pinterest import defined_events
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.deletion_requests import create_request
from target_pinterest_capi.pinterest.list_records import ListRow
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

pytestmark = pytest.mark.slow  # importing the package takes seconds

DIGEST = "a" * 64
ROW = ListRow(
    email=DIGEST,
    maid=DIGEST,
    hashed_phone_number=DIGEST,
    external_id="7",
    ip_address="192.0.2.1",
    user_agent="Mozilla/5.0",
)
LIST_CREATE = "customer_list_create.CustomerListCreate"
LIST_UPDATE = "customer_list_update_with_required_body.CustomerListUpdateWithRequiredBody"
DEFINED_EVENTS = "advertiser_defined_events_create_request.AdvertiserDefinedEventsCreateRequest"


def model_named(model: str) -> Any:
    module, _, name = model.partition(".")
    return getattr(importlib.import_module(f"pinterestsdk.models.{module}"), name)


def model_field(model: str, name: str) -> Any:
    return model_named(model).model_fields[name]


def read_back(model: str, body: Any) -> Any:
    """Return a model's JSON of a body. Raises if the model does not accept it."""
    return without_nulls(json.loads(model_named(model).from_dict(body).to_json()))


def without_nulls(value: Any) -> Any:
    """Return JSON without the nulls that a model writes for absent members."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox.url, max_connections=1, timeout_seconds=10)
    yield made
    made.close()


def sent_body(client: Client, send: Callable[[Client], Any]) -> Any:
    """Return the body of the request that a call makes."""
    sent: list[Any] = []
    client._http.event_hooks["request"].append(sent.append)
    send(client)
    return json.loads(sent[0].content)


@pytest.mark.parametrize(
    ("model", "send"),
    [
        (
            LIST_CREATE,
            lambda client: client.create_list("t", ACCOUNT, "a", [DIGEST], list_type="MAID"),
        ),
        (LIST_CREATE, lambda client: client.create_list("t", ACCOUNT, "a", [ROW], is_nca=True)),
        (LIST_UPDATE, lambda client: client.update_list("t", ACCOUNT, "1", "ADD", [DIGEST])),
        (LIST_UPDATE, lambda client: client.update_list("t", ACCOUNT, "1", "REMOVE", [ROW, ROW])),
        (
            "ad_accounts_audience_create.AdAccountsAudienceCreate",
            lambda client: client.create_audience("t", ACCOUNT, "a", "1"),
        ),
        (
            DEFINED_EVENTS,
            lambda client: defined_events.write_events(
                client, "t", ACCOUNT, "POST", {"own": "CHECKOUT"}
            ),
        ),
    ],
    ids=["list", "list of rows", "add", "remove rows", "audience", "defined events"],
)
def test_bodies_are_taken(client: Client, model: str, send: Callable[[Client], Any]):
    """What the client sends is accepted by the model of the request without loss."""
    body = sent_body(client, send)
    assert read_back(model, body) == body


@pytest.mark.parametrize(
    ("model", "targets"),
    [
        (
            "conversion_deletion_request_user_email_targets.ConversionDeletionRequestUserEmailTargets",
            {"user_emails": ["jane@example.com"]},
        ),
        (
            "conversion_deletion_request_epik_targets.ConversionDeletionRequestEPIKTargets",
            {"epiks": ["dj0yJnU9"]},
        ),
    ],
)
def test_deletion_requests_are_taken(client: Client, model: str, targets: dict[str, list[str]]):
    """The targets of a deletion request are those of the model."""
    emails, epiks = targets.get("user_emails", []), targets.get("epiks", [])
    body = sent_body(client, lambda client: create_request(client, "t", ACCOUNT, emails, epiks))
    assert body == {"deletion_targets": targets}
    assert read_back(model, targets) == targets


def test_events_are_taken(run_target, tmp_path: Path):
    """The bodies of a run with a shop's records are accepted without loss."""
    recorded = tmp_path / "bodies.jsonl"
    lines = [json.dumps(message).encode() for message in records.messages(60, datetime.now(UTC))]
    with Sandbox(SandboxConfig(record_bodies=recorded)) as sandbox:
        assert run_target(lines, api_url=sandbox.url, batch_size_rows=20).code == 0
    for line in recorded.read_text().splitlines():
        body = json.loads(line)
        assert read_back("conversion_events_create.ConversionEventsCreate", body) == body


def test_names_of_events_are_those_of_the_models():
    """Pinterest's 22 names are exactly those in its models."""
    about = model_field("conversion_events_data_items.ConversionEventsDataItems", "event_name")
    assert set(re.findall("`([a-z_]+)`", about.description)) == set(EVENT_NAMES)
    assert len(EVENT_NAMES) == 22


def test_limit_of_a_brand_is_that_of_the_models():
    """An item's brand id has the models' maximum length."""
    items = "conversion_events_data_items_custom_data_contents_items"
    model = f"{items}.ConversionEventsDataItemsCustomDataContentsItems"
    (limit,) = re.findall(r"max_length=(\d+)", repr(model_field(model, "item_brand_id")))
    (ours,) = [field.max_length for field in ITEM_FIELDS if field.leaf == "item_brand_id"]
    assert int(limit) == ours


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (LIST_CREATE, {"name": 7, "records": "a"}),
        (LIST_CREATE, {"name": "a", "records_v2": [{"email": ["a@example.com"]}]}),
        (DEFINED_EVENTS, {"items": []}),
        ("conversion_events_create.ConversionEventsCreate", {"data": [{"event_name": "lead"}]}),
    ],
)
def test_wrong_bodies_are_found(model: str, body: Any):
    """The models refuse another type, too few items, or a missing member."""
    with pytest.raises(ValueError, match="validation error"):
        read_back(model, body)

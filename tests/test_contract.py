"""Every kind of request body that the target sends is valid by Pinterest's description.

Events of presets are checked in preset_events.py, those of real taps in real/.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from api_description import ACCOUNT_PATH, EVENTS, assert_bodies_follow, problems
from benchmarks import records
from given import ACCOUNT
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import Credentials
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

LISTS = f"{ACCOUNT_PATH}/customer_lists"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox.url, max_connections=1, timeout_seconds=10)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("path", "method", "send"),
    [
        (
            LISTS,
            "post",
            lambda client: client.create_list(
                "t", ACCOUNT, "buyers", ["a" * 64], list_type="EMAIL"
            ),
        ),
        (
            f"{LISTS}/{{customer_list_id}}",
            "patch",
            lambda client: client.update_list("t", ACCOUNT, "1", "ADD", ["a" * 64, "b" * 64]),
        ),
        (
            f"{LISTS}/{{customer_list_id}}",
            "patch",
            lambda client: client.update_list("t", ACCOUNT, "1", "REMOVE", ["a" * 64]),
        ),
        (
            f"{ACCOUNT_PATH}/audiences",
            "post",
            lambda client: client.create_audience("t", ACCOUNT, "buyers", "1"),
        ),
        (
            "/oauth/token",
            "post",
            lambda client: client.refresh_token(Credentials("id", "secret", "r")),
        ),
    ],
    ids=["create a list", "add", "remove", "create an audience", "refresh a token"],
)
def test_a_body_follows_the_description(client: Client, path: str, method: str, send: Any):
    """The client's request to each endpoint except events has the described members and values."""
    sent: list[Any] = []
    client._http.event_hooks["request"].append(sent.append)
    send(client)
    (request,) = sent
    assert request.method.lower() == method
    body = request.content.decode()
    decoded = dict(parse_qsl(body)) if path == "/oauth/token" else json.loads(body)
    assert list(problems(decoded, path, method)) == []


def test_bodies_of_events_follow_the_description(run_target, tmp_path):
    """The bodies of a run with a shop's records have the described members and values."""
    recorded = tmp_path / "bodies.jsonl"
    lines = [json.dumps(message).encode() for message in records.messages(60, datetime.now(UTC))]
    with Sandbox(SandboxConfig(record_bodies=recorded)) as sandbox:
        ran = run_target(lines, api_url=sandbox.url, batch_size_rows=20)
    assert (ran.code, ran.outcomes) == (0, {"delivered": 60})
    assert_bodies_follow(recorded.read_text().splitlines())


@pytest.mark.parametrize(
    "broken",
    [
        {"data": []},
        {"data": [{"event_name": "lead"}]},
        {"data": [{"event_name": "lead", "colour": "red"}]},
    ],
)
def test_a_wrong_body_is_found(broken: dict[str, Any]):
    """The check itself finds what is missing, too few, or not described, and names the place."""
    assert all(problem.startswith("$.data") for problem in problems(broken, EVENTS))
    assert list(problems(broken, EVENTS))

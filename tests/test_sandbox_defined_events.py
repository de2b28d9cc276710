"""The sandbox's own event names: defined, remapped, deleted, and known to events."""

import hashlib

import httpx
import pytest

from given import ACCOUNT, Clock
from target_pinterest_capi.sandbox import oauth

NOW = 1_780_000_000.0
PATH = f"/ad_accounts/{ACCOUNT}/advertiser_defined_events"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def sandbox(start):
    return start()


def call(sandbox, method, *, token="sandbox-access-token", **given):
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, f"{sandbox.url}{PATH}", headers=headers, **given)


def write(sandbox, method="POST", **mapped: str):
    items = [{"name": name, "mapped_conversion_type": kind} for name, kind in mapped.items()]
    return call(sandbox, method, json={"items": items})


def held(sandbox) -> dict[str, str | None]:
    items = call(sandbox, "GET").json()["items"]
    return {item["name"]: item["mapped_conversion_type"] for item in items}


def statuses(answer) -> list[str]:
    return [item["status"] for item in answer.json()["items"]]


def test_names_are_defined_mapped_anew_and_deleted(sandbox):
    """Each change has a result for each name, and the list shows the current ones."""
    assert statuses(write(sandbox, quote="LEAD", visit="PAGE_VISIT")) == ["success"] * 2
    assert statuses(write(sandbox, "PATCH", quote="CONTACT")) == ["success"]
    assert held(sandbox) == {"quote": "CONTACT", "visit": "PAGE_VISIT"}
    gone = call(sandbox, "DELETE", params={"event_names": "visit,quote"})
    assert (statuses(gone), held(sandbox)) == (["success"] * 2, {})


def test_a_name_that_cannot_be_changed_fails_alone(sandbox):
    """Defining twice, and changing or deleting an unknown name, fails that name with a reason."""
    write(sandbox, quote="LEAD")
    assert statuses(write(sandbox, quote="LEAD", visit="LEAD")) == ["failure", "success"]
    answer = write(sandbox, "PATCH", other="LEAD", visit="SEARCH")
    assert statuses(answer) == ["failure", "success"]
    assert answer.json()["items"][0]["exceptions"]
    assert statuses(call(sandbox, "DELETE", params={"event_names": "other"})) == ["failure"]
    assert held(sandbox) == {"quote": "LEAD", "visit": "SEARCH"}


def test_there_is_room_for_fifteen(start):
    """The sixteenth name fails."""
    sandbox = start(defined_events=[f"event_{number}" for number in range(14)])
    assert statuses(write(sandbox, one="LEAD", another="LEAD")) == ["success", "failure"]
    assert len(held(sandbox)) == 15


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": [{"name": "quote"}]},
        {"items": [{"name": "quote", "mapped_conversion_type": "CUSTOM"}]},
        {"items": [{"name": "quote", "mapped_conversion_type": "lead"}]},
        {"items": [{"name": "quote", "mapped_conversion_type": None}]},
        {"items": [{"name": " ", "mapped_conversion_type": "LEAD"}]},
        {"items": [{"name": "quote", "mapped_conversion_type": "LEAD", "id": 1}]},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_wrong_bodies(sandbox, method: str, body):
    """A name is mapped to one of 19 types, in capitals, and has no other members."""
    assert call(sandbox, method, json=body).status_code == 400


@pytest.mark.parametrize("query", ["", "event_names=", "event_names=a&event_names=b"])
def test_wrong_queries(sandbox, query: str):
    """Names to delete are one list, separated by commas."""
    assert call(sandbox, "DELETE", params=query).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_changes_need_ads_write(start, method: str):
    """A token with ads:read alone may read but not change anything."""
    sandbox = start(app=oauth.App(scopes=("ads:read",)))
    assert call(sandbox, "GET").status_code == 200
    assert call(sandbox, method, json={}).status_code == 401


def test_a_name_that_was_defined_is_no_warning_any_more(sandbox):
    """Events use the current names of their account."""
    assert warned(sandbox)
    write(sandbox, quote="LEAD")
    assert not warned(sandbox)
    call(sandbox, "DELETE", params={"event_names": "quote"})
    assert warned(sandbox)


def warned(sandbox) -> bool:
    """Return whether an event named quote has a warning."""
    person = hashlib.sha256(b"jane@example.com").hexdigest()
    event = {
        "event_name": "quote",
        "action_source": "web",
        "event_time": int(NOW),
        "event_id": "1",
        "user_data": {"em": [person]},
    }
    answer = httpx.post(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/events",
        json={"data": [event]},
        headers={"Authorization": "Bearer sandbox-token"},
    )
    return bool(answer.json()["events"][0].get("warning_message"))

"""The check of request bodies.

Where it differs from Pinterest's description, and the messages of its problems.
"""

import importlib.util
import json
from pathlib import Path

import pytest

from api_description import ACCOUNT_PATH, DESCRIPTION, EVENTS, PATHS
from target_pinterest_capi.sandbox import identifiers, request_bodies

_spec = importlib.util.spec_from_file_location(
    "api_facts", Path(__file__).parents[1] / "tools" / "api_facts.py"
)
api_facts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(api_facts)


def facts(schema):
    """Return a schema's rules for each place in a body: a set of (place, keyword, value)."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": content, "responses": {}}
    stated = api_facts.stated({**DESCRIPTION, "paths": {"/": {"post": operation}}})["POST /"]
    return {(fact.place.removeprefix("request"), fact.keyword, fact.value) for fact in stated}


CLOSED = ("additionalProperties", "false")
# What OpenAPI says in a keyword of its own, and JSON Schema in "null" as a type and in limits
TRANSLATED = {"nullable", "format"}
PROSE = {"default", "x-named-values"}
INT64 = {str(limit) for limit in request_bodies.INT64.values()}

ROWS = {
    (".records_v2", "", ""),
    (".records_v2", "type", "array"),
    (".records_v2[]", "", ""),
    (".records_v2[]", "type", "object"),
    (".records_v2[]", *CLOSED),
    *(
        (f".records_v2[].{name}", *fact)
        for name in identifiers.ROW_FIELDS
        for fact in (("", ""), ("type", "string"))
    ),
}


@pytest.mark.parametrize(
    ("name", "path", "method", "added", "removed"),
    [
        (
            "ConversionEvents",
            EVENTS,
            "post",
            {
                (".data[].action_source", "enum", "app_android"),
                (".data[].action_source", "enum", "app_ios"),
                (".data[].action_source", "enum", "offline"),
                (".data[].action_source", "enum", "web"),
                (".data[].advertiser_tracking_enabled", "", ""),
                (".data[].advertiser_tracking_enabled", "type", "boolean"),
                (".data[].custom_data.contents[].item_brand_id", "", ""),
                (".data[].custom_data.contents[].item_brand_id", "maxLength", "64"),
                (".data[].custom_data.contents[].item_brand_id", "type", "string"),
                (".data[].user_data", *CLOSED),
                (".data[].user_data.customer_type", "", ""),
                (".data[].user_data.customer_type", "type", "string"),
                (".data[].user_data.customer_type", "enum", "new"),
                (".data[].user_data.customer_type", "enum", "returning"),
            },
            {
                (".data[].user_data", "anyOf required", "client_ip_address and client_user_agent"),
                (".data[].user_data", "anyOf required", "em"),
                (".data[].user_data", "anyOf required", "hashed_maids"),
            },
        ),
        (
            "CustomerListRequest",
            f"{ACCOUNT_PATH}/customer_lists",
            "post",
            {("", *CLOSED), (".is_nca", "", ""), (".is_nca", "type", "boolean"), *ROWS},
            {("", "required", "records")},
        ),
        (
            "CustomerListUpdateRequest",
            f"{ACCOUNT_PATH}/customer_lists/{{customer_list_id}}",
            "patch",
            {("", *CLOSED), *ROWS},
            {("", "required", "records")},
        ),
        (
            "AudienceCreateRequest",
            f"{ACCOUNT_PATH}/audiences",
            "post",
            {("", *CLOSED), (".rule", *CLOSED), (".rule", "required", "customer_list_id")},
            "every other member of the rule",
        ),
    ],
)
def test_bodies_are_the_description(name, path, method, added, removed):
    """All rules about members are the description's, except those listed here."""
    (content,) = PATHS[path][method]["requestBody"]["content"].values()
    described, ours = facts(content["schema"]), facts(request_bodies.body_schema(name))
    more, less = ours - described, described - ours
    assert {fact for fact in more if fact[1:] != ("type", "null") and fact[2] not in INT64} == added
    less = {fact for fact in less if fact[1] not in TRANSLATED | PROSE}
    if name == "AudienceCreateRequest":
        assert {place for place, *_ in ours if place.startswith(".rule.")} == {
            ".rule.customer_list_id"
        }
        assert all(place.startswith(".rule.") for place, *_ in less)
    else:
        assert less == removed


GOOD = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": 1_780_000_000,
    "event_id": "1",
    "user_data": {},
}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"event_id": 7}, "data.0.event_id is not of type 'string'"),
        ({"language": 7}, "data.0.language is not of type 'string'"),
        ({"event_time": 1.0}, "data.0.event_time is not of type 'integer'"),
        ({"event_time": ...}, "data.0 lacks 'event_time', which is a required property"),
        (
            {"event_time": 2**63},
            "data.0.event_time is greater than the maximum of 9223372036854775807",
        ),
        (
            {"action_source": "jane"},
            "data.0.action_source is not one of ['app_android', 'app_ios', 'offline', 'web']",
        ),
        (
            {"device_info": {"battery_level": -1}},
            "data.0.device_info.battery_level is less than the minimum of 0",
        ),
        (
            {"device_info": {"timezone_abbr": "jane@example.com"}},
            "data.0.device_info.timezone_abbr is longer than 5 characters",
        ),
        (
            {"device_info": {"languages": ["en"] * 101}},
            "data.0.device_info.languages has more than 100 items",
        ),
        ({"a": 1, "b": 2}, "Additional properties are not allowed ('a', 'b' were unexpected)"),
    ],
)
def test_problems_of_events(changes, problem):
    """A problem has the place and the rule with its limit, never the value."""
    event = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    assert request_bodies.check_events({"data": [event]}) == problem


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "is not of type 'object'"),
        ({"data": []}, "data has fewer than 1 items"),
        (json.loads("[" * 400 + "]" * 400), "the body is nested too deeply"),
    ],
)
def test_problems_of_whole_bodies(body, problem):
    """A problem of the whole body has no place."""
    assert request_bodies.check_events(body) == problem


def test_problem_of_an_id():
    """An id that is not digits breaks the description's pattern."""
    body = {"name": "a", "audience_type": "CUSTOMER_LIST", "rule": {"customer_list_id": "jane"}}
    problem = request_bodies.check_audience(body)
    assert problem.startswith("rule.customer_list_id does not match '^")

"""Pinterest's description as stored in the tree, and request bodies checked against it.

The file is written by tools/api_facts.py; docs/pinterest-api.md explains it. Problems name places
and rules, never a value.
"""

import copy
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema

import target_pinterest_capi

FILE: Final = Path(target_pinterest_capi.__file__).parent / "sandbox" / "pinterest-openapi.json"
DESCRIPTION: Final[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
PATHS: Final[dict[str, Any]] = DESCRIPTION["paths"]
SCHEMAS: Final[dict[str, Any]] = DESCRIPTION["components"]["schemas"]
PARAMETERS: Final[dict[str, Any]] = DESCRIPTION["components"]["parameters"]

ACCOUNT_PATH: Final = "/ad_accounts/{ad_account_id}"
EVENTS: Final = f"{ACCOUNT_PATH}/events"

# docs/pinterest-api.md: seen in live requests that Pinterest processed
SEEN_LIVE: Final = {
    "advertiser_tracking_enabled": {"type": "boolean"},
    "contents.item_brand_id": {"type": "string", "maxLength": 64},
}
# docs/pinterest-api.md: user_data, of a later version than the description that is kept
NEWER: Final = {"user_data.customer_type": {"type": "string", "enum": ["new", "returning"]}}


def body_schema(path: str, method: str) -> dict[str, Any]:
    """Return a copy of the JSON Schema of an operation's request body, with what was seen live."""
    (content,) = PATHS[path][method]["requestBody"]["content"].values()
    schema = copy.deepcopy({**content["schema"], "components": DESCRIPTION["components"]})
    event = schema["components"]["schemas"]["ConversionEvents"]["properties"]["data"]["items"][
        "properties"
    ]
    event["advertiser_tracking_enabled"] = SEEN_LIVE["advertiser_tracking_enabled"]
    item = event["custom_data"]["properties"]["contents"]["items"]["properties"]
    item["item_brand_id"] = SEEN_LIVE["contents.item_brand_id"]
    customer = schema["components"]["schemas"]["ConversionEventsUserDataProperties"]["properties"]
    customer["customer_type"] = NEWER["user_data.customer_type"]
    _say_nulls(schema)
    return schema


def _say_nulls(node: Any) -> None:
    """Replace OpenAPI 3.0's `nullable` by its equivalent in JSON Schema, at all levels."""
    if isinstance(node, dict):
        if node.pop("nullable", False) and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        for inner in node.values():
            _say_nulls(inner)
    elif isinstance(node, list):
        for inner in node:
            _say_nulls(inner)


@cache
def _validator(path: str, method: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(body_schema(path, method))


def problems(body: Any, path: str = EVENTS, method: str = "post") -> Iterator[str]:
    """Yield violations of the description in a request body: the place and the rule."""
    for error in _validator(path, method).iter_errors(body):
        yield f"{error.json_path}: {error.validator} {str(error.validator_value)[:80]}"


def assert_bodies_follow(lines: Iterable[str]) -> None:
    """Check recorded bodies of events, one per line, against the description; there must be one."""
    bodies = [json.loads(line) for line in lines]
    assert bodies
    assert [problem for body in bodies for problem in problems(body)] == []

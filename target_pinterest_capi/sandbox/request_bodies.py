"""Request bodies, checked by compiled validators of Pinterest's API description.

Owns where the sandbox differs from the description: additions, and where it is stricter. Reports at
most one problem for any JSON value, with names of members and limits but without values. Never
interprets a value: that is in `rules` and its neighbours.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import msgspec

from target_pinterest_capi.sandbox.identifiers import ROW_FIELDS

# Written by tools/api_facts.py; docs/pinterest-api.md explains it
DESCRIPTION: Final = Path(__file__).parent / "pinterest-openapi.json"

# Those that JSON Schema and OpenAPI share
KEYWORDS: Final = (
    "type", "enum", "pattern", "minimum", "maximum", "maxLength", "minItems", "maxItems",
)  # fmt: skip
INT64: Final = {"minimum": -(2**63), "maximum": 2**63 - 1}

# The text of each problem, by jsonschema_rs's kind of error. Pinterest's own text is known only for
# an unexpected member; the others are the sandbox's
_PROBLEMS: Final = {
    "required": "lacks '{0.property}', which is a required property",
    "pattern": "does not match '{0.pattern}'",
    "minimum": "is less than the minimum of {0.limit}",
    "maximum": "is greater than the maximum of {0.limit}",
    "maxLength": "is longer than {0.limit} characters",
    "minItems": "has fewer than {0.limit} items",
    "maxItems": "has more than {0.limit} items",
}

CheckBody = Callable[[Any], str]
Schema = Mapping[str, Any]


def _amend(schemas: dict[str, Any]) -> None:
    """Change the description where the sandbox knows more, or accepts less."""
    event = schemas["ConversionEvents"]["properties"]["data"]["items"]["properties"]
    item = event["custom_data"]["properties"]["contents"]["items"]["properties"]
    # docs/pinterest-api.md: The event; custom_data. Seen in live requests, the second also 5.28
    event["advertiser_tracking_enabled"] = {"type": "boolean"}
    item["item_brand_id"] = {"type": "string", "maxLength": 64}
    # docs/pinterest-api.md: user_data. 5.31
    customer = schemas["ConversionEventsUserDataProperties"]["properties"]
    customer["customer_type"] = {"type": "string", "enum": ["new", "returning"]}
    # Listed in the description's prose
    event["action_source"]["enum"] = event["action_source"]["x-named-values"]
    # An event that identifies nobody fails alone (`rules`), so it does not make its request invalid
    schemas["ConversionEventsUserData"] = schemas["ConversionEventsUserDataProperties"]
    _amend_lists(schemas)
    # The only member in the rule of an audience from a customer list
    members = schemas["AudienceRule"]["properties"]
    schemas["AudienceRule"] |= {
        "properties": {"customer_list_id": members["customer_list_id"]},
        "required": ["customer_list_id"],
    }
    # docs/pinterest-api.md: Deletion requests; Advertiser-defined events. 5.28, as its models are
    schemas["ConversionDeletionRequestCreate"] = _object(deletion_targets=_TARGETS)
    schemas["AdvertiserDefinedEventsCreateRequest"] = _object(
        items={"type": "array", "items": _DEFINED_EVENT, "minItems": 1}
    )


def _object(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object whose members are all required."""
    return {"type": "object", "properties": properties, "required": list(properties)}


_NAMES: Final = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_TARGETS: Final = {"type": "object", "properties": {"user_emails": _NAMES, "epiks": _NAMES}}
# docs/pinterest-api.md: Advertiser-defined events
MAPPED_TYPES: Final = (
    "ADD_PAYMENT_INFO", "ADD_TO_CART", "ADD_TO_WISHLIST", "CHECKOUT", "CONTACT",
    "CUSTOMIZE_PRODUCT", "FIND_LOCATION", "INITIATE_CHECKOUT", "LEAD", "PAGE_VISIT", "SCHEDULE",
    "SEARCH", "SIGNUP", "START_TRIAL", "SUBMIT_APPLICATION", "SUBSCRIBE", "VIEW_CATEGORY",
    "VIEW_CONTENT", "WATCH_VIDEO",
)  # fmt: skip
_DEFINED_EVENT: Final = _object(
    name={"type": "string"}, mapped_conversion_type={"type": "string", "enum": list(MAPPED_TYPES)}
)


def _amend_lists(schemas: dict[str, Any]) -> None:
    """Add what is newer than the description: rows of several identifiers, and `is_nca`.

    `customer_lists` checks that a body has either `records` or `records_v2`.
    """
    # docs/pinterest-api.md: Customer lists
    fields = {name: {"type": "string"} for name in ROW_FIELDS}
    rows = {"type": "array", "items": {"type": "object", "properties": fields}}
    for name in ("CustomerListRequest", "CustomerListUpdateRequest"):
        schemas[name]["required"].remove("records")
        schemas[name]["properties"]["records_v2"] = rows
    schemas["CustomerListRequest"]["properties"]["is_nca"] = {"type": "boolean"}


def _json_schema(described: Schema, schemas: Schema) -> dict[str, Any]:
    """Return an OpenAPI schema as a self-contained JSON Schema, with every object closed.

    It is not known whether Pinterest accepts unknown members in objects that its description leaves
    open, and a stand-in should rather be too strict.
    """
    parts = _parts(described, schemas)
    stated = {name: value for part in parts for name, value in part.items()}
    schema: dict[str, Any] = {name: stated[name] for name in KEYWORDS if name in stated}
    if stated.get("format") == "int64":
        schema |= INT64
    if stated.get("nullable"):
        schema["type"] = [schema["type"], "null"]
    if "items" in stated:
        schema["items"] = _json_schema(stated["items"], schemas)
    if stated["type"] == "object":
        members = {name: one for part in parts for name, one in part.get("properties", {}).items()}
        schema["properties"] = {name: _json_schema(one, schemas) for name, one in members.items()}
        schema["additionalProperties"] = False
    if required := [name for part in parts for name in part.get("required", ())]:
        schema["required"] = required
    return schema


def _parts(described: Schema, schemas: Schema) -> list[Schema]:
    """Return the schemas that a value must meet: this one, and those it refers to or combines."""
    if "$ref" in described:
        return _parts(schemas[described["$ref"].rpartition("/")[2]], schemas)
    combined = [part for one in described.get("allOf", ()) for part in _parts(one, schemas)]
    return [*combined, described]


def _compile(schema: dict[str, Any]) -> CheckBody:
    """Return the check of a body, which returns its first problem as text, or nothing."""
    # OpenAPI 3.0 is based on Draft 4, in which 1.0 is not an integer
    validator = jsonschema_rs.Draft4Validator(schema)

    def check(body: Any) -> str:
        try:
            if validator.is_valid(body):
                return ""
            # Not validate(), whose error names only one of several unexpected members
            return _problem(next(iter(validator.iter_errors(body))))
        except ValueError:  # over 255 levels, while six are described
            return "the body is nested too deeply"

    return check


def _problem(error: jsonschema_rs.ValidationError) -> str:
    keyword = str(error.schema_path[-1])
    kind: Any = error.kind  # its attributes depend on the keyword
    if keyword == "additionalProperties":
        return _unexpected(sorted(kind.unexpected))
    if keyword == "type":
        rule = f"is not of type '{next(name for name in kind.types if name != 'null')}'"
    elif keyword == "enum":
        rule = f"is not one of {sorted(kind.options)}"
    else:
        rule = _PROBLEMS[keyword].format(kind)
    path = ".".join(str(step) for step in error.instance_path)
    return f"{path} {rule}" if path else rule


def _unexpected(names: list[str]) -> str:
    # Seen: Additional properties are not allowed ('category_name' was unexpected)
    listed, verb = ", ".join(map(repr, names)), "was" if len(names) == 1 else "were"
    return f"Additional properties are not allowed ({listed} {verb} unexpected)"


_description: Final = msgspec.json.decode(DESCRIPTION.read_bytes())
_schemas: Final = _description["components"]["schemas"]
_amend(_schemas)


def body_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a request body by its name in the description."""
    return _json_schema(_schemas[name], _schemas)


check_events: Final = _compile(body_schema("ConversionEvents"))
check_list: Final = _compile(body_schema("CustomerListRequest"))
check_list_update: Final = _compile(body_schema("CustomerListUpdateRequest"))
check_audience: Final = _compile(body_schema("AudienceCreateRequest"))
check_deletion: Final = _compile(body_schema("ConversionDeletionRequestCreate"))
check_defined_events: Final = _compile(body_schema("AdvertiserDefinedEventsCreateRequest"))

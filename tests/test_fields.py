"""The field table is Pinterest's description, with its lengths, ranges and enums."""

from typing import Any

import pytest

from api_description import NEWER, SCHEMAS, SEEN_LIVE
from target_pinterest_capi.events.fields import (
    BY_PATH,
    EVENT_NAMES,
    FIELDS,
    ITEM_FIELDS,
    OBJECTS,
    Field,
    FieldKind,
)

TYPES = {
    "string": {FieldKind.TEXT, FieldKind.HASHED, FieldKind.AMOUNT, FieldKind.CHOICE},
    "integer": {FieldKind.INTEGER, FieldKind.TIME},
    "boolean": {FieldKind.BOOLEAN},
}


def described() -> dict[str, dict[str, Any]]:
    """Return every member of an event in the description, by path."""
    event = SCHEMAS["ConversionEvents"]["properties"]["data"]["items"]["properties"]
    objects = {
        "user_data": SCHEMAS["ConversionEventsUserDataProperties"],
        "custom_data": event["custom_data"],
        "app_info": SCHEMAS["ConversionEventAppInfo"],
        "device_info": SCHEMAS["ConversionEventDeviceInfo"],
    }
    members = {name: member for name, member in event.items() if name not in objects}
    for name, schema in objects.items():
        members |= {f"{name}.{leaf}": member for leaf, member in schema["properties"].items()}
    contents = members["custom_data.contents"]["items"]["properties"]
    return members | {f"contents.{leaf}": member for leaf, member in contents.items()}


def table() -> dict[str, Field]:
    return {field.path: field for field in FIELDS} | {
        f"contents.{field.path}": field for field in ITEM_FIELDS
    }


def test_every_member_has_a_row_and_every_row_a_member():
    """The table has the description's members, and two that live requests were seen to accept."""
    assert set(table()) == set(described()) | set(SEEN_LIVE) | set(NEWER)


@pytest.mark.parametrize(
    "path", sorted(set(table()) - set(SEEN_LIVE) - set(NEWER) - {"custom_data.contents"})
)
def test_row_has_the_members_type_and_limits(path: str):
    """Type, array or scalar, maximum length, range and enum of a row are the description's."""
    field, member = table()[path], described()[path]
    assert field.many == (member["type"] == "array")
    value = member["items"] if field.many else member
    assert field.kind in TYPES[value["type"]]
    assert field.max_length == value.get("maxLength")
    assert field.maximum == value.get("maximum")
    assert field.max_items == member.get("maxItems")
    if "minimum" in value:
        assert field.minimum == value["minimum"]
    if "enum" in value:
        assert list(field.choices) == value["enum"]


def test_required_rows_are_the_required_members():
    """What Pinterest requires is required in the table, user_data by the identity rule."""
    required = set(SCHEMAS["ConversionEvents"]["properties"]["data"]["items"]["required"])
    assert {field.path for field in FIELDS if field.required} == required - {"user_data"}


def test_hashed_rows_are_user_data_with_a_normal_form():
    """Only members of user_data are hashed, each as an array and in a normal form."""
    hashed = [field for field in FIELDS if field.kind is FieldKind.HASHED]
    assert {field.leaf for field in hashed} == set(  # noqa: C405
        [
            "em",
            "ph",
            "ge",
            "db",
            "ln",
            "fn",
            "ct",
            "st",
            "zp",
            "country",
            "external_id",
            "hashed_maids",
        ]
    )
    assert all(field.parent == "user_data" and field.many and field.form for field in hashed)


def test_paths_are_unique_and_of_known_objects():
    """No path occurs twice, and every parent is one of the four objects."""
    assert len(BY_PATH) == len(FIELDS)
    assert {field.parent for field in FIELDS} == {"", *OBJECTS}


def test_every_row_says_what_it_is_for():
    """The field reference is generated from the rows.

    Each has a sentence that starts with a capital and has no full stop.
    """
    for field in table().values():
        assert field.about[0].isupper(), field.path
        assert not field.about.endswith("."), field.path


def test_there_are_22_event_names():
    """Pinterest has 22 names; any other is the advertiser's own."""
    assert len(EVENT_NAMES) == len(set(EVENT_NAMES)) == 22

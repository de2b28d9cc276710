"""Real taps' schemas are usable; a broken one stops the run; validation is optional."""

import json
from decimal import Decimal

import pytest

from target_pinterest_capi.singer.schemas import (
    SchemaError,
    Violation,
    check_schema,
    compile_validator,
)
from web_host import WebHost

AMOUNT = {"type": ["null", "number"], "multipleOf": 0.01, "maximum": 100, "exclusiveMaximum": True}


def schema(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "usable",
    [
        schema(),
        schema(a={}),
        schema(a=AMOUNT),
        schema(a={"type": "number", "exclusiveMaximum": 5}),
        schema(a={"type": ["null", "string"], "format": "date-time"}),
        schema(a={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        schema(a={"type": "array", "items": {"$ref": "#/definitions/x"}})
        | {"definitions": {"x": {"type": "string"}}},
        {"properties": {}},
        {},
        True,
        False,
        {"type": "object"},
        {"type": ["null", "object"], "additionalProperties": True},
        {"$ref": "#/definitions/x"} | {"definitions": {"x": {"type": "object"}}},
        {"anyOf": [{"type": "object"}, {"type": "null"}]},
        schema(a=True, b=False),
        schema(a={"type": "string", "x-of-the-tap": [1], "maxLength": 5.0}),
        schema(a={"type": "string", "format": "unheard-of"}),
        schema(a={"type": "object", "required": []}),
        schema() | {"id": "visits", "$schema": "http://json-schema.org/draft-04/schema#"},
    ],
)
def test_usable_schema(usable):
    """Odd but usable schemas, with draft-4 booleans and multipleOf, do not stop the run."""
    compile_validator(check_schema(usable))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"properties": []}, "properties"),
        ("text", "not an object"),
        (None, "not an object"),
        ([], "not an object"),
        (schema(a={"type": "banana"}), "properties/a/type"),
        (schema(a=5), "properties/a"),
        (schema(a={"type": "string", "maxLength": "long"}), "properties/a/maxLength"),
    ],
)
def test_wrong_schema_is_refused_with_its_place(wrong, words):
    """An invalid JSON Schema is an error that says where."""
    with pytest.raises(SchemaError, match=words):
        check_schema(wrong)


@pytest.mark.parametrize(
    ("record", "violation"),
    [
        ({"amount": Decimal("19.99")}, None),
        ({"amount": 3}, None),
        ({"amount": None}, None),
        ({"other": 1}, None),
        ({"amount": Decimal("19.999")}, Violation("amount", "multipleOf")),
        ({"amount": "shopper@example.com"}, Violation("amount", "type")),
        ({"amount": 100}, Violation("amount", "maximum")),
        ({"lines": [{"sku": 5}]}, Violation("lines.0.sku", "type")),
    ],
)
def test_record_against_its_schema(record, violation):
    """A violation names the field and the rule, never the value; decimals are numbers."""
    lines = {
        "type": "array",
        "items": {"type": "object", "properties": {"sku": {"type": "string"}}},
    }
    found = compile_validator(schema(amount=AMOUNT, lines=lines))(record)
    if violation is not None and violation.keyword == "maximum":
        assert found is not None
        assert found.keyword in {"maximum", "exclusiveMaximum"}
    else:
        assert found == violation


ELSEWHERE = {
    "http": schema(a={"$ref": "HOST/x.json"}),
    "http with a pointer": schema(a={"$ref": "HOST/x.json#/definitions/a"}),
    "without scheme": schema(a={"$ref": "//ADDRESS/x.json"}),
    "file": schema(a={"$ref": "file:///etc/hostname"}),
    "file without host": schema(a={"$ref": "file:/etc/hostname"}),
    "relative": schema(a={"$ref": "other.json"}),
    "relative to $id": schema(a={"$ref": "other.json"}) | {"$id": "HOST/base.json"},
    "relative to the $id beside it": schema(a={"$id": "HOST/sub/", "$ref": "x.json"}),
    "relative to a draft-4 id": schema(a={"$ref": "other.json"}) | {"id": "HOST/base.json"},
    "of one that nothing uses": schema() | {"definitions": {"unused": {"$ref": "HOST/x.json"}}},
    "of an array": schema(a={"type": "array", "items": {"$ref": "HOST/x.json"}}),
    "in anyOf": schema(a={"anyOf": [{"$ref": "HOST/x.json"}, {"type": "null"}]}),
    "to nothing inside": schema(a={"$ref": "#/definitions/none"}),
}
UNUSED = {  # no draft that reads them follows these
    "dynamic": schema(a={"$dynamicRef": "HOST/x.json#m"}),
    "recursive": schema(a={"$recursiveRef": "HOST/x.json#m"}),
    "in const": schema(a={"const": {"$ref": "HOST/x.json"}}),
    "in an unknown keyword": schema(a={"x-of-the-tap": {"$ref": "HOST/x.json"}}),
    "metaschema": schema(a={"type": "string"}) | {"$schema": "HOST/metaschema"},
    "metaschema within": schema(
        a={"type": "string", "$id": "HOST/a", "$schema": "HOST/metaschema"}
    ),
    "vocabulary": schema(a={"type": "string"}) | {"$vocabulary": {"HOST/vocabulary": True}},
}
WITHIN = {
    "pointer": schema(a={"$ref": "#/definitions/x"}) | {"definitions": {"x": {"type": "string"}}},
    "anchor": schema(a={"$ref": "#x"}) | {"$defs": {"x": {"$anchor": "x", "type": "string"}}},
    "by $id": schema(a={"$ref": "HOST/base.json#/$defs/x"})
    | {"$id": "HOST/base.json", "$defs": {"x": {"type": "string"}}},
    "by $id within": schema(a={"$ref": "HOST/x.json"})
    | {"$defs": {"x": {"$id": "HOST/x.json", "type": "string"}}},
    "by a draft-4 id": schema(a={"$ref": "HOST/b#/definitions/x"})
    | {"id": "HOST/b", "definitions": {"x": {"type": "string"}}},
    "dynamic": schema(a={"$dynamicRef": "#x"})
    | {"$defs": {"x": {"$dynamicAnchor": "x", "type": "string"}}},
}


def placed(made: object, host: WebHost) -> dict:
    """Return a schema with the host's address in it."""
    return json.loads(
        json.dumps(made)
        .replace("HOST", host.url)
        .replace("ADDRESS", host.url.removeprefix("http://"))
    )


@pytest.mark.parametrize("made", [*ELSEWHERE.values(), *UNUSED.values()], ids=[*ELSEWHERE, *UNUSED])
def test_reference_elsewhere_is_not_fetched_by_the_check(made, web_host):
    """A schema that refers to another document is usable if records are not validated."""
    check_schema(placed(made, web_host))
    assert web_host.requests == []


@pytest.mark.parametrize("made", ELSEWHERE.values(), ids=ELSEWHERE)
def test_reference_elsewhere_cannot_validate_records(made, web_host):
    """If records are validated it is an error with advice, and nothing is fetched."""
    with pytest.raises(SchemaError, match=r"other documents are not fetched.*validate_records"):
        compile_validator(placed(made, web_host))
    assert web_host.requests == []


@pytest.mark.parametrize("made", UNUSED.values(), ids=UNUSED)
def test_address_that_is_no_reference_is_not_fetched(made, web_host):
    """An address that validation does not need, such as a metaschema's, is not fetched."""
    compile_validator(placed(made, web_host))
    assert web_host.requests == []


@pytest.mark.parametrize("made", WITHIN.values(), ids=WITHIN)
def test_reference_within_the_schema_is_followed(made, web_host):
    """A reference into the schema itself is followed, for any address of the schema."""
    check_schema(placed(made, web_host))
    validate = compile_validator(placed(made, web_host))
    assert validate({"a": "text"}) is None
    violation = validate({"a": 5})
    assert violation is not None
    assert (violation.field, violation.keyword) == ("a", "type")
    assert web_host.requests == []


def test_wrong_schema_with_a_reference_elsewhere_is_refused(web_host):
    """An invalid schema is refused even if it has references elsewhere, which are not fetched."""
    with pytest.raises(SchemaError, match="properties/b/type"):
        check_schema(placed(schema(a={"$ref": "HOST/x.json"}, b={"type": "banana"}), web_host))
    assert web_host.requests == []

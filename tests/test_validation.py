"""Schemas that taps really send are usable; what is none stops the run; records are held against them where asked."""

from decimal import Decimal

import pytest

from target_pinterest_capi.validation import SchemaError, Violation, check_schema, compile_validator

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
        schema(a={"type": "array", "items": {"$ref": "#/definitions/x"}}) | {"definitions": {"x": {"type": "string"}}},
        {"properties": {}},
    ],
)
def test_usable_schema(usable):
    """Odd but usable, draft-4 booleans and multipleOf among them, is no reason to stop."""
    check_schema(usable)
    compile_validator(usable)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "no `properties`"),
        ({"type": "object"}, "no `properties`"),
        ({"properties": []}, "no `properties`"),
        ([], "no object"),
        (schema(a={"type": "banana"}), "properties/a/type"),
        (schema(a=5), "properties/a"),
        (schema(a={"type": "string", "maxLength": "long"}), "properties/a/maxLength"),
    ],
)
def test_wrong_schema_is_refused_with_its_place(wrong, words):
    """A schema without properties, or that is no JSON Schema, is an error that says where."""
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
    lines = {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}
    found = compile_validator(schema(amount=AMOUNT, lines=lines))(record)
    if violation is not None and violation.keyword == "maximum":
        assert found is not None
        assert found.keyword in {"maximum", "exclusiveMaximum"}
    else:
        assert found == violation

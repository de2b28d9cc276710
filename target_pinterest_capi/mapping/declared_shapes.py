"""Declared shapes: what a SCHEMA message says that a stream's columns hold.

Only what is said in the plainest way counts: one type beside null. Whatever else a schema says may
come to any value.
"""

from collections.abc import Mapping
from typing import Any, Final

from target_pinterest_capi.events.build.shapes import ANY, Kind, Shape

_SCALARS: Final = {
    frozenset(("string",)): Shape(Kind.TEXT),
    frozenset(("number",)): Shape(Kind.NUMBER),
    frozenset(("integer",)): Shape(Kind.NUMBER),
    frozenset(("number", "integer")): Shape(Kind.NUMBER),
}
_ALTERNATIVES: Final = ("anyOf", "oneOf", "allOf", "$ref", "if", "not")


def declared_shapes(schema: Any) -> dict[str, Shape]:
    """Return the shapes of an object's members that its schema declares."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return {}
    return {name: _shape(declared) for name, declared in properties.items()}


def _shape(schema: Any) -> Shape:
    types = _types(schema)
    if types == {"object"} and (members := declared_shapes(schema)):
        return Shape(Kind.OBJECT, members)
    if types == {"array"}:
        items = schema.get("items")
        element = _shape(items)
        if element.kind is Kind.OBJECT:
            return element._replace(kind=Kind.OBJECTS)
        if element.kind is Kind.TEXT and "null" not in items["type"]:
            return Shape(Kind.TEXTS)
    return _SCALARS.get(types, ANY)


def _types(schema: Any) -> frozenset[Any]:
    """Return the types that a schema names, but for null; none where it says more than that."""
    if not isinstance(schema, Mapping) or any(keyword in schema for keyword in _ALTERNATIVES):
        return frozenset()
    named = schema.get("type")
    types = named if isinstance(named, list) else [named]
    return frozenset(one for one in types if isinstance(one, str)) - {"null"}

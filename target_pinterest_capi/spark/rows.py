"""Why rows of a DataFrame cannot be records, derived from its schema.

What each type becomes is in `singer.arrow`, which reads the rows. Never shows a value.
"""

from collections.abc import Iterator
from typing import Any, Final

from target_pinterest_capi.settings import Problem

# Spark's types that JSON can have; `problems` looks into the three nested ones.
PLAIN: Final = frozenset({
    "void", "boolean", "byte", "short", "integer", "long", "float", "double", "decimal",
    "string", "char", "varchar", "timestamp", "timestamp_ntz", "date", "time", "binary",
})  # fmt: skip
_ADVICE: Final = {
    "variant": "convert it to text with to_json, or to columns with variant_get",
    "interval": "cast it to text, or to a number of seconds or months",
}


def problems(schema: Any) -> Iterator[Problem]:
    """Yield why rows of a Spark schema cannot be records.

    These are columns of unsupported types, and repeated names.
    """
    names = [field.name for field in schema.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            f"column {name}",
            "occurs twice, but a record has one value per name. Rename one, or select the other",
        )
    for field in schema.fields:
        for kind in _unusable(field.dataType):
            advice = next(
                (words for part, words in _ADVICE.items() if part in kind),
                "select the other columns, or cast it",
            )
            yield Problem(
                f"column {field.name}",
                f"is or contains a {kind}, which a record cannot have: {advice}",
            )


def declared(kind: Any) -> dict[str, Any]:
    """Return the members of a Spark type like a JSON schema; {} if it has none."""
    name = kind.typeName()
    if name == "struct":
        return {"properties": {field.name: declared(field.dataType) for field in kind.fields}}
    return {"items": declared(kind.elementType)} if name == "array" else {}


def _unusable(kind: Any) -> Iterator[str]:
    name = kind.typeName().partition("(")[0]
    if name == "struct":
        for field in kind.fields:
            yield from _unusable(field.dataType)
    elif name == "array":
        yield from _unusable(kind.elementType)
    elif name == "map":
        yield from _unusable(kind.valueType)
        if kind.keyType.typeName() in {"struct", "array", "binary"}:
            yield f"map with {kind.keyType.typeName()} keys"
        else:
            yield from _unusable(kind.keyType)
    elif name not in PLAIN:
        yield name

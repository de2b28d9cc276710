"""The JSON schema of the settings, which pydantic derives from their models.

Error messages, tables, Meltano's entries and the SDK's schema are all generated from it, so that
they agree. In it, null is not a value of a setting: in a configuration it means that nothing is
given, unless the setting has its own meaning for `null`.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from target_pinterest_capi.settings.model import Settings

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FILE_FORMAT: Final = "file-path"
_NOTES: Final = frozenset({"group", "null"})  # ours: see `model.setting`
_OF_THE_CLASS: Final = frozenset({"title", "description"})
_WORDS: Final = {"id": "ID", "url": "URL", "api": "API", "oauth": "OAuth"}
_NOUNS: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}


class _Generator(GenerateJsonSchema):
    """Pydantic's own schema, but without null, and with read-only objects as defaults."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def encode_default(self, dft: Any) -> Any:
        return dict(dft) if isinstance(dft, Mapping) else super().encode_default(dft)

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's signature
        return value


@cache
def object_schema(model: type[BaseModel]) -> Schema:
    """Return the schema of an object with the model's settings, without references."""
    schema = model.model_json_schema(schema_generator=_Generator)
    return _resolve(schema, schema.pop("$defs", {}))


def properties(model: type[BaseModel]) -> dict[str, Schema]:
    """Return the schema of each setting that a configuration may give, in the model's order."""
    members: dict[str, Schema] = object_schema(model)["properties"]
    return members


def title(name: str) -> str:
    """Return a setting's display name: `ad_account_id` is `Ad Account ID`."""
    words = [_WORDS.get(word, word.capitalize()) for word in name.split("_")]
    return " ".join(words)


def expected(schema: Schema) -> str:
    """Return what a value must be, as the end of a sentence: `a whole number from 1 to 1,000`."""
    text = _expected_kind(schema)
    if "null" in schema:
        return f"{text}; never: {schema['null']}"
    return text


def sdk_schema() -> Schema:
    """Return the JSON schema (2020-12) of a configuration, for singer-sdk.

    It is only a description: `load` decides. It has only plain types, so numbers as text are valid
    for `load` but not for this schema: the SDK must not validate with it (its message would also
    show the value).
    """
    return {"$schema": DIALECT, **_sdk_object(object_schema(Settings))}


def _resolve(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Return the schema with definitions instead of references to them."""
    made = dict(schema)
    reference = made.pop("$ref", None)
    if reference:
        _, _, name = reference.rpartition("/")
        made = _without(definitions[name], _OF_THE_CLASS) | made
    if "items" in made:
        made["items"] = _resolve(made["items"], definitions)
    if "properties" in made:
        made["properties"] = {
            name: {**_resolve(member, definitions), "title": title(name)}
            for name, member in made["properties"].items()
        }
    return made


def _without(schema: Schema, keys: Collection[str]) -> Schema:
    return {key: value for key, value in schema.items() if key not in keys}


def _expected_kind(schema: Schema) -> str:
    choices = schema.get("enum")
    if choices:
        return f"one of {', '.join(choices)}"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_NOUNS[kind] for kind in kinds) + _limits(schema)


def _limits(schema: Schema) -> str:
    low = schema.get("minimum")
    high = schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    text = ""
    if low is not None:
        text = f" of at least {low:,}"
    if "exclusiveMinimum" in schema:
        text = f" above {schema['exclusiveMinimum']:,}"
    if high is not None:
        text += f" and at most {high:,}"
    return text


def _sdk_object(schema: Schema) -> Schema:
    required = schema.get("required", [])
    made = _without(schema, _OF_THE_CLASS)
    made["properties"] = {
        name: _sdk_property(member, required=name in required)
        for name, member in schema["properties"].items()
    }
    return made


def _sdk_property(schema: Schema, *, required: bool) -> Schema:
    noted = _without(schema, _NOTES)
    made = {key: value for key, value in noted.items() if value is not None}
    if "properties" in made:
        about = {key: made[key] for key in ("title", "description")}
        made = _sdk_object(made) | about
    if "properties" in made.get("items", {}):
        made["items"] = _sdk_object(made["items"])
    if "writeOnly" in made:
        made["secret"] = True
    if not required:
        types = made["type"]
        if not isinstance(types, list):
            types = [types]
        made["type"] = [*types, "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made

"""Schemas of the tap, and records held against them with a compiled validator where `validate_records` is on.

Kind to what taps really send: draft-4 booleans, `multipleOf` on decimals. Says which field breaks which rule, never its value.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import jsonschema
import jsonschema_rs

DRAFTS: Final = (
    (jsonschema.Draft202012Validator, jsonschema_rs.Draft202012Validator),
    (jsonschema.Draft7Validator, jsonschema_rs.Draft7Validator),
    (jsonschema.Draft4Validator, jsonschema_rs.Draft4Validator),
)


class SchemaError(ValueError):
    """A SCHEMA message that cannot be used; says why."""


class Violation(NamedTuple):
    """The rule that a record breaks: the field's path, and the schema's keyword."""

    field: str
    keyword: str


def check_schema(schema: Any) -> None:
    """Raise `SchemaError` where a schema has no `properties` or is no JSON Schema of any draft that taps use."""
    if not isinstance(schema, dict):
        raise SchemaError("the schema is no object")
    if not isinstance(schema.get("properties"), dict):
        raise SchemaError("the schema has no `properties`")
    if any(_compiles(compiled, schema) for _, compiled in DRAFTS):
        return
    errors = []  # compiling is the fast check; what does not compile is looked at closely, for words, and for odd patterns
    for draft, _ in DRAFTS:
        try:
            draft.check_schema(schema)
        except jsonschema.SchemaError as error:
            errors.append(error)
        else:
            return
    where = "/".join(str(part) for part in errors[0].absolute_path) or "its root"
    raise SchemaError(f"the schema is no JSON Schema: at {where}, rule `{errors[0].validator}`")


def _compiles(compiled: Callable[[Any], Any], schema: Any) -> bool:
    try:
        compiled(schema)
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def compile_validator(schema: dict[str, Any]) -> Callable[[Any], Violation | None]:
    """Give the validator of a checked schema: a record's first violation, or None."""
    for _, compiled in DRAFTS:
        if _compiles(compiled, schema):
            validator = compiled(schema)
            break
    else:
        raise SchemaError("the schema is no JSON Schema")
    is_valid, errors = validator.is_valid, validator.iter_errors

    def validate(record: Any) -> Violation | None:
        if is_valid(record):
            return None
        error = next(iter(errors(record)))
        path = [str(part) for part in error.instance_path]
        keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
        return Violation(".".join(path), keyword)

    return validate

"""The tap's schemas, and validators of records that are compiled from them.

Accepts what taps really send: draft-4 booleans, `multipleOf` on decimals. Says which field breaks
which rule, never its value. A reference is followed within its schema. Other documents are never
fetched: a tap's input must not decide what we connect to.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn

import jsonschema
import jsonschema_rs

from target_pinterest_capi.events.redaction import shown_name

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


def check_schema(schema: Any) -> dict[str, Any]:
    """Return a schema as an object. Raises `SchemaError` if it is not a JSON Schema.

    `properties` are optional: taps of document stores declare no columns. A reference that leads
    out of the schema is not an error here: only validation needs it.
    """
    if isinstance(schema, bool):
        schema = {} if schema else {"not": {}}  # a schema that every value or no value meets
    if not isinstance(schema, dict):
        raise SchemaError("the schema is not an object")
    if _compile(schema).validator is not None:
        return schema
    # Compiling is the fast check. A schema that does not compile is checked by each draft's own
    # schema, which follows no references: that says what is wrong, and accepts what only the
    # compiler does not support, such as an odd pattern.
    errors = []
    for draft, _ in DRAFTS:
        try:
            draft.check_schema(schema)
        except jsonschema.SchemaError as error:
            errors.append(error)
        except RecursionError:
            raise SchemaError("the schema is nested too deeply") from None
        else:
            return schema
    path = "/".join(str(part) for part in errors[0].absolute_path)
    where = shown_name(path) or "its root"
    raise SchemaError(f"the schema is not a JSON Schema: at {where}, rule `{errors[0].validator}`")


class _Compiled(NamedTuple):
    """The validator by the first draft that accepts the schema, or None.

    `lacks_reference` says whether that is because of a reference.
    """

    validator: Any
    lacks_reference: bool = False


def _compile(schema: Any) -> _Compiled:
    lacks_reference = False
    for _, compiled in DRAFTS:
        try:
            return _Compiled(compiled(schema, retriever=_refuse))
        except jsonschema_rs.ValidationError as error:
            lacks_reference |= isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Referencing)
        except ValueError:
            continue
    return _Compiled(None, lacks_reference)


def _refuse(address: str) -> NoReturn:
    """Fetch nothing; by default jsonschema_rs's retriever reads http, https and files."""
    raise LookupError(address)


def compile_validator(schema: dict[str, Any]) -> Callable[[Any], Violation | None]:
    """Return the validator of a checked schema: a record's first violation, or None.

    Raises `SchemaError` if records cannot be validated by the schema.
    """
    validator, lacks_reference = _compile(schema)
    if lacks_reference:
        raise SchemaError(
            "a `$ref` leads to nothing in the schema, and other documents are not fetched: set "
            "validate_records to false, or have the tap send the complete schema",
        )
    if validator is None:
        raise SchemaError("the schema is not a JSON Schema")
    is_valid, errors = validator.is_valid, validator.iter_errors

    def validate(record: Any) -> Violation | None:
        if is_valid(record):
            return None
        error = next(iter(errors(record)))
        path = [str(part) for part in error.instance_path]
        keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
        return Violation(shown_name(".".join(path)), keyword)

    return validate

"""From the plain members of one object to one model, with errors in our words."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from target_pinterest_capi.settings.json_schema import Schema, expected, properties
from target_pinterest_capi.settings.json_text import parse_json
from target_pinterest_capi.settings.problems import Problem, WrongValueError, did_you_mean, joined

Model = TypeVar("Model", bound=BaseModel)

# How a string says null: Meltano drops null, and environment variables cannot have it.
NULL_WORDS: Final = frozenset({"never", "null", "none"})
_NOT_GIVEN: Final = object()


def given_members(
    model: type[BaseModel],
    raw: Any,
    where: str,
    problems: list[Problem],
    *,
    as_given: frozenset[str] = frozenset(),
    foreign: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the members of `raw` that `model` has and that have a value, ready for `build`.

    Null and empty text count as not given, unless null has a meaning. Members in `as_given` keep
    their value, except null, because other code reads them. `foreign` has advice for known names
    that are not settings.
    """
    if not isinstance(raw, Mapping):
        problems.append(Problem(where, "must be an object"))
        return {}
    known = properties(model)
    result = {}
    for name, value in raw.items():
        here = joined(where, name)
        if name not in known:
            advice = (foreign or {}).get(name) or f"is not a setting{did_you_mean(name, known)}"
            problems.append(Problem(here, advice))
            continue
        if name in as_given:
            if value is not None:
                result[name] = value
            continue
        try:
            usable = _usable(value, known[name])
        except WrongValueError as error:
            problems.append(Problem(here, str(error)))
            continue
        if usable is not _NOT_GIVEN:
            result[name] = usable
    return result


def build(
    model: type[Model], members: Mapping[str, Any], where: str, problems: list[Problem]
) -> Model | None:
    """Return the model of checked members; None, with problems, if one is wrong."""
    try:
        return model.model_validate(members)
    except ValidationError as error:
        known = {problem.path for problem in problems}  # a wrong member is missing here
        found = [_problem(model, detail, where) for detail in error.errors(include_url=False)]
        problems.extend(problem for problem in found if problem.path not in known)
        return None


def _usable(value: Any, schema: Schema) -> Any:
    """Return the value as the model accepts it.

    Text is trimmed, choices can be in any case, lists and objects can be JSON text.
    """
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return _NOT_GIVEN
        if "null" in schema and value.casefold() in NULL_WORDS:
            value = None
        elif schema["type"] in {"array", "object"}:
            value = parse_json(value)
        else:
            value = _choice(value, schema.get("enum", ()))
    if value is None:
        return None if "null" in schema else _NOT_GIVEN
    # Python treats true as the number 1, and so does the model
    if isinstance(value, bool) and schema["type"] != "boolean":
        is_text = schema["type"] == "string" and "enum" not in schema
        hint = " in quotes: YAML reads NO, ON and YES as true or false" if is_text else ""
        raise WrongValueError(f"must be {expected(schema)}{hint}")
    return value


def _choice(text: str, choices: Iterable[str]) -> str:
    """Return the choice that a string names in any case; otherwise the string itself."""
    for choice in choices:
        if choice.casefold() == text.casefold():
            return choice
    return text


def _problem(model: type[BaseModel], detail: ErrorDetails, where: str) -> Problem:
    name = str(detail["loc"][0])
    schema = properties(model)[name]
    here = joined(where, name)
    if detail["type"] == "missing":
        return Problem(here, f"is required: {schema['description']}")
    context = detail.get("ctx", {})
    error = context.get("error")
    if isinstance(error, WrongValueError):
        return Problem(here, str(error))
    hint = did_you_mean(detail["input"], schema.get("enum", ()))
    return Problem(here, f"must be {expected(schema)}{hint}")

"""Stores the facts of Pinterest's OpenAPI description that we use, and compares newer ones.

    python tools/api_facts.py FILE           writes them to sandbox/pinterest-openapi.json
    python tools/api_facts.py --drift FILE   writes nothing, and prints how FILE differs from that

FILE is a description as Pinterest publishes it at https://github.com/pinterest/api-description, in
YAML or JSON. Names, types, limits, choices, required and closed members, statuses, scopes and rate
categories are stored; prose, examples and titles are not. If the prose lists single values, as for
`event_name`, they are stored as `x-named-values`.

Exit codes: 0 written, or no difference; 1 there are differences; 2 FILE cannot be read, or does
not describe an endpoint of ours.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

KEPT: Final = (
    Path(__file__).parents[1] / "target_pinterest_capi" / "sandbox" / "pinterest-openapi.json"
)
SOURCE: Final = "https://github.com/pinterest/api-description"
X_SOURCE: Final = {
    "url": SOURCE,
    "copyright": "Copyright 2021 Pinterest, Inc.",  # its LICENSE: MIT
    "cut-by": "tools/api_facts.py",
    "explained-in": "docs/pinterest-api.md",
}

# The operations that the target calls, and the others in docs/pinterest-api.md.
PATHS: Final = (
    "/ad_accounts/{ad_account_id}/advertiser_defined_events",
    "/ad_accounts/{ad_account_id}/audiences",
    "/ad_accounts/{ad_account_id}/conversion_eqs",
    "/ad_accounts/{ad_account_id}/customer_lists",
    "/ad_accounts/{ad_account_id}/customer_lists/{customer_list_id}",
    "/ad_accounts/{ad_account_id}/events",
    "/oauth/conversion_token",
    "/oauth/token",
)
# The same, in versions after the stored one: their facts are stored once they are described.
LATER_PATHS: Final = (
    "/ad_accounts/{ad_account_id}/conversion_deletion_requests",
    "/ad_accounts/{ad_account_id}/conversion_deletion_requests/{request_id}",
)
METHODS: Final = ("get", "put", "post", "patch", "delete")

# https://spec.openapis.org/oas/v3.0.3: the members of a schema that restrict its values.
PLAIN_KEYWORDS: Final = (
    "$ref",
    "type",
    "format",
    "nullable",
    "enum",
    "default",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "required",
    "readOnly",
    "writeOnly",
    "deprecated",
    "x-named-values",
)
COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")
NAMED_VALUES: Final = "x-named-values"
_NAMED: Final = re.compile(r"^\s*[-*] `([^`]+)`\s*$", re.MULTILINE)

WIDTH: Final = 100


class DescriptionError(Exception):
    """A file does not describe the endpoints; the text is the message to print."""


# ---- reading


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML 1.2, as OpenAPI requires: the country NO is text, and so is a date."""


_TEXTS_IN_YAML_1_2: Final = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in rules if tag not in _TEXTS_IN_YAML_1_2]
    for first, rules in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read(path: Path) -> dict[str, Any]:
    """Return the description in a file of YAML or JSON, or raise DescriptionError."""
    try:
        text = path.read_text(encoding="utf-8")
        is_json = text.lstrip().startswith("{")
        parsed = json.loads(text) if is_json else yaml.load(text, Loader=_Loader)  # noqa: S506
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DescriptionError(f"{path} cannot be read as YAML or JSON: {error}") from error
    if not isinstance(parsed, dict) or not {"openapi", "info", "paths"} <= set(parsed):
        raise DescriptionError(
            f"{path} is not an OpenAPI description: it has no openapi, info and paths. "
            f"Get one from {SOURCE}."
        )
    return parsed


# ---- storing the facts


def facts(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return only the facts of the description, and only of our endpoints."""
    described = description["paths"]
    paths = {
        path: _operations(described[path])
        for path in sorted((*PATHS, *LATER_PATHS))
        if path in described
    }
    return {
        "openapi": description["openapi"],
        "info": {name: description["info"].get(name) for name in ("title", "version", "license")},
        "x-source": X_SOURCE,
        "servers": [{"url": server["url"]} for server in description.get("servers", ())],
        "paths": paths,
        "components": _components(description.get("components", {}), paths),
    }


def _operations(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        method: _operation(item[method], item.get("parameters", ()))
        for method in METHODS
        if method in item
    }


def _operation(operation: Mapping[str, Any], parameters_of_all: Sequence[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": operation.get("operationId")}
    if parameters := [*parameters_of_all, *operation.get("parameters", ())]:
        made["parameters"] = [_parameter(parameter) for parameter in parameters]
    if body := operation.get("requestBody"):
        made["requestBody"] = {"required": body.get("required", False), **_content(body)}
    responses = operation["responses"].items()
    made["responses"] = {str(status): _content(response) for status, response in responses}
    for name in ("security", "x-ratelimit-category"):
        if name in operation:
            made[name] = operation[name]
    return made


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in parameter:
        return {"$ref": parameter["$ref"]}
    made = {name: parameter[name] for name in ("name", "in", "required") if name in parameter}
    return {**made, "schema": _schema(parameter.get("schema", {}))}


def _content(holder: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in holder:
        return {"$ref": holder["$ref"]}
    content = holder.get("content", {}).items()
    return {
        "content": {kind: {"schema": _schema(inner.get("schema", {}))} for kind, inner in content}
    }


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: schema[name] for name in PLAIN_KEYWORDS if name in schema}
    if named := _NAMED.findall(str(schema.get("description", ""))):
        made[NAMED_VALUES] = named
    for name in COMBINATIONS:
        if name in schema:
            made[name] = [_schema(option) for option in schema[name]]
    if "items" in schema:
        made["items"] = _schema(schema["items"])
    if "additionalProperties" in schema:
        more = schema["additionalProperties"]
        made["additionalProperties"] = _schema(more) if isinstance(more, dict) else more
    if "properties" in schema:
        made["properties"] = {
            name: _schema(member) for name, member in schema["properties"].items()
        }
    return made


_PARTS: Final = {
    "schemas": _schema,
    "parameters": _parameter,
    "requestBodies": _content,
    "responses": _content,
}


def _components(components: Mapping[str, Any], paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components that the paths refer to, ordered by name."""
    made: dict[str, dict[str, Any]] = {part: {} for part in _PARTS}
    waiting = list(_references(paths))
    while waiting:
        part, name = waiting.pop().split("/")[2:]
        if name not in made[part]:
            made[part][name] = _PARTS[part](components[part][name])
            waiting += _references(made[part][name])
    return {part: dict(sorted(members.items())) for part, members in made.items() if members}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def written(value: Any, depth: int = 0, used: int = 0) -> str:
    """Return JSON with a line for each member, or one line for a whole value if it fits.

    The file stays short, and a change shows as the lines that it touches. `used` is the text before
    the value on its line, after the indentation.
    """
    line = json.dumps(value, ensure_ascii=False)
    fits = depth > 1 and depth + used + len(line) < WIDTH
    if fits or not isinstance(value, dict | list):
        return line
    if isinstance(value, dict):
        names = [f"{json.dumps(name, ensure_ascii=False)}: " for name in value]
        opening, closing = "{}"
    else:
        names = [""] * len(value)
        opening, closing = "[]"
    members = value.values() if isinstance(value, dict) else value
    parts = [
        name + written(member, depth + 1, len(name))
        for name, member in zip(names, members, strict=True)
    ]
    indent = " " * depth
    return f"{opening}\n{indent} " + f",\n{indent} ".join(parts) + f"\n{indent}{closing}"


# ---- comparing


class Fact(NamedTuple):
    """One fact of an operation: `request.data[].event_id`, `type`, `string`."""

    place: str
    keyword: str
    value: str


def stated(description: Mapping[str, Any]) -> dict[str, set[Fact]]:
    """Return the facts of every operation, by its method and path."""
    found: dict[str, set[Fact]] = {}
    for path, item in description["paths"].items():
        for method, operation in item.items():
            found[f"{method.upper()} {path}"] = set(_of_operation(operation, description))
    return found


def _of_operation(operation: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[Fact]:
    for scheme in operation.get("security", ()):
        for name, scopes in scheme.items():
            yield Fact("operation", "security", " ".join([name, *scopes]))
    if category := operation.get("x-ratelimit-category"):
        yield Fact("operation", "x-ratelimit-category", category)
    for parameter in operation.get("parameters", ()):
        known = _resolved(parameter, description)
        place = f"{known['in']} parameter {known['name']}"
        yield Fact(place, "required", str(known.get("required", False)).lower())
        yield from _of_schema(known["schema"], place, description)
    if "requestBody" in operation:
        yield from _of_content(operation["requestBody"], "request", description)
    for status, response in operation["responses"].items():
        yield from _of_content(response, f"response {status}", description)


def _of_content(
    holder: Mapping[str, Any], place: str, description: Mapping[str, Any]
) -> Iterator[Fact]:
    holder = _resolved(holder, description)
    yield Fact(place, "", "")
    for kind, inner in holder["content"].items():
        yield Fact(place, "content", kind)
        yield from _of_schema(inner["schema"], place, description)


def _of_schema(
    schema: Mapping[str, Any],
    place: str,
    description: Mapping[str, Any],
    above: frozenset[str] = frozenset(),
) -> Iterator[Fact]:
    """Yield the facts of a schema and of the schemas in it.

    The options of a combination are combined: a requirement of only one option is a separate fact.
    `above` has the references on the way, so that a recursive schema ends.
    """
    yield Fact(place, "", "")
    yield from _of_keywords(schema, place)
    reference = schema.get("$ref")
    if reference and reference not in above:
        above |= {reference}
        yield from _of_schema(_resolved(schema, description), place, description, above)
    for keyword in COMBINATIONS:
        for option in schema.get(keyword, ()):
            alone = {"required"} if keyword != "allOf" and "required" in option else set()
            for name in alone:
                yield Fact(place, f"{keyword} {name}", " and ".join(option[name]))
            option = {name: inner for name, inner in option.items() if name not in alone}  # noqa: PLW2901
            yield from _of_schema(option, place, description, above)
    for below, inner in _inside(schema):
        yield from _of_schema(inner, place + below, description, above)


def _of_keywords(schema: Mapping[str, Any], place: str) -> Iterator[Fact]:
    for keyword in (*PLAIN_KEYWORDS, "additionalProperties"):
        value = schema.get(keyword)
        if keyword == "$ref" or value is None or isinstance(value, dict):
            continue
        for one in value if isinstance(value, list) else [value]:
            yield Fact(place, keyword, _text(one))


def _inside(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the schemas inside a value, each with its step in the path."""
    if "items" in schema:
        yield "[]", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield ".*", schema["additionalProperties"]
    for name, member in schema.get("properties", {}).items():
        yield f".{name}", member


def _resolved(holder: Mapping[str, Any], description: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in holder:
        return holder
    part, name = holder["$ref"].split("/")[2:]
    found: Mapping[str, Any] = description["components"][part][name]
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield readable lines of differences: each changed operation, then its places."""
    before, after = stated(old), stated(new)
    for operation in sorted({*before, *after}):
        if operation not in after:
            yield f"{operation}: no longer described"
        elif operation not in before:
            yield f"{operation}: new"
        elif lines := list(_changes_of(before[operation], after[operation])):
            yield operation
            yield from (f"  {line}" for line in lines)


def _changes_of(old: Iterable[Fact], new: Iterable[Fact]) -> Iterator[str]:
    before, after = _by_place(old), _by_place(new)
    for place in sorted({*before, *after}):
        if place not in before:
            yield f"added    {place}{_in_brackets(after[place])}"
        elif place not in after:
            yield f"removed  {place}{_in_brackets(before[place])}"
        else:
            for keyword in sorted({*before[place], *after[place]}):
                was = before[place].get(keyword, set())
                now = after[place].get(keyword, set())
                if was != now:
                    yield f"changed  {place}: {keyword} {_difference(was, now)}"


def _by_place(found: Iterable[Fact]) -> dict[str, dict[str, set[str]]]:
    made: dict[str, dict[str, set[str]]] = {}
    for fact in found:
        keywords = made.setdefault(fact.place, {})
        if fact.keyword:
            keywords.setdefault(fact.keyword, set()).add(fact.value)
    return made


def _in_brackets(keywords: Mapping[str, set[str]]) -> str:
    words = [f"{name} {', '.join(sorted(values))}" for name, values in sorted(keywords.items())]
    return f" ({'; '.join(words)})" if words else ""


def _difference(was: set[str], now: set[str]) -> str:
    if len(was) == len(now) == 1:
        return f"{was.pop()} -> {now.pop()}"
    added = [f"+{value}" for value in sorted(now - was)]
    removed = [f"-{value}" for value in sorted(was - now)]
    return ", ".join(added + removed)


# ---- the command


def drift(path: Path, kept: Path) -> int:
    """Print how the description in `path` differs from the stored one; return 1 if it does."""
    old, new = read(kept), facts(read(path))
    lines = list(changes(old, new))
    said = "the endpoints we use changed" if lines else "nothing changed for the endpoints we use"
    print(f"{old['info']['version']} -> {new['info']['version']}: {said}", *lines, sep="\n")
    return 1 if lines else 0


def keep(path: Path, kept: Path) -> int:
    """Write the facts of the description in `path` to `kept`.

    Raises DescriptionError if an endpoint is not described.
    """
    made = facts(read(path))
    if missing := [one for one in PATHS if one not in made["paths"]]:
        raise DescriptionError(
            f"{path} does not describe {', '.join(missing)}: take a whole description, or change "
            "PATHS."
        )
    kept.write_text(written(made) + "\n", encoding="utf-8")
    print(f"{kept}: the facts of version {made['info']['version']}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command on its arguments and return its exit code."""
    parser = argparse.ArgumentParser(
        description="Keep the facts of Pinterest's API description, or compare a newer one with "
        "them."
    )
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help=f"an OpenAPI description, YAML or JSON, from {SOURCE}",
    )
    parser.add_argument(
        "--drift",
        action="store_true",
        help="write nothing: print what changed, exit 1 if anything did",
    )
    parser.add_argument("--kept", type=Path, default=KEPT, help="where the facts are kept")
    options = parser.parse_args(arguments)
    try:
        return (drift if options.drift else keep)(options.file, options.kept)
    except DescriptionError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

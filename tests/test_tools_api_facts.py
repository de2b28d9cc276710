"""tools/api_facts.py: the facts that it keeps of a description, and the changes in a newer one."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from api_description import DESCRIPTION, FILE, PATHS
from target_pinterest_capi.sandbox.app import ROUTES
from tools import api_facts

ROOT = Path(__file__).parents[1]

EVENTS = "/ad_accounts/{ad_account_id}/events"
KEYWORDS = {
    *api_facts.PLAIN_KEYWORDS,
    *api_facts.COMBINATIONS,
    "items",
    "additionalProperties",
    "properties",
}


def described(**paths: Any) -> dict[str, Any]:
    """Return a description of one endpoint, except for `paths`, with prose everywhere."""
    event = {
        "type": "object",
        "description": "An event.",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {
                "type": "string",
                "description": "One of:\n\n- `lead`\n- `search`\n- and so on",
                "example": "lead",
            },
            "description": {
                "type": "string",
                "title": "A member that is called description",
                "maxLength": 5,
            },
            "country": {"type": "string", "enum": ["NO", "SE"]},
            "parent": {"$ref": "#/components/schemas/Event"},
        },
    }
    operation = {
        "operationId": "events/create",
        "summary": "Send",
        "description": "Prose.",
        "tags": ["t"],
        "parameters": [
            {"name": "test", "in": "query", "description": "Prose.", "schema": {"type": "boolean"}}
        ],
        "requestBody": {
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Event"},
                    "example": {},
                }
            }
        },
        "responses": {"200": {"description": "Good", "content": {}}},
        "security": [{"token": []}],
        "x-ratelimit-category": "conversions",
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Pinterest REST API", "version": "1.0.0", "description": "Prose."},
        "paths": {EVENTS: {"post": operation}, "/pins": {"get": operation}, **paths},
        "components": {"schemas": {"Event": event, "Pin": {"type": "object"}}},
    }


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(description: Any, name: str = "new.json") -> Path:
        path = tmp_path / name
        path.write_text(
            yaml.safe_dump(description) if name.endswith("yaml") else json.dumps(description)
        )
        return path

    return save


# ---- the tree's own file


def test_the_kept_file_is_what_the_script_writes():
    """Nobody has edited it: reduced and written again it is the same text."""
    assert api_facts.written(api_facts.facts(DESCRIPTION)) + "\n" == FILE.read_text(
        encoding="utf-8"
    )


def test_the_kept_file_says_where_it_is_from():
    """It has its version, source, copyright and licence."""
    assert DESCRIPTION["info"]["version"] == "5.23.0"
    assert DESCRIPTION["info"]["license"]["name"] == "MIT"
    assert "Pinterest" in DESCRIPTION["x-source"]["copyright"]
    assert DESCRIPTION["x-source"]["url"] == api_facts.SOURCE


def schemas_in(node: Any) -> list[dict[str, Any]]:
    """Return every schema below a node: under `schema`, among components, or in another one."""
    found: list[dict[str, Any]] = []

    def walk(schema: dict[str, Any]) -> None:
        found.append(schema)
        inner = [
            *schema.get("properties", {}).values(),
            *(one for name in api_facts.COMBINATIONS for one in schema.get(name, ())),
        ]
        inner += [
            schema[name]
            for name in ("items", "additionalProperties")
            if isinstance(schema.get(name), dict)
        ]
        for one in inner:
            walk(one)

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                (walk if name == "schema" else look)(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(node["paths"])
    look(node["components"].get("parameters", {}))
    for schema in node["components"]["schemas"].values():
        walk(schema)
    return found


def test_no_prose_is_kept():
    """A schema has the rules about its values, and no description, example or title."""
    schemas = schemas_in(DESCRIPTION)
    assert len(schemas) > 200
    assert {keyword for schema in schemas for keyword in schema} <= KEYWORDS
    operations = [operation for methods in PATHS.values() for operation in methods.values()]
    kept = {
        "operationId",
        "parameters",
        "requestBody",
        "responses",
        "security",
        "x-ratelimit-category",
    }
    assert {name for operation in operations for name in operation} <= kept


def test_every_endpoint_of_the_sandbox_is_kept():
    """The target's calls are those of the sandbox; each is described, or will be compared."""
    assert {path for path, *_ in ROUTES} <= {*PATHS, *api_facts.LATER_PATHS}


# ---- keeping


@pytest.mark.parametrize("name", ["new.json", "new.yaml"])
def test_facts_of_a_small_description(saved, name):
    """Names, types, limits, choices and references stay; prose and other endpoints are removed."""
    made = api_facts.facts(api_facts.read(saved(described(), name)))
    assert list(made["paths"]) == [EVENTS]
    assert made["components"]["schemas"] == {
        "Event": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string", "x-named-values": ["lead", "search"]},
                "description": {"type": "string", "maxLength": 5},
                "country": {"type": "string", "enum": ["NO", "SE"]},
                "parent": {"$ref": "#/components/schemas/Event"},
            },
        }
    }
    assert made["paths"][EVENTS]["post"]["parameters"] == [
        {"name": "test", "in": "query", "schema": {"type": "boolean"}}
    ]
    assert "Prose" not in json.dumps(made)
    assert json.loads(api_facts.written(made)) == made


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("2026-01-02", "2026-01-02"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("7", 7),
    ],
)
def test_yaml_is_read_as_openapi_means_it(tmp_path, written, value):
    """A plain NO or a date is a string, as in YAML 1.2; true and numbers are not."""
    path = tmp_path / "new.yaml"
    path.write_text(f"openapi: 3.0.3\ninfo: {{}}\npaths: {written}\n")
    assert api_facts.read(path)["paths"] == value


def test_keeping_writes_the_file(saved, tmp_path, monkeypatch, capsys):
    """The facts are written, and the version is printed."""
    kept = tmp_path / "kept.json"
    assert api_facts.main([str(saved(DESCRIPTION)), "--kept", str(kept)]) == 0
    assert kept.read_text() == FILE.read_text()
    assert "5.23.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("a: [", "cannot be read"),
        ("[]", "is not an OpenAPI description"),
        ('{"openapi": "3.0.3"}', "is not an OpenAPI description"),
        (
            json.dumps(described()),
            "does not describe /ad_accounts/{ad_account_id}/advertiser_defined_events",
        ),
    ],
)
def test_what_is_no_description_is_not_kept(tmp_path, capsys, text, complaint):
    """A missing, broken or unrelated file changes nothing: exit code 2."""
    path, kept = tmp_path / "new.yaml", tmp_path / "kept.json"
    kept.write_text("before")
    if text is not None:
        path.write_text(text)
    assert api_facts.main([str(path), "--kept", str(kept)]) == 2
    assert complaint in capsys.readouterr().err
    assert kept.read_text() == "before"


# ---- drift


def in_event(name: str, **changed: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change of a member of the event; None removes a keyword."""

    def change(event: dict[str, Any]) -> None:
        members = event["properties"]
        merged = {**members.get(name, {}), **changed}
        members[name] = {keyword: value for keyword, value in merged.items() if value is not None}

    return change


def test_nothing_changed(saved, capsys):
    """Changed prose is not a difference, and neither are other endpoints: exit code 0."""
    newer = described()
    newer["paths"][EVENTS]["post"]["summary"] = "Other words"
    newer["paths"]["/pins"] = {}
    assert (
        api_facts.main(
            [
                "--drift",
                str(saved(newer)),
                "--kept",
                str(saved(api_facts.facts(described()), "kept.json")),
            ]
        )
        == 0
    )
    assert capsys.readouterr().out == "1.0.0 -> 1.0.0: nothing changed for the endpoints we use\n"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (in_event("new", type="string", maxLength=64), ("added    request.new (maxLength 64; type "
                                                       "string)")),
        (lambda event: event["properties"].pop("parent"), "removed  request.parent"),
        (in_event("description", maxLength=9), "changed  request.description: maxLength 5 -> 9"),
        (in_event("description", maxLength=None), "changed  request.description: maxLength -5"),
        (in_event("description", type="integer"), ("changed  request.description: type string -> "
                                                  "integer")),
        (in_event("description", nullable=True), "changed  request.description: nullable +true"),
        (in_event("country", enum=["SE", "DK", "FI"]), ("changed  request.country: enum +DK, +FI, "
                                                       "-NO")),
        (in_event("name", description="- `lead`\n- `signup`"), ("changed  request.name: "
                                                               "x-named-values +signup, -search")),
        (lambda event: event["required"].append("country"), "changed  request: required +country"),
        (lambda event: event.pop("additionalProperties"), ("changed  request: additionalProperties "
                                                          "-false")),
        ({"parameters": []}, "removed  query parameter test (required false; type boolean)"),
        ({"responses": {"200": {}, "404": {}}}, "added    response 404"),
        ({"security": [{"token": ["ads:write"]}]}, ("changed  operation: security token -> token "
                                                   "ads:write")),
        ({"x-ratelimit-category": "x"}, ("changed  operation: x-ratelimit-category conversions -> "
                                        "x")),
    ],
)  # fmt: skip
def test_each_kind_of_change_has_its_line(saved, capsys, change, line):
    """Changes are below their operation, with the old and the new value: exit code 1."""
    newer = copy.deepcopy(described())
    newer["info"]["version"] = "1.1.0"
    if callable(change):
        change(newer["components"]["schemas"]["Event"])
    else:
        newer["paths"][EVENTS]["post"].update(change)
    assert (
        api_facts.main(
            [
                "--drift",
                str(saved(newer)),
                "--kept",
                str(saved(api_facts.facts(described()), "kept.json")),
            ]
        )
        == 1
    )
    first, operation, *lines = capsys.readouterr().out.splitlines()
    assert first == "1.0.0 -> 1.1.0: the endpoints we use changed"
    assert operation == f"POST {EVENTS}"
    assert lines == [f"  {line}"]


def test_changed_endpoints_have_lines_of_their_own():
    """A new method and a removed endpoint are reported as such."""
    old = api_facts.facts(described())
    newer = described()
    newer["paths"][EVENTS]["delete"] = newer["paths"][EVENTS].pop("post")
    assert list(api_facts.changes(old, api_facts.facts(newer))) == [
        f"DELETE {EVENTS}: new",
        f"POST {EVENTS}: no longer described",
    ]


def test_options_are_told_apart_by_what_they_require():
    """Another way to identify a person is a change of user_data, not of each of its members."""
    newer = copy.deepcopy(DESCRIPTION)
    options = newer["components"]["schemas"]["ConversionEventsUserData"]["anyOf"]
    options.append({**options[0], "required": ["ph"]})
    assert list(api_facts.changes(DESCRIPTION, newer)) == [
        f"POST {EVENTS}",
        "  changed  request.data[].user_data: anyOf required +ph",
    ]

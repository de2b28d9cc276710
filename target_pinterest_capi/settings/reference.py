"""Text generated from the settings: Meltano's entries, tables, and `.env.example`."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from target_pinterest_capi.settings.json_schema import (
    FILE_FORMAT,
    Schema,
    object_schema,
    properties,
    title,
)
from target_pinterest_capi.settings.model import Settings
from target_pinterest_capi.settings.objects import CustomerListEntry, MappingEntry
from target_pinterest_capi.settings.variables import ENVIRONMENT_PREFIX

# It matters whether these were given, which a `value` would hide: loading, _retention_rule.
_WITHOUT_VALUE: Final = frozenset({"ledger_retention_days"})
# What only events need, and what only customer lists need; the rest is for both.
_FOR_EVENTS: Final = frozenset(
    {
        "conversion_token",
        "conversion_token_file",
        "mappings",
        "defaults",
        "timezone",
        "date_format",
        "postal_code",
        "url_query",
        "max_event_age_days",
        "ledger_retention_days",
        "on_uncertain",
        "batch_size_rows",
        "batch_max_bytes",
        "batch_wait_seconds",
        "max_in_flight",
        "max_requests_per_minute",
    }
)
_FOR_LISTS: Final = frozenset({"oauth", "customer_lists", "list_batch_size", "list_wait_seconds"})


def meltano_settings() -> list[dict[str, Any]]:
    """Return the entries of `settings:` in `meltano.yml` and in a Hub definition.

    Members of `oauth` have dotted names. Meltano shows an entry's `value` as its default, and
    passes it on as if it had been given.
    """
    return list(_meltano_entries(properties(Settings), "", ""))


def _meltano_entries(
    members: dict[str, Schema], prefix: str, label: str
) -> Iterator[dict[str, Any]]:
    for name, schema in members.items():
        if "properties" in schema:
            inner = f"{label}{schema['title']}: "
            yield from _meltano_entries(schema["properties"], f"{prefix}{name}.", inner)
        else:
            yield _meltano_entry(prefix + name, label + schema["title"], schema)


def _meltano_entry(name: str, label: str, schema: Schema) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": name,
        "label": label,
        "kind": _meltano_kind(schema),
    }
    choices = schema.get("enum")
    if choices:
        entry["options"] = [{"label": title(choice), "value": choice} for choice in choices]
    default = schema.get("default")
    if default is not None and name not in _WITHOUT_VALUE:
        entry["value"] = default
    if schema.get("writeOnly"):
        entry["sensitive"] = True
    entry["description"] = schema["description"]
    return entry


def _meltano_kind(schema: Schema) -> str:
    """Return Meltano's kind for a setting, with which all values of the setting are passed on.

    Meltano 4.4 cannot write the Decimal that it makes from a `decimal` in the environment, and
    refuses a word such as never for a number. These are `string`, which leaves a number in
    meltano.yml as it is.
    """
    if "enum" in schema:
        return "options"
    if schema.get("format") == FILE_FORMAT:
        return "file"
    kind: str = schema["type"]
    return "string" if kind == "number" or "null" in schema else kind


def settings_table(group: str = "") -> str:
    """Return a Markdown table of all settings, or of a group's."""
    settings = object_schema(Settings)
    lines = ["| Setting | Default | For | Meaning |", "|---|---|---|---|"]
    for name, schema in settings["properties"].items():
        if group in ("", schema["group"]):
            required = name in settings["required"]
            lines += _rows(name, schema, required=required, users=_users(name))
    return "\n".join(lines) + "\n"


def settings_groups() -> list[str]:
    """Return the names of the groups of settings, in their order."""
    members = object_schema(Settings)["properties"].values()
    return list(dict.fromkeys(schema["group"] for schema in members))


def _users(name: str) -> str:
    if name in _FOR_EVENTS:
        return "events"
    return "lists" if name in _FOR_LISTS else "both"


def mapping_table(*, lists: bool = False) -> str:
    """Return the table of a mapping entry's keys, or with `lists` of a customer list's."""
    entry = object_schema(CustomerListEntry if lists else MappingEntry)
    lines = ["| Key | Default | Meaning |", "|---|---|---|"]
    for name, schema in entry["properties"].items():
        lines += _rows(name, schema, required=name in entry["required"])
    return "\n".join(lines) + "\n"


def _rows(name: str, schema: Schema, *, required: bool, users: str = "") -> Iterator[str]:
    meaning = schema["description"].replace("|", "\\|")
    secret = " Secret." if schema.get("writeOnly") else ""
    shown = "required" if required else _shown_default(schema)
    used_for = f" {users} |" if users else ""
    variable = f"<br>`{_variable(name)}`" if users else ""
    yield f"| `{name}`{variable} | {shown} |{used_for} {meaning}{_choices(schema)}{secret} |"
    for member, of_member in schema.get("properties", {}).items():
        yield from _rows(f"{name}.{member}", of_member, required=False, users=users)


def _variable(name: str) -> str:
    """Return the variable of a setting, or of a member of one."""
    return ENVIRONMENT_PREFIX + name.replace(".", "_").upper()


def _shown_default(schema: Schema) -> str:
    default = schema.get("default")
    return "" if default is None else f"`{_as_text(default)}`"


def _choices(schema: Schema) -> str:
    """Return a sentence with a setting's choices, unless its description has them."""
    choices = schema.get("enum", [])
    if all(choice in schema["description"] for choice in choices):
        return ""
    listed = ", ".join(f"`{choice}`" for choice in choices)
    return f" One of {listed}."


_ENVIRONMENT_HEAD: Final = """\
# Settings in the environment, which `--config ENV` reads: copy this file to .env, which git
# ignores, fill in the first two, and uncomment a setting to give it another value than its default.
# Lists and objects, such as mappings, are JSON in a variable; a file is a better place for them:
#   target-pinterest-capi --config mappings.yml --config ENV
#
# Generated by `make docs` from the code; do not edit.
"""
_FIRST: Final = ("ad_account_id", "conversion_token")  # what every run needs


def environment_example() -> str:
    """Return the text of `.env.example`: every setting with one value."""
    lines = []
    variables = _variables(properties(Settings))
    for group, of_group in groupby(variables, key=lambda variable: variable[0]):
        lines += ["", f"# ---- {group} ----"]
        for _, name, schema in of_group:
            default = schema.get("default")
            value = "" if default is None else _as_text(default)
            mark = "" if name in _FIRST else "# "
            lines += ["", f"# {schema['description']}{_choices(schema)}"]
            lines.append(f"{mark}{_variable(name)}={value}")
    return _ENVIRONMENT_HEAD + "\n".join(lines) + "\n"


def _variables(
    members: dict[str, Schema], prefix: str = "", group: str = ""
) -> Iterator[tuple[str, str, Schema]]:
    """Yield each setting with one value: its group, its full name, and its schema."""
    for name, schema in members.items():
        if "properties" in schema:
            yield from _variables(schema["properties"], f"{prefix}{name}.", schema["group"])
        elif schema["type"] not in {"array", "object"}:
            yield group or schema["group"], prefix + name, schema


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

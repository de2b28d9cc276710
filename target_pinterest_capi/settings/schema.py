"""What is generated from the model: the SDK's JSON schema, Meltano's entries, tables of the documentation, `.env.example`."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from target_pinterest_capi.settings.model import CustomerListEntry, MappingEntry, Settings
from target_pinterest_capi.settings.shape import SettingShape, Takes, accepted, shape
from target_pinterest_capi.settings.sources import ENVIRONMENT_PREFIX

_WORDS: Final = {"id": "ID", "url": "URL", "api": "API", "oauth": "OAuth"}
_KINDS: Final = {
    Takes.TEXT: "string",
    Takes.INTEGER: "integer",
    Takes.NUMBER: "string",
    Takes.BOOLEAN: "boolean",
    Takes.OBJECT: "object",
    Takes.LIST: "array",
}
# It matters whether these were given, which a `value` would hide: loading, _retention_rule.
_WITHOUT_VALUE: Final = frozenset({"ledger_retention_days"})
# JMESPath expressions may stand alone or in a list, and field paths may be nested: more than one type of JSON
_OPEN_MEMBERS: Final = {"member": ["string", "array"], "fields": ["object"]}


def sdk_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a configuration, for singer-sdk's `config_jsonschema` and `--about`.

    It describes; `load` decides. It knows plain types only, so numbers as text pass `load` and not this schema: a target
    must not let the SDK validate by it (whose message would show the value).
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object(Settings)}


def meltano_settings() -> list[dict[str, Any]]:
    """The entries of `settings:` in `meltano.yml` and a Hub definition; members of `oauth` as dotted names.

    Meltano shows an entry's `value` as its default, and passes it on as if it had been given.
    """
    return list(_meltano(Settings, "", ""))


def settings_table() -> str:
    """The README's table of all settings, in Markdown, one heading row a group."""
    groups: dict[str, list[str]] = {}
    for name, info in accepted(Settings).items():
        groups.setdefault(shape(info).group, []).extend(_rows(name, info))
    lines = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for group, rows in groups.items():
        lines += [f"| **{group}** | | |", *rows]
    return "\n".join(lines) + "\n"


def mapping_table(*, lists: bool = False) -> str:
    """The table of the keys of a mapping entry, or with `lists` of a customer list, in Markdown."""
    rows = [
        row
        for name, info in accepted(CustomerListEntry if lists else MappingEntry).items()
        for row in _rows(name, info)
    ]
    return "\n".join(["| Key | Default | Meaning |", "|---|---|---|", *rows]) + "\n"


_ENVIRONMENT_HEAD: Final = """\
# Settings in the environment, which `--config ENV` reads: copy this file to .env, which git ignores,
# fill in the first two, and take the # away where a value shall differ from its default.
# Lists and objects, such as mappings, are JSON in a variable; a file is a better place for them:
#   target-pinterest-capi --config mappings.yml --config ENV
#
# Written by `make docs`: change what it is made from.
"""
_FIRST: Final = ("ad_account_id", "conversion_token")  # what a run needs in any case


def environment_example() -> str:
    """The text of `.env.example`: every setting that is one value, with its meaning and its default."""
    lines = []
    for group, variables in groupby(_variables(Settings), key=lambda variable: variable[0]):
        lines += ["", f"# ---- {group} ----"]
        for _, name, info in variables:
            default = _default(info)
            value = "" if default is None else _written(default)
            mark = "" if name in _FIRST else "# "
            variable = ENVIRONMENT_PREFIX + name.upper()
            lines += ["", f"# {info.description}{_choices(info)}", f"{mark}{variable}={value}"]
    return _ENVIRONMENT_HEAD + "\n".join(lines) + "\n"


def _variables(
    model: type[BaseModel], prefix: str = "", group: str = ""
) -> Iterator[tuple[str, str, FieldInfo]]:
    """Each setting that is one value: its group, its name with that of its object, and its field."""
    for name, info in accepted(model).items():
        what = shape(info)
        if what.members and what.takes is Takes.OBJECT:
            yield from _variables(what.members, f"{prefix}{name}_", what.group)
        elif what.takes not in {Takes.LIST, Takes.OBJECT}:
            yield group or what.group, prefix + name, info


def _object(model: type[BaseModel]) -> dict[str, Any]:
    members = accepted(model)
    made: dict[str, Any] = {
        "type": "object",
        "properties": {name: _property(name, info) for name, info in members.items()},
        "additionalProperties": False,
    }
    required = [name for name, info in members.items() if info.is_required()]
    return {**made, "required": required} if required else made


def _property(name: str, info: FieldInfo) -> dict[str, Any]:
    what = shape(info)
    types = _OPEN_MEMBERS.get(name, [what.takes.value])
    made: dict[str, Any] = {"type": types if info.is_required() else [*types, "null"]}
    if what.members and what.takes is Takes.LIST:
        made["items"] = _object(what.members)
    elif what.members:
        made |= {key: value for key, value in _object(what.members).items() if key != "type"}
    elif "array" in types:
        made["items"] = {"type": "string"}
    made |= {"title": title(name), "description": info.description}
    if what.choices:
        made["enum"] = [*what.choices] if info.is_required() else [*what.choices, None]
    limits = {"minimum": what.minimum, "exclusiveMinimum": what.above, "maximum": what.maximum}
    made |= {key: limit for key, limit in limits.items() if limit is not None}
    if what.secret:
        made |= {"secret": True, "writeOnly": True}
    default = _default(info)
    return made if default is None else {**made, "default": default}


def _meltano(model: type[BaseModel], prefix: str, label: str) -> Iterator[dict[str, Any]]:
    for name, info in accepted(model).items():
        what = shape(info)
        if what.members and what.takes is Takes.OBJECT:
            yield from _meltano(what.members, f"{prefix}{name}.", f"{label}{title(name)}: ")
            continue
        entry: dict[str, Any] = {"name": prefix + name, "label": label + title(name)}
        entry["kind"] = _kind(what)
        if what.choices:
            entry["options"] = [{"label": title(one), "value": one} for one in what.choices]
        default = _default(info)
        if default is not None and name not in _WITHOUT_VALUE:
            entry["value"] = default
        if what.secret:
            entry["sensitive"] = True
        yield {**entry, "description": info.description}


def _kind(what: SettingShape) -> str:
    """Return Meltano's kind of a setting: one with which every value of the setting comes through.

    Meltano 4.4 cannot write the Decimal that it makes of a `decimal` from the environment, and refuses
    a word such as never for a number: these are `string`, which leaves a number of meltano.yml as it is.
    """
    if what.choices:
        return "options"
    if what.file:
        return "file"
    return "string" if what.null else _KINDS[what.takes]


def _rows(name: str, info: FieldInfo) -> Iterator[str]:
    what = shape(info)
    meaning = (info.description or "").replace("|", "\\|")
    secret = " Secret." if what.secret else ""
    default = (
        "required"
        if info.is_required()
        else ""
        if _default(info) is None
        else f"`{_written(_default(info))}`"
    )
    yield f"| `{name}` | {default} | {meaning}{_choices(info)}{secret} |"
    if what.members and what.takes is Takes.OBJECT:
        for member, member_info in accepted(what.members).items():
            yield from _rows(f"{name}.{member}", member_info)


def _choices(info: FieldInfo) -> str:
    """What a setting can be, as a sentence of its own where its description does not say it."""
    choices = shape(info).choices
    if all(choice in (info.description or "") for choice in choices):
        return ""
    return f" One of {', '.join(f'`{choice}`' for choice in choices)}."


def title(name: str) -> str:
    """A setting's name for people: `ad_account_id` is `Ad Account ID`."""
    return " ".join(_WORDS.get(word, word.capitalize()) for word in name.split("_"))


def _default(info: FieldInfo) -> Any:
    """The default as JSON has it; None where there is none."""
    default = info.default
    if default is PydanticUndefined:
        return None
    return (
        dict(default)
        if isinstance(default, Mapping)
        else list(default)
        if isinstance(default, tuple)
        else default
    )


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

"""What a setting takes, read from its field in the model: for error messages, schemas and tables alike."""

import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, cast, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo


class Takes(Enum):
    """What a value of the setting is; the value is its name in JSON schema."""

    TEXT = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"
    LIST = "array"


class SettingShape(NamedTuple):
    """What one setting takes. `members` is the model of an object's or of a list's members where there is one."""

    takes: Takes
    group: str
    null: str = ""
    file: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    members: type[BaseModel] | None = None
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None

    @property
    def expected(self) -> str:
        """What a value must be, as the rest of a sentence: `a whole number from 1 to 1,000`."""
        text = (
            f"one of {', '.join(self.choices)}"
            if self.choices
            else _NOUNS[self.takes] + self._limits()
        )
        return f"{text}; never: {self.null}" if self.null else text

    def _limits(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f" from {self.minimum:,} to {self.maximum:,}"
        low = f" of at least {self.minimum:,}" if self.minimum is not None else ""
        low = f" above {self.above:,}" if self.above is not None else low
        return low + (f" and at most {self.maximum:,}" if self.maximum is not None else "")


_NOUNS: Final = {
    Takes.TEXT: "text",
    Takes.INTEGER: "a whole number",
    Takes.NUMBER: "a number",
    Takes.BOOLEAN: "true or false",
    Takes.OBJECT: "an object",
    Takes.LIST: "a list",
}
_SIMPLE: Final = {
    str: Takes.TEXT,
    SecretStr: Takes.TEXT,
    int: Takes.INTEGER,
    float: Takes.NUMBER,
    bool: Takes.BOOLEAN,
}


def shape(info: FieldInfo) -> SettingShape:
    """The shape of a model's field."""
    base = _base(info.annotation)
    extra = extras(info)
    made = SettingShape(
        Takes.OBJECT, str(extra["group"]), null=str(extra["null"]), file=bool(extra["file"])
    )
    origin = get_origin(base)
    if origin is Literal:
        return made._replace(takes=Takes.TEXT, choices=get_args(base))
    if origin is tuple:
        item = _base(get_args(base)[0])
        return made._replace(takes=Takes.LIST, members=item if _is_model(item) else None)
    if origin is Mapping:
        return made
    if _is_model(base):
        return made._replace(members=base)
    return made._replace(
        takes=_SIMPLE[base],
        secret=base is SecretStr,
        minimum=_limit(info, annotated_types.Ge, "ge"),
        above=_limit(info, annotated_types.Gt, "gt"),
        maximum=_limit(info, annotated_types.Le, "le"),
    )


def accepted(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The settings of a model that a configuration may give, in the model's order."""
    return {name: info for name, info in model.model_fields.items() if not extras(info)["internal"]}


def extras(info: FieldInfo) -> dict[str, Any]:
    """What `model.setting` noted about the field."""
    return cast("dict[str, Any]", info.json_schema_extra)


def _base(annotation: Any) -> Any:
    """The type behind `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _base(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return _base(next(option for option in get_args(annotation) if option is not type(None)))
    return annotation


def _is_model(base: Any) -> bool:
    return isinstance(base, type) and issubclass(base, BaseModel)


def _limit(info: FieldInfo, kind: type, attribute: str) -> float | None:
    return next(
        (getattr(limit, attribute) for limit in info.metadata if isinstance(limit, kind)), None
    )

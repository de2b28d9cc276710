"""What settings are declared with: the types of their values, and their descriptions.

A type has its check and its JSON schema. Knows no setting by name.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
)

from target_pinterest_capi.settings import values

AccountId = Annotated[str, AfterValidator(values.account_id)]
ApiUrl = Annotated[str, AfterValidator(values.api_url)]
Zone = Annotated[str, AfterValidator(values.timezone)]
Country = Annotated[str, AfterValidator(values.country)]
ReportPath = Annotated[str, AfterValidator(values.report_path)]
MetricsPath = Annotated[str, AfterValidator(values.metrics_path)]
NotifyUrl = Annotated[SecretStr, AfterValidator(values.notify_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(values.database_url)]
Quality = Annotated[
    Mapping[str, Any], AfterValidator(values.quality), PlainSerializer(values.as_plain)
]
OldEventsPath = Annotated[str, AfterValidator(values.old_events_path)]
OldEventsNames = Annotated[
    Mapping[str, Any], AfterValidator(values.old_events_names), PlainSerializer(values.as_plain)
]
Object = Annotated[
    Mapping[str, Any], AfterValidator(values.Frozen), PlainSerializer(values.as_plain)
]
LocalPath = Annotated[str, WithJsonSchema({"type": "string", "format": "file-path"})]
Expressions = Annotated[
    tuple[str, ...],
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]
MemberExpressions = Annotated[
    tuple[str, ...],
    WithJsonSchema({"type": ["string", "array", "object"], "items": {"type": "string"}}),
]
NameOrExpression = Annotated[str, WithJsonSchema({"type": ["string", "object"]})]
FieldExpressions = Annotated[
    Mapping[str, Expressions | None],
    AfterValidator(values.Frozen),
    PlainSerializer(values.as_plain),
    WithJsonSchema({"type": "object"}),  # field paths may be nested
]


def setting(
    about: str,
    default: Any = None,
    *,
    group: str = "",
    null: str = "",
    hidden: bool = False,
    **limits: Any,
) -> Any:
    """Describe one setting.

    `group` is its heading. `null` says what null, or the word never, means as a value; otherwise
    null is the same as not given. `hidden`: not in reprs. `limits` are pydantic's ge, gt and le.
    """
    notes: dict[str, Any] = {}
    if group:
        notes["group"] = group
    if null:
        notes["null"] = null
    return Field(
        default,
        description=about,
        json_schema_extra=notes or None,
        repr=not hidden,
        **limits,
    )


class SettingsModel(BaseModel):
    """The base of the models: frozen, no unknown members, and no values in errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

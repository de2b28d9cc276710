"""The settings that are objects: OAuth, a mapping entry and a customer list.

Members that are set while loading and never read from a configuration are not in the JSON schema.
"""

from collections.abc import Iterator
from typing import Final, Literal

from pydantic import SecretStr
from pydantic.json_schema import SkipJsonSchema

from target_pinterest_capi.events.event import Mode
from target_pinterest_capi.settings import values
from target_pinterest_capi.settings.declarations import (
    AccountId,
    FieldExpressions,
    LocalPath,
    MemberExpressions,
    NameOrExpression,
    Object,
    SettingsModel,
    setting,
)

# The built-in mapping entries: each except the first is a file in mapping/presets.
Preset = Literal[
    "pinterest",
    "adobe_xdm",
    "bigcommerce",
    "ga4",
    "magento",
    "metarouter",
    "posthog",
    "rudderstack",
    "salesforce_commerce",
    "segment",
    "shopify",
    "snowplow",
    "stripe",
    "woocommerce",
]


class OAuth(SettingsModel):
    """The OAuth token for customer lists and quality scores, or what is needed to refresh one."""

    access_token: SecretStr | None = setting(
        "An OAuth access token with ads:read and ads:write, used as it is."
    )
    access_token_file: LocalPath | None = setting("A file that holds access_token.")
    client_id: str | None = setting("Id of your Pinterest app; with client_secret and token_path.")
    client_secret: SecretStr | None = setting("Secret of your Pinterest app.")
    client_secret_file: LocalPath | None = setting("A file that holds client_secret.")
    refresh_token: SecretStr | None = setting(
        "A refresh token to start from, if you did not use `pinterest-capi login`."
    )
    refresh_token_file: LocalPath | None = setting("A file that holds refresh_token.")
    token_path: LocalPath | None = setting(
        "A private file for the newest refresh token, from `pinterest-capi login` or a run."
    )


class MappingEntry(SettingsModel):
    """How the records of matching streams become events.

    `fields` and `defaults` are flat, by Pinterest's field path.
    """

    stream: str = setting("A stream's name, or a shell pattern such as tracks_*.", ...)
    name: str | None = setting("A name for reports.")
    preset: Preset | None = setting(
        "A built-in entry to start from; this entry's own keys override it field by field."
    )
    when: str | None = setting(
        "JMESPath predicate: records for which it is false are skipped. A preset's must be true "
        "as well, unless preset_when is ignore, or this is always."
    )
    preset_when: Literal["join", "ignore"] = setting(
        "ignore: the preset's own predicate is not used, only this entry's when.", "join"
    )
    mode: Mode = setting(
        "test: Pinterest checks these events and records nothing; dry_run: they are not sent. "
        "The setting mode wins if it sends less.",
        "live",
    )
    deleted: Literal["skip", "send"] = setting(
        "Whether to skip or send records of deleted rows, which have a value in _sdc_deleted_at.",
        "skip",
    )
    ad_account_id: str | None = setting(
        "Another ad account: digits are a constant, anything else is a JMESPath expression."
    )
    conversion_token_file: LocalPath | None = setting(
        "A file that holds the conversion token of that account's user."
    )
    conversion_token: SkipJsonSchema[SecretStr | None] = setting(
        "What conversion_token_file holds.", hidden=True
    )
    event_names: Object = setting(
        "Values of event_name, in any case, to Pinterest's names; null: never sent. Others are "
        "skipped, unless defaults give an event_name. Reports name those listed.",
        values.Frozen({}),
    )
    unlisted_names: Literal["skip", "send"] = setting(
        "send: a name that event_names do not list is sent as it is, as the advertiser's own "
        "event.",
        "skip",
    )
    fields: FieldExpressions = setting(
        "Pinterest's field path to a JMESPath expression, or a list of them; null unmaps the "
        "field.",
        values.Frozen({}),
    )
    defaults: Object = setting(
        "Constants by field path, used if the field's expressions have no usable value.",
        values.Frozen({}),
        hidden=True,
    )
    null_values: tuple[str, ...] | None = setting(
        "Strings that mean a missing value in these records; replaces the setting of that name."
    )


# What identifies a member of a list of rows. `PAIR` identifies only together, `HASHED` is sent as
# digests
IDENTIFIERS: Final = ("email", "maid", "phone", "external_id", "ip_address", "user_agent")
HASHED: Final = frozenset({"email", "maid", "phone"})
PAIR: Final = frozenset({"ip_address", "user_agent"})


class CustomerListEntry(SettingsModel):
    """How the records of matching streams become members of one customer list.

    `member` has the expressions of a single identifier, `identifiers` those of several.
    """

    stream: str = setting("A stream's name, or a shell pattern such as members_*.", ...)
    list_id: str | None = setting("Id of the list; or name it by list_name.")
    list_name: NameOrExpression | None = setting(
        "Name of the list, which is created with its first members if it does not exist; or "
        "{expression: ...}, a JMESPath expression: a list for each value."
    )
    list_name_expression: SkipJsonSchema[str | None] = setting(
        "What an object in list_name means.", hidden=True
    )
    max_lists: int = setting(
        "With an expression in list_name: a run with more names stops.", 100, ge=1
    )
    list_type: Literal["EMAIL", "MAID", "IDFA"] | None = setting(
        "What identifies a member, if `member` is a single identifier; one kind per list.",
        "EMAIL",
    )
    is_nca: bool = setting(
        "Create the list as one for finding new customers. This cannot be changed later.",
        False,
    )
    ad_account_id: AccountId | None = setting("Another ad account, digits only.")
    member: MemberExpressions = setting(
        "JMESPath expression of a member's identifier, or a list; or an object of several: email, "
        "maid, phone, external_id, ip_address, user_agent, sent as one row.",
        ...,
    )
    identifiers: SkipJsonSchema[FieldExpressions] = setting(
        "What an object in member means, by identifier.", values.Frozen({}), hidden=True
    )
    when: str | None = setting("JMESPath predicate: records for which it is false are skipped.")
    operation: str | None = setting(
        "JMESPath expression of what to do: add, insert, enter, true, or remove, delete, exit, "
        "false. Without it a record adds."
    )
    refresh: Literal["incremental", "full"] = setting(
        "full: the run's members are recorded, so that `pinterest-capi prune` can remove those "
        "that are gone.",
        "incremental",
    )
    max_removed_ratio: float = setting(
        "A prune that would remove more than this share of the list stops instead.", 0.5, ge=0, le=1
    )
    null_values: tuple[str, ...] | None = setting(
        "Strings that mean a missing value in these records; replaces the setting of that name."
    )
    audience: bool = setting("Make sure that an audience of the list exists.", False)

    @property
    def label(self) -> str:
        """The entry's name in counts: its list's name, or the expression for the names."""
        return self.list_name or self.list_id or self.list_name_expression or ""

    @property
    def has_rows(self) -> bool:
        """Whether a member is a row of several identifiers instead of a single one."""
        return bool(self.identifiers)

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Yield the expressions that read records, each with its path in the entry."""
        for name, sources in self.identifiers.items():
            yield from ((f"member.{name}", source) for source in sources or ())
        yield from (("member", source) for source in self.member)
        named = {
            "list_name.expression": self.list_name_expression,
            "operation": self.operation,
            "when": self.when,
        }
        yield from ((path, source) for path, source in named.items() if source is not None)

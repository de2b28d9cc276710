"""Pinterest's answers about customer lists, audiences, quality scores and OAuth, as types. Plain data; no repr shows a token."""

from typing import Any, NamedTuple

import msgspec


class PinterestList(msgspec.Struct):
    """A customer list as Pinterest shows it: without its type, without its members.

    docs/pinterest-api.md: Customer lists.

    `exceptions` is an object that is not described further; the counters rise for repeated and absent members too.
    """

    id: str
    name: str = ""
    status: str = ""
    exceptions: Any = None
    num_uploaded_user_records: float = 0
    num_removed_user_records: float = 0


class ListPage(msgspec.Struct):
    """A page of customer lists; a `bookmark` leads to the next one.

    docs/pinterest-api.md: Customer lists.
    """

    items: list[PinterestList]
    bookmark: str | None = None


class AudienceRule(msgspec.Struct):
    """Whom an audience takes in. docs/pinterest-api.md: Audiences (AudienceRule)."""

    customer_list_id: str | None = None


class PinterestAudience(msgspec.Struct):
    """An audience as Pinterest shows it. docs/pinterest-api.md: Audiences."""

    id: str
    audience_type: str | None = None
    rule: AudienceRule | None = None


class AudiencePage(msgspec.Struct):
    """A page of audiences; a `bookmark` leads to the next one. docs/pinterest-api.md: Audiences."""

    items: list[PinterestAudience]
    bookmark: str | None = None


class QualityIssue(msgspec.Struct):
    """What Pinterest finds wrong with a component.

    docs/pinterest-api.md: Event quality score (QualityComponentIssue).
    """

    id: str = ""
    name: str = ""
    reason: str = ""


class ComponentQuality(msgspec.Struct):
    """One component of one event name, in per cent of its events; `overlap` is for external_event_id alone.

    docs/pinterest-api.md: Event quality score (QualityComponentDetails).
    """

    coverage: float | None = None
    issues: list[QualityIssue] | None = None
    overlap: float | None = None


class QualityScore(msgspec.Struct):
    """The event quality score of one platform: its components by name, each by event name.

    docs/pinterest-api.md: Event quality score (EventQualityScore).
    """

    quality_components: dict[str, dict[str, ComponentQuality] | None]
    overall_status: str = ""
    source_platform: str = ""
    ingestion_source: str = ""
    lookback_period: str = ""


class TokenGrant(msgspec.Struct):
    """What an app is given for its refresh token; a new refresh token replaces the old one.

    docs/pinterest-api.md: OAuth.
    """

    access_token: str
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return "Grant(...)"


class Credentials(NamedTuple):
    """An app's id and secret, and a refresh token of a user's."""

    client_id: str
    client_secret: str
    refresh_token: str

    def __repr__(self) -> str:
        return "Credentials(...)"


class ApiReply(NamedTuple):
    """What came back whole to a call that is not about events: `body` is None where the body is not what a success has."""

    status: int
    body: (
        PinterestList
        | ListPage
        | PinterestAudience
        | AudiencePage
        | list[QualityScore]
        | TokenGrant
        | None
    ) = None
    message: str = ""
    retry_after_seconds: float | None = None
    remaining_calls: int | None = None

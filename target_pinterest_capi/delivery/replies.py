"""Pinterest's answers about customer lists, audiences, quality scores and OAuth, as types. Plain data; no repr shows a token."""

from typing import Any, NamedTuple

import msgspec


class PinterestList(msgspec.Struct):
    """A customer list as Pinterest shows it: without its type, without its members. spec 5.23.0: CustomerList.

    `exceptions` is an object that is not described further; the counters rise for repeated and absent members too.
    """

    id: str
    name: str = ""
    status: str = ""
    exceptions: Any = None
    num_uploaded_user_records: float = 0
    num_removed_user_records: float = 0


class ListPage(msgspec.Struct):
    """A page of customer lists; a `bookmark` leads to the next one. spec 5.23.0: customer_lists/list."""

    items: list[PinterestList]
    bookmark: str | None = None


class AudienceRule(msgspec.Struct):
    """Whom an audience takes in. spec 5.23.0: AudienceRule."""

    customer_list_id: str | None = None


class PinterestAudience(msgspec.Struct):
    """An audience as Pinterest shows it. spec 5.23.0: Audience."""

    id: str
    audience_type: str | None = None
    rule: AudienceRule | None = None


class AudiencePage(msgspec.Struct):
    """A page of audiences; a `bookmark` leads to the next one. spec 5.23.0: audiences/list."""

    items: list[PinterestAudience]
    bookmark: str | None = None


class QualityIssue(msgspec.Struct):
    """What Pinterest finds wrong with a component. spec 5.23.0: QualityComponentIssue."""

    id: str = ""
    name: str = ""
    reason: str = ""


class ComponentQuality(msgspec.Struct):
    """One component of one event name, in per cent of its events; `overlap` is for external_event_id alone.

    spec 5.23.0: QualityComponentDetails.
    """

    coverage: float | None = None
    issues: list[QualityIssue] | None = None
    overlap: float | None = None


class QualityScore(msgspec.Struct):
    """The event quality score of one platform: its components by name, each by event name. spec 5.23.0: EventQualityScore."""

    quality_components: dict[str, dict[str, ComponentQuality] | None]
    overall_status: str = ""
    source_platform: str = ""
    ingestion_source: str = ""
    lookback_period: str = ""


class Grant(msgspec.Struct):
    """What an app is given for its refresh token; a new refresh token replaces the old one. spec 5.23.0: oauth/token."""

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


class Reply(NamedTuple):
    """What came back whole to a call that is not about events: `body` is None where the body is not what a success has."""

    status: int
    body: PinterestList | ListPage | PinterestAudience | AudiencePage | list[QualityScore] | Grant | None = None
    message: str = ""
    retry_after_seconds: float | None = None
    remaining_calls: int | None = None

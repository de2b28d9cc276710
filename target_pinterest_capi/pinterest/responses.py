"""Pinterest's responses as types, and what is known without a response.

Plain data; no repr shows a token.
"""

from enum import Enum
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

Body = TypeVar("Body")


class ApiResponse(NamedTuple, Generic[Body]):
    """A complete response; `message` is redacted.

    `body` is None if the response does not have the requested kind of body.
    """

    status: int
    body: Body | None = None
    message: str = ""
    retry_after_seconds: float | None = None
    remaining_calls: int | None = None


class NoResponseKind(Enum):
    """What is known about a request without a complete response."""

    NOT_SENT = "not sent"  # Pinterest cannot have seen it
    UNCERTAIN = "uncertain"  # it was written, completely or in part: it may have been processed
    UNTRUSTED = "untrusted"  # the server's certificate could not be verified


class NoResponse(NamedTuple):
    """An attempt without a complete response; `message` says why, without values."""

    kind: NoResponseKind
    message: str


class EventStatus(msgspec.Struct, gc=False):
    """Pinterest's verdict on one event, in the order of the request.

    docs/pinterest-api.md: Responses.
    """

    status: str
    error_message: str | None = None
    warning_message: str | None = None


EventsResponse: TypeAlias = ApiResponse[list[EventStatus]] | NoResponse
CallResponse: TypeAlias = ApiResponse[Any] | NoResponse


class CustomerListBody(msgspec.Struct):
    """A customer list as Pinterest shows it: without its type and members.

    docs/pinterest-api.md: Customer lists.

    `exceptions` is an object that is not documented further; the counters also rise for repeated
    and absent members.
    """

    id: str
    name: str = ""
    status: str = ""
    exceptions: Any = None
    num_uploaded_user_records: float = 0
    num_removed_user_records: float = 0


class CustomerListPage(msgspec.Struct):
    """A page of customer lists; a `bookmark` leads to the next one.

    docs/pinterest-api.md: Customer lists.
    """

    items: list[CustomerListBody]
    bookmark: str | None = None


class DefinedEvent(msgspec.Struct):
    """An event name of the advertiser's own. docs/pinterest-api.md: Advertiser-defined events."""

    name: str = ""
    mapped_conversion_type: str | None = None


class DefinedEvents(msgspec.Struct):
    """All event names that an ad account has defined."""

    items: list[DefinedEvent]


class ChangedEvent(msgspec.Struct):
    """The result for one name. docs/pinterest-api.md: Advertiser-defined events."""

    name: str
    status: str
    exceptions: list[str] | None = None


class ChangedEvents(msgspec.Struct):
    """The result for each name that was defined, changed or deleted."""

    items: list[ChangedEvent]


class DeletionRequest(msgspec.Struct):
    """A deletion request as Pinterest shows it: without the people it names.

    docs/pinterest-api.md: Deletion requests.
    """

    request_id: str
    status: str
    created_time: str | float | None = None
    processed_time: str | float | None = None


class DeletionRequestPage(msgspec.Struct):
    """A page of deletion requests; a `bookmark` leads to the next one."""

    items: list[DeletionRequest]
    bookmark: str | None = None


class AudienceRule(msgspec.Struct):
    """Whom an audience includes. docs/pinterest-api.md: Audiences (AudienceRule)."""

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
    """A problem that Pinterest found with a component.

    docs/pinterest-api.md: Event quality score (QualityComponentIssue).
    """

    id: str = ""
    name: str = ""
    reason: str = ""


class ComponentQuality(msgspec.Struct):
    """One component of one event name, in per cent of its events.

    Only external_event_id has `overlap`. docs/pinterest-api.md: Event quality score
    (QualityComponentDetails).
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
    """What an app gets for its refresh token; a new refresh token replaces the old one.

    docs/pinterest-api.md: OAuth.
    """

    access_token: str
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return "TokenGrant(...)"


class ConversionToken(msgspec.Struct):
    """A conversion token that was created for a user. docs/pinterest-api.md: OAuth."""

    access_token: str

    def __repr__(self) -> str:
        return "ConversionToken(...)"


class Credentials(NamedTuple):
    """An app's id and secret, and a user's refresh token."""

    client_id: str
    client_secret: str
    refresh_token: str

    def __repr__(self) -> str:
        return "Credentials(...)"

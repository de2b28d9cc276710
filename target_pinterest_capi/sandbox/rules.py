"""The settings of the sandbox's rules: what differs between accounts, and what is not known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from target_pinterest_capi.sandbox import oauth
from target_pinterest_capi.sandbox.identifiers import Matching
from target_pinterest_capi.sandbox.rates import CONVERSIONS, WRITE

DEFAULT_TOKEN: Final = "sandbox-token"  # noqa: S105 - made up, opens nothing
DEFAULT_AD_ACCOUNT: Final = "549755885175"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What differs between accounts, and what nobody knows for sure.

    Args:
        tokens: the ad accounts that each conversion token may use. OAuth's tokens may use all of
            these.
        app: the OAuth app, its credentials and what it was granted.
        defined_events: the advertiser's own event names at the start, which are processed without
            a warning.
        has_deletion: whether the beta of deletion requests is open to the app; else a 403.
        created_status: the answer to a POST that succeeds, 200 or 201: 5.28 has both.
        max_event_age_seconds: an older event fails (the 7 days that connectors state).
        max_ahead_seconds: an event further in the future fails.
        mixed_status: the answer when some events failed and some did not, 422 or 200: which one
            Pinterest gives is open.
        calls_per_minute: the limit of an ad account's events (5,000).
        reads_per_minute: the limit of ads_read, org_read and org_write, a user and an app (docs:
            1,000).
        writes_per_minute: the limit of ads_write, a user and an app: customer lists and audiences.
            Its number is open.
        max_list_bytes: a larger body of a customer list is refused. No limit is published.
        max_list_records: more records in a request are refused. No limit is published.
        list_processing_seconds: how long after an update a list is neither READY nor TOO_SMALL.
        removal_matching: whom a removal finds of several identifiers: the row of which it names
            every hashed one, or the row of which it names any. Which one it is, is open.
    """

    tokens: Mapping[str, Collection[str]] = field(
        default_factory=lambda: {DEFAULT_TOKEN: (DEFAULT_AD_ACCOUNT,)}
    )
    app: oauth.App = field(default_factory=oauth.App)
    defined_events: Collection[str] = ()
    has_deletion: bool = True
    created_status: Literal[200, 201] = 200
    max_event_age_seconds: int = 7 * 24 * 3600
    max_ahead_seconds: int = 3600
    mixed_status: Literal[200, 422] = 422
    calls_per_minute: int = 5000
    reads_per_minute: int = 1000
    writes_per_minute: int = 400
    max_list_bytes: int = 10_000_000
    max_list_records: int = 100_000
    list_processing_seconds: float = 10
    removal_matching: Matching = "every"

    def limit(self, counted: str) -> int:
        """Return the calls a minute of a rate category."""
        return {CONVERSIONS: self.calls_per_minute, WRITE: self.writes_per_minute}.get(
            counted, self.reads_per_minute
        )

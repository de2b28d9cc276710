"""Every setting: its name, type, limits, default and description."""

from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import PrivateAttr, SecretStr

from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.event import Mode
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES
from target_pinterest_capi.events.old_events import MOST_DAYS
from target_pinterest_capi.settings import values
from target_pinterest_capi.settings.declarations import (
    AccountId,
    ApiUrl,
    Country,
    DatabaseUrl,
    LocalPath,
    MetricsPath,
    NotifyUrl,
    Object,
    OldEventsNames,
    OldEventsPath,
    Quality,
    ReportPath,
    SettingsModel,
    Zone,
    setting,
)
from target_pinterest_capi.settings.objects import CustomerListEntry, MappingEntry, OAuth
from target_pinterest_capi.settings.problems import Problem

API_URL: Final = "https://api.pinterest.com/v5"  # docs/pinterest-api.md: Conversion events
SDK_OPTIONS: Final = (
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
)


class Settings(SettingsModel):
    """All settings of one run, checked: build it with `load`.

    Durations are seconds, ages and retention days.
    """

    ad_account_id: AccountId = setting(
        "Id of the Pinterest ad account, digits only. A mapping entry or a customer list can "
        "have its own.",
        ...,
        group="Account",
    )
    conversion_token: SecretStr | None = setting(
        "Conversion access token, generated in Ads Manager under Conversions. Required for "
        "events unless mode is dry_run.",
        group="Account",
    )
    conversion_token_file: LocalPath | None = setting(
        "A file that holds conversion_token.", group="Account"
    )
    oauth: OAuth | None = setting(
        "OAuth for customer lists and quality scores: access_token, or client_id, client_secret "
        "and token_path.",
        group="Account",
    )
    api_url: ApiUrl = setting(
        "Base address of the API: Pinterest's, a sandbox or a proxy. https, or http on this "
        "machine.",
        API_URL,
        group="Account",
    )
    mode: Mode = setting(
        "live; test: Pinterest validates events and records nothing; dry_run: nothing is sent. "
        "The last two write no STATE.",
        "live",
        group="Account",
    )

    mappings: tuple[MappingEntry, ...] | None = setting(
        "How records become events. Unset: every stream uses preset pinterest; set: streams that "
        "no entry names are skipped; []: no events, only customer_lists.",
        group="Mapping",
    )
    customer_lists: tuple[CustomerListEntry, ...] = setting(
        "How records become members of customer lists.", (), group="Mapping"
    )
    defaults: Object = setting(
        "Constants for every mapping, by Pinterest's field path.",
        values.Frozen({}),
        group="Mapping",
        hidden=True,
    )
    timezone: Zone = setting(
        "IANA name of the time zone in which times without an offset are read.",
        "UTC",
        group="Mapping",
    )
    default_country: Country | None = setting(
        "ISO 3166 code for phones and postal codes whose record names no country.", group="Mapping"
    )
    date_format: Literal["dmy", "mdy"] | None = setting(
        "Order of day and month in dates that are ambiguous without it.", group="Mapping"
    )
    postal_code: Literal["auto", "digits"] = setting(
        "auto: by country, with letters if its codes have them; digits: digits only, as "
        "Pinterest's documentation says.",
        "auto",
        group="Mapping",
    )
    external_id: Literal["keep", "lower"] = setting(
        "Whether external_id keeps its case or is lower-cased before hashing; choose what your "
        "browser tag does.",
        "keep",
        group="Mapping",
    )

    null_values: tuple[str, ...] = setting(
        "Strings that mean a missing value, in any case: dropped and counted, never hashed. "
        "A list replaces the default; [] switches it off.",
        DEFAULT_NULL_VALUES,
        group="Mapping",
    )

    url_query: Literal["keep", "drop"] = setting(
        "drop: the query and fragment of event_source_url are removed after click_id is derived; "
        "they often contain e-mail addresses.",
        "keep",
        group="Privacy",
    )
    dead_letter_keys: Literal["hashed", "plain"] = setting(
        "Whether dead letters hold key properties as SHA-256 digests or as they are.",
        "hashed",
        group="Privacy",
    )

    max_event_age_days: int | None = setting(
        "Older events are invalid; never, or null: no limit.",
        7,
        group="Outcomes",
        null="no limit",
        ge=1,
        le=36_500,
    )
    on_invalid: Literal["skip", "fail"] = setting(
        "skip: an invalid event becomes a dead letter and the run continues; fail: the run stops "
        "at the first one, with exit code 3.",
        "skip",
        group="Outcomes",
    )
    max_rejected_ratio: float | None = setting(
        "The run stops with exit code 3 when this share of events is invalid or rejected. 1: only "
        "when nothing is delivered; never, or null: no limit.",
        1.0,
        group="Outcomes",
        null="no limit",
        ge=0,
        le=1,
    )
    dead_letter_path: str = setting(
        "Where invalid and rejected events go, as JSON lines: a file, or an fsspec URL as a "
        "prefix.",
        "pinterest-rejected.jsonl",
        group="Outcomes",
        hidden=True,
    )
    old_events_path: OldEventsPath | None = setting(
        "Folder, or an fsspec URL as a prefix, for CSV files of events too old for the API and up "
        "to 30 days old, to be uploaded in Ads Manager. Needs ledger_url.",
        group="Outcomes",
        hidden=True,
    )
    old_events_names: OldEventsNames = setting(
        "Names in Ads Manager's template that its help page does not have: columns by field "
        "path, events and sources by name, {custom_data.value: value, web: web}.",
        values.Frozen({}),
        group="Outcomes",
        hidden=True,
    )
    report_path: ReportPath | None = setting(
        "Where the run's report goes: a .json or .html file.", group="Outcomes", hidden=True
    )
    metrics_path: MetricsPath | None = setting(
        "A .prom file with the numbers of the runs, for Prometheus's node exporter.",
        group="Outcomes",
        hidden=True,
    )
    telemetry: Literal["none", "otlp"] = setting(
        "otlp: spans and metrics of a run are sent to the receiver in OpenTelemetry's OTEL_* "
        "variables. Needs the extra otel.",
        "none",
        group="Outcomes",
    )
    quality: Quality = setting(
        "Least coverage of delivered events in per cent, by event name or all: {checkout: "
        "{hashed_email: 80}}; also events, events_of_usual, within_an_hour.",
        values.Frozen({}),
        group="Outcomes",
        hidden=True,
    )
    on_low_quality: Literal["warn", "fail"] = setting(
        "What a run does if it falls short of quality: warn, or end with exit code 3 after "
        "everything is delivered.",
        "warn",
        group="Outcomes",
    )
    ledger_url: DatabaseUrl | None = setting(
        "SQLAlchemy URL of the ledger, a deduplication store such as sqlite:///ledger.db: events "
        "that were delivered are not sent again.",
        group="Outcomes",
    )
    ledger_retention_days: int = setting(
        "How long delivered events are remembered; at least max_event_age_days. Default: 7.",
        7,
        group="Outcomes",
        ge=1,
        le=36_500,
    )
    results_url: DatabaseUrl | None = setting(
        "SQLAlchemy URL of a database for the results: a table of the runs, and one of the "
        "events' outcomes. It can be the ledger's.",
        group="Outcomes",
    )
    results_events: Literal["failed", "all"] = setting(
        "Which events have a row in the results: failed, those that were invalid or rejected; "
        "all, the delivered ones too.",
        "failed",
        group="Outcomes",
    )
    results_retention_days: int = setting(
        "How long the results of a run are kept.",
        90,
        group="Outcomes",
        ge=1,
        le=36_500,
    )
    notify_url: NotifyUrl | None = setting(
        "A webhook that gets a POST of JSON at the end of a run, in the format of Slack or "
        "Teams if it is theirs.",
        group="Outcomes",
    )
    notify_format: Literal["auto", "json", "slack", "teams"] = setting(
        "auto: by the host of notify_url, Slack's or Teams's format if it is theirs, else json.",
        "auto",
        group="Outcomes",
    )
    notify_on: Literal["failure", "always", "change"] = setting(
        "When to notify: failure; always; or change, the first failure and the first success "
        "after it, which needs results_url.",
        "failure",
        group="Outcomes",
    )
    on_uncertain: Literal["resend", "reject"] = setting(
        "After a request whose outcome is unknown: resend (at least once), or reject what "
        "Pinterest cannot deduplicate (at most once).",
        "resend",
        group="Outcomes",
    )

    batch_size_rows: int = setting(
        "Events per request, 1 to 1,000.", 1000, group="Delivery", ge=1, le=1000
    )  # docs/pinterest-api.md: Conversion events (maxItems)
    batch_max_bytes: int = setting(
        "Size of a request's body in bytes.", 2_000_000, group="Delivery", ge=1000, le=100_000_000
    )
    batch_wait_seconds: float = setting(
        "How long a partial batch waits before it is sent.",
        10,
        group="Delivery",
        gt=0,
        le=3600,
    )
    max_in_flight: int = setting(
        "Requests in flight at once; fewer while Pinterest returns 429.",
        16,
        group="Delivery",
        ge=1,
        le=256,
    )
    max_requests_per_minute: int = setting(
        "Requests per minute and ad account, unless Pinterest's headers ask for fewer.",
        5000,
        group="Delivery",
        ge=1,
        le=120_000,
    )
    request_timeout_seconds: float = setting(
        "Time limit of one attempt, including the complete response.",
        30,
        group="Delivery",
        gt=0,
        le=600,
    )
    max_retry_seconds: float = setting(
        "Time limit of all attempts of one batch; then the run stops, and STATE stays before it.",
        300,
        group="Delivery",
        ge=0,
        le=86_400,
    )
    shutdown_grace_seconds: float = setting(
        "How long requests in flight have to finish after SIGTERM or SIGINT.",
        20,
        group="Delivery",
        ge=0,
        le=3600,
    )
    list_batch_size: int = setting(
        "Customer-list members per request.", 10_000, group="Delivery", ge=1, le=10_000
    )
    list_wait_seconds: float = setting(
        "How long customer-list operations are collected before they are sent.",
        300,
        group="Delivery",
        gt=0,
        le=86_400,
    )

    validate_records: bool = setting(
        "Check records against the tap's schema as well; an invalid one becomes a dead letter.",
        False,
        group="Singer",
    )
    stream_maps: Object | None = setting(
        "The SDK's inline stream maps, applied before the mapping.", group="Singer", hidden=True
    )
    stream_map_config: Object | None = setting(
        "Values for the expressions of stream_maps.", group="Singer", hidden=True
    )
    faker_config: Object | None = setting(
        "The SDK's options for fake data in stream_maps: seed and locale.",
        group="Singer",
        hidden=True,
    )
    flattening_enabled: bool | None = setting(
        "Flatten nested columns before the mapping.", group="Singer"
    )
    flattening_max_depth: int | None = setting(
        "How deep nested columns are flattened.", group="Singer", ge=0
    )
    flattening_max_key_length: int | None = setting(
        "Longest name of a flattened column.", group="Singer", ge=1
    )
    flattening_separator: str | None = setting(
        "What joins the names of a flattened column.", group="Singer"
    )

    _warnings: tuple[Problem, ...] = PrivateAttr(default=())

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Settings that are allowed but probably wrong: logged once, at the start."""
        return self._warnings

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which times without an offset are read."""
        return ZoneInfo(self.timezone)

    @property
    def oldest_days(self) -> int | None:
        """How old an event may be, for the API or for a file; None without a limit."""
        return self.max_event_age_days if self.old_events_path is None else MOST_DAYS

    @property
    def has_statistics(self) -> bool:
        """Whether a run counts what its delivered events have."""
        places = (self.report_path, self.results_url, self.metrics_path)
        return bool(self.quality) or any(place is not None for place in places)

    @property
    def options(self) -> Options:
        """The settings that affect values, for building events."""
        country = self.default_country
        return Options(
            zone=self.zone,
            default_country=None if country is None else country.lower(),
            date_format=self.date_format,
            postal_code_digits=self.postal_code == "digits",
            external_id_lower=self.external_id == "lower",
            drop_url_query=self.url_query == "drop",
            max_event_age_days=self.oldest_days,
            plain_keys=self.dead_letter_keys == "plain",
            null_values=self.null_values,
            has_statistics=self.has_statistics,
        )

    def sdk_options(self) -> dict[str, Any]:
        """Return the SDK's own options that were given, as plain values."""
        options: dict[str, Any] = {}
        for name in SDK_OPTIONS:
            if name in self.model_fields_set:
                value = getattr(self, name)
                options[name] = dict(value) if isinstance(value, values.Frozen) else value
        return options

"""Names that people may expect to be settings, and what to set instead."""

from typing import Final

# Settings of other destinations for Pinterest, Meta and TikTok, of their tags, and of the jobs of
# customer data platforms.
_TOKEN: Final = "is not a setting: set conversion_token"  # noqa: S105 - words
_ACCOUNT: Final = "is not a setting: set ad_account_id, the number of the ad account"
_TAG: Final = "is not a setting: the Conversions API uses the ad account. Set ad_account_id"
_INVALID: Final = "is not a setting: set on_invalid, to skip or fail"
_MODE: Final = "is not a setting: set mode, to live, test or dry_run"
_OAUTH: Final = "is not a setting at the top level: set it as a member of oauth"
_HASHED: Final = "is not a setting: identifiers of people are always hashed. Remove it"
_MAPPED: Final = "is not a setting: set it in mappings, by stream"
_DEFAULT: Final = "is not a setting: set it in defaults"
_FIELDS: Final = "is not a setting: set fields in mappings, by stream"
_LISTED: Final = "is not a setting: set it in customer_lists, by stream"
_WHEN: Final = "is not a setting: set when, in an entry of mappings or customer_lists"
_READ: Final = "has no meaning here: every record that the tap sends is read. Remove it"
# Settings that prevent events from being sent, or from counting.
OF_THE_MODE: Final = (
    "test_event",
    "test_events",
    "test_mode",
    "test_event_code",
    "test",
    "dry_run",
    "dryrun",
    "dry",
)
# What an entry of customer_lists calls them.
_OF_A_LIST: Final = {
    **dict.fromkeys(("email_field", "sha256_email_field", "mobile_id_field"), "member"),
    "pinterest_list_id": "list_id",
    "audience_name": "list_name",
}
_OF_JOBS: Final = {
    **dict.fromkeys(("segment_id", "audience_events"), _WHEN),
    **dict.fromkeys(("field_changes", "withbackfill"), _READ),
}
OF_OTHER_LISTS: Final = {
    "pinterest_account_id": _ACCOUNT,
    **{theirs: f"is not a setting: set {ours}" for theirs, ours in _OF_A_LIST.items()},
    **_OF_JOBS,
}
OF_OTHER_PRODUCTS: Final = {
    **dict.fromkeys(("api_key", "api_token", "token", "conversion_access_token"), _TOKEN),
    **dict.fromkeys(
        ("account_id", "advertiser_id", "adaccount_id", "ad_account", "pinterest_account_id"),
        _ACCOUNT,
    ),
    **dict.fromkeys(("pixel_id", "tag_id", "pinterest_tag_id", "dataset_id"), _TAG),
    **dict.fromkeys(
        ("skip_invalid_record", "skip_invalid_records", "ignore_invalid_records", "on_error"),
        _INVALID,
    ),
    **dict.fromkeys((*OF_THE_MODE, "debug"), _MODE),
    **dict.fromkeys(("client_id", "client_secret", "refresh_token", "token_path"), _OAUTH),
    **dict.fromkeys(("hash_data", "hash_pii", "hashing", "enable_hashing"), _HASHED),
    **dict.fromkeys(("event_name", "event_names", "fields", "preset", "streams"), _MAPPED),
    **dict.fromkeys(("identifier_mapping", "required_mapping"), _FIELDS),
    **dict.fromkeys(("list_id", "list_name", "list_type", "member", "operation"), _LISTED),
    **{
        theirs: f"is not a setting: set {ours} in customer_lists"
        for theirs, ours in _OF_A_LIST.items()
    },
    **_OF_JOBS,
    **dict.fromkeys(("action_source", "currency", "partner_name", "opt_out_type"), _DEFAULT),
    **dict.fromkeys(("endpoint", "base_url", "url", "host"), "is not a setting: set api_url"),
    **dict.fromkeys(("batch_size", "max_batch_size"), "is not a setting: set batch_size_rows"),
    **dict.fromkeys(
        ("timeout", "timeout_seconds"), "is not a setting: set request_timeout_seconds"
    ),
    **dict.fromkeys(("max_retries", "retries"), "is not a setting: set max_retry_seconds"),
    "api_version": "is not a setting: the version is at the end of api_url",
}
FOREIGN: Final = {
    "add_record_metadata": "has no meaning here: events cannot have _sdc_ columns. Remove it",
    "load_method": "has no meaning here: events are only ever added. Remove it",
    "batch_config": "has no meaning here: it sets how files are written, and this target sends "
    "events. Set batch_size_rows instead",
    "batch_wait_limit_seconds": "has no meaning here: set batch_wait_seconds instead",
    "default_target_schema": "has no meaning here: Pinterest has no schemas. Remove it",
    "hard_delete": (
        "has no meaning here: a deleted row does not delete an event. Remove it, and use "
        "`pinterest-capi forget` to delete people's data"
    ),
    "process_activate_version_messages": "has no meaning here: events have no versions. Remove it",
    "use_singer_decimal": "has no meaning here: amounts are always exact decimals. Remove it",
    "access_token": "is not a setting: set conversion_token for events, or oauth.access_token for "
    "customer lists",
    **OF_OTHER_PRODUCTS,
}

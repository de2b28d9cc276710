"""Why a value was dropped from an event, or a record did not become an event: closed lists.

A reason's value is its name in logs, dead letters and reports; `advice` says what to do about it.
"""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A reason's name, and its advice."""

    advice: str

    def __new__(cls, value: str, advice: str) -> Self:
        """Create a member from its name for machines and its advice for people."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.advice = advice
        return member


class Dropped(Reason):
    """Why a value was dropped from its event. The event itself is sent."""

    EMPTY = "empty", "Nothing is left of the value after cleaning. Nothing to do."
    NOT_TEXT = "not_text", "It is a list or an object instead of a string: map one of its members."
    UNMATCHABLE_DIGEST = (
        "unmatchable_digest",
        "It looks like MD5 or SHA-1, which Pinterest cannot match: send it plain, or as SHA-256.",
    )
    EMPTY_DIGEST = (
        "empty_digest",
        "It is the digest of an empty string, or of null or undefined: hash only what is there.",
    )
    NULL_VALUE = (
        "null_value",
        "It is a word for a missing value, such as null or n/a. If it is a value, set null_values.",
    )
    NOT_AN_EMAIL = "not_an_email", "It does not have the form x@y.z: check the column."
    NOT_A_PHONE = (
        "not_a_phone",
        "It has letters, no digits, or more than 15: check the column.",
    )
    DIGITS_LOST = (
        "digits_lost",
        "A spreadsheet wrote it with an exponent and lost digits: export the column as text.",
    )
    UNKNOWN_GENDER = "unknown_gender", "It is not a word for female, male or non-binary."
    NOT_A_DATE = "not_a_date", "It is not a possible calendar date: check the column."
    AMBIGUOUS_DATE = (
        "ambiguous_date",
        "Day and month cannot be told apart: set date_format to dmy or mdy.",
    )
    UNKNOWN_COUNTRY = (
        "unknown_country",
        "It is neither an ISO 3166 code nor a country's name in English or its own language.",
    )
    NOT_A_POSTAL_CODE = (
        "not_a_postal_code",
        "It has no digits, or the wrong number of them for the country: check the column.",
    )
    NOT_A_MAID = (
        "not_a_maid",
        "It is neither an advertising id (8-4-4-4-12 hex digits) nor a digest: check the column.",
    )
    TRACKING_OFF = (
        "tracking_off",
        "The advertising id is all zeros: its user has switched tracking off. Nothing to do.",
    )
    UNKNOWN_CURRENCY = (
        "unknown_currency",
        "It is not an ISO 4217 currency code: Pinterest would take the account's own currency.",
    )
    UNKNOWN_LANGUAGE = "unknown_language", "It does not start with a two-letter ISO 639-1 code."
    NOT_AN_IP_ADDRESS = (
        "not_an_ip_address",
        "It is not an IPv4 or IPv6 address of a user: check the column.",
    )
    NOT_A_CLICK_ID = (
        "not_a_click_id",
        "It has names and values, such as cookies, and no single _epik or epik: check the column.",
    )
    NOT_AN_AMOUNT = "not_an_amount", "It is not a finite decimal number: check the column."
    AMOUNT_OUT_OF_RANGE = (
        "amount_out_of_range",
        "It has more than 18 integer or 9 fraction digits: round it.",
    )
    NOT_AN_INTEGER = "not_an_integer", "It is not a whole number: check the column."
    OUT_OF_RANGE = "out_of_range", "It is outside the range that Pinterest allows for the field."
    NOT_A_BOOLEAN = "not_a_boolean", "It is neither true nor false: check the column."
    NOT_A_TIME = (
        "not_a_time",
        "It is not a time, or an ambiguous one: check the column, or use to_date().",
    )
    UNKNOWN_CHOICE = (
        "unknown_choice",
        "It is not one of the values that Pinterest lists for the field.",
    )
    TOO_LONG = "too_long", "It is longer than Pinterest allows for the field: shorten it."
    NOT_AN_ITEM = (
        "not_an_item",
        "An item of the list is not an object with id, price, quantity ...: map its members.",
    )
    EXPRESSION_ERROR = (
        "expression_error",
        "The expression failed on the record: try it with pinterest-capi preview.",
    )
    UNREADABLE_JSON = (
        "unreadable_json",
        "It is a string that may be a list or an object, but is not written as either: send JSON.",
    )


class Warned(Reason):
    """What is sent unchanged but counted, because it may not have the intended effect."""

    SEVERAL_VALUES = (
        "several_values",
        "It is a list instead of one value, and the first was sent: map one of its members.",
    )
    PRIVATE_ADDRESS = (
        "private_address",
        "An address of a private network matches nobody: map the user's address from the proxy.",
    )
    PARTIAL_ADDRESS = (
        "partial_address",
        "The address of the page has no scheme or no host: map the full one, with https://.",
    )
    PHONE_WITHOUT_COUNTRY = (
        "phone_without_country",
        "A national number was sent without a country code: map country, or set default_country.",
    )
    LDP_INCOMPLETE = (
        "ldp_incomplete",
        "opt_out_type LDP takes effect only with st and country: map both.",
    )
    LDP_WITHOUT_EFFECT = (
        "ldp_without_effect",
        "opt_out_type LDP is for people in the United States; the record's country is another.",
    )
    UNKNOWN_OPT_OUT_TYPE = (
        "unknown_opt_out_type",
        "Pinterest processes only opt_out_type LDP; to opt a person out of all use, map opt_out.",
    )
    VALUE_NOT_POSITIVE = (
        "value_not_positive",
        "The value is zero or less, which Pinterest advises against: map the amount that was paid.",
    )
    VALUE_UNUSUALLY_HIGH = (
        "value_unusually_high",
        "The value is 1,000,000,000 or more: check its unit and the column.",
    )
    NO_CURRENCY = (
        "no_currency",
        "A value without a currency counts in the account's own: map currency.",
    )
    BOT_USER_AGENT = (
        "bot_user_agent",
        "The user agent is a program's, not a browser's: map the visitor's, or skip it by `when`.",
    )
    IMPOSSIBLE_USER_AGENT = (
        "impossible_user_agent",
        "No browser or app has such a user agent: check the column.",
    )
    REPEATED_IDENTIFIER = (
        "repeated_identifier",
        (
            "Over a fifth of the examined events have the same identifier: check whether it is a "
            "test address, or your server's."
        ),
    )
    SAME_NAMES = (
        "same_names",
        "First and last name are the same: map each from its own column, or split the full name.",
    )
    REPEATED_HOUR = (
        "repeated_local_hour",
        "Clocks were set back, so the local time occurred twice: map a time with its offset.",
    )
    SKIPPED_HOUR = (
        "skipped_local_hour",
        "Clocks were set forward past the local time: check the setting timezone.",
    )


class Invalid(Reason):
    """Why a record could not become an event: it is a dead letter, never sent."""

    MISSING_FIELD = "missing_field", "A required field has no value: map it, or give it a default."
    BAD_FIELD = "bad_field", "The value of a required field cannot be used: see its detail."
    NO_IDENTIFIER = (
        "no_identifier",
        "Pinterest needs em, hashed_maids, or client_ip_address with client_user_agent.",
    )
    MISSING_KEY = (
        "missing_key",
        "event_id is derived from the key properties, and the record lacks one: map event_id.",
    )
    EVENT_TOO_OLD = (
        "event_too_old",
        (
            "Pinterest refuses old events: send them sooner. With old_events_path those of up to "
            "30 days are written to files for Ads Manager."
        ),
    )
    EVENT_IN_FUTURE = (
        "event_in_future",
        "event_time is over an hour ahead: check its unit and the setting timezone.",
    )
    BAD_ACCOUNT = "bad_account", "The entry's ad_account_id is not a number for this record."
    EVENT_TOO_LARGE = (
        "event_too_large",
        "The event alone is larger than batch_max_bytes: shorten its strings or lists.",
    )
    SCHEMA_VIOLATION = (
        "schema_violation",
        "validate_records is on, and the record does not fit the tap's schema.",
    )


class NotWritten(Reason):
    """Why an event that is too old for the API has no row in a file of `old_events_path`."""

    NO_COLUMN = (
        "no_column",
        (
            "The row would lose it: set its column in old_events_names, as in Ads Manager's "
            "template, and replay the dead letter."
        ),
    )
    NO_NAME = (
        "no_name_in_file",
        (
            "Its name in the file is not known: add it to old_events_names, as in Ads Manager's "
            "template, and replay the dead letter."
        ),
    )
    NO_EMAIL_OR_MAID = (
        "no_email_or_maid",
        "The file identifies people by e-mail address, or by an advertising id not from iOS.",
    )


class Skipped(Reason):
    """Why the configuration skips a record or an event: not sent, and no dead letter."""

    NO_MAPPING = (
        "no_mapping",
        "No entry of mappings names the stream: add one, or deselect the stream in the tap.",
    )
    WHEN = "when", "The entry's `when` is false for the record. Nothing to do."
    DELETED = (
        "deleted",
        "Its _sdc_deleted_at says that the row was deleted: `deleted: send` in the entry sends it.",
    )
    NOT_LISTED = (
        "name_not_listed",
        "The entry's event_names do not list its name: add it, or give a default event_name.",
    )
    STREAM_MAP = "stream_map", "The SDK's stream_maps filtered the record out. Nothing to do."
    WRITTEN_TO_CSV = (
        "written_to_csv",
        (
            "Too old for the API: it is a row in the files of old_events_path. Upload them in "
            "Ads Manager."
        ),
    )
    IN_LEDGER = (
        "in_ledger",
        (
            "Its name and event_id are in the ledger, from this run or an earlier one. If these "
            "are different events, map event_id to a column that differs."
        ),
    )
    MELTANO_TEST = (
        "meltano_test",
        "`meltano config test` sent it to check token and ad account; nothing was recorded.",
    )
    TESTED = (
        "tested",
        "The entry's mode is test: Pinterest checked the event and recorded nothing.",
    )
    DRY_RUN = "dry_run", "mode is dry_run: the event was built but not sent."

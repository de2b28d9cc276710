"""The run report, as JSON with a published schema.

Owns the format: the classes below are docs/report-schema.json. Has counts, names and messages;
never a record's value, a token or a path.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec

from target_pinterest_capi.reporting.customer_lists import CustomerListReport

FORMAT: Final = 1
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _about(words: str, **limits: Any) -> msgspec.Meta:
    return msgspec.Meta(description=words, **limits)


Count = Annotated[int, msgspec.Meta(ge=0)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class RunSection(msgspec.Struct, frozen=True, kw_only=True):
    """Which run it was, and how it ended."""

    id: Annotated[str, _about("The run's id in its log and dead letters.")]
    ad_account_id: str
    mode: Literal["live", "test", "dry_run"]
    api: Annotated[str, _about("The host that events were sent to.")]
    started_at: datetime
    ended_at: datetime
    seconds: Annotated[
        float, _about(("How long the run took, including its wait for the tap."), ge=0)
    ]
    exit_code: Annotated[
        int, _about("0 done, 1 stopped on an error, 3 too much rejected, 130 or 143 interrupted.")
    ]
    stopped: Annotated[
        str | None, _about("Why the run stopped, and what to do; null if it did not.")
    ]
    records: Annotated[int, _about("Records that were read.", ge=0)]
    states_written: Annotated[int, _about("STATE messages that were written.", ge=0)]
    dead_letters_written: Annotated[int, _about("Lines written to the dead letters.", ge=0)]
    dead_letters: Annotated[
        str, _about("The name of the dead letters' file, without its directory.")
    ]
    versions: Annotated[dict[str, str], _about("Of this target and its most important packages.")]
    settings: Annotated[
        dict[str, str | int | float | bool | None],
        _about("Settings in effect; no secrets and no paths."),
    ]
    is_sandbox: Annotated[
        bool, _about("Whether `api` is this machine, so that nothing reached Pinterest.")
    ] = False
    without_outcome: Annotated[
        int,
        _about("Events and members without an outcome; the next run reads them again.", ge=0),
    ] = 0
    members_without_outcome: Annotated[
        int, _about("How many of `without_outcome` are members of customer lists.", ge=0)
    ] = 0


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Events and members of customer lists by how they ended."""

    delivered: Count
    invalid: Count
    rejected: Count
    skipped: Count


NO_MEMBERS: Final = Totals(delivered=0, invalid=0, rejected=0, skipped=0)


class OriginOutcomes(Totals, frozen=True, kw_only=True):
    """The same for one stream and the mapping entry that took its records."""

    stream: str
    mapping: Annotated[str, _about("Empty if no entry selected them.")]
    counts: Annotated[
        Literal["events", "members"], _about("members: of a customer list, named by `mapping`.")
    ] = "events"


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """Why events of a stream and entry were not delivered, how many, and what to do about it."""

    stream: str
    mapping: str
    outcome: Literal["invalid", "rejected", "skipped"]
    reason: str
    event_name: Annotated[
        str | None, _about("The name that no entry lists, if that is the reason.")
    ]
    events: Count
    advice: str
    field: Annotated[
        str | None, _about("The required field without a usable value, if that is the reason.")
    ] = None


class ValueCount(msgspec.Struct, frozen=True, kw_only=True):
    """Values of a field that were dropped from their events, or sent but perhaps wrong."""

    stream: str
    mapping: str
    field: str
    reason: str
    sent: Annotated[bool, _about("Whether the value was sent with its event nevertheless.")]
    values: Count
    advice: str


class WarningCount(msgspec.Struct, frozen=True, kw_only=True):
    """A warning of Pinterest about accepted events, without the values that it quoted."""

    message: str
    events: Count
    event_names: Annotated[dict[str, int], _about("Number of events by event name.")] = {}


class AmountCount(msgspec.Struct, frozen=True, kw_only=True):
    """What the events of a name were worth in one currency: sums of custom_data.value."""

    event_name: str
    currency: Annotated[str | None, _about("Null: the events have none and use the account's.")]
    delivered: Annotated[Decimal, _about("A decimal as a string.")]
    delivered_events: Count
    rejected: Annotated[Decimal, _about("The same for events that Pinterest refused.")]
    rejected_events: Count


class ComponentCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One component of one event name."""

    events: Annotated[int, _about("Events that have it.", ge=0)]
    coverage: Annotated[
        float,
        _about("The same in per cent of the name's events, as Pinterest shows it.", ge=0, le=100),
    ]


class NameCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """Coverage and ids of the events of one name."""

    event_name: str
    events: Annotated[int, _about("All of them were examined.", ge=0)]
    components: Annotated[
        dict[str, ComponentCoverage],
        _about("By Pinterest's names of the components of its event quality score."),
    ]
    repeated_ids: Annotated[
        int, _about("Events with the id of an earlier one of this run; see event_ids_exact.", ge=0)
    ]
    derived_ids: Annotated[
        int,
        _about(
            "Events whose record had no event_id, so that it was derived; replayed events have the "
            "id of their dead letter.",
            ge=0,
        ),
    ] = 0
    action_sources: Annotated[dict[str, int], _about("Number of events by action_source.")] = {}


class TimeBucket(msgspec.Struct, frozen=True, kw_only=True):
    """Events that happened from `start` on, within the width of a bucket."""

    start: datetime
    events: Count


class DelayBucket(msgspec.Struct, frozen=True, kw_only=True):
    """Events that took at most so long to reach Pinterest, and more than in earlier buckets."""

    up_to_seconds: Annotated[int | None, _about("Null: any longer.")]
    events: Count


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """From event_time to Pinterest's response."""

    within_an_hour: Count
    late_online: Annotated[
        int,
        _about(
            "Events, except offline ones, that took longer: Pinterest reports them as offline.",
            ge=0,
        ),
    ]
    buckets: list[DelayBucket]


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of the delivered events."""

    basis: Annotated[Literal["delivered", "would_be_sent"], _about("would_be_sent in a dry run.")]
    events: Count
    event_ids_exact: Annotated[
        bool, _about("False in long runs, in which repeated ids are estimated.")
    ]
    by_event_name: list[NameCoverage]
    bucket_seconds: Annotated[
        int, _about("Width of the buckets of over_time: an hour, a day, a week or more.")
    ]
    over_time: Annotated[list[TimeBucket], _about("By event_time, UTC; empty buckets are omitted.")]
    delays: Delays


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to Pinterest."""

    sent: Count
    repeated: Annotated[int, _about("How many of them were retries.", ge=0)]
    bisecting: Annotated[
        int,
        _about("How many of them bisected a refused request.", ge=0),
    ]
    events_per_second: Annotated[
        float, _about(("Delivered events divided by the run's seconds."), ge=0)
    ]


class NotFound(msgspec.Struct, frozen=True, kw_only=True):
    """A stream or a column that the configuration names but the input does not have."""

    setting: Annotated[str, _about("The path of the setting that names it.")]
    message: Annotated[str, _about("What is missing, and a similar name if there is one.")]


class ConstantId(msgspec.Struct, frozen=True, kw_only=True):
    """A name whose events, at least ten, all have the same id."""

    event_name: str
    events: Annotated[int, _about("With those that the ledger kept from being sent again.", ge=0)]


class LowQuality(msgspec.Struct, frozen=True, kw_only=True):
    """A measure of delivered events that is below the limit in the setting quality."""

    event_name: str
    measure: Annotated[str, _about("A component, events or within_an_hour.")]
    measured: Annotated[float, _about("In per cent, or a number of events.")]
    asked: float
    events: Count
    message: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of target-pinterest-capi did."""

    format: Annotated[
        Literal[1], _about("Version of this format. Members may be added without a new number.")
    ]
    run: RunSection
    totals: Totals
    outcomes: list[OriginOutcomes]
    reasons: list[ReasonCount]
    values: list[ValueCount]
    warnings: list[WarningCount]
    delivered: Delivered
    requests: Requests
    customer_lists: list[CustomerListReport] = []
    not_found: list[NotFound] = []
    members: Annotated[
        Totals, _about("The part of `totals` that is members of customer lists.")
    ] = NO_MEMBERS
    amounts: list[AmountCount] = []
    low_quality: list[LowQuality] = []
    constant_ids: list[ConstantId] = []


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Report).decode
_quoted: Final = re.compile(r"'.*?'", re.DOTALL)


class ReportError(Exception):
    """A file that is not a report; the message says why, without its content."""


def encode(report: Report) -> bytes:
    """Return the report as indented JSON."""
    return msgspec.json.format(_encode(report), indent=2) + b"\n"


def decode(text: bytes) -> Report:
    """Parse a report. Raises `ReportError`."""
    try:
        return _decode(text)
    except msgspec.ValidationError as error:
        raise ReportError(f"it is not a run report of format {FORMAT}: {_place(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ReportError("it is not JSON") from None


def _place(error: msgspec.ValidationError) -> str:
    """Return what is wrong and where in the file; at most a member's name, and no value."""
    return _quoted.sub("'…'", str(error)).replace(" - at ", " at ")


def schema() -> Mapping[str, Any]:
    """Return the format as JSON Schema."""
    made = msgspec.json.schema(Report)
    return {"$schema": DIALECT, "title": "Run report of target-pinterest-capi", **made}


def schema_text() -> str:
    """Return the text of docs/report-schema.json."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"

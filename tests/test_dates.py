"""Times and dates as databases, spreadsheets, languages and exports write them."""

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi.events import coerce, normalize
from target_pinterest_capi.events.reasons import Dropped, Warned

BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
SECONDS = int(MOMENT.timestamp())

SAME_MOMENT = [
    # PostgreSQL
    "2026-11-25 10:00:00+00",
    "2026-11-25 10:00:00.123456+00",
    "2026-11-25 11:00:00+01:00",
    "Wed Nov 25 10:00:00 2026 UTC",
    "25 Nov 2026 10:00:00 UTC",
    # MySQL, SQLite
    "2026-11-25 10:00:00",
    "2026-11-25 10:00:00.000000",
    "20261125100000",
    20261125100000,
    "20261125100000.123",
    # SQL Server
    "2026-11-25 10:00:00.1234567 +00:00",
    "2026-11-25T10:00:00.1234567",
    "Nov 25 2026 10:00AM",
    "Nov 25 2026 10:00:00:123AM",
    "25 Nov 2026 10:00:00:123",
    # Oracle
    "25-NOV-2026 10:00:00",
    "25-NOV-2026 10.00.00.000000 AM",
    "25-NOV-2026 10.00.00.000000000 AM +00:00",
    "25-NOV-2026 11.00.00 AM EUROPE/BERLIN",
    # Db2, SAS, Teradata
    "2026-11-25-10.00.00.000000",
    "25NOV2026:10:00:00",
    "25NOV2026:10:00:00.000000",
    "2026-11-25:10:00:00",
    "2026/11/25:10:00:00",
    # Snowflake, BigQuery, Databricks
    "2026-11-25 02:00:00.000 -0800",
    "Wed, 25 Nov 2026 10:00:00 +0000",
    "Wed, 25 Nov 2026 02:00:00 -0800",
    "2026-11-25 02:00:00.123 America/Los_Angeles",
    "2026-11-25 10:00:00 UTC",
    "2026-11-25 10:00:00.123456 UTC",
    "2026-11-25T10:00:00.000+0000",
    "2026-11-25 10:00:00.000 UTC+00:00",
    "2026-11-25 10:00:00.123456789 +00:00 UTC",
    {"value": "2026-11-25T10:00:00.000Z"},
    # MongoDB, DynamoDB, Firestore, protobuf
    {"$date": "2026-11-25T10:00:00Z"},
    {"$date": "2026-11-25T10:00:00.123Z"},
    {"$date": SECONDS * 1000},
    {"$date": {"$numberLong": str(SECONDS * 1000)}},
    '{"$date": "2026-11-25T10:00:00Z"}',
    'ISODate("2026-11-25T10:00:00Z")',
    {"N": str(SECONDS)},
    {"S": "2026-11-25T10:00:00Z"},
    {"_seconds": SECONDS, "_nanoseconds": 123_000_000},
    {"seconds": str(SECONDS), "nanos": 0},
    # Python, Ruby, PHP, Swift
    "Wed Nov 25 10:00:00 2026",
    "2026-11-25 10:00:00 +0000",
    "2026-11-25 10:00:00+0000",
    "Timestamp('2026-11-25 10:00:00')",
    "Timestamp('2026-11-25 11:00:00+0100', tz='Europe/Berlin')",
    "Wednesday, 25-Nov-26 10:00:00 UTC",  # RFC 850: the weekday says which century
    "Wednesday, 25-Nov-26 10:00:00 GMT",
    "Wednesday, 25-Nov-2026 10:00:00 UTC",
    "Wednesday, 25 November 2026 10:00:00 GMT",
    # JavaScript
    "Wed Nov 25 2026 10:00:00 GMT+0000 (Coordinated Universal Time)",
    "Wed Nov 25 2026 11:00:00 GMT+0100 (Central European Standard Time)",
    "Wed Nov 25 2026 10:00:00 GMT+0000",
    "Wed, 25 Nov 2026 10:00:00 GMT",
    'new Date("2026-11-25T10:00:00Z")',
    '"2026-11-25T10:00:00.000Z"',
    "11/25/2026, 10:00:00 AM",
    "11/25/2026, 10:00:00\u202fAM",
    "25/11/2026, 10:00:00",
    "25.11.2026, 10:00:00",
    # Java, Go, .NET
    "Wed Nov 25 10:00:00 UTC 2026",
    "Wed Nov 25 11:00:00 CET 2026",
    "2026-11-25T11:00:00+01:00[Europe/Berlin]",
    "2026-11-25T10:00:00Z[UTC]",
    "Nov 25, 2026 10:00:00 AM",
    "Nov 25, 2026, 10:00:00 AM",
    "2026-11-25 10:00:00 +0000 UTC",
    "2026-11-25 11:00:00.5 +0100 CET",
    "2026-11-25 10:00:00 +0000 UTC m=+0.000012",
    "2026-11-25 13:00:00 +0300 +03",
    f"/Date({SECONDS * 1000})/",
    f"/Date({SECONDS * 1000}+0100)/",
    "11/25/2026 10:00:00 AM",
    "11/25/2026 10:00:00 AM +00:00",
    "Wednesday, November 25, 2026 10:00:00 AM",
    "Wednesday, November 25, 2026 at 10:00:00 AM Coordinated Universal Time",
    "Nov 25, 2026 at 10:00:00 AM UTC",
    "Wed 25 Nov 10:00:00 UTC 2026",
    # mail, X, web servers, cameras
    "Wed, 25 Nov 2026 02:00:00 PST",
    "Wed, 25 Nov 2026 05:00:00 EST",
    "Wed, 25 Nov 2026 05:00:00 CDT",
    "25 Nov 2026 10:00:00 -0000",
    "Wed Nov 25 10:00:00 +0000 2026",
    "Wed Nov 25 11:00:00 GMT+01:00 2026",
    "[25/Nov/2026:10:00:00 +0000]",
    # spreadsheets and exports
    "11/25/2026 10:00",
    "25/11/2026 10:00",
    "25.11.2026 10:00",
    "2026/11/25 10:00:00",
    "2026.11.25 10:00",
    "25. 11. 2026 10:00",
    "2026. 11. 25. 10:00",
    "2026\u5e7411\u670825\u65e5 10:00",
    "'2026-11-25 10:00",
    "11/25/2026 10:00am",
    "11/25/2026 10:00 A.M.",
    "10:00 25/11/2026",
    "10:00 AM, Nov 25, 2026",
    "10:00 UTC on 25 November 2026",
    "Wed. 25 Nov. 2026, 10h00",
    "the 25th of November 2026 at 10:00",
    "2026 Nov 25 10:00",
    "2026:11:25 10:00:00",
    "25 Nov 2026 10:00",
    "25th November 2026 at 10:00",
    "November 25, 2026 at 10:00 a.m.",
    "November 25th, 2026, 10 AM",
    "2026-Nov-25 10:00",
    "20261125 10:00:00",
    "20261125T100000Z",
    "20261125100000Z",
    "20261125110000+0100",
    "20261125100000000",
    "20261125_100000",
    "25/Nov/2026:10:00:00 +0000",
    # ISO 8601 and RFC 3339
    "2026-11-25T10:00:00Z",
    "2026-11-25t10:00:00z",
    "2026-11-25T10:00:00,5Z",
    "2026-W48-3T10:00:00Z",
    "2026-W48-3 10:00",
    "2026W483T100000Z",
    "2026-329T10:00:00Z",
    "2026-11-24T24:00:00-10:00",
    "24/11/2026 24:00 -1000",
    "2026-11-25T10:00:00.123456789Z",
    "2026-11-25 10:00:00 (UTC)",
    "2026-11-25T10:00+00",
    # literals
    "TIMESTAMP '2026-11-25 10:00:00 UTC'",
    "{ts '2026-11-25 10:00:00.000'}",
    '#inst "2026-11-25T10:00:00.000-00:00"',
    "DateTime64('2026-11-25 10:00:00')",
    {"timestampValue": "2026-11-25T10:00:00Z"},
    # other scripts
    "2026\u5e7411\u670825\u65e510:00:00",
    "2026\ub144 11\uc6d4 25\uc77c 10:00",
    "\u0662\u0660\u0662\u0666-11-25 10:00",
    "".join(chr(0x0660 + int(digit)) for digit in str(SECONDS)),
    # Unix times
    SECONDS,
    float(SECONDS),
    SECONDS + 0.5,
    str(SECONDS),
    f"{SECONDS}.123456",
    SECONDS * 10**3,
    str(SECONDS * 10**6),
    SECONDS * 10**9,
    "1.7956008e9",
    "1.7956008E+12",
]


@pytest.mark.parametrize("value", SAME_MOMENT, ids=repr)
@pytest.mark.parametrize("date_format", [None, "dmy", "mdy"])
def test_one_moment_in_every_form(value, date_format):
    """An unambiguous format is that moment, whatever `date_format` says."""
    assert coerce.unix_time(value, UTC, date_format) == SECONDS


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-25", "2026/11/25", "2026.11.25", "20261125", 20261125, "25-Nov-2026", "25/11/2026",
        "11/25/2026", "25.11.2026", "2026-329", "Wed 25/11/2026", "November 25th, 2026", "25NOV2026", "Nov 25, 2026", "November 25 2026", "Wed, 25 Nov 2026",
        "Wednesday, November 25, 2026", "25 November 2026", "2026-Nov-25", date(2026, 11, 25),
    ],
    ids=repr,
)  # fmt: skip
def test_a_date_is_midnight_in_the_zone(value):
    """A date without a time is its midnight in the setting `timezone`."""
    assert coerce.unix_time(value, BERLIN) == datetime(2026, 11, 25, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("text", "date_format", "day"),
    [
        ("03/04/2026 10:00", None, Dropped.AMBIGUOUS_DATE),
        ("03.04.2026", None, Dropped.AMBIGUOUS_DATE),
        ("03/04/2026 10:00", "dmy", datetime(2026, 4, 3, 10, tzinfo=UTC)),
        ("03/04/2026 10:00", "mdy", datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("3-4-2026 1:05:09 PM", "dmy", datetime(2026, 4, 3, 13, 5, 9, tzinfo=UTC)),
        ("Fri 03/04/2026 10:00", None, datetime(2026, 4, 3, 10, tzinfo=UTC)),
        ("Wednesday, 03/04/2026 10:00", None, datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("10:00 3rd 4 2026", None, Dropped.AMBIGUOUS_DATE),
        ("2026/03/04 10:00", None, datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("2026 03 04 10:00", "dmy", datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("04/04/2026 10:00", None, datetime(2026, 4, 4, 10, tzinfo=UTC)),
    ],
)
def test_date_format_decides_about_times_too(text, date_format, day):
    """Ambiguous days and months are decided only by a weekday or by `date_format`."""
    expected = day if isinstance(day, Dropped) else day.timestamp()
    assert coerce.unix_time(text, UTC, date_format) == expected


@pytest.mark.parametrize(
    "value",
    [
        "25-NOV-26 10.00.00.000000 AM",  # which century, or which end is the year
        "11/25/26",
        "26/11/25",
        "Thu, 25 Nov 2026 10:00:00 GMT",  # it was a Wednesday
        "2026-11-25 10:00:00 CST",  # of the United States, of China, or of Cuba
        "2026-11-25 10:00:00 IST",
        "Wed Nov 25 10:00:00 PST 2026",
        "Wed, 25 Nov 2026 10:00:00 CST",  # mail's is Chicago's, and Java writes China's like it
        "2026-11-25 11:00 CET+1",
        "25-Nov-26 10:00:00 GMT",
        "Thursday, 25-Nov-27 10:00:00 EST5EDT",
        "25.11 2026 10:00",
        "Nov 25.5 2026",
        "2026-11/25",
        "25 2026",
        "1125 2026",
        "2026-366",
        "2026-W54-1 10:00",
        "2026-W48",
        "2026W48",
        "25/11/26 10:00 AM",
        "today at 10:00",
        "24:01 25/11/2026",
        "25/11/2026 24:00:01",
        "25/11/2026 10:60",
        "2026-11-25 10:00:00 Europe/Atlantis",
        "25/11/2026 10:00:00 +19:00",
        "2026-11-25 13:00 PM",
        "2026-11-25 0:30 AM",
        "25/11/2026 10",
        "25 Foo 2026",
        "31 Nov 2026",
        "2026/13/25",
        "Nov 2026",
        "Nov 25 10:00:00",
        "202611251000",
        "20261125250000",
        46351.4166,
        "yesterday",
        "Wed",
        "2026-11-25 and more",
        {"$date": None},
        {"$date": {"$numberLong": "x"}},
        {"$date": "2026-11-25", "other": 1},
        {"date": SECONDS},
        {"value": {"value": SECONDS}},
        {"seconds": "x"},
        {"nanos": 1},
        {},
        "{",
        "x" * 10_000,
        "Wed " * 10_000,
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("date_format", [None, "dmy", "mdy"])
def test_what_has_no_single_reading_is_no_time(value, date_format):
    """Short years, wrong weekdays, shared abbreviations, missing parts: nothing is guessed."""
    assert coerce.unix_time(value, UTC, date_format) is Dropped.NOT_A_TIME


@pytest.mark.parametrize(
    ("local", "warning"),
    [
        ("2026-10-25T02:30:00", Warned.REPEATED_HOUR),
        ("25/10/2026 02:30", Warned.REPEATED_HOUR),
        ("2026-03-29T02:30:00", Warned.SKIPPED_HOUR),
        (datetime(2026, 10, 25, 2, 30), Warned.REPEATED_HOUR),  # noqa: DTZ001 - it is local
        (datetime(2026, 10, 25, 2, 30, fold=1), None),  # noqa: DTZ001 - it says which
        ("2026-10-25T03:00:00", None),
        ("2026-10-25T02:30:00+01:00", None),
        ("2026-10-25T02:30:00Z", None),
    ],
    ids=str,
)
def test_a_local_time_at_a_clock_change_says_so(local, warning):
    """A local time that occurs twice or never is marked; one with its offset is not."""
    assert getattr(coerce.unix_time(local, BERLIN), "warning", None) is warning


def _in_words(moment):
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun")
    names += ("Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return names[moment.month - 1]


WRITERS = {
    "RFC 2822": format_datetime,
    "ctime": lambda at: at.astimezone(UTC).ctime(),
    "US": lambda at: f"{_in_words(at)} {at.day}, {at.year:04} {at:%I:%M:%S %p %z}",
    "Oracle": lambda at: f"{at.day:02}-{_in_words(at).upper()}-{at.year:04} {at:%I.%M.%S.%f %p %z}",
    "JavaScript": lambda at: f"{_in_words(at)} {at:%d} {at.year:04} {at:%H:%M:%S GMT%z} (Here)",
    "access log": lambda at: f"{at.day:02}/{_in_words(at)}/{at.year:04}:{at:%H:%M:%S %z}",
    "slashes": lambda at: f"{at.year:04}/{at:%m/%d %H:%M:%S %z}",
    "digits": lambda at: f"{at.year:04}{at:%m%d%H%M%S%z}",
    "day first": lambda at: f"{at:%d/%m}/{at.year:04} {at:%H:%M:%S%z}",
    "Go": lambda at: f"{at.year:04}-{at:%m-%d %H:%M:%S.%f %z} {at:%z}",
}


@given(
    moment=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    minutes=st.integers(-14 * 60, 14 * 60),
    form=st.sampled_from(sorted(WRITERS)),
)
def test_what_is_read_back_is_the_same_instant(moment, minutes, form):
    """A moment that is written in any of the formats is read as the same second."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)), microsecond=0)
    assert coerce.unix_time(WRITERS[form](aware), UTC, "dmy") == int(aware.timestamp())


@given(text=st.text() | st.text("0123456789-/:. TZ+JanWedPM", max_size=40))
def test_no_text_makes_reading_fail(text):
    """Any text is a time, missing, or dropped for a reason."""
    assert isinstance(coerce.unix_time(text, BERLIN), int | Dropped | None)
    assert isinstance(normalize.birth_date(text, None), str)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("-36979200000", "19681030"),  # milliseconds of HubSpot
        ("-36979200000.0", "19681030"),
        ("-36979200", "19681030"),
        ("640742400000", "19900422"),
        ("640742400", "19900422"),
        ("-86400000", Dropped.NOT_A_DATE),  # a day in milliseconds, or 1,000 in seconds
        ("-36979200001", Dropped.NOT_A_DATE),  # no midnight: the day depends on the zone
        ("-1", Dropped.NOT_A_DATE),
        ("-99999999999999", Dropped.NOT_A_DATE),
    ],
)
def test_a_birth_date_may_be_a_unix_time(text, normal):
    """Midnight UTC in seconds or milliseconds is that day, where only one unit makes a life."""
    assert normalize.birth_date(text, None) == normal


@pytest.mark.parametrize(
    "born",
    [
        {"$date": "1990-04-23T00:00:00Z"},
        {"$date": 640828800000},
        {"$date": {"$numberLong": "640828800000"}},
    ],
    ids=str,
)
def test_a_birth_date_of_mongodb(born):
    """A date in MongoDB's Extended JSON is the day in it."""
    assert normalize.birth_date(coerce.text(born), None) == "19900423"

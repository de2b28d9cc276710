"""The tables at `results_url`: their columns, and how an older database gets the newer ones.

docs/results.md is generated from these. Later versions only add nullable columns, which an older
database gets when it is opened; an older program leaves them null.
"""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from target_pinterest_capi.delivery.database import POSTGRESQL_ONLY, UnusableError

# Increase it when a column or table is added; see `bring_up_to_date`. 2: `run_amounts`;
# 3: `failed_events` and `within_an_hour` of `runs`; 4: `requests_bisecting`, renamed.
SCHEMA_VERSION: Final = 4


class _TextTime(sqlite.DATETIME):
    """A time in a column of text: as `DATETIME`, SQLite would look for a number in each one."""

    format_is_text_affinity = False


metadata: Final = sa.MetaData()
_number: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_amount: Final = sa.Numeric().with_variant(sa.Text, "sqlite")  # which has no decimals
_time: Final = sa.DateTime(timezone=True).with_variant(
    _TextTime(),  # type: ignore[no-untyped-call]
    "sqlite",
)


def _text(name: str, about: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, comment=about, **options)


def _count(name: str, about: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, comment=about)


def _at(name: str, about: str) -> sa.Column[Any]:
    return sa.Column(name, _time, comment=about)


def _run_id() -> sa.Column[Any]:
    return _text("run_id", "The run, as in `pinterest_runs`.", nullable=False)


def _stream_and_mapping() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return (
        _text("stream", "The stream of its record."),
        _text("mapping", "The mapping entry, or the customer list, that took the record."),
    )


version: Final = sa.Table(
    "pinterest_results_version",
    metadata,
    sa.Column("version", sa.Integer, nullable=False, comment="Version of these tables."),
    comment="One row.",
)
runs: Final = sa.Table(
    "pinterest_runs",
    metadata,
    _text("run_id", "Its id in the log, the report and the dead letters.", primary_key=True),
    _text("program", "`target`, `replay` or `spark`."),
    _text("status", "`running`, `ended`, or `crashed` if it was killed."),
    _at("started_at", "When it started, UTC."),
    _at("ended_at", "When it ended, UTC; null if it is running or crashed."),
    _at("seen_at", "When a running run last reported."),
    _text("process", "Machine and process of a running run."),
    _text("mode", "`live`, `test` or `dry_run`."),
    _text("ad_account_id", "The setting; events may have other accounts."),
    _text("api", "The host that events were sent to."),
    sa.Column("exit_code", sa.Integer, comment="Its exit code; null if it is running or crashed."),
    _text("stopped", "Why it stopped early, and what to do."),
    _count("records", "Records that were read."),
    _count("delivered", "Events and members that Pinterest accepted."),
    _count("invalid", "Events and members that could not be sent."),
    _count("rejected", "Events and members that Pinterest refused."),
    _count("skipped", "Events and members that the configuration or the ledger excludes."),
    _count("without_outcome", "Events and members that the next run reads again."),
    _count("requests", "Requests to Pinterest."),
    _count("requests_repeated", "How many of them were retries."),
    _count("requests_bisecting", "How many of them bisected a refused request."),
    _count(
        "states_written",
        "STATE messages written; if 0, the next run starts where this one did.",
    ),
    _count("dead_letters_written", "Lines written to the dead letters."),
    _count("failed_events", "The part of `invalid` and `rejected` that is events."),
    _count("within_an_hour", "Delivered events that Pinterest got within an hour."),
    _text("settings_digest", "Changes with the configuration; contains no secret."),
    _text("version", "Version of target-pinterest-capi."),
    _text("singer_sdk", "Version of singer-sdk."),
    _text("python", "Version of Python."),
    comment="A row for each run.",
)
event_results: Final = sa.Table(
    "pinterest_event_results",
    metadata,
    sa.Column("id", _number, primary_key=True, comment="Increases with time."),
    _run_id(),
    *_stream_and_mapping(),
    _text("ad_account_id", "The ad account; null if the record did not become an event."),
    _text(
        "key",
        "The record's key properties as a JSON object: the SHA-256 of each one's text, or the text "
        "itself with `dead_letter_keys: plain`.",
    ),
    _text(
        "event_name",
        "A name of Pinterest or of the configuration, or `(others)`; null without an event.",
    ),
    _text("event_id", "The event's id; null without an event."),
    _text("outcome", "`delivered`, `invalid` or `rejected`.", nullable=False),
    _text("reason", "Why it was not delivered, as in the guide and the report."),
    _text("field", "The field that the reason is about."),
    _text("detail", "More about the reason: Pinterest's message, without values."),
    sa.Column("http_status", sa.Integer, comment="Status of Pinterest's response, if any."),
    sa.Column("at", _time, nullable=False, comment="When it got its outcome, UTC."),
    comment="A row for each event that was delivered, invalid or rejected.",
)
# In SQLite an index would add half to the cost of a row, and a scan of a million rows is fast.
for _name in ("event_id", "key", "at"):
    sa.Index(
        f"ix_pinterest_event_results_{_name}",
        event_results.c[_name],
        info={POSTGRESQL_ONLY: True},
    )
run_reasons: Final = sa.Table(
    "pinterest_run_reasons",
    metadata,
    _run_id(),
    *_stream_and_mapping(),
    _text("outcome", "`invalid`, `rejected` or `skipped`."),
    _text("reason", "Why, as in the guide and the report."),
    _text("field", "The required field without a usable value, if that is the reason."),
    _text("event_name", "The name that no entry lists, if that is the reason."),
    _count("events", "How many."),
    _text("advice", "What to do about it."),
    comment="Why events and members of a run were not delivered.",
)
run_values: Final = sa.Table(
    "pinterest_run_values",
    metadata,
    _run_id(),
    *_stream_and_mapping(),
    _text("field", "The field."),
    _text("reason", "Why its value was dropped, or may not be what was meant."),
    sa.Column("sent", sa.Boolean, comment="Whether it was sent with its event nevertheless."),
    _count("number", "How many."),
    _text("advice", "What to do about it."),
    comment="Values of a run that were dropped from their events, or may not be what was meant.",
)
run_coverage: Final = sa.Table(
    "pinterest_run_coverage",
    metadata,
    _run_id(),
    _text("event_name", "A name of Pinterest, or `(others)`."),
    _text("component", "A component of Pinterest's event quality score."),
    _count("events", "Delivered events of the name; in a dry run, those that would be sent."),
    _count("carrying", "How many of them have the component."),
    comment="How many delivered events of a run have the fields that Pinterest matches by.",
)
run_amounts: Final = sa.Table(
    "pinterest_run_amounts",
    metadata,
    _run_id(),
    _text("event_name", "A name of Pinterest, or `(others)`."),
    _text("currency", "The currency; null if the events have none and use the account's."),
    sa.Column("delivered", _amount, comment="Sum of `custom_data.value` of delivered events."),
    _count("delivered_events", "Number of events in that sum."),
    sa.Column("rejected", _amount, comment="The same for events that Pinterest refused."),
    _count("rejected_events", "Number of events in that sum."),
    comment="What the events of a run were worth, by name and currency.",
)
run_lists: Final = sa.Table(
    "pinterest_run_lists",
    metadata,
    _run_id(),
    _text("name", "The customer list, as the configuration has it."),
    _text("ad_account_id", "Its account."),
    _text("list_id", "Pinterest's id; null if the list does not exist or was not looked up."),
    sa.Column("created", sa.Boolean, comment="Whether this run created it."),
    _count("added", "Members in additions that Pinterest accepted."),
    _count("removed", "Members in removals that Pinterest accepted."),
    _text("status", "Its status in Pinterest's last response."),
    comment="The changes of each customer list in a run.",
)
# The tables with a run's numbers, which are deleted with its row.
PARTS: Final = (run_reasons, run_values, run_coverage, run_amounts, run_lists)
ORDER: Final = (runs, event_results, *PARTS, version)  # in the documentation


def bring_up_to_date(connection: sa.Connection) -> None:
    """Add the columns that an older version's tables do not have.

    The caller holds the lock on the schema. Raises `UnusableError` for tables of a newer version.
    """
    found = connection.scalar(sa.select(sa.func.max(version.c.version)))
    if found is not None and found > SCHEMA_VERSION:
        raise UnusableError(
            f"its tables have version {found}, of a newer target-pinterest-capi, and this one "
            f"writes version {SCHEMA_VERSION}: update it, or name another database"
        )
    if found == SCHEMA_VERSION:
        return
    for table in metadata.sorted_tables:
        there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(connection.dialect)
                name = connection.dialect.identifier_preparer.format_column(column)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")
    connection.execute(version.delete())
    connection.execute(version.insert(), {"version": SCHEMA_VERSION})

"""The tables at `results_url`: what each column holds, and how a database comes to have them all.

docs/results.md is made of these. Their form changes by columns that may be null, which an older
database gets when it is opened; what an older program writes there leaves them null.
"""

from typing import Any, Final

import sqlalchemy as sa

from target_pinterest_capi.delivery.database import POSTGRESQL_ONLY, UnusableError

# Raise it where a column or a table is added; see `bring_up_to_date`. 2: `run_amounts`.
SCHEMA_VERSION: Final = 2

metadata: Final = sa.MetaData()
_number: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_amount: Final = sa.Numeric().with_variant(sa.Text, "sqlite")  # which has no decimals
_time: Final = sa.DateTime(timezone=True)


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
    sa.Column("version", sa.Integer, nullable=False, comment="Of the form of these tables."),
    comment="One row.",
)
runs: Final = sa.Table(
    "pinterest_runs",
    metadata,
    _text("run_id", "As in the log, the report and the dead letters.", primary_key=True),
    _text("program", "`target`, `replay` or `spark`."),
    _text("status", "`running`, `ended`, or `crashed`: it ended without a word."),
    _at("started_at", "UTC."),
    _at("ended_at", "UTC; null while it is running, and of one that crashed."),
    _at("seen_at", "The last sign of life of a run that is running."),
    _text("process", "Of a run that is running: its machine and process, for the next run."),
    _text("mode", "`live`, `test` or `dry_run`."),
    _text("ad_account_id", "The setting; an event may have another."),
    _text("api", "The host that events were sent to."),
    sa.Column("exit_code", sa.Integer, comment="Null as `ended_at` is."),
    _text("stopped", "Why it stopped early, and what to do."),
    _count("records", "Records that were read."),
    _count("delivered", "Events and members that Pinterest accepted."),
    _count("invalid", "Those that were not sent."),
    _count("rejected", "Those that Pinterest refused."),
    _count("skipped", "Those that the configuration excludes."),
    _count("without_outcome", "Those that the next run reads again."),
    _count("requests", "Requests to Pinterest."),
    _count("requests_repeated", "Of those, the ones that sent a batch again."),
    _count("requests_isolating", "Of those, the ones that bisected a refused request."),
    _count(
        "states_written",
        "STATE messages written; with 0 the next run starts where this one did.",
    ),
    _count("dead_letters_written", "Lines written to the dead letters."),
    _text("settings_digest", "Another one: the configuration was changed. No secret is in it."),
    _text("version", "Of target-pinterest-capi."),
    _text("singer_sdk", "Of singer-sdk."),
    _text("python", "Of Python."),
    comment="A row for each run.",
)
event_results: Final = sa.Table(
    "pinterest_event_results",
    metadata,
    sa.Column("id", _number, primary_key=True, comment="Rises with time."),
    _run_id(),
    *_stream_and_mapping(),
    _text("ad_account_id", "Null where no event was made."),
    _text(
        "key",
        "The record's key properties as a JSON object: the SHA-256 of each one's text, or the text "
        "itself with `dead_letter_keys: plain`.",
    ),
    _text(
        "event_name",
        "Pinterest's, the configuration's, or `(others)`; null where no event was made.",
    ),
    _text("event_id", "Null likewise."),
    _text("outcome", "`delivered`, `invalid` or `rejected`.", nullable=False),
    _text("reason", "Why it was not delivered, as in the guide and the report."),
    _text("field", "The field that is the reason."),
    _text("detail", "More about the reason: Pinterest's words, without values."),
    sa.Column("http_status", sa.Integer, comment="Of Pinterest's answer, where there was one."),
    sa.Column("at", _time, nullable=False, comment="When it had its outcome, UTC."),
    comment="A row for each event that was delivered, invalid or rejected.",
)
# An index makes a row dearer by half in SQLite, which reads a million rows in the time of a blink.
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
    _text("reason", "Why."),
    _text("field", "The required field without a usable value, where that is the reason."),
    _text("event_name", "The name that no entry lists, where that is the reason."),
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
    sa.Column("sent", sa.Boolean, comment="Whether it went with its event nevertheless."),
    _count("number", "How many."),
    _text("advice", "What to do about it."),
    comment="Values of a run that were dropped from their events, or may not be what was meant.",
)
run_coverage: Final = sa.Table(
    "pinterest_run_coverage",
    metadata,
    _run_id(),
    _text("event_name", "Pinterest's, or `(others)`."),
    _text("component", "A component of Pinterest's event quality score."),
    _count("events", "Delivered events of the name; in a dry run, those that would be sent."),
    _count("carrying", "Of those, the ones that carry the component."),
    comment="How many delivered events of a run carry what Pinterest matches by.",
)
run_amounts: Final = sa.Table(
    "pinterest_run_amounts",
    metadata,
    _run_id(),
    _text("event_name", "Pinterest's, or `(others)`."),
    _text("currency", "Null: the events have none, and count in the account's own."),
    sa.Column("delivered", _amount, comment="Sum of `custom_data.value` of delivered events."),
    _count("delivered_events", "How many events that is of."),
    sa.Column("rejected", _amount, comment="Likewise, of events that Pinterest did not take."),
    _count("rejected_events", "How many events that is of."),
    comment="What the events of a run were worth, by name and currency.",
)
run_lists: Final = sa.Table(
    "pinterest_run_lists",
    metadata,
    _run_id(),
    _text("name", "The customer list, as the configuration has it."),
    _text("ad_account_id", "Its account."),
    _text("list_id", "Null where it is not there, or was not looked up."),
    sa.Column("created", sa.Boolean, comment="Whether this run made it."),
    _count("added", "Members of additions that Pinterest took."),
    _count("removed", "Members of removals that Pinterest took."),
    _text("status", "By Pinterest's last answer."),
    comment="What became of each customer list in a run.",
)
# The tables of a run's numbers, which go when its row does.
PARTS: Final = (run_reasons, run_values, run_coverage, run_amounts, run_lists)
ORDER: Final = (runs, event_results, *PARTS, version)  # for people


def bring_up_to_date(connection: sa.Connection) -> None:
    """Add what an older version's tables lack. Raises `UnusableError` for those of a newer one.

    The schema is locked meanwhile.
    """
    found = connection.scalar(sa.select(sa.func.max(version.c.version)))
    if found is not None and found > SCHEMA_VERSION:
        raise UnusableError(
            f"its tables have form {found}, of a newer version of target-pinterest-capi, and this "
            f"one knows {SCHEMA_VERSION}: update it, or name another database"
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

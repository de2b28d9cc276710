"""Names in the configuration that the input does not have: warnings in every output."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from given import ACCOUNT, TOKEN, record, schema, settings_of, state
from target_pinterest_capi.cli.check.command import check
from target_pinterest_capi.cli.check.model import check_settings
from target_pinterest_capi.cli.preview.command import preview
from target_pinterest_capi.events.reasons import Skipped
from target_pinterest_capi.pipeline.not_found import NamesNotFound
from target_pinterest_capi.pipeline.stream import StreamPipeline

DEFAULTS = {"event_name": "checkout", "action_source": "web", "event_time": "now"}
TELEPHONE = "Column 'Telephone' is not in stream orders; did you mean 'Phone'?"
ORDERS = schema("orders", "Name", "Email", "Phone", "Financial Status")
ORDER = {"Name": "#1", "Email": "jane@example.com", "Phone": "+12125550123"}


def entry(fields: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {
        "stream": "orders",
        "fields": {"event_id": "Name", "user_data.em": "Email", **(fields or {})},
        "defaults": DEFAULTS,
        **members,
    }


MISSPELT = entry({"user_data.ph": "Telephone"})


def columns_not_found(
    entries: list[dict[str, Any]],
    declared: dict[str, Any],
    records: list[dict[str, Any]],
    stream: str = "orders",
    **settings: Any,
) -> list[str]:
    """Return the warnings about columns after a stream's SCHEMA and records."""
    given = settings_of(mappings=entries, **settings)
    names = NamesNotFound(given)
    pipeline = StreamPipeline(
        stream,
        {"type": "object", "properties": declared},
        [],
        given,
        _Nowhere(),
        compile_entries=lambda _: (),
        not_found=names,
    )
    for one in records:
        pipeline.handle_record(one)
    return [row.message for row in names.columns()]


class _Nowhere:
    sequence = 0
    collect_event = None

    def handle(self, result: Any) -> None:
        """Keep nothing."""


DOTTED = "Column 'utm' is not in stream orders; the column of that name is written \"utm.source\"."
CUSTOMER = {"customer": {"type": ["null", "object"], "properties": {"email": {}, "phone": {}}}}
ITEMS = {"items": {"type": "array", "items": {"type": "object", "properties": {"sku": {}}}}}


@pytest.mark.parametrize(
    ("written", "declared", "said"),
    [
        ({"user_data.ph": "Telephone"}, {"Phone": {}}, [TELEPHONE]),
        ({"user_data.ph": "Phone"}, {"Phone": {}}, []),
        ({"user_data.ph": "Fax"}, {"x": {}}, ["Column 'Fax' is not in stream orders."]),
        (
            {"user_data.ph": "customer.fone"},
            CUSTOMER,
            ["Member 'customer.fone' is not in stream orders; did you mean 'phone'?"],
        ),
        ({"user_data.ph": "custmer.phone"}, CUSTOMER,
         ["Column 'custmer' is not in stream orders; did you mean 'customer'?"]),
        (
            {"custom_data.content_ids": "items[].skus"},
            ITEMS,
            ["Member 'items.skus' is not in stream orders; did you mean 'sku'?"],
        ),
        (
            {"custom_data.value": "items_value(items, 'prise', 'sku')"},
            ITEMS,
            ["Member 'items.prise' is not in stream orders."],
        ),
        ({"custom_data.value": "items_value([items[0]], 'sku', 'sku')"}, ITEMS, []),
        (
            {"custom_data.value": "items_value([items[0]], 'skus', 'sku')"},
            ITEMS,
            ["Member 'items.skus' is not in stream orders; did you mean 'sku'?"],
        ),
        (
            {"custom_data.content_ids": "map(&skus, items)"},
            ITEMS,
            ["Member 'items.skus' is not in stream orders; did you mean 'sku'?"],
        ),
        ({"custom_data.content_ids": "sort_by(items, &sku)[].sku"}, ITEMS, []),
        (
            {"custom_data.content_ids": "max_by(items, &skus).sku"},
            ITEMS,
            ["Member 'items.skus' is not in stream orders; did you mean 'sku'?"],
        ),
        ({"custom_data.content_ids": "map(&to_string(@), items[].sku)"}, ITEMS, []),
        (
            {"custom_data.order_id": "utm.source"},
            {"utm.source": {}},
            [DOTTED],
        ),
        ({"custom_data.content_ids": "items[].sku"}, ITEMS, []),
        ({"custom_data.content_ids": "items[0].id"}, {"items": {"type": "array"}}, []),
        ({"user_data.ph": "customer.fone"}, {"customer": {"type": "object"}}, []),
        ({"user_data.ph": "_sdc_phone"}, {"Phone": {}}, []),
        ({"user_data.ph": "'+12125550123'"}, {"Phone": {}}, []),
        ({"user_data.ph": "Telephone"}, {}, []),
    ],
)  # fmt: skip
def test_column_that_the_schema_does_not_declare(
    written: dict[str, str], declared: dict[str, Any], said: list[str]
):
    """A column of an expression that SCHEMA lacks has a warning, with the most similar column."""
    assert columns_not_found([{"stream": "orders", "fields": written}], declared, []) == said


@pytest.mark.parametrize(
    ("path", "declared", "row"),
    [
        ("Telephone", {"Phone": {}}, {"Telephone": None}),
        ("Telephone", {}, {"Telephone": "x"}),
        ("customer.fone", CUSTOMER, {"customer": {"fone": None}}),
        ("customer.fone", CUSTOMER, {"customer": '{"fone": 1}'}),
        ("items[].skus", ITEMS, {"items": [{"sku": 1}, {"skus": 1}]}),
    ],
)
def test_column_that_a_record_has(path: str, declared: dict[str, Any], row: dict[str, Any]):
    """A column that comes with a record exists, even late or null."""
    entries = [{"stream": "orders", "fields": {"user_data.ph": path}}]
    before = [{"Phone": "+12125550123"}] * 30
    assert columns_not_found(entries, declared, [*before, row]) == []


def test_column_after_many_new_ones(run_target):
    """If records have ever new names, the columns that expressions read are still noticed."""
    rows = [record("orders", **ORDER, **{f"x{number}": 1}) for number in range(40)]
    ran = run_target([ORDERS, *rows, record("orders", **ORDER, Telephone="1")], mappings=[MISSPELT])
    assert "Telephone" not in ran.log


def test_entry_of_several_streams(run_target):
    """An entry for a pattern of streams reads a column that one of them has."""
    lines = [
        schema("orders", "Name", "Email"),
        record("orders", Name="#1", Email="jane@example.com"),
        schema("orders_b2b", "Name", "Email", "Phone"),
    ]
    pattern = entry({"user_data.ph": "Phone", "user_data.ge": "Gender"}, stream="orders*")
    ran = run_target(lines, mappings=[pattern])
    assert "'Phone'" not in ran.log
    assert "Column 'Gender' is not in any of the streams orders*. (mappings[0]" in ran.log


DOUBLE_QUOTES = (
    "Column 'paid' is not in stream orders. Double quotes enclose a column's name; a string is in "
    "single quotes: \"Financial Status\" == 'paid'"
)
NO_QUOTES = (
    "Column 'paid' is not in stream orders. If it is a string, write 'paid', in single quotes."
)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ('"Financial Status" == "paid"', f"{DOUBLE_QUOTES} (mappings[0].when)"),
        ('"Financial Status" == paid', f"{NO_QUOTES} (mappings[0].when)"),
    ],
)
def test_text_in_double_quotes(run_target, when: str, said: str):
    """A string in JMESPath's double quotes is a column; the warning shows how to write it."""
    row = record("orders", **ORDER, **{"Financial Status": "paid"})
    ran = run_target([ORDERS, row], mappings=[entry(when=when)])
    assert (ran.outcomes, said in ran.log) == ({"skipped": 1}, True)


def test_misspelt_column_in_every_place(run_target, tmp_path: Path, plain_terminal: None):
    """A misspelt column is named in the log, the report, its page, check and preview, once each."""
    lines = [ORDERS, *[record("orders", **ORDER)] * 20]
    for number, name in enumerate(("report.json", "report.html"), start=1):
        ran = run_target(lines, mappings=[MISSPELT], report_path=str(tmp_path / name))
        assert (ran.outcomes, ran.log.count(f"{TELEPHONE} (m")) == ({"delivered": 20}, number)
    report = json.loads((tmp_path / "report.json").read_bytes())
    setting = "mappings[0].fields.user_data.ph"
    assert report["not_found"] == [{"setting": setting, "message": TELEPHONE}]
    assert "did you mean &#39;Phone&#39;?" in (tmp_path / "report.html").read_text()

    sample, config = tmp_path / "orders.singer", tmp_path / "config.json"
    sample.write_bytes(b"\n".join(lines))
    given = {"ad_account_id": ACCOUNT, "conversion_token": TOKEN, "mappings": [MISSPELT]}
    config.write_text(json.dumps(given))
    shown = CliRunner().invoke(preview, [str(sample), "--config", str(config)]).stdout
    assert f"{TELEPHONE} ({setting})" in " ".join(shown.split())
    found = list(check_settings(settings_of(mode="dry_run", mappings=[MISSPELT]), str(sample)))[1]
    assert (found.status, f"{TELEPHONE} ({setting})" in found.details) == ("warning", True)


def test_when_that_takes_every_record(run_target):
    """`when: always` is not a column."""
    given = entry(preset="shopify", when="always")
    assert "'always'" not in run_target([ORDERS, record("orders", **ORDER)], mappings=[given]).log


def test_preset_reads_what_there_is(run_target):
    """A preset's expressions name columns that a stream may lack: there are no warnings."""
    given = {"stream": "orders", "preset": "shopify", "fields": {"event_id": "Name"}}
    log = run_target([ORDERS, record("orders", **ORDER)], mappings=[given]).log
    assert "is not in stream" not in log


def test_columns_of_customer_lists(run_target):
    """The expressions of a customer list are checked in the same way."""
    members = {"stream": "orders", "list_name": "VIPs", "member": "Mail", "operation": "doing"}
    ran = run_target(
        [ORDERS], mappings=[], customer_lists=[members], oauth={"access_token": "token"}
    )
    assert "Column 'Mail' is not in stream orders; did you mean 'Email'?" in ran.log
    assert "Column 'doing' is not in stream orders. (customer_lists[0].operation)" in ran.log


NO_STREAM = "No stream 'orders' came; did you mean 'shop-orders'? (mappings[0].stream)"


def test_stream_that_no_tap_has(run_target, sandbox):
    """If no record is mapped and an entry matched no stream: no STATE is written, and exit 3."""
    foreign = [
        schema("shop-orders", *ORDER),
        record("shop-orders", **ORDER),
        state({"n": 1}),
        record("shop-orders", **ORDER),
        state({"n": 2}),
    ]
    ran = run_target(foreign, mappings=[entry()])
    assert (ran.code, ran.states, ran.outcomes) == (3, [], {"skipped": 2})
    assert NO_STREAM in ran.log
    assert "No record was mapped" in ran.log
    corrected = run_target(foreign, mappings=[entry(stream="shop-orders")])
    assert (corrected.code, corrected.states) == (0, ['{"n": 2}'])


@pytest.mark.parametrize(
    ("lines", "states"),
    [
        ([ORDERS, record("orders", **ORDER), state({"n": 1})], ['{"n": 1}']),
        ([ORDERS, state({"n": 1})], ['{"n": 1}']),
        ([schema("users", "id"), state({"n": 1})], ['{"n": 1}']),
        ([schema("users", "id"), record("users", id=1), ORDERS, state({"n": 1})], ['{"n": 1}']),
        ([state({"n": 1})], ['{"n": 1}']),
    ],
)
def test_state_where_nothing_is_lost(run_target, lines: list[bytes], states: list[str]):
    """STATE is written if a record was mapped, every entry matched, or no record came."""
    ran = run_target(lines, mappings=[entry()])
    assert (ran.code, ran.states) == (0, states)


def test_stream_that_did_not_come_yet(run_target):
    """If the input was not read to its end, missing streams have no warning."""
    lines = [schema("users", "id"), record("users", id=1), b"no json", ORDERS]
    ran = run_target(lines, mappings=[entry()])
    assert (ran.code, "No stream" in ran.log) == (1, False)


def test_schema_that_comes_twice(run_target):
    """A stream with a second SCHEMA and another column is still one stream."""
    again = schema("orders", "Name", "Email", "Phone", "Total")
    log = run_target([ORDERS, again, record("orders", **ORDER)], mappings=[MISSPELT]).log
    assert TELEPHONE in log


def test_entry_without_a_stream_beside_others(run_target, tmp_path: Path):
    """An entry that matched no stream is named in log and report while the others deliver."""
    path = tmp_path / "report.json"
    lines = [ORDERS, record("orders", **ORDER), state({"n": 1})]
    entries = [entry(), entry(stream="order_*", name="returns")]
    ran = run_target(lines, mappings=entries, report_path=str(path))
    said = "No stream 'order_*' came; did you mean 'orders'?"
    assert (ran.code, ran.states, said in ran.log) == (0, ['{"n": 1}'], True)
    assert [row["message"] for row in json.loads(path.read_bytes())["not_found"]] == [said]


FIRST_CONTACT = (
    "No mappings are set, and stream users has no column named like event_name, action_source, "
    "event_time, user_data.em. It has created, id, mail. Say in mappings which column is which "
    "field: `pinterest-capi suggest` writes them from a sample, `pinterest-capi presets list` names "
    "those that are built in"
)
FOREIGN = schema("users", "id", "mail", "created")


@pytest.mark.parametrize(
    ("lines", "settings", "said"),
    [
        (
            [FOREIGN, record("users", id=1, mail="jane@example.com", created="2026-01-01")],
            {},
            FIRST_CONTACT,
        ),
        (
            [FOREIGN, record("users", id=1, em="jane@example.com")],
            {"defaults": DEFAULTS},
            None,
        ),
        (
            [FOREIGN, record("users", id=1)],
            {"defaults": DEFAULTS},
            "no column named like user_data.em. It has",
        ),
    ],
)
def test_first_contact_without_mappings(
    run_target, lines: list[bytes], settings: dict[str, Any], said: str | None
):
    """A table without mappings: the fields that it lacks, its columns, and what to do."""
    log = run_target(lines, **settings).log
    assert ("No mappings are set" in log) is (said is not None)
    assert (said or "") in log


def test_missing_fields_are_counted_by_name(run_target, tmp_path: Path):
    """The log and the report name the required field that has no value."""
    path = tmp_path / "report.json"
    given = {"stream": "orders", "fields": {"event_id": "Name"}}
    ran = run_target([ORDERS, record("orders", **ORDER)], mappings=[given], report_path=str(path))
    assert ran.reasons == {"missing_field: event_name": 1}
    (row,) = json.loads(path.read_bytes())["reasons"]
    assert (row["reason"], row["field"], row["event_name"]) == ("missing_field", "event_name", None)


def test_columns_of_records_are_not_named(run_target):
    """A name that came only with a record may be data: only declared columns are listed."""
    lines = [schema("users", "id"), record("users", **{"id": 1, "Jane Doe": 1})]
    log = run_target(lines).log
    assert "It has id. Say in mappings" in log
    assert "Jane" not in log


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Order ID", "Stream orders of the sample has this column."),
        ("Order-ID", "No stream of the sample has this column; orders has 'Order ID'."),
        ("order #", "No stream of the sample has this column; orders has 'Order #'."),
        ("Zahl-Art", "No stream of the sample has this column."),
    ],
)
@pytest.mark.parametrize("command", [preview, check])
def test_a_column_that_is_written_without_quotes(tmp_path, command, written: str, said: str):
    """`event_id: Order ID`: the message has the quotes, and the stream with that column."""
    sample = tmp_path / "orders.singer"
    sample.write_bytes(schema("orders", "Order ID", "Order #", "Email"))
    config = {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "mappings": [{"stream": "orders", "fields": {"event_id": written}}],
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    given = ["--sample", str(sample)] if command is check else [str(sample)]
    ran = CliRunner().invoke(command, ["--config", str(path), *given])
    words = " ".join((ran.output + ran.stderr).split())
    assert ran.exit_code == 2, words
    assert f'"{written}"' in words
    assert said in words


def test_an_entry_that_a_sample_has_no_record_for(tmp_path):
    """`check --sample` names the entries without a record, and streams without an entry."""
    sample = tmp_path / "shop.singer"
    lines = [
        ORDERS,
        schema("refunds", "Name", "Email"),
        schema("vips", "Email"),
        record("orders", **ORDER),
        schema("late", "Email"),
        record("late", Email="jane@example.com"),
    ]
    sample.write_bytes(b"\n".join(lines))
    entries = [entry(), entry(stream="ref*"), entry(stream="lat")]
    lists = [{"stream": "vips", "list_name": "VIPs", "member": "Email"}]
    given = settings_of(
        mappings=entries,
        customer_lists=lists,
        oauth={"access_token": "x"},
        mode="dry_run",
        dead_letter_path=str(tmp_path / "rejected.jsonl"),
    )
    (found,) = [one for one in check_settings(given, str(sample)) if one.step == "mappings"]
    assert found.status == "warning"
    assert found.details == (
        "No stream 'lat' came; did you mean 'late'? (mappings[2].stream)",
        "No record of stream refunds came, so its entry was not tested (mappings[1])",
        "No record of stream vips came, so its entry was not tested (customer_lists[0])",
        f"1 skipped: no_mapping in stream late. {Skipped.NO_MAPPING.advice}",
    )

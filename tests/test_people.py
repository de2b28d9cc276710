"""Common mistakes in users' own words, and the messages they get.

Each mistake was made by somebody who followed the documentation. Meltano's handling of settings is
tested with the real one in `tests/real/test_meltano_settings.py`; the pages in
`test_sandbox_page.py` and `test_screens.py`.
"""

import cProfile
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from members import SCHEMA as MEMBERS
from members import list_settings
from members import row as member
from singer_sdk.exceptions import ConfigValidationError

from given import ACCOUNT, record, schema, state
from shopper import seconds_ago, visit
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import ConfigurationError, load

ROOT = Path(__file__).parent.parent
ENTRY = {
    "stream": "orders",
    "fields": {"event_id": "id", "event_time": "at", "user_data.em": "Email"},
    "defaults": {"event_name": "checkout", "action_source": "web"},
}
COLUMNS = ("id", "at", "Email", "Phone", "Financial Status", "Order ID")


def order(number: int, **columns: Any) -> bytes:
    row = {
        "id": number,
        "at": seconds_ago(60),
        "Email": f"shopper{number}@example.com",
        "Phone": "+1 202 555 0134",
        "Financial Status": "paid",
        "Order ID": f"A-{number}",
    }
    return record("orders", **{**row, **columns})


def orders(*numbers: int, **columns: Any) -> list[bytes]:
    rows = [order(number, **columns) for number in numbers]
    return [schema("orders", *COLUMNS, key_properties=("id",)), *rows, state({"orders": 2})]


def entry(fields: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {"mappings": [{**ENTRY, "fields": {**ENTRY["fields"], **(fields or {})}, **members}]}


@pytest.fixture
def cli(config: dict[str, Any], plain_terminal: None) -> Callable[..., Result]:
    """Return a function that runs a command on a configuration, with messages as orders.singer."""

    def run(*words: str, lines: list[bytes] = [], **settings: Any) -> Result:  # noqa: B006 - read only
        Path("config.json").write_text(json.dumps({**config, **settings}))
        Path("orders.singer").write_bytes(b"\n".join(lines))
        return CliRunner().invoke(main, list(words), catch_exceptions=False)

    return run


def problems(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load({"ad_account_id": ACCOUNT, "conversion_token": "x", **settings})
    return "\n".join(map(str, raised.value.problems))


def flat(text: str) -> str:
    return " ".join(text.split())


WITH_CONFIG = ("--config", "config.json")


def test_u1_i_map_telephone_and_the_column_is_phone(run_target, cli, tmp_path: Path):
    """All is green, and no event has a phone."""
    settings = entry({"user_data.ph": "Telephone"})
    said = "Column 'Telephone' is not in stream orders; did you mean 'Phone'?"
    report = tmp_path / "report.json"
    assert said in run_target(orders(1, 2), report_path=str(report), **settings).log
    assert said in report.read_text()
    sample = ("orders.singer", *WITH_CONFIG)
    assert said in flat(cli("preview", *sample, lines=orders(1), **settings).output)
    assert said in flat(cli("check", "--sample", *sample, lines=orders(1), **settings).output)


def test_u2_i_compare_with_a_text_in_double_quotes(run_target):
    """Thirty orders are paid, and all are skipped."""
    ran = run_target(orders(1, 2), **entry(when='"Financial Status" == "paid"'))
    assert ran.outcomes == {"skipped": 2}
    assert "a string is in single quotes: \"Financial Status\" == 'paid'" in ran.log


def test_u3_i_write_a_column_with_a_blank(cli):
    """My column is called Order ID."""
    settings = entry({"event_id": "Order ID"})
    sample = ("orders.singer", *WITH_CONFIG)
    said = flat(cli("preview", *sample, lines=orders(1), **settings).output)
    assert "'\"Order ID\"'" in said
    assert "Stream orders of the sample has this column." in said


def test_u4_the_tap_prefixes_its_streams(run_target):
    """The entry says orders, the tap says shop-orders, and the orders were missing."""
    lines = [line.replace(b'"orders"', b'"shop-orders"') for line in orders(1, 2)]
    ran = run_target(lines, **entry())
    assert (ran.code, ran.states) == (3, [])
    assert "No stream 'orders' came; did you mean 'shop-orders'?" in ran.log


@pytest.mark.parametrize("name", ["BATCH_SIZE_ROW", "TIMEZON", "CONVERSION_TOKN"])
def test_u5_i_misspell_a_variable(run_target, monkeypatch: pytest.MonkeyPatch, name: str):
    """I set TARGET_PINTEREST_CAPI_TIMEZON, and nothing changed."""
    monkeypatch.setenv(f"TARGET_PINTEREST_CAPI_{name}", "dry_run")
    assert f"TARGET_PINTEREST_CAPI_{name}" in run_target(orders(1), **entry()).log


def test_u5_i_misspell_the_mode(run_target, monkeypatch: pytest.MonkeyPatch):
    """I set TARGET_PINTEREST_CAPI_MOD=dry_run, and it went out live."""
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_MOD", "dry_run")
    with pytest.raises(ConfigValidationError) as raised:
        run_target(orders(1), **entry())
    assert "TARGET_PINTEREST_CAPI_MOD" in "".join(raised.value.errors)


def test_u5_i_ask_for_a_dry_run_beside_a_file(run_target, monkeypatch: pytest.MonkeyPatch):
    """I set the mode in the environment, and did not say --config ENV."""
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_MODE", "dry_run")
    assert "TARGET_PINTEREST_CAPI_MODE" in run_target(orders(1), **entry()).log


def test_u6_i_pipe_a_table_and_map_nothing(run_target):
    """It says missing_field, and not which."""
    log = run_target(orders(1)).log
    for words in (
        "stream orders has no column named like event_name, action_source",
        "It has Email, Financial Status, Order ID, Phone",
        "pinterest-capi suggest",
        "presets",
    ):
        assert words in log


@pytest.mark.parametrize("setting", ["max_rejected_ratio", "max_event_age_days"])
@pytest.mark.parametrize("written", ["never", None])
def test_u7_i_switch_a_limit_off(setting: str, written: str | None):
    """Meltano drops my null."""
    settings = load({"ad_account_id": ACCOUNT, "conversion_token": "x", setting: written})
    assert getattr(settings, setting) is None


def test_u8_i_set_a_decimal_in_the_environment():
    """Meltano says that a Decimal is not JSON serializable."""
    definition = yaml.safe_load(CliRunner().invoke(main, ["definition"]).stdout)
    kinds = {one["name"]: one.get("kind") for one in definition["settings"]}
    assert "decimal" not in kinds.values()


def test_u9_i_want_the_definition_of_my_clone():
    """The module is not there, and the package neither."""
    definition = yaml.safe_load(CliRunner().invoke(main, ["definition"]).stdout)
    assert definition["name"] == "target-pinterest-capi"
    assert definition["pip_url"]


def test_u10_errors_are_shown_as_info_in_meltano(run_target, caplog):
    """Meltano shows that orders were lost as [info]."""
    definition = yaml.safe_load(CliRunner().invoke(main, ["definition"]).stdout)
    ours = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]["loaders"]
    for loader in (definition, *ours):
        assert "structured-logging" in loader["capabilities"]
    lines = [*orders(1, Email="nobody")[:-1], order(2, Phone="none of them"), order(3)]
    run_target(lines, **entry({"user_data.ph": "Phone"}))
    levels = {
        word: {row.levelname for row in caplog.records if word in row.getMessage()}
        for word in ("no_identifier", "not_an_email", "not_a_phone", "1 invalid")
    }
    assert levels == {word: {"WARNING"} for word in levels}
    caplog.clear()
    run_target(orders(1, 2, Email="nobody"), **entry())
    [reason] = [row for row in caplog.records if "max_rejected_ratio" in row.getMessage()]
    assert reason.levelname == "ERROR"


def test_u11_my_token_is_wrong(run_target, cli, tmp_path: Path):
    """The report says that nothing was to be delivered."""
    report = tmp_path / "report.json"
    ran = run_target(orders(1, 2), conversion_token="wrong", report_path=str(report), **entry())
    assert ran.code == 1
    assert "2 wait for the next run" in ran.log
    page = flat(cli("report", str(report), "--text").output)
    assert "2 wait for the next run" in page
    assert "Nothing to deliver" not in page


def test_u12_i_map_event_name_to_the_address(run_target, cli):
    """Fifty addresses stand in the log."""
    settings = entry({"event_name": "Email"}, event_names={"Paid": "checkout"})
    shown = run_target(orders(*range(50)), **settings).log
    sample = ("orders.singer", *WITH_CONFIG)
    for command in ("preview", "check --sample"):
        shown += cli(*command.split(), *sample, lines=orders(1, 2), **settings).output
    assert "shopper" not in shown


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ledger_url": "sqlite:////nonexistent/ledger.db"}, "ledger_url cannot be used"),
        ({"results_url": "sqlite:////nonexistent/r.db"}, "results_url cannot be used"),
        ({"dead_letter_path": "/dev/null/letters.jsonl"}, "dead_letter_path cannot be written"),
        ({"report_path": "/dev/null/report.json"}, "report_path cannot be written"),
        ({"mappings": [{"stream": "orders", "fields": {"event_id": "id"}}]}, "makes no event"),
    ],
)
def test_u13_check_says_that_all_is_well(cli, settings: dict[str, Any], said: str):
    """Check was green, and the run stopped."""
    result = cli("check", *WITH_CONFIG, **settings)
    assert result.exit_code == 1
    assert said in flat(result.output)


def test_u14_my_tap_crashes_in_a_script():
    """The script ends with 0."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("start-*.md"))]
    scripts = [
        block
        for page in pages
        for block in re.findall(r"```(?:sh|bash)\n(.*?)```", page.read_text(), re.DOTALL)
        if re.search(r"^tap-\S+ .*\| ?(\\\n\s*)?target-pinterest-capi", block, re.MULTILINE)
    ]
    assert [script for script in scripts if "pipefail" not in script] == []


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("email", "user_data.em"),
        ("zip", "user_data.zp"),
        ("revenue", "custom_data.value"),
        ("sku", "custom_data.contents"),
        ("birthday", "user_data.db"),
        ("consent", "opt_out"),
        ("gdpr", "opt_out"),
    ],
)
def test_u15_i_look_for_a_field_by_my_own_word(cli, word: str, path: str):
    """Nothing is found for zip."""
    assert path in cli("fields", word).output


def test_u16_meltano_lists_no_defaults():
    """Config list says None for all of them."""
    definition = yaml.safe_load(CliRunner().invoke(main, ["definition"]).stdout)
    defaults = {one["name"] for one in definition["settings"] if "value" in one}
    assert {"mode", "batch_size_rows", "max_retry_seconds", "dead_letter_path"} <= defaults


def test_u17_i_replay_the_wrong_file(cli):
    """Replay orders.csv does nothing, and exits with 0."""
    result = cli("replay", "orders.singer", *WITH_CONFIG, lines=[b"id,email", b"1,x"])
    assert result.exit_code == 1
    assert "no dead letters" in flat(result.output).lower() or "Error" in result.output


@pytest.mark.parametrize("name", ["concat('Lytics ', audience)", "audience || 'x'"])
def test_u18_i_write_an_expression_for_a_list(name: str):
    """Pinterest has a list that is called concat(."""
    listed = {"stream": "vips", "list_name": name, "member": "email"}
    said = problems(customer_lists=[listed], oauth={"access_token": "x"})
    assert "is a name, not an expression" in said


def test_u19_i_only_keep_lists(run_target, sandbox: Sandbox):
    """It says 0 requests, and the list is full."""
    ran = run_target([MEMBERS, member(1)], **list_settings())
    assert ran.outcomes == {"delivered": 1}
    assert "; 0 requests" not in ran.log


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("skip_invalid_record", "on_invalid"),
        ("test_event", "mode"),
        ("access_token", "conversion_token"),
    ],
)
def test_u20_i_bring_the_settings_of_treasure_data(theirs: str, ours: str):
    """It does not know skip_invalid_record."""
    assert ours in problems(**{theirs: "x"})


def test_u21_i_want_to_see_what_became_of_a_phone(cli):
    """Preview shows digests."""
    settings = entry({"user_data.ph": "Phone"})
    words = ("preview", "orders.singer", *WITH_CONFIG)
    assert "12025550134" not in cli(*words, lines=orders(1), **settings).output
    refused = cli(*words, "--plain", lines=orders(1), **settings)
    assert refused.exit_code == 2
    assert "12025550134" in cli(*words, "--plain", "--yes", lines=orders(1), **settings).output


@pytest.mark.parametrize("command", ["preview --summary", "check --sample"])
def test_u22_each_record_has_a_name_of_its_own(cli, command: str):
    """Preview --summary takes half a minute for 8,000 records: each costs more than the last."""

    def calls(count: int) -> int:
        names = [f"name {number}" for number in range(count)]
        rows = [record("visits", **visit(one, event_name=name)) for one, name in enumerate(names)]
        words = (*command.split(), "orders.singer", *WITH_CONFIG)
        profiler = cProfile.Profile()
        result = profiler.runcall(cli, *words, lines=[schema("visits", *visit()), *rows])
        assert f"{count:,} events" in flat(result.output)
        assert "name 7" not in result.output
        return sum(entry.callcount for entry in profiler.getstats())

    calls(100)  # what is made once
    few, twice, more = calls(100), calls(200), calls(400)
    assert more - twice < 2.5 * (twice - few)


@pytest.mark.parametrize("operation", ["add", "remove", "'add'"])
def test_i_write_a_constant_for_the_operation(run_target, operation: str):
    """Everybody in my table is to be added, so I wrote operation: add."""
    listed = {"stream": "vips", "list_name": "VIPs", "list_type": "EMAIL", "member": "email"}
    settings = list_settings({**listed, "operation": operation})
    ran = run_target([MEMBERS, member(1, action=None)], **settings)
    is_text = operation.startswith("'")
    assert ran.outcomes == ({"delivered": 1} if is_text else {"invalid": 1})
    said = (
        f"If it is the same for every record, write \"'{operation}'\", a string. "
        "(customer_lists[0].operation)"
    )
    assert (said in ran.log) is not is_text


@pytest.mark.parametrize(
    ("path", "constant"),
    [
        ("event_name", "checkout"),
        ("action_source", "web"),
        ("custom_data.currency", "EUR"),
        ("user_data.country", "US"),
    ],
)
def test_i_write_a_constant_among_the_fields(run_target, path: str, constant: str):
    """The currency is always EUR, so I mapped currency: EUR."""
    log = run_target(orders(1), **entry({path: constant})).log
    said = f"If it is the same for every record, write it in defaults: {path}: {constant}."
    assert f"Column '{constant}' is not in stream orders. {said}" in log


@pytest.mark.parametrize(
    ("fields", "members", "said"),
    [
        ({}, {"event_names": {"Paid": "checkout"}}, "event_names: has no effect"),
        ({"event_name": "kind"}, {"event_names": {"Paid": "checkout"}}, None),
        ({}, {"event_names": {"Paid": "checkout"}, "preset": "pinterest"}, None),
        ({"event_source_url": "Email"}, {}, "what user_data.em hashes"),
        ({"custom_data.search_string": "Email"}, {}, "what user_data.em hashes"),
        ({"event_id": "Email"}, {}, "fields.event_id: is sent in plain"),
        ({"custom_data.order_id": '"Order ID"'}, {}, None),
        ({"user_data.external_id": "id", "custom_data.order_id": "id"}, {}, None),
        ({"custom_data.contents": "lines[].{sku: sku}"}, {}, "sets the member sku"),
        ({"custom_data.contents": "lines[?x].{price: p}"}, {}, "did you mean item_price?"),
        ({"custom_data.contents": "lines[].{id: sku, itemPrice: p}"}, {}, None),
        ({"custom_data.contents": "lines[].{p: p} | [].{item_price: p}"}, {}, None),
        ({"custom_data.contents": "lines"}, {}, None),
    ],
)
def test_i_map_what_has_no_effect_or_goes_in_plain(
    fields: dict[str, Any], members: dict[str, Any], said: str | None
):
    """The events are there, and their items are not; or an address stands in one of them."""
    settings = load({"ad_account_id": ACCOUNT, "conversion_token": "x", **entry(fields, **members)})
    warnings = [str(warning) for warning in settings.warnings]
    assert [said in one for one in warnings] == ([True] if said else [])

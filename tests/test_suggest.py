"""`pinterest-capi suggest`: a first mapping, tested on typical tables of shops."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from glob import escape
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from suggested_samples import AGENT, SAMPLES, Sample, ago

from given import ACCOUNT, files_limited_to, line, record, schema
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.sandbox.demo.sample import lines as shop_lines
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings.objects import Preset
from target_pinterest_capi.suggestions import profile
from target_pinterest_capi.suggestions.entry import suggest_entry
from target_pinterest_capi.suggestions.preset_fit import MARKS
from target_pinterest_capi.suggestions.shapes import shapes
from target_pinterest_capi.suggestions.text import as_text
from target_pinterest_capi.suggestions.trial import Trial

NAMES_OF_COLUMNS = st.sampled_from(
    ["email", "created_at", "order_id", "total", "items", "sku", "price", "status", "event", "a.b"]
) | st.text(max_size=6)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, 80 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


def run(*arguments: str, lines: list[bytes] | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=b"\n".join(lines or []))


def messages(sample: Sample) -> list[bytes]:
    keys = (sample.key,) if sample.key else ()
    records = sample.records
    columns = [name for name in records[0] if name not in (sample.schema or {})]
    declared = schema(sample.stream, *columns, key_properties=keys, **(sample.schema or {}))
    return [declared, *(record(sample.stream, **columns) for columns in records)]


def suggested(lines: list[bytes]) -> dict[str, Any]:
    done = run("suggest", lines=lines)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


@cache
def of_sample(name: str) -> Result:
    """Return the command's output for a sample, which several tests use."""
    done = run("suggest", lines=messages(SAMPLES[name]))
    assert done.exit_code == 0, done.output
    return done


def previewed(configuration: dict[str, Any], lines: list[bytes]) -> list[dict[str, Any]]:
    Path("mappings.json").write_text(json.dumps({**configuration, "ad_account_id": ACCOUNT}))
    done = run("preview", "--config", "mappings.json", "--json", "-n", "100", lines=lines)
    assert done.exit_code == 0, done.output
    return [json.loads(row) for row in done.stdout.splitlines()]


@pytest.mark.parametrize("name", SAMPLES)
def test_table_gets_its_mapping(name: str):
    """Columns are found by names and by shapes of values, and the event by the kind of table."""
    sample = SAMPLES[name]
    [entry] = yaml.safe_load(of_sample(name).stdout)["mappings"]
    assert entry["stream"] == sample.stream
    assert entry.get("preset") == sample.preset
    assert entry.get("when") == sample.when
    assert entry.get("event_names") == sample.event_names
    fields = entry.get("fields", {})
    assert {path: fields.get(path) for path in sample.fields} == sample.fields
    defaults = entry.get("defaults", {})
    assert {path: defaults.get(path) for path in sample.defaults} == sample.defaults


@pytest.mark.parametrize("name", SAMPLES)
def test_suggestion_makes_events_and_passes_check(name: str):
    """`preview` makes events with an unchanged suggestion, and `check` finds no error in it."""
    sample = SAMPLES[name]
    lines = messages(sample)
    results = previewed(yaml.safe_load(of_sample(name).stdout), lines)
    assert [row["outcome"] for row in results].count("event") == sample.events
    Path("in.singer").write_bytes(b"\n".join(lines))
    Path("dry.json").write_text('{"mode": "dry_run"}')
    configs = ["--config", "mappings.json", "--config", "dry.json"]
    checked = run("check", *configs, "--sample", "in.singer", "--json")
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("name", SAMPLES)
def test_no_value_of_a_record_is_shown(name: str):
    """The output has names of columns, and no values that identify people."""
    shown = of_sample(name).output.replace(SAMPLES[name].stream, "")
    for text in (
        "jane@",
        "example.com",
        "192.0.2.7",
        "Meyer",
        "555",
        "a name of their own",
        "cus_1",
    ):
        assert text not in shown


def test_every_line_says_why():
    """Each field, name and default has its reason next to it."""
    done = run("suggest", lines=messages(SAMPLES["German shop"]))
    lines = done.stdout.partition("fields:")[2].splitlines()[1:]
    described = [row for row in lines if row.startswith("      ")]
    assert len(described) > 15
    assert [row for row in described if "  # " not in row] == []


def test_what_is_not_sure_is_a_comment():
    """Weak candidates (a name, a test flag, an unknown state) are shown, and not used."""
    order = {
        "order_id": 1,
        "created_at": ago(),
        "email": "jane@example.com",
        "name": "Jane Doe",
        "test": False,
        "status": "Z9",
    }
    done = run("suggest", lines=messages(Sample("orders", [order], {}, {}, 1)))
    [entry] = yaml.safe_load(done.stdout)["mappings"]
    assert "when" not in entry
    assert "user_data.ln" not in entry["fields"]
    for offer in (
        "# user_data.ln: name ",
        "# when: \"to_string(test) != 'true'\"",
        '# when: "status ==',
    ):
        assert offer in done.stdout
    assert "not sure" in done.stdout


def test_columns_without_a_field_are_listed():
    """Columns without a matching rule are named, with a field if their values look like one."""
    order = {
        "order_id": 1,
        "created_at": ago(),
        "email": "jane@example.com",
        "kassennotiz": "x",
        "shipping_mail": "other@example.com",
    }
    done = run("suggest", lines=messages(Sample("orders", [order], {}, {}, 1)))
    assert "kassennotiz" in done.stdout
    assert "shipping_mail (e-mail addresses: user_data.em?)" in done.stdout
    assert yaml.safe_load(done.stdout)["mappings"][0]["fields"]["user_data.em"] == "email"


@pytest.mark.parametrize(
    ("stream", "columns", "why"),
    [
        ("inventory", {"sku": "A", "on_hand": 3}, "no column identifies a person"),
        ("orders", {"id": 1, "email": "jane@example.com"}, "no column is the time"),
        ("audit_log", {"id": 1, "email": "jane@example.com", "at_time": 1}, "not events of people"),
        ("rows", {"id": 1, "email": "jane@example.com", "at_time": 1}, "what its rows are"),
    ],
)
def test_stream_that_makes_no_event_is_a_comment(stream: str, columns: dict[str, Any], why: str):
    """If a required value is missing, the entry is a comment that says so."""
    sample = Sample(
        stream, [{**columns, **({"created_at": ago()} if "at_time" in columns else {})}], {}, {}, 0
    )
    done = run("suggest", lines=messages(sample))
    assert yaml.safe_load(done.stdout) == {"mappings": []}
    assert why in done.stdout
    assert "this file is refused as it is" in done.stdout


@pytest.mark.parametrize(
    ("stream", "event_name"),
    [
        ("orders", "checkout"),
        ("SHOP.PUBLIC.ORDERS", "checkout"),
        ("Bestellungen", "checkout"),
        ("pedidos_2026", "checkout"),
        ("product_views", "view_content"),
        ("quote_requests", "lead"),
        ("abandoned_checkouts", "initiate_checkout"),
        ("kunden", "signup"),
        ("order_items", None),
        ("order_refunds", None),
        ("invoice_line_items", None),
        ("draft_orders", None),
        ("balance_transactions", None),
        ("order_history", None),
        ("products", None),
    ],
)
def test_name_of_a_stream_says_what_its_rows_are(stream: str, event_name: str | None):
    """A stream's name decides the event, except if rows are parts or ends of another one."""
    row = {"id": 1, "order_id": 2, "created_at": ago(), "email": "jane@example.com", "total": 5}
    entries = suggested(messages(Sample(stream, [row], {}, {}, 0)))["mappings"]
    assert [entry["defaults"]["event_name"] for entry in entries] == [event_name] * bool(event_name)


@pytest.mark.parametrize(
    "column", ["sales_rep_email", "created_by_email", "store.email", "sales_mail", "to_email"]
)
def test_address_of_somebody_else_is_not_mapped(column: str):
    """Next to the customer's address, that of a clerk or of the shop is named, and never sent."""
    outer, _, inner = column.partition(".")
    other = {inner: "clerk@example.com"} if inner else "clerk@example.com"
    row = {"order_id": 2, "created_at": ago(), "email": "jane@example.com", outer: other}
    done = run("suggest", lines=messages(Sample("orders", [row], {}, {}, 0)))
    [entry] = yaml.safe_load(done.stdout)["mappings"]
    assert entry["fields"]["user_data.em"] == "email"
    assert f"{column} (e-mail addresses: user_data.em?)" in done.stdout


@pytest.mark.parametrize(("preset", "columns"), MARKS)
def test_preset_is_known_by_its_columns(preset: str, columns: tuple[str, ...]):
    """A stream with a preset's characteristic columns is mapped by it."""
    row = dict.fromkeys(columns, "x")
    [entry] = suggested(messages(Sample("data", [row], {}, {}, 0)))["mappings"]
    assert entry["preset"] == preset


def test_every_preset_is_suggested():
    """Each built-in preset has characteristic columns."""
    assert {preset for preset, _ in MARKS} | {"pinterest"} == set(get_args(Preset))


@pytest.mark.parametrize("name", ["German shop", "Square payments", "flat names, no event"])
def test_target_delivers_by_a_suggestion(
    name: str, run_target: Callable[..., Any], sandbox: Sandbox
):
    """A run of the target with a suggestion reaches Pinterest, with the event's name and value."""
    sample = SAMPLES[name]
    ran = run_target(messages(sample), **suggested(messages(sample)))
    assert ran.code == 0
    assert ran.outcomes["delivered"] == sample.events
    [stored] = sandbox.store.events()
    assert stored.event["event_name"] == "checkout"
    assert stored.event["custom_data"]["value"] in {"19.90", "19.99", "5"}


def test_demos_own_shop_is_mapped():
    """The kind of every table of the demo's shop is found, and each makes events."""
    done = run("suggest", lines=shop_lines(datetime.now(UTC)).splitlines())
    entries = yaml.safe_load(done.stdout)["mappings"]
    assert {entry["stream"]: entry.get("preset") for entry in entries} == {
        "orders": "shopify",
        "tracks": "segment",
        "web_events": "pinterest",
        "store_sales": "pinterest",
        "workshop_bookings": None,
    }
    assert "#   - stream: newsletter\n" in done.stdout
    assert "not mapped  stream inventory" in done.stderr


def test_streams_that_may_be_the_same_sales_are_named():
    """Orders, payments and invoices of one shop could each count a sale, which nobody would see."""
    columns = ("id", "created_at", "email", "total", "currency")
    lines = []
    for stream in ("orders", "payments", "page_visits", "customers"):
        row = dict(zip(columns, (7, ago(), "jane@example.com", 5, "EUR"), strict=True))
        lines += messages(Sample(stream, [row], {}, {}, 0, key="id"))
    words = "Events of checkout come from several streams: orders, payments."
    done = run("suggest", lines=lines)
    assert words in " ".join(done.stdout.replace("#", "").split())
    assert words in " ".join(done.stderr.split())
    assert "customers" not in done.stderr.partition(words)[2]
    assert "several streams" not in run("suggest", lines=messages(SAMPLES["German shop"])).output


def test_members_of_a_list_are_a_customer_list():
    """A stream of people who join and leave leads to a usable customer list."""
    rows = [
        {"id": number, "email": f"jane{number}@example.com", "action": action, "changed_at": ago()}
        for number, action in enumerate(("subscribe", "unsubscribe"))
    ]
    lines = messages(Sample("newsletter", rows, {}, {}, 0, key="id"))
    done = run("suggest", lines=lines)
    offered = (
        done.stdout.partition("# customer_lists:\n")[2]
        .replace("#   ", "  ")
        .replace("#     ", "    ")
    )
    lists = yaml.safe_load("customer_lists:\n" + offered)
    results = previewed({**lists, "mappings": []}, lines)
    assert [row["outcome"] for row in results] == ["added", "removed"]


def test_schema_alone_is_enough_for_names():
    """Without a record the names decide, and the reasons say that no value was seen."""
    declared = schema("orders", "order_id", "created_at", "email", "total", "currency")
    done = run("suggest", lines=[declared])
    [entry] = yaml.safe_load(done.stdout)["mappings"]
    assert entry["fields"]["user_data.em"] == "email"
    assert "the sample has no value of it" in done.stdout


def test_output_is_never_replaced_without_force(folder: Path):
    """--output writes a file and shows an event; an existing file stays, unless --force."""
    (folder / "in.singer").write_bytes(b"\n".join(messages(SAMPLES["German shop"])))
    first = run("suggest", "in.singer", "--output", "mappings.yaml")
    assert first.exit_code == 0, first.output
    assert '"event_name": "checkout"' in first.stdout
    written = (folder / "mappings.yaml").read_text()
    again = run("suggest", "in.singer", "--output", "mappings.yaml")
    assert again.exit_code == 1
    assert "--force" in again.stderr
    assert (folder / "mappings.yaml").read_text() == written
    assert run("suggest", "in.singer", "--output", "mappings.yaml", "--force").exit_code == 0


def test_disk_that_is_full_leaves_the_output_as_it_was(folder: Path):
    """With --force the old file stays until the new one is complete."""
    (folder / "in.singer").write_bytes(b"\n".join(messages(SAMPLES["German shop"])))
    (folder / "mappings.yaml").write_text("old")
    with files_limited_to(100):
        done = run("suggest", "in.singer", "--output", "mappings.yaml", "--force")
    assert done.exit_code == 1
    assert "mappings.yaml cannot be written: File too large" in done.stderr
    assert (folder / "mappings.yaml").read_text() == "old"
    assert sorted(one.name for one in folder.iterdir()) == ["in.singer", "mappings.yaml"]


def test_summary_says_that_nothing_becomes_an_event(folder: Path):
    """A stream without an event is never green: it says why, and what the file needs."""
    unlisted = Sample("tracks", [{"messageId": "m", "context": {}, "timestamp": ago()}], {}, {}, 0)
    done = run("suggest", "--output", "tracks.yaml", lines=messages(unlisted))
    words = " ".join(done.stdout.split())
    assert "mapped, but no event yet stream tracks preset segment; 0 of 1 tried" in words
    incomplete = Sample("inventory", [{"sku": "A", "on_hand": 3}], {}, {}, 0)
    done = run("suggest", "--output", "inventory.yaml", lines=messages(incomplete))
    words = " ".join(done.stdout.split())
    assert "no entry is complete, so it is refused as it is" in words


@pytest.mark.parametrize("width", [60, 80, 160])
def test_summary_keeps_to_the_width(width: int, monkeypatch: pytest.MonkeyPatch):
    """The text about each stream is wrapped to the terminal, with the next step."""
    monkeypatch.setenv("COLUMNS", str(width))
    lines = [
        *messages(SAMPLES["German shop"]),
        *messages(Sample("inventory", [{"sku": "A", "on_hand": 3}], {}, {}, 0)),
    ]
    done = run("suggest", "--output", "out.yaml", "--preview", "0", lines=lines)
    to_copy = "  pinterest-capi"
    rows = [row for row in done.stdout.splitlines() if not row.startswith(to_copy)]
    assert [row for row in rows if len(row) > width] == []
    said = " ".join(done.stdout.split())
    for words in (
        "mapped stream bestellungen 1 of 2 tried become events (others: when)",
        "not mapped stream inventory no column identifies a person",
        "pinterest-capi check --config config.json --config out.yaml",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b"no json"], "line 1"),
        ([], "no stream"),
        ([record("orders", id=1)], "before the SCHEMA"),
        ([line(type="SCHEMA", stream="a", schema=7)], "line 1"),
    ],
)
def test_sample_that_cannot_be_read_exits_with_1(lines: list[bytes], words: str):
    """A line that is not a Singer message is reported with its number, and never shown."""
    done = run("suggest", lines=lines)
    assert done.exit_code == 1
    assert words in done.stderr
    assert "no json" not in done.stderr


@pytest.mark.parametrize(
    ("stream", "column", "word"),
    [
        ("jane@example.com", "status", "paid"),
        ("orders", "jane@example.com", "paid"),
        ("orders", "a\n- stream: b", "paid"),
        ("orders[1]*", "status", "x"),
        ("orders", "status", "pa\nid"),
        ("orders", "status", "paid'"),
        ("orders", 'a "quoted" # column', "paid"),
        ("", "status", "paid"),
    ],
)
def test_odd_names_and_words_leave_the_output_whole(stream: str, column: str, word: str):
    """Names that are values are not shown, and no name or word breaks the configuration."""
    rows = [
        {"order_id": 1, "created_at": ago(), "mail": "joe@example.com", column: state}
        for state in (word, "open")
    ]
    done = run("suggest", lines=messages(Sample(stream, rows, {}, {}, 0)))
    assert done.exit_code == 0, done.output
    assert "jane@" not in done.output
    entries = yaml.safe_load(done.stdout)["mappings"]
    may_be_shown = stream.startswith("orders")
    assert [entry["stream"] for entry in entries] == ([escape(stream)] if may_be_shown else [])
    previewable = {"mappings": entries or None}
    assert len(previewed(previewable, messages(Sample(stream, rows, {}, {}, 0)))) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Jane@Example.com ", {"email"}),
        ("+1 (202) 555-0134", {"phone"}),
        ("192.0.2.7", {"ip_address"}),
        ("2001:db8::7", {"ip_address"}),
        (AGENT, {"user_agent"}),
        ("6d92078a-8246-4ba4-ae5b-76104861e7dc", {"uuid"}),
        ("a" * 64, {"digest"}),
        ("https://shop.example.com/a", {"url"}),
        ("/a?epik=1", {"path"}),
        ("2026-11-25T10:00:00Z", {"time"}),
        ("25.11.2026", {"time"}),
        (1_795_000_000, {"amount", "whole", "time"}),
        (1_795_000_000_000, {"amount", "whole", "time"}),
        ("1795000000", {"amount", "whole", "time"}),
        (19.5, {"amount"}),
        ("19.90", {"amount"}),
        ("1.234,50", {"amount", "comma_amount"}),
        ("1,234", {"text"}),
        ("10115", {"amount", "whole"}),
        ("EUR", {"currency"}),
        ("DE", {"country"}),
        ("weiblich", {"gender"}),
        (True, {"boolean"}),
        ("false", {"boolean"}),
        ("Hello there", {"text"}),
        (float("nan"), set()),
        (None, set()),
        ("  ", set()),
        ({"a": 1}, set()),
    ],
)
def test_value_has_its_shapes(value: Any, expected: set[str]):
    """A value is recognized by the rules by which it would be read."""
    assert shapes(value) == expected


WILD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["paid", "Order Completed", "jane@example.com", "1,5", "[1, {", "EUR", "{}"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES_OF_COLUMNS, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    stream=st.sampled_from(["orders", "leads", "newsletter", "x"]) | st.text(max_size=6),
    rows=st.lists(st.dictionaries(NAMES_OF_COLUMNS, WILD, max_size=6), max_size=3),
    keys=st.lists(st.sampled_from(["id", "order id", "a.b"]), max_size=2),
)
def test_any_table_gets_a_configuration_that_loads(
    stream: str, rows: list[dict[str, Any]], keys: list[str]
):
    """For any input, the text is the configuration that was tested, and it can be loaded."""
    lines = [schema(stream, key_properties=tuple(keys)), *(record(stream, **row) for row in rows)]
    entries = [suggest_entry(found) for found in profile.read(lines).values()]
    text = as_text(entries, Trial(entries))
    mappings = [entry.mapping() for entry in entries if entry.is_active]
    assert yaml.safe_load(text) == {"mappings": mappings}

"""`pinterest-capi fields` and `presets`.

The references in a terminal, for programs, and for copying.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from given import settings_of
from shopper import digest
from target_pinterest_capi.cli import fields, presets
from target_pinterest_capi.cli.main import COMMANDS, main
from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES, FIELDS, ITEM_FIELDS, OBJECTS
from target_pinterest_capi.mapping import presets as built_in
from target_pinterest_capi.mapping.entries import Accounts, StreamSchema, compile_stream
from target_pinterest_capi.mapping.flat_columns import base_columns
from target_pinterest_capi.settings import parse_mapping
from target_pinterest_capi.settings.paths import COMMON_NAMES


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def printed(*arguments: str) -> str:
    ran = run(*arguments)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_called(command: str):
    """The list of commands has only existing ones, each with a sentence."""
    assert "Usage: " in printed(command, "--help")
    assert COMMANDS[command][1].endswith(".")
    assert command in printed("--help")


# fields


def test_fields_lists_every_field_and_item_member_in_order():
    """For programs: all paths in the table's order, with the table's facts."""
    rows = json.loads(printed("fields", "--json"))
    members = [f"custom_data.contents[].{member.path}" for member in ITEM_FIELDS]
    paths = [field.path for field in FIELDS]
    place = paths.index("custom_data.contents") + 1
    assert [row["path"] for row in rows] == [*paths[:place], *members, *paths[place:]]
    for row in rows:
        if row["path"] in BY_PATH:
            field = BY_PATH[row["path"]]
            assert (row["about"], row["required"], row.get("choices", [])) == (
                field.about,
                field.required,
                list(field.choices),
            )
            assert row.get("form") == (fields.FORMS[field.form][0] if field.form else None)


@pytest.mark.parametrize(
    ("path", "kind", "limit"),
    [
        ("user_data.em", "list of hashed strings", ""),
        ("custom_data.value", "decimal as a string", ""),
        ("custom_data.contents", "list of objects", ""),
        ("custom_data.num_items", "integer", "at least 0"),
        ("app_info.user_agent", "string", "16,384 characters"),
        ("device_info.languages", "list of strings", "100 values"),
        ("device_info.battery_level", "integer", "0 to 100"),
        ("action_source", "one of a list", "app_android, app_ios, web, offline"),
    ],
)
def test_types_and_limits_in_words(path: str, kind: str, limit: str):
    """A row of the table as people see it."""
    row = fields.describe(BY_PATH[path])
    assert (row.type, row.limit) == (kind, limit)


def test_fields_fit_80_columns():
    """Without a terminal: path and type on a line, the rest below, in 80 columns and no colours."""
    shown = printed("fields")
    lines = shown.splitlines()
    assert lines[:2] == [
        "event_name  string, required",
        "    What the user did; one of Pinterest's names, or the advertiser's own",
    ]
    assert [row for row in lines if len(row) > 80 or row != row.rstrip()] == []
    assert "\x1b" not in shown
    assert all(f"\n{field.path}  " in f"\n{shown}" for field in FIELDS)


def test_fields_are_a_table_where_there_is_room(monkeypatch: pytest.MonkeyPatch):
    """A wide terminal has a row for each field, with a column for each fact."""
    monkeypatch.setenv("COLUMNS", "160")
    heads, first, *_ = printed("fields", "user_data.ge").splitlines()
    assert " ".join(heads.split()) == "Field Type Normal form Limit What it is for"
    assert (
        " ".join(first.split())
        == "user_data.ge list of hashed strings f, m or n, from the usual words Gender: f, m or n"
    )


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("em", ["user_data.em"]),
        ("user_data.em", ["user_data.em"]),
        ("Phone", ["user_data.ph"]),
        ("phones", ["user_data.ph"]),
        ("match key", ["user_data.em"]),
        ("event_", ["event_name", "event_time", "event_id", "event_source_url"]),
    ],
)
def test_fields_can_be_looked_up(text: str, paths: list[str]):
    """By name, by a part of the path, or by a word in the description."""
    assert [row["path"] for row in json.loads(printed("fields", text, "--json"))] == paths


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("email", "user_data.em"),
        ("E-Mail", "user_data.em"),
        ("email address", "user_data.em"),
        ("mobile", "user_data.ph"),
        ("zip", "user_data.zp"),
        ("zip code", "user_data.zp"),
        ("postcode", "user_data.zp"),
        ("birthday", "user_data.db"),
        ("dob", "user_data.db"),
        ("surname", "user_data.ln"),
        ("FirstName", "user_data.fn"),
        ("sex", "user_data.ge"),
        ("customer_id", "user_data.external_id"),
        ("IDFA", "user_data.hashed_maids"),
        ("ip", "user_data.client_ip_address"),
        ("user agent", "user_data.client_user_agent"),
        ("epik", "user_data.click_id"),
        ("revenue", "custom_data.value"),
        ("total", "custom_data.value"),
        ("price", "custom_data.contents[].item_price"),
        ("sku", "custom_data.content_ids"),
        ("SKUs", "custom_data.contents[].id"),
        ("qty", "custom_data.contents[].quantity"),
        ("line_items", "custom_data.contents"),
        ("brand", "custom_data.contents[].item_brand"),
        ("transaction_id", "custom_data.order_id"),
        ("query", "custom_data.search_string"),
        ("LTV", "custom_data.predicted_ltv"),
        ("consent", "opt_out"),
        ("gdpr", "opt_out"),
        ("gdpr", "custom_data.opt_out_type"),
        ("ccpa", "custom_data.opt_out_type"),
        ("deduplication", "event_id"),
        ("timestamp", "event_time"),
        ("page url", "event_source_url"),
    ],
)
def test_fields_are_found_by_what_people_call_them(text: str, path: str):
    """A common name finds the field, however it is written, and few others."""
    found = [row["path"] for row in json.loads(printed("fields", text, "--json"))]
    assert path in found
    assert len(found) <= 4


def test_every_common_name_finds_its_field():
    """Names that a mapping's messages recognize, and every synonym, are found here too."""
    paths = {row.path for row in fields.reference()}
    called = {(name, path) for name, path in COMMON_NAMES.items()}
    called |= {(name, path) for path, names in fields.SYNONYMS.items() for name in names.split()}
    assert {path for _, path in called} <= paths
    for name, path in called:
        assert path in [row.path for row in fields.find_fields(name)]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("revnue", "revenue"), ("emial", "email"), ("user_data.emm", "user_data.em")],
)
def test_unknown_field_names_the_nearest(text: str, suggestion: str):
    """An unknown name ends with exit code 1 and a similar name."""
    ran = run("fields", text)
    assert ran.exit_code == 1
    assert f"did you mean {suggestion}?" in ran.stderr


@pytest.mark.parametrize("text", ["qqqqqq", "4711", "blockchain"])
def test_no_field_is_suggested_where_none_is_near(text: str):
    """A string without a similar name gets no odd suggestion, but how to see all fields."""
    ran = run("fields", text)
    assert ran.exit_code == 1
    assert "did you mean" not in ran.stderr
    assert "`pinterest-capi fields` lists them all" in ran.stderr


# presets


def test_presets_are_those_of_the_package():
    """For any files, `pinterest` is first."""
    folder = Path(built_in.__file__).parent
    files = [path.stem for path in folder.glob("*.yaml")]
    assert presets.names() == ("pinterest", *sorted(files))


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_says_what_it_is(name: str):
    """Each is listed with a sentence and its event names, and its comment has more than that."""
    preset = presets.load(name)
    assert preset.about.endswith(".")
    assert len(preset.notes) > 1
    (row,) = [
        row for row in json.loads(printed("presets", "list", "--json")) if row["name"] == name
    ]
    assert row["about"] == preset.about
    assert row["event_names"] == list(preset.event_names)
    assert set(row["event_names"]) <= set(EVENT_NAMES)
    assert bool(row["event_names"]) == (name != "pinterest")


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_can_be_copied(name: str):
    """The output of `presets show` is YAML of an entry that equals the preset."""
    shown = printed("presets", "show", name)
    entry = parse_mapping(yaml.safe_load(shown), "copy")
    assert entry == presets.load(name).entry
    assert entry.preset is None
    assert settings_of(mappings=[yaml.safe_load(shown)]).mappings == (entry,)


def test_presets_list_for_people():
    """Name, sentence and event names of each, within 80 columns."""
    lines = printed("presets", "list").splitlines()
    assert [row for row in lines if row and not row.startswith((" ", "Use one", "prints"))] == list(
        presets.names()
    )
    assert [row for row in lines if len(row) > 80 or row != row.rstrip()] == []
    assert "    event_name as the record has it" in lines


def test_unknown_preset_names_the_nearest():
    """A wrong name ends with exit code 2, a similar one and all names."""
    ran = run("presets", "show", "pintrest")
    assert ran.exit_code == 2
    assert "did you mean pinterest?" in ran.stderr
    assert ran.stdout == ""


COMMENT = """\
# Shop: its orders (e.g. paid ones), as rows. More of it
# here.
#
# Needs:    a column,
#           and its neighbour.
# Not sent: opt_out.
stream: "*"
fields: {event_name: "paid && 'checkout' || 'lead'"}
# Later:  not a part of it
"""


def test_comment_is_read_as_paragraphs_with_labels():
    """The first paragraph is a description, others begin with their label.

    The comment ends where the entry begins.
    """
    assert list(presets.notes(COMMENT)) == [
        ("", "Shop: its orders (e.g. paid ones), as rows. More of it here."),
        ("Needs", "a column, and its neighbour."),
        ("Not sent", "opt_out."),
    ]
    assert (
        presets.first_sentence("Shop: its orders (events_..., pages). More.")
        == "Shop: its orders (events_..., pages)."
    )


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        (
            {
                "fields": {"event_name": "event"},
                "event_names": {"Paid": "checkout", "Seen": "page_visit", "Own": "mine"},
            },
            ["checkout", "page_visit", "mine"],
        ),
        (
            {
                "fields": {"event_name": "event"},
                "event_names": {"Paid": "lead"},
                "defaults": {"event_name": "custom"},
            },
            ["custom", "lead"],
        ),
        (
            {
                "fields": {"event_name": "paid && 'checkout' || 'other'"},
                "defaults": {"event_name": "lead"},
            },
            ["checkout", "lead"],
        ),
        ({"fields": {"event_name": "event"}}, []),
    ],
)
def test_event_names_of_a_preset(entry: dict[str, Any], names: list[str]):
    """Those it translates to, its constant, and its expression's, in Pinterest's order."""
    preset = presets.Preset("x", "", (), "", parse_mapping({"stream": "*", **entry}, "x"))
    assert list(preset.event_names) == names


# The preset `pinterest`, copied

NOW = 1_780_000_000  # 2026-05-28T20:26:40Z; what is tested goes by the clock that it is given
SAMPLES = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": NOW - 9,
    "event_id": "e-1",
    "opt_out": "false",
    "advertiser_tracking_enabled": 1,
    "wifi": True,
    "language": "de-DE",
    "em": ["a@example.com", "b@example.com"],
    "ph": "+1 202 555 0134",
    "ge": "female",
    "db": "1990-01-31",
    "st": "CA",
    "zp": 94110,
    "country": "US",
    "hashed_maids": "6D92078A-8246-4BA4-AE5B-76104861E7DC",
    "client_ip_address": "192.0.2.1",
    "currency": "usd",
    "value": "19.90",
    "content_ids": ["a"],
    "contents": [{"id": "a", "quantity": 1}],
    "item_price": "9.95",
    "item_quantity": 2,
    "num_items": 2,
    "predicted_ltv": 5,
    "external_measurement_vendor_id": 3,
}


def results(record: dict[str, Any], entry: dict[str, Any]) -> tuple[Any, list[tuple[str, str]]]:
    """Return the event that a record becomes with an entry, and its notes."""
    settings = settings_of(mappings=[entry])
    noted: list[tuple[str, str]] = []
    (compiled,) = compile_stream(
        settings,
        StreamSchema("s", frozenset(record), ("event_id",)),
        Accounts(settings),
        lambda _, field, reason: noted.append((field, str(reason))),
        lambda: NOW,
        began_at=datetime.fromtimestamp(NOW, UTC),
    )
    result = compiled.map_record(record)
    return (
        json.loads(result.body) if isinstance(result, Event) else result._replace(origin=None)
    ), noted


def sample(leaf: str) -> Any:
    return SAMPLES.get(leaf, "some text")


NEEDED = {
    name: SAMPLES[name] for name in ("event_name", "action_source", "event_time", "event_id", "em")
}
NESTED = {
    "user_data": {"em": "n@example.com", "ph": "+442079460018"},
    "custom_data": {"value": 7, "contents": [{"id": "n"}]},
}
COLUMNS = sorted(
    {source for sources in base_columns().values() for source in sources if source.isidentifier()}
    - set(OBJECTS)
)


@pytest.mark.parametrize(
    "columns",
    [
        *[pytest.param({column: sample(column)}, id=column) for column in COLUMNS],
        *[
            pytest.param(
                {
                    parent: {
                        field.leaf: sample(field.leaf) for field in FIELDS if field.parent == parent
                    }
                },
                id=parent,
            )
            for parent in OBJECTS
        ],
        pytest.param({column: sample(column) for column in COLUMNS}, id="all flat columns"),
        pytest.param(
            {**{column: sample(column) for column in COLUMNS}, **NESTED}, id="flat and nested"
        ),
        pytest.param(
            {"item_id": "a", "item_price": "9.95", "item_quantity": 2, "item_name": "Hat"},
            id="a flat item",
        ),
        pytest.param({"user_data": None, "custom_data": "{}", "contents": ""}, id="nothing"),
    ],
)
def test_copied_pinterest_makes_the_same_events(columns: dict[str, Any]):
    """As an entry, `presets show pinterest` maps unnumbered columns like the preset."""
    record = {**NEEDED, **columns}
    copied = yaml.safe_load(printed("presets", "show", "pinterest"))
    event, noted = results(record, copied)
    assert event["user_data"]["em"]
    assert (event, noted) == results(record, {"stream": "*", "preset": "pinterest"})


def test_copied_pinterest_reads_what_it_says():
    """The copy reads flat and nested columns: they are not equal just because both read nothing."""
    event, _ = results(
        {**NEEDED, **NESTED, "item_id": "flat"},
        yaml.safe_load(printed("presets", "show", "pinterest")),
    )
    assert event["user_data"]["em"] == [
        digest(address) for address in ("n@example.com", "a@example.com", "b@example.com")
    ]
    assert event["custom_data"]["contents"] == [{"id": "n"}]

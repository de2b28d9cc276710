"""Files generated from the settings: the SDK's schema, Meltano's entries, and tables."""

import json
import re
from io import StringIO

import jsonschema
import pytest
from dotenv import dotenv_values

from target_pinterest_capi.settings import (
    ENVIRONMENT_PREFIX,
    ConfigurationError,
    CustomerListEntry,
    MappingEntry,
    OAuth,
    Settings,
    environment_example,
    load,
    mapping_table,
    meltano_settings,
    read_environment,
    sdk_schema,
    settings_groups,
    settings_table,
)
from target_pinterest_capi.settings.json_schema import properties

NAMES = sorted(properties(Settings))
SECRETS = {
    "conversion_token",
    "ledger_url",
    "results_url",
    "notify_url",
    "oauth.access_token",
    "oauth.client_secret",
    "oauth.refresh_token",
}
MINIMAL = {"ad_account_id": "1", "conversion_token": "x"}
# What Meltano gives by itself.
VALUES = {entry["name"]: entry["value"] for entry in meltano_settings() if "value" in entry}

# the example of the contract with users, as YAML reads it
EXAMPLE = {
    "ad_account_id": "549755885175",
    "conversion_token": "sandbox-token",
    "oauth": {"access_token": "access-token"},
    "ledger_url": "sqlite:///ledger.db",
    "mappings": [
        {
            "stream": "orders",
            "name": "paid orders",
            "preset": "pinterest",
            "when": "financial_status == 'paid'",
            "ad_account_id": "549755885175",
            "event_names": {"Order Completed": "checkout"},
            "fields": {
                "event_id": "name",
                "event_time": "processed_at",
                "user_data.em": ["email", "customer.email"],
                "user_data.click_id": "query_param(landing_site, 'epik')",
                "custom_data": {"value": "total_price", "currency": "\"'USD'\"", "np": None},
                "custom_data.contents": "line_items[].{id: product_id, item_name: title, "
                "item_price: price, quantity: quantity}",
            },
            "defaults": {"event_name": "checkout", "action_source": "web"},
        }
    ],
    "customer_lists": [
        {
            "stream": "vip_members",
            "list_name": "VIPs",
            "list_type": "EMAIL",
            "member": ["email", "alt_email"],
            "operation": "action",
            "refresh": "full",
        }
    ],
}


def dotted(schema, prefix=""):
    """`{dotted name: property}` of a schema's objects, but not of its lists."""
    found = {}
    for name, made in schema["properties"].items():
        found[prefix + name] = made
        if "properties" in made:
            found |= dotted(made, f"{prefix}{name}.")
    return found


# ---- completeness ----


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_every_place(name):
    """Each setting is in the schema, in Meltano's entries and in the table, with its meaning."""
    description = Settings.model_fields[name].description
    assert sdk_schema()["properties"][name]["description"] == description
    variable = f"TARGET_PINTEREST_CAPI_{name}".upper()
    assert f"| `{name}`<br>`{variable}` | " in settings_table()
    if name == "oauth":
        described = {entry["name"] for entry in meltano_settings()}
        assert {f"oauth.{member}" for member in properties(OAuth)} <= described
    else:
        (entry,) = [entry for entry in meltano_settings() if entry["name"] == name]
        assert entry["description"] == description
        assert description in settings_table()


def test_no_place_has_anything_else():
    """Generated files name each setting once and nothing else."""
    entries = [entry["name"] for entry in meltano_settings()]
    expected = {*NAMES, *(f"oauth.{name}" for name in properties(OAuth))}
    assert sorted(entries) == sorted(expected - {"oauth"})
    assert set(dotted(sdk_schema())) == expected
    rows = [line.split("`")[1] for line in settings_table().splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize("model", [Settings, OAuth, MappingEntry, CustomerListEntry])
def test_every_setting_is_described_in_plain_sentences(model):
    """Every description is a sentence or two, on one line, and every setting is in a group."""
    for name, schema in properties(model).items():
        assert schema["description"], name
        assert schema["description"].endswith("."), name
        assert "\n" not in schema["description"], name
        assert len(schema["description"]) < 160, name
        assert ("group" in schema) == (model is Settings), name


def test_what_loading_fills_in_is_no_setting():
    """The token in an entry's file is in no generated text."""
    for text in (json.dumps(sdk_schema()["properties"]["mappings"]), mapping_table()):
        assert "conversion_token_file" in text
        assert '"conversion_token"' not in text
        assert "`conversion_token`" not in text


# ---- the example of the environment ----


def variables(text: str) -> dict[str, str | None]:
    """The example's variables, including those in comments."""
    return dotenv_values(stream=StringIO(re.sub(r"^# (?=[A-Z_]+=)", "", text, flags=re.MULTILINE)))


def test_environment_example_has_every_setting_that_is_one_value():
    """Each setting that is neither a list nor an object has its variable there once."""
    simple = {
        f"{name}.{member}".removeprefix(".")
        for name, model in (("", Settings), ("oauth", OAuth))
        for member, schema in properties(model).items()
        if schema["type"] not in {"array", "object"}
    }
    named = [
        line for line in environment_example().splitlines() if re.match(r"(# )?[A-Z_]+=", line)
    ]
    expected = {f"{ENVIRONMENT_PREFIX}{name.upper().replace('.', '_')}" for name in simple}
    assert sorted(variables(environment_example())) == sorted(expected)
    assert len(named) == len(expected)


def test_environment_example_asks_for_what_is_required():
    """Unchanged it sets nothing; only what a first run needs is not a comment."""
    values = dotenv_values(stream=StringIO(environment_example()))
    assert values == {
        f"{ENVIRONMENT_PREFIX}AD_ACCOUNT_ID": "",
        f"{ENVIRONMENT_PREFIX}CONVERSION_TOKEN": "",
    }
    assert read_environment({name: value or "" for name, value in values.items()}) == {}


def test_environment_example_shows_the_defaults():
    """Without the comment marks, its settings are the defaults."""
    shown = {name: value or "" for name, value in variables(environment_example()).items()}
    assert load({**read_environment(shown), **MINIMAL}) == load(MINIMAL)


# ---- the SDK's schema ----


def test_the_schema_is_a_schema():
    """It is valid JSON Schema, and plain JSON."""
    jsonschema.Draft202012Validator.check_schema(sdk_schema())
    assert json.loads(json.dumps(sdk_schema())) == sdk_schema()


def test_the_schema_takes_what_the_settings_take():
    """The contract's example fits the schema, and is a configuration."""
    jsonschema.validate(EXAMPLE, sdk_schema())
    settings = load(EXAMPLE)
    assert settings.mappings[0].fields["user_data.em"] == ("email", "customer.email")
    assert settings.customer_lists[0].member == ("email", "alt_email")
    jsonschema.validate(
        {"ad_account_id": "1", "max_event_age_days": None, "max_rejected_ratio": None}, sdk_schema()
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "liv"},
        {"batch_size_rows": 1001},
        {"batch_wait_seconds": 0},
        {"no_such_setting": 1},
        {"oauth": {"no_such_member": "x"}},
        {"mappings": [{"name": "without a stream"}]},
        {"customer_lists": [{"stream": "vip", "list_id": "1"}]},
        {"ad_account_id": None},
    ],
)
def test_the_schema_refuses_what_the_settings_refuse(wrong):
    """The schema checks types, choices, limits, unknown and missing members."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"ad_account_id": "1", **wrong}, sdk_schema())


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_has_the_models_defaults(name):
    """A default in the schema is the model's, fits its property, and changes no settings."""
    made = sdk_schema()["properties"][name]
    default = Settings.model_fields[name].default
    assert ("default" in made) == (
        not Settings.model_fields[name].is_required() and default is not None
    )
    if "default" in made:
        jsonschema.validate(made["default"], made)
        assert getattr(load({**MINIMAL, name: made["default"]}), name) == getattr(
            load(MINIMAL), name
        )


def test_only_secrets_are_secret():
    """Only secrets are marked in the schema, in Meltano's entries and in the table."""
    assert {name for name, made in dotted(sdk_schema()).items() if made.get("secret")} == SECRETS
    assert {name for name, made in dotted(sdk_schema()).items() if made.get("writeOnly")} == SECRETS
    assert {entry["name"] for entry in meltano_settings() if entry.get("sensitive")} == SECRETS
    assert {
        row.split("`")[1] for row in settings_table().splitlines() if row.endswith(" Secret. |")
    } == SECRETS


def test_required_settings_are_required():
    """One setting is required, and its schema says so; a token may be, depending on others."""
    assert sdk_schema()["required"] == ["ad_account_id"]
    assert sdk_schema()["properties"]["mappings"]["items"]["required"] == ["stream"]
    assert sdk_schema()["properties"]["customer_lists"]["items"]["required"] == ["stream", "member"]


# ---- Meltano ----

# Without decimal, which Meltano 4.4 cannot carry.
KINDS = {"string", "integer", "boolean", "array", "object", "options", "file"}


def test_meltanos_entries_have_kinds_it_knows():
    """Each entry has name, label, kind and description, and options list theirs."""
    for entry in meltano_settings():
        assert {"name", "label", "kind", "description"} <= set(entry)
        assert set(entry) <= {
            "name",
            "label",
            "kind",
            "description",
            "options",
            "sensitive",
            "value",
        }
        assert entry["kind"] in KINDS
        assert ("options" in entry) == (entry["kind"] == "options")


@pytest.mark.parametrize(
    ("name", "kind", "label"),
    [
        ("ad_account_id", "string", "Ad Account ID"),
        ("conversion_token_file", "file", "Conversion Token File"),
        ("oauth.client_id", "string", "OAuth: Client ID"),
        ("oauth.token_path", "file", "OAuth: Token Path"),
        ("api_url", "string", "API URL"),
        ("mode", "options", "Mode"),
        ("mappings", "array", "Mappings"),
        ("defaults", "object", "Defaults"),
        ("max_event_age_days", "string", "Max Event Age Days"),
        ("max_rejected_ratio", "string", "Max Rejected Ratio"),
        ("batch_size_rows", "integer", "Batch Size Rows"),
        ("batch_wait_seconds", "string", "Batch Wait Seconds"),
        ("validate_records", "boolean", "Validate Records"),
        ("stream_maps", "object", "Stream Maps"),
        ("flattening_max_depth", "integer", "Flattening Max Depth"),
    ],
)
def test_meltanos_kinds_and_labels(name, kind, label):
    """Kinds follow from types and labels from names; a setting with `never` is text to Meltano."""
    (entry,) = [entry for entry in meltano_settings() if entry["name"] == name]
    assert (entry["kind"], entry["label"]) == (kind, label)


def test_meltanos_options_are_the_choices():
    """An option's value is accepted by the setting."""
    for entry in meltano_settings():
        for option in entry.get("options", []):
            given = {**MINIMAL, "results_url": "sqlite:///results.db"}  # which change needs
            settings = load({**given, entry["name"]: option["value"]})
            assert getattr(settings, entry["name"]) == option["value"]


@pytest.mark.parametrize("name", NAMES)
def test_meltanos_values_are_the_defaults(name):
    """An entry's value is the default, except if it matters whether the setting was given."""
    default = sdk_schema()["properties"][name].get("default")
    assert VALUES.get(name) == (None if name == "ledger_retention_days" else default)


def test_a_secret_has_no_value():
    """Meltano's own defaults have no secret."""
    assert not set(VALUES) & SECRETS


def outcome(given):
    """Return the settings of a configuration, or its problems."""
    try:
        return load(given)
    except ConfigurationError as error:
        return [(problem.path, problem.message) for problem in error.problems]


@pytest.mark.parametrize(
    "given",
    [
        MINIMAL,
        {},
        EXAMPLE,
        {**MINIMAL, "mappings": [], "customer_lists": EXAMPLE["customer_lists"]},
        {**MINIMAL, "max_event_age_days": "never", "ledger_url": "sqlite:///ledger.db"},
        {**MINIMAL, "max_event_age_days": 30},
        {**MINIMAL, "defaults": {"action_source": "web"}, "mode": "dry_run"},
    ],
    ids=[
        "minimal",
        "nothing",
        "example",
        "lists alone",
        "no age limit",
        "no retention for the age",
        "defaults",
    ],
)
@pytest.mark.parametrize(
    "written", [lambda value: value, json.dumps], ids=["as they are", "as text"]
)
def test_meltanos_values_change_nothing(given, written):
    """With Meltano's additions a configuration means the same, and has the same problems."""
    texts = {name for name, value in VALUES.items() if isinstance(value, str)}
    added = {name: value if name in texts else written(value) for name, value in VALUES.items()}
    assert outcome({**added, **given}) == outcome(given)


# ---- tables ----


@pytest.mark.parametrize(
    ("table", "cells"),
    [(settings_table(), 4), (mapping_table(), 3), (mapping_table(lists=True), 3)],
    ids=["settings", "entry", "list"],
)
def test_tables_are_tables(table, cells):
    """Every line has as many cells as the header."""
    lines = table.splitlines()
    assert table.endswith("|\n")
    assert lines[1] == "|---" * cells + "|"
    for line in lines:
        assert line.replace("\\|", "").count("|") == cells + 1, line


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("conversion_token", "events"),
        ("mappings", "events"),
        ("oauth", "lists"),
        ("oauth.token_path", "lists"),
        ("list_batch_size", "lists"),
        ("ad_account_id", "both"),
        ("dead_letter_path", "both"),
    ],
)
def test_settings_say_what_needs_them(name, users):
    """A setting's row says whether it is for events, customer lists or both."""
    (row,) = [row for row in settings_table().splitlines() if row.startswith(f"| `{name}` |")]
    assert row.split(" | ")[2] == users


def test_every_setting_is_in_a_group():
    """The groups together have the rows of the whole table, each once and in its order."""
    rows = [row for group in settings_groups() for row in settings_table(group).splitlines()[2:]]
    assert rows == settings_table().splitlines()[2:]


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("ad_account_id", "required"),
        ("mode", "`live`"),
        ("batch_max_bytes", "`2000000`"),
        ("max_rejected_ratio", "`1.0`"),
        ("validate_records", "`false`"),
        ("customer_lists", "`[]`"),
        ("report_path", ""),
    ],
)
def test_tables_print_defaults_as_they_are_written(name, default):
    """A default in the table is written as in a configuration."""
    (row,) = [row for row in settings_table().splitlines() if row.startswith(f"| `{name}` |")]
    assert row.split("|")[2].strip() == default


def test_tables_name_every_choice_and_key():
    """Choices are in their row, and the tables of entries and lists have all their keys."""
    rows = {
        row.split("`")[1]: row for row in settings_table().splitlines() if row.startswith("| `")
    }
    for name, schema in properties(Settings).items():
        for choice in schema.get("enum", ()):
            assert choice in rows[name].partition("| ")[2].partition("|")[2], name
    for model, table in (
        (MappingEntry, mapping_table()),
        (CustomerListEntry, mapping_table(lists=True)),
    ):
        for name in properties(model):
            assert f"| `{name}` | " in table

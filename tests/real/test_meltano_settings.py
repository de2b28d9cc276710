"""Every setting, with every kind of value, set in each of Meltano's ways.

A row of the table is one setting; a column of it is one configuration. So one start of Meltano
tries a value of each.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from meltano_project import LOADER
from plugin_project import PluginProject, as_text

from target_pinterest_capi.cli.definition import plugin_definition
from target_pinterest_capi.settings import Settings, load
from target_pinterest_capi.settings.json_schema import properties

SETTINGS: Final = [entry["name"] for entry in plugin_definition(LOADER)["settings"]]
SCHEMAS: Final = properties(Settings)
CHOICES: Final = {name: schema["enum"] for name, schema in SCHEMAS.items() if "enum" in schema}
NULLABLE: Final = [name for name, schema in SCHEMAS.items() if "null" in schema]

ENTRY: Final = {
    "stream": "orders-*",
    "name": "it's \"paid\", 100 %",
    "preset": "shopify",
    "when": "status == 'paid' && total > `0` && \"Zahl ungs-Art\" != '$5'",
    "event_names": {"Bestellung äöü": "checkout", "7": None},
    "fields": {"event_id": "id", "user_data.em": ["mail", "person.mail"], "custom_data": {"value": "v"}},
    "defaults": {"custom_data.order_id": "007", "opt_out": False, "custom_data": {"value": 1.5}},
    "null_values": [],
}  # fmt: skip
LIST: Final = {
    "stream": "vip",
    "list_name": "VIP's list",
    "member": ["email", "alt.email"],
    "operation": "action",
    "max_removed_ratio": 0.25,
    "audience": True,
}

# Text that looks like a number, a boolean or null, quotes, blanks, and other special YAML text.
VALUES: Final[dict[str, tuple[Any, ...]]] = {
    **{name: tuple(choices) for name, choices in CHOICES.items()},
    "ad_account_id": ("549755885175", 549755885176),
    "conversion_token": ("pina_A+/=.~-", "0123456789", "1e5", "true", "a#b'c"),
    "api_url": ("http://127.0.0.1:8085/v5", "https://proxy.example.com:8443/pins/v5"),
    "mappings": ([], [ENTRY], [{"stream": "*"}, {"stream": "a.b"}], json.dumps([ENTRY])),
    "customer_lists": ([LIST], [], [{"stream": "vip", "list_id": "643", "member": "email"}]),
    "defaults": ({}, {"action_source": "web"}, {"custom_data": {"order_id": "007"}, "opt_out": True}),
    "timezone": ("UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5"),
    "default_country": ("DE", "NO", "us"),
    "null_values": ([], ["void", "n/a"], ["\\N", "#N/A", "it's", "a, b", "unbekannt äöü"]),
    "max_event_age_days": (3, 20, "7", "never", "none"),
    "quality": ({}, {"checkout": {"hashed_email": 80}, "sign up": {"ip_address": 12.5}}),
    "max_rejected_ratio": (0.25, 0, 1, 1.0, "never", "0.5", 0.001),
    "dead_letter_path": ("rejected letters.jsonl", "memory://pre fix/", "007"),
    "old_events_path": ("old events", "memory://old events/", "008"),
    "old_events_names": (
        {},
        {"custom_data": {"value": "value"}, "web": "web site", "opt_out": "it's"},
    ),
    "report_path": ("a report.html", "it's.json"),
    "metrics_path": ("a run's numbers.prom",),
    "ledger_url": (
        "sqlite:///led ger.db",
        "postgresql+psycopg://u:p%40s@192.0.2.1:5432/db",
        "sqlite:///ledger.db",
    ),
    "results_url": (
        "sqlite:///re sults.db",
        "sqlite:///ledger.db",
        "postgresql+psycopg://u:p%40s@192.0.2.1:5432/db",
    ),
    "results_retention_days": (90, "365"),
    "notify_url": ("https://hooks.example.com/T0/B0/x-y_z", "http://127.0.0.1:9000/run?a=b"),
    "ledger_retention_days": (90, "365", 36_500),
    "batch_size_rows": (1, 1000, "10"),
    "batch_max_bytes": (1_000, "3000000"),
    "batch_wait_seconds": (2.5, 1, "0.25", "3600"),
    "max_in_flight": (1, "256"),
    "max_requests_per_minute": (1, "120000"),
    "request_timeout_seconds": (12.5, 600, "0.1"),
    "max_retry_seconds": (0, 0.5, "1.5"),
    "shutdown_grace_seconds": (0, 1.5, "20"),
    "list_batch_size": (1, "10000"),
    "list_wait_seconds": (0.5, 86_400, "300"),
    "validate_records": (True, False, "true", "false"),
    "stream_maps": ({}, {"a-b": {"x": "y + '1'", "__filter__": "t > 0"}}, {"a": {"b": "__NULL__"}}),
    "stream_map_config": ({}, {"hash_seed": "007", "limit": 1.5}),
    "faker_config": ({}, {"seed": 0, "locale": ["en_US", "de_DE"]}),
    "flattening_enabled": (True, False, "true"),
    "flattening_max_depth": (0, "2"),
    "flattening_max_key_length": (1, "64"),
    "flattening_separator": ("__", ".", "1"),
}  # fmt: skip
# Ways to sign in, one per configuration. With _file in its name, the value is in a file.
SIGNED_IN: Final[tuple[dict[str, str], ...]] = (
    {"oauth.access_token": "pina_1+/="},
    {"oauth.access_token_file": "an access token.txt"},
    {
        "oauth.client_id": "1500000",
        "oauth.client_secret": "0123",
        "oauth.refresh_token": "pinr.1",
        "oauth.token_path": "kept tokens/o.json",
    },
    {
        "oauth.client_id": "1500001",
        "oauth.client_secret_file": "a secret.txt",
        "oauth.refresh_token_file": "a refresh token.txt",
        "oauth.token_path": "o.json",
    },
)
COLUMNS: Final = max(map(len, VALUES.values()))


def configuration(column: int, directory: Path) -> dict[str, Any]:
    """Return the values of a column, and the settings that every configuration needs.

    Files of secrets are created in `directory`.
    """
    found = {name: values[column] for name, values in VALUES.items() if column < len(values)}
    required = VALUES["ad_account_id"], VALUES["conversion_token"]
    found["ad_account_id"], found["conversion_token"] = (row[column % len(row)] for row in required)
    found |= SIGNED_IN[column % len(SIGNED_IN)]
    if column % 2:  # and the others have the value itself
        del found["conversion_token"]
        found["conversion_token_file"] = "a conversion token.txt"
    for name in found:
        if name.endswith("_file"):
            path = directory / found[name]
            path.write_text(f"secret-{column}")
            found[name] = str(path)
    return found


def in_meltano_yml(project: PluginProject, config: dict[str, Any]) -> dict[str, str]:
    """Write the configuration into `config`."""
    read = project.read()
    read["plugins"]["loaders"][0]["config"] = config
    project.write(read)
    return {}


def in_dotenv(project: PluginProject, config: dict[str, Any]) -> dict[str, str]:
    """Write the configuration into `.env`, in single quotes."""
    rows = []
    for name, value in config.items():
        quoted = as_text(value).replace("\\", "\\\\").replace("'", "\\'")
        rows.append(f"TARGET_PINTEREST_CAPI_{name.upper().replace('.', '_')}='{quoted}'\n")
    (project.directory / ".env").write_text("".join(rows))
    return {}


def in_environment(_: PluginProject, config: dict[str, Any]) -> dict[str, str]:
    """Return the configuration as variables."""
    return {name.replace(".", "_"): as_text(value) for name, value in config.items()}


# `meltano config set` for each setting, by one process: an import of Meltano takes a second.
SET_ALL: Final = """
import json, sys
from meltano.cli import cli
for name, text in json.loads(sys.argv[2]).items():
    try:
        cli.main(["config", "set", sys.argv[1], name, text], standalone_mode=False)
    except SystemExit as stop:
        if stop.code:
            sys.exit(f"{name}: {stop.code}")
"""


def by_command(project: PluginProject, config: dict[str, Any]) -> dict[str, str]:
    """Let Meltano set the configuration."""
    texts = {name: as_text(value) for name, value in config.items()}
    done = project.run_python(SET_ALL, LOADER, json.dumps(texts))
    assert done.returncode == 0, done.stdout + done.stderr
    return {}


Place = Callable[[PluginProject, dict[str, Any]], dict[str, str]]


def test_every_setting_has_its_values_here():
    """The table has all settings, all choices, and a word for each null with a meaning."""
    apart = {name for way in SIGNED_IN for name in way} | {"conversion_token_file"}
    assert VALUES.keys() | apart == set(SETTINGS)
    assert all("never" in VALUES[name] for name in NULLABLE)


@pytest.mark.slow
@pytest.mark.parametrize("column", range(COLUMNS))
@pytest.mark.parametrize("place", [in_meltano_yml, in_dotenv, in_environment, by_command])
def test_every_setting_arrives(plugin_project: PluginProject, place: Place, column: int):
    """The target gets the values that were set in each way, in the file that Meltano passes."""
    config = configuration(column, plugin_project.directory)
    in_meltano_yml(plugin_project, {})
    variables = place(plugin_project, config)
    done = plugin_project.run("invoke", "--dump=config", LOADER, **variables)
    assert done.returncode == 0, done.stderr
    passed_on = json.loads(done.stdout)
    assert load(passed_on).model_dump() == load(config).model_dump()


def test_an_object_that_meltano_cuts_is_a_warning(plugin_project: PluginProject):
    """Meltano drops an object's members with a dot in a variable: the target names the object."""
    defaults = json.dumps({"custom_data.currency": "EUR", "action_source": "web"})
    done = plugin_project.run("invoke", LOADER, defaults=defaults)
    assert "TARGET_PINTEREST_CAPI_DEFAULTS: is set, and Meltano did not pass" in done.stderr


@pytest.mark.slow
def test_a_null_is_an_unset_setting(plugin_project: PluginProject):
    """Meltano drops nulls at the top level, and passes on the defaults instead."""
    given = {"ad_account_id": "1", "conversion_token": "a"}
    nulls = {name: None for name in VALUES if name not in given}
    in_meltano_yml(plugin_project, {**given, **nulls})
    done = plugin_project.run("invoke", "--dump=config", LOADER)
    assert done.returncode == 0, done.stderr
    assert load(json.loads(done.stdout)).model_dump() == load(given).model_dump()

"""The entry for Meltano Hub: what is generated is up to date, and it is what Hub takes."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from given import ACCOUNT, TOKEN
from target_pinterest_capi import plugin
from target_pinterest_capi.cli.main import COMMANDS
from target_pinterest_capi.delivery.decisions import ADVICE
from target_pinterest_capi.settings import load, meltano_settings

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "hub" / "target-pinterest-capi.yml").read_text(encoding="utf-8")
ENTRY: dict[str, Any] = yaml.safe_load(TEXT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Hub's own schema of a loader, as far as it goes: its keys, those it cannot do without, and what a setting may be.
KEYS: Final = {
    "name", "namespace", "label", "variant", "description", "docs", "repo", "pip_url", "executable", "capabilities", "settings",
    "settings_group_validation", "commands", "prereq", "usage", "next_steps", "settings_preamble", "keywords", "definition",
    "maintenance_status", "logo_url", "domain_url", "supported_python_versions", "log_parser",
}  # fmt: skip
REQUIRED: Final = {"name", "namespace", "variant", "label"}
WORDS: Final = ("description", "definition", "prereq", "usage", "next_steps", "settings_preamble")
SETTING_KEYS: Final = {"name", "label", "kind", "value", "options", "description", "sensitive"}
KINDS: Final = {
    "string", "integer", "decimal", "boolean", "array", "object", "options", "date_iso8601", "file", "email", "oauth",
}  # fmt: skip
CAPABILITIES: Final = {
    "about", "stream-maps", "schema-flattening", "validate-records", "structured-logging", "batch", "activate-version",
}  # fmt: skip
STATUSES: Final = {"active", "beta", "development", "inactive", "unknown"}


def test_the_entry_is_what_the_package_writes():
    """The file is the generated one: `make docs`."""
    assert plugin.hub_text() == TEXT


def test_the_entry_has_hubs_keys():
    """Every key is one that Hub knows, and none that it cannot do without is missing or empty."""
    assert set(ENTRY) <= KEYS
    assert set(ENTRY) >= REQUIRED
    assert [name for name, value in ENTRY.items() if not value] == []
    assert [name for name in WORDS if not isinstance(ENTRY[name], str)] == []


def test_the_entry_is_the_plugin():
    """What Meltano needs to run it is the definition that the package prints, to the last setting and command."""
    shared = plugin.meltano_plugin()
    assert {name: ENTRY[name] for name in shared} == shared
    assert [entry["name"] for entry in ENTRY["settings"]] == [entry["name"] for entry in meltano_settings()]
    assert set(ENTRY["commands"]) == {*COMMANDS, "test"}


@pytest.mark.parametrize("setting", ENTRY["settings"], ids=lambda entry: entry["name"])
def test_a_setting_is_one_for_hub(setting):
    """Each has a name, a label, a description and a kind of Hub's; options are there where the kind says so, as texts."""
    assert set(setting) <= SETTING_KEYS
    assert all(setting[name] for name in ("name", "label", "description", "kind"))
    assert setting["kind"] in KINDS
    assert ("options" in setting) == (setting["kind"] == "options")
    assert all(set(option) == {"label", "value"} and isinstance(option["value"], str) for option in setting.get("options", ()))


def test_secrets_are_sensitive_and_nothing_else_is():
    """Hub hides what is a secret, and not what is merely called an id, a key or a token."""
    sensitive = {entry["name"] for entry in ENTRY["settings"] if entry.get("sensitive")}
    assert sensitive == {"conversion_token", "oauth.access_token", "oauth.client_secret", "oauth.refresh_token", "ledger_url"}


def test_capabilities_and_status_are_hubs():
    """Both are words of Hub's lists."""
    assert set(ENTRY["capabilities"]) <= CAPABILITIES
    assert ENTRY["maintenance_status"] in STATUSES


def test_groups_name_settings():
    """A group of settings that is enough to start with names settings that there are."""
    names = {entry["name"] for entry in ENTRY["settings"]}
    assert all(set(group) <= names for group in ENTRY["settings_group_validation"])


def test_supported_versions_of_python_are_those_of_the_package():
    """Hub and the package's own metadata agree on the versions of Python, and the lowest is the one that is required."""
    prefix = "Programming Language :: Python :: "
    versions = [text.removeprefix(prefix) for text in PROJECT["classifiers"] if text.startswith(prefix)]
    assert ENTRY["supported_python_versions"] == versions
    assert PROJECT["requires-python"] == f">={versions[0]}"


def test_pip_url_installs_this_package_with_its_extra():
    """What Meltano installs is the package of this repository, with an extra that it has."""
    name, extra = re.fullmatch(r"([\w-]+)\[(\w+)\]", ENTRY["pip_url"]).groups()
    assert name == PROJECT["name"]
    assert extra in PROJECT["optional-dependencies"]


def test_the_example_is_a_configuration():
    """The `config` that the page shows passes the checks of the settings."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", ENTRY["settings_preamble"], re.MULTILINE | re.DOTALL)
    settings = load({"ad_account_id": ACCOUNT, "conversion_token": TOKEN, **yaml.safe_load(block)["config"]})
    assert settings.warnings == ()


def test_the_page_runs_commands_that_there_are():
    """Every `meltano invoke target-pinterest-capi:NAME` on the page names a command."""
    named = set(re.findall(r"target-pinterest-capi:(\w+)", "".join(ENTRY[name] for name in WORDS)))
    assert named
    assert named <= set(ENTRY["commands"])


def test_the_page_knows_what_the_log_says():
    """The answers that the page explains are those that a run stops on with advice."""
    statuses = {int(status) for status in re.findall(r"Pinterest answered (\d+)", ENTRY["usage"])}
    assert statuses
    assert statuses <= set(ADVICE)

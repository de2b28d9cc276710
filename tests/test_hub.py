"""The entry for Meltano Hub: it is up to date, and has what Hub accepts."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from given import ACCOUNT, TOKEN
from target_pinterest_capi.cli.definition import plugin_definition
from target_pinterest_capi.cli.main import COMMANDS
from target_pinterest_capi.pinterest.retries import STATUS_RULES
from target_pinterest_capi.settings import load, meltano_settings
from tools import hub

ROOT = Path(__file__).parent.parent
FILE = ROOT / "hub" / "target-pinterest-capi.yml"
TEXT = FILE.read_text(encoding="utf-8")
ENTRY: dict[str, Any] = yaml.safe_load(TEXT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Hub's CI checks a definition four times: by yamllint (`make lint` has its rules), by a JSON
# schema, by the name of its folder, and by whether the variant is among the maintainers. The
# schema, as far as it goes, in our own words: the keys, those it cannot do without, and what a
# setting may be.
KEYS: Final = {
    "name",
    "namespace",
    "label",
    "variant",
    "description",
    "docs",
    "repo",
    "pip_url",
    "executable",
    "capabilities",
    "settings",
    "settings_group_validation",
    "commands",
    "prereq",
    "usage",
    "next_steps",
    "settings_preamble",
    "keywords",
    "definition",
    "maintenance_status",
    "quality",
    "logo_url",
    "domain_url",
    "supported_python_versions",
    "log_parser",
    "hidden",
    "requires",
    "python",
    "dialect",
    "target_schema",
}
# The schema wants no `repo` and no `label`; the check of the maintainers and the page do.
REQUIRED: Final = {"name", "namespace", "variant", "quality", "repo", "label"}
WORDS: Final = ("description", "definition", "prereq", "usage", "next_steps", "settings_preamble")
TEXTS: Final = (
    *WORDS,
    "name",
    "namespace",
    "variant",
    "label",
    "repo",
    "docs",
    "pip_url",
    "executable",
    "domain_url",
    "quality",
    "maintenance_status",
)
LISTS_OF_TEXTS: Final = ("capabilities", "keywords", "supported_python_versions")
SETTING_KEYS: Final = {"name", "label", "kind", "value", "options", "description", "sensitive"}
KINDS: Final = {
    "string",
    "integer",
    "decimal",
    "boolean",
    "array",
    "object",
    "options",
    "date_iso8601",
    "file",
    "email",
    "oauth",
}
CAPABILITIES: Final = {
    "about",
    "stream-maps",
    "schema-flattening",
    "validate-records",
    "structured-logging",
    "batch",
    "activate-version",
    "soft-delete",
    "hard-delete",
    "datatype-failsafe",
    "target-schema",
}
STATUSES: Final = {"active", "beta", "development", "inactive", "unknown"}
QUALITIES: Final = {"gold", "silver", "bronze", "unknown"}

# What a pull request to Hub adds to two other files, as the head of ours says it.
HEAD: Final = TEXT.partition("\n\n")[0]
DEFAULT_VARIANT, MAINTAINER = (
    yaml.safe_load("\n".join(re.findall(r"^# ( .*)$", part, re.MULTILINE)))
    for part in HEAD.split("and this")
)


def test_the_entry_is_what_is_generated():
    """The file is the generated one: `make docs`."""
    assert hub.text() == TEXT


def test_the_entry_has_hubs_keys():
    """Hub knows every key, and no required one is missing or empty."""
    assert set(ENTRY) <= KEYS
    assert set(ENTRY) >= REQUIRED
    assert [name for name, value in ENTRY.items() if not value] == []
    assert [name for name in TEXTS if not isinstance(ENTRY[name], str)] == []
    assert all(isinstance(item, str) for name in LISTS_OF_TEXTS for item in ENTRY[name])


def test_the_file_is_named_for_the_plugin():
    """Hub's folder for a plugin has the plugin's name, and so has our file."""
    assert ENTRY["name"] == FILE.stem == PROJECT["name"]


def test_the_publisher_is_a_maintainer():
    """The file for Hub's publisher is named, in lower case, after the repository's owner."""
    owner = ENTRY["repo"].rpartition("/")[0]
    assert re.fullmatch(r"[a-z0-9-]+", ENTRY["variant"])
    assert owner.rpartition("/")[2].lower() == ENTRY["variant"]
    described = {"label": hub.PUBLISHER.label, "name": ENTRY["variant"], "url": owner}
    assert MAINTAINER[ENTRY["variant"]] == described
    assert DEFAULT_VARIANT[ENTRY["name"]] == ENTRY["variant"]


def test_the_addresses_agree():
    """The addresses of repository and documentation are one, here and in the package's metadata."""
    assert PROJECT.get("urls", {}).get("Repository", ENTRY["repo"]) == ENTRY["repo"]
    assert ENTRY["docs"].startswith(ENTRY["repo"])


def test_the_entry_is_the_plugin():
    """What Meltano needs to run it is the definition that the package prints."""
    shared = plugin_definition(ENTRY["pip_url"])
    assert {name: ENTRY[name] for name in shared} == shared
    assert [entry["name"] for entry in ENTRY["settings"]] == [
        entry["name"] for entry in meltano_settings()
    ]
    assert set(ENTRY["commands"]) == {*COMMANDS, "test"}


@pytest.mark.parametrize("setting", ENTRY["settings"], ids=lambda entry: entry["name"])
def test_a_setting_is_one_for_hub(setting):
    """Each has a name, a label, a description and one of Hub's kinds, and options as strings."""
    assert set(setting) <= SETTING_KEYS
    assert all(setting[name] for name in ("name", "label", "description", "kind"))
    assert setting["kind"] in KINDS
    assert ("options" in setting) == (setting["kind"] == "options")
    assert all(
        set(option) == {"label", "value"} and isinstance(option["value"], str)
        for option in setting.get("options", ())
    )


def test_secrets_are_sensitive_and_nothing_else_is():
    """Hub hides what is secret, and not what is only called an id, a key or a token."""
    sensitive = {entry["name"] for entry in ENTRY["settings"] if entry.get("sensitive")}
    assert sensitive == {
        "conversion_token",
        "oauth.access_token",
        "oauth.client_secret",
        "oauth.refresh_token",
        "ledger_url",
        "results_url",
        "notify_url",
    }


def test_capabilities_status_and_quality_are_hubs():
    """All are keywords of Hub's lists."""
    assert set(ENTRY["capabilities"]) <= CAPABILITIES
    assert ENTRY["maintenance_status"] in STATUSES
    assert ENTRY["quality"] in QUALITIES


def test_groups_name_settings():
    """A sufficient group of settings has only existing settings."""
    names = {entry["name"] for entry in ENTRY["settings"]}
    assert all(set(group) <= names for group in ENTRY["settings_group_validation"])


def test_supported_versions_of_python_are_those_of_the_package():
    """Hub and the package's metadata agree on the versions of Python; the lowest is required."""
    prefix = "Programming Language :: Python :: "
    versions = [
        text.removeprefix(prefix) for text in PROJECT["classifiers"] if text.startswith(prefix)
    ]
    assert ENTRY["supported_python_versions"] == versions
    assert PROJECT["requires-python"] == f">={versions[0]}"


def test_pip_url_installs_this_package_with_its_extra():
    """What Meltano installs is the package of this repository, with an extra that it has."""
    name, extra = re.fullmatch(r"([\w-]+)\[(\w+)\]", ENTRY["pip_url"]).groups()
    assert name == PROJECT["name"]
    assert extra in PROJECT["optional-dependencies"]


def test_the_example_is_a_configuration():
    """The `config` on the page passes the checks of the settings."""
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```$", ENTRY["settings_preamble"], re.MULTILINE | re.DOTALL
    )
    settings = load(
        {"ad_account_id": ACCOUNT, "conversion_token": TOKEN, **yaml.safe_load(block)["config"]}
    )
    assert settings.warnings == ()


def test_the_page_runs_commands_that_there_are():
    """Every `meltano invoke target-pinterest-capi:NAME` on the page names a command."""
    named = set(re.findall(r"target-pinterest-capi:(\w+)", "".join(ENTRY[name] for name in WORDS)))
    assert named
    assert named <= set(ENTRY["commands"])


def test_the_page_knows_what_the_log_says():
    """The responses that the page explains are those that stop a run with advice."""
    statuses = {int(status) for status in re.findall(r"Pinterest returned (\d+)", ENTRY["usage"])}
    assert statuses
    assert statuses <= {status for status, rule in STATUS_RULES.items() if rule.remedy}

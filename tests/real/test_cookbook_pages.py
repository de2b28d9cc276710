"""The cookbook's files: each recipe's configuration is valid, and its pages' links work."""

import json
import re
from pathlib import Path

import pytest
from receiving import AD_ACCOUNT_ID, TOKEN
from recipe import COOKBOOK, RECIPES, page, project

from target_pinterest_capi.settings import load, meltano_settings

PAGES = [COOKBOOK / "README.md", *(COOKBOOK / name / "README.md" for name in RECIPES)]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_declares_settings_as_the_package_does(name: str):
    """Each setting that a recipe declares exists, has the right kind, and is hidden if secret."""
    ours = {entry["name"]: entry for entry in meltano_settings()}
    plugins = project(name)["plugins"]
    declared = [
        entry
        for kind in ("loaders", "utilities")
        for plugin in plugins.get(kind, [])
        for entry in plugin.get("settings", [])
    ]
    assert declared
    for entry in declared:
        kind = ours[entry["name"]]["kind"]
        as_text = {"file", "options"} if "options" not in entry else {"file"}
        assert entry.get("kind", "string") == ("string" if kind in as_text else kind), entry["name"]
        assert entry.get("sensitive", False) == ours[entry["name"]].get("sensitive", False), entry[
            "name"
        ]
        if "options" in entry:
            choices = [one["value"] for one in ours[entry["name"]]["options"]]
            assert [one["value"] for one in entry["options"]] == choices


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_tried_without_sending(name: str):
    """Each loader declares `mode`, without which Meltano drops it, and logs at the right level."""
    loaders = [one for one in project(name)["plugins"]["loaders"] if "inherit_from" not in one]
    ours = [one for one in loaders if one["name"].startswith("target-pinterest-capi")]
    assert ours
    for loader in ours:
        assert "structured-logging" in loader["capabilities"]
        assert "mode" in [entry["name"] for entry in loader["settings"]]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipes_configuration_is_valid(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The configuration of each loader and utility is valid, and declared, or Meltano drops it."""
    (tmp_path / "us.token").write_text(TOKEN)
    monkeypatch.chdir(tmp_path)
    plugins = project(name)["plugins"]
    for plugin in (*plugins["loaders"], *plugins.get("utilities", [])):
        parent = next(
            (one for one in plugins["loaders"] if one["name"] == plugin.get("inherit_from")), plugin
        )
        config = {**parent["config"], **plugin["config"]}
        secrets = {"client_id": "1", "client_secret": "2", "refresh_token": "3"}
        oauth = (
            {"oauth": {**config["oauth"], **secrets}}
            if "oauth" in config
            else {"conversion_token": TOKEN}
        )
        given = json.dumps({"ad_account_id": AD_ACCOUNT_ID, **config, **oauth})
        load(json.loads(given.replace("$TAP_POSTGRES_PORT", "5432")))  # as Meltano expands it
        assert set(config) <= {entry["name"].partition(".")[0] for entry in parent["settings"]}


def test_the_index_names_every_recipe():
    """The index links to each recipe's page once, and each page to its meltano.yml."""
    linked = re.findall(
        r"^\| \[([\w-]+)\]\(([\w-]+)/README.md\)",
        (COOKBOOK / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert sorted(linked) == [(name, name) for name in RECIPES]
    assert [name for name in RECIPES if "[meltano.yml](meltano.yml)" not in page(name)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_every_linked_file_exists(path: Path):
    """Each file that a page links to exists."""
    links = re.findall(r"\]\(((?!http|#)[^)]+)\)", path.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (path.parent / link.partition("#")[0]).exists()] == []


def test_the_sample_calls_are_json():
    """Each line of the sample is a call with a unique id."""
    lines = (COOKBOOK / "track-calls" / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["messageId"] for line in lines}) == len(lines) == 4

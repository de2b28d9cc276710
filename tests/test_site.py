"""The documentation as a site: it builds from the pages unchanged, and has all of them."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow  # it builds the site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built like `make site`: a broken link fails it."""
    if find_spec("mkdocs") is None:
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("mkdocs is missing, and REQUIRE_SERVICES is set")
        pytest.skip("mkdocs is not installed: make site installs it")
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(place)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


def test_every_page_is_in_the_navigation():
    """The menu has each page of docs/ once, except the recipes, which the cookbook links to."""
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]

    def pages(part: object) -> list[str]:
        match part:
            case str():
                return [part]
            case list():
                return [page for one in part for page in pages(one)]
            case dict():
                return [page for one in part.values() for page in pages(one)]
        raise TypeError(part)

    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    recipes = {path for path in there if path.count("/") > 1}
    assert sorted(pages(menu)) == sorted(there - recipes)


def test_nothing_is_loaded_from_elsewhere(site: Path):
    """Pages load no script, style, font or picture from another host."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "fonts.googleapis.com" not in text
        assert 'src="http' not in text


@pytest.mark.parametrize("words", ["null_values", "max_rejected_ratio", "kill -9", "changelog"])
def test_search_finds(site: Path, words: str):
    """The search index has settings, words of pages, and pages from outside docs/."""
    index = json.loads((site / "search" / "search_index.json").read_text())
    assert any(words in (row["title"] + row["text"]).lower() for row in index["docs"])


def test_the_site_is_not_in_the_wheel():
    """The packages that build the site are not dependencies of the package."""
    project = (ROOT / "pyproject.toml").read_text()
    dependencies = project.partition("dependencies = [")[2].partition("]")[0]
    assert "mkdocs" not in dependencies

"""A release: version, changelog, image, devcontainer and workflows are consistent."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import target_pinterest_capi
from target_pinterest_capi.pinterest.client import USER_AGENT
from tools import changelog

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
# YAML 1.1 reads a workflow's key `on` as true.
TRIGGERS = {name: workflow[True] for name, workflow in WORKFLOWS.items()}
LABEL = "Programming Language :: Python :: "
PYTHONS = [
    text.removeprefix(LABEL) for text in PROJECT["project"]["classifiers"] if text.startswith(LABEL)
]


# The version


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files that decide the version, with an empty package."""
    folder = tmp_path / "project"
    (folder / "target_pinterest_capi").mkdir(parents=True)
    (folder / "target_pinterest_capi" / "__init__.py").touch()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = [
        "-c",
        "user.name=Jane",
        "-c",
        "user.email=jane@example.com",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    ]
    subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, timeout=120
    )


def hatchling(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "hatchling", *arguments]
    ran = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=120
    )
    return ran.stdout.strip()


def committed(folder: Path) -> None:
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")


def test_version_is_that_of_the_installed_package():
    """`__version__` and the User-Agent are the metadata's; no file of the package has a version."""
    assert target_pinterest_capi.__version__ == metadata.version("target-pinterest-capi")
    assert f"target-pinterest-capi/{target_pinterest_capi.__version__}" == USER_AGENT
    assert "version" not in PROJECT["project"]
    assert "version" in PROJECT["project"]["dynamic"]


def test_without_git_the_version_is_older_than_any_release(project: Path):
    """A copy of the sources without git still builds; its version sorts before 0.1.0."""
    assert hatchling(project, "version") == "0.1.0.dev0"


def test_without_tags_the_version_counts_the_commits(project: Path):
    """A clone without tags still builds, and is not a release either."""
    committed(project)
    assert hatchling(project, "version") == "0.1.0.dev1"


@pytest.mark.slow
def test_tag_is_the_version(project: Path):
    """On a tag the version is the tag's; after it, a development version of the next one."""
    committed(project)
    git(project, "tag", "v1.2.3")
    assert hatchling(project, "version") == "1.2.3"
    (project / "README.md").write_text("# Changed\n")
    assert hatchling(project, "version") == "1.2.4.dev0"
    git(project, "commit", "--quiet", "--all", "--message", "Change")
    assert hatchling(project, "version") == "1.2.4.dev1"


@pytest.mark.slow
def test_archive_of_the_sources_carries_its_version(project: Path):
    """A build from the archive has the version of the tag, without git."""
    committed(project)
    git(project, "tag", "v1.2.3")
    hatchling(project, "build", "--target", "sdist")
    with tarfile.open(project / "dist" / "target_pinterest_capi-1.2.3.tar.gz") as archive:
        archive.extractall(project.parent, filter="data")
    assert hatchling(project.parent / "target_pinterest_capi-1.2.3", "version") == "1.2.3"


# The changelog

KEPT = """\
# Changelog

What changed.

## [Unreleased]

## [0.2.0] - 2026-03-02

### Added

- **Something** that takes
  two lines.

### Fixed

- Something else.

## [0.1.0] - 2026-02-01 [YANKED]

### Added

- All of it.

[0.2.0]: https://example.com/0.2.0
"""


def test_changelog_is_in_form():
    """The file has the form of Keep a Changelog, and a section for unreleased changes."""
    assert list(changelog.problems((ROOT / "CHANGELOG.md").read_text())) == []


def test_changelog_that_keeps_the_form_has_no_problem():
    """Dated releases below Unreleased, the newest first, entries in groups: no errors."""
    assert list(changelog.problems(KEPT)) == []


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ("# Changelog\n", "# Changes\n", "1: begin with `# Changelog`"),
        (
            "## [Unreleased]\n",
            "",
            "1: the first section is `## [Unreleased]`, also when it is empty",
        ),
        ("- 2026-03-02", "- 2026-02-30", "7: 2026-02-30 is not a date"),
        (
            "## [0.2.0] - 2026-03-02",
            "## 0.2.0 (2026-03-02)",
            "7: write `## [1.2.3] - 2026-12-31`, not `## 0.2.0 (2026-03-02)`",
        ),
        (
            "[0.2.0] - 2026-03-02",
            "[0.1.0] - 2026-03-02",
            "18: 0.1.0 stands below 0.1.0, and is not older",
        ),
        ("- 2026-02-01", "- 2026-04-01", "18: the date of 0.1.0 is after that of 0.2.0"),
        (
            "### Fixed",
            "### Mended",
            "14: `### Mended` is none of Added, Changed, Deprecated, Removed, Fixed, Security",
        ),
        (
            "### Fixed",
            "### Added",
            (
                "14: `### Added` comes once, in the order Added, Changed, Deprecated, Removed, "
                "Fixed, Security"
            ),
        ),
        ("- Something else.\n", "", "14: `### Fixed` has no entry"),
        ("### Added\n\n- All", "- All", "20: an entry stands below a group, such as `### Added`"),
        ("### Added\n\n- All of it.\n", "", "18: say what changed in 0.1.0"),
        (
            "- All of it.",
            "- All\nof it.",
            "23: is neither a group, nor an entry (`- `), nor the rest of one (two spaces)",
        ),
    ],
)
def test_changelog_out_of_form_says_where(written: str, instead: str, problem: str):
    """Each deviation from the form is reported with its line."""
    assert written in KEPT
    found = list(
        changelog.problems(
            KEPT.replace(written, instead, 1).replace("[0.2.0]: https://example.com/0.2.0\n", "")
        )
    )
    assert problem in found


def test_notes_of_a_release_are_its_section():
    """A tag's notes are the text below its heading, and nothing else."""
    section = changelog.release(KEPT, "v0.2.0")
    assert (
        section.notes
        == "### Added\n\n- **Something** that takes\n  two lines.\n\n### Fixed\n\n- Something else."
    )


@pytest.mark.parametrize(
    ("tag", "text", "problem"),
    [
        ("v0.3.0", KEPT, "the newest section is 0.2.0"),
        ("v0.1.0", KEPT, "the newest section is 0.2.0"),
        ("v0.1.0", "# Changelog\n\n## [Unreleased]\n", "the newest section is none"),
        ("v0.2.0", KEPT.replace(" - 2026-03-02", ""), "the newest section is 0.1.0"),
        ("0.2.0", KEPT, "the tag 0.2.0 is not of the form v1.2.3"),
        ("v0.2", KEPT, "the tag v0.2 is not of the form v1.2.3"),
        (
            "v0.2.0",
            KEPT.replace("ased]\n", "ased]\n\n### Added\n\n- More.\n"),
            "there are entries below Unreleased",
        ),
    ],
)
def test_tag_without_its_section_is_not_released(tag: str, text: str, problem: str):
    """A tag needs the newest dated section, and nothing unreleased above it."""
    found = changelog.release(text, tag)
    assert isinstance(found, str)
    assert problem in found


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [([], 0, ""), (["v0.2.0"], 0, "### Added"), (["v9.0.0"], 1, "")],
)
def test_changelog_command(tmp_path: Path, arguments: list[str], code: int, output: str):
    """Without a tag it checks, with one it prints the notes; a problem is exit code 1."""
    (tmp_path / "CHANGELOG.md").write_text(KEPT)
    command = [sys.executable, str(ROOT / "tools" / "changelog.py"), *arguments]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == code
    assert ran.stdout.startswith(output)
    assert ran.stderr.startswith("CHANGELOG.md: ") == (code == 1)


# The image


def instructions(name: str) -> list[str]:
    """Return the Dockerfile's instructions of a name, without the name, continued lines joined."""
    joined = re.sub(r"\\\n\s*(?:#[^\n]*\n\s*)*", "", DOCKERFILE)
    return re.findall(rf"^{name} (.+)$", joined, re.MULTILINE)


def test_image_copies_what_exists_and_is_let_in():
    """Every source of a COPY is in the tree, and .dockerignore allows only these."""
    copied = {
        source
        for line in instructions("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    }  # fmt: skip
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {
        "pyproject.toml",
        "requirements",
        PROJECT["project"]["readme"],
        *PROJECT["project"]["license-files"],
        *wheel,
    }
    assert copied == needed
    # The copy in which the wheel is tested does not have the package.
    assert all((ROOT / source).exists() for source in copied - set(wheel))


def test_image_has_a_supported_python_everywhere():
    """All stages start from one image, whose Python is among the tested versions."""
    first, *others = instructions("FROM")
    base = re.fullmatch(r"python:(3\.\d+)-slim-\w+ AS (\w+)", first)
    assert base is not None
    assert base[1] in PYTHONS
    assert {line.split()[0] for line in others} == {base[2]}


def test_image_is_not_root_and_gets_signals_itself():
    """The last stage has a numeric user, and starts the target without a shell."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE) not in ([], ["0"])
    (command,) = instructions("ENTRYPOINT")
    assert json.loads(command) == ["target-pinterest-capi"]
    assert command in last
    assert json.loads(command)[0] in PROJECT["project"]["scripts"]


def test_image_takes_only_what_is_locked():
    """Packages are downloaded with their digests, and everything else is installed from these."""
    installs = [
        part
        for line in instructions("RUN")
        for part in re.split(" && ", line)
        if re.match(r"pip\b", part.strip())
    ]
    assert len(installs) == 3
    for line in installs:
        assert (
            "--require-hashes" in line and "requirements/runtime.lock" in line
        ) or "--no-index" in line


# The devcontainer


def test_devcontainer_is_set_up_as_a_checkout_is():
    """It makes .venv by `make`, with a supported Python and CI's system packages."""
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    version = re.fullmatch(
        r"mcr\.microsoft\.com/devcontainers/python:(3\.\d+)-\w+", container["image"]
    )
    assert version is not None
    assert version[1] in PYTHONS
    goal = container["postCreateCommand"].removeprefix("make ")
    assert re.search(
        rf"^{re.escape(goal)}|^READY = {re.escape(goal)}$",
        (ROOT / "Makefile").read_text(),
        re.MULTILINE,
    )
    installed = set(container["onCreateCommand"].partition(" --no-install-recommends ")[2].split())
    wanted = re.findall(r"missing\+=\(([\w-]+)\)", (ROOT / ".ci" / "run").read_text())
    assert {"make", "postgresql", "chromium"} <= installed == set(wanted)


# The workflows


def test_release_runs_for_tags_alone():
    """Only a tag publishes, and the other workflows have no permission for it."""
    assert TRIGGERS["release"] == {"push": {"tags": ["v*"]}}
    writers = {
        (name, job): sorted(
            key for key, value in steps.get("permissions", {}).items() if value == "write"
        )
        for name, workflow in WORKFLOWS.items()
        for job, steps in workflow["jobs"].items()
    }
    assert {place: keys for place, keys in writers.items() if keys} == {
        ("release", "publish"): ["id-token"],
        ("release", "image"): ["packages"],
        ("release", "notes"): ["contents"],
    }
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())


def test_nothing_is_published_before_the_wheel_is_tested_everywhere():
    """The wheel is built once, tested on every supported Python, then published, then the rest."""
    jobs = WORKFLOWS["release"]["jobs"]
    assert jobs["test"]["needs"] == "build"
    assert jobs["test"]["strategy"]["matrix"]["python-version"] == PYTHONS
    assert any(step.get("run") == "make test-built PYTHON=python" for step in jobs["test"]["steps"])
    assert jobs["publish"]["needs"] == "test"
    assert jobs["publish"]["environment"] == "release"
    assert jobs["image"]["needs"] == jobs["notes"]["needs"] == "publish"
    assert WORKFLOWS["test"]["jobs"]["test"]["strategy"]["matrix"]["python-version"] == PYTHONS


def test_actions_are_pinned_to_one_commit_each():
    """Each action is pinned to the digest of a commit, the same one everywhere."""
    jobs = [job for workflow in WORKFLOWS.values() for job in workflow["jobs"].values()]
    used = {step["uses"] for job in jobs for step in job["steps"] if "uses" in step}
    assert used
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", name) for name in used)
    assert len({name.partition("@")[0] for name in used}) == len(used)
